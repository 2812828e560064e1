"""What ten thousand speakers tell in a day, as messages for the EVENTS stream.

A cycle is three items on every device, as it really comes: on a new plan six events
in one message, then at each change of item the end of one and the start of the next.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats

LOG = "bench"
ITEMS_PER_CYCLE, MESSAGES_PER_CYCLE, EVENTS_PER_CYCLE = 3, 5, 12
LENGTH_MS = 45_000
# The publisher goes on when fewer messages than this wait to be stored.
MOST_WAITING = 4_000
_FLUSH = 200


@dataclass(frozen=True)
class Airing:
    """One planned start: its item and its moment in ms."""

    item: str
    starts_at: int


def messages(
    devices: list[str], airings: list[Airing], cycle: int
) -> Iterator[tuple[str, bytes]]:
    """Yield (device, payload) of one cycle, all devices telling the same at once."""
    first = cycle * EVENTS_PER_CYCLE
    three = airings[cycle * ITEMS_PER_CYCLE :][:ITEMS_PER_CYCLE]
    told = {
        (kind, airing.item): _event(kind, airing)
        for kind in ("received", "prepared", "started", "finished")
        for airing in three
    }
    a, b, c = (airing.item for airing in three)
    parts = [
        [(kind, item) for item in (a, b, c) for kind in ("received", "prepared")],
        [("started", a)],
        [("finished", a), ("started", b)],
        [("finished", b), ("started", c)],
        [("finished", c)],
    ]
    n = first
    for part in parts:
        rows = [{"n": n + at + 1, **told[key]} for at, key in enumerate(part)]
        n += len(part)
        events = json.dumps(rows)
        for device in devices:
            head = f'{{"v": 1, "device": "{device}", "log": "{LOG}", "events": '
            yield device, (head + events + "}").encode()


def _event(kind: str, airing: Airing) -> dict[str, Any]:
    """Return one event as an agent tells it."""
    starts, ends = airing.starts_at, airing.starts_at + LENGTH_MS
    at = {"received": starts - 7_200_000, "prepared": starts - 7_100_000}
    data: dict[str, Any] = {}
    if kind == "prepared":
        data = {"sha256": "a" * 64, "language": "vi"}
    if kind == "started":
        data = {"planned_at": starts, "language": "vi", "output": "card"}
    if kind == "finished":
        data = {
            "planned_at": starts,
            "started_at": starts + 2,
            "ended_at": ends,
            "sounded_ms": LENGTH_MS - 2,
            "level_dbfs": -19.4,
            "output": "card",
            "outcome": "finished",
            "cause": "",
        }
    moment = {"started": starts + 2, "finished": ends}.get(kind) or at[kind]
    return {"type": kind, "at": moment, "item": airing.item, "data": data}


async def publish(
    work: dict[str, Any], *, more: Callable[[int], bool], wait_for: str = ""
) -> int:
    """Publish cycles until `more` says no; return how many were published.

    With `wait_for`, a consumer: never more than so many wait for it.
    """
    devices = list(work["devices"])
    airings = [Airing(*row) for row in work["airings"]]
    bus = await nats.connect(work["url"], nkeys_seed_str=work["seed"])
    stream, cycle = bus.jetstream(), int(work["first"])
    while more(cycle):
        for number, (device, payload) in enumerate(messages(devices, airings, cycle)):
            await bus.publish(work["subject"].format(device=device), payload)
            if number % _FLUSH == 0:
                await bus.flush()
                while wait_for and await waiting(stream, work, wait_for) > MOST_WAITING:
                    await asyncio.sleep(0.02)
        cycle += 1
    await bus.flush()
    await bus.close()
    return cycle - int(work["first"])


async def waiting(stream: Any, work: dict[str, Any], consumer: str) -> int:
    """Return how many messages a consumer has still to be done with."""
    info = await stream.consumer_info(work["stream"], consumer)
    return (info.num_pending or 0) + (info.num_ack_pending or 0)


def main() -> int:
    """Publish what a file describes, as a process of its own; print the cycles."""
    work = json.loads(Path(sys.argv[1]).read_text())
    ends = time.monotonic() + float(work.get("seconds", 0))
    last = int(work["first"]) + int(work["cycles"])

    def more(cycle: int) -> bool:
        return cycle < last and (not work.get("seconds") or time.monotonic() < ends)

    done = asyncio.run(publish(work, more=more, wait_for=work.get("wait_for", "")))
    sys.stdout.write(f"{done}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

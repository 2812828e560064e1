"""Events stored and recorded as plays per second, by the real gateway.

1. A NATS server, an empty database, ten thousand devices and a programme. The events
   are what such devices tell in a day (`_events`): 12 events in 5 messages for
   three items each, all of them about planned items, so each becomes part of a play.
2. Drain: the stream is filled while the gateway is away; it then starts. Counted from
   "gateway ready" until nothing waits and nothing is unacknowledged.
3. The floor (`_raw`): the same messages from a stream of their own, read bare and
   bulk inserted into copies of the same tables. ratio_to_raw = raw / ours.
4. Live: for 60 s a publisher keeps the stream supplied; what was stored in that time.
5. Killed: the gateway dies by `kill -9` while it drains and is started again.
6. In the end every event that was published is stored once and every play is whole.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks import _bench, _events
from nguon.demo.stack import Stack

LIMITS = {"postgresql": 5_000.0, "sqlite": 2_500.0}
LIMIT_RATIO = 2.0
CYCLES, MAX_LIVE_CYCLES = 1, 20
PATIENCE_S = 300.0


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure, and say whether the promise is kept."""
    with _database(arguments.database) as address:
        stack = Stack(
            folder / "stack",
            database_url=address,
            devices=0,
            agents=0,
            boards=0,
            servers=("nats", "gateway"),
            say=_bench.say,
        )
        with stack:
            return Ingest(stack, arguments).run()


@contextlib.contextmanager
def _database(kind: str) -> Iterator[str | None]:
    """Yield the address of a PostgreSQL that really writes; None means SQLite."""
    if kind == "sqlite":
        yield None
        return
    from tests.postgresql import run_cluster

    with run_cluster(durable=True) as address:
        yield address


class Ingest:
    """The phases, one after the other, on one database."""

    def __init__(self, stack: Stack, arguments: argparse.Namespace) -> None:
        self.stack, self.arguments = stack, arguments
        self.work: dict[str, Any] = {}
        self.cycles = 0

    def run(self) -> dict[str, Any]:
        """Run all phases and sum up."""
        self._prepare()
        drained = self._drain()
        raw = self._raw()
        live = self._live()
        self._kill()
        lost, doubled = self._count()
        ratio = round(raw / drained, 2)
        limit = LIMITS[self.arguments.database]
        return {
            "bench": "ingest",
            "database": self.arguments.database,
            "devices": self.arguments.devices,
            "events": self.cycles * self._events_per_cycle,
            "drain_events_per_s": drained,
            "events_per_s": live,
            "live_seconds": self.arguments.seconds,
            "raw_events_per_s": raw,
            "ratio_to_raw": ratio,
            "lost": lost,
            "doubled": doubled,
            "limits": {"events_per_s": limit, "ratio_to_raw": LIMIT_RATIO},
            "passed": min(live, drained) >= limit
            and ratio <= LIMIT_RATIO
            and not lost
            and not doubled,
        }

    @property
    def _events_per_cycle(self) -> int:
        return int(self.arguments.devices) * _events.EVENTS_PER_CYCLE

    # --- phases --------------------------------------------------------------------

    def _prepare(self) -> None:
        """Make devices and planned items; the stream exists since the gateway ran."""
        os.environ |= self.stack.env | {
            "DJANGO_SETTINGS_MODULE": "nguon.web.settings",
            "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
        }
        import django

        django.setup()
        from nguon.gateway.nats_config import load_seeds

        cycles = 2 * CYCLES + MAX_LIVE_CYCLES
        devices = _make_devices(self.arguments.devices)
        self.stack.manage("load_programme")
        airings = _plan_items(cycles * _events.ITEMS_PER_CYCLE)
        seeds = load_seeds(self.stack.folder / "keys")
        self.work = {
            "url": f"nats://127.0.0.1:{self.stack.ports['nats']}",
            "seed": seeds.gateway,
            "devices": devices,
            "airings": airings,
            "subject": "nguon.v1.device.{device}.event",
            "stream": "EVENTS",
        }
        _bench.say(f"{len(devices)} devices, {len(airings)} planned items")

    def _drain(self) -> float:
        self.stack.programs["gateway"].stop()
        self._publish(CYCLES)
        _bench.say("drain: the stream is full")
        self.stack.restart("gateway")
        gateway = self.stack.programs["gateway"]
        began, spent = time.monotonic(), _bench.cpu_seconds(gateway.pid)
        self._wait_stored()
        took = time.monotonic() - began
        share = (_bench.cpu_seconds(gateway.pid) - spent) / took
        _bench.say(f"drain: the gateway used {share:.0%} of a core")
        rate = CYCLES * self._events_per_cycle / took
        _bench.say(f"drain: {rate:.0f} events/s")
        return round(rate, 1)

    def _raw(self) -> float:
        from nguon.fleet.models import Device
        from nguon.schedule.models import Airing

        work = {
            **self.work,
            "subject": "raw.{device}",
            "stream": "RAW",
            "messages": CYCLES * self.arguments.devices * _events.MESSAGES_PER_CYCLE,
        }
        self._ask(_make_raw_stream)
        self._start(_events, {**work, "first": 0, "cycles": CYCLES})
        work["keys"] = {
            "devices": dict(Device.objects.values_list("uid", "pk")),
            "unit": Device.objects.values_list("unit_id", flat=True)[0],
            "airings": dict(Airing.objects.values_list("item", "broadcast_id")),
        }
        self.stack.programs["gateway"].stop()
        seconds = float(self._start_raw(work))
        self.stack.restart("gateway")
        rate = CYCLES * self._events_per_cycle / seconds
        _bench.say(f"raw: {rate:.0f} events/s")
        return round(rate, 1)

    def _live(self) -> float:
        seconds = float(self.arguments.seconds)
        before = _count_events()
        publisher = self._begin(
            _events,
            {
                **self.work,
                "first": self.cycles,
                "cycles": MAX_LIVE_CYCLES,
                "seconds": seconds,
                "wait_for": "gateway",
            },
        )
        time.sleep(seconds)
        stored = _count_events() - before
        self.cycles += int(publisher.communicate(timeout=PATIENCE_S)[0])
        self._wait_stored()
        _bench.say(f"live: {stored / seconds:.0f} events/s")
        return round(stored / seconds, 1)

    def _kill(self) -> None:
        self._publish(CYCLES, wait=False)
        known = _count_events()
        _bench.wait(lambda: _count_events() > known, "nothing is stored", every=0.2)
        self.stack.kill("gateway")
        self.stack.restart("gateway")
        self._wait_stored()
        _bench.say("killed: all is stored")

    # --- tools ---------------------------------------------------------------------

    def _publish(self, cycles: int, *, wait: bool = True) -> None:
        work = {**self.work, "first": self.cycles, "cycles": cycles}
        self._start(_events, work)
        self.cycles += cycles

    def _start(self, module: Any, work: dict[str, Any]) -> str:
        told = self._begin(module, work).communicate(timeout=PATIENCE_S)[0]
        return str(told)

    def _start_raw(self, work: dict[str, Any]) -> str:
        from benchmarks import _raw

        return self._start(_raw, work)

    def _begin(self, module: Any, work: dict[str, Any]) -> "subprocess.Popen[str]":
        path = self.stack.folder / "work.json"
        path.write_text(json.dumps(work))
        return subprocess.Popen(
            [sys.executable, "-m", module.__name__, str(path)],
            env=os.environ,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _wait_stored(self) -> None:
        def stored() -> bool:
            return bool(self._ask(_count_waiting) == 0)

        _bench.wait(stored, "events wait for ever", seconds=PATIENCE_S, every=0.1)

    def _ask(self, what: Any) -> Any:
        import asyncio

        return asyncio.run(what(self.work))

    def _count(self) -> tuple[int, int]:
        """Return how many events or plays are missing, and how many there are twice."""
        from nguon.schedule.models import PlayRecord

        events = self.cycles * self._events_per_cycle
        plays = self.cycles * self.arguments.devices * _events.ITEMS_PER_CYCLE
        stored = _count_events()
        whole = PlayRecord.objects.filter(
            outcome="finished",
            received_at__isnull=False,
            prepared_at__isnull=False,
            started_at__isnull=False,
            sounded_ms=_events.LENGTH_MS - 2,
        ).count()
        made = PlayRecord.objects.count()
        _bench.say(f"stored {stored} of {events} events, {whole} of {plays} plays")
        lost = max(0, events - stored) + max(0, plays - whole)
        return lost, max(0, stored - events) + max(0, made - plays)


async def _count_waiting(work: dict[str, Any]) -> int:
    import nats

    bus = await nats.connect(work["url"], nkeys_seed_str=work["seed"])
    try:
        return await _events.waiting(bus.jetstream(), work, "gateway")
    finally:
        await bus.close()


async def _make_raw_stream(work: dict[str, Any]) -> None:
    import nats
    from nats.js.api import RetentionPolicy, StreamConfig

    bus = await nats.connect(work["url"], nkeys_seed_str=work["seed"])
    await bus.jetstream().add_stream(
        StreamConfig(
            name="RAW", subjects=["raw.*"], retention=RetentionPolicy.WORK_QUEUE
        )
    )
    await bus.close()


def _count_events() -> int:
    from nguon.fleet.models import DeviceEvent

    return DeviceEvent.objects.filter(recorded_at__isnull=False, fault="").count()


def _make_devices(count: int) -> list[str]:
    """Let devices into the villages of the demo's home; return their uids."""
    from django.utils import timezone

    from nguon.demo.places import HOME
    from nguon.fleet.models import ACTIVE, SPEAKER, Device
    from nguon.people.models import Officer
    from nguon.territory.models import COMMUNE, VILLAGE, Unit
    from nguon.territory.queries import get_unit

    at = timezone.now()
    tung = Officer.objects.get(username="tung")
    home = get_unit(HOME, kind=COMMUNE, day=at.date())
    villages = list(Unit.objects.filter(parent=home, kind=VILLAGE))
    rows = [
        Device(
            kind=SPEAKER,
            name=f"Loa {number}",
            unit=villages[number % len(villages)],
            state=ACTIVE,
            public_key=f"key-{number}",
            enrolled_at=at,
            decided_by=tung,
            decided_at=at,
        )
        for number in range(count)
    ]
    Device.objects.bulk_create(rows, batch_size=500)
    return [row.uid for row in rows]


def _plan_items(count: int) -> list[tuple[str, int]]:
    """Plan more starts of a released broadcast; return (item, start in ms)."""
    from django.utils import timezone

    from nguon.core.topics import new_uid
    from nguon.schedule.models import Airing, Broadcast

    at = timezone.now()
    broadcast = Broadcast.objects.filter(airings__isnull=False).order_by("pk")[0]
    rows = [
        Airing(
            item=f"{new_uid()}-{number:04}",
            broadcast=broadcast,
            starts_at=at + timedelta(minutes=number),
            ends_at=at + timedelta(minutes=number, milliseconds=_events.LENGTH_MS),
        )
        for number in range(count)
    ]
    Airing.objects.bulk_create(rows)
    return [(one.item, round(one.starts_at.timestamp() * 1000)) for one in rows]


if __name__ == "__main__":
    sys.exit(_bench.run(str(__doc__), measure, devices=10_000, options=(
        ("--database", {"choices": list(LIMITS), "default": "postgresql"}),
        ("--seconds", {"type": float, "default": 60.0}),
    )))  # fmt: skip

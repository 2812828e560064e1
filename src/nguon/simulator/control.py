"""What others may ask a running swarm: JSON lines on a loopback port, and a file.

`{"do": "stats"}` everything; `counts` numbers only; `item` with `name` (an item, or
the start of its id) the moments of one; `order` with `name`; `arrivals` with `sha256`
when a message's bytes came; `in_state` with `since` when devices were back on the bus
and had their state answered after that; `forget` begins the tally anew. `fail` with
`fault` (see `body.FAULTS`), `count` and `first` has that many devices fail from then
on, `mend` makes devices well again; nothing else here changes what a device does.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from nguon.simulator.body import FAULTS
from nguon.simulator.store import write_whole
from nguon.simulator.swarm import Swarm
from nguon.simulator.tally import Moments

WRITE_SECONDS = 1.0
_LATEST = 8


def counts(swarm: Swarm) -> dict[str, Any]:
    """Return the numbers of the swarm: devices by standing, items, refusals."""
    standings: dict[str, int] = {}
    for device in swarm.devices:
        standings[device.standing] = standings.get(device.standing, 0) + 1
    return {
        "devices": len(swarm.devices),
        "standings": standings,
        "online": sum(link.online for link in swarm.links),
        "ready": sum(
            device.settings is not None and link.online
            for device, link in zip(swarm.devices, swarm.links, strict=True)
        ),
        "sounding": sum(device.playing is not None for device in swarm.devices),
        "stopped": sum(bool(device.stops) for device in swarm.devices),
        "unsent_events": sum(
            len(device.outgoing) + len(device.new_events) for device in swarm.devices
        ),
        "sounds": len(swarm.sounds),
        "signatures_checked": swarm.notary.checked if swarm.notary else 0,
        "refusals": dict(swarm.tally.refusals),
        "items": {key: one.counts() for key, one in swarm.tally.items.items()},
        "orders": {key: one.counts() for key, one in swarm.tally.orders.items()},
    }


def stats(swarm: Swarm, *, latest: int = _LATEST) -> dict[str, Any]:
    """Return the numbers, and every moment of the latest items and orders."""
    found = counts(swarm)
    for name, table in (("items", swarm.tally.items), ("orders", swarm.tally.orders)):
        kept: list[tuple[str, Moments]] = list(table.items())[-latest:]
        found[name] = {key: moments.as_json() for key, moments in kept}
    return found


def answer(swarm: Swarm, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to one question."""
    what, name = asked.get("do"), str(asked.get("name", ""))
    if what == "stats":
        return stats(swarm, latest=int(asked.get("latest", _LATEST)))
    if what == "counts":
        return counts(swarm)
    if what in {"item", "order"}:
        table = swarm.tally.items if what == "item" else swarm.tally.orders
        key = next((key for key in table if name and key.startswith(name)), None)
        if key is None:
            return {"name": ""}
        moments = table[key]
        told = moments.counts() if asked.get("brief") else moments.as_json()
        return {"name": key, **told}
    if what == "arrivals":
        found = swarm.tally.arrivals_of(
            str(asked.get("sha256")), str(asked.get("topic", ""))
        )
        return {"n": len(found)} if asked.get("brief") else {"at": found}
    if what == "in_state":
        found = swarm.in_state(float(asked.get("since", 0)))
        return {"n": len(found)} if asked.get("brief") else {"at": found}
    if what in {"fail", "mend"}:
        return _weather(swarm, asked)
    if what == "forget":
        swarm.tally.forget()
        return {"forgotten": True}
    return {"error": f"unknown: {what!r}"}


def _weather(swarm: Swarm, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Have devices fail, or mend them; tell how many."""
    first, count = int(asked.get("first", 0)), int(asked.get("count", 1))
    numbers = range(len(swarm.devices))[max(0, first) : max(0, first) + max(0, count)]
    if asked["do"] == "mend":
        swarm.mend(numbers)
    elif asked.get("fault") in FAULTS:
        swarm.fail(numbers, str(asked["fault"]))
    else:
        return {"error": f"unknown fault: {asked.get('fault')!r}"}
    return {"devices": len(numbers)}


async def serve(swarm: Swarm, port: int) -> int:
    """Answer questions on a loopback port (0: any); return the port."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                try:
                    asked = json.loads(line)
                    told = answer(swarm, asked) if isinstance(asked, dict) else {}
                except ValueError:
                    told = {"error": "no JSON"}
                writer.write(json.dumps(told).encode() + b"\n")
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", port, limit=1024 * 1024)
    chosen = int(server.sockets[0].getsockname()[1])
    write_whole(swarm.options.home / "control-port", str(chosen))
    return chosen


async def write_forever(swarm: Swarm) -> None:
    """Keep `stats.json` in the home up to date, when there is something new.

    Large swarms are asked over the port instead: moments are left out of their file.
    """
    written = -1
    path = swarm.options.home / "stats.json"
    while True:
        if swarm.version != written:
            written = swarm.version
            small = len(swarm.devices) <= 500
            write_whole(path, json.dumps(stats(swarm) if small else counts(swarm)))
        await asyncio.sleep(WRITE_SECONDS)

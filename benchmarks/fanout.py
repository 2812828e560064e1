"""From the approval request to verified on every device, against a bare publish.

1. Everything runs for real; N virtual devices are enrolled and connected.
2. In each round Minh approves an emergency drill over HTTP. Each device stamps the
   moment at which it has verified the alert.
3. In the same round the same bytes are published bare, by a client of our own, to
   the same NATS server for the same devices: on the area's nudge topic, where a
   device stamps their arrival and finds that they are no nudge.
4. ratio = p99 of all rounds / (raw p99 of all rounds + 50 ms).
"""

import argparse
import asyncio
import hashlib
import sys
import time
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client as Nats

from benchmarks import _bench
from nguon.core import topics
from nguon.demo.stack import Stack
from nguon.gateway.nats_config import load_seeds

# Of as many devices as a commune's alert reaches, and of a whole province.
LIMIT_MS, FEW, LIMIT_MANY_MS = 500.0, 2_000, 1_000.0
LIMIT_RATIO = 2.0
ALLOWANCE_MS = 50.0


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure, and say whether the promise is kept."""
    stack = Stack(
        folder / "stack",
        devices=arguments.devices,
        agents=0,
        boards=0,
        programme=False,
        say=_bench.say,
    )
    with stack:
        return asyncio.run(Fanout(stack, arguments.devices).run(arguments.rounds))


class Fanout:
    """The rounds."""

    def __init__(self, stack: Stack, devices: int) -> None:
        self.stack = stack
        self.devices = devices
        self.swarm = _bench.Swarm(stack.folder / "simulator")
        self.desk = _bench.Desk(stack)
        self.verified: list[float] = []
        self.answered: list[float] = []
        self.raw: list[float] = []

    async def run(self, rounds: int) -> dict[str, Any]:
        """Run all rounds and sum up."""
        seeds = load_seeds(self.stack.folder / "keys")
        address = f"nats://127.0.0.1:{self.stack.ports['nats']}"
        bus = await nats.connect(address, nkeys_seed_str=seeds.gateway)
        heard: list[bytes] = []

        async def hear(message: Any) -> None:
            heard.append(message.data)

        area = topics.area(self.desk.home, "alert")
        await bus.subscribe(topics.subject(area), cb=hear)
        await bus.flush()
        for number in range(rounds):
            heard.clear()
            await asyncio.to_thread(self._approve_one, number)
            await bus.flush()
            _bench.check(len(heard) == 1, f"the alert was pushed {len(heard)} times")
            await self._publish_bare(bus, heard[0])
            _bench.say(
                f"round {number + 1}/{rounds}: verified"
                f" {max(self.verified[-self.devices :]):.0f} ms, raw"
                f" {max(self.raw[-self.devices :]):.0f} ms"
            )
        await bus.close()
        return self._sum_up(rounds)

    def _approve_one(self, number: int) -> None:
        """Write, send, approve; wait until every device has verified it."""
        uid = self.desk.send(
            kind="drill", title=f"Diễn tập số {number + 1}", body="Đây là diễn tập."
        )
        sha256 = self.desk.wait_ready(uid)
        self.swarm.wait_quiet()
        asked = self.desk.approve(uid, sha256)
        self.answered.append(time.time() * 1000 - asked)
        moments = self._wait_verified(uid)
        self.verified += [moment - asked for moment in moments]
        self.swarm.wait_quiet()

    def _wait_verified(self, uid: str) -> list[float]:
        def all_verified() -> bool:
            told = self.swarm.ask("item", name=uid, brief=True)
            return bool(told.get("verified", 0) >= self.devices)

        _bench.wait(all_verified, "not every device verified the alert", every=0.1)
        moments: list[float] = self.swarm.ask("item", name=uid)["verified"]
        _bench.check(len(moments) == self.devices, "a device verified it twice")
        return moments

    async def _publish_bare(self, bus: Nats, payload: bytes) -> None:
        """Publish the same bytes as they are; wait until they came to every device."""
        topic = topics.area(self.desk.home, "nudge")
        digest = hashlib.sha256(payload).hexdigest()
        sent = time.time() * 1000
        await bus.publish(topics.subject(topic), payload)
        await bus.flush()

        def arrived() -> list[float]:
            told: list[float] = self.swarm.ask("arrivals", sha256=digest, topic=topic)[
                "at"
            ]
            return told

        def all_here() -> bool:
            return len(arrived()) >= self.devices

        await asyncio.to_thread(
            _bench.wait, all_here, "the bare bytes did not come to all", every=0.25
        )
        self.raw += [moment - sent for moment in arrived()]

    def _sum_up(self, rounds: int) -> dict[str, Any]:
        verified = _bench.distribution(self.verified)
        raw = _bench.distribution(self.raw)
        limit = LIMIT_MS if self.devices <= FEW else LIMIT_MANY_MS
        ratio = verified["p99"] / (raw["p99"] + ALLOWANCE_MS)
        refusals = dict(self.swarm.ask("counts")["refusals"])
        _bench.check(not refusals, f"refusals: {refusals}")
        return {
            "bench": "fanout",
            "devices": self.devices,
            "rounds": rounds,
            "approve_to_verified_ms": verified,
            "raw_ms": raw,
            "ratio_to_raw": round(ratio, 3),
            "refusals": refusals,
            "approve_answered_ms": _bench.distribution(self.answered),
            "limits": {"p99_ms": limit, "ratio_to_raw": LIMIT_RATIO},
            "passed": verified["p99"] <= limit and ratio <= LIMIT_RATIO,
        }


if __name__ == "__main__":
    sys.exit(_bench.run(str(__doc__), measure))

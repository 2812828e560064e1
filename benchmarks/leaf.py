"""A leaf node cut from its hub: its devices play on, and the hub has it all after.

1. `./nguon up --profile leaf`'s stack: hub, leaf node, web, gateway, worker; one real
   agent and virtual devices, all of whose ground is served by the leaf.
2. A bulletin is approved for a moment to come and prepared on every device; then the
   link is cut for `--seconds`. The bulletin plays meanwhile.
3. During the cut the hub hears nothing, and the leaf's own stream grows by what the
   devices tell. After the link is mended, every event is stored at the hub once.
"""

import argparse
import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nats

from benchmarks import _bench
from nguon.demo.stack import LEAF, LEAF_NAME, Stack
from nguon.gateway.nats_config import load_leaf_seeds

LEAD = timedelta(seconds=30)
PATIENCE_S = 180.0


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure, and say whether the promise is kept."""
    stack = Stack(
        folder / "stack",
        devices=arguments.devices,
        agents=1,
        boards=0,
        profile=LEAF,
        say=_bench.say,
    )
    with stack:
        return _measure(stack, arguments.devices + 1, arguments.seconds)


def _measure(stack: Stack, devices: int, seconds: float) -> dict[str, Any]:
    desk = _bench.Desk(stack)
    swarm = _bench.Swarm(stack.folder / "simulator")
    connected = stack.query("count_connected")["connected"]
    _bench.check(connected == devices, f"{connected} of {devices} came by the leaf")
    starts = datetime.now(UTC) + LEAD
    uid = desk.send(
        kind="normal",
        title="Bản tin khi mất đường nối",
        body="Mời bà con họp thôn tối nay.",
        timing="once",
        starts_at=starts.isoformat(),
    )
    desk.approve(uid, desk.wait_ready(uid))

    def prepared() -> bool:
        told = stack.query("tell_broadcast", uid)
        return sum(1 for play in told["plays"] if play["prepared_at"]) >= devices

    _bench.wait(prepared, "not every device holds the sound", every=0.5)
    swarm.wait_quiet()
    _bench.check(datetime.now(UTC) < starts, "preparing took longer than planned")
    kept = _kept(stack)
    stack.line.cut()
    cut = time.monotonic()
    _bench.say(f"cut for {seconds:.0f} s")

    def all_played() -> bool:
        told = swarm.ask("item", name=uid, brief=True)
        return bool(told.get("finished", 0) >= devices - 1)

    _bench.wait(all_played, "the cut-off devices did not play", seconds=PATIENCE_S)
    ended = _ended(stack, uid)
    _bench.check(not ended, f"the hub heard of {ended} plays during the cut")
    time.sleep(max(0.0, seconds - (time.monotonic() - cut)))
    grown = _kept(stack) - kept
    stack.line.mend()
    mended = time.monotonic()
    _bench.wait(
        lambda: _ended(stack, uid) >= devices,
        "the hub never heard of all plays",
        seconds=PATIENCE_S,
        every=0.5,
    )
    took = round(time.monotonic() - mended, 1)
    swarm.wait_quiet()
    facts = stack.query("count_facts")
    return {
        "bench": "leaf",
        "devices": devices,
        "cut_seconds": seconds,
        "messages_kept_at_leaf": grown,
        "plays_during_cut": devices,
        "whole_after_s": took,
        "lost": facts["lost"],
        "doubled": facts["doubled"],
        "passed": grown >= devices and not facts["lost"] and not facts["doubled"],
    }


def _ended(stack: Stack, uid: str) -> int:
    """Return of how many plays the hub knows the end."""
    told = stack.query("tell_broadcast", uid)
    return sum(1 for play in told["plays"] if play["outcome"])


def _kept(stack: Stack) -> int:
    """Return how many messages the leaf has ever taken into its own stream."""
    return asyncio.run(_count_kept(stack))


async def _count_kept(stack: Stack) -> int:
    seeds = load_leaf_seeds(stack.folder / "keys", LEAF_NAME)
    address = f"nats://127.0.0.1:{stack.ports['leaf-nats']}"
    bus = await nats.connect(address, nkeys_seed_str=seeds.gateway)
    try:
        info = await bus.jetstream().stream_info("EVENTS")
        return int(info.state.last_seq)
    finally:
        await bus.close()


if __name__ == "__main__":
    sys.exit(_bench.run(str(__doc__), measure, devices=50, options=(
        ("--seconds", {"type": float, "default": 600.0}),
    )))  # fmt: skip

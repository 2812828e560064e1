"""From a cold start of the bus until every device is back and holds its state.

1. Everything runs for real; N virtual devices are enrolled, let in and in state.
2. The NATS server is killed (`kill -9`); after so long that every device is as
   patient as it ever gets between two tries, it is started again.
3. A device is back when its new sign-in was let in by the database, it has
   subscribed, and a state that it asked for after that was answered. Every sign-in
   is counted by the gateway, and the database must say of every device that it is
   connected.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import _bench
from nguon.demo.stack import Stack

LIMIT_S = 60.0
AWAY_S = 40.0
PATIENCE_S = 180.0


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure, and say whether the promise is kept."""
    stack = Stack(
        folder / "stack",
        devices=arguments.devices,
        agents=0,
        boards=0,
        programme=True,
        spread=True,
        say=_bench.say,
    )
    began = time.monotonic()
    with stack:
        enrolled = round(time.monotonic() - began, 1)
        spent = {n: _bench.cpu_seconds(p.pid) for n, p in stack.programs.items()}
        _bench.say(f"CPU spent so far: {spent}")
        _bench.say(f"{arguments.devices} devices enrolled after {enrolled} s")
        return _measure(stack, arguments.devices, enrolled)


def _measure(stack: Stack, devices: int, enrolled: float) -> dict[str, Any]:
    swarm = _bench.Swarm(stack.folder / "simulator")
    swarm.wait_quiet(seconds=PATIENCE_S)
    before = {name: _bench.rss_mb(one.pid) for name, one in stack.programs.items()}
    stack.kill("nats")
    # Lines are lost one by one; a device that was never cut off would prove nothing.
    _bench.wait(lambda: not swarm.ask("counts")["online"], "lines outlived the bus")
    time.sleep(AWAY_S)
    others = {n: one for n, one in stack.programs.items() if n != "nats"}
    cpu = {n: _bench.cpu_seconds(one.pid) for n, one in others.items()} | {"nats": 0.0}
    started = time.time() * 1000
    stack.restart("nats")

    def all_back() -> bool:
        told = swarm.ask("in_state", since=started, brief=True)
        return bool(told["n"] >= devices)

    _bench.wait(all_back, "not all are back", seconds=PATIENCE_S, every=0.25)
    moments = swarm.ask("in_state", since=started)["at"]
    spent = {
        name: round(_bench.cpu_seconds(one.pid) - cpu[name], 1)
        for name, one in stack.programs.items()
    }
    _bench.wait(
        lambda: stack.query("count_connected")["connected"] >= devices,
        "the database does not know of all",
        every=1.0,
    )
    took = round((max(moments) - started) / 1000, 1)
    return {
        "bench": "connect",
        "devices": devices,
        "all_connected_s": took,
        "back_after_ms": _bench.distribution(at - started for at in moments),
        "rss_mb": {n: _bench.rss_mb(p.pid) for n, p in stack.programs.items()},
        "rss_mb_before": before,
        "cpu_seconds": spent,
        "enrolled_s": enrolled,
        "limits": {"all_connected_s": LIMIT_S},
        "passed": took <= LIMIT_S,
    }


if __name__ == "__main__":
    sys.exit(_bench.run(str(__doc__), measure, devices=10_000))

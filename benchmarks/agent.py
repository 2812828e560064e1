"""What one real agent costs: memory, the time to be ready, and CPU while idle.

1. Everything runs for real; one agent is enrolled, let in and holds its plan.
2. Its process is ended and started five times: from the start of the process to the
   word `station: ready`, said when it hears its areas and its state was answered.
3. It then idles for 60 s, once with the WAV sink and once with the null sink: CPU
   time of the process over wall time, and its memory at the end.
The agent must run with the packages of requirements/agent.txt alone: the modules it
has loaded are listed by a process of the same imports.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import _bench
from nguon.demo.processes import Program
from nguon.demo.stack import Stack

RSS_MB, COLD_START_S, IDLE_PERCENT = 80.0, 2.0, 1.0
STARTS = 5
IDLE_SECONDS = 60.0
# After the start comes the first birth, the acknowledgement, the first beat.
SETTLE_SECONDS = 5.0
SERVERS_OWN = ("django", "nats", "av", "psycopg", "uvicorn")


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure, and say whether the promise is kept."""
    stack = Stack(
        folder / "stack", devices=0, agents=1, boards=0, say=_bench.say, programme=True
    )
    loaded = _loaded(stack)
    with stack:
        program = stack.programs[stack.agent_name(0)]
        starts = [_start(program) for _number in range(STARTS)]
        _bench.say(f"ready after {starts} s")
        idle = {"wav": _idle(program)}
        wav = program.command.index("--wav")
        program.command = [*program.command[:wav], "--null"]
        _start(program)
        idle["null"] = _idle(program)
    cpu = {name: found["cpu_percent"] for name, found in idle.items()}
    rss = max(found["rss_mb"] for found in idle.values())
    return {
        "bench": "agent",
        "rss_mb": rss,
        "cold_start_s": max(starts),
        "starts_s": starts,
        "idle_cpu_percent": max(cpu.values()),
        "idle": idle,
        "modules": loaded,
        "limits": {
            "rss_mb": RSS_MB,
            "cold_start_s": COLD_START_S,
            "idle_cpu_percent": IDLE_PERCENT,
        },
        "passed": rss <= RSS_MB
        and max(starts) <= COLD_START_S
        and max(cpu.values()) <= IDLE_PERCENT,
    }


def _loaded(stack: Stack) -> int:
    """Return how many modules the agent loads. Raises NotMeasuredError for Django."""
    code = "import sys, nguon.agent.__main__; print(*sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", code],
        env=stack.env,
        check=True,
        capture_output=True,
        text=True,
    )
    names = told.stdout.split()
    foreign = {name.split(".")[0] for name in names} & set(SERVERS_OWN)
    _bench.check(not foreign, f"the agent imports {foreign}")
    return len(names)


def _start(program: Program) -> float:
    """End the agent and start it again; return in how many seconds it was ready."""
    program.stop()
    known = program.log.stat().st_size
    began = time.monotonic()
    program.start()

    def ready() -> bool:
        with program.log.open("rb") as file:
            file.seek(known)
            return b"station: ready" in file.read()

    _bench.wait(ready, "the agent was not ready", seconds=60, every=0.005)
    return round(time.monotonic() - began, 2)


def _idle(program: Program) -> dict[str, float]:
    """Let the agent idle; return CPU in percent of one core, and memory in MB."""
    time.sleep(SETTLE_SECONDS)
    began, spent = time.monotonic(), _bench.cpu_seconds(program.pid)
    time.sleep(IDLE_SECONDS)
    share = (_bench.cpu_seconds(program.pid) - spent) / (time.monotonic() - began)
    found = {"cpu_percent": round(share * 100, 2), "rss_mb": _bench.rss_mb(program.pid)}
    _bench.say(f"idle: {found}")
    return found


if __name__ == "__main__":
    sys.exit(_bench.run(str(__doc__), measure))

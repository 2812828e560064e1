"""From the order to stop until every device is silent, and what keeps it so.

1. A long bulletin sounds on all virtual devices and two real agents.
2. Quân orders silence; each device tells when it fell silent.
3. An agent is killed (`kill -9`) and started again; the next bulletin is released:
   nothing sounds. One person cannot lift the stop, two can.
"""

import argparse
import http
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks import _bench
from nguon.demo import wav
from nguon.demo.client import JSON
from nguon.demo.stack import Stack

LIMIT_MS = 5_000.0
WATCH_SECONDS = 5.0
LONG = "Trong 11 tháng, bà con đã góp sức làm đường, trồng cây, giữ sạch làng. " * 12


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure, and say whether the promise is kept."""
    stack = Stack(
        folder / "stack",
        devices=arguments.devices,
        agents=2,
        boards=0,
        programme=False,
        say=_bench.say,
    )
    with stack:
        return Stopping(stack).run()


class Stopping:
    """One order of silence and its life."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.desk = _bench.Desk(stack)
        self.quan = stack.login("quan")
        self.swarm = _bench.Swarm(stack.folder / "simulator")
        self.all = stack.devices + stack.agents

    def run(self) -> dict[str, Any]:
        """Stop, kill, listen, lift; sum up."""
        uid = self._release("Bản tin dài")
        _bench.wait(
            lambda: self._live(uid)["sounding"] >= self.all,
            "not every device sounds",
            seconds=120,
            every=0.5,
        )
        asked = time.time() * 1000
        until = datetime.now(UTC) + timedelta(hours=1)
        order = self.quan.tell(
            "/dung-phat/",
            unit=self.desk.home,
            until=until.isoformat(),
            reason="Đo lệnh dừng",
        )
        _bench.wait(
            lambda: self._live(uid)["sounding"] == 0,
            "not every device told its silence",
            seconds=120,
            every=0.5,
        )
        plays = self.stack.query("tell_broadcast", uid)["plays"]
        ended = [p["ended_at"] for p in plays if p["outcome"] == "stopped"]
        _bench.check(len(ended) == self.all, f"{len(ended)} of {self.all} stopped")
        silent = _bench.distribution(max(0.0, moment - asked) for moment in ended)
        still = self._still_silent()
        alone = self._lift(order["stop_uid"])
        return {
            "bench": "stop",
            "devices": self.stack.devices,
            "real_agents": self.stack.agents,
            "stop_to_silent_ms": silent,
            "silent_after_kill_and_restart": still,
            "lift_by_one": alone,
            "limits": {"max_ms": LIMIT_MS},
            "passed": silent["max"] <= LIMIT_MS and still,
        }

    def _release(self, title: str) -> str:
        uid = self.desk.send(kind="priority", title=title, body=LONG)
        self.desk.approve(uid, self.desk.wait_ready(uid))
        return uid

    def _live(self, uid: str) -> dict[str, Any]:
        return dict(self.desk.minh.ask(f"/phat/{uid}/so-lieu/"))

    def _still_silent(self) -> bool:
        """Kill an agent, start it, release another bulletin, and listen."""
        before = set(self.stack.wavs(0))
        name = self.stack.agent_name(0)
        self.stack.kill(name)
        self.stack.restart(name)
        uid = self._release("Bản tin trong lúc dừng")
        _bench.wait(
            lambda: self._live(uid)["reached"] >= self.all,
            "the second bulletin did not reach everybody",
            seconds=120,
            every=0.5,
        )
        time.sleep(WATCH_SECONDS)  # the time in which a wrong device would sound
        (new,) = set(self.stack.wavs(0)) - before
        life = wav.read_life(new)
        _bench.check(len(life.samples) > WATCH_SECONDS * wav.RATE, "no WAV after kill")
        quiet = not any(life.samples)
        return quiet and self.swarm.ask("counts")["sounding"] == 0

    def _lift(self, uid: str) -> str:
        self.quan.tell(f"/dung-phat/{uid}/xin-phat-lai/")
        alone = self.quan.post(f"/dung-phat/{uid}/cho-phat-lai/", {}, JSON)
        _bench.check(alone.status == http.HTTPStatus.FORBIDDEN, "one person lifted it")
        self.desk.minh.tell(f"/dung-phat/{uid}/cho-phat-lai/")
        return str(alone.json()["code"])


if __name__ == "__main__":
    sys.exit(_bench.run(str(__doc__), measure))

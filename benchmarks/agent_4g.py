"""From the approval to the first sample of ten real agents behind a mobile network.

1. Servers and agents stand in network namespaces of their own; between them a link
   that loses 1 % of the packets and delays each by 150 ms, either way (`_link`).
   Everything crosses it with TLS, under an authority that the agents believe.
2. In each round Minh approves a drill over HTTP when every agent has fetched its
   sound. Every agent checks the signature itself and writes what sounds into a WAV.
3. The onset of the sound is found there by cross-correlation, and its moment on this
   machine's clock is compared with the moment at which the approval was sent.
"""

import argparse
import contextlib
import hashlib
import sqlite3
import sys
from pathlib import Path
from typing import Any

from benchmarks import _bench, _link, _tls
from nguon.demo import wav
from nguon.demo.stack import Stack

LIMIT_MS = 3_000.0
SIMILAR = 0.98
PATIENCE_S = 120.0
# What an agent logs once it may be told things.
CONNECTED = "bus: connected"


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure, and say whether the promise is kept."""
    _link.enter()
    with _link.Link() as link:
        outside = _tls.make_outside(
            folder / "tls", host=_link.SERVER, enter=link.enter_devices
        )
        stack = Stack(
            folder / "stack",
            devices=0,
            agents=arguments.devices,
            boards=0,
            outside=outside,
            say=_bench.say,
        )
        with stack:
            link.set(_link.MOBILE)
            # Their clocks, too, are set over this link.
            for number in range(stack.agents):
                _begin_again(stack, stack.agent_name(number))
            return Rounds(stack).run(arguments.rounds) | {"link": link.counts()}


def _begin_again(stack: Stack, name: str) -> None:
    """Have an agent start anew, over this link, and wait until it is on the bus.

    Who is not there yet is not told to fetch the first sound.
    """
    log = stack.logs / f"{name}.log"
    before = log.read_text().count(CONNECTED)
    stack.kill(name)
    stack.restart(name)
    _bench.wait(
        lambda: log.read_text().count(CONNECTED) > before, f"{name} is not on the bus"
    )


class Rounds:
    """One approval after the other."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.desk = _bench.Desk(stack)
        self.asked: dict[str, float] = {}
        self.sounds: dict[str, Any] = {}

    def run(self, rounds: int) -> dict[str, Any]:
        """Run all rounds and sum up."""
        for number in range(rounds):
            self._approve_one(number)
            _bench.say(f"round {number + 1}/{rounds}")
        late, offsets = [], []
        for number in range(self.stack.agents):
            offset = float(self._store(number, _OFFSET)[0][0])
            offsets.append(abs(offset))
            late += self._late(number, offset)
        found = _bench.distribution(late)
        return {
            "bench": "agent-4g",
            "agents": self.stack.agents,
            "rounds": rounds,
            "go_to_sound_ms": found,
            "clock_error_ms": _bench.distribution(offsets),
            "limits": {"p99_ms": LIMIT_MS},
            "passed": found["p99"] <= LIMIT_MS,
        }

    def _approve_one(self, number: int) -> None:
        title = f"Diễn tập số {number + 1}"
        uid = self.desk.send(kind="drill", title=title, body="Đây là diễn tập.")
        sha256 = self.desk.wait_ready(uid)
        seen = self.desk.minh.ask(f"/duyet/{uid}/")
        self.sounds[uid] = self.desk.minh.get(seen["sounds"][0]["sound_url"]).body
        name = hashlib.sha256(self.sounds[uid]).hexdigest()
        homes = [self.stack.agent_home(n) for n in range(self.stack.agents)]

        def here() -> bool:
            return all((home / "media" / name).exists() for home in homes)

        _bench.wait(here, "the sound is not on every agent", seconds=PATIENCE_S)
        self.asked[uid] = self.desk.approve(uid, sha256)

        def over() -> bool:
            return all(
                self._store(n, _OVER, (f"{uid}%",)) for n in range(self.stack.agents)
            )

        _bench.wait(over, "it did not sound on every agent", seconds=PATIENCE_S)

    def _store(self, number: int, query: str, values: Any = ()) -> list[Any]:
        path = self.stack.agent_home(number) / "store.sqlite3"
        with contextlib.closing(sqlite3.connect(path, timeout=10)) as store:
            return store.execute(query, values).fetchall()

    def _late(self, number: int, offset: float) -> list[float]:
        """Return how long after each approval an agent's first sample was.

        A WAV names its moments by the agent's clock; `offset` leads back to ours.
        """
        path = self.stack.wavs(number)[-1]
        life = wav.read_life(path)
        late = []
        for uid, asked in self.asked.items():
            ((started,),) = self._store(number, _OVER, (f"{uid}%",))
            found = wav.find(life, wav.decode(self.sounds[uid]), near_ms=started)
            _bench.check(found.correlation >= SIMILAR, f"{uid} is not in {path.name}")
            late.append(found.onset_ms - offset - asked)
        return late


_OFFSET = "SELECT value FROM fact WHERE name = 'clock_offset_ms'"
_OVER = "SELECT started_at FROM play WHERE item LIKE ? AND outcome = 'finished'"


if __name__ == "__main__":
    sys.exit(_bench.run(str(__doc__), measure, devices=10, rounds=10))

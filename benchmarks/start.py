"""How exactly real speakers start an item that they hold, from their WAV files.

1. Everything runs for real; a simulated fleet plays the same items meanwhile.
2. Minh approves ten bulletins planned for moments to come, one after the other.
3. The onset of each in each real speaker's WAV is found by cross-correlation with
   the sound that was approved, and compared with the planned moment.
"""

import argparse
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks import _bench
from nguon.demo import wav
from nguon.demo.stack import Stack

LIMIT_MS = 150.0
ITEMS = 10
LEAD = timedelta(seconds=45)
APART = timedelta(seconds=9)
SIMILAR = 0.98


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
        return _measure(stack, arguments.devices)


def _measure(stack: Stack, devices: int) -> dict[str, Any]:
    desk = _bench.Desk(stack)
    first = datetime.now(UTC) + LEAD
    sounds = {}
    for number in range(ITEMS):
        uid = desk.send(
            kind="normal",
            title=f"Bản tin {number + 1}",
            body="Mời bà con họp.",
            timing="once",
            starts_at=(first + number * APART).isoformat(),
        )
        sha256 = desk.wait_ready(uid)
        seen = desk.minh.ask(f"/duyet/{uid}/")
        sounds[uid] = desk.minh.get(seen["sounds"][0]["sound_url"]).body
        desk.approve(uid, sha256)
        _bench.say(f"{number + 1}/{ITEMS} approved")
    _bench.check(datetime.now(UTC) < first, "approving took longer than planned")
    errors = _errors(stack, desk, sounds)
    found = _bench.distribution(errors)
    return {
        "bench": "start",
        "simulated": devices,
        "items": ITEMS,
        "start_error_ms": found,
        "limits": {"max_ms": LIMIT_MS},
        "passed": found["max"] <= LIMIT_MS,
    }


def _errors(stack: Stack, desk: _bench.Desk, sounds: dict[str, bytes]) -> list[float]:
    """Return how far each onset lies from its planned moment, in ms."""
    planned = {}
    for uid in sounds:

        def over(uid: str = uid) -> bool:
            live = desk.minh.ask(f"/phat/{uid}/so-lieu/")
            return bool(live["sounded"] >= live["targeted"])

        _bench.wait(over, f"{uid} did not sound everywhere", seconds=180, every=0.5)
        told = stack.query("tell_broadcast", uid)
        planned[uid] = told["plays"][0]["planned_at"]
    errors = []
    for number in range(stack.agents):
        (path,) = stack.wavs(number)
        life = wav.read_life(path)
        for uid, mp3 in sounds.items():
            found = wav.find(life, wav.decode(mp3), near_ms=planned[uid])
            _bench.check(found.correlation >= SIMILAR, f"{uid} is not in {path.name}")
            errors.append(abs(found.onset_ms - planned[uid]))
    return errors


if __name__ == "__main__":
    sys.exit(_bench.run(str(__doc__), measure, devices=200))

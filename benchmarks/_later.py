"""Runs a module at a later time: `python -m benchmarks._later HOW.json MODULE ARGS`.

`ahead_s` is how far its clock is ahead from the start on. With `until_s` the process
lives through the time up to there: wherever none of `moments` (ms since 1970) is near,
its clocks leap to the next one, as if it had waited. How far they are ahead is written
into `progress` before each leap, and taken up from there after a `kill -9`, as a
clock with a battery would.
"""

import json
import os
import runpy
import signal
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import time_machine

# A device opens its sounds this long before their moment.
LEAD_MS = 6_000
LOOK_S = 0.05
# A clock that was shifted this close to the end is at the end.
_MS = 1000.0


class Lapse:
    """The clocks of this process."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told
        self._progress = Path(told["progress"]) if "progress" in told else None
        self._ahead = float(told.get("ahead_s", 0.0))
        if self._progress and self._progress.exists():
            self._ahead = float(self._progress.read_text())
        later = datetime.now(tz=UTC) + timedelta(seconds=self._ahead)
        self._traveller = time_machine.travel(later).start()
        self._leapt = 0.0
        self._monotonic = time.monotonic
        time.monotonic = self.monotonic

    def monotonic(self) -> float:
        """Return the monotonic clock with all that was leapt over."""
        return self._monotonic() + self._leapt

    def live_through(self) -> None:
        """Leap from moment to moment until the process is as far ahead as told."""
        signal.signal(signal.SIGUSR1, lambda *_: None)
        threading.Thread(target=self._leap_forever, name="lapse", daemon=True).start()

    def _leap_forever(self) -> None:
        moments = sorted(self._told["moments"])
        while (left := self._told["until_s"] - self._ahead) > 0:
            time.sleep(LOOK_S)
            now = time.time() * _MS
            near = [m for m in moments if m > now - self._told["hold_ms"]]
            wait = left if not near else (near[0] - LEAD_MS - now) / _MS
            if wait > 0:
                self._leap(min(left, wait))

    def _leap(self, seconds: float) -> None:
        self._ahead += seconds
        if self._progress:
            fresh = self._progress.with_suffix(".new")
            fresh.write_text(str(self._ahead))
            fresh.replace(self._progress)
        self._traveller.shift(seconds)
        self._leapt += seconds
        # Whoever sleeps until a moment looks at the clock again.
        os.kill(os.getpid(), signal.SIGUSR1)


def main() -> None:
    """Shift the clocks, then be the module."""
    told = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    module = sys.argv[2]
    lapse = Lapse(told)
    if "until_s" in told:
        lapse.live_through()
    sys.argv = sys.argv[2:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

"""The keeper: starts the device's program, and falls back when a new one fails.

    python -m nguon.agent.keep --home HOME -- run --home HOME --sound-card

It is the base program's own and is never updated by a release. A program on trial
must prove itself within some minutes; when it ends, hangs or stays silent, the former
one is run again and tells why. Ends with its child, and takes the child along.
"""

import argparse
import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from nguon import __version__
from nguon.agent.programs import Programs

log = logging.getLogger("nguon.agent.keep")

# The program asks to be started anew (the same number in `agent.__main__`).
AGAIN = 75
PROVE_S = 300.0
# A power cut during the trial is no fault of the program; several are.
MAX_TRIES = 3
_END_S = 15.0
_LOOK_S = 0.5
_PR_SET_PDEATHSIG = 1


class Keeper:
    """One program at a time, until it ends well or the keeper is told to end."""

    def __init__(
        self, programs: Programs, arguments: Sequence[str], *, prove_s: float
    ) -> None:
        self._programs = programs
        self._arguments = list(arguments)
        self._prove_s = prove_s
        self._child: subprocess.Popen[bytes] | None = None
        self._ending = False

    def end(self, *_signal: object) -> None:
        """Ask the program to end, and start none after it."""
        self._ending = True
        if self._child is not None:
            self._child.terminate()

    def run(self) -> int:
        """Start programs until one is to stay ended; return its exit status."""
        while True:
            self._programs.settle()
            if self._programs.count_try() > MAX_TRIES:
                log.warning("the new program was started %s times", MAX_TRIES)
                self._programs.fall_back("crashed")
            on_trial = self._programs.trial() is not None
            with self._start() as child:
                self._child = child
                if self._ending:
                    child.terminate()
                cause = self._watch(child) if on_trial else ""
                status = child.wait()
            self._child = None
            if self._ending:
                return status
            if status == AGAIN and not cause:
                continue
            if self._programs.trial() is None:
                return status
            log.warning("the new program failed: %s", cause or "crashed")
            self._programs.fall_back(cause or "crashed")

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "NGUON_KEPT": "1",
            "NGUON_BASE_VERSION": __version__,
        }
        folder = self._programs.path()
        if folder is not None:
            before = environment.get("PYTHONPATH", "")
            environment["PYTHONPATH"] = os.pathsep.join(
                filter(None, [str(folder), before])
            )
        log.info("starting %s", self._programs.current or f"{__version__} (base)")
        return subprocess.Popen(  # noqa: S603  (a verified program)
            [sys.executable, "-P", "-m", "nguon.agent", *self._arguments],
            env=environment,
            preexec_fn=_die_with_parent,
        )

    def _watch(self, child: subprocess.Popen[bytes]) -> str:
        """Wait for proof or the end of time; return why the trial is over, or ""."""
        until = time.monotonic() + self._prove_s
        while not self._ending:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_LOOK_S)
                return ""
            if self._programs.trial() is None:
                return ""
            if time.monotonic() > until:
                child.terminate()
                try:
                    child.wait(_END_S)
                except subprocess.TimeoutExpired:
                    child.kill()
                return "not_proven"
        return ""


def _die_with_parent() -> None:
    """Have this process end when the keeper is killed: never two programs at once."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def main(arguments: list[str] | None = None) -> int:
    """Keep a program running; return its exit status."""
    parser = argparse.ArgumentParser(prog="nguon.agent.keep", description=__doc__)
    parser.add_argument("--home", required=True, type=Path)
    parser.add_argument("--prove-seconds", type=float, default=PROVE_S)
    parser.add_argument("program", nargs="+", help="after --: words of nguon.agent")
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s keeper: %(message)s",
    )
    keeper = Keeper(
        Programs(options.home / "program"),
        options.program,
        prove_s=options.prove_seconds,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, keeper.end)
    return keeper.run()


if __name__ == "__main__":
    sys.exit(main())

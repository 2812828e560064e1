"""The microphone, or the line's current: listens while something sounds.

A program (`arecord`) writes samples into a pipe: one that hangs holds up nobody, and a
simulated pole can put its own in the place. It runs only around a sound, so a silent
pole spends nothing on listening.
"""

import logging
import math
import subprocess
import threading
from array import array
from collections import deque
from collections.abc import Callable

from nguon.agent.drivers import hearing
from nguon.agent.drivers.hearing import WINDOW_S, Judgement
from nguon.agent.drivers.wiring import MicrophoneWires

log = logging.getLogger(__name__)

# What is compared is the last minute.
KEEP = round(60 / WINDOW_S)
_SLOW = 200e-6


class Ear:
    """What was played and what was heard, in windows of the same moments."""

    name = "microphone"

    def __init__(
        self, wires: MicrophoneWires, *, monotonic: Callable[[], float]
    ) -> None:
        self._wires = wires
        self._monotonic = monotonic
        self._size = round(wires.rate * WINDOW_S)
        self._lock = threading.Lock()
        self._played: deque[tuple[float, float, int]] = deque(maxlen=4 * KEEP)
        self._heard: deque[float] = deque(maxlen=KEEP)
        self._heard_from = math.inf
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_listening(self) -> bool:
        """Say whether the program runs."""
        return self._process is not None and self._process.poll() is None

    def listen(self) -> None:
        """Begin to listen. Raises OSError when the program cannot be started."""
        if self.is_listening:
            return
        with self._lock:
            self._heard.clear()
            self._heard_from = math.inf
        process = subprocess.Popen(  # noqa: S603  (the owner's own configuration)
            list(self._wires.command),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
        self._process = process
        threading.Thread(
            target=self._take, args=(process,), name="ear", daemon=True
        ).start()

    def rest(self) -> None:
        """Stop listening."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(timeout=5)

    def passed(self, mono: float, energy: float, samples: int) -> None:
        """Take note of what was played from `mono` on: called by the audio thread."""
        self._played.append((mono, energy, samples))

    def judge(self) -> Judgement:
        """Say whether the last minute's sound was heard."""
        with self._lock:
            heard, begin = list(self._heard), self._heard_from
        if not heard:
            return Judgement(hearing.UNCLEAR)
        return hearing.judge(self._windows(begin, len(heard)), heard)

    def _windows(self, begin: float, count: int) -> list[float]:
        """Return the mean squares of what was played in `count` windows."""
        energy, samples = [0.0] * count, [0] * count
        for mono, part, length in self._played.copy():
            n = math.floor((mono - begin) / WINDOW_S)
            if 0 <= n < count:
                energy[n] += part
                samples[n] += length
        return [e / s if s else 0.0 for e, s in zip(energy, samples, strict=True)]

    def _take(self, process: subprocess.Popen[bytes]) -> None:
        """Read windows until the program ends.

        The moment of the first sample is the earliest that any window allows: a pipe
        may deliver late, never early. A card's clock may be slow by `_SLOW`.
        """
        taken, start = 0, math.inf
        pipe = process.stdout
        while pipe and len(raw := pipe.read(2 * self._size)) == 2 * self._size:
            taken += 1
            now = self._monotonic() - taken * WINDOW_S
            start = min(start + _SLOW * WINDOW_S, now)
            samples = array("h", raw)
            with self._lock:
                self._heard.append(sum(s * s for s in samples) / len(samples))
                self._heard_from = start + (taken - len(self._heard)) * WINDOW_S
        if self._process is process:
            log.warning("the microphone's program ended")

"""What a real agent's WAV file proves: this sound, from this moment, nothing else.

Plain Python on 16-bit samples, so that the proof needs no array library. Sample `n`
of a file belongs to the moment `started_at_ms + n / 48`, as the JSON beside it says.
"""

from __future__ import annotations

import json
import math
import wave
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from operator import mul
from pathlib import Path

import miniaudio

RATE = 48_000
PER_MS = RATE // 1000
SEARCH_MS = 100
COARSE = 8
EXCERPT_S = 0.8
# Times are reported in whole milliseconds.
EDGE_MS = 2


@dataclass(frozen=True)
class Life:
    """The samples of one file and the moment of its first one."""

    samples: array[int]
    started_at_ms: float

    @property
    def ended_at_ms(self) -> float:
        """The moment after the last sample."""
        return self.started_at_ms + len(self.samples) / PER_MS

    def index(self, moment_ms: float) -> int:
        """Return the sample that belongs to a moment."""
        return round((moment_ms - self.started_at_ms) * PER_MS)

    def moment(self, index: int) -> float:
        """Return the moment of a sample."""
        return self.started_at_ms + index / PER_MS


@dataclass(frozen=True)
class Found:
    """Where a sound was found, and how surely.

    `correlation` is 1 when the samples are the same up to their level;
    `unexplained` is the share of energy that is not this sound.
    """

    onset_ms: float
    correlation: float
    unexplained: float


def read_life(path: Path) -> Life:
    """Read one WAV file, also while it is being written."""
    about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    with wave.open(str(path), "rb") as file:
        samples = array("h", file.readframes(file.getnframes()))
    return Life(samples, float(about["started_at_ms"]))


def decode(mp3: bytes) -> array[int]:
    """Return the samples of an MP3 as the device decodes it."""
    sound = miniaudio.decode(
        mp3,
        output_format=miniaudio.SampleFormat.SIGNED16,
        nchannels=1,
        sample_rate=RATE,
    )
    return array("h", sound.samples)


def find(
    life: Life, sound: array[int], *, near_ms: float, length_ms: float | None = None
) -> Found:
    """Find a sound near a moment.

    1. An excerpt from the first loud sample on, every eighth sample, at all lags.
    2. The best lag again, with every sample.
    3. Over the whole length that sounded: correlation and what is left over.
    """
    length = len(sound) if length_ms is None else round(length_ms * PER_MS)
    length = min(length, len(sound))
    first = next((n for n, value in enumerate(sound) if abs(value) > 300), 0)
    guess = life.index(near_ms) + first
    reach = SEARCH_MS * PER_MS
    size = min(int(EXCERPT_S * RATE), length - first)
    excerpt = sound[first : first + size]
    coarse = excerpt[::COARSE]
    lag = max(
        range(guess - reach, guess + reach, COARSE),
        key=lambda at: _dot(coarse, _cut(life.samples, at, size)[::COARSE]),
    )
    lag = max(
        range(lag - COARSE, lag + COARSE + 1),
        key=lambda at: _dot(excerpt, _cut(life.samples, at, size)),
    )
    begin = lag - first
    heard = _cut(life.samples, begin, length)
    meant = sound[:length]
    product, own, theirs = _dot(meant, heard), _dot(meant, meant), _dot(heard, heard)
    if not own or not theirs:
        return Found(life.moment(begin), 0.0, 1.0)
    correlation = product / math.sqrt(own * theirs)
    return Found(life.moment(begin), correlation, 1 - correlation**2)


def is_silent_between(life: Life, spans: Iterable[tuple[float, float]]) -> bool:
    """Tell whether every sample outside these spans of moments is zero."""
    reached = 0
    for began, ended in sorted(spans):
        if any(life.samples[reached : max(0, life.index(began) - PER_MS)]):
            return False
        reached = max(reached, life.index(ended) + EDGE_MS * PER_MS)
    return not any(life.samples[reached:])


def _cut(samples: array[int], begin: int, length: int) -> array[int]:
    """Return `length` samples from `begin` on, silence where there are none."""
    lead = array("h", bytes(2 * max(0, min(-begin, length))))
    piece = lead + samples[max(0, begin) : max(0, begin + length)]
    return piece + array("h", bytes(2 * (length - len(piece))))


def _dot(one: array[int], other: array[int]) -> int:
    return sum(map(mul, one, other))

"""Was it our sound that the microphone heard? Pure arithmetic over two envelopes.

A loud market is no evidence. What was heard counts only when it rises and falls with
what was played: the envelopes, in windows of 50 ms, must be alike at one delay, and be
louder where we played than where we paused. Sound that is too short or too even to be
told from a noise that happens to be there is *unclear*: it proves nothing either way.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WINDOW_S = 0.05
HEARD, UNHEARD, UNCLEAR = "heard", "unheard", "unclear"
# The way from our samples to the microphone's: buffers of both cards, and the air.
MAX_DELAY = 12
MIN_LOUD, MIN_QUIET, MIN_WINDOWS = 10, 5, 30
# Alike by chance over 30 windows and 13 delays: fewer than one in a thousand.
ALIKE, UNALIKE = 0.7, 0.45
RISE_DB, FLAT_DB = 6.0, 3.0
# Of what was played: so far below its loudest it counts as a pause.
PAUSE_DB, FLOOR_DB, EAR_FLOOR_DB = 20.0, -70.0, -80.0


@dataclass(frozen=True)
class Judgement:
    """What was found; `rise_db` is how much louder it was while we sounded."""

    word: str
    alike: float = 0.0
    rise_db: float = 0.0
    delay_ms: int = 0


def decibels(power: float, *, floor: float) -> float:
    """Return dB full scale of a mean square of 16-bit samples."""
    if power < 1:  # less than one step of the converter
        return floor
    return max(floor, 10 * math.log10(power / 32_768.0**2))


def judge(played: Sequence[float], heard: Sequence[float]) -> Judgement:
    """Compare mean squares of the same windows, played and heard."""
    x = [decibels(power, floor=FLOOR_DB) for power in played]
    y = [decibels(power, floor=EAR_FLOOR_DB) for power in heard]
    size = min(len(x), len(y)) - MAX_DELAY
    if size < MIN_WINDOWS:
        return Judgement(UNCLEAR)
    # What lies deep below our own loudest makes no sound that could be found.
    base = max(x) - PAUSE_DB - 10
    x = [max(base, value) for value in x[:size]]
    loud = [value > base + 10 for value in x]
    if sum(loud) < MIN_LOUD or size - sum(loud) < MIN_QUIET:
        return Judgement(UNCLEAR)
    best, delay = max((_alike(x, y[lag : lag + size]), -lag) for lag in _LAGS)
    late = y[-delay : size - delay]
    rise = _mean(late, loud, wanted=True) - _mean(late, loud, wanted=False)
    word = UNCLEAR
    if best >= ALIKE and rise >= RISE_DB:
        word = HEARD
    elif best < UNALIKE or rise < FLAT_DB:
        word = UNHEARD
    return Judgement(
        word, round(best, 2), round(rise, 1), round(-delay * WINDOW_S * 1000)
    )


_LAGS = range(MAX_DELAY + 1)


def _mean(values: Sequence[float], loud: Sequence[bool], *, wanted: bool) -> float:
    chosen = [v for v, is_loud in zip(values, loud, strict=True) if is_loud is wanted]
    return sum(chosen) / len(chosen)


def _alike(x: Sequence[float], y: Sequence[float]) -> float:
    """Return Pearson's correlation; 0 where one of them does not change."""
    n = len(x)
    mean_x, mean_y = sum(x) / n, sum(y) / n
    pairs = [(a - mean_x, b - mean_y) for a, b in zip(x, y, strict=True)]
    spread = math.sqrt(sum(a * a for a, _ in pairs) * sum(b * b for _, b in pairs))
    return sum(a * b for a, b in pairs) / spread if spread > 1e-9 else 0.0

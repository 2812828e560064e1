"""The attention tone: three falling notes before somebody speaks."""

import math
from array import array

TONE_MS = 1_500
_LEVEL = 9_000
_NOTES = (880.0, 659.3, 523.3)


def tone(rate: int) -> bytes:
    """Return the tone as 16-bit mono samples at `rate` a second, `TONE_MS` long."""
    samples = array("h")
    length = rate * TONE_MS // 1000 // len(_NOTES)
    for note in _NOTES:
        for n in range(length):
            # In 10 ms, out 100 ms: no click at either end.
            fade = min(1.0, n * 100 / rate, (length - n) * 10 / rate)
            wave = math.sin(2 * math.pi * note * n / rate)
            samples.append(round(_LEVEL * fade * wave))
    return samples.tobytes()

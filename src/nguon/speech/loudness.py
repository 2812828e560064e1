"""Even loudness: measure by EBU R 128, apply, and measure what came out.

The gain found in the first pass is applied in the second together with a limiter
for true peaks (FFmpeg's `loudnorm` turns into a one-pass compressor when a peak is
in the way; this chain never does). The MP3 itself is measured last: an encoder can
raise a peak, and what is out of bounds is never handed on.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from nguon.core.errors import DomainError, InvalidError
from nguon.speech import audio, chain
from nguon.speech.audio import Samples

_ROUNDS = 5
_CLOSE_LU = 0.1
# Below this a sentence has too few blocks of 400 ms to be measured.
_GATE_SECONDS = 0.8
_SENTENCE_ROUNDS = 3
_SENTENCE_CLOSE_LU = 0.25
# ebur128 reads in steps of 100 ms: silence lets it read to the true end.
_END_OF_READING_MS = 400


class LoudnessError(DomainError):
    """The sound could not be brought inside the bounds; it is not used."""


class SilentError(InvalidError):
    """There is nothing to hear."""


@dataclass(frozen=True)
class Loudness:
    """What EBU R 128 says of a sound; no loudness is said of a short one."""

    lufs: float | None
    true_peak_dbtp: float


@dataclass(frozen=True)
class Fitted:
    """Samples on the level, what an encoder made of them, and how that is heard."""

    samples: Samples
    encoded: bytes
    heard: Samples
    loudness: Loudness


@dataclass(frozen=True)
class Levelled:
    """A sound on the air's level, encoded and measured after encoding."""

    mp3: bytes
    samples: Samples
    loudness: Loudness


def measure(
    samples: Samples, *, shortest_seconds: float = chain.SHORTEST_MEASURED_SECONDS
) -> Loudness:
    """Return integrated loudness and true peak of samples."""
    lufs, peak = -math.inf, 0.0
    padded = samples + audio.silence(_END_OF_READING_MS)
    for frame in audio.run(padded, [("ebur128", "metadata=1:peak=true")]):
        notes = frame.metadata
        if "lavfi.r128.I" in notes:
            lufs = float(notes["lavfi.r128.I"])
            peak = max(peak, float(notes["lavfi.r128.true_peaks_ch0"]))
    short = audio.seconds(samples) < shortest_seconds
    return Loudness(
        lufs=None if short else lufs,
        true_peak_dbtp=20 * math.log10(peak) if peak else -math.inf,
    )


def even(samples: Samples) -> Samples:
    """Return one sentence of a machine's voice near the level of the air.

    So a text joined of sentences needs no second pass over all of it.
    """
    before = measure(samples, shortest_seconds=_GATE_SECONDS)
    if before.lufs is None or before.true_peak_dbtp < -70 or before.lufs < -70:
        return samples
    target = chain.TARGET_LUFS + chain.ENCODER_LOSS_DB
    gain = target - before.lufs
    for _round in range(_SENTENCE_ROUNDS):
        levelled = audio.filtered(samples, _gain_and_limit(gain, chain.PEAK_AIM_DBTP))
        after = measure(levelled, shortest_seconds=_GATE_SECONDS).lufs
        if after is None or abs(after - target) < _SENTENCE_CLOSE_LU:
            break
        # The limiter took something: ask for it again.
        gain += target - after
    return levelled


def encode_even(samples: Samples, *, volume_db: float = 0.0) -> Levelled:
    """Encode samples that are near the level already; level them when they are not.

    `volume_db`, 0 or below, is how much softer a person wants it.
    Raises SilentError, LoudnessError.
    """
    if not volume_db:
        mp3 = audio.encode(samples)
        heard = audio.decode(mp3, limit_seconds=audio.seconds(samples) + 5)
        after = measure(heard)
        near = after.lufs is not None and _off(after.lufs) <= chain.TOLERANCE_LU / 2
        if near and after.true_peak_dbtp <= chain.PEAK_LIMIT_DBTP:
            return Levelled(mp3=mp3, samples=heard, loudness=after)
        return level(samples)
    softer = audio.filtered(level(samples).samples, [("volume", f"{volume_db}dB")])
    mp3 = audio.encode(softer)
    heard = audio.decode(mp3, limit_seconds=audio.seconds(softer) + 5)
    return Levelled(mp3=mp3, samples=heard, loudness=measure(heard))


def level(samples: Samples) -> Levelled:
    """Bring samples to the level of the air and encode them as MP3.

    Raises SilentError, LoudnessError.
    """
    found = fit(samples, encode=audio.encode, loss_db=chain.ENCODER_LOSS_DB)
    after = found.loudness
    if after.lufs is not None and _off(after.lufs) > chain.TOLERANCE_LU:
        raise LoudnessError(
            "speech.loudness_missed", lufs=after.lufs, peak=after.true_peak_dbtp
        )
    return Levelled(mp3=found.encoded, samples=found.heard, loudness=after)


def fit(
    samples: Samples, *, encode: Callable[[Samples], bytes], loss_db: float
) -> Fitted:
    """Bring samples as near to the level of the air as their peaks allow.

    1. Measure; 2. find the gain that meets the target through the limiter;
    3. encode; 4. measure what a listener decodes; 5. if the encoder raised a peak
    too far, once more with a lower ceiling. `loss_db` is what the encoder takes.

    Raises SilentError, LoudnessError for peaks that stay too high.
    """
    before = measure(samples)
    if before.true_peak_dbtp < -70:
        raise SilentError("speech.silent")
    ceiling = chain.PEAK_AIM_DBTP
    for _round in range(_ROUNDS):
        levelled = _apply(samples, before, ceiling, loss_db)
        encoded = encode(levelled)
        heard = audio.decode(encoded, limit_seconds=audio.seconds(samples) + 5)
        after = measure(heard)
        if after.true_peak_dbtp <= chain.PEAK_LIMIT_DBTP:
            return Fitted(levelled, encoded, heard, after)
        ceiling -= after.true_peak_dbtp - chain.PEAK_LIMIT_DBTP + 0.2
    raise LoudnessError(
        "speech.loudness_missed", lufs=after.lufs, peak=after.true_peak_dbtp
    )


def _off(lufs: float) -> float:
    return abs(lufs - chain.TARGET_LUFS)


def _apply(
    samples: Samples, before: Loudness, ceiling: float, loss_db: float
) -> Samples:
    if before.lufs is None:
        gain = chain.SHORT_PEAK_DBTP - before.true_peak_dbtp
        return audio.filtered(samples, [("volume", f"{gain}dB")])
    target = chain.TARGET_LUFS + loss_db
    gain = target - before.lufs
    for _round in range(_ROUNDS):
        levelled = audio.filtered(samples, _gain_and_limit(gain, ceiling))
        after = measure(levelled).lufs
        if after is None or abs(after - target) < _CLOSE_LU:
            break
        gain += target - after
    return levelled


def _gain_and_limit(gain: float, ceiling: float) -> list[tuple[str, str]]:
    limit = 10 ** (ceiling / 20)
    return [
        ("aformat", "sample_fmts=dbl"),
        ("volume", f"{gain}dB:precision=double"),
        # Four times the rate, so that the limiter sees the peaks between samples.
        ("aresample", str(4 * chain.SAMPLE_RATE)),
        (
            "alimiter",
            f"limit={limit:.5f}:attack=2:release=60:level=0:latency=1",
        ),
    ]

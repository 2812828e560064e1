"""The proof from samples finds a sound to the sample, and sees what is not it."""

import random
from array import array

from nguon.demo import wav

SILENCE = array("h", bytes(2 * wav.RATE))


def noise(seconds: float, seed: int) -> "array[int]":
    source = random.Random(seed)
    count = int(seconds * wav.RATE)
    return array("h", [source.randint(-9000, 9000) for _ in range(count)])


def test_find_gives_the_onset_to_the_sample_at_half_the_level() -> None:
    sound = array("h", bytes(2 * 4800)) + noise(2, seed=1)
    half = array("h", [value // 2 for value in sound])
    life = wav.Life(SILENCE * 3 + half + SILENCE, started_at_ms=1000.0)

    found = wav.find(life, sound, near_ms=4060.0)

    assert abs(found.onset_ms - 4000.0) < 0.05
    assert found.correlation > 0.999


def test_find_is_not_sure_of_another_sound() -> None:
    life = wav.Life(SILENCE * 3 + noise(2, seed=2) + SILENCE, started_at_ms=0.0)

    found = wav.find(life, noise(2, seed=1), near_ms=3000.0)

    assert found.correlation < 0.3


def test_one_sample_outside_the_spans_is_no_silence() -> None:
    sound = noise(1, seed=3)
    quiet = wav.Life(SILENCE + sound + SILENCE, started_at_ms=0.0)
    stray = wav.Life(SILENCE + sound + SILENCE[:-9] + array("h", [5]), 0.0)

    assert wav.is_silent_between(quiet, [(1000.0, 2000.0)])
    assert not wav.is_silent_between(stray, [(1000.0, 2000.0)])

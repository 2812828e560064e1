"""Our own sound is told from a noisy market, in both directions."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nguon.agent.drivers.hearing import HEARD, UNCLEAR, UNHEARD, judge

FULL = 32_768.0**2


def talk(seed: int, windows: int = 200) -> list[float]:
    """Return the envelope of speech: syllables of uneven loudness, and pauses."""
    source = random.Random(seed)
    out: list[float] = []
    while len(out) < windows:
        for _syllable in range(source.randint(3, 12)):
            level = source.uniform(-32, -14)
            out += [FULL * 10 ** (level / 10)] * source.randint(2, 5)
        out += [0.0] * source.randint(4, 14)
    return out[:windows]


def market(seed: int, windows: int, *, level: float) -> list[float]:
    """Return the envelope of a noise around a level (dB full scale)."""
    source = random.Random(seed)
    drift, out = 0.0, []
    for _n in range(windows):
        drift = 0.9 * drift + source.gauss(0, 1.2)
        out.append(FULL * 10 ** ((level + drift + source.gauss(0, 1)) / 10))
    return out


def mixed(
    played: list[float], noise: list[float], *, gain_db: float, delay: int
) -> list[float]:
    late = [0.0] * delay + played
    gain = 10 ** (gain_db / 10)
    return [p * gain + n for p, n in zip(late, noise, strict=False)]


@pytest.mark.parametrize("delay", [0, 3, 11])
@pytest.mark.parametrize("gain_db", [-30, -10, 0])
def test_speech_is_found_at_any_delay_above_the_noise_of_the_place(
    delay: int, gain_db: float
) -> None:
    played = talk(1)
    noise = market(2, len(played), level=-75)

    found = judge(played, mixed(played, noise, gain_db=gain_db, delay=delay))

    assert found.word == HEARD
    assert found.delay_ms == delay * 50
    assert found.rise_db > 6


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.floats(-70, -10))
def test_a_loud_market_is_never_evidence(seed: int, level: float) -> None:
    played = talk(seed)

    found = judge(played, market(seed + 1, len(played), level=level))

    assert found.word != HEARD


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6))
def test_somebody_elses_speech_is_never_evidence(seed: int) -> None:
    found = judge(talk(seed), talk(seed + 1))

    assert found.word != HEARD


def test_silence_while_we_play_is_a_mute_speaker() -> None:
    played = talk(5)

    found = judge(played, market(6, len(played), level=-76))

    assert found.word == UNHEARD


@pytest.mark.parametrize(
    "played",
    [
        [],
        [FULL / 100] * 200,
        [0.0] * 200,
        [0.0] * 25 + [FULL / 100] * 4,
    ],
    ids=["nothing", "an even tone", "silence", "a click"],
)
def test_what_cannot_be_told_is_unclear(played: list[float]) -> None:
    assert judge(played, market(1, len(played), level=-60)).word == UNCLEAR


@given(
    st.lists(st.floats(0, FULL), max_size=150),
    st.lists(st.floats(0, FULL), max_size=150),
)
@settings(max_examples=100, deadline=None)
def test_no_pair_of_envelopes_breaks_it(a: list[float], b: list[float]) -> None:
    found = judge(a, b)

    assert found.word in {HEARD, UNHEARD, UNCLEAR}
    assert math.isfinite(found.rise_db)
    assert -1.01 <= found.alike <= 1.01

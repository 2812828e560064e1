"""Sound begins at its sample, ends softly, and what is told is what came out."""

import gc
from array import array

import pytest

from nguon.agent.player import Cue, Ending, Onset, Player, level_dbfs
from nguon.agent.voice import RATE, Decoder, Voice
from tests.agent.conftest import make_sound

BLOCK = 960


def make_voice(key: str, ms: int, *, value: int = 8_000) -> Voice:
    left = [ms * 48]

    def read(count: int) -> "array[int]":
        size = min(count, left[0])
        left[0] -= size
        return array("h", [value] * size)

    return Voice(key, read, offset_ms=0, duration_ms=ms)


def play(player: Player, seconds: float) -> list[int]:
    out: list[int] = []
    while len(out) < seconds * RATE:
        out.extend(player.render(len(out) / RATE, BLOCK))
    return out


def test_a_cue_begins_exactly_at_its_sample() -> None:
    told: list[Onset | Ending] = []
    player = Player(told.append)
    player.cue(Cue(make_voice("a", 100), 0.0503, cut=False))

    out = play(player, 0.3)

    first = next(n for n, sample in enumerate(out) if sample)
    assert first == round(0.0503 * RATE)
    assert sum(1 for sample in out if sample) == 100 * 48
    onset, ending = told
    assert isinstance(onset, Onset)
    assert isinstance(ending, Ending)
    assert abs(onset.mono - 0.0503) < 1 / RATE
    assert ending.complete
    assert ending.ms == 100


def test_a_cut_fades_within_five_ms_and_tells_how_far_it_came() -> None:
    told: list[Onset | Ending] = []
    player = Player(told.append)
    player.cue(Cue(make_voice("a", 1_000), 0.0, cut=False))
    out = play(player, 0.1)

    player.cut()
    after = list(player.render(0.1, BLOCK))

    assert all(out)
    assert not any(after[240:])
    assert after[10] > after[200] > 0
    ending = told[-1]
    assert isinstance(ending, Ending)
    assert not ending.complete
    assert ending.ms == 105
    assert player.silent


def test_a_cutting_cue_takes_over_at_its_exact_moment() -> None:
    told: list[Onset | Ending] = []
    player = Player(told.append)
    player.cue(Cue(make_voice("a", 1_000, value=4_000), 0.0, cut=False))
    play(player, 0.02)

    player.cue(Cue(make_voice("b", 100, value=-4_000), 0.05, cut=True))
    out: list[int] = []
    for number in range(5):
        out.extend(player.render(0.02 + number * 0.02, BLOCK))

    assert next(n for n, s in enumerate(out) if s < 0) == round(0.03 * RATE)
    assert [type(word) for word in told] == [Onset, Ending, Onset]


def test_a_following_cue_waits_for_the_end_of_what_is_on() -> None:
    told: list[Onset | Ending] = []
    player = Player(told.append)
    player.cue(Cue(make_voice("a", 100, value=4_000), 0.0, cut=False))
    play(player, 0.02)

    player.cue(Cue(make_voice("b", 40, value=-4_000), 0.05, cut=False))
    out: list[int] = []
    for number in range(8):
        out.extend(player.render(0.02 + number * 0.02, BLOCK))

    assert next(n for n, s in enumerate(out) if s < 0) == round(0.08 * RATE)


def test_volume_and_level_are_those_of_the_output() -> None:
    told: list[Onset | Ending] = []
    player = Player(told.append)
    player.set_volume(50)
    player.cue(Cue(make_voice("a", 100, value=16_384), 0.0, cut=False))

    out = play(player, 0.1)
    play(player, 0.1)

    ending = told[-1]
    assert isinstance(ending, Ending)
    assert set(out) == {8_192}
    assert level_dbfs(energy=ending.energy, samples=ending.samples) == -12.0
    assert level_dbfs(energy=0, samples=0) == -96.0


def test_a_talk_over_lets_what_is_on_go_on_beneath_and_ends_with_it() -> None:
    told: list[Onset | Ending] = []
    player = Player(told.append)
    player.cue(Cue(make_voice("music", 1_000, value=20_000), 0.0, cut=False))
    live = make_voice("live", 300, value=30_000)
    player.cue(Cue(make_voice("music", 1_000, value=20_000), 0.0, cut=False))
    out = play(player, 0.1)

    player.cue(Cue(live, 0.1, cut=True, talk_over=20))
    for block in range(25):
        out.extend(player.render(0.1 + block * BLOCK / RATE, BLOCK))

    begins = round(0.1 * RATE)
    assert out[begins - 1] == 20_000
    assert max(out[begins : begins + 240]) == 32_767
    assert set(out[begins + 240 : begins + 300 * 48]) == {32_767}
    assert not any(out[begins + 300 * 48 :])
    kinds = [(type(word).__name__, word.key) for word in told]
    assert kinds == [
        ("Onset", "music"),
        ("Ending", "music"),
        ("Onset", "live"),
        ("Ending", "live"),
    ]
    music, live_ending = told[1], told[3]
    assert isinstance(music, Ending)
    assert isinstance(live_ending, Ending)
    assert (music.ms, music.complete) == (100, False)
    assert (live_ending.ms, live_ending.complete) == (300, True)


def test_a_cut_of_what_talks_over_silences_both() -> None:
    player = Player(lambda _word: None)
    player.cue(Cue(make_voice("music", 1_000), 0.0, cut=False))
    play(player, 0.1)
    player.cue(Cue(make_voice("live", 1_000, value=100), 0.1, cut=True, talk_over=50))
    mixed = player.render(0.1, BLOCK)

    player.cut()
    after = [*player.render(0.12, BLOCK), *player.render(0.14, BLOCK)]

    assert mixed[-1] == 4_100
    assert not any(after[240:])
    assert player.silent


def test_a_loop_begins_again_without_a_gap_and_ends_when_it_must() -> None:
    mp3, samples = make_sound(1.0)
    voice = Voice.open("a", mp3, offset_ms=400, duration_ms=1_000, loop_ms=2_100)

    out = array("h")
    while not voice.is_over:
        out.extend(voice.take(960))

    assert len(out) == round(2.1 * RATE)
    turns = [out[: 600 * 48], out[600 * 48 : 1_600 * 48], out[1_600 * 48 :]]
    # The seam is exact: each later turn is the sound from its beginning.
    beside = [abs(a - b) for a, b in zip(turns[1], samples, strict=False)]
    assert len(beside) == 48_000
    assert max(beside) <= 2  # two decoders round differently
    assert list(turns[2]) == list(turns[1][: len(turns[2])])


@pytest.mark.parametrize(
    ("volume", "loudest", "heard"), [(80, 25, 2_000), (20, 25, 1_600), (80, 0, 0)]
)
def test_a_quieter_cue_is_never_louder_than_the_hour_allows(
    volume: int, loudest: int, heard: int
) -> None:
    player = Player(lambda _word: None)
    player.set_volume(volume)
    player.cue(Cue(make_voice("t", 100), 0.0, cut=False, loudest=loudest))
    quiet = play(player, 0.2)
    player.cue(Cue(make_voice("a", 100), 0.0, cut=False))

    assert max(quiet) == heard
    assert max(play(player, 0.2)) == 80 * volume


def test_a_sound_outlives_the_garbage_of_before_its_first_read() -> None:
    mp3, _samples = make_sound(1)
    decoder = Decoder(mp3, offset_ms=0)

    gc.collect()

    assert len(decoder.read(BLOCK)) == BLOCK

"""A sink is silent at no cost, and exact to the sample when something is to sound."""

import threading
import time
from array import array
from pathlib import Path

import numpy as np

from nguon.agent.clock import Clock
from nguon.agent.player import Cue, Ending, Onset, Player
from nguon.agent.sinks import PacedSink, WavSink
from nguon.agent.voice import RATE
from tests.agent.conftest import wait_until
from tests.agent.test_player import make_voice


class Counted(Player):
    """A player that counts how often it is asked for samples."""

    def __init__(self) -> None:
        self.told: list[Onset | Ending] = []
        super().__init__(self.told.append)
        self.blocks = 0
        self.asked = 0

    def silent_until(self) -> float:
        self.asked += 1
        return super().silent_until()

    def render(self, mono: float, frames: int) -> "array[int]":
        self.blocks += 1
        return super().render(mono, frames)


def read(path: Path) -> np.ndarray:
    return np.frombuffer(path.read_bytes()[44:], "<i2")


def test_silence_asks_for_nothing_and_the_file_still_tells_every_moment(
    tmp_path: Path,
) -> None:
    clock, player = Clock(), Counted()
    sink = WavSink(tmp_path / "life.wav", clock=clock, device="d")

    began = clock.monotonic()
    sink.start(player)
    wait_until(lambda: len(read(sink.path)) > RATE)
    lived = clock.monotonic() - began
    sink.close()

    assert player.blocks == 0
    assert sink.gap_ms == 0
    assert abs(len(read(sink.path)) / RATE - lived) < 0.3
    assert not read(sink.path).any()


def test_a_cue_that_wakes_the_sink_begins_at_its_exact_sample(tmp_path: Path) -> None:
    clock, player = Clock(), Counted()
    sink = WavSink(tmp_path / "life.wav", clock=clock, device="d")
    sink.start(player)
    wait_until(lambda: len(read(sink.path)) > 0)
    origin = clock.monotonic()

    for number, lead in enumerate((0.02, 0.06, 0.3)):
        moment = clock.monotonic() + lead
        player.cue(Cue(make_voice(f"a{number}", 40), moment, cut=False))
        wait_until(lambda n=number: len(player.told) == 2 * (n + 1))
        onset = player.told[-2]
        assert isinstance(onset, Onset)
        assert abs(onset.mono - moment) <= 1.5 / RATE
    sink.close()

    assert (read(sink.path) != 0).sum() == 3 * 40 * 48
    assert clock.monotonic() > origin
    assert sink.gap_ms == 0


def test_a_cue_for_now_sounds_within_a_block_though_the_sink_slept() -> None:
    clock, player = Clock(), Counted()
    sink = PacedSink(clock)
    sink.start(player)
    wait_until(lambda: player.asked > 0)

    moment = clock.monotonic()
    player.cue(Cue(make_voice("a", 20), moment, cut=True))
    wait_until(lambda: len(player.told) == 2)
    sink.close()

    onset = player.told[0]
    assert isinstance(onset, Onset)
    assert moment - 1 / RATE <= onset.mono <= moment + 0.1
    assert sink.gap_ms == 0


def test_what_was_decided_late_is_not_written_as_if_on_time() -> None:
    clock, player = Clock(), Counted()
    sink = PacedSink(clock)
    sink.start(player)
    wait_until(lambda: player.asked > 0)

    now = clock.monotonic()
    player.cue(Cue(make_voice("a", 20), now - 0.2, cut=True))
    wait_until(lambda: len(player.told) == 2)
    sink.close()

    onset = player.told[0]
    assert isinstance(onset, Onset)
    assert onset.mono >= now - 0.021


def test_a_sleeping_sink_ends_at_once() -> None:
    sink = PacedSink(Clock())
    sink.start(Counted())

    began = time.monotonic()
    sink.close()

    assert time.monotonic() - began < 1
    assert not [t for t in threading.enumerate() if t.name == "audio"]


def test_hours_of_standing_still_pass_as_silence_in_small_pieces() -> None:
    ahead = [0.0]
    clock = Clock(monotonic=lambda: time.monotonic() + ahead[0])
    pieces: list[int] = []

    class Measured(PacedSink):
        nap_s = 0.05

        def _write(self, samples: "array[int]") -> None:
            pieces.append(len(samples))

    sink = Measured(clock)
    sink.start(Counted())
    ahead[0] = 8 * 3600.0
    wait_until(lambda: sum(pieces) > 8 * 3600 * RATE)
    sink.close()

    assert max(pieces) <= 10 * RATE

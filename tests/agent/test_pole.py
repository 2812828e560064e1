"""The amplifier is awake when sound begins, and nothing waits longer than its lead."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nguon.agent.clock import Clock
from nguon.agent.drivers.pole import Pole
from nguon.agent.drivers.wiring import AmplifierWires, Pin, Wiring
from nguon.agent.player import Cue, Ending, Onset, Player
from nguon.agent.sinks import PacedSink
from tests.agent.test_player import make_voice
from tests.fakes.pole import FakeChip

LEAD_S = 0.4


class Rig:
    """A real player on a real sink, behind it a pole with a simulated relay."""

    def __init__(self, *, is_hanging: bool = False) -> None:
        self.chip = FakeChip()
        self.told: list[Onset | Ending] = []
        wires = AmplifierWires(Pin(1), lead_ms=round(LEAD_S * 1000), tail_ms=300)
        clock = Clock()
        self.now = clock.monotonic
        self.pole = Pole(Wiring(amplifier=wires), monotonic=self.now, chip=self.chip)
        self.player = Player(self.told.append, outlet=self.pole)
        self.sink = PacedSink(clock)
        if not is_hanging:
            self.pole.start()
        self.sink.start(self.player)

    def cue(self, ms: int, mono: float, **more: Any) -> None:
        self.player.cue(Cue(make_voice("a", ms), mono, cut=True, **more))

    def wait(self, check: Callable[[], bool]) -> None:
        until = time.monotonic() + 5
        while not check():
            assert time.monotonic() < until, "it did not happen"
            time.sleep(0.005)

    def close(self) -> None:
        self.sink.close()
        self.pole.close()


@pytest.fixture
def rig() -> Iterator[Rig]:
    found = Rig()
    yield found
    found.close()


def test_sound_that_must_begin_now_waits_one_lead_and_no_longer(rig: Rig) -> None:
    asked = rig.now()
    rig.cue(200, asked)
    rig.wait(lambda: bool(rig.told))

    [(on, active), *_rest] = rig.chip.moments
    assert active
    assert on - asked < 0.05
    assert LEAD_S <= rig.told[0].mono - asked < LEAD_S + 0.1
    assert rig.told[0].mono - on >= LEAD_S - 0.001


def test_planned_sound_begins_at_its_moment_with_the_amplifier_awake(rig: Rig) -> None:
    planned = rig.now() + 1.2
    rig.cue(200, planned)
    rig.wait(lambda: bool(rig.told))

    [(on, _active), *_rest] = rig.chip.moments
    assert abs(rig.told[0].mono - planned) < 0.001
    assert LEAD_S <= planned - on < LEAD_S + 0.25


def test_the_amplifier_sleeps_after_its_tail_and_not_between_two_sounds(
    rig: Rig,
) -> None:
    rig.cue(200, rig.now())
    rig.wait(lambda: len(rig.told) == 2)
    again = rig.now()
    rig.cue(200, again)
    rig.wait(lambda: len(rig.told) == 4)

    # The second one had no lead to wait for.
    assert rig.told[2].mono - again < 0.1
    assert len(rig.chip.moments) == 1
    rig.wait(lambda: len(rig.chip.moments) == 2)
    off, active = rig.chip.moments[1]
    assert not active
    assert 0.25 < off - rig.told[3].mono < 0.7


def test_what_was_cued_and_taken_back_leaves_the_amplifier_asleep(rig: Rig) -> None:
    rig.cue(200, rig.now() + 1)
    cue = rig.player.cued()
    assert cue
    rig.player.swap(cue, None)
    time.sleep(1.2)

    assert rig.chip.moments == []
    assert rig.told == []


def test_a_stop_during_the_lead_lets_nothing_sound(rig: Rig) -> None:
    rig.cue(200, rig.now())
    time.sleep(LEAD_S / 2)
    rig.player.cut()
    time.sleep(LEAD_S * 2)

    assert rig.told == []
    assert not rig.chip.on


def test_a_relay_that_cannot_be_switched_holds_no_sound_back(rig: Rig) -> None:
    rig.chip.is_broken = True
    asked = rig.now()
    rig.cue(200, asked)
    rig.wait(lambda: bool(rig.told))

    assert rig.told[0].mono - asked < LEAD_S + 0.1
    assert rig.pole.read()["amplifier"] is False


def test_a_relay_that_hangs_holds_sound_back_for_one_lead_at_most() -> None:
    rig = Rig(is_hanging=True)
    asked = rig.now()
    rig.cue(200, asked)
    rig.wait(lambda: bool(rig.told))
    rig.close()

    assert rig.told[0].mono - asked < LEAD_S + 0.15

"""The device's time comes from the server's word and never runs backwards."""

from nguon.agent.clock import Clock

NOW = 1_795_000_000_000


class Hands:
    """Two clocks that a test turns by hand: monotonic and system, in seconds."""

    def __init__(self, system_ms: int) -> None:
        self.mono = 100.0
        self.system = system_ms / 1000

    def clock(self, *, not_before: int = 0) -> Clock:
        return Clock(
            monotonic=lambda: self.mono,
            system=lambda: self.system,
            not_before=not_before,
        )


def test_a_signed_time_sets_a_wrong_clock_and_a_jump_changes_nothing() -> None:
    hands = Hands(NOW - 7_200_000)
    clock = hands.clock()

    clock.sync(NOW, sent=99.9, answered=100.0)
    hands.system += 86_400
    hands.mono += 1

    assert clock.trusted
    assert clock.now() == NOW + 1_050
    assert abs(clock.mono(clock.at(123.4)) - 123.4) < 1e-6


def test_a_small_or_doubtful_difference_moves_nothing() -> None:
    clock = Hands(NOW).clock()
    clock.sync(NOW, sent=100.0, answered=100.0)

    assert not clock.sync(NOW + 10, sent=100.0, answered=100.0)
    assert not clock.sync(NOW + 9_000, sent=95.0, answered=100.0)
    assert clock.sync(NOW + 500, sent=100.0, answered=100.0)


def test_an_untrusted_clock_is_never_before_what_was_lived_through() -> None:
    clock = Hands(0).clock(not_before=NOW)

    assert clock.now() == NOW
    assert not clock.trusted

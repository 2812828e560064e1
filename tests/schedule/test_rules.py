"""Local wall-clock rules, quiet hours and their traps."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from nguon.core.errors import ConflictError, InvalidError
from nguon.schedule import forms
from nguon.schedule.rules import (
    DAILY,
    LOCAL,
    MOVES,
    NOW,
    ONCE,
    STATES,
    QuietHours,
    Timing,
    check_move,
    check_timing,
    first_start,
    starts_between,
)

DAY = timedelta(days=1)
TEN = datetime(2026, 11, 24, 3, tzinfo=UTC)  # ten in the morning in Gia Lai


def slot(first: int, last: int) -> Timing:
    """Return a daily slot from and to so many days from TEN."""
    day = TEN.date()
    return Timing(
        DAILY,
        time_of_day=time(17),
        first_date=day + first * DAY,
        last_date=day + last * DAY,
    )


MOMENTS = st.datetimes(
    datetime(2026, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC)
)
CLOCKS = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))


@given(MOMENTS, CLOCKS, st.integers(1, 40))
def test_a_daily_slot_comes_once_each_local_day(
    begin: datetime, clock: time, days: int
) -> None:
    timing = Timing(
        DAILY,
        time_of_day=clock,
        first_date=date(2026, 1, 1),
        last_date=date(2030, 1, 1),
    )

    starts = list(starts_between(timing, begin=begin, end=begin + timedelta(days=days)))

    assert len(starts) == days
    locals_ = [start.astimezone(LOCAL) for start in starts]
    assert {local.timetz().replace(tzinfo=None) for local in locals_} == {clock}
    assert len({local.date() for local in locals_}) == days


@given(MOMENTS, CLOCKS, CLOCKS, st.integers(0, 7200))
def test_next_allowed_is_never_in_quiet_hours(
    moment: datetime, begin: time, end: time, seconds: int
) -> None:
    hours = QuietHours(begin, end)
    lengths = [stop - start for start, stop in hours.intervals(
        begin=moment, end=moment + timedelta(days=3)
    )]  # fmt: skip
    length = timedelta(seconds=seconds)
    free = timedelta(days=1) - max(lengths)
    if length > free:
        return

    allowed = hours.next_allowed(moment, length=length)

    assert allowed >= moment
    for start, stop in hours.intervals(begin=allowed, end=allowed + timedelta(days=2)):
        assert allowed + length <= start or stop <= allowed


def test_a_slot_keeps_its_hour_over_a_leap_day_and_the_end_of_a_month() -> None:
    timing = Timing(
        DAILY,
        time_of_day=time(5, 30),
        first_date=date(2028, 2, 27),
        last_date=date(2028, 3, 2),
    )
    begin = datetime(2028, 2, 26, tzinfo=UTC)

    starts = starts_between(timing, begin=begin, end=begin + timedelta(days=30))

    local = [f"{start.astimezone(LOCAL):%m-%d %H:%M}" for start in starts]
    assert local == [
        "02-27 05:30",
        "02-28 05:30",
        "02-29 05:30",
        "03-01 05:30",
        "03-02 05:30",
    ]


@pytest.mark.parametrize(
    ("timing", "klass", "code"),
    [
        (Timing("weekly"), "normal", "timing_unknown"),
        (Timing(ONCE), "normal", "time_passed"),
        (Timing(ONCE, starts_at=TEN), "normal", "time_passed"),
        (Timing(ONCE, starts_at=TEN + 400 * DAY), "normal", "too_far_ahead"),
        (Timing(DAILY), "normal", "daily_incomplete"),
        (slot(-4, -1), "normal", "time_passed"),
        (slot(3, 1), "normal", "dates_reversed"),
        (slot(0, 367), "normal", "series_too_long"),
        (slot(400, 401), "normal", "too_far_ahead"),
        (Timing(ONCE, starts_at=TEN + DAY), "emergency", "emergency_is_now"),
        (Timing(NOW), "emergency", "expiry_wrong"),
        (Timing(NOW, expires_at=TEN), "emergency", "expiry_wrong"),
        (Timing(NOW, expires_at=TEN + 2 * DAY), "emergency", "expiry_wrong"),
    ],
)
def test_a_time_that_cannot_be_kept_is_refused(
    timing: Timing, klass: str, code: str
) -> None:
    with pytest.raises(InvalidError) as refusal:
        check_timing(timing, klass=klass, at=TEN)

    assert refusal.value.code == f"schedule.{code}"


@given(st.integers(-5, 400), st.integers(0, 366), CLOCKS, MOMENTS)
def test_what_is_accepted_has_a_first_start_ahead(
    first: int, length: int, clock: time, at: datetime
) -> None:
    today = at.astimezone(LOCAL).date()
    timing = Timing(
        DAILY,
        time_of_day=clock,
        first_date=today + timedelta(days=first),
        last_date=today + timedelta(days=first + length),
    )
    try:
        check_timing(timing, klass="normal", at=at)
    except InvalidError:
        return

    assert first_start(timing, at=at) >= at


@given(st.sampled_from(sorted(STATES)), st.sampled_from(sorted(STATES)))
def test_only_the_steps_of_the_table_are_taken(old: str, new: str) -> None:
    if new in MOVES[old]:
        check_move(old=old, new=new)
    else:
        with pytest.raises(ConflictError):
            check_move(old=old, new=new)


def test_the_hour_of_a_bulletin_is_taken_as_it_is_written() -> None:
    at = datetime(2026, 11, 25, 1, tzinfo=UTC)
    once = QueryDict("timing=once&date=26-11&time=5h30")
    daily = QueryDict("timing=daily&time_of_day=1700&first_date=2/1&last_date=090127")

    one = forms.read_timing(once, klass="normal", at=at)
    more = forms.read_timing(daily, klass="normal", at=at)

    assert one.starts_at == datetime(2026, 11, 25, 22, 30, tzinfo=UTC)
    assert more.time_of_day == time(17)
    assert (more.first_date, more.last_date) == (date(2027, 1, 2), date(2027, 1, 9))
    with pytest.raises(InvalidError, match="time_unreadable"):
        forms.read_timing(QueryDict("timing=once&date=26/11&time="), klass="", at=at)

"""Local wall-clock rules, quiet hours and their traps."""

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from nguon.schedule.rules import DAILY, LOCAL, QuietHours, Timing, starts_between

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

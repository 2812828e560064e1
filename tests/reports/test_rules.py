"""Periods, due days, ranges, outliers and roll-ups, as plain rules."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nguon.indicators.catalogue import COUNT, SHARE
from nguon.reports import rules
from nguon.reports.models import Field
from nguon.reports.rules import Pair
from nguon.schedule.recurrence import holidays
from tests.reports.conftest import refusal

DAY = timedelta(days=1)
numbers = st.decimals(min_value=0, max_value=10**9, places=2)
pairs = st.builds(lambda a, b: Pair(min(a, b), max(a, b)), numbers, numbers)
days = st.dates(min_value=date(2025, 1, 1), max_value=date(2030, 12, 31))


@pytest.mark.parametrize(
    ("kind", "number", "first", "after", "name"),
    [
        (rules.MONTH, 12, date(2026, 12, 1), date(2027, 1, 1), "Tháng 12 năm 2026"),
        (rules.QUARTER, 4, date(2026, 10, 1), date(2027, 1, 1), "Quý IV năm 2026"),
        (rules.HALF, 1, date(2026, 1, 1), date(2026, 7, 1), "Sáu tháng đầu năm 2026"),
        (rules.YEAR, 1, date(2026, 1, 1), date(2027, 1, 1), "Năm 2026"),
    ],
)
def test_a_whole_period_has_its_days_and_its_name(
    kind: str, number: int, first: date, after: date, name: str
) -> None:
    found = rules.whole_period(kind, 2026, number)

    assert (found.first, found.after) == (first, after)
    assert rules.name_period(kind, found) == name


@pytest.mark.parametrize(("kind", "number"), [("month", 13), ("quarter", 0)])
def test_a_period_that_does_not_exist_is_refused(kind: str, number: int) -> None:
    with refusal("reports.period_number"):
        rules.whole_period(kind, 2026, number)


def test_the_due_day_leaves_out_weekends_and_holidays() -> None:
    # 1 November 2026 is a Sunday.
    assert rules.due_date(date(2026, 11, 1), 3, holidays()) == date(2026, 11, 4)
    # 1 January is a holiday of law, 2026 begins on a Thursday.
    assert rules.due_date(date(2026, 1, 1), 1, holidays()) == date(2026, 1, 2)
    with refusal("reports.due_days"):
        rules.due_date(date(2026, 11, 1), 0, holidays())
    with refusal("reports.days_unknown"):
        rules.due_date(date(2099, 1, 1), 3, holidays())


@given(days, st.integers(1, 20))
def test_a_due_day_is_a_working_day_with_as_many_before_it(
    after: date, count: int
) -> None:
    due = rules.due_date(after, count, holidays())

    between = [after + n * DAY for n in range((due - after).days + 1)]
    assert rules.is_working(due, holidays())
    assert sum(rules.is_working(day, holidays()) for day in between) == count


@given(days, st.integers(-30, 60))
def test_reminders_never_lie_ahead_and_come_every_week_at_least(
    due: date, away: int
) -> None:
    today = due + away * DAY

    day = rules.reminder_on(due, today=today, holidays=holidays())

    assert day is None or day <= today
    if today > due:
        assert day is not None
        assert due < day
        assert (today - day).days < rules.LATE_EVERY_DAYS
    if today == due:
        assert day == due


@given(st.lists(pairs, min_size=1), st.lists(pairs, min_size=1))
def test_a_roll_up_of_roll_ups_is_the_roll_up_of_all(
    one: list[Pair], two: list[Pair]
) -> None:
    both = rules.roll_up([rules.roll_up(one), rules.roll_up(two)])

    assert both == rules.roll_up([*one, *two])


@given(st.lists(pairs, min_size=1))
def test_a_share_of_all_is_the_share_of_sums(found: list[Pair]) -> None:
    above = sum((pair.above or 0 for pair in found), Decimal(0))
    below = sum((pair.below or 0 for pair in found), Decimal(0))

    value = rules.value_of(SHARE, rules.roll_up(found))

    assert value == (above * 100 / below if below else None)


def test_who_has_no_figure_adds_nothing_and_nobody_is_not_0() -> None:
    assert rules.roll_up([Pair(), Pair(Decimal(3))]) == Pair(Decimal(3))
    assert rules.roll_up([Pair(), Pair()]) == Pair()
    assert rules.value_of(SHARE, Pair(Decimal(0), Decimal(0))) is None


@pytest.mark.parametrize(
    ("ratio", "above", "below", "code"),
    [
        (SHARE, "9", "8", "reports.share_over"),
        (SHARE, "9", None, "reports.half_figure"),
        (SHARE, "1", "2", "reports.range_most"),
        (rules.MEAN, "3", "0", "reports.nothing_below"),
        (COUNT, "-1", None, "reports.negative"),
        (COUNT, "10000000000001", None, "reports.too_large"),
        (COUNT, "41", None, "reports.range_most"),
    ],
)
def test_a_figure_that_cannot_be_so_is_refused(
    ratio: str, above: str, below: str | None, code: str
) -> None:
    pair = Pair(Decimal(above), None if below is None else Decimal(below))

    with refusal(code):
        rules.check_pair("Mục", ratio, pair, least=None, most=Decimal(40))


@pytest.mark.parametrize(
    ("above", "code"),
    [("1.5", "reports.not_whole"), ("1000001", "reports.too_large")],
)
def test_things_are_counted_whole_and_not_without_end(above: str, code: str) -> None:
    told = {"least": None, "most": None}
    pair = Pair(Decimal(above))

    rules.check_pair("Phút", COUNT, pair, **told)
    with refusal(code):
        rules.check_pair("Bảng", COUNT, pair, **told, is_whole=True)


def test_a_field_of_things_is_whole_by_its_indicator_or_its_unit() -> None:
    def is_whole(**told: str) -> bool:
        return Field(**told).is_whole

    assert is_whole(ratio=COUNT, indicator="large_boards", unit="bảng")
    assert is_whole(ratio=SHARE, indicator="villages_reached", unit="%")
    assert is_whole(ratio=COUNT, unit="Cụm loa")
    assert not is_whole(ratio=COUNT, unit="giờ")
    assert not is_whole(ratio=COUNT, unit="tiền")


def test_unusual_is_over_twice_or_under_half_of_all_earlier_ones() -> None:
    earlier = [Decimal(10), Decimal(12)]

    assert not rules.is_unusual(Decimal(24), earlier)
    assert rules.is_unusual(Decimal("24.1"), earlier)
    assert not rules.is_unusual(Decimal(5), earlier)
    assert rules.is_unusual(Decimal("4.9"), earlier)
    assert not rules.is_unusual(Decimal(1000), [])


@pytest.mark.parametrize(
    ("number", "text"),
    [("1234.5", "1.234,5"), ("100", "100"), ("0", "0"), ("66.666", "66,67")],
)
def test_figures_are_written_as_here(number: str, text: str) -> None:
    assert rules.plain(Decimal(number)) == text

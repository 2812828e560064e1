"""A month that is added up says what its days say; until it is, its days are read."""

from datetime import date, timedelta

import pytest

from nguon.indicators import actions, measures, queries, rules
from nguon.indicators.models import DayFact, FactMonth, MonthFact
from nguon.indicators.rules import Period, Ratio, months
from nguon.territory.models import Unit
from tests.indicators.conftest import FIRST, Week

pytestmark = pytest.mark.django_db
NOVEMBER = months(2026, 11, 1)
PERIODS = (NOVEMBER, months(2026, 10, 3), Period(FIRST, date(2027, 1, 1)))


def everything(unit: Unit) -> list[object]:
    """Return all that is told of a unit in every period, in one comparable form."""
    told: list[object] = []
    for period in PERIODS:
        table = queries.count_places(unit, period)
        told.append({code: dict(ratios) for code, ratios in table.ratios.items()})
        told.append(set(table.places))
        for measure in (measures.BULLETINS, measures.SUPPLIED):
            told.append(dict(queries.list_parts(unit, period, measure)))
        for recipe in rules.RECIPES.values():
            rows = queries.list_behind(unit, period, recipe)
            told.append([(one.pk, what, n) for one, what, n in rows])
    return told


def test_a_month_added_up_says_what_its_days_say(
    week: Week, province: Unit, ia_grai: Unit
) -> None:
    before = [everything(unit) for unit in (province, ia_grai)]

    actions.add_up_month(month=NOVEMBER.first, at=week.over)

    assert MonthFact.objects.exists()
    assert [everything(unit) for unit in (province, ia_grai)] == before
    # It is the month that is read, no longer its days.
    DayFact.objects.exclude(measure__in=measures.OF_ONE_DAY).delete()
    table = queries.count_places(province, NOVEMBER)
    assert table.total("bulletins") != Ratio(0)


def test_a_day_counted_since_is_read_at_once_and_added_up_by_the_chore(
    week: Week, province: Unit
) -> None:
    actions.add_up_month(month=NOVEMBER.first, at=week.over)
    MonthFact.objects.filter(measure=measures.BULLETINS).update(number=999)

    actions.count_day(day=FIRST, at=week.over)
    fresh = queries.count_places(province, NOVEMBER).total("bulletins")

    assert FactMonth.objects.get().made_at is None
    assert fresh is not None
    assert 0 < fresh.above < 999
    # All seven are counted once more on the day after; so is their month.
    actions.roll_facts(at=week.over + timedelta(days=1))
    assert FactMonth.objects.get(month=NOVEMBER.first).made_at is not None
    assert queries.count_places(province, NOVEMBER).total("bulletins") == fresh


def test_what_is_true_on_one_day_is_not_added_up(week: Week) -> None:
    actions.add_up_month(month=NOVEMBER.first, at=week.over)

    added = set(MonthFact.objects.values_list("measure", flat=True))
    assert added.isdisjoint(measures.OF_ONE_DAY)
    read_last = {
        term.what
        for recipe in rules.RECIPES.values()
        for term in (recipe.above, recipe.below)
        if term is not None and term.how == rules.LAST
    }
    assert read_last == set(measures.OF_ONE_DAY)


@pytest.mark.parametrize(
    ("first", "after", "whole", "left"),
    [
        ((2026, 11, 1), (2026, 12, 1), 1, 0),
        ((2026, 11, 2), (2026, 12, 1), 0, 29),
        ((2025, 12, 31), (2027, 1, 2), 12, 2),
        ((2024, 2, 1), (2024, 3, 2), 1, 1),
        ((2026, 11, 5), (2026, 11, 9), 0, 4),
    ],
)
def test_a_period_is_whole_months_and_the_days_that_are_left(
    first: tuple[int, int, int],
    after: tuple[int, int, int],
    whole: int,
    left: int,
) -> None:
    period = Period(date(*first), date(*after))

    found = period.whole_months
    rest = period.cut(found)

    assert len(found) == whole
    assert sum(one.days for one in rest) == left
    spans = [*rest, *(months(one.year, one.month, 1) for one in found)]
    days = [one.first + timedelta(days=n) for one in spans for n in range(one.days)]
    assert sorted(days) == [period.first + timedelta(n) for n in range(period.days)]

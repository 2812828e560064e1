"""Figures of whole periods that are kept equal those counted anew, on either map."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from nguon.core.errors import InvalidError
from nguon.indicators import actions, queries, rules, stored
from nguon.indicators.models import DayFact, FactDay, PeriodFigure
from nguon.indicators.rules import Period
from nguon.people.models import Officer
from nguon.territory.models import Unit
from tests.indicators.conftest import Week
from tests.plan.conftest import old_map

__all__ = ["old_map"]
pytestmark = pytest.mark.django_db
AROUND = rules.around(date(2026, 11, 24))
JUNE = rules.months(2025, 6, 1)


def test_periods_are_told_apart_by_their_length() -> None:
    assert [rules.length_of(period) for period in AROUND] == [1, 3, 6, 12]
    assert rules.length_of(Period(date(2026, 11, 2), date(2026, 12, 2))) is None
    assert rules.length_of(rules.months(2026, 2, 3)) is None
    assert rules.month_before(date(2026, 3, 1), 3) == date(2025, 12, 1)
    assert rules.month_before(date(2026, 11, 1), -2) == date(2027, 1, 1)


def test_kept_figures_equal_those_counted_anew(
    week: Week, province: Unit, ia_grai: Unit, dak_doa: Unit, third: Unit
) -> None:
    # The week ends with November: on the first of December all four are kept.
    assert actions.roll_figures(at=week.over) == len(AROUND)

    for unit in (province, ia_grai, dak_doa, third):
        for period in AROUND:
            told = stored.read(unit, period, day=period.last)
            fresh = queries.count_places(unit, period)
            assert told.counted_at == week.over
            assert told.table.ratios == fresh.ratios, (unit, period)
            assert set(told.table.places) == set(fresh.places)
    from_to = Period(date(2026, 11, 20), date(2026, 12, 1))
    assert stored.read(province, from_to, day=from_to.last).counted_at is None


def test_a_period_is_counted_again_when_a_day_of_it_was(
    week: Week, province: Unit, ia_grai: Unit
) -> None:
    actions.roll_figures(at=week.over)
    later = week.over + timedelta(hours=1)
    assert actions.roll_figures(at=later) == 0
    DayFact.objects.filter(measure="bulletins", part="").update(number=40)
    FactDay.objects.filter(day=week.days[0]).update(counted_at=later)

    assert actions.roll_figures(at=later + timedelta(minutes=1)) == len(AROUND)

    told = stored.read(province, AROUND[0], day=AROUND[0].last).table
    assert told.ratios == queries.count_places(province, AROUND[0]).ratios
    # What was written late into a register or a list of villages is seen in a day.
    assert actions.roll_figures(at=later + timedelta(hours=23)) == 0
    assert actions.roll_figures(at=later + timedelta(hours=25)) == len(AROUND)


def test_an_earlier_period_is_kept_on_the_map_of_then_and_of_today(
    old_map: Sequence[Unit], province: Unit, ia_grai: Unit, quan: Officer, now: datetime
) -> None:
    old, _west, _east, *communes = old_map
    FactDay.objects.create(day=JUNE.first, counted_at=now)
    for unit, number in zip(communes, (10, 5, 7), strict=True):
        DayFact.objects.create(
            day=JUNE.first, unit=unit, place=unit, measure="bulletins", number=number
        )

    # Four periods; the half year and year end on two maps each, as the others do.
    while actions.roll_figures(at=now):
        pass

    then = stored.read(old, JUNE, day=JUNE.last)
    today = stored.read(province, JUNE, day=stored.map_day(province, JUNE))
    assert then.counted_at == today.counted_at == now
    assert {key: one.above for key, one in then.table.ratios["bulletins"].items()} == {
        communes[0].pk: 10,
        communes[1].pk: 5,
        communes[2].pk: 7,
    }
    assert {key: one.above for key, one in today.table.ratios["bulletins"].items()} == {
        ia_grai.pk: 15,
        province.pk: 7,
    }
    trend = stored.list_trend(
        province, [JUNE.first], day=stored.map_day(province, JUNE)
    )
    assert trend["bulletins"][JUNE.first].above == 22


def test_only_whole_periods_are_kept(
    province: Unit, ia_grai: Unit, now: datetime
) -> None:
    with pytest.raises(InvalidError):
        actions.count_period(
            province=province,
            period=Period(date(2026, 11, 2), date(2026, 11, 9)),
            day=date(2026, 11, 8),
            at=now,
        )
    row = {
        "first_date": date(2026, 11, 1), "map_date": date(2025, 7, 1),
        "unit": ia_grai, "indicator": "bulletins", "above": 1, "below": 0,
        "counted_at": now,
    }  # fmt: skip
    PeriodFigure.objects.create(months=1, **row)
    for months in (1, 2):
        with pytest.raises(IntegrityError), transaction.atomic():
            PeriodFigure.objects.create(months=months, **row)

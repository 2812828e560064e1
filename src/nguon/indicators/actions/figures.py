"""Keeping the figures of whole months, quarters, half years and years."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from nguon.core.errors import InvalidError
from nguon.indicators import queries, rules, stored
from nguon.indicators.models import FactDay, PeriodFigure
from nguon.indicators.rules import Period
from nguon.territory.models import Unit

# Periods of one turn; a year of a large province takes some seconds.
MOST_PERIODS = 12
# Registers, plans and villages are put right late too: nothing is kept longer.
KEPT_FOR = timedelta(days=1)
CHUNK = 2_000


def roll_figures(*, at: datetime) -> int:
    """Count the figures of periods that are due; return how many.

    Due is a month, quarter, half year or year of which a day was counted since, and
    whatever was counted `KEPT_FOR` ago. Months come first, the latest before all.
    """
    today = timezone.localdate(at)
    changed: dict[Period, datetime] = {}
    for day, counted_at in FactDay.objects.values_list("day", "counted_at"):
        for period in rules.around(day):
            changed[period] = max(counted_at, changed.get(period, counted_at))
    keys = ("first_date", "months", "map_date")
    rows = PeriodFigure.objects.order_by().values_list(*keys)
    counted = {(a, b, c): moment for a, b, c, moment in rows.annotate(
        moment=Min("counted_at")
    )}  # fmt: skip
    due = []
    for period in sorted(changed, key=_turn):
        for day in stored.map_days(period, today=today):
            key = (period.first, rules.length_of(period), stored.map_date(day))
            moment = counted.get(key)
            if moment is None or moment < max(changed[period], at - KEPT_FOR):
                due.append((period, day))
    for period, day in due[:MOST_PERIODS]:
        for province in stored.list_tops(day=day, today=today):
            count_period(province=province, period=period, day=day, at=at)
    return len(due[:MOST_PERIODS])


def _turn(period: Period) -> tuple[int, int]:
    """Return when a period has its turn: the short before the long, the last first."""
    return (rules.length_of(period) or 0, -period.first.toordinal())


@transaction.atomic
def count_period(*, province: Unit, period: Period, day: date, at: datetime) -> int:
    """Count a whole period anew on the map of a day; return how many figures it has.

    Raises InvalidError `indicators.period` for what is no month, quarter, half year
    or year, and as `queries.count_places`.
    """
    count = rules.length_of(period)
    if count is None:
        raise InvalidError("indicators.period")
    table = queries.count_places(province, period, day=day)
    key = {
        "first_date": period.first,
        "months": count,
        "map_date": stored.map_date(day),
    }
    PeriodFigure.objects.filter(unit__path__startswith=province.path, **key).delete()
    rows = [
        PeriodFigure(
            unit_id=place,
            indicator=code,
            above=int(ratio.above),
            below=int(ratio.below),
            counted_at=at,
            **key,
        )
        for code in rules.RECIPES
        for place, ratio in table.ratios.get(code, {}).items()
    ]
    # Two who count at once write the same: the later one stands.
    PeriodFigure.objects.bulk_create(
        rows,
        batch_size=CHUNK,
        update_conflicts=True,
        unique_fields=[*key, "indicator", "unit"],
        update_fields=["above", "below", "counted_at"],
    )
    return len(rows)

"""Reads of figures that were counted ahead: whole months, quarters and years.

A map is named by its first day: the latest on which a unit above villages began or
ended. What is not kept (from-to, a period nobody has counted yet) is counted by
`queries` when it is asked for.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Max, QuerySet, Sum

from nguon.indicators import catalogue, queries, reported, rules
from nguon.indicators.models import PeriodFigure
from nguon.indicators.queries import Figure, Table
from nguon.indicators.rules import Period, Ratio
from nguon.people.queries import list_provinces
from nguon.territory.models import COMMUNE, DISTRICT, PROVINCE, Unit
from nguon.territory.queries import list_on_map

MAPPED = (PROVINCE, DISTRICT, COMMUNE)


def map_date(day: date) -> date:
    """Return since when the map of a day stands; the day itself without any unit."""
    units = Unit.objects.filter(kind__in=MAPPED)
    begun = units.filter(valid_from__lte=day).aggregate(day=Max("valid_from"))["day"]
    ended = units.filter(valid_to__lte=day).aggregate(day=Max("valid_to"))["day"]
    return max((one for one in (begun, ended) if one), default=day)


def map_days(period: Period, *, today: date) -> list[date]:
    """Return the days on whose maps a period is kept: its last, and today's map."""
    since = map_date(today)
    return [period.last] if since <= period.last else [period.last, since]


def map_day(unit: Unit, period: Period) -> date:
    """Return on which day's map a unit is asked: an earlier period, on its own first.

    A unit that ended before the period did is refused there.
    """
    return max(period.last, unit.valid_from)


def list_tops(*, day: date, today: date) -> list[Unit]:
    """Return the provinces of a day's map on the ground that is served today."""
    served = list_provinces(day=today)
    tops = {key for unit in list_on_map(served, day=day) for key in unit.ancestor_ids}
    found = Unit.objects.filter(pk__in=tops, kind=PROVINCE)
    return list(found.order_by("code", "pk"))


@dataclass(frozen=True)
class Told:
    """The figures of every place, and when they were counted; None is just now."""

    table: Table
    counted_at: datetime | None


def read(unit: Unit, period: Period, *, day: date) -> Told:
    """Return the figures of the places under a unit on the map of a day.

    Kept ones where there are; else counted now. Raises as `queries.list_figures`.
    """
    kept = _kept(period, day)
    rows = (
        list(
            kept.filter(unit__path__startswith=unit.path).values_list(
                "indicator", "unit", "above", "below", "counted_at"
            )
        )
        if kept is not None
        else []
    )
    if not rows:
        return Told(queries.count_places(unit, period, day=day), None)
    # A figure without a row is 0 everywhere, unless it waits for being told.
    kept_ratios: dict[str, dict[int, Ratio]] = {
        code: {} for code, recipe in rules.RECIPES.items() if recipe.told is None
    }
    for code, key, above, below, _at in rows:
        kept_ratios.setdefault(code, {})[key] = Ratio(above, below)
    # What units report is few and final: it is read as it stands.
    ratios = {**kept_ratios, **reported.count(unit, period, day=day)}
    communes = Unit.objects.as_of(day).under(unit).filter(kind=COMMUNE)
    places = {one.pk: one for one in communes}
    others = {key for one in ratios.values() for key in one} - set(places) | {unit.pk}
    places |= Unit.objects.in_bulk(others)
    table = Table(places, ratios, {one.pk for one in communes})
    return Told(table, min(row[-1] for row in rows))


def read_some(
    wanted: Collection[tuple[Unit, str]], period: Period, *, day: date
) -> Mapping[tuple[int, str], Figure]:
    """Return some figures of some units by unit and code, without counting anything.

    Counted ones that were not kept ahead, and what listeners are asked, are not in it.
    `day` names the map, and the units stand on it.
    """
    kept = _kept(period, day)
    codes = {code for _unit, code in wanted}
    keys = ("indicator", "unit__path", "above", "below")
    if kept is not None and kept.exists():
        rows = list(kept.filter(indicator__in=codes).values_list(*keys))
        days = queries.count_days(period)
    else:
        rows, days = [], 0
    found: dict[tuple[int, str], Figure] = {}
    for unit, code in wanted:
        one = catalogue.find(code)
        if one.source == catalogue.REPORTED:
            told = [*reported.count(unit, period, day=day).get(code, {}).values()]
        elif one.source == catalogue.COUNTED and days:
            told = [
                Ratio(above, below)
                for name, path, above, below in rows
                if name == code and path.startswith(unit.path)
            ]
        else:
            continue
        ratio = rules.roll_up(told) if told or not rules.must_tell(one) else None
        missing = rules.why_missing(one, ratio, days)
        found[unit.pk, code] = Figure(
            one, unit, period, ratio or Ratio(), missing, days
        )
    return found


def _kept(period: Period, day: date) -> QuerySet[PeriodFigure] | None:
    count = rules.length_of(period)
    if count is None:
        return None
    return PeriodFigure.objects.filter(
        first_date=period.first, months=count, map_date=map_date(day)
    ).order_by()


def list_trend(
    unit: Unit, firsts: Collection[date], *, day: date
) -> Mapping[str, Mapping[date, Ratio]]:
    """Return by indicator the kept figure of each month, on the map of a day.

    `firsts` are first days of months; a month nobody has counted is not in it.
    """
    rows = PeriodFigure.objects.filter(
        first_date__in=firsts,
        months=1,
        map_date=map_date(day),
        unit__path__startswith=unit.path,
    )
    found: dict[str, dict[date, Ratio]] = {}
    told = rows.order_by().values_list("indicator", "first_date")
    for code, first, above, below in told.annotate(a=Sum("above"), b=Sum("below")):
        found.setdefault(code, {})[first] = Ratio(above, below)
    counted = {first for one in found.values() for first in one}
    for code, recipe in rules.RECIPES.items():
        if recipe.told is None:
            mine = found.setdefault(code, {})
            for first in counted - set(mine):
                mine[first] = Ratio()
    return found

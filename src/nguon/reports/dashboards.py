"""Reads of dashboards: figures with target and trend, communes side by side.

Figures come from `indicators`, targets from `plan`. What nobody counted says why and
is never 0. A unit of today is shown on today's map, earlier periods too, unless the
map of then is asked for; ground of then is what leads wholly to the unit of today.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from nguon.indicators import catalogue, queries, rules, stored
from nguon.indicators.catalogue import COUNT, INDICATORS, Indicator
from nguon.indicators.queries import Figure, Table
from nguon.indicators.rules import Period, Ratio
from nguon.plan import rules as plans
from nguon.plan.models import Target
from nguon.reports import charts, scoring
from nguon.reports.charts import Scale, Trend
from nguon.territory.models import COMMUNE, Unit
from nguon.territory.queries import list_on_map, trace

MONTHS_SHOWN = 12
# The map that is shown until somebody chooses another.
USUAL = "devices_audible"
NOT_TOLD, NOT_REPORTED = "chưa ghi", "chưa báo cáo"
NOT_COUNTED = "chưa đếm được"
NOTHING = "không có gì để tính"


# --- one unit -----------------------------------------------------------------------


@dataclass(frozen=True)
class Card:
    """One figure with what was promised and how it went in the months before."""

    figure: Figure
    target: Decimal | None
    is_example: bool
    trend: Trend
    months: Sequence[float | None]
    compares: bool

    @property
    def reaches(self) -> bool | None:
        """Say whether the target is reached; None when that cannot be said yet."""
        value = self.figure.value
        if value is None or self.target is None or not self.compares:
            return None
        return self.figure.indicator.reaches(value, float(self.target))


@dataclass(frozen=True)
class Board:
    """All figures of a unit and period; `counted_at` is None for just now."""

    cards: Sequence[Card]
    months: Sequence[date]
    counted_days: int
    counted_at: datetime | None


def read_board(unit: Unit, period: Period) -> Board:
    """Return the dashboard of a unit for a period. Raises as `queries.list_figures`."""
    day = stored.map_day(unit, period)
    told = stored.read(unit, period, day=day)
    months = list_months(period)
    trend = stored.list_trend(unit, months, day=day)
    targets = list_targets([unit], year=period.last.year)
    figures = queries.figures_of(told.table, unit, period, day=day)
    cards = [
        _card(one, targets.get((unit.pk, one.indicator.code)), trend, months)
        for one in figures
    ]
    days = figures[0].counted_days if figures else 0
    return Board(cards, months, days, told.counted_at)


def list_months(period: Period) -> list[date]:
    """Return the first days of the twelve months up to the last of a period."""
    last = period.last.replace(day=1)
    return [rules.month_before(last, n) for n in reversed(range(MONTHS_SHOWN))]


def _card(
    figure: Figure,
    target: Target | None,
    trend: Mapping[str, Mapping[date, Ratio]],
    months: Sequence[date],
) -> Card:
    one = figure.indicator
    mine = trend.get(one.code, {})
    values = [
        rules.value_of(one, mine[month]) if month in mine else None
        for month in months
    ]  # fmt: skip
    # A year's count says nothing about one month.
    is_monthly = one.ratio != COUNT
    line = float(target.value) if target is not None and is_monthly else None
    return Card(
        figure=figure,
        target=None if target is None else target.value,
        is_example=target is not None and target.is_example,
        trend=charts.draw_trend(values, one.ratio, line),
        months=values,
        compares=is_monthly or rules.length_of(figure.period) == MONTHS_SHOWN,
    )


def list_targets(
    units: Sequence[Unit], *, year: int
) -> Mapping[tuple[int, str], Target]:
    """Return by unit and indicator what plans that were sent promise for a year.

    Where two plans do, the later one stands.
    """
    rows = Target.objects.filter(unit__in=units, year=year)
    sent = rows.exclude(plan__state=plans.DRAFT).order_by("plan__sent_at", "pk")
    return {(row.unit_id, row.indicator): row for row in sent}


# --- communes side by side ----------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """One commune: its figure or why there is none, its class and rank."""

    unit: Unit
    value: float | None
    missing: str
    level: int | None
    rank: int | None

    @property
    def said(self) -> str:
        """The figure in words."""
        return self.missing or charts.write(self.value)

    @property
    def is_drawn(self) -> bool:
        """Say whether the outline of this commune is known."""
        return charts.has_outline(self.unit.code)


@dataclass(frozen=True)
class Comparison:
    """One figure of every commune of a unit, the best first.

    `above` is what levels above communes did themselves: it is in the total too.
    """

    indicator: Indicator
    places: Sequence[Place]
    above: Sequence[Place]
    scale: Scale
    total: Figure
    counted_at: datetime | None

    @property
    def missing(self) -> int:
        """How many communes have no figure."""
        return sum(place.value is None for place in self.places)


def compare(
    unit: Unit, period: Period, code: str, *, on_map_of_then: bool = False
) -> Comparison:
    """Return one figure of all communes under a unit, on today's map or that of then.

    Raises InvalidError `indicators.unknown`, and as `queries.list_figures`.
    """
    one = catalogue.find(code)
    day = stored.map_day(unit, period)
    told = (
        _read_then(unit, period)
        if on_map_of_then
        else stored.read(unit, period, day=day)
    )
    communes = [
        place for place in told.table.places.values() if place.kind == COMMUNE
    ]  # fmt: skip
    days = queries.count_days(period)
    values = {
        place.pk: value_at(one, told.table, place, days) for place in communes
    }  # fmt: skip
    known = [value for value, _why in values.values() if value is not None]
    scale = charts.make_scale(known, one.ratio, one.unit)
    ranks = scoring.rank(
        {key: value for key, (value, _why) in values.items()},
        less=catalogue.find(code).less_is_better,
    )
    places = [
        Place(
            unit=place,
            value=(value := values[place.pk][0]),
            missing=values[place.pk][1],
            level=None if value is None else scale.level(value),
            rank=ranks.get(place.pk),
        )
        for place in communes
    ]
    places.sort(key=lambda row: (row.rank or float("inf"), row.unit.folded))
    told_above = told.table.ratios.get(code, {})
    above = [
        Place(place, *value_at(one, told.table, place, days), level=None, rank=None)
        for place in told.table.places.values()
        if place.kind != COMMUNE and place.pk in told_above
    ]
    total = next(
        figure
        for figure in queries.figures_of(told.table, unit, period, day=day)
        if figure.indicator.code == code
    )
    return Comparison(one, places, above, scale, total, told.counted_at)


def value_at(
    one: Indicator, table: Table, place: Unit, days: int
) -> tuple[float | None, str]:
    """Return the figure of one place, or why there is none."""
    ratios = table.ratios.get(one.code)
    if one.source == catalogue.REPORTED:
        if ratios is None or place.pk not in ratios:
            return None, NOT_REPORTED
    elif one.code not in rules.RECIPES or not days:
        return None, NOT_COUNTED
    elif ratios is None or (
        rules.RECIPES[one.code].told is not None and place.pk not in ratios
    ):
        return None, NOT_TOLD
    value = rules.value_of(one, ratios.get(place.pk, Ratio()))
    return (None, NOTHING) if value is None else (value, "")


def list_choices() -> list[Indicator]:
    """Return the indicators that communes can be compared by."""
    return [
        one
        for one in INDICATORS.values()
        if one.code in rules.RECIPES or one.source == catalogue.REPORTED
    ]


def has_other_map(unit: Unit, period: Period) -> bool:
    """Say whether the communes of a unit were others in that period."""
    today = stored.map_date(stored.map_day(unit, period))
    return stored.map_date(period.last) < today


def _read_then(unit: Unit, period: Period) -> stored.Told:
    """Return the figures of the communes of then that lead wholly into a unit.

    A commune that was divided between this unit and another is nobody's alone.
    """
    day = period.last
    communes = list_on_map([unit], day=day)
    ends = trace(communes, day=stored.map_day(unit, period))
    mine = {
        one.pk: one
        for one in communes
        if ends[one.pk] and all(end.path.startswith(unit.path) for end in ends[one.pk])
    }
    tops = Unit.objects.in_bulk({one.ancestor_ids[0] for one in mine.values()})
    places, moments = dict(mine), []
    ratios: dict[str, dict[int, Ratio]] = {}
    for top in tops.values():
        told = stored.read(top, period, day=day)
        moments.append(told.counted_at)
        communes_here = Unit.objects.as_of(day).under(top).filter(kind=COMMUNE)
        if all(one.pk in mine for one in communes_here):
            # All of it is here: what stands above its communes too.
            places |= told.table.places
        for code, found in told.table.ratios.items():
            kept = {key: ratio for key, ratio in found.items() if key in places}
            if kept or (code in rules.RECIPES and rules.RECIPES[code].told is None):
                ratios.setdefault(code, {}).update(kept)
    known = [moment for moment in moments if moment is not None]
    table = Table(places, ratios, set(mine))
    return stored.Told(table, min(known) if known else None)

"""Reads of figures: what was counted on some ground in some period.

Facts stay with the unit of their day; they are asked on the map of `day`, which is
the last day of the period unless somebody says otherwise.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db.models import Max, Q, QuerySet, Sum

from nguon.core.errors import InvalidError
from nguon.indicators import (
    ground,
    listening_queries,
    measures,
    reported,
    rules,
    told,
)
from nguon.indicators.catalogue import ASKED, INDICATORS, REPORTED, Indicator
from nguon.indicators.estimating import Estimate
from nguon.indicators.listening_queries import Asked
from nguon.indicators.models import (
    DayFact,
    FactDay,
    FactMonth,
    MonthFact,
    ReportedFigure,
)
from nguon.indicators.rules import Period, Ratio, Recipe, Term
from nguon.registers import queries as registers
from nguon.territory.models import COMMUNE, VILLAGE, Unit
from nguon.territory.queries import list_on_map


@dataclass(frozen=True)
class Figure:
    """One indicator of one unit in one period, with what is known of its counting.

    `missing` says why there is no value (`rules.why_missing`); `counted_days` of the
    period's days are counted. What was asked of a sample has the sample behind it; a
    reported one was reported by `told` of the `communes`.
    """

    indicator: Indicator
    unit: Unit
    period: Period
    ratio: Ratio
    missing: str
    counted_days: int
    asked: Asked | None = None
    told: int = 0
    communes: int = 0

    @property
    def value(self) -> float | None:
        """The figure in its shown unit, or None."""
        if self.missing:
            return None
        if self.estimate is not None and self.estimate.share is not None:
            return 100 * self.estimate.share
        return rules.value_of(self.indicator, self.ratio)

    @property
    def estimate(self) -> Estimate | None:
        """What a sample says, with its interval; None of what is counted."""
        return self.asked.shares[self.indicator.code] if self.asked else None


def list_figures(
    unit: Unit,
    period: Period,
    *,
    day: date | None = None,
    codes: Collection[str] = INDICATORS,
) -> list[Figure]:
    """Return indicators of a unit for a period, in the catalogue's order.

    All of them, or those of `codes`: nothing is counted for others. Raises
    InvalidError: `indicators.period`, `indicators.unit_of_then` for a unit that is
    not on the map of that day, `indicators.unit_kind` for a village.
    """
    day = day or period.last
    table = count_places(unit, period, day=day, codes=codes)
    return figures_of(table, unit, period, day=day, codes=codes)


def figures_of(
    table: "Table",
    unit: Unit,
    period: Period,
    *,
    day: date,
    codes: Collection[str] = INDICATORS,
) -> list[Figure]:
    """Return indicators as a table of places says them, in the catalogue's order."""
    days = count_days(period)
    wanted = [one for one in INDICATORS.values() if one.code in codes]
    asked = None
    if any(one.source == ASKED for one in wanted):
        asked = listening_queries.find_asked(unit, period, day=day)
    return [
        _asked_figure(one, unit, period, asked, days)
        if one.source == ASKED
        else _figure(one, unit, period, table, days)
        for one in wanted
    ]


def _asked_figure(
    one: Indicator, unit: Unit, period: Period, asked: Asked | None, days: int
) -> "Figure":
    """Return a figure of the listening sample: none, too few, or with its error."""
    if asked is None:
        return Figure(one, unit, period, Ratio(), rules.NOT_ASKED, days)
    missing = "" if asked.shares[one.code].is_enough else rules.TOO_FEW
    return Figure(one, unit, period, Ratio(), missing, days, asked)


def _figure(
    one: Indicator, unit: Unit, period: Period, table: "Table", days: int
) -> Figure:
    ratio = table.total(one.code)
    missing = rules.why_missing(one, ratio, days)
    figure = Figure(one, unit, period, ratio or Ratio(), missing, days)
    if one.source != REPORTED:
        return figure
    told_by = table.count_told(one.code)
    return replace(figure, told=told_by, communes=len(table.communes))


def count_days(period: Period) -> int:
    """Return how many days of a period are counted."""
    days = FactDay.objects.filter(day__gte=period.first, day__lt=period.after)
    return days.count()


def count_clusters(day: date) -> Mapping[int, int]:
    """Return by commune how many speakers were in use on a counted day."""
    rows = DayFact.objects.filter(day=day, measure=measures.IN_USE).order_by()
    return dict(rows.values_list("place").annotate(n=Sum("number")))


@dataclass(frozen=True)
class Table:
    """The figures of every place under a unit: code, then the place's id.

    A figure of which no place has told is not in it, nor a place that has not.

    Above the communes a place has only what cannot be told from which of them it is.
    """

    places: Mapping[int, Unit]
    ratios: Mapping[str, Mapping[int, Ratio]]
    communes: Collection[int]

    def count_told(self, code: str) -> int:
        """Return how many communes have a figure at all."""
        return len(self.ratios.get(code, {}).keys() & set(self.communes))

    def total(self, code: str) -> Ratio | None:
        """Return the roll-up of one figure; None when it is not counted at all."""
        found = self.ratios.get(code)
        return None if found is None else rules.roll_up(found.values())


def count_places(
    unit: Unit,
    period: Period,
    *,
    day: date | None = None,
    codes: Collection[str] = INDICATORS,
) -> Table:
    """Count figures for every place under a unit. Raises as `list_figures`."""
    period.check()
    day = day or period.last
    _check_unit(unit, day)
    counting = _Counting(unit, period, day)
    found = {
        code: counting.ratios(recipe)
        for code, recipe in rules.RECIPES.items()
        if code in codes
    }
    ratios: dict[str, Mapping[int, Ratio]] = {
        code: one for code, one in found.items() if one is not None
    }
    ratios |= reported.count(unit, period, day=day)
    keys = {*counting.here, *(key for one in ratios.values() for key in one)}
    return Table(Unit.objects.in_bulk(keys), ratios, counting.communes)


def _check_unit(unit: Unit, day: date) -> None:
    if unit.kind == VILLAGE:
        raise InvalidError("indicators.unit_kind", name=unit.full_name)
    if not (unit.valid_from <= day and (unit.valid_to is None or day < unit.valid_to)):
        heirs = ", ".join(one.full_name for one in list_on_map([unit], day=day)[:9])
        raise InvalidError(
            "indicators.unit_of_then",
            name=unit.full_name,
            day=f"{day:%d/%m/%Y}",
            heirs=heirs or "không có",
        )


# Measure, place, and what it comes to; None when only its parts were told.
PlaceSum = tuple[str, int, int | None]


def _by_place(rows: QuerySet[Any]) -> Iterable[PlaceSum]:
    keys = rows.values_list("measure", "place")
    yield from keys.annotate(n=Sum("number", filter=Q(part="")))


class _Counting:
    """The numbers of one unit and period, read once for all figures.

    A month whose days are added up is read as one; every other day by itself.
    """

    def __init__(self, unit: Unit, period: Period, day: date) -> None:
        self.unit, self.day = unit, day
        self._lines: dict[Term, Mapping[int, tuple[int, int]]] = {}
        self._stands: dict[int, Unit] = {}
        self.sources = _sources(period)
        counted = FactDay.objects.filter(day__gte=period.first, day__lt=period.after)
        self.last = counted.aggregate(day=Max("day"))["day"]
        self.of_last_day = DayFact.objects.filter(
            day=self.last, measure__in=measures.OF_ONE_DAY
        ).order_by()
        sums = [row for rows in self.sources for row in _by_place(rows)]
        last = list(_by_place(self.of_last_day))
        keys = {place for _measure, place, _n in (*sums, *last)}
        self.stand = {
            key: place.pk
            for key, place in ground.stand_on(keys, day=day).items()
            if place.path.startswith(unit.path)
        }
        self.sums, self.latest = self._add_up(sums), self._add_up(last)
        communes = Unit.objects.as_of(day).under(unit).filter(kind=COMMUNE)
        self.communes = set(communes.values_list("pk", flat=True))
        self.here = {*self.communes, *self.stand.values(), unit.pk}

    def _add_up(self, sums: Iterable[PlaceSum]) -> Mapping[str, Counter[int]]:
        found: dict[str, Counter[int]] = defaultdict(Counter)
        for measure, place, number in sums:
            if place in self.stand:
                found[measure][self.stand[place]] += number or 0
        return found

    def rows(self, measure: str) -> list[QuerySet[Any]]:
        """Return what was told of a measure under the unit, of months and of days."""
        return [
            rows.filter(measure=measure, place__in=self.stand) for rows in self.sources
        ]

    def ratios(self, recipe: Recipe) -> dict[int, Ratio] | None:
        """Return one figure of each place; None when none has told what it needs."""
        above = self._read(recipe.above)
        below = self._read(recipe.below) if recipe.below else {}
        keys = {*above, *below}
        if recipe.told:
            keys = set(self._read(recipe.told))
            if not keys:
                return None
        return {key: Ratio(above.get(key, 0), below.get(key, 0)) for key in keys}

    def _read(self, term: Term) -> Mapping[int, int]:
        if term.how == rules.SUM:
            return self.sums.get(term.what, {})
        if term.how == rules.LAST:
            return self.latest.get(term.what, {})
        if term.how in {rules.REGISTER, rules.TOLD}:
            return self._count_lines(term)
        if term.how == rules.PARTS:
            return self._count_parts(term.what)
        if term.how == rules.UNITS:
            return self._count_units(term.what)
        if term.what == COMMUNE:
            return dict.fromkeys(self.communes, 1)
        return ground.villages_below(self.unit, day=self.day)

    def lines(self, term: Term) -> Mapping[int, tuple[int, int]]:
        """Return by unit of its own day its place, and what is written of it."""
        if self.last is None:
            return {}
        if term not in self._lines:
            self._lines[term] = self._read_lines(term, self.last)
        return self._lines[term]

    def _read_lines(self, term: Term, day: date) -> Mapping[int, tuple[int, int]]:
        numbers = (
            registers.count_on(term.what, day)
            if term.how == rules.REGISTER
            else told.SOURCES[term.what].read(day)
        )
        # The same units tell several registers: each is looked for once.
        unknown = numbers.keys() - self._stands.keys()
        places = ground.places_of(unknown)
        stands = ground.stand_on(set(places.values()), day=self.day)
        self._stands |= {unit: stands[place] for unit, place in places.items()}
        return {
            unit: (self._stands[unit].pk, number)
            for unit, number in numbers.items()
            if self._stands[unit].path.startswith(self.unit.path)
        }

    def _count_lines(self, term: Term) -> Mapping[int, int]:
        found: Counter[int] = Counter()
        for place, n in self.lines(term).values():
            found[place] += n
        return found

    def behind(self, term: Term) -> list[tuple[int, str, int]]:
        """Return unit of the day, measure and number of a term, units once each."""
        sources = self.rows(term.what)
        if term.how == rules.LAST:
            rows = self.of_last_day.filter(measure=term.what, place__in=self.stand)
            sources = [rows]
        found: Counter[int] = Counter()
        for rows in sources:
            whole = rows if term.how == rules.PARTS else rows.filter(part="")
            found.update(dict(whole.values_list("unit").annotate(n=Sum("number"))))
        return [(unit, term.what, number) for unit, number in found.items()]

    def _count_units(self, measure: str) -> Mapping[int, int]:
        """Count units of the map with any of a measure, each once in the period."""
        if rules.COUNTED_KIND[measure] == COMMUNE:
            return dict.fromkeys(self.sums.get(measure, {}).keys() & self.communes, 1)
        on_map = Unit.objects.as_of(self.day).filter(kind=VILLAGE)
        had = {
            row
            for rows in self.rows(measure)
            for row in rows.filter(unit__in=on_map)
            .values_list("place", "unit")
            .distinct()
        }
        return Counter(self.stand[place] for place, _unit in had)

    def _count_parts(self, measure: str) -> Mapping[int, int]:
        """Count the different parts of a measure at each place."""
        parts = {
            (self.stand[place], part)
            for rows in self.rows(measure)
            for place, part in rows.values_list("place", "part").distinct()
        }
        return Counter(place for place, _part in parts)


def _sources(period: Period) -> list[QuerySet[Any]]:
    """Return the rows that a period is made of: whole months, and what is left."""
    made = FactMonth.objects.filter(
        month__in=period.whole_months, made_at__isnull=False
    )
    whole = set(made.values_list("month", flat=True))
    left = Q()
    for one in period.cut(whole):
        left |= Q(day__gte=one.first, day__lt=one.after)
    found: list[QuerySet[Any]] = []
    if whole:
        found.append(MonthFact.objects.filter(month__in=whole).order_by())
    if left:
        days = DayFact.objects.filter(left).exclude(measure__in=measures.OF_ONE_DAY)
        found.append(days.order_by())
    return found


def list_parts(
    unit: Unit, period: Period, measure: str, *, day: date | None = None
) -> Mapping[str, int]:
    """Return a measure of a unit split by its parts, as `field:3`; parts may overlap.

    Raises as `list_figures`.
    """
    period.check()
    day = day or period.last
    _check_unit(unit, day)
    found: Counter[str] = Counter()
    for rows in _Counting(unit, period, day).rows(measure):
        parts = rows.exclude(part="").values_list("part")
        found.update(dict(parts.annotate(n=Sum("number"))))
    return found


def list_behind(
    unit: Unit, period: Period, recipe: Recipe, *, day: date | None = None
) -> Sequence[tuple[Unit, str, int]]:
    """Return unit of the day, measure and number behind a figure, most first.

    What is read of the latest day only is shown of that day only. Raises as
    `list_figures`.
    """
    period.check()
    day = day or period.last
    _check_unit(unit, day)
    counting = _Counting(unit, period, day)
    rows: list[tuple[int, str, int]] = []
    for term in (recipe.above, recipe.below):
        if term is None or term.how == rules.GROUND:
            continue
        if term.how in {rules.REGISTER, rules.TOLD}:
            lines = counting.lines(term)
            rows += [(unit, term.what, n) for unit, (_place, n) in lines.items()]
            continue
        rows += counting.behind(term)
    units = Unit.objects.select_related("parent").in_bulk({row[0] for row in rows})
    found = [(units[key], measure, number) for key, measure, number in rows]
    return sorted(found, key=lambda row: (-row[2], row[0].folded, row[0].pk))


def list_reported(
    unit: Unit, period: Period, code: str, *, day: date | None = None
) -> Sequence[ReportedFigure]:
    """Return what reports told of one figure, by unit. Raises as `list_figures`."""
    period.check()
    day = day or period.last
    _check_unit(unit, day)
    standing = reported.list_standing(unit, period, day=day)
    rows = [row for _place, row in standing if row.indicator == code]
    return sorted(rows, key=lambda row: (row.unit.folded, row.pk))

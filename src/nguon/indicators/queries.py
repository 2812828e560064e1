"""Reads of figures: what was counted on some ground in some period.

Facts stay with the unit of their day; they are asked on the map of `day`, which is
the last day of the period unless somebody says otherwise.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Max, QuerySet, Sum

from nguon.core.errors import InvalidError
from nguon.indicators import ground, rules
from nguon.indicators.catalogue import INDICATORS, Indicator
from nguon.indicators.models import DayFact, FactDay
from nguon.indicators.rules import Period, Ratio, Recipe, Term
from nguon.registers import queries as registers
from nguon.territory.models import COMMUNE, VILLAGE, Unit
from nguon.territory.queries import list_on_map


@dataclass(frozen=True)
class Figure:
    """One indicator of one unit in one period, with what is known of its counting.

    `missing` says why there is no value (`rules.why_missing`); `counted_days` of the
    period's days are counted.
    """

    indicator: Indicator
    unit: Unit
    period: Period
    ratio: Ratio
    missing: str
    counted_days: int

    @property
    def value(self) -> float | None:
        """The figure in its shown unit, or None."""
        return None if self.missing else rules.value_of(self.indicator, self.ratio)


def list_figures(
    unit: Unit, period: Period, *, day: date | None = None
) -> list[Figure]:
    """Return every indicator of a unit for a period, in the catalogue's order.

    Raises InvalidError: `indicators.period`, `indicators.unit_of_then` for a unit
    that is not on the map of that day, `indicators.unit_kind` for a village.
    """
    return figures_of(count_places(unit, period, day=day), unit, period)


def figures_of(table: "Table", unit: Unit, period: Period) -> list[Figure]:
    """Return every indicator as a table of places says it, in the catalogue's order."""
    days = count_days(period)
    return [_figure(one, unit, period, table, days) for one in INDICATORS.values()]


def _figure(
    one: Indicator, unit: Unit, period: Period, table: "Table", days: int
) -> Figure:
    ratio = table.total(one.code)
    missing = rules.why_missing(one, ratio, days)
    return Figure(one, unit, period, ratio or Ratio(), missing, days)


def count_days(period: Period) -> int:
    """Return how many days of a period are counted."""
    days = FactDay.objects.filter(day__gte=period.first, day__lt=period.after)
    return days.count()


@dataclass(frozen=True)
class Table:
    """The figures of every place under a unit: code, then the place's id.

    A figure of which no place has told is not in it, nor a place that has not.

    Above the communes a place has only what cannot be told from which of them it is.
    """

    places: Mapping[int, Unit]
    ratios: Mapping[str, Mapping[int, Ratio]]

    def total(self, code: str) -> Ratio | None:
        """Return the roll-up of one figure; None when it is not counted at all."""
        found = self.ratios.get(code)
        return None if found is None else rules.roll_up(found.values())


def count_places(unit: Unit, period: Period, *, day: date | None = None) -> Table:
    """Count every figure for every place under a unit. Raises as `list_figures`."""
    period.check()
    day = day or period.last
    _check_unit(unit, day)
    counting = _Counting(unit, period, day)
    found = {code: counting.ratios(recipe) for code, recipe in rules.RECIPES.items()}
    ratios = {code: one for code, one in found.items() if one is not None}
    keys = {*counting.here, *(key for one in ratios.values() for key in one)}
    return Table(Unit.objects.in_bulk(keys), ratios)


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


class _Counting:
    """The day's numbers of one unit and period, read once for all figures."""

    def __init__(self, unit: Unit, period: Period, day: date) -> None:
        self.unit, self.day = unit, day
        self.rows = DayFact.objects.filter(
            day__gte=period.first, day__lt=period.after
        ).order_by()
        keys = set(self.rows.values_list("place", flat=True).distinct())
        stands = ground.stand_on(keys, day=day)
        self.stand = {
            key: place.pk
            for key, place in stands.items()
            if place.path.startswith(unit.path)
        }
        self.rows = self.rows.filter(place__in=self.stand)
        self.communes = set(
            Unit.objects.as_of(day)
            .under(unit)
            .filter(kind=COMMUNE)
            .values_list("pk", flat=True)
        )
        self.here = {*self.communes, *self.stand.values(), unit.pk}
        latest = FactDay.objects.filter(day__gte=period.first, day__lt=period.after)
        self.last = latest.aggregate(day=Max("day"))["day"]
        self.sums = self._add_up(self.rows)
        self.latest = self._add_up(self.rows.filter(day=self.last))

    def _add_up(self, rows: QuerySet[DayFact]) -> Mapping[str, Counter[int]]:
        found: dict[str, Counter[int]] = defaultdict(Counter)
        told = rows.filter(part="").values_list("measure", "place")
        for measure, place, number in told.annotate(n=Sum("number")):
            found[measure][self.stand[place]] += number
        return found

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
        if term.how == rules.REGISTER:
            return self._count_lines(term.what)
        if term.how == rules.PARTS:
            return self._count_parts(term.what)
        if term.how == rules.UNITS:
            return self._count_units(term.what)
        if term.what == COMMUNE:
            return dict.fromkeys(self.communes, 1)
        return ground.below(self.unit, day=self.day, kind=term.what)

    def lines(self, what: str) -> Mapping[int, tuple[int, int]]:
        """Return by unit of its own day its place, and the lines that stand there."""
        if self.last is None:
            return {}
        told = registers.count_on(what, self.last)
        places = ground.places_of(told.keys())
        stands = ground.stand_on(set(places.values()), day=self.day)
        here = {unit: stands[place] for unit, place in places.items()}
        return {
            unit: (place.pk, told[unit])
            for unit, place in here.items()
            if place.path.startswith(self.unit.path)
        }

    def _count_lines(self, what: str) -> Mapping[int, int]:
        found: Counter[int] = Counter()
        for place, n in self.lines(what).values():
            found[place] += n
        return found

    def _count_units(self, measure: str) -> Mapping[int, int]:
        """Count units of the map with any of a measure, each once in the period."""
        rows = self.rows.filter(measure=measure)
        if rules.COUNTED_KIND[measure] == COMMUNE:
            had = {self.stand[key] for key in rows.values_list("place", flat=True)}
            return dict.fromkeys(had & self.communes, 1)
        on_map = Unit.objects.as_of(self.day).filter(kind=VILLAGE)
        counted = rows.filter(unit__in=on_map).values_list("place")
        found: Counter[int] = Counter()
        for place, n in counted.annotate(n=Count("unit", distinct=True)):
            found[self.stand[place]] += n
        return found

    def _count_parts(self, measure: str) -> Mapping[int, int]:
        """Count the different parts of a measure at each place."""
        parts: dict[int, set[str]] = defaultdict(set)
        rows = self.rows.filter(measure=measure)
        for place, part in rows.values_list("place", "part").distinct():
            parts[self.stand[place]].add(part)
        return {key: len(found) for key, found in parts.items()}


def list_parts(
    unit: Unit, period: Period, measure: str, *, day: date | None = None
) -> Mapping[str, int]:
    """Return a measure of a unit split by its parts, as `field:3`; parts may overlap.

    Raises as `list_figures`.
    """
    period.check()
    day = day or period.last
    _check_unit(unit, day)
    rows = _Counting(unit, period, day).rows.filter(measure=measure).exclude(part="")
    return dict(rows.values_list("part").annotate(n=Sum("number")))


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
    told: list[tuple[int, str, int]] = []
    for term in (recipe.above, recipe.below):
        if term is None or term.how == rules.GROUND:
            continue
        if term.how == rules.REGISTER:
            lines = counting.lines(term.what)
            told += [(unit, term.what, n) for unit, (_place, n) in lines.items()]
            continue
        rows = counting.rows.filter(measure=term.what)
        if term.how == rules.LAST:
            rows = rows.filter(day=counting.last)
        if term.how != rules.PARTS:
            rows = rows.filter(part="")
        told += rows.values_list("unit", "measure").annotate(n=Sum("number"))
    units = Unit.objects.select_related("parent").in_bulk({row[0] for row in told})
    found = [(units[key], measure, number) for key, measure, number in told]
    return sorted(found, key=lambda row: (-row[2], row[0].folded, row[0].pk))

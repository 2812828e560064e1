"""How a figure is made of the day's numbers, and how figures of units roll up.

Tables and plain functions; no database, no clock.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from nguon.core.errors import InvalidError
from nguon.indicators import catalogue, measures
from nguon.indicators.catalogue import COUNT, SHARE, Indicator
from nguon.indicators.told import RUNNING_COST
from nguon.registers import counts as registers

# How a measure is read over a period.
SUM = "sum"  # of all days
LAST = "last"  # of the latest counted day
UNITS = "units"  # how many units of the map had any
PARTS = "parts"  # how many different parts there were
GROUND = "ground"  # how many units of this kind the map has
REGISTER = "register"  # lines of a register that stand on the latest counted day
TOLD = "told"  # what a room above tells of the latest counted day

LONGEST_DAYS = 3_700
THOUSAND = 1_000
TENTH, CENT = Decimal("0.1"), Decimal("0.01")
# How many months the periods have whose figures are kept: month to year.
LENGTHS = (1, 3, 6, 12)


@dataclass(frozen=True)
class Period:
    """The local days `[first, after)`."""

    first: date
    after: date

    @property
    def last(self) -> date:
        """The last day."""
        return self.after - timedelta(days=1)

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.after - self.first).days

    def check(self) -> None:
        """Refuse what is no period, or one of more than ten years. InvalidError."""
        if not 0 < self.days <= LONGEST_DAYS:
            raise InvalidError("indicators.period")

    def cut(self, whole: Collection[date]) -> list["Period"]:
        """Return what is left of it when these months (their first days) are out."""
        left, first = [], self.first
        for month in sorted(whole):
            left.append(Period(first, month))
            first = months(month.year, month.month, 1).after
        left.append(Period(first, self.after))
        return [one for one in left if one.days > 0]

    @property
    def whole_months(self) -> list[date]:
        """The first days of the months that lie in it as a whole."""
        found, month = [], self.first.replace(day=1)
        while (after := months(month.year, month.month, 1).after) <= self.after:
            found += [month] if month >= self.first else []
            month = after
        return found


def months(year: int, first: int, count: int) -> Period:
    """Return `count` whole months from the month `first` (1 to 12) of a year."""
    end = first - 1 + count
    return Period(date(year, first, 1), date(year + end // 12, end % 12 + 1, 1))


def length_of(period: Period) -> int | None:
    """Return how many months a whole month, quarter, half year or year has."""
    first = period.first
    for count in LENGTHS:
        if (first.month - 1) % count == 0 and months(
            first.year, first.month, count
        ) == period:
            return count
    return None


def around(day: date) -> list[Period]:
    """Return the month, quarter, half year and year that a day lies in."""
    return [
        months(day.year, (day.month - 1) // count * count + 1, count)
        for count in LENGTHS
    ]


def month_before(first: date, count: int) -> date:
    """Return the first day of the month `count` months before one."""
    number = first.year * 12 + first.month - 1 - count
    return date(number // 12, number % 12 + 1, 1)


@dataclass(frozen=True)
class Term:
    """One number of a figure: a measure, or a kind of unit, and how it is read."""

    how: str
    what: str


@dataclass(frozen=True)
class Recipe:
    """Numerator over denominator; `scale` base units make one unit that is shown.

    `told` counts what a place must have told of before it has a figure at all.
    """

    above: Term
    below: Term | None = None
    scale: int = 1
    told: Term | None = None


COST = Term(TOLD, RUNNING_COST)
STAFF_TOLD = Term(REGISTER, registers.STAFF_TOLD)
RECIPES: Mapping[str, Recipe] = {
    "communes_sounding": Recipe(Term(UNITS, measures.SOUNDED), Term(GROUND, "commune")),
    "villages_covered": Recipe(
        Term(UNITS, measures.VILLAGE_AUDIBLE), Term(GROUND, "village")
    ),
    "communes_with_board": Recipe(
        Term(UNITS, measures.BOARD_LIT), Term(GROUND, "commune")
    ),
    "portals_alive": Recipe(Term(UNITS, measures.PAGE_NEWS), Term(GROUND, "commune")),
    "suppliers": Recipe(Term(PARTS, measures.SUPPLIED)),
    "bulletins": Recipe(Term(SUM, measures.BULLETINS)),
    "minutes_planned": Recipe(Term(SUM, measures.PLANNED_MS), scale=60_000),
    "minutes_played": Recipe(Term(SUM, measures.PLAYED_MS), scale=60_000),
    "devices_audible": Recipe(
        Term(LAST, measures.AUDIBLE), Term(LAST, measures.IN_USE)
    ),
    "repair_hours": Recipe(
        Term(SUM, measures.REPAIR_S), Term(SUM, measures.REPAIRS), scale=3_600
    ),
    "alert_seconds": Recipe(
        Term(SUM, measures.ALERT_MS), Term(SUM, measures.ALERT_SOUNDED), scale=1_000
    ),
    "alert_sounded": Recipe(
        Term(SUM, measures.ALERT_SOUNDED), Term(SUM, measures.ALERT_DUE)
    ),
    "staff": Recipe(Term(REGISTER, registers.STAFF), told=STAFF_TOLD),
    "staff_trained": Recipe(
        Term(REGISTER, registers.STAFF_TRAINED),
        Term(REGISTER, registers.STAFF),
        told=STAFF_TOLD,
    ),
    "propagandists": Recipe(
        Term(REGISTER, registers.PROPAGANDISTS),
        told=Term(REGISTER, registers.PROPAGANDISTS_TOLD),
    ),
    "other_stations": Recipe(
        Term(REGISTER, registers.OTHER_STATIONS),
        told=Term(REGISTER, registers.STATIONS_TOLD),
    ),
    "cluster_cost": Recipe(COST, Term(LAST, measures.AUDIBLE), told=COST),
}
# The level whose units a distinct count counts.
COUNTED_KIND = {
    measures.SOUNDED: "commune",
    measures.BOARD_LIT: "commune",
    measures.PAGE_NEWS: "commune",
    measures.VILLAGE_AUDIBLE: "village",
}


@dataclass(frozen=True)
class Ratio:
    """A numerator and its denominator in base units; a count has no denominator.

    What is counted is whole; what a unit reported may have decimals.
    """

    above: int | Decimal = 0
    below: int | Decimal = 0


def roll_up(ratios: Iterable[Ratio]) -> Ratio:
    """Return the figure of several units: sums over sums, never a mean of shares."""
    above: int | Decimal = 0
    below: int | Decimal = 0
    for ratio in ratios:
        above += ratio.above
        below += ratio.below
    return Ratio(above, below)


def value_of(one: Indicator, ratio: Ratio) -> float | None:
    """Return a figure in its shown unit; None when there is nothing to divide by."""
    scale = RECIPES[one.code].scale if one.code in RECIPES else 1
    if one.ratio == COUNT:
        return float(ratio.above / scale)
    if not ratio.below:
        return None
    if one.ratio == SHARE:
        return float(100 * ratio.above / ratio.below)
    return float(ratio.above / ratio.below / scale)


def shown(value: float | Decimal) -> Decimal:
    """Return a figure as every page and file shows it, rounded once from the exact one.

    One decimal, halves up; from a thousand on whole.
    """
    exact = Decimal(str(value))
    step = TENTH if abs(exact) < THOUSAND else Decimal(1)
    return exact.quantize(step, ROUND_HALF_UP)


def cell(value: float | Decimal) -> str:
    """Write a number for a table file: 1234,5; two decimals at most."""
    text = f"{Decimal(str(value)).quantize(CENT, ROUND_HALF_UP):f}"
    return text.rstrip("0").rstrip(".").replace(".", ",")


def must_tell(one: Indicator) -> bool:
    """Say whether a place without this figure has not told it, and so has no 0."""
    if one.source == catalogue.REPORTED:
        return True
    return one.code in RECIPES and RECIPES[one.code].told is not None


# Why a figure has no value.
NOTHING = "nothing"
NO_FACTS = "no_facts"
NO_DAYS = "no_days"
NOT_TOLD = "not_told"
NOT_REPORTED = "not_reported"
# Of a listening sample: there is none, or too few have answered.
NOT_ASKED = "not_asked"
TOO_FEW = "too_few"


def why_missing(one: Indicator, ratio: Ratio | None, counted_days: int) -> str:
    """Return why a figure has no value, or nothing when it has one.

    What cannot be counted is never 0: no facts at all (`NO_FACTS`), no counted day
    in the period (`NO_DAYS`), an empty register (`NOT_TOLD`), no accepted report
    (`NOT_REPORTED`), nothing to divide by (`NOTHING`).
    """
    if one.source == catalogue.REPORTED and ratio is None:
        return NOT_REPORTED
    if one.source == catalogue.REPORTED and ratio is not None:
        return NOTHING if value_of(one, ratio) is None else ""
    if one.source != catalogue.COUNTED or one.code not in RECIPES:
        return NO_FACTS
    if not counted_days:
        return NO_DAYS
    if ratio is None:
        return NOT_TOLD
    return NOTHING if value_of(one, ratio) is None else ""

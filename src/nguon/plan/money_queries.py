"""Reads of targets and money; a unit sees its own, the keeper all of a plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet, Sum

from nguon.core.errors import AbsentError
from nguon.indicators import queries as indicators
from nguon.indicators import rules as figures
from nguon.indicators import stored
from nguon.indicators.queries import Figure
from nguon.people import access as people
from nguon.people.models import Officer
from nguon.plan import access, money, rules
from nguon.plan.models import ActionPlan, FundingLine, RunningCost, Target
from nguon.territory.models import COMMUNE, Unit
from nguon.territory.names import fold

AnyRow = TypeVar("AnyRow", bound=Model)


def _fence(
    rows: QuerySet[AnyRow], plan: ActionPlan, officer: Officer, *, at: datetime
) -> QuerySet[AnyRow]:
    found = rows.filter(plan=plan)
    if access.sees_whole(officer, plan, at=at):
        return found
    return people.fence(found, officer=officer, at=at)


def _search(rows: QuerySet[AnyRow], asked: Mapping[str, str]) -> QuerySet[AnyRow]:
    for word in fold(asked.get("tim", "").replace("\0", "")).split():
        rows = rows.filter(Q(unit__folded__contains=word))
    year = asked.get("nam", "")
    if year.isascii() and year.isdecimal():
        rows = rows.filter(year=int(year[:4]))
    return rows


def list_targets(
    plan: ActionPlan, officer: Officer, asked: Mapping[str, str], *, at: datetime
) -> QuerySet[Target]:
    """Return targets by indicator, year and unit. `asked`: `tim`, `nam`, `chi_tieu`."""
    found = _search(_fence(Target.objects.all(), plan, officer, at=at), asked)
    if asked.get("chi_tieu"):
        found = found.filter(indicator=asked["chi_tieu"][:40])
    order = ("indicator", "year", "unit__path", "unit__folded", "pk")
    return found.select_related("unit").order_by(*order)


@dataclass(frozen=True)
class Reached:
    """A target beside what was counted or reported for its year so far.

    `figure` is None for a year to come, a unit that was merged away before the year
    was over, what only listeners tell, and what nobody has counted ahead yet.
    """

    target: Target
    figure: Figure | None

    @property
    def reaches(self) -> bool | None:
        """Say whether it is reached; None when that cannot be said."""
        if self.figure is None or self.figure.value is None:
            return None
        promised = float(self.target.value)
        return self.figure.indicator.reaches(self.figure.value, promised)


def list_reached(rows: Sequence[Target], *, today: date) -> list[Reached]:
    """Return targets with the figures of their years, in the order given."""
    found: dict[tuple[int, int, str], Figure] = {}
    for year in {row.year for row in rows if row.year <= today.year}:
        period = figures.months(year, 1, 12)
        of_day: dict[date, list[tuple[Unit, str]]] = {}
        for row in rows:
            day = stored.map_day(row.unit, period)
            if row.year == year and access.is_on_map(row.unit, day):
                of_day.setdefault(day, []).append((row.unit, row.indicator))
        for day, wanted in of_day.items():
            told = stored.read_some(wanted, period, day=day)
            found |= {(year, *key): figure for key, figure in told.items()}
    return [
        Reached(row, found.get((row.year, row.unit_id, row.indicator))) for row in rows
    ]


def list_funding(
    plan: ActionPlan, officer: Officer, asked: Mapping[str, str], *, at: datetime
) -> QuerySet[FundingLine]:
    """Return lines of money by year and unit. `asked`: `tim`, `nam`, `nguon`."""
    found = _search(_fence(FundingLine.objects.all(), plan, officer, at=at), asked)
    if asked.get("nguon") in money.SOURCES:
        found = found.filter(source=asked["nguon"])
    order = ("-year", "unit__path", "source", "purpose", "pk")
    return found.select_related("unit").order_by(*order)


@dataclass(frozen=True)
class Purse:
    """One source: how much there is and how much of it is spent, in đồng."""

    name: str
    amount: int
    spent: int

    @property
    def left(self) -> int:
        """Return what is not spent yet."""
        return self.amount - self.spent


def list_purses(found: QuerySet[FundingLine]) -> list[Purse]:
    """Return the sums of lines by source, in the order of the law."""
    rows = found.order_by("source").values("source")
    sums: dict[str, Any] = {
        row["source"]: row
        for row in rows.annotate(amount_sum=Sum("amount"), spent_sum=Sum("spent"))
    }
    return [
        Purse(name, sums[code]["amount_sum"], sums[code]["spent_sum"])
        for code, name in money.SOURCES.items()
        if code in sums
    ]


def list_running_costs(
    plan: ActionPlan, officer: Officer, asked: Mapping[str, str], *, at: datetime
) -> QuerySet[RunningCost]:
    """Return what running costs by year and unit."""
    found = _search(_fence(RunningCost.objects.all(), plan, officer, at=at), asked)
    return found.select_related("unit").order_by("-year", "unit__path", "pk")


def count_running_costs(day: date) -> dict[int, int]:
    """Return by commune what its station and clusters cost in a day's year, in đồng.

    Plans that were sent down count; what was set last stands. There are as many
    clusters as were in use that day. What was written for a unit above the communes,
    or for one of another map, cannot be told apart by them and is left out.
    """
    rows = RunningCost.objects.filter(
        year=day.year, unit__in=Unit.objects.as_of(day).filter(kind=COMMUNE)
    ).exclude(plan__state=rules.DRAFT)
    prices = {row.unit_id: row for row in rows.order_by("set_at", "pk")}
    clusters = indicators.count_clusters(day)
    return {
        unit: row.per_station + row.per_cluster * clusters.get(unit, 0)
        for unit, row in prices.items()
    }


def access_funding(
    plan: ActionPlan, officer: Officer, uid: str, *, at: datetime
) -> FundingLine:
    """Return a line that this officer may see. Raises AbsentError."""
    found = list_funding(plan, officer, {}, at=at).filter(uid=uid).first()
    if found is None:
        raise AbsentError("plan.funding_absent")
    return found

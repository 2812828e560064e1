"""Reads of the evaluation score: which sheets, and what each commune comes to.

A unit sees its own score by a published sheet; who keeps the sheet sees all of them,
ranked, and everybody only once the results are shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from nguon.core.errors import AbsentError
from nguon.indicators import catalogue, queries, rules, stored
from nguon.indicators.catalogue import Indicator
from nguon.people import access as people
from nguon.people.models import Officer
from nguon.reports import dashboards, scoring
from nguon.reports.models import ScoreLine, ScoreResult, ScoreSheet
from nguon.reports.scoring import Part, Score
from nguon.territory.models import COMMUNE, Unit

NO_TARGET = "chưa có chỉ tiêu"


def fence_sheets(officer: Officer, *, at: datetime) -> QuerySet[ScoreSheet]:
    """Keep an officer's own sheets, and published ones of units above."""
    rows = ScoreSheet.objects.all()
    own = people.fence(rows, officer=officer, at=at)
    above = {
        key
        for unit in people.units_of(officer, at=at)
        for key in unit.ancestor_ids
    }  # fmt: skip
    over_us = Q(unit__in=above, state=scoring.PUBLISHED)
    return rows.filter(Q(pk__in=own.values("pk")) | over_us)


def list_sheets(officer: Officer, *, at: datetime) -> QuerySet[ScoreSheet]:
    """Return the sheets an officer sees, the latest year first."""
    found = fence_sheets(officer, at=at).select_related("unit")
    return found.order_by("-year", "unit__path", "pk")


def access_sheet(officer: Officer, uid: str, *, at: datetime) -> ScoreSheet:
    """Return a sheet that this officer may see. Raises AbsentError."""
    found = fence_sheets(officer, at=at).filter(uid=uid).select_related(
        "unit", "changed_by", "published_by", "shown_by"
    )  # fmt: skip
    sheet = found.first()
    if sheet is None:
        raise AbsentError("reports.sheet_absent")
    return sheet


@dataclass(frozen=True)
class Scored:
    """One commune, what it comes to, and its rank when enough could be assessed."""

    unit: Unit
    score: Score
    rank: int | None


def score_communes(sheet: ScoreSheet) -> list[Scored]:
    """Return every commune under a sheet's unit, the best first, then the unranked."""
    period = rules.months(sheet.year, 1, 12)
    day = stored.map_day(sheet.unit, period)
    told = stored.read(sheet.unit, period, day=day)
    days = queries.count_days(period)
    communes = [
        place for place in told.table.places.values() if place.kind == COMMUNE
    ]  # fmt: skip
    targets = dashboards.list_targets(communes, year=sheet.year)
    lines = list(sheet.lines.order_by("-weight", "indicator"))

    def part(line: ScoreLine, place: Unit) -> Part:
        one = catalogue.find(line.indicator)
        value, why = dashboards.value_at(one, told.table, place, days)
        own = targets.get((place.pk, line.indicator))
        target = line.full_at
        if target is None and own is not None:
            target = own.value
        missing = why or (NO_TARGET if target is None else "")
        full = None if target is None else float(target)
        return Part(one, line.weight, value, full, missing)

    scores = {
        place.pk: Score([part(line, place) for line in lines]) for place in communes
    }
    ranks = scoring.rank_scores(scores, least=sheet.least_covered)
    found = [
        Scored(place, scores[place.pk], ranks.get(place.pk)) for place in communes
    ]  # fmt: skip
    return sorted(found, key=_order)


def _order(row: Scored) -> tuple[float, str, int]:
    return (row.rank or float("inf"), row.unit.folded, row.unit.pk)


def find_scored(
    officer: Officer, sheet: ScoreSheet, uid: str, *, at: datetime
) -> Scored:
    """Return what one commune of an officer's ground comes to. Raises AbsentError."""
    unit = people.access_unit(officer, uid, at=at)
    for row in score_communes(sheet):
        if row.unit.pk == unit.pk:
            return row
    raise AbsentError("people.not_your_ground")


def list_own(officer: Officer, sheet: ScoreSheet, *, at: datetime) -> list[Scored]:
    """Return the communes of an officer's ground; all of a keeper's sheet."""
    paths = people.paths_of(officer, at=at)
    return [
        row
        for row in score_communes(sheet)
        if any(row.unit.path.startswith(path) for path in paths)
    ]


def list_lines(sheet: ScoreSheet) -> list[tuple[Indicator, ScoreLine]]:
    """Return the lines of a sheet with their indicators, the heaviest first."""
    rows = sheet.lines.order_by("-weight", "indicator")
    return [(catalogue.find(line.indicator), line) for line in rows]


def list_results(sheet: ScoreSheet) -> Sequence[ScoreResult]:
    """Return the results as they were shown to everybody, the best first."""
    rows = sheet.results.select_related("unit")
    return sorted(rows, key=lambda row: (row.rank or 10**6, row.unit.folded, row.pk))

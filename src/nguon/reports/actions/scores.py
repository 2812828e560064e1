"""A score sheet is drafted, published by another person, its results shown."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from nguon.audit import actions as audit
from nguon.core.errors import (
    AbsentError,
    ConflictError,
    InvalidError,
    RefusedError,
)
from nguon.people import access as people
from nguon.people.models import APPROVER, AUTHOR, Officer
from nguon.reports import score_queries, scoring
from nguon.reports.models import ScoreLine, ScoreResult, ScoreSheet
from nguon.reports.scoring import LineWords
from nguon.territory.models import COMMUNE, VILLAGE, Unit

EARLIEST = 2020


@transaction.atomic
def draft_sheet(*, unit: Unit, year: int, by: Officer, at: datetime) -> ScoreSheet:
    """Begin the sheet of a year; it takes over the lines of the year before it.

    Raises InvalidError (`reports.sheet_unit`, `reports.sheet_year`), ConflictError
    `reports.sheet_twice`, NoRightError, AbsentError.
    """
    people.check_can(by, AUTHOR, unit=unit, at=at)
    if unit.kind in (COMMUNE, VILLAGE):
        raise InvalidError("reports.sheet_unit")
    latest = timezone.localdate(at).year + 1
    if not EARLIEST <= year <= latest:
        raise InvalidError("reports.sheet_year", first=EARLIEST, last=latest)
    if ScoreSheet.objects.filter(unit=unit, year=year).exists():
        raise ConflictError("reports.sheet_twice", year=year)
    earlier = ScoreSheet.objects.filter(unit=unit, year__lt=year).order_by("-year")
    before = earlier.first()
    sheet = ScoreSheet.objects.create(
        unit=unit,
        year=year,
        least_covered=before.least_covered if before else scoring.LEAST_COVERED,
        changed_by=by,
        changed_at=at,
    )
    if before is not None:
        ScoreLine.objects.bulk_create(
            ScoreLine(
                sheet=sheet,
                indicator=line.indicator,
                weight=line.weight,
                full_at=line.full_at,
            )
            for line in before.lines.order_by("pk")
        )
    audit.record("reports.sheet.drafted", target=sheet, by=by, at=at)
    return sheet


@transaction.atomic
def write_sheet(
    *,
    sheet_id: int,
    lines: Collection[LineWords],
    least_covered: int,
    by: Officer,
    at: datetime,
) -> ScoreSheet:
    """Write the lines of a draft anew; an unfinished one need not be 100 yet.

    Raises ConflictError `reports.sheet_locked`, InvalidError (`reports.weights_sum`
    beyond 100, `reports.least_covered`, those of `scoring.check_line`), NoRightError.
    """
    sheet = _lock(sheet_id)
    people.check_can(by, AUTHOR, unit=sheet.unit, at=at)
    _check_draft(sheet)
    if not 1 <= least_covered <= scoring.FULL:
        raise InvalidError("reports.least_covered", full=scoring.FULL)
    for line in lines:
        scoring.check_line(line.indicator, line.weight, line.full_at)
    total = sum(line.weight for line in lines)
    if total > scoring.FULL:
        raise InvalidError("reports.weights_sum", total=total, full=scoring.FULL)
    sheet.lines.all().delete()
    ScoreLine.objects.bulk_create(
        ScoreLine(
            sheet=sheet,
            indicator=line.indicator,
            weight=line.weight,
            full_at=line.full_at,
        )
        for line in lines
    )
    sheet.least_covered = least_covered
    sheet.changed_by, sheet.changed_at = by, at
    sheet.save(update_fields=["least_covered", "changed_by", "changed_at"])
    audit.record(
        "reports.sheet.written",
        target=sheet,
        by=by,
        at=at,
        data={line.indicator: line.weight for line in lines},
    )
    return sheet


@transaction.atomic
def publish_sheet(*, sheet_id: int, by: Officer, at: datetime) -> ScoreSheet:
    """Lock a sheet and show its weights to everybody it scores, and the public.

    Raises ConflictError `reports.sheet_locked`, InvalidError `reports.weights_sum`,
    RefusedError `reports.own_sheet` for who changed it last, NoRightError.
    """
    sheet = _lock(sheet_id)
    people.check_can(by, APPROVER, unit=sheet.unit, at=at)
    _check_draft(sheet)
    scoring.check_whole(sheet.lines.values_list("weight", flat=True))
    if sheet.changed_by_id == by.pk:
        raise RefusedError("reports.own_sheet")
    sheet.state = scoring.PUBLISHED
    sheet.published_by, sheet.published_at = by, at
    sheet.save(update_fields=["state", "published_by", "published_at"])
    audit.record("reports.sheet.published", target=sheet, by=by, at=at)
    return sheet


@transaction.atomic
def show_results(*, sheet_id: int, by: Officer, at: datetime) -> ScoreSheet:
    """Open the results of a year that is over to everybody; they stand from then on.

    Raises ConflictError (`reports.sheet_draft`, `reports.results_shown`), RefusedError
    `reports.year_running`, NoRightError.
    """
    sheet = _lock(sheet_id)
    people.check_can(by, APPROVER, unit=sheet.unit, at=at)
    if sheet.is_draft:
        raise ConflictError("reports.sheet_draft")
    if sheet.shown_at is not None:
        raise ConflictError("reports.results_shown")
    if timezone.localdate(at).year <= sheet.year:
        raise RefusedError("reports.year_running", year=sheet.year)
    ScoreResult.objects.bulk_create(
        ScoreResult(
            sheet=sheet,
            unit=row.unit,
            points=row.score.points,
            covered=row.score.covered,
            rank=row.rank,
        )
        for row in score_queries.score_communes(sheet)
    )
    sheet.shown_by, sheet.shown_at = by, at
    sheet.save(update_fields=["shown_by", "shown_at"])
    audit.record("reports.results.shown", target=sheet, by=by, at=at)
    return sheet


def _lock(sheet_id: int) -> ScoreSheet:
    rows = ScoreSheet.objects.select_for_update(of=("self",)).select_related("unit")
    sheet = rows.filter(pk=sheet_id).first()
    if sheet is None:
        raise AbsentError("reports.sheet_absent")
    return sheet


def _check_draft(sheet: ScoreSheet) -> None:
    if not sheet.is_draft:
        raise ConflictError("reports.sheet_locked")

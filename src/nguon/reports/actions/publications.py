"""Figures are published by an approver, and withdrawn with a reason."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from nguon.audit import actions as audit
from nguon.core.errors import AbsentError, ConflictError, InvalidError, RefusedError
from nguon.indicators.rules import Period as Days
from nguon.people import access as people
from nguon.people.models import APPROVER, Officer
from nguon.plan.rules import clean
from nguon.reports import open_queries, opening
from nguon.reports.models import Publication, PublishedFigure
from nguon.territory.models import COMMUNE, VILLAGE, Unit


@transaction.atomic
def publish_figures(
    *, unit: Unit, days: Days, codes: Collection[str], by: Officer, at: datetime
) -> Publication:
    """Give figures of a period that is over to everybody, as they stand now.

    Raises InvalidError (`reports.publish_unit`, `reports.publish_nothing`,
    `indicators.…`), RefusedError (`reports.publish_early`,
    `reports.publish_uncounted`),
    ConflictError `reports.published_twice`, NoRightError, AbsentError.
    """
    people.check_can(by, APPROVER, unit=unit, at=at)
    if unit.kind in (COMMUNE, VILLAGE):
        raise InvalidError("reports.publish_unit")
    days.check()
    if not codes:
        raise InvalidError("reports.publish_nothing")
    if days.after > timezone.localdate(at):
        raise RefusedError("reports.publish_early")
    if open_queries.find_standing(unit, days) is not None:
        raise ConflictError("reports.published_twice")
    drafted = open_queries.draft(unit, days, codes)
    if not drafted.counted_days:
        raise RefusedError("reports.publish_uncounted")
    row = Publication.objects.create(
        unit=unit,
        first_date=days.first,
        after_date=days.after,
        counted_days=drafted.counted_days,
        published_by=by,
        published_at=at,
    )
    PublishedFigure.objects.bulk_create(
        PublishedFigure(
            publication=row,
            unit=place,
            indicator=one.code,
            above=line.above,
            below=line.below,
            missing=line.missing,
        )
        for one, place, line in drafted.lines
    )
    audit.record(
        "reports.figures.published",
        target=row,
        by=by,
        at=at,
        data={"indicators": sorted(codes), "lines": len(drafted.lines)},
    )
    return row


@transaction.atomic
def withdraw_figures(
    *, publication_id: int, reason: str, by: Officer, at: datetime
) -> Publication:
    """Take published figures back; the reason stays where they were.

    Raises ConflictError `reports.withdrawn`, InvalidError `plan.words_…`, NoRightError.
    """
    rows = Publication.objects.select_for_update(of=("self",)).select_related("unit")
    row = rows.filter(pk=publication_id).first()
    if row is None:
        raise AbsentError("reports.publication_absent")
    people.check_can(by, APPROVER, unit=row.unit, at=at)
    if row.withdrawn_at is not None:
        raise ConflictError("reports.withdrawn")
    row.reason = clean(reason, most=opening.MAX_REASON, what="lý do")
    row.withdrawn_by, row.withdrawn_at = by, at
    row.save(update_fields=["reason", "withdrawn_by", "withdrawn_at"])
    audit.record("reports.figures.withdrawn", target=row, by=by, at=at)
    return row

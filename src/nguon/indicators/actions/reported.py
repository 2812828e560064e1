"""Taking what units reported, and withdrawing it; nothing is ever changed."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from nguon.audit import actions as audit
from nguon.core.errors import InvalidError
from nguon.indicators import catalogue
from nguon.indicators.models import ReportedFigure
from nguon.indicators.rules import Period
from nguon.people.models import Officer
from nguon.territory.models import Unit


@transaction.atomic
def record_reported(
    *,
    submission: str,
    unit: Unit,
    period: Period,
    figures: Mapping[str, tuple[Decimal, Decimal | None]],
    by: Officer,
    at: datetime,
) -> int:
    """Take the figures of an accepted report, by their codes; return how many.

    Those that stood from the same report before are withdrawn. Raises InvalidError:
    `indicators.period`, `indicators.unknown`, `indicators.not_reported` for what the
    system counts itself, `indicators.unit_of_then` when the unit did not exist then.
    """
    period.check()
    last = period.last
    if not Unit.objects.as_of(last).filter(pk=unit.pk).exists():
        raise InvalidError(
            "indicators.unit_of_then",
            name=unit.full_name,
            day=f"{last:%d/%m/%Y}",
            heirs="không có",
        )
    _withdraw(submission, by=by, at=at)
    rows = [
        _reported(catalogue.find(code), above, below)
        for code, (above, below) in figures.items()
    ]
    for row in rows:
        row.submission, row.unit = submission, unit
        row.first_date, row.after_date = period.first, period.after
        row.recorded_by, row.recorded_at = by, at
    ReportedFigure.objects.bulk_create(rows)
    audit.record(
        "indicators.figures.reported",
        target=f"report {submission}",
        by=by,
        at=at,
        data={"figures": len(rows)},
    )
    return len(rows)


def _reported(
    one: catalogue.Indicator, above: Decimal, below: Decimal | None
) -> ReportedFigure:
    if one.source != catalogue.REPORTED:
        raise InvalidError("indicators.not_reported", name=one.name)
    is_share = one.ratio == catalogue.SHARE
    return ReportedFigure(
        indicator=one.code, above=above, below=below, is_share=is_share
    )


@transaction.atomic
def withdraw_reported(*, submission: str, by: Officer, at: datetime) -> int:
    """Withdraw what a report told, when it is unlocked; return how many figures."""
    count = _withdraw(submission, by=by, at=at)
    if count:
        audit.record(
            "indicators.figures.withdrawn",
            target=f"report {submission}",
            by=by,
            at=at,
            data={"figures": count},
        )
    return count


def _withdraw(submission: str, *, by: Officer, at: datetime) -> int:
    standing = ReportedFigure.objects.filter(submission=submission, withdrawn_at=None)
    return standing.update(withdrawn_by=by, withdrawn_at=at)

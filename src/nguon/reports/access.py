"""Who sees and moves reports: each its own ground; who collects, all of it.

A unit writes and sends its own; the unit whose submission sums it up accepts it.
"""

from datetime import datetime

from django.db.models import Q, QuerySet

from nguon.core.errors import AbsentError
from nguon.people import access
from nguon.people.models import APPROVER, AUTHOR, Officer
from nguon.reports.models import Form, Period, Submission
from nguon.territory.models import Unit

WRITERS = (AUTHOR, APPROVER)


def fence_submissions(officer: Officer, *, at: datetime) -> QuerySet[Submission]:
    """Keep the submissions of an officer's ground."""
    return access.fence(Submission.objects.all(), officer=officer, at=at)


def fence_periods(officer: Officer, *, at: datetime) -> QuerySet[Period]:
    """Keep the periods in which an officer's ground reports, or that it asks for."""
    mine = fence_submissions(officer, at=at).values("period")
    return Period.objects.filter(pk__in=mine)


def fence_forms(officer: Officer, *, at: datetime) -> QuerySet[Form]:
    """Keep the forms that an officer's ground asks, or is asked."""
    rows = Form.objects.all()
    own = access.fence(rows, officer=officer, at=at)
    asked = fence_periods(officer, at=at).values("form")
    return rows.filter(Q(pk__in=own.values("pk")) | Q(pk__in=asked))


def access_form(officer: Officer, uid: str, *, at: datetime) -> Form:
    """Return a form that this officer may see. Raises AbsentError."""
    found = fence_forms(officer, at=at).select_related("unit").filter(uid=uid).first()
    if found is None:
        raise AbsentError("reports.form_absent")
    return found


def access_period(officer: Officer, uid: str, *, at: datetime) -> Period:
    """Return a period that this officer may see. Raises AbsentError."""
    found = fence_periods(officer, at=at).select_related("form__unit")
    period = found.filter(uid=uid).first()
    if period is None:
        raise AbsentError("reports.period_absent")
    return period


def access_submission(officer: Officer, uid: str, *, at: datetime) -> Submission:
    """Return a submission that this officer may see. Raises AbsentError."""
    found = fence_submissions(officer, at=at).select_related(
        "period__form__unit", "unit", "above__unit", "sent_by", "accepted_by"
    )
    row = found.filter(uid=uid).first()
    if row is None:
        raise AbsentError("reports.submission_absent")
    return row


def decider_of(row: Submission) -> Unit:
    """Return whose approvers accept and return it: the unit above, or its own."""
    return row.above.unit if row.above is not None else row.unit


def may_write(officer: Officer, row: Submission, *, at: datetime) -> bool:
    """Say whether an officer may write answers of a unit."""
    return any(access.can(officer, kind, unit=row.unit, at=at) for kind in WRITERS)


def may_send(officer: Officer, row: Submission, *, at: datetime) -> bool:
    """Say whether an officer signs off what a unit sends."""
    return access.can(officer, APPROVER, unit=row.unit, at=at)


def may_decide(officer: Officer, row: Submission, *, at: datetime) -> bool:
    """Say whether an officer accepts, returns and unlocks a submission."""
    return access.can(officer, APPROVER, unit=decider_of(row), at=at)


def check_writer(officer: Officer, row: Submission, *, at: datetime) -> None:
    """Refuse whoever may not write here. Raises AbsentError, NoRightError."""
    if not may_write(officer, row, at=at):
        access.check_can(officer, AUTHOR, unit=row.unit, at=at)

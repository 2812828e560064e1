"""Who sees and moves reports: each its own ground; who collects, all of it.

A unit writes and sends its own; the unit whose submission sums it up accepts it.
"""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q, QuerySet

from nguon.core.errors import AbsentError
from nguon.people import access
from nguon.people.models import APPROVER, AUTHOR, Officer
from nguon.people.queries import list_holders_in
from nguon.reports.models import Call, Form, Period, Submission
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
    return writes_for(officer, row.unit, at=at)


def may_send(officer: Officer, row: Submission, *, at: datetime) -> bool:
    """Say whether an officer signs off what a unit sends."""
    return access.can(officer, APPROVER, unit=row.unit, at=at)


def may_decide(officer: Officer, row: Submission, *, at: datetime) -> bool:
    """Say whether an officer accepts, returns and unlocks a submission."""
    return access.can(officer, APPROVER, unit=decider_of(row), at=at)


def check_writer(officer: Officer, row: Submission, *, at: datetime) -> None:
    """Refuse whoever may not write here. Raises AbsentError, NoRightError."""
    check_writes_for(officer, row.unit, at=at)


def fence_calls(officer: Officer, *, at: datetime) -> QuerySet[Call]:
    """Keep the calls that units of an officer's ground have to answer."""
    return access.fence(Call.objects.all(), officer=officer, at=at)


def access_call(officer: Officer, uid: str, *, at: datetime) -> Call:
    """Return a call that this officer may see. Raises AbsentError."""
    found = fence_calls(officer, at=at).select_related(
        "unit", "answered_by", "answer", "withdrawn_by"
    )
    call = found.filter(uid=uid).first()
    if call is None:
        raise AbsentError("reports.call_absent")
    return call


def writes_for(officer: Officer, unit: Unit, *, at: datetime) -> bool:
    """Say whether an officer writes what a unit reports."""
    return any(access.can(officer, kind, unit=unit, at=at) for kind in WRITERS)


def check_writes_for(officer: Officer, unit: Unit, *, at: datetime) -> None:
    """Refuse whoever does not. Raises AbsentError, NoRightError."""
    if not writes_for(officer, unit, at=at):
        access.check_can(officer, AUTHOR, unit=unit, at=at)


def list_writers(units: Collection[Unit], *, at: datetime) -> list[Officer]:
    """Return who writes for these units, each once."""
    told = {
        officer.pk: officer
        for kind in WRITERS
        for officer in list_holders_in(units, kind=kind, at=at)
    }
    return list(told.values())

"""What was given goes down (read, assigned) and comes back (told, done, returned)."""

from collections import defaultdict
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from nguon.audit import actions as audit
from nguon.core.errors import (
    AbsentError,
    ConflictError,
    InvalidError,
    RefusedError,
)
from nguon.fleet import photos
from nguon.fleet.actions import store_media
from nguon.fleet.models import Media
from nguon.people import access as people
from nguon.people.actions import notify
from nguon.people.models import APPROVER, Officer
from nguon.plan import access, rules
from nguon.plan import queries as plans
from nguon.plan.models import Assignment, Progress

LATE_AGAIN = timedelta(days=7)
# More than these are one notice with the list behind it.
MOST_TOLD_APART = 3


@transaction.atomic
def mark_read(*, assignment_id: int, by: Officer, at: datetime) -> Assignment:
    """Say that a unit has read what it was given. Raises ConflictError, AbsentError."""
    row = _lock(assignment_id, act="read", by=by, at=at)
    row.read_by, row.read_at = by, at
    row.save(update_fields=["read_by", "read_at"])
    audit.record("plan.assignment.read", target=row, by=by, at=at)
    return row


@transaction.atomic
def assign(
    *,
    assignment_id: int,
    to: Officer,
    inner_date: date | None,
    by: Officer,
    at: datetime,
) -> Assignment:
    """Name who does it, and until when inside the unit.

    Raises InvalidError (`plan.not_of_unit`, `plan.inner_date_after`), ConflictError.
    """
    row = _lock(assignment_id, act="assign", by=by, at=at)
    if to.pk not in {officer.pk for officer in plans.list_doers(row, at=at)}:
        raise InvalidError("plan.not_of_unit", name=to.full_name)
    last = row.task.last_date if row.task else None
    if inner_date and last and inner_date > last:
        raise InvalidError("plan.inner_date_after", day=f"{last:%d/%m/%Y}")
    row.assigned_to, row.assigned_by, row.assigned_at = to, by, at
    row.inner_date = inner_date
    row.save(update_fields=["assigned_to", "assigned_by", "assigned_at", "inner_date"])
    if to.pk != by.pk:
        _tell(row, [to], "Bạn được giao một việc", row.title, at=at)
    audit.record(
        "plan.assignment.assigned", target=row, by=by, at=at, data={"to": to.pk}
    )
    return row


def tell(
    *,
    assignment_id: int,
    words: str,
    percent: int | None = None,
    link: str = "",
    photo: bytes = b"",
    by: Officer,
    at: datetime,
) -> Progress:
    """Tell how far it is. Raises InvalidError, ConflictError `plan.not_now`."""
    clean = photos.make_clean(photo) if photo else b""
    with transaction.atomic():
        row = _lock(assignment_id, act="tell", by=by, at=at)
        if percent is not None and not 0 <= percent <= 100:
            raise InvalidError("plan.percent")
        told = _write(
            row, rules.TOLD, words, link, clean, percent=percent, by=by, at=at
        )
        audit.record("plan.assignment.told", target=row, by=by, at=at)
    return told


def report_done(
    *,
    assignment_id: int,
    words: str,
    link: str = "",
    photo: bytes = b"",
    by: Officer,
    at: datetime,
) -> Assignment:
    """Report that it is done, with fresh evidence: a link or a photo.

    Raises InvalidError (`plan.evidence_missing` and those of what was typed),
    ConflictError `plan.not_now`.
    """
    if not photo and not link.strip():
        raise InvalidError("plan.evidence_missing")
    clean = photos.make_clean(photo) if photo else b""
    with transaction.atomic():
        row = _lock(assignment_id, act="done", by=by, at=at)
        _write(row, rules.REPORTED_DONE, words, link, clean, percent=100, by=by, at=at)
        row.done_by, row.done_at = by, at
        row.save(update_fields=["done_by", "done_at"])
        audit.record("plan.assignment.done", target=row, by=by, at=at)
    return row


@transaction.atomic
def send_back(
    *, assignment_id: int, reason: str, by: Officer, at: datetime
) -> Assignment:
    """Return what was reported done, with the reason; not one's own report.

    Raises RefusedError `plan.own_report`, InvalidError, ConflictError, NoRightError.
    """
    row = _lock(assignment_id, act="return", by=by, at=at)
    if row.done_by_id == by.pk:
        raise RefusedError("plan.own_report")
    doer = row.done_by
    _write(row, rules.SENT_BACK, reason, "", b"", percent=None, by=by, at=at)
    row.done_by, row.done_at = None, None
    row.returned_by, row.returned_at = by, at
    row.save(update_fields=["done_by", "done_at", "returned_by", "returned_at"])
    asked = {officer.pk: officer for officer in (doer, row.assigned_to) if officer}
    _tell(row, list(asked.values()), "Việc bị trả lại", reason.strip(), at=at)
    audit.record("plan.assignment.returned", target=row, by=by, at=at)
    return row


@transaction.atomic
def tell_late(*, at: datetime) -> int:
    """Tell who has it, and the keeper, what is over its last day; weekly, not daily.

    Who has more than a few is told once of all of them. Returns how many assignments
    were told of.
    """
    today = timezone.localdate(at)
    rested = Q(late_told_at__isnull=True) | Q(late_told_at__lte=at - LATE_AGAIN)
    late = Assignment.objects.filter(
        rested,
        plan__state=rules.SENT,
        task__last_date__lt=today,
        done_at__isnull=True,
    )
    rows = list(
        late.select_for_update(of=("self",))
        .select_related("plan__keeper", "unit", "task", "assigned_to")
        .order_by("task__last_date", "pk")
    )
    keys = [row.pk for row in rows]
    Assignment.objects.filter(pk__in=keys).update(late_told_at=at)
    mine: dict[Officer, list[Assignment]] = defaultdict(list)
    doers: dict[int, list[Officer]] = {}
    for row in rows:
        unit = access.mover_of(row, at=at)
        if row.assigned_to is None and unit.pk not in doers:
            doers[unit.pk] = plans.list_doers(row, at=at)
        for officer in [row.assigned_to] if row.assigned_to else doers[unit.pk]:
            mine[officer].append(row)
    for officer, all_late in mine.items():
        _tell_late_ones(officer, all_late, today, at)
    return len(rows)


def _tell_late_ones(
    officer: Officer, rows: list[Assignment], today: date, at: datetime
) -> None:
    if len(rows) > MOST_TOLD_APART:
        notify(
            officers=[officer],
            subject=f"Quá hạn: {len(rows)} việc",
            body="\n".join(row.title for row in rows[:MOST_TOLD_APART]) + "\n…",
            url=reverse("plan:assignments") + "?tinh_trang=late",
            at=at,
        )
        return
    for row in rows:
        unit = access.mover_of(row, at=at)
        days = rules.days_late(row.task.last_date if row.task else None, today=today)
        subject = f"Quá hạn {days} ngày: {unit.full_name}"
        _tell(row, [officer], subject, row.title, at=at)


def _lock(assignment_id: int, *, act: str, by: Officer, at: datetime) -> Assignment:
    """Return an assignment whose next act this officer may do, locked.

    Raises AbsentError, NoRightError, ConflictError (`plan.not_now`, `plan.not_sent`).
    """
    rows = Assignment.objects.select_for_update(of=("self",))
    related = (
        "plan__keeper", "unit", "task", "document", "assigned_to", "done_by",
    )  # fmt: skip
    row = rows.select_related(*related).filter(pk=assignment_id).first()
    if row is None:
        raise AbsentError("plan.assignment_absent")
    if act == "return":
        people.check_can(by, APPROVER, unit=row.plan.keeper, at=at)
    else:
        access.check_mover(by, row, at=at)
    if row.plan.state != rules.SENT:
        raise ConflictError("plan.not_sent")
    rules.check_act(act, state=row.state)
    return row


def _write(
    row: Assignment,
    kind: str,
    words: str,
    link: str,
    photo: bytes,
    *,
    percent: int | None,
    by: Officer,
    at: datetime,
) -> Progress:
    return Progress.objects.create(
        assignment=row,
        kind=kind,
        words=rules.clean(words, most=rules.MAX_WORDS, what="nội dung"),
        percent=percent,
        link=rules.clean_link(link),
        photo=_keep(photo, at),
        by=by,
        at=at,
    )


def _keep(photo: bytes, at: datetime) -> Media | None:
    if not photo:
        return None
    return store_media(data=photo, mime=photos.MIME, duration_ms=0, at=at)


def _tell(
    row: Assignment, officers: list[Officer], subject: str, body: str, *, at: datetime
) -> None:
    notify(
        officers=officers,
        subject=subject,
        body=body,
        url=reverse("plan:assignment", args=[row.uid]),
        at=at,
    )

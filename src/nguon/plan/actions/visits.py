"""The keeper visits and writes what was found; the unit answers; the keeper closes."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
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
from nguon.people import access as people
from nguon.people import queries as holders
from nguon.people.actions import notify
from nguon.people.models import AUTHOR, Officer
from nguon.plan import access, rules
from nguon.plan.models import ActionPlan, Finding, FindingStep, Visit
from nguon.territory.models import Unit

Found = tuple[str, date]


@transaction.atomic
def record_visit(
    *,
    plan_id: int,
    unit: Unit,
    on_date: date,
    team: str,
    words: str,
    found: Sequence[Found],
    by: Officer,
    at: datetime,
) -> Visit:
    """Write down a visit with what was found and until when each is put right.

    Raises InvalidError (`plan.visit_future`, `plan.visit_unit`, `plan.finding_date`,
    those of what was typed), ConflictError `plan.not_sent`, AbsentError, NoRightError.
    """
    plan = ActionPlan.objects.select_related("keeper").filter(pk=plan_id).first()
    if plan is None:
        raise AbsentError("plan.absent")
    _check_visitor(plan, by=by, at=at)
    if plan.state == rules.DRAFT:
        raise ConflictError("plan.not_sent")
    if not plan.assignments.filter(unit=unit).exists():
        raise InvalidError("plan.visit_unit", unit=unit.full_name)
    if on_date > timezone.localdate(at):
        raise InvalidError("plan.visit_future")
    visit = Visit.objects.create(
        plan=plan,
        unit=unit,
        on_date=on_date,
        team=rules.clean(team, most=rules.MAX_TITLE, what="thành phần đoàn"),
        words=rules.clean(words, most=rules.MAX_WORDS, what="nhận xét chung"),
        by=by,
        at=at,
    )
    for what, last_date in found:
        if last_date < on_date:
            raise InvalidError("plan.finding_date")
        Finding.objects.create(
            visit=visit,
            words=rules.clean(what, most=rules.MAX_WORDS, what="điều cần khắc phục"),
            last_date=last_date,
        )
    _tell(
        visit, f"Kiểm tra ngày {on_date:%d/%m/%Y}: {len(found)} điều cần khắc phục", at
    )
    audit.record(
        "plan.visit.recorded", target=visit, by=by, at=at, data={"found": len(found)}
    )
    return visit


def answer_finding(
    *,
    uid: str,
    words: str,
    link: str = "",
    photo: bytes = b"",
    by: Officer,
    at: datetime,
) -> Finding:
    """Say what the unit has put right. Raises ConflictError, InvalidError."""
    clean = photos.make_clean(photo) if photo else b""
    with transaction.atomic():
        finding = _lock(uid)
        visit = finding.visit
        mover = visit.unit
        if not access.is_on_map(mover, timezone.localdate(at)):
            mover = visit.plan.keeper
        if not any(people.can(by, kind, unit=mover, at=at) for kind in access.MOVERS):
            people.check_can(by, AUTHOR, unit=mover, at=at)
        _step(finding, rules.ANSWERED, words, link, clean, by=by, at=at)
    return finding


@transaction.atomic
def close_finding(*, uid: str, words: str, by: Officer, at: datetime) -> Finding:
    """Say that it is put right; not by who answered.

    Raises RefusedError `plan.own_answer`, ConflictError `plan.not_now`, AbsentError.
    """
    finding = _lock(uid)
    _check_visitor(finding.visit.plan, by=by, at=at)
    last = finding.steps.order_by("-pk").first()
    if last is not None and last.by_id == by.pk:
        raise RefusedError("plan.own_answer")
    _step(finding, rules.SETTLED, words, "", b"", by=by, at=at)
    return finding


@transaction.atomic
def reopen_finding(*, uid: str, reason: str, by: Officer, at: datetime) -> Finding:
    """Say that it is not put right after all, and why. Raises ConflictError."""
    finding = _lock(uid)
    _check_visitor(finding.visit.plan, by=by, at=at)
    _step(finding, rules.OPEN, reason, "", b"", by=by, at=at)
    _tell(finding.visit, "Việc khắc phục bị trả lại", at)
    return finding


def _check_visitor(plan: ActionPlan, *, by: Officer, at: datetime) -> None:
    if not any(access.may_keep(by, plan, kind, at=at) for kind in access.MOVERS):
        people.check_can(by, AUTHOR, unit=plan.keeper, at=at)


def _lock(uid: str) -> Finding:
    rows = Finding.objects.select_for_update(of=("self",))
    related = ("visit__plan__keeper", "visit__unit")
    finding = rows.select_related(*related).filter(uid=uid).first()
    if finding is None:
        raise AbsentError("plan.finding_absent")
    return finding


def _step(
    finding: Finding,
    state: str,
    words: str,
    link: str,
    photo: bytes,
    *,
    by: Officer,
    at: datetime,
) -> None:
    if finding.state not in rules.FINDING_FROM[state]:
        raise ConflictError("plan.not_now", state=rules.FINDING_STATES[finding.state])
    kept = (
        store_media(data=photo, mime=photos.MIME, duration_ms=0, at=at)
        if photo
        else None
    )
    FindingStep.objects.create(
        finding=finding,
        state=state,
        words=rules.clean(words, most=rules.MAX_WORDS, what="nội dung"),
        link=rules.clean_link(link),
        photo=kept,
        by=by,
        at=at,
    )
    finding.state = state
    finding.save(update_fields=["state"])
    audit.record(f"plan.finding.{state}", target=finding, by=by, at=at)


def _tell(visit: Visit, subject: str, at: datetime) -> None:
    officers = [
        officer
        for kind in access.MOVERS
        for officer in holders.list_holders(visit.unit, kind=kind, at=at)
    ]
    notify(
        officers=officers,
        subject=subject,
        body=visit.plan.title,
        url=reverse("plan:visit", args=[visit.uid]),
        at=at,
    )

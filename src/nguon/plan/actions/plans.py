"""A plan is drafted by an author, sent down and closed by an approver of its keeper."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, Q, QuerySet
from django.urls import reverse

from nguon.audit import actions as audit
from nguon.core.errors import AbsentError, ConflictError, InvalidError
from nguon.people import access, queries
from nguon.people.actions import notify
from nguon.people.models import APPROVER, AUTHOR, Officer
from nguon.plan import rules
from nguon.plan.access import MOVERS, is_on_map
from nguon.plan.models import (
    ActionPlan,
    Assignment,
    PlanDocument,
    ReportDate,
    Task,
)
from nguon.territory.models import Unit
from nguon.territory.names import fold


@transaction.atomic
def draft_plan(
    *, unit: Unit, keeper: Unit, words: rules.PlanWords, by: Officer, at: datetime
) -> ActionPlan:
    """Begin a plan that `unit` issued and `keeper`, a unit of today, follows.

    Raises InvalidError (`plan.unit_of_then` and those of `rules.check_plan`),
    AbsentError, NoRightError.
    """
    access.check_can(by, AUTHOR, unit=keeper, at=at)
    clean = rules.check_plan(words)
    if not is_on_map(unit, clean.first_date):
        raise InvalidError(
            "plan.unit_of_then", unit=unit.full_name, day=clean.first_date.year
        )
    plan = ActionPlan.objects.create(
        unit=unit,
        keeper=keeper,
        folded=_fold(clean),
        created_by=by,
        created_at=at,
        **asdict(clean),
    )
    audit.record("plan.drafted", target=plan, by=by, at=at)
    return plan


def _fold(words: rules.PlanWords) -> str:
    return fold(f"{words.number} {words.title}")


@transaction.atomic
def change_plan(
    *, plan_id: int, words: rules.PlanWords, by: Officer, at: datetime
) -> ActionPlan:
    """Write a draft anew.

    Raises ConflictError `plan.sent`, InvalidError (`plan.tasks_outside`, those of
    `rules.check_plan`).
    """
    plan = lock_plan(plan_id, by=by, at=at)
    _check_draft(plan)
    clean = rules.check_plan(words)
    _check_tasks_within(plan, clean)
    for field, value in asdict(clean).items():
        setattr(plan, field, value)
    plan.folded = _fold(clean)
    plan.save()
    audit.record("plan.changed", target=plan, by=by, at=at)
    return plan


def _check_tasks_within(plan: ActionPlan, words: rules.PlanWords) -> None:
    outside = plan.tasks.filter(
        Q(last_date__gt=words.last_date) | Q(last_date__lt=words.first_date)
    )
    numbers = [
        str(number)
        for number in outside.order_by("number").values_list("number", flat=True)
    ]
    if numbers:
        raise InvalidError("plan.tasks_outside", numbers=", ".join(numbers))


@transaction.atomic
def remove_draft(*, plan_id: int, by: Officer, at: datetime) -> None:
    """Take away a draft that was a mistake, with all that stands in it.

    Money that somebody already spent keeps it. Raises ConflictError (`plan.sent`,
    `plan.draft_spent`, `plan.draft_needed`), NoRightError, AbsentError.
    """
    plan = lock_plan(plan_id, by=by, at=at, kind=AUTHOR)
    _check_draft(plan)
    if plan.funding.filter(spent__gt=0).exists():
        raise ConflictError("plan.draft_spent")
    told = {"title": plan.title, "number": plan.number} | {
        name: _remove_all(getattr(plan, name).all())
        for name in (
            "assignments", "tasks", "documents", "report_dates", "targets", "funding",
            "running_costs",
        )
    }  # fmt: skip
    audit.record("plan.removed", target=plan, by=by, at=at, data=told)
    try:
        with transaction.atomic():
            plan.delete()
    except (ProtectedError, IntegrityError) as error:
        raise ConflictError("plan.draft_needed") from error


def _remove_all(rows: QuerySet[Any]) -> int:
    gone, _kinds = rows.delete()
    return gone


@transaction.atomic
def add_task(
    *,
    plan_id: int,
    words: rules.TaskWords,
    units: Iterable[Unit],
    by: Officer,
    at: datetime,
) -> Task:
    """Add the next task and give it to units; they have it once the plan is sent.

    Raises InvalidError (`plan.units_missing`, `plan.units_of_then`,
    `plan.tasks_many`, those of `rules.check_task` and `rules.check_within`),
    ConflictError `plan.closed`.
    """
    plan = lock_plan(plan_id, by=by, at=at)
    clean = rules.check_task(words)
    rules.check_within(
        clean.last_date, plan_first=plan.first_date, plan_last=plan.last_date
    )
    last = plan.tasks.order_by("-number", "-pk").first()
    number = last.number + 1 if last else 1
    if number > rules.MAX_TASKS:
        raise InvalidError("plan.tasks_many", limit=rules.MAX_TASKS)
    task = Task.objects.create(plan=plan, number=number, **asdict(clean))
    given = _give(plan, units, task=task)
    if plan.state == rules.SENT:
        _tell_given(plan, given, at=at)
    audit.record(
        "plan.task.added", target=task, by=by, at=at, data={"units": len(given)}
    )
    return task


@transaction.atomic
def remove_task(*, plan_id: int, task_id: int, by: Officer, at: datetime) -> None:
    """Take a task out of a draft. Raises ConflictError `plan.sent`, AbsentError."""
    plan = lock_plan(plan_id, by=by, at=at)
    _check_draft(plan)
    task = plan.tasks.filter(pk=task_id).first()
    if task is None:
        raise AbsentError("plan.task_absent")
    audit.record("plan.task.removed", target=task, by=by, at=at)
    task.assignments.all().delete()
    task.delete()


@transaction.atomic
def add_document(
    *, plan_id: int, words: rules.DocumentWords, by: Officer, at: datetime
) -> PlanDocument:
    """Name a paper; guidance goes down to every unit that has a task of the plan.

    Raises InvalidError (those of `rules.check_document`), ConflictError
    (`plan.document_twice`, `plan.closed`).
    """
    plan = lock_plan(plan_id, by=by, at=at)
    clean = rules.check_document(words)
    try:
        with transaction.atomic():
            document = PlanDocument.objects.create(plan=plan, **asdict(clean))
    except IntegrityError as error:
        raise ConflictError("plan.document_twice", number=clean.number) from error
    if plan.state == rules.SENT and clean.kind == rules.GUIDANCE:
        _tell_given(plan, _give_document(plan, document), at=at)
    audit.record("plan.document.added", target=document, by=by, at=at)
    return document


@transaction.atomic
def remove_document(
    *, plan_id: int, document_id: int, by: Officer, at: datetime
) -> None:
    """Take a paper out of a draft. Raises ConflictError `plan.sent`, AbsentError."""
    plan = lock_plan(plan_id, by=by, at=at)
    _check_draft(plan)
    document = plan.documents.filter(pk=document_id).first()
    if document is None:
        raise AbsentError("plan.document_absent")
    audit.record("plan.document.removed", target=document, by=by, at=at)
    document.delete()


@transaction.atomic
def add_report_date(
    *, plan_id: int, what: str, before: date, by: Officer, at: datetime
) -> ReportDate:
    """Say what is reported before which day. Raises InvalidError, ConflictError."""
    plan = lock_plan(plan_id, by=by, at=at)
    line = rules.clean(what, most=rules.MAX_TITLE, what="nội dung báo cáo")
    row, _fresh = ReportDate.objects.get_or_create(plan=plan, what=line, before=before)
    audit.record("plan.report_date.added", target=row, by=by, at=at)
    return row


@transaction.atomic
def remove_report_date(
    *, plan_id: int, date_id: int, by: Officer, at: datetime
) -> None:
    """Take a reporting date out of a draft. Raises ConflictError, AbsentError."""
    plan = lock_plan(plan_id, by=by, at=at)
    _check_draft(plan)
    row = plan.report_dates.filter(pk=date_id).first()
    if row is None:
        raise AbsentError("plan.report_date_absent")
    audit.record("plan.report_date.removed", target=row, by=by, at=at)
    row.delete()


@transaction.atomic
def send_plan(*, plan_id: int, by: Officer, at: datetime) -> ActionPlan:
    """Send a plan down: from now on its tasks stand, and every unit has its part.

    Raises ConflictError (`plan.sent`, `plan.without_tasks`), NoRightError.
    """
    plan = lock_plan(plan_id, by=by, at=at, kind=APPROVER)
    _check_draft(plan)
    if not plan.tasks.exists():
        raise ConflictError("plan.without_tasks")
    plan.state, plan.sent_by, plan.sent_at = rules.SENT, by, at
    plan.save(update_fields=["state", "sent_by", "sent_at"])
    for document in plan.documents.filter(kind=rules.GUIDANCE):
        _give_document(plan, document)
    given = list(plan.assignments.select_related("unit"))
    _tell_given(plan, given, at=at)
    audit.record("plan.sent", target=plan, by=by, at=at, data={"given": len(given)})
    return plan


@transaction.atomic
def close_plan(*, plan_id: int, by: Officer, at: datetime) -> ActionPlan:
    """End a plan; nothing in it moves any more. Raises ConflictError, NoRightError."""
    plan = lock_plan(plan_id, by=by, at=at, kind=APPROVER)
    if plan.state != rules.SENT:
        raise ConflictError("plan.not_sent")
    plan.state, plan.closed_by, plan.closed_at = rules.CLOSED, by, at
    plan.save(update_fields=["state", "closed_by", "closed_at"])
    audit.record("plan.closed", target=plan, by=by, at=at)
    return plan


def lock_plan(plan_id: int, *, by: Officer, at: datetime, kind: str = "") -> ActionPlan:
    """Return a plan that may still be changed, locked until the transaction ends.

    A draft is changed by an author, what was sent by an approver, unless `kind` says
    otherwise. Raises AbsentError, NoRightError, ConflictError `plan.closed`.
    """
    rows = ActionPlan.objects.select_for_update(of=("self",))
    plan = rows.select_related("keeper", "unit").filter(pk=plan_id).first()
    if plan is None:
        raise AbsentError("plan.absent")
    needed = kind or (AUTHOR if plan.state == rules.DRAFT else APPROVER)
    access.check_can(by, needed, unit=plan.keeper, at=at)
    if plan.state == rules.CLOSED:
        raise ConflictError("plan.closed")
    return plan


def _check_draft(plan: ActionPlan) -> None:
    if plan.state != rules.DRAFT:
        raise ConflictError("plan.sent")


def _give(plan: ActionPlan, units: Iterable[Unit], **thing: Any) -> list[Assignment]:
    """Give one thing to units of the plan's own ground and day."""
    found = list({unit.pk: unit for unit in units}.values())
    if not found:
        raise InvalidError("plan.units_missing")
    strange = [
        unit.full_name
        for unit in found
        if not unit.path.startswith(plan.unit.path)
        or not is_on_map(unit, plan.first_date)
    ]
    if strange:
        raise InvalidError(
            "plan.units_of_then", units=", ".join(strange[:5]), day=plan.first_date.year
        )
    return Assignment.objects.bulk_create(
        Assignment(plan=plan, unit=unit, **thing) for unit in found
    )


def _give_document(plan: ActionPlan, document: PlanDocument) -> list[Assignment]:
    units = Unit.objects.filter(assignments__plan=plan).distinct()
    return _give(plan, units, document=document)


def _tell_given(plan: ActionPlan, given: list[Assignment], *, at: datetime) -> None:
    """Tell the officers of every unit once, however much it was given."""
    by_unit: dict[int, list[Assignment]] = {}
    for row in given:
        by_unit.setdefault(row.unit_id, []).append(row)
    for rows in by_unit.values():
        officers = [
            officer
            for kind in MOVERS
            for officer in queries.list_holders(rows[0].unit, kind=kind, at=at)
        ]
        notify(
            officers=officers,
            subject=f"Kế hoạch mới giao {len(rows)} việc",
            body=f"{plan.title}. Hãy mở ra, nhận việc và giao người làm.",
            url=reverse("plan:plan", args=[plan.uid]),
            at=at,
        )

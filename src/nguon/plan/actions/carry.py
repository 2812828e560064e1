"""A plan is carried over to a later map, as a new draft that names the old one."""

from datetime import date, datetime

from django.db import transaction

from nguon.audit import actions as audit
from nguon.core.errors import AbsentError, ConflictError
from nguon.people.models import Officer
from nguon.plan import carrying, money, rules
from nguon.plan.actions import plans
from nguon.plan.models import ActionPlan, Assignment, Target, Task


@transaction.atomic
def carry_over(
    *,
    plan_id: int,
    title: str,
    first_date: date,
    last_date: date,
    by: Officer,
    at: datetime,
) -> ActionPlan:
    """Draft a plan on the map of `first_date` with the tasks of an earlier one.

    1. The keeper of the old plan issues it; the words and legal bases stay.
    2. Each task goes to whoever has the ground now; its last day is the plan's.
    3. Targets that follow from the succession table are set; the others are left to a
       person, as `carrying.preview` shows.
    Raises ConflictError (`plan.carried`, `plan.not_sent`), InvalidError, NoRightError.
    """
    old = _lock_sent(plan_id)
    if ActionPlan.objects.filter(carried_from=old).exists():
        raise ConflictError("plan.carried")
    words = rules.PlanWords(
        title=title,
        first_date=first_date,
        last_date=last_date,
        aims=old.aims,
        demands=old.demands,
    )
    plan = plans.draft_plan(
        unit=old.keeper, keeper=old.keeper, words=words, by=by, at=at
    )
    plan.carried_from = old
    plan.save(update_fields=["carried_from"])
    carried = carrying.preview(old, day=first_date)
    _copy_documents(old, plan, by=by, at=at)
    for task, units in carried.tasks:
        made = _copy_task(task, plan, last_date)
        Assignment.objects.bulk_create(
            Assignment(plan=plan, task=made, unit=unit) for unit in units
        )
    Target.objects.bulk_create(
        Target(
            plan=plan,
            unit=row.unit,
            year=first_date.year,
            indicator=row.indicator,
            value=row.value,
            is_share=money.find_indicator(row.indicator).ratio == "share",
            is_example=row.is_example,
            set_by=by,
            set_at=at,
        )
        for row in _latest(carried.held)
        if row.value is not None
    )
    audit.record(
        "plan.carried_over",
        target=plan,
        by=by,
        at=at,
        data={
            "from": old.uid,
            "targets": len(carried.held),
            "left": len(carried.open),
        },
    )
    return plan


def _lock_sent(plan_id: int) -> ActionPlan:
    rows = ActionPlan.objects.select_for_update(of=("self",))
    old = rows.select_related("keeper", "unit").filter(pk=plan_id).first()
    if old is None:
        raise AbsentError("plan.absent")
    if old.state == rules.DRAFT:
        raise ConflictError("plan.not_sent")
    return old


def _copy_documents(
    old: ActionPlan, plan: ActionPlan, *, by: Officer, at: datetime
) -> None:
    for document in old.documents.filter(kind=rules.BASE).order_by("pk"):
        words = rules.DocumentWords(
            kind=rules.BASE,
            number=document.number,
            issuer=document.issuer,
            abstract=document.abstract,
            issued_on=document.issued_on,
            link=document.link,
        )
        plans.add_document(plan_id=plan.pk, words=words, by=by, at=at)


def _copy_task(task: Task, plan: ActionPlan, last_date: date) -> Task:
    return Task.objects.create(
        plan=plan,
        number=task.number,
        title=task.title,
        lead=task.lead,
        partners=task.partners,
        product=task.product,
        last_date=last_date if task.last_date else None,
        indicator=task.indicator,
    )


def _latest(held: list[carrying.CarriedTarget]) -> list[carrying.CarriedTarget]:
    """Return of each unit and indicator the target of the latest year."""
    latest = {
        (row.unit.pk, row.indicator): row
        for row in sorted(held, key=lambda row: row.year)
    }
    return list(latest.values())

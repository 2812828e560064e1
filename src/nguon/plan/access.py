"""Who sees and moves plans: the keeper's officers all of one, a unit its own part.

A unit sees a plan once it was sent down to it. What was given to a unit that is no
longer on the map is moved by the keeper of the plan.
"""

from datetime import date, datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from nguon.core.errors import AbsentError
from nguon.people import access
from nguon.people.models import APPROVER, AUTHOR, Officer
from nguon.plan import rules
from nguon.plan.models import ActionPlan, Assignment
from nguon.territory.models import Unit

MOVERS = (AUTHOR, APPROVER)


def fence_assignments(officer: Officer, *, at: datetime) -> QuerySet[Assignment]:
    """Keep what was given to an officer's ground, and all of the plans they keep."""
    rows = Assignment.objects.all()
    given = access.fence(rows, officer=officer, at=at).exclude(plan__state=rules.DRAFT)
    kept = access.fence(rows, officer=officer, at=at, unit="plan__keeper")
    return rows.filter(Q(pk__in=given.values("pk")) | Q(pk__in=kept.values("pk")))


def fence_plans(officer: Officer, *, at: datetime) -> QuerySet[ActionPlan]:
    """Keep the plans that an officer's ground keeps, or was given a part of."""
    rows = ActionPlan.objects.all()
    kept = access.fence(rows, officer=officer, at=at, unit="keeper")
    given = fence_assignments(officer, at=at).values("plan")
    return rows.filter(Q(pk__in=kept.values("pk")) | Q(pk__in=given))


def access_plan(officer: Officer, uid: str, *, at: datetime) -> ActionPlan:
    """Return a plan that this officer may see. Raises AbsentError."""
    related = ("unit", "keeper", "carried_from", "sent_by")
    found = fence_plans(officer, at=at).select_related(*related).filter(uid=uid)
    plan = found.first()
    if plan is None:
        raise AbsentError("plan.absent")
    return plan


def access_assignment(officer: Officer, uid: str, *, at: datetime) -> Assignment:
    """Return an assignment that this officer may see. Raises AbsentError."""
    related = (
        "plan__keeper", "plan__unit", "task", "document", "unit", "assigned_to",
        "read_by", "done_by", "returned_by",
    )  # fmt: skip
    found = fence_assignments(officer, at=at).select_related(*related)
    row = found.filter(uid=uid).first()
    if row is None:
        raise AbsentError("plan.assignment_absent")
    return row


def may_keep(officer: Officer, plan: ActionPlan, kind: str, *, at: datetime) -> bool:
    """Say whether an officer holds this role where the plan is kept."""
    return access.can(officer, kind, unit=plan.keeper, at=at)


def sees_whole(officer: Officer, plan: ActionPlan, *, at: datetime) -> bool:
    """Say whether an officer sees every unit's part of a plan."""
    return access.can_see(officer, unit=plan.keeper, at=at)


def mover_of(row: Assignment, *, at: datetime) -> Unit:
    """Return whose officers move an assignment: its unit, or the keeper for it."""
    return row.unit if is_on_map(row.unit, timezone.localdate(at)) else row.plan.keeper


def is_on_map(unit: Unit, day: date) -> bool:
    """Say whether a unit stands on the map of a day."""
    return unit.valid_from <= day and (unit.valid_to is None or day < unit.valid_to)


def may_move(officer: Officer, row: Assignment, *, at: datetime) -> bool:
    """Say whether an officer may read, assign and report this assignment."""
    mover = mover_of(row, at=at)
    return any(access.can(officer, kind, unit=mover, at=at) for kind in MOVERS)


def check_mover(officer: Officer, row: Assignment, *, at: datetime) -> None:
    """Refuse whoever may not move this assignment. Raises AbsentError, NoRightError."""
    if not may_move(officer, row, at=at):
        access.check_can(officer, AUTHOR, unit=mover_of(row, at=at), at=at)

"""Reads of visits; a unit sees its own, the keeper all of a plan."""

from collections.abc import Mapping
from datetime import date, datetime

from django.db.models import BooleanField, Case, Q, QuerySet, Value, When

from nguon.core.errors import AbsentError
from nguon.people import access as people
from nguon.people.models import Officer
from nguon.plan import rules
from nguon.plan.models import ActionPlan, Finding, Visit
from nguon.territory.names import fold


def fence_visits(officer: Officer, *, at: datetime) -> QuerySet[Visit]:
    """Keep the visits at an officer's ground, and all of the plans they keep."""
    rows = Visit.objects.all()
    own = people.fence(rows, officer=officer, at=at)
    kept = people.fence(rows, officer=officer, at=at, unit="plan__keeper")
    return rows.filter(Q(pk__in=own.values("pk")) | Q(pk__in=kept.values("pk")))


def access_visit(officer: Officer, uid: str, *, at: datetime) -> Visit:
    """Return a visit that this officer may see. Raises AbsentError."""
    related = ("plan__keeper", "unit", "by")
    found = fence_visits(officer, at=at).select_related(*related).filter(uid=uid)
    visit = found.first()
    if visit is None:
        raise AbsentError("plan.visit_absent")
    return visit


def list_findings(
    plan: ActionPlan,
    officer: Officer,
    asked: Mapping[str, str],
    *,
    today: date,
    at: datetime,
) -> QuerySet[Finding]:
    """Return what was found, late and open first. `asked`: `tim`, `tinh_trang`."""
    visits = fence_visits(officer, at=at).filter(plan=plan)
    found = Finding.objects.filter(visit__in=visits.values("pk"))
    if asked.get("tinh_trang") in rules.FINDING_STATES:
        found = found.filter(state=asked["tinh_trang"])
    for word in fold(asked.get("tim", "").replace("\0", "")).split():
        found = found.filter(visit__unit__folded__contains=word)
    late = Case(
        When(last_date__lt=today, state=rules.OPEN, then=Value(value=True)),
        default=Value(value=False),
        output_field=BooleanField(),
    )
    done = Case(
        When(state=rules.SETTLED, then=Value(value=True)),
        default=Value(value=False),
        output_field=BooleanField(),
    )
    return (
        found.annotate(is_late=late, is_done=done)
        .select_related("visit__unit")
        .order_by("-is_late", "is_done", "last_date", "pk")
    )


def list_visits(plan: ActionPlan, officer: Officer, *, at: datetime) -> QuerySet[Visit]:
    """Return the visits of a plan, the latest first."""
    found = fence_visits(officer, at=at).filter(plan=plan)
    return found.select_related("unit").order_by("-on_date", "-pk")

"""Reads of plans: which there are, what was given, what is late, how far each is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    Count,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)

from nguon.indicators import queries as indicators
from nguon.indicators.queries import Figure
from nguon.indicators.rules import Period
from nguon.people import access as people
from nguon.people import queries as holders
from nguon.people.models import Officer
from nguon.plan import access, rules
from nguon.plan.models import ActionPlan, Assignment, Progress, Task
from nguon.territory.models import COMMUNE, DISTRICT, PROVINCE, VILLAGE, Unit
from nguon.territory.names import fold

# What each state is in the database; the same order as `rules.state_of`.
STATE_ROWS: Mapping[str, Q] = {
    rules.DONE: Q(done_at__isnull=False),
    rules.RETURNED: Q(done_at__isnull=True, returned_at__isnull=False),
    rules.ASSIGNED: Q(
        done_at__isnull=True, returned_at__isnull=True, assigned_at__isnull=False
    ),
    rules.READ: Q(assigned_at__isnull=True, read_at__isnull=False),
    rules.GIVEN: Q(read_at__isnull=True),
}


def late_rows(today: date) -> Q:
    """Hold for what should have been done before today."""
    return Q(done_at__isnull=True, task__last_date__lt=today)


def list_plans(
    officer: Officer, asked: Mapping[str, str], *, at: datetime
) -> QuerySet[ActionPlan]:
    """Return the plans of an officer, the latest first.

    `asked`: `tim` (words of title or number), `tinh_trang`, `nam`.
    """
    found = access.fence_plans(officer, at=at)
    for word in fold(asked.get("tim", "")).split():
        found = found.filter(folded__contains=word)
    if asked.get("tinh_trang") in rules.PLAN_STATES:
        found = found.filter(state=asked["tinh_trang"])
    year = asked.get("nam", "")
    if year.isascii() and year.isdecimal() and len(year) == len("2026"):
        found = found.filter(first_date__year__lte=year, last_date__year__gte=year)
    return found.select_related("unit", "keeper").order_by("-first_date", "-pk")


def list_assignments(
    officer: Officer,
    asked: Mapping[str, str],
    *,
    today: date,
    at: datetime,
    plan: ActionPlan | None = None,
) -> QuerySet[Assignment]:
    """Return what was given, late first, then by last day.

    `asked`: `tim` (unit, task), `tinh_trang` (a state, or `late`), `nhiem_vu` (the
    number of a task), `cua_toi`.
    """
    found = access.fence_assignments(officer, at=at)
    if plan is not None:
        found = found.filter(plan=plan)
    wanted = asked.get("tinh_trang", "")
    if wanted in STATE_ROWS:
        found = found.filter(STATE_ROWS[wanted])
    elif wanted == "late":
        found = found.filter(late_rows(today), plan__state=rules.SENT)
    number = asked.get("nhiem_vu", "")
    if number.isascii() and number.isdecimal():
        found = found.filter(task__number=int(number[:4]))
    if asked.get("cua_toi"):
        found = found.filter(assigned_to=officer)
    for word in fold(asked.get("tim", "").replace("\0", "")).split():
        found = found.filter(
            Q(unit__folded__contains=word) | Q(plan__folded__contains=word)
        )
    last = Progress.objects.filter(assignment=OuterRef("pk")).order_by("-at", "-pk")
    return (
        found.annotate(
            is_late=_is_late(today),
            last_words=Subquery(last.values("words")[:1]),
            percent=Subquery(
                last.exclude(percent=None).values("percent")[:1],
            ),
        )
        .select_related("plan", "task", "document", "unit", "assigned_to", "done_by")
        .order_by(
            "-is_late",
            F("done_at").asc(nulls_first=True),
            F("task__last_date").asc(nulls_last=True),
            "task__number",
            "unit__folded",
            "pk",
        )
    )


def _is_late(today: date) -> Case:
    return Case(
        When(late_rows(today) & Q(plan__state=rules.SENT), then=Value(value=True)),
        default=Value(value=False),
        output_field=BooleanField(),
    )


def list_open(officer: Officer, *, today: date, at: datetime) -> QuerySet[Assignment]:
    """Return what an officer's own ground still has to do, late first.

    What a whole province was given is not every commune's own work: only roles at
    exactly that unit count, or what the officer was named for.
    """
    found = list_assignments(officer, {}, today=today, at=at)
    own = [unit.pk for unit in people.units_of(officer, at=at)]
    return found.filter(
        Q(unit__in=own) | Q(assigned_to=officer),
        plan__state=rules.SENT,
        done_at__isnull=True,
    )


def list_overdue(
    officer: Officer, *, today: date, at: datetime
) -> QuerySet[Assignment]:
    """Return what an officer's own ground should have done before today."""
    return list_open(officer, today=today, at=at).filter(late_rows(today))


@dataclass(frozen=True)
class Standing:
    """One task and how many units are how far with it."""

    task: Task
    given: int
    read: int
    done: int
    late: int
    returned: int

    @property
    def share(self) -> int | None:
        """Return how many in a hundred are done; None when it was given to nobody."""
        return self.done * 100 // self.given if self.given else None


def list_standings(
    plan: ActionPlan, officer: Officer, *, today: date, at: datetime
) -> list[Standing]:
    """Return every task with counts over the units that this officer sees."""
    mine = access.fence_assignments(officer, at=at).filter(plan=plan)
    rows = mine.filter(task__isnull=False).values("task").order_by("task")
    late = late_rows(today) if plan.state == rules.SENT else Q(pk__in=[])
    counted: dict[int, Any] = {
        row["task"]: row
        for row in rows.annotate(
            given=Count("pk"),
            read=Count("pk", filter=Q(read_at__isnull=False)),
            done=Count("pk", filter=STATE_ROWS[rules.DONE]),
            late=Count("pk", filter=late),
            returned=Count("pk", filter=STATE_ROWS[rules.RETURNED]),
        )
    }
    keys = ("given", "read", "done", "late", "returned")
    nothing = dict.fromkeys(keys, 0)
    return [
        Standing(task, **{key: counted.get(task.pk, nothing)[key] for key in keys})
        for task in plan.tasks.order_by("number", "pk")
    ]


def count_late(officer: Officer, *, today: date, at: datetime) -> dict[int, int]:
    """Return by plan how much of what this officer sees is late."""
    mine = access.fence_assignments(officer, at=at)
    rows = mine.filter(late_rows(today), plan__state=rules.SENT)
    counted = rows.values("plan").order_by("plan").annotate(n=Count("pk"))
    return {row["plan"]: row["n"] for row in counted}


def list_units_of(plan: ActionPlan) -> list[Unit]:
    """Return the units that tasks of a plan may be given to, on its own map.

    The issuer first; then its districts while there were any, else its communes.
    """
    day = plan.first_date
    under = Unit.objects.as_of(day).under(plan.unit).exclude(pk=plan.unit_id)
    kind = COMMUNE
    if plan.unit.kind == PROVINCE and under.filter(kind=DISTRICT).exists():
        kind = DISTRICT
    if plan.unit.kind == COMMUNE:
        kind = VILLAGE
    below = under.filter(kind=kind).order_by("folded", "pk")
    return [plan.unit, *below]


def list_told(row: Assignment) -> QuerySet[Progress]:
    """Return what was told about an assignment, the latest first."""
    return row.progress.select_related("by", "photo").order_by("-at", "-pk")


def list_doers(row: Assignment, *, at: datetime) -> list[Officer]:
    """Return whom an assignment may be given to: who holds a role where it is moved."""
    unit = access.mover_of(row, at=at)
    found = {
        officer.pk: officer
        for kind in people.EVERY_ROLE
        for officer in holders.list_holders(unit, kind=kind, at=at)
    }
    return sorted(found.values(), key=lambda officer: (officer.full_name, officer.pk))


def list_given_units(plan: ActionPlan) -> list[Unit]:
    """Return the units that were given something of a plan."""
    units = Unit.objects.filter(assignments__plan=plan).distinct()
    return list(units.order_by("folded", "pk"))


def find_figure(row: Assignment, *, today: date) -> Figure | None:
    """Return what was counted for a task's unit since its plan began, if it is counted.

    None for a plan that has not begun, and for a whole province, whose counting takes
    too long for one line of a page.
    """
    task, plan = row.task, row.plan
    last = min(today, plan.last_date)
    is_asked = task is not None and task.indicator and last >= plan.first_date
    if not is_asked or row.unit.kind not in (COMMUNE, DISTRICT):
        return None
    period = Period(plan.first_date, last + timedelta(days=1))
    if not access.is_on_map(row.unit, last):
        return None
    codes = [task.indicator] if task else []
    return next(iter(indicators.list_figures(row.unit, period, codes=codes)), None)

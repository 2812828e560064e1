"""Incidents, repairs and labels: lists, counts, times."""

from datetime import datetime, timedelta

from django.db.models import Avg, Case, Count, F, Q, QuerySet, Value, When
from django.utils import timezone

from nguon.fleet import repairs
from nguon.fleet.models import (
    ACTIVE,
    Device,
    DeviceReport,
    Fault,
    Incident,
    Rehearsal,
    WorkOrder,
)
from nguon.people.models import Officer
from nguon.territory import names

# --- incidents ---------------------------------------------------------------------


def filter_incidents(
    incidents: QuerySet[Incident], *, text: str = "", only_open: bool = False
) -> QuerySet[Incident]:
    """Keep the incidents that a list asks for: the open ones first, then the latest."""
    if text:
        folded = names.fold(text)
        incidents = incidents.filter(
            Q(mast__icontains=text) | Q(unit__folded__contains=folded)
        )
    if only_open:
        incidents = incidents.filter(closed_at__isnull=True)
    ordered = incidents.order_by(
        F("closed_at").desc(nulls_first=True), "-opened_at", "pk"
    )
    return ordered.select_related("unit")


def filter_reports(
    reports: QuerySet[DeviceReport], *, text: str = "", only_open: bool = True
) -> QuerySet[DeviceReport]:
    """Keep the reports that a list asks for, the latest first."""
    if text:
        reports = reports.filter(
            Q(device__name__icontains=text) | Q(words__icontains=text)
        )
    if only_open:
        reports = reports.filter(closed_at__isnull=True)
    related = ("device", "unit", "unit__parent", "order")
    return reports.select_related(*related).order_by("-at", "-pk")


def list_faults_of(incident: Incident, devices: QuerySet[Device]) -> QuerySet[Fault]:
    """Return the faults of an incident on some devices, the open ones first."""
    faults = incident.faults.filter(device__in=devices).select_related(
        "device", "unit", "unit__parent"
    )
    return faults.order_by(
        F("closed_at").desc(nulls_first=True), "device__name_order", "pk"
    )


def count_back(incident: Incident) -> dict[str, int]:
    """Return how many devices an incident still holds, and how many came back."""
    gone = incident.faults.filter(closed_at__isnull=True)
    still = gone.values("device").distinct().count()
    return {"gone": still, "back": max(0, incident.size - still)}


# --- repairs -----------------------------------------------------------------------

_ORDER = {state: n for n, state in enumerate(repairs.STATES)}


def filter_orders(
    orders: QuerySet[WorkOrder],
    *,
    text: str = "",
    state: str = "",
    unit_path: str = "",
    assigned: Officer | None = None,
    late_at: datetime | None = None,
) -> QuerySet[WorkOrder]:
    """Keep the repairs that a list asks for, the unfinished first."""
    if text:
        orders = orders.filter(
            Q(device__name__icontains=text)
            | Q(task__icontains=text)
            | Q(uid__startswith=text.lower())
        )
    if state in repairs.STATES:
        orders = orders.filter(state=state)
    if unit_path:
        orders = orders.filter(device__unit__path__startswith=unit_path)
    if assigned is not None:
        orders = orders.filter(assigned=assigned)
    if late_at is not None:
        orders = orders.filter(is_overdue(at=late_at))
    rank = Case(*(When(state=s, then=Value(n)) for s, n in _ORDER.items()))
    related = ("device", "unit", "unit__parent", "assigned")
    ordered = orders.select_related(*related).annotate(rank=rank)
    return ordered.order_by("rank", "-opened_at", "pk")


def is_overdue(*, at: datetime) -> Q:
    """Say which repairs missed what the contract promises."""
    open_late = Q(done_at__isnull=True, due_at__lt=at) & ~Q(state=repairs.DROPPED)
    return open_late | Q(done_at__gt=F("due_at"))


def count_orders(orders: QuerySet[WorkOrder], *, at: datetime) -> dict[str, int]:
    """Count repairs by state; `late` missed their time, `due` had one."""
    rows = orders.order_by().values("state").annotate(n=Count("pk"))
    counts = {row["state"]: row["n"] for row in rows}
    counts["late"] = orders.filter(is_overdue(at=at)).count()
    counts["due"] = orders.filter(due_at__isnull=False).count()
    return counts


def mean_time_to_repair(
    orders: QuerySet[WorkOrder], *, since: datetime
) -> timedelta | None:
    """Return the mean time from the fault to the proof of sound, or None.

    A repair without a fault counts from its opening.
    """
    done = orders.filter(state=repairs.VERIFIED, ended_at__gte=since)
    begun = Case(
        When(fault__isnull=False, then=F("fault__began_at")), default=F("opened_at")
    )
    found: timedelta | None = done.aggregate(mean=Avg(F("ended_at") - begun))["mean"]
    return found


def find_labelled(code: str) -> Device | None:
    """Return the active device whose label carries this code, or None."""
    found = Device.objects.filter(registration__label=code.upper(), state=ACTIVE)
    return found.select_related("unit", "unit__parent").first()


def find_rehearsal(
    device: Device, *, ended_after: datetime | None = None
) -> Rehearsal | None:
    """Return the latest rehearsal of a device after a repair, or None.

    With `ended_after` one that ended before is left out.
    """
    found = device.rehearsals.select_related("order", "ended_by", "event")
    if ended_after is not None:
        found = found.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=ended_after))
    return found.order_by("-opened_at", "-pk").first()


def local_text(moment: datetime | None) -> str:
    """Return a moment for a table file, in local time."""
    return timezone.localtime(moment).strftime("%d/%m/%Y %H:%M:%S") if moment else ""

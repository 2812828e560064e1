"""Reads about the fleet: what a device must hold now, lists and counts for screens."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from django.db.models import Avg, Case, Count, F, Q, QuerySet, Sum, Value, When
from django.utils import timezone

from nguon.core import beats
from nguon.core.errors import AbsentError
from nguon.fleet import health, repairs
from nguon.fleet.models import (
    ACTIVE,
    PLAN,
    SETTINGS,
    SPEAKER,
    URGENT_LANE,
    Device,
    Fault,
    Incident,
    Media,
    SignedDocument,
    WorkOrder,
)
from nguon.people.models import Officer
from nguon.territory.models import VILLAGE, Unit

SILENT_AFTER = timedelta(minutes=3)
_CACHED_DOCUMENTS = 20_000
_CACHED_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True)
class Held:
    """One signed document as the state shows it."""

    kind: str
    jws: str


class _Documents:
    """Signed documents by key: they never change, so they may be remembered."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._bytes = 0

    def get(self, uids: Sequence[str]) -> list[Held]:
        """Return documents in the order asked for, from memory or the database."""
        with self._lock:
            found = {uid: self._held[uid] for uid in uids if uid in self._held}
        missing = [uid for uid in uids if uid not in found]
        if missing:
            rows = SignedDocument.objects.filter(uid__in=missing)
            for uid, kind, jws in rows.values_list("uid", "kind", "jws"):
                found[uid] = Held(kind, jws)
            self._keep({uid: found[uid] for uid in missing})
        return [found[uid] for uid in uids]

    def _keep(self, fresh: dict[str, Held]) -> None:
        with self._lock:
            for uid, held in fresh.items():
                if uid not in self._held:
                    self._held[uid] = held
                    self._bytes += len(held.jws)
            while len(self._held) > _CACHED_DOCUMENTS or self._bytes > _CACHED_BYTES:
                _uid, old = self._held.popitem(last=False)
                self._bytes -= len(old.jws)


_documents = _Documents()


def list_state_uids(device: Device, *, at: datetime) -> list[str]:
    """Return the uids of what a device must hold now, oldest first.

    Its settings, the plan in force of its unit and each unit above, and every urgent
    document inside its not-after. Commands are not kept: they are pushed or die.
    """
    units = device.unit.ancestor_ids
    documents = SignedDocument.objects.order_by()
    urgent = documents.filter(lane=URGENT_LANE, not_after__gt=at)
    in_force = documents.filter(superseded_at__isnull=True)
    parts = [
        in_force.filter(kind=SETTINGS, device=device),
        in_force.filter(kind=PLAN, unit_id__in=units, not_after__gt=at),
        urgent.filter(unit_id__in=units),
        urgent.filter(device=device).exclude(kind="command"),
    ]
    rows = [part.values_list("pk", "uid") for part in parts]
    return [uid for _pk, uid in sorted(rows[0].union(*rows[1:], all=True))]


def list_held(uids: Sequence[str]) -> list[Held]:
    """Return the signed documents of these uids, in this order."""
    return _documents.get(uids)


def get_media(sha256: str) -> Media:
    """Return a media file's row. Raises AbsentError."""
    media = Media.objects.filter(sha256=sha256).first()
    if media is None:
        raise AbsentError("fleet.media_absent")
    return media


def filter_devices(
    devices: QuerySet[Device],
    *,
    text: str = "",
    state: str = "",
    unit_path: str = "",
    silent_at: datetime | None = None,
) -> QuerySet[Device]:
    """Keep the devices that a list asks for; `silent_at` keeps the silent ones."""
    if text:
        devices = devices.filter(
            Q(name__icontains=text) | Q(uid__startswith=text.lower())
        )
    if state:
        devices = devices.filter(state=state)
    if unit_path:
        devices = devices.filter(unit__path__startswith=unit_path)
    if silent_at is not None:
        devices = devices.filter(silent(at=silent_at), state=ACTIVE)
    return devices.select_related("unit", "unit__parent").order_by("name", "pk")


def silent(*, at: datetime) -> Q:
    """Say which devices have not been heard for longer than they should."""
    return Q(last_heard_at__isnull=True) | Q(last_heard_at__lt=at - SILENT_AFTER)


def count_devices(devices: QuerySet[Device], *, at: datetime) -> dict[str, int]:
    """Count devices by state, and the active ones that are silent."""
    rows = devices.order_by().values("state").annotate(n=Count("pk"))
    counts = {row["state"]: row["n"] for row in rows}
    counts["silent"] = devices.filter(silent(at=at), state=ACTIVE).count()
    return counts


# --- what sounds -------------------------------------------------------------------

GRADE_MOMENTS = {
    beats.CLAIMED: "claimed_at",
    beats.DECODED: "decoded_at",
    beats.AMPLIFIED: "amplified_at",
    beats.MEASURED: "measured_at",
}


def is_audible(*, at: datetime, lowest_grade: int, way: str = "health__") -> Q:
    """Say which devices are known to sound at a moment, by evidence of this grade.

    `way` leads from the rows that are asked to their health.
    """
    found = Q(pk__in=[])
    for grade, name in GRADE_MOMENTS.items():
        if grade >= lowest_grade:
            found |= Q(**{f"{way}{name}__gt": at - health.AGE_LIMITS[grade]})
    return found


def count_audible(
    units: Sequence[Unit], at: datetime, lowest_grade: int = beats.DECODED
) -> int:
    """Return how many speakers at and below some units are known to sound.

    Evidence below `lowest_grade` (1 claimed, 2 decoded, 3 amplifier, 4 measured) or
    older than its limit does not count.
    """
    ground = Q(pk__in=[])
    for unit in units:
        ground |= Q(unit__path__startswith=unit.path)
    speakers = Device.objects.filter(ground, kind=SPEAKER, state=ACTIVE)
    return speakers.filter(is_audible(at=at, lowest_grade=lowest_grade)).count()


@dataclass(frozen=True)
class Coverage:
    """How far sound reaches on some ground, by evidence of one grade or better."""

    speakers: int
    audible: int
    villages: int
    covered: int
    people: int
    reached: int


def count_coverage(
    units: Sequence[Unit], at: datetime, lowest_grade: int = beats.DECODED
) -> Coverage:
    """Count speakers, villages and people, and those that an audible speaker reaches.

    A village is reached by a speaker in it, or by one whose register says so.
    """
    ground, below = Q(pk__in=[]), Q(pk__in=[])
    for unit in units:
        ground |= Q(path__startswith=unit.path)
        below |= Q(unit__path__startswith=unit.path)
    heard = is_audible(at=at, lowest_grade=lowest_grade)
    speakers = Device.objects.filter(kind=SPEAKER, state=ACTIVE)
    sounding = speakers.filter(heard)
    villages = Unit.objects.as_of(timezone.localdate(at)).filter(ground, kind=VILLAGE)
    near = Q(pk__in=sounding.values("unit")) | Q(
        pk__in=sounding.values("registration__villages")
    )
    totals = villages.aggregate(n=Count("pk"), people=Sum("population"))
    reached = villages.filter(near).aggregate(n=Count("pk"), people=Sum("population"))
    return Coverage(
        speakers=speakers.filter(below).count(),
        audible=sounding.filter(below).count(),
        villages=totals["n"],
        covered=reached["n"],
        people=totals["people"] or 0,
        reached=reached["people"] or 0,
    )


# --- incidents ---------------------------------------------------------------------


def order_incidents(incidents: QuerySet[Incident]) -> QuerySet[Incident]:
    """Put the open ones first, then the latest."""
    return incidents.order_by(F("closed_at").desc(nulls_first=True), "-opened_at", "pk")


def list_faults_of(incident: Incident, devices: QuerySet[Device]) -> QuerySet[Fault]:
    """Return the faults of an incident on some devices, the open ones first."""
    faults = incident.faults.filter(device__in=devices).select_related(
        "device", "unit", "unit__parent"
    )
    return faults.order_by(F("closed_at").desc(nulls_first=True), "device__name", "pk")


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


def local_text(moment: datetime | None) -> str:
    """Return a moment for a table file, in local time."""
    return timezone.localtime(moment).strftime("%d/%m/%Y %H:%M:%S") if moment else ""

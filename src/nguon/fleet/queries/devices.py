"""Which devices there are, how they are, and what is known to sound.

Lists, maps and counters are counted by the database, in a few queries each, however
many devices there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import (
    Case,
    Count,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.utils import timezone

from nguon.core import beats
from nguon.fleet import health
from nguon.fleet.models import (
    ACTIVE,
    SPEAKER,
    STATES,
    Device,
    DeviceGroup,
    Fault,
    GroupMember,
    Health,
)
from nguon.territory.models import VILLAGE, Unit

# Silent first: the order of the states is the order of the list.
_RANKS = {state: n for n, state in enumerate(health.STATES)}
UNKNOWN_GRADE = 0


@dataclass(frozen=True)
class Wanted:
    """What a list of devices asks for; empty means all.

    `standing` is waiting, active…; `state` a state of health; `grade` keeps who is
    known to sound by evidence of that grade or better, 0 who is not known at all.
    """

    text: str = ""
    standing: str = ""
    state: str = ""
    cause: str = ""
    unit_path: str = ""
    group: str = ""
    make: str = ""
    grade: int | None = None
    connected: bool | None = None
    faulty: bool = False


def filter_devices(
    devices: QuerySet[Device], wanted: Wanted, *, at: datetime
) -> QuerySet[Device]:
    """Keep the devices that a list asks for, the silent ones first."""
    keep = Q()
    if wanted.text:
        keep &= Q(name__icontains=wanted.text) | Q(uid__startswith=wanted.text.lower())
    if wanted.standing in STATES:
        keep &= Q(state=wanted.standing)
    if wanted.state in health.STATES:
        keep &= Q(health__state=wanted.state)
    if wanted.unit_path:
        keep &= Q(unit__path__startswith=wanted.unit_path)
    if wanted.group:
        keep &= Q(
            pk__in=GroupMember.objects.filter(group__uid=wanted.group).values("device")
        )
    if wanted.make:
        keep &= Q(registration__make=wanted.make)
    if wanted.connected is not None:
        keep &= Q(connected=wanted.connected, state=ACTIVE)
    keep &= _by_grade(wanted.grade, at)
    open_faults = Fault.objects.filter(device=OuterRef("pk"), closed_at__isnull=True)
    if wanted.cause in health.CAUSES:
        keep &= Q(Exists(open_faults.filter(cause=wanted.cause)))
    elif wanted.faulty:
        keep &= Q(Exists(open_faults))
    return order_devices(devices.filter(keep))


def _by_grade(grade: int | None, at: datetime) -> Q:
    if grade is None:
        return Q()
    if grade == UNKNOWN_GRADE:
        heard = is_audible(at=at, lowest_grade=beats.CLAIMED)
        # Not `~heard`: what was never heard is NULL, and stays in.
        audible = Device.objects.filter(heard).values("pk")
        return Q(state=ACTIVE) & ~Q(pk__in=audible)
    return Q(state=ACTIVE) & is_audible(at=at, lowest_grade=grade)


def order_devices(devices: QuerySet[Device]) -> QuerySet[Device]:
    """Put devices in the order of their states, then of their names."""
    cases = [When(health__state=state, then=Value(n)) for state, n in _RANKS.items()]
    ranked = devices.annotate(rank=Case(*cases, default=Value(len(cases))))
    return ranked.order_by("rank", "name_order", "pk")


def list_keys(devices: QuerySet[Device]) -> QuerySet[Device, int]:
    """Return the keys of devices alone, in their order: what a page is cut from.

    Sorting ten thousand whole rows to show fifty costs more than all else.
    """
    return devices.values_list("pk", flat=True)


def load_devices(keys: Sequence[int]) -> list[Device]:
    """Return devices by their keys, in this order, with what a list shows of them."""
    rows = Device.objects.select_related("unit", "unit__parent", "health")
    found = rows.in_bulk(list(keys))
    return [found[key] for key in keys]


def count_devices(devices: QuerySet[Device], *, at: datetime) -> dict[str, int]:
    """Count devices by standing, active ones by state of health, and the audible."""
    heard = is_audible(at=at, lowest_grade=beats.DECODED)
    rows = (
        devices.order_by()
        .values("state", "health__state")
        .annotate(n=Count("pk"), audible=Count("pk", filter=heard))
    )
    counts: dict[str, int] = {"audible": 0}
    for row in rows:
        state = row["state"]
        counts[state] = counts.get(state, 0) + row["n"]
        if state == ACTIVE:
            key = f"health_{row['health__state'] or health.NEW}"
            counts[key] = counts.get(key, 0) + row["n"]
            counts["audible"] += row["audible"]
    return counts


def count_causes(devices: QuerySet[Device]) -> list[tuple[str, int]]:
    """Return the causes of open faults with how many devices have each."""
    faults = Fault.objects.filter(closed_at__isnull=True, device__in=devices)
    rows = faults.order_by().values("cause").annotate(n=Count("pk"))
    found = {row["cause"]: row["n"] for row in rows}
    return [(cause, found[cause]) for cause in health.CAUSES if cause in found]


def list_members(group: DeviceGroup) -> QuerySet[Device]:
    """Return the devices of a group by name."""
    return Device.objects.filter(groups__group=group).order_by("name_order", "pk")


def list_makes(devices: QuerySet[Device]) -> list[str]:
    """Return the makes that the register names for some devices."""
    makes = devices.order_by().filter(state=ACTIVE).exclude(registration__make="")
    found = makes.values_list("registration__make", flat=True).distinct()
    return sorted(make for make in found if make)


@dataclass(frozen=True)
class CommuneCount:
    """How many active devices stand in one commune, by state of health."""

    commune_id: int
    code: str
    uid: str
    name: str
    states: dict[str, int]
    audible: int

    @property
    def total(self) -> int:
        """All active devices."""
        return sum(self.states.values())

    @property
    def silent(self) -> int:
        """Those that are silent."""
        return self.states.get(health.SILENT, 0)


def count_communes(devices: QuerySet[Device], *, at: datetime) -> list[CommuneCount]:
    """Count active devices by commune: two queries for the whole map."""
    rows = Health.objects.filter(device__in=devices.order_by().filter(state=ACTIVE))
    heard = is_audible(at=at, lowest_grade=beats.DECODED, way="")
    grouped = (
        rows.order_by()
        .values("commune", "state")
        .annotate(n=Count("pk"), audible=Count("pk", filter=heard))
    )
    found: dict[int, tuple[dict[str, int], int]] = {}
    for row in grouped:
        states, audible = found.get(row["commune"], ({}, 0))
        states[row["state"]] = row["n"]
        found[row["commune"]] = (states, audible + row["audible"])
    units = Unit.objects.in_bulk(found)
    counts = [
        CommuneCount(
            commune_id=pk,
            code=units[pk].code,
            uid=units[pk].uid,
            name=units[pk].full_name,
            states=states,
            audible=audible,
        )
        for pk, (states, audible) in found.items()
    ]
    return sorted(counts, key=lambda one: (-one.silent, one.name, one.commune_id))


@dataclass(frozen=True)
class Spot:
    """One device on the map of its commune."""

    uid: str
    name: str
    state: str
    lat: float | None
    lon: float | None


def list_spots(devices: QuerySet[Device]) -> list[Spot]:
    """Return the active devices of some ground with their places."""
    rows = devices.order_by("pk").filter(state=ACTIVE, health__isnull=False)
    values = rows.values_list("uid", "name", "health__state", "lat", "lon")
    return [Spot(*row) for row in values]


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


# --- one device --------------------------------------------------------------------


@dataclass(frozen=True)
class Proof:
    """The latest evidence of one grade, and whether it still counts."""

    grade: int
    words: str
    at: datetime | None
    until: datetime | None
    counts: bool


def list_evidence(row: Health, *, at: datetime) -> list[Proof]:
    """Return the evidence of a device by grade, the strongest first."""
    found = []
    for grade, words in health.GRADE_WORDS.items():
        moment = row.evidence.get(grade)
        until = moment + health.AGE_LIMITS[grade] if moment else None
        counts = until is not None and at < until
        found.append(Proof(grade, words, moment, until, counts))
    return found


def list_signals(row: Health, *, at: datetime) -> dict[str, str]:
    """Return every signal of a device as it stands now; asks for its device."""
    best = [
        grade
        for grade, moment in row.evidence.items()
        if at < moment + health.AGE_LIMITS[grade]
    ]
    return {
        **signals_of(row),
        "connected": "yes" if row.device.connected else "no",
        "sound": str(max(best)) if best else "",
        "state": row.state,
    }


def vitals_of(row: Health) -> health.Vitals:
    """Return what a device told, as the rules read it; asks for its device."""
    return health.Vitals(
        connected=row.device.connected,
        state=row.state,
        lost_at=row.lost_at,
        heard_at=row.heard_at,
        losses=[datetime.fromisoformat(text) for text in row.losses],
        cloned_at=row.cloned_at,
        sounding=row.sounding,
        mains=row.mains,
        battery_percent=row.battery_percent,
        amplifier=row.amplifier,
        line=row.line,
        heard=row.heard,
        sim=row.sim,
        clock_trusted=row.clock_trusted,
        clock_doubt_ms=row.clock_doubt_ms,
        storage_free_mb=row.storage_free_mb,
        temperature_c=row.temperature_c,
        signal_dbm=row.signal_dbm,
        wrong=row.wrong,
        evidence=row.evidence,
        data_used_mb=row.data_used_mb,
        proof_after=row.proof_after,
        rehearsal_due=row.rehearsal_due,
    )


def signals_of(row: Health) -> dict[str, str]:
    """Return the signals that a beat changes, as short codes."""
    return health.signals_of(vitals_of(row), network=row.network, version=row.version)

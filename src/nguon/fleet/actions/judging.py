"""The chore that applies the rules: faults open and close, incidents, notices.

Every few seconds, with a handful of queries however many devices there are: only
those are looked at whose signals changed, who are late, or whose time has come.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from nguon.fleet import health
from nguon.fleet.actions.bulk import update_rows
from nguon.fleet.actions.signals import ensure_health
from nguon.fleet.models import ACTIVE, Fault, Health, Incident, SignalChange
from nguon.fleet.models.health import FLAPPING, OUTAGE
from nguon.fleet.queries import vitals_of
from nguon.people import actions as people
from nguon.people import queries as officers
from nguon.people.models import TECHNICIAN
from nguon.territory.models import Unit

CHUNK = 500
# Losses within this time may have one reason.
TOGETHER = timedelta(minutes=2)
OUTAGE_DEVICES, OUTAGE_SHARE, OUTAGE_LEAST = 5, 0.30, 3
PROVINCE_COMMUNES = 3
# An incident is told when it had time to gather; a lone fault when it stayed alone.
GATHER = timedelta(seconds=20)
LISTED = 20


def examine_fleet(*, at: datetime) -> int:
    """Look at every device that needs it; return how many were looked at.

    1. make rows of health for new devices
    2. apply the rules to who is due: faults open and close, states move
    3. group what was lost together, close what is over, tell technicians once

    A turn in which nothing is due only reads: SQLite has one writer at a time.
    """
    ensure_health(at=at)
    seen = 0
    while True:
        keys = list(_due(at).order_by("pk").values_list("pk", flat=True)[:CHUNK])
        if keys:
            seen += _judge(keys, at)
        if len(keys) < CHUNK:
            break
    group_outages(at=at)
    close_incidents(at=at)
    tell_technicians(at=at)
    return seen


def _due(at: datetime) -> QuerySet[Health]:
    late = Q(is_late=False, heard_at__lte=at - health.LATE)
    due = Health.objects.filter(Q(look_at__lte=at) | late, device__state=ACTIVE)
    return due.exclude(state=health.RETIRED)


@transaction.atomic
def _judge(keys: Sequence[int], at: datetime) -> int:
    """Apply the rules to some devices and write what changed."""
    locked = _due(at).filter(pk__in=keys).select_for_update(of=("self",))
    rows = list(locked.select_related("device__registration").order_by("pk"))
    held = Fault.objects.filter(device__in=keys, closed_at__isnull=True)
    faults: dict[int, dict[str, int]] = defaultdict(dict)
    for pk, device, cause in held.values_list("pk", "device_id", "cause"):
        faults[device][cause] = pk
    opened: list[Fault] = []
    closed: list[int] = []
    moves: list[SignalChange] = []
    for row in rows:
        verdict = health.examine(_vitals(row), _since(row), at=at)
        known = faults[row.pk]
        opened += [
            _fault(row, cause, verdict, at)
            for cause in sorted(verdict.open - set(known))
        ]
        closed += [pk for cause, pk in known.items() if cause not in verdict.open]
        moves += _move(row, verdict, at)
    Fault.objects.bulk_create(opened, ignore_conflicts=True)
    Fault.objects.filter(pk__in=closed).update(closed_at=at)
    SignalChange.objects.bulk_create(moves)
    update_rows(
        rows, ("state", "state_since", "since", "is_late", "look_at", "proof_after")
    )
    return len(rows)


def _vitals(row: Health) -> health.Vitals:
    """Return what the rules read: the signals, and what the register knows."""
    vitals = vitals_of(row)
    paper = getattr(row.device, "registration", None)
    if paper is None:
        return vitals
    hours = (
        (paper.hours_from, paper.hours_to)
        if paper.hours_from and paper.hours_to
        else None
    )
    return replace(
        vitals,
        hours=hours,
        sim_expires_date=paper.sim_expires_date,
        data_plan_mb=paper.data_plan_mb,
    )


def _since(row: Health) -> dict[str, datetime]:
    return {c: datetime.fromtimestamp(ms / 1000, tz=UTC) for c, ms in row.since.items()}


def _fault(row: Health, cause: str, verdict: health.Verdict, at: datetime) -> Fault:
    return Fault(
        device_id=row.pk,
        unit_id=row.device.unit_id,
        cause=cause,
        began_at=verdict.since[cause],
        opened_at=at,
        evidence={
            "heard_at": row.heard_at.isoformat() if row.heard_at else None,
            "battery_percent": row.battery_percent,
            "line": row.line,
            "temperature_c": row.temperature_c,
            "wrong": row.wrong,
        },
    )


def _move(row: Health, verdict: health.Verdict, at: datetime) -> list[SignalChange]:
    """Put a verdict into its row; return the change of state, if there is one."""
    old = row.state
    row.since = {
        cause: round(moment.timestamp() * 1000)
        for cause, moment in verdict.since.items()
    }
    row.is_late, row.look_at = verdict.is_late, verdict.look_at
    if old == verdict.state:
        return []
    health.check_move(old=old, new=verdict.state)
    row.state, row.state_since = verdict.state, at
    if old == health.IN_REPAIR:
        row.proof_after = None
    return [
        SignalChange(
            device_id=row.pk, signal="state", old=old, new=verdict.state, at=at
        )
    ]


# --- incidents ---------------------------------------------------------------------


@dataclass(frozen=True)
class _Lone:
    """An open fault that belongs to no incident yet, and where its device stands."""

    fault: int
    device: int
    cause: str
    opened_at: datetime
    commune: int
    path: str
    mast: str


def group_outages(*, at: datetime) -> int:
    """Put faults that came together into incidents; return how many were put.

    1. what is lost where an incident is open already joins it
    2. the province: three communes and 30 % of all its devices
    3. a mast, then a commune: 5 devices, or 30 % of it and at least 3
    4. who flaps in one commune, 3 together
    """
    if not _list_lone(at):
        return 0
    with transaction.atomic():
        return _group(at)


def _group(at: datetime) -> int:
    lone = _list_lone(at)
    before = len(lone)
    lone = _join_open(lone)
    lone = _open_provinces(lone, at)
    for kind, key in ((OUTAGE, "mast"), (OUTAGE, "commune"), (FLAPPING, "commune")):
        lone = _open_groups(lone, kind, key, at)
    return before - len(lone)


def _list_lone(at: datetime) -> list[_Lone]:
    causes = (*health.SHARED, FLAPPING)
    rows = Fault.objects.filter(
        closed_at__isnull=True,
        incident__isnull=True,
        opened_at__gt=at - TOGETHER,
        cause__in=causes,
    )
    values = rows.order_by("pk").values_list(
        "pk", "device_id", "cause", "opened_at", "device__health__commune_id",
        "device__health__commune__path", "device__registration__mast",
    )  # fmt: skip
    return [_Lone(*row[:-1], mast=row[-1] or "") for row in values if row[4]]


def _join_open(lone: Sequence[_Lone]) -> list[_Lone]:
    """Add to open incidents what belongs to them; return the rest."""
    rest = list(lone)
    still = Incident.objects.filter(closed_at__isnull=True).select_related("unit")
    for incident in still.order_by("opened_at", "pk"):
        mine = [one for one in rest if _belongs(one, incident)]
        if mine:
            _attach(incident, mine)
            rest = _without(rest, mine)
    return rest


def _without(all_of_them: Sequence[_Lone], mine: Sequence[_Lone]) -> list[_Lone]:
    taken = {one.fault for one in mine}
    return [one for one in all_of_them if one.fault not in taken]


def _belongs(one: _Lone, incident: Incident) -> bool:
    if (one.cause == FLAPPING) != (incident.kind == FLAPPING):
        return False
    if incident.mast:
        return one.mast == incident.mast
    return one.path.startswith(incident.unit.path)


def _open_provinces(lone: Sequence[_Lone], at: datetime) -> list[_Lone]:
    """Open an incident for a whole province when enough of it is lost."""
    rest = list(lone)
    tops = {int(one.path.split("/")[1]) for one in rest if one.cause != FLAPPING}
    for unit in Unit.objects.filter(pk__in=tops):
        mine = [
            one
            for one in rest
            if one.cause != FLAPPING and one.path.startswith(unit.path)
        ]
        communes = {one.commune for one in mine}
        if len(communes) < PROVINCE_COMMUNES:
            continue
        whole = Health.objects.filter(
            commune__path__startswith=unit.path, device__state=ACTIVE
        ).count()
        if len({one.device for one in mine}) >= OUTAGE_SHARE * whole:
            _open(OUTAGE, unit.pk, "", mine, at)
            rest = _without(rest, mine)
    return rest


def _open_groups(
    lone: Sequence[_Lone], kind: str, key: str, at: datetime
) -> list[_Lone]:
    """Open an incident for each mast or commune that lost enough devices."""
    groups: dict[str | int, list[_Lone]] = defaultdict(list)
    for one in lone:
        name = getattr(one, key)
        if name and (one.cause == FLAPPING) == (kind == FLAPPING):
            groups[name].append(one)
    big = {
        name: mine
        for name, mine in groups.items()
        if len({one.device for one in mine}) >= OUTAGE_LEAST
    }
    sizes = _sizes(key, big)
    rest = list(lone)
    for name, mine in sorted(big.items(), key=lambda pair: str(pair[0])):
        count = len({one.device for one in mine})
        share = OUTAGE_SHARE * sizes.get(name, count)
        if kind == FLAPPING or count >= OUTAGE_DEVICES or count >= share:
            mast = str(name) if key == "mast" else ""
            _open(kind, mine[0].commune, mast, mine, at)
            rest = _without(rest, mine)
    return rest


def _sizes(key: str, names: Iterable[str | int]) -> dict[str | int, int]:
    """Return how many active devices each mast or commune has."""
    field = "device__registration__mast" if key == "mast" else "commune"
    rows = Health.objects.filter(**{f"{field}__in": list(names)}, device__state=ACTIVE)
    return dict(rows.order_by().values_list(field).annotate(n=Count("pk")))


def _open(kind: str, unit: int, mast: str, mine: Sequence[_Lone], at: datetime) -> None:
    incident, _fresh = Incident.objects.get_or_create(
        kind=kind, unit_id=unit, mast=mast, closed_at=None, defaults={"opened_at": at}
    )
    _attach(incident, mine)


def _attach(incident: Incident, mine: Sequence[_Lone]) -> None:
    """Put faults into an incident; devices are counted once each."""
    for start in range(0, len(mine), CHUNK):
        keys = [one.fault for one in mine[start : start + CHUNK]]
        Fault.objects.filter(pk__in=keys, incident__isnull=True).update(
            incident=incident
        )
    size = Fault.objects.filter(incident=incident).aggregate(
        n=Count("device", distinct=True)
    )
    Incident.objects.filter(pk=incident.pk).update(size=size["n"])


def close_incidents(*, at: datetime) -> int:
    """Close the incidents whose every fault is over; return how many."""
    still = Fault.objects.filter(incident=OuterRef("pk"), closed_at__isnull=True)
    over = Incident.objects.filter(~Exists(still), closed_at__isnull=True)
    return over.update(closed_at=at) if over.exists() else 0


# --- notices -----------------------------------------------------------------------


def tell_technicians(*, at: datetime) -> int:
    """Tell technicians of incidents, and of faults that stayed alone; each once."""
    told = 0
    fresh = Incident.objects.filter(told_at__isnull=True, opened_at__lte=at - GATHER)
    for incident in fresh.select_related("unit").order_by("pk")[:LISTED]:
        told += _tell_incident(incident, at)
    return told + (_tell_lone(at) if _list_untold(at).exists() else 0)


@transaction.atomic
def _tell_incident(incident: Incident, at: datetime) -> int:
    mine = Incident.objects.filter(pk=incident.pk, told_at__isnull=True)
    if mine.update(told_at=at) != 1:
        return 0
    where = incident.mast or incident.unit.full_name
    notices = people.notify(
        officers=officers.list_around(incident.unit, kind=TECHNICIAN, at=at),
        subject=f"{incident.kind_name}: {where}, {incident.size} thiết bị",
        body=(
            f"{incident.size} thiết bị ở {where} mất gần như cùng lúc"
            f" ({_clock(incident.opened_at)})."
            " Hãy xem điện và mạng ở đó trước khi đi từng máy."
        ),
        url=reverse("fleet:incident", args=[incident.uid]),
        at=at,
    )
    return len(notices)


def _clock(moment: datetime) -> str:
    return moment.astimezone(health.LOCAL).strftime("%H:%M %d/%m/%Y")


@transaction.atomic
def _tell_lone(at: datetime) -> int:
    """Tell of grave faults that no incident took in time, one notice a commune."""
    waiting = _list_untold(at).select_for_update(of=("self",))
    related = ("device__health__commune",)
    rows = list(waiting.select_related(*related).order_by("pk")[:CHUNK])
    groups: dict[Unit, list[Fault]] = defaultdict(list)
    for fault in rows:
        groups[fault.device.health.commune].append(fault)
    told = 0
    for commune, faults in groups.items():
        told += _tell_commune(commune, faults, at)
    Fault.objects.filter(pk__in=[fault.pk for fault in rows]).update(told_at=at)
    return told


def _list_untold(at: datetime) -> QuerySet[Fault]:
    """Return the grave faults that stayed alone and nobody has been told of."""
    grave = [cause for cause, makes in health.MAKES.items() if makes]
    return Fault.objects.filter(
        closed_at__isnull=True,
        incident__isnull=True,
        told_at__isnull=True,
        opened_at__lte=at - TOGETHER,
        cause__in=grave,
        device__health__isnull=False,
    )


def _tell_commune(commune: Unit, faults: Sequence[Fault], at: datetime) -> int:
    lines = [f"{one.device.name}: {one.cause_name}" for one in faults[:LISTED]]
    if len(faults) > LISTED:
        lines.append(f"và {len(faults) - LISTED} lỗi nữa")
    devices = {one.device_id for one in faults}
    first = faults[0].device
    subject = (
        f"{first.name}: {faults[0].cause_name}"
        if len(devices) == 1
        else f"{len(devices)} thiết bị có lỗi ở {commune.full_name}"
    )
    url = (
        reverse("fleet:device", args=[first.uid])
        if len(devices) == 1
        else f"{reverse('fleet:devices')}?xa={commune.uid}&hong=1"
    )
    return len(
        people.notify(
            officers=officers.list_around(commune, kind=TECHNICIAN, at=at),
            subject=subject,
            body="\n".join(lines),
            url=url,
            at=at,
        )
    )

"""Writing what devices tell about themselves: beats, connections, proofs of sound.

In batches, never one write for one beat. Each change of a signal becomes a point of
the device's timeline, and asks for a new look by the rules (`judging`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Max, QuerySet

from nguon.core import beats
from nguon.core.beats import Beat
from nguon.fleet import health
from nguon.fleet.actions.bulk import update_rows
from nguon.fleet.models import (
    ACTIVE,
    Counter,
    Device,
    DeviceEvent,
    Fault,
    Health,
    Registration,
    SignalChange,
)
from nguon.fleet.queries import signals_of
from nguon.territory.models import VILLAGE, Unit

T = TypeVar("T")

CHUNK = 500
KEPT_LOSSES = 8
# What a beat says goes into the column of the same name.
TOLD = (
    "sounding", "mains", "battery_percent", "amplifier", "clock_offset_ms",
    "clock_doubt_ms", "clock_trusted", "storage_free_mb", "temperature_c",
    "signal_dbm", "data_used_mb", "volume", "heard",
)  # fmt: skip
WORDS = ("line", "network", "version", "sim", "operator")
MOMENTS = {
    beats.CLAIMED: "claimed_at",
    beats.DECODED: "decoded_at",
    beats.AMPLIFIED: "amplified_at",
    beats.MEASURED: "measured_at",
}
BEAT_FIELDS = (
    *TOLD, *WORDS, *MOMENTS.values(), "wrong", "heard_at", "audible_until", "look_at",
)  # fmt: skip


def ensure_health(*, at: datetime) -> int:
    """Make the rows of health and register that active devices lack; return how many.

    Two queries when nothing is missing.
    """
    bare = Device.objects.filter(state=ACTIVE, health__isnull=True)
    fresh = [
        Health(
            device=device,
            commune_id=_commune_of(device.unit),
            state_since=at,
            heard_at=device.last_heard_at,
            lost_at=None if device.connected else at,
            look_at=at,
        )
        for device in bare.select_related("unit").order_by("pk")
    ]
    Health.objects.bulk_create(fresh, batch_size=CHUNK, ignore_conflicts=True)
    # Two fresh labels may be the same: then one is left out, and made again.
    unwritten = Device.objects.filter(state=ACTIVE, registration__isnull=True)
    while missing := list(unwritten.order_by("pk")):
        Registration.objects.bulk_create(
            [
                Registration(device=device, make=device.make, model=device.model)
                for device in missing
            ],
            batch_size=CHUNK,
            ignore_conflicts=True,
        )
    return len(fresh)


def _commune_of(unit: Unit) -> int:
    return unit.parent_id if unit.kind == VILLAGE and unit.parent_id else unit.pk


def record_beats(*, heard: Mapping[str, Beat], at: datetime) -> int:
    """Write the newest beat of each device, by uid; return how many were written.

    A device that was given up as late, and each changed signal, asks for a new look.
    """
    written = 0
    for uids in _chunks(sorted(heard)):
        with transaction.atomic():
            rows = _lock(Health.objects.filter(device__uid__in=uids))
            changes: list[SignalChange] = []
            for row in rows:
                changes += _apply(row, heard[row.device.uid], at)
            SignalChange.objects.bulk_create(changes)
            update_rows(rows, BEAT_FIELDS)
            written += len(rows)
    return written


def record_connections(
    *, here: Collection[str], away: Collection[str], at: datetime
) -> int:
    """Note which devices hold a connection to the bus now, or lost it.

    Returns how many really changed. A loss is remembered, to see who flaps.
    """
    changed = 0
    for uids in _chunks(sorted({*here, *away})):
        with transaction.atomic():
            devices = Device.objects.filter(uid__in=uids)
            moved = {
                device.pk: device.uid in here
                for device in devices.only("pk", "uid", "connected")
                if device.connected != (device.uid in here)
            }
            for value in (True, False):
                keys = [pk for pk, connected in moved.items() if connected is value]
                Device.objects.filter(pk__in=keys).update(connected=value)
            _note_moves(moved, at)
            changed += len(moved)
    return changed


def record_proofs(*, at: datetime) -> int:
    """Take proofs of sound from events that came since; return how many events.

    Off the way of storing, which must stay quick. The last numbers are read again,
    since two gateways may commit out of order; a proof counts once anyhow.
    """
    newest = DeviceEvent.objects.aggregate(n=Max("pk"))["n"] or 0
    cursor, fresh = Counter.objects.get_or_create(
        lane="proofs", target="fleet", defaults={"value": max(0, newest - FIRST_LOOK)}
    )
    if newest == cursor.value and not fresh:
        return 0
    seen = 0
    begin = max(0, cursor.value - OVERLAP)
    while True:
        rows = list(
            DeviceEvent.objects.filter(pk__gt=begin)
            .order_by("pk")
            .values_list("pk", "device_id", "type", "at", "stored_at", "data")[:READ]
        )
        if not rows:
            return seen
        _take_proofs(rows, at)
        seen += len(rows)
        begin = rows[-1][0]
        Counter.objects.filter(pk=cursor.pk, value__lt=begin).update(value=begin)


FIRST_LOOK, OVERLAP, READ = 100_000, 2_000, 5_000


def _take_proofs(rows: Sequence[tuple[Any, ...]], at: datetime) -> None:
    found: dict[int, dict[int, datetime]] = {}
    for _pk, device, kind, told_at, stored_at, data in rows:
        grade = health.grade_of(kind, data)
        if grade:
            # A clock that runs ahead must not make a proof of tomorrow.
            moment = min(told_at, stored_at)
            held = found.setdefault(device, {})
            held[grade] = max(moment, held.get(grade, moment))
    for keys in _chunks(sorted(found)):
        with transaction.atomic():
            held_rows = _lock(Health.objects.filter(pk__in=keys))
            changes = [
                change for row in held_rows for change in _prove(row, found[row.pk], at)
            ]
            SignalChange.objects.bulk_create(changes)
            update_rows(held_rows, (*MOMENTS.values(), "audible_until", "look_at"))


def note_clone(*, device_id: int, at: datetime) -> None:
    """Note that a second client came with the key of a device."""
    Health.objects.filter(pk=device_id).update(cloned_at=at, look_at=at)


def retire_health(*, device_id: int, at: datetime) -> None:
    """End the health of a device that was shut out: nothing about it is a fault."""
    Fault.objects.filter(device=device_id, closed_at__isnull=True).update(closed_at=at)
    rows = Health.objects.filter(pk=device_id)
    rows.update(state=health.RETIRED, state_since=at, look_at=None, since={})


def _apply(row: Health, beat: Beat, at: datetime) -> list[SignalChange]:
    """Put a beat into its row; return the changes, which ask for a new look."""
    before = signals_of(row)
    for name in TOLD:
        setattr(row, name, getattr(beat, name))
    for name in WORDS:
        setattr(row, name, getattr(beat, name) or "")
    row.wrong = ", ".join(beat.wrong)[:200]
    row.heard_at = max(at, row.heard_at or at)
    proofs = {g: at - timedelta(seconds=age) for g, age in beat.evidence.items()}
    changes = _prove(row, proofs, at)
    after = signals_of(row)
    changes += [
        SignalChange(device_id=row.pk, signal=name, old=old, new=after[name], at=at)
        for name, old in before.items()
        if old != after[name]
    ]
    if changes or row.is_late or row.wrong or row.sounding:
        row.look_at = at
    return changes


def _prove(
    row: Health, proofs: Mapping[int, datetime], at: datetime
) -> list[SignalChange]:
    """Keep the newest proof of each grade; a better grade is a change of the sound."""
    before = _grade(row, at)
    for grade, moment in proofs.items():
        held = getattr(row, MOMENTS[grade])
        if held is None or moment > held + _SAME_PROOF:
            setattr(row, MOMENTS[grade], moment)
            # Who waits for a proof, or may have lost one, is looked at again.
            if row.state != health.ACTIVE or row.measured_at:
                row.look_at = at
    row.audible_until = health.audible_until(row.evidence)
    after = _grade(row, at)
    if before == after:
        return []
    return [
        SignalChange(device_id=row.pk, signal="sound", old=before, new=after, at=at)
    ]


# An age comes in whole seconds: the same proof told twice is not a newer one.
_SAME_PROOF = timedelta(seconds=3)


def _grade(row: Health, at: datetime) -> str:
    """Return the best grade of evidence that still counts, or nothing."""
    good = [g for g, m in row.evidence.items() if at < m + health.AGE_LIMITS[g]]
    return str(max(good)) if good else ""


def _note_moves(moved: Mapping[int, bool], at: datetime) -> None:
    """Write connections that came and went into health and timeline."""
    rows = _lock(Health.objects.filter(pk__in=list(moved)))
    for row in rows:
        row.look_at = at
        if not moved[row.pk]:
            row.lost_at = at
            row.losses = [*row.losses, at.isoformat()][-KEPT_LOSSES:]
        else:
            row.heard_at = max(at, row.heard_at or at)
    update_rows(rows, ("look_at", "lost_at", "losses", "heard_at"))
    words = {True: "yes", False: "no"}
    SignalChange.objects.bulk_create(
        [
            SignalChange(
                device_id=key,
                signal="connected",
                old=words[not connected],
                new=words[connected],
                at=at,
            )
            for key, connected in sorted(moved.items())
        ]
    )


def _lock(rows: QuerySet[Health]) -> list[Health]:
    """Return rows of health, locked in one order, with their device."""
    found = rows.select_for_update(of=("self",)).select_related("device")
    return list(found.order_by("pk"))


def _chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]

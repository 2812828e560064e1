"""Storing what devices report: events once each, words heard, faults, strays."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from nguon.core.messages import Event, EventBatch
from nguon.fleet import poke
from nguon.fleet.actions.documents import next_numbers
from nguon.fleet.actions.signals import note_clone
from nguon.fleet.models import Device, DeviceEvent, StrayMessage

SERVER_LOG = "server"
CLONE = "clone"
MAX_DATA = 16 * 1024
MAX_STRAYS = 10_000


@dataclass
class Stored:
    """What one call of `store_events` did.

    `fresh` were not known before; `acks` are all numbers of a (device uid, log)
    that are safe in the database once the transaction has committed.
    """

    fresh: list[DeviceEvent] = field(default_factory=list)
    acks: dict[tuple[str, str], list[int]] = field(default_factory=dict)


@transaction.atomic
def store_events(
    *, batches: Sequence[EventBatch], at: datetime, recorded: bool = False
) -> Stored:
    """Store the events that are new; say which numbers are now stored.

    1. find the devices; a batch of an unknown device is not acknowledged
    2. leave out what is stored already
    3. write the rest in one go, and when each device was last heard

    `recorded` says that the caller hands the fresh ones on in this transaction;
    otherwise the gateway does it soon after.
    """
    known = {
        device.uid: device
        for device in Device.objects.filter(uid__in={b.device for b in batches})
    }
    wanted: dict[tuple[str, str, int], Event] = {}
    for batch in batches:
        if batch.device in known and batch.log.isascii() and batch.log.isprintable():
            for event in batch.events:
                wanted.setdefault((batch.device, batch.log, event.n), event)
    stored = Stored()
    acks: dict[tuple[str, str], list[int]] = defaultdict(list)
    for device, log, n in wanted:
        acks[device, log].append(n)
    stored.acks = dict(acks)
    present = _present(known, acks)
    for (device, log, n), event in wanted.items():
        if (known[device].pk, log, n) not in present:
            stored.fresh.append(_row(known[device], log, event, at, recorded=recorded))
    DeviceEvent.objects.bulk_create(stored.fresh, batch_size=500)
    record_heard(uids=known, at=at)
    _note_versions(stored.fresh)
    if not recorded:
        poke.on_commit()
    return stored


def mark_recorded(
    *, events: Iterable[DeviceEvent], at: datetime, fault: str = ""
) -> None:
    """Note that events have been handed on, or why they could not be."""
    keys = [event.pk for event in events]
    for start in range(0, len(keys), 500):
        rows = DeviceEvent.objects.filter(pk__in=keys[start : start + 500])
        rows.update(recorded_at=at, fault=fault[:200])


def record_heard(*, uids: Collection[str], at: datetime) -> None:
    """Note that these devices spoke."""
    names = sorted(uids)
    for start in range(0, len(names), 500):
        heard = Device.objects.filter(uid__in=names[start : start + 500])
        heard.filter(Q(last_heard_at__isnull=True) | Q(last_heard_at__lt=at)).update(
            last_heard_at=at
        )


@transaction.atomic
def note_fault(
    *, device_uid: str, fault: str, data: Mapping[str, Any], at: datetime
) -> DeviceEvent:
    """Write down what the server noticed about a device, among its events."""
    device = Device.objects.get(uid=device_uid)
    if fault == CLONE:
        note_clone(device_id=device.pk, at=at)
    number = next_numbers("fault", [device.uid])[device.uid]
    return DeviceEvent.objects.create(
        device=device,
        log=SERVER_LOG,
        n=number,
        type=fault,
        at=at,
        data=dict(data),
        stored_at=at,
        recorded_at=at,
    )


def set_aside(*, topic: str, payload: bytes, cause: str, at: datetime) -> None:
    """Keep what could not be read, to be looked at; the oldest give way."""
    text = payload[:MAX_DATA].decode("utf-8", errors="replace").replace("\0", "�")
    stray = StrayMessage.objects.create(
        topic=topic[:80], payload=text, cause=cause[:200], stored_at=at
    )
    StrayMessage.objects.filter(pk__lte=stray.pk - MAX_STRAYS).delete()


def _present(
    known: Mapping[str, Device], acks: Mapping[tuple[str, str], list[int]]
) -> set[tuple[int, str, int]]:
    """Return the keys of events that are stored already."""
    present: set[tuple[int, str, int]] = set()
    groups = sorted(acks.items())
    for start in range(0, len(groups), 50):
        asked = Q()
        for (device, log), numbers in groups[start : start + 50]:
            asked |= Q(
                device_id=known[device].pk,
                log=log,
                n__gte=min(numbers),
                n__lte=max(numbers),
            )
        rows = DeviceEvent.objects.filter(asked)
        present.update(rows.values_list("device_id", "log", "n"))
    return present


def _row(
    device: Device, log: str, event: Event, at: datetime, *, recorded: bool
) -> DeviceEvent:
    """Return the row of an event; what no database can hold becomes a fault."""
    row = DeviceEvent(
        device=device,
        log=log,
        n=event.n,
        type=event.type,
        at=at,
        item=event.item,
        data=dict(event.data),
        stored_at=at,
        recorded_at=at if recorded else None,
    )
    try:
        row.at = datetime.fromtimestamp(event.at / 1000, tz=UTC)
        text = json.dumps(row.data, allow_nan=False, ensure_ascii=False)
        size = len((text + row.item).encode("utf-8"))
        if size > MAX_DATA or "\\u0000" in text or "\0" in row.item:
            raise ValueError("too long, or with a NUL")
    except (ValueError, OverflowError, OSError) as error:
        row.fault, row.recorded_at = f"unusable: {error}"[:200], at
        row.data, row.item = {}, ""
    named = row.data.get("document") or row.data.get("stop") or ""
    row.document = named if isinstance(named, str) and len(named) == 12 else ""
    return row


def _note_versions(events: Iterable[DeviceEvent]) -> None:
    """Keep the program version that a device told at birth."""
    for event in events:
        version = event.data.get("version") if event.type == "birth" else None
        if isinstance(version, str) and version:
            rows = Device.objects.filter(pk=event.device_id)
            rows.exclude(version=version[:40]).update(version=version[:40])

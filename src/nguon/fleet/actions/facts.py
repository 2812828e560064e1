"""Storing what devices report: events once each, words heard, faults, strays."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
from django.db import IntegrityError, connection, transaction
from django.db.models import Max, Q

from nguon.audit import months
from nguon.core.messages import Event, EventBatch
from nguon.fleet import bulk, poke
from nguon.fleet.actions.documents import next_numbers
from nguon.fleet.actions.signals import note_clone
from nguon.fleet.models import (
    CLONE,
    SERVER_LOG,
    ArchivedRun,
    Device,
    DeviceEvent,
    StrayMessage,
)

MAX_DATA = 16 * 1024
MAX_STRAYS = 10_000


@dataclass(slots=True)
class Fact:
    """An event on its way into the table; reads like a `DeviceEvent`, and is light."""

    device_id: int
    log: str
    n: int
    type: str
    at: datetime
    item: str
    document: str
    data: Mapping[str, Any]
    text: str
    fault: str


@dataclass
class Stored:
    """What one call of `store_events` did.

    `fresh` were not known before; `acks` are all numbers of a (device uid, log)
    that are safe in the database once the transaction has committed.
    """

    fresh: list[DeviceEvent] = field(default_factory=list)
    acks: dict[tuple[str, str], list[int]] = field(default_factory=dict)


@dataclass
class Prepared:
    """Events made ready for the table without touching it; `acks` as in `Stored`.

    `maybe_known`: some may be stored in an earlier month, so `insert_events` would
    not notice them; `store_events` does.
    """

    facts: list[Fact] = field(default_factory=list)
    rows: list[tuple[object, ...]] = field(default_factory=list)
    acks: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    maybe_known: bool = False


COLUMNS = (
    "device_id",
    "log",
    "n",
    "type",
    "at",
    "item",
    "document",
    "data",
    "stored_at",
    "recorded_at",
    "fault",
)


def prepare_events(*, batches: Sequence[EventBatch], at: datetime) -> Prepared:
    """Make events ready to be inserted; those of unknown devices are left out."""
    known = find_keys({batch.device for batch in batches})
    prepared = Prepared()
    seen: set[tuple[int, str, int]] = set()
    for batch in batches:
        device, log = known.get(batch.device), batch.log
        if device is None or not (log.isascii() and log.isprintable()):
            continue
        numbers = prepared.acks.setdefault((batch.device, log), [])
        for event in batch.events:
            if (device, log, event.n) not in seen:
                seen.add((device, log, event.n))
                numbers.append(event.n)
                prepared.facts.append(_fact(device, log, event, at))
    prepared.maybe_known = _reach_back(prepared.facts, at)
    form = bulk.moment_form()
    stamp = form(at)
    prepared.rows = [
        (
            fact.device_id, fact.log, fact.n, fact.type, form(fact.at), fact.item,
            fact.document, fact.text, stamp, stamp, fact.fault,
        )
        for fact in prepared.facts
    ]  # fmt: skip
    return prepared


@transaction.atomic
def insert_events(prepared: Prepared) -> None:
    """Insert events that are most likely all new, handed on by the caller: fast.

    Nearly every event comes once; asking for each whether it is here already would
    cost more than storing it. Raises IntegrityError when one of them is stored, or
    may be in an earlier month: then nothing has changed, and `store_events` is to be
    used.
    """
    if prepared.maybe_known:
        raise IntegrityError("an event may be stored in an earlier month")
    bulk.insert_rows(DeviceEvent._meta.db_table, COLUMNS, prepared.rows)
    _note_versions(prepared.facts)


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
    present |= _archived(known, acks)
    return present


def _archived(
    known: Mapping[str, Device], acks: Mapping[tuple[str, str], list[int]]
) -> set[tuple[int, str, int]]:
    """Return the keys of events that lie in an archive."""
    wanted = {
        (known[device].pk, log): numbers for (device, log), numbers in acks.items()
    }
    found: set[tuple[int, str, int]] = set()
    for row in _runs_of({device for device, _log in wanted}):
        numbers = wanted.get((row.device_id, row.log), ())
        found |= {
            (row.device_id, row.log, n) for n in numbers if row.first <= n <= row.last
        }
    return found


def _runs_of(devices: Collection[int]) -> list[ArchivedRun]:
    keys = sorted(devices)
    return [
        run
        for start in range(0, len(keys), 500)
        for run in ArchivedRun.objects.filter(device__in=keys[start : start + 500])
    ]


# The month turned a moment ago: the month before may not be complete yet.
_TURNING = timedelta(minutes=10)


def _reach_back(facts: Sequence[Fact], at: datetime) -> bool:
    """Say whether some events have numbers that an earlier month may hold.

    A device counts its events up, so almost always none has. What earlier months
    hold does not change any more, so the answer is kept for each log until another
    month is archived.
    """
    month = months.month_of(at)
    begin, _end = months.bounds(month)
    archived = ArchivedRun.objects.aggregate(last=Max("pk"))["last"] or 0
    if (_before.month, _before.archived) != (month, archived) or at - begin < _TURNING:
        _before.highest, _before.month, _before.archived = {}, month, archived
    lowest: dict[tuple[int, str], int] = {}
    for fact in facts:
        key = (fact.device_id, fact.log)
        lowest[key] = min(fact.n, lowest.get(key, fact.n))
    unknown = [key for key in lowest if key not in _before.highest]
    if unknown:
        _before.highest |= _find_highest(unknown, begin)
    return any(n <= _before.highest[key] for key, n in lowest.items())


def _find_highest(
    keys: Sequence[tuple[int, str]], begin: datetime
) -> dict[tuple[int, str], int]:
    """Return the highest number of each log in archives and months before `begin`.

    One table holds all months of SQLite, and refuses by itself what it has.
    """
    highest = dict.fromkeys(keys, 0)
    for run in _runs_of({device for device, _log in keys}):
        key = (run.device_id, run.log)
        if key in highest:
            highest[key] = max(highest[key], run.last)
    if not bulk.is_postgresql():
        return highest
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT k.device_id, k.log, e.n"
            " FROM unnest(%s::bigint[], %s::text[]) AS k(device_id, log),"
            " LATERAL (SELECT max(n) AS n FROM fleet_deviceevent e"
            "  WHERE e.device_id = k.device_id AND e.log = k.log"
            "  AND e.stored_at < %s) AS e WHERE e.n IS NOT NULL",
            [[device for device, _log in keys], [log for _device, log in keys], begin],
        )
        for device, log, n in cursor.fetchall():
            highest[device, log] = max(highest[device, log], n)
    return highest


@dataclass
class _Before:
    """The highest number of each log before a month; of devices, never of absence."""

    month: date | None = None
    archived: int = 0
    highest: dict[tuple[int, str], int] = field(default_factory=dict)


_before = _Before()


def find_keys(uids: Collection[str]) -> dict[str, int]:
    """Return the key of each device that there is; a key never changes."""
    missing = [uid for uid in uids if uid not in _keys]
    for start in range(0, len(missing), 500):
        rows = Device.objects.filter(uid__in=missing[start : start + 500])
        _keys.update(rows.values_list("uid", "pk"))
    return {uid: _keys[uid] for uid in uids if uid in _keys}


# Of devices, never of what is not there: it may come.
_keys: dict[str, int] = {}


def _fact(device: int, log: str, event: Event, at: datetime) -> Fact:
    """Return an event as it is stored; what no database can hold becomes a fault."""
    data, item, fault = event.data, event.item, ""
    try:
        moment = datetime.fromtimestamp(event.at / 1000, tz=UTC)
        text = _NO_DATA if not data else _dump(data)
        is_plain = text.isascii() and item.isascii()
        size = len(text) + len(item) if is_plain else len((text + item).encode("utf-8"))
        if size > MAX_DATA or "\\u0000" in text or "\0" in item:
            raise ValueError("too long, or with a NUL")
    except (ValueError, OverflowError, OSError, RecursionError) as error:
        moment, data, item, text = at, {}, "", _NO_DATA
        fault = f"unusable: {error}"[:200]
    named = (data.get("document") or data.get("stop") or "") if data else ""
    document = named if isinstance(named, str) and len(named) == 12 else ""
    return Fact(
        device, log, event.n, event.type, moment, item, document, data, text, fault
    )


_NO_DATA = "{}"
_careful = json.JSONEncoder(allow_nan=False, ensure_ascii=False).encode


def _dump(data: Mapping[str, Any]) -> str:
    """Return data as JSON. Raises ValueError for what is none, such as NaN."""
    try:
        text = orjson.dumps(data).decode()
    except TypeError:
        return _careful(data)
    # It writes NaN as null.
    return _careful(data) if "null" in text else text


def _row(
    device: Device, log: str, event: Event, at: datetime, *, recorded: bool
) -> DeviceEvent:
    """Return the row of an event, as `_fact` sees it."""
    fact = _fact(device.pk, log, event, at)
    return DeviceEvent(
        device=device,
        log=log,
        n=fact.n,
        type=fact.type,
        at=fact.at,
        item=fact.item,
        document=fact.document,
        data=dict(fact.data),
        stored_at=at,
        recorded_at=at if recorded or fact.fault else None,
        fault=fact.fault,
    )


def _note_versions(events: Iterable[DeviceEvent | Fact]) -> None:
    """Keep the program version that a device told at birth."""
    told: dict[str, list[int]] = defaultdict(list)
    for event in events:
        version = event.data.get("version") if event.type == "birth" else None
        if isinstance(version, str) and version:
            told[version[:40]].append(event.device_id)
    for version, devices in told.items():
        for start in range(0, len(devices), 500):
            rows = Device.objects.filter(pk__in=devices[start : start + 500])
            rows.exclude(version=version).update(version=version)

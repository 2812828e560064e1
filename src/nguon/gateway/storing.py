"""Storing events: many messages in one transaction, a broken one set aside.

Nearly always all of them are new and good; then they go in with a few statements for
all. Anything else takes the careful way. `read_messages` does what needs no lock, so
that it can be done while the messages before are being stored.

Runs at desks. A device forgets an event only after our acknowledgement, and that is
sent only after the commit; so whatever dies in between is sent again and found.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, InterfaceError, OperationalError, transaction

from nguon.core import topics
from nguon.core.messages import EventBatch
from nguon.fleet import actions as fleet
from nguon.fleet import intake
from nguon.fleet.models import DeviceEvent
from nguon.schedule import actions as schedule

logger = logging.getLogger(__name__)

# The database being away is no fault of an event: try again, acknowledge nothing.
AWAY = (OperationalError, InterfaceError)
MAX_PER_TRANSACTION = 2_000
MAX_PENDING = 500

Record = Callable[..., object]


@dataclass
class Outcome:
    """What was done with some messages."""

    acks: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    heard: set[str] = field(default_factory=set)
    stored: int = 0
    aside: int = 0

    def add(self, device: str, log: str, numbers: Sequence[int]) -> None:
        """Note numbers to acknowledge."""
        self.acks.setdefault((device, log), []).extend(numbers)


@dataclass
class Group:
    """Batches that are stored in one transaction, and their rows made ready."""

    batches: list[EventBatch]
    prepared: fleet.Prepared


@dataclass
class Reading:
    """What is in some messages: groups to store, and what is to be set aside."""

    groups: list[Group] = field(default_factory=list)
    odd: list[tuple[str, bytes, str]] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)


def store_messages(
    messages: Sequence[tuple[str, bytes]],
    *,
    at: datetime,
    record: Record = schedule.record_events,
) -> Outcome:
    """Read and store some (subject, payload); return what may be acknowledged.

    Raises what `store_reading` raises.
    """
    return store_reading(read_messages(messages, at=at), at=at, record=record)


def read_messages(messages: Sequence[tuple[str, bytes]], *, at: datetime) -> Reading:
    """Read some (subject, payload) and make their rows ready; nothing is stored yet."""
    reading = Reading()
    batches: list[EventBatch] = []
    for subject, payload in messages:
        batch = _read(subject, payload, reading)
        if batch is not None and batch.events:
            batches.append(batch)
    for group in _groups(batches):
        prepared = fleet.prepare_events(batches=group, at=at)
        reading.groups.append(Group(group, prepared))
    return reading


def store_reading(
    reading: Reading, *, at: datetime, record: Record = schedule.record_events
) -> Outcome:
    """Store what was read; return what may be acknowledged.

    Raises OperationalError or InterfaceError when the database is away; what was not
    committed is then still in the reading, for another try.
    """
    while reading.odd:
        subject, payload, cause = reading.odd[0]
        fleet.set_aside(topic=subject, payload=payload, cause=cause, at=at)
        reading.odd.pop(0)
    while reading.groups:
        _store(reading.groups[0], reading.outcome, at, record)
        reading.groups.pop(0)
    return reading.outcome


def record_pending(
    *, at: datetime, record: Record = schedule.record_events, limit: int = MAX_PENDING
) -> int:
    """Hand on events that came over HTTPS; return how many were looked at."""
    rows = DeviceEvent.objects.filter(recorded_at__isnull=True)
    events = list(rows.select_related("device").order_by("pk")[:limit])
    if events:
        _record(events, at, record)
    return len(events)


def _read(subject: str, payload: bytes, reading: Reading) -> EventBatch | None:
    """Return the batch in a message; odd rows and messages are to be set aside."""
    device, outcome = subject, reading.outcome
    try:
        _scope, device, _channel = topics.parse(subject)
        found = intake.read_events(payload, device=device)
    except (ValueError, intake.UnreadableError) as error:
        logger.warning("Set aside an unreadable message of %s: %s", device, error)
        reading.odd.append((subject, payload, str(error)))
        outcome.aside += 1
        return None
    if found.odd:
        reading.odd.append((subject, payload, ", ".join(sorted({*found.odd.values()}))))
        outcome.add(device, found.batch.log, list(found.odd))
        outcome.aside += len(found.odd)
    return found.batch


def _groups(batches: Sequence[EventBatch]) -> list[list[EventBatch]]:
    """Return the batches in groups of at most so many events (or one batch)."""
    groups: list[list[EventBatch]] = []
    room = 0
    for batch in batches:
        if len(batch.events) > room:
            groups.append([])
            room = MAX_PER_TRANSACTION
        groups[-1].append(batch)
        room -= len(batch.events)
    return groups


def _store(group: Group, outcome: Outcome, at: datetime, record: Record) -> None:
    """Store a group and hand it on in one transaction; when that fails, carefully."""
    prepared = group.prepared
    try:
        with transaction.atomic():
            fleet.insert_events(prepared)
            record(events=[fact for fact in prepared.facts if not fact.fault], at=at)
    except AWAY:
        raise
    except IntegrityError:
        # Sent again after a break: some of these are here already.
        _store_carefully(group.batches, outcome, at, record)
    except Exception:
        logger.exception("A group of events could not be recorded together")
        _store_carefully(group.batches, outcome, at, record)
    else:
        outcome.stored += len(prepared.facts)
        for (device, log), numbers in prepared.acks.items():
            outcome.add(device, log, numbers)
            outcome.heard.add(device)


def _store_carefully(
    batches: list[EventBatch], outcome: Outcome, at: datetime, record: Record
) -> None:
    """Store what is not stored yet: facts first.

    1. store and record together
    2. when that fails, store without recording
    3. then record in ever smaller parts, and mark the one that cannot be
    """
    try:
        with transaction.atomic():
            stored = fleet.store_events(batches=batches, at=at, recorded=True)
            record(events=[event for event in stored.fresh if not event.fault], at=at)
    except AWAY:
        raise
    except Exception:
        logger.exception("A group of events could not be recorded together")
        stored = fleet.store_events(batches=batches, at=at)
        usable = [event for event in stored.fresh if not event.fault]
        _record(usable, at, record)
    outcome.stored += len(stored.fresh)
    for (device, log), numbers in stored.acks.items():
        outcome.add(device, log, numbers)


def _record(events: list[DeviceEvent], at: datetime, record: Record) -> None:
    """Record events, halving on failure until the broken one stands alone."""
    if not events:
        return
    try:
        with transaction.atomic():
            record(events=events, at=at)
            fleet.mark_recorded(events=events, at=at)
    except AWAY:
        raise
    except Exception as error:
        if len(events) > 1:
            middle = len(events) // 2
            _record(events[:middle], at, record)
            _record(events[middle:], at, record)
            return
        logger.exception("An event could not be recorded and is kept aside")
        fault = f"{type(error).__name__}: {error}".replace("\0", "")
        fleet.mark_recorded(events=events, at=at, fault=fault)

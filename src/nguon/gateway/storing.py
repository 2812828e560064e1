"""Storing events: many messages in one transaction, a broken one set aside.

Runs at a desk. A device forgets an event only after our acknowledgement, and that is
sent only after the commit; so whatever dies in between is sent again and found.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import InterfaceError, OperationalError, transaction

from nguon.core import topics
from nguon.core.messages import EventBatch
from nguon.fleet import actions as fleet
from nguon.fleet import intake
from nguon.fleet.models import DeviceEvent
from nguon.schedule import actions as schedule

logger = logging.getLogger(__name__)

# The database being away is no fault of an event: try again, acknowledge nothing.
AWAY = (OperationalError, InterfaceError)
MAX_PER_TRANSACTION = 500

Record = Callable[..., object]


@dataclass
class Outcome:
    """What was done with some messages."""

    acks: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    stored: int = 0
    aside: int = 0

    def add(self, device: str, log: str, numbers: Sequence[int]) -> None:
        """Note numbers to acknowledge."""
        self.acks.setdefault((device, log), []).extend(numbers)


def store_messages(
    messages: Sequence[tuple[str, bytes]],
    *,
    at: datetime,
    record: Record = schedule.record_events,
) -> Outcome:
    """Store what is in some (subject, payload); return what may be acknowledged.

    Raises OperationalError or InterfaceError when the database is away; then what
    was committed is found again next time.
    """
    outcome = Outcome()
    batches: list[EventBatch] = []
    for subject, payload in messages:
        batch = _read(subject, payload, outcome, at)
        if batch is not None and batch.events:
            batches.append(batch)
    for group in _groups(batches):
        _store(group, outcome, at, record)
    return outcome


def record_pending(
    *, at: datetime, record: Record = schedule.record_events, limit: int = 500
) -> int:
    """Hand on events that came over HTTPS; return how many were looked at."""
    rows = DeviceEvent.objects.filter(recorded_at__isnull=True)
    events = list(rows.select_related("device").order_by("pk")[:limit])
    if events:
        _record(events, at, record)
    return len(events)


def _read(
    subject: str, payload: bytes, outcome: Outcome, at: datetime
) -> EventBatch | None:
    """Return the batch in a message; odd rows and messages are set aside."""
    device = subject
    try:
        _scope, device, _channel = topics.parse(subject)
        reading = intake.read_events(payload, device=device)
    except (ValueError, intake.UnreadableError) as error:
        logger.warning("Set aside an unreadable message of %s: %s", device, error)
        fleet.set_aside(topic=subject, payload=payload, cause=str(error), at=at)
        outcome.aside += 1
        return None
    if reading.odd:
        cause = ", ".join(sorted(set(reading.odd.values())))
        fleet.set_aside(topic=subject, payload=payload, cause=cause, at=at)
        outcome.add(device, reading.batch.log, list(reading.odd))
        outcome.aside += len(reading.odd)
    return reading.batch


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


def _store(
    batches: list[EventBatch], outcome: Outcome, at: datetime, record: Record
) -> None:
    """Store a group and hand it on in one transaction; on failure, store it alone.

    1. store and record together: the normal case
    2. when that fails, store without recording: facts first
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

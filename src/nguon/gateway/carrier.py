"""Carries the outbox to the bus, and urgent documents again to who stayed silent.

A poke or one second, whichever comes first. Publishing never waits for the database:
what went is noted at another desk, so a second alert is not held up by the first.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q

from nguon.core import signing, topics
from nguon.fleet import actions as fleet
from nguon.fleet.models import (
    ACTIVE,
    KICK,
    URGENT_LANE,
    Device,
    DeviceEvent,
    OutboxMessage,
    SignedDocument,
)
from nguon.gateway.broker import Bus, BusAwayError
from nguon.gateway.desk import Desk
from nguon.territory.models import Unit

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 1.0
# When to send an urgent document again to the connected who have not answered;
# after that the pull, once a minute, finds them.
AGAIN_SECONDS = (2.0, 5.0, 10.0, 20.0, 40.0)
# A device answers these with an event that names the document. It tells a second
# copy of any other apart as a replay, so those are left to the pull.
ANSWERED = ("go", "alert", "stop")

Clock = Callable[[], datetime]


def now() -> datetime:
    """Return the clock of this machine."""
    return datetime.now(tz=UTC)


@dataclass
class Followed:
    """An urgent document on its way: whom it is for, and how often it went."""

    uid: str
    payload: bytes
    unit: str
    device: str
    item: str
    audience: Mapping[str, Any]
    not_after: int
    since: float
    turn: int = 0


def follow(payload: str, *, since: float) -> Followed | None:
    """Return what must be followed up in a message, or None for any other."""
    try:
        _header, told = signing.read(payload)
    except signing.DocumentRefusedError:
        return None
    if told.get("type") not in ANSWERED:
        return None
    item = told.get("item") or {}
    return Followed(
        uid=told["id"],
        payload=payload.encode("ascii"),
        unit=told["target"].get("unit", ""),
        device=told["target"].get("device", ""),
        item=item.get("id", ""),
        audience=item.get("audience") or {},
        not_after=told["not_after"],
        since=since,
    )


def list_silent(document: Followed) -> list[str]:
    """Return the connected devices it is for that have not answered it."""
    meant = Q(pk__in=[])
    if document.device:
        meant = Q(uid=document.device)
    elif document.audience:
        units = list(document.audience.get("units", ()))
        paths = Unit.objects.filter(uid__in=units).values_list("path", flat=True)
        for path in paths:
            meant |= Q(unit__path__startswith=path)
        meant |= Q(uid__in=list(document.audience.get("devices", ())))
    else:
        path = Unit.objects.values_list("path", flat=True).get(uid=document.unit)
        meant = Q(unit__path__startswith=path)
    told = Q(document=document.uid)
    if document.item:
        told |= Q(item=document.item)
    answered = DeviceEvent.objects.filter(told).values("device_id")
    devices = Device.objects.filter(meant, state=ACTIVE, connected=True)
    return list(devices.exclude(pk__in=answered).values_list("uid", flat=True))


class Carrier:
    """The loop from outbox to bus."""

    def __init__(self, bus: Bus, *, woken: asyncio.Event, clock: Clock = now) -> None:
        self._bus = bus
        self._woken = woken
        self._clock = clock
        self._desk, self._notes, self._calls = (
            Desk("carry"),
            Desk("note"),
            Desk("again"),
        )
        self._unnoted: set[int] = set()
        self._followed: dict[str, Followed] = {}
        self._noting: set[asyncio.Task[None]] = set()
        self.sent = 0
        self.sent_again = 0
        # When a device was last told that its answers are stored (loop time).
        self._answered: dict[str, float] = {}

    async def carry(self) -> int:
        """Publish what waits; return how much. Raises BusAwayError."""
        at = self._clock()
        rows = await self._desk.run(
            fleet.list_outbox, at=at, without=tuple(self._unnoted)
        )
        if not rows:
            return 0
        for row in rows:
            if not row.topic.startswith(KICK):
                await self._hand_over(row)
        await self._bus.flush()
        keys = [row.pk for row in rows if not row.topic.startswith(KICK)]
        keys += await self._kick([row for row in rows if row.pk not in set(keys)])
        self._unnoted.update(keys)
        self.sent += len(keys)
        task = asyncio.create_task(self._note(keys), name="note what went")
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)
        return len(keys)

    async def _kick(self, rows: list[OutboxMessage]) -> list[int]:
        """Cut off the revoked; return what is done. The rest is tried next turn."""
        done = []
        for row in rows:
            try:
                cut = await self._bus.kick(row.topic.removeprefix(KICK))
            except BusAwayError:
                logger.exception("A revoked device could not be cut off yet")
                continue
            logger.info("Cut %d connections of a revoked device", cut)
            done.append(row.pk)
        return done

    async def _hand_over(self, row: OutboxMessage) -> None:
        await self._bus.publish(topics.subject(row.topic), row.payload.encode())
        if row.topic.endswith("/nudge"):
            return
        document = follow(row.payload, since=asyncio.get_running_loop().time())
        if document is not None:
            self._followed[document.uid] = document

    async def _note(self, keys: list[int]) -> None:
        try:
            await self._notes.run(fleet.mark_sent, keys=keys, at=self._clock())
        except Exception:
            # Then they are carried once more, which harms nobody.
            logger.exception("What went could not be noted")
        finally:
            self._unnoted.difference_update(keys)

    async def run(self) -> None:
        """Carry until cancelled; a poke or the sweep begins each turn."""
        while True:
            self._woken.clear()
            while await self.carry():
                pass
            try:
                async with asyncio.timeout(SWEEP_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                await self._notes.run(fleet.expire_outbox, at=self._clock())

    async def tidy(self) -> None:
        """Drop what went long ago."""
        await self._notes.run(fleet.forget_outbox, at=self._clock())

    async def remember(self) -> None:
        """Follow documents that an earlier gateway had sent shortly before."""
        rows = await self._calls.run(_list_recent, at=self._clock())
        for jws in rows:
            document = follow(jws, since=asyncio.get_running_loop().time())
            if document is not None:
                self._followed.setdefault(document.uid, document)

    def answered(self, device: str) -> None:
        """Remember that a device is about to be told that its events are stored."""
        if self._followed:
            self._answered[device] = asyncio.get_running_loop().time()

    async def send_again(self) -> int:
        """Send what is due again to who stayed silent; return to how many.

        Waits while events are still being stored: the answers may be among them.
        """
        loop_time = asyncio.get_running_loop().time()
        due = [d for d in self._followed.values() if _is_due(d, loop_time)]
        if not due or await self._bus.count_waiting(settings.LEAVES):
            return 0
        count = 0
        for document in due:
            document.turn += 1
            late = document.not_after <= self._clock().timestamp() * 1000
            if late or document.turn >= len(AGAIN_SECONDS):
                self._followed.pop(document.uid, None)
            if late:
                continue
            asked = asyncio.get_running_loop().time()
            silent = await self._calls.run(list_silent, document)
            for uid in silent:
                # An answer that came while the list was made: a copy that follows its
                # acknowledgement would look like a replay to the device.
                if self._answered.get(uid, 0.0) >= asked:
                    continue
                subject = topics.subject(topics.device(uid, "command"))
                await self._bus.publish(subject, document.payload)
            if not silent:
                self._followed.pop(document.uid, None)
            count += len(silent)
        if not self._followed:
            self._answered.clear()
        self.sent_again += count
        return count

    async def run_again(self) -> None:
        """Look twice a second for what must be sent again, until cancelled."""
        await self.remember()
        while True:
            await asyncio.sleep(0.5)
            if self._followed:
                await self.send_again()

    async def close(self) -> None:
        """Let the notes be finished and end the threads."""
        if self._noting:
            await asyncio.wait(self._noting, timeout=5)
        for desk in (self._desk, self._notes, self._calls):
            desk.close()


def _is_due(document: Followed, loop_time: float) -> bool:
    return loop_time - document.since >= AGAIN_SECONDS[document.turn]


def _list_recent(*, at: datetime) -> list[str]:
    """Return the urgent documents of the last minute that are still in force."""
    rows = SignedDocument.objects.filter(
        lane=URGENT_LANE, issued_at__gt=at - timedelta(minutes=1), not_after__gt=at
    )
    return list(rows.order_by("pk").values_list("jws", flat=True))

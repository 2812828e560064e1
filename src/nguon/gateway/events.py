"""Taking events from the stream: stored first, acknowledged after.

On PostgreSQL two transactions run side by side, each with its own devices, so that
the order of one device's events is kept and no two wait for the same row. SQLite has
one writer at a time, and between two of ours others must get their turn.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar
from zlib import crc32

from nguon.core import messages, topics
from nguon.fleet import bulk
from nguon.gateway import storing
from nguon.gateway.broker import Bus, Msg
from nguon.gateway.carrier import Clock, now
from nguon.gateway.desk import Desk
from nguon.gateway.floods import Floods, taken_at

logger = logging.getLogger(__name__)

T = TypeVar("T")

RETRY_SECONDS = 0.5
MAX_MESSAGES = 1_000
WRITERS = 2
# The share of a transaction's time that SQLite is left to others after it.
BREATH = 0.15


class Writer:
    """One row of transactions: what waits, what is read, and its two threads."""

    def __init__(self, number: int) -> None:
        self.waiting: asyncio.Queue[Msg] = asyncio.Queue()
        self.ready: asyncio.Queue[tuple[list[Msg], storing.Reading]] = asyncio.Queue(1)
        self.reading = Desk(f"read-{number}")
        self.storing = Desk(f"store-{number}")


class Events:
    """Takes events from the bus, stores them, and only then says so."""

    def __init__(
        self,
        bus: Bus,
        *,
        floods: Floods,
        woken: asyncio.Event,
        heard: Callable[[set[str]], None] = lambda uids: None,
        answered: Callable[[str], None] = lambda uid: None,
        clock: Clock = now,
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._floods = floods
        self._woken = woken
        self._heard = heard
        self._answered = answered
        self._breath = 0.0 if bulk.is_postgresql() else BREATH
        count = WRITERS if bulk.is_postgresql() else 1
        self._writers = [Writer(number) for number in range(count)]
        self._pending_desk = Desk("record")
        self.stored = 0
        self.aside = 0

    async def take(self, message: Msg) -> None:
        """Take a message from the stream, unless it is part of a flood."""
        at = taken_at(message)
        uid = message.subject.split(".")[3]
        if at is not None and not self._floods.passes(uid, message, at=at):
            await message.ack()
            return
        self._hand_on(message)

    async def take_from_leaf(self, message: Msg) -> None:
        """Take what a leaf had kept: after a break it comes all at once."""
        self._hand_on(message)

    def _hand_on(self, message: Msg) -> None:
        which = crc32(message.subject.encode()) % len(self._writers)
        self._writers[which].waiting.put_nowait(message)

    async def run(self) -> None:
        """Store until cancelled; what was not committed is not acknowledged."""
        async with asyncio.TaskGroup() as group:
            for writer in self._writers:
                group.create_task(self._read(writer), name="read events")
                group.create_task(self._write(writer), name="write events")

    async def _read(self, writer: Writer) -> None:
        """Read group after group, one ahead of what is being stored."""
        while True:
            taken = [await writer.waiting.get()]
            while len(taken) < MAX_MESSAGES and not writer.waiting.empty():
                taken.append(writer.waiting.get_nowait())
            rows = [(message.subject, message.data) for message in taken]
            read = partial(storing.read_messages, rows, at=self._clock())
            await writer.ready.put((taken, await self._patiently(writer.reading, read)))

    async def _write(self, writer: Writer) -> None:
        """Store group after group; tell of one while the next is being stored."""
        loop = asyncio.get_running_loop()
        telling: asyncio.Task[None] | None = None
        while True:
            taken, reading = await writer.ready.get()
            store = partial(storing.store_reading, reading, at=self._clock())
            began = loop.time()
            outcome = await self._patiently(writer.storing, store)
            pause = (loop.time() - began) * self._breath
            self.stored += outcome.stored
            self.aside += outcome.aside
            self._heard(outcome.heard)
            if telling is not None:
                await telling
            tell = self._tell(outcome, taken)
            telling = asyncio.create_task(tell, name="tell what is stored")
            if pause and len(taken) > 1:
                await asyncio.sleep(pause)

    async def _patiently(self, desk: Desk, work: Callable[[], T]) -> T:
        """Have a piece of work done, however long the database is away."""
        while True:
            try:
                return await desk.run(work)
            except storing.AWAY:
                logger.exception("The database is away; nothing is acknowledged")
                await asyncio.sleep(RETRY_SECONDS)

    async def _tell(self, outcome: storing.Outcome, taken: Sequence[Msg]) -> None:
        """Tell the devices what is stored, then the stream."""
        for (device, log), numbers in outcome.acks.items():
            self._answered(device)
            subject = topics.subject(topics.device(device, "ack"))
            ack = messages.encode_ack(log=log, stored=sorted(set(numbers)))
            await self._bus.publish(subject, json.dumps(ack).encode("ascii"))
        for message in taken:
            await message.ack()

    async def run_pending(self) -> None:
        """Hand on what came over HTTPS: after each poke, and once a second."""
        while True:
            while await self._record() == storing.MAX_PENDING:
                pass
            try:
                async with asyncio.timeout(1.0):
                    await self._woken.wait()
                    self._woken.clear()
            except TimeoutError:
                pass

    async def _record(self) -> int:
        return await self._pending_desk.run(storing.record_pending, at=self._clock())

    def close(self) -> None:
        """Finish the transactions at hand and end the threads."""
        for writer in self._writers:
            writer.reading.close()
            writer.storing.close()
        self._pending_desk.close()

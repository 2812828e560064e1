"""A device that says far too much: counted, cut off for a while, told to people.

Counted by the moment the bus took a message, not by when we read it: after an outage
of the gateway the whole fleet's day comes in seconds, and nobody has flooded. What a
flooder sent is dropped, not stored; a device keeps each event until we acknowledge it,
so an honest one that went mad for a minute loses nothing.
"""

import asyncio
import logging
import time

from nguon.fleet import actions as fleet
from nguon.fleet.models import FLOOD, FLOOD_SPAN, Device
from nguon.fleet.rate import Bucket
from nguon.gateway.broker import Bus, BusAwayError, Msg
from nguon.gateway.carrier import Clock, now
from nguon.gateway.desk import Desk

logger = logging.getLogger(__name__)

# A device back from three days alone sends a few dozen messages, then some a second.
BURST, PER_SECOND = 300, 20.0
# So many bytes count as one message more.
BYTES_PER_MESSAGE = 32 * 1024
LOOK_SECONDS = 0.1


class Floods:
    """Who says too much, and what is done about it."""

    def __init__(self, bus: Bus, *, clock: Clock = now) -> None:
        self._bus = bus
        self._clock = clock
        self._desk = Desk("floods")
        self._bucket = Bucket(rate=PER_SECOND, burst=BURST)
        self._shut: dict[str, float] = {}
        self._fresh: set[str] = set()
        self.dropped = 0
        self.cut_off = 0

    def passes(self, uid: str, message: Msg, *, at: float) -> bool:
        """Count a message that the bus took at `at` (s); say whether to take it."""
        until = self._shut.get(uid)
        if until is not None:
            if at < until:
                self.dropped += 1
                return False
            del self._shut[uid]
        cost = 1 + len(message.data) // BYTES_PER_MESSAGE
        if self._bucket.take(uid, at=at, cost=cost):
            return True
        self._shut[uid] = at + FLOOD_SPAN.total_seconds()
        self._fresh.add(uid)
        self.dropped += 1
        return False

    async def run(self) -> None:
        """Cut off whoever floods, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            while self._fresh:
                uid = next(iter(self._fresh))
                await self._cut(uid)
                self._fresh.discard(uid)

    async def _cut(self, uid: str) -> None:
        """Write down a flood, which closes the door; then cut the line.

        In this order: a device that is cut off comes back within a second.
        """
        until = round(self._shut.get(uid, time.time()) * 1000)
        data = {"limit": f"{BURST} + {PER_SECOND:.0f}/s", "until": until}
        try:
            await self._desk.run(
                fleet.note_fault,
                device_uid=uid,
                fault=FLOOD,
                data=data,
                at=self._clock(),
            )
        except Device.DoesNotExist:
            logger.warning("A flood in the name of nobody: %s", uid)
            return
        try:
            cut = await self._bus.kick(uid)
        except BusAwayError:
            # Then it is not connected either.
            logger.warning("The bus went away during a flood")
            return
        self.cut_off += 1
        logger.warning("Cut %d connections of device %s, which flooded", cut, uid)

    def close(self) -> None:
        """End the thread."""
        self._desk.close()


def taken_at(message: Msg) -> float | None:
    """Return when the stream took a message (s), or None when it was given before.

    Source: NATS ADR-15, `$JS.ACK.<stream>.<consumer>.<given>.<seq>.<seq>.<ns>.<left>`.
    """
    parts = message.reply.split(".")
    if int(parts[-5]) > 1:
        return None
    return int(parts[-2]) / 1e9

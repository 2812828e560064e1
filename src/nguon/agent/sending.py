"""Sends what this device has to tell, until the gateway acknowledges it.

Over the bus, or by HTTPS when the bus is away. An event is forgotten only after the
acknowledgement, which comes after the commit that stored it.
"""

import asyncio
from typing import Any

from nguon.agent.broker import Broker
from nguon.agent.clock import Clock
from nguon.agent.server import Server, ServerRefusedError, ServerUnreachableError
from nguon.agent.signals import Signals, wait
from nguon.agent.store import Store
from nguon.core.messages import EventBatch
from nguon.core.pauses import jitter

BATCH = 100
# An event not acknowledged after this long is sent again, then ever less often.
ACK_S = 10.0
_LONGEST_ACK_S = 60.0
_OFFLINE_S = 5.0


class Sender:
    """Carries the waiting events up, in their order."""

    def __init__(
        self,
        *,
        device: str,
        clock: Clock,
        store: Store,
        server: Server,
        broker: Broker,
        signals: Signals,
    ) -> None:
        self._device = device
        self._clock = clock
        self._store = store
        self._server = server
        self._broker = broker
        self._signals = signals
        self._offline_since = clock.monotonic()
        self._sent_to = 0
        self._sent_at = 0.0
        self._ack_wait = ACK_S

    async def turn(self) -> None:
        """Send what waits: over the bus, or by HTTPS when the bus is away."""
        self._signals.send.clear()
        mono = self._clock.monotonic()
        if self._sent_to and mono - self._sent_at > self._ack_wait:
            # No acknowledgement: from the beginning, and more patiently.
            self._sent_to = 0
            self._ack_wait = min(_LONGEST_ACK_S, self._ack_wait * 2)
        events = self._store.waiting(limit=BATCH, above=self._sent_to)
        if self._broker.is_connected:
            self._offline_since = mono
            if events:
                await self._send_by_bus(events)
        elif events and mono - self._offline_since > _OFFLINE_S:
            await self._send_by_https()
        longest = 1.0 if events or self._sent_to else 5.0
        await wait(self._signals.send, longest)

    async def _send_by_bus(self, events: list[Any]) -> None:
        batch = EventBatch(self._device, self._store.log, tuple(events))
        try:
            await self._broker.publish("event", batch.encode(), qos=1)
        except ConnectionError:
            return
        self._sent_to = events[-1].n
        self._sent_at = self._clock.monotonic()
        if len(events) == BATCH:
            self._signals.send.set()

    async def _send_by_https(self) -> None:
        events = self._store.waiting(limit=BATCH)
        batch = EventBatch(self._device, self._store.log, tuple(events))
        try:
            ack = await asyncio.to_thread(self._server.events, batch.encode())
            self.take_ack(ack)
        except (ServerUnreachableError, ServerRefusedError, ValueError):
            self._offline_since = self._clock.monotonic() + jitter(0, 5)

    def begin_again(self) -> None:
        """Send all that waits from its beginning: the bus has connected anew."""
        self._sent_to = 0
        self._signals.send.set()

    def take_ack(self, body: object) -> None:
        """Forget the events that the gateway has put into its database.

        Raises ValueError for what is no acknowledgement.
        """
        if not isinstance(body, dict) or not isinstance(body.get("stored"), list):
            raise ValueError("no ack")
        numbers = [n for n in body["stored"] if isinstance(n, int)]
        self._store.acknowledged(log=str(body.get("log")), numbers=numbers)
        self._ack_wait = ACK_S
        self._sent_at = self._clock.monotonic()
        self._signals.send.set()

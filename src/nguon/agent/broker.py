"""The bus: MQTT 3.1.1, QoS 0 down and QoS 1 up. The only user of aiomqtt.

Nothing here is believed and nothing is kept: a message is handed on as bytes, and an
event counts as delivered only when the gateway's own acknowledgement has come.
"""

import asyncio
import json
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiomqtt

from nguon.agent.clock import Clock
from nguon.agent.identity import Identity, check_bus
from nguon.core import signing, topics
from nguon.core.pauses import jitter
from nguon.core.signing import SigningKey

log = logging.getLogger(__name__)

KEEP_ALIVE_S = 30
_TIMEOUT_S = 10.0
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0

Receive = Callable[[str, bytes], Awaitable[None]]


def check_cancelled() -> None:
    """Raise when this task was told to end and somebody swallowed it.

    `asyncio.wait_for` on Python 3.11 can, and so does a library that answers a
    cancellation with an error of its own.
    """
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError


class Broker:
    """One connection to the bus, made again and again with jitter."""

    def __init__(
        self,
        *,
        key: SigningKey,
        clock: Clock,
        receive: Receive,
        connected: Callable[[], None],
    ) -> None:
        self._key = key
        self._clock = clock
        self._receive = receive
        self._tell_connected = connected
        self._client: aiomqtt.Client | None = None
        self._units: frozenset[str] = frozenset()
        self._moved = asyncio.Event()
        self.identity: Identity | None = None

    @property
    def is_connected(self) -> bool:
        """Say whether the bus can be reached now."""
        return self._client is not None

    async def run(self) -> None:
        """Stay connected until cancelled."""
        wait = _FIRST_WAIT_S
        while True:
            began = self._clock.monotonic()
            try:
                await self._session()
            except (aiomqtt.MqttError, OSError, ValueError) as error:
                check_cancelled()
                log.info("bus: not connected (%s)", type(error).__name__)
            finally:
                self._client = None
            if self._clock.monotonic() - began > KEEP_ALIVE_S:
                wait = _FIRST_WAIT_S
            await asyncio.sleep(jitter(wait / 2, wait))
            wait = min(_LONGEST_WAIT_S, wait * 2)

    async def _session(self) -> None:
        """Connect, subscribe, and hand on what comes until the line breaks."""
        identity = self.identity
        if identity is None or not identity.bus_host:
            return
        check_bus(identity.bus_host, tls=identity.bus_tls)
        async with self._connect(identity) as client:
            self._units = frozenset()
            self._client = client
            await client.subscribe(
                [
                    (topics.device(identity.device, channel), 0)
                    for channel in topics.DEVICE_DOWN
                ]
            )
            log.info("bus: connected")
            self._moved.clear()
            self._tell_connected()
            taking = asyncio.create_task(self._take(client), name="bus")
            moved = asyncio.create_task(self._moved.wait(), name="bus: moved")
            try:
                await asyncio.wait((taking, moved), return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._client = None
                for task in (taking, moved):
                    task.cancel()
                told = await asyncio.gather(taking, moved, return_exceptions=True)
            for error in told:
                if isinstance(error, Exception):
                    raise error

    async def _take(self, client: aiomqtt.Client) -> None:
        """Hand on what comes until the line breaks."""
        async for message in client.messages:
            payload = message.payload
            check_cancelled()
            if isinstance(payload, bytes):
                channel = message.topic.value.rpartition("/")[2]
                await self._receive(channel, payload)

    def _connect(self, identity: Identity) -> aiomqtt.Client:
        now = self._clock.now()
        gone = {"v": 1, "device": identity.device, "at": now, "gone": True}
        return aiomqtt.Client(
            identity.bus_host,
            identity.bus_port,
            identifier=identity.device,
            username=identity.device,
            password=signing.device_token(self._key, device=identity.device, at=now),
            clean_session=True,
            keepalive=KEEP_ALIVE_S,
            timeout=_TIMEOUT_S,
            tls_context=ssl.create_default_context() if identity.bus_tls else None,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
            will=aiomqtt.Will(
                topics.device(identity.device, "beat"), json.dumps(gone), qos=0
            ),
        )

    async def listen_to(self, units: frozenset[str]) -> None:
        """Subscribe to these areas; to other ones than before, by connecting anew.

        What a device may hear was decided when it signed in: the bus would refuse the
        areas of other ground on this connection.
        """
        if not self._client or units == self._units:
            return
        if self._units:
            log.info("bus: other ground, connecting anew")
            self._moved.set()
            return
        wanted = [
            (topics.area(unit, channel), 0)
            for unit in sorted(units)
            for channel in topics.AREA_CHANNELS
        ]
        await self._client.subscribe(wanted)
        self._units = units

    async def publish(self, channel: str, body: Mapping[str, Any], *, qos: int) -> None:
        """Send a message up. Raises ConnectionError when the bus is not there."""
        if not self._client or not self.identity:
            raise ConnectionError("the bus is not connected")
        try:
            await self._client.publish(
                topics.device(self.identity.device, channel),
                json.dumps(body, ensure_ascii=False).encode(),
                qos=qos,
            )
        except aiomqtt.MqttError as error:
            raise ConnectionError("the bus went away") from error

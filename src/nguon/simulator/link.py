"""One device's connection to the bus: sign in, listen, send; told when it is lost."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from nguon.core import topics
from nguon.core.errors import RefusedError
from nguon.simulator import mqtt
from nguon.simulator.device import Device

KEEP_ALIVE_SECONDS = 150
ANSWER_SECONDS = 20.0


class BusRefusedError(RefusedError):
    """The bus does not let this device in, or not listen where it must."""


@dataclass(frozen=True)
class Bus:
    """Where the bus is, as the server told it."""

    host: str
    port: int
    tls: bool


class Link:
    """The line of one device; made once, connected again and again."""

    __slots__ = (
        "_answer", "_line", "_on_lost", "_on_message", "_packet", "device", "online",
        "tries",
    )  # fmt: skip

    def __init__(
        self,
        device: Device,
        on_message: Callable[["Link", bytes, bytes], None],
        on_lost: Callable[["Link"], None],
    ) -> None:
        self.device = device
        self.online = False
        self.tries = 0
        self._line: mqtt.Line | None = None
        self._packet = 0
        self._answer: asyncio.Future[mqtt.Packet] | None = None
        self._on_message = on_message
        self._on_lost = on_lost

    async def connect(self, bus: Bus, *, at: int) -> None:
        """Sign in and listen. Raises BusRefusedError, OSError, TimeoutError."""
        loop = asyncio.get_running_loop()
        tls = ssl.create_default_context() if bus.tls else None
        async with asyncio.timeout(ANSWER_SECONDS):
            _transport, line = await loop.create_connection(
                lambda: mqtt.Line(self._take, self._lost), bus.host, bus.port, ssl=tls
            )
            self._line = line
            try:
                await self._sign_in(line, at=at)
            except BaseException:
                line.abort()
                raise
        self.online = True
        self.tries = 0

    async def _sign_in(self, line: mqtt.Line, *, at: int) -> None:
        uid = self.device.uid
        hello = mqtt.encode_connect(
            client=uid,
            username=uid,
            password=self.device.token(at=at),
            keep_alive=KEEP_ALIVE_SECONDS,
        )
        answer = await self._ask(line, hello)
        if not isinstance(answer, mqtt.Connack) or answer.code != mqtt.ACCEPTED:
            raise BusRefusedError("simulator.bus_refused", answer=str(answer))
        wanted = [topics.device(uid, channel) for channel in topics.DEVICE_DOWN]
        for unit in sorted(self.device.listener.units):
            wanted += [topics.area(unit, channel) for channel in topics.AREA_CHANNELS]
        order = mqtt.encode_subscribe(packet=self._next(), topics=wanted)
        granted = await self._ask(line, order)
        if not isinstance(granted, mqtt.Suback) or max(granted.codes) > 2:
            raise BusRefusedError("simulator.bus_deaf", answer=str(granted))

    async def _ask(self, line: mqtt.Line, data: bytes) -> mqtt.Packet:
        self._answer = asyncio.get_running_loop().create_future()
        line.send(data)
        return await self._answer

    def _next(self) -> int:
        self._packet = self._packet % 0xFFFF + 1
        return self._packet

    def send(self, channel: str, payload: bytes, *, qos: int = 0) -> None:
        """Publish on one of the device's own topics, when connected."""
        if self._line is not None and self.online:
            packet = self._next() if qos else 0
            topic = topics.device(self.device.uid, channel)
            self._line.send(
                mqtt.encode_publish(
                    topic=topic, payload=payload, qos=qos, packet=packet
                )
            )

    def ping(self) -> None:
        """Show that the line is alive."""
        if self._line is not None:
            self._line.send(mqtt.PINGREQ)

    def close(self) -> None:
        """Say goodbye and hang up."""
        if self._line is not None and self._line.transport is not None:
            self._line.send(mqtt.DISCONNECT)
            self._line.transport.close()

    def abort(self) -> None:
        """Hang up without a word."""
        if self._line is not None:
            self._line.abort()

    def _take(self, packet: mqtt.Packet) -> None:
        if isinstance(packet, mqtt.Publish):
            if packet.qos and self._line is not None:
                self._line.send(mqtt.encode_puback(packet.packet))
            self._on_message(self, packet.topic, packet.payload)
            return
        is_answer = isinstance(packet, mqtt.Connack | mqtt.Suback)
        if is_answer and self._answer and not self._answer.done():
            self._answer.set_result(packet)

    def _lost(self) -> None:
        self.online = False
        self._line = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError("line lost"))
        self._on_lost(self)

"""MQTT 3.1.1, as little of it as a device needs: packets as pure functions.

Ordinary clients cost more than the server they test. `encode_…` returns bytes,
`decode` reads one packet, `Line` is one connection. Downlink is QoS 0 with clean
sessions (design 2), so nothing here is kept between connections.
Source: MQTT 3.1.1, OASIS standard, 29 October 2014; sections are named in brackets.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import NamedTuple

from nguon.core.errors import DomainError

MAX_PACKET = 1024 * 1024
PINGREQ = b"\xc0\x00"
PINGRESP = b"\xd0\x00"
DISCONNECT = b"\xe0\x00"
ACCEPTED = 0

_CONNECT, _CONNACK, _PUBLISH, _PUBACK = 1, 2, 3, 4
_SUBSCRIBE, _SUBACK, _PINGREQ, _PINGRESP, _DISCONNECT = 8, 9, 12, 13, 14


class PacketError(DomainError):
    """Bytes that are no MQTT packet; the connection cannot go on."""


class Connect(NamedTuple):
    """A client presents itself (3.1)."""

    client: str
    username: str
    password: str
    keep_alive: int


class Connack(NamedTuple):
    """The server's answer; 0 is welcome (3.2)."""

    code: int


class Publish(NamedTuple):
    """A message; `packet` is 0 at QoS 0 (3.3)."""

    topic: bytes
    payload: bytes
    qos: int
    packet: int


class Puback(NamedTuple):
    """A message of QoS 1 has arrived at the server (3.4); no proof of storage."""

    packet: int


class Subscribe(NamedTuple):
    """Topics a client wants at QoS 0 (3.8)."""

    packet: int
    topics: tuple[str, ...]


class Suback(NamedTuple):
    """Which were granted; 128 is a refusal (3.9)."""

    packet: int
    codes: tuple[int, ...]


class Plain(NamedTuple):
    """A packet without content: its type is all it says (3.12 to 3.14)."""

    kind: int


Packet = Connect | Connack | Publish | Puback | Subscribe | Suback | Plain


def encode_connect(
    *, client: str, username: str, password: str, keep_alive: int
) -> bytes:
    """Return a CONNECT with a clean session and no will."""
    flags = 0b1100_0010
    head = _text("MQTT") + bytes((4, flags)) + keep_alive.to_bytes(2, "big")
    return _frame(0x10, head + _text(client) + _text(username) + _text(password))


def encode_connack(code: int) -> bytes:
    """Return a CONNACK."""
    return bytes((0x20, 2, 0, code))


def encode_publish(
    *, topic: str, payload: bytes, qos: int = 0, packet: int = 0, again: bool = False
) -> bytes:
    """Return a PUBLISH; `packet` is needed at QoS 1, `again` marks a repeat."""
    number = packet.to_bytes(2, "big") if qos else b""
    head = 0x30 | qos << 1 | (0x08 if again and qos else 0)
    return _frame(head, _text(topic) + number + payload)


def encode_puback(packet: int) -> bytes:
    """Return a PUBACK."""
    return b"\x40\x02" + packet.to_bytes(2, "big")


def encode_subscribe(*, packet: int, topics: Iterable[str]) -> bytes:
    """Return a SUBSCRIBE for topics at QoS 0."""
    wanted = b"".join(_text(topic) + b"\0" for topic in topics)
    return _frame(0x82, packet.to_bytes(2, "big") + wanted)


def encode_suback(*, packet: int, codes: Iterable[int]) -> bytes:
    """Return a SUBACK."""
    return _frame(0x90, packet.to_bytes(2, "big") + bytes(codes))


def frame_end(data: bytes | bytearray, start: int) -> int:
    """Return where the packet at `start` ends, or 0 while too little has come (2.2.3).

    Raises PacketError for a length no packet of ours has.
    """
    length, shift = 0, 0
    for at in range(start + 1, min(start + 5, len(data))):
        byte = data[at]
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            if length > MAX_PACKET:
                raise PacketError("simulator.packet_too_long", length=length)
            end = at + 1 + length
            return end if end <= len(data) else 0
        shift += 7
    if len(data) - start >= 5:
        raise PacketError("simulator.packet_malformed", what="length")
    return 0


def decode(data: bytes) -> Packet:
    """Return the packet of exactly these bytes. Raises PacketError."""
    kind, flags = data[0] >> 4, data[0] & 0x0F
    at = 1
    while data[at] >= 0x80:
        at += 1
    at += 1
    try:
        if kind == _PUBLISH:
            return _decode_publish(data, at, flags)
        reader = _READERS.get(kind)
        return reader(data, at) if reader else _decode_plain(kind)
    except (IndexError, UnicodeDecodeError) as error:
        raise PacketError("simulator.packet_malformed", kind=kind) from error


def _decode_publish(data: bytes, at: int, flags: int) -> Publish:
    start = at + 2
    end = start + (data[at] << 8 | data[at + 1])
    qos = flags >> 1 & 3
    if qos == 3 or end + (2 if qos else 0) > len(data):
        raise PacketError("simulator.packet_malformed", kind=_PUBLISH)
    topic = data[start:end]
    if not qos:
        return Publish(topic, data[end:], 0, 0)
    return Publish(topic, data[end + 2 :], qos, data[end] << 8 | data[end + 1])


def _decode_connect(data: bytes, at: int) -> Connect:
    name, at = _read_text(data, at)
    if name != "MQTT" or data[at] != 4:
        raise PacketError("simulator.packet_malformed", kind=_CONNECT)
    keep_alive = _number(data, at + 2)
    client, at = _read_text(data, at + 4)
    username, at = _read_text(data, at)
    password, at = _read_text(data, at)
    return Connect(client, username, password, keep_alive)


def _decode_connack(data: bytes, at: int) -> Connack:
    return Connack(data[at + 1])


def _decode_puback(data: bytes, at: int) -> Puback:
    return Puback(_number(data, at))


def _decode_subscribe(data: bytes, at: int) -> Subscribe:
    packet, at = _number(data, at), at + 2
    topics = []
    while at < len(data):
        topic, at = _read_text(data, at)
        topics.append(topic)
        at += 1
    return Subscribe(packet, tuple(topics))


def _decode_suback(data: bytes, at: int) -> Suback:
    return Suback(_number(data, at), tuple(data[at + 2 :]))


def _decode_plain(kind: int) -> Plain:
    if kind not in {_PINGREQ, _PINGRESP, _DISCONNECT}:
        raise PacketError("simulator.packet_malformed", kind=kind)
    return Plain(kind)


_READERS: dict[int, Callable[[bytes, int], Packet]] = {
    _CONNECT: _decode_connect,
    _CONNACK: _decode_connack,
    _PUBACK: _decode_puback,
    _SUBSCRIBE: _decode_subscribe,
    _SUBACK: _decode_suback,
}


def _frame(head: int, body: bytes) -> bytes:
    length, digits = len(body), bytearray((head,))
    if length > MAX_PACKET:
        raise PacketError("simulator.packet_too_long", length=length)
    while True:
        length, digit = length >> 7, length & 0x7F
        digits.append(digit | 0x80 if length else digit)
        if not length:
            return bytes(digits) + body


def _text(text: str) -> bytes:
    data = text.encode()
    if len(data) > 0xFFFF:
        raise PacketError("simulator.packet_too_long", length=len(data))
    return len(data).to_bytes(2, "big") + data


def _number(data: bytes, at: int) -> int:
    return data[at] << 8 | data[at + 1]


def _read_text(data: bytes, at: int) -> tuple[str, int]:
    end = at + 2 + _number(data, at)
    if end > len(data):
        raise PacketError("simulator.packet_malformed", what="text")
    return data[at + 2 : end].decode(), end


# One buffer for all connections: asyncio asks for it, fills it and hands it back
# before another connection has its turn.
_inbox = bytearray(256 * 1024)
_window = memoryview(_inbox)


class Line(asyncio.BufferedProtocol):
    """One connection: cuts the stream into packets, hands each to its owner."""

    def __init__(
        self,
        on_packet: Callable[[Packet], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._on_packet = on_packet
        self._on_lost = on_lost
        self._rest = bytearray()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (asyncio)."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self.transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        """Lend the shared buffer (asyncio)."""
        return _window

    def buffer_updated(self, nbytes: int) -> None:
        """Take what came (asyncio); close the line when it is no MQTT."""
        try:
            if self._rest:
                self._rest += _window[:nbytes]
                done = self._cut(bytes(self._rest))
                del self._rest[:done]
            else:
                data = bytes(_window[:nbytes])
                done = self._cut(data)
                if done < nbytes:
                    self._rest += data[done:]
        except PacketError:
            self.abort()

    def _cut(self, data: bytes) -> int:
        start, total = 0, len(data)
        while start < total:
            end = frame_end(data, start)
            if not end:
                break
            packet = data if start == 0 and end == total else data[start:end]
            self._on_packet(decode(packet))
            start = end
        return start

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner (asyncio)."""
        self.transport = None
        self._on_lost()

    def send(self, data: bytes) -> None:
        """Send bytes; nothing when the line is gone (the owner is told)."""
        if self.transport is not None:
            self.transport.write(data)

    def abort(self) -> None:
        """Cut the line."""
        if self.transport is not None:
            self.transport.abort()

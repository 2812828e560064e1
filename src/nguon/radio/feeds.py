"""Where a stream's bytes come from: HTTP and Icecast, live segments; HLS is in `hls`.

Server and device open a relay by this same code, so what the server finds playable
is what speakers play. A feed yields whole MP3 frames, one at a time, as they arrive:
a decoder that was given more would keep it back. Every wait ends within a few seconds
or with `close`; an address is opened only after its numbers were seen to be public.
"""

import contextlib
import http.client
import queue
import re
import socket
import ssl
import threading
from collections.abc import Collection, Iterator, Mapping
from typing import Protocol
from urllib.parse import urljoin

from nguon.core import addresses
from nguon.core.addresses import Address, AddressError
from nguon.core.errors import DomainError, InvalidError

CONNECT_S = 5.0
# No byte for this long: the source is dead.
STALE_S = 3.0
MAX_REDIRECTS = 5
# So many bytes without one MP3 frame are no MP3.
MAX_NOISE = 64 * 1024
# Live segments that wait to be decoded; a burst beyond this is not ours.
MAX_WAITING = 64
_CHUNK = 4096
# What a device cannot play, by its content type; the server transcodes it.
_FOREIGN = ("video/", "aac", "ogg", "opus", "flac", "mp4", "webm")

_BIT_RATES = {
    3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {
    3: (44_100, 48_000, 32_000),
    2: (22_050, 24_000, 16_000),
    0: (11_025, 12_000, 8_000),
}


class SourceAwayError(DomainError):
    """The source does not answer, or broke off: trying again may help."""


class UnplayableSourceError(InvalidError):
    """The source answers with something that this device cannot play."""


class Feed(Protocol):
    """Yields MP3 frames until the source ends; `close` ends every wait."""

    # A source is dead when nothing came for this long; playlists come in pieces.
    stale_s: float

    def frames(self) -> Iterator[bytes]:
        """Yield frames. Raises SourceAwayError, UnplayableSourceError, AddressError."""

    def close(self) -> None:
        """Let `frames` end soon; may be called from another thread."""


class RawFeed(Feed, Protocol):
    """A feed of a relay: `frames` are what `cut` makes of `chunks`."""

    def chunks(self) -> Iterator[bytes]:
        """Yield what the source sends, whatever its codec. Raises as `frames` does."""

    def cut(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the frames of the next chunk. Raises UnplayableSourceError."""


class FrameCutter:
    """Cuts a stream of bytes at the borders of its MP3 frames (ISO 11172-3)."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._skip = 0
        self._noise = 0
        self._locked = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the frames that are whole now.

        Raises UnplayableSourceError for a long stretch without any frame.
        """
        self._held += data
        while True:
            if self._skip:
                step = min(self._skip, len(self._held))
                del self._held[:step]
                self._skip -= step
            if self._skip or len(self._held) < 10:
                return
            if self._held.startswith(b"ID3"):
                self._skip = 10 + _syncsafe(self._held[6:10])
                continue
            size = frame_size(self._held)
            if size and len(self._held) < size + (0 if self._locked else 4):
                return
            if size and (self._locked or frame_size(self._held[size : size + 4])):
                frame = bytes(self._held[:size])
                del self._held[:size]
                self._locked, self._noise = True, 0
                yield frame
                continue
            self._lose_one()

    def _lose_one(self) -> None:
        """Drop bytes up to the next one that may begin a frame."""
        self._locked = False
        found = self._held.find(0xFF, 1)
        step = found if found > 0 else len(self._held)
        del self._held[:step]
        self._noise += step
        if self._noise > MAX_NOISE:
            raise UnplayableSourceError("core.source_unplayable", why="no_mp3")


def frame_size(data: bytes | bytearray) -> int:
    """Return the length in bytes of the MP3 frame that begins here; 0 when none."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return 0
    version, layer = data[1] >> 3 & 3, data[1] >> 1 & 3
    rate, bits = data[2] >> 2 & 3, data[2] >> 4
    if version == 1 or layer != 1 or rate == 3 or bits in {0, 15}:
        return 0
    kilobits = _BIT_RATES[3 if version == 3 else 2][bits - 1]
    factor = 144_000 if version == 3 else 72_000
    return factor * kilobits // _RATES[version][rate] + (data[2] >> 1 & 1)


def _syncsafe(data: bytes | bytearray) -> int:
    """Return the length that an ID3v2 header states."""
    size = 0
    for byte in data:
        size = size << 7 | byte & 127
    return size


# --- HTTP -----------------------------------------------------------------------------


class _Response(http.client.HTTPResponse):
    """An answer whose first line may be the old `ICY 200 OK` of radio servers."""

    def _read_status(self) -> tuple[str, int, str]:
        line = self.fp.readline(1024).decode("iso-8859-1").strip()
        if not line:
            raise http.client.RemoteDisconnected("hung up")
        match = re.fullmatch(r"(?:HTTP/1\.([01])|ICY) (\d{3})(?: (.*))?", line)
        if match is None:
            raise http.client.BadStatusLine(line[:80])
        return f"HTTP/1.{match[1] or 0}", int(match[2]), match[3] or ""


def join(base: str, url: str) -> str:
    """Return where an address leads that stands in an answer. Raises AddressError."""
    try:
        return urljoin(base, url)
    except ValueError as error:
        raise AddressError("core.address_unusable", url=url[:200]) from error


class Connection:
    """One connection at a time to a checked address; `close` breaks it off.

    What `read` opened is kept for the next file of the same host: ten thousand devices
    that ask each second would otherwise greet the server ten thousand times a second.
    `inside` names the hosts (or `host:port`) that may stand inside the network; with
    `allow_inside` all may.
    """

    def __init__(
        self, *, allow_inside: bool = False, inside: Collection[str] = ()
    ) -> None:
        self._allow_inside = allow_inside
        self._inside = frozenset(inside)
        self._socket: socket.socket | None = None
        # To which host it is kept open, as its numbers were found public.
        self._kept: tuple[str, str, int] | None = None
        self.closing = threading.Event()

    def close(self) -> None:
        """Break the connection; whoever reads from it gets an error."""
        self.closing.set()
        self.hang_up()

    def hang_up(self) -> None:
        """End the connection that is open."""
        line, self._socket, self._kept = self._socket, None, None
        if line is not None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()

    def get(
        self, url: str, *, keep: bool = False, unless: Mapping[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, str]:
        """Return the answer to a GET and the address where redirects led.

        With `keep` the host is asked to leave the connection open after it. `unless`
        are the headers of RFC 9110 13.1 that ask for news only; then 304 is an answer.
        Raises SourceAwayError, UnplayableSourceError (it answers no), AddressError.
        """
        for _turn in range(MAX_REDIRECTS + 1):
            answer = self._ask(addresses.parse(url), keep=keep, unless=unless or {})
            if unless and answer.status == http.HTTPStatus.NOT_MODIFIED:
                return answer, url
            if answer.status in {301, 302, 303, 307, 308}:
                url = join(url, answer.getheader("Location", ""))
                self.hang_up()
                continue
            if answer.status != http.HTTPStatus.OK:
                self.hang_up()
                raise SourceAwayError("core.source_away", why=f"http_{answer.status}")
            return answer, url
        raise UnplayableSourceError("core.source_unplayable", why="redirects")

    def read(self, url: str, *, limit: int) -> tuple[bytes, str]:
        """Return a whole small file, and its address after redirects."""
        answer, where = self.get(url, keep=True)
        data = None
        try:
            data = answer.read(limit + 1)
        except (OSError, http.client.HTTPException) as error:
            raise SourceAwayError("core.source_away", why="broken") from error
        finally:
            if data is None or answer.will_close or not answer.isclosed():
                self.hang_up()
        if len(data) > limit:
            raise UnplayableSourceError("core.source_unplayable", why="too_long")
        return data, where

    def _ask(
        self, address: Address, *, keep: bool, unless: Mapping[str, str]
    ) -> http.client.HTTPResponse:
        """Ask on the connection that is kept, or on a new one."""
        host = (address.scheme, address.host, address.port)
        try:
            kept = self._socket if self._kept == host else None
            if kept is not None:
                # The host may have hung up since; that says nothing of the source.
                with contextlib.suppress(ConnectionError):
                    return _request(kept, address, keep=keep, unless=unless)
            self.hang_up()
            self._socket = line = open_line(
                address, inside=self._inside, allow_inside=self._allow_inside
            )
            self._kept = host if keep else None
            if self.closing.is_set():
                raise SourceAwayError("core.source_away", why="closed")
            return _request(line, address, keep=keep, unless=unless)
        except (OSError, UnicodeError, http.client.HTTPException) as error:
            self.hang_up()
            raise SourceAwayError("core.source_away", why="no_answer") from error


def open_line(
    address: Address,
    *,
    inside: Collection[str] = (),
    allow_inside: bool = False,
    stale_s: float = STALE_S,
) -> socket.socket:
    """Return a connection to a number of this name that may be opened.

    Raises OSError, AddressError `core.address_inside`.
    """
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    numbers = [str(row[4][0]) for row in found]
    names = {address.host, f"{address.host}:{address.port}"}
    if not allow_inside and names.isdisjoint(inside):
        for number in numbers:
            addresses.check_number(number, host=address.host)
    line = socket.create_connection((numbers[0], address.port), timeout=CONNECT_S)
    line.settimeout(stale_s)
    if not address.is_tls:
        return line
    try:
        context = ssl.create_default_context()
        return context.wrap_socket(line, server_hostname=address.host)
    except OSError:
        line.close()
        raise


def _request(
    line: socket.socket, address: Address, *, keep: bool, unless: Mapping[str, str]
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(address.host, address.port)
    connection.response_class = _Response
    connection.sock = line
    headers = {"User-Agent": "nguon", "Accept": "*/*"}
    headers |= {**unless} if keep else {**unless, "Connection": "close"}
    connection.request("GET", address.target, headers=headers)
    return connection.getresponse()


class HttpFeed:
    """One endless sound over HTTP or Icecast; titles between are not asked for."""

    stale_s = STALE_S

    def __init__(
        self, url: str, *, allow_inside: bool = False, inside: Collection[str] = ()
    ) -> None:
        self._url = url
        self._line = Connection(allow_inside=allow_inside, inside=inside)
        self._cutter = FrameCutter()
        self._kind = ""

    def close(self) -> None:
        """Break the connection."""
        self._line.close()

    def frames(self) -> Iterator[bytes]:
        """Yield frames until the source breaks off."""
        for chunk in self.chunks():
            yield from self.cut(chunk)

    def cut(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the MP3 frames that are whole now. Raises UnplayableSourceError."""
        if any(word in self._kind for word in _FOREIGN):
            raise UnplayableSourceError("core.source_unplayable", why=self._kind)
        yield from self._cutter.feed(chunk)

    def chunks(self) -> Iterator[bytes]:
        """Yield what comes until the source breaks off, whatever its codec.

        Raises UnplayableSourceError for what is no sound.
        """
        answer, _where = self._line.get(self._url)
        kind = answer.getheader("Content-Type", "").partition(";")[0].strip().lower()
        self._kind = kind[:40]
        if kind.startswith("text/") or "mpegurl" in kind:
            self._line.hang_up()
            raise UnplayableSourceError("core.source_unplayable", why=self._kind)
        try:
            while not self._line.closing.is_set():
                data = answer.read1(_CHUNK)
                if not data:
                    return
                yield data
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SourceAwayError("core.source_away", why="broken") from error
        finally:
            answer.close()
            self._line.hang_up()


# A header that ends the search for the frame after the last, so that this one is seen
# to be whole.
FRAME_END = b"\xff\xfb\x90\x00" + bytes(6)


# --- live -----------------------------------------------------------------------------


class LiveFeed:
    """Signed segments as they come over the bus; each holds whole frames."""

    stale_s = STALE_S

    def __init__(self) -> None:
        self._waiting: queue.Queue[bytes | None] = queue.Queue(MAX_WAITING)
        self._closing = threading.Event()
        self._latest = 0
        self.ended = False

    def put(self, n: int, mp3: bytes, *, last: bool) -> bool:
        """Take segment `n`; an old one, or one too many, is dropped. Never blocks."""
        if n <= self._latest or self.ended:
            return False
        self._latest = n
        try:
            if mp3:
                self._waiting.put_nowait(mp3)
        except queue.Full:
            return False
        if last:
            self.ended = True
        return True

    def close(self) -> None:
        """End every wait."""
        self._closing.set()

    def frames(self) -> Iterator[bytes]:
        """Yield frames until the last segment was heard."""
        while not self._closing.is_set():
            try:
                mp3 = self._waiting.get(timeout=0.1)
            except queue.Empty:
                if self.ended:
                    return
                continue
            yield from FrameCutter().feed((mp3 or b"") + FRAME_END)

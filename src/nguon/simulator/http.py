"""HTTP/1.1 for many devices over few connections, kept alive; asyncio only.

A pool holds at most `size` connections; each request carries the sign-in of its own
device, so sharing them saves sockets and nothing else.
"""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from nguon.core.errors import DomainError, InvalidError

TIMEOUT_SECONDS = 30.0
MAX_BODY = 96 * 1024 * 1024
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class UnreachableError(DomainError):
    """The server did not answer, or not in HTTP; trying again may help."""


@dataclass(frozen=True)
class Answer:
    """What the server answered; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """Return the body as a JSON object. Raises UnreachableError."""
        try:
            value = json.loads(self.body)
        except ValueError as error:
            raise UnreachableError("simulator.answer_malformed") from error
        if not isinstance(value, dict):
            raise UnreachableError("simulator.answer_malformed")
        return value


class Pool:
    """Connections to one server."""

    def __init__(self, url: str, size: int = 8) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InvalidError("simulator.server_malformed", server=url)
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise InvalidError("simulator.server_without_tls", server=url)
        self._host = parts.hostname
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._base = parts.path.rstrip("/")
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._turn = asyncio.Semaphore(size)

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request and read its answer. Raises UnreachableError."""
        async with self._turn:
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    return await self._try(method, path, body, headers or {})
            except (OSError, EOFError, ValueError, TimeoutError) as error:
                raise UnreachableError("simulator.server_unreachable") from error

    async def _try(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> Answer:
        """Use a kept connection; when it had been closed meanwhile, a fresh one."""
        request = self._request(method, path, body, headers)
        while self._free:
            line = self._free.pop()
            try:
                return await self._exchange(line, request)
            except (ConnectionError, EOFError):
                line[1].close()
        fresh = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
        return await self._exchange(fresh, request)

    def _request(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> bytes:
        lines = [
            f"{method} {self._base}{path} HTTP/1.1",
            f"Host: {self._host}:{self._port}",
            f"Content-Length: {len(body)}",
            "Content-Type: application/json",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body

    async def _exchange(
        self, line: tuple[asyncio.StreamReader, asyncio.StreamWriter], request: bytes
    ) -> Answer:
        reader, writer = line
        try:
            writer.write(request)
            await writer.drain()
            answer = await _read(reader)
        except BaseException:
            writer.close()
            raise
        if answer.headers.get("connection", "").lower() == "close":
            writer.close()
        else:
            self._free.append(line)
        return answer

    async def close(self) -> None:
        """Close every connection."""
        while self._free:
            _reader, writer = self._free.pop()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ", 2)[1])
    headers = {}
    for row in head[1:]:
        name, _, value = row.partition(":")
        headers[name.strip().lower()] = value.strip()
    if status in {204, 304}:
        return Answer(status, headers, b"")
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return Answer(status, headers, await _read_chunks(reader))
    length = int(headers.get("content-length", "0"))
    if not 0 <= length <= MAX_BODY:
        raise ValueError("length of body")
    return Answer(status, headers, await reader.readexactly(length))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        if len(body) + size > MAX_BODY:
            raise ValueError("length of body")
        body += (await reader.readexactly(size + 2))[:-2]
        if not size:
            return bytes(body)

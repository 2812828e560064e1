"""HTTPS to the server, with the standard library: blocking calls, run in threads.

Each request carries its own sign-in token, good for a minute, made by the device's
key. Two errors come out: unreachable (try again) and refused (asking again does not
help until something changes).
"""

import contextlib
import http.client
import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from nguon.agent.clock import Clock
from nguon.core import signing
from nguon.core.errors import DomainError, RefusedError
from nguon.core.signing import SigningKey

TIMEOUT_S = 10.0
CHUNK = 64 * 1024
# A province's state with every plan of a busy commune is far below this.
MAX_ANSWER = 16 * 1024 * 1024
_PREFIX = "/device/v1"


class ServerUnreachableError(DomainError):
    """The server did not answer, or not with sense: trying again may help."""


class ServerRefusedError(RefusedError):
    """The server answered no; `status` tells how, `server_at` its time (a hint)."""

    def __init__(
        self, status: int, path: str, *, code: str = "", server_at: int = 0
    ) -> None:
        super().__init__("agent.server_refused", status=status, path=path, said=code)
        self.status = status
        self.server_at = server_at


class Server:
    """The device API of one server."""

    def __init__(self, url: str, *, key: SigningKey, clock: Clock) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port
        self._tls = parts.scheme == "https"
        self._base = parts.path.rstrip("/") + _PREFIX
        self._key = key
        self._clock = clock
        self.device = ""

    def enrol(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask to be enrolled with a claim code and a public key."""
        return self._json("POST", "/enrol", body=body, signed=False)

    def enrolment(self) -> dict[str, Any]:
        """Return how the enrolment stands, the root key and where the bus is."""
        return self._json("GET", "/enrolment")

    def state(self, etag: str) -> tuple[str, dict[str, Any]] | None:
        """Return (etag, state), or None when nothing changed since `etag`."""
        headers = {"If-None-Match": etag} if etag else {}
        with self._request("GET", "/state", headers=headers) as answer:
            if answer.status == http.client.NOT_MODIFIED:
                return None
            self._check(answer, "/state")
            return answer.getheader("ETag", ""), self._decode(answer)

    def time(self, nonce: str) -> tuple[str, float, float]:
        """Return the server's signed time for a nonce, when asked, when answered.

        Both are monotonic seconds. Asked is when the line stood: making it takes
        round trips before the server looks at its clock, and none after.
        """
        path = f"/time?nonce={quote(nonce)}"
        asking = self._request("GET", path)
        with asking as answer:
            self._check(answer, path)
            token = self._decode(answer).get("time")
        answered = self._clock.monotonic()
        if not isinstance(token, str):
            raise ServerUnreachableError("agent.server_answer_malformed")
        return token, asking.asked, answered

    def events(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Hand over events; return the ack."""
        return self._json("POST", "/events", body=batch)

    def logs(self, document: str, text: str) -> None:
        """Hand over the log that a command asked for."""
        self._json("POST", "/logs", body={"document": document, "text": text})

    def media(self, sha256: str, offset: int) -> Iterator[bytes]:
        """Yield the bytes of a file from `offset` on, as they arrive.

        Raises ServerRefusedError, or ServerUnreachableError when the line is cut.
        """
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        path = f"/media/{sha256}"
        with self._request("GET", path, headers=headers) as answer:
            expected = http.client.PARTIAL_CONTENT if offset else http.client.OK
            if offset and answer.status == http.client.OK:
                raise ServerRefusedError(answer.status, path)
            self._check(answer, path, expected)
            while chunk := self._piece(answer):
                yield chunk

    def _piece(self, answer: "http.client.HTTPResponse") -> bytes:
        try:
            return answer.read1(CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise ServerUnreachableError("agent.server_unreachable") from error

    def _json(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        signed: bool = True,
    ) -> dict[str, Any]:
        with self._request(method, path, body=body, signed=signed) as answer:
            self._check(answer, path)
            return self._decode(answer)

    def _request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        signed: bool = True,
    ) -> "_Answer":
        sent = {"Connection": "close", "Accept": "*/*", **(headers or {})}
        if signed:
            token = signing.device_token(
                self._key, device=self.device, at=self._clock.now()
            )
            sent["Authorization"] = f"Bearer {token}"
        data = None
        if body is not None:
            data = json.dumps(body, ensure_ascii=False).encode()
            sent["Content-Type"] = "application/json"
        connection = self._connect()
        try:
            connection.connect()
            asked = self._clock.monotonic()
            connection.request(method, self._base + path, body=data, headers=sent)
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise ServerUnreachableError("agent.server_unreachable") from error
        return _Answer(connection, response, asked=asked)

    def _connect(self) -> http.client.HTTPConnection:
        if self._tls:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=TIMEOUT_S, context=context
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)

    def _check(
        self,
        answer: http.client.HTTPResponse,
        path: str,
        expected: int = http.client.OK,
    ) -> None:
        path = path.partition("?")[0]
        status = answer.status
        if status == expected or (expected == http.client.OK and 200 <= status < 206):
            return
        if 400 <= status < 500:
            raise _refusal(answer, path)
        raise ServerUnreachableError("agent.server_trouble", status=status, path=path)

    def _decode(self, answer: http.client.HTTPResponse) -> dict[str, Any]:
        try:
            data = answer.read(MAX_ANSWER + 1)
            value = json.loads(data) if len(data) <= MAX_ANSWER else None
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise ServerUnreachableError("agent.server_answer_malformed") from error
        if not isinstance(value, dict):
            raise ServerUnreachableError("agent.server_answer_malformed")
        return value


def _refusal(answer: http.client.HTTPResponse, path: str) -> ServerRefusedError:
    """Return a refusal with what the server said about it, if it can be read."""
    try:
        said = json.loads(answer.read(CHUNK))
        server_at = said.get("server_at", 0)
        return ServerRefusedError(
            answer.status,
            path,
            code=str(said.get("code", ""))[:60],
            server_at=server_at if isinstance(server_at, int) else 0,
        )
    except (OSError, ValueError, AttributeError, http.client.HTTPException):
        return ServerRefusedError(answer.status, path)


class _Answer:
    """A response whose connection is closed with it."""

    def __init__(
        self,
        connection: http.client.HTTPConnection,
        response: http.client.HTTPResponse,
        *,
        asked: float,
    ) -> None:
        self.asked = asked
        self._connection = connection
        self._response = response

    def __enter__(self) -> http.client.HTTPResponse:
        return self._response

    def __exit__(self, *_error: object) -> None:
        self._response.close()
        if self._connection.sock is not None:
            with contextlib.suppress(OSError):
                self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._connection.close()

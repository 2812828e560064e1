"""What a device asks the server over HTTPS, as calls that return plain values."""

import json
from typing import Any
from urllib.parse import quote

from nguon.core.errors import RefusedError
from nguon.simulator.device import Device
from nguon.simulator.http import Answer, Pool, UnreachableError

_PREFIX = "/device/v1"


class ServerRefusedError(RefusedError):
    """The server said no; `status` and `code` tell how."""

    def __init__(self, answer: Answer) -> None:
        try:
            code = str(answer.json().get("code", ""))
        except UnreachableError:
            code = ""
        super().__init__("simulator.server_refused", status=answer.status, reason=code)
        self.status = answer.status
        self.reason = code


class Server:
    """The device API."""

    def __init__(self, url: str, *, connections: int = 6) -> None:
        self.pool = Pool(url, size=connections)

    async def enrol(self, device: Device, *, kind: str, version: str) -> dict[str, Any]:
        """Ask to be enrolled; return the device's id and how it stands."""
        body = {
            "claim_code": device.claim,
            "public_key": device.key.public.x,
            "kind": kind,
            "make": "nguon",
            "model": "simulator",
            "version": version,
        }
        answer = await self.pool.request(
            "POST", f"{_PREFIX}/enrol", body=json.dumps(body).encode()
        )
        return self._good(answer).json()

    async def enrolment(self, device: Device, *, at: int) -> dict[str, Any]:
        """Return how the enrolment stands, the root key and where the bus is."""
        return self._good(await self._get(device, "/enrolment", at=at)).json()

    async def state(
        self, device: Device, *, at: int
    ) -> tuple[str, dict[str, Any]] | None:
        """Return (etag, state), or None when nothing has changed."""
        more = {"If-None-Match": device.etag} if device.etag else {}
        answer = await self._get(device, "/state", at=at, more=more)
        if answer.status == 304:
            return None
        return self._good(answer).headers.get("etag", ""), answer.json()

    async def time(self, device: Device, nonce: str, *, at: int) -> str:
        """Return the server's signed time over a nonce."""
        answer = await self._get(device, f"/time?nonce={quote(nonce)}", at=at)
        return str(self._good(answer).json().get("time", ""))

    async def media(self, device: Device, sha256: str, *, at: int) -> bytes:
        """Return the bytes of a sound."""
        return self._good(await self._get(device, f"/media/{sha256}", at=at)).body

    async def _get(
        self, device: Device, path: str, *, at: int, more: dict[str, str] | None = None
    ) -> Answer:
        headers = {"Authorization": f"Bearer {device.token(at=at)}", **(more or {})}
        return await self.pool.request("GET", _PREFIX + path, headers=headers)

    def _good(self, answer: Answer) -> Answer:
        if answer.status == 200:
            return answer
        if 400 <= answer.status < 500 and answer.status != 429:
            raise ServerRefusedError(answer)
        raise UnreachableError("simulator.server_trouble", status=answer.status)

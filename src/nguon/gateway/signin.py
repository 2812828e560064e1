"""Who may connect to the bus: the auth callout, decided from the database.

A device gives its uid as user name and client id, and as password a token signed
by its own key. Only active devices come in; each may publish under its own id and
hear its own commands and its areas, and nothing else.
"""

import base64
import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import nkeys  # type: ignore[import-untyped]

from nguon.core import signing, topics
from nguon.fleet import intake
from nguon.fleet import queries as fleet
from nguon.fleet.models import ACTIVE, Device
from nguon.gateway.nats_config import ACCOUNT
from nguon.territory.models import Unit

logger = logging.getLogger(__name__)

# Its own topics, and two for each level of ground: far below this. MQTT makes a few.
MAX_SUBSCRIPTIONS = 64


@dataclass(frozen=True)
class Request:
    """The NATS server's question whether a client may connect."""

    server: str
    user_nkey: str
    user: str
    password: str
    client_id: str
    kind: str
    host: str = ""

    @classmethod
    def decode(cls, data: bytes) -> "Request":
        """Read the server's question. Raises ValueError or KeyError."""
        claims = json.loads(_from_base64url(data.split(b".")[1]))["nats"]
        client, options = claims["client_info"], claims["connect_opts"]
        return cls(
            server=claims["server_id"]["id"],
            user_nkey=claims["user_nkey"],
            user=str(options.get("user", "")),
            password=str(options.get("pass", "")),
            client_id=str(client.get("mqtt_id", "")),
            kind=str(client.get("type", "")),
            host=str(client.get("host", ""))[:60],
        )


@dataclass(frozen=True)
class Known:
    """What the database knows of an active device."""

    public_key: str
    units: tuple[str, ...]
    is_flooding: bool


@dataclass(frozen=True)
class Decision:
    """A signed answer; `host` is where an admitted device comes from."""

    answer: bytes
    uid: str
    host: str
    admitted: bool


class Door:
    """Decides and signs the answers; `decide` touches the database, so: at a desk."""

    def __init__(self, issuer_seed: str) -> None:
        self._key = nkeys.from_seed(issuer_seed.encode("ascii"))
        self._issuer = self._key.public_key.decode("ascii")
        # Opaque ids of units never change, so they may be remembered.
        self._unit_uids: dict[int, str] = {}

    def decide(self, requests: Sequence[Request], *, at: int) -> list[Decision]:
        """Return the decisions about some questions, in their order."""
        known = self._find({request.user for request in requests}, at)
        return [self._answer(request, known, at) for request in requests]

    def _find(self, uids: set[str], at: int) -> dict[str, Known]:
        asked = [uid for uid in uids if topics.is_uid(uid)]
        flooding = fleet.list_flooding(asked, at=datetime.fromtimestamp(at / 1000, UTC))
        rows = list(
            Device.objects.filter(uid__in=asked, state=ACTIVE).values_list(
                "uid", "public_key", "unit__path"
            )
        )
        paths = {uid: [int(p) for p in path.split("/") if p] for uid, _k, path in rows}
        missing = {pk for path in paths.values() for pk in path} - set(self._unit_uids)
        if missing:
            units = Unit.objects.filter(pk__in=missing)
            self._unit_uids.update(units.values_list("pk", "uid"))
        return {
            uid: Known(
                key, tuple(self._unit_uids[pk] for pk in paths[uid]), uid in flooding
            )
            for uid, key, _path in rows
        }

    def _answer(self, request: Request, known: dict[str, Known], at: int) -> Decision:
        cause = _refusal(request, known.get(request.user), at)
        body: dict[str, Any] = {"type": "authorization_response", "version": 2}
        if cause:
            logger.info("Refused a sign-in of %s: %s", request.user[:12], cause)
            body["error"] = cause
        else:
            body["jwt"] = self._pass(request, known[request.user], at)
        claims = {"aud": request.server, "sub": request.user_nkey, "nats": body}
        answer = self._sign(claims, at).encode("ascii")
        return Decision(answer, request.user, request.host, admitted=not cause)

    def _pass(self, request: Request, device: Known, at: int) -> str:
        """Return the permissions of one device as a signed user."""
        uid = request.user
        up = [topics.device(uid, channel) for channel in topics.DEVICE_UP]
        down = [topics.device(uid, channel) for channel in topics.DEVICE_DOWN]
        for unit in device.units:
            down += [topics.area(unit, channel) for channel in topics.AREA_CHANNELS]
        body = {
            "pub": {"allow": [topics.subject(topic) for topic in up]},
            "sub": {"allow": [topics.subject(topic) for topic in down]},
            "subs": MAX_SUBSCRIPTIONS,
            "data": -1,
            "payload": intake.MAX_BYTES,
            "allowed_connection_types": ["MQTT"],
            "type": "user",
            "version": 2,
        }
        claims = {"aud": ACCOUNT, "sub": request.user_nkey, "name": uid, "nats": body}
        return self._sign(claims, at)

    def _sign(self, claims: dict[str, Any], at: int) -> str:
        # Source: NATS ADR-14 (JWT, `ed25519-nkey`) and ADR-26 (auth callout).
        claims = {**claims, "iss": self._issuer, "iat": at // 1000}
        claims["jti"] = hashlib.sha256(signing.canonical(claims)).hexdigest()[:32]
        text = f"{_HEAD}.{_to_base64url(signing.canonical(claims))}"
        return f"{text}.{_to_base64url(self._key.sign(text.encode('ascii')))}"


def _refusal(request: Request, device: Known | None, at: int) -> str:
    """Return why a client may not connect, or nothing."""
    if request.kind not in {"mqtt", "mqtt_websocket"}:
        return "not a device"
    if request.client_id != request.user:
        return "client id and user name differ"
    if device is None:
        return "unknown or not active"
    if device.is_flooding:
        return "kept out after a flood"
    try:
        signing.check_device_token(
            request.password,
            key=signing.PublicKey(device.public_key),
            device=request.user,
            at=at,
        )
    except signing.DocumentRefusedError as error:
        return error.cause
    return ""


def _to_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _from_base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4))


_HEAD = _to_base64url(b'{"alg":"ed25519-nkey","typ":"JWT"}')

"""The HTTPS side of the device contract, `/device/v1/`. Devices sign in, not officers.

`state` is asked for by every device every minute: two queries, documents from
memory, and 304 when nothing has changed.
"""

import hashlib
import time
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from ninja import NinjaAPI, Schema
from ninja.errors import ValidationError
from ninja.security import HttpBearer
from pydantic import Field

from nguon.core import messages, signing, topics
from nguon.core.errors import (
    AbsentError,
    ConflictError,
    DomainError,
    InvalidError,
    RefusedError,
)
from nguon.fleet import actions, files, intake, keys, queries
from nguon.fleet.models import ACTIVE, Device
from nguon.fleet.rate import Bucket

api = NinjaAPI(
    title="Nguồn: thiết bị",
    version="1",
    urls_namespace="device-v1",
    docs_url=None,
    openapi_url="/openapi.json",
)
# A device asks once a minute, and when it is nudged; media come in ranges.
_asks = Bucket(rate=10, burst=300)
# Wrong claim codes from one address: a technician mistypes, a guesser goes on.
_guesses = Bucket(rate=1 / 6, burst=20)
TIME_LIFE_MS = 60_000
MAX_ENROL_BYTES = 8 * 1024
STATUS: dict[type[DomainError], int] = {
    RefusedError: 403,
    AbsentError: 404,
    ConflictError: 409,
    InvalidError: 422,
}


class SignInRefusedError(RefusedError):
    """The bearer proves no device; the answer carries the server's time."""


class TooManyError(RefusedError):
    """Somebody asks too often."""


class TooLargeError(InvalidError):
    """A body is longer than anything that could be meant."""


class DeviceSignIn(HttpBearer):
    """Reads the device's own short-lived token; `states` says whom to let in."""

    def __init__(self, *states: str) -> None:
        super().__init__()
        self.states = states

    def __call__(self, request: HttpRequest) -> Any:
        """Return the device. Raises SignInRefusedError, RefusedError, TooManyError."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise SignInRefusedError("fleet.sign_in_refused", cause="malformed")
        return self.authenticate(request, token)

    def authenticate(self, request: HttpRequest, token: str) -> Device:
        """Return the device that this token proves."""
        at = _now()
        device = sign_in(token, at=at)
        if self.states and device.state not in self.states:
            raise RefusedError("fleet.device_not_active", state=device.state)
        if not _asks.take(device.uid, at=time.monotonic()):
            raise TooManyError("fleet.too_many_requests")
        return device


anyone = DeviceSignIn()
active = DeviceSignIn(ACTIVE)


class Enrolment(Schema):
    """What a new device says about itself."""

    claim_code: str = Field(max_length=40)
    public_key: str = Field(max_length=100)
    kind: str = Field(max_length=10)
    make: str = Field("", max_length=60)
    model: str = Field("", max_length=60)
    version: str = Field("", max_length=40)


def sign_in(token: str, *, at: datetime) -> Device:
    """Return the device that a token proves. Raises SignInRefusedError."""
    try:
        uid = signing.token_subject(token)
        device = (
            Device.objects.select_related("unit").filter(uid=uid[:12]).first()
            if topics.is_uid(uid)
            else None
        )
        if device is None:
            raise SignInRefusedError("fleet.sign_in_refused", cause="unknown_key")
        signing.check_device_token(
            token, key=signing.PublicKey(device.public_key), device=uid, at=_ms(at)
        )
    except signing.DocumentRefusedError as error:
        raise SignInRefusedError("fleet.sign_in_refused", cause=error.cause) from error
    return device


@api.exception_handler(DomainError)
def answer_error(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Answer with code, data and the server's time, which a wrong clock needs."""
    status = next((s for kind, s in STATUS.items() if isinstance(error, kind)), 500)
    if isinstance(error, SignInRefusedError):
        status = 401
    elif isinstance(error, TooManyError):
        status = 429
    elif isinstance(error, TooLargeError):
        status = 413
    body = {"code": error.code, "data": error.data, "server_at": _ms(_now())}
    return JsonResponse(body, status=status, json_dumps_params={"default": str})


@api.exception_handler(ValidationError)
def answer_unusable(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Answer a body that has not the form of the contract."""
    return answer_error(
        request, InvalidError("fleet.body_unusable", errors=error.errors)
    )


@api.post("/enrol", auth=None)
def enrol(request: HttpRequest, asked: Enrolment) -> dict[str, str]:
    """Register a device by its claim code; a person lets it in later."""
    _check_size(request, MAX_ENROL_BYTES)
    address, clock = str(request.META.get("REMOTE_ADDR", "")), time.monotonic()
    if _guesses.is_empty(address, at=clock):
        raise TooManyError("fleet.too_many_requests")
    try:
        device = actions.enrol_device(**asked.dict(), at=_now())
    except InvalidError:
        _guesses.take(address, at=clock)
        raise
    return {"device": device.uid, "state": device.state}


@api.get("/enrolment", auth=anyone)
def enrolment(request: HttpRequest) -> dict[str, Any]:
    """Tell a device what was decided, the root key and where the bus is."""
    device: Device = request.auth  # type: ignore[attr-defined]
    bus = {
        "host": settings.MQTT_HOST,
        "port": settings.MQTT_PORT,
        "tls": settings.MQTT_TLS,
    }
    root = keys.ring().root.x
    return {"state": device.state, "root_key": root, "bus": bus}


@api.get("/state", auth=active)
def state(request: HttpRequest) -> HttpResponse:
    """Tell a device everything it must hold now; 304 when that is what it holds."""
    device: Device = request.auth  # type: ignore[attr-defined]
    uids = queries.list_state_uids(device, at=_now())
    ring = keys.ring()
    mark = f"{ring.trusted.seq} {' '.join(uids)}"
    etag = f'"{hashlib.sha256(mark.encode("ascii")).hexdigest()[:32]}"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304, headers={"ETag": etag})
    held = queries.list_held(uids)
    body = {
        "keyset": ring.keyset,
        "settings": next((h.jws for h in held if h.kind == "settings"), ""),
        "plans": [h.jws for h in held if h.kind == "plan"],
        "urgent": [h.jws for h in held if h.kind not in {"settings", "plan"}],
    }
    return JsonResponse(body, headers={"ETag": etag, "Cache-Control": "no-cache"})


@api.get("/time", auth=anyone)
def server_time(request: HttpRequest, nonce: str) -> dict[str, str]:
    """Tell the time, signed over the device's own nonce."""
    device: Device = request.auth  # type: ignore[attr-defined]
    if not 0 < len(nonce) <= 64:
        raise InvalidError("fleet.body_unusable", field="nonce")
    now = _ms(_now())
    payload = messages.envelope(
        "time",
        document=topics.new_uid(),
        target={"device": device.uid},
        seq=0,
        issued_at=now,
        not_after=now + TIME_LIFE_MS,
        body={"nonce": nonce, "server_at": now},
    )
    signer = keys.ring().signer("plan", at=now)
    return {"time": signer.sign(payload, typ="nguon-time")}


@api.get("/media/{sha256}", auth=active)
def media(request: HttpRequest, sha256: str) -> HttpResponseBase:
    """Send a media file, or the range of it that is still missing."""
    return files.serve(request, queries.get_media(sha256))


@api.post("/events", auth=active)
def events(request: HttpRequest) -> dict[str, Any]:
    """Store events, as over MQTT, and say which are now safe."""
    device: Device = request.auth  # type: ignore[attr-defined]
    _check_size(request, intake.MAX_BYTES)
    at = _now()
    reading = intake.read_events(request.body, device=device.uid)
    try:
        actions.store_events(batches=[reading.batch], at=at)
    except IntegrityError:
        # The same events came over the bus in this very moment: now they are there.
        actions.store_events(batches=[reading.batch], at=at)
    for cause in sorted(set(reading.odd.values())):
        actions.set_aside(
            topic=topics.device(device.uid, "event"),
            payload=request.body,
            cause=cause,
            at=at,
        )
    stored = [event.n for event in reading.batch.events] + list(reading.odd)
    return messages.encode_ack(log=reading.batch.log, stored=sorted(stored))


def _check_size(request: HttpRequest, limit: int) -> None:
    if int(request.META.get("CONTENT_LENGTH") or 0) > limit:
        raise TooLargeError("fleet.body_too_large", limit=limit)


def _now() -> datetime:
    return datetime.now(tz=UTC)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)

"""The HTTPS side of the device contract, `/device/v1/`. Devices sign in, not officers.

`state` is asked for by every device every minute: see `fleet.pulls`.
"""

import time
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from ninja import NinjaAPI, Schema
from ninja.errors import ValidationError
from ninja.security import HttpBearer
from pydantic import Field

from nguon.core import messages, topics
from nguon.core.errors import DomainError, InvalidError, TooManyError
from nguon.fleet import actions, bearer, files, intake, keys, queries
from nguon.fleet.bearer import Known, TooLargeError
from nguon.fleet.models import ACTIVE
from nguon.fleet.pulls import Pull, answer_pulls
from nguon.fleet.rate import Bucket

api = NinjaAPI(
    title="Nguồn: thiết bị",
    version="1",
    urls_namespace="device-v1",
    docs_url=None,
    openapi_url="/openapi.json",
)
# Wrong claim codes from one address: a technician mistypes, a guesser goes on.
_guesses = Bucket(rate=1 / 6, burst=20)
TIME_LIFE_MS = 60_000
MAX_ENROL_BYTES = 8 * 1024


class DeviceSignIn(HttpBearer):
    """Reads the device's own short-lived token; `states` says whom to let in."""

    def __init__(self, *states: str) -> None:
        super().__init__()
        self.states = states

    def __call__(self, request: HttpRequest) -> Any:
        """Return the device. Raises what `bearer.sign_in` raises."""
        return self.authenticate(request, request.headers.get("Authorization", ""))

    def authenticate(self, request: HttpRequest, token: str) -> Known:
        """Return the device that this header proves."""
        return bearer.sign_in(token, at=_now(), states=self.states)


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


class SentLog(Schema):
    """The log that a command asked for."""

    document: str = Field(max_length=12)
    text: str


@api.exception_handler(DomainError)
def answer_error(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Answer with code, data and the server's time, which a wrong clock needs."""
    status, body = bearer.refusal(error, at=_now())
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


# The web server answers these two many at once (`web.asgi`); here one alone.
@api.get("/enrolment", auth=None)
def enrolment(request: HttpRequest) -> HttpResponse:
    """Tell a device what was decided, the root key and where the bus is."""
    return _answer(Pull(request.headers.get("Authorization", ""), enrolment=True))


@api.get("/state", auth=None)
def state(request: HttpRequest) -> HttpResponse:
    """Tell a device everything it must hold now; 304 when that is what it holds."""
    held = request.headers.get("If-None-Match", "")
    return _answer(Pull(request.headers.get("Authorization", ""), held))


def _answer(pull: Pull) -> HttpResponse:
    (answer,) = answer_pulls([pull], at=_now())
    headers = {"ETag": answer.mark} if answer.mark else {}
    return HttpResponse(
        answer.body,
        status=answer.status,
        content_type="application/json",
        headers={**headers, "Cache-Control": "no-cache"},
    )


@api.get("/time", auth=anyone)
def server_time(request: HttpRequest, nonce: str) -> dict[str, str]:
    """Tell the time, signed over the device's own nonce."""
    device: Known = request.auth  # type: ignore[attr-defined]
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
    device: Known = request.auth  # type: ignore[attr-defined]
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


@api.post("/logs", auth=active)
def logs(request: HttpRequest, sent: SentLog) -> dict[str, bool]:
    """Keep the last lines of a device's log, which a technician asked for."""
    device: Known = request.auth  # type: ignore[attr-defined]
    actions.store_log(
        device_id=device.pk, document=sent.document, text=sent.text, at=_now()
    )
    return {"stored": True}


def _check_size(request: HttpRequest, limit: int) -> None:
    if int(request.META.get("CONTENT_LENGTH") or 0) > limit:
        raise TooLargeError("fleet.body_too_large", limit=limit)


def _now() -> datetime:
    return datetime.now(tz=UTC)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)

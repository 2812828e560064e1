"""Which device a bearer token proves, for one or for many at once.

And how the device API says no: code, data, and the server's time, which a device with
a wrong clock needs.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nguon.core import signing, topics
from nguon.core.errors import (
    AbsentError,
    ConflictError,
    DomainError,
    InvalidError,
    RefusedError,
    TooManyError,
)
from nguon.core.signing import DocumentRefusedError
from nguon.fleet.models import Device
from nguon.fleet.rate import Bucket

# A device asks once a minute, and when it is nudged; media come in ranges.
_asks = Bucket(rate=10, burst=300)


class SignInRefusedError(RefusedError):
    """The bearer proves no device; the answer carries the server's time."""


class TooLargeError(InvalidError):
    """A body is longer than anything that could be meant."""


# The first kind that fits an error is its status.
STATUS: dict[type[DomainError], int] = {
    SignInRefusedError: 401,
    TooManyError: 429,
    TooLargeError: 413,
    RefusedError: 403,
    AbsentError: 404,
    ConflictError: 409,
    InvalidError: 422,
}


@dataclass(frozen=True)
class Known:
    """What signing in needs to know of a device; `units` from the top down."""

    pk: int
    uid: str
    state: str
    public_key: str
    units: tuple[int, ...]


def refusal(error: DomainError, *, at: datetime) -> tuple[int, dict[str, Any]]:
    """Return the status and the body that tell a device of an error."""
    status = next((s for kind, s in STATUS.items() if isinstance(error, kind)), 500)
    now = round(at.timestamp() * 1000)
    return status, {"code": error.code, "data": error.data, "server_at": now}


def token_of(header: str) -> str:
    """Return the token in an Authorization header. Raises SignInRefusedError."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise SignInRefusedError("fleet.sign_in_refused", cause="malformed")
    return token.strip()


def sign_in_all(
    headers: Sequence[str], *, at: datetime, states: Sequence[str] = ()
) -> list[Known | DomainError]:
    """Return for each Authorization header who it proves, or why it proves nobody.

    `states` are the states that are let in; none given lets in every device.
    """
    tokens = [_claimed(header) for header in headers]
    uids = {claim[1] for claim in tokens if not isinstance(claim, DomainError)}
    rows = Device.objects.filter(uid__in=uids).values_list(
        "pk", "uid", "state", "public_key", "unit__path"
    )
    known = {
        uid: Known(pk, uid, state, key, tuple(int(p) for p in path.split("/") if p))
        for pk, uid, state, key, path in rows
    }
    found: list[Known | DomainError] = []
    for claim in tokens:
        try:
            if isinstance(claim, DomainError):
                raise claim
            found.append(_prove(claim[0], known.get(claim[1]), at, states))
        except DomainError as error:
            found.append(error)
    return found


def sign_in(header: str, *, at: datetime, states: Sequence[str] = ()) -> Known:
    """Return who one Authorization header proves.

    Raises SignInRefusedError; RefusedError `fleet.device_not_active`; TooManyError.
    """
    (found,) = sign_in_all([header], at=at, states=states)
    if isinstance(found, DomainError):
        raise found
    return found


def _claimed(header: str) -> tuple[str, str] | DomainError:
    """Return a token and the uid that it claims, or why it cannot be one."""
    try:
        token = token_of(header)
        uid = signing.token_subject(token)
    except SignInRefusedError as error:
        return error
    except DocumentRefusedError as error:
        return SignInRefusedError("fleet.sign_in_refused", cause=error.cause)
    if not topics.is_uid(uid):
        return SignInRefusedError("fleet.sign_in_refused", cause="unknown_key")
    return token, uid


def _prove(
    token: str, known: Known | None, at: datetime, states: Sequence[str]
) -> Known:
    if known is None:
        raise SignInRefusedError("fleet.sign_in_refused", cause="unknown_key")
    try:
        signing.check_device_token(
            token,
            key=signing.PublicKey(known.public_key),
            device=known.uid,
            at=round(at.timestamp() * 1000),
        )
    except DocumentRefusedError as error:
        raise SignInRefusedError("fleet.sign_in_refused", cause=error.cause) from error
    if states and known.state not in states:
        raise RefusedError("fleet.device_not_active", state=known.state)
    if not _asks.take(known.uid, at=time.monotonic()):
        raise TooManyError("fleet.too_many_requests")
    return known

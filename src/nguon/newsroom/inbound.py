"""A signed message of another system, read and checked before anything is kept.

A JSON object: `id` and `sent_at` always; `title`, `text`, `field`, `link`, `wished_on`;
`unit` is the code of a unit where the account serves more than one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from nguon.core.errors import AbsentError, InvalidError, RefusedError
from nguon.newsroom import rules
from nguon.providers import accounts, signatures
from nguon.providers.accounts import INBOUND, Account
from nguon.territory.models import Unit


@dataclass(frozen=True)
class Message:
    """What a system sends, in our own types."""

    reference: str
    title: str
    text: str
    field: int
    link: str
    wished_on: date | None
    unit: str


def check_signature(name: str, body: bytes, mark: str) -> Account:
    """Return the account that signed a body.

    Raises RefusedError `newsroom.signature_wrong`, the same for whatever is wrong.
    """
    account = accounts.read().get(name)
    if account is None or account.kind != INBOUND:
        raise RefusedError("newsroom.signature_wrong")
    if not signatures.is_signed(account.options["secret"], body, mark):
        raise RefusedError("newsroom.signature_wrong")
    return account


def read(body: bytes, *, at: datetime) -> Message:
    """Return a message whose signature was good.

    Raises InvalidError `newsroom.message_unreadable`, RefusedError
    `newsroom.signature_wrong` for one that was signed at another time.
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _unreadable("JSON") from error
    if not isinstance(told, dict):
        raise _unreadable("JSON")
    sent_at = _moment(told.get("sent_at"))
    if abs(sent_at - at) > rules.SENT_TOLERANCE:
        raise RefusedError("newsroom.signature_wrong")
    link = _text(told, "link")
    is_web = link.startswith(("https://", "http://"))
    return Message(
        reference=_text(told, "id"),
        title=_text(told, "title"),
        text=_text(told, "text"),
        field=_field(told.get("field", 1)),
        link=link if is_web and len(link) <= rules.ADDRESS_LIMIT else "",
        wished_on=_day(told.get("wished_on")),
        unit=_text(told, "unit"),
    )


def unit_for(account: Account, code: str, *, day: date) -> Unit:
    """Return the unit that a message of an account is for, on the map of a day.

    An account of one unit sends there and below it. Raises AbsentError
    `newsroom.unit_absent`.
    """
    units = Unit.objects.as_of(day).filter(kind__in=rules.OFFERED_TO)
    home = units.filter(uid=account.unit).first() if account.unit else None
    if account.unit and home is None:
        raise AbsentError("newsroom.unit_absent")
    if not code and home is not None:
        return home
    found = units.under(home) if home is not None else units
    unit = found.filter(code=code).first() if code else None
    if unit is None:
        raise AbsentError("newsroom.unit_absent")
    return unit


def _unreadable(part: str) -> InvalidError:
    return InvalidError("newsroom.message_unreadable", part=part)


def _text(told: Mapping[str, Any], key: str) -> str:
    value = told.get(key, "")
    if not isinstance(value, str):
        raise _unreadable(key)
    return value


def _field(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _unreadable("field")
    return value


def _moment(value: object) -> datetime:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise _unreadable("sent_at") from error
    if found.tzinfo is None:
        raise _unreadable("sent_at")
    return found


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value)) if value else None
    except ValueError as error:
        raise _unreadable("wished_on") from error

"""Every change to the browsers that show an officer's notices."""

import logging
from datetime import datetime

from django.db import transaction

from nguon.audit import actions as audit
from nguon.core.errors import ConflictError, InvalidError
from nguon.people import access
from nguon.people.channels import AddressRefusedError, push_to
from nguon.people.models import Officer, Receiver
from nguon.providers import push

logger = logging.getLogger(__name__)

# Somebody has a phone, a tablet, two computers, and their old ones.
MOST_RECEIVERS = 10
# What stands in a browser's own words about itself; the first that fits wins.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("coc_coc", "Cốc Cốc"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
MACHINES = (
    ("Android", "điện thoại Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "máy Windows"),
    ("Mac OS", "máy Mac"),
    ("Linux", "máy Linux"),
)


def label_of(user_agent: str) -> str:
    """Return how a person would call a browser: Chrome trên điện thoại Android."""
    names = [
        next((name for mark, name in table if mark in user_agent), other)
        for table, other in ((BROWSERS, "Trình duyệt"), (MACHINES, "máy khác"))
    ]
    return " trên ".join(names)


@transaction.atomic
def add_receiver(
    *,
    endpoint: str,
    public_key: str,
    secret: str,
    label: str,
    by: Officer,
    at: datetime,
) -> Receiver:
    """Let a browser show the notices of whoever sits before it.

    A browser known already goes over to them: who holds its keys holds the browser.
    Raises AddressError for an address that is no push server's, InvalidError for keys
    that are none, ConflictError for other keys of a known one, or too many browsers.
    """
    where = push.check_endpoint(endpoint)
    try:
        push.check_keys(public_key=public_key, secret=secret)
    except ValueError as error:
        raise InvalidError("people.receiver_unusable") from error
    if len(endpoint) > 1000 or len(public_key) > 100 or len(secret) > 40:
        raise InvalidError("people.receiver_unusable")
    known = Receiver.objects.filter(endpoint=endpoint).first()
    if known is not None:
        if (known.public_key, known.secret) != (public_key, secret):
            raise ConflictError("people.receiver_other_keys")
        if known.officer_id == by.pk:
            return known
        _forget(known, by=by, at=at)
    if by.receivers.count() >= MOST_RECEIVERS:
        raise ConflictError("people.receivers_full", most=MOST_RECEIVERS)
    receiver = Receiver.objects.create(
        officer=by,
        endpoint=endpoint,
        host=where.host,
        public_key=public_key,
        secret=secret,
        label=label[:60],
        created_at=at,
    )
    audit.record("people.receiver.added", target=receiver, by=by, at=at)
    return receiver


@transaction.atomic
def remove_receiver(*, receiver_id: int, by: Officer, at: datetime) -> str:
    """Stop telling one of one's own browsers; return its name. Raises AbsentError."""
    receiver = access.access_receiver(by, receiver_id)
    _forget(receiver, by=by, at=at)
    return receiver.label


@transaction.atomic
def forget_receivers(*, officer: Officer, by: Officer, at: datetime) -> None:
    """Stop telling every browser of an officer whose account is shut."""
    for receiver in officer.receivers.all():
        _forget(receiver, by=by, at=at)


@transaction.atomic
def forget_gone(*, receiver: Receiver, at: datetime) -> None:
    """Drop a browser whose maker says that it takes nothing any more."""
    _forget(receiver, by=None, at=at)


def try_receiver(*, receiver_id: int, by: Officer, at: datetime) -> Receiver:
    """Push a line to one of one's own browsers, now: it appears, or one learns why.

    Raises AbsentError, and ConflictError for what became of it.
    """
    receiver = access.access_receiver(by, receiver_id)
    try:
        push_to(
            receiver,
            line="Báo thử: máy này nhận được thông báo.",
            url="/tai-khoan/bao/",
            topic="thu",
            at=at,
        )
    except push.GoneError as gone:
        forget_gone(receiver=receiver, at=at)
        raise ConflictError("people.receiver_gone") from gone
    except AddressRefusedError as refused:
        logger.exception("receiver %s: refused", receiver.pk)
        raise ConflictError("people.receiver_refused") from refused
    except OSError as closed:
        logger.exception("receiver %s: closed", receiver.pk)
        raise ConflictError("people.push_closed") from closed
    note_reached(receiver, at=at)
    return receiver


def note_reached(receiver: Receiver, *, at: datetime) -> None:
    """Remember when a maker last took something for a browser."""
    Receiver.objects.filter(pk=receiver.pk).update(reached_at=at)


def _forget(receiver: Receiver, *, by: Officer | None, at: datetime) -> None:
    audit.record("people.receiver.removed", target=receiver, by=by, at=at)
    receiver.delete()

"""How a notice reaches a person besides the screen. One class per channel.

A new channel is one class here and one line in CHANNELS. What costs money or sleep
(a text message, a ringing call) is for urgent notices alone, and the call only when
nobody has read the notice by then. A push goes to every browser that its officer has
switched on, each on its own: one maker that is down holds up no other.
"""

import smtplib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from django.conf import settings
from django.core.mail import send_mail

from nguon.core.addresses import AddressError
from nguon.people.models import PUSH, NoticeDelivery, Officer, Receiver
from nguon.providers import accounts, adapters, push

# Who sleeps is rung this long after the message; who reads sooner is not.
RINGS_AFTER = timedelta(minutes=3)
# A locked screen shows this much of a subject, and never the body.
LONGEST_LINE = 120


class AddressRefusedError(Exception):
    """The way is open, but not to this address."""


class Channel(Protocol):
    """A way to a person; `send` raises when it did not work.

    With `only_unread` it is for who has not read the notice on screen by then.
    """

    name: str
    after: timedelta
    only_unread: bool

    def ways(
        self, officer: Officer, *, receivers: Sequence[Receiver], urgent: bool
    ) -> Sequence[Receiver | None]:
        """Return by how many ways this officer can, and should, be reached so.

        `receivers` are the officer's own; None is the one way of a channel that needs
        none.
        """
        ...

    def send(self, delivery: NoticeDelivery, *, at: datetime) -> None:
        """Carry one notice.

        Raises OSError when the way is closed for now, AddressRefusedError when it is
        closed to this person only.
        """
        ...


class Email:
    """Plain e-mail through Django's configured server."""

    name = "email"
    after = timedelta()
    only_unread = False

    def ways(
        self, officer: Officer, *, receivers: Sequence[Receiver], urgent: bool
    ) -> Sequence[Receiver | None]:
        """Return the one way when an address is known."""
        return [None] if officer.email else []

    def send(self, delivery: NoticeDelivery, *, at: datetime) -> None:
        """Send one mail. Raises OSError (SMTP errors are such)."""
        notice = delivery.notice
        link = f"\n\n{settings.PUBLIC_URL}{notice.url}" if notice.url else ""
        try:
            send_mail(
                subject=f"[Nguồn] {notice.subject}",
                message=f"{notice.body}{link}",
                from_email=settings.DEFAULT_FROM_EMAIL,
                recipient_list=[notice.officer.email],
            )
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
            raise AddressRefusedError(notice.officer_id) from error


class Gateway:
    """A text message or a call through the operator's account of that kind."""

    def __init__(self, name: str, kind: str, after: timedelta) -> None:
        self.name, self.after, self._kind = name, after, kind
        self.only_unread = bool(after)

    def ways(
        self, officer: Officer, *, receivers: Sequence[Receiver], urgent: bool
    ) -> Sequence[Receiver | None]:
        """Return the one way when it is urgent and number and account are known."""
        if not urgent or not officer.phone:
            return []
        return [None] if accounts.for_notices(self._kind) else []

    def send(self, delivery: NoticeDelivery, *, at: datetime) -> None:
        """Ask the gateway. Raises OSError, AddressRefusedError."""
        notice = delivery.notice
        account = accounts.for_notices(self._kind)
        if account is None:
            raise ConnectionError(f"no account for {self.name}")
        message = adapters.Message(
            reference=f"notice-{notice.pk}-{self.name}",
            address=notice.officer.phone,
            title=notice.subject,
            text=f"{notice.subject}. {settings.PUBLIC_URL}{notice.url}",
            link="",
        )
        try:
            adapters.send(account, message)
        except adapters.RefusedTextError as refused:
            raise AddressRefusedError(refused.cause) from refused


class Push:
    """A few words on the screen of a phone, locked or not: the subject, no more."""

    name = PUSH
    after = timedelta()
    only_unread = True

    def ways(
        self, officer: Officer, *, receivers: Sequence[Receiver], urgent: bool
    ) -> Sequence[Receiver | None]:
        """Return the browsers to push to."""
        return receivers

    def send(self, delivery: NoticeDelivery, *, at: datetime) -> None:
        """Push to one browser. Raises OSError, AddressRefusedError, push.GoneError."""
        notice = delivery.notice
        if delivery.receiver is None:  # the database refuses it
            raise AddressRefusedError("no receiver")
        push_to(
            delivery.receiver,
            line=notice.subject,
            url=notice.url,
            topic=f"notice-{notice.pk}",
            urgent=notice.urgent,
            at=at,
        )


def push_to(
    receiver: Receiver,
    *,
    line: str,
    url: str,
    topic: str,
    urgent: bool = False,
    at: datetime,
) -> None:
    """Show a line on one browser; a tap opens the page.

    Raises OSError, AddressRefusedError, push.GoneError.
    """
    target = push.Target(
        receiver.endpoint,
        *push.check_keys(public_key=receiver.public_key, secret=receiver.secret),
    )
    words = {
        "title": line[:LONGEST_LINE],
        "url": url or "/thong-bao/",
        "urgent": urgent,
        "tag": topic,
    }
    try:
        push.send(target, words, topic=topic, urgent=urgent, at=at)
    except (adapters.RefusedTextError, AddressError) as refused:
        raise AddressRefusedError(str(refused)) from refused


CHANNELS: tuple[Channel, ...] = (
    Push(),
    Email(),
    Gateway("sms", accounts.SMS_HTTP, timedelta()),
    Gateway("call", accounts.CALL_HTTP, RINGS_AFTER),
)

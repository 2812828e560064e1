"""How a notice reaches a person besides the screen. One class per channel.

A new channel is one class here and one line in CHANNELS. What costs money or sleep
(a text message, a ringing call) is for urgent notices alone, and the call only when
nobody has read the notice by then.
"""

import smtplib
from datetime import timedelta
from typing import Protocol

from django.conf import settings
from django.core.mail import send_mail

from nguon.people.models import Notice, Officer
from nguon.providers import accounts, adapters

# Who sleeps is rung this long after the message; who reads sooner is not.
RINGS_AFTER = timedelta(minutes=3)


class AddressRefusedError(Exception):
    """The way is open, but not to this address."""


class Channel(Protocol):
    """A way to a person; `send` raises when it did not work."""

    name: str
    after: timedelta

    def reaches(self, officer: Officer, *, urgent: bool) -> bool:
        """Say whether this officer can, and should, be reached this way."""
        ...

    def send(self, notice: Notice) -> None:
        """Carry one notice.

        Raises OSError when the way is closed for now, AddressRefusedError when it is
        closed to this person only.
        """
        ...


class Email:
    """Plain e-mail through Django's configured server."""

    name = "email"
    after = timedelta()

    def reaches(self, officer: Officer, *, urgent: bool) -> bool:
        """Say whether an address is known."""
        return bool(officer.email)

    def send(self, notice: Notice) -> None:
        """Send one mail. Raises OSError (SMTP errors are such)."""
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

    def reaches(self, officer: Officer, *, urgent: bool) -> bool:
        """Say whether it is urgent, a number is known and there is an account."""
        if not urgent or not officer.phone:
            return False
        return accounts.for_notices(self._kind) is not None

    def send(self, notice: Notice) -> None:
        """Ask the gateway. Raises OSError, AddressRefusedError."""
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


CHANNELS: tuple[Channel, ...] = (
    Email(),
    Gateway("sms", accounts.SMS_HTTP, timedelta()),
    Gateway("call", accounts.CALL_HTTP, RINGS_AFTER),
)

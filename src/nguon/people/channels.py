"""How a notice reaches a person besides the screen. One class per channel.

A new channel (SMS, a ringing call) is one class here and one line in CHANNELS.
"""

import smtplib
from typing import Protocol

from django.conf import settings
from django.core.mail import send_mail

from nguon.people.models import Notice, Officer


class AddressRefusedError(Exception):
    """The way is open, but not to this address."""


class Channel(Protocol):
    """A way to a person; `send` raises when it did not work."""

    name: str

    def reaches(self, officer: Officer) -> bool:
        """Say whether this officer can be reached this way."""
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

    def reaches(self, officer: Officer) -> bool:
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


CHANNELS: tuple[Channel, ...] = (Email(),)

"""A notice reaches its officer once, whatever happens to the mail server."""

import smtplib
from datetime import datetime, timedelta
from typing import ClassVar

import pytest
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from nguon.people import actions
from nguon.people.models import NoticeDelivery, Officer

HOUR = timedelta(hours=1)


class FakePostOffice(BaseEmailBackend):
    """A small mail server that may be closed, or refuse one address."""

    closed: ClassVar[bool] = False
    refused: ClassVar[str] = ""
    tries: ClassVar[int] = 0
    taken: ClassVar[list[str]] = []

    def send_messages(self, email_messages: list[EmailMessage]) -> int:
        """Take the letters, or say why not."""
        for message in email_messages:
            type(self).tries += 1
            if self.closed:
                raise ConnectionRefusedError
            if self.refused in message.to:
                raise smtplib.SMTPRecipientsRefused({})
            self.taken.append(message.to[0])
        return len(email_messages)


@pytest.fixture
def post_office(monkeypatch: pytest.MonkeyPatch) -> type[FakePostOffice]:
    class Today(FakePostOffice):
        """Its counters begin at zero."""

        taken: ClassVar[list[str]] = []

    monkeypatch.setattr("django.core.mail.get_connection", lambda *_a, **_k: Today())
    return Today


def tell(at: datetime, *officers: Officer) -> None:
    actions.notify(officers=officers, subject="Chờ\nduyệt", body="x", url="/", at=at)


def test_a_closed_post_office_is_asked_once_a_minute_and_loses_nothing(
    minh: Officer, quan: Officer, now: datetime, post_office: type[FakePostOffice]
) -> None:
    tell(now, minh, quan)
    post_office.closed = True

    for seconds in range(0, 58, 2):
        actions.deliver_notices(at=now + timedelta(seconds=seconds))
    asked = post_office.tries
    for hours in range(1, 40):
        actions.deliver_notices(at=now + hours * HOUR)
    post_office.closed = False
    sent = actions.deliver_notices(at=now + 41 * HOUR)

    assert asked == 1
    assert sent == 2
    assert sorted(post_office.taken) == [minh.email, quan.email]


def test_one_refused_address_holds_up_nobody_and_is_given_up(
    minh: Officer, quan: Officer, now: datetime, post_office: type[FakePostOffice]
) -> None:
    tell(now, minh, quan)
    post_office.refused = minh.email

    for hours in range(40):
        actions.deliver_notices(at=now + 5 * hours * HOUR)

    assert post_office.taken == [quan.email]
    assert post_office.tries == 1 + 8
    assert NoticeDelivery.objects.get(notice__officer=minh).failed_at


def test_what_a_killed_worker_held_is_carried_after_its_lease(
    minh: Officer, now: datetime, post_office: type[FakePostOffice]
) -> None:
    tell(now, minh)
    NoticeDelivery.objects.update(lease_until=now + HOUR, tries=1)

    held = actions.deliver_notices(at=now)
    freed = actions.deliver_notices(at=now + HOUR)

    assert (held, freed) == (0, 1)
    assert post_office.taken == [minh.email]

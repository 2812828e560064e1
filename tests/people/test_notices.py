"""A notice reaches its officer once, whatever happens to the mail server."""

import smtplib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from nguon.people import actions
from nguon.people.channels import RINGS_AFTER
from nguon.people.models import NoticeDelivery, Officer
from tests.fakes.providers import FakeProvider

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


GATEWAY = """
[[account]]
name = "sms"
kind = "sms-http"
url = "{url}/sms"
token = "khoa"
notices = true

[[account]]
name = "goi"
kind = "call-http"
url = "{url}/goi"
token = "khoa"
notices = true
"""


@pytest.fixture
def gateway(tmp_path: Path, settings: object) -> Iterator[FakeProvider]:
    found = FakeProvider().start()
    file = tmp_path / "kenh.toml"
    file.write_text(GATEWAY.format(url=found.url))
    settings.CHANNELS_FILE = str(file)  # type: ignore[attr-defined]
    yield found
    found.stop()


@pytest.mark.usefixtures("post_office")
def test_an_urgent_notice_is_a_message_at_once_and_then_a_call(
    minh: Officer, quan: Officer, now: datetime, gateway: FakeProvider
) -> None:
    Officer.objects.update(phone="0905123456")
    minh.refresh_from_db()
    tell(now, minh)
    actions.deliver_notices(at=now)
    assert gateway.asked == [], "what is not urgent costs nothing"

    urgent = {"subject": "KHẨN CẤP, chờ duyệt", "body": "", "url": "/duyet/"}
    actions.notify(officers=[minh], urgent=True, at=now, **urgent)
    actions.deliver_notices(at=now)
    assert [path for path, _headers, _body in gateway.asked] == ["/sms"]
    actions.deliver_notices(at=now + RINGS_AFTER)
    assert [path for path, _headers, _body in gateway.asked] == ["/sms", "/goi"]


@pytest.mark.usefixtures("post_office")
def test_who_has_read_it_is_not_rung(
    minh: Officer, now: datetime, gateway: FakeProvider
) -> None:
    Officer.objects.update(phone="0905123456")
    minh.refresh_from_db()
    urgent = {"subject": "KHẨN CẤP, chờ duyệt", "body": "", "url": "/duyet/"}
    actions.notify(officers=[minh], urgent=True, at=now, **urgent)
    actions.mark_read(officer=minh, at=now)
    actions.deliver_notices(at=now + RINGS_AFTER)
    assert [path for path, _headers, _body in gateway.asked] == ["/sms"]

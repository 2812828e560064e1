"""What two persons approved leaves word for word, once, and says what it cost."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.db import DatabaseError, transaction

from nguon.channels import actions, rules
from nguon.channels.models import AccountToken, Contact, Delivery, Document
from nguon.core.errors import AbsentError, ConflictError
from nguon.people.models import Officer
from nguon.schedule import actions as schedule
from nguon.schedule.models import Broadcast
from nguon.territory.models import Unit
from tests.fakes.providers import FakeProvider

pytestmark = pytest.mark.django_db
Out = Callable[..., Broadcast]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def people(lan: Officer, ia_grai: Unit, now: datetime) -> list[Contact]:
    return [
        actions.add_contact(
            unit=ia_grai,
            kind=kind,
            address=address,
            name=name,
            agreed="ký phiếu 20/11/2026",
            by=lan,
            at=now,
        )
        for kind, address, name in (
            ("phone", "0905 123 456", "Rơ Châm H'Lan"),
            ("phone", "+84 36 222 3334", "Siu Blơi"),
            ("email", "To.Truong@example.vn", "Tổ trưởng"),
        )
    ]


def turn(at: datetime) -> int:
    actions.withdraw_cancelled(at=at)
    actions.spread_released(at=at)
    return actions.deliver(at=at)


def test_nothing_leaves_before_the_second_person(
    send_out: Out, book: Path, people: object, provider: FakeProvider, now: datetime
) -> None:
    send_out(approve=False)
    assert turn(now) == 0
    assert provider.asked == []
    assert not Delivery.objects.exists()


def test_what_was_approved_leaves_word_for_word_and_once(
    send_out: Out, book: Path, people: object, provider: FakeProvider, now: datetime
) -> None:
    broadcast = send_out()
    # Two messages, one mail, one webhook, one article.
    assert turn(now) == 5
    assert turn(now + MINUTE) == 0
    assert sorted(one["to"] for one in provider.texts("/sms")) == [
        "+84362223334",
        "+84905123456",
    ]
    assert {one["text"] for one in provider.texts("/sms")} == {
        "Hop dan luc 19h00 tai nha rong."
    }
    (article,) = provider.texts("/v2.0/article/create")
    assert "&lt;tại&gt;" in article["body"][0]["content"]
    (letter,) = mail.outbox
    assert letter.to == ["to.truong@example.vn"]
    assert "Mời bà con họp lúc 19h00 <tại> nhà rông." in letter.body
    rows = Delivery.objects.filter(broadcast=broadcast, channel="sms")
    assert [row.cost_dong for row in rows] == [420, 420]
    assert all(row.reference for row in Delivery.objects.exclude(account="thu"))
    # What stays in the books when a person is forgotten names nobody.
    assert {row.shown_address for row in rows} == {"090•••456", "036•••334"}


def test_a_webhook_can_prove_who_sent_it(
    send_out: Out, book: Path, provider: FakeProvider, now: datetime
) -> None:
    send_out()
    turn(now)
    headers = next(h for path, h, _body in provider.asked if path == "/cong")
    mark = hmac.new(b"chung", headers["raw"].encode(), hashlib.sha256).hexdigest()
    assert headers["X-Nguon-Signature"] == f"sha256={mark}"


def test_a_drill_says_so_in_every_message(
    send_out: Out, book: Path, people: object, provider: FakeProvider, now: datetime
) -> None:
    send_out(drill=True)
    turn(now)
    assert all("DIỄN TẬP" in one["text"].upper() for one in provider.texts("/sms"))
    assert provider.texts("/cong")[0]["title"].upper().startswith("ĐÂY LÀ DIỄN TẬP")


def test_a_closed_provider_rests_and_is_asked_again(
    send_out: Out, book: Path, people: object, provider: FakeProvider, now: datetime
) -> None:
    send_out({"sms": "Hop dan."})
    provider.status = 503
    assert turn(now) == 0
    assert turn(now) == 0, "it rests"
    assert len(provider.asked) == 2
    provider.status = 200
    assert turn(now + 3 * MINUTE) == 2


def test_what_a_provider_refuses_ends_with_its_cause_and_can_be_sent_again(
    send_out: Out,
    book: Path,
    people: object,
    provider: FakeProvider,
    lan: Officer,
    hoa: Officer,
    now: datetime,
) -> None:
    send_out({"sms": "Hop dan."})
    provider.status = 402
    assert turn(now) == 0
    row = Delivery.objects.first()
    assert row is not None
    assert (row.state, row.cause) == (rules.FAILED, "money")
    with pytest.raises(AbsentError):
        actions.retry_delivery(uid=row.uid, by=hoa, at=now)
    provider.status = 200
    actions.retry_delivery(uid=row.uid, by=lan, at=now)
    assert turn(now) == 1
    with pytest.raises(ConflictError, match="not_failed"):
        actions.retry_delivery(uid=row.uid, by=lan, at=now)


def test_what_is_called_off_does_not_leave_any_more(
    send_out: Out,
    book: Path,
    people: object,
    provider: FakeProvider,
    minh: Officer,
    now: datetime,
) -> None:
    broadcast = send_out({"sms": "Hop dan."})
    actions.spread_released(at=now)
    schedule.cancel_broadcast(
        broadcast_uid=broadcast.uid, reason="Hoãn", by=minh, at=now
    )
    assert turn(now) == 0
    assert provider.asked == []
    assert {row.state for row in Delivery.objects.all()} == {rules.WITHDRAWN}


def test_who_asked_to_be_forgotten_gets_nothing(
    send_out: Out,
    book: Path,
    people: list[Contact],
    provider: FakeProvider,
    lan: Officer,
    now: datetime,
) -> None:
    send_out({"sms": "Hop dan."})
    actions.spread_released(at=now)
    actions.remove_contact(contact_id=people[0].pk, by=lan, at=now)
    assert actions.deliver(at=now) == 1
    assert [one["to"] for one in provider.texts("/sms")] == ["+84362223334"]
    assert Delivery.objects.get(state=rules.FAILED).cause == "contact_removed"


def test_old_news_is_not_sent(
    send_out: Out, book: Path, people: object, provider: FakeProvider, now: datetime
) -> None:
    send_out({"sms": "Hop dan."})
    actions.spread_released(at=now)
    assert actions.deliver(at=now + timedelta(hours=25)) == 0
    assert {row.cause for row in Delivery.objects.all()} == {"stale"}
    assert provider.asked == []


def test_zalo_renews_its_pass_once_and_keeps_the_new_key(
    send_out: Out, book: Path, provider: FakeProvider, now: datetime
) -> None:
    send_out({"social": "Họp dân."})
    turn(now)
    send_out({"social": "Họp dân lần hai."})
    turn(now + MINUTE)
    assert len(provider.texts("/v4/oa/access_token")) == 1
    send_out({"social": "Họp dân lần ba."})
    turn(now + 70 * MINUTE)
    assert len(provider.texts("/v4/oa/access_token")) == 2
    assert AccountToken.objects.get().renewal == provider.renewals[-1]
    assert len(provider.texts("/v2.0/article/create")) == 3


def test_a_spent_zalo_key_is_said_so_and_others_go_on(
    send_out: Out, book: Path, people: object, provider: FakeProvider, now: datetime
) -> None:
    provider.renewals.append("spent elsewhere")
    send_out()
    assert turn(now) == 4
    assert Delivery.objects.get(state=rules.FAILED).cause == "token_refused"


def test_a_document_gets_the_next_number_of_its_year(
    send_out: Out, book: Path, now: datetime
) -> None:
    for _ in range(2):
        send_out({"document": "Về việc họp dân"})
        turn(now)
    assert list(Document.objects.values_list("number", "year")) == [
        (1, 2026),
        (2, 2026),
    ]


def test_the_database_lets_nothing_out_that_was_not_approved(
    send_out: Out, book: Path, now: datetime
) -> None:
    broadcast = send_out({"sms": "Hop dan."})
    waiting = send_out({"sms": "Hop dan."}, approve=False)
    for one, text in ((broadcast, "Khac han"), (waiting, "Hop dan.")):
        with pytest.raises(DatabaseError, match="not_approved"), transaction.atomic():
            Delivery.objects.create(
                broadcast=one,
                channel="sms",
                account="sms",
                to_contact=False,
                shown_address="",
                text=text,
                created_at=now,
            )


def test_a_killed_worker_s_claim_ends_and_the_next_one_goes_on(
    send_out: Out, book: Path, people: object, provider: FakeProvider, now: datetime
) -> None:
    send_out({"sms": "Hop dan."})
    actions.spread_released(at=now)
    Delivery.objects.update(lease_until=now + rules.LEASE, tries=1)
    assert actions.deliver(at=now) == 0
    assert actions.deliver(at=now + rules.LEASE + MINUTE) == 2

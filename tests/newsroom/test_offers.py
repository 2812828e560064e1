"""Organisations and systems propose texts; each waits for a person of its own unit."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from nguon.audit.models import Record
from nguon.core import phones
from nguon.core.errors import ConflictError, InvalidError, RefusedError
from nguon.fleet.rate import Bucket
from nguon.newsroom import actions, arrivals, rules
from nguon.newsroom.models import Arrival, Bulletin
from nguon.newsroom.views import offers
from nguon.people.models import Notice, Officer
from nguon.providers import accounts, signatures
from nguon.territory.models import Unit

JSON = {"accept": "application/json"}
SECRET = "khoa-dung-de-thu-nghiem-2026"
PHONE = "0269 3555 012"
TYPED = {
    "organisation": "Trạm Y tế xã",
    "sender": "Siu Hlốt",
    "phone": PHONE,
    "title": "Tiêm vắc-xin sởi",
    "text": "Trạm Y tế tiêm cho trẻ từ 1 đến 10 tuổi lúc 7h30 ngày 25/11/2026.",
    "field": "5",
    "wished_on": "",
}


def propose(unit: Unit, at: datetime, **changed: Any) -> Arrival:
    told = {
        "unit": unit, "sender": TYPED["sender"], "phone": PHONE,
        "organisation": TYPED["organisation"], "title": TYPED["title"],
        "text": TYPED["text"], "field": 5, "wished_on": None, "at": at,
    }  # fmt: skip
    return actions.offer_text(**{**told, **changed})


@pytest.fixture(autouse=True)
def _full_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test come as if from an address of its own."""
    monkeypatch.setattr(offers, "_tries", Bucket(rate=1 / 60, burst=10))
    monkeypatch.setattr(offers, "_looks", Bucket(rate=1 / 2, burst=60))


@pytest.fixture
def fill(
    client: Client, ia_grai: Unit, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Open the form, wait as a person does, and send it."""
    monkeypatch.setattr(rules, "OFFER_FASTEST_SECONDS", -1)
    address = f"/gui-tin/{ia_grai.uid}/"

    def do(**changed: str) -> Any:
        page = client.get(address).context["page"]
        return client.post(address, {**TYPED, "page": page, **changed})

    return do


# --- the form -------------------------------------------------------------------------


def test_from_the_form_to_the_answer(
    fill: Callable[..., Any], client: Client, ia_grai: Unit, lan: Officer,
    minh: Officer, hoa: Officer,
) -> None:  # fmt: skip
    sent = fill(wished_on="25/11/2036")
    seen = client.get(sent.headers["Location"]).content.decode()
    arrival = Arrival.objects.get()
    address = f"/ban-tin/tin-den/{arrival.uid}/"
    again = fill(wished_on="25/11/2036")

    client.force_login(hoa)
    assert client.get(address).status_code == HTTPStatus.NOT_FOUND
    client.force_login(lan)
    page = client.get(address).content.decode()
    client.force_login(minh)
    other = client.get(address).content.decode()
    client.force_login(lan)
    listed = client.get("/ban-tin/tin-den/?nguon=form&q=tram+y+te").content.decode()
    table = client.get("/ban-tin/tin-den/xuat.csv").content.decode()
    client.post(address + "khong-dung/", {"reason": "Xã đã phát sáng nay."})
    client.logout()
    asked = {"ma": f" {arrival.receipt.lower()[:6]}-{arrival.receipt[6:]}"}
    told = client.get("/gui-tin/tra-cuu/", asked).content.decode()

    assert "Đang chờ cán bộ xem" in seen
    assert again.headers["Location"] == sent.headers["Location"]
    assert (arrival.unit, arrival.state) == (ia_grai, rules.ARRIVED)
    assert (arrival.phone, arrival.wished_on) == ("+842693555012", date(2036, 11, 25))
    assert "02693555012" in page
    assert arrival.title in listed
    assert "Xã đã phát sáng nay." in told
    # Outside the office nobody reads the whole number, nor who sent it.
    assert all("026•••012" in text for text in (seen, other, table, told))
    assert "3555012" not in seen + other + table + told
    assert TYPED["sender"] not in seen + other + table + told
    assert Notice.objects.get(officer=lan).url.startswith("/ban-tin/tin-den/")
    assert PHONE[-3:] not in json.dumps([row.data for row in Record.objects.all()])


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"phone": "12345"}, "Số điện thoại chưa đúng"),
        ({"sender": ""}, "tên người gửi"),
        ({"organisation": "x"}, "tên cơ quan"),
        ({"text": " \n"}, "Chưa có nội dung"),
        ({"text": "http://a http://b http://c http://d"}, "địa chỉ mạng"),
        ({"text": "a" * 20_001}, "Hãy rút ngắn"),
        ({"wished_on": "01/01/2020"}, "đã qua"),
        ({"wished_on": "hôm nào"}, "ngày"),
        ({"field": "9"}, "lĩnh vực"),
        ({"website": "https://spam.example"}, "Chưa gửi được"),
        ({"page": "bịa"}, "Chưa gửi được"),
    ],
)
def test_what_cannot_be_taken_stays_on_the_page_with_a_sentence(
    fill: Callable[..., Any], changed: dict[str, str], part: str
) -> None:
    answer = fill(**changed)

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert part in answer.content.decode()
    assert "Siu Hlốt" in answer.content.decode() or "sender" in changed
    assert not Arrival.objects.exists()


def test_programs_are_slowed(
    fill: Callable[..., Any], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "OFFER_FASTEST_SECONDS", 3)
    assert "Chưa gửi được" in fill().content.decode()
    monkeypatch.setattr(rules, "OFFER_FASTEST_SECONDS", -1)
    codes = [fill(text=f"Nội dung {n}.").status_code for n in range(10)]

    assert codes == [HTTPStatus.FOUND] * 9 + [HTTPStatus.TOO_MANY_REQUESTS]


def test_one_phone_and_one_commune_take_only_so_many(
    ia_grai: Unit, dak_doa: Unit, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(rules.OFFERS_PER_PHONE):
        propose(ia_grai, now, text=f"Nội dung {n}.")
    with pytest.raises(RefusedError):
        propose(dak_doa, now, text="Một lần nữa.")
    propose(dak_doa, now + timedelta(days=2), text="Một lần nữa.")

    monkeypatch.setattr(rules, "OFFERS_WAITING", 10)
    with pytest.raises(RefusedError):
        propose(ia_grai, now, phone="0905123456")
    with pytest.raises(InvalidError):
        propose(dak_doa, now, phone="0905 12")


def test_a_receipt_nobody_has_is_nothing(client: Client, province: Unit) -> None:
    page = client.get("/gui-tin/tra-cuu/?ma=ABCD-2345-EFGH")
    program = client.get("/gui-tin/tra-cuu/?ma=x", headers=JSON)

    assert (page.status_code, program.status_code) == (404, 404)
    assert "Không có mã biên nhận này" in page.content.decode()
    assert client.get("/gui-tin/khongcoxa/").status_code == HTTPStatus.NOT_FOUND


def test_taking_a_proposal_makes_a_draft_and_its_sender_is_forgotten(
    ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    arrival = propose(ia_grai, now, wished_on=date(2026, 11, 25))
    bulletin = actions.take_arrival(uid=arrival.uid, by=lan, at=now)

    assert (bulletin.title, bulletin.field) == (TYPED["title"], 5)
    assert "thông báo của Trạm Y tế xã" in bulletin.body
    assert any("25/11/2026" in note for note in bulletin.intake.notes)
    assert not any(note.startswith("Tiêu đề lấy") for note in bulletin.intake.notes)
    assert actions.tidy_arrivals(at=now + timedelta(days=29)) == 0
    assert actions.tidy_arrivals(at=now + timedelta(days=31)) == 1
    arrival.refresh_from_db()
    assert (arrival.sender, arrival.phone) == ("", "")
    with pytest.raises(DatabaseError), transaction.atomic():
        Arrival.objects.update(phone="+84905123456")


def test_one_that_nobody_answers_is_kept_and_its_sender_forgotten_at_last(
    ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    propose(ia_grai, now)

    assert actions.tidy_arrivals(at=now + timedelta(days=179)) == 0
    assert actions.tidy_arrivals(at=now + timedelta(days=181)) == 1
    assert Arrival.objects.get().state == rules.ARRIVED
    assert arrivals.count_arrivals(lan, at=now) == 1


def test_a_proposal_that_waits_is_said_once_more(
    ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    propose(ia_grai, now)
    propose(ia_grai, now, text="Mai họp.", wished_on=now.date() + timedelta(days=1))
    answered = propose(ia_grai, now, text="Đã xem.")
    actions.set_aside(uid=answered.uid, reason="Xã đã phát.", by=lan, at=now)

    counts = [
        actions.remind_arrivals(at=now + timedelta(minutes=minutes))
        for minutes in (5, 65, 70, 25 * 60, 26 * 60)
    ]

    assert counts == [0, 1, 0, 1, 0]
    assert Notice.objects.filter(officer=lan, subject__contains="chưa ai").count() == 2


@pytest.mark.parametrize(
    ("typed", "kept", "masked"),
    [
        ("0905.123.456", "+84905123456", "090•••456"),
        ("+84 905 123 456", "+84905123456", "090•••456"),
        (PHONE, "+842693555012", "026•••012"),
    ],
)
def test_a_number_is_kept_in_one_form(typed: str, kept: str, masked: str) -> None:
    assert phones.read(typed, landline=True) == kept
    assert phones.mask(kept) == masked
    assert phones.read(phones.shown(kept), landline=True) == kept


# --- other systems --------------------------------------------------------------------


@pytest.fixture
def book(tmp_path: Path, settings: Any, ia_grai: Unit) -> Path:
    """Write an account of the centre for all units, and one of Ia Grai alone."""
    path = tmp_path / "kenh.toml"
    rows = [("trung-uong", ""), ("xa", f'unit = "{ia_grai.uid}"')]
    path.write_text(
        "".join(
            f'[[account]]\nname = "{name}"\nkind = "inbound"\nlabel = "Trung ương"\n'
            f'secret = "{SECRET}"\n{unit}\n'
            for name, unit in rows
        )
    )
    settings.CHANNELS_FILE = str(path)
    return path


@pytest.fixture
def post(client: Client, book: Path) -> Callable[..., Any]:
    def do(account: str = "trung-uong", secret: str = SECRET, **told: Any) -> Any:
        usual = {
            "id": "tw-1",
            "sent_at": timezone.now().isoformat(),
            "unit": "23764",
            "title": "Phòng cúm mùa",
            "text": "Bà con rửa tay, đeo khẩu trang.",
        }
        body = json.dumps({**usual, **told}).encode()
        headers = {
            "X-Nguon-Account": account,
            signatures.HEADER: signatures.sign(secret, body),
        }
        return client.post(
            "/gui-tin/may/", body, content_type="application/json",
            headers={**headers, **JSON},
        )  # fmt: skip

    return do


def test_the_centre_sends_a_signed_text_once(
    post: Callable[..., Any], ia_grai: Unit, lan: Officer
) -> None:
    first, again = post().json(), post().json()
    other = post(text="Lời khác.")

    arrival = Arrival.objects.get()
    assert (arrival.unit, arrival.source_name) == (ia_grai, "Trung ương")
    assert first == again
    assert (first["receipt"], first["state"]) == (arrival.receipt, rules.ARRIVED)
    assert other.status_code == HTTPStatus.CONFLICT
    assert not Bulletin.objects.exists()


def test_who_signs_wrongly_or_for_another_unit_sends_nothing(
    post: Callable[..., Any], dak_doa: Unit
) -> None:
    late = datetime(2026, 1, 1, tzinfo=UTC).isoformat()
    answers = {
        "secret": post(secret="khác" + SECRET),
        "account": post(account="không có"),
        "late": post(sent_at=late),
        "unit": post(account="xa", unit=dak_doa.code),
        "field": post(field="năm"),
        "moment": post(sent_at="hôm qua"),
        "reference": post(id=""),
        "text": post(text=3),
    }

    assert {name: answer.status_code for name, answer in answers.items()} == {
        **dict.fromkeys(("secret", "account", "late"), 403),
        "unit": 404,
        **dict.fromkeys(("field", "moment", "reference", "text"), 422),
    }
    assert not Arrival.objects.exists()
    assert post(account="xa", unit="").status_code == HTTPStatus.OK


def test_a_body_changed_on_its_way_is_not_taken(client: Client, book: Path) -> None:
    body = b'{"id": "1"}'
    headers = {"X-Nguon-Account": "trung-uong", **JSON}
    for mark in ("", "sha256=", "sha256=é", signatures.sign(SECRET, body + b" ")):
        answer = client.post(
            "/gui-tin/may/", body, content_type="application/json",
            headers={**headers, signatures.HEADER: mark},
        )  # fmt: skip
        assert answer.json()["code"] == "newsroom.signature_wrong"


def test_a_long_message_is_refused_before_it_is_read(
    post: Callable[..., Any],
) -> None:
    answer = post(text="a" * (rules.MESSAGE_BYTES + 1))

    assert answer.json()["data"] == {"part": "length"}


def test_a_short_secret_is_refused_when_the_server_starts(book: Path) -> None:
    book.write_text('[[account]]\nname = "a"\nkind = "inbound"\nsecret = "ngan"\n')

    with pytest.raises(accounts.AccountError):
        accounts.read()


def test_the_same_words_under_a_new_reference_are_a_new_text(
    post: Callable[..., Any],
) -> None:
    assert post().json()["receipt"] != post(id="tw-2").json()["receipt"]
    unit = Unit.objects.get(code="23764")
    with pytest.raises(ConflictError):
        actions.receive_text(
            unit=unit, account="trung-uong", label="x", reference="tw-2", title="Khác",
            text="Khác", field=1, at=timezone.now(),
        )  # fmt: skip

"""A notice appears on the phones of its officer, sealed for them, and on no other."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import IntegrityError, transaction
from django.test import Client

from nguon.audit.models import Record
from nguon.core.addresses import AddressError
from nguon.core.errors import AbsentError, ConflictError, InvalidError
from nguon.people import actions
from nguon.people.models import Notice, NoticeDelivery, Officer, Receiver
from nguon.providers import push
from nguon.territory.models import Unit
from tests.conftest import make_officer
from tests.fakes.push import FakeBrowser, FakePushServer, unb64

MINUTE = timedelta(minutes=1)


@pytest.fixture
def maker(settings: Any, tmp_path: Path) -> Iterator[FakePushServer]:
    """Start a push server that this server may write to; make its own key."""
    found = FakePushServer().start()
    settings.PUSH_HOSTS = ["fcm.googleapis.com", "*.push.apple.com", found.host]
    settings.KEYS_DIR = tmp_path / "keys"
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    push.make_key(settings.KEYS_DIR)
    yield found
    found.stop()


def switch_on(browser: FakeBrowser, officer: Officer, at: datetime) -> Receiver:
    return actions.add_receiver(label="Chrome", by=officer, at=at, **browser.form)


def tell(at: datetime, *officers: Officer, urgent: bool = False) -> None:
    actions.notify(
        officers=officers,
        subject="Chờ duyệt: Tiêm phòng",
        body="Rơ Châm Lan gửi, 0905123456",
        url="/duyet/abc/",
        urgent=urgent,
        at=at,
    )


def test_the_example_of_the_rfc_comes_out_byte_for_byte() -> None:
    """RFC 8291, section 5 and appendix A."""
    target = push.Target(
        "https://push.example.net/",
        unb64(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8p"
            "ZGH6SRpkNtoIAiw4"
        ),
        unb64("BTBZMqHH6r4Tts7J_aSIgg"),
    )
    number = int.from_bytes(unb64("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big")

    body = push.encrypt(
        b"When I grow up, I want to be a watermelon",
        target=target,
        sender=ec.derive_private_key(number, ec.SECP256R1()),
        salt=unb64("DGv6ra1nlYgDCS1FRnbzlw"),
    )

    assert push.write_base64(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3"
        "vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuw"
        "XPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_an_urgent_notice_is_on_every_phone_at_once_and_says_only_its_subject(
    minh: Officer, hoa: Officer, now: datetime, maker: FakePushServer
) -> None:
    phone, tablet, other = maker.browser(), maker.browser(), maker.browser()
    for browser, officer in ((phone, minh), (tablet, minh), (other, hoa)):
        switch_on(browser, officer, now)

    tell(now, minh, urgent=True)
    actions.deliver_notices(at=now, only=actions.PUSHES)

    notice = Notice.objects.get()
    words = {
        "title": "Chờ duyệt: Tiêm phòng",
        "url": "/duyet/abc/",
        "urgent": True,
        "tag": f"notice-{notice.pk}",
    }
    assert phone.shown == tablet.shown == [words]
    assert other.shown == []
    assert phone.headers[0]["Urgency"] == "high"
    claims = maker.check_proof(phone.headers[0]["Authorization"])
    assert 0 < claims["exp"] - now.timestamp() <= 24 * 3600
    assert set(Receiver.objects.values_list("officer", "reached_at")) == {
        (minh.pk, now),
        (hoa.pk, None),
    }


def test_what_was_read_on_screen_is_not_pushed_any_more(
    minh: Officer, now: datetime, maker: FakePushServer
) -> None:
    phone = maker.browser()
    switch_on(phone, minh, now)
    tell(now, minh)
    actions.mark_read(officer=minh, at=now)

    actions.deliver_notices(at=now)

    assert phone.shown == []


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_dropped_and_its_officer_learns_it(
    minh: Officer, now: datetime, maker: FakePushServer, status: int
) -> None:
    old, new = maker.browser(), maker.browser()
    switch_on(old, minh, now)
    switch_on(new, minh, now)
    old.status = status
    tell(now, minh)

    actions.deliver_notices(at=now, only=actions.PUSHES)
    actions.deliver_notices(at=now + MINUTE, only=actions.PUSHES)

    assert [one.endpoint for one in minh.receivers.all()] == [new.endpoint]
    assert len(old.headers) == 1
    assert [words["title"] for words in new.shown] == [
        "Chờ duyệt: Tiêm phòng",
        "Chrome không còn nhận báo",
    ]
    assert Record.objects.filter(action="people.receiver.removed", by_id=None).exists()


def test_a_dead_or_slow_maker_holds_up_no_other_and_loses_nothing(
    minh: Officer, quan: Officer, now: datetime, settings: Any, maker: FakePushServer
) -> None:
    dead = maker.browser(host="127.0.0.1:9")
    settings.PUSH_HOSTS = [*settings.PUSH_HOSTS, "127.0.0.1:9"]
    broken, well = maker.browser(), maker.browser()
    switch_on(dead, minh, now)
    switch_on(well, quan, now)
    Receiver.objects.filter(officer=minh).update(host="elsewhere")
    tell(now, minh, quan)

    actions.deliver_notices(at=now, only=actions.PUSHES)
    assert len(well.shown) == 1
    held = NoticeDelivery.objects.get(channel="push", sent_at=None)
    assert (held.tries, held.lease_until) == (0, now + MINUTE)

    switch_on(broken, minh, now)
    broken.status = 503
    tell(now, minh, quan)
    actions.deliver_notices(at=now, only=actions.PUSHES)
    broken.status = 201
    actions.deliver_notices(at=now + MINUTE, only=actions.PUSHES)
    assert (len(broken.shown), len(well.shown)) == (1, 2)


def test_a_server_that_never_answers_costs_a_few_seconds_and_is_asked_again(
    minh: Officer,
    now: datetime,
    maker: FakePushServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(push, "SECONDS", 0.3)
    phone = maker.browser()
    switch_on(phone, minh, now)
    phone.may_answer.clear()
    tell(now, minh)

    begun = time.monotonic()
    actions.deliver_notices(at=now, only=actions.PUSHES)
    lasted = time.monotonic() - begun
    phone.may_answer.set()
    actions.deliver_notices(at=now + MINUTE, only=actions.PUSHES)

    assert lasted < 5
    assert phone.shown[-1]["title"] == "Chờ duyệt: Tiêm phòng"


def test_a_maker_that_refuses_is_tried_less_and_less_and_given_up(
    minh: Officer, now: datetime, maker: FakePushServer
) -> None:
    phone = maker.browser()
    switch_on(phone, minh, now)
    phone.status = 403
    tell(now, minh)

    for hours in range(40):
        at = now + timedelta(hours=5 * hours)
        actions.deliver_notices(at=at, only=actions.PUSHES)

    assert len(phone.headers) == 8
    assert NoticeDelivery.objects.get(channel="push").failed_at


@pytest.mark.parametrize(
    ("endpoint", "code"),
    [
        ("https://fcm.googleapis.com/fcm/send/x", ""),
        ("https://api.push.apple.com/x", ""),
        ("http://fcm.googleapis.com/x", "core.address_unusable"),
        ("https://fcm.googleapis.com:8443/x", "providers.push_host"),
        ("https://fcm.googleapis.com.evil.example/x", "providers.push_host"),
        ("https://evilpush.apple.com/x", "providers.push_host"),
        ("https://127.0.0.1/x", "providers.push_host"),
        ("https://10.0.0.1/x", "providers.push_host"),
        ("http://127.0.0.1:9/x", "core.address_unusable"),
        ("https://lan:khoa@fcm.googleapis.com/x", "core.address_unusable"),
        ("https://fcm.googleapis.com/đường", "core.address_unusable"),
        ("file:///etc/passwd", "core.address_unusable"),
        ("", "core.address_unusable"),
    ],
)
@pytest.mark.usefixtures("maker")
def test_only_the_makers_of_the_setting_are_written_to(
    endpoint: str, code: str
) -> None:
    found = ""
    try:
        push.check_endpoint(endpoint)
    except AddressError as error:
        found = error.code

    assert found == code


def test_a_maker_whose_name_leads_inside_the_network_is_not_opened(
    minh: Officer, now: datetime, settings: Any, maker: FakePushServer
) -> None:
    phone = maker.browser()
    receiver = switch_on(phone, minh, now)
    settings.PUSH_HOSTS = ["localhost"]
    endpoint = "https://localhost/send/x"
    Receiver.objects.filter(pk=receiver.pk).update(endpoint=endpoint)

    with pytest.raises(ConflictError) as told:
        actions.try_receiver(receiver_id=receiver.pk, by=minh, at=now)

    assert told.value.code == "people.receiver_refused"
    assert phone.headers == []


def test_one_officer_never_touches_the_browsers_of_another(
    minh: Officer, hoa: Officer, now: datetime, maker: FakePushServer
) -> None:
    phone = maker.browser()
    receiver = switch_on(phone, minh, now)

    for action in (actions.try_receiver, actions.remove_receiver):
        with pytest.raises(AbsentError):
            action(receiver_id=receiver.pk, by=hoa, at=now)
        assert Receiver.objects.filter(pk=receiver.pk).exists()
    strange = {**phone.form, "secret": maker.browser().form["secret"]}
    with pytest.raises(ConflictError):
        actions.add_receiver(label="x", by=hoa, at=now, **strange)
    actions.try_receiver(receiver_id=receiver.pk, by=minh, at=now)

    assert len(phone.shown) == 1


def test_a_shared_phone_tells_who_switched_it_on_last(
    minh: Officer, hoa: Officer, now: datetime, maker: FakePushServer
) -> None:
    phone = maker.browser()
    switch_on(phone, minh, now)
    switch_on(phone, hoa, now)
    switch_on(phone, hoa, now)

    assert [one.officer for one in Receiver.objects.all()] == [hoa]


def test_a_shut_account_is_told_nothing_more(
    minh: Officer, ia_grai: Unit, now: datetime, maker: FakePushServer
) -> None:
    phone = maker.browser()
    switch_on(phone, minh, now)
    tell(now, minh)

    chief = make_officer("binh", "Siu Bình", (ia_grai, "administrator"))
    actions.lock_officer(officer=minh, by=chief, at=now)
    actions.deliver_notices(at=now)
    tell(now, minh)
    actions.deliver_notices(at=now)

    assert phone.shown == []


def test_keys_that_are_none_and_too_many_browsers_are_refused(
    minh: Officer, now: datetime, maker: FakePushServer
) -> None:
    form = maker.browser().form
    off_curve = push.write_base64(b"\x04" + b"\x01" * 64)
    for change in ({"public_key": off_curve}, {"secret": "ngắn"}, {"public_key": ""}):
        with pytest.raises(InvalidError):
            actions.add_receiver(label="x", by=minh, at=now, **{**form, **change})
    for _turn in range(10):
        switch_on(maker.browser(), minh, now)
    with pytest.raises(ConflictError):
        switch_on(maker.browser(), minh, now)


def test_the_database_itself_keeps_one_push_for_each_browser(
    minh: Officer, now: datetime, maker: FakePushServer
) -> None:
    receiver = switch_on(maker.browser(), minh, now)
    tell(now, minh)
    notice = Notice.objects.get()

    for row in (
        {"channel": "push", "receiver": receiver},
        {"channel": "push"},
        {"channel": "email", "receiver": receiver},
        {"channel": "email"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            NoticeDelivery.objects.create(notice=notice, **row)


def test_the_page_switches_on_tries_and_switches_off(
    client: Client, minh: Officer, settings: Any, maker: FakePushServer
) -> None:
    client.force_login(minh)
    phone = maker.browser()
    agent = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130 Safari/537"

    empty = client.get("/tai-khoan/bao/").content.decode()
    client.post("/tai-khoan/bao/them/", phone.form, headers={"user-agent": agent})
    receiver = Receiver.objects.get()
    page = client.get("/tai-khoan/bao/").content.decode()
    client.post(f"/tai-khoan/bao/{receiver.pk}/thu/")
    phone.status = 410
    gone = client.post(f"/tai-khoan/bao/{receiver.pk}/thu/")
    (settings.KEYS_DIR / push.KEY_FILE).unlink()
    keyless = client.get("/tai-khoan/bao/").content.decode()

    assert "Chưa máy nào nhận báo" in empty
    assert push.KEY_FILE not in empty
    assert "Chrome trên điện thoại Android" in page
    assert phone.shown[0]["title"].startswith("Báo thử")
    assert gone.status_code == 409
    assert "bật lại" in gone.content.decode()
    assert not Receiver.objects.exists()
    assert "make_keys" in keyless
    assert phone.shown[0]["url"] == "/tai-khoan/bao/"


def test_the_script_and_the_manifest_are_served_to_anybody(client: Client) -> None:
    script, manifest = client.get("/bao.js"), client.get("/nguon.webmanifest")

    assert script["Content-Type"].startswith("text/javascript")
    assert b"showNotification" in script.content
    assert manifest.json()["display"] == "standalone"
    for icon in manifest.json()["icons"]:
        assert client.get(icon["src"]).status_code == 200


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    assert push.make_key(tmp_path / "keys")
    path = tmp_path / "keys" / push.KEY_FILE
    kept = path.read_bytes()

    assert not push.make_key(tmp_path / "keys")
    assert path.read_bytes() == kept
    assert path.stat().st_mode & 0o777 == 0o600

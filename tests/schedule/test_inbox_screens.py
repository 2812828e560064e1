"""The inbox and *Phát ngay* over HTTP: found, decided, refused with a sentence."""

import re
from collections.abc import Callable
from datetime import datetime, time, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from nguon.fleet.models import Device
from nguon.newsroom.models import Bulletin
from nguon.people.models import Officer
from nguon.schedule import actions, rules
from nguon.schedule.models import Broadcast, InboxEntry, Paper
from nguon.territory.models import Unit
from tests.schedule.conftest import voice_all
from tests.schedule.test_authority import make_authority

Send = Callable[..., Broadcast]
JSON = {"accept": "application/json"}
TEXT = "Mời bà con ra nhà rông họp ngay bây giờ."


@pytest.fixture
def entry(from_above: Send, ia_grai: Unit) -> InboxEntry:
    from_above(title="=Giá phân bón")
    return InboxEntry.objects.get(unit=ia_grai)


def test_the_inbox_is_searched_filtered_and_given_as_a_file(
    client: Client, entry: InboxEntry, lan: Officer
) -> None:
    client.force_login(lan)

    def count(**asked: str) -> int:
        return int(client.get("/hop-tin/", asked, headers=JSON).json()["count"])

    assert (count(q="gia PHAN"), count(q="khám bệnh")) == (1, 0)
    assert (count(trang_thai="new"), count(trang_thai="taken")) == (1, 0)
    assert "'=Giá phân bón" in client.get("/hop-tin/xuat.csv").content.decode()
    page = client.get("/hop-tin/").content.decode()
    assert "Chưa quyết định" in page
    assert "tin từ cấp trên" in client.get("/").content.decode()


def test_an_empty_inbox_says_what_to_do(client: Client, lan: Officer) -> None:
    client.force_login(lan)

    page = client.get("/hop-tin/").content.decode()

    assert "Hộp tin đang trống" in page
    assert "Nhận vào kho chương trình" in page


def test_an_author_hears_takes_and_leaves_and_the_issuer_sees_it(
    client: Client, entry: InboxEntry, lan: Officer, quan: Officer
) -> None:
    client.force_login(lan)
    address = f"/hop-tin/{entry.pk}/"

    page = client.get(address).content.decode()
    sound = page.split('<source src="')[1].split('"')[0]
    heard = client.get(sound)
    taken = client.post(f"{address}nhan/", headers=JSON).json()
    unsaid = client.post(f"{address}khong-dung/", {"reason": " "}, headers=JSON)
    left = client.post(f"{address}khong-dung/", {"reason": "Đã phát"}, headers=JSON)

    assert heard.status_code == 200
    assert taken["state"] == "taken"
    assert unsaid.json()["code"] == "schedule.leave_reason_missing"
    assert left.json()["reason"] == "Đã phát"
    client.force_login(quan)
    uid = entry.broadcast.version.bulletin.uid
    issued = client.get(f"/ban-tin/{uid}/").content.decode()
    assert "Các xã dùng bản tin này" in issued
    assert "Đã phát" in issued
    # What lies in inboxes is expected of no speaker yet: no figures, no alarm.
    laid_up = client.get(f"/phat/{entry.broadcast.uid}/").content.decode()
    assert "hộp tin của các xã" in laid_up
    assert "chưa có tin" not in laid_up


def test_another_commune_finds_no_entry_and_an_approver_decides_nothing(
    client: Client, entry: InboxEntry, minh: Officer, hoa: Officer
) -> None:
    address = f"/hop-tin/{entry.pk}/"
    client.force_login(minh)
    seen = client.get(address)
    refused = client.post(f"{address}nhan/")
    client.force_login(hoa)

    assert (seen.status_code, refused.status_code) == (200, 403)
    assert "quyết định. Bạn chỉ xem" in seen.content.decode()
    assert client.get(address).status_code == 404
    assert client.post(f"{address}nhan/").status_code == 404


@pytest.fixture
def daytime(settings: object) -> datetime:
    """Allow any hour: these screens read the clock of the machine."""
    settings.QUIET_HOURS = ""  # type: ignore[attr-defined]
    return timezone.now()


def begin(client: Client, unit: Unit) -> str:
    """Type an announcement as the page does; return its uid."""
    sent = {"text": TEXT, "title": "", "unit": unit.uid, "units": unit.uid}
    return str(client.post("/phat-ngay/", sent, headers=JSON).json()["uid"])


def test_an_announcement_sounds_under_an_authority_in_three_requests(
    client: Client,
    speakers: list[Device],
    ia_grai: Unit,
    lan: Officer,
    minh: Officer,
    daytime: datetime,
) -> None:
    paper = make_authority(
        ia_grai, lan, by=minh, at=daytime, begin=time(0), end=time(0)
    )
    client.force_login(lan)

    uid = begin(client, ia_grai)
    address = f"/phat-ngay/{uid}/"
    early = client.get(f"{address}nghe/", {"units": ia_grai.uid}, headers=JSON).json()
    voice_all(timezone.now())
    ready = client.get(f"{address}nghe/", {"units": ia_grai.uid}, headers=JSON).json()
    page = client.get(address).content.decode()
    sent = {"text": TEXT, "units": ia_grai.uid, "act": "announce"}
    unheard = client.post(address, {**sent, "heard": "0" * 64}, headers=JSON)
    done = client.post(address, {**sent, "heard": ready["heard"]}, headers=JSON)

    assert (early["is_ready"], ready["is_ready"]) == (False, True)
    assert ready["authority"] == paper.uid
    assert f"Phát ngay theo ủy quyền số {paper.number}" in page
    assert unheard.json()["code"] == "newsroom.changed"
    assert done.json()["state"] == "approved"
    live = client.get(done.json()["live_url"]).content.decode()
    assert f"Ủy quyền số {paper.number}" in live
    assert Bulletin.objects.get().title == TEXT


def test_without_an_authority_it_goes_to_whoever_approves(
    client: Client,
    speakers: list[Device],
    ia_grai: Unit,
    lan: Officer,
    daytime: datetime,
) -> None:
    client.force_login(lan)
    uid = begin(client, ia_grai)
    voice_all(timezone.now())
    address = f"/phat-ngay/{uid}/"
    heard = client.get(f"{address}nghe/", headers=JSON).json()["heard"]
    sent = {"text": TEXT, "units": ia_grai.uid, "heard": heard}

    page = client.get(address).content.decode()
    refused = client.post(address, {**sent, "act": "announce"}, headers=JSON)
    asked = client.post(address, {**sent, "act": "send"}, headers=JSON)

    assert "Phát ngay theo ủy quyền số" not in page
    assert "Gửi người duyệt" in page
    assert refused.json()["code"] == "schedule.no_authority"
    assert asked.json()["timing"] == rules.ANNOUNCE
    assert Paper.objects.count() == 0


def test_what_was_typed_comes_back_with_the_refusal(
    client: Client, ia_grai: Unit, lan: Officer
) -> None:
    client.force_login(lan)

    page = client.post("/phat-ngay/", {"text": "a" * 20_001, "unit": ia_grai.uid})
    empty = client.post("/phat-ngay/", {"text": " ", "unit": ia_grai.uid})

    assert page.status_code == 422
    assert "a" * 20_001 in page.content.decode()
    assert "Bản tin chưa có" in empty.content.decode()


def test_an_arrow_moves_a_bulletin_and_the_list_is_sent_for_approval(
    client: Client,
    from_above: Send,
    send: Send,
    lan: Officer,
    minh: Officer,
    ia_grai: Unit,
    daytime: datetime,
) -> None:
    soon = rules.Timing(rules.ONCE, starts_at=daytime + timedelta(hours=1))
    own = send("priority", soon, daytime)
    actions.release(broadcast_uid=own.uid, sha256=own.sha256, by=minh, at=daytime)
    above = from_above("priority", soon, daytime)
    client.force_login(lan)
    first = {"order": [above.uid, own.uid], "noi": ia_grai.uid}

    begun = client.get("/hop-tin/thu-tu/").content.decode()
    moved = client.post("/hop-tin/thu-tu/", {**first, "up": own.uid}).content.decode()
    sent = {"order": [own.uid, above.uid], "act": "send", "noi": ia_grai.uid}
    done = client.post("/hop-tin/thu-tu/", sent)

    def places(page: str) -> list[str]:
        return re.findall(r'name="order" value="(\w+)"', page)

    assert places(begun) == [above.uid, own.uid]
    assert places(moved) == [own.uid, above.uid]
    paper = Paper.objects.get(kind="order")
    assert paper.state == rules.WAITING
    assert paper.body == {"broadcasts": [own.uid, above.uid]}
    assert done["Location"] == f"/giay-to/{paper.uid}/"
    assert "trùng giờ" in client.get("/hop-tin/").content.decode()

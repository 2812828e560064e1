"""The fleet's screens: technicians let devices in, everyone else only looks, or not."""

from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.apps import apps
from django.test import Client

from nguon.fleet import actions, keys
from nguon.fleet.models import Claim, Device
from nguon.fleet.queries import order_devices
from nguon.people.models import Officer
from nguon.territory.models import Unit
from tests.fleet.conftest import Speaker

Enrol = Callable[..., Speaker]


@pytest.fixture
def now() -> datetime:
    """Return the real clock, as the views read it at their edge."""
    return datetime.now(tz=UTC)


@pytest.fixture
def sign_in(client: Client) -> Callable[[Officer], Client]:
    """Return a function that lets an officer use the browser."""

    def _sign_in(officer: Officer) -> Client:
        client.defaults["HTTP_HOST"] = "127.0.0.1"
        client.force_login(officer)
        return client

    return _sign_in


def test_a_technician_makes_codes_and_prints_them(
    sign_in: Callable[[Officer], Client],
    key_ring: keys.Ring,
    village: Unit,
    tung: Officer,
    lan: Officer,
) -> None:
    web = sign_in(tung)
    form = {
        "unit": village.uid,
        "kind": "speaker",
        "name": "Loa nhà rông",
        "count": "3",
    }

    answer = web.post("/thiet-bi/ma-ghi-danh/", form, follow=True)

    assert answer.status_code == 200
    codes = list(Claim.objects.values_list("code", flat=True))
    assert len(codes) == 3
    assert all(code in answer.content.decode() for code in codes)
    assert web.get("/thiet-bi/ma-ghi-danh/").status_code == 200
    for wrong in ({"count": "0"}, {"count": "x"}, {"name": ""}, {"kind": "radio"}):
        assert web.post("/thiet-bi/ma-ghi-danh/", {**form, **wrong}).status_code == 422
    refused = sign_in(lan).post("/thiet-bi/ma-ghi-danh/", form)
    assert refused.status_code == 403
    assert codes[0] not in sign_in(lan).get("/thiet-bi/ma-ghi-danh/").content.decode()


def test_waiting_devices_are_approved_together_or_one_by_one(
    sign_in: Callable[[Officer], Client], enrol: Enrol, village: Unit, tung: Officer
) -> None:
    first, second, third = [
        enrol(village, name=f"Loa {n}", approve=False).row for n in range(3)
    ]
    web = sign_in(tung)

    page = web.get("/thiet-bi/cho-duyet/").content.decode()
    web.post(f"/thiet-bi/{first.uid}/tu-choi/")
    web.post("/thiet-bi/cho-duyet/", {"device": [second.uid, third.uid]})

    assert all(device.uid in page for device in (first, second, third))
    states = dict(Device.objects.values_list("uid", "state"))
    assert states == {first.uid: "rejected", second.uid: "active", third.uid: "active"}
    assert web.post(f"/thiet-bi/{first.uid}/duyet/").status_code == 409
    assert web.post("/thiet-bi/cho-duyet/", {}).status_code == 422


def test_a_foreign_officer_finds_nothing(
    sign_in: Callable[[Officer], Client], enrol: Enrol, village: Unit, hoa: Officer
) -> None:
    device = enrol(village).row
    web = sign_in(hoa)

    assert device.name not in web.get("/thiet-bi/").content.decode()
    assert web.get(f"/thiet-bi/{device.uid}/").status_code == 404
    assert web.post(f"/thiet-bi/{device.uid}/thu-hoi/").status_code == 404
    assert web.get(f"/thiet-bi/?xa={village.parent.uid}").status_code == 404
    device.refresh_from_db()
    assert device.state == "active"


def test_the_list_is_searched_filtered_and_exported(
    sign_in: Callable[[Officer], Client], enrol: Enrol, village: Unit, lan: Officer
) -> None:
    enrol(village, name="Loa nhà rông")
    enrol(village, name="Bảng ủy ban", kind="board", approve=False)
    web = sign_in(lan)

    def names(query: str) -> list[str]:
        answer = web.get(f"/thiet-bi/?{query}", headers={"accept": "application/json"})
        return [row["name"] for row in answer.json()["devices"]]

    assert names("") == ["Loa nhà rông", "Bảng ủy ban"]
    assert names("tim=rông") == ["Loa nhà rông"]
    assert names("trang_thai=waiting") == ["Bảng ủy ban"]
    assert names("im_lang=1") == []
    assert names("tinh_trang=new&noi=khong&bang_chung=0") == ["Loa nhà rông"]
    assert names("bang_chung=2") == []
    assert names("loi=lost") == []
    assert names(f"xa={village.parent.uid}&trang=99") == ["Loa nhà rông", "Bảng ủy ban"]
    assert names("tim=%00&hang=x%00") == []
    assert names("tinh_trang=happy&bang_chung=9&noi=perhaps&loi=magic") != []
    table = web.get("/thiet-bi/xuat.csv").content.decode()
    assert "Loa nhà rông" in table
    assert web.get("/thiet-bi/").status_code == 200


def test_one_device_is_shown_changed_tested_and_revoked(
    sign_in: Callable[[Officer], Client],
    enrol: Enrol,
    village: Unit,
    tung: Officer,
    lan: Officer,
) -> None:
    device = enrol(village).row
    address = f"/thiet-bi/{device.uid}/"
    form = {"name": "Loa mới", "volume": "40", "language": ["jra", "vi", "klingon"]}

    refused = sign_in(lan).post(address, form)
    web = sign_in(tung)
    assert web.get(address).status_code == 200
    assert web.post(address, form).status_code == 302
    assert web.post(address, {**form, "volume": "900"}).status_code == 422
    assert web.post(address + "thu/").status_code == 302
    assert web.post(address + "thu-hoi/").status_code == 302
    assert web.get(address + "thu-hoi/").status_code == 405

    assert refused.status_code == 403
    device.refresh_from_db()
    assert (device.name, device.volume, device.languages) == (
        "Loa mới",
        40,
        ["jra", "vi"],
    )
    assert device.state == "revoked"


def test_what_an_abused_key_did_is_shown_on_the_device_and_to_no_other_commune(
    sign_in: Callable[[Officer], Client],
    enrol: Enrol,
    village: Unit,
    tung: Officer,
    hoa: Officer,
    now: datetime,
) -> None:
    device = enrol(village).row
    actions.record_connections(here={device.uid}, away=(), at=now)
    asked = {"device_uid": device.uid, "at": now}
    places = {"host": "10.0.0.7", "other_host": "203.0.113.9"}

    actions.note_fault(**asked, fault="clone", data=places)
    actions.note_fault(**asked, fault="flood", data={"messages": 1_000})
    actions.examine_fleet(at=now)

    page = sign_in(tung).get(f"/thiet-bi/{device.uid}/").content.decode()
    assert "Hai máy dùng cùng một khóa" in page
    assert "Từ hai địa chỉ: 10.0.0.7 và 203.0.113.9" in page
    assert "Gửi quá nhiều, đã bị cắt 5 phút" in page
    assert sign_in(hoa).get(f"/thiet-bi/{device.uid}/").status_code == 404


def test_devices_are_listed_in_the_order_in_which_people_count(
    ia_grai: Unit, now: datetime
) -> None:
    for number, name in enumerate(("Cụm loa 10", "Cụm loa 2", "Cụm Đá 1", "Bảng 03")):
        Device.objects.create(
            kind="speaker",
            name=name,
            unit=ia_grai,
            public_key=f"khoa{number}",
            enrolled_at=now,
        )
    Device.objects.filter(name="Cụm loa 2").update(name_order="")

    import_module("nguon.fleet.migrations.0014_fill_name_order").fill(apps, None)

    names = list(order_devices(Device.objects.all()).values_list("name", flat=True))
    assert names == ["Bảng 03", "Cụm Đá 1", "Cụm loa 2", "Cụm loa 10"]

"""Officers see their own ground; administrators import villages on theirs only."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from nguon.people.models import Officer
from nguon.territory.models import Unit
from tests.conftest import make_officer

HEAD = "Mã xã,Loại,Tên,Mã,Dân số,Từ ngày\n"
MINE = HEAD + "23764,Làng,Jút,,640,01/07/2025\n"
FOREIGN = MINE + "23677,Làng,Bok,,,01/07/2025\n"


@pytest.fixture
def chief(ia_grai: Unit) -> Officer:
    return make_officer("binh", "Siu Bình", (ia_grai, "administrator"))


def preview(client: Client, text: str) -> str:
    file = SimpleUploadedFile("thon.csv", text.encode("utf-8-sig"))
    return client.post("/dia-ban/nhap-thon/xem/", {"file": file}).content.decode()


def test_lan_sees_her_commune_and_hoas_is_not_there(
    client: Client, lan: Officer, ia_grai: Unit, dak_doa: Unit, village: Unit
) -> None:
    client.force_login(lan)

    page = client.get("/dia-ban/").content.decode()

    assert "Xã Ia Grai" in page
    assert "Xã Đak Đoa" not in page
    assert "Làng Jút" in client.get(f"/dia-ban/{ia_grai.uid}/").content.decode()
    assert client.get(f"/dia-ban/{dak_doa.uid}/").status_code == 404


def test_the_province_gets_a_map_that_links_its_communes(
    client: Client, quan: Officer, ia_grai: Unit, dak_doa: Unit
) -> None:
    client.force_login(quan)

    page = client.get("/dia-ban/").content.decode()

    assert '<svg class="ground-map" viewBox="0 0 1000 ' in page
    assert page.count("<path d=") == 135
    assert f"/dia-ban/{dak_doa.uid}/" in page
    assert "Xã Đak Đoa" in client.get("/dia-ban/", {"q": "dak"}).content.decode()


def test_an_administrator_looks_first_and_then_imports(
    client: Client, chief: Officer, dak_doa: Unit
) -> None:
    client.force_login(chief)
    villages = Unit.objects.filter(kind="village")

    page = preview(client, MINE)
    looked = villages.count()
    done = client.post("/dia-ban/nhap-thon/nhap/", {"text": MINE})

    assert "Nhập 1 thôn" in page
    assert looked == 0
    assert done.status_code == 302
    assert [unit.full_name for unit in villages] == ["Làng Jút"]
    assert "không có gì thay đổi" in preview(client, MINE)


def test_foreign_rows_are_named_and_nothing_is_imported_unless_asked(
    client: Client, chief: Officer, dak_doa: Unit
) -> None:
    client.force_login(chief)
    villages = Unit.objects.filter(kind="village")

    page = preview(client, FOREIGN)
    refused = client.post("/dia-ban/nhap-thon/nhap/", {"text": FOREIGN})
    nothing = villages.count()
    client.post("/dia-ban/nhap-thon/nhap/", {"text": FOREIGN, "keep_good": "1"})

    assert "không thuộc phần việc của bạn" in page
    assert refused.status_code == 422
    assert nothing == 0
    assert [unit.parent.code for unit in villages if unit.parent] == ["23764"]


def test_whoever_administers_nothing_imports_nothing(
    client: Client, lan: Officer
) -> None:
    client.force_login(lan)

    assert client.get("/dia-ban/nhap-thon/").status_code == 403
    assert client.post("/dia-ban/nhap-thon/nhap/", {"text": MINE}).status_code == 403
    assert not Unit.objects.filter(kind="village").exists()


@pytest.mark.parametrize("text", ["", "a,b\n", HEAD])
def test_a_file_that_is_no_list_is_a_sentence(
    client: Client, chief: Officer, text: str
) -> None:
    client.force_login(chief)
    file = SimpleUploadedFile("x.csv", text.encode())

    answer = client.post("/dia-ban/nhap-thon/xem/", {"file": file})

    assert answer.status_code == 422
    assert "cột" in answer.content.decode()


def test_the_sample_is_a_good_list(client: Client, chief: Officer) -> None:
    client.force_login(chief)
    sample = client.get("/dia-ban/nhap-thon/mau.csv").content.decode("utf-8-sig")

    assert "Nhập 2 thôn" in preview(client, sample)

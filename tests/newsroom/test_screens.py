"""Writing over HTTP: kept, refused with a sentence, absent for strangers."""

from datetime import date
from http import HTTPStatus

import pytest
from django.test import Client

from nguon.newsroom.models import Bulletin
from nguon.people.models import Officer

JSON = {"accept": "application/json"}


@pytest.fixture
def bulletin(client: Client, lan: Officer) -> Bulletin:
    client.force_login(lan)
    client.post("/ban-tin/moi/", {"kind": "normal"}, headers=JSON)
    return Bulletin.objects.get()


def test_a_save_counts_on_and_an_old_one_is_a_conflict(
    client: Client, bulletin: Bulletin, quan: Officer
) -> None:
    address = f"/ban-tin/{bulletin.uid}/luu/"
    text = {"title": "Họp dân", "body": "Mời bà con.", "revision": 1}

    first = client.post(address, text, headers=JSON)
    client.force_login(quan)
    other = client.post(address, {**text, "body": "Khác."}, headers=JSON)

    assert first.json()["revision"] == 2
    assert other.status_code == HTTPStatus.CONFLICT
    assert other.json()["data"]["kept_body"] == "Mời bà con."
    assert other.json()["data"]["your_body"] == "Khác."


def test_a_hundred_thousand_letters_are_refused_and_stay_on_the_page(
    client: Client, bulletin: Bulletin
) -> None:
    address = f"/ban-tin/{bulletin.uid}/luu/"
    sent = {"title": "Dài", "body": "a" * 100_000, "revision": 1}

    page = client.post(address, sent)
    program = client.post(address, sent, headers=JSON)

    assert page.status_code == program.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "a" * 100_000 in page.content.decode()
    assert "Hãy rút ngắn" in program.json()["message"]


def test_another_commune_finds_nothing(
    client: Client, bulletin: Bulletin, hoa: Officer
) -> None:
    seen = client.get(f"/ban-tin/{bulletin.uid}/")
    client.force_login(hoa)

    addresses = ("", "viet/", "phat/", "nghe/")
    answers = [client.get(f"/ban-tin/{bulletin.uid}/{end}") for end in addresses]

    assert seen.status_code == HTTPStatus.OK
    assert {answer.status_code for answer in answers} == {HTTPStatus.NOT_FOUND}


def test_search_needs_no_accents_and_a_file_holds_no_formula(
    client: Client, bulletin: Bulletin
) -> None:
    address = f"/ban-tin/{bulletin.uid}/luu/"
    client.post(address, {"title": "=Tiêm phòng", "body": "x", "revision": 1})

    found = client.get("/ban-tin/", {"q": "tiêm phong"}, headers=JSON).json()
    none = client.get("/ban-tin/", {"q": "khám bệnh"}, headers=JSON).json()
    file = client.get("/ban-tin/xuat.csv").content.decode()

    assert (found["count"], none["count"]) == (1, 0)
    assert "'=Tiêm phòng" in file


def test_a_day_that_cannot_be_read_costs_no_word(
    client: Client, bulletin: Bulletin
) -> None:
    address = f"/ban-tin/{bulletin.uid}/luu/"
    sent = {"title": "Tiêm phòng", "body": "Bà con đi tiêm.", "revision": 1}

    page = client.post(address, sent | {"expires_on": "mai"})
    taken = client.post(address, sent | {"expires_on": "22/11/2030"}, headers=JSON)

    assert page.status_code == 422
    assert "Bà con đi tiêm." in page.content.decode()
    assert "Hãy ghi như 22/11/2026" in page.content.decode()
    assert taken.status_code == 200
    bulletin.refresh_from_db()
    assert bulletin.expires_on == date(2030, 11, 22)

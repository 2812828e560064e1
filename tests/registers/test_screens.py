"""The pages of the registers, as the own commune, another and the province see them."""

from datetime import date
from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import reverse

from nguon.people.models import Officer
from nguon.registers import asked
from nguon.registers.models import Propagandist, StaffMember, Station, Training
from nguon.territory.models import Unit

pytestmark = pytest.mark.django_db
JSON = {"accept": "application/json"}
PEOPLE = ("nhan-luc", "tuyen-truyen-vien")
FORM = {
    "full_name": "Rơ Châm Pốt",
    "phone": "0987 654 321",
    "decision_number": "15/QĐ-UBND",
    "from_date": "02/03/2026",
    "languages": ["Tiếng Việt", "Tiếng Jrai"],
    "to_date": "",
}


def page(client: Client, name: str, *args: str, **query: str) -> str:
    answer = client.get(reverse(f"registers:{name}", args=args), query)
    assert answer.status_code == HTTPStatus.OK, (name, args)
    return answer.content.decode()


def test_empty_registers_say_what_to_do_first(
    client: Client, lan: Officer, tung: Officer
) -> None:
    client.force_login(lan)
    assert "chưa ghi dòng nào" in page(client, "registers")
    for book in ("dai", *PEOPLE):
        assert "Ghi từng" in page(client, "lines", book)
        assert page(client, "import", book)
    assert "Xã của bạn chưa có danh sách thôn, làng" in page(
        client, "add", "tuyen-truyen-vien"
    )
    assert "Chưa có đợt tập huấn nào" in page(client, "trainings")

    client.force_login(tung)
    assert "Người soạn hoặc người duyệt" in page(client, "lines", "nhan-luc")


def test_a_propagandist_is_written_changed_and_forgotten_by_form(
    client: Client, village: Unit, lan: Officer
) -> None:
    client.force_login(lan)
    add = reverse("registers:add", args=["tuyen-truyen-vien"])
    sent = FORM | {"unit": village.uid}

    wrong = client.post(add, sent | {"phone": "12"})
    assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "không phải số điện thoại" in wrong.content.decode()
    assert client.post(add, sent).status_code == HTTPStatus.FOUND
    twice = client.post(add, sent)
    assert "đã có đúng dòng như vậy" in twice.content.decode()

    pot = Propagandist.objects.get()
    assert (pot.languages, pot.phone) == ("vi jra", "+84987654321")
    shown = page(client, "line", "tuyen-truyen-vien", pot.uid)
    for words in ("Rơ Châm Pốt", "0987654321", "Tiếng Jrai", "Ghi vào sổ"):
        assert words in shown
    address = reverse("registers:line", args=["tuyen-truyen-vien", pot.uid])
    changed = client.post(address, FORM | {"to_date": "01/11/2026"})
    assert changed.status_code == HTTPStatus.FOUND
    assert "Đã thôi" in page(client, "lines", "tuyen-truyen-vien")
    assert "01/11/2026" in page(client, "line", "tuyen-truyen-vien", pot.uid)

    forget = reverse("registers:forget", args=["tuyen-truyen-vien", pot.uid])
    unsure = client.post(forget)
    assert unsure.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    client.post(forget, {"sure": "1"})
    shown = page(client, "line", "tuyen-truyen-vien", pot.uid)
    assert "đã xóa theo yêu cầu ngày" in shown
    assert "Pốt" not in shown
    assert "đã xóa tên" in page(client, "lines", "tuyen-truyen-vien")
    # What is not personal can still be put right.
    assert client.post(address, {"from_date": "03/03/2026"}).status_code == 302


def test_lists_are_searched_filtered_and_given_to_programs(
    client: Client, station: Station, loan: StaffMember, pot: Propagandist, lan: Officer
) -> None:
    client.force_login(lan)

    assert "Đài Ia Kha" in page(client, "lines", "dai", tim="ia kha", loai="fm")
    assert "Không có dòng nào" in page(client, "lines", "dai", loai="wired")
    assert "Không có dòng nào" in page(client, "lines", "nhan-luc", tinh_trang="thoi")
    assert "Loan" in page(client, "lines", "nhan-luc", tim="loan", tap_huan="chua")
    assert "Pốt" in page(client, "lines", "tuyen-truyen-vien", tieng="jra")
    told = client.get(reverse("registers:registers"), headers=JSON).json()
    assert told["registers"] == {"dai": 1, "nhan-luc": 1, "tuyen-truyen-vien": 1}
    found = client.get(reverse("registers:lines", args=["dai"]), headers=JSON).json()[
        "lines"
    ]
    assert (found[0]["kind"], found[0]["year"]) == ("Không dây FM", "2014")


def test_the_province_reads_masked_pages(
    client: Client, loan: StaffMember, pot: Propagandist, quan: Officer
) -> None:
    client.force_login(quan)

    for book, line in zip(PEOPLE, (loan, pot), strict=True):
        for told in (
            page(client, "lines", book),
            page(client, "line", book, line.uid),
            page(client, "lines_file", book),
            client.get(
                reverse("registers:lines", args=[book]), headers=JSON
            ).content.decode(),
        ):
            assert not any(
                secret in told
                for secret in ("Rơ Châm", "Siu H", "905123", "987654321", "15/QĐ")
            ), book


def test_another_commune_neither_sees_nor_changes_ours(
    client: Client,
    station: Station,
    loan: StaffMember,
    pot: Propagandist,
    hoa: Officer,
) -> None:
    client.force_login(hoa)

    for book, line in zip(("dai", *PEOPLE), (station, loan, pot), strict=True):
        assert line.uid not in page(client, "lines", book)
        assert line.uid not in page(client, "lines_file", book)
        for answer in (
            client.get(reverse("registers:line", args=[book, line.uid])),
            client.post(reverse("registers:line", args=[book, line.uid]), FORM),
            client.post(
                reverse("registers:forget", args=[book, line.uid]), {"sure": "1"}
            ),
            client.post(reverse("registers:forget", args=[book, line.uid])),
        ):
            assert answer.status_code == HTTPStatus.NOT_FOUND, book
    loan.refresh_from_db()
    assert loan.full_name


def test_a_list_says_what_its_days_are(
    client: Client, loan: StaffMember, lan: Officer
) -> None:
    StaffMember.objects.filter(pk=loan.pk).update(to_date=date(2026, 9, 1))
    client.force_login(lan)

    assert "từ 01/07/2025, thôi từ 01/09/2026" in page(client, "lines", "nhan-luc")


def test_a_training_is_written_proven_and_taken_back_by_form(
    client: Client, ia_grai: Unit, loan: StaffMember, lan: Officer, hoa: Officer
) -> None:
    client.force_login(lan)
    index = reverse("registers:trainings")
    sent = {"unit": ia_grai.uid, "title": "Đợt 1", "lessons": "Soạn\nDừng"}

    assert (
        "từ 1 đến 40 bài" in client.post(index, sent | {"lessons": ""}).content.decode()
    )
    assert client.post(index, sent).status_code == HTTPStatus.FOUND
    training = Training.objects.get()
    record = reverse("registers:record", args=[training.uid])
    told = {"person": loan.uid, "proven_on": "20/09/2026", "lesson": ["1", "2"]}
    for day, words in (("", "Chưa ghi ngày học"), ("31/02/2026", "“31/02/2026”")):
        wrong = client.post(record, told | {"proven_on": day})
        assert words in wrong.content.decode(), day
    assert client.post(record, told).status_code == HTTPStatus.FOUND

    shown = page(client, "training", training.uid)
    assert "Học đủ 20/09/2026" in shown
    assert "2/2" in page(client, "training_file", training.uid)
    assert "Đợt 1" in page(client, "line", "nhan-luc", loan.uid)
    proof = loan.proofs.first()
    assert proof is not None
    client.post(reverse("registers:take_back", args=[proof.pk]))
    assert "Chưa đủ bài" in page(client, "training", training.uid)

    client.force_login(hoa)
    for name in ("training", "training_file"):
        address = reverse(f"registers:{name}", args=[training.uid])
        assert client.get(address).status_code == HTTPStatus.NOT_FOUND


def test_all_villages_and_people_of_a_province_are_asked_for_by_commune(
    client: Client,
    pot: Propagandist,
    loan: StaffMember,
    ia_grai: Unit,
    province: Unit,
    quan: Officer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client.force_login(quan)
    sent = {"unit": province.uid, "title": "Đợt 1", "lessons": "Soạn"}
    client.post(reverse("registers:trainings"), sent)
    uid = Training.objects.get().uid
    assert 'id="person"' in page(client, "training", uid)
    monkeypatch.setattr(asked, "MOST_CHOICES", 0)

    add = page(client, "add", "tuyen-truyen-vien")
    assert "Chọn xã, phường trước" in add
    assert 'id="unit"' not in add
    assert 'id="person"' not in page(client, "training", uid)
    monkeypatch.setattr(asked, "MOST_CHOICES", 2)
    narrow = page(client, "training", uid, don_vi=ia_grai.uid)
    assert "S• H&#x27;Loan" in narrow
    assert "Làng Jút" in page(client, "add", "tuyen-truyen-vien", don_vi=ia_grai.uid)

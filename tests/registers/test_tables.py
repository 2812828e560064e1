"""A register goes out as a table and comes back; every wrong row is told."""

from datetime import date, datetime
from http import HTTPStatus
from io import BytesIO

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from nguon.audit.models import Record
from nguon.core.errors import InvalidError
from nguon.fleet import tables
from nguon.people.models import Officer
from nguon.registers import actions, books
from nguon.registers.actions import Count
from nguon.registers.models import Propagandist, StaffMember, Station
from nguon.registers.reading import Reading
from nguon.territory.models import Unit

pytestmark = pytest.mark.django_db
JSON = {"accept": "application/json"}
STAFF_HEAD = (
    "Mã dòng;Mã đơn vị;Họ tên;Điện thoại;Chức danh, công việc;Từ ngày;Thôi từ ngày"
)
PEOPLE_HEAD = "Mã đơn vị;Thôn, làng;Họ tên;Số quyết định;Ngày quyết định;Ngôn ngữ"


def take(
    text: str,
    by: Officer,
    at: datetime,
    *,
    book: books.Book = books.STAFF,
    take_good: bool = False,
) -> tuple[Reading, Count | None]:
    return actions.import_table(
        book=book, rows=tables.read(text.encode()), take_good=take_good, by=by, at=at
    )


def test_a_table_comes_in_and_the_same_again_changes_nothing(
    ia_grai: Unit, village: Unit, lan: Officer, now: datetime
) -> None:
    staff = (
        f"{STAFF_HEAD}\n;23764;Siu H'Loan;0905 123 456;Cán bộ đài;01/07/2025;\n"
        ";23764;Kpă Hùng;;Kỹ thuật;2/3/2024;1/9/2026\n"
    )
    people = (
        f"{PEOPLE_HEAD}\n"
        "23764;Làng Jút;Rơ Châm Pốt;15/QĐ-UBND;02/03/2026;jrai, Tiếng Việt\n"
        "23764;jut;Siu Bình;16/QĐ-UBND;02/03/2026;\n"
    )

    assert take(staff, lan, now)[1] == Count(new=2)
    assert take(people, lan, now, book=books.PROPAGANDISTS)[1] == Count(new=2)

    assert take(staff, lan, now)[1] == Count(same=2)
    assert take(people, lan, now, book=books.PROPAGANDISTS)[1] == Count(same=2)
    loan = StaffMember.objects.get(folded="siu h'loan")
    assert (loan.phone, loan.from_date) == ("+84905123456", date(2025, 7, 1))
    pot = Propagandist.objects.get(folded="ro cham pot")
    assert (pot.languages, pot.unit) == ("vi jra", village)


def test_what_was_exported_comes_back_unchanged_and_with_one_change(
    client: Client,
    station: Station,
    loan: StaffMember,
    pot: Propagandist,
    lan: Officer,
    now: datetime,
) -> None:
    client.force_login(lan)

    for book in books.BOOKS.values():
        address = reverse("registers:lines_file", args=[book.code])
        for asked in ({}, {"dang": "xlsx"}):
            content = client.get(address, asked).content
            told = actions.import_table(
                book=book, rows=tables.read(content), take_good=False, by=lan, at=now
            )
            assert told[1] == Count(same=1), (book.code, told[0].problems)

    text = client.get(reverse("registers:lines_file", args=["nhan-luc"])).content
    moved = text.decode().replace("Cán bộ đài truyền thanh", "Phụ trách đài")
    assert take(moved.removeprefix("\ufeff"), lan, now)[1] == Count(changed=1)
    loan.refresh_from_db()
    assert loan.post == "Phụ trách đài"


def test_every_wrong_row_is_told_and_nothing_is_written(
    ia_grai: Unit, dak_doa: Unit, lan: Officer, now: datetime
) -> None:
    text = "\n".join(
        (
            STAFF_HEAD,
            ";23764;Siu H'Loan;;Cán bộ đài;01/07/2025;",
            ";23677;Siu Lan;;Cán bộ đài;01/07/2025;",
            ";23764;Siu Bình;123;Cán bộ đài;01/07/2025;",
            ";23764;Siu Chi;;;01/07/2025;",
            ";23764;Siu Dũng;;Cán bộ đài;01/07/2025;30/06/2025",
            ";23764;siu  h'loan;;Trưởng đài;01/07/2025;",
            "khong-co-dong;;;;Cán bộ;;",
            ";23764;N• T• Lan;;Cán bộ đài;01/07/2025;",
            ";23764;Siu Em;;Cán bộ đài;01/07/2027;",
        )
    )

    reading, count = take(text, lan, now)

    assert count is None
    assert not StaffMember.objects.exists()
    told = {problem.row: problem for problem in reading.problems}
    assert sorted(told) == [3, 4, 5, 6, 7, 8, 9, 10]
    for row, words in (
        (3, "23677"),
        (4, "số điện thoại"),
        (5, "chưa ghi"),
        (7, "trùng với dòng 2"),
        (8, "không có dòng mang mã"),
        (9, "đã che"),
    ):
        assert words in told[row].words, row
    assert {getattr(told[row].error, "code", "") for row in (6, 10)} == {
        "registers.ends_first", "registers.begins_wrong",
    }  # fmt: skip

    _reading, count = take(text, lan, now, take_good=True)
    assert count == Count(new=1)


def test_an_empty_cell_leaves_what_is_known_and_a_dash_clears_it(
    loan: StaffMember, lan: Officer, now: datetime
) -> None:
    row = f"{loan.uid};;;;;;01/11/2026"
    take(f"{STAFF_HEAD}\n{row}\n", lan, now)
    loan.refresh_from_db()
    assert (loan.full_name, loan.to_date) == ("Siu H'Loan", date(2026, 11, 1))

    take(f"{STAFF_HEAD}\n{loan.uid};;;-;;;-\n", lan, now)

    loan.refresh_from_db()
    assert (loan.phone, loan.to_date) == ("", None)
    reading, count = take(f"{STAFF_HEAD}\n{loan.uid};;-;;;;\n", lan, now)
    assert count is None
    assert "chưa ghi" in reading.problems[0].words


def test_the_province_sends_its_masked_table_back_without_harm(
    client: Client,
    loan: StaffMember,
    pot: Propagandist,
    quan: Officer,
    now: datetime,
) -> None:
    client.force_login(quan)
    for book in (books.STAFF, books.PROPAGANDISTS):
        address = reverse("registers:lines_file", args=[book.code])
        text = client.get(address).content.decode().removeprefix("\ufeff")

        assert "Pốt" in text or "H'Loan" in text
        assert "Rơ Châm" not in text
        assert "905123" not in text
        assert take(text, quan, now, book=book)[1] == Count(same=1)
        named = text.replace("R• C• Pốt", "Người Khác").replace(
            "S• H'Loan", "Người Khác"
        )
        reading, count = take(named, quan, now, book=book)
        assert count is None
        assert "chỉ đơn vị" in reading.problems[0].words
    loan.refresh_from_db()
    assert loan.full_name == "Siu H'Loan"


def test_another_commune_cannot_name_our_line_nor_our_code(
    loan: StaffMember, hoa: Officer, now: datetime
) -> None:
    text = f"{STAFF_HEAD}\n{loan.uid};;;;Đã đổi;;\n;23764;Siu Lạ;;Cán bộ;01/07/2025;\n"

    reading, count = take(text, hoa, now)

    assert count is None
    assert [problem.row for problem in reading.problems] == [2, 3]


def test_a_formula_is_text_on_the_way_in_and_harmless_on_the_way_out(
    client: Client, ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    text = f"{STAFF_HEAD}\n;23764;=cmd|'/c calc'!A0;;Cán bộ;01/07/2025;\n"
    assert take(text, lan, now)[1] == Count(new=1)
    client.force_login(lan)
    address = reverse("registers:lines_file", args=["nhan-luc"])

    line = client.get(address).content.decode()
    book = openpyxl.load_workbook(
        BytesIO(client.get(address, {"dang": "xlsx"}).content)
    )

    assert ",'=cmd" in line
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row]
    assert not any(cell.data_type == "f" for cell in cells)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Họ tên;Từ ngày\nLan;01/07/2025\n", "registers.headings_missing"),
        (f"{STAFF_HEAD}\n", "registers.no_rows"),
    ],
)
def test_what_is_no_table_of_the_register_is_refused(
    ia_grai: Unit, lan: Officer, now: datetime, text: str, code: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        take(text, lan, now)

    assert refused.value.code == code


def test_the_page_of_a_table_says_what_changed_and_what_is_wrong(
    client: Client, ia_grai: Unit, lan: Officer
) -> None:
    client.force_login(lan)
    address = reverse("registers:import", args=["nhan-luc"])
    good = ";23764;Siu H'Loan;;Cán bộ đài;01/07/2025;"
    bad = ";23764;Siu Bình;;Cán bộ đài;01/07/2027;"

    def send(*rows: str, **more: str) -> tuple[int, str]:
        content = "\n".join((STAFF_HEAD, *rows)).encode()
        file = SimpleUploadedFile("so.csv", content)
        answer = client.post(address, {"file": file, **more})
        return answer.status_code, answer.content.decode()

    status, page = send(good, bad)
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "chưa ghi gì" in page
    assert "Ngày bắt đầu 01/07/2027" in page

    status, page = send(good)
    assert status == HTTPStatus.OK
    assert "1 mới, 0 sửa, 0 như cũ" in page
    answer = client.post(
        address,
        {"file": SimpleUploadedFile("so.csv", f"{STAFF_HEAD}\n{good}".encode())},
        headers=JSON,
    )
    assert answer.json() == {
        "written": {"new": 0, "changed": 0, "same": 1}, "wrong": [],
    }  # fmt: skip


def test_whoever_takes_phone_numbers_out_is_written_down(
    client: Client,
    loan: StaffMember,
    station: Station,
    lan: Officer,
    quan: Officer,
) -> None:
    def export(
        officer: Officer, book: str, name: str = "lines_file"
    ) -> list[dict[str, object]]:
        client.force_login(officer)
        client.get(reverse(f"registers:{name}", args=[book]), headers=JSON)
        rows = Record.objects.filter(action="registers.phones.exported")
        return list(rows.order_by("pk").values("by_name", "data"))

    # The province is given masked numbers, and a station has none.
    assert export(quan, "nhan-luc") == []
    assert export(lan, "dai") == []
    taken = {"by_name": lan.full_name, "data": {"register": "nhan-luc", "phones": 1}}
    assert export(lan, "nhan-luc") == [taken]
    # A program that reads the list is given them as well.
    assert export(lan, "nhan-luc", "lines") == [taken, taken]

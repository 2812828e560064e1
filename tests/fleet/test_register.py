"""The register: out as a table, back in unchanged, and every wrong row told."""

import time
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client

from nguon.core import beats
from nguon.core.errors import InvalidError
from nguon.fleet import actions, queries, register, tables
from nguon.fleet.models import ACTIVE, Device, Health, Registration
from nguon.people.answers import table_file
from nguon.people.models import Officer
from nguon.territory.models import Unit
from tests.conftest import make_unit
from tests.fleet.conftest import Speaker

Enrol = Callable[..., Speaker]
# The five tones as combining marks.
TONES = "\u0300\u0301\u0303\u0309\u0323"
HEAD = (
    "Mã thiết bị;Hãng;Số máy;Tăng âm (W);Giá (đồng);Ngày mua;Nguồn điện;Bật từ;Tắt lúc"
)


def rows(text: str) -> Iterator[tuple[int, list[str]]]:
    return tables.read(text.encode())


def put_up(unit: Unit, by: Officer, at: datetime, count: int) -> list[Device]:
    """Write many active devices at once, with health and register."""
    found = Device.objects.bulk_create(
        [
            Device(
                kind="speaker", name=f"Loa {n}", unit=unit, state=ACTIVE,
                public_key=f"key-{unit.pk}-{n}", enrolled_at=at, decided_by=by,
                decided_at=at,
            )
            for n in range(count)
        ],
        batch_size=1000,
    )  # fmt: skip
    actions.ensure_health(at=at)
    return found


def test_a_table_is_read_whatever_wrote_it() -> None:
    text = "Mã thiết bị;Hãng\nabc;Loa Tiền Giang\n"
    decomposed = unicodedata.normalize("NFD", "Tiền Giang")

    assert "Tiền Giang" in tables.decode(text.encode())
    assert "Tiền Giang" in tables.decode(b"\xef\xbb\xbf" + text.encode())
    assert "Tiền Giang" in tables.decode(text.encode("utf-16"))
    assert "Tiền Giang" in tables.decode(decomposed.encode())
    old = windows_1258("Hãng;Tiền Giang")
    assert b"\xea\xcc" in old
    assert tables.decode(old) == "Hãng;Tiền Giang"
    with pytest.raises(InvalidError):
        tables.decode(b"a\0b")


def test_a_workbook_is_read_as_people_see_it() -> None:
    book = openpyxl.Workbook()
    book.active.append(["Mã thiết bị", "Ngày mua", "Giá (đồng)", None])
    book.active.append([None, None, None, None])
    book.active.append(["abc", datetime(2026, 5, 1), 1500000.0, None])
    file = BytesIO()
    book.save(file)

    found = list(tables.read(file.getvalue()))

    assert found[1] == (3, ["abc", "01/05/2026", "1500000", ""])


@pytest.mark.parametrize("content", [b"PK\x03\x04 broken", b"PK"])
def test_a_broken_workbook_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidError) as error:
        list(tables.read(content))

    assert error.value.code == "fleet.file_unreadable"


def test_a_small_file_that_unpacks_to_very_much_is_refused() -> None:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sheet.xml", b" " * (tables.MAX_UNPACKED + 1))

    with pytest.raises(InvalidError) as error:
        list(tables.read(file.getvalue()))

    assert error.value.code == "fleet.file_unpacks"


@pytest.mark.parametrize("name", ["=cmd", "+1+1", "-5", "@a", "Lan", "'Lan"])
def test_what_a_file_of_ours_protects_comes_back_as_it_was_kept(name: str) -> None:
    workbook = tables.write_xlsx(["Tên"], [[name]])
    table = table_file("ten", ["Tên"], [[name]]).content

    for content in (workbook, table):
        assert [cells for _number, cells in tables.read(content)] == [["Tên"], [name]]


def test_what_no_file_of_an_office_may_hold_is_left_out_when_written_and_read() -> None:
    content = tables.write_xlsx(["Tên"], [["\x01Lan\ufffe\u202e"]])

    assert list(tables.read(content))[1] == (2, ["Lan"])
    assert list(tables.read("Tên\n\x01Lan\u202e".encode()))[1] == (2, ["Lan"])


def test_good_rows_are_written_and_an_empty_cell_leaves_what_is_known(
    enrol: Enrol, village: Unit, tung: Officer, now: datetime
) -> None:
    first, second = enrol(village).row, enrol(village, name="Loa 2").row
    Registration.objects.filter(pk=second.pk).update(
        make="Cũ", serial="S9", power="solar"
    )
    text = (
        f"{HEAD}\n"
        f"{first.uid};Loa Việt;S1;120;12.500.000 đ;01/03/2026;Điện lưới;05:00;22:00\n"
        f"{second.uid};;;;;;-;;\n"
    )

    reading = register.read(rows(text), ground=[village.path])
    count = actions.import_registrations(
        reading=reading, take_good=False, by=tung, at=now
    )

    assert (count, reading.problems) == (2, [])
    paper = Registration.objects.get(pk=first.pk)
    assert (paper.make, paper.amplifier_w, paper.price) == ("Loa Việt", 120, 12_500_000)
    assert (paper.purchased_date, paper.power) == (date(2026, 3, 1), "mains")
    assert paper.hours_from is not None
    other = Registration.objects.get(pk=second.pk)
    assert (other.make, other.serial, other.power) == ("Cũ", "S9", "")


def test_every_wrong_row_is_told_and_nothing_is_written(
    enrol: Enrol, village: Unit, dak_doa: Unit, tung: Officer, now: datetime
) -> None:
    mine = enrol(village).row
    others = [enrol(village, name=f"Loa {n}").row for n in range(8)]
    Registration.objects.filter(pk=others[7].pk).update(make="Hãng", serial="S7")
    wrong = [
        ("không-có;;;;;;;;", "không có thiết bị"),
        (f"{mine.uid};Hãng;S1;;;;;;", ""),
        (f"{mine.uid};Hãng;S2;;;;;;", "đã có ở dòng 3"),
        (f"{others[0].uid};;;nhiều;;;;;", "Tăng âm"),
        (f"{others[1].uid};;;;;31/02/2026;;;", "31/02/2026"),
        (f"{others[2].uid};;;;;;Gió;;", "Điện lưới, Điện mặt trời"),
        (f"{others[3].uid};;;;;;;05:00;", "cả giờ bật và giờ tắt"),
        (f"{others[4].uid};Hãng;S7;;;;;;", "đã có ở thiết bị khác"),
        (f"{others[5].uid};{'x' * 61};;;;;;;", "60 ký tự"),
    ]
    text = "\n".join([HEAD, *(row for row, _words in wrong)])

    reading = register.read(rows(text), ground=[village.path])

    told = {problem.row: problem.words for problem in reading.problems}
    expected = [(n, words) for n, (_row, words) in enumerate(wrong, 2) if words]
    assert sorted(told) == [n for n, _words in expected]
    for number, words in expected:
        assert words in told[number], told[number]
    with pytest.raises(InvalidError):
        actions.import_registrations(reading=reading, take_good=False, by=tung, at=now)
    assert not Registration.objects.filter(serial="S1").exists()
    done = actions.import_registrations(
        reading=reading, take_good=True, by=tung, at=now
    )
    assert done == 1
    assert Registration.objects.get(pk=mine.pk).serial == "S1"
    assert register.read(rows(text), ground=[dak_doa.path]).entries == []


def test_what_was_exported_comes_back_unchanged(
    enrol: Enrol, village: Unit, tung: Officer, now: datetime
) -> None:
    device = enrol(village).row
    values = register.read_values(
        {
            "make": "Hãng A", "serial": "=1+1", "price": "1500000",
            "power": "Chỉ có pin",
            "purchased_date": "2026-05-01", "hours_from": "05:00", "hours_to": "22:00",
            "lat": "13,98", "lon": "108.0",
        }
    )  # fmt: skip
    actions.change_registration(
        device_id=device.pk, values=values, villages=[village.pk], by=tung, at=now
    )
    shown = Device.objects.select_related("unit", "registration").get(pk=device.pk)

    file = tables.write_xlsx(register.HEAD, [register.row_of(shown)])
    before = Registration.objects.values().get(pk=device.pk)
    reading = register.read(tables.read(file), ground=["/"])

    assert reading.problems == []
    actions.import_registrations(reading=reading, take_good=False, by=tung, at=now)
    after = Registration.objects.values().get(pk=device.pk)
    # Also a cell that begins like a formula, which a mark made text.
    assert after == before
    assert list(device.registration.villages.all()) == [village]


def windows_1258(text: str) -> bytes:
    """Return text as old Vietnamese programs write it: the letter, then its tone."""
    found = ""
    for letter in text:
        parts = unicodedata.normalize("NFD", letter)
        tones = "".join(mark for mark in parts if mark in TONES)
        rest = "".join(mark for mark in parts if mark not in TONES)
        found += unicodedata.normalize("NFC", rest) + tones
    return found.encode("cp1258")


def send_rows(
    village: Unit,
    by: Officer,
    at: datetime,
    *,
    count: int,
    wrong: set[int],
    encode: Callable[[str], bytes],
) -> tuple[register.Reading, float, float]:
    """Read and write a large table; return what it said and the seconds it took."""
    devices = put_up(village, by, at, count)
    lines = [HEAD] + [
        f"{device.uid};Loa Việt;S{n};{'?' if n in wrong else 60};1200000;01/03/2026"
        ";Điện lưới;05:00;22:00"
        for n, device in enumerate(devices)
    ]
    file = encode("\n".join(lines))
    began = time.monotonic()
    reading = register.read(tables.read(file), ground=["/"])
    read = time.monotonic() - began
    with pytest.raises(InvalidError):
        actions.import_registrations(reading=reading, take_good=False, by=by, at=at)
    assert not Registration.objects.exclude(serial="").exists()
    began = time.monotonic()
    actions.import_registrations(reading=reading, take_good=True, by=by, at=at)
    written = time.monotonic() - began
    assert Registration.objects.filter(make="Loa Việt").count() == count - len(wrong)
    return reading, read, written


@pytest.mark.parametrize("encode", [str.encode, windows_1258])
def test_a_large_table_in_any_encoding_tells_its_wrong_rows(
    village: Unit, tung: Officer, now: datetime, encode: Callable[[str], bytes]
) -> None:
    wrong = {n * 100 for n in range(6)}

    reading, _read, _written = send_rows(
        village, tung, now, count=600, wrong=wrong, encode=encode
    )

    assert [problem.row for problem in reading.problems] == sorted(n + 2 for n in wrong)


@pytest.mark.server
def test_fifty_thousand_rows_with_three_hundred_errors_take_seconds(
    village: Unit, tung: Officer, now: datetime
) -> None:
    wrong = {n * 166 for n in range(300)}

    reading, read, written = send_rows(
        village, tung, now, count=50_000, wrong=wrong, encode=windows_1258
    )

    assert len(reading.problems) == 300
    # A busy machine is slow, not wrong.
    assert read < 20, f"read in {read:.1f} s, written in {written:.1f} s"
    assert written < 40, f"read in {read:.1f} s, written in {written:.1f} s"


def test_coverage_counts_villages_and_people_by_grade(
    enrol: Enrol,
    village: Unit,
    ia_grai: Unit,
    province: Unit,
    tung: Officer,
    now: datetime,
) -> None:
    far = make_unit("village", "L2", "Làng Mơ", ia_grai, population=360)
    make_unit("village", "L3", "Làng Xa", ia_grai, population=1000)
    near, covering = enrol(village).row, enrol(ia_grai).row
    covering.registration.villages.add(far)
    Health.objects.filter(pk=near.pk).update(measured_at=now)
    Health.objects.filter(pk=covering.pk).update(decoded_at=now)

    decoded = queries.count_coverage([province], now, beats.DECODED)
    measured = queries.count_coverage([ia_grai], now, beats.MEASURED)

    assert (decoded.audible, decoded.covered, decoded.villages) == (2, 2, 3)
    assert (decoded.reached, decoded.people) == (1000, 2000)
    assert (measured.audible, measured.covered, measured.reached) == (1, 1, 640)


def test_the_database_itself_refuses_half_a_pair_of_hours(
    enrol: Enrol, village: Unit
) -> None:
    device = enrol(village).row

    with pytest.raises(IntegrityError), transaction.atomic():
        Registration.objects.filter(pk=device.pk).update(hours_from="05:00")
    with pytest.raises(IntegrityError), transaction.atomic():
        Registration.objects.filter(pk=device.pk).update(power="wind")


# --- screens -----------------------------------------------------------------------


def test_the_paper_of_one_device_is_kept_by_its_technician(
    client: Client,
    enrol: Enrol,
    village: Unit,
    tung: Officer,
    lan: Officer,
    hoa: Officer,
) -> None:
    device = enrol(village).row
    client.defaults["HTTP_HOST"] = "127.0.0.1"
    address = f"/thiet-bi/{device.uid}/ho-so/"
    form: dict[str, Any] = {
        "make": "Hãng",
        "serial": "S1",
        "village": [str(village.pk)],
    }

    client.force_login(tung)
    assert client.get(address).status_code == 200
    wrong = client.post(address, form | {"price": "rẻ"})
    good = client.post(address, form | {"price": "1.500.000"})
    client.force_login(lan)
    seen, refused = client.get(address), client.post(address, form)
    client.force_login(hoa)

    assert wrong.status_code == 422
    assert "Giá (đồng)" in wrong.content.decode()
    assert good.status_code == 302
    assert (seen.status_code, refused.status_code) == (200, 403)
    assert client.get(address).status_code == 404
    paper = Registration.objects.get(pk=device.pk)
    assert (paper.serial, paper.price) == ("S1", 1_500_000)
    assert list(paper.villages.all()) == [village]


def test_a_table_is_sent_and_labels_are_printed(
    client: Client, enrol: Enrol, village: Unit, tung: Officer, lan: Officer
) -> None:
    device = enrol(village, name="Loa nhà rông").row
    label = Registration.objects.get(pk=device.pk).label
    client.defaults["HTTP_HOST"] = "127.0.0.1"
    client.force_login(tung)

    def send(text: str, **more: str) -> Any:
        file = SimpleUploadedFile("a.csv", text.encode())
        return client.post("/thiet-bi/ho-so/", {"file": file, **more})

    good = send(f"Mã nhãn,Hãng\n{label},Loa Việt\n")
    wrong = send(f"Mã nhãn,Hãng\n{label},A\nXXXXXX,B\n")
    taken = send(f"Mã nhãn,Hãng\n{label},A\nXXXXXX,B\n", take_good="1")

    assert (good.status_code, wrong.status_code, taken.status_code) == (200, 422, 200)
    assert "XXXXXX" in wrong.content.decode()
    assert Registration.objects.get(pk=device.pk).make == "A"
    assert send("no table").status_code == 422
    assert label in client.get("/thiet-bi/ho-so/tai-ve/").content.decode()
    xlsx = client.get("/thiet-bi/ho-so/tai-ve/?dang=xlsx").content
    assert openpyxl.load_workbook(BytesIO(xlsx)).active["C2"].value == "Loa nhà rông"
    page = client.get("/thiet-bi/nhan/").content.decode()
    assert label in page
    assert "qr-ink" in page
    client.force_login(lan)
    assert send(f"Mã nhãn,Hãng\n{label},B\n", take_good="1").status_code == 200
    assert Registration.objects.get(pk=device.pk).make == "A"

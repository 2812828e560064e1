"""A list of villages is imported whole, or every wrong row is named."""

from datetime import date, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nguon.audit.models import Record
from nguon.core.errors import InvalidError
from nguon.territory import actions, villages
from nguon.territory.models import Unit

HEAD = "Mã xã,Loại,Tên,Mã,Dân số,Từ ngày\n"
GOOD = HEAD + (
    "23764,Làng,Làng Jút,,640,01/07/2025\n"
    "23764,tổ dân phố,3,TDP3,1.210,2025-07-01\n"
    "\n"
    '23764,Buôn,"Ia Tô",,,01/07/2025\n'
)


def import_all(text: str, now: datetime, **more: bool) -> villages.Reading:
    return actions.import_villages(text=text, ground=["/"], by=None, at=now, **more)


def list_names() -> list[str]:
    units = Unit.objects.filter(kind="village").order_by("pk")
    return [unit.full_name for unit in units]


def test_good_rows_become_villages_with_dates_paths_and_codes(
    ia_grai: Unit, now: datetime
) -> None:
    import_all(GOOD, now)

    assert list_names() == ["Làng Jút", "Tổ dân phố 3", "Buôn Ia Tô"]
    jut, three, _ = Unit.objects.filter(kind="village").order_by("pk")
    assert jut.path == f"{ia_grai.path}{jut.pk}/"
    assert (jut.code, three.code) == ("23764-01", "TDP3")
    assert (jut.population, three.population) == (640, 1210)
    assert jut.valid_from == date(2025, 7, 1)
    assert Record.objects.get(action="territory.villages.imported").data["created"] == 3


def test_the_same_list_again_changes_nothing_and_a_newer_one_corrects(
    ia_grai: Unit, now: datetime
) -> None:
    import_all(GOOD, now)
    uids = set(Unit.objects.values_list("uid", flat=True))

    again = import_all(GOOD, now)
    newer = import_all(GOOD.replace("640", "655"), now)

    assert (again.fresh, again.changed) == ([], [])
    assert len(newer.changed) == 1
    assert set(Unit.objects.values_list("uid", flat=True)) == uids
    assert Unit.objects.get(folded="lang jut").population == 655


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("99999,Làng,A,,,01/07/2025", "không có xã nào"),
        ("23764,Ấp,A,,,01/07/2025", "loại phải là"),
        ("23764,Làng,,,,01/07/2025", "chưa có tên"),
        ("23764,Làng,A,mã sai,,01/07/2025", "mã chỉ gồm"),
        ("23764,Làng,A,,nhiều,01/07/2025", "không phải là số người"),
        ("23764,Làng,A,,-5,01/07/2025", "không phải là số người"),
        ("23764,Làng,A,,,31/02/2026", "không đọc được"),
        ("23764,Làng,A,,,01/01/2020", "chỉ có từ 01/07/2025"),
        ("23764,Làng,Jut,,,01/07/2025", "đã có ở dòng 2"),
        ("23764,Làng,B,TDP3,,01/07/2025", "đã dùng ở dòng 3"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_imported_unless_asked(
    ia_grai: Unit, now: datetime, row: str, words: str
) -> None:
    text = GOOD + row + "\n"

    with pytest.raises(actions.RowsWrongError) as refused:
        import_all(text, now)
    nothing = list_names()
    reading = import_all(text, now, keep_good=True)

    problem = refused.value.problems[0]
    assert problem.row == 6
    assert words in problem.words
    assert nothing == []
    assert len(list_names()) == len(reading.villages) == 3


def test_rows_of_foreign_ground_are_refused_and_own_ones_are_not(
    ia_grai: Unit, dak_doa: Unit
) -> None:
    text = GOOD + "23677,Làng,Bok,,,01/07/2025\n"

    mine = villages.read(text, ground=[ia_grai.path])
    all_of_it = villages.read(text, ground=["/"])

    assert ["không thuộc phần việc" in p.words for p in mine.problems] == [True]
    assert all_of_it.problems == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "territory.headings_missing"),
        (HEAD.encode(), "territory.no_rows"),
        (b"a,b\n1,2\n", "territory.headings_missing"),
        ("Mã xã,Tên\n".encode("cp1258", "replace"), "territory.file_encoding"),
        (b"\xff\xff\xff", "territory.file_encoding"),
        (b"x" * (villages.MAX_BYTES + 1), "territory.file_too_big"),
        (HEAD.encode() + b"1,2,3,4,5,6\n" * 5001, "territory.too_many_rows"),
    ],
)
def test_what_is_no_list_is_refused(db: None, content: bytes, code: str) -> None:
    with pytest.raises(InvalidError) as refused:
        villages.read(villages.decode(content), ground=["/"])

    assert refused.value.code == code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_spreadsheets_write_in_several_ways(
    ia_grai: Unit, encoding: str, delimiter: str
) -> None:
    content = GOOD.replace(",", delimiter).replace("\n", "\r\n").encode(encoding)

    reading = villages.read(villages.decode(content), ground=["/"])

    assert reading.problems == []
    assert [village.row for village in reading.villages] == [2, 3, 5]


@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(text=st.text(max_size=300))
def test_any_text_is_read_or_refused_never_a_crash(ia_grai: Unit, text: str) -> None:
    for body in (text, HEAD + text, GOOD + text):
        try:
            reading = villages.read(body, ground=["/"])
        except InvalidError:
            continue
        assert reading.villages or reading.problems


def test_the_command_names_the_rows_and_imports_the_rest_when_asked(
    ia_grai: Unit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "thon.csv"
    path.write_text(GOOD + "23764,Ấp,A,,,01/07/2025\n", encoding="utf-8-sig")

    with pytest.raises(CommandError):
        call_command("import_villages", str(path))
    refused = capsys.readouterr().err
    before = list_names()
    call_command("import_villages", str(path), "--keep-good")

    assert "Dòng 6: loại phải là" in refused
    assert before == []
    assert len(list_names()) == 3

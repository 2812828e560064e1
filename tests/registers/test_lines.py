"""A line is written, changed with its history, masked for others, and forgotten."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import DatabaseError
from hypothesis import given
from hypothesis import strategies as st

from nguon.audit.models import Record
from nguon.core.errors import (
    AbsentError,
    ConflictError,
    DomainError,
    InvalidError,
    RefusedError,
)
from nguon.newsroom.rules import LANGUAGES
from nguon.people.access import NoRightError
from nguon.people.models import Officer
from nguon.registers import access, actions, books, queries, rules
from nguon.registers.models import (
    Propagandist,
    RegisterChange,
    StaffMember,
    Station,
)
from nguon.territory.models import Unit
from tests.registers.conftest import PROPAGANDIST, STAFF, STATION

pytestmark = pytest.mark.django_db


# --- rules -------------------------------------------------------


@given(st.lists(st.text("ăâđêôơưáhlnt", min_size=2, max_size=9), min_size=2))
def test_a_masked_name_shows_no_word_but_the_last(words: list[str]) -> None:
    name = " ".join(words)

    masked = rules.mask_name(name).split(" ")

    assert masked[-1] == words[-1]
    assert all(len(one) == 2 for one in masked[:-1])
    assert rules.is_masked(rules.mask_name(name))


@given(st.sets(st.sampled_from(sorted(LANGUAGES))))
def test_languages_come_back_as_they_were_kept(codes: set[str]) -> None:
    kept = rules.pack(codes)

    assert books.read_cell(
        books.PROPAGANDISTS.columns[4], books.written("languages", kept)
    ) == (kept or "")
    assert len(rules.unpack(kept)) == len(codes)


@pytest.mark.parametrize(
    ("first", "after", "code"),
    [
        (date(1949, 1, 1), None, "registers.begins_wrong"),
        (date(2026, 11, 25), None, "registers.begins_wrong"),
        (date(2026, 1, 2), date(2026, 1, 2), "registers.ends_first"),
        (date(2026, 1, 2), date(2026, 1, 1), "registers.ends_first"),
    ],
)
def test_a_period_that_cannot_be_is_refused(
    first: date, after: date | None, code: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        rules.check_period(first, after, today=date(2026, 11, 24))

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("phone", "12", "điện thoại"),
        ("full_name", "", "chưa ghi"),
        ("full_name", "x" * 121, "120 ký tự"),
        ("from_date", "hôm qua", "không đọc được"),
        ("languages", "Tiếng Anh", "hãy chọn trong"),
        ("decision_number", " ", "chưa ghi"),
    ],
)
def test_a_cell_that_cannot_be_used_says_what_to_write(
    name: str, text: str, words: str
) -> None:
    told = {k: books.written(k, v) for k, v in PROPAGANDIST.items()} | {name: text}

    with pytest.raises(books.WrongCellError) as wrong:
        books.read_values(books.PROPAGANDISTS, told)

    assert words in str(wrong.value)


# --- writing -----------------------------------------------------


def test_a_line_is_changed_and_its_history_says_what_from_when(
    station: Station, lan: Officer, minh: Officer, now: datetime
) -> None:
    later = now + timedelta(days=1)
    values = {**STATION, "ended_on": date(2026, 11, 1)}

    actions.change_line(
        book=books.STATIONS, uid=station.uid, values=values, by=minh, at=later
    )
    actions.change_line(
        book=books.STATIONS, uid=station.uid, values=values, by=minh, at=later
    )

    changed, added = queries.list_changes(station)
    assert (added.kind, added.by, added.at) == (rules.ADDED, lan, now)
    assert ["Năm đưa vào dùng", "", "2014"] in added.told
    assert (changed.by, changed.at) == (minh, later)
    assert changed.told == [["Thôi dùng từ ngày", "", "01/11/2026"]]


def test_nothing_personal_is_in_the_history_nor_in_the_audit(
    loan: StaffMember, pot: Propagandist, lan: Officer, now: datetime
) -> None:
    new = {**PROPAGANDIST, "full_name": "Rơ Châm Pốt A", "phone": "+84911222333"}
    actions.change_line(
        book=books.PROPAGANDISTS, uid=pot.uid, values=new, by=lan, at=now
    )

    told = "\n".join(f"{row.told}" for row in RegisterChange.objects.all()) + "\n".join(
        f"{row.target} {row.data}" for row in Record.objects.all()
    )

    assert "Điện thoại" in told
    for secret in ("Loan", "Pốt", "905123456", "911222333", "Jrai", "15/QĐ"):
        assert secret not in told, secret


def test_the_same_person_from_the_same_day_is_written_once(
    loan: StaffMember, ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    with pytest.raises(ConflictError) as refused:
        actions.add_line(book=books.STAFF, unit=ia_grai, values=STAFF, by=lan, at=now)

    assert refused.value.code == "registers.twice"


@pytest.mark.parametrize("book", books.BOOKS.values(), ids=lambda book: book.code)
def test_a_unit_of_another_kind_is_refused(
    book: books.Book, province: Unit, village: Unit, admin: Officer, now: datetime
) -> None:
    values = {"dai": STATION, "nhan-luc": STAFF}.get(book.code, PROPAGANDIST)
    wrong = {"dai": province, "nhan-luc": village}.get(book.code, province)

    with pytest.raises(InvalidError) as refused:
        actions.add_line(book=book, unit=wrong, values=values, by=admin, at=now)

    assert refused.value.code == "registers.unit_kind"


def test_only_authors_and_approvers_of_the_ground_write(
    ia_grai: Unit,
    station: Station,
    minh: Officer,
    hoa: Officer,
    tung: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    def add(by: Officer) -> None:
        values = {**STATION, "name": f"Đài của {by.username}"}
        actions.add_line(
            book=books.STATIONS, unit=ia_grai, values=values, by=by, at=now
        )

    def change(by: Officer) -> None:
        actions.change_line(
            book=books.STATIONS,
            uid=station.uid,
            values={"notes": f"của {by.username}"},
            by=by,
            at=now,
        )

    for officer in (minh, quan):
        add(officer)
        change(officer)
    for write in (add, change):
        with pytest.raises(AbsentError):
            write(hoa)
        with pytest.raises(NoRightError):
            write(tung)


# --- personal data -----------------------------------------------


def test_a_person_is_masked_outside_the_own_unit_and_absent_elsewhere(
    pot: Propagandist, lan: Officer, quan: Officer, hoa: Officer, now: datetime
) -> None:
    def told(officer: Officer) -> list[str]:
        reader = access.reader_of(officer, at=now)
        line = access.access_line(books.PROPAGANDISTS, reader, pot.uid)
        return books.row_of(books.PROPAGANDISTS, line, is_own=reader.is_own(line))

    own, above = told(lan), told(quan)

    assert "Rơ Châm Pốt" in own
    assert "0987654321" in own
    assert "Tiếng Việt; Tiếng Jrai" in own
    assert "R• C• Pốt" in above
    assert not {"0987654321", "Rơ Châm Pốt", "15/QĐ-UBND"} & set(above)
    assert "Tiếng" not in " ".join(above)
    # What is counted and where is no secret of the office above.
    assert "02/03/2026" in above
    with pytest.raises(AbsentError):
        told(hoa)


def test_a_search_above_does_not_tell_what_is_masked(
    pot: Propagandist, lan: Officer, quan: Officer, now: datetime
) -> None:
    def count(officer: Officer, **asked: str) -> int:
        reader = access.reader_of(officer, at=now)
        return queries.list_lines(books.PROPAGANDISTS, reader, asked).count()

    for asked in ({"tim": "cham pot"}, {"tieng": "jra"}):
        assert count(lan, **asked) == 1
        assert count(quan, **asked) == 0
    assert count(quan, tim="jut") == count(lan, tim="jut") == 1


def test_whoever_stands_above_ends_a_post_but_changes_nothing_personal(
    loan: StaffMember, quan: Officer, now: datetime
) -> None:
    def change(**values: Any) -> None:
        actions.change_line(
            book=books.STAFF, uid=loan.uid, values=values, by=quan, at=now
        )

    change(to_date=date(2026, 11, 1))
    with pytest.raises(RefusedError) as refused:
        change(phone="+84911222333")

    loan.refresh_from_db()
    assert refused.value.code == "registers.not_your_person"
    assert (loan.to_date, loan.phone) == (date(2026, 11, 1), "+84905123456")


@pytest.mark.parametrize("who", ["loan", "pot"])
def test_a_person_is_forgotten_on_request_and_still_counted(
    who: str, request: pytest.FixtureRequest, lan: Officer, now: datetime
) -> None:
    line = request.getfixturevalue(who)
    book = books.of(line)
    what = "staff" if who == "loan" else "propagandists"
    before = queries.count_on(what, now.date())

    actions.forget_person(book=book, uid=line.uid, by=lan, at=now)

    line.refresh_from_db()
    assert not any(getattr(line, name, "") for name in rules.PERSONAL)
    assert line.folded == ""
    assert (line.forgotten_by, line.forgotten_at) == (lan, now)
    assert queries.count_on(what, now.date()) == before == {line.unit_id: 1}
    for again in (
        lambda: actions.forget_person(book=book, uid=line.uid, by=lan, at=now),
        lambda: actions.change_line(
            book=book, uid=line.uid, values={"full_name": "Siu"}, by=lan, at=now
        ),
    ):
        with pytest.raises(ConflictError) as refused:
            again()
        assert refused.value.code == "registers.forgotten"


def test_a_station_is_no_person_to_forget(
    station: Station, lan: Officer, now: datetime
) -> None:
    with pytest.raises(InvalidError) as refused:
        actions.forget_person(book=books.STATIONS, uid=station.uid, by=lan, at=now)

    assert refused.value.code == "registers.not_a_person"


# --- the database ------------------------------------------------


@pytest.mark.parametrize(
    ("who", "values"),
    [
        ("loan", {"to_date": date(2025, 7, 1)}),
        ("loan", {"full_name": ""}),
        ("loan", {"post": ""}),
        ("pot", {"decision_number": ""}),
        ("station", {"kind": "tv"}),
        ("station", {"source": "me"}),
        ("station", {"year": 1900}),
    ],
)
def test_the_database_refuses_what_cannot_be(
    who: str, values: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    line = request.getfixturevalue(who)

    with pytest.raises(IntegrityError), transaction.atomic():
        type(line).objects.filter(pk=line.pk).update(**values)


def test_the_database_keeps_lines_histories_and_villages(
    station: Station,
    loan: StaffMember,
    pot: Propagandist,
    ia_grai: Unit,
    lan: Officer,
    now: datetime,
) -> None:
    actions.forget_person(book=books.STAFF, uid=loan.uid, by=lan, at=now)

    for statement in (
        "DELETE FROM registers_station",
        "DELETE FROM registers_staffmember",
        "DELETE FROM registers_propagandist",
        "DELETE FROM registers_registerchange",
        "UPDATE registers_registerchange SET kind = 'changed'",
        f"UPDATE registers_propagandist SET unit_id = {ia_grai.pk}",
        "UPDATE registers_staffmember SET forgotten_at = NULL,"
        " forgotten_by_id = NULL, full_name = 'Siu', folded = 'siu'",
    ):
        with (
            pytest.raises(DatabaseError, match="registers"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


# --- counts ------------------------------------------------------


def test_a_count_of_any_day_is_of_who_was_there_on_it(
    loan: StaffMember, station: Station, lan: Officer, now: datetime
) -> None:
    actions.change_line(
        book=books.STAFF,
        uid=loan.uid,
        values={"to_date": date(2026, 11, 1)},
        by=lan,
        at=now,
    )
    unit = loan.unit_id

    assert queries.count_on("staff", date(2025, 6, 30)) == {}
    assert queries.count_on("staff", date(2025, 7, 1)) == {unit: 1}
    assert queries.count_on("staff", date(2026, 10, 31)) == {unit: 1}
    assert queries.count_on("staff", date(2026, 11, 1)) == {}
    assert queries.count_on("staff_told", date(2026, 11, 1)) == {unit: 1}
    assert queries.count_on("other_stations", date(2013, 12, 31)) == {}
    assert queries.count_on("other_stations", date(2026, 1, 1)) == {unit: 1}


def test_a_station_by_it_telecom_is_told_but_no_other_station(
    ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    values = {**STATION, "kind": "it"}
    actions.add_line(book=books.STATIONS, unit=ia_grai, values=values, by=lan, at=now)

    assert queries.count_on("other_stations", now.date()) == {}
    assert queries.count_on("stations_told", now.date()) == {ia_grai.pk: 1}


def test_an_unknown_register_or_line_is_absent(lan: Officer, now: datetime) -> None:
    reader = access.reader_of(lan, at=now)
    for ask in (
        lambda: books.find("khac"),
        lambda: access.access_line(books.STAFF, reader, "khong-co"),
        lambda: access.access_person(reader, "khong-co"),
        lambda: access.access_training(reader, "khong-co"),
    ):
        with pytest.raises(DomainError) as absent:
            ask()
        assert isinstance(absent.value, AbsentError)


def test_two_who_change_one_line_at_once_do_not_overwrite_each_other(
    loan: StaffMember, lan: Officer, minh: Officer, now: datetime
) -> None:
    def change(by: Officer, seen: int, **values: Any) -> None:
        actions.change_line(
            book=books.STAFF, uid=loan.uid, values=values, seen=seen, by=by, at=now
        )

    seen = queries.count_changes(loan)
    change(lan, seen, post="Trưởng đài")
    with pytest.raises(ConflictError) as refused:
        change(minh, seen, post="Phó đài")

    loan.refresh_from_db()
    assert refused.value.code == "registers.changed_meanwhile"
    assert (loan.post, loan.folded_post) == ("Trưởng đài", "truong dai")
    change(minh, queries.count_changes(loan), post="Phó đài")
    reader = access.reader_of(lan, at=now)
    assert queries.list_lines(books.STAFF, reader, {"tim": "pho dai"}).count() == 1
    assert not queries.list_lines(books.STAFF, reader, {"tim": "truong"}).exists()

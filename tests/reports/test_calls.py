"""A sender's own form is filled from our figures; nothing acts, nothing is lost."""

import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from io import BytesIO

import docx
import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from docx.shared import RGBColor
from openpyxl.styles import Font

from nguon.audit.models import Record
from nguon.core.errors import AbsentError
from nguon.indicators.models import FactDay
from nguon.people.access import NoRightError
from nguon.people.models import Notice, Officer
from nguon.reports import actions, calls, rules
from nguon.reports.actions import Target
from nguon.reports.foreign import places, sheets, word
from nguon.reports.foreign.packages import open_package
from nguon.reports.models import Call, Mapping, Submission
from nguon.territory.models import Unit
from tests.reports.conftest import OCTOBER, accept, fill, refusal, send

pytestmark = pytest.mark.django_db
BOARDS = Target(rules.FIGURE, key="large_boards")
ATTACK = "=cmd|' /C calc'!A0"
DUE = date(2026, 11, 30)
HEAD = "xl/worksheets/sheet1.xml"

Open = Callable[..., Call]


def letter(*lines: str) -> bytes:
    """Return a form of Word with a paragraph a line."""
    document = docx.Document()
    for one in lines:
        document.add_paragraph(one)
    return saved(document)


def saved(document: object) -> bytes:
    out = BytesIO()
    document.save(out)  # type: ignore[attr-defined]
    return out.getvalue()


def book() -> bytes:
    """Return a form of Excel: two placeholders, empty cells, a sum, percents."""
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.title = "Biểu 1"
    sheet["A1"] = "Đơn vị: {{đơn vị}}"
    sheet["B2"] = "{{số bảng}}"
    sheet["B2"].font = Font(bold=True, name="Times New Roman")
    sheet["B4"] = "=SUM(B2:B3)"
    sheet["C2"] = "{{tỷ lệ}}"
    sheet["C2"].number_format = "0.0%"
    sheet.merge_cells("D1:E1")
    return saved(made)


def repacked(data: bytes, **added: bytes) -> bytes:
    """Return a package with parts added or exchanged, by their names."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            if name not in added:
                new.writestr(name, old.read(name))
        for name, content in added.items():
            new.writestr(name, content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def part(data: bytes, name: str) -> bytes:
    with zipfile.ZipFile(BytesIO(data)) as packed:
        return packed.read(name)


@pytest.fixture
def open_one(ia_grai: Unit, lan: Officer, now: datetime) -> Open:
    """Return the taking in of a call, with parts of it changed."""

    def do(file: bytes, **changed: object) -> Call:
        told = {
            "unit": ia_grai,
            "title": "Số liệu truyền thanh",
            "sender": "Sở Văn hóa, Thể thao và Du lịch",
            "days": OCTOBER,
            "due_date": DUE,
            "by": lan,
            "at": now,
        }
        return actions.open_call(file=file, **told | changed)

    return do


def map_to(
    call: Call, place: str, target: Target, by: Officer, at: datetime
) -> Mapping:
    return actions.map_place(
        call_id=call.pk, place=place, target=target, unit=call.unit, by=by, at=at
    )


def filled(call: Call, at: datetime) -> bytes:
    package = calls.package_of(call)
    return calls.fill(package, calls.list_places(call, package, at=at))


@pytest.fixture
def reported(row: Submission, minh: Officer, quan: Officer, now: datetime) -> None:
    """Let Lan's commune have reported 8 boards and 6 of 8 villages."""
    fill(row, minh, now, f1=8, f2=(6, 8), f4=ATTACK)
    send(row, minh, now)
    accept(row, quan, now)


# --- Word ---------------------------------------------------------------------------


def test_a_placeholder_cut_into_runs_is_filled_in_its_own_face() -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("Có ")
    first = paragraph.add_run("{{số ")
    first.bold, first.font.color.rgb = True, RGBColor(0xC0, 0, 0)
    paragraph.add_run("bảng").italic = True
    paragraph.add_run("}")
    paragraph.add_run("} bảng tin, {{số bảng}} bảng.")
    table = document.add_table(rows=1, cols=1)
    table.cell(0, 0).text = "{{ số   bảng }}"
    document.sections[0].header.paragraphs[0].text = "{{nơi gửi}}"
    package = open_package(saved(document))

    names = word.find_places(package)
    out = docx.Document(BytesIO(word.fill(package, {"số bảng": "8"})))

    assert names == ["số bảng", "nơi gửi"]
    text = out.paragraphs[0]
    assert text.text == "Có 8 bảng tin, 8 bảng."
    assert text.runs[1].text == "8"
    assert text.runs[1].bold
    assert text.runs[1].font.color.rgb == RGBColor(0xC0, 0, 0)
    assert out.tables[0].cell(0, 0).text == "8"
    assert out.sections[0].header.paragraphs[0].text == places.BLANK


def test_every_other_part_stays_byte_for_byte() -> None:
    data = letter("{{a}}")

    out = word.fill(open_package(data), {"a": "{{b}} & <w:p/>"})

    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(BytesIO(out)) as new:
        assert old.namelist() == new.namelist()
        for name in old.namelist():
            if name != "word/document.xml":
                assert old.read(name) == new.read(name), name
    # What was filled in is text, and no placeholder again.
    assert docx.Document(BytesIO(out)).paragraphs[0].text == "{{b}} & <w:p/>"
    assert word.fill(open_package(data), {}) == word.fill(open_package(data), {})


# --- Excel --------------------------------------------------------------------------


def test_a_workbook_is_filled_in_its_own_style_and_its_sums_stay() -> None:
    package = open_package(book())
    values = {
        "đơn vị": ATTACK,
        "số bảng": Decimal(8),
        "tỷ lệ": places.Share(Decimal(75)),
        "Biểu 1!B3": Decimal("4.5"),
        "Biểu 1!A9": ATTACK,
    }

    out = sheets.fill(package, values)

    sheet = openpyxl.load_workbook(BytesIO(out))["Biểu 1"]
    assert sheet["A1"].value == f"Đơn vị: {ATTACK}"
    assert (sheet["A9"].value, sheet["A9"].data_type) == (ATTACK, "s")
    assert (sheet["B2"].value, sheet["B3"].value) == (8, 4.5)
    assert sheet["B2"].font.bold
    assert sheet["B2"].font.name == "Times New Roman"
    assert sheet["C2"].value == 0.75
    assert sheet["B4"].value == "=SUM(B2:B3)"
    assert b'fullCalcOnLoad="1"' in part(out, "xl/workbook.xml")
    assert b"<f>" not in part(out, HEAD).replace(b"<f>SUM(B2:B3)</f>", b"")
    rows = [cell.coordinate for row in sheet.iter_rows() for cell in row if cell.value]
    assert rows == ["A1", "B2", "C2", "B3", "B4", "A9"]


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("Biểu 1!B4", "reports.cell_formula"),
        ("Biểu 1!E1", "reports.cell_merged"),
        ("Biểu 2!B2", "reports.cell_absent"),
        ("B2", "reports.cell_absent"),
    ],
)
def test_a_cell_that_cannot_be_written_is_refused(place: str, code: str) -> None:
    with refusal(code):
        sheets.check_cell(open_package(book()), place)


# --- what a file may not be ---------------------------------------------------------

RELATION = (
    b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
    b'relationships"><Relationship Id="r1" Type="http://x/%s" Target="%s"'
    b' TargetMode="External"/></Relationships>'
)
DOCUMENT = (
    b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/'
    b'main"><w:body><w:p>%s</w:p></w:body></w:document>'
)
FIELD = b"<w:r><w:instrText>%s</w:instrText></w:r>"
LINKS = "word/_rels/document.xml.rels"
BODY = "word/document.xml"


@pytest.mark.parametrize(
    ("added", "code"),
    [
        ({"word/vbaProject.bin": b"x"}, "reports.call_active"),
        ({"word/embeddings/oleObject1.bin": b"x"}, "reports.call_active"),
        ({"xl/externalLinks/externalLink1.xml": b"<a/>"}, "reports.call_active"),
        ({LINKS: RELATION % (b"image", b"http://x/a.png")}, "reports.call_external"),
        (
            {LINKS: RELATION % (b"attachedTemplate", b"file://x/a.dotm")},
            "reports.call_external",
        ),
        (
            {LINKS: RELATION % (b"hyperlink", b"file://x/a.exe")},
            "reports.call_external",
        ),
        (
            {BODY: DOCUMENT % (FIELD % b"DDE" + FIELD % b"AUTO c:\\cmd")},
            "reports.call_active",
        ),
        ({BODY: DOCUMENT % (FIELD % b"INCLUDETEXT x")}, "reports.call_active"),
        (
            {"word/x.xml": b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"},
            "reports.call_bomb",
        ),
        ({"word/x.xml": b"<a>" + b" " * 9_000_000 + b"</a>"}, "reports.call_bomb"),
        ({"word/x.xml": b"<a>"}, "reports.call_broken"),
    ],
)
def test_a_form_that_acts_reaches_out_or_swells_is_refused(
    open_one: Open, added: dict[str, bytes], code: str
) -> None:
    with refusal(code):
        open_one(repacked(letter("{{a}}"), **added))
    assert not Call.objects.exists()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "reports.call_file"),
        (b"%PDF-1.7", "reports.call_file"),
        (b"PK\x03\x04 cut off", "reports.call_broken"),
        (b"PK" + b"0" * 4 * 1024**2, "reports.call_big"),
    ],
)
def test_what_is_no_form_is_refused(data: bytes, code: str) -> None:
    with refusal(code):
        open_package(data)


def test_a_formula_that_runs_something_is_refused_a_sum_is_not() -> None:
    open_package(book())
    for formula in ("cmd|' /C calc'!A0", 'WEBSERVICE("http://x")'):
        sheet = part(book(), HEAD).replace(b"SUM(B2:B3)", formula.encode())
        with refusal("reports.call_active"):
            open_package(repacked(book(), **{HEAD: sheet}))


def test_a_link_that_a_person_clicks_is_kept() -> None:
    link = RELATION % (b"hyperlink", b"https://gialai.gov.vn")

    assert open_package(repacked(letter("a"), **{LINKS: link})).kind == "docx"


# --- calls --------------------------------------------------------------------------


def test_places_hold_figures_reports_and_words_and_say_what_is_missing(
    reported: None, row: Submission, open_one: Open, lan: Officer, now: datetime
) -> None:
    call = open_one(letter("{{a}} {{b}} {{c}} {{d}} {{e}} {{f}} {{g}} {{h}}"))
    below = Target(rules.FIGURE, key="large_boards", part=rules.BELOW)
    map_to(call, "h", below, lan, now)
    fields = {one.number: one for one in row.period.form.fields.all()}
    map_to(call, "a", BOARDS, lan, now)
    map_to(call, "b", Target(rules.FIELD, field=fields[2]), lan, now)
    map_to(call, "c", Target(rules.FIELD, field=fields[2], part=rules.BELOW), lan, now)
    map_to(call, "d", Target(rules.FIELD, field=fields[4]), lan, now)
    map_to(call, "e", Target(rules.KNOWN_WHAT, key="unit"), lan, now)
    map_to(call, "f", Target(rules.FIGURE, key="large_boards", span="before"), lan, now)

    told = calls.list_places(call, calls.package_of(call), at=now)
    out = docx.Document(BytesIO(filled(call, now)))

    said = {one.name: one.said or one.missing for one in told}
    sources = {one.name: one.source for one in told}
    assert sources["a"].startswith("Xã Ia Grai, chỉ tiêu: Bảng tin điện tử cỡ lớn")
    assert sources["e"] == "Xã Ia Grai, thông tin chung: Tên đơn vị"
    assert not any(one.note for one in told)
    assert said["a"] == "8"
    assert said["b"] == "75 %"
    assert said["c"] == "8"
    assert said["e"] == "Xã Ia Grai"
    assert said["g"] == "chưa nối với số liệu"
    assert said["h"] == "số đếm không có mẫu số"
    text = out.paragraphs[0].text
    assert text.startswith(f"8 75 8 {ATTACK} Xã Ia Grai {places.BLANK}")
    assert text.count(places.BLANK) == 3


def test_a_counted_figure_of_an_unfinished_month_says_how_many_days_it_knows(
    client: Client, open_one: Open, lan: Officer, now: datetime
) -> None:
    call = open_one(letter("{{a}}"))
    map_to(call, "a", Target(rules.FIGURE, key="bulletins"), lan, now)
    for n in range(25):
        day = call.first_date + timedelta(n)
        FactDay.objects.create(day=day, counted_at=now)
    client.force_login(lan)

    (told,) = calls.list_places(call, calls.package_of(call), at=now)
    shown = client.get(reverse("reports:call", args=[call.uid])).content.decode()

    assert told.said == "0"
    assert told.note == "mới đếm 25/31 ngày"
    assert shown.count("mới đếm 25/31 ngày") == 2
    assert "chỉ tiêu: Bản tin đã phát hành" in shown


def test_what_was_mapped_is_remembered_for_the_file_and_for_the_sender(
    open_one: Open, lan: Officer, now: datetime
) -> None:
    file = book()  # a second later it would be another one
    first = open_one(file)
    map_to(first, "số bảng", BOARDS, lan, now)
    map_to(first, "Biểu 1!B3", BOARDS, lan, now)
    other_book = repacked(file, **{"docProps/x.xml": b"<a/>"})

    same = open_one(file, sender="Nơi khác")
    next_one = open_one(other_book, sender="sở văn hóa, thể thao và du lịch")
    stranger = open_one(other_book, sender="Cục Thống kê")

    def mapped(call: Call) -> set[str]:
        return set(call.mappings.values_list("place", flat=True))

    assert mapped(same) == {"số bảng", "Biểu 1!B3"}
    # Another file: a cell may mean anything there.
    assert mapped(next_one) == {"số bảng"}
    assert mapped(stranger) == {"số bảng"}  # the same file as the one before
    assert mapped(open_one(repacked(file, a=b"x"), sender="Ai đó")) == set()


def test_what_cannot_be_mapped_is_refused(
    open_one: Open, dak_doa: Unit, lan: Officer, now: datetime
) -> None:
    call = open_one(book())
    for place, target, code in (
        ("không có", BOARDS, "reports.place_absent"),
        ("Biểu 1!B4", BOARDS, "reports.cell_formula"),
        ("số bảng", Target("gì đó"), "reports.target"),
        ("số bảng", Target(rules.FIGURE, key="=cmd"), "indicators.unknown"),
        ("số bảng", Target(rules.FIGURE, key="staff", span="x"), "reports.target"),
        ("số bảng", Target(rules.WORDS), "plan.text_missing"),
    ):
        with refusal(code):
            map_to(call, place, target, lan, now)
    with refusal("reports.target_unit"):
        actions.map_place(
            call_id=call.pk,
            place="số bảng",
            target=BOARDS,
            unit=dak_doa,
            by=lan,
            at=now,
        )
    with refusal("reports.call_due"):
        open_one(book(), due_date=now.date() - timedelta(days=1))


def test_what_was_given_back_stays_here_and_in_the_database(
    open_one: Open, lan: Officer, minh: Officer, now: datetime
) -> None:
    call = open_one(letter("{{a}}"))
    map_to(call, "a", Target(rules.WORDS, words="tám"), lan, now)
    with pytest.raises(NoRightError):
        actions.answer_call(call_id=call.pk, by=lan, at=now)

    actions.answer_call(call_id=call.pk, by=minh, at=now)

    with refusal("reports.call_answered"):
        map_to(call, "a", Target(rules.WORDS, words="chín"), lan, now)
    with refusal("reports.call_answered"):
        actions.answer_call(call_id=call.pk, by=minh, at=now)
    for change in (
        lambda: call.mappings.update(words="chín"),
        lambda: call.mappings.all().delete(),
        lambda: Call.objects.update(answer=None, answered_by=None, answered_at=None),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_a_place_holds_exactly_one_thing_in_the_database(
    open_one: Open, lan: Officer, now: datetime
) -> None:
    call = open_one(letter("{{a}}"))
    facts = {"unit": call.unit, "mapped_by": lan, "mapped_at": now}

    for wrong in (
        {"what": rules.FIGURE},
        {"what": rules.WORDS, "words": "a", "key": "b"},
        {"what": rules.FIELD},
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            call.mappings.create(
                place="a", span=rules.SAME, part=rules.VALUE, **facts | wrong
            )


def test_who_has_not_answered_is_reminded_and_not_twice(
    open_one: Open, lan: Officer, now: datetime
) -> None:
    open_one(letter("{{a}}"), due_date=now.date())

    first, second = actions.remind_calls(at=now), actions.remind_calls(at=now)
    late = actions.remind_calls(at=now + timedelta(days=1))

    assert (first, second, late) == (1, 0, 1)
    subjects = Notice.objects.filter(officer=lan).values_list("subject", flat=True)
    assert any("quá hạn 1 ngày" in one for one in subjects)


def test_a_call_taken_by_mistake_is_removed_while_nobody_answered_it(
    open_one: Open, lan: Officer, minh: Officer, hoa: Officer, now: datetime
) -> None:
    call = open_one(letter("{{a}}"), due_date=now.date())
    map_to(call, "a", Target(rules.WORDS, words="tám"), lan, now)
    actions.remind_calls(at=now)
    with pytest.raises(AbsentError):
        actions.remove_call(call_id=call.pk, by=hoa, at=now)
    with refusal("reports.call_open"):
        actions.withdraw_call(call_id=call.pk, reason="Nhầm", by=minh, at=now)

    actions.remove_call(call_id=call.pk, by=lan, at=now)

    assert not Call.objects.exists()
    assert not Mapping.objects.exists()
    assert actions.remind_calls(at=now + timedelta(days=1)) == 0
    assert Record.objects.get(action="reports.call.removed").data["title"]
    told = Notice.objects.filter(subject__contains="không phải trả lời")
    assert [notice.officer for notice in told] == [minh]


def test_an_answered_call_is_withdrawn_with_a_reason_and_never_deleted(
    open_one: Open, lan: Officer, minh: Officer, now: datetime
) -> None:
    call = open_one(letter("{{a}}"))
    actions.answer_call(call_id=call.pk, is_sure=True, by=minh, at=now)
    with refusal("reports.call_answered"):
        actions.remove_call(call_id=call.pk, by=minh, at=now)
    told = {"call_id": call.pk, "at": now}
    with pytest.raises(NoRightError):
        actions.withdraw_call(**told, reason="Nhầm", by=lan)
    with refusal("plan.text_missing"):
        actions.withdraw_call(**told, reason=" ", by=minh)

    actions.withdraw_call(**told, reason="Trả lời nhầm nơi", by=minh)

    with refusal("reports.call_withdrawn"):
        actions.withdraw_call(**told, reason="Nữa", by=minh)
    assert Notice.objects.get(officer=lan).body.endswith("Lý do: Trả lời nhầm nơi")
    for asked, count in (("answered", 0), ("open", 0), ("withdrawn", 1)):
        assert calls.list_calls(lan, {"tinh_trang": asked}, at=now).count() == count
    for change in (
        lambda: Call.objects.update(reason="Khác"),
        lambda: Call.objects.update(withdrawn_by=None, withdrawn_at=None, reason=""),
        lambda: call.mappings.create(place="a"),
        lambda: Call.objects.all()._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_the_database_withdraws_only_with_a_reason_and_only_what_was_answered(
    open_one: Open, minh: Officer, now: datetime
) -> None:
    call = open_one(letter("{{a}}"))
    with pytest.raises(DatabaseError), transaction.atomic():
        Call.objects.update(withdrawn_by=minh, withdrawn_at=now, reason="Nhầm")
    actions.answer_call(call_id=call.pk, is_sure=True, by=minh, at=now)
    for more in ({"reason": ""}, {"reason": "Nhầm", "title": "Khác"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Call.objects.update(withdrawn_by=minh, withdrawn_at=now, **more)


def test_a_call_is_removed_and_withdrawn_on_its_page(
    client: Client, open_one: Open, lan: Officer, minh: Officer, hoa: Officer
) -> None:
    wrong, answered = open_one(letter("{{a}}")), open_one(letter("{{b}}"))

    def post(call: Call, name: str, **sent: str) -> HttpResponse:
        return client.post(reverse(f"reports:{name}", args=[call.uid]), sent)

    client.force_login(hoa)
    for name in ("remove_call", "withdraw_call"):
        assert post(answered, name).status_code == HTTPStatus.NOT_FOUND
    client.force_login(minh)
    post(answered, "answer_call", sure="1")
    empty = post(answered, "withdraw_call", reason=" ")
    post(answered, "withdraw_call", reason="Gửi nhầm nơi")
    client.force_login(lan)
    page = client.get(reverse("reports:call", args=[answered.uid])).content.decode()
    post(wrong, "remove_call")

    assert empty.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Lý do: Gửi nhầm nơi" in page
    assert "Rút lại yêu cầu" not in page
    assert list(Call.objects.all()) == [answered]
    assert "Gửi nhầm nơi" in client.get(reverse("reports:calls_file")).content.decode()


def test_a_call_is_taken_mapped_filled_and_answered_on_pages(
    client: Client,
    reported: None,
    lan: Officer,
    minh: Officer,
    hoa: Officer,
    ia_grai: Unit,
) -> None:
    client.force_login(lan)
    empty = client.get(reverse("reports:calls")).content.decode()
    new = reverse("reports:create_call")
    told = {
        "title": "Số liệu tháng 10", "sender": "Sở Văn hóa", "unit": ia_grai.uid,
        "first_date": "01/10/2026", "last_date": "31/10/2026", "due_date": "31/12/2070",
    }  # fmt: skip
    bare = client.post(new, told)
    client.post(new, {**told, "file": SimpleUploadedFile("mau.xlsx", book())})
    call = Call.objects.get()
    page, place = (
        reverse(f"reports:{name}", args=[call.uid]) for name in ("call", "place")
    )
    shown = client.get(page).content.decode()
    chosen = client.get(place, {"trang": "Biểu 1", "o": " b3 "}).content.decode()
    for name in ("số bảng", "Biểu 1!B3"):
        client.post(
            place,
            {
                "cho": name, "target": "figure:large_boards", "unit": ia_grai.uid,
                "span": "same", "part": "value",
            },
        )  # fmt: skip
    wrong = client.post(place, {"cho": "số bảng", "target": "", "unit": ia_grai.uid})
    file = client.get(reverse("reports:call_file", args=[call.uid, "tra-loi"]))
    refused = client.post(reverse("reports:answer_call", args=[call.uid]))
    client.force_login(minh)
    answer = reverse("reports:answer_call", args=[call.uid])
    unsure = client.post(answer)
    client.post(answer, {"sure": "1"})

    assert "Còn 2 chỗ trống" in unsure.content.decode()
    assert "Chưa có yêu cầu báo cáo nào" in empty
    assert bare.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "chưa nối với số liệu" in shown
    assert "3 chỗ còn trống" in shown
    assert "Biểu 1!B3" in chosen
    assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    sheet = openpyxl.load_workbook(BytesIO(file.content))["Biểu 1"]
    assert (sheet["B2"].value, sheet["B3"].value) == (8, 8)
    assert sheet["C2"].value == places.BLANK
    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert "Đã trả lời" in client.get(page).content.decode()
    csv = client.get(reverse("reports:calls_file"), {"tinh_trang": "answered"})
    assert "Số liệu tháng 10" in csv.content.decode()
    client.force_login(hoa)
    assert "Số liệu" not in client.get(reverse("reports:calls")).content.decode()
    for address in (
        page, place, reverse("reports:call_file", args=[call.uid, "mau"]),
    ):  # fmt: skip
        assert client.get(address).status_code == HTTPStatus.NOT_FOUND

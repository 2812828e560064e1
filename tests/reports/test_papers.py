"""A report leaves as PDF and DOCX in the form of decree 30/2020, and as a workbook."""

import re
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from io import BytesIO

import docx
import openpyxl
import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from nguon.people.models import Officer
from nguon.reports import paper_docx, paper_pdf, papers, queries, workbook
from nguon.reports.models import Submission
from nguon.reports.papers import Paper
from tests.reports.conftest import accept, fill, send

pytestmark = pytest.mark.django_db
MM = 72 / 25.4
KINDS = ("pdf", "docx")
ATTACK = "=cmd|' /C calc'!A0"


@pytest.fixture
def accepted(
    row: Submission, minh: Officer, quan: Officer, now: datetime
) -> Submission:
    fill(row, minh, now, f1=8, f2=(6, 8), f4=ATTACK)
    send(row, minh, now)
    return accept(row, quan, now)


def paper_of(row: Submission) -> Paper:
    return papers.describe(row, queries.list_lines(row))


def text_of(content: bytes) -> str:
    pages = PdfReader(BytesIO(content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_a_paper_says_what_was_sent_and_no_0_that_nobody_counted(
    accepted: Submission,
) -> None:
    paper = paper_of(accepted)

    assert paper.title == "Thông tin cơ sở tháng 10 năm 2026"
    assert [row[2] for row in paper.rows] == ["8 bảng", "75 %", "chưa đếm được"]
    assert paper.rows[1][3] == "6/8"
    assert paper.recipients == ["Tỉnh Gia Lai (báo cáo);", "Lưu: VT."]
    assert "Trần Văn Minh" in paper.opening[1]


def test_the_pdf_has_the_parts_of_the_decree_within_its_margins(
    accepted: Submission,
) -> None:
    content = paper_pdf.write(paper_of(accepted))

    text = text_of(content)
    for part in (
        papers.NATION, papers.MOTTO, "XÃ IA GRAI", "BÁO CÁO", "Nơi nhận:",
        papers.SIGNED, "75 %",
    ):  # fmt: skip
        assert part in text
    assert papers.NOT_YET not in text
    page = PdfReader(BytesIO(content)).pages[0]
    assert round(page.mediabox.width / MM) == 210
    assert round(page.mediabox.height / MM) == 297
    lefts: list[float] = []

    def note(words: str, cm: list[float], tm: list[float], *_more: object) -> None:
        if words.strip():
            lefts.append(cm[4] + tm[4])

    page.extract_text(visitor_text=note)
    assert min(lefts) >= 30 * MM - 0.1
    assert paper_pdf.write(paper_of(accepted)) == content


def test_what_is_not_accepted_says_that_it_is_a_draft(row: Submission) -> None:
    assert papers.NOT_YET in text_of(paper_pdf.write(paper_of(row)))


def test_a_long_pdf_numbers_its_pages_from_the_second_on() -> None:
    rows = [(str(n), "Mục", "1", "") for n in range(90)]
    paper = Paper("Xã Ia Grai", "Ia Grai", "Dài", ["Mở đầu."], rows, [], [], False)

    pages = PdfReader(BytesIO(paper_pdf.write(paper))).pages

    numbers = [re.findall(r"^(\d+)$", page.extract_text(), re.M) for page in pages]
    assert len(pages) > 2
    assert all(str(n) in found for n, found in enumerate(numbers[1:], 2))
    assert all("Nội dung" in page.extract_text() for page in pages)


def test_the_docx_has_margins_face_and_parts_of_the_decree(
    accepted: Submission,
) -> None:
    document = docx.Document(BytesIO(paper_docx.write(paper_of(accepted))))

    section = document.sections[0]
    assert round(section.page_width.mm) == 210
    assert 20 <= round(section.top_margin.mm) <= 25
    assert 20 <= round(section.bottom_margin.mm) <= 25
    assert 30 <= round(section.left_margin.mm) <= 35
    assert 15 <= round(section.right_margin.mm) <= 20
    assert document.styles["Normal"].font.name == "Times New Roman"
    head, table, foot = document.tables
    assert papers.NATION in head.cell(0, 1).text
    assert "XÃ IA GRAI" in head.cell(0, 0).text
    assert [cell.text for cell in table.rows[2].cells][2:] == ["75 %", "6/8"]
    assert "Lưu: VT." in foot.cell(0, 0).text
    body = "\n".join(one.text for one in document.paragraphs)
    assert ATTACK in body
    assert papers.NOT_YET not in body


def test_the_properties_of_a_docx_paragraph_stand_in_their_order(
    accepted: Submission,
) -> None:
    document = docx.Document(BytesIO(paper_docx.write(paper_of(accepted))))
    order = ["pStyle", "keepNext", "pBdr", "spacing", "ind", "jc", "rPr"]

    for one in document.element.body.iter(
        "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}pPr"
    ):
        names = [child.tag.split("}")[1] for child in one]
        assert names == sorted(names, key=order.index)


def test_the_workbook_adds_accepted_figures_by_formulas(
    accepted: Submission,
    other: Submission,
    hoa: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    fill(other, hoa, now, f1=40, f2=(10, 40))
    send(other, hoa, now)
    period = accepted.period
    fields = list(period.form.fields.order_by("number"))

    content = workbook.write(
        period,
        fields,
        queries.list_leaves(period, quan, at=now),
        queries.find_top(period, quan, at=now),
    )

    sheet = openpyxl.load_workbook(BytesIO(content)).active
    names = [sheet.cell(n, 2).value for n in (5, 6, 7)]
    assert names == ["Xã Đak Đoa", "Xã Ia Grai", "Cộng"]
    # Đak Đoa is not accepted yet: its figures are not there.
    assert [sheet.cell(5, n).value for n in (4, 5, 6)] == [None, None, None]
    assert [sheet.cell(6, n).value for n in (4, 5, 6)] == [8, 6, 8]
    assert sheet.cell(6, 7).value == '=IF(N(F6)=0,"",E6/F6*100)'
    assert sheet.cell(7, 4).value == '=IF(COUNT(D5:D6)=0,"",SUM(D5:D6))'
    assert sheet.cell(7, 7).value == '=IF(N(F7)=0,"",E7/F7*100)'
    # What the system counts adds up too; the province's own row stands below.
    assert sheet.cell(7, 8).value == '=IF(COUNT(H5:H6)=0,"",SUM(H5:H6))'
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.print_title_rows == "$4:$4"
    assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)
    text = sheet.cell(6, 9)
    assert (text.value, text.data_type) == (ATTACK, "s")


def test_words_that_no_file_may_hold_break_no_paper(accepted: Submission) -> None:
    """What was kept before such words were refused is still read."""
    paper = replace(paper_of(accepted), title="Lan\x01 \u202eMinh")
    book = openpyxl.Workbook()
    workbook._put(book.active, 1, 1, "Lan\x01")

    told = docx.Document(BytesIO(paper_docx.write(paper)))
    assert "Lan Minh" in [one.text for one in told.paragraphs]
    assert "Lan Minh" in text_of(paper_pdf.write(paper))
    assert book.active["A1"].value == "Lan"


def test_each_downloads_its_own_papers_only(
    client: Client, accepted: Submission, lan: Officer, hoa: Officer
) -> None:
    files = [reverse("reports:paper", args=[accepted.uid, kind]) for kind in KINDS]
    book = reverse("reports:workbook", args=[accepted.period.uid])

    client.force_login(lan)
    for address in (*files, book):
        answer = client.get(address)
        assert answer.status_code == HTTPStatus.OK
        assert "attachment" in answer.headers["Content-Disposition"]

    client.force_login(hoa)
    for address in files:
        assert client.get(address).status_code == HTTPStatus.NOT_FOUND
    sheet = openpyxl.load_workbook(BytesIO(client.get(book).content)).active
    assert [sheet.cell(n, 2).value for n in (5, 6)] == ["Xã Đak Đoa", "Cộng"]

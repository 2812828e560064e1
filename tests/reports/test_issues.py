"""A report's words are drafted, edited, locked; what was issued never changes again."""

import hashlib
from collections.abc import Callable
from datetime import date, datetime, timedelta
from http import HTTPStatus
from io import BytesIO

import docx
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from nguon.fleet.actions import store_media
from nguon.fleet.models import Media
from nguon.indicators.rules import months
from nguon.people.access import NoRightError
from nguon.people.models import Officer
from nguon.reports import actions, paper_docx, paper_pdf, papers, queries, rules, texts
from nguon.reports.models import Issue, Submission
from tests.reports.conftest import accept, fill, refusal, send

pytestmark = pytest.mark.django_db
PARTS = [("Kết quả", "Dòng một.\n=cmd|' /C calc'!A0"), ("Kiến nghị", "Thêm loa.")]
DAY = date(2026, 11, 24)

Take = Callable[..., Issue]


@pytest.fixture(scope="module")
def pdf() -> bytes:
    """Return a small PDF, as a document system would give it back."""
    paper = papers.Paper("Xã Ia Grai", "Ia Grai", "Thử", ["Mở đầu."], [], [], [], False)
    return paper_pdf.write(paper)


@pytest.fixture
def accepted(
    row: Submission, minh: Officer, quan: Officer, now: datetime
) -> Submission:
    fill(row, minh, now, f1=8, f2=(6, 8), f4="Thiếu kinh phí")
    write(row, minh, now)
    send(row, minh, now)
    return accept(row, quan, now)


@pytest.fixture
def take(minh: Officer, now: datetime, pdf: bytes) -> Take:
    """Return the taking back of an issued report, with parts of it changed."""

    def do(row: Submission, **changed: object) -> Issue:
        told = {"number": "12/BC-UBND", "issued_on": DAY, "pdf": pdf, "by": minh}
        told |= {"is_scan": True, "is_sure": True}
        return actions.take_issue(submission_id=row.pk, **told | changed, at=now)

    return do


def write(
    row: Submission, by: Officer, at: datetime, parts: list[tuple[str, str]] = PARTS
) -> Submission:
    row.refresh_from_db()
    return actions.save_sections(
        submission_id=row.pk, revision=row.revision, parts=parts, by=by, at=at
    )


# --- words --------------------------------------------------------------------------


def test_the_first_words_say_figures_and_what_has_none(
    row: Submission, lan: Officer, now: datetime
) -> None:
    fill(row, lan, now, f1=8, f2=(6, 8), f4="Thiếu kinh phí")
    row.refresh_from_db()

    actions.draft_sections(submission_id=row.pk, revision=row.revision, by=lan, at=now)

    told = dict(row.sections.values_list("heading", "words"))
    assert "8 bảng" in told[texts.RESULTS]
    assert "75 %" in told[texts.RESULTS]
    assert "chưa đếm được" in told[texts.RESULTS]
    assert told[texts.TROUBLE] == "Thiếu kinh phí"
    assert told[texts.AHEAD] == ""


def test_the_synthesis_names_who_was_late_and_who_is_missing(
    row: Submission,
    other: Submission,
    top: Submission,
    minh: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    fill(row, minh, now, f1=8, f2=(6, 8), f4="Thiếu kinh phí")
    send(row, minh, now)  # due on 4 November, sent on the 24th
    accept(row, quan, now)

    parts = dict(texts.draft(top, queries.list_lines(top), today=now.date()))

    assert "1/2 đơn vị" in parts[texts.GENERAL]
    assert "Báo cáo muộn: Xã Ia Grai" in parts[texts.GENERAL]
    assert "chưa gồm: Xã Đak Đoa" in parts[texts.GENERAL]
    assert parts[texts.TROUBLE] == "- Xã Ia Grai: Thiếu kinh phí"


def test_words_are_refused_on_an_old_revision_without_heading_and_too_many(
    row: Submission, lan: Officer, minh: Officer, now: datetime
) -> None:
    write(row, lan, now)
    told = {"submission_id": row.pk, "at": now}

    with refusal("reports.revision"):
        actions.save_sections(**told, revision=0, parts=[], by=minh)
    with refusal("plan.text_missing"):
        write(row, lan, now, [("", "Lời không có tên phần")])
    with refusal("reports.sections_many"):
        write(row, lan, now, [(f"Phần {n}", "") for n in range(13)])
    with refusal("reports.section_long"):
        write(row, lan, now, [("Dài", "x" * 10_001)])
    assert row.sections.count() == len(PARTS)


def test_words_are_locked_with_the_figures_here_and_in_the_database(
    accepted: Submission, lan: Officer, now: datetime
) -> None:
    with refusal("reports.locked"):
        write(accepted, lan, now)
    for change in (
        lambda: accepted.sections.update(words="Khác"),
        lambda: accepted.sections.all().delete(),
        lambda: accepted.sections.create(number=9, heading="Thêm"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_the_papers_hold_the_words_and_later_number_and_day(
    accepted: Submission, take: Take
) -> None:
    def texts_of() -> tuple[str, str]:
        paper = papers.describe(accepted, queries.list_lines(accepted))
        document = docx.Document(BytesIO(paper_docx.write(paper)))
        cells = [cell.text for table in document.tables for cell in table._cells]
        body = [one.text for one in document.paragraphs]
        pages = PdfReader(BytesIO(paper_pdf.write(paper))).pages
        read = " ".join(page.extract_text() for page in pages)
        return "\n".join(body + cells), " ".join(read.split())

    before = texts_of()
    take(accepted, issued_on=date(2026, 11, 24))
    after = texts_of()

    for text in (*before, *after):
        assert "I. KẾT QUẢ" in text
        assert "=cmd" in text
    for text in before:
        assert "12/BC-UBND" not in text
    for text in after:
        assert "Số: 12/BC-UBND" in text
        assert "ngày 24 tháng 11 năm 2026" in text


# --- issue --------------------------------------------------------------------------


def test_one_number_of_a_unit_and_year_is_one_report(
    accepted: Submission, minh: Officer, quan: Officer, now: datetime, take: Take
) -> None:
    first = take(accepted)
    period = actions.open_period(
        form_id=accepted.period.form_id,
        kind=rules.MONTH,
        days=months(2026, 9, 1),
        due_days=3,
        is_sure=True,
        by=quan,
        at=now,
    )
    row = period.submissions.get(unit=accepted.unit)
    fill(row, minh, now, f1=8, f2=(6, 8), f4="Thiếu kinh phí")
    send(row, minh, now)
    accept(row, quan, now)

    with refusal("reports.number_taken"):
        take(row)
    copy = Issue.objects.get(pk=first.pk)
    copy.pk, copy.submission = None, row
    with pytest.raises(DatabaseError, match="number_taken"), transaction.atomic():
        copy.save(force_insert=True)
    assert take(row, number="13/BC-UBND").submission == row


def test_the_file_of_what_was_issued_bears_its_number() -> None:
    assert rules.issue_file("12/BC-UBND", DAY) == f"12-BC-UBND-{DAY.year}.pdf"
    assert rules.issue_file("7/QĐ-HĐND", DAY) == f"7-QD-HDND-{DAY.year}.pdf"


def test_what_was_issued_cannot_be_unlocked_changed_or_issued_again(
    accepted: Submission, quan: Officer, now: datetime, take: Take, pdf: bytes
) -> None:
    issue = take(accepted)

    assert issue.sha256 == hashlib.sha256(pdf).hexdigest()
    with refusal("reports.issued"):
        take(accepted, number="13/BC-UBND")
    with refusal("reports.issued"):
        actions.unlock(submission_id=accepted.pk, reason="Sai", by=quan, at=now)
    for change in (
        lambda: Issue.objects.update(number="14/BC-UBND"),
        lambda: Issue.objects.all().delete(),
        lambda: Submission.objects.filter(pk=accepted.pk).update(
            state=rules.RETURNED, accepted_by=None
        ),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_the_number_may_come_after_the_period_was_closed(
    accepted: Submission, quan: Officer, now: datetime, take: Take
) -> None:
    actions.close_period(period_id=accepted.period_id, by=quan, at=now)

    assert take(accepted).number == "12/BC-UBND"


def test_only_an_accepted_report_is_issued_here_and_in_the_database(
    row: Submission, minh: Officer, now: datetime, take: Take
) -> None:
    with refusal("reports.not_now"):
        take(row)
    media = make_media(now)
    with pytest.raises(DatabaseError), transaction.atomic():
        Issue.objects.create(
            submission=row,
            number="1/BC-UBND",
            issued_on=DAY,
            media=media,
            sha256=media.sha256,
            is_signed=False,
            taken_by=minh,
            taken_at=now,
        )


def make_media(at: datetime) -> Media:
    return store_media(data=b"%PDF-", mime="application/pdf", duration_ms=0, at=at)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"number": "mười hai"}, "reports.issue_number"),
        ({"number": "12"}, "reports.issue_number"),
        ({"issued_on": DAY + timedelta(days=1)}, "reports.issue_day"),
        ({"issued_on": date(2026, 11, 1)}, "reports.issue_day"),
        ({"pdf": b"MZ\x90 not a paper"}, "reports.pdf_wrong"),
        ({"pdf": b"%PDF-1.7 cut off"}, "newsroom.file_broken"),
        ({"pdf": b"%PDF-" + b"0" * rules.MAX_PDF}, "reports.pdf_big"),
    ],
)
def test_what_is_no_issued_report_is_refused(
    accepted: Submission, take: Take, changed: dict[str, object], code: str
) -> None:
    with refusal(code):
        take(accepted, **changed)
    assert not Issue.objects.exists()


@pytest.mark.parametrize("number", ["12/BC-UBND", "5a/BC-SVHTTDL", "07/2026/BC-UBND"])
def test_usual_numbers_are_taken(number: str) -> None:
    assert rules.check_number(f" {number} ") == number


def test_what_bears_no_signature_is_a_scan_or_refused_and_looked_at_twice(
    accepted: Submission, take: Take, pdf: bytes
) -> None:
    with refusal("reports.pdf_unsigned"):
        take(accepted, is_scan=False)
    with refusal("reports.issue_unsure"):
        take(accepted, is_sure=False)
    assert not Issue.objects.exists()

    assert take(accepted).is_signed is False


def test_a_signed_file_needs_no_word_about_paper(
    accepted: Submission, take: Take, pdf: bytes
) -> None:
    # As PDF 32000-1, 12.8.1 marks what a signature covers.
    signed = pdf + b"\n% /ByteRange [0 840 960 240]\n"
    assert take(accepted, is_scan=False, pdf=signed).is_signed


def test_the_author_issues_nothing(
    accepted: Submission, lan: Officer, take: Take
) -> None:
    with pytest.raises(NoRightError):
        take(accepted, by=lan)


def test_pages_draft_edit_and_take_back(
    client: Client,
    row: Submission,
    lan: Officer,
    minh: Officer,
    hoa: Officer,
    quan: Officer,
    now: datetime,
    pdf: bytes,
) -> None:
    fill(row, lan, now, f1=8, f2=(6, 8))
    row.refresh_from_db()
    words = reverse("reports:sections", args=[row.uid])
    client.force_login(lan)
    empty = client.get(words).content.decode()
    client.post(words, {"revision": row.revision, "draft": "1"})
    stale = client.post(
        words, {"revision": row.revision, "heading_1": "Của tôi", "words_1": "Riêng"}
    )
    row.refresh_from_db()
    client.post(
        words, {"revision": row.revision, "heading_1": "Kết quả", "words_1": "Tốt."}
    )
    send(row, minh, now)
    accept(row, quan, now)
    back = reverse("reports:take_issue", args=[row.uid])
    told = {"number": "12/BC-UBND", "issued_on": "24/11/2026"}
    client.force_login(minh)
    unsigned = client.post(
        back, {**told, "file": SimpleUploadedFile("a.pdf", pdf, "application/pdf")}
    )
    told |= {"is_scan": "1", "is_sure": "1"}
    bare = client.post(back, told)
    taken = client.post(
        back, {**told, "file": SimpleUploadedFile("a.pdf", pdf, "application/pdf")}
    )
    shown = client.get(reverse("reports:submission", args=[row.uid])).content.decode()
    file = client.get(reverse("reports:issued", args=[row.uid]))

    assert "Soạn từ số liệu trước" in empty
    assert stale.status_code == HTTPStatus.CONFLICT
    assert "Riêng" in stale.content.decode()
    assert "Kết quả thực hiện" in stale.content.decode()
    assert [one.words for one in row.sections.all()] == ["Tốt."]
    assert "không có chữ ký số. Hãy" in unsigned.content.decode()
    assert bare.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert taken.status_code == HTTPStatus.FOUND
    assert "12/BC-UBND" in shown
    assert "Mở khóa" not in shown.split("Đã qua")[0]
    assert b"".join(file) == pdf
    named = file.headers["Content-Disposition"]
    assert named == 'attachment; filename="12-BC-UBND-2026.pdf"'
    client.force_login(hoa)
    for name in ("sections", "issued"):
        address = reverse(f"reports:{name}", args=[row.uid])
        assert client.get(address).status_code == HTTPStatus.NOT_FOUND
    assert client.post(back, told).status_code == HTTPStatus.NOT_FOUND

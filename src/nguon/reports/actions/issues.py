"""A report's words, and the paper that came back from the agency's document system."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from nguon.audit import actions as audit
from nguon.core.errors import ConflictError, InvalidError
from nguon.fleet.actions import store_media
from nguon.newsroom.intake import limits, reader
from nguon.people import access as people
from nguon.people.models import APPROVER, Officer
from nguon.plan.rules import MAX_TITLE, clean
from nguon.reports import access, queries, rules, texts
from nguon.reports.actions.locks import check_revision, lock
from nguon.reports.models import Issue, Section, Submission
from nguon.territory.models import Unit

PDF = "application/pdf"


@transaction.atomic
def draft_sections(
    *, submission_id: int, revision: int, by: Officer, at: datetime
) -> Submission:
    """Write the words anew from the figures; what stood there is gone.

    Raises as `save_sections`.
    """
    row = _lock_open(submission_id, revision, by=by, at=at)
    lines = queries.list_lines(row)
    parts = texts.draft(row, lines, today=timezone.localdate(at))
    return _write(row, parts, by=by, at=at)


@transaction.atomic
def save_sections(
    *,
    submission_id: int,
    revision: int,
    parts: Sequence[tuple[str, str]],
    by: Officer,
    at: datetime,
) -> Submission:
    """Write the words of a report, heading by heading; empty pairs are left out.

    Raises ConflictError (`reports.revision`, `reports.locked`, `reports.closed`),
    InvalidError (`reports.sections_many`, `reports.section_long`,
    `plan.text_missing` for words without a heading), NoRightError, AbsentError.
    """
    row = _lock_open(submission_id, revision, by=by, at=at)
    return _write(row, parts, by=by, at=at)


def _lock_open(
    submission_id: int, revision: int, *, by: Officer, at: datetime
) -> Submission:
    row = lock(submission_id)
    access.check_writer(by, row, at=at)
    rules.check_open(row.state)
    check_revision(row, revision)
    return row


def _write(
    row: Submission, parts: Sequence[tuple[str, str]], *, by: Officer, at: datetime
) -> Submission:
    kept = [
        (clean(heading, most=MAX_TITLE, what="tên phần"), rules.clean_section(words))
        for heading, words in parts
        if heading.strip() or words.strip()
    ]
    if len(kept) > rules.MAX_SECTIONS:
        raise InvalidError("reports.sections_many", most=rules.MAX_SECTIONS)
    row.sections.all().delete()
    Section.objects.bulk_create(
        Section(submission=row, number=number, heading=heading, words=words)
        for number, (heading, words) in enumerate(kept, 1)
    )
    row.revision += 1
    row.changed_by = by
    row.save(update_fields=["revision", "changed_by"])
    audit.record(
        "reports.sections.saved",
        target=row,
        by=by,
        at=at,
        data={"revision": row.revision, "sections": len(kept)},
    )
    return row


def take_issue(
    *,
    submission_id: int,
    number: str,
    issued_on: date,
    pdf: bytes,
    is_scan: bool,
    is_sure: bool,
    by: Officer,
    at: datetime,
) -> Issue:
    """Take back an accepted report as it was issued; from here on it cannot change.

    The file is kept byte for byte, for its signatures; one without is taken only as
    the scan of a paper signed by hand (`is_scan`). What is locked for good is looked
    at twice (`is_sure`). It may come after the period was closed. Raises InvalidError
    (`reports.issue_number`, `reports.issue_day`, `reports.issue_unsure`,
    `reports.pdf_…`, `newsroom.file_…`), ConflictError (`reports.not_now`,
    `reports.issued`, `reports.number_taken`), NoRightError, AbsentError.
    """
    told = rules.check_number(number)
    check_pdf(pdf)
    if not is_scan and not has_signature(pdf):
        raise InvalidError("reports.pdf_unsigned")
    if not is_sure:
        raise InvalidError(
            "reports.issue_unsure", number=told, day=f"{issued_on:%d/%m/%Y}"
        )
    return _take(submission_id, told, issued_on, pdf, by=by, at=at)


def has_signature(pdf: bytes) -> bool:
    """Say whether a PDF carries a digital signature; whose it is, is not checked."""
    return b"/ByteRange" in pdf


def check_pdf(pdf: bytes) -> None:
    """Refuse what is no PDF that opens; read in the limited process. InvalidError."""
    if not pdf.startswith(b"%PDF-"):
        raise InvalidError("reports.pdf_wrong")
    if len(pdf) > rules.MAX_PDF:
        raise InvalidError("reports.pdf_big", most=rules.MAX_PDF // 1024**2)
    limits.read_file(pdf, purpose=reader.DOCUMENT)


@transaction.atomic
def _take(
    submission_id: int,
    number: str,
    issued_on: date,
    pdf: bytes,
    *,
    by: Officer,
    at: datetime,
) -> Issue:
    row = lock(submission_id, even_closed=True)
    people.check_can(by, APPROVER, unit=row.unit, at=at)
    earlier = Issue.objects.filter(submission=row).first()
    if earlier is not None:
        raise ConflictError("reports.issued", number=earlier.number)
    if row.state != rules.ACCEPTED:
        raise ConflictError("reports.not_now", state=rules.STATES[row.state])
    # Two reports of one unit are taken back one after another.
    Unit.objects.select_for_update().get(pk=row.unit_id)
    taken = Issue.objects.filter(
        submission__unit=row.unit_id, number=number, issued_on__year=issued_on.year
    )
    if taken.exists():
        raise ConflictError(
            "reports.number_taken", number=number, year=str(issued_on.year)
        )
    first = row.first_sent_on or issued_on
    if not first <= issued_on <= timezone.localdate(at):
        raise InvalidError("reports.issue_day", first=f"{first:%d/%m/%Y}")
    issue = Issue.objects.create(
        submission=row,
        number=number,
        issued_on=issued_on,
        media=store_media(data=pdf, mime=PDF, duration_ms=0, at=at),
        sha256=hashlib.sha256(pdf).hexdigest(),
        is_signed=has_signature(pdf),
        taken_by=by,
        taken_at=at,
    )
    audit.record(
        "reports.submission.issued",
        target=row,
        by=by,
        at=at,
        data={
            "number": number,
            "sha256": issue.sha256,
            "is_signed": issue.is_signed,
        },
    )
    return issue

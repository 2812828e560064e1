"""Pages of one report: filled, sent, returned, accepted, unlocked."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from nguon.core.errors import AbsentError, ConflictError, DomainError, InvalidError
from nguon.fleet import files
from nguon.people.answers import done, officer_of, wants_json
from nguon.plan.forms import need_day
from nguon.reports import (
    access,
    actions,
    forms,
    paper_docx,
    paper_pdf,
    papers,
    queries,
    rules,
)
from nguon.reports.models import Issue, Submission

CONFLICT, UNPROCESSABLE = 409, 422
WRITERS = {
    "pdf": (paper_pdf.write, "application/pdf"),
    "docx": (
        paper_docx.write,
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
}


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show a report: to be filled while it is open, as it was sent after."""
    return _show(request, uid)


def _show(
    request: HttpRequest, uid: str, *, error: DomainError | None = None, verb: str = ""
) -> HttpResponse:
    at = timezone.now()
    officer = officer_of(request)
    today = timezone.localdate(at)
    row = access.access_submission(officer, uid, at=at)
    lines = queries.list_lines(row)
    if wants_json(request) and error is None:
        return JsonResponse(_facts(row, lines), json_dumps_params={"default": str})
    is_running = row.period.closed_at is None
    decides = is_running and access.may_decide(officer, row, at=at)
    is_conflict = error is not None and error.code == "reports.revision"
    issue = Issue.objects.select_related("taken_by").filter(submission=row).first()
    context = {
        "row": row,
        "period": row.period,
        "lines": [
            (line, _typed(request, line) | {"wrong": _wrong(error, line)})
            for line in lines
        ],
        "late": row.late_words(today),
        "missing": sum(line.is_missing for line in lines),
        "has_ended": today >= row.period.after_date,
        "steps": queries.list_steps(row),
        "below": row.below.count(),
        "below_accepted": row.below.filter(state=rules.ACCEPTED).count(),
        "may_write": is_running
        and row.is_open
        and access.may_write(officer, row, at=at),
        "may_send": is_running and access.may_send(officer, row, at=at),
        "may_accept": decides
        and row.state == rules.SENT
        and row.sent_by_id != officer.pk,
        "may_return": decides and row.state == rules.SENT,
        "may_unlock": decides and row.state == rules.ACCEPTED and issue is None,
        "may_issue": issue is None
        and row.state == rules.ACCEPTED
        and access.may_send(officer, row, at=at),
        "issue": issue,
        "section_count": row.sections.count(),
        "sent": request.POST,
        "error": error,
        "is_conflict": is_conflict,
        "verb": verb,
    }
    status = (CONFLICT if is_conflict else UNPROCESSABLE) if error else 200
    return render(request, "reports/submission.html", context, status=status)


def _typed(request: HttpRequest, line: queries.Line) -> dict[str, Any]:
    """Return what stands in the boxes of a field: as typed just now, else as saved."""
    key = line.field.pk
    if f"explanation_{key}" in request.POST:
        parts = ("above", "below", "words", "explanation")
        return {part: request.POST.get(f"{part}_{key}", "") for part in parts}
    above, below = line.pair.above, line.pair.below
    return {
        "above": "" if above is None else rules.plain(above),
        "below": "" if below is None else rules.plain(below),
        "words": line.words,
        "explanation": line.explanation,
    }


def _wrong(error: DomainError | None, line: queries.Line) -> dict[str, Any]:
    """Return what is wrong with a field, and in which of its boxes."""
    data = error.data if error else {}
    fields = data.get("fields", [])
    if isinstance(fields, list) and line.field.pk in fields:
        return {"above": True, "below": True}
    if data.get("field") != line.field.pk:
        return {}
    part = data.get("part")
    marked = {box: part in {None, box} for box in ("above", "below")}
    return {**marked, "error": error}


def _facts(row: Submission, lines: list[queries.Line]) -> dict[str, Any]:
    return {
        "uid": row.uid,
        "unit": row.unit.full_name,
        "state": row.state,
        "revision": row.revision,
        "missing": row.missing,
        "answers": [
            {
                "field": line.field.pk,
                "name": line.field.name,
                "source": line.source,
                "value": line.value,
                "above": line.pair.above,
                "below": line.pair.below,
                "words": line.words,
                "explanation": line.explanation,
            }
            for line in lines
        ],
    }


@require_safe
def paper(request: HttpRequest, uid: str, kind: str) -> HttpResponse:
    """Give a report as a paper: PDF to read, DOCX to issue."""
    officer, at = officer_of(request), timezone.now()
    row = access.access_submission(officer, uid, at=at)
    write, mime = WRITERS[kind]
    content = write(papers.describe(row, queries.list_lines(row)))
    answer = HttpResponse(content, content_type=mime)
    name = f"bao-cao-{row.period.first_date}-{row.unit.code}.{kind}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@require_POST
def save(request: HttpRequest, uid: str) -> HttpResponse:
    """Save what was typed; with `send`, sign it off and send it up."""
    officer, at = officer_of(request), timezone.now()
    row = access.access_submission(officer, uid, at=at)
    sent = request.POST.dict()
    try:
        said = _save(row, sent, officer, at)
    except (InvalidError, ConflictError) as error:
        if wants_json(request):
            raise
        return _show(request, uid, error=error)
    if not wants_json(request):
        messages.success(request, said)
    row.refresh_from_db()
    to = reverse("reports:submission", args=[row.uid])
    return done(request, to=to, data={"state": row.state, "revision": row.revision})


def _save(row: Submission, sent: dict[str, str], officer: Any, at: datetime) -> str:
    asked: dict[str, Any] = {"submission_id": row.pk, "by": officer, "at": at}
    revision = forms.read_revision(sent)
    fields = list(row.period.form.fields.order_by("number"))
    typed = forms.read_answers(sent, fields)
    asked |= {"revision": revision, "typed": typed}
    if "send" not in sent:
        actions.save_answers(**asked)
        return "Đã lưu. Báo cáo chưa gửi."
    actions.save_and_send(**asked, words=sent.get("words", ""))
    return "Đã gửi báo cáo lên cấp trên."


@require_POST
def move(request: HttpRequest, uid: str, verb: str) -> HttpResponse:
    """Accept, return or unlock a report."""
    officer, at = officer_of(request), timezone.now()
    row = access.access_submission(officer, uid, at=at)
    asked: dict[str, Any] = {"submission_id": row.pk, "by": officer, "at": at}
    reason = request.POST.get("reason", "")
    try:
        if verb == "duyet":
            revision = forms.read_revision(request.POST.dict())
            actions.accept(**asked, revision=revision)
            said = "Đã duyệt; báo cáo được khóa."
        elif verb == "tra-lai":
            actions.send_back(**asked, reason=reason)
            said = "Đã trả lại kèm lý do."
        else:
            actions.unlock(**asked, reason=reason)
            said = "Đã mở khóa; đơn vị sửa rồi gửi lại."
    except (InvalidError, ConflictError) as error:
        if wants_json(request):
            raise
        return _show(request, uid, error=error, verb=verb)
    if not wants_json(request):
        messages.success(request, said)
    row.refresh_from_db()
    to = reverse("reports:submission", args=[row.uid])
    return done(request, to=to, data={"state": row.state})


@require_POST
def take_issue(request: HttpRequest, uid: str) -> HttpResponse:
    """Take back what the agency's document system issued: number, day, signed PDF."""
    officer, at = officer_of(request), timezone.now()
    row = access.access_submission(officer, uid, at=at)
    sent, file = request.POST.dict(), request.FILES.get("file")
    try:
        if file is None:
            raise InvalidError("reports.pdf_missing")
        issue = actions.take_issue(
            submission_id=row.pk,
            number=sent.get("number", ""),
            issued_on=need_day(sent, "issued_on", at=at),
            pdf=file.read(rules.MAX_PDF + 1),
            is_scan="is_scan" in sent,
            is_sure="is_sure" in sent,
            by=officer,
            at=at,
        )
    except (InvalidError, ConflictError) as error:
        if wants_json(request):
            raise
        return _show(request, uid, error=error, verb="ban-hanh")
    if not wants_json(request):
        messages.success(request, f"Đã lưu văn bản số {issue.number}.")
    to = reverse("reports:submission", args=[row.uid])
    return done(request, to=to, data={"number": issue.number, "sha256": issue.sha256})


@require_safe
def issued(request: HttpRequest, uid: str) -> HttpResponseBase:
    """Give the signed PDF, byte for byte as it came back."""
    row = access.access_submission(officer_of(request), uid, at=timezone.now())
    issue = Issue.objects.select_related("media").filter(submission=row).first()
    if issue is None:
        raise AbsentError("reports.issue_absent")
    answer = files.serve_shown(request, issue.media)
    name = rules.issue_file(issue.number, issue.issued_on)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer

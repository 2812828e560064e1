"""The page of a report's words: drafted from the figures, then edited by a person."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from nguon.core.errors import ConflictError, DomainError, InvalidError
from nguon.people.answers import done, officer_of, wants_json
from nguon.reports import access, actions, forms, rules
from nguon.reports.models import Submission

CONFLICT, UNPROCESSABLE = 409, 422


@require_http_methods(["GET", "POST"])
def sections(request: HttpRequest, uid: str) -> HttpResponse:
    """Show the words of a report; take them, or draft them from the figures."""
    officer, at = officer_of(request), timezone.now()
    row = access.access_submission(officer, uid, at=at)
    if request.method != "POST":
        return _show(request, row)
    sent = request.POST.dict()
    try:
        asked: dict[str, Any] = {
            "submission_id": row.pk,
            "revision": forms.read_revision(sent),
            "by": officer,
            "at": at,
        }
        if "draft" in sent:
            saved = actions.draft_sections(**asked)
        else:
            saved = actions.save_sections(**asked, parts=forms.read_sections(sent))
    except (InvalidError, ConflictError) as error:
        if wants_json(request):
            raise
        return _show(request, row, error=error)
    if not wants_json(request):
        messages.success(request, "Đã lưu phần lời.")
    to = reverse("reports:sections", args=[row.uid])
    return done(request, to=to, data={"revision": saved.revision})


def _show(
    request: HttpRequest, row: Submission, *, error: DomainError | None = None
) -> HttpResponse:
    officer, at = officer_of(request), timezone.now()
    kept = [(one.heading, one.words) for one in row.sections.order_by("number", "pk")]
    if wants_json(request):
        told = [{"heading": heading, "words": words} for heading, words in kept]
        return JsonResponse({"revision": row.revision, "sections": told})
    is_typed = error is not None and "heading_1" in request.POST
    parts = forms.read_sections(request.POST.dict()) if is_typed else kept
    is_conflict = isinstance(error, ConflictError) and error.code == "reports.revision"
    context = {
        "row": row,
        "period": row.period,
        "parts": [*parts, ("", "")][: rules.MAX_SECTIONS],
        "kept": kept,
        "error": error,
        "is_conflict": is_conflict,
        "may_write": row.period.closed_at is None
        and row.is_open
        and access.may_write(officer, row, at=at),
    }
    status = (CONFLICT if is_conflict else UNPROCESSABLE) if error else 200
    return render(request, "reports/sections.html", context, status=status)

"""Pages of what was given: the list with late first, and one on a phone."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from nguon.core.errors import AbsentError, DomainError, InvalidError
from nguon.fleet import files
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.people.models import APPROVER
from nguon.plan import access, actions, forms, queries, rules
from nguon.plan.models import ActionPlan, Assignment

PER_PAGE = 50
EXPORT_LIMIT = 20_000


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List what was given, of all plans."""
    return _list(request, None)


@require_safe
def of_plan(request: HttpRequest, uid: str) -> HttpResponse:
    """List what one plan gave to whom."""
    return _list(request, _plan(request, uid))


def _plan(request: HttpRequest, uid: str) -> ActionPlan:
    return access.access_plan(officer_of(request), uid, at=timezone.now())


def _list(request: HttpRequest, plan: ActionPlan | None) -> HttpResponse:
    at = timezone.now()
    today = timezone.localdate(at)
    found = queries.list_assignments(
        officer_of(request), request.GET.dict(), today=today, at=at, plan=plan
    )
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("trang"))
    if wants_json(request):
        return JsonResponse({"assignments": [_facts(row) for row in page]})
    context = {
        "page": page,
        "plan": plan,
        "states": [("late", "Quá hạn"), *rules.STATES.items()],
        "tasks": plan.tasks.order_by("number", "pk") if plan else [],
        "asked": request.GET,
        "today": today,
    }
    return render(request, "plan/assignments.html", context)


def _facts(row: Assignment) -> dict[str, Any]:
    return {
        "uid": row.uid,
        "title": row.title,
        "unit": row.unit.full_name,
        "state": row.state,
        "last_date": row.task.last_date if row.task else None,
        "done_at": row.done_at,
    }


@require_safe
def index_file(request: HttpRequest) -> HttpResponse:
    """Give what was given, of all plans, as a file."""
    return _file(request, None)


@require_safe
def plan_file(request: HttpRequest, uid: str) -> HttpResponse:
    """Give what one plan gave to whom as a file."""
    return _file(request, _plan(request, uid))


def _file(request: HttpRequest, plan: ActionPlan | None) -> HttpResponse:
    at = timezone.now()
    today = timezone.localdate(at)
    found = queries.list_assignments(
        officer_of(request), request.GET.dict(), today=today, at=at, plan=plan
    )
    head = (
        "Kế hoạch", "Việc", "Mã đơn vị", "Đơn vị", "Trạng thái", "Người làm", "Hạn",
        "Quá hạn (ngày)", "Xong lúc", "Tiến độ (%)", "Báo gần nhất",
    )  # fmt: skip
    rows = (_cells(row, today) for row in found[:EXPORT_LIMIT])
    return table_file("viec-duoc-giao", head, rows)


def _cells(row: Any, today: Any) -> tuple[object, ...]:
    last = row.task.last_date if row.task else None
    return (
        row.plan.title,
        row.title,
        row.unit.code,
        row.unit.full_name,
        row.state_name,
        row.assigned_to.full_name if row.assigned_to else "",
        last and f"{last:%d/%m/%Y}",
        rules.days_late(last, today=today) if row.is_late else 0,
        row.done_at and f"{timezone.localtime(row.done_at):%d/%m/%Y %H:%M}",
        row.percent,
        row.last_words,
    )


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show what was given and what comes next in it."""
    return _show(request, uid)


def _show(
    request: HttpRequest,
    uid: str,
    *,
    error: DomainError | None = None,
    verb: str = "",
    status: int = 200,
) -> HttpResponse:
    at = timezone.now()
    officer = officer_of(request)
    today = timezone.localdate(at)
    row = access.access_assignment(officer, uid, at=at)
    if wants_json(request) and error is None:
        return JsonResponse(_facts(row))
    is_moving = row.plan.state == rules.SENT
    may_move = is_moving and access.may_move(officer, row, at=at)
    last = row.task.last_date if row.task else None
    context = {
        "row": row,
        "told": queries.list_told(row),
        "figure": queries.find_figure(row, today=today),
        "allowed": [act for act, states in rules.ALLOWED.items() if row.state in states]
        if may_move
        else [],
        "doers": queries.list_doers(row, at=at) if may_move else [],
        "for_keeper": access.mover_of(row, at=at) != row.unit,
        "may_return": is_moving
        and row.state == rules.DONE
        and row.done_by_id != officer.pk
        and access.may_keep(officer, row.plan, APPROVER, at=at),
        "late": rules.days_late(last, today=today)
        if is_moving and row.done_at is None
        else 0,
        "sent": request.POST,
        "error": error,
        "verb": verb,
    }
    return render(request, "plan/assignment.html", context, status=status)


@require_POST
def move(request: HttpRequest, uid: str, verb: str) -> HttpResponse:
    """Read, assign, tell, report done, or return."""
    at = timezone.now()
    row = access.access_assignment(officer_of(request), uid, at=at)
    try:
        said = _move(request, row, verb, at)
    except InvalidError as error:
        if wants_json(request):
            raise
        return _show(request, uid, error=error, verb=verb, status=422)
    if not wants_json(request):
        messages.success(request, said)
    row.refresh_from_db()
    to = reverse("plan:assignment", args=[row.uid])
    return done(request, to=to, data={"state": row.state})


def _move(request: HttpRequest, row: Assignment, verb: str, at: datetime) -> str:
    officer, sent = officer_of(request), request.POST.dict()
    asked: dict[str, Any] = {"assignment_id": row.pk, "by": officer, "at": at}
    words = sent.get("words", "")
    if verb == "nhan":
        actions.mark_read(**asked)
        return "Đã nhận việc. Hãy giao người làm."
    if verb == "giao":
        doer = forms.read_doer(sent, queries.list_doers(row, at=at), row)
        inner = forms.read_day(sent, "inner_date", at=at)
        actions.assign(**asked, to=doer, inner_date=inner)
        return f"Đã giao cho {doer.full_name}."
    if verb == "tra-lai":
        actions.send_back(**asked, reason=words)
        return "Đã trả lại kèm lý do."
    proof: dict[str, Any] = {
        "link": sent.get("link", ""),
        "photo": forms.read_photo(request),
    }
    if verb == "xong":
        actions.report_done(**asked, words=words, **proof)
        return "Đã báo xong kèm bằng chứng."
    actions.tell(**asked, words=words, percent=forms.read_percent(sent), **proof)
    return "Đã ghi tiến độ."


@require_safe
def photo(request: HttpRequest, uid: str, photo_id: int) -> HttpResponseBase:
    """Send a photo of what was told to whoever may see the assignment."""
    row = access.access_assignment(officer_of(request), uid, at=timezone.now())
    found = row.progress.select_related("photo").filter(pk=photo_id).first()
    if found is None or found.photo is None:
        raise AbsentError("fleet.media_absent")
    return files.serve(request, found.photo)

"""Pages of inspection visits and of what followed."""

from datetime import date, datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from nguon.core.errors import AbsentError, InvalidError
from nguon.fleet import files
from nguon.people import access as people
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.people.models import Officer
from nguon.plan import access, actions, forms, queries, rules, visit_queries
from nguon.plan.models import ActionPlan, Finding, FindingStep, Visit

PER_PAGE = 50
EXPORT_LIMIT = 20_000
FINDING_FIELDS = 3


def _may_visit(officer: Officer, plan: ActionPlan, at: datetime) -> bool:
    return any(access.may_keep(officer, plan, k, at=at) for k in access.MOVERS)


@require_safe
def index(request: HttpRequest, uid: str) -> HttpResponse:
    """List what was found at visits, late first, and the visits."""
    return _index(request, uid)


def _index(
    request: HttpRequest, uid: str, *, error: InvalidError | None = None
) -> HttpResponse:
    at = timezone.now()
    officer = officer_of(request)
    today = timezone.localdate(at)
    plan = access.access_plan(officer, uid, at=at)
    found = visit_queries.list_findings(
        plan, officer, request.GET.dict(), today=today, at=at
    )
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("trang"))
    if wants_json(request) and error is None:
        return JsonResponse({"findings": [_facts(row) for row in page]})
    may_visit = plan.state != rules.DRAFT and _may_visit(officer, plan, at)
    context = {
        "plan": plan,
        "page": page,
        "visits": visit_queries.list_visits(plan, officer, at=at)[:PER_PAGE],
        "states": rules.FINDING_STATES.items(),
        "may_visit": may_visit,
        "units": queries.list_given_units(plan) if may_visit else [],
        "numbers": range(1, FINDING_FIELDS + 1),
        "asked": request.GET,
        "sent": request.POST,
        "today": today,
        "error": error,
    }
    return render(request, "plan/visits.html", context, status=422 if error else 200)


def _facts(row: Finding) -> dict[str, object]:
    return {
        "uid": row.uid,
        "unit": row.visit.unit.full_name,
        "words": row.words,
        "state": row.state,
        "last_date": row.last_date,
    }


@require_safe
def index_file(request: HttpRequest, uid: str) -> HttpResponse:
    """Give what was found as a file."""
    at = timezone.now()
    officer = officer_of(request)
    plan = access.access_plan(officer, uid, at=at)
    found = visit_queries.list_findings(
        plan, officer, request.GET.dict(), today=timezone.localdate(at), at=at
    )
    rows = (
        (
            f"{row.visit.on_date:%d/%m/%Y}",
            row.visit.unit.code,
            row.visit.unit.full_name,
            row.words,
            f"{row.last_date:%d/%m/%Y}",
            row.get_state_display(),
        )
        for row in found[:EXPORT_LIMIT]
    )
    head = "Ngày kiểm tra,Mã đơn vị,Đơn vị,Điều cần khắc phục,Hạn,Trạng thái"
    return table_file("kiem-tra", head.split(","), rows)


@require_POST
def record(request: HttpRequest, uid: str) -> HttpResponse:
    """Write down a visit."""
    at = timezone.now()
    officer = officer_of(request)
    plan = access.access_plan(officer, uid, at=at)
    sent = request.POST.dict()
    try:
        visit = actions.record_visit(
            plan_id=plan.pk,
            unit=forms.read_unit(sent, plan),
            on_date=forms.need_day(sent, "on_date", at=at),
            team=sent.get("team", ""),
            words=sent.get("words", ""),
            found=_read_found(sent, at),
            by=officer,
            at=at,
        )
    except InvalidError as error:
        if wants_json(request):
            raise
        return _index(request, uid, error=error)
    if not wants_json(request):
        messages.success(request, "Đã ghi buổi kiểm tra; đơn vị nhận thông báo.")
    to = reverse("plan:visit", args=[visit.uid])
    return done(request, to=to, data={"uid": visit.uid})


def _read_found(sent: dict[str, str], at: datetime) -> list[tuple[str, date]]:
    return [
        (sent[f"found_{n}"], forms.need_day(sent, f"until_{n}", at=at))
        for n in range(1, FINDING_FIELDS + 1)
        if sent.get(f"found_{n}", "").strip()
    ]


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show one visit, what was found, and what followed."""
    return _show(request, uid)


def _show(
    request: HttpRequest,
    uid: str,
    *,
    error: InvalidError | None = None,
    opened: str = "",
) -> HttpResponse:
    at = timezone.now()
    officer = officer_of(request)
    visit = visit_queries.access_visit(officer, uid, at=at)
    findings = visit.findings.order_by("last_date", "pk")
    if wants_json(request) and error is None:
        rows = [{"uid": row.uid, "state": row.state} for row in findings]
        return JsonResponse({"findings": rows})
    context = {
        "visit": visit,
        "rows": [
            (row, row.steps.select_related("by", "photo").order_by("pk"))
            for row in findings
        ],
        "may_visit": _may_visit(officer, visit.plan, at),
        "may_answer": _may_answer(officer, visit, at),
        "today": timezone.localdate(at),
        "error": error,
        "opened": opened,
    }
    return render(request, "plan/visit.html", context, status=422 if error else 200)


def _may_answer(officer: Officer, visit: Visit, at: datetime) -> bool:
    unit = visit.unit
    if not access.is_on_map(unit, timezone.localdate(at)):
        unit = visit.plan.keeper
    return any(people.can(officer, kind, unit=unit, at=at) for kind in access.MOVERS)


@require_POST
def move(request: HttpRequest, uid: str, verb: str) -> HttpResponse:
    """Answer, close or open again one finding of a visit."""
    at = timezone.now()
    officer = officer_of(request)
    visit = visit_queries.access_visit(officer, uid, at=at)
    key = request.POST.get("finding", "")
    if not visit.findings.filter(uid=key).exists():
        raise AbsentError("plan.finding_absent")
    words = request.POST.get("words", "")
    try:
        if verb == "tra-loi":
            actions.answer_finding(
                uid=key,
                words=words,
                link=request.POST.get("link", ""),
                photo=forms.read_photo(request),
                by=officer,
                at=at,
            )
        elif verb == "xong":
            actions.close_finding(uid=key, words=words, by=officer, at=at)
        else:
            actions.reopen_finding(uid=key, reason=words, by=officer, at=at)
    except InvalidError as error:
        if wants_json(request):
            raise
        return _show(request, uid, error=error, opened=key)
    if not wants_json(request):
        messages.success(request, "Đã ghi.")
    return done(request, to=reverse("plan:visit", args=[visit.uid]), data={})


@require_safe
def photo(request: HttpRequest, uid: str, step_id: int) -> HttpResponseBase:
    """Send a photo of an answer to whoever may see the visit."""
    visit = visit_queries.access_visit(officer_of(request), uid, at=timezone.now())
    found = FindingStep.objects.filter(finding__visit=visit, pk=step_id)
    step = found.select_related("photo").first()
    if step is None or step.photo is None:
        raise AbsentError("fleet.media_absent")
    return files.serve(request, step.photo)

"""Pages of plans: the list, one plan, writing it, sending it down."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from nguon.core.errors import AbsentError, DomainError, InvalidError
from nguon.indicators.catalogue import INDICATORS
from nguon.people import access as people
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.people.models import APPROVER, AUTHOR
from nguon.plan import access, actions, forms, queries, rules
from nguon.plan.models import ActionPlan

PER_PAGE = 30
EXPORT_LIMIT = 20_000
MY_TASKS = 6


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show what one has to do, late first, and the plans it comes from."""
    at = timezone.now()
    officer = officer_of(request)
    today = timezone.localdate(at)
    found = queries.list_plans(officer, request.GET.dict(), at=at)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("trang"))
    late = queries.count_late(officer, today=today, at=at)
    mine = queries.list_open(officer, today=today, at=at)
    if wants_json(request):
        rows = [_facts(plan) | {"late": late.get(plan.pk, 0)} for plan in page]
        return JsonResponse({"plans": rows})
    context = {
        "page": page,
        "rows": [(plan, late.get(plan.pk, 0)) for plan in page],
        "mine": mine[:MY_TASKS],
        "mine_count": mine.count(),
        "states": rules.PLAN_STATES.items(),
        "asked": request.GET,
        "today": today,
        "may_write": bool(people.paths_of(officer, at=at, kinds=[AUTHOR])),
    }
    return render(request, "plan/plans.html", context)


def _facts(plan: ActionPlan) -> dict[str, Any]:
    return {
        "uid": plan.uid,
        "title": plan.title,
        "number": plan.number,
        "unit": plan.unit.full_name,
        "state": plan.state,
        "first_date": plan.first_date.isoformat(),
        "last_date": plan.last_date.isoformat(),
    }


@require_safe
def index_file(request: HttpRequest) -> HttpResponse:
    """Give the list of plans as a file."""
    at = timezone.now()
    officer = officer_of(request)
    late = queries.count_late(officer, today=timezone.localdate(at), at=at)
    rows = (
        (
            plan.number,
            plan.title,
            plan.unit.full_name,
            plan.get_state_display(),
            f"{plan.first_date:%d/%m/%Y}",
            f"{plan.last_date:%d/%m/%Y}",
            late.get(plan.pk, 0),
        )
        for plan in queries.list_plans(officer, request.GET.dict(), at=at)[
            :EXPORT_LIMIT
        ]
    )
    head = "Số,Tên kế hoạch,Đơn vị ban hành,Trạng thái,Từ ngày,Đến ngày,Việc quá hạn"
    return table_file("ke-hoach", head.split(","), rows)


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show a plan as it was signed, and how far each task is."""
    return _show(request, uid)


def _show(
    request: HttpRequest,
    uid: str,
    *,
    error: DomainError | None = None,
    opened: str = "",
    status: int = 200,
) -> HttpResponse:
    at = timezone.now()
    officer = officer_of(request)
    today = timezone.localdate(at)
    plan = access.access_plan(officer, uid, at=at)
    standings = queries.list_standings(plan, officer, today=today, at=at)
    if wants_json(request) and error is None:
        return JsonResponse(_facts(plan) | {"tasks": [_counts(s) for s in standings]})
    needed = AUTHOR if plan.state == rules.DRAFT else APPROVER
    may_change = plan.state != rules.CLOSED and access.may_keep(
        officer, plan, needed, at=at
    )
    issuer, *below = queries.list_units_of(plan) if may_change else [plan.unit]
    context = {
        "plan": plan,
        "standings": standings,
        "late": sum(standing.late for standing in standings),
        "bases": plan.documents.filter(kind=rules.BASE).order_by("issued_on", "pk"),
        "guidance": plan.documents.filter(kind=rules.GUIDANCE).order_by("pk"),
        "report_dates": plan.report_dates.order_by("before", "pk"),
        "is_draft": plan.state == rules.DRAFT,
        "may_change": may_change,
        "may_send": plan.state != rules.CLOSED
        and access.may_keep(officer, plan, APPROVER, at=at),
        "may_carry": access.may_keep(officer, plan, AUTHOR, at=at)
        and not hasattr(plan, "carried_to"),
        "sees_whole": access.sees_whole(officer, plan, at=at),
        "issuer": issuer,
        "below": below,
        "indicators": INDICATORS.values(),
        "figures": plan.targets.count()
        + plan.funding.count()
        + plan.running_costs.count(),
        "document_kinds": rules.DOCUMENT_KINDS.items(),
        "today": today,
        "sent": request.POST,
        "error": error,
        "opened": opened,
    }
    return render(request, "plan/plan.html", context, status=status)


def _counts(standing: queries.Standing) -> dict[str, Any]:
    return {
        "number": standing.task.number,
        "title": standing.task.title,
        "given": standing.given,
        "read": standing.read,
        "done": standing.done,
        "late": standing.late,
    }


# --- writing -----------------------------------------------------


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Begin a plan."""
    at = timezone.now()
    officer = officer_of(request)
    units = people.units_of(officer, at=at, kinds=[AUTHOR])
    if request.method != "POST":
        return _form(request, {"units": units})
    try:
        unit = people.access_unit(officer, request.POST.get("unit", ""), at=at)
        plan = actions.draft_plan(
            unit=unit,
            keeper=unit,
            words=forms.read_plan(request.POST.dict(), at=at),
            by=officer,
            at=at,
        )
    except InvalidError as error:
        if wants_json(request):
            raise
        return _form(request, {"units": units, "error": error}, status=422)
    return done(
        request, to=reverse("plan:plan", args=[plan.uid]), data={"uid": plan.uid}
    )


@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, uid: str) -> HttpResponse:
    """Write a draft anew."""
    at = timezone.now()
    officer = officer_of(request)
    plan = access.access_plan(officer, uid, at=at)
    people.check_can(officer, AUTHOR, unit=plan.keeper, at=at)
    if request.method != "POST":
        return _form(request, {"plan": plan})
    try:
        words = forms.read_plan(request.POST.dict(), at=at)
        actions.change_plan(plan_id=plan.pk, words=words, by=officer, at=at)
    except InvalidError as error:
        if wants_json(request):
            raise
        return _form(request, {"plan": plan, "error": error}, status=422)
    return done(
        request, to=reverse("plan:plan", args=[plan.uid]), data={"uid": plan.uid}
    )


def _form(
    request: HttpRequest, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    return render(
        request, "plan/write.html", {**context, "sent": request.POST}, status=status
    )


@require_POST
def add(request: HttpRequest, uid: str, what: str) -> HttpResponse:
    """Add a task, a paper or a reporting date to a plan."""
    at = timezone.now()
    officer = officer_of(request)
    plan = access.access_plan(officer, uid, at=at)
    told: dict[str, Any] = {"plan_id": plan.pk, "by": officer, "at": at}
    sent = request.POST.dict()
    try:
        if what == "nhiem-vu":
            words = forms.read_task(sent, at=at)
            units = forms.read_units(request.POST, plan)
            actions.add_task(**told, words=words, units=units)
        elif what == "van-ban":
            actions.add_document(**told, words=forms.read_document(sent, at=at))
        else:
            before = forms.need_day(sent, "before", at=at)
            actions.add_report_date(**told, what=sent.get("what", ""), before=before)
    except InvalidError as error:
        if wants_json(request):
            raise
        return _show(request, uid, error=error, opened=what, status=422)
    if not wants_json(request):
        messages.success(request, "Đã ghi vào kế hoạch.")
    return done(request, to=reverse("plan:plan", args=[plan.uid]), data={})


@require_POST
def remove(request: HttpRequest, uid: str, what: str, key: int) -> HttpResponse:
    """Take something out of a draft."""
    at = timezone.now()
    officer = officer_of(request)
    plan = access.access_plan(officer, uid, at=at)
    told: dict[str, Any] = {"plan_id": plan.pk, "by": officer, "at": at}
    if what == "nhiem-vu":
        actions.remove_task(**told, task_id=key)
    elif what == "van-ban":
        actions.remove_document(**told, document_id=key)
    elif what == "ngay-bao-cao":
        actions.remove_report_date(**told, date_id=key)
    else:
        raise AbsentError("plan.absent")
    if not wants_json(request):
        messages.success(request, "Đã bỏ khỏi bản thảo.")
    return done(request, to=reverse("plan:plan", args=[plan.uid]), data={})


@require_POST
def remove_draft(request: HttpRequest, uid: str) -> HttpResponse:
    """Take away a draft that was a mistake."""
    at = timezone.now()
    officer = officer_of(request)
    plan = access.access_plan(officer, uid, at=at)
    actions.remove_draft(plan_id=plan.pk, by=officer, at=at)
    if not wants_json(request):
        messages.success(request, f"Đã bỏ bản thảo “{plan.title}”.")
    return done(request, to=reverse("plan:plans"), data={})


@require_POST
def move(request: HttpRequest, uid: str, verb: str) -> HttpResponse:
    """Send a plan down, or end it."""
    at = timezone.now()
    officer = officer_of(request)
    plan = access.access_plan(officer, uid, at=at)
    if verb == "gui":
        plan = actions.send_plan(plan_id=plan.pk, by=officer, at=at)
        said = "Đã gửi kế hoạch xuống các đơn vị."
    else:
        plan = actions.close_plan(plan_id=plan.pk, by=officer, at=at)
        said = "Đã kết thúc kế hoạch."
    if not wants_json(request):
        messages.success(request, said)
    to = reverse("plan:plan", args=[plan.uid])
    return done(request, to=to, data={"state": plan.state})

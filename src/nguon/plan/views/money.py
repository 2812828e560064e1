"""Pages of targets and of money of one plan."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from nguon.core.errors import ConflictError, DomainError, InvalidError
from nguon.fleet import tables
from nguon.indicators import rules as figures
from nguon.indicators.catalogue import INDICATORS
from nguon.indicators.queries import Figure
from nguon.indicators.templatetags.indicators import missing_words
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.people.models import APPROVER, AUTHOR, Officer
from nguon.plan import access, actions, forms, money, money_queries, queries, rules
from nguon.plan.models import ActionPlan

PER_PAGE = 50
EXPORT_LIMIT = 20_000


def _may_set(officer: Officer, plan: ActionPlan, at: datetime) -> bool:
    needed = AUTHOR if plan.state == rules.DRAFT else APPROVER
    is_open = plan.state != rules.CLOSED
    return is_open and access.may_keep(officer, plan, needed, at=at)


# --- targets -----------------------------------------------------


@require_safe
def targets(request: HttpRequest, uid: str) -> HttpResponse:
    """List what each unit should reach."""
    return _targets(request, uid)


def _targets(
    request: HttpRequest,
    uid: str,
    *,
    error: DomainError | None = None,
    opened: str = "",
) -> HttpResponse:
    at = timezone.now()
    officer = officer_of(request)
    plan = access.access_plan(officer, uid, at=at)
    found = money_queries.list_targets(plan, officer, request.GET.dict(), at=at)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("trang"))
    today = timezone.localdate(at)
    reached = money_queries.list_reached(list(page), today=today)
    if wants_json(request) and error is None:
        rows = [
            {
                "unit": one.target.unit.code,
                "indicator": one.target.indicator,
                "year": one.target.year,
                "value": float(one.target.value),
                "is_example": one.target.is_example,
                "counted": one.figure.value if one.figure else None,
                "reaches": one.reaches,
            }
            for one in reached
        ]
        return JsonResponse({"targets": rows})
    may_set = _may_set(officer, plan, at)
    context = {
        "plan": plan,
        "page": page,
        "reached": reached,
        "today": today,
        "examples": found.filter(is_example=True).exists(),
        "indicators": INDICATORS.values(),
        "units": queries.list_units_of(plan) if may_set else [],
        "may_set": may_set,
        "asked": request.GET,
        "sent": request.POST,
        "error": error,
        "cause": error.__cause__ if error else None,
        "opened": opened,
        "stands": error is not None and error.code == "plan.target_stands",
    }
    status = (409 if isinstance(error, ConflictError) else 422) if error else 200
    return render(request, "plan/targets.html", context, status=status)


@require_safe
def targets_file(request: HttpRequest, uid: str) -> HttpResponse:
    """Give the targets as a file, in the form in which they are taken in."""
    at = timezone.now()
    officer = officer_of(request)
    plan = access.access_plan(officer, uid, at=at)
    found = money_queries.list_targets(plan, officer, request.GET.dict(), at=at)
    targets = list(found[:EXPORT_LIMIT])
    reached = money_queries.list_reached(targets, today=timezone.localdate(at))
    rows = (
        (
            one.target.unit.code,
            one.target.unit.full_name,
            INDICATORS[one.target.indicator].name,
            one.target.year,
            f"{one.target.value:f}".replace(".", ","),
            "ví dụ" if one.target.is_example else "",
            _written(one.figure),
        )
        for one in reached
    )
    head = [*actions.TARGET_COLUMNS, "Ghi chú", "Đã có"]
    return table_file("chi-tieu", head, rows)


def _written(figure: Figure | None) -> str:
    if figure is None:
        return missing_words(figures.NO_DAYS)
    if figure.value is None:
        return missing_words(figure.missing)
    return figures.cell(figures.shown(figure.value))


@require_POST
def set_target(request: HttpRequest, uid: str) -> HttpResponse:
    """Say what one unit should reach, or take in a table of targets."""
    at = timezone.now()
    officer = officer_of(request)
    plan = access.access_plan(officer, uid, at=at)
    file = request.FILES.get("file")
    try:
        if file is not None:
            said = _import(file.read(tables.MAX_BYTES + 1), plan, request, officer, at)
        else:
            _set_one(request.POST.dict(), plan, officer, at)
            said = "Đã ghi chỉ tiêu."
    except (InvalidError, ConflictError) as error:
        if wants_json(request):
            raise
        return _targets(request, uid, error=error, opened="bang" if file else "mot")
    if not wants_json(request):
        messages.success(request, said)
    return done(request, to=reverse("plan:targets", args=[plan.uid]), data={})


def _import(
    content: bytes,
    plan: ActionPlan,
    request: HttpRequest,
    officer: Officer,
    at: datetime,
) -> str:
    count = actions.import_targets(
        plan_id=plan.pk,
        rows=tables.read(content),
        is_example=bool(request.POST.get("is_example")),
        by=officer,
        at=at,
    )
    return f"{count.new} mới, {count.changed} sửa, {count.same} như cũ."


def _set_one(
    sent: dict[str, str], plan: ActionPlan, officer: Officer, at: datetime
) -> None:
    actions.set_target(
        plan_id=plan.pk,
        unit=forms.read_unit(sent, plan),
        year=money.read_year(sent.get("year", "")),
        indicator=sent.get("indicator", ""),
        value=money.read_number(sent.get("value", "")),
        is_example=bool(sent.get("is_example")),
        is_sure=bool(sent.get("is_sure")),
        by=officer,
        at=at,
    )


# --- money -------------------------------------------------------


@require_safe
def funding(request: HttpRequest, uid: str) -> HttpResponse:
    """Show money by source, line by line, and what running costs."""
    return _funding(request, uid)


def _funding(
    request: HttpRequest,
    uid: str,
    *,
    error: InvalidError | None = None,
    opened: str = "",
) -> HttpResponse:
    at = timezone.now()
    officer = officer_of(request)
    plan = access.access_plan(officer, uid, at=at)
    asked = request.GET.dict()
    found = money_queries.list_funding(plan, officer, asked, at=at)
    may_set = _may_set(officer, plan, at)
    context = {
        "plan": plan,
        "page": Paginator(found, PER_PAGE).get_page(request.GET.get("trang")),
        "purses": money_queries.list_purses(found),
        "costs": money_queries.list_running_costs(plan, officer, asked, at=at)[
            :PER_PAGE
        ],
        "sources": money.SOURCES.items(),
        "purposes": money.PURPOSES.items(),
        "units": queries.list_units_of(plan) if may_set else [],
        "may_set": may_set,
        "may_spend": plan.state == rules.SENT,
        "asked": request.GET,
        "sent": request.POST,
        "error": error,
        "opened": opened,
    }
    status = 422 if error else 200
    return render(request, "plan/funding.html", context, status=status)


@require_safe
def funding_file(request: HttpRequest, uid: str) -> HttpResponse:
    """Give the lines of money as a file."""
    at = timezone.now()
    officer = officer_of(request)
    plan = access.access_plan(officer, uid, at=at)
    found = money_queries.list_funding(plan, officer, request.GET.dict(), at=at)
    rows = (
        (
            row.unit.code,
            row.unit.full_name,
            row.year,
            row.get_source_display(),
            row.get_purpose_display(),
            row.amount,
            row.spent,
            row.left,
        )
        for row in found[:EXPORT_LIMIT]
    )
    head = (
        "Mã đơn vị", "Đơn vị", "Năm", "Nguồn", "Cho việc", "Số tiền (đồng)",
        "Đã chi (đồng)", "Còn lại (đồng)",
    )  # fmt: skip
    return table_file("kinh-phi", head, rows)


Setter = Callable[[dict[str, str], ActionPlan, Officer, datetime], object]


@require_POST
def set_money(request: HttpRequest, uid: str, what: str) -> HttpResponse:
    """Write a line of money, what was spent of one, or a running cost."""
    at = timezone.now()
    officer = officer_of(request)
    plan = access.access_plan(officer, uid, at=at)
    setters: dict[str, Setter] = {
        "dong": _set_line,
        "da-chi": _set_spent,
        "thuong-xuyen": _set_cost,
    }
    try:
        setters[what](request.POST.dict(), plan, officer, at)
    except InvalidError as error:
        if wants_json(request):
            raise
        return _funding(request, uid, error=error, opened=what)
    if not wants_json(request):
        messages.success(request, "Đã ghi kinh phí.")
    return done(request, to=reverse("plan:funding", args=[plan.uid]), data={})


def _set_line(
    sent: dict[str, str], plan: ActionPlan, officer: Officer, at: datetime
) -> object:
    return actions.set_funding(
        plan_id=plan.pk,
        unit=forms.read_unit(sent, plan),
        year=money.read_year(sent.get("year", "")),
        source=sent.get("source", ""),
        purpose=sent.get("purpose", ""),
        amount=money.read_dong(sent.get("amount", "")),
        by=officer,
        at=at,
    )


def _set_spent(
    sent: dict[str, str], plan: ActionPlan, officer: Officer, at: datetime
) -> object:
    line = money_queries.access_funding(plan, officer, sent.get("line", ""), at=at)
    spent = money.read_dong(sent.get("spent", ""))
    return actions.record_spent(uid=line.uid, spent=spent, by=officer, at=at)


def _set_cost(
    sent: dict[str, str], plan: ActionPlan, officer: Officer, at: datetime
) -> Any:
    return actions.set_running_cost(
        plan_id=plan.pk,
        unit=forms.read_unit(sent, plan),
        year=money.read_year(sent.get("year", "")),
        per_station=money.read_dong(sent.get("per_station", "")),
        per_cluster=money.read_dong(sent.get("per_cluster", "")),
        by=officer,
        at=at,
    )

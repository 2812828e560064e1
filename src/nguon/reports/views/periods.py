"""Pages of periods: what one has to send, who sent what, and what it comes to."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from nguon.core.errors import ConflictError, InvalidError
from nguon.people import access as people
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.people.models import APPROVER, AUTHOR
from nguon.reports import access, actions, forms, queries, rules, workbook
from nguon.reports.models import Period
from nguon.reports.views.forms import show_form

PER_PAGE = 30
UNITS_PER_PAGE = 50
EXPORT_LIMIT = 20_000
MINE = 6
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show what one has to send or accept, then the periods."""
    at = timezone.now()
    officer = officer_of(request)
    today = timezone.localdate(at)
    found = queries.list_periods(officer, request.GET.dict(), today=today, at=at)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("trang"))
    if wants_json(request):
        return JsonResponse({"periods": [_facts(period) for period in page]})
    mine = queries.list_open(officer, today=today, at=at)
    waiting = queries.list_to_decide(officer, today=today, at=at)
    context = {
        "page": page,
        "mine": mine[:MINE],
        "mine_count": mine.count(),
        "waiting": waiting[:MINE],
        "waiting_count": waiting.count(),
        "kinds": rules.KINDS.items(),
        "asked": request.GET,
        "today": today,
        "may_write": bool(people.paths_of(officer, at=at, kinds=[AUTHOR])),
    }
    return render(request, "reports/periods.html", context)


def _facts(period: Any) -> dict[str, Any]:
    return {
        "uid": period.uid,
        "form": period.form.title,
        "name": period.name,
        "first_date": period.first_date,
        "last_date": period.days.last,
        "due_date": period.due_date,
        "closed_at": period.closed_at,
        "asked": period.asked_count,
        "sent": period.sent_count,
        "accepted": period.accepted_count,
        "late": period.late_count,
    }


@require_safe
def index_file(request: HttpRequest) -> HttpResponse:
    """Give the list of periods as a file."""
    at = timezone.now()
    found = queries.list_periods(
        officer_of(request), request.GET.dict(), today=timezone.localdate(at), at=at
    )
    rows = (
        (
            period.form.title,
            period.name,
            f"{period.first_date:%d/%m/%Y}",
            f"{period.days.last:%d/%m/%Y}",
            f"{period.due_date:%d/%m/%Y}",
            period.asked_count,
            period.sent_count,
            period.accepted_count,
            period.late_count,
        )
        for period in found[:EXPORT_LIMIT]
    )
    head = (
        "Biểu mẫu", "Kỳ", "Từ ngày", "Đến ngày", "Hạn nộp", "Được hỏi", "Chờ duyệt",
        "Đã duyệt", "Muộn",
    )  # fmt: skip
    return table_file("ky-bao-cao", head, rows)


@require_POST
def open_one(request: HttpRequest, uid: str) -> HttpResponse:
    """Open a period of a form for every unit."""
    officer, at = officer_of(request), timezone.now()
    form = access.access_form(officer, uid, at=at)
    sent = request.POST.dict()
    try:
        period = actions.open_period(
            form_id=form.pk,
            kind=sent.get("kind", ""),
            days=forms.read_days(sent, at=at),
            due_days=forms.read_whole(sent.get("due_days", "")),
            is_sure=sent.get("sure") == "1",
            by=officer,
            at=at,
        )
    except (InvalidError, ConflictError) as error:
        if wants_json(request):
            raise
        return show_form(request, form, officer, at, error=error, opened="ky")
    if not wants_json(request):
        messages.success(request, "Đã mở kỳ báo cáo; các đơn vị nhận thông báo.")
    to = reverse("reports:period", args=[period.uid])
    return done(request, to=to, data={"uid": period.uid})


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show who reports in a period, what waits first."""
    at = timezone.now()
    officer = officer_of(request)
    today = timezone.localdate(at)
    period = access.access_period(officer, uid, at=at)
    found = queries.list_submissions(
        officer, request.GET.dict(), today=today, at=at, period=period
    )
    page = Paginator(found, UNITS_PER_PAGE).get_page(request.GET.get("trang"))
    if wants_json(request):
        rows = [
            {
                "uid": row.uid,
                "unit": row.unit.full_name,
                "state": row.state,
                "late": row.is_late,
                "missing": row.missing,
            }
            for row in page
        ]
        return JsonResponse({"submissions": rows})
    keeps = people.can(officer, APPROVER, unit=period.form.unit, at=at)
    context = {
        "period": period,
        "page": page,
        "states": _filters(),
        "asked": request.GET,
        "today": today,
        "may_close": keeps and period.closed_at is None,
    }
    return render(request, "reports/period.html", context)


def _filters() -> list[tuple[str, str]]:
    return [
        ("waiting", "Chưa gửi"),
        ("late", "Muộn"),
        ("incomplete", "Thiếu số"),
        *rules.SHOWN_STATES.items(),
    ]


@require_safe
def show_file(request: HttpRequest, uid: str) -> HttpResponse:
    """Give who reports in a period as a file."""
    at = timezone.now()
    officer = officer_of(request)
    today = timezone.localdate(at)
    period = access.access_period(officer, uid, at=at)
    found = queries.list_submissions(
        officer, request.GET.dict(), today=today, at=at, period=period
    )
    rows = (
        (
            row.unit.code,
            row.unit.full_name,
            row.state_name,
            row.late_words(today),
            row.missing,
            row.first_sent_on and f"{row.first_sent_on:%d/%m/%Y}",
            row.sent_at and f"{timezone.localdate(row.sent_at):%d/%m/%Y}",
            row.sent_by.full_name if row.sent_by else "",
        )
        for row in found[:EXPORT_LIMIT]
    )
    head = (
        "Mã đơn vị", "Đơn vị", "Trạng thái", "Muộn", "Số mục thiếu", "Gửi lần đầu",
        "Gửi gần nhất", "Người gửi",
    )  # fmt: skip
    return table_file(f"ky-{period.first_date}", head, rows)


@require_safe
def table(request: HttpRequest, uid: str) -> HttpResponse:
    """Show every unit's figures, and what they come to."""
    officer, at = officer_of(request), timezone.now()
    period = access.access_period(officer, uid, at=at)
    made = queries.make_table(period, officer, at=at)
    context = {"period": period, "table": made}
    return render(request, "reports/table.html", context)


@require_safe
def table_csv(request: HttpRequest, uid: str) -> HttpResponse:
    """Give every unit's figures as a file."""
    officer, at = officer_of(request), timezone.now()
    period: Period = access.access_period(officer, uid, at=at)
    made = queries.make_table(period, officer, at=at)
    head = ["Mã đơn vị", "Đơn vị", "Trạng thái"]
    head += [
        f"{field.name} ({field.unit})" if field.unit else field.name
        for field in made.fields
    ]
    rows = (
        (
            row.unit.code,
            row.unit.full_name,
            row.state_name,
            *(
                cell if cell is None or isinstance(cell, str) else rules.plain(cell)
                for cell in cells
            ),
        )
        for row, cells in made.rows
    )
    return table_file(f"tong-hop-{period.first_date}", head, rows)


@require_safe
def table_xlsx(request: HttpRequest, uid: str) -> HttpResponse:
    """Give every unit's accepted figures as a workbook with live formulas."""
    officer, at = officer_of(request), timezone.now()
    period = access.access_period(officer, uid, at=at)
    content = workbook.write(
        period,
        list(period.form.fields.order_by("number", "pk")),
        queries.list_leaves(period, officer, at=at),
        queries.find_top(period, officer, at=at),
    )
    answer = HttpResponse(content, content_type=XLSX)
    name = f"tong-hop-{period.first_date}.xlsx"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@require_POST
def close(request: HttpRequest, uid: str) -> HttpResponse:
    """End a period."""
    officer, at = officer_of(request), timezone.now()
    period = access.access_period(officer, uid, at=at)
    actions.close_period(period_id=period.pk, by=officer, at=at)
    if not wants_json(request):
        messages.success(request, "Đã đóng kỳ báo cáo.")
    return done(request, to=reverse("reports:period", args=[period.uid]), data={})

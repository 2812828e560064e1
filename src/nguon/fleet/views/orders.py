"""Screens of repairs: the list, one work order on a phone, photos, reports."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from nguon.core.errors import AbsentError, InvalidError
from nguon.fleet import access, actions, files, queries, repairs
from nguon.fleet.models import DeviceReport, WorkOrder
from nguon.people import access as people
from nguon.people import queries as officers
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.people.models import TECHNICIAN, Officer

PER_PAGE = 50
EXPORT_LIMIT = 50_000
# Over this time the mean time to repair is counted.
MEAN_OVER = timedelta(days=90)


def _found(request: HttpRequest, officer: Officer, at: datetime) -> QuerySet[WorkOrder]:
    """Return the repairs that the officer sees and asks for."""
    asked = request.GET
    path = ""
    if asked.get("xa"):
        path = people.access_unit(officer, asked["xa"][:12], at=at).path
    return queries.filter_orders(
        access.fence_orders(officer, at=at),
        text=asked.get("tim", "").replace("\0", "").strip()[:60],
        state=asked.get("trang_thai", ""),
        unit_path=path,
        assigned=officer if asked.get("cua_toi") else None,
        late_at=at if asked.get("qua_han") else None,
    )


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List repairs, the unfinished first."""
    at = timezone.now()
    officer = officer_of(request)
    page = Paginator(_found(request, officer, at), PER_PAGE).get_page(
        request.GET.get("trang")
    )
    if wants_json(request):
        return JsonResponse({"orders": [_facts(order) for order in page]})
    mine = access.fence_orders(officer, at=at)
    context = {
        "page": page,
        "asked": request.GET,
        "states": repairs.STATES.items(),
        "counts": queries.count_orders(mine, at=at),
        "mean": queries.mean_time_to_repair(mine, since=at - MEAN_OVER),
        "units": access.list_grounds(officer, at=at),
        "at": at,
    }
    return render(request, "fleet/orders.html", context)


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Send the list as a table file."""
    at = timezone.now()
    found = _found(request, officer_of(request), at)[:EXPORT_LIMIT]
    head = (
        "Mã phiếu", "Thiết bị", "Nơi đặt", "Việc", "Trạng thái", "Người làm", "Mở lúc",
        "Hạn", "Sửa xong lúc", "Máy kêu lại lúc", "Nguyên nhân", "Thay thế",
        "Chi phí (đồng)", "Ghi chú",
    )  # fmt: skip
    rows = (
        (
            order.uid,
            order.device.name,
            order.unit.full_name,
            order.task,
            order.state_name,
            order.assigned.full_name if order.assigned else "",
            queries.local_text(order.opened_at),
            queries.local_text(order.due_at),
            queries.local_text(order.done_at),
            queries.local_text(order.ended_at)
            if order.state == repairs.VERIFIED
            else "",
            "; ".join(order.cause_names),
            order.parts,
            order.cost,
            order.notes,
        )
        for order in found
    )
    return table_file("phieu-sua-chua", head, rows)


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show one repair and what comes next in it."""
    at = timezone.now()
    officer = officer_of(request)
    order = access.access_order(officer, uid, at=at)
    if wants_json(request):
        return JsonResponse(_facts(order))
    context = {
        "order": order,
        "device": order.device,
        "health": getattr(order.device, "health", None),
        "photos": order.photos.select_related("media").order_by("pk"),
        "reports": order.reports.order_by("at", "pk"),
        "causes": repairs.CAUSES.items(),
        "rehearsal": order.rehearsals.order_by("-opened_at", "-pk").first(),
        "may_keep": access.can_keep(officer, unit=order.device.unit, at=at),
        "technicians": officers.list_around(order.device.unit, kind=TECHNICIAN, at=at),
        "is_late": order.due_at is not None and (order.done_at or at) > order.due_at,
        "tests_left": repairs.MAX_TESTS - order.tests,
        "photos_left": repairs.MAX_PHOTOS - order.photos.count(),
    }
    return render(request, "fleet/order.html", context)


@require_POST
def create(request: HttpRequest, uid: str) -> HttpResponse:
    """Open a repair of a device."""
    at = timezone.now()
    officer = officer_of(request)
    device = access.access_device(officer, uid, at=at)
    order = actions.open_order(
        device_id=device.pk,
        task=request.POST.get("task", "").replace("\0", ""),
        by=officer,
        at=at,
    )
    return _answer(request, order, "Đã lập phiếu sửa chữa.")


@require_POST
def move(request: HttpRequest, uid: str, verb: str) -> HttpResponse:
    """Begin a repair, end it, give it up, or give it to somebody."""
    at = timezone.now()
    officer = officer_of(request)
    order = access.access_order(officer, uid, at=at)
    asked: dict[str, Any] = {"order_id": order.pk, "by": officer, "at": at}
    told = request.POST
    if verb == "bat-dau":
        order = actions.start_order(**asked)
        said = "Đã bắt đầu sửa. Máy được tính là đang sửa."
    elif verb == "xong":
        order = actions.finish_order(
            **asked,
            causes=told.getlist("cause"),
            parts=told.get("parts", "").replace("\0", "").strip(),
            cost=_money(told.get("cost", "")),
            notes=told.get("notes", "").replace("\0", "").strip(),
        )
        said = (
            "Đã ghi xong. Máy kêu thử nhỏ và diễn tập một ngày; "
            "kêu được, khớp lịch thì phiếu tự đóng."
        )
    elif verb == "giao":
        order = actions.assign_order(**asked, assigned=_technician(told, order, at))
        said = "Đã giao phiếu."
    else:
        reason = told.get("reason", "").replace("\0", "")
        order = actions.drop_order(**asked, reason=reason)
        said = "Đã bỏ phiếu sửa."
    return _answer(request, order, said)


def _technician(told: Any, order: WorkOrder, at: datetime) -> Officer:
    """Return the chosen technician. Raises InvalidError `fleet.order_assigned`."""
    key = told.get("assigned", "")
    around = officers.list_around(order.device.unit, kind=TECHNICIAN, at=at)
    for officer in around:
        if str(officer.pk) == key:
            return officer
    raise InvalidError("fleet.order_assigned")


def _money(text: str) -> int:
    """Return whole đồng from `1.200.000` or `1200000`. Raises InvalidError."""
    digits = "".join(letter for letter in text if letter not in " .,đ")
    if not digits:
        return 0
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 12):
        raise InvalidError("fleet.order_cost")
    return int(digits)


@require_POST
def add_photo(request: HttpRequest, uid: str) -> HttpResponse:
    """Take a photo from a phone."""
    at = timezone.now()
    officer = officer_of(request)
    order = access.access_order(officer, uid, at=at)
    sent = request.FILES.get("photo")
    if sent is None:
        raise InvalidError("fleet.photo_missing")
    actions.add_photo(order_id=order.pk, data=sent.read(), by=officer, at=at)
    return _answer(request, order, "Đã thêm ảnh.")


@require_safe
def photo(request: HttpRequest, uid: str, photo_id: int) -> HttpResponseBase:
    """Send one photo of a repair to whoever may see the repair."""
    order = access.access_order(officer_of(request), uid, at=timezone.now())
    found = order.photos.select_related("media").filter(pk=photo_id).first()
    if found is None:
        raise AbsentError("fleet.media_absent")
    return files.serve(request, found.media)


@require_http_methods(["GET", "POST"])
def reports(request: HttpRequest) -> HttpResponse:
    """List what people reported; lay one aside."""
    at = timezone.now()
    officer = officer_of(request)
    found = access.fence_reports(officer, at=at)
    if request.method == "POST":
        key = request.POST.get("report", "")
        report = found.filter(pk=int(key) if key.isdecimal() else 0).first()
        if report is None:
            raise AbsentError("fleet.report_absent")
        actions.close_report(report_id=report.pk, by=officer, at=at)
        return done(request, to=reverse("fleet:reports"), data={"report": report.pk})
    wanted = _reports(request, found)
    page = Paginator(wanted, PER_PAGE).get_page(request.GET.get("trang"))
    context = {
        "page": page,
        "asked": request.GET,
        "may_keep": bool(access.list_kept(officer, at=at)),
    }
    return render(request, "fleet/reports.html", context)


def _reports(
    request: HttpRequest, found: QuerySet[DeviceReport]
) -> QuerySet[DeviceReport]:
    return queries.filter_reports(
        found,
        text=request.GET.get("tim", "").replace("\0", "").strip()[:60],
        only_open=not request.GET.get("tat_ca"),
    )


@require_safe
def export_reports(request: HttpRequest) -> HttpResponse:
    """Send what people reported as a table file, without their numbers."""
    found = access.fence_reports(officer_of(request), at=timezone.now())
    rows = (
        (
            queries.local_text(report.at),
            report.device.name,
            report.unit.full_name,
            report.kind_name,
            report.words,
            report.order.uid if report.order else "",
            queries.local_text(report.closed_at),
        )
        for report in _reports(request, found)[:EXPORT_LIMIT]
    )
    head = ("Lúc", "Thiết bị", "Nơi đặt", "Việc", "Lời báo", "Phiếu sửa", "Xong lúc")
    return table_file("tin-bao-hong", head, rows)


def _answer(request: HttpRequest, order: WorkOrder, said: str) -> HttpResponse:
    if not wants_json(request):
        messages.success(request, said)
    to = reverse("fleet:order", args=[order.uid])
    return done(request, to=to, data=_facts(order))


def _facts(order: WorkOrder) -> dict[str, Any]:
    return {
        "order": order.uid,
        "device": order.device.uid,
        "state": order.state,
        "task": order.task,
        "causes": order.causes,
        "cost": order.cost,
        "tests": order.tests,
        "opened_at": order.opened_at,
        "done_at": order.done_at,
        "ended_at": order.ended_at,
    }

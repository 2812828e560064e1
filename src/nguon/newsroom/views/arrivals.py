"""What came in by itself: the list, one text, and the decision about it."""

from datetime import datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from nguon.core import phones
from nguon.newsroom import actions, rules
from nguon.newsroom.arrivals import access_arrival, list_arrivals, list_feeds
from nguon.newsroom.models import Arrival
from nguon.people import access as people_access
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.people.models import AUTHOR
from nguon.territory.models import PROVINCE

PER_PAGE = 30
EXPORT_LIMIT = 20_000
FILTERS = ("q", "nguon", "trang_thai", "feed")


def _found(request: HttpRequest, at: datetime) -> QuerySet[Arrival]:
    asked = request.GET
    found = list_arrivals(
        officer_of(request),
        at=at,
        text=asked.get("q", ""),
        below=asked.get("noi") == "tat-ca",
    )
    if asked.get("nguon") in rules.ORIGINS:
        found = found.filter(origin=asked["nguon"])
    if asked.get("feed", "").isdecimal():
        found = found.filter(feed=int(asked["feed"][:9]))
    if asked.get("trang_thai") in rules.ARRIVAL_STATES:
        found = found.filter(state=asked["trang_thai"])
    return found


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List what came in: what waits first, then the newest."""
    at = timezone.now()
    officer = officer_of(request)
    page = Paginator(_found(request, at), PER_PAGE).get_page(request.GET.get("trang"))
    if wants_json(request):
        rows = [_facts(arrival) for arrival in page]
        return JsonResponse({"arrivals": rows, "count": page.paginator.count})
    units = people_access.units_of(officer, at=at)
    feeds = list_feeds(officer, at=at)
    context = {
        "page": page,
        "asked": request.GET,
        "states": rules.ARRIVAL_STATES.items(),
        "origins": rules.ORIGINS.items(),
        "feeds": feeds.filter(unit__in=units),
        "broken": feeds.filter(unit__in=units, is_on=True).exclude(trouble="").count(),
        "has_below": any(unit.kind == PROVINCE for unit in units),
        "is_filtered": any(request.GET.get(key) for key in FILTERS),
        "may_write": bool(people_access.paths_of(officer, at=at, kinds=[AUTHOR])),
        "units": [unit for unit in units if unit.kind in rules.OFFERED_TO],
    }
    return render(request, "newsroom/arrivals.html", context)


def _facts(arrival: Arrival) -> dict[str, object]:
    return {
        "arrival": arrival.uid,
        "title": arrival.title,
        "origin": arrival.origin,
        "source": arrival.source_name,
        "state": arrival.state,
        "arrived_at": arrival.arrived_at.isoformat(),
    }


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Give the same list as a file; of a phone only what may leave the office."""
    rows = (
        (
            f"{timezone.localtime(arrival.arrived_at):%d/%m/%Y %H:%M}",
            arrival.unit.full_name,
            rules.ORIGINS[arrival.origin],
            arrival.source_name,
            arrival.title,
            rules.FIELDS.get(arrival.field, ""),
            phones.mask(arrival.phone),
            arrival.link,
            rules.ARRIVAL_STATES[arrival.state],
            arrival.decided_by.full_name if arrival.decided_by else "",
            arrival.reason,
        )
        for arrival in _found(request, timezone.now())[:EXPORT_LIMIT]
    )
    head = (
        "Đến lúc,Đơn vị,Loại nguồn,Nguồn,Tiêu đề,Lĩnh vực,Điện thoại,Địa chỉ gốc,"
        "Trạng thái,Người quyết định,Lý do"
    )
    return table_file("tin-den", head.split(","), rows)


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show one text whole, whose it is, and what may be done with it."""
    at = timezone.now()
    officer = officer_of(request)
    arrival = access_arrival(uid=uid, officer=officer, at=at)
    may_decide = people_access.can(officer, AUTHOR, unit=arrival.unit, at=at)
    if wants_json(request):
        return JsonResponse(_facts(arrival) | {"body": arrival.body})
    shown = phones.shown if may_decide else phones.mask
    context = {
        "arrival": arrival,
        "origin": rules.ORIGINS[arrival.origin],
        "may_decide": may_decide,
        "is_open": arrival.state == rules.ARRIVED,
        "phone": shown(arrival.phone),
        "sender_days": rules.SENDER_DAYS,
        "reason_limit": rules.REASON_LIMIT,
    }
    return render(request, "newsroom/arrival.html", context)


@require_POST
def take(request: HttpRequest, uid: str) -> HttpResponse:
    """Make a draft of it, and open the draft."""
    bulletin = actions.take_arrival(uid=uid, by=officer_of(request), at=timezone.now())
    if not wants_json(request):
        messages.success(request, "Đã làm bản nháp. Xem lại rồi mới gửi duyệt.")
    address = reverse("newsroom:edit", args=[bulletin.uid])
    return done(request, to=address, data={"bulletin_uid": bulletin.uid})


@require_POST
def leave(request: HttpRequest, uid: str) -> HttpResponse:
    """Set it aside with a reason."""
    arrival = actions.set_aside(
        uid=uid,
        reason=request.POST.get("reason", ""),
        by=officer_of(request),
        at=timezone.now(),
    )
    if not wants_json(request):
        messages.success(request, "Đã ghi là không dùng.")
    return done(request, to=reverse("newsroom:arrivals"), data=_facts(arrival))

"""The list of bulletins with their state, and the page of one bulletin."""

from collections import Counter
from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from nguon.newsroom import queries as newsroom
from nguon.newsroom import rules as newsroom_rules
from nguon.newsroom.access import access_bulletin
from nguon.newsroom.models import Bulletin
from nguon.people import access
from nguon.people.answers import officer_of, table_file, wants_json
from nguon.people.models import AUTHOR
from nguon.schedule import queries, rules
from nguon.schedule.models import Broadcast
from nguon.territory.names import fold

DRAFT = "draft"
PER_PAGE = 30
EXPORT_LIMIT = 20_000


def _found(request: HttpRequest, at: datetime) -> QuerySet[Any]:
    """Return the bulletins that the officer sees and asks for."""
    latest = Broadcast.objects.filter(version__bulletin=OuterRef("pk")).order_by("-pk")
    found: QuerySet[Any] = access.fence(
        Bulletin.objects.all(), officer=officer_of(request), at=at
    ).annotate(state=Subquery(latest.values("state")[:1]))
    asked = request.GET
    for word in fold(asked.get("q", "")).split():
        found = found.filter(folded__contains=word)
    if asked.get("loai") in newsroom_rules.CLASSES:
        found = found.filter(klass=asked["loai"])
    if asked.get("linh_vuc", "").isdecimal():
        found = found.filter(field=int(asked["linh_vuc"]))
    if asked.get("trang_thai") == DRAFT:
        found = found.filter(state__isnull=True)
    elif asked.get("trang_thai") in rules.STATES:
        found = found.filter(state=asked["trang_thai"])
    return found.select_related("unit", "saved_by").order_by("-saved_at", "-pk")


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List bulletins, the latest first."""
    at = timezone.now()
    page = Paginator(_found(request, at), PER_PAGE).get_page(request.GET.get("trang"))
    if wants_json(request):
        rows = [_row_facts(bulletin) for bulletin in page]
        return JsonResponse({"bulletins": rows, "count": page.paginator.count})
    context = {
        "page": page,
        "classes": newsroom_rules.CLASSES.items(),
        "fields": newsroom_rules.FIELDS.items(),
        "states": [(DRAFT, "Đang soạn"), *rules.STATES.items()],
        "asked": request.GET,
        "is_filtered": any(request.GET.get(k) for k in ("q", "loai", "linh_vuc")),
    }
    return render(request, "schedule/bulletins.html", context)


def _row_facts(bulletin: Any) -> dict[str, Any]:
    return {
        "uid": bulletin.uid,
        "title": bulletin.title,
        "class": bulletin.klass,
        "drill": bulletin.drill,
        "state": bulletin.state or DRAFT,
        "saved_at": bulletin.saved_at.isoformat(),
    }


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Give the same list as a file."""
    at = timezone.now()
    rows = (
        (
            bulletin.uid,
            bulletin.title,
            newsroom_rules.CLASSES[bulletin.klass],
            "có" if bulletin.drill else "không",
            newsroom_rules.FIELDS[bulletin.field],
            rules.STATES.get(bulletin.state or "", "Đang soạn"),
            bulletin.unit.full_name,
            bulletin.saved_by.full_name,
            f"{timezone.localtime(bulletin.saved_at):%d/%m/%Y %H:%M}",
        )
        for bulletin in _found(request, at)[:EXPORT_LIMIT]
    )
    head = "Mã,Tiêu đề,Loại,Diễn tập,Lĩnh vực,Trạng thái,Đơn vị,Người lưu,Lưu lúc"
    return table_file("ban-tin", head.split(","), rows)


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show one bulletin: its text, and everything that became of it."""
    at = timezone.now()
    officer = officer_of(request)
    bulletin = access_bulletin(uid=uid, officer=officer, at=at)
    broadcasts = list(
        Broadcast.objects.filter(version__bulletin=bulletin)
        .select_related("version", "unit", "authority")
        .select_related("submitted_by", "approved_by", "returned_by")
        .order_by("-pk")
    )
    if wants_json(request):
        return JsonResponse(
            {
                "uid": bulletin.uid,
                "bulletin_uid": bulletin.uid,
                "title": bulletin.title,
                "broadcasts": [broadcast_facts(one) for one in broadcasts],
            }
        )
    latest = broadcasts[0] if broadcasts else None
    context = {
        "bulletin": bulletin,
        "broadcasts": broadcasts,
        "latest": latest,
        "is_preparing": bool(latest and latest.state == rules.PREPARING),
        "sounds": newsroom.list_sounds(latest.version) if latest else [],
        "use": _use(latest) if latest and latest.is_offered else None,
        "may_write": access.can(officer, AUTHOR, unit=bulletin.unit, at=at),
    }
    return render(request, "schedule/bulletin.html", context)


def _use(broadcast: Broadcast) -> dict[str, Any] | None:
    """Return what the communes made of a bulletin, or None before its release."""
    rows = queries.list_use(broadcast)
    states = Counter(row.entry.state for row in rows)
    if not rows:
        return None
    return {
        "rows": rows,
        "taken": states[rules.TAKEN],
        "left": states[rules.LEFT],
        "open": states[rules.NEW],
        "sounded": sum(bool(row.airings) for row in rows),
    }


def broadcast_facts(broadcast: Broadcast) -> dict[str, Any]:
    """Return what a program is told of a broadcast."""
    return {
        "broadcast_uid": broadcast.uid,
        "state": broadcast.state,
        "sha256": broadcast.sha256,
        "content_sha256": broadcast.version.content_sha256,
        "targeted": broadcast.targeted,
        "timing": broadcast.timing,
        "submitted_at": broadcast.submitted_at.isoformat(),
        "approval_url": reverse("schedule:approval", args=[broadcast.uid]),
        "live_url": reverse("schedule:live", args=[broadcast.uid]),
    }

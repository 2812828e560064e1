"""The list of bulletins with their state, and the page of one bulletin."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from django.core.paginator import Paginator
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from nguon.newsroom import queries as newsroom
from nguon.newsroom import rules as newsroom_rules
from nguon.newsroom import search
from nguon.newsroom.access import access_bulletin
from nguon.newsroom.models import Bulletin
from nguon.people import access
from nguon.people.answers import officer_of, table_file, wants_json
from nguon.people.models import AUTHOR
from nguon.schedule import queries, rules, supply
from nguon.schedule.models import Broadcast

DRAFT = "draft"
PER_PAGE = 30
EXPORT_LIMIT = 20_000


@dataclass(frozen=True)
class _Asked:
    """The bulletins that an officer sees and asks for; `more` were not ranked."""

    rows: Sequence[Any] | QuerySet[Any]
    more: bool = False


def _found(request: HttpRequest, at: datetime) -> _Asked:
    """Return what is asked for: the best match first, else the latest saved."""
    found = _filtered(request, at)
    text = request.GET.get("q", "").strip()
    if not text:
        return _Asked(found)
    answer = search.find(
        cast("QuerySet[Bulletin]", found),
        text,
        paths=access.read_paths(officer_of(request), at=at),
        field=_field(request),
        klass=_klass(request),
    )
    by_key = found.in_bulk(answer.keys)
    return _Asked([by_key[key] for key in answer.keys], more=answer.more)


def _field(request: HttpRequest) -> int | None:
    text = request.GET.get("linh_vuc", "")
    return int(text) if text.isdecimal() else None


def _klass(request: HttpRequest) -> str | None:
    klass = request.GET.get("loai")
    return klass if klass in newsroom_rules.CLASSES else None


def _filtered(request: HttpRequest, at: datetime) -> QuerySet[Any]:
    latest = Broadcast.objects.filter(version__bulletin=OuterRef("pk")).order_by("-pk")
    found: QuerySet[Any] = access.fence(
        Bulletin.objects.all(), officer=officer_of(request), at=at
    ).annotate(state=Subquery(latest.values("state")[:1]))
    asked = request.GET
    if (klass := _klass(request)) is not None:
        found = found.filter(klass=klass)
    if (field := _field(request)) is not None:
        found = found.filter(field=field)
    today = timezone.localdate(at)
    if asked.get("han") == "con":
        found = found.exclude(expires_on__lt=today)
    elif asked.get("han") == "het":
        found = found.filter(expires_on__lt=today)
    if asked.get("trang_thai") == DRAFT:
        found = found.filter(state__isnull=True)
    elif asked.get("trang_thai") in rules.STATES:
        found = found.filter(state=asked["trang_thai"])
    return found.select_related("unit", "saved_by").order_by("-saved_at", "-pk")


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List bulletins, the latest first."""
    at = timezone.now()
    found = _found(request, at)
    page = Paginator(found.rows, PER_PAGE).get_page(request.GET.get("trang"))
    text = request.GET.get("q", "").strip()
    for bulletin in page:
        bulletin.snippet = search.snippet(bulletin.body, text) if text else []
        bulletin.is_expired = _is_past(bulletin.expires_on, at)
    if wants_json(request):
        rows = [_row_facts(bulletin) for bulletin in page]
        return JsonResponse({"bulletins": rows, "count": page.paginator.count})
    context = {
        "page": page,
        "classes": newsroom_rules.CLASSES.items(),
        "fields": newsroom_rules.FIELDS.items(),
        "states": [(DRAFT, "Đang soạn"), *rules.STATES.items()],
        "asked": request.GET,
        "more": found.more,
        "is_filtered": any(
            request.GET.get(k) for k in ("q", "loai", "linh_vuc", "han")
        ),
    }
    return render(request, "schedule/bulletins.html", context)


def _is_past(day: date | None, at: datetime) -> bool:
    return day is not None and day < timezone.localdate(at)


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
        for bulletin in _found(request, at).rows[:EXPORT_LIMIT]
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
        "attached": list(bulletin.attachments.select_related("media", "poster")),
        "is_expired": _is_past(bulletin.expires_on, at),
        "remarks": bulletin.comments.count(),
        "may_reuse": bool(access.paths_of(officer, at=at, kinds=[AUTHOR])),
        "use": _use(latest) if latest and latest.is_offered else None,
        "may_write": access.can(officer, AUTHOR, unit=bulletin.unit, at=at),
        "origin": supply.origin_of(bulletin, title=bulletin.title, body=bulletin.body),
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

"""The commune's inbox: what comes from above, taken or left, and what comes first."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from nguon.newsroom import queries as newsroom
from nguon.newsroom import rules as newsroom_rules
from nguon.people import access
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.people.models import AUTHOR
from nguon.schedule import actions, inbox, queries, rules, supply
from nguon.schedule.models import InboxEntry
from nguon.schedule.templatetags.schedule import when_words
from nguon.territory.models import COMMUNE, Unit
from nguon.territory.names import fold

PER_PAGE = 30
EXPORT_LIMIT = 20_000
# Priority bulletins of so many stations are shown; who has more ground opens one.
STATIONS_SHOWN = 3


def _found(request: HttpRequest, at: datetime) -> QuerySet[InboxEntry]:
    """Return the entries that the officer sees and asks for."""
    found = queries.list_inbox(officer_of(request), at=at)
    asked = request.GET
    for word in fold(asked.get("q", "")).split():
        found = found.filter(broadcast__version__bulletin__folded__contains=word)
    if asked.get("trang_thai") in rules.INBOX_STATES:
        found = found.filter(state=asked["trang_thai"])
    return found


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List what came from above, undecided first; and the priority of coming days."""
    at = timezone.now()
    page = Paginator(_found(request, at), PER_PAGE).get_page(request.GET.get("trang"))
    if wants_json(request):
        rows = [entry_facts(entry) for entry in page]
        return JsonResponse({"entries": rows, "count": page.paginator.count})
    units = access.units_of(officer_of(request), at=at)
    communes = [unit for unit in units if unit.kind == COMMUNE][:STATIONS_SHOWN]
    context = {
        "page": page,
        "asked": request.GET,
        "states": rules.INBOX_STATES.items(),
        "is_filtered": any(request.GET.get(k) for k in ("q", "trang_thai")),
        "stations": [_priority(unit, at) for unit in communes],
        "at": at,
    }
    return render(request, "schedule/inbox.html", context)


def _priority(unit: Unit, at: datetime) -> dict[str, Any]:
    clashes = queries.list_clashes(unit, at=at)
    return {
        "unit": unit,
        "airings": queries.list_priority(unit, at=at)[:PER_PAGE],
        "clashes": clashes,
        "open": sum(not clash.is_ordered for clash in clashes),
        "clashing": {row.item for clash in clashes for row in clash.airings},
    }


def entry_facts(entry: InboxEntry) -> dict[str, Any]:
    """Return what a program is told of an entry."""
    return {
        "entry": entry.pk,
        "unit": entry.unit.uid,
        "broadcast_uid": entry.broadcast.uid,
        "title": entry.broadcast.version.shown_title,
        "state": entry.state,
        "reason": entry.reason,
        "arrived_at": entry.arrived_at.isoformat(),
        "is_withdrawn": entry.broadcast.state != rules.APPROVED,
    }


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Give the same list as a file."""
    at = timezone.now()
    rows = (
        (
            entry.broadcast.version.shown_title,
            supply.supplier_name(entry.broadcast),
            newsroom_rules.FIELDS[entry.broadcast.version.field],
            when_words(entry.broadcast.when),
            entry.unit.full_name,
            _written(entry.arrived_at),
            rules.INBOX_STATES[entry.state],
            entry.reason,
            entry.decided_by.full_name if entry.decided_by else "",
            _written(entry.decided_at),
            "" if entry.broadcast.state == rules.APPROVED else "đã rút",
        )
        for entry in _found(request, at)[:EXPORT_LIMIT]
    )
    head = (
        "Tiêu đề,Nơi gửi,Lĩnh vực,Nơi gửi đề nghị phát,Xã,Đến lúc,Quyết định,Lý do,"
        "Người quyết định,Quyết định lúc,Ghi chú"
    )
    return table_file("hop-tin", head.split(","), rows)


def _written(moment: datetime | None) -> str:
    return f"{timezone.localtime(moment):%d/%m/%Y %H:%M}" if moment else ""


@require_safe
def show(request: HttpRequest, key: int) -> HttpResponse:
    """Show one bulletin from above: hear it, then take it or leave it."""
    at = timezone.now()
    officer = officer_of(request)
    entry = inbox.access_entry(key, officer=officer, at=at)
    if wants_json(request):
        return JsonResponse(entry_facts(entry))
    version = entry.broadcast.version
    context = {
        "entry": entry,
        "broadcast": entry.broadcast,
        "version": version,
        "sounds": newsroom.list_sounds(version),
        "shown": newsroom.list_attached(version),
        "may_decide": access.can(officer, AUTHOR, unit=entry.unit, at=at),
        "is_withdrawn": entry.broadcast.state != rules.APPROVED,
        "is_used": inbox.is_used(entry, at=at),
        "papers": inbox.list_papers_with(entry, at=at),
        "own_version": supply.version_of(entry),
    }
    return render(request, "schedule/entry.html", context)


@require_POST
def take(request: HttpRequest, key: int) -> HttpResponse:
    """Take a bulletin into the materials of the commune's programmes."""
    at = timezone.now()
    officer = officer_of(request)
    inbox.access_entry(key, officer=officer, at=at)
    entry = actions.take_entry(entry_id=key, by=officer, at=at)
    if not wants_json(request):
        messages.success(request, "Đã nhận vào kho chương trình.")
    return done(request, to=reverse("schedule:entry", args=[key]), data=_told(entry))


@require_POST
def localise(request: HttpRequest, key: int) -> HttpResponse:
    """Begin the commune's own version, to be finished in the editor."""
    at = timezone.now()
    officer = officer_of(request)
    inbox.access_entry(key, officer=officer, at=at)
    localisation = actions.localise_entry(
        entry_id=key,
        lead_in=request.POST.get("lead_in", "").replace("\r\n", "\n"),
        closing=request.POST.get("closing", "").replace("\r\n", "\n"),
        by=officer,
        at=at,
    )
    uid = localisation.bulletin.uid
    return done(
        request,
        to=reverse("newsroom:edit", args=[uid]),
        data={"entry": key, "bulletin_uid": uid},
    )


@require_POST
def leave(request: HttpRequest, key: int) -> HttpResponse:
    """Leave a bulletin unused, with a reason for its issuer."""
    at = timezone.now()
    officer = officer_of(request)
    inbox.access_entry(key, officer=officer, at=at)
    entry = actions.leave_entry(
        entry_id=key, reason=request.POST.get("reason", ""), by=officer, at=at
    )
    if not wants_json(request):
        messages.success(request, "Đã ghi là không dùng. Nơi gửi thấy lý do của xã.")
    return done(request, to=reverse("schedule:inbox"), data=_told(entry))


def _told(entry: InboxEntry) -> dict[str, Any]:
    return {"entry": entry.pk, "state": entry.state, "reason": entry.reason}

"""The commune's order of priority bulletins that meet: up, down, sent for approval."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from nguon.core.errors import InvalidError
from nguon.people import access
from nguon.people.answers import done, officer_of, wants_json
from nguon.people.models import AUTHOR
from nguon.schedule import actions, queries, rules, station
from nguon.schedule.actions.papers import url_of
from nguon.schedule.models import Broadcast, Paper
from nguon.territory.models import COMMUNE, Unit


@require_http_methods(["GET", "POST"])
def order(request: HttpRequest) -> HttpResponse:
    """Put priority bulletins in order; each press of an arrow is a request."""
    at = timezone.now()
    officer = officer_of(request)
    unit = _station(request, at)
    clashes = queries.list_clashes(unit, at=at)
    sequence = _sequence(clashes)
    if request.method == "POST":
        sent = [uid for uid in request.POST.getlist("order") if uid in sequence]
        sequence = [*sent, *(uid for uid in sequence if uid not in sent)]
        sequence = _moved(sequence, request.POST.get("up"), -1)
        sequence = _moved(sequence, request.POST.get("down"), 1)
        if request.POST.get("act") == "send":
            paper = actions.propose_order(
                unit=unit, broadcasts=sequence, by=officer, at=at
            )
            if not wants_json(request):
                messages.success(request, "Đã gửi duyệt thứ tự.")
            return done(request, to=url_of(paper), data={"uid": paper.uid})
    rows = Broadcast.objects.filter(uid__in=sequence)
    found = {row.uid: row for row in rows.select_related("version", "unit")}
    times: dict[str, list[datetime]] = {uid: [] for uid in sequence}
    for clash in clashes:
        for airing in clash.airings:
            times[_uid(airing)].append(airing.starts_at)
    context = {
        "unit": unit,
        "clashes": clashes,
        "rows": [(found[uid], sorted(times[uid])[:3]) for uid in sequence],
        "waiting": Paper.objects.filter(
            unit=unit, kind=station.ORDER, state=rules.WAITING
        ).order_by("-pk"),
        "may_write": access.can(officer, AUTHOR, unit=unit, at=at),
    }
    return render(request, "schedule/order.html", context)


def _station(request: HttpRequest, at: datetime) -> Unit:
    """Return the commune that is asked for, or the officer's first. AbsentError."""
    officer = officer_of(request)
    asked = request.POST.get("noi") or request.GET.get("noi")
    if asked:
        return access.access_unit(officer, asked, at=at)
    units = access.units_of(officer, at=at)
    communes = [unit for unit in units if unit.kind == COMMUNE]
    if not communes:
        raise InvalidError("schedule.no_clash")
    return communes[0]


def _sequence(clashes: Sequence[queries.Clash]) -> list[str]:
    """Return the bulletins that meet somewhere, as they would go now."""
    return list(dict.fromkeys(_uid(row) for clash in clashes for row in clash.airings))


def _uid(airing: Any) -> str:
    return str(airing.broadcast.uid)


def _moved(sequence: list[str], uid: str | None, step: int) -> list[str]:
    """Return the list with one bulletin moved by a step; at the edge it stays."""
    if uid not in sequence:
        return sequence
    at = sequence.index(uid)
    to = min(max(at + step, 0), len(sequence) - 1)
    rest = [other for other in sequence if other != uid]
    return [*rest[:to], uid, *rest[to:]]

"""One broadcast while it sounds: reached, sounding, done, silent and why."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from nguon.audit.models import Archive
from nguon.people import access
from nguon.people.answers import done, officer_of, wants_json
from nguon.people.models import APPROVER, AUTHOR
from nguon.schedule import actions, picture, queries, rules
from nguon.schedule.access import access_broadcast
from nguon.schedule.models import Broadcast, PlayRecord
from nguon.schedule.views.bulletins import broadcast_facts

MAP_AGE = 7 * 24 * 3600


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show the live view of one broadcast."""
    at = timezone.now()
    broadcast = access_broadcast(uid=uid, officer=officer_of(request), at=at)
    if wants_json(request):
        return _json(request, broadcast, at)
    officer, unit = officer_of(request), broadcast.unit
    enders = (APPROVER,) if broadcast.is_alert else (AUTHOR, APPROVER)
    context = _context(request, broadcast, at) | {
        "may_cancel": broadcast.state == rules.APPROVED
        and any(access.can(officer, k, unit=unit, at=at) for k in enders),
        "may_correct": broadcast.version.klass == "emergency"
        and access.can(officer, AUTHOR, unit=unit, at=at),
    }
    return render(request, "schedule/live.html", context)


@require_safe
def figures(request: HttpRequest, uid: str) -> HttpResponse:
    """Give the part of the live view that changes."""
    at = timezone.now()
    broadcast = access_broadcast(uid=uid, officer=officer_of(request), at=at)
    if wants_json(request):
        return _json(request, broadcast, at)
    context = _context(request, broadcast, at)
    return render(request, "schedule/figures.html", context)


def _context(
    request: HttpRequest, broadcast: Broadcast, at: datetime
) -> dict[str, Any]:
    live = queries.get_live(broadcast, officer=officer_of(request), at=at)
    tally = live.tally
    settled = tally.sounded + tally.broken_off + tally.silent + tally.shown
    is_settled = settled >= tally.targeted and not tally.sounding
    # Approved, and yet nothing sounds by itself: a programme has to use it first.
    is_laid_up = live.airing is None and (
        broadcast.timing == rules.SHELF or broadcast.is_offered
    )
    is_active = (
        broadcast.state == rules.APPROVED
        and not live.is_over
        and not is_laid_up
        and not is_settled
    )
    waits = is_active and broadcast.is_alert and not tally.sounding
    return {
        "ahead": queries.find_ahead(broadcast, at=at) if waits else None,
        "broadcast": broadcast,
        "version": broadcast.version,
        "bulletin": broadcast.version.bulletin,
        "live": live,
        "tally": tally,
        "open_count": max(0, tally.targeted - settled - tally.sounding),
        "map": picture.draw_map(live.grounds),
        "states": {g.code: picture.state_of(g) for g in live.grounds},
        "is_active": is_active,
        "is_laid_up": is_laid_up,
        "is_waiting": broadcast.state in {rules.PREPARING, rules.WAITING},
        "at": at,
    }


def _json(request: HttpRequest, broadcast: Broadcast, at: datetime) -> HttpResponse:
    live = queries.get_live(broadcast, officer=officer_of(request), at=at)
    names = "reached prepared sounding sounded broken_off shown silent waiting"
    told = live.tally if live.is_counted else None
    return JsonResponse(
        {
            **broadcast_facts(broadcast),
            "item": live.airing.item if live.airing else None,
            "is_over": live.is_over,
            "archived": _archive(live.archive),
            "targeted": live.tally.targeted,
            # What nobody counted is unknown, never nothing.
            **{name: getattr(told, name, None) for name in names.split()},
            "silent_devices": _devices(live.silent),
            "broken_off_devices": _devices(live.broken_off),
        }
    )


def _archive(archive: Archive | None) -> dict[str, Any] | None:
    """Return where the plays lie, when they lie only in the archive."""
    if archive is None:
        return None
    made_at = archive.made_at.isoformat()
    month = f"{archive.month:%Y-%m}"
    return {"month": month, "file": archive.file, "made_at": made_at}


def _devices(plays: Sequence[PlayRecord]) -> list[dict[str, Any]]:
    return [
        {
            "device": play.device.uid,
            "outcome": play.outcome,
            "cause": play.cause,
            "sounded_ms": play.sounded_ms,
        }
        for play in plays
    ]


@require_POST
def cancel(request: HttpRequest, uid: str) -> HttpResponse:
    """Call a broadcast off with a reason; what is on falls silent."""
    at = timezone.now()
    access_broadcast(uid=uid, officer=officer_of(request), at=at)
    broadcast = actions.cancel_broadcast(
        broadcast_uid=uid,
        reason=request.POST.get("reason", ""),
        by=officer_of(request),
        at=at,
    )
    if not wants_json(request):
        messages.success(request, "Đã hủy phát. Loa đang phát sẽ im.")
    return done(
        request,
        to=reverse("schedule:live", args=[uid]),
        data=broadcast_facts(broadcast),
    )


@require_safe
def map_drawing(request: HttpRequest) -> HttpResponse:
    """Serve the outlines of the communes, once; pages name their parts."""
    answer = HttpResponse(picture.map_file(), content_type="image/svg+xml")
    answer["Cache-Control"] = f"private, max-age={MAP_AGE}"
    return answer

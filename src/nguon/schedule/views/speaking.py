"""Live speech in the browser: choose, speak, stop; and HLS for other makes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from nguon.core.errors import AbsentError, InvalidError
from nguon.fleet.models import Device, DeviceGroup
from nguon.people import access
from nguon.people.answers import done, officer_of
from nguon.radio.segments import MIME, PLAYLIST_MIME
from nguon.schedule import actions, authority, live, queries, rules, station
from nguon.schedule.audience import MOST_CHOSEN, with_groups
from nguon.schedule.models import LiveSession
from nguon.speech.chime import TONE_MS
from nguon.territory.models import Unit


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show who may be spoken to now, and the one big button."""
    at = timezone.now()
    officer = officer_of(request)
    papers = authority.list_authorities(officer=officer, act=station.LIVE, at=at)
    open_one = LiveSession.objects.filter(officer=officer, ended_at__isnull=True)
    context = {
        "grounds": [authority.ground_of(paper, at=at) for paper in papers],
        "open": open_one.order_by("pk").first(),
        "minutes": int(rules.LONGEST_LIVE.total_seconds() // 60),
    }
    return render(request, "schedule/speaking.html", context)


@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Begin to speak to the chosen places."""
    at = timezone.now()
    units, devices = _chosen(request, at)
    session = actions.start_live(
        units=units,
        devices=devices,
        talk_over=_number(request.POST.get("talk_over", "0")),
        by=officer_of(request),
        at=at,
    )
    facts = _facts(session) | {
        "rate": live.RATE,
        "chunk_ms": live.CHUNK_MS,
        "tone_ms": TONE_MS,
        "playlist_url": reverse("schedule:live_playlist", args=[session.token]),
    }
    return done(request, to=reverse("schedule:speaking"), data=facts)


@require_POST
def take(request: HttpRequest, uid: str) -> HttpResponse:
    """Take a piece of speech: the body is mono, 16 bit, 16 kHz samples."""
    session = actions.feed_live(
        session_uid=uid,
        n=_number(request.GET.get("n", "")),
        pcm=request.read(live.MAX_CHUNK_BYTES + 1),
        by=officer_of(request),
        at=timezone.now(),
    )
    return JsonResponse({"ends_at": session.ends_at})


@require_POST
def end(request: HttpRequest, uid: str) -> HttpResponse:
    """Stop speaking."""
    session = actions.end_live(
        session_uid=uid, cause=rules.BUTTON, by=officer_of(request), at=timezone.now()
    )
    return done(request, to=reverse("schedule:speaking"), data=_facts(session))


@require_safe
def state(request: HttpRequest, uid: str) -> HttpResponse:
    """Tell how a session of one's own stands, and how many speakers sound it."""
    session = LiveSession.objects.filter(uid=uid, officer=officer_of(request)).first()
    if session is None:
        raise AbsentError("schedule.live_absent")
    counts = queries.count_hearers(session)
    return JsonResponse(_facts(session) | counts)


@login_not_required
@require_safe
def playlist(request: HttpRequest, token: str) -> HttpResponse:
    """Serve the playlist of a session to whoever knows its address."""
    return _sound(live.playlist(token), PLAYLIST_MIME)


@login_not_required
@require_safe
def segment(request: HttpRequest, token: str, number: int) -> HttpResponse:
    """Serve two seconds of speech to whoever knows their address."""
    return _sound(live.segment(token, number), MIME)


def _sound(data: str | bytes, mime: str) -> HttpResponse:
    return HttpResponse(data, content_type=mime, headers={"Cache-Control": "no-store"})


def _facts(session: LiveSession) -> dict[str, Any]:
    return {
        "uid": session.uid,
        "item": session.item,
        "targeted": session.targeted,
        "ends_at": session.ends_at,
        "ended_at": session.ended_at,
        "cause": session.cause,
        "why": rules.LIVE_CAUSES.get(session.cause, ""),
    }


def _chosen(
    request: HttpRequest, at: datetime
) -> tuple[Sequence[Unit], Sequence[Device]]:
    """Return what was chosen; whether it may be is the authority's to say.

    A group stands for its devices of this moment.

    Raises AbsentError for what does not exist: never fewer than was asked for.
    """
    unit_uids = set(request.POST.getlist("units"))
    device_uids = set(request.POST.getlist("devices"))
    group_uids = set(request.POST.getlist("groups"))
    if len(unit_uids) + len(device_uids) + len(group_uids) > MOST_CHOSEN:
        raise InvalidError("schedule.too_many_places", limit=MOST_CHOSEN)
    if not unit_uids and not device_uids and not group_uids:
        raise InvalidError("schedule.live_nobody")
    units = list(Unit.objects.filter(uid__in=unit_uids).order_by("path", "pk"))
    found = Device.objects.filter(uid__in=device_uids).select_related("unit")
    devices = list(found.order_by("pk"))
    named = DeviceGroup.objects.filter(uid__in=group_uids).select_related("unit")
    groups = list(access.fence(named, officer=officer_of(request), at=at))
    found_all = (len(units), len(devices), len(groups))
    if found_all != (len(unit_uids), len(device_uids), len(group_uids)):
        raise AbsentError("people.not_your_ground")
    return units, with_groups(devices, groups)


def _number(text: str) -> int:
    """Read a whole number that a program sent. Raises InvalidError."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidError("schedule.live_chunk_unusable")
    return int(text)

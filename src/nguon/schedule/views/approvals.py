"""What waits for approval, and the screen on which a second person decides."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from nguon.fleet.models import Device
from nguon.newsroom import queries as newsroom
from nguon.people import access
from nguon.people.answers import done, officer_of, wants_json
from nguon.people.models import APPROVER, AUTHOR
from nguon.schedule import (
    actions,
    audience,
    chains,
    gaps,
    papers,
    queries,
    rules,
    supply,
)
from nguon.schedule.access import access_broadcast
from nguon.schedule.models import Broadcast, Paper
from nguon.schedule.views.bulletins import broadcast_facts
from nguon.territory.models import VILLAGE, Unit


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List what this officer can approve, emergencies first."""
    at = timezone.now()
    officer = officer_of(request)
    waiting = queries.list_waiting(officer, at=at)
    waiting_papers = papers.list_waiting(officer, at=at)
    if wants_json(request):
        return JsonResponse(
            {
                "waiting": [broadcast_facts(one) for one in waiting],
                "papers": [one.uid for one in waiting_papers],
            }
        )
    sent = Broadcast.objects.filter(
        submitted_by=officer, state__in=[rules.PREPARING, rules.WAITING]
    )
    context = {
        "waiting": waiting,
        "papers": waiting_papers,
        "sent_papers": Paper.objects.filter(
            submitted_by=officer, state=rules.WAITING
        ).order_by("-pk")[:20],
        "sent": sent.select_related("version__bulletin").order_by("-pk")[:20],
        "may_approve": bool(access.paths_of(officer, at=at, kinds=[APPROVER])),
    }
    return render(request, "schedule/approvals.html", context)


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show exactly what would go out: text, sound, time, audience, hash."""
    at = timezone.now()
    officer = officer_of(request)
    broadcast = access_broadcast(uid=uid, officer=officer, at=at)
    version = broadcast.version
    sounds = newsroom.list_sounds(version)
    shown = newsroom.list_attached(version)
    if wants_json(request):
        return JsonResponse(
            {
                **broadcast_facts(broadcast),
                "bulletin_uid": version.bulletin.uid,
                "sounds": [_sound_facts(broadcast, sound) for sound in sounds],
                "attachments": [_attached_facts(one) for one in shown],
            }
        )
    context = {
        "broadcast": broadcast,
        "version": version,
        "bulletin": version.bulletin,
        "sounds": sounds,
        "shown": shown,
        "reach": _reach(broadcast),
        "gap": gaps.find_gap(
            Device.objects.filter(pk__in=broadcast.audience.values("device")),
            version.languages,
        ),
        "gap_uid": version.bulletin.uid,
        "may_ask": access.can(officer, AUTHOR, unit=broadcast.unit, at=at),
        "origin": supply.origin_of(
            version.bulletin, title=version.title, body=version.body
        ),
        "may_approve": access.can(officer, APPROVER, unit=broadcast.unit, at=at),
        "is_own": newsroom.has_edited(version.bulletin, officer.pk),
        "is_waiting": broadcast.state == rules.WAITING,
        "check": (checked := chains.find_check(broadcast)),
        "has_checked": bool(checked and checked.person_id == officer.pk),
        "to_check": broadcast.steps == 2 and checked is None,
    }
    return render(request, "schedule/approval.html", context)


def _sound_facts(broadcast: Broadcast, sound: Any) -> dict[str, Any]:
    facts = {"language": sound.language, "state": sound.state}
    if sound.media is not None:
        address = [broadcast.version.bulletin.uid, sound.media.sha256]
        facts |= {
            "sha256": sound.media.sha256,
            "size": sound.media.size,
            "duration_ms": sound.duration_ms,
            "sound_url": reverse("newsroom:sound", args=address),
        }
    return facts


def _attached_facts(attached: Any) -> dict[str, Any]:
    address = [attached.version.bulletin.uid, attached.media.sha256]
    return {
        "kind": attached.kind,
        "caption": attached.caption,
        "sha256": attached.media.sha256,
        "size": attached.media.size,
        "url": reverse("newsroom:attached", args=address),
    }


def _reach(broadcast: Broadcast) -> dict[str, Any]:
    """Return who is meant: the stored list, counted."""
    members = broadcast.audience
    villages = Unit.objects.filter(
        pk__in=members.values("unit"), kind=VILLAGE
    ).values_list("population", flat=True)
    return {
        "units": list(broadcast.units.order_by("path", "pk")),
        "devices": list(audience.list_by_hand(broadcast)[:20]),
        "groups": audience.list_groups(broadcast),
        "speakers": members.filter(device__kind="speaker").count(),
        "boards": members.filter(device__kind="board").count(),
        "villages": len(villages),
        "people": sum(number or 0 for number in villages),
    }


@require_POST
def release(request: HttpRequest, uid: str) -> HttpResponse:
    """Give leave to sound, for exactly the hash that was shown."""
    at = timezone.now()
    officer = officer_of(request)
    _check_seen(uid, request, at)
    broadcast = actions.release(
        broadcast_uid=uid, sha256=request.POST.get("sha256", ""), by=officer, at=at
    )
    to, words = reverse("schedule:live", args=[uid]), "Lệnh phát đang đến các loa."
    if broadcast.is_offered or broadcast.timing == rules.SHELF:
        to = reverse("schedule:bulletin", args=[broadcast.version.bulletin.uid])
        words = "Bản tin phát khi có chương trình dùng."
    if not wants_json(request):
        messages.success(request, f"Đã duyệt. {words}")
    return done(
        request,
        to=to,
        data={**broadcast_facts(broadcast), "approved_at": at.isoformat()},
    )


@require_POST
def check(request: HttpRequest, uid: str) -> HttpResponse:
    """Agree as the first of two, for exactly the hash that was shown."""
    at = timezone.now()
    _check_seen(uid, request, at)
    broadcast = actions.check_broadcast(
        broadcast_uid=uid,
        sha256=request.POST.get("sha256", ""),
        by=officer_of(request),
        at=at,
    )
    if not wants_json(request):
        messages.success(request, "Đã kiểm tra. Người khác sẽ duyệt.")
    return done(
        request, to=reverse("schedule:approvals"), data=broadcast_facts(broadcast)
    )


@require_POST
def send_back(request: HttpRequest, uid: str) -> HttpResponse:
    """Return a bulletin to its author with a reason."""
    at = timezone.now()
    _check_seen(uid, request, at)
    broadcast = actions.return_broadcast(
        broadcast_uid=uid,
        reason=request.POST.get("reason", ""),
        by=officer_of(request),
        at=at,
    )
    if not wants_json(request):
        messages.success(request, "Đã trả lại cho người soạn.")
    return done(
        request, to=reverse("schedule:approvals"), data=broadcast_facts(broadcast)
    )


def _check_seen(uid: str, request: HttpRequest, at: datetime) -> None:
    """Treat a broadcast on foreign ground as absent before anything else."""
    access_broadcast(uid=uid, officer=officer_of(request), at=at)

"""Stop: two taps to silence. Lifting it takes two persons."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from nguon.core.errors import AbsentError, InvalidError
from nguon.emergency import actions, forms, queries, rules
from nguon.emergency.models import Stop
from nguon.fleet.models import ACTIVE, Device
from nguon.people import access
from nguon.people.answers import done, officer_of, wants_json
from nguon.people.models import Officer
from nguon.territory.models import VILLAGE, Unit
from nguon.territory.names import fold

FOUND_LIMIT = 30
LENGTHS = ((30, "30 phút"), (120, "2 giờ"), (720, "12 giờ"), (1440, "24 giờ"))


@require_http_methods(["GET", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """Show what is silent and what can be silenced; take an order of silence."""
    at = timezone.now()
    officer = officer_of(request)
    if request.method == "POST":
        return _order(request, at)
    active = queries.list_active(officer, at=at)
    if wants_json(request):
        return JsonResponse({"stops": [_facts(stop) for stop in active]})
    context = {
        "stops": [(stop, _may_lift(officer, stop, at)) for stop in active],
        "grounds": forms.list_grounds(officer, at=at),
        "lengths": LENGTHS,
        "officer": officer,
    }
    return render(request, "emergency/stop.html", context)


def _may_lift(officer: Officer, stop: Stop, at: datetime) -> bool:
    unit = stop.unit or stop.device.unit  # type: ignore[union-attr]
    return any(access.can(officer, kind, unit=unit, at=at) for kind in rules.MAY_LIFT)


def _order(request: HttpRequest, at: datetime) -> HttpResponse:
    officer = officer_of(request)
    unit, device = _find_target(request, officer, at)
    stop = actions.stop(
        unit=unit,
        device=device,
        until=forms.read_until(request.POST, at=at),
        reason=request.POST.get("reason", ""),
        by=officer,
        at=at,
    )
    if not wants_json(request):
        messages.success(request, f"Đã dừng phát: {stop.place}.")
    return done(request, to=reverse("emergency:stop"), data=_facts(stop))


def _find_target(
    request: HttpRequest, officer: Officer, at: datetime
) -> tuple[Unit | None, Device | None]:
    if request.POST.get("unit"):
        return access.access_unit(officer, request.POST["unit"], at=at), None
    if not request.POST.get("device"):
        raise InvalidError("emergency.nothing_chosen")
    devices = Device.objects.filter(uid=request.POST["device"])
    seen = access.fence(devices, officer=officer, at=at).select_related("unit")
    device = seen.first()
    if device is None:
        raise AbsentError("fleet.device_absent")
    return None, device


def _facts(stop: Stop) -> dict[str, Any]:
    return {
        "stop_uid": stop.uid,
        "place": stop.place,
        "unit": stop.unit.uid if stop.unit else None,
        "device": stop.device.uid if stop.device else None,
        "ordered_at": stop.ordered_at.isoformat(),
        "until": stop.until.isoformat(),
        "lift_asked": stop.lift_asked_at is not None,
        "lifted": stop.lifted_at is not None,
    }


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Find communes, villages and devices to silence, accents optional."""
    at = timezone.now()
    officer = officer_of(request)
    words = fold(request.GET.get("q", "")).split()
    units: list[Unit] = []
    devices: list[Device] = []
    if words:
        found = access.fence(
            Unit.objects.as_of(at.date()).exclude(kind=VILLAGE),
            officer=officer,
            at=at,
            unit="",
            kinds=rules.MAY_STOP,
        )
        for word in words:
            found = found.filter(folded__contains=word)
        units = list(found.order_by("path", "pk")[:FOUND_LIMIT])
        seen = access.fence(
            Device.objects.filter(state=ACTIVE),
            officer=officer,
            at=at,
            kinds=rules.MAY_STOP,
        ).select_related("unit")
        devices = [
            device
            for device in seen.order_by("name_order", "pk")
            if all(word in fold(f"{device.name} {device.unit.name}") for word in words)
        ][:FOUND_LIMIT]
    context = {"units": units, "devices": devices, "words": words, "lengths": LENGTHS}
    return render(request, "emergency/found.html", context)


@require_POST
def ask_lift(request: HttpRequest, uid: str) -> HttpResponse:
    """Ask that sound be allowed again."""
    at = timezone.now()
    stop = actions.ask_lift(stop_uid=uid, by=officer_of(request), at=at)
    if not wants_json(request):
        messages.success(request, "Đã xin phát lại. Cần một người khác đồng ý.")
    return done(request, to=reverse("emergency:stop"), data=_facts(stop))


@require_POST
def confirm_lift(request: HttpRequest, uid: str) -> HttpResponse:
    """Allow sound again, as the second person."""
    at = timezone.now()
    stop = actions.confirm_lift(stop_uid=uid, by=officer_of(request), at=at)
    if not wants_json(request):
        messages.success(request, f"Đã cho phát lại: {stop.place}.")
    return done(request, to=reverse("emergency:stop"), data=_facts(stop))


@require_POST
def correct(request: HttpRequest, uid: str) -> HttpResponse:
    """Begin the correction of an emergency."""
    at = timezone.now()
    bulletin = actions.correct_alert(broadcast_uid=uid, by=officer_of(request), at=at)
    return done(
        request,
        to=reverse("newsroom:edit", args=[bulletin.uid]),
        data={"bulletin_uid": bulletin.uid, "revision": bulletin.revision},
    )

"""The step between a text and its approval: when, and who hears it."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from nguon.core.errors import DomainError, InvalidError
from nguon.fleet.models import ACTIVE, Device
from nguon.newsroom import actions as newsroom_actions
from nguon.newsroom import rules as newsroom_rules
from nguon.newsroom.access import access_bulletin
from nguon.newsroom.channels import KINDS
from nguon.newsroom.models import Bulletin
from nguon.people import access
from nguon.people.answers import done, officer_of, wants_json
from nguon.people.models import AUTHOR
from nguon.schedule import actions, audience, forms, gaps, papers, rules
from nguon.schedule.models import Broadcast
from nguon.schedule.views.bulletins import broadcast_facts
from nguon.territory.models import Unit
from nguon.territory.names import fold

LISTED_DEVICES = 60
FOUND_LIMIT = 30
EVENING_CLOSES = 16
HOURS = (1, 2, 4, 6, 12, 24)


@dataclass(frozen=True)
class Offer:
    """One unit that may be ticked, with what stands in it."""

    unit: Unit
    devices: int
    chosen: bool


@require_http_methods(["GET", "POST"])
def place(request: HttpRequest, uid: str) -> HttpResponse:
    """Choose when and where a bulletin sounds, and send it to be approved."""
    at = timezone.now()
    officer = officer_of(request)
    bulletin = access_bulletin(uid=uid, officer=officer, at=at)
    access.check_can(officer, AUTHOR, unit=bulletin.unit, at=at)
    if request.method == "POST":
        return _submit(request, bulletin, at)
    error: DomainError | None = None
    try:
        newsroom_rules.check_ready(newsroom_actions.draft_of(bulletin))
    except InvalidError as found:
        error = found
    return _form(request, bulletin, at, error=error)


def _submit(request: HttpRequest, bulletin: Bulletin, at: datetime) -> HttpResponse:
    officer = officer_of(request)
    try:
        timing = forms.read_timing(request.POST, klass=bulletin.klass, at=at)
        units, devices = forms.read_audience(request.POST, officer=officer, at=at)
        broadcast = actions.submit(
            bulletin_id=bulletin.pk,
            timing=timing,
            units=units,
            devices=devices,
            groups=forms.read_groups(request.POST, officer=officer, at=at),
            by=officer,
            at=at,
        )
    except InvalidError as error:
        if wants_json(request):
            raise
        return _form(request, bulletin, at, error=error, status=422)
    if not wants_json(request):
        messages.success(request, "Đã gửi duyệt.")
    facts = {**broadcast_facts(broadcast), "bulletin_uid": bulletin.uid}
    return done(
        request, to=reverse("schedule:bulletin", args=[bulletin.uid]), data=facts
    )


def _form(
    request: HttpRequest,
    bulletin: Bulletin,
    at: datetime,
    *,
    error: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    chosen_units, chosen_devices, chosen_groups = _chosen(request, bulletin)
    devices = _devices_under(bulletin.unit)
    local = timezone.localtime(at)
    offered = rules.is_offered(
        klass=bulletin.klass, timing=rules.SHELF, issuer=bulletin.unit.kind
    )
    # The usual hour of the evening programme, today while there is time for approval.
    evening = local.replace(hour=17, minute=0) + timedelta(
        days=int(local.hour >= EVENING_CLOSES)
    )
    context = {
        "bulletin": bulletin,
        "error": error,
        "offers": _offers(bulletin.unit, devices, chosen_units, at),
        "whole": bulletin.unit.uid in chosen_units,
        "device_count": len(devices),
        "listed": [
            device
            for device in devices
            if len(devices) <= LISTED_DEVICES or device.uid in chosen_devices
        ],
        "is_long": len(devices) > LISTED_DEVICES,
        "chosen_devices": chosen_devices,
        "groups": audience.list_groups_under(bulletin.unit),
        "chosen_groups": chosen_groups,
        "timing": request.POST.get("timing", rules.SHELF if offered else rules.NOW),
        "is_offered": offered,
        "other_channels": [
            KINDS[code] for code in newsroom_actions.chosen_texts(bulletin)
        ],
        "hours": HOURS,
        "date": request.POST.get("date") or f"{evening:%Y-%m-%d}",
        "time": request.POST.get("time") or f"{evening:%H:%M}",
        "time_of_day": request.POST.get("time_of_day") or "05:30",
        "first_date": request.POST.get("first_date") or f"{local:%Y-%m-%d}",
        "last_date": request.POST.get("last_date")
        or f"{local + timedelta(days=6):%Y-%m-%d}",
    }
    return render(request, "schedule/place.html", context, status=status)


def _chosen(
    request: HttpRequest, bulletin: Bulletin
) -> tuple[set[str], set[str], set[str]]:
    """Return what is ticked: as sent, as last time, or the whole unit.

    Units, devices, groups of devices.
    """
    if request.method == "POST":
        units, devices, groups = (
            set(request.POST.getlist(name)) for name in ("units", "devices", "groups")
        )
        return units, devices, groups
    latest = (
        Broadcast.objects.filter(version__bulletin=bulletin).order_by("-pk").first()
    )
    if latest is None:
        return {bulletin.unit.uid}, set(), set()
    return (
        set(latest.units.values_list("uid", flat=True)),
        set(audience.list_by_hand(latest).values_list("uid", flat=True)),
        set(latest.groups.values_list("group__uid", flat=True)),
    )


def _devices_under(unit: Unit) -> list[Device]:
    found = Device.objects.filter(unit__path__startswith=unit.path, state=ACTIVE)
    return list(
        found.select_related("unit").order_by("unit__folded", "name_order", "pk")
    )


def _offers(
    root: Unit, devices: list[Device], chosen: set[str], at: datetime
) -> list[Offer]:
    """Return the units right below, each with how many devices stand in it."""
    depth = len(root.ancestor_ids)
    counts = Counter(
        device.unit.ancestor_ids[depth]
        for device in devices
        if len(device.unit.ancestor_ids) > depth
    )
    below = Unit.objects.as_of(at.date()).filter(parent=root).order_by("folded", "pk")
    return [Offer(unit, counts[unit.pk], unit.uid in chosen) for unit in below]


@require_POST
def reach(request: HttpRequest, uid: str) -> HttpResponse:
    """Show who a choice reaches and when, before it is sent."""
    at = timezone.now()
    officer = officer_of(request)
    bulletin = access_bulletin(uid=uid, officer=officer, at=at)
    units, devices = forms.read_audience(request.POST, officer=officer, at=at)
    groups = forms.read_groups(request.POST, officer=officer, at=at)
    devices = audience.with_groups(devices, groups)
    context: dict[str, Any] = {
        "preview": audience.preview(units, devices),
        "gap": gaps.find_gap(audience.list_devices(units, devices), bulletin.languages),
        "gap_uid": bulletin.uid,
        "may_ask": access.can(officer, AUTHOR, unit=bulletin.unit, at=at),
    }
    try:
        timing = forms.read_timing(request.POST, klass=bulletin.klass, at=at)
        context["timing"] = timing
        rules.check_timing(timing, klass=bulletin.klass, at=at)
        start = rules.first_start(timing, at=at)
        rules.check_quiet(
            papers.hours_of(units, devices, at=start or at),
            klass=bulletin.klass,
            drill=bulletin.drill,
            start=start,
            length=rules.length_of(1),
        )
    except InvalidError as error:
        context["error"] = error
    return render(request, "schedule/reach.html", context)


@require_safe
def search(request: HttpRequest, uid: str) -> HttpResponse:
    """Find villages and devices by name, with or without accents."""
    at = timezone.now()
    bulletin = access_bulletin(uid=uid, officer=officer_of(request), at=at)
    words = fold(request.GET.get("q", "")).split()
    units: list[Unit] = []
    devices: list[Device] = []
    if words:
        found = Unit.objects.as_of(at.date()).under(bulletin.unit)
        for word in words:
            found = found.filter(folded__contains=word)
        units = list(found.select_related("parent").order_by("path")[:FOUND_LIMIT])
        devices = [
            device
            for device in _devices_under(bulletin.unit)
            if all(word in fold(device.name) for word in words)
        ][:FOUND_LIMIT]
    context = {"units": units, "devices": devices, "words": words}
    return render(request, "schedule/found_places.html", context)

"""A station's page: the rules in force, what waits, what was; the way to change."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from nguon.core.errors import InvalidError
from nguon.people import access
from nguon.people.answers import officer_of, wants_json
from nguon.people.models import AUTHOR, Officer
from nguon.schedule import (
    actions,
    checks,
    comparison,
    inspection,
    papers,
    recurrence,
    rules,
    station,
    timetable,
)
from nguon.schedule.models import Paper
from nguon.schedule.station import Slot, StationRules
from nguon.schedule.views.papers import paper_facts
from nguon.schedule.views.week import choose_station, list_choices
from nguon.territory.models import Unit

HISTORY = 30


def slot_rows(body: StationRules, names: dict[str, str]) -> list[dict[str, object]]:
    """Return the slots of rules in the order of the day, in words."""
    rows = [
        {
            "slot": slot,
            "begin": _begin_words(body, slot),
            "days": recurrence.rrule_words(slot.repeat),
            "where": where_words(slot.places, names),
            "source": names.get(slot.source, ""),
            "fallback": names.get(slot.fallback, ""),
        }
        for slot in body.slots
    ]
    return sorted(rows, key=lambda row: (row["begin"], row["slot"].name))  # type: ignore[attr-defined]


def _begin_words(body: StationRules, slot: Slot) -> str:
    try:
        return f"{checks.begin_of(body, slot):%H:%M}"
    except InvalidError:
        return "chưa có giờ"


def where_words(places: object, names: dict[str, str]) -> str:
    """Return an audience in words."""
    if places == station.WHOLE:
        return "toàn đài"
    every = (*places.units, *places.devices, *places.groups)  # type: ignore[attr-defined]
    return ", ".join(names.get(uid, uid) for uid in every)


def rules_context(body: StationRules, unit: Unit) -> dict[str, object]:
    """Return what templates need to show station rules in words."""
    names = inspection.names_for([body], unit)
    return {
        "slots": slot_rows(body, names),
        "parts": body.parts,
        "quiet": [(one, where_words(one.places, names)) for one in body.quiet],
        "volumes": [(one, where_words(one.places, names)) for one in body.volumes],
    }


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Show a station: what holds, what is being written, what waits, what was."""
    at = timezone.now()
    officer = officer_of(request)
    unit = choose_station(request, officer, at)
    own = Paper.objects.filter(unit=unit).select_related("approved_by", "submitted_by")
    held = papers.in_force(unit, station.RULES, timezone.localdate(at))
    if wants_json(request):
        rows = [paper_facts(one) for one in own.select_related("unit").order_by("pk")]
        return JsonResponse({"papers": rows}, json_dumps_params={"default": str})
    open_states = [rules.DRAFT, rules.WAITING]
    context = {
        "unit": unit,
        "stations": list_choices(officer, at),
        "held": held,
        "rules": rules_context(papers.body_of(held), unit) if held else None,
        "quiet_from_above": () if held else papers.quiet_of(unit, at.date()),
        "open": own.filter(state__in=open_states).order_by("-pk")[:HISTORY],
        "others": _in_force(unit, at),
        "history": own.exclude(state__in=open_states).order_by("-pk")[:HISTORY],
        "may_write": access.can(officer, AUTHOR, unit=unit, at=at),
        "has_own_slots": unit.kind in inspection.HOMES[station.PROGRAMME],
        "compared": _draw_today(unit, at) if held else None,
        "sources": timetable.SOURCES,
        "at": at,
    }
    return render(request, "schedule/station.html", context)


def _in_force(unit: Unit, at: datetime) -> list[Paper]:
    """Return the sources, authorities and orders that hold today."""
    day = timezone.localdate(at)
    kinds = [station.SOURCE, station.AUTHORITY, station.ORDER]
    found = Paper.objects.filter(unit=unit, kind__in=kinds, state=rules.APPROVED)
    return [
        one
        for one in found.select_related("approved_by").order_by("kind", "-pk")
        if one.last_date is None or one.last_date >= day
    ]


def _draw_today(unit: Unit, at: datetime) -> timetable.DayPicture:
    day = timezone.localdate(at)
    shelf = papers.read_shelf([unit], first=day, last=day)
    return comparison.draw(unit, shelf, day, at=at)


@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Open the draft of the rules: the one being written, or a copy of what holds."""
    at = timezone.now()
    officer = officer_of(request)
    unit = choose_station(request, officer, at)
    return redirect("schedule:edit_paper", uid=_open_draft(unit, officer, at).uid)


def _open_draft(unit: Unit, officer: Officer, at: datetime) -> Paper:
    access.check_can(officer, AUTHOR, unit=unit, at=at)
    day = timezone.localdate(at)
    draft = (
        Paper.objects.filter(unit=unit, kind=station.RULES, state=rules.DRAFT)
        .order_by("-pk")
        .first()
    )
    if draft is not None:
        return draft
    held = papers.in_force(unit, station.RULES, day)
    body = papers.body_of(held) if held else StationRules(quiet=papers.quiet_of(unit, day))
    return actions.draft_paper(
        unit=unit,
        kind=station.RULES,
        body=body,
        title=f"Quy chế đài {unit.full_name}",
        first_date=day,
        last_date=None,
        by=officer,
        at=at,
    )

"""A station's page: the rules in force, what waits, what was; the way to change."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from nguon.people import access
from nguon.people.answers import officer_of, wants_json
from nguon.people.models import AUTHOR, Officer
from nguon.schedule import (
    actions,
    comparison,
    inspection,
    paper_words,
    papers,
    rules,
    station,
    timetable,
)
from nguon.schedule.models import Paper
from nguon.schedule.station import StationRules
from nguon.schedule.views.papers import paper_facts
from nguon.schedule.views.week import choose_station, list_choices
from nguon.territory.models import Unit

HISTORY = 30


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
        "rules": paper_words.rules_words(papers.body_of(held), unit) if held else None,
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
    kinds = [station.SOURCE, station.AUTHORITY, station.ORDER, station.CHAIN]
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
    body = (
        papers.body_of(held) if held else StationRules(quiet=papers.quiet_of(unit, day))
    )
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

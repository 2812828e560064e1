"""A station's week on one page, as a calendar file, as a table."""

from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from nguon.core.errors import AbsentError
from nguon.people import access
from nguon.people.answers import officer_of, table_file, wants_json
from nguon.people.models import AUTHOR, Officer
from nguon.schedule import ical, timetable, week
from nguon.schedule.timetable import Piece
from nguon.schedule.views.device_day import read_day
from nguon.schedule.week import Wanted, Week
from nguon.territory.models import Unit
from nguon.territory.queries import find_plan_unit

ONE_DAY = timedelta(days=1)
TEXT_LIMIT = 60


def choose_station(request: HttpRequest, officer: Officer, at: datetime) -> Unit:
    """Return the station that is asked for, or the officer's own first one.

    Raises AbsentError for ground that is not theirs, or when they have none.
    """
    asked = request.GET.get("don_vi") or request.POST.get("don_vi")
    if asked:
        return find_plan_unit(access.access_unit(officer, asked, at=at))
    own = access.units_of(officer, at=at)
    if not own:
        raise AbsentError("people.not_your_ground")
    return find_plan_unit(own[0])


def list_choices(officer: Officer, at: datetime) -> list[Unit]:
    """Return the stations on an officer's ground."""
    seen = access.fence(
        Unit.objects.as_of(timezone.localdate(at)), officer=officer, at=at, unit=""
    )
    return week.list_stations(seen)[:400]


def _wanted(request: HttpRequest) -> Wanted:
    asked = request.GET
    source = asked.get("nguon", "")
    return Wanted(
        source=source if source in timetable.SOURCES else "",
        slot=asked.get("khung", "")[:80],
        text=asked.get("tim", "").replace("\0", "").strip()[:TEXT_LIMIT],
    )


def _asked(request: HttpRequest, at: datetime) -> Week:
    officer = officer_of(request)
    unit = choose_station(request, officer, at)
    text = request.GET.get("tuan")
    day = read_day(text) if text else timezone.localdate(at)
    return week.read_week(unit, monday=timetable.monday_of(day), at=at)


def _kept(request: HttpRequest, found: Week) -> list[Piece]:
    wanted = _wanted(request)
    return [piece for piece in found.pieces if wanted.keeps(piece)]


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Show the week: seven strips, a timetable, what clashes."""
    at = timezone.now()
    officer = officer_of(request)
    found = _asked(request, at)
    if wants_json(request):
        return JsonResponse(_facts(found))
    wanted = _wanted(request)
    days = found.draw(wanted, at=at)
    sources = {piece.source for piece in found.pieces}
    context = {
        "week": found,
        "days": days,
        "chosen": _chosen_day(request, found, at),
        "bands": _rows(days),
        "keys": [key for key in timetable.SOURCES if key in sources],
        "sources": timetable.SOURCES,
        "stations": list_choices(officer, at),
        "wanted": wanted,
        "is_filtered": wanted != Wanted(),
        "before": found.monday - 7 * ONE_DAY,
        "after": found.monday + 7 * ONE_DAY,
        "last": found.monday + 6 * ONE_DAY,
        "is_this_week": any(day.is_today for day in days),
        "has_quiet": bool(found.quiet),
        "has_gaps": any(day.gaps for day in days),
        "has_now": any(day.is_today for day in days),
        "with_played": any(piece.played for piece in found.pieces),
        "may_write": access.can(officer, AUTHOR, unit=found.unit, at=at),
        "at": at,
    }
    return render(request, "schedule/week.html", context)


def _chosen_day(request: HttpRequest, found: Week, at: datetime) -> date:
    """Return the day a phone shows: the one asked for, today, or Monday."""
    asked = request.GET.get("ngay")
    day = read_day(asked) if asked else timezone.localdate(at)
    inside = found.monday <= day < found.monday + 7 * ONE_DAY
    return day if inside else found.monday


def _rows(days: list[timetable.DayPicture]) -> list[dict[str, Any]]:
    """Return the timetable: a row for each part of the day in which anything stands."""
    rows = []
    for n, (_until, name, hours) in enumerate(timetable.BANDS):
        cells = [{"day": day, "entries": day.bands[n].entries} for day in days]
        if any(cell["entries"] for cell in cells):
            rows.append({"name": name, "hours": hours, "cells": cells})
    return rows


def _facts(found: Week) -> dict[str, object]:
    return {
        "unit": found.unit.uid,
        "monday": found.monday,
        "planned_until": found.planned_until,
        "pieces": [
            {
                "item": piece.key,
                "source": piece.source,
                "title": piece.title,
                "slot": piece.slot_name,
                "starts_at": piece.starts_at,
                "ends_at": piece.ends_at,
                "sounded": piece.played.sounded if piece.played else None,
                "broken_off": piece.played.broken_off if piece.played else None,
                "silent": piece.played.silent if piece.played else None,
            }
            for piece in found.pieces
        ],
        "clashes": [clash.sentence for clash in found.clashes],
    }


@require_safe
def calendar(request: HttpRequest) -> HttpResponse:
    """Give the week as a calendar file (RFC 5545)."""
    at = timezone.now()
    found = _asked(request, at)
    events = [
        ical.Event(
            uid=piece.key,
            starts_at=piece.starts_at,
            ends_at=piece.ends_at,
            title=piece.title,
            place=found.unit.full_name,
            note=". ".join(part for part in (piece.word, piece.slot_name) if part),
        )
        for piece in _kept(request, found)
    ]
    name = f"Lịch phát {found.unit.full_name}"
    answer = HttpResponse(
        ical.calendar_file(events, name=name, made_at=at),
        content_type="text/calendar; charset=utf-8",
    )
    answer["Content-Disposition"] = f'attachment; filename="{_file(found)}.ics"'
    return answer


@require_safe
def table(request: HttpRequest) -> HttpResponse:
    """Give the week as a table file."""
    at = timezone.now()
    found = _asked(request, at)
    rows = (
        (
            f"{timezone.localtime(piece.starts_at):%d/%m/%Y}",
            f"{timezone.localtime(piece.starts_at):%H:%M:%S}",
            f"{timezone.localtime(piece.ends_at):%H:%M:%S}",
            piece.word,
            piece.slot_name,
            piece.title,
            piece.issuer or found.unit.full_name,
            piece.played.sounded if piece.played else "",
            piece.played.broken_off if piece.played else "",
            piece.played.silent if piece.played else "",
            " ".join(piece.clashes),
        )
        for piece in _kept(request, found)
    )
    head = (
        "Ngày,Từ,Đến,Nguồn,Khung giờ,Nội dung,Nơi ra,Thiết bị đã phát,"
        "Thiết bị phát dở,Thiết bị im lặng,Trùng giờ"
    )
    return table_file(_file(found), head.split(","), rows)


def _file(found: Week) -> str:
    return f"lich-phat-{found.unit.code}-{found.monday:%Y-%m-%d}"

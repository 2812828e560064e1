"""The rehearsal of a repaired device: its day beside the server's, and what to do."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from nguon.core.errors import AbsentError
from nguon.core.rehearsal import SAME
from nguon.fleet import access, actions, queries, repairs
from nguon.fleet.models import Device, Rehearsal
from nguon.people.answers import done, officer_of, wants_json
from nguon.schedule import rehearsals, timetable
from nguon.schedule.items import moment

ONE_DAY = timedelta(days=1)


def _find(request: HttpRequest, uid: str, at: datetime) -> tuple[Device, Rehearsal]:
    """Return a device on the officer's ground and its latest rehearsal."""
    device = access.access_device(officer_of(request), uid, at=at)
    row = queries.find_rehearsal(device)
    if row is None:
        raise AbsentError("fleet.rehearsal_absent")
    return device, row


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show the rehearsed day item by item, and what a technician should do."""
    at = timezone.now()
    device, row = _find(request, uid, at)
    if wants_json(request):
        return JsonResponse(_facts(row))
    lines = rehearsals.list_lines(row)
    context = {
        "device": device,
        "rehearsal": row,
        "lines": lines,
        "pictures": _draw(row, lines, at),
        "differences": rehearsals.say_differences(row),
        "same": sum(line.verdict == SAME for line in lines),
        "more": max(0, row.found.get("count", 0) - len(lines)),
        "is_open": row.ended_at is None,
        "asks_left": repairs.MAX_REHEARSALS - row.asks,
        "may_keep": access.can_keep(officer_of(request), unit=device.unit, at=at),
        "at": at,
    }
    return render(request, "schedule/rehearsal.html", context)


@require_POST
def again(request: HttpRequest, uid: str) -> HttpResponse:
    """Ask the device once more."""
    at = timezone.now()
    device, _row = _find(request, uid, at)
    actions.repeat_rehearsal(device_id=device.pk, by=officer_of(request), at=at)
    return _answer(request, device, "Đã gửi lệnh diễn tập lại.")


@require_POST
def lift(request: HttpRequest, uid: str) -> HttpResponse:
    """Put the device into service by a person's word, with the reason."""
    at = timezone.now()
    device, _row = _find(request, uid, at)
    actions.lift_rehearsal(
        device_id=device.pk,
        reason=request.POST.get("reason", "").replace("\0", ""),
        by=officer_of(request),
        at=at,
    )
    return _answer(request, device, "Đã cho máy phát theo lịch.")


def _answer(request: HttpRequest, device: Device, said: str) -> HttpResponse:
    row = queries.find_rehearsal(device)
    if not wants_json(request):
        messages.success(request, said)
    to = reverse("schedule:rehearsal", args=[device.uid])
    return done(request, to=to, data=_facts(row) if row else {})


def _draw(
    row: Rehearsal, lines: list[rehearsals.Line], at: datetime
) -> list[timetable.DayPicture]:
    """Return the local days that the rehearsed span touches, as timelines."""
    if "from" not in row.found:
        return []
    begin, end = moment(row.found["from"]), moment(row.found["to"])
    ranks = [told[2] for told in row.found["rows"]]
    pieces = [
        timetable.Piece(
            key=f"{n:05}",
            source=_source(rank),
            title=f"{line.title} ({line.words})",
            starts_at=line.starts_at,
            ends_at=line.ends_at,
            played=timetable.Played(
                1, int(line.verdict == SAME), int(line.verdict != SAME)
            ),
        )
        for n, (line, rank) in enumerate(zip(lines, ranks, strict=True))
    ]
    quiet = [(moment(a), moment(b)) for a, b in row.found["quiet"]]
    pictures = []
    day = timezone.localdate(begin)
    while timetable.midnight(day) < end:
        picture = timetable.draw_day(
            day, pieces=pieces, openings=[], quiet=quiet, at=at, with_gaps=False
        )
        pictures.append(picture)
        day += ONE_DAY
    return pictures


def _source(rank: str) -> str:
    return {
        "priority": timetable.PRIORITY,
        "relay": timetable.RELAY,
        "live": timetable.ANNOUNCED,
        "emergency": timetable.EMERGENCY,
    }.get(rank, timetable.PROGRAMME)


def _facts(row: Rehearsal) -> dict[str, Any]:
    return {
        "rehearsal": row.uid,
        "state": row.state,
        "asked_at": row.asked_at,
        "asks": row.asks,
        "ended_at": row.ended_at,
        "reason": row.reason,
        "differences": row.found.get("codes", []),
        "items": len(row.found.get("rows", [])),
        "same": sum(told[0] == SAME for told in row.found.get("rows", [])),
    }

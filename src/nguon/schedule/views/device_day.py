"""“What will this speaker sound tomorrow, and why”: one device, one day."""

from dataclasses import asdict
from datetime import date, timedelta

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from nguon.core.errors import InvalidError
from nguon.fleet.access import access_device
from nguon.people.answers import officer_of, wants_json
from nguon.schedule import preview, timetable
from nguon.schedule.preview import DeviceDay, Row

ONE_DAY = timedelta(days=1)


def read_day(text: str) -> date:
    """Read a day of an address. Raises InvalidError."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidError("schedule.time_unreadable") from error


@require_safe
def tomorrow(_request: HttpRequest, uid: str) -> HttpResponse:
    """Go to tomorrow's page."""
    day = timezone.localdate() + ONE_DAY
    return redirect("schedule:device_day", uid=uid, day=day.isoformat())


@require_safe
def show(request: HttpRequest, uid: str, day: str) -> HttpResponse:
    """Show every stretch of a device's day with the rule that decided.

    A day that is over is no plan any more: the play log tells what really was.
    """
    at = timezone.now()
    device = access_device(officer_of(request), uid, at=at)
    chosen, today = read_day(day), timezone.localdate(at)
    if chosen < today:
        asked = f"thiet_bi={device.uid}&tu={chosen}&den={chosen}"
        return redirect(f"{reverse('schedule:plays')}?{asked}")
    found = preview.device_day(device, day=chosen, at=at)
    if wants_json(request):
        return JsonResponse(_facts(found))
    picture = timetable.draw_day(
        chosen,
        pieces=[_piece(n, row) for n, row in enumerate(found.sounding)],
        openings=[],
        quiet=found.quiet,
        at=at,
    )
    sources = {row.source for row in found.sounding}
    context = {
        "device": device,
        "found": found,
        "picture": picture,
        "keys": [key for key in timetable.SOURCES if key in sources],
        "sources": timetable.SOURCES,
        "before": chosen - ONE_DAY if chosen > today else None,
        "after": chosen + ONE_DAY,
        "is_tomorrow": chosen == today + ONE_DAY,
        "unplanned": found.planned_until is None
        or found.planned_until < timetable.midnight(chosen + ONE_DAY),
        "at": at,
    }
    return render(request, "schedule/device_day.html", context)


def _piece(number: int, row: Row) -> timetable.Piece:
    return timetable.Piece(
        key=f"{number:05}",
        source=row.source,
        title=row.what,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
    )


def _facts(found: DeviceDay) -> dict[str, object]:
    return {
        "planned_until": found.planned_until,
        "rows": [
            {
                "starts_at": row.starts_at,
                "ends_at": row.ends_at,
                "item": row.item.id if row.item else "",
                "what": row.what,
                "source": row.source,
                "slot": row.slot,
                "why": row.why,
            }
            for row in found.rows
        ],
        "unheard": [{**asdict(one), "item": one.item.id} for one in found.unheard],
    }

"""What was supplied, and what each commune made of it: a table by supplier."""

from datetime import date, datetime, timedelta

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from nguon.core import typed
from nguon.core.errors import InvalidError
from nguon.people.answers import officer_of, table_file, wants_json
from nguon.schedule import supply

DAYS_SHOWN = 30


def _period(request: HttpRequest, at: datetime) -> tuple[date, date]:
    """Return the days that are asked for; the last thirty when none are.

    Raises InvalidError `schedule.period_unreadable`.
    """
    today = timezone.localdate(at)
    asked = request.GET
    try:
        last = typed.read_day(asked.get("den") or today.isoformat(), today=today)
        usual = last - timedelta(days=DAYS_SHOWN - 1)
        first = typed.read_day(asked.get("tu") or usual.isoformat(), today=today)
    except (ValueError, OverflowError) as error:
        raise InvalidError("schedule.period_unreadable") from error
    if not date(2020, 1, 1) <= first <= last <= date(2100, 1, 1):
        raise InvalidError("schedule.period_unreadable")
    return first, last


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show each supplier with its sums, and each commune below it."""
    at = timezone.now()
    first, last = _period(request, at)
    text = request.GET.get("q", "")
    rows = supply.list_supply(
        officer_of(request), first=first, last=last, text=text, at=at
    )
    if wants_json(request):
        return JsonResponse({"suppliers": [_facts(row) for row in rows]})
    context = {
        "rows": rows,
        "first": first,
        "last": last,
        "asked": request.GET,
        "is_filtered": any(request.GET.get(key) for key in ("q", "tu", "den")),
    }
    return render(request, "schedule/supply.html", context)


def _facts(row: supply.Supply) -> dict[str, object]:
    total = row.total
    return {
        "supplier": row.name,
        "bulletins": row.bulletins,
        "offered": total.offered,
        "taken": total.taken,
        "localised": total.localised,
        "left": total.left,
        "undecided": total.undecided,
        "minutes": round(total.minutes, 1),
    }


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Give the same table as a file, a line per supplier and commune."""
    at = timezone.now()
    first, last = _period(request, at)
    found = supply.list_supply(
        officer_of(request),
        first=first,
        last=last,
        text=request.GET.get("q", ""),
        at=at,
    )
    rows = (
        (
            row.name,
            one.unit,
            one.offered,
            one.taken,
            one.localised,
            one.left,
            one.undecided,
            f"{one.minutes:.1f}".replace(".", ","),
        )
        for row in found
        for one in row.communes
    )
    head = (
        "Nguồn,Xã,Đã gửi,Nhận nguyên,Bản của xã,Không dùng,Chưa quyết định,"
        "Phút loa đã phát"
    )
    return table_file("tin-cung-cap", head.split(","), rows)

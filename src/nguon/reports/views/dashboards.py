"""Pages of dashboards: a unit's figures, and its communes side by side."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from nguon.core.errors import AbsentError, InvalidError
from nguon.indicators import asked, rules
from nguon.indicators.asked import Asked
from nguon.indicators.templatetags.indicators import missing_words
from nguon.people.answers import officer_of, table_file, wants_json
from nguon.reports import charts, dashboards
from nguon.reports.dashboards import Card, Comparison, Place
from nguon.territory.models import COMMUNE
from nguon.territory.names import fold

# In the first days of a month the month before says more.
YOUNG_DAYS = 2
THEN = "khi-do"


def _read(request: HttpRequest, at: datetime) -> Asked:
    told = {key: str(text).replace("\0", "") for key, text in request.GET.items()}
    if "ky" not in told and timezone.localdate(at).day <= YOUNG_DAYS:
        told["ky"] = "thang-truoc"
    return asked.read(officer_of(request), told, at=at)


def _refuse(
    request: HttpRequest, error: InvalidError, at: datetime, **more: object
) -> HttpResponse:
    """Answer days that cannot be read: why not, and the form as it was sent."""
    if wants_json(request):
        raise error
    told = {"don_vi": request.GET.get("don_vi", "").replace("\0", "")}
    wanted = asked.read(officer_of(request), told, at=at)
    context = {
        "wanted": replace(wanted, span="khac"),
        "error": error,
        "spans": asked.SPANS.items(),
        "asked": request.GET,
        **more,
    }
    return render(request, "reports/dashboard.html", context, status=422)


def _link(request: HttpRequest, wanted: Asked, **more: str) -> str:
    """Return the query of the same unit and days on another page."""
    query = QueryDict(mutable=True)
    query.update({"don_vi": wanted.unit.uid, "ky": wanted.span, **more})
    if wanted.span == "khac":
        query.update({key: request.GET.get(key, "") for key in ("tu", "den")})
    return f"?{query.urlencode()}"


def _steps(wanted: Asked) -> dict[str, str]:
    """Return the queries of the whole periods before and after, when it is one."""
    count = rules.length_of(wanted.period)
    if count is None:
        return {}
    first, found = wanted.period.first, {}
    for name, shift in (("before", count), ("after", -count)):
        begin = rules.month_before(first, shift)
        period = rules.months(begin.year, begin.month, count)
        query = QueryDict(mutable=True)
        days = {"tu": f"{period.first:%d/%m/%Y}", "den": f"{period.last:%d/%m/%Y}"}
        query.update({"don_vi": wanted.unit.uid, "ky": "khac", **days})
        found[name] = f"?{query.urlencode()}"
    return found


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Show every figure of a unit with its target and the months before."""
    at = timezone.now()
    try:
        wanted = _read(request, at)
        board = dashboards.read_board(wanted.unit, wanted.period)
    except InvalidError as error:
        return _refuse(request, error, at)
    if wants_json(request):
        return JsonResponse(
            {
                "unit": wanted.unit.code,
                "first_date": wanted.period.first,
                "last_date": wanted.period.last,
                "counted_days": board.counted_days,
                "counted_at": board.counted_at,
                "figures": [_facts(card) for card in board.cards],
            },
        )
    context = {
        "wanted": wanted,
        "board": board,
        "told": [one for one in board.cards if one.figure.value is not None],
        "missing": [one for one in board.cards if one.figure.value is None],
        "has_communes": wanted.unit.kind != COMMUNE,
        "link": _link(request, wanted),
        "steps": _steps(wanted),
        "spans": asked.SPANS.items(),
        "asked": request.GET,
    }
    return render(request, "reports/dashboard.html", context)


def _facts(card: Card) -> dict[str, Any]:
    one = card.figure
    return {
        "code": one.indicator.code,
        "name": one.indicator.name,
        "value": one.value,
        "shown_in": one.indicator.unit,
        "above": one.ratio.above,
        "below": one.ratio.below,
        "missing": one.missing,
        "target": card.target,
        "is_example": card.is_example,
        "reaches": card.reaches,
        "months": card.months,
    }


@require_safe
def show_file(request: HttpRequest) -> HttpResponse:
    """Give a unit's dashboard as a file, with the months before."""
    wanted = _read(request, timezone.now())
    board = dashboards.read_board(wanted.unit, wanted.period)
    head = ["Chỉ tiêu", "Giá trị", "Đơn vị tính", "Chỉ tiêu năm", "Số ví dụ"]
    head += [f"{month:%m/%Y}" for month in board.months]
    rows = (_row(card) for card in board.cards)
    return table_file(f"tong-quan-{wanted.period.first}", head, rows)


def _row(card: Card) -> Sequence[object]:
    one = card.figure
    value = (
        charts.write(one.value) if one.value is not None else missing_words(one.missing)
    )
    return [
        one.indicator.name,
        value,
        one.indicator.unit,
        "" if card.target is None else charts.write(float(card.target)),
        "x" if card.is_example else "",
        *("" if month is None else charts.write(month) for month in card.months),
    ]


def _compare(request: HttpRequest, wanted: Asked) -> Comparison:
    """Return what is asked: `chi_tieu` (a code), `ban_do` (`khi-do`: map of then)."""
    if wanted.unit.kind == COMMUNE:
        raise AbsentError("reports.no_communes")
    code = request.GET.get("chi_tieu", "") or dashboards.USUAL
    on_map_of_then = request.GET.get("ban_do") == THEN
    return dashboards.compare(
        wanted.unit, wanted.period, code, on_map_of_then=on_map_of_then
    )


def _search(request: HttpRequest, found: Comparison) -> list[Place]:
    words = fold(request.GET.get("tim", "").replace("\0", "")).split()
    return [
        place
        for place in found.places
        if all(word in place.unit.folded for word in words)
    ]


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Show one figure of all communes: coloured on the map, ranked in a table."""
    at, choices = timezone.now(), dashboards.list_choices()
    try:
        wanted = _read(request, at)
        found = _compare(request, wanted)
    except InvalidError as error:
        chosen = request.GET.get("chi_tieu", "") or dashboards.USUAL
        return _refuse(request, error, at, choices=choices, chosen=chosen)
    if wants_json(request):
        return JsonResponse({"communes": [_place_facts(one) for one in found.places]})
    on_map_of_then = request.GET.get("ban_do") == THEN
    code = found.indicator.code
    above = [one for one in wanted.units if one.kind != COMMUNE]
    context = {
        "wanted": replace(wanted, units=above),
        "found": found,
        "places": _search(request, found),
        "choices": choices,
        "chosen": code,
        "view": charts.view_box(),
        "drawn": [one for one in found.places if one.is_drawn and not on_map_of_then],
        "other_map": dashboards.has_other_map(wanted.unit, wanted.period),
        "on_map_of_then": on_map_of_then,
        "link": _link(request, wanted),
        "days": _link(request, wanted).split("&", 1)[1],
        "spans": asked.SPANS.items(),
        "asked": request.GET,
    }
    return render(request, "reports/dashboard_communes.html", context)


def _place_facts(place: Place) -> dict[str, Any]:
    return {
        "code": place.unit.code,
        "name": place.unit.full_name,
        "value": place.value,
        "missing": place.missing,
        "rank": place.rank,
    }


@require_safe
def compare_file(request: HttpRequest) -> HttpResponse:
    """Give the table of communes as a file."""
    wanted = _read(request, timezone.now())
    found = _compare(request, wanted)
    head = ("Hạng", "Mã", "Xã, phường", found.indicator.name, "Đơn vị tính")
    rows = (
        (one.rank, one.unit.code, one.unit.full_name, one.said, found.indicator.unit)
        for one in _search(request, found)
    )
    own = (
        (
            "", one.unit.code, f"{one.unit.full_name} (riêng cấp này)", one.said,
            found.indicator.unit,
        )
        for one in found.above
    )  # fmt: skip
    name = f"cac-xa-{found.indicator.code}-{wanted.period.first}"
    return table_file(name, head, chain(rows, own))

"""Pages of the evaluation score: sheets by year, one sheet, one commune's score."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from nguon.core.errors import ConflictError, DomainError, InvalidError, RefusedError
from nguon.indicators.catalogue import Indicator
from nguon.people import access as people
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.people.models import APPROVER, AUTHOR
from nguon.plan.money import read_year
from nguon.reports import (
    actions,
    dashboards,
    forms,
    rules,
    score_queries,
    scoring,
)
from nguon.reports.models import ScoreSheet
from nguon.reports.score_queries import Scored
from nguon.territory.models import COMMUNE, VILLAGE


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the score sheets an officer sees."""
    return _index(request)


def _index(request: HttpRequest, error: DomainError | None = None) -> HttpResponse:
    officer, at = officer_of(request), timezone.now()
    sheets = list(score_queries.list_sheets(officer, at=at))
    if wants_json(request):
        rows = [
            {"uid": one.uid, "year": one.year, "state": one.state} for one in sheets
        ]
        return JsonResponse({"sheets": rows})
    units = people.units_of(officer, at=at, kinds=[AUTHOR])
    this_year = timezone.localdate(at).year
    keeps = {one.pk for one in units}
    taken = [one for one in sheets if one.unit_id in keeps]
    years = {one.year for one in taken}
    free = [year for year in (this_year, this_year + 1) if year not in years]
    context = {
        "sheets": sheets,
        "taken": taken,
        "units": [one for one in units if one.kind not in (COMMUNE, VILLAGE)],
        "year": (free or [this_year])[0],
        "sent": request.POST,
        "error": error,
    }
    status = 422 if error else 200
    return render(request, "reports/dashboard_scores.html", context, status=status)


@require_POST
def create(request: HttpRequest) -> HttpResponse:
    """Begin the sheet of a year."""
    officer, at = officer_of(request), timezone.now()
    try:
        unit = people.access_unit(officer, request.POST.get("unit", ""), at=at)
        year = read_year(request.POST.get("year", ""))
        sheet = actions.draft_sheet(unit=unit, year=year, by=officer, at=at)
    except (InvalidError, ConflictError) as error:
        if wants_json(request):
            raise
        return _index(request, error)
    return done(request, to=_address(sheet), data={"uid": sheet.uid})


def _address(sheet: ScoreSheet) -> str:
    return reverse("dashboards:sheet", args=[sheet.uid])


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show a sheet: its weights, and what the communes come to."""
    return _show(request, uid)


def _show(
    request: HttpRequest, uid: str, error: DomainError | None = None
) -> HttpResponse:
    officer, at = officer_of(request), timezone.now()
    sheet = score_queries.access_sheet(officer, uid, at=at)
    found = score_queries.list_own(officer, sheet, at=at)
    if wants_json(request):
        return JsonResponse({"communes": [_facts(row) for row in found]})
    kept = {line.indicator: line for line in sheet.lines.all()}
    approves = people.can(officer, APPROVER, unit=sheet.unit, at=at)
    total = sum(line.weight for line in kept.values())
    context = {
        "sheet": sheet,
        "lines": [_boxes(request, one, kept) for one in dashboards.list_choices()],
        "weights": score_queries.list_lines(sheet),
        "total": total,
        "found": found,
        "may_write": sheet.is_draft
        and people.can(officer, AUTHOR, unit=sheet.unit, at=at),
        "may_publish": sheet.is_draft
        and approves
        and total == scoring.FULL
        and sheet.changed_by_id != officer.pk,
        "may_show": approves and not sheet.is_draft and sheet.shown_at is None,
        "is_over": timezone.localdate(at).year > sheet.year,
        "least": request.POST.get("least_covered", sheet.least_covered),
        "error": error,
    }
    status = 422 if error else 200
    return render(request, "reports/dashboard_score.html", context, status=status)


def _boxes(
    request: HttpRequest, one: Indicator, kept: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what stands in the boxes of an indicator: as typed, else as kept."""
    line = kept.get(one.code)
    weight = line.weight if line else ""
    full = rules.plain(line.full_at) if line and line.full_at is not None else ""
    return {
        "one": one,
        "less": one.less_is_better,
        "weight": request.POST.get(f"weight_{one.code}", weight),
        "full": request.POST.get(f"full_{one.code}", full),
    }


def _facts(row: Scored) -> dict[str, Any]:
    return {
        "code": row.unit.code,
        "name": row.unit.full_name,
        "points": row.score.points,
        "covered": row.score.covered,
        "rank": row.rank,
    }


@require_safe
def show_file(request: HttpRequest, uid: str) -> HttpResponse:
    """Give the scores of an officer's communes as a file."""
    officer, at = officer_of(request), timezone.now()
    sheet = score_queries.access_sheet(officer, uid, at=at)
    rows = (
        (
            row.rank,
            row.unit.code,
            row.unit.full_name,
            "chưa đánh giá được"
            if row.score.points is None
            else rules.plain(row.score.points),
            row.score.covered,
        )
        for row in score_queries.list_own(officer, sheet, at=at)
    )
    head = ("Hạng", "Mã", "Xã, phường", "Điểm", "Trọng số đánh giá được")
    return table_file(f"diem-{sheet.year}", head, rows)


@require_safe
def commune(request: HttpRequest, uid: str, unit: str) -> HttpResponse:
    """Show how one commune's score is made."""
    officer, at = officer_of(request), timezone.now()
    sheet = score_queries.access_sheet(officer, uid, at=at)
    row = score_queries.find_scored(officer, sheet, unit, at=at)
    if wants_json(request):
        return JsonResponse(_facts(row))
    days = {"tu": f"01/01/{sheet.year}", "den": f"31/12/{sheet.year}"}
    context = {"sheet": sheet, "row": row, "days": days}
    return render(request, "reports/dashboard_commune.html", context)


@require_POST
def write(request: HttpRequest, uid: str) -> HttpResponse:
    """Write the weights of a draft."""
    officer, at = officer_of(request), timezone.now()
    sheet = score_queries.access_sheet(officer, uid, at=at)
    sent = request.POST.dict()
    try:
        lines = forms.read_weights(sent, dashboards.list_choices())
        least = forms.read_whole(sent.get("least_covered", ""))
        actions.write_sheet(
            sheet_id=sheet.pk, lines=lines, least_covered=least, by=officer, at=at
        )
    except (InvalidError, ConflictError) as error:
        if wants_json(request):
            raise
        return _show(request, uid, error)
    return _done(request, sheet, "Đã lưu bảng điểm.")


@require_POST
def publish(request: HttpRequest, uid: str) -> HttpResponse:
    """Publish a sheet: its weights are locked."""
    return _move(
        request, uid, actions.publish_sheet, "Đã ban hành; bảng điểm được khóa."
    )


@require_POST
def open_results(request: HttpRequest, uid: str) -> HttpResponse:
    """Show the results to everybody."""
    said = "Đã công khai kết quả trong Số liệu mở."
    return _move(request, uid, actions.show_results, said)


def _move(request: HttpRequest, uid: str, act: Any, said: str) -> HttpResponse:
    officer, at = officer_of(request), timezone.now()
    sheet = score_queries.access_sheet(officer, uid, at=at)
    try:
        act(sheet_id=sheet.pk, by=officer, at=at)
    except (InvalidError, ConflictError, RefusedError) as error:
        if wants_json(request) or error.code.startswith("people."):
            raise
        return _show(request, uid, error)
    return _done(request, sheet, said)


def _done(request: HttpRequest, sheet: ScoreSheet, said: str) -> HttpResponse:
    if not wants_json(request):
        messages.success(request, said)
    sheet.refresh_from_db()
    return done(request, to=_address(sheet), data={"state": sheet.state})

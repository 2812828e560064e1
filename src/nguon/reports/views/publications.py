"""Pages by which an approver gives figures to everybody, and takes them back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from nguon.core.errors import ConflictError, DomainError, InvalidError, RefusedError
from nguon.indicators import rules as periods
from nguon.people import access as people
from nguon.people.answers import done, officer_of, wants_json
from nguon.people.models import APPROVER, Officer
from nguon.reports import actions, dashboards, forms, open_queries, opening, rules
from nguon.reports.models import Publication
from nguon.territory.models import COMMUNE, VILLAGE, Unit


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List what an officer's ground, and units above it, published."""
    return _index(request)


def _index(request: HttpRequest, error: DomainError | None = None) -> HttpResponse:
    officer, at = officer_of(request), timezone.now()
    rows = list(open_queries.list_seen(officer, at=at)[:200])
    if wants_json(request):
        told = [{"uid": row.uid, "withdrawn": row.reason} for row in rows]
        return JsonResponse({"publications": told})
    context = {
        "rows": rows,
        "mine": {
            row.pk
            for row in rows
            if row.withdrawn_at is None
            and people.can(officer, APPROVER, unit=row.unit, at=at)
        },
        "may_publish": bool(_units(officer, at)),
        "error": error,
    }
    status = 422 if error else 200
    return render(request, "reports/dashboard_published.html", context, status=status)


def _units(officer: Officer, at: datetime) -> list[Unit]:
    found = people.units_of(officer, at=at, kinds=[APPROVER])
    return [one for one in found if one.kind not in (COMMUNE, VILLAGE)]


def _usual(at: datetime) -> dict[str, str]:
    """Return last month, which is what is published most."""
    before = periods.month_before(timezone.localdate(at).replace(day=1), 1)
    return {"kind": rules.MONTH, "year": str(before.year), "number": str(before.month)}


@require_safe
def prepare(request: HttpRequest) -> HttpResponse:
    """Show what would be published of a period, before anything is."""
    told = {**_usual(timezone.now()), **request.GET.dict()}
    return _prepare(request, told)


def _prepare(
    request: HttpRequest, told: Mapping[str, str], error: DomainError | None = None
) -> HttpResponse:
    officer, at = officer_of(request), timezone.now()
    units = _units(officer, at)
    chosen = [one for one in units if one.uid == told.get("unit")] or units
    context: dict[str, Any] = {
        "units": units,
        "unit": chosen[0] if chosen else None,
        "kinds": rules.KINDS.items(),
        "told": told,
        "error": error,
        "people": opening.ABOUT_PEOPLE,
        "fewest": opening.FEWEST,
    }
    try:
        days = forms.read_days(told, at=at)
        if chosen:
            codes = [one.code for one in dashboards.list_choices()]
            drafted = open_queries.draft(chosen[0], days, codes)
            context |= {
                "days": days,
                "standing": open_queries.find_standing(chosen[0], days),
                "counted_days": drafted.counted_days,
                "totals": [
                    open_queries.Published(one, place, line)
                    for one, place, line in drafted.lines
                    if place == chosen[0]
                ],
            }
    except InvalidError as refused:
        context["error"] = error or refused
    status = 422 if context["error"] else 200
    return render(request, "reports/dashboard_publish.html", context, status=status)


@require_POST
def publish(request: HttpRequest) -> HttpResponse:
    """Publish the chosen figures of a period."""
    officer, at = officer_of(request), timezone.now()
    sent = request.POST.dict()
    try:
        row = actions.publish_figures(
            unit=people.access_unit(officer, sent.get("unit", ""), at=at),
            days=forms.read_days(sent, at=at),
            codes=request.POST.getlist("codes"),
            by=officer,
            at=at,
        )
    except (InvalidError, ConflictError, RefusedError) as error:
        if wants_json(request) or error.code.startswith("people."):
            raise
        return _prepare(request, sent, error)
    return _done(request, row, "Đã công bố; ai cũng xem và tải được.")


@require_POST
def withdraw(request: HttpRequest, uid: str) -> HttpResponse:
    """Take published figures back."""
    officer, at = officer_of(request), timezone.now()
    row = open_queries.access_publication(officer, uid, at=at)
    try:
        actions.withdraw_figures(
            publication_id=row.pk,
            reason=request.POST.get("reason", ""),
            by=officer,
            at=at,
        )
    except (InvalidError, ConflictError) as error:
        if wants_json(request):
            raise
        return _index(request, error)
    return _done(request, row, "Đã rút lại; trang công khai nói lý do.")


def _done(request: HttpRequest, row: Publication, said: str) -> HttpResponse:
    if not wants_json(request):
        messages.success(request, said)
    return done(request, to=reverse("dashboards:published"), data={"uid": row.uid})

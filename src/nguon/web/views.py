"""The first page: what waits for me, what sounds now, what sounds today."""

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from nguon import __version__
from nguon.core import metrics
from nguon.fleet import telltale
from nguon.newsroom import arrivals
from nguon.newsroom.models import Bulletin
from nguon.people import access
from nguon.people.answers import officer_of, wants_json
from nguon.people.models import ADMINISTRATOR, APPROVER, AUTHOR, Officer
from nguon.plan import queries as plans
from nguon.reports import queries as reports
from nguon.schedule import papers, picture, queries, rules
from nguon.schedule.models import Broadcast
from nguon.territory.models import PROVINCE
from nguon.web import condition
from nguon.web.scrapers import may_scrape

SHOWN = 4


@login_not_required
@require_safe
def health(_request: HttpRequest) -> HttpResponse:
    """Tell a supervisor that web and database answer; it says nothing else."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@login_not_required
@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    """Tell Prometheus the figures; to anybody else they do not exist."""
    if not may_scrape(request):
        raise Http404
    found = condition.figures(at=timezone.now())
    text = metrics.expose([*found, *telltale.process_figures()])
    return HttpResponse(text, content_type=metrics.CONTENT_TYPE)


@require_safe
def show_condition(request: HttpRequest) -> HttpResponse:
    """Show how every part of the system is, to who keeps it running."""
    at = timezone.now()
    officer = officer_of(request)
    roles = access.roles_of(officer, at=at, kinds=[ADMINISTRATOR])
    if not officer.is_superuser and not roles.filter(unit__kind=PROVINCE).exists():
        raise access.NoRightError(ADMINISTRATOR)
    rows = condition.look(at=at)
    if wants_json(request):
        return JsonResponse({row.key: [row.state, row.value] for row in rows})
    bad = [row for row in rows if row.state == condition.BAD]
    context = {"at": at, "rows": rows, "bad": bad, "version": __version__}
    return render(request, "web/condition.html", context)


@require_safe
def today(request: HttpRequest) -> HttpResponse:
    """Show an officer's day."""
    at = timezone.now()
    officer = officer_of(request)
    airings = queries.list_today(officer, at=at)
    sounding = queries.list_sounding(officer, at=at)
    waiting = queries.list_waiting(officer, at=at)
    sent = papers.list_waiting(officer, at=at)
    if wants_json(request):
        return JsonResponse(
            {
                "officer": officer.full_name,
                "waiting": [one.uid for one in waiting],
                "sounding": [airing.item for airing in sounding],
                "today": [airing.item for airing in airings],
            }
        )
    paths = tuple(access.paths_of(officer, at=at))
    for airing in airings:
        ground = airing.broadcast.unit if airing.broadcast else airing.unit
        airing.is_own = bool(ground and ground.path.startswith(paths))  # type: ignore[attr-defined]
    own = Broadcast.objects.filter(submitted_by=officer).select_related("version")
    unsent = Bulletin.objects.filter(created_by=officer, versions__isnull=True)
    units = access.units_of(officer, at=at)
    context = {
        "at": at,
        **_owed(officer, at=at),
        "inbox_count": queries.count_undecided(officer, at=at),
        "arrival_count": arrivals.count_arrivals(officer, at=at),
        "waiting": waiting[:SHOWN],
        "waiting_papers": sent[:SHOWN],
        "waiting_more": max(0, len(waiting) - SHOWN) + max(0, len(sent) - SHOWN),
        "sounding": sounding,
        "airings": airings,
        "sounding_items": {airing.item for airing in sounding},
        "day": picture.draw_day(
            airings, quiet=papers.hours_of(units[:1], [], at=at), at=at
        ),
        "returned": _still_returned(own),
        "unsent": unsent.select_related("unit").order_by("-saved_at", "-pk")[:SHOWN],
        "may_write": bool(access.paths_of(officer, at=at, kinds=[AUTHOR])),
        "may_approve": bool(access.paths_of(officer, at=at, kinds=[APPROVER])),
        "units": units[:3],
    }
    return render(request, "web/today.html", context)


def _owed(officer: Officer, *, at: datetime) -> dict[str, Any]:
    """Return the reports and tasks of one's own units that are given back or late."""
    day = timezone.localdate(at)
    told = reports.list_pressing(officer, today=day, at=at)
    tasks = plans.list_overdue(officer, today=day, at=at)
    return {
        "today": day,
        "owed_reports": list(told[:SHOWN]),
        "owed_reports_count": told.count(),
        "owed_tasks": list(tasks[:SHOWN]),
        "owed_tasks_count": tasks.count(),
    }


def _still_returned(own: QuerySet[Broadcast]) -> list[Broadcast]:
    """Return what came back and was not sent again."""
    latest: dict[int, Broadcast] = {}
    for one in own.order_by("pk"):
        latest[one.version.bulletin_id] = one
    back = (rules.RETURNED, rules.FAILED)
    return [one for one in latest.values() if one.state in back][-SHOWN:]

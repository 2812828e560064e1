"""Screens of incidents: what took many devices at once, and which came back."""

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from nguon.fleet import access, queries
from nguon.fleet.models import Incident
from nguon.people.answers import officer_of, table_file, wants_json

PER_PAGE = 50
EXPORT_LIMIT = 20_000


def _found(request: HttpRequest) -> QuerySet[Incident]:
    """Return the incidents that the officer sees and asks for."""
    found = access.fence_incidents(officer_of(request), at=timezone.now())
    return queries.filter_incidents(
        found,
        text=request.GET.get("tim", "").replace("\0", "").strip()[:60],
        only_open=bool(request.GET.get("dang_mo")),
    )


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List incidents, the open ones first."""
    found = _found(request)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("trang"))
    if wants_json(request):
        rows = [_facts(incident) for incident in page]
        return JsonResponse({"incidents": rows})
    context = {"page": page, "asked": request.GET}
    return render(request, "fleet/incidents.html", context)


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show one incident with its devices, those still gone first."""
    at = timezone.now()
    officer = officer_of(request)
    incident = access.access_incident(officer, uid, at=at)
    faults = queries.list_faults_of(incident, access.fence_devices(officer, at=at))
    page = Paginator(faults, PER_PAGE).get_page(request.GET.get("trang"))
    if wants_json(request):
        rows = [
            {
                "device": fault.device.uid,
                "cause": fault.cause,
                "opened_at": fault.opened_at,
                "closed_at": fault.closed_at,
            }
            for fault in page
        ]
        return JsonResponse({**_facts(incident), "faults": rows})
    context = {
        "incident": incident,
        "page": page,
        "counts": queries.count_back(incident),
        "at": at,
    }
    return render(request, "fleet/incident.html", context)


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Send the incidents as a table file."""
    rows = (
        (
            incident.uid,
            incident.kind_name,
            incident.unit.full_name,
            incident.mast,
            incident.size,
            queries.local_text(incident.opened_at),
            queries.local_text(incident.closed_at),
        )
        for incident in _found(request)[:EXPORT_LIMIT]
    )
    head = ("Mã", "Loại", "Nơi", "Trạm", "Số thiết bị", "Bắt đầu", "Kết thúc")
    return table_file("su-co", head, rows)


def _facts(incident: Incident) -> dict[str, object]:
    return {
        "incident": incident.uid,
        "kind": incident.kind,
        "unit": incident.unit.uid,
        "mast": incident.mast,
        "size": incident.size,
        "opened_at": incident.opened_at,
        "closed_at": incident.closed_at,
    }

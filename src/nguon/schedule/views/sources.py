"""The relay sources of an officer's ground, and how the server hears each."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from nguon.people.answers import officer_of, wants_json
from nguon.schedule import relays


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the approved sources with their state, since when, and the last trouble."""
    at = timezone.now()
    sources = relays.list_sources(officer=officer_of(request), at=at)
    if wants_json(request):
        return JsonResponse({"sources": [_facts(row) for row in sources]})
    context = {
        "sources": sources,
        "troubled": sum(1 for s in sources if s.watch and s.watch.state != "live"),
    }
    return render(request, "schedule/sources.html", context)


def _facts(row: relays.WatchedSource) -> dict[str, object]:
    watch = row.watch
    return {
        "uid": row.paper.uid,
        "name": row.source.name,
        "url": row.source.url,
        "kind": row.source.kind,
        "state": watch.state if watch else "",
        "since": watch.since if watch else None,
        "checked_at": watch.checked_at if watch else None,
        "level_dbfs": watch.level_dbfs if watch else None,
        "detail": watch.detail if watch else "",
    }

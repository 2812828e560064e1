"""The relay sources of an officer's ground, and how the server hears each.

Devices fetch here what the server makes of sources that they cannot play.
"""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from nguon.core.errors import AbsentError
from nguon.people import access
from nguon.people.answers import officer_of, table_file, wants_json
from nguon.people.models import AUTHOR
from nguon.radio.segments import MIME, PLAYLIST_MIME
from nguon.schedule import relays, transcoding

COLUMNS = ("Tên", "Đơn vị", "Địa chỉ", "Tình trạng", "Từ lúc", "Mức dBFS", "Đường phát")


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the approved sources with their state, since when, and the last trouble."""
    at = timezone.now()
    officer = officer_of(request)
    sources = relays.list_sources(officer=officer, at=at)
    if wants_json(request):
        return JsonResponse({"sources": [_facts(row) for row in sources]})
    if request.GET.get("dang") == "csv":
        return table_file("nguon-tiep-am", COLUMNS, map(_row, sources))
    context = {
        "sources": sources,
        "may_write": bool(access.units_of(officer, at=at, kinds=[AUTHOR])),
        "troubled": sum(1 for s in sources if s.watch and s.watch.state != "live"),
    }
    return render(request, "schedule/sources.html", context)


def _row(row: relays.WatchedSource) -> tuple[object, ...]:
    watch = row.watch
    told: tuple[object, ...] = ("Chưa nghe thử",)
    if watch:
        told = (
            watch.get_state_display(),
            timezone.localtime(watch.since).strftime("%d/%m/%Y %H:%M"),
            watch.level_dbfs,
            watch.get_route_display() if watch.codec else "",
        )
    return (row.source.name, row.paper.unit.full_name, row.source.url, *told)


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
        "route": watch.route if watch else "",
        "codec": watch.codec if watch else "",
        "kbps": watch.kbps if watch else None,
    }


# Devices ask about once a second, all of them the same: nginx may answer for us.
@login_not_required
@require_safe
def playlist(request: HttpRequest, uid: str) -> HttpResponse:
    """Serve the playlist of a relay that is being made now."""
    return _published(uid, transcoding.PLAYLIST, PLAYLIST_MIME, seconds=1)


@login_not_required
@require_safe
def segment(request: HttpRequest, uid: str, number: int) -> HttpResponse:
    """Serve two seconds of a relay."""
    return _published(uid, f"{number}.mp3", MIME, seconds=30)


def _published(uid: str, name: str, mime: str, *, seconds: int) -> HttpResponse:
    data = transcoding.find_published(uid, name, at=timezone.now())
    if data is None:
        raise AbsentError("schedule.relay_absent")
    age = f"public, max-age={seconds}"
    return HttpResponse(data, content_type=mime, headers={"Cache-Control": age})

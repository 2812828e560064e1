"""Recordings in minority languages: what is to be done, and doing it on a phone."""

from datetime import datetime, timedelta

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from nguon.core import typed
from nguon.newsroom import actions, forms, rules
from nguon.newsroom.access import access_bulletin
from nguon.newsroom.models import TrackTask
from nguon.newsroom.tracks import access_track, list_tracks
from nguon.people import access as people_access
from nguon.people import queries as people_queries
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.people.models import AUTHOR

PER_PAGE = 30
EXPORT_LIMIT = 20_000
USUAL_TIME = timedelta(hours=4)


def _found(request: HttpRequest, at: datetime) -> QuerySet[TrackTask]:
    asked = request.GET
    found = list_tracks(
        officer_of(request),
        at=at,
        text=asked.get("q", ""),
        mine=asked.get("cua") == "toi",
    )
    if asked.get("tieng") in rules.LANGUAGES:
        found = found.filter(language=asked["tieng"])
    if asked.get("trang_thai") in rules.TRACK_STATES:
        found = found.filter(state=asked["trang_thai"])
    return found


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List what is to be recorded: late first."""
    at = timezone.now()
    page = Paginator(_found(request, at), PER_PAGE).get_page(request.GET.get("trang"))
    if wants_json(request):
        rows = [_facts(task) for task in page]
        return JsonResponse({"tracks": rows, "count": page.paginator.count})
    context = {
        "page": page,
        "asked": request.GET,
        "states": rules.TRACK_STATES.items(),
        "languages": _languages(),
        "is_filtered": any(
            request.GET.get(key) for key in ("q", "cua", "tieng", "trang_thai")
        ),
        "at": at,
    }
    return render(request, "newsroom/tracks.html", context)


def _languages() -> list[tuple[str, str]]:
    return [(code, name) for code, name in rules.LANGUAGES.items() if code != "vi"]


def _facts(task: TrackTask) -> dict[str, object]:
    return {
        "track": task.pk,
        "bulletin_uid": task.bulletin.uid,
        "language": task.language,
        "state": task.state,
        "due_at": task.due_at.isoformat(),
    }


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Give the same list as a file."""
    rows = (
        (
            task.bulletin.title,
            task.bulletin.unit.full_name,
            rules.LANGUAGES.get(task.language, task.language),
            task.assigned.full_name if task.assigned else task.speaker,
            task.phone,
            f"{timezone.localtime(task.due_at):%d/%m/%Y %H:%M}",
            rules.TRACK_STATES[task.state],
            task.text,
        )
        for task in _found(request, timezone.now())[:EXPORT_LIMIT]
    )
    head = "Bản tin,Đơn vị,Tiếng,Người đọc,Điện thoại,Hạn,Trạng thái,Lời dịch"
    return table_file("ban-ghi-tieng-dan-toc", head.split(","), rows)


@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, uid: str) -> HttpResponse:
    """Ask for a recording of a bulletin in one language."""
    at = timezone.now()
    officer = officer_of(request)
    bulletin = access_bulletin(uid=uid, officer=officer, at=at)
    people_access.check_can(officer, AUTHOR, unit=bulletin.unit, at=at)
    authors = people_queries.list_around(bulletin.unit, kind=AUTHOR, at=at)
    fit = [
        one
        for one in authors
        if people_access.can(one, AUTHOR, unit=bulletin.unit, at=at)
    ]
    if request.method == "POST":
        chosen = request.POST.get("assigned", "")
        assigned = next((one for one in fit if str(one.pk) == chosen), None)
        if chosen and assigned is None:
            raise rules.DraftError("newsroom.track_officer_cannot")
        task = actions.ask_track(
            bulletin_id=bulletin.pk,
            language=request.POST.get("language", ""),
            assigned=assigned,
            speaker=request.POST.get("speaker", ""),
            phone=request.POST.get("phone", ""),
            due_at=_due(request, at),
            by=officer,
            at=at,
        )
        if not wants_json(request):
            messages.success(request, "Đã nhờ ghi âm.")
        return done(
            request, to=reverse("newsroom:track", args=[task.pk]), data=_facts(task)
        )
    context = {
        "bulletin": bulletin,
        "authors": fit,
        "languages": _languages(),
        "language": request.GET.get("tieng", ""),
        "due": at + USUAL_TIME,
        "due_day": timezone.localdate(at + USUAL_TIME),
        "tracks": TrackTask.objects.filter(bulletin=bulletin)
        .select_related("assigned")
        .order_by("-pk"),
    }
    return render(request, "newsroom/ask_track.html", context)


def _due(request: HttpRequest, at: datetime) -> datetime:
    """Read the local day and hour that were typed. Raises DraftError."""
    sent = request.POST
    try:
        day = typed.read_day(sent.get("due_day", ""), today=timezone.localdate(at))
        clock = typed.read_clock(sent.get("due_clock", ""))
    except ValueError as error:
        raise rules.DraftError("newsroom.track_due_past") from error
    return timezone.make_aware(datetime.combine(day, clock))


@require_safe
def show(request: HttpRequest, key: int) -> HttpResponse:
    """Show one task: the text to be said, the translation, the recorder."""
    at = timezone.now()
    officer = officer_of(request)
    task = access_track(key=key, officer=officer, at=at)
    if wants_json(request):
        return JsonResponse(_facts(task))
    unit = task.bulletin.unit
    context = {
        "task": task,
        "bulletin": task.bulletin,
        "is_late": task.state == rules.TRACK_ASKED and task.due_at <= at,
        "is_open": task.state == rules.TRACK_ASKED,
        "may_record": people_access.can(officer, AUTHOR, unit=unit, at=at),
        "recording_seconds": rules.RECORDING_SECONDS,
        "text_limit": rules.BODY_LIMIT,
    }
    return render(request, "newsroom/track.html", context)


@require_POST
def translate(request: HttpRequest, key: int) -> HttpResponse:
    """Keep the translation."""
    task = actions.save_track_text(
        key=key,
        text=request.POST.get("text", ""),
        by=officer_of(request),
        at=timezone.now(),
    )
    if not wants_json(request):
        messages.success(request, "Đã lưu lời dịch.")
    return done(request, to=reverse("newsroom:track", args=[key]), data=_facts(task))


@require_POST
def record(request: HttpRequest, key: int) -> HttpResponse:
    """Take the recording, spoken on the phone or sent as a file."""
    at = timezone.now()
    officer = officer_of(request)
    access_track(key=key, officer=officer, at=at)
    end = forms.read_number(request.POST.get("to_ms"), 0)
    task = actions.record_track(
        key=key,
        data=forms.read_recording(request, at),
        between_ms=(forms.read_number(request.POST.get("from_ms"), 0), end or None),
        by=officer,
        at=at,
    )
    if not wants_json(request):
        messages.success(request, "Đã nhận bản ghi âm.")
    return done(request, to=reverse("newsroom:track", args=[key]), data=_facts(task))


@require_POST
def drop(request: HttpRequest, key: int) -> HttpResponse:
    """Ask no longer."""
    task = actions.drop_track(key=key, by=officer_of(request), at=timezone.now())
    return done(request, to=reverse("newsroom:tracks"), data=_facts(task))

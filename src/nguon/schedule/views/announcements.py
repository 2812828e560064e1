"""*Phát ngay*: say what, choose where, hear it, let it sound; made for a phone.

The text is kept as a draft like any other. Under a standing authority the button lets
it sound at once; without one it goes to whoever approves, for the same timing.
"""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from nguon.core.errors import AbsentError, DomainError, InvalidError, RefusedError
from nguon.newsroom import actions as newsroom
from nguon.newsroom import queries as newsroom_queries
from nguon.newsroom import rules as newsroom_rules
from nguon.newsroom.access import access_bulletin
from nguon.newsroom.dictionary import dictionary_of
from nguon.newsroom.forms import read_number
from nguon.newsroom.models import Bulletin, Rendition
from nguon.people import access
from nguon.people.answers import done, officer_of, wants_json
from nguon.people.models import AUTHOR
from nguon.schedule import actions, audience, forms, papers, rules, station
from nguon.schedule.authority import find_authority
from nguon.schedule.models import Paper
from nguon.schedule.views.bulletins import broadcast_facts
from nguon.territory.models import Unit

SEND, ANNOUNCE = "send", "announce"


@require_http_methods(["GET", "POST"])
def begin(request: HttpRequest) -> HttpResponse:
    """Begin an announcement: what, and where."""
    at = timezone.now()
    officer = officer_of(request)
    units = access.units_of(officer, at=at, kinds=[AUTHOR])
    asked = request.POST.get("unit") or request.GET.get("noi")
    unit = next((u for u in units if u.uid == asked), None)
    if asked and unit is None:
        # Never in the name of another place than the one that was meant.
        raise AbsentError("people.not_your_ground")
    unit = unit or (units[0] if units else None)
    if request.method == "GET" or unit is None:
        return _page(request, unit, None, at, choices=units)
    try:
        draft = _draft(request, unit)
        newsroom_rules.check_ready(draft)
        bulletin = newsroom.create_bulletin(unit=unit, draft=draft, by=officer, at=at)
    except InvalidError as error:
        return _refused(request, unit, None, at, error)
    try:
        _voice(request, bulletin, at)
    except DomainError as error:
        return _refused(request, unit, bulletin, at, error)
    return _heard(request, bulletin)


@require_http_methods(["GET", "POST"])
def go_on(request: HttpRequest, uid: str) -> HttpResponse:
    """Hear an announcement, change it, and let it sound or send it to be approved."""
    at = timezone.now()
    officer = officer_of(request)
    bulletin = access_bulletin(uid=uid, officer=officer, at=at)
    access.check_can(officer, AUTHOR, unit=bulletin.unit, at=at)
    if request.method == "GET":
        return _page(request, bulletin.unit, bulletin, at)
    try:
        bulletin = newsroom.save_draft(
            bulletin_id=bulletin.pk,
            revision=read_number(request.POST.get("revision"), bulletin.revision),
            draft=_draft(request, bulletin.unit),
            by=officer,
            at=at,
        )
        _voice(request, bulletin, at)
        return _act(request, bulletin, at)
    except AbsentError:
        raise
    except DomainError as error:
        return _refused(request, bulletin.unit, bulletin, at, error)


def _act(request: HttpRequest, bulletin: Bulletin, at: datetime) -> HttpResponse:
    """Do what the pressed button says."""
    act = request.POST.get("act")
    if act not in {SEND, ANNOUNCE}:
        return _heard(request, bulletin)
    officer = officer_of(request)
    units, devices = forms.read_audience(request.POST, officer=officer, at=at)
    groups = forms.read_groups(request.POST, officer=officer, at=at)
    if act == ANNOUNCE:
        broadcast = actions.announce_draft(
            bulletin_id=bulletin.pk,
            heard=request.POST.getlist("heard"),
            units=units,
            devices=devices,
            groups=groups,
            by=officer,
            at=at,
        )
        words, to = "Lệnh phát đang đến các loa.", f"/phat/{broadcast.uid}/"
    else:
        broadcast = actions.submit(
            bulletin_id=bulletin.pk,
            timing=rules.Timing(rules.ANNOUNCE),
            units=units,
            devices=devices,
            groups=groups,
            by=officer,
            at=at,
        )
        words = "Đã gửi người duyệt; duyệt xong là loa phát ngay."
        to = reverse("schedule:bulletin", args=[bulletin.uid])
    if not wants_json(request):
        messages.success(request, words)
    return done(request, to=to, data=broadcast_facts(broadcast))


def _draft(request: HttpRequest, unit: Unit) -> newsroom_rules.Draft:
    return forms.read_announcement(
        request.POST, unit=unit, is_recorded=bool(request.FILES.get("recording"))
    )


def _voice(request: HttpRequest, bulletin: Bulletin, at: datetime) -> None:
    """Take the recording that was sent, or ask for a voice. Raises DomainError."""
    sent = request.FILES.get("recording")
    if sent is not None:
        if sent.size is not None and sent.size > newsroom_rules.RECORDING_BYTES:
            raise newsroom_rules.DraftError("newsroom.recording_too_big")
        newsroom.attach_recording(
            bulletin_id=bulletin.pk,
            language="vi",
            data=sent.read(),
            by=officer_of(request),
            at=at,
        )
        return
    draft = newsroom.draft_of(bulletin)
    newsroom_rules.check_ready(draft)
    for sound in newsroom_queries.list_draft_sounds(bulletin):
        if sound.speakable and not sound.recorded:
            newsroom.ask_rendition(
                text=newsroom_rules.written_text(title=draft.title, body=draft.body),
                language=sound.language,
                drill=bulletin.drill,
                # Somebody stands and waits: before the bulletins of tomorrow.
                klass=newsroom_rules.PRIORITY,
                at=at,
                dictionary=dictionary_of(bulletin.unit).words,
                manner=bulletin.manner,
            )


def _heard(request: HttpRequest, bulletin: Bulletin) -> HttpResponse:
    """Show the announcement with its sound; the choice of places goes along."""
    chosen = QueryDict(mutable=True)
    for name in ("units", "groups"):
        chosen.setlist(name, request.POST.getlist(name))
    address = reverse("schedule:announcement", args=[bulletin.uid])
    return done(
        request,
        to=f"{address}?{chosen.urlencode()}#nghe",
        data={"uid": bulletin.uid, "revision": bulletin.revision},
    )


def _refused(
    request: HttpRequest,
    unit: Unit,
    bulletin: Bulletin | None,
    at: datetime,
    error: DomainError,
) -> HttpResponse:
    """Say why not, and give back everything that was typed."""
    if wants_json(request):
        raise error
    if bulletin is not None:
        bulletin.refresh_from_db()
    return _page(request, unit, bulletin, at, error=error)


def _page(
    request: HttpRequest,
    unit: Unit | None,
    bulletin: Bulletin | None,
    at: datetime,
    *,
    error: DomainError | None = None,
    choices: list[Unit] | None = None,
) -> HttpResponse:
    sent = request.POST if request.method == "POST" else request.GET
    chosen, chosen_groups = set(sent.getlist("units")), set(sent.getlist("groups"))
    if not chosen and not chosen_groups:
        chosen = {unit.uid if unit else ""}
    draft = newsroom.draft_of(bulletin) if bulletin else newsroom_rules.Draft("", "")
    text = sent.get("text", draft.body)
    title = sent.get("title", draft.title)
    below = Unit.objects.as_of(timezone.localdate(at)).filter(parent=unit)
    context = {
        "unit": unit,
        "choices": choices or [],
        "bulletin": bulletin,
        "error": error,
        "text": text,
        "title": "" if title == newsroom_rules.first_words(text) else title,
        "parts": [(u, u.uid in chosen) for u in below.order_by("folded", "pk")],
        "groups": audience.list_groups_under(unit) if unit else [],
        "chosen_groups": chosen_groups,
        "is_whole": unit is None or unit.uid in chosen,
        "body_limit": newsroom_rules.BODY_LIMIT,
    }
    if bulletin is not None:
        context |= _ready(request, bulletin, sent, at)
    return render(
        request, "schedule/announce.html", context, status=422 if error else 200
    )


@require_safe
def ready(request: HttpRequest, uid: str) -> HttpResponse:
    """Give the part that changes: the sound, and what may be done with it."""
    at = timezone.now()
    bulletin = access_bulletin(uid=uid, officer=officer_of(request), at=at)
    context = _ready(request, bulletin, request.GET, at)
    if wants_json(request):
        paper: Paper | None = context["paper"]
        return JsonResponse(
            {
                "is_ready": context["is_ready"],
                "heard": context["heard"],
                "authority": paper.uid if paper else None,
                "refusals": [
                    e.code for e in (context["refusal"], context["hour"]) if e
                ],
            }
        )
    return render(
        request, "schedule/announce_ready.html", {**context, "bulletin": bulletin}
    )


def _ready(
    request: HttpRequest, bulletin: Bulletin, sent: QueryDict, at: datetime
) -> dict[str, Any]:
    """Return whether it can be heard, whom it reaches, and under which paper."""
    officer = officer_of(request)
    sounds = newsroom_queries.list_draft_sounds(bulletin)
    made = [sound.rendition for sound in sounds if sound.rendition]
    media = [sound.media for sound in made if sound.state == Rendition.READY]
    is_ready = len(media) == len(sounds)
    units, devices = forms.read_audience(sent, officer=officer, at=at)
    groups = forms.read_groups(sent, officer=officer, at=at)
    devices = audience.with_groups(devices, groups)
    if not units and not devices:
        units = [bulletin.unit]
    paper, refusal, hour = None, None, None
    try:
        paper = find_authority(
            officer=officer, act=station.ANNOUNCE, units=units, devices=devices, at=at
        )
    except RefusedError as error:
        refusal = error
    try:
        rules.check_quiet(
            papers.hours_of(units, devices, at=at),
            klass=bulletin.klass,
            drill=False,
            start=at,
            length=rules.length_of(max((s.duration_ms for s in made), default=1)),
        )
    except InvalidError as error:
        hour = error
    return {
        "sounds": sounds,
        "is_ready": is_ready,
        "is_making": any(
            sound.state in {Rendition.ASKED, Rendition.WORKING} for sound in made
        ),
        "heard": [one.sha256 for one in media if one is not None],
        "paper": paper,
        "refusal": refusal,
        "hour": hour,
        "reach": audience.preview(units, devices),
        "chosen": sent.getlist("units"),
    }

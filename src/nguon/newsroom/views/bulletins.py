"""Writing a bulletin and hearing it, from a phone or from a program."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    QueryDict,
)
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from nguon.core.errors import AbsentError, DomainError, InvalidError
from nguon.fleet import files
from nguon.newsroom import actions, forms, queries, rules, supply
from nguon.newsroom.access import access_bulletin
from nguon.newsroom.dictionary import dictionary_of
from nguon.newsroom.models import Bulletin, Rendition, Supplier
from nguon.people import access as people_access
from nguon.people.answers import done, is_htmx, officer_of, wants_json
from nguon.people.models import AUTHOR


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Begin a bulletin: for which place, of which kind; drill or real for good."""
    at = timezone.now()
    officer = officer_of(request)
    if request.method == "POST":
        unit = forms.unit_to_write_for(request, at)
        klass, drill = forms.read_kind(request)
        draft = forms.read_draft(
            request.POST,
            start=rules.Draft("", "", klass),
            today=timezone.localdate(at),
        )
        bulletin = actions.create_bulletin(
            unit=unit,
            draft=draft,
            drill=drill,
            corrects=request.POST.get("corrects") or None,
            by=officer,
            at=at,
        )
        return done(
            request,
            to=reverse("newsroom:edit", args=[bulletin.uid]),
            data=_facts(bulletin),
        )
    units = people_access.units_of(officer, at=at, kinds=[AUTHOR])
    return render(
        request,
        "newsroom/create.html",
        {"units": units, "kind": request.GET.get("loai", rules.NORMAL)},
    )


@require_POST
def reuse(request: HttpRequest, uid: str) -> HttpResponse:
    """Begin a new draft with the text of one of the library."""
    at = timezone.now()
    bulletin = actions.reuse_bulletin(
        uid=uid,
        unit=forms.unit_to_write_for(request, at),
        by=officer_of(request),
        at=at,
    )
    return done(
        request,
        to=reverse("newsroom:edit", args=[bulletin.uid]),
        data=_facts(bulletin),
    )


def _facts(bulletin: Bulletin) -> dict[str, Any]:
    return {
        "uid": bulletin.uid,
        "bulletin_uid": bulletin.uid,
        "revision": bulletin.revision,
        "saved_at": bulletin.saved_at.isoformat(),
        "saved_by": bulletin.saved_by.full_name,
        "drill": bulletin.drill,
    }


@require_safe
def edit(request: HttpRequest, uid: str) -> HttpResponse:
    """Show the editor of a bulletin."""
    at = timezone.now()
    bulletin = access_bulletin(uid=uid, officer=officer_of(request), at=at)
    people_access.check_can(officer_of(request), AUTHOR, unit=bulletin.unit, at=at)
    if wants_json(request):
        return JsonResponse(_facts(bulletin))
    return _editor(request, bulletin, actions.draft_of(bulletin))


def _editor(
    request: HttpRequest,
    bulletin: Bulletin,
    draft: rules.Draft,
    *,
    error: DomainError | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    context = {
        "bulletin": bulletin,
        "draft": draft,
        "error": error,
        "sounds": queries.list_draft_sounds(bulletin),
        "asked": _is_asked(bulletin),
        "recording_seconds": rules.RECORDING_SECONDS,
        "intake": queries.find_intake(bulletin),
        "suppliers": _suppliers(bulletin),
        **forms.choices(draft),
    }
    return render(request, "newsroom/edit.html", context, status=status)


def _suppliers(bulletin: Bulletin) -> list[Supplier]:
    """Return the sources to choose from, and the one that is named already."""
    known = list(supply.suppliers_of(bulletin.unit))
    named = bulletin.supplier
    return known if named is None or named in known else [*known, named]


@require_POST
def save(request: HttpRequest, uid: str) -> HttpResponse:
    """Keep what was typed; a page without scripts gets its text back in any case."""
    at = timezone.now()
    bulletin = access_bulletin(uid=uid, officer=officer_of(request), at=at)
    today, start = timezone.localdate(at), actions.draft_of(bulletin)
    draft = forms.read_draft(_dayless(request), start=start, today=today)
    try:
        draft = forms.read_draft(request.POST, start=start, today=today)
        bulletin = _keep(request, bulletin, draft, at)
    except actions.DraftChangedError as error:
        if wants_json(request):
            raise
        bulletin.refresh_from_db()
        return _editor(
            request, bulletin, draft, error=error, status=HTTPStatus.CONFLICT
        )
    except InvalidError as error:
        if wants_json(request):
            raise
        return _editor(
            request,
            bulletin,
            draft,
            error=error,
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
        )
    if wants_json(request):
        return JsonResponse(_facts(bulletin))
    if request.POST.get("next") == "place":
        return redirect("schedule:place", bulletin.uid)
    messages.success(request, "Đã lưu bản tin.")
    return redirect("newsroom:edit", bulletin.uid)


def _dayless(request: HttpRequest) -> QueryDict:
    """Return what was sent without its day: the one thing that may be unreadable."""
    sent = request.POST.copy()
    sent.pop("expires_on", None)
    return sent


def _keep(
    request: HttpRequest, bulletin: Bulletin, draft: rules.Draft, at: datetime
) -> Bulletin:
    return actions.save_draft(
        bulletin_id=bulletin.pk,
        revision=forms.read_number(request.POST.get("revision"), bulletin.revision),
        draft=draft,
        by=officer_of(request),
        at=at,
    )


@require_http_methods(["GET", "POST"])
def hear(request: HttpRequest, uid: str) -> HttpResponse:
    """Ask for the sound of a draft, and tell how far it is until it can be heard."""
    at = timezone.now()
    bulletin = access_bulletin(uid=uid, officer=officer_of(request), at=at)
    if request.method == "POST":
        people_access.check_can(officer_of(request), AUTHOR, unit=bulletin.unit, at=at)
        if "body" in request.POST:
            draft = forms.read_draft(
                request.POST,
                start=actions.draft_of(bulletin),
                today=timezone.localdate(at),
            )
            bulletin = _keep(request, bulletin, draft, at)
        rules.check_ready(actions.draft_of(bulletin))
        _ask(bulletin, at)
    sounds = queries.list_draft_sounds(bulletin)
    if wants_json(request):
        return JsonResponse({"sounds": [_sound_facts(bulletin, s) for s in sounds]})
    if is_htmx(request):
        context = {"bulletin": bulletin, "sounds": sounds, "asked": True}
        return render(request, "newsroom/sounds.html", context)
    return redirect(reverse("newsroom:edit", args=[uid]) + "#nghe")


def _ask(bulletin: Bulletin, at: datetime) -> None:
    text = rules.written_text(title=bulletin.title, body=bulletin.body)
    words = dictionary_of(bulletin.unit).words
    for sound in queries.list_draft_sounds(bulletin):
        if sound.recorded or not sound.speakable:
            continue
        actions.ask_rendition(
            text=text,
            language=sound.language,
            drill=bulletin.drill,
            klass=bulletin.klass,
            at=at,
            dictionary=words,
            manner=bulletin.manner,
        )


def _is_asked(bulletin: Bulletin) -> bool:
    return any(sound.rendition for sound in queries.list_draft_sounds(bulletin))


def _sound_facts(bulletin: Bulletin, sound: queries.DraftSound) -> dict[str, Any]:
    made = sound.rendition
    facts: dict[str, Any] = {
        "language": sound.language,
        "recorded": sound.recorded,
        "state": made.state if made else ("none" if sound.speakable else "missing"),
    }
    if made is not None and made.state == Rendition.READY and made.media is not None:
        sha256 = made.media.sha256
        facts |= {
            "sha256": sha256,
            "duration_ms": made.duration_ms,
            "sound_url": reverse("newsroom:sound", args=[bulletin.uid, sha256]),
        }
    return facts


@require_POST
def record(request: HttpRequest, uid: str) -> HttpResponse:
    """Take a person's voice for one language."""
    at = timezone.now()
    officer = officer_of(request)
    bulletin = access_bulletin(uid=uid, officer=officer, at=at)
    end = forms.read_number(request.POST.get("to_ms"), 0)
    actions.attach_recording(
        bulletin_id=bulletin.pk,
        language=request.POST.get("language", "vi"),
        data=forms.read_recording(request, at),
        between_ms=(forms.read_number(request.POST.get("from_ms"), 0), end or None),
        by=officer,
        at=at,
    )
    if not wants_json(request):
        messages.success(request, "Đã nhận bản ghi âm.")
    return done(
        request,
        to=reverse("newsroom:edit", args=[uid]) + "#nghe",
        data=_facts(bulletin),
    )


@require_safe
def sound_file(request: HttpRequest, uid: str, sha256: str) -> HttpResponseBase:
    """Serve one sound of a bulletin to whoever may open the bulletin."""
    at = timezone.now()
    bulletin = access_bulletin(uid=uid, officer=officer_of(request), at=at)
    media = queries.find_media(bulletin, sha256=sha256)
    if media is None:
        raise AbsentError("newsroom.sound_absent")
    return files.serve(request, media)

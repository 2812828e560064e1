"""One paper: what it says and changes, and the screen on which a second decides."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from nguon.core.errors import AbsentError, ConflictError, InvalidError
from nguon.fleet import files
from nguon.newsroom import queries as newsroom
from nguon.newsroom import rules as newsroom_rules
from nguon.people import access
from nguon.people import queries as people_queries
from nguon.people.answers import done, officer_of, wants_json
from nguon.people.models import APPROVER, AUTHOR, Officer
from nguon.schedule import (
    actions,
    comparison,
    inspection,
    paper_forms,
    paper_words,
    papers,
    rules,
    station,
    timetable,
)
from nguon.schedule.access import access_broadcast
from nguon.schedule.models import Broadcast, Paper, PaperInvolvement
from nguon.schedule.paper_choices import list_places
from nguon.schedule.paper_forms import read_date
from nguon.schedule.views.week import choose_station
from nguon.territory.models import Unit

LISTED_MATERIALS = 40


def paper_facts(paper: Paper) -> dict[str, Any]:
    """Return what programs are told about a paper."""
    return {
        "uid": paper.uid,
        "kind": paper.kind,
        "unit": paper.unit.uid,
        "number": paper.number,
        "title": paper.title,
        "state": paper.state,
        "sha256": paper.sha256,
        "first_date": paper.first_date,
        "last_date": paper.last_date,
        "body": paper.body,
    }


def _get(request: HttpRequest, uid: str, at: datetime) -> Paper:
    return papers.access_paper(uid=uid, officer=officer_of(request), at=at)


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show exactly what would come into force, and what it changes."""
    at = timezone.now()
    paper = _get(request, uid, at)
    if wants_json(request):
        return JsonResponse(paper_facts(paper), json_dumps_params={"default": str})
    return render(request, "schedule/paper.html", _context(request, paper, at))


def _context(request: HttpRequest, paper: Paper, at: datetime) -> dict[str, Any]:
    officer = officer_of(request)
    writers = [
        row.person
        for row in paper.involvements.filter(kind=PaperInvolvement.EDIT).select_related(
            "person"
        )
    ]
    return {
        "paper": paper,
        "body": papers.body_of(paper),
        "kind_name": station.KINDS[paper.kind],
        "changes": inspection.tell_changes(paper, at=at),
        "replaces": inspection.replaced_by(paper, at=at),
        "compared": comparison.compare_if_whole(
            paper, day=_asked_day(request, at), at=at
        ),
        "sources": timetable.SOURCES,
        "materials": _materials(paper),
        "approvers": _approvers(paper, writers, at),
        "writers": writers,
        "is_own": officer in writers or paper.submitted_by_id == officer.pk,
        "may_approve": access.can(officer, APPROVER, unit=paper.unit, at=at),
        "may_write": access.can(officer, AUTHOR, unit=paper.unit, at=at),
        "is_draft": paper.state == rules.DRAFT,
        "is_waiting": paper.state == rules.WAITING,
        "is_approved": paper.state == rules.APPROVED,
        "at": at,
        **_rules_words(paper),
    }


def _rules_words(paper: Paper) -> dict[str, Any]:
    if paper.kind != station.RULES:
        return {}
    return {"rules": paper_words.rules_words(papers.body_of(paper), paper.unit)}


def _asked_day(request: HttpRequest, at: datetime) -> date | None:
    asked = request.GET.get("xem")
    return read_date(asked, today=timezone.localdate(at)) if asked else None


def _materials(paper: Paper) -> list[dict[str, Any]]:
    """Return the broadcasts that a paper names, with what can be heard of them."""
    uids = [one.material for one in papers.names_in(papers.body_of(paper))]
    uids = list(dict.fromkeys(uid for uid in uids if uid))[:LISTED_MATERIALS]
    rows = {
        row.uid: row
        for row in Broadcast.objects.filter(uid__in=uids).select_related(
            "version__bulletin", "unit"
        )
    }
    return [
        {
            "broadcast": rows[uid],
            "sounds": [
                sound
                for sound in newsroom.list_sounds(rows[uid].version)
                if sound.media is not None
            ],
        }
        for uid in uids
        if uid in rows
    ]


def _approvers(paper: Paper, writers: list[Officer], at: datetime) -> list[Officer]:
    """Return who must decide, named to whoever may not."""
    if paper.state != rules.WAITING:
        return []
    without = frozenset(person.pk for person in writers)
    return people_queries.list_approvers(paper.unit, at=at, without=without)


@require_safe
def sound(request: HttpRequest, uid: str, sha256: str) -> HttpResponseBase:
    """Serve a sound of a broadcast to whoever may see the broadcast."""
    at = timezone.now()
    broadcast = access_broadcast(uid=uid, officer=officer_of(request), at=at)
    for one in newsroom.list_sounds(broadcast.version):
        if one.media is not None and one.media.sha256 == sha256:
            return files.serve(request, one.media)
    raise AbsentError("newsroom.sound_absent")


@require_safe
def attached(request: HttpRequest, uid: str, sha256: str) -> HttpResponseBase:
    """Serve a picture, video or document of a broadcast to whoever may see it."""
    at = timezone.now()
    broadcast = access_broadcast(uid=uid, officer=officer_of(request), at=at)
    for one in newsroom.list_attached(broadcast.version):
        for media in (one.media, one.poster):
            if media is not None and media.sha256 == sha256:
                return files.serve_shown(request, media)
    raise AbsentError("newsroom.attachment_absent")


# --- decisions ------------------------------------------------------------------------


def _decided(request: HttpRequest, paper: Paper, said: str, to: str) -> HttpResponse:
    if not wants_json(request):
        messages.success(request, said)
    return done(request, to=to, data=paper_facts(paper))


def _refused(
    request: HttpRequest, uid: str, error: InvalidError | ConflictError, at: datetime
) -> HttpResponse:
    """Show the paper as it stands now, and why nothing was done."""
    if wants_json(request):
        raise error
    context = {**_context(request, _get(request, uid, at), at), "error": error}
    status = 409 if isinstance(error, ConflictError) else 422
    return render(request, "schedule/paper.html", context, status=status)


@require_POST
def send(request: HttpRequest, uid: str) -> HttpResponse:
    """Send a draft to be approved; what is wrong is shown where it is mended."""
    at = timezone.now()
    paper = _get(request, uid, at)
    try:
        paper = actions.send_paper(paper_uid=uid, by=officer_of(request), at=at)
    except (InvalidError, ConflictError) as error:
        return _refused(request, uid, error, at)
    to = reverse("schedule:paper", args=[uid])
    return _decided(request, paper, "Đã gửi duyệt.", to)


@require_POST
def approve(request: HttpRequest, uid: str) -> HttpResponse:
    """Put into force exactly the hash that was shown."""
    at = timezone.now()
    paper = _get(request, uid, at)
    try:
        paper = actions.approve_paper(
            paper_uid=uid,
            sha256=request.POST.get("sha256", ""),
            by=officer_of(request),
            at=at,
        )
    except (InvalidError, ConflictError) as error:
        return _refused(request, uid, error, at)
    said = "Đã duyệt. Kế hoạch mới đang đến các loa."
    return _decided(request, paper, said, reverse("schedule:paper", args=[uid]))


@require_POST
def send_back(request: HttpRequest, uid: str) -> HttpResponse:
    """Return a paper to its writer with a reason."""
    at = timezone.now()
    _get(request, uid, at)
    try:
        paper = actions.return_paper(
            paper_uid=uid,
            reason=request.POST.get("reason", "").replace("\0", ""),
            by=officer_of(request),
            at=at,
        )
    except (InvalidError, ConflictError) as error:
        return _refused(request, uid, error, at)
    said = "Đã trả lại cho người soạn."
    return _decided(request, paper, said, reverse("schedule:approvals"))


@require_POST
def end(request: HttpRequest, uid: str) -> HttpResponse:
    """Withdraw a paper, or take it out of force."""
    at = timezone.now()
    _get(request, uid, at)
    try:
        paper = actions.end_paper(
            paper_uid=uid,
            reason=request.POST.get("reason", "").replace("\0", ""),
            by=officer_of(request),
            at=at,
        )
    except (InvalidError, ConflictError) as error:
        return _refused(request, uid, error, at)
    to = f"{reverse('schedule:station')}?don_vi={paper.unit.uid}"
    return _decided(request, paper, "Đã cho thôi hiệu lực.", to)


@require_POST
def again(request: HttpRequest, uid: str) -> HttpResponse:
    """Begin a new draft with the words of a paper that was returned or is in force."""
    at = timezone.now()
    paper = _get(request, uid, at)
    draft = actions.draft_paper(
        unit=paper.unit,
        kind=paper.kind,
        body=paper.body,
        title=paper.title,
        first_date=max(paper.first_date, timezone.localdate(at)),
        last_date=paper.last_date,
        by=officer_of(request),
        at=at,
    )
    to = reverse("schedule:edit_paper", args=[draft.uid])
    return done(request, to=to, data=paper_facts(draft))


# --- sources and authorities: simple forms --------------------------------------------

READERS: dict[str, Callable[[QueryDict], station.Body]] = {
    station.SOURCE: paper_forms.read_source,
    station.AUTHORITY: paper_forms.read_authority,
    station.CHAIN: paper_forms.read_chain,
}


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Begin a source of relays, a standing authority, a way of approving."""
    at = timezone.now()
    officer = officer_of(request)
    unit = choose_station(request, officer, at)
    access.check_can(officer, AUTHOR, unit=unit, at=at)
    kind = request.POST.get("kind_of_paper") or request.GET.get("loai", "")
    if kind not in READERS:
        raise InvalidError("schedule.paper_malformed", field="loai", why=kind)
    if request.method != "POST":
        return simple_form(request, unit, kind, at)
    try:
        first, last = paper_forms.read_days(request.POST, today=timezone.localdate(at))
        paper = actions.draft_paper(
            unit=unit,
            kind=kind,
            body=READERS[kind](request.POST),
            title=_title(request, kind),
            first_date=first,
            last_date=last,
            by=officer,
            at=at,
        )
    except InvalidError as error:
        if wants_json(request):
            raise
        return simple_form(request, unit, kind, at, error=error, status=422)
    to = reverse("schedule:paper", args=[paper.uid])
    return _decided(request, paper, "Đã lưu. Hãy xem lại rồi gửi duyệt.", to)


def change_simple(request: HttpRequest, paper: Paper, at: datetime) -> HttpResponse:
    """Show or take the form of a source or an authority that is being written."""
    if request.method != "POST":
        return simple_form(request, paper.unit, paper.kind, at, paper=paper)
    try:
        first, last = paper_forms.read_days(request.POST, today=timezone.localdate(at))
        paper = actions.save_draft(
            paper_uid=paper.uid,
            body=READERS[paper.kind](request.POST),
            title=_title(request, paper.kind),
            first_date=first,
            last_date=last,
            by=officer_of(request),
            at=at,
        )
    except InvalidError as error:
        if wants_json(request):
            raise
        return simple_form(
            request, paper.unit, paper.kind, at, paper=paper, error=error, status=422
        )
    to = reverse("schedule:paper", args=[paper.uid])
    return _decided(request, paper, "Đã lưu. Hãy xem lại rồi gửi duyệt.", to)


def _title(request: HttpRequest, kind: str) -> str:
    sent = request.POST
    if kind == station.CHAIN:
        return station.KINDS[kind]
    if kind == station.SOURCE:
        return f"Nguồn tiếp âm {sent.get('name', '').strip()}"[:200]
    return sent.get("title", "").replace("\0", "").strip()[:200]


def simple_form(
    request: HttpRequest,
    unit: Unit,
    kind: str,
    at: datetime,
    *,
    paper: Paper | None = None,
    error: InvalidError | None = None,
    status: int = 200,
) -> HttpResponse:
    """Show the form of a source or an authority, filled with what was sent."""
    body = papers.body_of(paper) if paper else None
    sent = request.POST
    chosen_officers = {str(key) for key in getattr(body, "officers", ())}
    places = body.places if isinstance(body, station.Authority) else station.WHOLE
    if request.method == "POST":
        chosen_officers = set(sent.getlist("officers"))
        places = paper_forms.show_places(sent)
    context = {
        "unit": unit,
        "kind": kind,
        "kind_name": station.KINDS[kind],
        "paper": paper,
        "body": body,
        "sent": sent,
        "error": error,
        "acts": station.ACTS,
        "chosen_acts": sent.getlist("acts") or list(getattr(body, "acts", ())),
        "officers": _list_holders(unit, at),
        "chosen_officers": chosen_officers,
        "places": list_places(unit, places, at=at),
        "today": timezone.localdate(at),
        "must_end": kind == station.AUTHORITY,
        "fields": newsroom_rules.FIELDS.items(),
        "chosen_fields": sent.getlist("two_steps")
        or [str(field) for field in getattr(body, "two_steps", ())],
    }
    return render(request, "schedule/paper_form.html", context, status=status)


def _list_holders(unit: Unit, at: datetime) -> list[Officer]:
    """Return who writes or approves at a unit or above it: who may be trusted."""
    rows = Officer.objects.filter(
        is_active=True,
        roles__kind__in=[AUTHOR, APPROVER],
        roles__unit__in=unit.ancestor_ids,
        roles__valid_from__lte=at,
    ).distinct()
    return [
        officer
        for officer in rows.order_by("full_name", "pk")
        if access.can(officer, AUTHOR, unit=unit, at=at)
        or access.can(officer, APPROVER, unit=unit, at=at)
    ]

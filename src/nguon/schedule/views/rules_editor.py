"""The draft of a station's rules: every press saves it and shows the result."""

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from nguon.core.errors import AbsentError, ConflictError, InvalidError
from nguon.people import access
from nguon.people.answers import officer_of
from nguon.people.models import AUTHOR
from nguon.schedule import (
    actions,
    comparison,
    inspection,
    paper_choices,
    paper_forms,
    paper_words,
    papers,
    rules,
    station,
    timetable,
)
from nguon.schedule.models import Paper
from nguon.schedule.paper_forms import RepeatFields
from nguon.schedule.station import Repeat, Slot, StationRules
from nguon.schedule.views.papers import paper_facts

NEW = "moi"
GROUPS = {"parts": "buổi", "quiet": "giờ yên lặng", "volumes": "âm lượng"}


def check_draft(request: HttpRequest, paper: Paper) -> None:
    """Refuse words for a paper that is a draft no more: they would be lost unsaid."""
    if request.method == "POST" and paper.state != rules.DRAFT:
        state = rules.PAPER_STATES[paper.state]
        raise ConflictError("schedule.paper_sent", state=state)


def check_unmoved(request: HttpRequest, paper: Paper) -> None:
    """Refuse a change of a draft that somebody else changed meanwhile."""
    seen = request.POST.get("sha256", "")
    if seen and seen != paper.sha256:
        raise ConflictError("schedule.draft_moved")


def save(request: HttpRequest, paper: Paper, body: object, at: datetime) -> Paper:
    """Write a draft's new body, and its days and title where the form sends them."""
    sent = request.POST
    first, last = paper.first_date, paper.last_date
    if "first_date" in sent:
        first, last = paper_forms.read_days(sent, today=timezone.localdate(at))
    return actions.save_draft(
        paper_uid=paper.uid,
        body=body,  # type: ignore[arg-type]
        title=sent.get("title", "").replace("\0", "").strip() or paper.title,
        first_date=first,
        last_date=last,
        by=officer_of(request),
        at=at,
    )


def edit(request: HttpRequest, paper: Paper, at: datetime) -> HttpResponse:
    """Show the rules that are being written, or take one change of them."""
    if request.method != "POST":
        return _page(request, paper, at)
    try:
        check_unmoved(request, paper)
        change = _ACTS.get(request.POST.get("act", ""), _keep)
        save(request, paper, change(papers.body_of(paper), request), at)
    except InvalidError as error:
        return _page(request, paper, at, error=error, status=422)
    messages.success(request, "Đã lưu bản soạn.")
    return redirect("schedule:edit_paper", uid=paper.uid)


def _keep(body: StationRules, _request: HttpRequest) -> StationRules:
    return body


def _add(body: StationRules, request: HttpRequest) -> StationRules:
    group = _group(request)
    row = paper_forms.READERS[group](request.POST)
    return paper_forms.add_row(body, group, row)


def _remove(body: StationRules, request: HttpRequest) -> StationRules:
    number = paper_forms.read_number(
        request.POST.get("n"), least=0, most=1000, what="thứ tự"
    )
    return paper_forms.drop_row(body, _group(request), number)


def _drop_slot(body: StationRules, request: HttpRequest) -> StationRules:
    return paper_forms.drop_slot(body, request.POST.get("slot", ""))


_ACTS: dict[str, Callable[[StationRules, HttpRequest], StationRules]] = {
    "add": _add,
    "remove": _remove,
    "drop": _drop_slot,
}


def _group(request: HttpRequest) -> str:
    group = request.POST.get("group", "")
    if group not in GROUPS:
        raise InvalidError("schedule.paper_malformed", field="group", why=group)
    return group


def _page(
    request: HttpRequest,
    paper: Paper,
    at: datetime,
    *,
    error: InvalidError | None = None,
    status: int = 200,
) -> HttpResponse:
    body: StationRules = papers.body_of(paper)
    asked = request.GET.get("xem")
    day = paper_forms.read_date(asked, today=timezone.localdate(at)) if asked else None
    context = {
        "paper": paper,
        "unit": paper.unit,
        "error": error,
        "sent": request.POST if error else {},
        "group": request.POST.get("group", "") if error else "",
        **paper_words.rules_words(body, paper.unit),
        "changes": inspection.tell_changes(paper, at=at),
        "replaces": inspection.replaced_by(paper, at=at),
        "compared": comparison.compare_if_whole(paper, day=day, at=at),
        "sources": timetable.SOURCES,
        "places": paper_choices.list_places(paper.unit, station.WHOLE, at=at),
        "has_slots": paper.unit.kind in inspection.HOMES[station.PROGRAMME],
        "at": at,
    }
    return render(request, "schedule/rules_editor.html", context, status=status)


# --- one slot -------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def edit_slot(request: HttpRequest, uid: str, key: str) -> HttpResponse:
    """Show or take the form of one slot of a draft."""
    at = timezone.now()
    officer = officer_of(request)
    paper = papers.access_paper(uid=uid, officer=officer, at=at)
    access.check_can(officer, AUTHOR, unit=paper.unit, at=at)
    check_draft(request, paper)
    if paper.kind != station.RULES or paper.state != rules.DRAFT:
        return redirect("schedule:paper", uid=uid)
    body: StationRules = papers.body_of(paper)
    slot = next((one for one in body.slots if one.id == key), None)
    if slot is None and key != NEW:
        raise AbsentError("schedule.slot_absent")
    if request.method != "POST":
        return _slot_form(request, paper, slot, at)
    try:
        check_unmoved(request, paper)
        read = paper_forms.read_slot(
            request.POST,
            today=timezone.localdate(at),
            key="" if key == NEW else key,
        )
        saved = save(request, paper, paper_forms.put_slot(body, read), at)
    except InvalidError as error:
        return _slot_form(request, paper, slot, at, error=error, status=422)
    messages.success(request, f"Đã lưu khung “{read.name}” vào bản soạn.")
    return redirect(
        f"{reverse('schedule:edit_paper', args=[paper_facts(saved)['uid']])}#khung"
    )


def _slot_form(
    request: HttpRequest,
    paper: Paper,
    slot: Slot | None,
    at: datetime,
    *,
    error: InvalidError | None = None,
    status: int = 200,
) -> HttpResponse:
    sent = request.POST
    body: StationRules = papers.body_of(paper)
    repeat = slot.repeat if slot else Repeat(first=paper.first_date)
    places = slot.places if slot else station.WHOLE
    if sent:
        places = paper_forms.show_places(sent)
    context = {
        "paper": paper,
        "unit": paper.unit,
        "slot": slot,
        "sent": sent,
        "error": error,
        "parts": body.parts,
        "repeat": repeat,
        "fields": _shown(sent, repeat),
        "without": sent.get("without") or paper_forms.show_dates(repeat.without),
        "extra": sent.get("extra") or paper_forms.show_dates(repeat.extra),
        "weekdays": paper_forms.WEEKDAYS,
        "places": paper_choices.list_places(paper.unit, places, at=at),
        "relays": paper_choices.list_sources(paper.unit, day=paper.first_date),
        "materials": paper_choices.list_shelf(
            paper.unit, officer=officer_of(request), at=at
        ),
    }
    return render(request, "schedule/slot_form.html", context, status=status)


def _shown(sent: object, repeat: Repeat) -> RepeatFields:
    """Return the repetition as it was sent, else as the draft has it."""
    if not sent:
        return paper_forms.show_repeat(repeat)
    return RepeatFields(
        kind=sent.get("repeat", ""),  # type: ignore[attr-defined]
        weekdays=tuple(sent.getlist("weekdays")),  # type: ignore[attr-defined]
        month_days=sent.get("month_days", ""),  # type: ignore[attr-defined]
        rule=sent.get("rule", ""),  # type: ignore[attr-defined]
    )

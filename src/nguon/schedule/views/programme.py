"""What fills a slot: an ordered list of materials on chosen days, and its length."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from nguon.core.errors import AbsentError, InvalidError
from nguon.people import access
from nguon.people.answers import officer_of, wants_json
from nguon.people.models import AUTHOR
from nguon.schedule import (
    actions,
    checks,
    comparison,
    inspection,
    paper_choices,
    paper_forms,
    papers,
    recurrence,
    rules,
    station,
    timetable,
)
from nguon.schedule.models import Paper
from nguon.schedule.paper_words import where_words
from nguon.schedule.station import Entry, Programme, Slot, StationRules
from nguon.schedule.views.device_day import read_day
from nguon.schedule.views.papers import paper_facts
from nguon.schedule.views.rules_editor import check_unmoved, save
from nguon.schedule.views.week import choose_station
from nguon.territory.models import Unit

WEEK = timedelta(days=7)
KINDS = {
    "bulletin": "Bản tin",
    "jingle": "Nhạc hiệu",
    "recording": "Bản ghi âm",
    "relay": "Tiếp âm",
}


@dataclass(frozen=True)
class Line:
    """One entry of a programme as a person reads it; lengths in ms."""

    number: int
    entry: Entry
    title: str
    kind: str
    where: str
    duration_ms: int


@dataclass(frozen=True)
class Total:
    """How full a slot is, in ms, and in words."""

    booked_ms: int
    slot_ms: int

    @property
    def state(self) -> str:
        """Good when it fits well, wait when much is empty, bad when it is too long."""
        if self.booked_ms > self.slot_ms:
            return "bad"
        return "good" if self.booked_ms * 10 >= self.slot_ms * 9 else "wait"

    @property
    def words(self) -> str:
        """Return what is over or missing."""
        rest = abs(self.slot_ms - self.booked_ms)
        length = _length_words(rest)
        if self.booked_ms > self.slot_ms:
            return f"Dài quá {length}. Hãy bỏ bớt hoặc chọn khung dài hơn."
        if rest < 1000:
            return "Vừa đủ khung giờ."
        return f"Còn trống {length}."


def _length_words(milliseconds: int) -> str:
    minutes, seconds = divmod(max(1, round(milliseconds / 1000)), 60)
    words = [f"{minutes} phút"] if minutes else []
    return " ".join([*words, *([f"{seconds} giây"] if seconds else [])])


def find_slot(unit: Unit, key: str, day: date) -> tuple[StationRules, Slot]:
    """Return a programme slot of the rules that hold on a day. Raises AbsentError."""
    held = papers.in_force(unit, station.RULES, day)
    body = papers.body_of(held) if held else StationRules()
    for slot in body.slots:
        if slot.id == key and slot.kind == "programme":
            return body, slot
    raise AbsentError("schedule.slot_absent")


@require_http_methods(["GET", "POST"])
def show(request: HttpRequest, key: str) -> HttpResponse:
    """Show what fills a slot on the asked days; begin a programme for them."""
    at = timezone.now()
    officer = officer_of(request)
    unit = choose_station(request, officer, at)
    asked = request.GET.get("tu")
    today = timezone.localdate(at)
    day = max(read_day(asked), today) if asked else today
    body, slot = find_slot(unit, key, day)
    if request.method == "POST":
        try:
            return _begin(request, unit, slot, at)
        except InvalidError as error:
            return _slot_page(request, unit, body, slot, day, at, error=error)
    return _slot_page(request, unit, body, slot, day, at)


def _slot_page(
    request: HttpRequest,
    unit: Unit,
    body: StationRules,
    slot: Slot,
    day: date,
    at: datetime,
    *,
    error: InvalidError | None = None,
) -> HttpResponse:
    held = papers.in_force(unit, station.PROGRAMME, day, slot.id)
    lines = list_lines(papers.body_of(held), unit) if held else []
    if wants_json(request):
        facts = {"slot": slot.id, "paper": paper_facts(held) if held else None}
        return JsonResponse(facts, json_dumps_params={"default": str})
    own = Paper.objects.filter(unit=unit, kind=station.PROGRAMME, subject=slot.id)
    first, last = paper_forms.week_from(day)
    context = {
        "unit": unit,
        "slot": slot,
        "error": error,
        "begin": checks.begin_of(body, slot),
        "days": recurrence.rrule_words(slot.repeat),
        "held": held,
        "lines": lines,
        "total": add_up(lines, slot),
        "open": own.filter(state__in=[rules.DRAFT, rules.WAITING]).order_by("-pk"),
        "history": own.exclude(state__in=[rules.DRAFT, rules.WAITING])
        .select_related("approved_by")
        .order_by("-pk")[:20],
        "first": first,
        "last": last,
        "may_write": access.can(officer_of(request), AUTHOR, unit=unit, at=at),
    }
    status = 422 if error else 200
    return render(request, "schedule/programme.html", context, status=status)


def _begin(request: HttpRequest, unit: Unit, slot: Slot, at: datetime) -> HttpResponse:
    today = timezone.localdate(at)
    first, last = paper_forms.read_days(request.POST, today=today)
    entries: tuple[Entry, ...] = ()
    if request.POST.get("copy"):
        entries = _entries_of(unit, slot, first) or _entries_of(
            unit, slot, first - WEEK
        )
    paper = actions.draft_paper(
        unit=unit,
        kind=station.PROGRAMME,
        body=Programme(slot.id, entries),
        title=f"Chương trình “{slot.name}”",
        first_date=first,
        last_date=last,
        by=officer_of(request),
        at=at,
    )
    if wants_json(request):
        return JsonResponse(paper_facts(paper), json_dumps_params={"default": str})
    return redirect("schedule:edit_paper", uid=paper.uid)


def _entries_of(unit: Unit, slot: Slot, day: date) -> tuple[Entry, ...]:
    held = papers.in_force(unit, station.PROGRAMME, day, slot.id)
    return papers.body_of(held).entries if held else ()


# --- the lines ------------------------------------------------------------------------


def list_lines(body: Programme, unit: Unit) -> list[Line]:
    """Return the entries of a programme in words, with their lengths."""
    uids = {entry.material for entry in body.entries} - {""}
    lengths = papers.durations(papers.read_materials([unit], uids))
    names = inspection.names_for([body], unit)
    return [
        Line(
            number=number,
            entry=entry,
            title=names.get(entry.material or entry.source, "(không còn dùng được)"),
            kind=KINDS[entry.kind],
            where=where_words(entry.places, names),
            duration_ms=(
                entry.minutes * 60_000
                if entry.kind == "relay"
                else lengths.get(entry.material, 0)
            ),
        )
        for number, entry in enumerate(body.entries)
    ]


def add_up(lines: list[Line], slot: Slot) -> Total:
    """Return how full a slot is at its fullest place."""
    entries = tuple(line.entry for line in lines)
    lengths = {line.entry.material: line.duration_ms for line in lines}
    where = papers.read_places([slot.places, *(line.entry.places for line in lines)])
    try:
        found = checks.booking(Programme(slot.id, entries), lengths, slot, where)
        booked = found.booked_s * 1000
    except InvalidError:
        # An entry that cannot sound is told at its line and when it is sent.
        booked = sum(line.duration_ms for line in lines)
    return Total(booked, slot.minutes * 60_000)


# --- the draft ------------------------------------------------------------------------


def edit(request: HttpRequest, paper: Paper, at: datetime) -> HttpResponse:
    """Show a programme that is being written, or take one change of it."""
    if request.method != "POST":
        return _page(request, paper, at)
    try:
        check_unmoved(request, paper)
        save(request, paper, _changed(request, paper), at)
    except InvalidError as error:
        return _page(request, paper, at, error=error, status=422)
    to = reverse("schedule:edit_paper", args=[paper.uid])
    text = request.POST.get("tim", "")
    return redirect(f"{to}?tim={text}#muc" if text else f"{to}#muc")


def _changed(request: HttpRequest, paper: Paper) -> Programme:
    body: Programme = papers.body_of(paper)
    act = request.POST.get("act", "")
    if act == "copy":
        _rules, slot = find_slot(paper.unit, body.slot, paper.first_date)
        entries = _entries_of(paper.unit, slot, paper.first_date - WEEK)
        if not entries:
            raise InvalidError("schedule.nothing_last_week", slot=slot.name)
        return Programme(body.slot, entries)
    return paper_forms.change_entries(body, request.POST) if act else body


def _page(
    request: HttpRequest,
    paper: Paper,
    at: datetime,
    *,
    error: InvalidError | None = None,
    status: int = 200,
) -> HttpResponse:
    body: Programme = papers.body_of(paper)
    held, slot = find_slot(paper.unit, body.slot, paper.first_date)
    lines = list_lines(body, paper.unit)
    text = request.GET.get("tim", "").replace("\0", "").strip()[:60]
    context: dict[str, Any] = {
        "paper": paper,
        "unit": paper.unit,
        "slot": slot,
        "begin": checks.begin_of(held, slot),
        "days": recurrence.rrule_words(slot.repeat),
        "error": error,
        "sent": request.POST if error else {},
        "lines": lines,
        "total": add_up(lines, slot),
        "kinds": KINDS,
        "text": text,
        "materials": [
            {"row": one, "duration_ms": max(one.durations.values(), default=0)}
            for one in paper_choices.list_shelf(
                paper.unit, officer=officer_of(request), at=at, text=text
            )
        ],
        "relays": paper_choices.list_sources(paper.unit, day=paper.first_date),
        "places": paper_choices.list_places(paper.unit, station.WHOLE, at=at),
        "changes": inspection.tell_changes(paper, at=at),
        "replaces": inspection.replaced_by(paper, at=at),
        "compared": comparison.compare_if_whole(paper, day=None, at=at),
        "sources": timetable.SOURCES,
        "at": at,
    }
    return render(request, "schedule/programme_editor.html", context, status=status)

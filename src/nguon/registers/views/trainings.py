"""Pages of training: its lessons, who learns, and dated proofs."""

from datetime import date

from django.contrib import messages
from django.core.paginator import Paginator
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
from nguon.core.errors import DomainError, InvalidError
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.registers import access, actions, asked, books, queries

PER_PAGE = 50


@require_http_methods(["GET", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """List the trainings; write a new one."""
    reader = asked.reader(request)
    units = access.list_units(books.STAFF, reader.officer, at=reader.at)
    error: DomainError | None = None
    if request.method == "POST":
        try:
            training = actions.add_training(
                unit=asked.unit(request, units),
                title=request.POST.get("title", ""),
                lessons=request.POST.get("lessons", ""),
                with_practice=request.POST.get("with_practice") == "1",
                by=reader.officer,
                at=reader.at,
            )
        except DomainError as wrong:
            if wants_json(request):
                raise
            error = wrong
        else:
            to = reverse("registers:training", args=[training.uid])
            return done(request, to=to, data={"uid": training.uid})
    found = queries.list_trainings(reader, request.GET.get("tim", ""))
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("trang"))
    if wants_json(request):
        rows = [
            {"uid": one.uid, "title": one.title, "unit": one.unit.full_name}
            for one in page
        ]
        return JsonResponse({"trainings": rows})
    context = {
        "page": page,
        "units": units,
        "asked": request.GET,
        "sent": request.POST,
        "error": error,
    }
    status = 422 if error else 200
    return render(request, "registers/trainings.html", context, status=status)


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show a training: lessons, and how far each person of one's ground is."""
    return _show(request, uid)


def _show(
    request: HttpRequest, uid: str, *, error: DomainError | None = None
) -> HttpResponse:
    reader = asked.reader(request)
    training = access.access_training(reader, uid)
    lessons = list(training.lessons.order_by("number"))
    found = queries.list_learners(training, reader)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("trang"))
    learners = [
        {
            "line": one.line,
            "book": books.of(one.line),
            "name": books.shown(one.line, "full_name", is_own=reader.is_own(one.line)),
            "done": one.done,
            "since": one.since,
        }
        for one in page
    ]
    office = asked.office(request)
    lines = queries.list_people(reader, office)
    # Everybody of a province is no list to choose from.
    too_many = len(lines) > asked.MOST_CHOICES
    people = [
        (line, books.shown(line, "full_name", is_own=reader.is_own(line)))
        for line in ([] if too_many else lines)
    ]
    context = {
        "training": training,
        "lessons": lessons,
        "learners": learners,
        "page": page,
        "people": people,
        "offices": access.list_units(books.STAFF, reader.officer, at=reader.at)
        if too_many or office
        else [],
        "asked": request.GET,
        "sent": request.POST,
        "chosen": request.POST.getlist("lesson"),
        "error": error,
    }
    status = 422 if error else 200
    return render(request, "registers/training.html", context, status=status)


@require_safe
def show_file(request: HttpRequest, uid: str) -> HttpResponse:
    """Give who has learnt how much as a file."""
    reader = asked.reader(request)
    training = access.access_training(reader, uid)
    size = training.lessons.count()
    rows = (
        (
            one.line.unit.full_name,
            books.shown(one.line, "full_name", is_own=reader.is_own(one.line)),
            books.of(one.line).title,
            f"{len(one.done)}/{size}",
            f"{one.since:%d/%m/%Y}" if one.since else "",
        )
        for one in queries.list_learners(training, reader)
    )
    head = ("Nơi", "Họ tên", "Sổ", "Bài đã học", "Học đủ từ ngày")
    return table_file(f"tap-huan-{training.uid}", head, rows)


def _day(text: str, *, today: date) -> date:
    if not text.strip():
        raise InvalidError("registers.day_missing")
    try:
        return typed.read_day(text, today=today)
    except ValueError as wrong:
        raise InvalidError("people.day_unreadable", text=text[:30]) from wrong


@require_POST
def record(request: HttpRequest, uid: str) -> HttpResponse:
    """Write that somebody did some lessons on a day."""
    at = timezone.now()
    sent = request.POST
    numbers = [int(n) for n in sent.getlist("lesson") if n.isascii() and n.isdecimal()]
    try:
        day = _day(sent.get("proven_on", ""), today=timezone.localdate(at))
        actions.record_proofs(
            training_uid=uid,
            person_uid=sent.get("person", ""),
            numbers=numbers,
            proven_on=day,
            by=officer_of(request),
            at=at,
        )
    except InvalidError as error:
        if wants_json(request):
            raise
        return _show(request, uid, error=error)
    if not wants_json(request):
        messages.success(request, "Đã ghi bài đã học.")
    return done(request, to=reverse("registers:training", args=[uid]), data={})


@require_POST
def take_back(request: HttpRequest, proof_id: int) -> HttpResponse:
    """Remove a proof that was written by mistake."""
    line = actions.take_back_proof(
        proof_id=proof_id, by=officer_of(request), at=timezone.now()
    )
    to = reverse("registers:line", args=[books.of(line).code, line.uid])
    return done(request, to=to, data={})

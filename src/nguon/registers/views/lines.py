"""Pages of the three registers: lists, one line with its history, tables in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

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

from nguon.core.errors import DomainError, InvalidError
from nguon.fleet import tables
from nguon.fleet.register import WrongCellError
from nguon.newsroom.rules import LANGUAGES
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.registers import access, actions, asked, books, queries, rules
from nguon.registers.access import Reader
from nguon.registers.books import AnyLine, Book
from nguon.registers.practice import queries as practice
from nguon.territory.models import Unit

PER_PAGE = 50
EXPORT_LIMIT = 60_000
SHOWN = 300
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Which column is asked for how; everything else is a line of text.
KINDS = {
    "from_date": "day", "to_date": "day", "ended_on": "day",
    "kind": "choice", "source": "choice", "languages": "many", "phone": "phone",
}  # fmt: skip
CHOICES: Mapping[str, list[str]] = {
    "kind": list(rules.STATION_KINDS.values()),
    "source": list(rules.SOURCES.values()),
    "languages": list(LANGUAGES.values()),
}
# How a day reads in a list: a bare one would not say which it is.
DAYS = {"from_date": "từ", "to_date": "thôi từ", "ended_on": "thôi từ"}
HINTS = {
    "to_date": "Ngày đầu tiên không còn giữ việc. Để trống khi còn.",
    "ended_on": "Ngày đầu tiên không còn dùng. Để trống khi còn dùng.",
}


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Show the registers and how many lines of each stand today."""
    reader = asked.reader(request)
    counts = queries.count_books(reader)
    trainings = queries.list_trainings(reader).count()
    if wants_json(request):
        told = {book.code: count for book, count in counts}
        return JsonResponse({"registers": told, "trainings": trainings})
    context = {"counts": counts, "trainings": trainings}
    return render(request, "registers/start.html", context)


@require_safe
def index(request: HttpRequest, book: str) -> HttpResponse:
    """List the lines of a register, with search and filter."""
    register = books.find(book)
    reader = asked.reader(request)
    found = queries.list_lines(register, reader, request.GET.dict())
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("trang"))
    if wants_json(request):
        given = found.filter(pk__in=[line.pk for line in page])
        actions.note_export(book=register, found=given, by=reader.officer, at=reader.at)
        return JsonResponse({"lines": [_facts(register, x, reader) for x in page]})
    words = {key: text for key, text in request.GET.items() if key != "trang" and text}
    stands = access.stands_of(register, day=timezone.localdate(reader.at))
    context = {
        "book": register,
        "page": page,
        "rows": [_row(register, line, reader, stands) for line in page],
        "grounds": access.list_grounds(register, reader),
        "states": queries.STATES.items(),
        "kinds": rules.STATION_KINDS.items(),
        "languages": LANGUAGES.items(),
        "asked": words,
        "may_keep": access.keeps_any(reader.officer, at=reader.at),
    }
    return render(request, "registers/lines.html", context)


def _row(
    book: Book, line: AnyLine, reader: Reader, stands: Mapping[int, Unit]
) -> dict[str, Any]:
    is_own = reader.is_own(line)
    return {
        "line": line,
        "now": stands.get(line.unit_id),
        "name": books.shown(line, book.name_field, is_own=is_own),
        "more": _more(book, line, is_own=is_own),
        "has_ended": _has_ended(line, reader.at),
    }


def _more(book: Book, line: AnyLine, *, is_own: bool) -> str:
    names = [c.name for c in book.columns if c.name not in {book.name_field, "notes"}]
    told = {name: books.shown(line, name, is_own=is_own) for name in names}
    days = [f"{word} {told.pop(name)}" for name, word in DAYS.items() if told.get(name)]
    return " · ".join(text for text in (*told.values(), ", ".join(days)) if text)


def _has_ended(line: AnyLine, at: datetime) -> bool:
    day = getattr(line, "to_date", None) or getattr(line, "ended_on", None)
    return day is not None and day <= timezone.localdate(at)


def _facts(book: Book, line: AnyLine, reader: Reader) -> dict[str, str]:
    is_own = reader.is_own(line)
    names = [column.name for column in book.columns]
    return {
        "uid": line.uid,
        "unit": line.unit.full_name,
        **{name: books.shown(line, name, is_own=is_own) for name in names},
    }


@require_safe
def index_file(request: HttpRequest, book: str) -> HttpResponse:
    """Send the lines of a list as CSV, or as XLSX (`?dang=xlsx`)."""
    register = books.find(book)
    reader = asked.reader(request)
    found = queries.list_lines(register, reader, request.GET.dict())
    actions.note_export(book=register, found=found, by=reader.officer, at=reader.at)
    rows = (
        books.row_of(register, line, is_own=reader.is_own(line))
        for line in found[:EXPORT_LIMIT]
    )
    if request.GET.get("dang") != "xlsx":
        return table_file(register.code, register.head, rows)
    content = tables.write_xlsx(register.head, rows, title=register.title)
    answer = HttpResponse(content, content_type=XLSX)
    answer["Content-Disposition"] = f'attachment; filename="{register.code}.xlsx"'
    return answer


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, book: str) -> HttpResponse:
    """Write a new line."""
    register = books.find(book)
    at = timezone.now()
    officer = officer_of(request)
    office = asked.office(request)
    units = access.list_units(register, officer, at=at, office=office)
    told = _typed(request, register)
    error: Exception | None = None
    if request.method == "POST":
        try:
            line = actions.add_line(
                book=register,
                unit=asked.unit(request, units),
                values=books.read_values(register, told),
                by=officer,
                at=at,
            )
        except (WrongCellError, DomainError) as wrong:
            error = _for_person(request, wrong)
        else:
            return _saved(request, register, line, "Đã ghi vào sổ.")
    # All villages of a province are no list to choose from.
    too_many = len(units) > asked.MOST_CHOICES
    context = {
        "book": register,
        "units": units,
        "offices": access.list_units(books.STATIONS, officer, at=at)
        if too_many
        else [],
        "fields": _fields(register, told),
        "sent": request.POST,
        "error": error,
    }
    return render(request, "registers/add.html", context, status=422 if error else 200)


def _typed(request: HttpRequest, book: Book) -> dict[str, str]:
    """Return one text for each field; several languages are one text."""
    return {c.name: "; ".join(request.POST.getlist(c.name)) for c in book.columns}


def _for_person(request: HttpRequest, wrong: Exception) -> Exception:
    """Return an error to be shown above the form; a program gets it as it is."""
    if wants_json(request):
        if isinstance(wrong, DomainError):
            raise wrong
        raise InvalidError("registers.field_wrong", words=str(wrong)) from wrong
    return wrong


def _saved(request: HttpRequest, book: Book, line: AnyLine, said: str) -> HttpResponse:
    if not wants_json(request):
        messages.success(request, said)
    to = reverse("registers:line", args=[book.code, line.uid])
    return done(request, to=to, data={"uid": line.uid})


def _fields(
    book: Book, told: Mapping[str, str], *, without: frozenset[str] = frozenset()
) -> list[dict[str, Any]]:
    return [
        {
            "name": column.name,
            "heading": column.heading,
            "value": told.get(column.name, ""),
            "kind": KINDS.get(column.name, "text"),
            "choices": CHOICES.get(column.name, []),
            "chosen": told.get(column.name, "").split("; "),
            "hint": HINTS.get(column.name, ""),
            "needed": column.name in book.needed,
        }
        for column in book.columns
        if column.name not in without
    ]


@require_http_methods(["GET", "POST"])
def show(request: HttpRequest, book: str, uid: str) -> HttpResponse:
    """Show one line with its history; change it."""
    register = books.find(book)
    reader = asked.reader(request)
    line = access.access_line(register, reader, uid)
    is_own = reader.is_own(line)
    is_forgotten = getattr(line, "forgotten_at", None) is not None
    closed = register.is_of_people and (not is_own or is_forgotten)
    without = frozenset(rules.PERSONAL) if closed else frozenset[str]()
    told = {c.name: books.written(c.name, getattr(line, c.name))
            for c in register.columns if c.name not in without}  # fmt: skip
    error: Exception | None = None
    if request.method == "POST":
        told = _typed(request, register)
        try:
            line = actions.change_line(
                book=register,
                uid=uid,
                values=books.read_values(register, told, without=without),
                seen=_seen(request),
                by=reader.officer,
                at=reader.at,
            )
        except (WrongCellError, DomainError) as wrong:
            error = _for_person(request, wrong)
        else:
            return _saved(request, register, line, "Đã sửa.")
    if wants_json(request):
        return JsonResponse(_facts(register, line, reader))
    context = {
        "book": register,
        "line": line,
        "told": [
            (column.heading, books.shown(line, column.name, is_own=is_own))
            for column in register.columns
        ],
        "name": books.shown(line, register.name_field, is_own=is_own),
        "fields": _fields(register, told, without=without),
        "changes": queries.list_changes(line),
        "seen": _seen(request) if error else queries.count_changes(line),
        "proofs": queries.list_proofs(line),
        "certificates": practice.list_certificates(line),
        "is_masked": register.is_of_people and not is_own and not is_forgotten,
        "is_forgotten": is_forgotten,
        "may_keep": access.may_keep(reader.officer, line.unit, at=reader.at),
        "error": error,
    }
    return render(request, "registers/line.html", context, status=422 if error else 200)


def _seen(request: HttpRequest) -> int | None:
    """Return how many changes the form had before it; a program may tell none."""
    text = request.POST.get("seen", "")
    return int(text) if text.isascii() and text.isdecimal() else None


@require_POST
def forget(request: HttpRequest, book: str, uid: str) -> HttpResponse:
    """Delete what is personal of somebody who asked for it."""
    register = books.find(book)
    # Whether there is such a line is not told to who may not see it.
    access.access_line(register, asked.reader(request), uid)
    if request.POST.get("sure") != "1":
        raise InvalidError("registers.not_sure")
    line = actions.forget_person(
        book=register, uid=uid, by=officer_of(request), at=timezone.now()
    )
    return _saved(request, register, line, "Đã xóa dữ liệu cá nhân.")


@require_http_methods(["GET", "POST"])
def take_table(request: HttpRequest, book: str) -> HttpResponse:
    """Take in a table of lines, and say what is wrong with which row."""
    register = books.find(book)
    at = timezone.now()
    officer = officer_of(request)
    context: dict[str, Any] = {
        "book": register,
        "shown": SHOWN,
        "may_keep": access.keeps_any(officer, at=at),
    }
    status = 200
    if request.method == "POST":
        sent = request.FILES.get("file")
        if sent is None:
            raise InvalidError("territory.file_missing")
        reading, count = actions.import_table(
            book=register,
            rows=tables.read(sent.read(tables.MAX_BYTES + 1)),
            take_good=request.POST.get("take_good") == "1",
            by=officer,
            at=at,
        )
        status = 422 if count is None else 200
        if wants_json(request):
            return JsonResponse(_told(reading.problems, count), status=status)
        context |= {
            "reading": reading,
            "count": count,
            "problems": reading.problems[:SHOWN],
        }
    return render(request, "registers/import.html", context, status=status)


def _told(problems: list[Any], count: actions.Count | None) -> dict[str, Any]:
    return {
        "written": count and vars(count),
        "wrong": [
            {"row": one.row, "words": one.words, "code": getattr(one.error, "code", "")}
            for one in problems[:SHOWN]
        ],
    }

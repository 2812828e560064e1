"""Pages of a station's month: the broadcast log and the remuneration, to be printed."""

from dataclasses import replace

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from nguon.newsroom import pay
from nguon.newsroom.rules import TASKS
from nguon.people.answers import table_file, wants_json
from nguon.reports import log_papers, log_words, logs
from nguon.reports.asked import Asked
from nguon.reports.logs import Line, Log
from nguon.territory.names import fold

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _search(request: HttpRequest, log: Log) -> Log:
    """Keep the lines of some words or of one state; the sums stay the month's.

    What is to come has no state yet.
    """
    words = fold(request.GET.get("tim", "").replace("\0", "")).split()
    state = request.GET.get("ket_qua", "")

    def has_words(one: Line) -> bool:
        return all(word in fold(_text(one)) for word in words)

    kept = [
        one
        for one in log.lines
        if has_words(one) and (state not in logs.STATES or one.state == state)
    ]
    ahead = [one for one in log.ahead if has_words(one) and state not in logs.STATES]
    return replace(log, lines=kept, ahead=ahead)


def _read(wanted: Asked) -> Log:
    return logs.read_log(wanted.station, wanted.month, at=wanted.at)


def _name(wanted: Asked, log: Log) -> str:
    """Name a file; one of a month that is not over says up to when it goes."""
    name = f"so-nhat-ky-{wanted.unit.code}-{wanted.month:%Y-%m}"
    if log.until is None:
        return name
    return f"{name}-den-{timezone.localtime(log.until):%d-%Hh%M}"


def _text(one: Line) -> str:
    return f"{one.title} {one.writer} {one.approver} {log_words.spoken(one)}"


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Show a station's broadcast log of a month; it prints as it stands."""
    wanted = Asked(request)
    log = _search(request, _read(wanted))
    if wants_json(request):
        rows = [
            dict(zip(log_words.HEAD, row, strict=True)) for row in log_words.rows(log)
        ]
        told = {"unit": wanted.unit.full_name, "month": f"{wanted.month:%Y-%m}"}
        more = {"archived": log.is_archived, "until": log.until, "lines": rows}
        return JsonResponse(told | more)
    context = wanted.context(request) | {
        "log": log,
        "head": log_words.HEAD,
        "rows": [
            list(zip(log_words.HEAD, row, strict=True)) for row in log_words.rows(log)
        ],
        "notes": log_words.notes(log),
        "until": log_words.until(log),
        "ahead": [(one.starts_at, log_words.content(one)) for one in log.ahead],
        "sums": log_words.sums(log),
        "faults": log_words.faults(log),
        "states": logs.STATES.items(),
        "signers": log_papers.LOG_SIGNERS,
    }
    return render(request, "reports/log.html", context)


@require_safe
def show_file(request: HttpRequest) -> HttpResponse:
    """Give the log as a table."""
    wanted = Asked(request)
    log = _search(request, _read(wanted))
    return table_file(_name(wanted, log), log_words.HEAD, log_words.rows(log))


@require_safe
def show_pdf(request: HttpRequest) -> HttpResponse:
    """Give the log as a paper to sign; always the whole month."""
    wanted = Asked(request)
    log = _read(wanted)
    name = f"{_name(wanted, log)}.pdf"
    return _file(log_papers.write_log(log), name, "application/pdf")


@require_safe
def paid(request: HttpRequest) -> HttpResponse:
    """Show the month's remuneration of one station."""
    wanted = Asked(request)
    lines = _lines(wanted)
    if wants_json(request):
        rows = [
            {"person": one.person, "pieces": one.pieces, "total": one.total}
            for one in lines
        ]
        return JsonResponse({"month": f"{wanted.month:%Y-%m}", "lines": rows})
    context = wanted.context(request) | {
        "head": log_papers.PAY_HEAD,
        "rows": [
            list(zip(log_papers.PAY_HEAD, row, strict=True))
            for row in log_papers.pay_rows(lines)
        ],
        "is_empty": not lines,
        "notes": log_papers.pay_notes(lines),
        "unpriced": sum(one.unpriced for one in lines),
        "tasks": TASKS,
        "signers": log_papers.PAY_SIGNERS,
    }
    return render(request, "reports/paid.html", context)


def _lines(wanted: Asked) -> list[pay.Line]:
    return pay.list_lines_of(wanted.station.grounds, month=wanted.month)


@require_safe
def paid_pdf(request: HttpRequest) -> HttpResponse:
    """Give the remuneration as a paper to sign."""
    wanted = Asked(request)
    content = log_papers.write_pay(wanted.unit, wanted.month, _lines(wanted))
    name = f"thu-lao-{wanted.unit.code}-{wanted.month:%Y-%m}.pdf"
    return _file(content, name, "application/pdf")


@require_safe
def paid_xlsx(request: HttpRequest) -> HttpResponse:
    """Give the remuneration as a workbook that adds up by itself."""
    wanted = Asked(request)
    content = log_papers.write_pay_book(wanted.unit, wanted.month, _lines(wanted))
    return _file(content, f"thu-lao-{wanted.unit.code}-{wanted.month:%Y-%m}.xlsx", XLSX)


def _file(content: bytes, name: str, mime: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=mime)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer

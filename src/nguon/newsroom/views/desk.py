"""Patterns of bulletins, and the month's table of remuneration."""

from datetime import date

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from nguon.newsroom import actions, forms, patterns, pay, rules
from nguon.people import access as people_access
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.people.models import ADMINISTRATOR, AUTHOR


@require_http_methods(["GET", "POST"])
def templates(request: HttpRequest) -> HttpResponse:
    """List patterns; keep a new one."""
    at = timezone.now()
    officer = officer_of(request)
    if request.method == "POST":
        actions.add_template(
            unit=forms.unit_to_write_for(request, at),
            title=request.POST.get("title", ""),
            body=request.POST.get("body", ""),
            field=forms.read_number(request.POST.get("field"), 0),
            by=officer,
            at=at,
        )
        return redirect("newsroom:templates")
    context = {
        "patterns": patterns.list_patterns(officer, at=at),
        "fields": rules.FIELDS.items(),
        "units": people_access.units_of(officer, at=at, kinds=[AUTHOR]),
    }
    return render(request, "newsroom/templates.html", context)


@require_POST
def use_template(request: HttpRequest, key: str) -> HttpResponse:
    """Begin a draft from a pattern."""
    at = timezone.now()
    officer = officer_of(request)
    pattern = patterns.access_pattern(key, officer=officer, at=at)
    bulletin = actions.create_bulletin(
        unit=forms.unit_to_write_for(request, at),
        draft=rules.Draft(pattern.title, pattern.body, field=pattern.field),
        by=officer,
        at=at,
    )
    address = reverse("newsroom:edit", args=[bulletin.uid])
    return done(request, to=address, data={"bulletin_uid": bulletin.uid})


@require_POST
def end_template(request: HttpRequest, key: int) -> HttpResponse:
    """Take a pattern off the list."""
    actions.end_template(key=key, by=officer_of(request), at=timezone.now())
    return redirect("newsroom:templates")


@require_http_methods(["GET", "POST"])
def remuneration(request: HttpRequest) -> HttpResponse:
    """Show a month's table; an administrator sets rates."""
    at = timezone.now()
    officer = officer_of(request)
    grounds = people_access.units_of(officer, at=at, kinds=[ADMINISTRATOR])
    today = timezone.localdate(at)
    if request.method == "POST":
        unit = people_access.access_unit(officer, request.POST.get("unit", ""), at=at)
        actions.set_rate(
            unit=unit,
            task=request.POST.get("task", ""),
            amount=_amount(request.POST.get("amount", "")),
            from_day=forms.read_day(request.POST.get("from_day"), None, today=today)
            or today,
            by=officer,
            at=at,
        )
        return redirect("newsroom:remuneration")
    month = _month(request, today)
    lines = pay.list_lines(officer, month=month, at=at)
    if wants_json(request):
        rows = [
            {"person": one.person, "pieces": one.pieces, "total": one.total}
            for one in lines
        ]
        return JsonResponse({"month": f"{month:%Y-%m}", "lines": rows})
    context = {
        "lines": lines,
        "tasks": rules.TASKS.items(),
        "month": month,
        "months": sorted({*_latest_months(today), month}, reverse=True),
        "total": sum(line.total for line in lines),
        "unpriced": sum(line.unpriced for line in lines),
        "grounds": grounds,
    }
    return render(request, "newsroom/remuneration.html", context)


@require_safe
def remuneration_file(request: HttpRequest) -> HttpResponse:
    """Give the month's table as a file."""
    at = timezone.now()
    month = _month(request, timezone.localdate(at))
    rows = [
        (
            line.person,
            *_cells(line),
            line.total,
        )
        for line in pay.list_lines(officer_of(request), month=month, at=at)
    ]
    head = ["Họ tên"]
    for name in rules.TASKS.values():
        head += [f"{name} (tin)", f"{name} (đồng)"]
    return table_file(f"thu-lao-{month:%Y-%m}", [*head, "Tổng (đồng)"], rows)


def _cells(line: pay.Line) -> list[int]:
    """Return pieces and money of each task, side by side."""
    cells: list[int] = []
    for task in rules.TASKS:
        cells += [line.pieces[task], line.amounts[task]]
    return cells


def _amount(text: str) -> int:
    """Read "20.000"; what is no number is less than nothing, which no rule takes."""
    digits = text.replace(".", "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() else -1


def _latest_months(today: date) -> list[date]:
    """Return the first days of this month and of the twelve before it."""
    count = today.year * 12 + today.month - 1
    return [date(n // 12, n % 12 + 1, 1) for n in range(count - 12, count + 1)]


def _month(request: HttpRequest, today: date) -> date:
    """Read "2026-11"; anything else is this month."""
    try:
        return date.fromisoformat(f"{request.GET.get('thang', '')}-01")
    except ValueError:
        return today.replace(day=1)

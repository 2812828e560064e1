"""Pages of figures: all of a unit and period, and the facts behind each one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from nguon.core.errors import DomainError, InvalidError
from nguon.indicators import asked, catalogue, queries, rules, told
from nguon.indicators.asked import Asked
from nguon.indicators.measures import BULLETINS, MEASURES, SUPPLIED
from nguon.indicators.queries import Figure
from nguon.indicators.templatetags.indicators import missing_words, part_words
from nguon.newsroom.models import Supplier
from nguon.people.answers import officer_of, table_file, wants_json
from nguon.registers.counts import COUNTS as REGISTERED
from nguon.territory.models import VILLAGE, Unit
from nguon.territory.names import fold

SHOWN_FACTS = 200
REGISTER_WORDS = {what: (words, 1) for what, words in REGISTERED.items()}


def _read(request: HttpRequest) -> Asked:
    told = {key: str(text).replace("\0", "") for key, text in request.GET.items()}
    return asked.read(officer_of(request), told, at=timezone.now())


def _refuse(request: HttpRequest, error: InvalidError) -> HttpResponse:
    """Answer days that cannot be read: why not, and the form as it was sent."""
    if wants_json(request):
        raise error
    told = {"don_vi": request.GET.get("don_vi", "").replace("\0", "")}
    wanted = asked.read(officer_of(request), told, at=timezone.now())
    context = {
        "wanted": replace(wanted, span="khac"),
        "error": error,
        "spans": asked.SPANS.items(),
        "sources": catalogue.SOURCES.items(),
        "asked": request.GET,
    }
    return render(request, "indicators/figures.html", context, status=422)


def _list(request: HttpRequest, wanted: Asked) -> list[Figure]:
    """Return the figures that a list asks for: `tim` (words), `nguon` (source)."""
    found = queries.list_figures(wanted.unit, wanted.period, day=wanted.day)
    words = fold(request.GET.get("tim", "").replace("\0", "")).split()
    source = request.GET.get("nguon", "")
    return [
        one
        for one in found
        if all(word in fold(one.indicator.name) for word in words)
        and (source not in catalogue.SOURCES or one.indicator.source == source)
    ]


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show every figure of a unit and period, with search and filter."""
    try:
        wanted = _read(request)
    except InvalidError as unreadable:
        return _refuse(request, unreadable)
    try:
        figures, error = _list(request, wanted), None
    except DomainError as refused:
        figures, error = [], refused
    if wants_json(request):
        if error is not None:
            raise error
        return JsonResponse({"figures": [_facts(one) for one in figures]})
    context = {
        "wanted": wanted,
        "counted": [
            one
            for one in figures
            if one.value is not None and one.indicator.source != catalogue.REPORTED
        ],
        "reported": [
            one
            for one in figures
            if one.value is not None and one.indicator.source == catalogue.REPORTED
        ],
        "missing": [one for one in figures if one.value is None],
        "counted_days": figures[0].counted_days if figures else 0,
        "spans": asked.SPANS.items(),
        "sources": catalogue.SOURCES.items(),
        "asked": request.GET,
        "error": error,
    }
    return render(request, "indicators/figures.html", context)


def _facts(one: Figure) -> dict[str, Any]:
    return {
        "code": one.indicator.code,
        "name": one.indicator.name,
        "unit": one.unit.full_name,
        "first_date": one.period.first.isoformat(),
        "last_date": one.period.last.isoformat(),
        "value": one.value,
        "margin": 100 * one.estimate.margin if one.value and one.estimate else None,
        "shown_in": one.indicator.unit,
        "above": one.ratio.above,
        "below": one.ratio.below,
        "missing": one.missing,
        "counted_days": one.counted_days,
        "told": one.told,
        "communes": one.communes,
    }


@require_safe
def index_file(request: HttpRequest) -> HttpResponse:
    """Give the list of figures as a file."""
    wanted = _read(request)
    head = ("Chỉ tiêu", "Giá trị", "Đơn vị tính", "Tử số", "Mẫu số", "Ngày đã đếm")
    rows = (
        (
            one.indicator.name,
            missing_words(one.missing)
            if one.value is None
            else rules.cell(rules.shown(one.value)),
            one.indicator.unit,
            rules.cell(one.ratio.above)
            if one.value is not None and not one.asked
            else "",
            rules.cell(one.ratio.below)
            if one.value is not None and one.ratio.below
            else "",
            f"{one.counted_days}/{one.period.days}",
        )
        for one in _list(request, wanted)
    )
    return table_file(f"chi-tieu-{wanted.period.first}", head, rows)


@require_safe
def show(request: HttpRequest, figure: str) -> HttpResponse:
    """Show one figure, the places it is made of, and the facts behind it."""
    one = catalogue.find(figure)
    try:
        wanted = _read(request)
    except InvalidError as unreadable:
        return _refuse(request, unreadable)
    table = queries.count_places(wanted.unit, wanted.period, day=wanted.day)
    places = _places(wanted, one, table)
    behind = _behind(wanted, figure)
    figures = queries.figures_of(table, wanted.unit, wanted.period, day=wanted.day)
    (found,) = [row for row in figures if row.indicator.code == figure]
    if wants_json(request):
        return JsonResponse(
            _facts(found) | {"places": places, "facts": behind},
            json_dumps_params={"default": str},
        )
    context = {
        "wanted": wanted,
        "figure": found,
        "one": one,
        "page": _page_behind(figure),
        "places": places,
        "behind": behind[:SHOWN_FACTS],
        "more": max(0, len(behind) - SHOWN_FACTS),
        "parts": _parts(wanted, figure),
        "spans": asked.SPANS.items(),
        "asked": request.GET,
    }
    return render(request, "indicators/figure.html", context)


def _places(
    wanted: Asked, one: catalogue.Indicator, table: queries.Table
) -> list[dict[str, Any]]:
    """Return the figure of every place under the unit, the lowest first."""
    if one.code not in table.ratios:
        return []
    ratios = table.ratios[one.code]
    days, must_tell = queries.count_days(wanted.period), rules.must_tell(one)
    found: list[dict[str, Any]] = []
    for key, unit in table.places.items():
        if key == wanted.unit.pk and key not in ratios:
            continue
        # Who has told nothing has no 0 either, nor what no day was counted of.
        ratio = ratios.get(key, None if must_tell else rules.Ratio())
        missing = rules.why_missing(one, ratio, days)
        value = rules.value_of(one, ratio) if ratio and not missing else None
        found.append(
            {
                "name": unit.full_name,
                "uid": unit.uid,
                "value": value,
                "missing": missing,
            }
        )
    return sorted(found, key=_rank)


def _rank(row: Mapping[str, Any]) -> tuple[bool, float, str]:
    return (row["value"] is None, row["value"] or 0.0, fold(row["name"]))


def _behind(wanted: Asked, code: str) -> list[dict[str, Any]]:
    one, recipe = catalogue.find(code), rules.RECIPES.get(code)
    if one.source == catalogue.REPORTED:
        return _reports(wanted, one)
    if recipe is None:
        return []
    rows = queries.list_behind(wanted.unit, wanted.period, recipe, day=wanted.day)
    words = MEASURES | REGISTER_WORDS
    words |= {what: (source.words, 1) for what, source in told.SOURCES.items()}
    return [
        {
            "unit": _place_name(unit),
            "what": words[measure][0],
            "number": number / words[measure][1],
        }
        for unit, measure, number in rows
    ]


def _reports(wanted: Asked, one: catalogue.Indicator) -> list[dict[str, Any]]:
    """Return what each accepted report told, with the report's address."""
    rows = []
    for row in queries.list_reported(wanted.unit, wanted.period, one.code):
        days = f"{row.first_date:%d/%m/%Y}–{row.period.last:%d/%m/%Y}"
        numbers = [(one.numerator, row.ratio.above)]
        if one.denominator:
            numbers.append((one.denominator, row.ratio.below))
        rows += [
            {
                "unit": _place_name(row.unit),
                "what": f"{what}, kỳ {days}",
                "number": number,
                "report": row.submission,
            }
            for what, number in numbers
        ]
    return rows


def _page_behind(code: str) -> tuple[str, str]:
    """Return where the facts behind a figure are written, and what that is called."""
    if catalogue.find(code).source == catalogue.REPORTED:
        return reverse("reports:periods"), "Kỳ báo cáo"
    recipe = rules.RECIPES.get(code)
    how = recipe.told.how if recipe and recipe.told else ""
    if how == rules.REGISTER:
        return reverse("registers:registers"), "Sổ"
    if recipe and recipe.told and how == rules.TOLD:
        return reverse(told.SOURCES[recipe.told.what].page), "Kế hoạch"
    return reverse("schedule:plays"), "Nhật ký phát"


def _place_name(unit: Unit) -> str:
    """Return a village with its commune: many are called Làng 1."""
    if unit.kind == VILLAGE and unit.parent is not None:
        return f"{unit.full_name}, {unit.parent.full_name}"
    return unit.full_name


def _parts(wanted: Asked, figure: str) -> Sequence[tuple[str, str, int]]:
    """Return how bulletins split: by what, in which words, how many."""
    measure = {BULLETINS: BULLETINS, "suppliers": SUPPLIED}.get(figure)
    if measure is None:
        return []
    parts = queries.list_parts(wanted.unit, wanted.period, measure, day=wanted.day)
    keys: dict[str, set[int]] = {"supplier": set(), "unit": set()}
    for part in parts:
        kind, key = part.split(":", 1)
        if kind in keys and key:
            keys[kind].add(int(key))
    suppliers = Supplier.objects.filter(pk__in=keys["supplier"])
    names = dict(suppliers.values_list("pk", "name"))
    units = {
        key: unit.full_name for key, unit in Unit.objects.in_bulk(keys["unit"]).items()
    }
    told = [(*part_words(part, names, units), n) for part, n in parts.items()]
    return sorted(told, key=lambda row: (row[0], -row[2], row[1]))


@require_safe
def show_file(request: HttpRequest, figure: str) -> HttpResponse:
    """Give the facts behind one figure as a file."""
    catalogue.find(figure)
    wanted = _read(request)
    rows = (
        (row["unit"], row["what"], rules.cell(row["number"]))
        for row in _behind(wanted, figure)
    )
    head = ("Nơi xảy ra", "Số liệu", "Số lượng")
    return table_file(f"{figure}-{wanted.period.first}", head, rows)

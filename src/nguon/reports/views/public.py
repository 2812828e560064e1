"""What anybody may open without signing in: published figures, as pages and files.

They say nothing that was not published, work without JavaScript on a thin line, and
may be kept by caches: what was published stands.
"""

import hashlib
import time

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from nguon.core.errors import GoneError, TooManyError
from nguon.fleet.rate import Bucket
from nguon.people.answers import table_file
from nguon.reports import open_files, open_queries, opening, score_queries
from nguon.reports.models import Publication

# From one address, as for other public pages.
_looks = Bucket(rate=1 / 2, burst=60)
AGE_SECONDS = 300
FILES = 200


def _check(request: HttpRequest) -> None:
    address = str(request.META.get("REMOTE_ADDR", ""))
    if not _looks.take(address, at=time.monotonic()):
        raise TooManyError("web.too_many")


def _cached(request: HttpRequest, answer: HttpResponse) -> HttpResponseBase:
    """Return an answer, or "not modified" to who has the same one already."""
    etag = f'"{hashlib.sha256(answer.content).hexdigest()[:32]}"'
    answer["ETag"] = etag
    answer["Cache-Control"] = f"public, max-age={AGE_SECONDS}"
    return get_conditional_response(request, etag=etag, response=answer) or answer


def _json(request: HttpRequest, body: dict[str, object]) -> HttpResponseBase:
    answer = HttpResponse(open_files.as_json(body), content_type="application/json")
    # Figures that anybody may read, from any page.
    answer["Access-Control-Allow-Origin"] = "*"
    return _cached(request, answer)


def _address(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("open_data:index"))


@login_not_required
@require_safe
def index(request: HttpRequest) -> HttpResponseBase:
    """Show the latest published figures, and everything that was published."""
    _check(request)
    rows = list(open_queries.list_public()[:FILES])
    latest = rows[0] if rows else None
    context = {
        "rows": rows,
        "latest": latest,
        "totals": open_queries.list_totals(latest) if latest else [],
        "sheets": open_queries.list_public_sheets(),
        "terms": opening.TERMS,
    }
    return _cached(request, render(request, "reports/open_index.html", context))


@login_not_required
@require_safe
def catalogue(request: HttpRequest) -> HttpResponseBase:
    """Give programs the list of what was published."""
    _check(request)
    address = _address(request)
    rows = open_queries.list_public()[:FILES]
    sheets = open_queries.list_public_sheets()
    return _json(
        request,
        {
            "publications": [open_files.describe(row, address=address) for row in rows],
            "scores": [
                open_files.describe_sheet(row, address=address) for row in sheets
            ],
        },
    )


@login_not_required
@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponseBase:
    """Show what was published of a period; `?chi_tieu=` by commune."""
    _check(request)
    row = open_queries.find_public(uid)
    if row.withdrawn_at is not None:
        return render(request, "reports/open_withdrawn.html", {"row": row}, status=410)
    totals = open_queries.list_totals(row)
    code = request.GET.get("chi_tieu", "")
    known = {one.indicator.code: one for one in totals}
    places, own = [], None
    if code in known:
        found = open_queries.list_published(row, code=code)
        communes = (one for one in found if one.unit.pk != row.unit_id)
        places = sorted(communes, key=lambda one: (one.unit.folded, one.unit.code))
        own = open_queries.own_part(known[code], places)
    context = {
        "row": row,
        "totals": totals,
        "one": known.get(code),
        "places": places,
        "own": own,
        "terms": opening.TERMS,
    }
    return _cached(request, render(request, "reports/open_figures.html", context))


def _find(uid: str) -> Publication:
    row = open_queries.find_public(uid)
    if row.withdrawn_at is not None:
        raise GoneError("reports.publication_withdrawn", reason=row.reason)
    return row


@login_not_required
@require_safe
def table(request: HttpRequest, uid: str) -> HttpResponseBase:
    """Give a publication as a table."""
    _check(request)
    row = _find(uid)
    rows = open_files.rows_of(row, open_queries.list_published(row))
    name = f"so-lieu-mo-{row.unit.code}-{row.first_date}"
    return _cached(request, table_file(name, open_files.HEAD, rows))


@login_not_required
@require_safe
def data(request: HttpRequest, uid: str) -> HttpResponseBase:
    """Give a publication to programs."""
    _check(request)
    row = _find(uid)
    rows = open_files.rows_of(row, open_queries.list_published(row))
    body = open_files.describe(row, address=_address(request))
    figures = [dict(zip(open_files.HEAD, line, strict=True)) for line in rows]
    return _json(request, body | {"figures": figures})


@login_not_required
@require_safe
def score(request: HttpRequest, uid: str) -> HttpResponseBase:
    """Show the weights of a published score sheet, and results that were shown."""
    _check(request)
    sheet = open_queries.find_public_sheet(uid)
    context = {
        "sheet": sheet,
        "weights": score_queries.list_lines(sheet),
        "results": score_queries.list_results(sheet),
        "terms": opening.TERMS,
    }
    return _cached(request, render(request, "reports/open_score.html", context))


@login_not_required
@require_safe
def score_table(request: HttpRequest, uid: str) -> HttpResponseBase:
    """Give shown results as a table."""
    _check(request)
    sheet = open_queries.find_public_sheet(uid)
    head = ("year", "unit_code", "unit_name", "points", "assessed_weight", "rank")
    rows = [
        (
            sheet.year, row.unit.code, row.unit.full_name,
            row.points, row.covered, row.rank,
        )
        for row in score_queries.list_results(sheet)
    ]  # fmt: skip
    return _cached(request, table_file(f"diem-{sheet.year}", head, rows))


@login_not_required
@require_safe
def score_data(request: HttpRequest, uid: str) -> HttpResponseBase:
    """Give weights, and results that were shown, to programs."""
    _check(request)
    sheet = open_queries.find_public_sheet(uid)
    body = open_files.describe_sheet(sheet, address=_address(request))
    weights = [
        {
            "indicator": one.code,
            "name": one.name,
            "weight": line.weight,
            "full_at": line.full_at,
            "measured_in": one.unit,
            "method": opening.method_of(one),
        }
        for one, line in score_queries.list_lines(sheet)
    ]
    results = [
        {
            "unit_code": row.unit.code,
            "unit_name": row.unit.full_name,
            "points": row.points,
            "assessed_weight": row.covered,
            "rank": row.rank,
        }
        for row in score_queries.list_results(sheet)
    ]
    return _json(request, body | {"weights": weights, "results": results})

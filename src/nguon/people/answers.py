"""How an officer's request is read and answered: page, JSON, fragment, file.

Views of every room use this, so that a page and a program get the same facts.
"""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect

from nguon.people.models import Officer

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def officer_of(request: HttpRequest) -> Officer:
    """Return who is signed in; every page behind sign-in has somebody."""
    return cast(Officer, request.user)


def wants_json(request: HttpRequest) -> bool:
    """Say whether a program asks, and not a person."""
    kinds = ["text/html", "application/json"]
    return request.get_preferred_type(kinds) == "application/json"


def is_htmx(request: HttpRequest) -> bool:
    """Say whether only a part of a page is asked for."""
    return request.headers.get("HX-Request") == "true"


def done(request: HttpRequest, *, to: str, data: Mapping[str, Any]) -> HttpResponse:
    """Answer a change that was made: JSON to a program, the next page to a person."""
    if wants_json(request):
        return JsonResponse({**data, "url": to}, json_dumps_params={"default": str})
    if is_htmx(request):
        answer = HttpResponse(status=204)
        answer["HX-Redirect"] = to
        return answer
    return redirect(to)


def table_file(
    name: str, head: Sequence[str], rows: Iterable[Sequence[object]]
) -> HttpResponse:
    """Answer with a CSV file that spreadsheets open with Vietnamese letters intact."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    answer = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def _harmless(cell: object) -> object:
    """Return a cell that no spreadsheet takes for a formula."""
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return f"'{cell}"
    return "" if cell is None else cell


def asked_part(request: HttpRequest, size: int) -> tuple[int, int] | None:
    """Return the half-open range of bytes that is asked for; None is the whole.

    RFC 9110 §14; a range that is empty or reversed cannot be answered.
    """
    part = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if part is None or not (part[1] or part[2]):
        return None
    if not part[1]:
        return max(0, size - int(part[2])), size
    return int(part[1]), min(size, int(part[2]) + 1) if part[2] else size


def sound_file(request: HttpRequest, mp3: bytes) -> HttpResponse:
    """Answer with a sound that nobody keeps, or the part that a player asks for.

    Players of some phones play nothing from who answers no ranges.
    """
    part = asked_part(request, len(mp3))
    start, end = part or (0, len(mp3))
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "private, no-store"}
    if start >= end:
        headers["Content-Range"] = f"bytes */{len(mp3)}"
        return HttpResponse(status=416, headers=headers)
    if part:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(mp3)}"
    status = 206 if part else 200
    kind = "audio/mpeg"
    return HttpResponse(mp3[start:end], kind, status, headers=headers)

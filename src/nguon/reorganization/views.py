"""Pages of merges: the list, drawing one up, looking at it, running and undoing it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
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

from nguon.core.errors import (
    AbsentError,
    ConflictError,
    DomainError,
    InvalidError,
    RefusedError,
)
from nguon.people import access as people
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.people.models import APPROVER, AUTHOR
from nguon.reorganization import access, actions, preview, queries, rules
from nguon.reorganization.kinds import NAMES
from nguon.reorganization.models import Merge
from nguon.territory.models import Unit

PER_PAGE = 50
EXPORT_LIMIT = 100_000
SAID = {
    "chay": "Đã chuyển xong. Số trước và sau bằng nhau.",
    "hoan-tac": "Đã hoàn tác.",
    "chot": "Đã chốt. Từ nay không hoàn tác được nữa.",
    "bo": "Đã bỏ bản thảo.",
}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the merges of an officer's provinces."""
    at = timezone.now()
    officer = officer_of(request)
    provinces = _need_provinces(request, at)
    found = queries.list_merges(officer, request.GET.dict(), at=at)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("trang"))
    if wants_json(request):
        return JsonResponse({"merges": [_facts(merge) for merge in page]})
    context = {
        "page": page,
        "states": rules.STATES.items(),
        "asked": request.GET,
        "may_write": any(_writes(request, unit, at) for unit in provinces),
    }
    return render(request, "reorganization/merges.html", context)


def _need_provinces(request: HttpRequest, at: datetime) -> list[Unit]:
    """Return the provinces of an officer. Raises RefusedError when there is none."""
    provinces = access.list_provinces(officer_of(request), at=at)
    if not provinces:
        raise RefusedError("reorganization.not_province")
    return provinces


def _writes(request: HttpRequest, unit: Unit, at: datetime) -> bool:
    return people.can(officer_of(request), AUTHOR, unit=unit, at=at)


def _facts(merge: Merge) -> dict[str, Any]:
    return {
        "uid": merge.uid,
        "title": merge.title,
        "day": merge.day,
        "state": merge.state,
        "unit": merge.unit.full_name,
        "counts": merge.counts,
    }


@require_safe
def index_file(request: HttpRequest) -> HttpResponse:
    """Give the list of merges as a file."""
    at = timezone.now()
    _need_provinces(request, at)
    rows = (
        (
            merge.title,
            merge.unit.full_name,
            f"{merge.day:%d/%m/%Y}",
            merge.get_state_display(),
            merge.made_by.full_name,
            merge.run_by.full_name if merge.run_by else "",
        )
        for merge in queries.list_merges(
            officer_of(request), request.GET.dict(), at=at
        )[:EXPORT_LIMIT]
    )
    head = "Tên,Tỉnh,Ngày sắp xếp,Trạng thái,Người lập,Người chạy"
    return table_file("sap-xep", head.split(","), rows)


@require_safe
def table(request: HttpRequest) -> HttpResponse:
    """Show what a merge does with everything that has a unit, and why."""
    _need_provinces(request, timezone.now())
    groups = [
        (name, [key for key in rules.TABLE if key.act == act])
        for act, name in rules.ACTS.items()
    ]
    return render(request, "reorganization/table.html", {"groups": groups})


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Ask which ground is rearranged, and draw the merge up."""
    at = timezone.now()
    officer = officer_of(request)
    provinces = _need_provinces(request, at)
    sent = request.POST
    told = sent.get("tinh", request.GET.get("tinh", ""))
    unit = next((one for one in provinces if one.uid == told), None)
    if unit is None and not told and len(provinces) == 1:
        unit = provinces[0]
    error = None
    if request.method == "POST":
        try:
            if unit is None:
                raise InvalidError("reorganization.province_missing")
            merge = actions.draft_merge(
                unit=unit,
                day=_need_day(sent.get("ngay", "")),
                heirs=_chosen(sent.getlist("xa"), queries.list_news(unit)),
                title=sent.get("ten", ""),
                by=officer,
                at=at,
            )
        except (InvalidError, ConflictError) as caught:
            if wants_json(request):
                raise
            error = caught
        else:
            to = reverse("reorganization:merge", args=[merge.uid])
            return done(request, to=to, data=_facts(merge))
    if unit is not None:
        access.check_maker(officer, unit, at=at)
    context = {
        "provinces": provinces,
        "unit": unit,
        "days": queries.list_days(unit) if unit else [],
        "news": queries.list_news(unit) if unit else [],
        "chosen": sent.getlist("xa"),
        "sent": sent,
        "error": error,
    }
    return render(
        request, "reorganization/create.html", context, status=422 if error else 200
    )


def _chosen(uids: Sequence[str], news: Sequence[Unit]) -> list[Unit]:
    """Return the chosen new communes. InvalidError `reorganization.heir_unknown`.

    One that is unknown is refused: left out, the whole province would be meant.
    """
    known = {one.uid: one for one in news}
    for uid in uids:
        if uid not in known:
            raise InvalidError("reorganization.heir_unknown")
    return [one for one in news if one.uid in uids]


def _need_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidError("reorganization.day_missing") from error


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show what a merge would do, or what it did."""
    return _show(request, _merge(request, uid))


def _merge(request: HttpRequest, uid: str) -> Merge:
    return access.access_merge(officer_of(request), uid, at=timezone.now())


def _show(
    request: HttpRequest,
    merge: Merge,
    *,
    error: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    at = timezone.now()
    officer = officer_of(request)
    kind = request.GET.get("loai", "")
    if kind and kind not in NAMES:
        raise AbsentError("reorganization.absent")
    seen = preview.look(merge, at=at) if merge.state == rules.DRAFTED else None
    if wants_json(request) and error is None:
        return JsonResponse(_facts(merge) | (_preview(seen) if seen else {}))
    lines = []
    if kind:
        lines = (
            queries.list_things(seen, kind) if seen else queries.list_moved(merge, kind)
        )
    if isinstance(error, actions.MovedSinceError):
        changed = list(error.rows)
    else:
        changed = queries.list_not_undone(merge)
    context = {
        "merge": merge,
        "seen": seen,
        "kinds": _counts(merge, seen),
        "kind": kind,
        "kind_name": NAMES.get(kind, ""),
        "page": Paginator(lines, PER_PAGE).get_page(request.GET.get("trang")),
        "sides": _sides(merge),
        "may_write": access.may(officer, AUTHOR, merge, at=at),
        "may_run": access.may(officer, APPROVER, merge, at=at),
        "has_hand": access.has_hand_in(officer, merge),
        "is_early": timezone.localdate(at) < merge.day,
        "changed": queries.lines_of(merge, changed),
        "error": error,
    }
    return render(request, "reorganization/merge.html", context, status=status)


def _preview(seen: preview.Preview) -> dict[str, Any]:
    return {
        "sha256": seen.sha256,
        "moves": {kind.mover.kind: len(kind.moving) for kind in seen.kinds},
        "open": [place.old.full_name for place, _count in seen.open],
        "blocks": list(seen.blocks),
        "left": {one.name: one.count for one in seen.left},
    }


def _counts(merge: Merge, seen: preview.Preview | None) -> list[Mapping[str, Any]]:
    """Return a row of the table of kinds each: how many go, meet, take a new name."""
    if seen is not None:
        return [
            {
                "kind": one.mover.kind,
                "name": one.name,
                "moving": len(one.moving),
                "doubles": len(one.doubles),
                "renamed": len(one.renamed),
            }
            for one in seen.kinds
            if one.things
        ]
    is_undone = merge.state == rules.UNDONE
    before, after = merge.counts.get("before", {}), merge.counts.get("after", {})
    return [
        {
            "kind": kind,
            "name": name,
            "moving": count,
            # After the way back these counts say nothing of today.
            "before": None if is_undone else before.get(kind),
            "after": None if is_undone else after.get(kind),
        }
        for kind, name, count in queries.count_moved(merge)
    ]


def _sides(merge: Merge) -> list[tuple[Unit, list[tuple[str, bool]]]]:
    """Return each new commune with the old ones on its ground, and whether whole."""
    found: dict[Unit, list[tuple[str, bool]]] = {}
    rows = merge.successions.select_related("old", "new")
    for row in rows.order_by("new__folded", "new", "old__folded"):
        is_whole = row.kind == "whole"
        found.setdefault(row.new, []).append((row.old.full_name, is_whole))
    return list(found.items())


@require_safe
def things_file(request: HttpRequest, uid: str) -> HttpResponse:
    """Give all that would move, or did, as a file."""
    merge = _merge(request, uid)
    kind = request.GET.get("loai", "")
    lines = (
        queries.list_things(preview.look(merge, at=timezone.now()), kind)
        if merge.state == rules.DRAFTED
        else queries.list_moved(merge, kind)
    )
    head = ["Loại", "Tên", "Từ", "Đến", "Ghi chú"]
    rows = ((row.kind, row.name, row.old, row.new, row.more) for row in lines)
    return table_file("chuyen", head, rows)


@require_POST
def choose(request: HttpRequest, uid: str, old_id: int) -> HttpResponse:
    """Decide where what stands at one old unit goes."""
    at = timezone.now()
    merge = _merge(request, uid)
    sent = request.POST.get("noi", "")
    try:
        if not sent.isdecimal():
            raise InvalidError("reorganization.heir_elsewhere", unit="Đơn vị cũ")
        actions.choose_heir(
            merge_uid=uid,
            old_id=old_id,
            heir_id=int(sent) or None,
            by=officer_of(request),
            at=at,
        )
    except (InvalidError, ConflictError) as error:
        if wants_json(request):
            raise
        return _show(request, merge, error=error, status=422)
    to = reverse("reorganization:merge", args=[uid])
    return done(request, to=f"{to}#chon", data={"uid": uid})


@require_POST
def move(request: HttpRequest, uid: str, verb: str) -> HttpResponse:
    """Run, undo, confirm or drop a merge."""
    merge = _merge(request, uid)
    try:
        _act(request, uid, verb)
    except (InvalidError, ConflictError, RefusedError) as error:
        if wants_json(request):
            raise
        merge.refresh_from_db()
        return _show(request, merge, error=error, status=409)
    if not wants_json(request):
        messages.success(request, SAID[verb])
    if verb == "bo":
        return done(request, to=reverse("reorganization:merges"), data={})
    to = reverse("reorganization:merge", args=[uid])
    return done(request, to=to, data={"uid": uid})


def _act(request: HttpRequest, uid: str, verb: str) -> None:
    at = timezone.now()
    by = officer_of(request)
    if verb == "chay":
        sha256 = request.POST.get("sha256", "")
        knows = request.POST.get("biet_loa_im") == "1"
        actions.run_merge(
            merge_uid=uid, sha256=sha256, knows_silence=knows, by=by, at=at
        )
    elif verb == "hoan-tac":
        take_rest = request.POST.get("phan_con_lai") == "1"
        actions.undo_merge(merge_uid=uid, by=by, at=at, take_rest=take_rest)
    elif verb == "chot":
        actions.confirm_merge(merge_uid=uid, by=by, at=at)
    else:
        actions.drop_merge(merge_uid=uid, by=by, at=at)

"""Pages of listening samples: drawn, printed for propagandists, answered, read."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
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

from nguon.core.errors import ConflictError, DomainError, InvalidError
from nguon.fleet import qr
from nguon.indicators import (
    access,
    actions,
    catalogue,
    listening,
    listening_forms,
    listening_queries,
    rules,
    sampling,
)
from nguon.indicators.estimating import Estimate
from nguon.indicators.listening_queries import Back, Group, Results
from nguon.indicators.models import ListeningAnswer, ListeningRound
from nguon.people import access as people
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.people.models import Officer

PER_PAGE = 50
EXPORT_LIMIT = 60_000
QUESTIONS = {
    listening.HEARD: "Có nghe",
    listening.UNDERSTOOD: "Nghe hiểu",
    listening.ACTED: "Làm theo",
}
YES_NO = {True: "có", False: "không", None: ""}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the rounds of one's ground."""
    officer, at = officer_of(request), timezone.now()
    found = listening_queries.list_rounds(officer, request.GET.dict(), at=at)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("trang"))
    if wants_json(request):
        return JsonResponse({"rounds": [_facts(one) for one in page]})
    context = {
        "page": page,
        "states": listening_queries.STATES.items(),
        "asked": request.GET,
        "may_draw": bool(listening_forms.list_units(officer, at=at)),
        "today": timezone.localdate(at),
    }
    return render(request, "indicators/rounds.html", context)


def _facts(one: ListeningRound) -> dict[str, Any]:
    return {
        "uid": one.uid,
        "unit": one.unit.full_name,
        "year": one.year,
        "quarter": one.quarter,
        "first_date": one.first_date,
        "after_date": one.after_date,
        "ended_at": one.ended_at,
        "dropped": one.dropped,
        "seed": one.seed,
    }


@require_safe
def index_file(request: HttpRequest) -> HttpResponse:
    """Give the list of rounds as a file."""
    officer, at = officer_of(request), timezone.now()
    found = listening_queries.list_rounds(officer, request.GET.dict(), at=at)
    head = (
        "Đơn vị", "Quý", "Về bản tin", "Từ ngày", "Đến ngày", "Sai số (điểm %)",
        "Độ tin cậy (%)", "Số bốc thăm", "Thôn", "Cần trả lời", "Đã trả lời",
        "Trạng thái",
    )  # fmt: skip
    rows = (
        (
            one.unit.full_name,
            one.name,
            one.bulletin.title if one.bulletin else "mọi bản tin",
            f"{one.first_date:%d/%m/%Y}",
            f"{one.after_date - timedelta(days=1):%d/%m/%Y}",
            one.margin,
            one.confidence,
            one.seed,
            one.villages,
            one.needed,
            one.met,
            _state(one),
        )
        for one in found[:EXPORT_LIMIT]
    )
    return table_file("dot-hoi-nghe", head, rows)


def _state(one: ListeningRound) -> str:
    if one.dropped:
        return listening_queries.STATES["bo"]
    return listening_queries.STATES["xong" if one.ended_at else "dang"]


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Say what a sample would be, then draw it."""
    officer, at = officer_of(request), timezone.now()
    units = listening_forms.list_units(officer, at=at)
    if not units:
        raise people.NoRightError(access.DRAWERS[0])
    sent = request.POST
    error: DomainError | None = None
    shown = None
    if sent:
        try:
            wish = listening_forms.read_wish(officer, sent.dict(), at=at)
            if "look" not in sent:
                return _draw(request, officer, wish, at)
            shown = listening_forms.preview(wish, at=at)
        except (InvalidError, ConflictError) as refused:
            if wants_json(request):
                raise
            error = refused
    context = {
        "units": units,
        "bulletins": listening_forms.list_bulletins(officer, at=at),
        "quarters": _quarters(at),
        "margins": sampling.MARGINS,
        "confidences": sampling.CONFIDENCES,
        "take": sampling.TAKE,
        "sent": sent or _usual(at),
        "preview": shown,
        "error": error,
    }
    status = 422 if error else 200
    return render(request, "indicators/round_new.html", context, status=status)


def _draw(
    request: HttpRequest, officer: Officer, wish: listening_forms.Wish, at: datetime
) -> HttpResponse:
    one = actions.draw_round(
        unit=wish.unit,
        year=wish.year,
        quarter=wish.quarter,
        bulletin=wish.bulletin,
        first_date=wish.first_date,
        last_date=wish.last_date,
        margin=wish.margin,
        confidence=wish.confidence,
        seed=wish.seed,
        by=officer,
        at=at,
    )
    if not wants_json(request):
        messages.success(request, "Đã rút thăm. Hãy in phiếu đưa tuyên truyền viên.")
    to = reverse("indicators:round", args=[one.uid])
    return done(request, to=to, data={"uid": one.uid})


def _quarters(at: datetime) -> list[tuple[str, str]]:
    """Return the quarter before, this one and the next."""
    year, quarter = listening.quarter_of(timezone.localdate(at))
    found = []
    for step in (0, -1, 1):
        n = 4 * year + quarter - 1 + step
        found.append((f"{n // 4}-{n % 4 + 1}", f"Quý {n % 4 + 1} năm {n // 4}"))
    return found


def _usual(at: datetime) -> dict[str, object]:
    """Return what the form begins with: two weeks from tomorrow, a margin of 5."""
    first = timezone.localdate(at) + timedelta(days=1)
    return {
        "first_date": first,
        "last_date": first + timedelta(days=13),
        "margin": "5",
        "confidence": "95",
    }


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show a round: how it was drawn, who has answered, what it says."""
    officer, at = officer_of(request), timezone.now()
    one = access.access_round(officer, uid, at=at)
    every = listening_queries.list_back(one)
    backs = _visible(officer, one, every, at)
    results = None
    if one.ended_at is not None and not one.dropped:
        results = _results(officer, one, every, at)
    if wants_json(request):
        told = results.groups if results else ()
        rows = [{"name": row.name, "shares": _shares(row)} for row in told]
        return JsonResponse(_facts(one) | {"results": rows})
    context = {
        "round": one,
        "backs": backs,
        "met": sum(back.met for back in backs),
        "unmet": sum(back.unmet for back in backs),
        "ask": sum(back.place.ask for back in backs),
        "none": sum(1 for back in backs if not back.met),
        "results": results,
        "questions": [
            (name, catalogue.find(code), _rows(results, code))
            for code, name in QUESTIONS.items()
        ],
        "sees_whole": people.can_see(officer, unit=one.unit, at=at),
        "may_draw": access.may_draw(officer, one.unit, at=at),
        "may_print": bool(_own(officer, backs, at)),
        "today": timezone.localdate(at),
        "last_date": one.after_date - timedelta(days=1),
    }
    return render(request, "indicators/round.html", context)


def _visible(
    officer: Officer, one: ListeningRound, backs: Sequence[Back], at: datetime
) -> list[Back]:
    mine = access.fence_places(officer, at=at).filter(round=one)
    keys = set(mine.values_list("pk", flat=True))
    return [back for back in backs if back.place.pk in keys]


def _results(
    officer: Officer, one: ListeningRound, backs: Sequence[Back], at: datetime
) -> Results:
    """Return the results; a commune sees of its province's round its own line only."""
    found = listening_queries.find_results(one, backs)
    if people.can_see(officer, unit=one.unit, at=at):
        return found
    mine = [
        group
        for group in found.groups
        if group.unit and people.can_see(officer, unit=group.unit, at=at)
    ]
    return Results(mine, (), ())


def _rows(results: Results | None, code: str) -> list[tuple[Group, Estimate]]:
    return [(group, group.shares[code]) for group in results.groups] if results else []


def _shares(group: Group) -> dict[str, Any]:
    return {
        code: {
            "share": one.share,
            "low": one.low if one.is_enough else None,
            "high": one.high if one.is_enough else None,
            "answers": one.answers,
            "villages": one.villages,
        }
        for code, one in group.shares.items()
    }


@require_safe
def results_file(request: HttpRequest, uid: str) -> HttpResponse:
    """Give the results of an ended round as a file."""
    officer, at = officer_of(request), timezone.now()
    one = access.access_round(officer, uid, at=at)
    if one.ended_at is None or one.dropped:
        raise ConflictError("indicators.listening_open")
    found = _results(officer, one, listening_queries.list_back(one), at)
    rows = [
        _line(QUESTIONS[code], group.name, share)
        for code in QUESTIONS
        for group in found.groups
        for share in (group.shares[code],)
    ]
    rows += [_line("Nghe bằng", name, share) for name, share in found.heard_in]
    head = (
        "Câu hỏi", "Nhóm", "Tỷ lệ (%)", "Từ (%)", "Đến (%)", "Số người", "Số thôn",
        "Hệ số thiết kế",
    )  # fmt: skip
    return table_file(f"ket-qua-hoi-nghe-{one.uid}", head, rows)


def _line(question: str, name: str, one: Estimate) -> Sequence[object]:
    if one.share is None:
        return (question, name, "chưa đủ mẫu", "", "", one.answers, one.villages, "")
    shares = (
        rules.cell(rules.shown(100 * part)) for part in (one.share, one.low, one.high)
    )
    effect = rules.cell(one.effect)
    return (question, name, *shares, one.answers, one.villages, effect)


@require_safe
def answers_file(request: HttpRequest, uid: str) -> HttpResponse:
    """Give every answer of one's ground as a file; nobody is named in it."""
    officer, at = officer_of(request), timezone.now()
    one = access.access_round(officer, uid, at=at)
    mine = access.fence_places(officer, at=at).filter(round=one)
    found = ListeningAnswer.objects.filter(place__in=mine.values("pk"))
    related = found.select_related("place__village__parent")
    head = (
        "Xã, phường", "Thôn", "Lượt", "Ngày", "Gặp được", "Có nghe", "Hiểu", "Làm theo",
        "Nghe bằng",
    )  # fmt: skip
    rows = _answer_rows(related.order_by("place__village__path", "number", "pk"))
    return table_file(f"tra-loi-hoi-nghe-{one.uid}", head, rows)


def _answer_rows(found: Iterable[ListeningAnswer]) -> Iterable[Sequence[object]]:
    for row in found:
        village = row.place.village
        yield (
            village.parent.full_name if village.parent else "",
            village.full_name,
            row.number,
            f"{timezone.localdate(row.at):%d/%m/%Y}",
            YES_NO[row.met],
            YES_NO[row.heard],
            YES_NO[row.understood],
            YES_NO[row.acted],
            listening.HEARD_IN.get(row.language, ""),
        )


@require_safe
def sheets(request: HttpRequest, uid: str) -> HttpResponse:
    """Show the sheets for propagandists: link, code and how to choose households."""
    officer, at = officer_of(request), timezone.now()
    one = access.access_round(officer, uid, at=at)
    if one.ended_at is not None:
        raise ConflictError("indicators.listening_ended")
    backs = _visible(officer, one, listening_queries.list_back(one), at)
    mine = _own(officer, backs, at)
    if not mine:
        people.check_can(officer, access.DRAWERS[0], unit=one.unit, at=at)
    context = {
        "round": one,
        "last_date": one.after_date - timedelta(days=1),
        "sheets": [
            {
                "place": back.place,
                "address": f"{settings.PUBLIC_URL}{path}",
                "path": path,
                "drawn": qr.draw(f"{settings.PUBLIC_URL}{path}"),
            }
            for back in mine
            for path in (reverse("listening:ask", args=[back.place.code]),)
        ],
    }
    return render(request, "indicators/sheets.html", context)


def _own(officer: Officer, backs: Collection[Back], at: datetime) -> list[Back]:
    """Keep the villages whose codes an officer may hand out."""
    paths = people.paths_of(officer, at=at, kinds=access.DRAWERS)
    return [
        back
        for back in backs
        if any(back.place.village.path.startswith(path) for path in paths)
    ]


@require_POST
def end(request: HttpRequest, uid: str) -> HttpResponse:
    """Take no more answers."""
    one = actions.end_round(uid=uid, by=officer_of(request), at=timezone.now())
    if not wants_json(request):
        messages.success(request, "Đã kết thúc. Số liệu vào trang Chỉ tiêu.")
    to = reverse("indicators:round", args=[one.uid])
    return done(request, to=to, data={"uid": one.uid})


@require_POST
def drop(request: HttpRequest, uid: str) -> HttpResponse:
    """Give up a round that nobody has answered."""
    one = actions.drop_round(
        uid=uid,
        reason=request.POST.get("reason", ""),
        by=officer_of(request),
        at=timezone.now(),
    )
    if not wants_json(request):
        messages.success(request, "Đã bỏ đợt này.")
    to = reverse("indicators:round", args=[one.uid])
    return done(request, to=to, data={"uid": one.uid})

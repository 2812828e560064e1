"""The play log (nhật ký phát): what really sounded, searched and exported."""

from datetime import date, datetime, time, timedelta

from django.core.paginator import Paginator
from django.db.models import Max, Min, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import cached_property
from django.views.decorators.http import require_safe

from nguon.audit import archives
from nguon.core import typed
from nguon.core.errors import InvalidError
from nguon.people.answers import officer_of, table_file, wants_json
from nguon.schedule import queries, rules
from nguon.schedule.models import Airing, PlayRecord
from nguon.schedule.templatetags.schedule import CAUSES, OUTCOMES, cause_name

PER_PAGE = 50
EXPORT_LIMIT = 50_000
# Counted no further: a province's log has tens of millions of lines.
MOST = 10_000
_ENDS = {
    "sounded": queries.SOUNDED,
    "silent": queries.SILENT,
    "broken_off": queries.BROKEN_OFF,
}


def _found(request: HttpRequest, at: datetime) -> QuerySet[PlayRecord]:
    """Return the plays that the officer sees and asks for.

    What is still to come is listed only for one broadcast or for days asked for:
    a week of daily slots would hide what has sounded.
    """
    found = _fitting(queries.list_plays(officer_of(request), at=at), request, at)
    if not any(request.GET.get(name) for name in ("tin", "tu", "den")):
        found = found.exclude(planned_at__gt=at, outcome="")
    return found


def _fitting(
    found: QuerySet[PlayRecord], request: HttpRequest, at: datetime
) -> QuerySet[PlayRecord]:
    asked = request.GET
    if asked.get("tin"):
        found = found.filter(broadcast__uid=asked["tin"])
    if asked.get("thiet_bi"):
        found = found.filter(device__uid=asked["thiet_bi"])
    if asked.get("xa"):
        found = found.filter(unit__path__contains=f"/{asked['xa']}/")
    if asked.get("ket_qua") in _ENDS:
        found = found.filter(_ENDS[asked["ket_qua"]])
    elif asked.get("ket_qua") in OUTCOMES and asked["ket_qua"]:
        found = found.filter(outcome=asked["ket_qua"])
    if asked.get("ly_do") in CAUSES:
        found = found.filter(cause=asked["ly_do"])
    begin, end = _period(request, at)
    if begin:
        found = found.filter(planned_at__gte=begin)
    if end:
        found = found.filter(planned_at__lt=end)
    return found


def _period(
    request: HttpRequest, at: datetime
) -> tuple[datetime | None, datetime | None]:
    """Return the days asked for as [begin, end); None is open."""
    first, last = request.GET.get("tu"), request.GET.get("den")
    return (
        _midnight(first, at) if first else None,
        _midnight(last, at) + timedelta(days=1) if last else None,
    )


def _months_away(request: HttpRequest, at: datetime) -> list[date]:
    """Return the months of the period asked for whose plays lie in the archive.

    A broadcast's period is that of its airings.
    """
    begin, end = _period(request, at)
    if request.GET.get("tin"):
        airings = Airing.objects.filter(broadcast__uid=request.GET["tin"])
        told = airings.aggregate(first=Min("starts_at"), last=Max("starts_at"))
        if told["first"] is None:
            return []
        begin = max(begin or told["first"], told["first"])
        after = told["last"] + timedelta(milliseconds=1)
        end = min(end or after, after)
    return archives.list_away("schedule.PlayRecord", begin=begin, end=end)


def _midnight(text: str, at: datetime) -> datetime:
    try:
        return datetime.combine(
            typed.read_day(text, today=timezone.localdate(at)), time.min, rules.LOCAL
        )
    except ValueError as error:
        raise InvalidError("schedule.time_unreadable") from error


class Pages(Paginator):  # type: ignore[type-arg]
    """Pages of a log that is counted up to `MOST`; days asked for lead further back."""

    def __init__(self, rows: QuerySet[PlayRecord]) -> None:
        super().__init__(rows, PER_PAGE)
        self._rows = rows

    @cached_property
    def count(self) -> int:
        """How many lines there are, `MOST` at most."""
        return min(MOST, self._counted)

    @property
    def is_more(self) -> bool:
        """Say whether there are more lines than are counted."""
        return self._counted > MOST

    @cached_property
    def _counted(self) -> int:
        return self._rows.order_by()[: MOST + 1].count()


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List plays, the latest first."""
    at = timezone.now()
    pages = Pages(_found(request, at))
    page = pages.get_page(request.GET.get("trang"))
    away = _months_away(request, at)
    if wants_json(request):
        rows = [
            {
                "device": play.device.uid,
                "item": play.item,
                "broadcast_uid": play.broadcast.uid if play.broadcast else "",
                "planned_at": play.planned_at.isoformat(),
                "received_at": play.received_at and play.received_at.isoformat(),
                "started_at": play.started_at and play.started_at.isoformat(),
                "ended_at": play.ended_at and play.ended_at.isoformat(),
                "sounded_ms": play.sounded_ms,
                "outcome": play.outcome,
                "cause": play.cause,
            }
            for play in page
        ]
        return JsonResponse(
            {
                "plays": rows,
                "count": pages.count,
                "is_more": pages.is_more,
                "archived_months": [f"{month:%Y-%m}" for month in away],
            }
        )
    context = {
        "page": page,
        "asked": request.GET,
        "away": away,
        "outcomes": [(k, v) for k, v in OUTCOMES.items() if k],
    }
    return render(request, "schedule/plays.html", context)


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Give the same list as a file."""
    at = timezone.now()
    rows = (
        (
            play.shown_title,
            play.device.name,
            play.unit.full_name,
            _written(play.planned_at),
            _written(play.started_at),
            _written(play.ended_at),
            round(play.sounded_ms / 1000, 1),
            play.level_dbfs,
            OUTCOMES.get(play.outcome, play.outcome),
            cause_name(play.cause) if play.cause else "",
            "có" if play.late_joiner else "",
            _authority(play),
        )
        for play in _found(request, at)[:EXPORT_LIMIT]
    )
    head = (
        "Bản tin,Thiết bị,Địa bàn,Giờ định phát,Bắt đầu,Kết thúc,Số giây đã phát,"
        "Mức ra số (dBFS),Kết quả,Lý do,Thiết bị vào sau,Theo ủy quyền số"
    )
    return table_file("nhat-ky-phat", head.split(","), rows)


def _authority(play: PlayRecord) -> str:
    paper = play.broadcast.authority if play.broadcast else None
    return str(paper.number) if paper else ""


def _written(moment: datetime | None) -> str:
    return f"{timezone.localtime(moment):%d/%m/%Y %H:%M:%S}" if moment else ""

"""The feeds that a unit lets the server read."""

from datetime import datetime
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from nguon.core.errors import ConflictError, InvalidError
from nguon.newsroom import actions, rules
from nguon.newsroom.arrivals import list_feeds
from nguon.newsroom.forms import read_number, unit_to_write_for
from nguon.newsroom.intake.feeds import FeedError
from nguon.newsroom.models import NewsFeed, Supplier
from nguon.people import access as people_access
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.people.models import AUTHOR

ON, OFF, BROKEN, NEW = "on", "off", "broken", "new"
FEED_STATES = {
    ON: "Đang đọc được",
    BROKEN: "Đang lỗi",
    NEW: "Chưa đọc lần nào",
    OFF: "Đã tắt",
}


def _state(feed: NewsFeed) -> str:
    if not feed.is_on:
        return OFF
    if feed.trouble:
        return BROKEN
    return ON if feed.good_at else NEW


def _rows(request: HttpRequest, at: datetime) -> list[tuple[NewsFeed, str]]:
    found = list_feeds(officer_of(request), at=at, text=request.GET.get("q", ""))
    rows = [(feed, _state(feed)) for feed in found]
    asked = request.GET.get("trang_thai", "")
    return [row for row in rows if asked not in FEED_STATES or row[1] == asked]


@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """List the feeds, broken ones with what is wrong; take a new one."""
    at = timezone.now()
    error: InvalidError | ConflictError | None = None
    if request.method == "POST":
        try:
            return _add(request, at)
        except (InvalidError, ConflictError) as wrong:
            if wants_json(request):
                raise
            error = wrong
    if wants_json(request):
        rows = [_facts(feed, state) for feed, state in _rows(request, at)]
        return JsonResponse({"feeds": rows})
    officer = officer_of(request)
    units = people_access.units_of(officer, at=at, kinds=[AUTHOR])
    paths = tuple(people_access.paths_of(officer, at=at, kinds=[AUTHOR]))
    above = {key for unit in units for key in unit.ancestor_ids}
    suppliers = Supplier.objects.filter(unit__in=above, ended_at=None)
    context = {
        "rows": [
            (feed, state, _trouble(feed), feed.unit.path.startswith(paths))
            for feed, state in _rows(request, at)
        ],
        "states": FEED_STATES.items(),
        "asked": request.GET,
        "is_filtered": any(request.GET.get(key) for key in ("q", "trang_thai")),
        "units": units,
        "suppliers": suppliers.order_by("folded", "pk"),
        "fields": rules.FIELDS.items(),
        "minutes": int(rules.FEED_PAUSE.total_seconds() // 60),
        "error": error,
        "typed": request.POST,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
    return render(request, "newsroom/feeds.html", context, status=status)


def _trouble(feed: NewsFeed) -> FeedError | None:
    """Return what is wrong with a feed, for a sentence."""
    return FeedError(feed.trouble, **feed.trouble_data) if feed.trouble else None


def _facts(feed: NewsFeed, state: str) -> dict[str, object]:
    return {
        "feed": feed.pk,
        "name": feed.name,
        "url": feed.url,
        "state": state,
        "trouble": feed.trouble,
        "good_at": feed.good_at and feed.good_at.isoformat(),
    }


def _add(request: HttpRequest, at: datetime) -> HttpResponse:
    feed = actions.add_feed(
        unit=unit_to_write_for(request, at),
        name=request.POST.get("name", ""),
        url=request.POST.get("url", ""),
        field=read_number(request.POST.get("field"), 1),
        supplier=read_number(request.POST.get("supplier"), 0),
        by=officer_of(request),
        at=at,
    )
    if not wants_json(request):
        messages.success(request, "Đã thêm nguồn tin. Máy chủ đọc trong vài giây.")
    return done(request, to=reverse("newsroom:feeds"), data=_facts(feed, NEW))


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Give the same list as a file."""
    rows = (
        (
            feed.name,
            feed.unit.full_name,
            feed.supplier.name,
            rules.FIELDS[feed.field],
            feed.url,
            FEED_STATES[state],
            _moment(feed.good_at),
            _moment(feed.checked_at),
        )
        for feed, state in _rows(request, timezone.now())
    )
    head = "Tên,Đơn vị,Nguồn cung cấp,Lĩnh vực,Địa chỉ,Trạng thái,Đọc được lúc,Thử lúc"
    return table_file("nguon-tin", head.split(","), rows)


def _moment(moment: datetime | None) -> str:
    return f"{timezone.localtime(moment):%d/%m/%Y %H:%M}" if moment else ""


@require_POST
def switch(request: HttpRequest, key: int) -> HttpResponse:
    """Have a feed asked, or no longer."""
    feed = actions.switch_feed(
        key=key,
        is_on=request.POST.get("on") == "1",
        by=officer_of(request),
        at=timezone.now(),
    )
    return done(request, to=reverse("newsroom:feeds"), data=_facts(feed, _state(feed)))


@require_POST
def ask(request: HttpRequest, key: int) -> HttpResponse:
    """Have a feed asked at once."""
    feed = actions.ask_feed_now(key=key, by=officer_of(request), at=timezone.now())
    if not wants_json(request):
        messages.success(request, "Máy chủ đọc lại nguồn này trong vài giây.")
    return done(request, to=reverse("newsroom:feeds"), data=_facts(feed, _state(feed)))


@require_POST
def end(request: HttpRequest, key: int) -> HttpResponse:
    """Take a feed off the list."""
    feed = actions.end_feed(key=key, by=officer_of(request), at=timezone.now())
    return done(request, to=reverse("newsroom:feeds"), data={"feed": feed.pk})

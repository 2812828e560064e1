"""The feeds of a unit: entered by its officers, asked by the worker, one by one.

An entry only ever becomes an `Arrival` that waits for a person.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.db import transaction

from nguon.audit import actions as audit
from nguon.core import addresses
from nguon.core.errors import AbsentError, ConflictError
from nguon.newsroom import rules
from nguon.newsroom.intake import fetching
from nguon.newsroom.intake.feeds import Entry, FeedError
from nguon.newsroom.intake.fetching import Asked, Fetched
from nguon.newsroom.intake.proposal import clean
from nguon.newsroom.models import Arrival, NewsFeed
from nguon.newsroom.supply import suppliers_of
from nguon.people import access as people_access
from nguon.people import actions as people
from nguon.people.models import AUTHOR, Officer
from nguon.territory.models import Unit
from nguon.territory.names import fold

# Side by side, and no more in a turn: a worker that ends waits for one asking at most.
AT_ONCE = 3
# Longer than any asking takes: a worker that was killed leaves its feeds to the next.
LEASE = timedelta(seconds=6 * fetching.WALL_SECONDS)

logger = logging.getLogger(__name__)


@transaction.atomic
def add_feed(
    *,
    unit: Unit,
    name: str,
    url: str,
    field: int,
    supplier: int,
    by: Officer,
    at: datetime,
) -> NewsFeed:
    """Enter a feed; the worker asks it within seconds.

    Raises DraftError (`newsroom.feed_name`, `field_unknown`, `supplier_absent`,
    `feeds_too_many`), FeedError for its address, ConflictError `newsroom.feed_known`,
    NoRightError, AbsentError.
    """
    people_access.check_can(by, AUTHOR, unit=unit, at=at)
    called = " ".join(clean(name).split())
    if not 2 <= len(called) <= rules.FEED_NAME_LIMIT:
        raise rules.DraftError("newsroom.feed_name", limit=rules.FEED_NAME_LIMIT)
    if field not in rules.FIELDS:
        raise rules.DraftError("newsroom.field_unknown", field=field)
    if supplier not in {one.pk for one in suppliers_of(unit)}:
        raise rules.DraftError("newsroom.supplier_absent")
    address = url.strip()
    check_address(address)
    # The lock makes two who enter at once wait for each other.
    Unit.objects.select_for_update().get(pk=unit.pk)
    own = NewsFeed.objects.filter(unit=unit, ended_at=None)
    if own.filter(url=address).exists():
        raise ConflictError("newsroom.feed_known")
    if own.count() >= rules.FEEDS_PER_UNIT:
        raise rules.DraftError("newsroom.feeds_too_many", limit=rules.FEEDS_PER_UNIT)
    feed = NewsFeed.objects.create(
        unit=unit,
        name=called,
        url=address,
        field=field,
        supplier_id=supplier,
        added_by=by,
        added_at=at,
        next_at=at,
    )
    audit.record(
        "newsroom.feed.added", target=feed, by=by, at=at, data={"url": address}
    )
    return feed


def check_address(url: str) -> None:
    """Refuse what is no public web address, as far as it can be told without asking.

    Raises FeedError `newsroom.feed_address`, `newsroom.feed_inside`.
    """
    if len(url) > rules.ADDRESS_LIMIT:
        raise FeedError("newsroom.feed_address", url=url[:80])
    try:
        host = addresses.parse(url).host
    except addresses.AddressError as error:
        raise FeedError("newsroom.feed_address", url=url[:80]) from error
    is_number = host.replace(".", "").isdigit() or ":" in host
    named_inside = host == "localhost" or (is_number and addresses.is_inside(host))
    if named_inside and host not in settings.RELAY_ALLOWED:
        raise FeedError("newsroom.feed_inside", host=host)


@transaction.atomic
def switch_feed(*, key: int, is_on: bool, by: Officer, at: datetime) -> NewsFeed:
    """Have a feed asked, or no longer. Raises AbsentError, NoRightError."""
    feed = _own(key, by, at)
    feed.is_on = is_on
    feed.next_at = at
    feed.save(update_fields=["is_on", "next_at"])
    audit.record(
        "newsroom.feed.switched", target=feed, by=by, at=at, data={"on": is_on}
    )
    return feed


@transaction.atomic
def ask_feed_now(*, key: int, by: Officer, at: datetime) -> NewsFeed:
    """Have a feed asked at once. Raises AbsentError, NoRightError."""
    feed = _own(key, by, at)
    feed.next_at = at
    feed.save(update_fields=["next_at"])
    return feed


@transaction.atomic
def end_feed(*, key: int, by: Officer, at: datetime) -> NewsFeed:
    """Take a feed off the list; what it brought stays.

    Raises AbsentError, NoRightError.
    """
    feed = _own(key, by, at)
    feed.is_on, feed.ended_at = False, at
    feed.save(update_fields=["is_on", "ended_at"])
    audit.record("newsroom.feed.ended", target=feed, by=by, at=at)
    return feed


def _own(key: int, by: Officer, at: datetime) -> NewsFeed:
    seen = people_access.fence(NewsFeed.objects.all(), officer=by, at=at)
    feed = seen.filter(pk=key, ended_at=None).select_related("unit").first()
    if feed is None:
        raise AbsentError("newsroom.feed_absent")
    people_access.check_can(by, AUTHOR, unit=feed.unit, at=at)
    return feed


# --- the worker -----------------------------------------------------------------------


def fetch_feeds(
    *, at: datetime, fetch: Callable[[Asked], Fetched] = fetching.fetch
) -> int:
    """Ask the feeds that are due; return how many texts are new.

    One that hangs or breaks holds up nobody else: it is asked again later and later.
    """
    due = NewsFeed.objects.filter(is_on=True, ended_at=None, next_at__lte=at)
    claimed = [
        feed
        for feed in due.select_related("unit", "added_by").order_by("next_at")[:AT_ONCE]
        if due.filter(pk=feed.pk).update(next_at=at + LEASE)
    ]

    def ask(feed: NewsFeed) -> Fetched | FeedError:
        try:
            return fetch(Asked(feed.url, feed.etag, feed.modified))
        except FeedError as error:
            return error

    new = 0
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="feeds") as pool:
        for feed, answer in [(feed, pool.submit(ask, feed)) for feed in claimed]:
            try:
                new += _note(feed, answer.result(), at=at)
            except Exception:
                # It is asked again when its lease ends; the others go on.
                logger.exception("news feed #%s: answer not kept", feed.pk)
    return new


@transaction.atomic
def _note(feed: NewsFeed, came: Fetched | FeedError, *, at: datetime) -> int:
    """Write down how a feed is, and what it brought."""
    if isinstance(came, FeedError):
        feed.failures += 1
        feed.trouble, feed.trouble_data = came.code, dict(came.data)
        longer = rules.FEED_PAUSE * 2 ** min(feed.failures, 10)
        feed.next_at = at + min(longer, rules.FEED_LONGEST_PAUSE)
        new = 0
        if feed.failures == rules.FEED_FAILURES_TOLD:
            _tell(feed, at=at)
    else:
        new = _keep(feed, came.entries, at=at)
        feed.failures, feed.trouble, feed.trouble_data = 0, "", {}
        feed.etag, feed.modified = came.etag, came.modified
        feed.good_at, feed.next_at = at, at + rules.FEED_PAUSE
    feed.checked_at = at
    # Neither name nor switch: an officer may have changed them meanwhile.
    fields = "failures trouble trouble_data etag modified good_at next_at checked_at"
    feed.save(update_fields=fields.split())
    return new


def _tell(feed: NewsFeed, *, at: datetime) -> None:
    people.notify(
        officers=[feed.added_by],
        subject=f"Không đọc được nguồn tin {feed.name}",
        body="Máy chủ đã thử nhiều lần và sẽ thử tiếp, thưa dần. Hãy xem lại địa chỉ.",
        url="/ban-tin/nguon-tin/",
        at=at,
    )


def _keep(feed: NewsFeed, entries: Sequence[Entry], *, at: datetime) -> int:
    """Keep what is new; the first answer of a feed brings its newest few only."""
    oldest = at - timedelta(days=rules.NEWS_DAYS)
    fresh = [
        entry
        for entry in entries
        if entry.published is None or entry.published >= oldest
    ]
    if feed.good_at is None:
        fresh = fresh[: rules.FIRST_ENTRIES]
    # The newest is kept last, so that it stands first in the list.
    return sum(_keep_entry(feed, entry, at=at) for entry in reversed(fresh))


def _keep_entry(feed: NewsFeed, entry: Entry, *, at: datetime) -> bool:
    """Keep one entry; say whether somebody has something new to look at.

    A text that its source changed is changed here while it waits; after it was taken
    the new words come as a text of their own, which says what it corrects.
    """
    body = clean(entry.text)[: rules.BODY_LIMIT]
    title = clean(entry.title)[: rules.TITLE_LIMIT] or rules.first_words(body)
    if not title:
        return False
    source = f"feed:{feed.pk}"
    mark = sha256(entry.key.encode()).hexdigest()
    content = content_hash(title, body, entry.link)
    told = {
        "title": title,
        "body": body,
        "folded": fold(f"{title} {body} {feed.name}"),
        "link": entry.link,
        "published_at": entry.published,
        "content_sha256": content,
    }
    known = Arrival.objects.filter(source_key=source, entry_sha256=mark)
    if known.filter(content_sha256=content).exists():
        return False
    earlier = known.order_by("-pk").first()
    if earlier is not None and earlier.state == rules.ARRIVED:
        waiting = known.filter(pk=earlier.pk, state=rules.ARRIVED)
        return bool(waiting.update(**told, changed_at=at))
    if earlier is not None and earlier.state != rules.TAKEN:
        return False
    # Kept as what it is: else it would come as news when the other one is forgotten.
    doubled = is_doubled(feed.unit, content, at=at)
    Arrival.objects.create(
        state=rules.DOUBLED if doubled else rules.ARRIVED,
        decided_at=at if doubled else None,
        unit=feed.unit,
        origin=rules.FROM_FEED,
        source_key=source,
        source_name=feed.name,
        feed=feed,
        supplier_id=feed.supplier_id,
        entry_sha256=mark,
        corrects=earlier,
        field=feed.field,
        arrived_at=at,
        **told,
    )
    return not doubled


def is_doubled(unit: Unit, content: str, *, at: datetime) -> bool:
    """Say whether the same words came to a unit of late, from whomever.

    Of late only: a warning that is given again next month is news again.
    """
    since = at - timedelta(days=rules.SAME_DAYS)
    same = Arrival.objects.filter(unit=unit, content_sha256=content)
    return same.filter(arrived_at__gt=since).exists()


def content_hash(title: str, body: str, link: str = "") -> str:
    """Return what two texts share that say the same; blanks and capitals do not count.

    Of hardly any text the link is a part: two warnings may have one headline.
    """
    words = " ".join(f"{title} {body}".casefold().split())
    told = f"{words} {link}" if len(words) < rules.SHORT_TEXT else words
    return sha256(told.encode()).hexdigest()

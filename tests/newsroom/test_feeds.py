"""Feeds are asked like relays and believed in nothing; a person takes each text."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from nguon.core.errors import AbsentError, ConflictError, InvalidError
from nguon.newsroom import actions, arrivals, rules
from nguon.newsroom.actions.feeds import LEASE, check_address
from nguon.newsroom.intake import feeds as reading
from nguon.newsroom.intake import fetching
from nguon.newsroom.intake.feeds import Entry, FeedError
from nguon.newsroom.intake.fetching import Asked, Fetched
from nguon.newsroom.models import Arrival, Bulletin, NewsFeed, Supplier
from nguon.people.access import NoRightError
from nguon.people.models import Notice, Officer
from nguon.schedule.models import Broadcast
from nguon.territory.models import Unit
from tests.fakes.feeds import FakeFeeds, Page, rss

JSON = {"accept": "application/json"}
DAY = "Mon, 23 Nov 2026 08:00:00 +0700"
VACCINE = (
    "so-1",
    "Tiêm vắc-xin sởi cho trẻ",
    "<p>Trạm Y tế tiêm ngày 25/11/2026, từ 7h30.</p><script>alert(1)</script>",
    DAY,
)
ENTRY = Entry("so-1", "Tiêm vắc-xin sởi", "Trạm Y tế tiêm ngày 25/11/2026.")


@pytest.fixture
def server() -> Iterator[FakeFeeds]:
    found = FakeFeeds()
    yield found
    found.stop()


@pytest.fixture
def health(province: Unit, admin: Officer, now: datetime) -> Supplier:
    return actions.add_suppliers(unit=province, names=["Sở Y tế"], by=admin, at=now)[0]


@pytest.fixture
def feed(ia_grai: Unit, health: Supplier, lan: Officer, now: datetime) -> NewsFeed:
    return add(ia_grai, health, lan, now, url="https://soyte.example.vn/rss")


def add(
    unit: Unit, supplier: Supplier, by: Officer, at: datetime, *, url: str
) -> NewsFeed:
    return actions.add_feed(
        unit=unit, name="Tin Sở Y tế", url=url, field=5, supplier=supplier.pk,
        by=by, at=at,
    )  # fmt: skip


def bring(feed: NewsFeed, *entries: Entry, at: datetime) -> int:
    """Let the worker find these entries at a feed."""
    NewsFeed.objects.filter(pk=feed.pk).update(next_at=at)
    return actions.fetch_feeds(at=at, fetch=lambda _asked: Fetched(entries))


# --- reading --------------------------------------------------------------------------


def test_rss_becomes_plain_entries() -> None:
    (entry,) = reading.parse(rss(VACCINE))

    assert entry.title == "Tiêm vắc-xin sởi cho trẻ"
    assert entry.text == "Trạm Y tế tiêm ngày 25/11/2026, từ 7h30."
    assert (entry.key, entry.link) == ("so-1", "https://soyte.example.vn/so-1")
    assert entry.published == datetime(2026, 11, 23, 1, tzinfo=UTC)


def test_atom_in_its_three_kinds_of_text_is_read() -> None:
    entries = reading.parse(
        b'<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title>'
        b"<entry><id>1</id><title>A &lt; B</title><summary>chu</summary>"
        b'<link rel="self" href="https://a.vn/self"/><link href="https://a.vn/1"/>'
        b"<updated>2026-11-23T08:00:00+07:00</updated></entry>"
        b'<entry><id>2</id><title type="html">&lt;b&gt;Hop&lt;/b&gt;</title>'
        b'<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>mot</p>'
        b"<p>hai</p></div></content><link href='javascript:alert(1)'/></entry></feed>"
    )

    assert [(one.title, one.text, one.link) for one in entries] == [
        ("A < B", "chu", "https://a.vn/1"),
        ("Hop", "mot\nhai", ""),
    ]
    assert entries[0].published == datetime(2026, 11, 23, 1, tzinfo=UTC)


def test_what_is_often_written_by_hand_is_forgiven() -> None:
    (entry,) = reading.parse(
        b"\r\n<?xml version='1.0'?><rss><channel><item><title>S&aacute;ng &nbsp;mai"
        b"</title><description>Cam & quyt &lt;ngon&gt;\x0b</description></item>"
        b"</channel></rss>"
    )

    assert (entry.title, entry.text) == ("Sáng mai", "Cam & quyt")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "newsroom.feed_unreadable"),
        (b"<html><body>404</body></html>", "newsroom.feed_unreadable"),
        (b"<rss><channel><item><title>a</item>", "newsroom.feed_unreadable"),
        (b"\xff\xfe\x00", "newsroom.feed_unreadable"),
        (
            b'<!DOCTYPE r [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;">]><rss>&c;</rss>',
            "newsroom.feed_hostile",
        ),
        (
            b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss>&x;</rss>',
            "newsroom.feed_hostile",
        ),
        (
            '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE r><rss/>'.encode(
                "utf-16"
            ),
            "newsroom.feed_hostile",
        ),
    ],
)
def test_what_is_no_feed_or_hostile_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(FeedError) as refused:
        reading.parse(data)

    assert refused.value.code == code


@given(st.binary(max_size=300), st.text(max_size=200))
def test_whatever_bytes_come_it_is_entries_or_one_refusal(
    data: bytes, words: str
) -> None:
    for feed in (data, b"<rss><channel><item><title>" + data):
        with contextlib.suppress(FeedError):
            assert isinstance(reading.parse(feed), list)
    assert "\n\n" not in reading.plain(words)


# --- asking ---------------------------------------------------------------------------


def test_a_feed_is_asked_for_news_only(server: FakeFeeds, settings: object) -> None:
    settings.RELAY_ALLOWED = ["127.0.0.1"]  # type: ignore[attr-defined]
    marks = {"ETag": '"a1"', "Last-Modified": "Mon, 23 Nov 2026 01:00:00 GMT"}
    server.pages["/rss"] = Page(rss(VACCINE), headers=marks)

    first = fetching.fetch(Asked(server.url("/rss")))
    second = fetching.fetch(Asked(server.url("/rss"), first.etag, first.modified))

    assert [entry.title for entry in first.entries] == ["Tiêm vắc-xin sởi cho trẻ"]
    assert (second.is_new, second.entries, second.etag) == (False, [], '"a1"')
    assert server.asked[1][1]["If-Modified-Since"] == marks["Last-Modified"]


def test_an_address_inside_is_never_asked(server: FakeFeeds) -> None:
    server.pages["/rss"] = Page(rss(VACCINE))

    with pytest.raises(FeedError) as refused:
        fetching.fetch(Asked(server.url("/rss")))

    assert refused.value.code == "newsroom.feed_inside"
    assert server.asked == []


def test_the_worker_reads_a_real_feed_once(
    server: FakeFeeds, settings: object, ia_grai: Unit, health: Supplier, lan: Officer,
    now: datetime,
) -> None:  # fmt: skip
    settings.RELAY_ALLOWED = ["127.0.0.1"]  # type: ignore[attr-defined]
    server.pages["/rss"] = Page(rss(VACCINE), headers={"ETag": '"a1"'})
    server.pages["/dtd"] = Page(b'<!DOCTYPE r [<!ENTITY a "b">]><rss>&a;</rss>')
    good = add(ia_grai, health, lan, now, url=server.url("/rss"))
    bad = add(ia_grai, health, lan, now, url=server.url("/dtd"))

    counts = [
        actions.fetch_feeds(at=now),
        actions.fetch_feeds(at=now + timedelta(seconds=5)),
        actions.fetch_feeds(at=now + rules.FEED_PAUSE),
    ]

    good.refresh_from_db()
    bad.refresh_from_db()
    assert counts == [1, 0, 0]
    assert [path for path, _headers in server.asked].count("/rss") == 2
    assert (good.trouble, good.good_at) == ("", now + rules.FEED_PAUSE)
    assert (bad.trouble, bad.failures) == ("newsroom.feed_hostile", 1)


def test_the_newest_entries_are_kept_wherever_they_stand(now: datetime) -> None:
    days = [f"{day:02} Nov 2026 08:00:00 +0700" for day in range(1, 24)]
    rows = [(str(n), f"Tin {n}", "", day) for n, day in enumerate(days)]

    assert [entry.title for entry in reading.parse(rss(*rows))][:2] == [
        "Tin 22",
        "Tin 21",
    ]


def test_bad_feeds_end_as_one_sentence_each(
    server: FakeFeeds, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A redirect inside, 10 MB, a closed door, and one that drips without end."""
    settings.RELAY_ALLOWED = ["127.0.0.1"]  # type: ignore[attr-defined]
    monkeypatch.setattr(fetching, "WALL_SECONDS", 4.0)
    inside = {"Location": "http://127.0.0.2:9/secret"}
    server.pages |= {
        "/inside": Page(status=302, headers=inside),
        "/round": Page(status=302, headers={"Location": "/round"}),
        "/long": Page(b"<rss>" + b" " * 10 * 1024 * 1024),
        "/slow": Page(rss(VACCINE) * 20, drip_s=0.05),
        "/shut": Page(status=503),
    }
    codes = {}
    for path in (*server.pages, "/gone"):
        with pytest.raises(FeedError) as refused:
            fetching.fetch(Asked(server.url(path)))
        codes[path] = refused.value.code

    assert codes == {
        "/inside": "newsroom.feed_inside",
        "/round": "newsroom.feed_unreadable",
        "/long": "newsroom.feed_too_long",
        "/slow": "newsroom.feed_too_hard",
        "/shut": "newsroom.feed_refused",
        "/gone": "newsroom.feed_refused",
    }


# --- the register ---------------------------------------------------------------------


def test_an_officer_enters_a_feed_of_their_own_unit_only(
    ia_grai: Unit, dak_doa: Unit, health: Supplier, lan: Officer, minh: Officer,
    feed: NewsFeed, now: datetime,
) -> None:  # fmt: skip
    with pytest.raises(ConflictError):
        add(ia_grai, health, lan, now, url=feed.url)
    with pytest.raises(AbsentError):
        add(dak_doa, health, lan, now, url=feed.url)
    with pytest.raises(NoRightError):
        add(ia_grai, health, minh, now, url="https://khac.example.vn/")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ftp://a.vn/rss", "newsroom.feed_address"),
        ("https://ten:mat-khau@a.vn/", "newsroom.feed_address"),
        ("http://localhost/rss", "newsroom.feed_inside"),
        ("http://10.0.0.1/rss", "newsroom.feed_inside"),
        ("http://[::1]/rss", "newsroom.feed_inside"),
        ("https://a.vn/" + "a" * 500, "newsroom.feed_address"),
    ],
)
def test_an_address_that_may_not_be_asked_is_refused_at_once(
    url: str, code: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        check_address(url)

    assert refused.value.code == code


def test_a_broken_feed_backs_off_and_the_others_go_on(
    ia_grai: Unit, health: Supplier, lan: Officer, feed: NewsFeed, now: datetime
) -> None:
    good = add(ia_grai, health, lan, now, url="https://tot.example.vn/rss")

    def fetch(asked: Asked) -> Fetched:
        if asked.url == good.url:
            return Fetched([ENTRY])
        raise FeedError("newsroom.feed_away")

    pauses, at = [], now
    for _turn in range(rules.FEED_FAILURES_TOLD):
        actions.fetch_feeds(at=at, fetch=fetch)
        feed.refresh_from_db()
        pauses.append(feed.next_at - at)
        at = feed.next_at

    good.refresh_from_db()
    assert pauses == [rules.FEED_PAUSE * 2**n for n in (1, 2, 3, 4)]
    assert (feed.trouble, feed.good_at) == ("newsroom.feed_away", None)
    assert good.good_at is not None
    assert Arrival.objects.get().feed == good
    assert Notice.objects.filter(officer=lan, subject__contains="Tin Sở Y tế").exists()
    bring(feed, at=at)
    feed.refresh_from_db()
    assert (feed.failures, feed.trouble, feed.good_at) == (0, "", at)


def test_a_fault_of_ours_at_one_feed_holds_up_no_other(
    ia_grai: Unit, health: Supplier, lan: Officer, feed: NewsFeed, now: datetime
) -> None:
    add(ia_grai, health, lan, now, url="https://tot.example.vn/rss")

    def fetch(asked: Asked) -> Fetched:
        if asked.url == feed.url:
            raise RuntimeError
        return Fetched([ENTRY])

    assert actions.fetch_feeds(at=now, fetch=fetch) == 1


def test_a_feed_that_is_off_or_being_asked_is_not_asked(
    feed: NewsFeed, lan: Officer, now: datetime
) -> None:
    def killed(_asked: Asked) -> Fetched:
        raise KeyboardInterrupt

    def found(at: datetime) -> int:
        return actions.fetch_feeds(at=at, fetch=lambda _asked: Fetched([ENTRY]))

    actions.switch_feed(key=feed.pk, is_on=False, by=lan, at=now)
    assert found(now) == 0
    actions.switch_feed(key=feed.pk, is_on=True, by=lan, at=now)
    with pytest.raises(KeyboardInterrupt):
        actions.fetch_feeds(at=now, fetch=killed)
    # Whoever asks holds it for a while; a worker that died leaves it to the next.
    assert [found(now + after) for after in (timedelta(seconds=1), LEASE)] == [0, 1]


# --- what it brings -------------------------------------------------------------------


def test_an_entry_comes_once_however_often_it_is_seen(
    feed: NewsFeed, now: datetime
) -> None:
    again = Entry("so-khac", ENTRY.title.upper(), f" {ENTRY.text}\n")

    later = Entry("so-sau", ENTRY.title, ENTRY.text)

    counts = [
        bring(feed, ENTRY, at=now),
        bring(feed, ENTRY, at=now + timedelta(hours=1)),
        bring(feed, again, at=now + timedelta(hours=2)),
        bring(feed, ENTRY, again, at=now + timedelta(days=9)),
        # Given again after days, a warning is news again.
        bring(feed, later, at=now + timedelta(days=9)),
    ]

    assert counts == [1, 0, 0, 0, 1]
    assert [row.state for row in Arrival.objects.order_by("pk")] == [
        rules.ARRIVED,
        rules.DOUBLED,
        rules.ARRIVED,
    ]


def test_old_entries_and_a_flood_at_the_beginning_stay_outside(
    feed: NewsFeed, now: datetime
) -> None:
    old = Entry("cu", "Tin cũ", "Đã lâu.", published=now - timedelta(days=60))
    many = [Entry(str(n), f"Tin {n}", f"Nội dung {n}.") for n in range(40)]

    assert bring(feed, old, *many, at=now) == rules.FIRST_ENTRIES
    assert not Arrival.objects.filter(title="Tin cũ").exists()


def test_a_source_that_changes_its_words_is_heard(
    feed: NewsFeed, lan: Officer, now: datetime
) -> None:
    """Before it was taken in place, afterwards as a text that says what it corrects."""
    bring(feed, ENTRY, at=now)
    bring(feed, Entry("so-1", ENTRY.title, "Tiêm ngày 26/11/2026."), at=now)
    first = Arrival.objects.get()
    bulletin = actions.take_arrival(uid=first.uid, by=lan, at=now)
    bring(feed, Entry("so-1", ENTRY.title, "Hoãn tiêm."), at=now)

    later = Arrival.objects.exclude(pk=first.pk).get()
    assert "26/11/2026" in bulletin.body
    assert (later.corrects, later.state) == (first, rules.ARRIVED)
    draft = actions.take_arrival(uid=later.uid, by=lan, at=now)
    assert any("đã sửa tin này" in note for note in draft.intake.notes)


def test_taking_makes_a_draft_of_the_taker_and_sends_nothing_on(
    feed: NewsFeed, lan: Officer, health: Supplier, now: datetime
) -> None:
    bring(feed, ENTRY, at=now)
    arrival = Arrival.objects.get()

    bulletin = actions.take_arrival(uid=arrival.uid, by=lan, at=now)

    arrival.refresh_from_db()
    assert (bulletin.title, bulletin.field) == (ENTRY.title, 5)
    assert (bulletin.created_by, bulletin.supplier) == (lan, health)
    assert f"{bulletin.expires_on:%d/%m/%Y}" == "25/11/2026"
    assert "thông báo của Sở Y tế" in bulletin.body
    assert (arrival.state, arrival.bulletin) == (rules.TAKEN, bulletin)
    assert not bulletin.versions.exists()
    assert not Broadcast.objects.exists()
    with pytest.raises(ConflictError):
        actions.take_arrival(uid=arrival.uid, by=lan, at=now)
    with pytest.raises(ConflictError):
        actions.set_aside(uid=arrival.uid, reason="thôi", by=lan, at=now)
    assert Bulletin.objects.count() == 1


def test_the_database_knows_no_text_that_was_taken_by_nobody(
    feed: NewsFeed, lan: Officer, now: datetime
) -> None:
    bring(feed, ENTRY, at=now)
    rows = Arrival.objects.all()
    for change in (
        {"state": rules.TAKEN, "decided_at": now},
        {"state": rules.SET_ASIDE, "decided_at": now, "decided_by": lan},
        {"state": rules.SET_ASIDE, "decided_at": now, "reason": "máy bỏ"},
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**change)
    actions.set_aside(uid=rows.get().uid, reason="Xã đã phát.", by=lan, at=now)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(body="Lời khác.")
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.all().delete()


def test_another_commune_finds_nothing_and_the_approver_decides_nothing(
    feed: NewsFeed, minh: Officer, hoa: Officer, client: Client, now: datetime
) -> None:
    bring(feed, ENTRY, at=now)
    uid = Arrival.objects.get().uid
    pages = ("", f"{uid}/")

    for act in (actions.take_arrival, actions.set_aside):
        extra = {} if act is actions.take_arrival else {"reason": "không"}
        with pytest.raises(AbsentError):
            act(uid=uid, by=hoa, at=now, **extra)
        with pytest.raises(NoRightError):
            act(uid=uid, by=minh, at=now, **extra)
    with pytest.raises(AbsentError):
        actions.end_feed(key=feed.pk, by=hoa, at=now)
    assert arrivals.count_arrivals(hoa, at=now) == 0
    client.force_login(hoa)
    seen = [client.get(f"/ban-tin/tin-den/{page}") for page in pages]
    assert ENTRY.title not in seen[0].content.decode()
    assert seen[1].status_code == HTTPStatus.NOT_FOUND
    assert ENTRY.title not in client.get("/ban-tin/tin-den/xuat.csv").content.decode()
    assert feed.url not in client.get("/ban-tin/nguon-tin/").content.decode()
    client.force_login(minh)
    assert "Làm bản nháp" not in client.get(f"/ban-tin/tin-den/{uid}/").content.decode()


def test_what_nobody_opened_lapses(feed: NewsFeed, now: datetime) -> None:
    bring(feed, ENTRY, at=now)

    assert actions.tidy_arrivals(at=now + timedelta(days=29)) == 0
    assert actions.tidy_arrivals(at=now + timedelta(days=31)) == 1
    assert Arrival.objects.get().state == rules.LAPSED


# --- screens --------------------------------------------------------------------------


def test_from_an_empty_page_to_a_draft(
    client: Client, lan: Officer, health: Supplier, now: datetime
) -> None:
    client.force_login(lan)
    empty = client.get("/ban-tin/tin-den/").content.decode()
    sent = {"name": "Tin Sở Y tế", "url": "https://soyte.example.vn/rss",
            "supplier": health.pk, "field": 5}  # fmt: skip
    wrong = client.post("/ban-tin/nguon-tin/", {**sent, "url": "http://10.1.1.1/"})
    client.post("/ban-tin/nguon-tin/", sent)
    feed = NewsFeed.objects.get()
    actions.fetch_feeds(at=feed.next_at, fetch=lambda _asked: Fetched([ENTRY]))
    uid = Arrival.objects.get().uid

    listed = client.get("/ban-tin/tin-den/?q=tiem+vac&nguon=feed&trang_thai=waiting")
    shown = client.get(f"/ban-tin/tin-den/{uid}/").content.decode()
    today = client.get("/").content.decode()
    table = client.get("/ban-tin/tin-den/xuat.csv").content.decode()
    draft = client.post(f"/ban-tin/tin-den/{uid}/nhan/")

    assert "Thêm nguồn tin" in empty
    assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "nằm trong mạng nội bộ" in wrong.content.decode()
    assert f"/ban-tin/tin-den/{uid}/" in listed.content.decode()
    assert "Trạm Y tế tiêm" in shown
    assert "1 tin đến" in today
    assert "Tiêm vắc-xin sởi" in table
    assert draft.headers["Location"] == f"/ban-tin/{Bulletin.objects.get().uid}/viet/"


def test_a_broken_feed_says_what_is_wrong_and_when_it_was_good(
    client: Client, lan: Officer, feed: NewsFeed, now: datetime
) -> None:
    bring(feed, ENTRY, at=now)
    NewsFeed.objects.update(next_at=now)

    def fetch(_asked: Asked) -> Fetched:
        raise FeedError("newsroom.feed_too_long", megabytes=4)

    actions.fetch_feeds(at=now + timedelta(hours=1), fetch=fetch)
    client.force_login(lan)

    page = client.get("/ban-tin/nguon-tin/?trang_thai=broken").content.decode()
    assert "Nguồn gửi về hơn 4 MB. Hãy xin địa chỉ RSS ngắn hơn." in page
    assert "10:00 24/11/2026" in page
    assert "1 nguồn tin" in client.get("/ban-tin/tin-den/").content.decode()
    for end in ("doc/", "bat-tat/", "bo/"):
        answer = client.post(f"/ban-tin/nguon-tin/{feed.pk}/{end}", {"on": "0"})
        assert answer.status_code == HTTPStatus.FOUND
    assert "Chưa có nguồn tin nào" in client.get("/ban-tin/nguon-tin/").content.decode()

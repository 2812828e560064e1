"""The picture of a week and its calendar file: nothing hidden, nothing lost."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nguon.core import playout
from nguon.core.messages import Audience, Item, Rendition, Stream
from nguon.schedule import ical, timetable
from nguon.schedule.timetable import Opening, Piece

MONDAY = date(2026, 11, 23)
BEGIN = timetable.midnight(MONDAY)
MINUTE = timedelta(minutes=1)
WORDS = st.text(max_size=200)
SPANS = st.tuples(st.integers(-200, 8 * timetable.MINUTES), st.integers(1, 600))


def piece(key: int, start: int, minutes: int, source: str = "programme") -> Piece:
    begin = BEGIN + start * MINUTE
    return Piece(f"p{key:03}", source, f"Tin {key}", begin, begin + minutes * MINUTE)


def drawn(spans: list[tuple[int, int]]) -> list[Piece]:
    return [piece(key, start, minutes) for key, (start, minutes) in enumerate(spans)]


@given(st.lists(SPANS, max_size=30))
def test_a_week_cut_at_midnight_keeps_every_minute(
    spans: list[tuple[int, int]],
) -> None:
    days = [MONDAY + timedelta(days=n) for n in range(-1, 10)]

    for one in drawn(spans):
        cuts = [timetable.cut(one.starts_at, one.ends_at, day=day) for day in days]

        parts = [part for part in cuts if part]
        assert (
            sum(width for _x, width in parts) == (one.ends_at - one.starts_at) / MINUTE
        )
        assert all(0 <= x < x + width <= timetable.MINUTES for x, width in parts)


@given(st.lists(SPANS, max_size=30))
def test_nothing_hides_what_stands_beside_it(spans: list[tuple[int, int]]) -> None:
    found = list(timetable.beside(drawn(spans)))

    assert sorted(one.key for one, _lane, _lanes in found) == [
        one.key for one in drawn(spans)
    ]
    assert all(lane < lanes for _one, lane, lanes in found)
    for one, lane, lanes in found:
        for other, other_lane, other_lanes in found:
            touch = one.starts_at < other.ends_at and other.starts_at < one.ends_at
            if one is not other and touch:
                assert lane != other_lane
                assert lanes == other_lanes


@given(st.lists(SPANS, max_size=15), SPANS)
def test_a_gap_is_exactly_what_nothing_fills(
    spans: list[tuple[int, int]], slot: tuple[int, int]
) -> None:
    begin = BEGIN + slot[0] * MINUTE
    opening = Opening("sang", "Sáng", begin, begin + slot[1] * MINUTE)
    pieces = drawn(spans)

    gaps = timetable.find_gaps([opening], pieces)

    def is_filled(at: datetime) -> bool:
        return any(one.starts_at <= at < one.ends_at for one in pieces)

    minutes = [begin + n * MINUTE for n in range(slot[1])]
    empty = {at for at in minutes if not is_filled(at)}
    told = {
        at for at in minutes if any(gap.starts_at <= at < gap.ends_at for gap in gaps)
    }
    assert told == empty
    assert all(a.ends_at < b.starts_at for a, b in pairwise(gaps))


@given(st.lists(SPANS, max_size=20), st.integers(0, 6))
def test_a_day_shows_each_piece_once_in_its_list(
    spans: list[tuple[int, int]], number: int
) -> None:
    day = MONDAY + timedelta(days=number)
    pieces = drawn(spans)

    picture = timetable.draw_day(day, pieces=pieces, openings=[], quiet=[], at=BEGIN)

    begin = timetable.midnight(day)
    starts_here = {
        one.key for one in pieces if begin <= one.starts_at < begin + timedelta(days=1)
    }
    listed = [entry for band in picture.bands for entry in band.entries]
    assert sorted(one.key for one in listed if isinstance(one, Piece)) == sorted(
        starts_here
    )
    assert [one.starts_at for one in listed] == sorted(one.starts_at for one in listed)
    assert all(
        bar.x >= 0 and bar.x + bar.width <= timetable.MINUTES for bar in picture.bars
    )


def test_every_source_has_its_own_word_and_icon() -> None:
    words = [word for word, _icon in timetable.SOURCES.values()]
    icons = [icon for _word, icon in timetable.SOURCES.values()]

    assert len(set(words)) == len(set(icons)) == len(timetable.SOURCES)


@pytest.mark.parametrize(
    ("known", "sounded", "silent", "state"),
    [
        (3, 3, 0, "good"),
        (0, 0, 0, "wait"),
        (3, 2, 1, "mixed"),
        (3, 1, 2, "bad"),
        (3, 0, 3, "bad"),
    ],
)
def test_what_was_played_is_judged_by_who_sounded(
    known: int, sounded: int, silent: int, state: str
) -> None:
    assert timetable.Played(known, sounded, silent).state == state


# --- clashes -------------------------------------------------------------------------


def item(
    name: str, at: int, minutes: int, rank: str = "programme", **more: object
) -> Item:
    begin = round((BEGIN + at * MINUTE).timestamp() * 1000)
    sound = Rendition("vi", "0" * 64, 1, minutes * 60_000)
    fields: dict[str, object] = {
        "audience": Audience(units=("xa",)),
        "renditions": (sound,),
        "approved_at": 1,
    } | more
    return Item(
        id=name,
        broadcast=name,
        bulletin=name,
        title=name,
        text="",
        rank=rank,
        starts_at=begin,
        ends_at=begin + (minutes + 10) * 60_000,
        shown_until=begin + (minutes + 10) * 60_000,
        content_sha256="",
        **fields,  # type: ignore[arg-type]
    )


WHERE = {
    "lang": frozenset(("lang", "xa", "tinh")),
    "xa": frozenset(("xa", "tinh")),
    "khac": frozenset(("khac", "tinh")),
}
SOME_STREAM = Stream("s", "http", "https://vov.example/1")


def told(*items: Item, order: tuple[str, ...] = ()) -> list[str]:
    found = timetable.find_clashes(items, where=WHERE, order=order)
    return [clash.sentence for clash in found]


def test_a_priority_bulletin_of_the_province_goes_before_the_commune() -> None:
    (sentence,) = told(
        item("Tập thể dục", 300, 5), item("Bão", 300, 3, "priority", level=1)
    )

    assert "05:00 ngày 23/11/2026" in sentence
    assert "Tin ưu tiên của tỉnh đi trước chương trình của xã." in sentence
    assert "“Tập thể dục” chờ, phát lúc 05:03." in sentence


def test_what_no_longer_fits_is_said_before_it_airs() -> None:
    (sentence,) = told(item("Ngắn", 300, 5), item("Dài", 300, 30, "priority", level=1))

    assert "“Ngắn” không còn đủ giờ nên sẽ không phát. Hãy đổi giờ." in sentence


def test_a_relay_is_joined_where_it_is() -> None:
    relay = item(
        "VOV", 300, 30, "relay", renditions=(), stream=SOME_STREAM, after="rejoin"
    )

    (sentence,) = told(relay, item("Bão", 300, 3, "priority", level=1))

    assert "“VOV” nhập vào giữa chừng lúc 05:03." in sentence


def test_what_is_on_is_cut_only_by_what_may_cut() -> None:
    talk = item("Nói chuyện", 300, 10)

    assert (
        "“Bão” chờ, phát lúc 05:10." in told(talk, item("Bão", 305, 13, "priority"))[0]
    )
    cutting = item("Bão", 305, 3, "priority", start="cut")
    cut = "“Nói chuyện” bị ngắt lúc 05:05, phát tiếp 05:08."
    assert cut in told(talk, cutting)[0]
    waiting = item("Bão", 305, 3, "priority", start="wait", wait_ms=60_000)
    assert "“Bão” chờ, phát lúc 05:06." in told(talk, waiting)[0]


def test_the_order_of_the_commune_decides_between_two_priority_bulletins() -> None:
    ours = item("Của xã", 300, 3, "priority", level=2)
    theirs = item("Của tỉnh", 300, 3, "priority", level=1)

    assert "tin của cấp trên đi trước" in told(ours, theirs)[0]
    chosen = told(ours, theirs, order=("Của xã", "Của tỉnh"))[0]
    assert "Theo thứ tự tin ưu tiên mà xã đã xếp." in chosen
    assert "“Của tỉnh” chờ, phát lúc 05:03." in chosen


def test_different_ears_never_clash() -> None:
    here = item("Làng", 300, 5, audience=Audience(units=("lang",)))

    assert told(here, item("Khác", 300, 5, audience=Audience(units=("khac",)))) == []
    assert told(here, item("Cả xã", 300, 5))
    assert told(here, item("Dự phòng", 300, 5, "filler")) == []


ITEMS = st.builds(
    lambda at, minutes, rank, level, approved, start, after, stream: (
        at, minutes, rank, level, approved, start, after, stream
    ),
    st.integers(300, 330), st.integers(1, 20),
    st.sampled_from(("programme", "relay", "priority", "live")),
    st.integers(1, 2), st.integers(1, 3),
    st.sampled_from(("cut", "next")), st.sampled_from(("resume", "rejoin", "drop")),
    st.booleans(),
)  # fmt: skip


@given(ITEMS, ITEMS)
def test_the_sentence_tells_what_the_speaker_does(
    one: tuple[Any, ...], other: tuple[Any, ...]
) -> None:
    def make(name: str, drawn: tuple[Any, ...]) -> Item:
        at, minutes, rank, level, approved, start, after, stream = drawn
        more = {"level": level, "approved_at": approved, "start": start}
        more["after"] = "rejoin" if stream else after
        if stream:
            more |= {"renditions": (), "stream": SOME_STREAM}
        return item(name, at, minutes, rank, **more)

    pair = (make("Một", one), make("Hai", other))
    sentences = told(*pair)
    listener = playout.Listener("d", frozenset({"xa"}))
    first, last = min(i.starts_at for i in pair), max(i.ends_at for i in pair) + 1
    steps = list(
        playout.timeline(playout.Situation(pair), listener, start=first, end=last)
    )

    lost = {
        s.item.id
        for s in steps
        if isinstance(s, playout.Verdict) and s.outcome == "missed"
    }
    told_lost = {
        name
        for sentence in sentences
        for name in ("Một", "Hai")
        if f"“{name}” không còn đủ giờ" in sentence
    }
    assert told_lost == lost


# --- the calendar file ---------------------------------------------------------------


def unfold(text: str) -> str:
    return text.replace("\r\n ", "")


@given(WORDS)
def test_a_folded_line_reads_the_same_and_is_short(text: str) -> None:
    line = f"SUMMARY:{ical.escape(text)}"

    folded = ical.fold(line)

    assert unfold(folded) == line
    assert all(len(part.encode()) <= 75 for part in folded.split("\r\n"))


@given(WORDS)
def test_an_escaped_text_comes_back(text: str) -> None:
    written = ical.escape(text)

    back, rest = "", written
    while rest:
        taken = 2 if rest[0] == "\\" else 1
        back += {"\\n": "\n"}.get(rest[:taken], rest[:taken][-1])
        rest = rest[taken:]
    kept = text.replace("\r\n", "\n").replace("\r", "\n")
    assert back == "".join(c for c in kept if c == "\n" or c.isprintable())
    assert "\n" not in written


@given(st.lists(st.tuples(WORDS, WORDS, SPANS), max_size=5))
def test_a_calendar_file_is_whole_and_has_stable_names(
    rows: list[tuple[str, str, tuple[int, int]]],
) -> None:
    events = [
        ical.Event(
            uid=f"abc.{n}",
            starts_at=BEGIN + start * MINUTE,
            ends_at=BEGIN + (start + minutes) * MINUTE,
            title=title,
            note=note,
        )
        for n, (title, note, (start, minutes)) in enumerate(rows)
    ]

    def write() -> bytes:
        return ical.calendar_file(events, name="Xã Ia Grai", made_at=BEGIN)

    lines = unfold(write().decode()).split("\r\n")
    assert write() == write()
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert [line for line in lines if line.startswith("UID:")] == [
        f"UID:abc.{n}@nguon" for n in range(len(rows))
    ]
    assert sum(line == "BEGIN:VEVENT" for line in lines) == len(rows)


def test_moments_are_written_in_utc() -> None:
    event = ical.Event("a", datetime(2026, 11, 23, 22, tzinfo=UTC), BEGIN, "Bản tin")

    text = ical.calendar_file([event], name="Lịch", made_at=BEGIN).decode()

    assert "DTSTART:20261123T220000Z" in text
    assert "DTEND:20261122T170000Z" in text


def test_what_stands_in_one_slot_is_read_together() -> None:
    opening = Opening("sang", "Sáng", BEGIN + 330 * MINUTE, BEGIN + 345 * MINUTE)
    inside = [replace(piece(n, 330 + 5 * n, 5), slot="sang") for n in (0, 1)]
    other = piece(9, 332, 3, "priority")

    picture = timetable.draw_day(
        MONDAY, pieces=[*inside, other], openings=[opening], quiet=[], at=BEGIN
    )

    entries = [entry for band in picture.bands for entry in band.entries]
    assert [type(entry).__name__ for entry in entries] == ["Group", "Piece"]
    assert [line.starts_at for line in entries[0].lines] == [  # type: ignore[union-attr]
        BEGIN + minutes * MINUTE for minutes in (330, 335, 340)
    ]

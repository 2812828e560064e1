"""How a slot wins: the worked examples of the page, and rules for any plan."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nguon.core.messages import Audience, Item, Rendition, Stop
from nguon.core.playout import (
    Listener,
    Segment,
    Situation,
    Verdict,
    is_real_emergency,
    timeline,
)

START = 1_795_000_000_000
MINUTE = 60_000
SPEAKER = Listener("d" * 12, frozenset({"village", "commune", "province"}))


def item(key: str, minute: float, **changes: object) -> Item:
    """Return an item of two minutes in a window of twenty, `minute` after START."""
    starts_at = START + round(minute * MINUTE)
    length = int(changes.pop("minutes", 2) * MINUTE)  # type: ignore[operator]
    base = Item(
        id=key,
        broadcast=key,
        bulletin=key,
        title=key,
        text=key,
        rank="programme",
        starts_at=starts_at,
        ends_at=starts_at + 20 * MINUTE,
        shown_until=starts_at + 60 * MINUTE,
        approved_at=START,
        content_sha256="0" * 64,
        audience=Audience(units=("commune",)),
        renditions=(Rendition("vi", "0" * 64, 1000, length),),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def played(situation: Situation, minutes: float = 60) -> list[tuple[float, float, str]]:
    """Return (from, to, item) in minutes, silences left out, neighbours joined."""
    rows: list[tuple[float, float, str]] = []
    end = START + round(minutes * MINUTE)
    for part in timeline(situation, SPEAKER, start=START, end=end):
        if isinstance(part, Verdict) or part.item is None:
            continue
        begin = (part.starts_at - START) / MINUTE
        stop = (part.ends_at - START) / MINUTE
        if rows and rows[-1][2] == part.item.id and rows[-1][1] == begin:
            rows[-1] = (rows[-1][0], stop, part.item.id)
        else:
            rows.append((begin, stop, part.item.id))
    return rows


def verdicts(situation: Situation, minutes: float = 60) -> dict[str, tuple[str, str]]:
    """Return outcome and cause of every item that was closed."""
    end = START + round(minutes * MINUTE)
    parts = timeline(situation, SPEAKER, start=START, end=end)
    return {
        part.item.id: (part.outcome, part.cause)
        for part in parts
        if isinstance(part, Verdict)
    }


def test_example_1_one_bulletin_sounds_once_at_its_time() -> None:
    assert played(Situation((item("a", 5),))) == [(5, 7, "a")]


def test_example_2_an_emergency_cuts_and_the_programme_resumes() -> None:
    alarm = item("alarm", 6, rank="emergency", start="cut", minutes=1)

    rows = played(Situation((item("a", 5), alarm)))

    assert rows == [(5, 6, "a"), (6, 7, "alarm"), (7, 8, "a")]


def test_example_3_what_was_cut_may_rejoin_or_drop() -> None:
    alarm = item("alarm", 6, rank="emergency", start="cut", minutes=1)
    music = item("music", 5, rank="relay", after="rejoin", minutes=3)
    jingle = item("jingle", 5, after="drop")

    assert played(Situation((music, alarm))) == [
        (5, 6, "music"),
        (6, 7, "alarm"),
        (7, 8, "music"),
    ]
    assert played(Situation((jingle, alarm))) == [(5, 6, "jingle"), (6, 7, "alarm")]


def test_example_4_a_priority_bulletin_waits_its_turn_or_its_patience() -> None:
    long_talk = item("talk", 5, minutes=6)
    polite = item("news", 6, rank="priority", start="next", minutes=1)
    patient = item("news", 6, rank="priority", start="wait", wait_ms=MINUTE, minutes=1)

    assert played(Situation((long_talk, polite))) == [(5, 11, "talk"), (11, 12, "news")]
    assert played(Situation((long_talk, patient))) == [
        (5, 7, "talk"),
        (7, 8, "news"),
        (8, 12, "talk"),
    ]


def test_example_5_quiet_hours_silence_all_but_a_real_emergency() -> None:
    quiet = ((START + 4 * MINUTE, START + 40 * MINUTE),)
    alarm = item("alarm", 6, rank="emergency", start="cut")
    drill = item("drill", 8, rank="emergency", start="cut", drill=True)
    situation = Situation((item("a", 5), alarm, drill), quiet=quiet)

    assert played(situation) == [(6, 8, "alarm")]
    assert verdicts(situation)["a"] == ("missed", "quiet")
    assert verdicts(situation)["drill"] == ("missed", "quiet")


def test_example_6_nothing_begins_that_would_run_into_quiet_hours() -> None:
    quiet = ((START + 6 * MINUTE, START + 60 * MINUTE),)

    assert played(Situation((item("a", 5),), quiet=quiet)) == []


def test_example_7_a_stop_silences_all_but_a_later_emergency() -> None:
    stop = Stop("s", START + 6 * MINUTE, START + 30 * MINUTE)
    before = item("before", 7, rank="emergency", start="cut")
    later = item(
        "later", 8, rank="emergency", start="cut", approved_at=START + 7 * MINUTE
    )
    situation = Situation((item("a", 5), before, later), stops=(stop,))

    assert played(situation, 29) == [(5, 6, "a"), (8, 10, "later")]
    assert verdicts(situation)["a"] == ("stopped", "stopped")


def test_example_8_the_more_severe_emergency_first_then_the_more_local() -> None:
    storm = item("storm", 5, rank="emergency", start="cut", level=1, severity=1)
    leave = item("leave", 5, rank="emergency", start="cut", level=2, severity=1)
    flood = item("flood", 6, rank="emergency", start="cut", level=1, severity=0)

    rows = played(Situation((storm, leave, flood)))

    assert rows == [
        (5, 6, "leave"),
        (6, 8, "flood"),
        (8, 9, "leave"),
        (9, 11, "storm"),
    ]


def test_example_9_a_device_back_inside_the_window_plays_else_misses() -> None:
    one = item("a", 5)
    back = Situation((one,), available_since=START + 20 * MINUTE)
    late = Situation((one,), available_since=START + 24 * MINUTE)

    def first(situation: Situation) -> object:
        start = situation.available_since
        parts = timeline(situation, SPEAKER, start=start, end=start + MINUTE)
        return next(iter(parts))

    heard, missed = first(back), first(late)

    assert isinstance(heard, Segment)
    assert heard.item == one
    assert isinstance(missed, Verdict)
    assert (missed.outcome, missed.cause) == ("missed", "offline")


def test_example_10_another_device_and_a_cancelled_item_stay_silent() -> None:
    other = item("other", 5, audience=Audience(devices=("e" * 12,)))
    gone = item("gone", 5)

    rows = played(Situation((other, gone), cancelled=frozenset({"gone"})))

    assert rows == []


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """Draw a day of up to 12 items, quiet hours and stops, in no order."""
    count = draw(st.integers(0, 12))
    items = []
    for number in range(count):
        minute = draw(st.integers(0, 50))
        rank = draw(st.sampled_from(["filler", "programme", "relay", "priority"]))
        urgent = draw(st.integers(0, 4)) == 0
        items.append(
            item(
                f"i{number}",
                minute,
                minutes=draw(st.integers(1, 6)),
                rank="emergency" if urgent else rank,
                drill=urgent and draw(st.booleans()),
                start=draw(st.sampled_from(["cut", "next", "wait"])),
                wait_ms=draw(st.sampled_from([0, 30_000, 90_000])),
                after=draw(st.sampled_from(["resume", "rejoin", "drop"])),
                level=draw(st.integers(1, 2)),
                severity=draw(st.integers(0, 2)),
                approved_at=START + draw(st.integers(0, 50)) * MINUTE,
            )
        )
    edges = sorted(draw(st.sets(st.integers(1, 60), min_size=4, max_size=4)))
    quiet = ((START + edges[0] * MINUTE, START + edges[1] * MINUTE),)
    stop = Stop("s", START + edges[2] * MINUTE, START + edges[3] * MINUTE)
    return Situation(
        tuple(draw(st.permutations(items))),
        quiet=quiet if draw(st.booleans()) else (),
        stops=(stop,) if draw(st.booleans()) else (),
    )


@given(situations())
def test_any_plan_gives_one_item_or_silence_at_every_instant(plan: Situation) -> None:
    end = START + 90 * MINUTE

    parts = list(timeline(plan, SPEAKER, start=START, end=end))

    at, closed = START, set()
    for part in parts:
        if isinstance(part, Verdict):
            assert part.item.id not in closed
            closed.add(part.item.id)
            continue
        assert part.starts_at == at < part.ends_at
        at = part.ends_at
        if part.item is None:
            continue
        assert part.item.id not in closed
        assert part.item.starts_at <= part.starts_at < part.item.ends_at
        if not is_real_emergency(part.item):
            for start, stop in plan.quiet:
                assert part.ends_at <= start or stop <= part.starts_at
    assert at == end


@given(situations(), st.randoms())
def test_any_order_of_arrival_gives_the_same_outcome(
    plan: Situation, random: object
) -> None:
    shuffled = list(plan.items)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    end = START + 90 * MINUTE

    one = list(timeline(plan, SPEAKER, start=START, end=end))
    other = replace(plan, items=tuple(shuffled))

    assert one == list(timeline(other, SPEAKER, start=START, end=end))


@given(situations())
def test_any_stop_silences_all_but_emergencies_approved_after_it(
    plan: Situation,
) -> None:
    for part in timeline(plan, SPEAKER, start=START, end=START + 90 * MINUTE):
        if isinstance(part, Verdict) or part.item is None:
            continue
        for stop in plan.stops:
            inside = part.starts_at < stop.until and stop.issued_at < part.ends_at
            if inside:
                assert is_real_emergency(part.item)
                assert part.item.approved_at > stop.issued_at


@given(situations())
def test_any_item_sounds_at_most_its_own_length(plan: Situation) -> None:
    sounded: dict[str, int] = {}
    for part in timeline(plan, SPEAKER, start=START, end=START + 90 * MINUTE):
        if isinstance(part, Segment) and part.item:
            length = part.ends_at - part.starts_at
            sounded[part.item.id] = sounded.get(part.item.id, 0) + length

    lengths = {i.id: i.renditions[0].duration_ms for i in plan.items}
    assert all(length <= lengths[key] for key, length in sounded.items())


@pytest.mark.parametrize("rank", ["programme", "priority", "emergency"])
def test_two_items_of_one_rank_never_cut_each_other(rank: str) -> None:
    first = item("a", 5, rank=rank, start="cut")
    second = item("b", 6, rank=rank, start="cut")

    assert played(Situation((first, second))) == [(5, 7, "a"), (7, 9, "b")]

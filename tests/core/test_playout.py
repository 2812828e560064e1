"""How a slot wins: the worked examples of the page, and rules for any plan."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nguon.core.messages import MISSED_CAUSES, Audience, Item, Rendition, Stop, Stream
from nguon.core.playout import (
    FOREVER,
    RANK,
    Listener,
    Prepared,
    Progress,
    Segment,
    Situation,
    Verdict,
    decide,
    is_real_emergency,
    silence,
    timeline,
    volume_at,
)
from nguon.schedule.templatetags.schedule import CAUSES

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


def test_example_11_the_pieces_of_a_programme_keep_their_order() -> None:
    """What was cut first comes back first, though it was approved earlier."""
    one = item("one", 5, approved_at=START)
    two = item("two", 7, approved_at=START + 1)
    three = item("three", 9, approved_at=START + 2)
    alarm = item("alarm", 6, rank="emergency", start="cut", minutes=6)

    assert played(Situation((three, two, one, alarm))) == [
        (5, 6, "one"),
        (6, 12, "alarm"),
        (12, 13, "one"),
        (13, 15, "two"),
        (15, 17, "three"),
    ]


def test_example_12_priority_bulletins_come_as_the_commune_ordered_them() -> None:
    province = item("province", 5, rank="priority", level=1)
    ours = item("ours", 5, rank="priority", level=2)
    last = item("last", 5, rank="priority", level=2, approved_at=START - 1)
    held = (province, ours, last)

    undecided = played(Situation(held))
    ordered = played(Situation(held, order=("last", "ours")))

    assert [row[2] for row in undecided] == ["province", "ours", "last"]
    assert [row[2] for row in ordered] == ["last", "ours", "province"]


def relay(key: str, minute: float, minutes: float, **changes: object) -> Item:
    """Return a relay that is as long as its window."""
    return item(
        key,
        minute,
        **{
            "rank": "relay",
            "start": "cut",
            "after": "rejoin",
            "ends_at": START + round((minute + minutes) * MINUTE),
            "renditions": (),
            "stream": Stream("s", "http", "https://radio.example/live.mp3"),
            **changes,
        },
    )


def filler(key: str, minute: float, minutes: float, **changes: object) -> Item:
    """Return a sound that repeats to the end of its window."""
    ends_at = START + round((minute + minutes) * MINUTE)
    return item(
        key, minute, **{"rank": "filler", "loop": True, "ends_at": ends_at, **changes}
    )


def test_example_13_a_dead_source_gives_way_to_the_fallback_until_it_is_back() -> None:
    held = (relay("radio", 5, 15), filler("music", 5, 15))
    progress: dict[str, Progress] = {}

    def at(minute: int, *, dead: bool, on: str) -> tuple[str, int, str]:
        unready = frozenset({"radio"}) if dead else frozenset()
        decision = decide(
            Situation(held, progress=progress, playing=on, unready=unready),
            SPEAKER,
            at=START + minute * MINUTE,
        )
        assert decision.item
        assert (decision.stream is None) == (decision.item.id == "music")
        return decision.item.id, decision.offset_ms, decision.rule

    assert at(5, dead=False, on="") == ("radio", 0, "relay")
    progress["radio"] = Progress(started_at=START + 5 * MINUTE, sounded_ms=3 * MINUTE)
    assert at(8, dead=True, on="radio") == ("music", 0, "filler")
    progress["music"] = Progress(started_at=START + 8 * MINUTE, sounded_ms=3 * MINUTE)
    # The sound of two minutes is in its second turn.
    assert at(11, dead=True, on="music") == ("music", MINUTE, "filler")
    assert at(11, dead=False, on="music") == (
        "radio",
        6 * MINUTE,
        "relay_cuts_filler",
    )


def test_example_14_a_filler_that_was_never_needed_is_no_miss_to_worry_about() -> None:
    situation = Situation((filler("music", 5, 15), relay("radio", 5, 15)))

    assert played(situation) == [(5, 20, "radio")]
    assert verdicts(situation) == {
        "radio": ("finished", ""),
        "music": ("missed", "unneeded"),
    }


def test_example_15_a_relay_is_joined_where_it_is() -> None:
    alarm = item("alarm", 6, rank="emergency", start="cut", minutes=1)
    situation = Situation((relay("radio", 5, 10), alarm))

    parts = [
        (part.item.id, part.offset_ms)
        for part in timeline(situation, SPEAKER, start=START, end=START + 20 * MINUTE)
        if isinstance(part, Segment) and part.item
    ]

    assert parts == [("radio", 0), ("alarm", 0), ("radio", 2 * MINUTE)]


def test_example_16_a_doubtful_clock_widens_the_quiet_hours() -> None:
    quiet = ((START + 20 * MINUTE, START + 30 * MINUTE),)
    early = {"ends_at": START + 15 * MINUTE}
    a, b = item("a", 4, **early), item("b", 6, **early)
    held = (a, b, item("c", 32), item("d", 46))
    situation = Situation(held, quiet=quiet, doubt_ms=15 * MINUTE)

    assert [row[2] for row in played(situation)] == ["c", "d"]
    assert played(situation)[0] == (45, 47, "c")
    assert verdicts(situation)["a"] == ("missed", "clock")
    assert verdicts(situation)["b"] == ("missed", "clock")
    assert [row[2] for row in played(replace(situation, doubt_ms=0))] == [
        "a", "b", "c", "d"
    ]  # fmt: skip


def test_example_17_without_any_time_only_an_emergency_sounds() -> None:
    quiet = ((START + 40 * MINUTE, START + 41 * MINUTE),)
    alarm = item("alarm", 6, rank="emergency", start="cut")
    held = (item("a", 5), alarm)
    lost = Situation(held, quiet=quiet, doubt_ms=FOREVER)

    assert played(lost) == [(6, 8, "alarm")]
    assert verdicts(lost)["a"] == ("missed", "clock")
    # Where no quiet hour is known, none can be broken.
    assert [row[2] for row in played(replace(lost, quiet=()))] == ["a", "alarm", "a"]


def test_example_18_a_group_hears_what_is_meant_for_it() -> None:
    market = item("market", 5, audience=Audience(groups=("market",)))
    school = item("school", 8, audience=Audience(groups=("school",)))
    situation = Situation((market, school))
    speaker = replace(SPEAKER, groups=frozenset({"market"}))

    parts = timeline(situation, speaker, start=START, end=START + 30 * MINUTE)

    heard = {p.item.id for p in parts if isinstance(p, Segment) and p.item}
    assert heard == {"market"}
    assert played(situation) == []


def test_example_19_the_later_volume_of_the_list_wins_and_is_an_edge() -> None:
    day = (START, START + 60 * MINUTE, 80)
    noon = (START + 6 * MINUTE, START + 7 * MINUTE, 30)
    situation = Situation((item("a", 5),), volumes=(day, noon))

    steps = [
        (part.starts_at, part.volume)
        for part in timeline(situation, SPEAKER, start=START, end=START + 8 * MINUTE)
        if isinstance(part, Segment) and part.item
    ]

    # The item is over with the seventh minute, when the day's volume is back.
    assert steps == [(START + 5 * MINUTE, 80), (START + 6 * MINUTE, 30)]
    assert volume_at((day, noon), START + 61 * MINUTE) is None


def test_example_20_a_filler_gives_way_at_once_whatever_the_start_policy() -> None:
    polite = item("news", 6, start="next")

    assert played(Situation((filler("music", 5, 10), polite))) == [
        (5, 6, "music"),
        (6, 8, "news"),
        (8, 15, "music"),
    ]


def test_a_second_of_doubt_takes_no_item_that_fits() -> None:
    quiet = ((START + 7 * MINUTE, START + 30 * MINUTE),)
    situation = Situation((item("a", 5),), quiet=quiet, doubt_ms=400)

    parts = list(timeline(situation, SPEAKER, start=START, end=START + 60 * MINUTE))

    sounding = [p for p in parts if isinstance(p, Segment) and p.item]
    assert sounding[-1].ends_at == START + 7 * MINUTE - 400
    assert verdicts(situation) == {"a": ("finished", "")}


def test_silence_covers_all_that_makes_noise() -> None:
    quiet = ((START + 7 * MINUTE, START + 30 * MINUTE),)
    stop = Stop("s", START + 40 * MINUTE, START + 41 * MINUTE)
    situation = Situation((), quiet=quiet, stops=(stop,))
    wide = replace(situation, doubt_ms=5 * MINUTE)

    def why(minute: float, which: Situation = situation) -> str:
        return silence(which, at=START + round(minute * MINUTE), length_ms=2_000)

    assert [why(6), why(6.99), why(7), why(30), why(40)] == [
        "", "quiet", "quiet", "", "stopped"
    ]  # fmt: skip
    assert why(6, wide) == "clock"


def test_every_cause_has_vietnamese_words() -> None:
    assert set(MISSED_CAUSES) <= set(CAUSES)


def test_prepared_items_give_the_same_answers() -> None:
    held = (item("a", 5), item("b", 6, rank="priority", start="cut"), item("c", 30))
    prepared = Prepared(held, SPEAKER)

    assert list(prepared) == list(held)
    assert prepared.next_start(START + 6 * MINUTE) == START + 30 * MINUTE
    assert len(prepared.without({"a"})) == 2
    for minute in range(40):
        at = START + minute * MINUTE
        assert decide(Situation(held), SPEAKER, at=at) == decide(
            Situation(prepared), SPEAKER, at=at
        )


# What a newcomer two minutes later does to what is on (ten minutes long): cut it at
# once, after a minute of patience, after its end. Rows: what is on; columns: newcomer.
PAIRS = ["filler", "programme", "relay", "priority", "live", "drill", "emergency"]


def _outcome(on: str, new: str, start: str, after: str) -> list[tuple[float, str]]:
    def make(key: str, minute: int, rank: str, **changes: object) -> Item:
        drill = rank == "drill"
        rank = "emergency" if rank in {"drill", "emergency"} else rank
        return item(key, minute, rank=rank, drill=drill, **changes)

    first = make("on", 1, on, minutes=10, after=after)
    second = make("new", 3, new, minutes=2, start=start, wait_ms=MINUTE)
    return [(row[0], row[2]) for row in played(Situation((first, second)))]


@pytest.mark.parametrize("after", ["resume", "rejoin", "drop"])
@pytest.mark.parametrize("start", ["cut", "wait", "next"])
@pytest.mark.parametrize("new", PAIRS)
@pytest.mark.parametrize("on", PAIRS)
def test_every_pair_of_ranks_and_policies(
    on: str, new: str, start: str, after: str
) -> None:
    def rank(name: str) -> int:
        return RANK["priority"] if name == "drill" else RANK[name]

    higher = rank(new) > rank(on)
    begins: float = 11  # after what is on
    if higher and (start == "cut" or on == "filler"):
        begins = 3
    elif higher and start == "wait":
        begins = 4
    expected: list[tuple[float, str]] = [(1, "on"), (begins, "new")]
    if begins < 11 and after != "drop":
        expected.append((begins + 2, "on"))

    assert _outcome(on, new, start, after) == expected


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

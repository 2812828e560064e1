"""What holds for any plan, any clock and any luck: thousands of drawn device-days.

An example is a seed, so that a day is drawn in a millisecond; `benchmarks._days`
makes the day that a seed stands for.
"""

import random
from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import _days
from benchmarks._days import (
    COMMUNE,
    DAY,
    DEVICE,
    HOUR,
    MINUTE,
    PROVINCE,
    SPEAKER,
    UNITS,
)
from nguon.core.messages import Item, Plan, Settings, Stop
from nguon.core.playout import (
    FOREVER,
    GRAIN_MS,
    Prepared,
    Segment,
    Situation,
    Verdict,
    decide,
    is_endless,
    is_real_emergency,
    timeline,
)
from nguon.core.signing import SigningKey
from nguon.simulator.device import Device
from nguon.simulator.notary import Document
from nguon.simulator.tally import Tally

seeds = st.integers(0, 2**32)
KEY = SigningKey.generate()
READY = frozenset({"0" * 64})
Sounding = tuple[int, int, str]


def items_of(day: _days.Day) -> tuple[Item, ...]:
    """Return all that is held on a day, the urgent too."""
    urgent = tuple(item for _at, item in day.urgent)
    return day.commune.items + day.province.items + urgent


def situation_of(draw: random.Random, day: _days.Day) -> Situation:
    """Return all of a day as a device holds it, with a stop and a cancel or without."""
    items = items_of(day)
    stops, cancelled = (), frozenset[str]()
    if draw.random() < 0.4:
        at = day.begin + draw.randrange(DAY)
        stops = (Stop("stop", at, at + draw.randrange(1, 300) * MINUTE),)
    if draw.random() < 0.3:
        cancelled = frozenset({draw.choice(items).id})
    return Situation(
        items,
        cancelled=cancelled,
        stops=stops,
        quiet=day.quiet,
        volumes=day.commune.volumes,
        order=day.commune.order,
    )


def joined(parts: list[Segment | Verdict]) -> list[Sounding]:
    """Return (from, to, item) of what sounded, neighbours joined."""
    rows: list[Sounding] = []
    for part in parts:
        if isinstance(part, Verdict) or part.item is None:
            continue
        if rows and rows[-1][1:] == (part.starts_at, part.item.id):
            rows[-1] = (rows[-1][0], part.ends_at, part.item.id)
        else:
            rows.append((part.starts_at, part.ends_at, part.item.id))
    return rows


def fates(parts: list[Segment | Verdict]) -> dict[str, tuple[str, str]]:
    """Return outcome and cause of every item that was closed."""
    found = [part for part in parts if isinstance(part, Verdict)]
    assert len({verdict.item.id for verdict in found}) == len(found)
    return {verdict.item.id: (verdict.outcome, verdict.cause) for verdict in found}


def preview(day: _days.Day, situation: Situation) -> list[Segment | Verdict]:
    return list(timeline(situation, SPEAKER, start=day.begin, end=day.end + HOUR))


# --- a device of the simulator -------------------------------------------------------


def document(kind: str, subject: object, **more: object) -> Document:
    """Return a document whose signature has been checked."""
    values: dict[str, object] = {
        "kind": kind,
        "id": f"{kind}-1",
        "unit": COMMUNE,
        "device": "",
        "seq": 1,
        "issued_at": 1,
        "not_after": FOREVER,
        "subject": subject,
        "token": "",
        "key_until": FOREVER,
    }
    return Document(**{**values, **more})  # type: ignore[arg-type]


def documents_of(day: _days.Day, situation: Situation) -> list[Document]:
    """Return what the server would send to bring a device into a situation."""
    found = [
        document("plan", day.commune, id="commune"),
        document("plan", day.province, id="province", unit=PROVINCE),
    ]
    found += [
        document("alert", item, id=f"alert-{item.id}", seq=n + 2, quiet=day.quiet)
        for n, (_at, item) in enumerate(day.urgent)
    ]
    found += [document("stop", stop, id=stop.id, seq=20) for stop in situation.stops]
    if situation.cancelled:
        subject = {"items": sorted(situation.cancelled)}
        found.append(document("cancel", subject, seq=21))
    return found


def speaker() -> Device:
    """Return a virtual device that knows its place, languages and groups."""
    device = Device(number=0, claim="", key=KEY, log="log", tally=Tally())
    device.uid = DEVICE
    told = Settings(DEVICE, "speaker", UNITS, ("jra", "vi"), ("market",))
    device.take(document("settings", told, unit="", device=DEVICE), at=1)
    return device


def drive(
    device: Device, day: _days.Day, *, looks: list[int]
) -> tuple[list[Sounding], dict[str, tuple[str, str]]]:
    """Let a device turn at its own moments and at others; return what it did."""
    rows: list[Segment | Verdict] = []
    at, end = day.begin, day.end + HOUR
    others = sorted(looks)
    while at < end:
        until = min(device.turn(at=at, now=float(at), ready=READY), end)
        while others and others[0] <= at:
            others.pop(0)
        until = min([until, *others[:1]])
        rows.append(Segment(at, until, device.playing, 0, ""))
        at = until
    told = {
        event["item"]: (
            event["data"].get("outcome", event["type"]),
            event["data"]["cause"],
        )
        for event in device.new_events
        if event["type"] in {"finished", "missed"}
    }
    return joined(rows), told


# --- what always holds ---------------------------------------------------------------


@settings(max_examples=300)
@given(seeds)
def test_there_is_one_item_or_silence_at_every_instant(seed: int) -> None:
    draw = random.Random(seed)
    day = _days.make_day(draw)
    situation = situation_of(draw, day)

    parts = preview(day, situation)

    segments = [part for part in parts if isinstance(part, Segment)]
    assert segments[0].starts_at == day.begin
    assert segments[-1].ends_at == day.end + HOUR
    assert all(one.ends_at == two.starts_at for one, two in pairwise(segments))
    assert all(one.starts_at < one.ends_at for one in segments)
    closed: set[str] = set()
    for part in parts:
        if isinstance(part, Verdict):
            closed.add(part.item.id)
        elif part.item:
            assert part.item.id not in closed | situation.cancelled
            assert part.item.starts_at <= part.starts_at < part.item.ends_at
    fates(parts)


@settings(max_examples=300)
@given(seeds, st.sampled_from([0, 40, 900, 15 * MINUTE, FOREVER]))
def test_below_an_emergency_nothing_sounds_in_widened_quiet_hours(
    seed: int, doubt_ms: int
) -> None:
    draw = random.Random(seed)
    day = _days.make_day(draw)
    situation = replace(situation_of(draw, day), doubt_ms=doubt_ms)

    for part in preview(day, situation):
        if isinstance(part, Verdict):
            if part.cause == "clock":
                assert doubt_ms
            continue
        if part.item is None or is_real_emergency(part.item):
            continue
        for start, end in situation.quiet:
            assert part.ends_at <= start - doubt_ms or part.starts_at >= end + doubt_ms
        assert _days.loud_ms(day.hours, part.starts_at, part.ends_at) == 0


@settings(max_examples=300)
@given(seeds)
def test_the_order_of_arrival_never_changes_the_outcome(seed: int) -> None:
    draw = random.Random(seed)
    day = _days.make_day(draw)
    situation = situation_of(draw, day)
    documents = documents_of(day, situation)
    done = []

    for _turn in range(3):
        device = speaker()
        for one in documents:
            device.take(one, at=day.begin)
        done.append(drive(device, day, looks=[]))
        draw.shuffle(documents)
        documents = [_shuffled(draw, one) for one in documents]

    assert done[0] == done[1] == done[2]


def _shuffled(draw: random.Random, one: Document) -> Document:
    if not isinstance(one.subject, Plan):
        return one
    items, local = list(one.subject.items), list(one.subject.local)
    draw.shuffle(items)
    draw.shuffle(local)
    plan = replace(one.subject, items=tuple(items), local=tuple(local))
    return replace(one, subject=plan)


@settings(max_examples=300)
@given(seeds)
def test_a_device_does_what_the_preview_says_item_by_item(seed: int) -> None:
    draw = random.Random(seed)
    day = _days.make_day(draw)
    situation = situation_of(draw, day)
    device = speaker()
    for one in documents_of(day, situation):
        device.take(one, at=day.begin)
    held_since = dict.fromkeys((item.id for item in items_of(day)), day.begin)
    told = preview(day, replace(situation, held_since=held_since))

    sounded, ends = drive(device, day, looks=[])

    assert sounded == joined(told)
    assert ends == fates(told)


@settings(max_examples=300)
@given(seeds)
def test_looking_more_often_changes_nothing(seed: int) -> None:
    """At midnight, at any other moment: what is not an edge is not felt."""
    draw = random.Random(seed)
    day = _days.make_day(draw)
    situation = situation_of(draw, day)
    done = []

    for looks in ([], [day.end, *(day.begin + draw.randrange(DAY) for _ in range(40))]):
        device = speaker()
        for one in documents_of(day, situation):
            device.take(one, at=day.begin)
        done.append(drive(device, day, looks=looks))

    assert done[0] == done[1]


@settings(max_examples=200)
@given(seeds)
def test_prepared_items_answer_like_unprepared_ones_at_any_instant(seed: int) -> None:
    draw = random.Random(seed)
    day = _days.make_day(draw)
    situation = situation_of(draw, day)
    prepared = replace(situation, items=Prepared(items_of(day), SPEAKER))

    for _turn in range(5):
        at = day.begin + draw.randrange(DAY)
        assert decide(situation, SPEAKER, at=at) == decide(prepared, SPEAKER, at=at)


@pytest.mark.parametrize("day", [*_days.TRAPS, date(2027, 12, 31), date(2026, 4, 30)])
def test_a_slot_over_midnight_sounds_once_without_gap_or_double(day: date) -> None:
    """Also where the month ends, the year, or February with its leap day."""
    begin = _days.local_ms(day, 0)
    talk = _days.make_item("talk", _days.local_ms(day, 24 * 60 - 3), 6)
    news = _days.make_item("news", _days.local_ms(day, 24 * 60 + 3), 2)
    quiet = _days.intervals((300, 330), day)

    parts = timeline(
        Situation((news, talk), quiet=quiet),
        SPEAKER,
        start=begin,
        end=begin + 2 * DAY,
    )

    midnight = begin + DAY
    assert joined(list(parts)) == [
        (midnight - 3 * MINUTE, midnight + 3 * MINUTE, "talk"),
        (midnight + 3 * MINUTE, midnight + 5 * MINUTE, "news"),
    ]


@settings(max_examples=600)
@given(seeds)
def test_no_luck_makes_noise_in_quiet_hours_or_a_double(seed: int) -> None:
    """Wrong clocks, repairs, late plans, dead sources, older software."""
    life = _days.live_through(random.Random(seed))

    assert life.tally.outside_ms == 0
    for item in items_of(life.day):
        if is_endless(item) or item.after == "rejoin":
            continue
        longest = max(sound.duration_ms for sound in item.renditions)
        assert life.tally.heard.get(item.id, 0) <= longest + 100


@settings(max_examples=300)
@given(seeds)
def test_without_trusted_time_only_what_is_scheduled_sounds(seed: int) -> None:
    draw = random.Random(seed)
    day = _days.make_day(draw)
    begin, error = day.begin, draw.uniform(-10, 10) * MINUTE
    clock = _days.Believed(begin, error, 0.0, not_before=begin - DAY)
    life = _days.Life(day, clock)
    life.give(day.commune, day.province)
    for _at, item in day.urgent:
        life.push(item)

    life.live(begin, day.end)

    assert not any(key.startswith("u") for key in life.tally.heard)
    assert life.tally.outside_ms == 0
    # Nor within the doubt of the hours, as the device sees them.
    assert clock.clock.doubt_ms == 15 * MINUTE


@settings(max_examples=200)
@given(
    seeds,
    st.sampled_from([-HOUR, -10 * MINUTE, 10 * MINUTE, HOUR]),
    st.integers(0, 3_900),
)
def test_a_signed_time_corrects_a_clock_that_is_wrong_or_jumps(
    seed: int, error_ms: int, round_trip: int
) -> None:
    draw = random.Random(seed)
    begin = _days.local_ms(date(2028, 2, 29), 0)
    clock = _days.Believed(begin, error_ms, draw.uniform(-5e-5, 5e-5))
    clock.sync(begin, round_trip=round_trip, answered_after=round_trip // 2)
    item = _days.make_item("a", begin + draw.randrange(600) * MINUTE, 2)

    # The system's clock jumps once more: nobody listens to it any longer.
    clock.error_ms = -error_ms
    real = clock.real_of(item.starts_at)

    assert abs(real - item.starts_at) <= clock.doubt(real) + 1
    assert abs(clock.clock.offset() + clock.error_ms) <= round_trip + 1
    assert clock.doubt(begin) <= round_trip / 2 + 2 * GRAIN_MS

"""A device in rehearsal is silent below emergency, and both sides know one day."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import _days
from benchmarks._days import DAY, HOUR, SPEAKER
from nguon.core import rehearsal
from nguon.core.playout import (
    Prepared,
    Segment,
    Verdict,
    is_real_emergency,
    timeline,
)
from nguon.core.rehearsal import Report, Row
from nguon.core.signing import DocumentRefusedError
from tests.core.test_playout_always import items_of, situation_of

seeds = st.integers(0, 2**32)


@settings(max_examples=150)
@given(seeds)
def test_a_device_in_rehearsal_never_sounds_anything_below_emergency(
    seed: int,
) -> None:
    day = _days.make_day(random.Random(seed))
    draw = random.Random(seed)
    situation = situation_of(draw, day)
    on = draw.choice(items_of(day)).id
    rehearsing = replace(situation, rehearsing=True, playing=on)

    def emergencies(now: object) -> list[tuple[int, int, str]]:
        steps = timeline(now, SPEAKER, start=day.begin, end=day.end)  # type: ignore[arg-type]
        found = [one for one in steps if isinstance(one, Segment) and one.item]
        assert now is situation or all(is_real_emergency(one.item) for one in found)
        return [
            (one.starts_at, one.ends_at, one.item.id)
            for one in found
            if one.item and is_real_emergency(one.item)
        ]

    sounded = {key for _a, _b, key in emergencies(rehearsing)}
    assert sounded >= {key for _a, _b, key in emergencies(situation)}


@settings(max_examples=60)
@given(seeds)
def test_the_report_carries_the_day_whatever_the_order_of_the_items(seed: int) -> None:
    day = _days.make_day(random.Random(seed))
    draw = random.Random(seed)
    situation, items = situation_of(draw, day), list(items_of(day))
    start = day.begin + draw.randrange(HOUR)

    mine = rehearsal.rehearse(situation, SPEAKER, items=items, start=start)
    draw.shuffle(items)
    theirs = rehearsal.rehearse(
        replace(situation, items=Prepared((), SPEAKER), rehearsing=True, doubt_ms=DAY),
        SPEAKER,
        items=items,
        start=start,
    )

    assert mine.digest == theirs.digest
    told = rehearsal.report(
        mine, settings=3, plans={"c": 5}, missing=["x"], trusted=True, version="1"
    )
    back = Report.decode(told.encode())
    assert back == told
    verdicts = {one.verdict for one in rehearsal.compare(back.day.rows, theirs.rows)}
    assert verdicts <= {rehearsal.SAME}


def test_a_full_day_fits_into_an_event_and_the_rest_is_in_the_digest() -> None:
    rows = tuple(
        Row(
            f"abcdefghijkl.{n:013}", "khung-sang", n * 1000, n * 1000 + 900, "programme"
        )
        for n in range(1, 1_000)
    )
    day = rehearsal.Day(1, 1 + rehearsal.SPAN_MS, rows, ())
    told = rehearsal.report(
        day, settings=1, plans={}, missing=[], trusted=True, version="1"
    )

    data = told.encode()

    assert len(str(data)) < 14_000
    assert (data["count"], data["digest"]) == (999, day.digest)
    assert 0 < len(data["rows"]) < 999
    assert Report.decode(data).day.rows == rows[: len(data["rows"])]


def test_each_kind_of_difference_is_told_apart() -> None:
    row = Row("a", "s", 10, 20, "programme")

    found = rehearsal.compare(
        [row, Row("b", "s", 30, 40, "relay", 50), Row("x", "", 50, 60, "relay")],
        [row, Row("b", "s", 30, 40, "relay"), Row("y", "", 70, 80, "relay")],
    )
    moved = rehearsal.compare([row], [replace(row, starts_at=11)])

    assert [one.verdict for one in found] == ["same", "altered", "device", "server"]
    assert moved[0].verdict == "moved"


@pytest.mark.parametrize(
    "wrong",
    [{"from": 0}, {"to": 2**53}, {"rows": [[1]]}, {"plans": []}, {"count": "x"}],
)
def test_a_report_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    day = rehearsal.Day(1, 1 + rehearsal.SPAN_MS, (), ())
    data = rehearsal.report(
        day, settings=1, plans={}, missing=[], trusted=True, version="1"
    ).encode()

    with pytest.raises(DocumentRefusedError):
        Report.decode(data | wrong)


def test_a_verdict_in_rehearsal_names_its_cause() -> None:
    day = _days.make_day(random.Random(7))
    situation = replace(situation_of(random.Random(7), day), rehearsing=True, stops=())
    steps = timeline(situation, SPEAKER, start=day.begin, end=day.end)

    causes = {one.cause for one in steps if isinstance(one, Verdict)}

    assert "rehearsal" in causes

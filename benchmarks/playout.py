"""How fast `core.playout` answers: one device-day resolved, one instant decided.

1. Weeks are drawn: a station with 20 to 30 items a day for eight days, relays with
   fallback, its province's plan, ten urgent documents, quiet hours and volumes.
2. A device-day: from the bare items of the week to the last segment of one day.
3. An instant: what a device does at each look, with items prepared and past ones
   closed. Beside it, as a measure of the machine, a bare Python loop that only finds
   the items whose window is open.

Each is done three times and the median counts, so that what else the machine does in
between is left out.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import _bench
from benchmarks._days import (
    DAY,
    MINUTE,
    PROVINCE,
    SPEAKER,
    intervals,
    local_ms,
    make_item,
)
from nguon.core import playout
from nguon.core.messages import Audience, Item, Stream
from nguon.core.playout import Prepared, Progress, Situation

DAY_LIMIT_MS, INSTANT_LIMIT_US = 5.0, 100.0
DAYS_AHEAD, INSTANTS = 8, 1_000
FIRST = date(2026, 11, 25)


def measure(arguments: argparse.Namespace, _folder: Path) -> dict[str, Any]:
    """Measure so many drawn weeks, and say whether the promise is kept."""
    days: list[float] = []
    instants: list[float] = []
    bare: list[float] = []
    items = 0
    for number in range(arguments.rounds):
        draw = random.Random(number)
        first = FIRST + timedelta(days=number)
        week = make_week(draw, first)
        items += len(tuple(week.items))
        for n in range(DAYS_AHEAD):
            start = local_ms(first + timedelta(days=n), 0)
            days.append(1e3 * _timed(partial(_resolve, week, start)))
        _measure_instants(draw, week, first, instants, bare)
        _bench.say(f"{number + 1}/{arguments.rounds}")
    day, instant = _bench.distribution(days), _bench.distribution(instants)
    loop = _bench.distribution(bare)
    return {
        "bench": "playout",
        "items_held": items // arguments.rounds,
        "device_day_ms": day,
        "instant_us": instant,
        "bare_loop_us": loop,
        "ratio_to_bare_loop": round(instant["p50"] / loop["p50"], 2),
        "limits": {"device_day_ms": DAY_LIMIT_MS, "instant_us": INSTANT_LIMIT_US},
        "passed": day["p95"] <= DAY_LIMIT_MS and instant["p95"] <= INSTANT_LIMIT_US,
    }


def make_week(draw: random.Random, first: date) -> Situation:
    """Return what a device of a busy station holds for eight days."""
    found: list[Item] = []
    quiet = {span for n in range(DAYS_AHEAD) for span in _quiet(first, n)}
    volumes = []
    for n in range(DAYS_AHEAD):
        midnight = local_ms(first + timedelta(days=n), 0)
        found += _station_day(draw, midnight, n)
        found += _province_day(draw, midnight, n)
        for hour, percent in ((5, 60), (7, 80), (18, 70)):
            begin = midnight + hour * 60 * MINUTE
            volumes.append((begin, begin + 120 * MINUTE, percent))
    noon = local_ms(first, 12 * 60)
    for n in range(10):
        rank = draw.choice(("priority", "live"))
        begin = noon + draw.randrange(-300, 300) * MINUTE
        found.append(make_item(f"u{n}", begin, 2, rank=rank, start="cut"))
    draw.shuffle(found)
    return Situation(tuple(found), quiet=tuple(sorted(quiet)), volumes=tuple(volumes))


def _quiet(first: date, n: int) -> tuple[tuple[int, int], ...]:
    day = first + timedelta(days=n)
    return (*intervals((1290, 300), day), *intervals((690, 810), day))


def _station_day(draw: random.Random, midnight: int, n: int) -> list[Item]:
    items = []
    for slot, minute in enumerate((305, 660, 1020)):
        at = midnight + minute * MINUTE
        for piece in range(draw.randrange(6, 9)):
            minutes = draw.choice((1, 2, 3))
            items.append(make_item(f"{n}.{slot}.{piece}", at, minutes))
            at += minutes * MINUTE
    for name, minute in (("dawn", 345), ("dusk", 1080)):
        at = midnight + minute * MINUTE
        ends_at = at + 30 * MINUTE
        stream = Stream(name, "hls", "https://radio.example/live.m3u8")
        items.append(
            make_item(
                f"{n}.{name}",
                at,
                1,
                rank="relay",
                start="cut",
                after="rejoin",
                ends_at=ends_at,
                stream=stream,
                renditions=(),
            )
        )
        items.append(
            make_item(f"{n}.{name}.f", at, 2, rank="filler", loop=True, ends_at=ends_at)
        )
    return items


def _province_day(draw: random.Random, midnight: int, n: int) -> list[Item]:
    return [
        make_item(
            f"{n}.p{k}",
            midnight + draw.randrange(320, 1200) * MINUTE,
            2,
            rank="priority",
            level=1,
            start="wait",
            wait_ms=60_000,
            audience=Audience(units=(PROVINCE,)),
        )
        for k in range(4)
    ]


def _timed(work: Callable[[], object]) -> float:
    """Return how many seconds some work takes: the median of three."""
    took = []
    for _turn in range(3):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return sorted(took)[1]


def _resolve(week: Situation, start: int) -> list[object]:
    """Resolve one day from the bare items of the week."""
    to_come = tuple(item for item in week.items if item.ends_at > start)
    situation = replace(week, items=Prepared(to_come, SPEAKER))
    return list(playout.timeline(situation, SPEAKER, start=start, end=start + DAY))


def _measure_instants(
    draw: random.Random,
    week: Situation,
    first: date,
    instants: list[float],
    bare: list[float],
) -> None:
    """Decide at drawn instants of the first two days, as a device does."""
    items = tuple(week.items)
    held = Prepared(items, SPEAKER)
    start = local_ms(first, 0)
    moments = sorted(start + draw.randrange(2 * DAY) for _n in range(INSTANTS))
    for at in moments:
        held = held.without({item.id for item in held.begun(at) if item.ends_at <= at})
        progress = {item.id: Progress(blocked="outranked") for item in held.begun(at)}
        now = replace(week, items=held, progress=progress)
        decide = partial(playout.decide, now, SPEAKER, at=at)
        instants.append(1e6 * _timed(decide))
        bare.append(1e6 * _timed(partial(_open_at, items, at)))


def _open_at(items: tuple[Item, ...], at: int) -> list[Item]:
    """Find what a bare loop finds: the items whose window is open."""
    found = []
    for item in items:
        if item.starts_at <= at < item.ends_at:
            found.append(item)
    return found


if __name__ == "__main__":
    sys.exit(_bench.run(str(__doc__), measure, rounds=20))

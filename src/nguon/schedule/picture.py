"""What a person looks at instead of reading: the map of a broadcast, the day."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache

from nguon.schedule import rules
from nguon.schedule.models import Airing
from nguon.schedule.queries import Ground
from nguon.territory import boundaries

MARGIN = 24.0
NARROWEST = 120.0
MINUTES = 24 * 60
SHORTEST_BAR = 8
NUMBERED = 14

_MOVE = re.compile(r"M(-?\d+) (-?\d+)l([^z]*)z")

GOOD, PART, MIXED, BAD, WAIT = "good", "part", "mixed", "bad", "wait"
WORDS = {
    GOOD: "đã phát đủ",
    PART: "phát một phần",
    MIXED: "vài loa im lặng",
    BAD: "phần lớn im lặng",
    WAIT: "chưa phát",
}


@dataclass(frozen=True)
class Shape:
    """One commune on the map of a broadcast."""

    code: str
    state: str
    words: str
    label: str
    x: float
    y: float


@dataclass(frozen=True)
class Picture:
    """The part of the map that a broadcast is about."""

    view: str
    size: float
    shapes: Sequence[Shape]


def draw_map(grounds: Sequence[Ground]) -> Picture | None:
    """Return the map of a broadcast's communes, or None where there is no outline."""
    outlines = {outline.code: outline for outline in boundaries.draw().outlines}
    known = [ground for ground in grounds if ground.code in outlines]
    if not known:
        return None
    boxes = [_box(ground.code) for ground in known]
    left, top = min(b[0] for b in boxes) - MARGIN, min(b[1] for b in boxes) - MARGIN
    width = max(max(b[2] for b in boxes) - left + MARGIN, NARROWEST)
    height = max(max(b[3] for b in boxes) - top + MARGIN, NARROWEST)
    numbered = len(known) <= NUMBERED
    return Picture(
        view=f"{left:.0f} {top:.0f} {width:.0f} {height:.0f}",
        size=round(max(width, height) / 16, 1),
        shapes=[
            Shape(
                code=ground.code,
                state=state_of(ground),
                words=f"{ground.name}: {ground.sounded}/{ground.targeted}, "
                f"{WORDS[state_of(ground)]}",
                label=(
                    f"{ground.sounded}/{ground.targeted}"
                    if numbered
                    else str(ground.silent or "")
                ),
                x=outlines[ground.code].x,
                y=outlines[ground.code].y,
            )
            for ground in known
        ],
    )


def state_of(ground: Ground) -> str:
    """Return how a commune stands: anything silent comes first."""
    if ground.silent:
        return MIXED if ground.sounded > ground.silent else BAD
    if ground.sounded >= ground.targeted:
        return GOOD
    return PART if ground.sounded or ground.broken_off else WAIT


@cache
def _box(code: str) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of one commune on the map."""
    path = next(o.path for o in boundaries.draw().outlines if o.code == code)
    xs, ys = [], []
    for start_x, start_y, moves in _MOVE.findall(path):
        x, y = int(start_x), int(start_y)
        steps = [int(step) for step in re.findall(r"-?\d+", moves)]
        xs.append(x)
        ys.append(y)
        for dx, dy in zip(steps[::2], steps[1::2], strict=True):
            x, y = x + dx, y + dy
            xs.append(x)
            ys.append(y)
    return min(xs), min(ys), max(xs), max(ys)


@cache
def map_file() -> str:
    """Return all outlines as one drawing, whose parts pages name by code."""
    drawn = boundaries.draw()
    paths = "".join(f'<path id="c{o.code}" d="{o.path}"/>' for o in drawn.outlines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 {drawn.width:.0f} {drawn.height:.0f}">'
        f'<g id="all">{paths}</g></svg>'
    )


@dataclass(frozen=True)
class Bar:
    """One airing on the picture of the day, in minutes since midnight."""

    airing: Airing
    x: float
    width: float
    klass: str


@dataclass(frozen=True)
class Day:
    """The picture of one local day."""

    bars: Sequence[Bar]
    quiet: Sequence[tuple[float, float]]
    now: float


def draw_day(
    airings: Sequence[Airing], *, quiet: Sequence[rules.QuietHours], at: datetime
) -> Day:
    """Return the local day of `at` with its airings and its quiet hours."""
    midnight = datetime.combine(at.astimezone(rules.LOCAL), time.min, rules.LOCAL)

    def minutes(moment: datetime) -> float:
        passed = (moment - midnight) / timedelta(minutes=1)
        return round(min(max(passed, 0.0), MINUTES), 1)

    end = midnight + timedelta(days=1)
    intervals = [
        interval
        for hours in quiet
        for interval in hours.intervals(begin=midnight, end=end)
    ]
    return Day(
        bars=[
            Bar(
                airing=airing,
                x=minutes(airing.starts_at),
                width=SHORTEST_BAR,
                klass=airing.broadcast.version.klass if airing.broadcast else "normal",
            )
            for airing in airings
        ],
        quiet=[
            (minutes(begin), round(minutes(end) - minutes(begin), 1))
            for begin, end in intervals
        ],
        now=minutes(at),
    )

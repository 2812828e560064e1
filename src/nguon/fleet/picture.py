"""What a person looks at instead of reading: the fleet on the map, a device's days.

Drawn on the server as SVG on the communes' own outlines; no foreign tiles, no script.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from nguon.fleet import health
from nguon.fleet.models import BeatDay, SignalChange
from nguon.fleet.queries import CommuneCount, Spot
from nguon.territory import boundaries
from nguon.territory.boundaries import Box

MARGIN = 24.0
NARROWEST = 60.0
# A commune is divided into so many cells across; what shares a cell is one cluster.
CELLS = 14
# One in so many that is not well marks a place.
MIXED_SHARE = 10
# Clusters closer than so many sizes would cover each other.
REACH = 2.0
GOOD, MIXED, BAD, WAIT = "good", "mixed", "bad", "wait"


@dataclass(frozen=True)
class Ground:
    """One commune on the map, filled by how its devices are."""

    code: str
    uid: str
    state: str
    words: str


@dataclass(frozen=True)
class Cluster:
    """What stands close together: devices, or the silent ones of some communes.

    `uid` is a device, or a commune; `near` says that several communes are meant, to
    be looked at more closely.
    """

    x: float
    y: float
    radius: float
    state: str
    label: str
    words: str
    uid: str
    near: bool = False


@dataclass(frozen=True)
class Picture:
    """A part of the map with what stands on it; `line` is how wide a thin line is."""

    view: str
    size: float
    line: float
    grounds: Sequence[Ground] = ()
    clusters: Sequence[Cluster] = ()
    code: str = ""
    unplaced: int = 0


def state_of(states: dict[str, int]) -> str:
    """Return how a place stands, by the share of its devices that are not well."""
    total = sum(states.values())
    silent = states.get(health.SILENT, 0)
    if total and silent * 2 >= total:
        return BAD
    ill = silent + states.get(health.FAULTY, 0) + states.get(health.IN_REPAIR, 0)
    if ill * MIXED_SHARE >= total > 0:
        return MIXED
    return GOOD if states.get(health.ACTIVE) else WAIT


def draw_communes(counts: Sequence[CommuneCount], *, near: str = "") -> Picture | None:
    """Return the map of communes, or None without outlines.

    Red clusters count the silent; those that would cover each other are one, and
    asking for the map `near` a commune's uid takes them apart.
    """
    boxes = {one.code: boundaries.box(one.code) for one in counts}
    known = [(one, box) for one in counts if (box := boxes[one.code]) is not None]
    if not known:
        return None
    centre = next((box for one, box in known if one.uid == near), None)
    view, width = _view([_around(centre)] if centre else [box for _one, box in known])
    size = round(width / 36, 1)
    return Picture(
        view=view,
        size=size,
        line=round(width / 900, 2),
        grounds=[
            Ground(
                code=one.code,
                uid=one.uid,
                state=state_of(one.states),
                words=f"{one.name}: {one.silent} im lặng, {one.audible}/{one.total} có"
                " bằng chứng kêu",
            )
            for one, _box in known
        ],
        clusters=_merge(known, size),
    )


def _around(box: Box) -> Box:
    """Return a box with its neighbours."""
    left, top, right, bottom = box
    side = max(right - left, bottom - top)
    return left - side, top - side, right + side, bottom + side


def _merge(known: Sequence[tuple[CommuneCount, Box]], size: float) -> list[Cluster]:
    """Return the silent of communes; circles that would touch become one."""
    spots = [
        ((left + right) / 2, (top + bottom) / 2, one)
        for one, (left, top, right, bottom) in known
        if one.silent
    ]
    heaps: list[list[tuple[float, float, CommuneCount]]] = []
    for spot in sorted(spots, key=lambda spot: -spot[2].silent):
        x, y, _one = spot
        for heap in heaps:
            if math.dist((x, y), heap[0][:2]) < size * REACH:
                heap.append(spot)
                break
        else:
            heaps.append([spot])
    return [_heap(heap, size) for heap in heaps]


def _heap(heap: Sequence[tuple[float, float, CommuneCount]], size: float) -> Cluster:
    x, y, first = heap[0]
    silent = sum(one.silent for _x, _y, one in heap)
    return Cluster(
        x=round(x, 1),
        y=round(y, 1),
        radius=round(size * (0.75 + 0.13 * len(str(silent))), 1),
        state=BAD,
        label=str(silent),
        words=f"{silent} im lặng: " + ", ".join(one.name for _x, _y, one in heap[:8]),
        uid=first.uid,
        near=len(heap) > 1,
    )


def draw_commune(code: str, spots: Sequence[Spot]) -> Picture | None:
    """Return one commune with its devices in clusters, or None without an outline."""
    box = boundaries.box(code)
    if box is None:
        return None
    view, width = _view([box])
    size = round(width / 26, 1)
    cells: dict[tuple[int, int], list[tuple[Spot, float, float]]] = defaultdict(list)
    unplaced = 0
    for spot in spots:
        if spot.lat is None or spot.lon is None:
            unplaced += 1
            continue
        x, y = boundaries.place(lat=spot.lat, lon=spot.lon)
        cells[int(x * CELLS / width), int(y * CELLS / width)].append((spot, x, y))
    clusters = [_cluster(mine, size) for mine in cells.values()]
    return Picture(
        view=view,
        size=size,
        line=round(width / 900, 2),
        clusters=clusters,
        code=code,
        unplaced=unplaced,
    )


def _cluster(mine: Sequence[tuple[Spot, float, float]], size: float) -> Cluster:
    states: dict[str, int] = defaultdict(int)
    for spot, _x, _y in mine:
        states[spot.state] += 1
    silent = states.get(health.SILENT, 0)
    first = mine[0][0]
    alone = len(mine) == 1
    return Cluster(
        x=round(sum(x for _s, x, _y in mine) / len(mine), 1),
        y=round(sum(y for _s, _x, y in mine) / len(mine), 1),
        radius=round(size * (0.55 if alone else 0.8), 1),
        state=state_of(states),
        label="" if alone else str(len(mine)),
        words=f"{first.name}: {health.STATES[first.state].lower()}"
        if alone
        else f"{len(mine)} thiết bị, {silent} im lặng: "
        + ", ".join(spot.name for spot, _x, _y in mine[:6]),
        uid=first.uid if alone else "",
    )


def _view(boxes: Sequence[Box]) -> tuple[str, float]:
    """Return the view box around some boxes, and the larger of its sides."""
    left, top = min(b[0] for b in boxes) - MARGIN, min(b[1] for b in boxes) - MARGIN
    width = max(max(b[2] for b in boxes) - left + MARGIN, NARROWEST)
    height = max(max(b[3] for b in boxes) - top + MARGIN, NARROWEST)
    view = f"{left:.0f} {top:.0f} {width:.0f} {height:.0f}"
    return view, max(width, height)


# --- the days of one device --------------------------------------------------------

SPAN = 1000
LAST_MARK = 0.96
# Values of signals that somebody should look at.
BAD_WORDS = frozenset({
    "no", "off", "open", "short", "low", "hot", "weak", "doubtful",
    health.SILENT, health.FAULTY,
})  # fmt: skip
UNSURE = frozenset({"", health.NEW, health.IN_REPAIR, health.RETIRED})


@dataclass(frozen=True)
class Piece:
    """A stretch of one signal: from `x`, so wide, in one of three looks."""

    x: float
    width: float
    look: str
    words: str


@dataclass(frozen=True)
class Lane:
    """One signal of a device over time, and its value now."""

    signal: str
    name: str
    now: str
    look: str
    pieces: Sequence[Piece]


def draw_lanes(
    current: dict[str, str],
    changes: Iterable[SignalChange],
    *,
    since: datetime,
    at: datetime,
    born: datetime | None = None,
) -> list[Lane]:
    """Return a lane for each signal that is known, from `since` to `at`.

    Before a device was `born` there was nothing to be well or ill: no piece.
    """
    first = max(since, born) if born else since
    by_signal: dict[str, list[SignalChange]] = defaultdict(list)
    for change in changes:
        by_signal[change.signal].append(change)
    lanes = []
    for signal, name in health.SIGNALS.items():
        mine = sorted(by_signal[signal], key=lambda change: (change.at, change.pk))
        now = current.get(signal, "")
        if not mine and not now:
            continue
        lanes.append(
            Lane(
                signal=signal,
                name=name,
                now=now,
                look=_look(now),
                pieces=_pieces(mine, now, first=first, since=since, at=at),
            )
        )
    return lanes


def _pieces(
    changes: Sequence[SignalChange],
    now: str,
    *,
    first: datetime,
    since: datetime,
    at: datetime,
) -> list[Piece]:
    """Return the stretches between changes; before the first one its old value held.

    They begin at `first`; `since` is where the lane begins.
    """
    length = at - since

    def x(moment: datetime) -> float:
        passed = (moment - since) / length
        return round(SPAN * min(max(passed, 0.0), 1.0), 1)

    found = []
    value, begin = changes[0].old if changes else now, first
    for change in [*changes, None]:
        end = change.at if change else at
        left, right = x(begin), x(end)
        if right > left:
            words = health.SIGNAL_WORDS.get(value, value)
            found.append(Piece(left, round(right - left, 1), _look(value), words))
        if change:
            value, begin = change.new, change.at
    return found


def _look(value: str) -> str:
    if value in BAD_WORDS:
        return BAD
    return WAIT if value in UNSURE else GOOD


@dataclass(frozen=True)
class Bar:
    """One day of a row of days: `height` is its share of the day, 0 to 40."""

    x: int
    height: float
    words: str

    @property
    def y(self) -> float:
        """Where it begins, from above."""
        return round(BAR_HEIGHT - self.height, 1)


@dataclass(frozen=True)
class DayRow:
    """What was so on each of the last days; a day without figures has no bar."""

    name: str
    look: str
    bars: Sequence[Bar]
    total: str


DAYS_SHOWN, BAR_WIDTH, BAR_HEIGHT = 90, 10, 40


def draw_days(days: Iterable[BeatDay], *, last: date) -> list[DayRow]:
    """Return rows of bars of the days up to `last`: connected, and audible.

    A bar is minutes out of those in which the device should have been on.
    """
    known = {row.day: row for row in days}
    rows = []
    for name, look in (("Có kết nối", "good"), ("Có bằng chứng kêu", "sound")):
        bars, part, whole = [], 0, 0
        for number in range(DAYS_SHOWN):
            row = known.get(last - timedelta(days=DAYS_SHOWN - 1 - number))
            if row is None or not row.expected:
                continue
            connected = row.expected - row.missing
            so = connected if look == "good" else min(row.audible, row.expected)
            part, whole = part + so, whole + row.expected
            height = round(BAR_HEIGHT * so / row.expected, 1)
            words = f"{row.day:%d/%m/%Y}: {so // 60} giờ {so % 60} phút"
            bars.append(Bar(number * BAR_WIDTH, height, words))
        if bars:
            share = f"{100 * part / whole:.1f} %".replace(".", ",")
            rows.append(DayRow(name, look, bars, share))
    return rows


def hours_of(since: datetime, at: datetime) -> list[tuple[float, str]]:
    """Return marks under the lanes: where, and which hour or day."""
    length = at - since
    step = timedelta(hours=6) if length <= timedelta(days=2) else timedelta(days=1)
    form = "%H:%M" if step < timedelta(days=1) else "%d/%m"
    local = since.astimezone(health.LOCAL)
    mark = local.replace(hour=0, minute=0, second=0, microsecond=0)
    marks = []
    while mark < at:
        # A mark at the very edge would be cut in two.
        if since < mark and (mark - since) / length < LAST_MARK:
            marks.append((round(100 * ((mark - since) / length), 1), f"{mark:{form}}"))
        mark += step
    return marks

"""A station's week as a picture: pure, without clock and database.

A *piece* is one thing planned, an *opening* one return of a slot. Local days are cut
at midnight of `Asia/Ho_Chi_Minh`; minutes count from there. `SOURCES` gives every
kind of piece its word and its icon, so that colour is never the only sign.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from nguon.core.messages import Audience, Item
from nguon.core.playout import (
    ON_TIME_MS,
    Listener,
    Segment,
    Situation,
    Verdict,
    is_endless,
    is_real_emergency,
    precedence,
    rank_of,
    timeline,
)
from nguon.core.playout import PRIORITY as PRIORITY_RANK
from nguon.schedule import places, rules
from nguon.schedule.places import Places

MINUTES = 24 * 60
COMMUNE_LEVEL = 2
SHORTEST_BAR = 8.0
DAYS = 7
STRIP = 48
WEEKDAYS = ("Thứ hai", "Thứ ba", "Thứ tư", "Thứ năm", "Thứ sáu", "Thứ bảy", "Chủ nhật")
SHORT_WEEKDAYS = ("T2", "T3", "T4", "T5", "T6", "T7", "CN")
# A gap shorter than this is a pause between two pieces, not an empty slot.
SHORTEST_GAP = timedelta(minutes=1)
SHORT = timedelta(minutes=5)

PROGRAMME, RELAY, PRIORITY, ABOVE = "programme", "relay", "priority", "above"
ANNOUNCED, ONE_OFF, EMERGENCY, DRILL = "announce", "once", "emergency", "drill"
# source → its word and its icon.
SOURCES: Mapping[str, tuple[str, str]] = {
    PROGRAMME: ("Chương trình của đài", "page"),
    RELAY: ("Tiếp âm", "repeat"),
    PRIORITY: ("Tin ưu tiên", "alert"),
    ABOVE: ("Tin của cấp trên", "send"),
    ANNOUNCED: ("Thông báo phát ngay", "speaker"),
    ONE_OFF: ("Bản tin lẻ", "dot"),
    EMERGENCY: ("Khẩn cấp", "siren"),
    DRILL: ("Diễn tập", "drill"),
}
# The bands of a day, each up to its minute: a timetable's rows.
BANDS = (
    (10 * 60, "Sáng", "đến 10 giờ"),
    (14 * 60, "Trưa", "10 đến 14 giờ"),
    (18 * 60, "Chiều", "14 đến 18 giờ"),
    (MINUTES, "Tối", "sau 18 giờ"),
)


@dataclass(frozen=True)
class Played:
    """What really became of one piece, counted in devices."""

    known: int
    sounded: int
    silent: int
    broken_off: int = 0

    @property
    def state(self) -> str:
        """Good when all sounded, bad when more failed than not."""
        failed = self.silent + self.broken_off
        if failed == 0:
            return "good" if self.sounded else "wait"
        return "mixed" if self.sounded > failed else "bad"


@dataclass(frozen=True)
class Piece:
    """One thing planned, as a person looks for it."""

    key: str
    source: str
    title: str
    starts_at: datetime
    ends_at: datetime
    slot: str = ""
    slot_name: str = ""
    issuer: str = ""
    places: str = ""
    url: str = ""
    played: Played | None = None
    clashes: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """The source in words."""
        return SOURCES[self.source][0]

    @property
    def length_ms(self) -> int:
        """How long it sounds, in ms."""
        return round((self.ends_at - self.starts_at) / timedelta(milliseconds=1))

    @property
    def is_short(self) -> bool:
        """Say whether its length says more than its end."""
        return self.ends_at - self.starts_at < SHORT

    @property
    def icon(self) -> str:
        """The source as an icon."""
        return SOURCES[self.source][1]


@dataclass(frozen=True)
class Opening:
    """One return of a slot: the span that should be filled."""

    slot: str
    name: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Gap:
    """A stretch of a slot that nothing fills."""

    opening: Opening
    starts_at: datetime
    ends_at: datetime

    @property
    def minutes(self) -> int:
        """How long nothing is planned, in whole minutes: never more than there is."""
        return (self.ends_at - self.starts_at) // timedelta(minutes=1)


@dataclass(frozen=True)
class Group:
    """One return of a slot with what stands in it, read as one thing."""

    opening: Opening
    lines: Sequence[Piece | Gap]

    @property
    def starts_at(self) -> datetime:
        """When the slot opens."""
        return self.opening.starts_at

    @property
    def ends_at(self) -> datetime:
        """When the slot closes."""
        return self.opening.ends_at


Entry = Piece | Gap | Group


@dataclass(frozen=True)
class Bar:
    """A rectangle of the picture: minutes across, a lane and how many there are."""

    x: float
    width: float
    piece: Piece
    lane: int = 0
    lanes: int = 1

    @property
    def y(self) -> float:
        """Where its lane begins on a strip that is STRIP high."""
        return round(4 + self.lane * self.height, 2)

    @property
    def height(self) -> float:
        """How high its lane is."""
        return round((STRIP - 8) / self.lanes, 2)


@dataclass(frozen=True)
class Band:
    """A part of the day with what begins in it, in the order of time."""

    name: str
    hours: str
    entries: Sequence[Entry]


@dataclass(frozen=True)
class DayPicture:
    """One local day: strips for the drawing, bands for reading."""

    day: date
    is_today: bool
    bars: Sequence[Bar]
    quiet: Sequence[tuple[float, float]]
    gaps: Sequence[tuple[float, float]]
    bands: Sequence[Band]
    now: float | None = None

    @property
    def name(self) -> str:
        """The day of the week."""
        return WEEKDAYS[self.day.weekday()]

    @property
    def short(self) -> str:
        """The day of the week in two letters."""
        return SHORT_WEEKDAYS[self.day.weekday()]

    @property
    def is_empty(self) -> bool:
        """Say whether nothing at all stands on this day."""
        return not any(band.entries for band in self.bands)

    @property
    def lanes(self) -> int:
        """How many things stand beside each other at most."""
        return max((bar.lanes for bar in self.bars), default=1)


def monday_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def midnight(day: date) -> datetime:
    """Return the beginning of a local day, in UTC."""
    return datetime.combine(day, time.min, rules.LOCAL).astimezone(UTC)


def cut(
    starts_at: datetime, ends_at: datetime, *, day: date
) -> tuple[float, float] | None:
    """Return the part of a span that lies on a local day, in minutes, or None."""
    begin = midnight(day)
    first = max((starts_at - begin) / timedelta(minutes=1), 0.0)
    last = min((ends_at - begin) / timedelta(minutes=1), float(MINUTES))
    return (round(first, 2), round(last - first, 2)) if last > first else None


def beside(pieces: Iterable[Piece]) -> Iterator[tuple[Piece, int, int]]:
    """Yield each piece with its lane and the lanes of its crowd.

    Of two pieces at the same time none hides the other; a crowd is what hangs
    together by overlaps, so that a lonely piece keeps the whole height.
    """
    crowd: list[tuple[Piece, int]] = []
    ends: list[datetime] = []
    for piece in sorted(pieces, key=lambda one: (one.starts_at, one.key)):
        if ends and piece.starts_at >= max(ends):
            yield from ((old, lane, len(ends)) for old, lane in crowd)
            crowd, ends = [], []
        lane = next(
            (n for n, end in enumerate(ends) if end <= piece.starts_at), len(ends)
        )
        ends[lane : lane + 1] = [piece.ends_at]
        crowd.append((piece, lane))
    yield from ((old, lane, len(ends)) for old, lane in crowd)


def find_gaps(openings: Iterable[Opening], pieces: Iterable[Piece]) -> list[Gap]:
    """Return where slots are under-booked: nothing is planned inside them."""
    spans = sorted((piece.starts_at, piece.ends_at) for piece in pieces)
    found = []
    for opening in openings:
        at = opening.starts_at
        for begin, end in [*spans, (opening.ends_at, opening.ends_at)]:
            begin = min(begin, opening.ends_at)
            if begin - at >= SHORTEST_GAP:
                found.append(Gap(opening, at, begin))
            at = max(at, min(end, opening.ends_at))
    return found


def draw_day(
    day: date,
    *,
    pieces: Sequence[Piece],
    openings: Sequence[Opening],
    quiet: Iterable[tuple[datetime, datetime]],
    at: datetime,
    with_gaps: bool = True,
) -> DayPicture:
    """Return the picture of one local day.

    Gaps make no sense among a part of it, and none that is over can be filled.
    """
    begin, end = midnight(day), midnight(day + timedelta(days=1))
    here = [one for one in pieces if one.starts_at < end and one.ends_at > begin]
    opened = [one for one in openings if begin <= one.starts_at < end]
    missing = find_gaps(opened, here) if with_gaps else []
    gaps = [gap for gap in missing if gap.ends_at > at]
    bars = []
    for piece, lane, lanes in beside(here):
        span = cut(piece.starts_at, piece.ends_at, day=day)
        if span:
            x = min(span[0], MINUTES - SHORTEST_BAR)
            bars.append(Bar(x, max(span[1], SHORTEST_BAR), piece, lane, lanes))
    first = [one for one in here if one.starts_at >= begin]
    return DayPicture(
        day=day,
        is_today=begin <= at < end,
        bars=bars,
        quiet=_spans(quiet, day=day),
        gaps=_spans(((gap.starts_at, gap.ends_at) for gap in gaps), day=day),
        bands=_bands(group(opened, first, gaps), begin=begin),
        now=round((at - begin) / timedelta(minutes=1), 1)
        if begin <= at < end
        else None,
    )


def _spans(
    intervals: Iterable[tuple[datetime, datetime]], *, day: date
) -> list[tuple[float, float]]:
    cuts = (cut(begin, end, day=day) for begin, end in intervals)
    return [span for span in cuts if span]


def group(
    openings: Iterable[Opening], pieces: Iterable[Piece], gaps: Iterable[Gap]
) -> list[Entry]:
    """Return pieces and gaps, those of one return of a slot together.

    What fills its slot alone stands for itself.
    """
    left, missing = list(pieces), list(gaps)
    found: list[Entry] = []
    for opening in openings:
        inside = [
            one
            for one in left
            if one.slot == opening.slot
            and opening.starts_at <= one.starts_at < opening.ends_at
        ]
        empty = [one for one in missing if one.opening == opening]
        lines: list[Piece | Gap] = [*inside, *empty]
        lines.sort(key=_by_start)
        if len(lines) > 1:
            found.append(Group(opening, lines))
            left = [one for one in left if one not in inside]
            missing = [one for one in missing if one not in empty]
    found += [*left, *missing]
    return sorted(found, key=_by_start)


def _by_start(entry: Entry) -> tuple[datetime, bool, str]:
    """Order by time, pieces before gaps."""
    is_piece = isinstance(entry, Piece)
    return entry.starts_at, not is_piece, entry.key if isinstance(entry, Piece) else ""


def _bands(ordered: Sequence[Entry], *, begin: datetime) -> list[Band]:
    bands, after = [], 0
    for until, name, hours in BANDS:
        span = range(after, until)
        held = [
            one
            for one in ordered
            if int((one.starts_at - begin) / timedelta(minutes=1)) in span
        ]
        bands.append(Band(name, hours, held))
        after = until
    return bands


# --- clashes, explained --------------------------------------------------------------

RANK_WORDS = {
    "filler": "phần dự phòng",
    "programme": "chương trình",
    "relay": "tiếp âm",
    "priority": "tin ưu tiên",
    "live": "thông báo, nói trực tiếp",
    "emergency": "tin khẩn cấp",
}
LEVEL_WORDS = ("trung ương", "tỉnh", "xã", "thôn, làng")


def item_words(item: Item) -> str:
    """Return what an item is, with who issued it: “tin ưu tiên của tỉnh”."""
    rank = "diễn tập" if item.drill else RANK_WORDS[item.rank]
    return f"{rank} của {LEVEL_WORDS[min(item.level, len(LEVEL_WORDS) - 1)]}"


def length_ms(item: Item) -> int:
    """Return how long an item sounds at most, in ms: a stream fills its window."""
    if is_endless(item):
        return item.ends_at - item.starts_at
    return max((sound.duration_ms for sound in item.renditions), default=0)


@dataclass(frozen=True)
class Clash:
    """Two items for the same ears at the same time, and what becomes of them."""

    first: Item
    second: Item
    sentence: str


def find_clashes(
    items: Iterable[Item], *, where: Places, order: Sequence[str] = ()
) -> list[Clash]:
    """Return what would sound at the same time for the same ears, in order of time."""
    ordered = sorted(
        (item for item in items if item.rank != "filler"),
        key=lambda item: (item.starts_at, item.id),
    )
    found = []
    for n, first in enumerate(ordered):
        over = first.starts_at + length_ms(first)
        for second in ordered[n + 1 :]:
            if second.starts_at >= over:
                break
            if places.meet(first.audience, second.audience, where):
                found.append(_clash(first, second, order=order))
    return found


def _clash(first: Item, second: Item, *, order: Sequence[str]) -> Clash:
    reason = _reason(first, second, order=order)
    when = datetime.fromtimestamp(second.starts_at / 1000, tz=rules.LOCAL)
    sentence = (
        f"{when:%H:%M} ngày {when:%d/%m/%Y}: “{first.title}” và “{second.title}” "
        f"cùng giờ. {reason} {' '.join(_fates(first, second, order=order))}"
    )
    return Clash(first, second, sentence)


def _reason(first: Item, second: Item, *, order: Sequence[str]) -> str:
    """Return the rule that decides who goes first, as a sentence."""
    winner, loser = sorted(
        (first, second), key=lambda item: precedence(item, tuple(order))
    )
    if rank_of(winner) != rank_of(loser):
        words = item_words(winner)
        return f"{words[0].upper()}{words[1:]} đi trước {item_words(loser)}."
    if is_real_emergency(winner):
        return "Tin khẩn hơn, nặng hơn, gần dân hơn đi trước."
    if rank_of(winner) == PRIORITY_RANK and winner.broadcast in order:
        return "Theo thứ tự tin ưu tiên mà xã đã xếp."
    if winner.level != loser.level:
        return "Cùng hạng, tin của cấp trên đi trước."
    if winner.starts_at != loser.starts_at:
        return "Cùng hạng, tin định giờ sớm hơn đi trước."
    return "Cùng hạng, bản được duyệt sau đi trước."


EARS = Audience(units=("both",))


def _fates(first: Item, second: Item, *, order: Sequence[str]) -> list[str]:
    """Return what becomes of two items on a device that is meant by both.

    Not thought out but played: by the code that runs on the device.
    """
    pair = tuple(replace(item, audience=EARS) for item in (first, second))
    situation = Situation(pair, order=tuple(order))
    span = (min(first.starts_at, second.starts_at), max(first.ends_at, second.ends_at))
    steps = list(
        timeline(
            situation,
            Listener("", frozenset(EARS.units)),
            start=span[0],
            end=span[1] + 1,
        )
    )
    return [words for item in pair if (words := _fate(item, steps))]


def _fate(item: Item, steps: Iterable[Segment | Verdict]) -> str:
    """Return how an item departs from its plan, or nothing when it does not."""
    heard: list[tuple[int, int]] = []
    outcome = ""
    for step in steps:
        if step.item is None or step.item.id != item.id:
            continue
        if isinstance(step, Verdict):
            outcome = step.outcome
        elif heard and heard[-1][1] == step.starts_at:
            heard[-1] = (heard[-1][0], step.ends_at)
        else:
            heard.append((step.starts_at, step.ends_at))
    name = f"“{item.title}”"
    if not heard:
        return f"{name} không còn đủ giờ nên sẽ không phát. Hãy đổi giờ."
    told = []
    if heard[0][0] > item.starts_at + ON_TIME_MS:
        how = "nhập vào giữa chừng" if item.after == "rejoin" else "chờ, phát"
        told.append(f"{how} lúc {_clock(heard[0][0])}")
    if len(heard) > 1:
        again = "nhập lại" if item.after == "rejoin" else "phát tiếp"
        told.append(f"bị ngắt lúc {_clock(heard[0][1])}, {again} {_clock(heard[1][0])}")
    elif outcome == "cut":
        told.append(f"bị ngắt lúc {_clock(heard[0][1])} và không phát tiếp")
    return f"{name} {', '.join(told)}." if told else ""


def _clock(moment: int) -> str:
    """Write a local time, with seconds only where there are some."""
    local = datetime.fromtimestamp(moment // 1000, tz=rules.LOCAL)
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"

"""Device-days, drawn from a seed and lived through: for benches and property tests.

A `Day` is what a province signs for one device on one local day: its commune's plan
and its province's, urgent documents, and the hours in which nothing below an
emergency may sound (`loud_ms` says how much of a stretch lies in them, reckoned from
the clock on the wall and not from the plans). A `Life` is what happens to the device
on that day: its real `agent.clock.Clock` is wrong or set right, power goes and comes,
plans are late, sources die, software is rolled back. What sounds is decided by
`core.playout` alone; the moments are real time, which the device only believes it
knows.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from nguon.agent.clock import Clock
from nguon.core import messages, playout
from nguon.core.messages import (
    Audience,
    Hours,
    Item,
    Plan,
    Rendition,
    Stream,
)
from nguon.core.playout import NOTHING_YET, Listener, Prepared, Progress, Situation

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
SECOND, MINUTE = 1_000, 60_000
HOUR, DAY = 60 * MINUTE, 24 * 60 * MINUTE
# Viet Nam's clocks are seven hours ahead of UTC, without summer time.
AHEAD = 7 * HOUR
DEVICE, VILLAGE, COMMUNE, PROVINCE = "d" * 12, "v" * 12, "c" * 12, "p" * 12
UNITS = (VILLAGE, COMMUNE, PROVINCE)
SPEAKER = Listener(
    DEVICE, frozenset(UNITS), ("jra", "vi"), groups=frozenset({"market"})
)
# Days on which naive arithmetic goes wrong, before any other day of ten years.
TRAPS = (
    date(2026, 12, 31),
    date(2027, 1, 31),
    date(2027, 2, 6),  # the first day of Tết
    date(2027, 2, 28),
    date(2028, 2, 28),
    date(2028, 2, 29),
    date(2028, 3, 31),
    date(2032, 2, 29),
)
# Quiet hours as (begin, end) in minutes of the local day; most cross midnight.
NIGHTS = ((1320, 300), (1290, 285), (1380, 330), (0, 300), (1435, 5), (1200, 360))
REST = ((690, 810), (720, 780), (1080, 1085))
_SOUND = "0" * 64


def local_ms(day: date, minute: int) -> int:
    """Return a minute of a local day as ms since 1970, by the calendar."""
    later, minute = divmod(minute, 24 * 60)
    wall = time(minute // 60, minute % 60)
    moment = datetime.combine(day + timedelta(days=later), wall, LOCAL)
    return round(moment.timestamp() * 1000)


@lru_cache(maxsize=8192)
def intervals(pair: tuple[int, int], day: date) -> tuple[tuple[int, int], ...]:
    """Return what a plan says of some quiet hours around a day."""
    begin, end = pair
    end = end if end > begin else end + 24 * 60
    days = [day + timedelta(days=n) for n in range(-2, 3)]
    return tuple((local_ms(one, begin), local_ms(one, end)) for one in days)


def loud_ms(hours: Sequence[tuple[int, int]], begin: int, end: int) -> int:
    """Return how many ms of a real stretch lie in quiet hours, by the wall clock."""
    walls: list[tuple[int, int]] = []
    midnight = (begin + AHEAD) // DAY * DAY - AHEAD
    for first, last in hours:
        length = (last - first) % (24 * 60) * MINUTE
        for day in (midnight - DAY, midnight, midnight + DAY):
            start = day + first * MINUTE
            walls.append((max(begin, start), min(end, start + length)))
    covered, reach = 0, begin
    for start, stop in sorted(walls):
        start = max(start, reach)
        if stop > start:
            covered += stop - start
            reach = stop
    return covered


def make_item(key: str, begin: int, minutes: float, **more: object) -> Item:
    """Return an item that begins at `begin` (ms) and is so many minutes long."""
    values: dict[str, object] = {
        "id": key,
        "broadcast": key,
        "bulletin": key,
        "title": key,
        "text": key,
        "rank": "programme",
        "starts_at": begin,
        "ends_at": begin + round(minutes * MINUTE) + 10 * MINUTE,
        "shown_until": begin + DAY,
        "approved_at": begin - DAY,
        "content_sha256": _SOUND,
        "audience": Audience(units=(COMMUNE,)),
        "renditions": (Rendition("vi", _SOUND, 1000, round(minutes * MINUTE)),),
    }
    return Item(**{**values, **more})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Day:
    """One local day of one station as it was signed; `begin` to `end` in ms.

    `hours` are what really must stay quiet here, (begin, end) in minutes of the day;
    `urgent` are `go` and `alert` items with the moment at which each is pushed.
    """

    date: date
    begin: int
    end: int
    hours: tuple[tuple[int, int], ...]
    commune: Plan
    province: Plan
    urgent: tuple[tuple[int, Item], ...]

    @property
    def quiet(self) -> tuple[tuple[int, int], ...]:
        """The quiet hours of this device as an urgent document brings them."""
        return tuple(span for pair in self.hours for span in intervals(pair, self.date))


def make_day(draw: random.Random, *, pieces: int = 4) -> Day:
    """Return a drawn day; `pieces` is how many pieces a programme has."""
    day = draw.choice(TRAPS)
    if draw.random() < 0.5:
        day = date(2026, 11, 1) + timedelta(days=draw.randrange(3650))
    whole = (draw.choice(NIGHTS), *draw.sample(REST, draw.randrange(2)))
    local = tuple(draw.sample(REST, draw.randrange(2)))
    hours = (*whole, *local)
    begin = local_ms(day, 0)
    items = _programme(draw, begin, hours, pieces)
    if draw.random() < 0.6:
        items += _relay(draw, begin, hours)
    where = (
        Audience(groups=("market",)) if draw.random() < 0.5 else Audience((VILLAGE,))
    )
    spans = [span for pair in whole for span in intervals(pair, day)]
    commune = Plan(
        COMMUNE,
        1,
        begin - DAY,
        begin + 8 * DAY,
        tuple(items),
        quiet=tuple(spans),
        volumes=((begin + 6 * HOUR, begin + 20 * HOUR, draw.randrange(30, 100)),)
        if draw.random() < 0.3
        else (),
        local=tuple(Hours(where, intervals(pair, day)) for pair in local),
        order=("b1",) if draw.random() < 0.2 else (),
    )
    above = tuple(
        make_item(
            f"p{n}",
            _near(draw, begin, hours),
            draw.randrange(1, 4),
            rank="priority",
            broadcast=f"b{n}",
            level=1,
            start=draw.choice(("cut", "next", "wait")),
            wait_ms=30 * SECOND,
            audience=Audience(units=(PROVINCE,)),
        )
        for n in range(draw.randrange(3))
    )
    # A plan from above brings the hours of the stations in which it sounds.
    theirs = tuple(Hours(Audience((COMMUNE,)), intervals(p, day)) for p in whole)
    province = Plan(
        PROVINCE,
        1,
        begin - DAY,
        begin + 8 * DAY,
        above,
        local=(*theirs, *(Hours(where, intervals(pair, day)) for pair in local)),
    )
    return Day(
        day, begin, begin + DAY, hours, commune, province, _urgent(draw, begin, hours)
    )


def _near(draw: random.Random, begin: int, hours: Sequence[tuple[int, int]]) -> int:
    """Return a moment of the day, often just beside the edge of quiet hours."""
    if draw.random() < 0.5:
        return begin + draw.randrange(24 * 60) * MINUTE
    edge = draw.choice(draw.choice(hours))
    beside = draw.choice((-16, -6, -3, -2, -1, 0, 0, 0, 1, 14))
    return begin + (edge + beside) * MINUTE


def _programme(
    draw: random.Random, begin: int, hours: Sequence[tuple[int, int]], pieces: int
) -> list[Item]:
    items = []
    for slot in range(draw.randrange(1, 4)):
        at = _near(draw, begin, hours)
        for n in range(draw.randrange(1, pieces + 1)):
            minutes = draw.choice((0.5, 1, 2, 3))
            items.append(
                make_item(
                    f"s{slot}.{n}",
                    at,
                    minutes,
                    start=draw.choice(("next", "next", "cut")),
                    after=draw.choice(("resume", "resume", "rejoin", "drop")),
                )
            )
            at += round(minutes * MINUTE)
    return items


def _relay(
    draw: random.Random, begin: int, hours: Sequence[tuple[int, int]]
) -> list[Item]:
    at = _near(draw, begin, hours)
    window: dict[str, object] = {"ends_at": at + draw.choice((15, 30, 60)) * MINUTE}
    stream = Stream("s", draw.choice(("http", "hls")), "https://radio.example/1")
    relay = make_item(
        "relay", at, 1, rank="relay", start="cut", after="rejoin", stream=stream,
        renditions=(), **window,
    )  # fmt: skip
    music = make_item("music", at, 2, rank="filler", loop=True, **window)
    return [relay, music]


def _urgent(
    draw: random.Random, begin: int, hours: Sequence[tuple[int, int]]
) -> tuple[tuple[int, Item], ...]:
    found = []
    for n in range(draw.choice((0, 0, 1, 2))):
        at = _near(draw, begin, hours)
        rank = draw.choice(("live", "priority", "emergency", "emergency"))
        more: dict[str, object] = {"drill": draw.random() < 0.5}
        if rank != "emergency":
            more = {}
        if rank == "live":
            more = {
                "stream": Stream("l", "live"),
                "renditions": (),
                "ends_at": at + draw.choice((2, 20)) * MINUTE,
                "after": "rejoin",
            }
        item = make_item(f"u{n}", at, 2, rank=rank, start="cut", **more)
        found.append((at - draw.randrange(60) * SECOND, item))
    return tuple(found)


# --- a device and what happens to it --------------------------------------------------


@dataclass
class Believed:
    """A device's clock and the real time that it does not know."""

    real: int
    error_ms: float
    drift: float
    not_before: int = 0
    rtc: bool = True
    boot: int = 0
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        self.start(self.real)

    def start(self, real: int) -> None:
        """Begin anew at a real moment: power is back."""
        self.boot = self.real = real
        self.clock = Clock(
            monotonic=lambda: self.mono(self.real),
            system=lambda: (self.real + self.error_ms) / 1000,
            not_before=self.not_before,
            rtc=self.rtc,
        )

    def mono(self, real: float) -> float:
        """Return the monotonic clock (seconds) at a real moment (ms)."""
        return 100 + (real - self.boot) / 1000 * (1 + self.drift)

    def at(self, real: int) -> int:
        """Return what the device believes at a real moment."""
        return int(self.clock.at(self.mono(real)))

    def real_of(self, at: int) -> int:
        """Return the first real ms at which the device believes `at`."""
        since = (self.clock.mono(at) - 100) * 1000 / (1 + self.drift)
        real = self.boot + int(since)
        while self.at(real) < at:
            real += 1
        return real

    def doubt(self, real: int) -> int:
        """Return the clock's doubt at a real moment."""
        kept, self.real = self.real, real
        found = self.clock.doubt_ms
        self.real = kept
        return found

    def sync(self, real: int, *, round_trip: int, answered_after: int) -> None:
        """Take a signed time; the server wrote it somewhere on the way."""
        self.real = real
        sent = self.mono(real - round_trip)
        stated = real - round_trip + answered_after
        self.clock.sync(stated, sent=sent, answered=self.mono(real))
        self.not_before = real


@dataclass
class Tally:
    """What came out of a day: ms outside the allowed hours, and all that sounded."""

    outside_ms: int = 0
    sounded_ms: int = 0
    emergency_ms: int = 0
    tones: int = 0
    refused: int = 0
    heard: dict[str, int] = field(default_factory=dict)


class Life:
    """One device through one real day."""

    def __init__(self, day: Day, clock: Believed) -> None:
        self.day = day
        self.clock = clock
        self.tally = Tally()
        self.plans: list[Plan] = []
        self.pushed: list[Item] = []
        self.progress: dict[str, Progress] = {}
        self.over: set[str] = set()
        self.playing = ""
        self.is_on = True
        self.version = 2
        self.source_dead = False
        self.available_since = 0
        self._held = Prepared((), SPEAKER)
        self._quiet: tuple[tuple[int, int], ...] = ()

    # --- what happens ------------------------------------------------------------

    def give(self, *plans: Plan) -> None:
        """Take plans as the software does: of a newer version it refuses them."""
        for plan in plans:
            if self.version == 1:
                self._give_old(plan)
            else:
                self.plans.append(plan)
        self.gather()

    def _give_old(self, plan: Plan) -> None:
        signed = messages.envelope(
            "plan",
            document="d",
            target={"unit": plan.unit},
            seq=plan.number,
            issued_at=plan.starts_at,
            not_after=plan.ends_at,
            body=plan.body(),
            version=plan.version,
        )
        if signed["version"] != 1:
            self.tally.refused += 1
            return
        known = {name: signed[name] for name in ("target", "seq", "window", "quiet")}
        rows = [
            {name: row[name] for name in row if name not in NEW_IN_ITEMS}
            for row in signed["items"]
        ]
        self.plans.append(Plan.decode({**known, "id": "d", "items": rows}))

    def push(self, item: Item) -> None:
        """Take an urgent document; one that brings hours is of version 2."""
        if self.is_on and self._understands(item):
            self.pushed.append(item)
            self.gather()

    def _understands(self, item: Item) -> bool:
        return self.version == 2 or playout.is_real_emergency(item)

    def roll_back(self) -> None:
        """Begin again with software of version 1: what was held is read by it."""
        self.version = 1
        held, self.plans = self.plans, []
        self.pushed = [item for item in self.pushed if self._understands(item)]
        self.playing = ""
        self.give(*held)

    def power(self, real: int, *, on: bool) -> None:
        """Take power away, or give it back."""
        self.is_on = on
        self.playing = ""
        if on:
            self.clock.start(real)
            self.available_since = self.clock.at(real)

    def gather(self) -> None:
        """Put together what the documents held say."""
        items = [i for plan in self.plans for i in plan.items] + self.pushed
        self._held = Prepared((i for i in items if i.id not in self.over), SPEAKER)
        quiet = {span for plan in self.plans for span in plan.quiet}
        for plan in self.plans:
            for hours in plan.local:
                if SPEAKER.is_meant(hours.audience):
                    quiet.update(hours.quiet)
        if self.pushed and self.version == 2:
            quiet.update(self.day.quiet)
        self._quiet = tuple(sorted(quiet))

    # --- what it does --------------------------------------------------------------

    def situation(self, doubt_ms: int) -> Situation:
        """Return what the rules are told; urgent items need a trusted time."""
        held = self._held
        if self.pushed and not self.clock.clock.trusted:
            held = held.without({item.id for item in self.pushed})
        dead = frozenset({"relay"}) if self.source_dead else frozenset()
        return Situation(
            items=held,
            progress=self.progress,
            playing=self.playing,
            quiet=self._quiet,
            unready=dead,
            available_since=self.available_since,
            volumes=self.plans[0].volumes if self.plans else (),
            order=self.plans[0].order if self.plans else (),
            doubt_ms=doubt_ms,
        )

    def tone(self, real: int) -> None:
        """Sound the test tone after a repair, where that is allowed."""
        situation, at = self.situation(self.clock.doubt(real)), self.clock.at(real)
        why = playout.silence(situation, at=at, length_ms=playout.TEST_TONE_MS)
        knows = any(plan.starts_at <= at < plan.ends_at for plan in self.plans)
        if self.is_on and knows and not self.playing and not why:
            self.tally.tones += 1
            self._count(real, real + playout.TEST_TONE_MS)

    def live(self, real: int, until: int) -> None:
        """Sound from one real moment to another as decided, step by step."""
        while self.is_on and real < until:
            at = self.clock.at(real)
            doubt = self.clock.doubt(real)
            decision = playout.decide(self.situation(doubt), SPEAKER, at=at)
            ends = min(until, self.clock.real_of(decision.until))
            later = self.clock.doubt(ends)
            if decision.item and later != doubt:
                # An agent looks every second while it sounds, and doubt has grown.
                decision = playout.decide(self.situation(later), SPEAKER, at=at)
                ends = min(until, self.clock.real_of(decision.until))
            self._carry_out(decision, at, real, ends)
            real = ends

    def _carry_out(
        self, decision: playout.Decision, at: int, real: int, ends: int
    ) -> None:
        for key, reason in decision.waiting:
            was = self.progress.get(key, NOTHING_YET)
            if was.blocked != reason:
                self.progress[key] = replace(was, blocked=reason)
        if decision.over:
            gone = {verdict.item.id for verdict in decision.over}
            self.over |= gone
            self._held = self._held.without(gone)
        item = decision.item
        self.playing = item.id if item else ""
        if item is None:
            return
        self.progress[item.id] = playout.advanced(
            self.progress.get(item.id, NOTHING_YET),
            decision,
            at=at,
            until=at + ends - real,
        )
        self.tally.heard[item.id] = self.tally.heard.get(item.id, 0) + ends - real
        if playout.is_real_emergency(item):
            self.tally.emergency_ms += ends - real
        else:
            self._count(real, ends)

    def _count(self, real: int, ends: int) -> None:
        self.tally.sounded_ms += ends - real
        self.tally.outside_ms += loud_ms(self.day.hours, real, ends)


NEW_IN_ITEMS = frozenset({"stream", "loop", "talk_over", "slot", "paper"})

Event = tuple[int, Callable[[], None]]


def draw_clock(draw: random.Random, real: int) -> Believed:
    """Return a drawn clock at the beginning of a day.

    `trusted`: a signed time came, over a line of up to 4 s. `kept`: a battery clock
    up to ten minutes wrong. `lost`: no battery, or one that forgot; any error.
    """
    kind = draw.choice(("trusted", "trusted", "kept", "kept", "lost"))
    drift = draw.uniform(-50e-6, 50e-6)
    error = draw.uniform(-10, 10) * MINUTE
    before = real - draw.choice((0, 1, 30)) * DAY - 15 * MINUTE
    if kind != "lost":
        clock = Believed(real, error, drift, not_before=before)
        if kind == "trusted":
            sync(draw, clock, real)
        return clock
    far = draw.choice((HOUR, 7 * HOUR, DAY, 400 * DAY))
    error = draw.uniform(-far, far)
    if draw.random() < 0.5:
        return Believed(real, error, drift, not_before=before, rtc=False)
    return Believed(real, -abs(error) - DAY * 31, drift, not_before=before)


def sync(draw: random.Random, clock: Believed, real: int) -> None:
    """Give a clock a signed time over a drawn line."""
    trip = draw.choice((20, 300, 3_900))
    clock.sync(real, round_trip=trip, answered_after=draw.randrange(trip))


def live_through(draw: random.Random, *, pieces: int = 4) -> Life:
    """Return a life with its tally: a drawn day, and drawn luck, lived to its end."""
    day = make_day(draw, pieces=pieces)
    life = Life(day, draw_clock(draw, day.begin))
    for real, happen in sorted(_events(draw, life), key=lambda event: event[0]):
        life.live(life.clock.real, real)
        life.clock.real = real
        happen()
    return life


def _events(draw: random.Random, life: Life) -> list[Event]:
    """Return what happens on this day and when."""
    day = life.day

    def some() -> int:
        return draw.randrange(day.begin + 1, day.end)

    late = some() if draw.random() < 0.3 else day.begin
    events: list[Event] = [
        (day.begin, lambda: life.give(day.province)),
        (late, lambda: life.give(day.commune)),
        (day.end, lambda: None),
    ]
    for at, item in day.urgent:
        moment = max(day.begin, min(at, day.end - 1))
        events.append((moment, lambda item=item: life.push(item)))  # type: ignore[misc]
    if draw.random() < 0.4:
        moment = some()
        events.append((moment, lambda: sync(draw, life.clock, moment)))
    if draw.random() < 0.5:
        events += _broken(draw, life, some)
    if draw.random() < 0.6:
        dead, back = sorted((some(), some()))
        events.append((dead, lambda: setattr(life, "source_dead", True)))
        events.append((back, lambda: setattr(life, "source_dead", False)))
    if draw.random() < 0.1:
        events.append((some(), life.roll_back))
    return events


def _broken(draw: random.Random, life: Life, some: Callable[[], int]) -> list[Event]:
    """Return a repair: away, back with whatever clock, and the tone that proves it."""
    away, back = sorted((some(), some()))
    tone = min(back + draw.randrange(1, 600) * SECOND, life.day.end - 1)
    return [
        (away, lambda: life.power(away, on=False)),
        (back, lambda: life.power(back, on=True)),
        (tone, lambda: life.tone(tone)),
        (some(), lambda: None),
    ]

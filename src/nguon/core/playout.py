"""Which item sounds on one device at one instant. Pure: no clock, no I/O, no coin.

Server preview and device run this same code, so what an officer is shown is what
the speaker does. `docs/explanation/how-a-slot-wins.md` tells the rules in words.

`decide` looks at one instant and says three things: what sounds, what is over (and
why), and until when this answer holds if nothing new arrives. `timeline` folds it
over a span of time. All times are ms since 1970, UTC.

Whoever asks often keeps a `Prepared`: the items of one listener, sorted once.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from nguon.core.messages import Audience, Item, Rendition, Stop, Stream

RANK = {
    "filler": 0,
    "programme": 1,
    "relay": 2,
    "priority": 3,
    "live": 4,
    "emergency": 5,
}
FILLER, PRIORITY, EMERGENCY = RANK["filler"], RANK["priority"], RANK["emergency"]
# A start this late is still "on time": the clock's grain, not an absence.
ON_TIME_MS = 2_000
# So much of an item's end may fall to the doubt of a clock, and it is still whole.
GRAIN_MS = 1_000
FOREVER = 2**53
# How long the tone of the command `test` is.
TEST_TONE_MS = 2_000


@dataclass(frozen=True)
class Listener:
    """The device as the rules see it; `units` are its own unit and all above."""

    device: str
    units: frozenset[str]
    languages: tuple[str, ...] = ("vi",)
    groups: frozenset[str] = frozenset()

    def is_meant(self, audience: Audience) -> bool:
        """Say whether an audience includes this device."""
        return audience.includes(
            device=self.device, units=self.units, groups=self.groups
        )


@dataclass(frozen=True)
class Progress:
    """What has become of one item on this device.

    `sounded_ms` is how far it has come in its sound (of what fills its window: how
    much was heard); `blocked` is the latest reason why it had to wait, which becomes
    the cause when its time has passed.
    """

    started_at: int = 0
    sounded_ms: int = 0
    ended: bool = False
    blocked: str = ""


NOTHING_YET = Progress()


class Prepared:
    """The items meant for one listener, each once, sorted by their start.

    Made once and asked often; it never changes. Of two items with one id the later
    approved one is held, whichever came first.
    """

    __slots__ = ("_by_id", "_items", "_rows", "_starts", "listener")

    def __init__(self, items: Iterable[Item], listener: Listener) -> None:
        meant: dict[str, Item] = {}
        for item in items:
            if not listener.is_meant(item.audience):
                continue
            known = meant.setdefault(item.id, item)
            if known is not item and known != item:
                meant[item.id] = max(known, item, key=_edition)
        self.listener = listener
        self._by_id = meant
        self._items = sorted(meant.values(), key=_by_start)
        self._starts = [item.starts_at for item in self._items]
        self._rows: dict[str, _Row] = {}

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def without(self, keys: Collection[str]) -> "Prepared":
        """Return the same without the items named: those that are over."""
        fewer = Prepared((), self.listener)
        fewer._by_id = {k: v for k, v in self._by_id.items() if k not in keys}
        fewer._items = [item for item in self._items if item.id not in keys]
        fewer._starts = [item.starts_at for item in fewer._items]
        fewer._rows = self._rows
        return fewer

    def begun(self, at: int) -> list[Item]:
        """Return the items whose start is not later than `at`."""
        return self._items[: bisect_right(self._starts, at)]

    def named(self, keys: Collection[str]) -> list[Item]:
        """Return the items with these ids, as far as they are held."""
        return [self._by_id[key] for key in sorted(self._by_id.keys() & keys)]

    def next_start(self, at: int) -> int:
        """Return when the next item starts after `at`, or FOREVER."""
        index = bisect_right(self._starts, at)
        return self._starts[index] if index < len(self._starts) else FOREVER

    def row(self, item: Item) -> "_Row":
        """Return what never changes about an item, computed at its first use."""
        row = self._rows.get(item.id)
        if row is None:
            row = self._rows[item.id] = _Row(item, self.listener)
        return row


class _Row:
    """An item as one listener has it: what does not depend on the moment."""

    __slots__ = ("endless", "id", "item", "length", "rank", "real", "rendition")

    def __init__(self, item: Item, listener: Listener) -> None:
        self.item = item
        self.id = item.id
        self.rank = rank_of(item)
        self.real = is_real_emergency(item)
        self.endless = is_endless(item)
        self.rendition = None if item.stream else item.rendition(listener.languages)
        self.length = self.rendition.duration_ms if self.rendition else 0
        if item.stream or (item.loop and self.rendition):
            self.length = item.ends_at - item.starts_at


def prepare(items: "Prepared | Iterable[Item]", listener: Listener) -> Prepared:
    """Return items sorted for a listener; at once when they are already."""
    if isinstance(items, Prepared) and items.listener == listener:
        return items
    return Prepared(items, listener)


@dataclass(frozen=True)
class Situation:
    """Everything the device holds and knows.

    `held_since` tells when an item arrived (0 when it was there before its time),
    `available_since` when the device was switched on, `unready` what cannot sound
    now (its sound is not fetched, its source is dead or silent), `playing` what is
    on. `volumes` are `(from, to, percent)`, of which a later one wins. `order` names
    broadcasts of priority as the commune ordered them. `doubt_ms` tells how far the
    clock may be wrong; FOREVER when nothing is known about the time. `rehearsing`:
    the device came back from repair and has not agreed with the server about its day
    yet, so that nothing below a real emergency sounds.
    """

    items: Prepared | tuple[Item, ...]
    progress: Mapping[str, Progress] = field(default_factory=dict)
    playing: str = ""
    cancelled: frozenset[str] = frozenset()
    stops: tuple[Stop, ...] = ()
    quiet: tuple[tuple[int, int], ...] = ()
    unready: frozenset[str] = frozenset()
    held_since: Mapping[str, int] = field(default_factory=dict)
    available_since: int = 0
    volumes: tuple[tuple[int, int, int], ...] = ()
    order: tuple[str, ...] = ()
    doubt_ms: int = 0
    rehearsing: bool = False


@dataclass(frozen=True)
class Verdict:
    """An item that will not sound (any more): its outcome and the cause."""

    item: Item
    outcome: str
    cause: str


@dataclass(frozen=True)
class Decision:
    """What sounds from now on, and `rule`, the reason, as a stable word.

    An item sounds either its `rendition` or its `stream`. `volume` is the percentage
    that holds now, None for the device's own. `until`: ask again then at the latest.
    `over`: items to close and report now. `waiting`: items whose time it is but which
    must wait, with the reason.
    """

    item: Item | None
    rendition: Rendition | None
    offset_ms: int
    rule: str
    until: int
    over: tuple[Verdict, ...] = ()
    waiting: tuple[tuple[str, str], ...] = ()
    stream: Stream | None = None
    volume: int | None = None


def is_real_emergency(item: Item) -> bool:
    """Say whether an item may break silence. A drill is not an emergency."""
    return item.rank == "emergency" and not item.drill


def is_endless(item: Item) -> bool:
    """Say whether an item has no end of its own but fills its window."""
    return item.stream is not None or item.loop


def rank_of(item: Item) -> int:
    """Return the rank that decides; a drill counts as a priority bulletin."""
    if item.rank == "emergency" and item.drill:
        return PRIORITY
    return RANK[item.rank]


def precedence(item: Item, order: tuple[str, ...] = ()) -> tuple[int | str, ...]:
    """Return the sort key of items that could sound now; the smallest wins.

    Rank first. Among emergencies the more urgent and severe, then the more local,
    the later approval, the id. Among others: of priority bulletins those that the
    commune put in `order`, as it put them; then the higher issuing level, the earlier
    planned start (so the pieces of a programme keep their order), the later
    approval, the id.
    """
    rank = rank_of(item)
    if rank == EMERGENCY:
        return (
            -rank,
            item.urgency,
            item.severity,
            -item.level,
            -item.approved_at,
            item.id,
        )
    place = 0
    if rank == PRIORITY and order:
        known = item.broadcast in order
        place = order.index(item.broadcast) if known else len(order)
    return (-rank, place, item.level, item.starts_at, -item.approved_at, item.id)


def volume_at(volumes: Iterable[tuple[int, int, int]], at: int) -> int | None:
    """Return the percentage that holds at a moment; a later row wins. None: no row."""
    percent = None
    for start, end, value in volumes:
        if start <= at < end:
            percent = value
    return percent


def volume_of(decision: Decision, *, base: int) -> int:
    """Return the percentage for what sounds; `base` is the device's own.

    An hour of low volume never makes a real emergency quieter than the device is.
    """
    if decision.volume is None:
        return base
    if decision.item is not None and is_real_emergency(decision.item):
        return max(base, decision.volume)
    return decision.volume


def silence(situation: Situation, *, at: int, length_ms: int = 0) -> str:
    """Return why something below an emergency may not sound now, or nothing.

    `stopped`, `quiet`, or `clock` when it is quiet as far as the clock can tell.
    What is `length_ms` long may not run into quiet hours either.
    """
    if any(stop.issued_at <= at < stop.until for stop in situation.stops):
        return "stopped"
    hours = _Hours(situation, at)
    if not hours.reason and at + length_ms > hours.next_quiet:
        return "quiet"
    return hours.reason


def decide(situation: Situation, listener: Listener, *, at: int) -> Decision:
    """Say what this device sounds at `at`.

    1. Close what was cancelled, and what was on when a stop or quiet hours began.
    2. Of what may sound now, order by precedence.
    3. What is on keeps its place unless somebody may cut it.
    4. Say until when nothing changes by itself.
    """
    turn = _Turn(situation, prepare(situation.items, listener), at)
    turn.sort_all()
    winner, rule = turn.choose()
    waiting = [(row.id, "outranked") for row in turn.ready if row is not winner]
    return Decision(
        item=winner.item if winner else None,
        rendition=winner.rendition if winner else None,
        stream=winner.item.stream if winner else None,
        offset_ms=turn.offset(winner) if winner else 0,
        rule=rule,
        until=turn.horizon(winner),
        over=tuple(turn.over),
        waiting=(*waiting, *turn.blocked),
        volume=volume_at(situation.volumes, at),
    )


class _Hours:
    """Quiet hours as they lie around one moment, widened by the clock's doubt."""

    __slots__ = ("edge", "next_quiet", "reason")

    def __init__(self, situation: Situation, at: int) -> None:
        doubt, reason = situation.doubt_ms, ""
        edge = begins = FOREVER
        for start, end in situation.quiet:
            first, last = start - doubt, end + doubt
            if first > at:
                begins = min(begins, first)
                continue
            if at < last:
                edge = min(edge, last)
                if start <= at < end:
                    reason = "quiet"
                elif not reason:
                    reason = "clock"
                if at < start:
                    edge = min(edge, start)
                elif at < end:
                    edge = min(edge, end)
        # Empty, `quiet`, or `clock` when only doubt makes this moment quiet.
        self.reason = reason
        self.next_quiet = begins
        self.edge = min(edge, begins)


class _Turn:
    """One look at one instant; exists only while `decide` runs."""

    def __init__(self, situation: Situation, held: Prepared, at: int) -> None:
        self.situation = situation
        self.held = held
        self.at = at
        self.ready: list[_Row] = []
        self.over: list[Verdict] = []
        self.blocked: list[tuple[str, str]] = []
        self.edges: list[int] = [held.next_start(at)]
        self.stops = [s for s in situation.stops if s.issued_at <= at < s.until]
        self.hours = _Hours(situation, at)

    def progress(self, row: _Row) -> Progress:
        return self.situation.progress.get(row.id, NOTHING_YET)

    def sort_all(self) -> None:
        """Look at each item whose time has come; order those that could sound."""
        cancelled = self.situation.cancelled
        for item in self.held.named(cancelled) if cancelled else ():
            row = self.held.row(item)
            if not self.progress(row).ended:
                self.close(row, "cancelled", "cancelled")
        for item in self.held.begun(self.at):
            if item.id not in cancelled:
                self.sort(self.held.row(item))
        if len(self.ready) > 1:
            order = self.situation.order
            self.ready.sort(key=lambda row: precedence(row.item, order))

    def sort(self, row: _Row) -> None:
        """Put one item where it belongs at this instant."""
        progress = self.progress(row)
        if progress.ended:
            return
        is_on = row.id == self.situation.playing
        if self.remaining(row) <= 0:
            self.close_whole(row, is_on=is_on)
        elif is_on and self.silenced(row):
            self.close_silenced(row)
        elif progress.started_at and not is_on and row.item.after == "drop":
            self.close(row, "cut", "outranked")
        elif not is_on and not self.has_room(row):
            self.close(row, "cut" if progress.started_at else "missed", self.why(row))
        elif is_on and self.at >= row.item.ends_at:
            self.close(row, "cut", "window")
        else:
            self.admit(row, is_on=is_on)

    def admit(self, row: _Row, *, is_on: bool) -> None:
        """Let an item compete, or note what holds it back."""
        if not is_on:
            self.edges.append(self.last_start(row) + 1)
        reason = self.silenced(row)
        if not reason and row.id in self.situation.unready:
            reason = "source" if row.item.stream else "no_media"
        if reason:
            self.blocked.append((row.id, reason))
        else:
            self.ready.append(row)

    def close(self, row: _Row, outcome: str, cause: str) -> None:
        """Note that an item is over."""
        cause = "" if outcome == "finished" else cause
        self.over.append(Verdict(row.item, outcome, cause))

    def close_whole(self, row: _Row, *, is_on: bool) -> None:
        """Close what has no sound left; what fills its window must be on to the end."""
        if not self.progress(row).started_at:
            self.close(row, "missed", self.why(row))
        elif row.endless and not is_on:
            self.close(row, "cut", self.progress(row).blocked or "offline")
        else:
            self.close(row, "finished", "")

    def close_silenced(self, row: _Row) -> None:
        """Close what a stop, a quiet hour or the doubt of the clock ends."""
        reason = self.silenced(row)
        grain = min(self.situation.doubt_ms, GRAIN_MS)
        if reason == "clock" and self.remaining(row) <= grain:
            self.close(row, "finished", "")
        else:
            self.close(row, "stopped" if reason == "stopped" else "cut", reason)

    def silenced(self, row: _Row) -> str:
        """Return why an order of silence covers this item, or nothing."""
        for stop in self.stops:
            if not row.real or row.item.approved_at <= stop.issued_at:
                return "stopped"
        if row.real:
            return ""
        return self.hours.reason or ("rehearsal" if self.situation.rehearsing else "")

    def why(self, row: _Row) -> str:
        """Return why an item that was never heard was not: the cause of a miss."""
        last, starts = self.last_start(row), row.item.starts_at
        arrived = self.situation.held_since.get(row.id, 0)
        if max(arrived, self.situation.available_since) > max(last, starts):
            return "offline"
        blocked = self.progress(row).blocked
        if blocked:
            never_needed = blocked == "outranked" and row.rank == FILLER
            return "unneeded" if never_needed else blocked
        if not row.length:
            return "no_media"
        if row.id in self.situation.unready:
            return "source" if row.item.stream else "no_media"
        if any(start <= starts < end for start, end in self.situation.quiet):
            return "quiet"
        return "offline" if self.at > last + ON_TIME_MS else "outranked"

    def remaining(self, row: _Row) -> int:
        """Return the ms still to sound when the item were on from now."""
        if row.endless and row.length:
            return row.item.ends_at - self.at
        return row.length - self.position(row)

    def position(self, row: _Row) -> int:
        """Return where in its sound the item would go on."""
        late = self.at - row.item.starts_at
        if row.item.stream:
            return late
        sounded = self.progress(row).sounded_ms
        if row.item.after != "rejoin":
            return sounded
        if row.endless:
            return late
        if row.id == self.situation.playing:
            return sounded
        return late if late > ON_TIME_MS else sounded

    def offset(self, row: _Row) -> int:
        """Return the position, never beyond the sound; what loops begins again."""
        position = self.position(row)
        if row.rendition is None:
            return position
        if row.item.loop:
            return position % row.rendition.duration_ms
        return min(position, row.rendition.duration_ms)

    def last_start(self, row: _Row) -> int:
        """Return the latest moment at which what remains still fits its window.

        Half an alarm is better than none, half a bulletin is not: an emergency may
        begin until the end of its window. What rejoins may do so until its own end.
        """
        item = row.item
        if item.rank == "emergency" or row.endless:
            return item.ends_at - 1
        if item.after == "rejoin":
            return min(item.ends_at, item.starts_at + row.length) - 1
        return item.ends_at - self.remaining(row)

    def has_room(self, row: _Row) -> bool:
        """Say whether an item that is not on may begin now."""
        return self.at <= self.last_start(row)

    def fits(self, row: _Row) -> bool:
        """Say whether an item would end before the next quiet hour, too.

        The clock's doubt takes a second of its end at most, or it does not begin.
        """
        if row.real or row.endless or row.item.after == "rejoin":
            return True
        grain = min(self.situation.doubt_ms, GRAIN_MS)
        return self.at + self.remaining(row) <= self.hours.next_quiet + grain

    def choose(self) -> tuple[_Row | None, str]:
        """Return what sounds and the rule that decided."""
        on = next((r for r in self.ready if r.id == self.situation.playing), None)
        for row in [r for r in self.ready if r is not on and not self.fits(r)]:
            self.ready.remove(row)
            end = self.at + self.remaining(row)
            doubtful = end <= self.hours.next_quiet + self.situation.doubt_ms
            self.blocked.append((row.id, "clock" if doubtful else "quiet"))
        if not self.ready:
            if self.stops:
                return None, "stopped"
            quiet = "rehearsal" if self.situation.rehearsing else "nothing"
            return None, self.hours.reason or quiet
        best = self.ready[0]
        if on is None or best is on:
            return best, best.item.rank
        for row in self.ready:
            if row is not on and self.may_cut(row, on):
                return row, f"{row.item.rank}_cuts_{on.item.rank}"
        return on, on.item.rank

    def may_cut(self, row: _Row, on: _Row) -> bool:
        """Say whether an item may take the place of what is on, right now."""
        item = row.item
        if row.rank == on.rank:
            return row.rank == EMERGENCY and (item.urgency, item.severity) < (
                on.item.urgency,
                on.item.severity,
            )
        if row.rank < on.rank:
            return False
        if item.start == "cut" or on.rank == FILLER:
            return True
        if item.start == "wait":
            asked = max(item.starts_at, self.situation.held_since.get(item.id, 0))
            self.edges.append(asked + item.wait_ms)
            return self.at >= asked + item.wait_ms
        return False

    def horizon(self, winner: _Row | None) -> int:
        """Return the next moment at which the answer may change by itself."""
        at, edges = self.at, self.edges
        if winner:
            edges.append(at + max(1, self.remaining(winner)))
            edges.append(winner.item.ends_at)
        edges.append(self.hours.edge)
        for stop in self.situation.stops:
            edges += (stop.issued_at, stop.until)
        for start, end, _percent in self.situation.volumes:
            edges += (start, end)
        return min((edge for edge in edges if edge > at), default=FOREVER)


def _by_start(item: Item) -> tuple[int, str]:
    return item.starts_at, item.id


def _edition(item: Item) -> tuple[int, str]:
    """Order two items that say different things under one id: the later approval."""
    return item.approved_at, repr(item)


@dataclass(frozen=True)
class Segment:
    """A stretch `[starts_at, ends_at)` in which one item, or silence, is on."""

    starts_at: int
    ends_at: int
    item: Item | None
    offset_ms: int
    rule: str
    volume: int | None = None


def timeline(
    situation: Situation, listener: Listener, *, start: int, end: int
) -> Iterator[Segment | Verdict]:
    """Yield what would sound from `start` to `end`, and each item's fate in order.

    Segments touch each other and fill the span exactly: one item or silence at
    every instant. Neighbours of the same kind are not joined. What ends with the
    span itself is not closed.
    """
    held = prepare(situation.items, listener)
    progress = dict(situation.progress)
    playing, at = situation.playing, start
    while at < end:
        now = replace(situation, items=held, progress=progress, playing=playing)
        decision = decide(now, listener, at=at)
        yield from decision.over
        until = min(decision.until, end)
        item = decision.item
        yield Segment(
            at, until, item, decision.offset_ms, decision.rule, decision.volume
        )
        if decision.over:
            held = held.without({verdict.item.id for verdict in decision.over})
        _advance(progress, decision, at=at, until=until)
        playing, at = item.id if item else "", until


def _advance(
    progress: dict[str, Progress], decision: Decision, *, at: int, until: int
) -> None:
    """Write into `progress` that a decision was carried out from `at` to `until`."""
    for key, reason in decision.waiting:
        was = progress.get(key, NOTHING_YET)
        if was.blocked != reason:
            progress[key] = replace(was, blocked=reason)
    if decision.item:
        key = decision.item.id
        progress[key] = advanced(
            progress.get(key, NOTHING_YET), decision, at=at, until=until
        )


def advanced(was: Progress, decision: Decision, *, at: int, until: int) -> Progress:
    """Return the progress of what a decision let sound from `at` to `until`."""
    item = decision.item
    heard = item is not None and is_endless(item)
    begin = was.sounded_ms if heard else decision.offset_ms
    return replace(was, started_at=was.started_at or at, sounded_ms=begin + until - at)

"""Which item sounds on one device at one instant. Pure: no clock, no I/O, no coin.

Server preview and device run this same code, so what an officer is shown is what
the speaker does. `docs/explanation/how-a-slot-wins.md` tells the rules in words.

`decide` looks at one instant and says three things: what sounds, what is over (and
why), and until when this answer holds if nothing new arrives. `timeline` folds it
over a span of time. All times are ms since 1970, UTC.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from nguon.core.messages import Item, Rendition, Stop

RANK = {
    "filler": 0,
    "programme": 1,
    "relay": 2,
    "priority": 3,
    "live": 4,
    "emergency": 5,
}
EMERGENCY = RANK["emergency"]
# A start this late is still "on time": the clock's grain, not an absence.
ON_TIME_MS = 2_000
FOREVER = 2**53


@dataclass(frozen=True)
class Listener:
    """The device as the rules see it; `units` are its own unit and all above."""

    device: str
    units: frozenset[str]
    languages: tuple[str, ...] = ("vi",)


@dataclass(frozen=True)
class Progress:
    """What has become of one item on this device.

    `sounded_ms` counts what was heard; `blocked` is the latest reason why it had
    to wait, which becomes the cause when its time has passed.
    """

    started_at: int = 0
    sounded_ms: int = 0
    ended: bool = False
    blocked: str = ""


NOTHING_YET = Progress()


@dataclass(frozen=True)
class Situation:
    """Everything the device holds and knows.

    `held_since` tells when an item arrived (0 when it was there before its time),
    `available_since` when the device was switched on, `unready` whose sound has not
    been fetched yet, `playing` what is on right now.
    """

    items: tuple[Item, ...]
    progress: Mapping[str, Progress] = field(default_factory=dict)
    playing: str = ""
    cancelled: frozenset[str] = frozenset()
    stops: tuple[Stop, ...] = ()
    quiet: tuple[tuple[int, int], ...] = ()
    unready: frozenset[str] = frozenset()
    held_since: Mapping[str, int] = field(default_factory=dict)
    available_since: int = 0


@dataclass(frozen=True)
class Verdict:
    """An item that will not sound (any more): its outcome and the cause."""

    item: Item
    outcome: str
    cause: str


@dataclass(frozen=True)
class Decision:
    """What sounds from now on, and `rule`, the reason, as a stable word.

    `until`: ask again then at the latest. `over`: items to close and report now.
    `waiting`: items whose time it is but which must wait, with the reason.
    """

    item: Item | None
    rendition: Rendition | None
    offset_ms: int
    rule: str
    until: int
    over: tuple[Verdict, ...] = ()
    waiting: tuple[tuple[str, str], ...] = ()


def is_real_emergency(item: Item) -> bool:
    """Say whether an item may break silence. A drill is not an emergency."""
    return item.rank == "emergency" and not item.drill


def rank_of(item: Item) -> int:
    """Return the rank that decides; a drill counts as a priority bulletin."""
    if item.rank == "emergency" and item.drill:
        return RANK["priority"]
    return RANK[item.rank]


def precedence(item: Item) -> tuple[int | str, ...]:
    """Return the sort key of items that could sound now; the smallest wins.

    Rank first. Among emergencies the more urgent and severe, then the more local;
    among others the higher issuing level. Then the later approval, then the id.
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
    return (-rank, 0, 0, item.level, -item.approved_at, item.id)


def decide(situation: Situation, listener: Listener, *, at: int) -> Decision:
    """Say what this device sounds at `at`.

    1. Close what was cancelled, and what was on when a stop or quiet hours began.
    2. Of what may sound now, order by precedence.
    3. What is on keeps its place unless somebody may cut it.
    4. Say until when nothing changes by itself.
    """
    turn = _Turn(situation, listener, at)
    for item in turn.items:
        turn.sort(item)
    turn.ready.sort(key=precedence)
    winner, rule = turn.choose()
    waiting = [(item.id, "outranked") for item in turn.ready if item is not winner]
    rendition = winner.rendition(listener.languages) if winner else None
    return Decision(
        item=winner,
        rendition=rendition,
        offset_ms=turn.offset(winner, rendition) if winner and rendition else 0,
        rule=rule,
        until=turn.horizon(winner),
        over=tuple(turn.over),
        waiting=(*waiting, *turn.blocked),
    )


class _Turn:
    """One look at one instant; exists only while `decide` runs."""

    def __init__(self, situation: Situation, listener: Listener, at: int) -> None:
        self.situation = situation
        self.listener = listener
        self.at = at
        self.items = _for_listener(situation.items, listener)
        self.ready: list[Item] = []
        self.over: list[Verdict] = []
        self.blocked: list[tuple[str, str]] = []
        self.edges: list[int] = []
        self.stops = [s for s in situation.stops if s.issued_at <= at < s.until]
        self.is_quiet = any(start <= at < end for start, end in situation.quiet)

    def progress(self, item: Item) -> Progress:
        return self.situation.progress.get(item.id, NOTHING_YET)

    def sort(self, item: Item) -> None:
        """Put one item where it belongs at this instant."""
        progress = self.progress(item)
        if progress.ended:
            return
        is_on = item.id == self.situation.playing
        if item.id in self.situation.cancelled:
            self.close(item, "cancelled", "cancelled")
        elif self.at < item.starts_at:
            self.edges.append(item.starts_at)
        elif is_on and self.silenced(item):
            outcome = "stopped" if self.silenced(item) == "stopped" else "cut"
            self.close(item, outcome, self.silenced(item))
        elif progress.started_at and not is_on and item.after == "drop":
            self.close(item, "cut", "outranked")
        elif self.remaining(item) <= 0:
            self.close(
                item, "finished" if progress.started_at else "missed", self.why(item)
            )
        elif not is_on and not self.has_room(item):
            self.close(item, "cut" if progress.started_at else "missed", self.why(item))
        elif is_on and self.at >= item.ends_at:
            self.close(item, "cut", "window")
        else:
            self.admit(item)

    def admit(self, item: Item) -> None:
        """Let an item compete, or note what holds it back."""
        if item.id != self.situation.playing:
            self.edges.append(self.last_start(item) + 1)
        reason = self.silenced(item)
        if not reason and item.id in self.situation.unready:
            reason = "no_media"
        if reason:
            self.blocked.append((item.id, reason))
        else:
            self.ready.append(item)

    def close(self, item: Item, outcome: str, cause: str) -> None:
        """Note that an item is over."""
        self.over.append(Verdict(item, outcome, "" if outcome == "finished" else cause))

    def silenced(self, item: Item) -> str:
        """Return `stopped` or `quiet` when an order of silence covers this item."""
        real = is_real_emergency(item)
        if any(not real or item.approved_at <= stop.issued_at for stop in self.stops):
            return "stopped"
        return "quiet" if self.is_quiet and not real else ""

    def why(self, item: Item) -> str:
        """Return why an item that was never heard was not: the cause of a miss."""
        last = self.last_start(item)
        arrived = self.situation.held_since.get(item.id, 0)
        if max(arrived, self.situation.available_since) > max(last, item.starts_at):
            return "offline"
        blocked = self.progress(item).blocked
        if blocked:
            return blocked
        if item.id in self.situation.unready or not self.duration(item):
            return "no_media"
        starts = item.starts_at
        if any(start <= starts < end for start, end in self.situation.quiet):
            return "quiet"
        return "offline" if self.at > last + ON_TIME_MS else "outranked"

    def duration(self, item: Item) -> int:
        rendition = item.rendition(self.listener.languages)
        return rendition.duration_ms if rendition else 0

    def remaining(self, item: Item) -> int:
        """Return the ms still to sound when the item were on from now."""
        return self.duration(item) - self.position(item)

    def position(self, item: Item) -> int:
        """Return where in its sound the item would go on."""
        progress = self.progress(item)
        if item.id == self.situation.playing or item.after != "rejoin":
            return progress.sounded_ms
        late = self.at - item.starts_at
        return late if late > ON_TIME_MS else progress.sounded_ms

    def offset(self, item: Item, rendition: Rendition) -> int:
        """Return the position, never beyond the sound."""
        return min(self.position(item), rendition.duration_ms)

    def must_end(self, item: Item) -> int:
        """Return when an item must be silent: its window, or the next quiet hour."""
        if is_real_emergency(item):
            return item.ends_at
        starts = [start for start, _end in self.situation.quiet if start > self.at]
        return min([item.ends_at, *starts])

    def last_start(self, item: Item) -> int:
        """Return the latest moment at which what remains still fits its window.

        Half an alarm is better than none, half a bulletin is not: an emergency may
        begin until the end of its window. What rejoins may do so until its own end.
        """
        if item.rank == "emergency":
            return item.ends_at - 1
        if item.after == "rejoin":
            return min(item.ends_at, item.starts_at + self.duration(item)) - 1
        return item.ends_at - self.remaining(item)

    def has_room(self, item: Item) -> bool:
        """Say whether an item that is not on may begin now."""
        return self.at <= self.last_start(item)

    def fits(self, item: Item) -> bool:
        """Say whether an item would end before the next quiet hour, too."""
        if is_real_emergency(item) or item.after == "rejoin":
            return True
        return self.at + self.remaining(item) <= self.must_end(item)

    def choose(self) -> tuple[Item | None, str]:
        """Return what sounds and the rule that decided."""
        on = next((i for i in self.ready if i.id == self.situation.playing), None)
        for item in list(self.ready):
            if item is not on and not self.fits(item):
                self.ready.remove(item)
                self.blocked.append((item.id, "quiet"))
        if not self.ready:
            if self.stops:
                return None, "stopped"
            return None, "quiet" if self.is_quiet else "nothing"
        best = self.ready[0]
        if on is None or best is on:
            return best, best.rank
        if self.may_cut(best, on):
            return best, f"{best.rank}_cuts_{on.rank}"
        rivals = [i for i in self.ready if i is not on and self.may_cut(i, on)]
        return (
            (rivals[0], f"{rivals[0].rank}_cuts_{on.rank}") if rivals else (on, on.rank)
        )

    def may_cut(self, item: Item, on: Item) -> bool:
        """Say whether an item may take the place of what is on, right now."""
        if rank_of(item) == rank_of(on):
            both = rank_of(item) == EMERGENCY
            return both and (item.urgency, item.severity) < (on.urgency, on.severity)
        if rank_of(item) < rank_of(on):
            return False
        if item.start == "wait":
            asked = max(item.starts_at, self.situation.held_since.get(item.id, 0))
            self.edges.append(asked + item.wait_ms)
            return self.at >= asked + item.wait_ms
        return item.start == "cut"

    def horizon(self, winner: Item | None) -> int:
        """Return the next moment at which the answer may change by itself."""
        edges = self.edges
        if winner:
            edges.append(self.at + max(1, self.remaining(winner)))
            edges.append(winner.ends_at)
        edges.extend(edge for pair in self.situation.quiet for edge in pair)
        edges.extend(e for s in self.situation.stops for e in (s.issued_at, s.until))
        return min((edge for edge in edges if edge > self.at), default=FOREVER)


def _for_listener(items: Iterable[Item], listener: Listener) -> list[Item]:
    """Return each item meant for this device once, though several plans carry it."""
    meant: dict[str, Item] = {}
    for item in items:
        if item.audience.includes(device=listener.device, units=listener.units):
            meant.setdefault(item.id, item)
    return [meant[key] for key in sorted(meant)]


@dataclass(frozen=True)
class Segment:
    """A stretch `[starts_at, ends_at)` in which one item, or silence, is on."""

    starts_at: int
    ends_at: int
    item: Item | None
    offset_ms: int
    rule: str


def timeline(
    situation: Situation, listener: Listener, *, start: int, end: int
) -> Iterator[Segment | Verdict]:
    """Yield what would sound from `start` to `end`, and each item's fate in order.

    Segments touch each other and fill the span exactly: one item or silence at
    every instant. Neighbours of the same kind are not joined.
    """
    at = start
    while at < end:
        decision = decide(situation, listener, at=at)
        yield from decision.over
        until = min(decision.until, end)
        item = decision.item
        yield Segment(at, until, item, decision.offset_ms, decision.rule)
        situation = _advance(situation, decision, at=at, until=until)
        at = until


def _advance(
    situation: Situation, decision: Decision, *, at: int, until: int
) -> Situation:
    """Return the situation after `decision` has been carried out from at to until."""
    progress = dict(situation.progress)
    for key, reason in decision.waiting:
        progress[key] = replace(progress.get(key, NOTHING_YET), blocked=reason)
    for verdict in decision.over:
        key = verdict.item.id
        progress[key] = replace(progress.get(key, NOTHING_YET), ended=True)
    playing = ""
    if decision.item and decision.rendition:
        playing = decision.item.id
        before = progress.get(playing, NOTHING_YET)
        sounded = decision.offset_ms + until - at
        finished = sounded >= decision.rendition.duration_ms
        progress[playing] = replace(
            before,
            started_at=before.started_at or at,
            sounded_ms=sounded,
            ended=finished,
        )
        playing = "" if finished else playing
    return replace(situation, progress=progress, playing=playing)

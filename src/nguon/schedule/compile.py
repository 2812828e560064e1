"""From papers to what devices are given: slots × days × programmes → items and hours.

Asks no database and no clock: `papers.Shelf` holds all that it reads. An occurrence
that began before its papers were approved does not begin any more; one that was
planned already (`known`) goes on under the newer paper.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from nguon.core.messages import Audience, Hours, Item, Rendition, Stream
from nguon.schedule import checks, places, recurrence, rules, station
from nguon.schedule.items import list_renditions, longest_ms, milliseconds
from nguon.schedule.models import Airing, Broadcast, Paper
from nguon.schedule.papers import Shelf, default_quiet
from nguon.schedule.station import WHOLE, Entry, Quiet, Slot, StationRules, Volume
from nguon.territory.models import Unit

DAY = timedelta(days=1)
# A device needs a moment to begin; without it the last piece of a slot that is booked
# to the second would never have room. Quiet hours give none.
SLACK = timedelta(seconds=60)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Planned:
    """One item and the (unsaved) airing that the server knows it by."""

    item: Item
    airing: Airing


@dataclass(frozen=True)
class Span:
    """The window `[begin, end)` of a plan: whole local days."""

    begin: datetime
    end: datetime

    @classmethod
    def around(cls, at: datetime) -> "Span":
        """Return the window that a plan made at `at` has: it moves once a day."""
        today = datetime.combine(at.astimezone(rules.LOCAL), time(0), rules.LOCAL)
        return cls(today - rules.PAST, today + rules.WINDOW)

    @property
    def days(self) -> list[date]:
        """The local days of which something may touch the window."""
        first = self.begin.astimezone(rules.LOCAL).date() - DAY
        count = (self.end.astimezone(rules.LOCAL).date() - first).days
        return [first + n * DAY for n in range(count)]


@dataclass(frozen=True)
class Occurrence:
    """One return of a slot: `[starts_at, ends_at)`, by which rules."""

    slot: Slot
    paper: Paper
    day: date
    starts_at: datetime
    ends_at: datetime


def list_occurrences(unit: Unit, shelf: Shelf, span: Span) -> Iterator[Occurrence]:
    """Yield every return of a station's slots that touches the window."""
    days = span.days
    for paper in shelf.papers.get(unit.pk, ()):
        if paper.kind != station.RULES:
            continue
        held = {day for day in days if shelf.pick(unit.pk, paper.kind, day) is paper}
        body: StationRules = shelf.bodies[paper.pk]
        for slot in body.slots if held else ():
            begin = checks.begin_of(body, slot)
            for day in recurrence.days_between(
                slot.repeat, begin=days[0], end=days[-1] + DAY
            ):
                starts = datetime.combine(day, begin, rules.LOCAL)
                ends = starts + timedelta(minutes=slot.minutes)
                if day in held and ends > span.begin and starts < span.end:
                    yield Occurrence(slot, paper, day, starts, ends)


def compile_station(
    unit: Unit, shelf: Shelf, span: Span, *, known: Collection[str]
) -> list[Planned]:
    """Return what a station's papers let sound in the window, in order.

    `known` are the items that its plans had already.
    """
    maker = _Maker(unit, shelf, known)
    for occurrence in list_occurrences(unit, shelf, span):
        if occurrence.slot.kind == "relay":
            maker.relay(occurrence)
        else:
            maker.fill(occurrence)
    return sorted(maker.planned, key=lambda row: (row.item.starts_at, row.item.id))


class _Maker:
    """Makes the items of one station; exists only while it is compiled."""

    def __init__(self, unit: Unit, shelf: Shelf, known: Collection[str]) -> None:
        self.unit = unit
        self.shelf = shelf
        self.known = known
        self.whole = Audience(units=(unit.uid,))
        self.planned: list[Planned] = []
        self.named: Counter[str] = Counter()
        self.sounds: dict[str, tuple[tuple[Rendition, ...], int]] = {}
        self.lengths = {
            uid: self.sound(row)[1]
            for (key, uid), row in shelf.materials.items()
            if key == unit.pk
        }

    def sound(self, row: Broadcast) -> tuple[tuple[Rendition, ...], int]:
        """Return a material's sounds and its length in ms, read once."""
        if row.uid not in self.sounds:
            renditions = list_renditions(row.version)
            self.sounds[row.uid] = renditions, longest_ms(renditions)
        return self.sounds[row.uid]

    def fill(self, occurrence: Occurrence) -> None:
        """Put the programme of the day into its slot; without one the gap stays."""
        slot, day = occurrence.slot, occurrence.day
        paper = self.shelf.pick(self.unit.pk, station.PROGRAMME, day, slot.id)
        if paper is None:
            return
        body = self.shelf.bodies[paper.pk]
        for entry, heard, start, length in self.lay_out(body.entries, slot):
            begin = occurrence.starts_at + timedelta(milliseconds=start)
            if begin >= occurrence.ends_at:
                continue
            if entry.kind == "relay":
                ends = begin + timedelta(milliseconds=length)
                self.add_stream(occurrence, paper, entry.source, heard, begin, ends)
            else:
                material = self.shelf.materials[self.unit.pk, entry.material]
                self.add(occurrence, paper, material, heard, begin)

    def lay_out(
        self, entries: Sequence[Entry], slot: Slot
    ) -> list[tuple[Entry, Audience, int, int]]:
        """Return the entries that may still sound, one after another.

        A material that was called off since leaves, and the rest moves up.
        """
        lasting = tuple(
            entry
            for entry in entries
            if (entry.kind == "relay" or self.lengths.get(entry.material))
            and places.narrow(slot.places, entry.places, self.shelf.where) is not None
        )
        body = station.Programme(slot.id, lasting)
        return checks.lay_out(body, self.lengths, slot=slot, where=self.shelf.where)

    def relay(self, occurrence: Occurrence) -> None:
        """Put the stream of a relay slot, and what sounds when it is silent."""
        slot = occurrence.slot
        self.add_stream(
            occurrence,
            occurrence.paper,
            slot.source,
            slot.places,
            occurrence.starts_at,
            occurrence.ends_at,
        )

    def add_stream(
        self,
        occurrence: Occurrence,
        paper: Paper,
        source: str,
        heard: Audience,
        begin: datetime,
        ends: datetime,
    ) -> None:
        """Add a relay while its source is on the register, and its fallback."""
        slot = occurrence.slot
        found = self.shelf.source(source, occurrence.day)
        if found is not None:
            body = self.shelf.bodies[found.pk]
            self.keep(
                occurrence,
                paper,
                _Piece(
                    name=found.uid,
                    title=body.name,
                    rank="relay",
                    start=slot.start,
                    wait_ms=slot.wait_seconds * 1000,
                    after="rejoin",
                    sha256=found.sha256,
                    stream=Stream(found.uid, body.kind, body.url),
                ),
                heard,
                begin,
                ends,
            )
        fallback = self.shelf.materials.get((self.unit.pk, slot.fallback))
        if fallback is not None and self.sound(fallback)[1]:
            piece = self.piece_of(fallback, rank="filler", start="next", loop=True)
            self.keep(occurrence, paper, piece, heard, begin, ends)

    def add(
        self,
        occurrence: Occurrence,
        paper: Paper,
        material: Broadcast,
        heard: Audience,
        begin: datetime,
    ) -> None:
        """Add a material at its place in the programme."""
        klass = material.version.klass
        rank = "priority" if klass == "priority" else "programme"
        slot = occurrence.slot
        piece = self.piece_of(
            material,
            rank=rank,
            start=slot.start,
            wait_ms=slot.wait_seconds * 1000,
            after=slot.after,
        )
        ends = max(
            occurrence.ends_at,
            begin + timedelta(milliseconds=self.sound(material)[1]),
        )
        self.keep(occurrence, paper, piece, heard, begin, ends + SLACK)

    def piece_of(
        self,
        material: Broadcast,
        *,
        rank: str,
        start: str,
        wait_ms: int = 0,
        after: str = "resume",
        loop: bool = False,
    ) -> "_Piece":
        """Return what an item says of a material."""
        version = material.version
        return _Piece(
            name=material.uid,
            title=version.shown_title,
            text=version.shown_text,
            bulletin=version.bulletin.uid,
            rank=rank,
            start=start,
            wait_ms=wait_ms,
            after=after,
            sha256=material.sha256,
            renditions=self.sound(material)[0],
            loop=loop,
            broadcast=material,
        )

    def keep(
        self,
        occurrence: Occurrence,
        paper: Paper,
        piece: "_Piece",
        heard: Audience,
        begin: datetime,
        ends: datetime,
    ) -> None:
        """Make the item and its airing, unless it would have begun before its paper."""
        starts = milliseconds(begin)
        name = f"{piece.name}.{_short(starts)}.{self.unit.uid}"
        twice = self.named[name]
        self.named[name] += 1
        item = f"{name}.{twice}" if twice else name
        approved = max(
            moment
            for moment in (
                paper.approved_at,
                occurrence.paper.approved_at,
                piece.broadcast.approved_at if piece.broadcast else None,
            )
            if moment is not None
        )
        if begin < approved and item not in self.known:
            return
        title = piece.title if piece.broadcast is None else ""
        airing = Airing(
            item=item,
            broadcast=piece.broadcast,
            paper=paper,
            unit=self.unit,
            title=title,
            slot=occurrence.slot.id,
            starts_at=begin,
            ends_at=ends,
        )
        shown = ends if piece.broadcast is None else begin + rules.SHOWN_FOR
        self.planned.append(
            Planned(
                Item(
                    id=item,
                    broadcast=piece.broadcast.uid if piece.broadcast else "",
                    bulletin=piece.bulletin,
                    title=piece.title,
                    text=piece.text,
                    rank=piece.rank,
                    starts_at=starts,
                    ends_at=milliseconds(ends),
                    shown_until=milliseconds(shown),
                    approved_at=milliseconds(approved),
                    content_sha256=piece.sha256,
                    audience=self.whole if heard == WHOLE else heard,
                    renditions=piece.renditions,
                    start=piece.start,
                    wait_ms=piece.wait_ms,
                    after=piece.after,
                    level=self.unit.level,
                    stream=piece.stream,
                    loop=piece.loop,
                    slot=occurrence.slot.id,
                    paper=paper.uid,
                ),
                airing,
            )
        )


@dataclass(frozen=True)
class _Piece:
    """What an item says apart from when and where."""

    name: str
    title: str
    rank: str
    start: str
    after: str
    sha256: str
    text: str = ""
    bulletin: str = ""
    wait_ms: int = 0
    renditions: tuple[Rendition, ...] = ()
    stream: Stream | None = None
    loop: bool = False
    broadcast: Broadcast | None = None


def _short(number: int) -> str:
    """Return a number in base 36: the name of an item has 40 characters at most."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits


# --- hours -------------------------------------------------------------------------

Interval = tuple[int, int]
Loud = tuple[int, int, int]


@dataclass(frozen=True)
class PlanHours:
    """The hours of a plan: for all its devices, and for some of them."""

    quiet: tuple[Interval, ...] = ()
    volumes: tuple[Loud, ...] = ()
    local: tuple[Hours, ...] = ()


def compile_hours(unit: Unit, shelf: Shelf, span: Span) -> PlanHours:
    """Return the quiet hours and volumes of a station over the window.

    Each day by the rules that hold on it; without any, by those from above.
    """
    quiet: defaultdict[Audience, set[Interval]] = defaultdict(set)
    louder: list[tuple[int, Audience, Loud]] = []
    for day in span.days:
        kept, volumes = _hours_on(unit, shelf, day)
        for one in kept:
            quiet[one.places] |= _interval(one.begin, one.end, day, span)
        for index, volume in enumerate(volumes):
            louder += [
                (index, volume.places, (*interval, volume.percent))
                for interval in _interval(volume.begin, volume.end, day, span)
            ]
    # A later volume of the list wins, so the list's order goes before the days'.
    louder.sort(key=lambda row: row[0])
    loud: defaultdict[Audience, list[Loud]] = defaultdict(list)
    for _index, heard, triple in louder:
        loud[heard].append(triple)
    some = sorted((quiet.keys() | loud.keys()) - {WHOLE}, key=repr)
    return PlanHours(
        quiet=tuple(sorted(quiet[WHOLE])),
        volumes=tuple(loud[WHOLE]),
        local=tuple(
            Hours(heard, tuple(sorted(quiet[heard])), tuple(loud[heard]))
            for heard in some
        ),
    )


def compile_default_hours(
    unit: Unit,
    stations: Sequence[Unit],
    shelf: Shelf,
    span: Span,
    *,
    own_devices: Sequence[str],
) -> PlanHours:
    """Return the quiet hours of a plan from above.

    They are for stations without rules of their own: who has rules keeps those, also
    where they are shorter. While no station has any, they are for all; else the
    stations are named, and the devices that stand in no station.
    """
    days = span.days
    without = {
        one.pk: [d for d in days if not shelf.pick(one.pk, station.RULES, d)]
        for one in stations
    }
    if all(len(free) == len(days) for free in without.values()):
        return compile_hours(unit, shelf, span)
    groups: defaultdict[tuple[Interval, ...], list[str]] = defaultdict(list)
    for one in stations:
        groups[_default_quiet(unit, shelf, without[one.pk], span)].append(one.uid)
    local = [
        Hours(Audience(units=tuple(sorted(uids))), quiet)
        for quiet, uids in sorted(groups.items())
        if quiet
    ]
    every = _default_quiet(unit, shelf, days, span)
    if own_devices and every:
        local.append(Hours(Audience(devices=tuple(sorted(own_devices))), every))
    return PlanHours(local=tuple(local))


def _default_quiet(
    unit: Unit, shelf: Shelf, days: Sequence[date], span: Span
) -> tuple[Interval, ...]:
    found: set[Interval] = set()
    for day in days:
        for one in _hours_on(unit, shelf, day)[0]:
            found |= _interval(one.begin, one.end, day, span)
    return tuple(sorted(found))


def _hours_on(
    unit: Unit, shelf: Shelf, day: date
) -> tuple[Sequence[Quiet], Sequence[Volume]]:
    """Return the quiet hours and volumes of a day: own rules, else the nearest above.

    From above come only the quiet hours, and only those meant for all.
    """
    for key in reversed(unit.ancestor_ids):
        paper = shelf.pick(key, station.RULES, day)
        if paper is None:
            continue
        body: StationRules = shelf.bodies[paper.pk]
        if key == unit.pk:
            return body.quiet, body.volumes
        return [one for one in body.quiet if one.places == WHOLE], ()
    return default_quiet(), ()


def _interval(begin: time, end: time, day: date, span: Span) -> set[Interval]:
    """Return the stretch of a day's hours, when it touches the window."""
    over = day if end > begin else day + DAY
    start = datetime.combine(day, begin, rules.LOCAL)
    stop = datetime.combine(over, end, rules.LOCAL)
    if stop <= span.begin or start >= span.end:
        return set()
    return {(milliseconds(start), milliseconds(stop))}


def compile_order(unit: Unit, shelf: Shelf, day: date) -> tuple[str, ...]:
    """Return the order of priority bulletins that a commune has in force on a day."""
    paper = shelf.pick(unit.pk, station.ORDER, day)
    if paper is None:
        return ()
    broadcasts: tuple[str, ...] = shelf.bodies[paper.pk].broadcasts
    return broadcasts

"""From papers to what devices are given: slots × days × programmes → items and hours.

Asks no database and no clock: `papers.Shelf` holds all that it reads. An occurrence
that began before its papers were approved does not begin any more; one that was
planned already (`known`) goes on under the newer paper.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from nguon.core.messages import Audience, Hours, Item, Picture, Rendition, Stream
from nguon.schedule import checks, places, recurrence, rules, station
from nguon.schedule.items import list_pictures, milliseconds
from nguon.schedule.models import Broadcast, Paper
from nguon.schedule.papers import Shelf, default_quiet
from nguon.schedule.station import (
    WHOLE,
    Programme,
    Quiet,
    Slot,
    Source,
    StationRules,
    Volume,
)
from nguon.territory.models import Unit

DAY = timedelta(days=1)
# A device needs a moment to begin; without it the last piece of a slot that is booked
# to the second would never have room. Quiet hours give none.
SLACK_MS = 60_000
SHOWN_MS = rules.SHOWN_FOR // timedelta(milliseconds=1)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Planned:
    """One item, and the rows by which the server knows it: its reason, in keys."""

    item: Item
    unit_id: int
    paper_id: int
    broadcast_id: int | None


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


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One return of a slot, `[starts_at, ends_at)` in ms, by which rules."""

    slot: Slot
    paper: Paper
    day: date
    starts_at: int
    ends_at: int


def list_occurrences(unit: Unit, shelf: Shelf, span: Span) -> Iterator[Occurrence]:
    """Yield every return of a station's slots that touches the window."""
    days = span.days
    first, last = milliseconds(span.begin), milliseconds(span.end)
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
                starts = milliseconds(datetime.combine(day, begin, rules.LOCAL))
                ends = starts + slot.minutes * 60_000
                if day in held and ends > first and starts < last:
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


@dataclass(frozen=True, slots=True)
class _Piece:
    """What an item says apart from when; the same on every day of a slot.

    `offset` is where it begins in its slot, `length` how long it is booked for, in
    ms; it may sound until `slack` after the slot's end.
    """

    name: str
    title: str
    rank: str
    start: str
    after: str
    sha256: str
    heard: Audience
    paper: Paper
    approved_at: int
    offset: int
    length: int
    wait_ms: int = 0
    text: str = ""
    bulletin: str = ""
    broadcast: str = ""
    broadcast_id: int | None = None
    renditions: tuple[Rendition, ...] = ()
    pictures: tuple[Picture, ...] = ()
    stream: Stream | None = None
    loop: bool = False

    @property
    def is_timed(self) -> bool:
        """Say whether it is as long as its window: a stream, or what fills in."""
        return self.stream is not None or self.loop


class _Maker:
    """Makes the items of one station; exists only while it is compiled."""

    def __init__(self, unit: Unit, shelf: Shelf, known: Collection[str]) -> None:
        self.unit = unit
        self.shelf = shelf
        self.known = known
        self.whole = Audience(units=(unit.uid,))
        self.planned: list[Planned] = []
        self.named: Counter[str] = Counter()
        self.pieces: dict[tuple[object, ...], list[_Piece]] = {}

    def fill(self, occurrence: Occurrence) -> None:
        """Put the programme of the day into its slot; without one the gap stays."""
        slot, day = occurrence.slot, occurrence.day
        paper = self.shelf.pick(self.unit.pk, station.PROGRAMME, day, slot.id)
        if paper is None:
            return
        body: Programme = self.shelf.bodies[paper.pk]
        sources = tuple(self._source_on(entry.source, day) for entry in body.entries)
        key = (occurrence.paper.pk, paper.pk, slot.id, sources)
        if key not in self.pieces:
            self.pieces[key] = list(self._lay_out(occurrence, paper, body))
        for piece in self.pieces[key]:
            self.keep(occurrence, piece)

    def relay(self, occurrence: Occurrence) -> None:
        """Put the stream of a relay slot, and what sounds when it is silent."""
        slot, paper = occurrence.slot, occurrence.paper
        key = (paper.pk, slot.id, self._source_on(slot.source, occurrence.day))
        if key not in self.pieces:
            length = occurrence.ends_at - occurrence.starts_at
            self.pieces[key] = list(
                self._stream(occurrence, paper, slot.source, slot.places, 0, length)
            )
        for piece in self.pieces[key]:
            self.keep(occurrence, piece)

    def _source_on(self, uid: str, day: date) -> int:
        source = self.shelf.source(uid, day) if uid else None
        return source.pk if source else 0

    def _lay_out(
        self, occurrence: Occurrence, paper: Paper, body: Programme
    ) -> Iterator[_Piece]:
        """Yield the pieces of a programme, one after another.

        A material that was called off since leaves, and the rest moves up.
        """
        slot, shelf = occurrence.slot, self.shelf
        lengths = {
            entry.material: shelf.lengths.get(entry.material, 0)
            for entry in body.entries
            if (self.unit.pk, entry.material) in shelf.materials
        }
        lasting = tuple(
            entry
            for entry in body.entries
            if (entry.kind == "relay" or lengths.get(entry.material))
            and places.narrow(slot.places, entry.places, shelf.where) is not None
        )
        for entry, heard, start, length in checks.lay_out(
            Programme(slot.id, lasting), lengths, slot=slot, where=shelf.where
        ):
            if start >= slot.minutes * 60_000:
                continue
            if entry.kind == "relay":
                yield from self._stream(
                    occurrence, paper, entry.source, heard, start, length
                )
            else:
                yield self._material(occurrence, paper, entry.material, heard, start)

    def _material(
        self,
        occurrence: Occurrence,
        paper: Paper,
        uid: str,
        heard: Audience,
        offset: int,
        *,
        filler_ms: int = 0,
    ) -> _Piece:
        """Return a material at its place; with `filler_ms` as what fills in so long."""
        slot, material = occurrence.slot, self.shelf.materials[self.unit.pk, uid]
        version = material.version
        rank = "priority" if version.klass == "priority" else "programme"
        return _Piece(
            name=uid,
            title=version.shown_title,
            text=version.shown_text,
            bulletin=version.bulletin.uid,
            broadcast=uid,
            broadcast_id=material.pk,
            rank="filler" if filler_ms else rank,
            start="next" if filler_ms else slot.start,
            wait_ms=0 if filler_ms else slot.wait_seconds * 1000,
            after="resume" if filler_ms else slot.after,
            sha256=material.sha256,
            heard=heard,
            paper=paper,
            approved_at=_latest(paper, occurrence.paper, material),
            offset=offset,
            length=filler_ms or self.shelf.lengths[uid],
            renditions=self.shelf.sounds[uid],
            pictures=list_pictures(version),
            loop=bool(filler_ms),
        )

    def _stream(
        self,
        occurrence: Occurrence,
        paper: Paper,
        source: str,
        heard: Audience,
        offset: int,
        length: int,
    ) -> Iterator[_Piece]:
        """Yield a relay while its source is on the register, and its fallback."""
        slot = occurrence.slot
        found = self.shelf.source(source, occurrence.day)
        if found is not None:
            body: Source = self.shelf.bodies[found.pk]
            yield _Piece(
                name=found.uid,
                title=body.name,
                rank="relay",
                start=slot.start,
                wait_ms=slot.wait_seconds * 1000,
                after="rejoin",
                sha256=found.sha256,
                heard=heard,
                paper=paper,
                approved_at=_latest(paper, occurrence.paper, found),
                offset=offset,
                length=length,
                stream=self._line(found, body),
            )
        if (self.unit.pk, slot.fallback) in self.shelf.materials:
            yield self._material(
                occurrence, paper, slot.fallback, heard, offset, filler_ms=length
            )

    def _line(self, source: Paper, body: Source) -> Stream:
        """Return from where devices fetch a source: itself, or this server."""
        if source.pk in self.shelf.by_server:
            path = rules.RELAY_PATH.format(uid=source.uid)
            return Stream(source.uid, "hls", path)
        return Stream(source.uid, body.kind, body.url)

    def keep(self, occurrence: Occurrence, piece: _Piece) -> None:
        """Make the item, unless it would have begun before its papers."""
        starts = occurrence.starts_at + piece.offset
        name = f"{piece.name}.{_short(starts)}.{self.unit.uid}"
        twice = self.named[name]
        self.named[name] += 1
        item = f"{name}.{twice}" if twice else name
        if starts < piece.approved_at and item not in self.known:
            return
        ends = starts + piece.length
        if not piece.is_timed:
            ends = max(ends, occurrence.ends_at) + SLACK_MS
        heard = self.whole if piece.heard == WHOLE else piece.heard
        shown = starts + SHOWN_MS if piece.broadcast else ends
        made = Item(
            item, piece.broadcast, piece.bulletin, piece.title, piece.text,
            piece.rank, starts, ends, shown, piece.approved_at, piece.sha256, heard,
            piece.renditions,
            start=piece.start, wait_ms=piece.wait_ms, after=piece.after,
            level=self.unit.level, stream=piece.stream, loop=piece.loop,
            slot=occurrence.slot.id, paper=piece.paper.uid, pictures=piece.pictures,
        )  # fmt: skip
        self.planned.append(
            Planned(made, self.unit.pk, piece.paper.pk, piece.broadcast_id)
        )


def _latest(*approved: Paper | Broadcast) -> int:
    """Return when the last of these was approved."""
    return max(milliseconds(one.approved_at) for one in approved if one.approved_at)


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


def compile_hours_from_above(
    unit: Unit,
    stations: Sequence[Unit],
    shelf: Shelf,
    span: Span,
    *,
    own_devices: Sequence[str],
) -> PlanHours:
    """Return the quiet hours of a plan from above: those of each station under it.

    The station's own plan says the same, but a device that has lost or refused that
    one must not sound at night what comes from above. While all agree they are for
    everybody; else stations are named, and the devices that stand in none.
    """
    groups: defaultdict[tuple[Interval, ...], list[str]] = defaultdict(list)
    local: list[Hours] = []
    for one in stations:
        hours = compile_hours(one, shelf, span)
        groups[hours.quiet].append(one.uid)
        local += [Hours(row.audience, row.quiet) for row in hours.local if row.quiet]
    own = compile_hours(unit, shelf, span)
    if not local and groups.keys() <= {own.quiet}:
        return own
    local += [
        Hours(Audience(units=tuple(sorted(uids))), quiet)
        for quiet, uids in sorted(groups.items())
        if quiet
    ]
    if own_devices and own.quiet:
        local.append(Hours(Audience(devices=tuple(sorted(own_devices))), own.quiet))
    return PlanHours(local=tuple(local))


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

"""A paper that is not in force yet, drawn: one day as it is, and as it would be.

Both days are compiled by the code that makes plans (`schedule.compile`), the second
with the paper laid on top. Nothing is written.
"""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from nguon.schedule import compile as plans
from nguon.schedule import papers, rules, station, timetable
from nguon.schedule.compile import Planned, Span
from nguon.schedule.items import longest_ms, moment
from nguon.schedule.models import Paper
from nguon.schedule.papers import Shelf
from nguon.schedule.timetable import DayPicture, Opening, Piece
from nguon.territory.models import COMMUNE, Unit

DAY = timedelta(days=1)
# How far ahead a day is looked for on which the paper makes a difference.
LOOKED_AHEAD = 31


@dataclass(frozen=True)
class Comparison:
    """One day before and after; `is_same` when the paper changes nothing on it."""

    day: date
    before: DayPicture
    after: DayPicture
    is_same: bool

    @property
    def sides(self) -> list[dict[str, object]]:
        """Both days as lists, for whoever would rather read."""
        return [
            {
                "name": name,
                "entries": [entry for band in picture.bands for entry in band.entries],
            }
            for name, picture in (("Đang có", self.before), ("Sẽ là", self.after))
        ]


def span_of(day: date, days: int = 1) -> Span:
    """Return some local days as the window of a plan."""
    return Span(timetable.midnight(day), timetable.midnight(day + days * DAY))


def compare(paper: Paper, *, day: date | None, at: datetime) -> Comparison | None:
    """Return a day before and after a paper; None for one that moves no sound.

    Without a day, the first on which the paper makes a difference is taken.
    """
    kinds = {station.RULES, station.PROGRAMME}
    if paper.kind not in kinds or paper.unit.kind != COMMUNE:
        return None
    first = max(paper.first_date, at.astimezone(rules.LOCAL).date() + DAY)
    last = (day or first) + LOOKED_AHEAD * DAY
    shelf = papers.read_shelf([paper.unit], first=day or first, last=last)
    laid = lay_on(shelf, paper, at=at)
    chosen = day or _first_change(paper.unit, shelf, laid, first=first)
    before, after = (_list(paper.unit, one, chosen) for one in (shelf, laid))
    return Comparison(
        day=chosen,
        before=draw(paper.unit, shelf, chosen, at=at),
        after=draw(paper.unit, laid, chosen, at=at),
        is_same=before == after,
    )


def lay_on(shelf: Shelf, paper: Paper, *, at: datetime) -> Shelf:
    """Return a shelf on which a paper lies as if it had been approved now."""
    fresh = copy(paper)
    fresh.approved_at = at
    body = papers.body_of(paper)
    named = papers.names_in(body)
    rest = [one for one in shelf.papers.get(paper.unit_id, ()) if one.pk != paper.pk]
    names = {one.material for one in named} - {""}
    materials = {**shelf.materials, **papers.read_materials([paper.unit], names)}
    sounds = papers.sounds_of(materials)
    return replace(
        shelf,
        papers={**shelf.papers, paper.unit_id: [fresh, *rest]},
        bodies={**shelf.bodies, paper.pk: body},
        sources={
            **shelf.sources,
            **papers.read_sources({one.source for one in named} - {""}),
        },
        materials=materials,
        sounds=sounds,
        lengths={uid: longest_ms(found) for uid, found in sounds.items()},
        where={**shelf.where, **papers.read_places(papers.audiences_in(body))},
    )


def _first_change(unit: Unit, shelf: Shelf, laid: Shelf, *, first: date) -> date:
    days = (first + n * DAY for n in range(LOOKED_AHEAD))
    changed = (day for day in days if _list(unit, shelf, day) != _list(unit, laid, day))
    return next(changed, first)


def _list(unit: Unit, shelf: Shelf, day: date) -> object:
    """Return what can be told apart on a day: pieces, slots, hours."""
    span = span_of(day)
    rows = plans.compile_station(unit, shelf, span, known=())
    return (
        [
            (row.item.starts_at, row.item.ends_at, row.item.title, row.item.audience)
            for row in rows
        ],
        [
            (one.slot.name, one.starts_at, one.ends_at, one.slot.places)
            for one in plans.list_occurrences(unit, shelf, span)
        ],
        plans.compile_hours(unit, shelf, span),
    )


def draw(unit: Unit, shelf: Shelf, day: date, *, at: datetime) -> DayPicture:
    """Return the picture of a day by the papers of a shelf alone."""
    span = span_of(day)
    return timetable.draw_day(
        day,
        pieces=pieces_of(
            plans.compile_station(unit, shelf, span, known=()), slot_names(shelf, unit)
        ),
        openings=openings_of(unit, shelf, span),
        quiet=quiet_of(unit, shelf, span),
        at=at,
    )


def slot_names(shelf: Shelf, unit: Unit) -> dict[str, str]:
    """Return the names of a station's slots by their ids, the newest name first."""
    names: dict[str, str] = {}
    for paper in shelf.papers.get(unit.pk, ()):
        if paper.kind == station.RULES:
            for slot in shelf.bodies[paper.pk].slots:
                names.setdefault(slot.id, slot.name)
    return names


def pieces_of(planned: Iterable[Planned], names: dict[str, str]) -> list[Piece]:
    """Return what papers let sound, for people; fallbacks wait unseen."""
    return [
        Piece(
            key=row.item.id,
            source=_source(row),
            title=row.item.title,
            starts_at=moment(row.item.starts_at),
            ends_at=moment(row.item.starts_at + timetable.length_ms(row.item)),
            slot=row.item.slot,
            slot_name=names.get(row.item.slot, row.item.slot),
        )
        for row in planned
        if row.item.rank != "filler"
    ]


def _source(row: Planned) -> str:
    if row.item.stream is not None:
        return timetable.RELAY
    is_priority = row.item.rank == "priority"
    return timetable.PRIORITY if is_priority else timetable.PROGRAMME


def openings_of(unit: Unit, shelf: Shelf, span: Span) -> list[Opening]:
    """Return when the slots of a station open in a span."""
    found = plans.list_occurrences(unit, shelf, span)
    return [
        Opening(one.slot.id, one.slot.name, moment(one.starts_at), moment(one.ends_at))
        for one in sorted(found, key=lambda one: (one.starts_at, one.slot.id))
    ]


def quiet_of(
    unit: Unit, shelf: Shelf, span: Span
) -> Sequence[tuple[datetime, datetime]]:
    """Return the quiet hours that a whole station keeps in a span."""
    hours = plans.compile_hours(unit, shelf, span)
    return [
        (
            datetime.fromtimestamp(begin / 1000, tz=UTC),
            datetime.fromtimestamp(end / 1000, tz=UTC),
        )
        for begin, end in hours.quiet
    ]

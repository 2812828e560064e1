"""Who reads and writes the registers: the fence, and what is masked within it.

A person's name, phone, languages and decision are read by the officers of their own
unit alone; whoever stands above sees that somebody is there, and counts.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from nguon.core.errors import AbsentError
from nguon.people import access
from nguon.people.models import APPROVER, AUTHOR, Officer
from nguon.registers import books
from nguon.registers.books import AnyLine, Book
from nguon.registers.models import Training
from nguon.territory.models import VILLAGE, Unit
from nguon.territory.standing import places_of, stand_on

KEEPERS = (AUTHOR, APPROVER)


@dataclass(frozen=True)
class Reader:
    """Who reads, and at which units they hold a role themselves."""

    officer: Officer
    at: datetime
    own: frozenset[int]

    def is_own(self, line: AnyLine) -> bool:
        """Say whether a line is of the reader's own unit; a village is its commune's.

        A line of a station has nothing personal in it.
        """
        return is_office(line.unit, self.own)

    @property
    def own_rows(self) -> Q:
        """Hold for the lines of the reader's own units."""
        return Q(unit__in=self.own) | Q(unit__kind=VILLAGE, unit__parent__in=self.own)


def is_office(unit: Unit, own: frozenset[int]) -> bool:
    """Say whether a unit, or a village's commune, is one of some units."""
    return unit.pk in own or (unit.kind == VILLAGE and unit.parent_id in own)


def reader_of(officer: Officer, *, at: datetime) -> Reader:
    """Return an officer with the units at which they hold a role."""
    held = access.roles_of(officer, at=at) if officer.is_active else None
    own = held.values_list("unit", flat=True) if held is not None else ()
    return Reader(officer, at, frozenset(own))


def fence(
    book: Book, reader: Reader, *, kinds: Collection[str] = access.EVERY_ROLE
) -> QuerySet[Any]:
    """Keep the lines on an officer's ground, of the roles that are named.

    Who reads also reads the lines that still stand at old units of that ground: they
    are in its figures, whether a merge was run or not.
    """
    rows: QuerySet[Any] = book.model._default_manager.filter(undone_at=None)
    found = access.fence(rows, officer=reader.officer, at=reader.at, kinds=kinds)
    if set(kinds) == set(access.EVERY_ROLE):
        paths = access.paths_of(reader.officer, at=reader.at)
        olds = [
            key
            for key, unit in stands_of(book, day=timezone.localdate(reader.at)).items()
            if any(unit.path.startswith(path) for path in paths)
        ]
        if olds:
            found = found | rows.filter(unit__in=olds)
    return found.select_related("unit", "unit__parent")


def stands_of(book: Book, *, day: date) -> dict[int, Unit]:
    """Return for each unit with lines that is off a day's map who has its ground.

    As the figures count: what a divided unit has stands at the unit above its heirs.
    """
    rows = book.model._default_manager.filter(undone_at=None, unit__valid_to__lte=day)
    places = places_of(set(rows.values_list("unit", flat=True)))
    stands = stand_on(set(places.values()), day=day)
    return {unit: stands[place] for unit, place in places.items()}


def access_line(book: Book, reader: Reader, uid: str) -> Any:
    """Return a line on an officer's ground. Raises AbsentError."""
    line = fence(book, reader).filter(uid=uid).first()
    if line is None:
        raise AbsentError("registers.line_absent")
    return line


def may_keep(officer: Officer, unit: Unit, *, at: datetime) -> bool:
    """Say whether an officer writes the registers of a unit."""
    return any(access.can(officer, kind, unit=unit, at=at) for kind in KEEPERS)


def check_keeper(officer: Officer, unit: Unit, *, at: datetime) -> None:
    """Refuse whoever does not write a unit's registers. AbsentError, NoRightError."""
    if not may_keep(officer, unit, at=at):
        access.check_can(officer, AUTHOR, unit=unit, at=at)


def keeps_any(officer: Officer, *, at: datetime) -> bool:
    """Say whether an officer writes the registers of some unit."""
    return bool(access.paths_of(officer, at=at, kinds=KEEPERS))


def list_units(
    book: Book, officer: Officer, *, at: datetime, office: str = ""
) -> list[Unit]:
    """Return the units of today for which an officer may write a line.

    `office` keeps one unit (its uid) and its villages.
    """
    units = Unit.objects.as_of(timezone.localdate(at)).filter(kind__in=book.kinds)
    if office:
        units = units.filter(Q(uid=office) | Q(parent__uid=office))
    mine = access.fence(units, officer=officer, at=at, unit="", kinds=KEEPERS)
    return list(mine.select_related("parent").order_by("path", "pk"))


def list_grounds(book: Book, reader: Reader) -> list[Unit]:
    """Return the communes and provinces by which a list may be narrowed."""
    rows = fence(book, reader).values("unit").distinct()
    units = Unit.objects.filter(pk__in=rows).exclude(kind=VILLAGE)
    parents = Unit.objects.filter(children__in=rows, children__kind=VILLAGE)
    keys = {*units.values_list("pk", flat=True), *parents.values_list("pk", flat=True)}
    return list(Unit.objects.filter(pk__in=keys).order_by("path", "pk"))


def fence_trainings(reader: Reader) -> QuerySet[Training]:
    """Keep the trainings of an officer's ground, and of every unit above it."""
    rows = Training.objects.all()
    mine = access.fence(rows, officer=reader.officer, at=reader.at)
    above = {
        key
        for unit in access.units_of(reader.officer, at=reader.at)
        for key in unit.ancestor_ids
    }
    return rows.filter(Q(pk__in=mine.values("pk")) | Q(unit__in=above))


def access_training(reader: Reader, uid: str) -> Training:
    """Return a training that this officer may see. Raises AbsentError."""
    found = fence_trainings(reader).select_related("unit").filter(uid=uid).first()
    if found is None:
        raise AbsentError("registers.training_absent")
    return found


def access_person(reader: Reader, uid: str) -> Any:
    """Return a person of either register on an officer's ground. AbsentError."""
    for book in (books.STAFF, books.PROPAGANDISTS):
        line = fence(book, reader).filter(uid=uid).first()
        if line is not None:
            return line
    raise AbsentError("registers.line_absent")

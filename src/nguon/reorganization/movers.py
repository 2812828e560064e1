"""How each kind of thing is found, moved, and taken back.

One mover for each key that moves (`rules.TABLE`). Most are one field in place
(`Shift`); what has days of its own ends and goes on (roles, villages, lines of
registers); what others rest on is copied (words, suppliers). Devices are signed anew
by `fleet`.
"""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.db.models import Model, Q

from nguon.people.models import Officer
from nguon.reorganization.ground import Ground, chunks
from nguon.reorganization.models import Moved
from nguon.territory.names import fold


@dataclass(frozen=True)
class Act:
    """Who moves things, when, and from which day on."""

    by: Officer
    at: datetime
    day: date


@dataclass(frozen=True)
class Thing:
    """One thing that stands at an old unit; without `new` it stays there.

    `name` is what it will be called where its own name is taken, `is_double` says that
    its like is there already.
    """

    key: int
    old: int
    new: int | None
    name: str = ""
    is_double: bool = False


@dataclass(frozen=True)
class Done:
    """What became of one thing, as `Moved` keeps it."""

    thing: Thing
    made: int | None = None
    told: Mapping[str, Any] = field(default_factory=dict)


class Mover(ABC):
    """How one kind of thing moves; `kind` is the label in the table."""

    kind: str
    # Whether what is there already goes all the same: two become one.
    takes_doubles = False

    @abstractmethod
    def find(self, ground: Ground, *, at: datetime) -> list[Thing]:
        """Return what stands at the old units, with where it goes."""

    @abstractmethod
    def run(self, things: Sequence[Thing], ground: Ground, act: Act) -> list[Done]:
        """Move things that have a place to go; return what became of each."""

    @abstractmethod
    def changed(self, rows: Sequence[Moved]) -> set[int]:
        """Return the keys of what somebody changed since, so it cannot go back."""

    @abstractmethod
    def back(self, rows: Sequence[Moved], act: Act) -> None:
        """Put things back where they were."""

    @abstractmethod
    def count(self, ground: Ground, *, at: datetime) -> int:
        """Return how many there are on the whole ground, old and new."""

    @abstractmethod
    def label(self, keys: Sequence[int]) -> dict[int, str]:
        """Return what people call things, by their keys."""


def _every(_at: datetime, _day: date) -> Q:
    return Q()


@dataclass(frozen=True)
class Shift(Mover):
    """A field in place. `same` with the unit must be unique among `live` rows.

    What would be double takes another `name`, or stays where there is none to give.
    """

    kind: str
    model: str
    field: str
    live: Callable[[datetime, date], Q] = _every
    same: tuple[str, ...] = ()
    name: str = ""
    shown: str = "name"

    @property
    def rows(self) -> Any:
        """Return the table."""
        model = self.model
        if "__" in model:
            owner, many = model.split("__")
            return getattr(apps.get_model(owner), many).through.objects
        return apps.get_model(model)._default_manager

    def find(self, ground: Ground, *, at: datetime) -> list[Thing]:
        """Return what stands at the old units; doubles are known beforehand."""
        found: list[tuple[int, int, tuple[Any, ...]]] = []
        for part in ground.old_chunks():
            rows = self.rows.filter(
                self.live(at, ground.day), **{f"{self.field}__in": part}
            )
            listed = rows.order_by("pk").values_list(
                "pk", f"{self.field}_id", *self.same
            )
            found += [(key, old, tuple(more)) for key, old, *more in listed]
        found.sort(key=lambda row: row[0])
        taken = self._list_taken(found, ground, at) if self.same else set()
        things = []
        for key, old, values in found:
            new = ground.heir(old)
            thing = Thing(key, old, new)
            if new is not None and self.same:
                thing = self._place(thing, values, taken, ground)
                if not thing.is_double:
                    first = (thing.name,) if thing.name else values[:1]
                    taken.add((new, *self._like((*first, *values[1:]))))
            things.append(thing)
        return things

    def _place(
        self, thing: Thing, values: tuple[Any, ...], taken: set[Any], ground: Ground
    ) -> Thing:
        is_nameless = bool(self.name) and not values[0]
        if is_nameless or (thing.new, *self._like(values)) not in taken:
            return thing
        if not self.name:
            return Thing(thing.key, thing.old, thing.new, is_double=True)
        place = ground.places[thing.old].old.name
        most = apps.get_model(self.model)._meta.get_field(self.name).max_length or 60
        number = 1
        while True:
            more = f" ({place})" if number == 1 else f" ({place} {number})"
            name = f"{str(values[0])[: most - len(more)]}{more}"
            if (thing.new, *self._like((name, *values[1:]))) not in taken:
                return Thing(thing.key, thing.old, thing.new, name=name)
            number += 1

    def _list_taken(
        self,
        found: Iterable[tuple[int, int, tuple[Any, ...]]],
        ground: Ground,
        at: datetime,
    ) -> set[Any]:
        targets = {new for _k, old, _v in found if (new := ground.heir(old))}
        taken: set[Any] = set()
        for part in chunks(sorted(targets)):
            rows = self.rows.filter(
                self.live(at, ground.day), **{f"{self.field}__in": part}
            )
            for unit, *values in rows.values_list(f"{self.field}_id", *self.same):
                taken.add((unit, *self._like(tuple(values))))
        return taken

    def _like(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return what tells two apart; of names the letters without accents."""
        return (fold(str(values[0])), *values[1:]) if self.name else values

    def run(self, things: Sequence[Thing], ground: Ground, act: Act) -> list[Done]:
        """Write the new unit, and the new name where there is one."""
        plain = {thing.key: thing.new or 0 for thing in things if not thing.name}
        self._write(plain, act)
        named = [thing for thing in things if thing.name]
        before = self.rows.in_bulk([thing.key for thing in named])
        for thing in named:
            # Both at once: under its own name it may not stand there.
            change = {f"{self.field}_id": thing.new, self.name: thing.name}
            self.rows.filter(pk=thing.key).update(**change)
        told = {key: {"name": getattr(row, self.name)} for key, row in before.items()}
        return [Done(thing, told=told.get(thing.key, {})) for thing in things]

    def _write(self, moves: Mapping[int, int], act: Act) -> None:
        by_unit: defaultdict[int, list[int]] = defaultdict(list)
        for key, unit in moves.items():
            by_unit[unit].append(key)
        for unit, keys in sorted(by_unit.items()):
            for part in chunks(keys):
                self.rows.filter(pk__in=part).update(**{f"{self.field}_id": unit})

    def changed(self, rows: Sequence[Moved]) -> set[int]:
        """Return what is gone or stands elsewhere by now."""
        held: dict[int, int] = {}
        for part in chunks([row.key for row in rows]):
            found = self.rows.filter(pk__in=part)
            held.update(found.values_list("pk", f"{self.field}_id"))
        return {row.key for row in rows if held.get(row.key) != row.new_id}

    def back(self, rows: Sequence[Moved], act: Act) -> None:
        """Write the old unit, and the old name."""
        plain = {row.key: row.old_id for row in rows if "name" not in row.told}
        self._write(plain, act)
        for row in rows:
            if "name" in row.told:
                change = {f"{self.field}_id": row.old_id, self.name: row.told["name"]}
                self.rows.filter(pk=row.key).update(**change)

    def count(self, ground: Ground, *, at: datetime) -> int:
        """Return how many rows stand on the ground."""
        return sum(
            self.rows.filter(
                self.live(at, ground.day), **{f"{self.field}__in": part}
            ).count()
            for part in ground.all_chunks()
        )

    def label(self, keys: Sequence[int]) -> dict[int, str]:
        """Return their names."""
        found: dict[int, str] = {}
        for part in chunks(keys):
            rows = self.rows.filter(pk__in=part)
            way = self.shown.split(".")[:-1]
            for row in rows.select_related("__".join(way)) if way else rows:
                found[row.pk] = _shown(row, self.shown)
        return found


def _shown(row: Model, path: str) -> str:
    value: Any = row
    for name in path.split("."):
        value = getattr(value, name)
    return str(value)

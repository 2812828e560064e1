"""The ground of a merge: every old unit with its heir, and how the heir is known.

Communes by the succession table; villages with their commune, or by their name where
it is divided; districts and provinces with all of theirs. Reads only.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Q

from nguon.reorganization import rules
from nguon.reorganization.models import Merge
from nguon.territory.models import (
    COMMUNE,
    DISTRICT,
    PROVINCE,
    VILLAGE,
    Succession,
    Unit,
)

CHUNK = 500


@dataclass(frozen=True)
class Place:
    """One old unit; without an heir it waits for a person, or is kept by one.

    `options` are who may be chosen. `same` is the village of this name that the new map
    has already.
    """

    old: Unit
    heir: Unit | None
    way: str
    options: tuple[Unit, ...] = ()
    same: Unit | None = None

    @property
    def is_open(self) -> bool:
        """Say whether a person has to decide."""
        return self.way in rules.OPEN

    @property
    def way_words(self) -> str:
        """Return how the heir is known, in Vietnamese."""
        return rules.WAYS[self.way]


@dataclass
class Ground:
    """All old units of a merge by key, and the new ones.

    `renewed` are the villages made in the run, by the key of the old one.
    """

    day: date
    province: int
    places: dict[int, Place]
    news: dict[int, Unit]
    renewed: dict[int, int] = field(default_factory=dict)

    def heir(self, key: int) -> int | None:
        """Return the key of the unit to which what stands at an old one goes."""
        if key in self.renewed:
            return self.renewed[key]
        place = self.places[key]
        target = place.same or place.heir
        return target.pk if target else None

    def old_chunks(self) -> Iterator[list[int]]:
        """Yield the keys of the old units, few enough for one question each."""
        return chunks(sorted(self.places))

    def all_chunks(self) -> Iterator[list[int]]:
        """Yield the keys of the old and the new units."""
        same = {p.same.pk for p in self.places.values() if p.same}
        return chunks(sorted({*self.places, *self.news, *self.renewed.values(), *same}))

    def pasts(self) -> list[tuple[int, int]]:
        """Return whose past each new unit reads: (new, old), with all below the old.

        A district's is read by one commune only when all of it went there. The
        province reads what no old province of this ground reads already.
        """
        found = set()
        provinces = [p.old.path for p in self.of_kind(PROVINCE) if p.heir]
        for place in self.places.values():
            if place.heir is None:
                continue
            above = self.places.get(place.old.parent_id or 0)
            if place.old.kind == VILLAGE:
                if above and above.heir != place.heir:
                    found.add((place.heir.pk, place.old.pk))
            elif place.old.kind == COMMUNE or place.way == rules.WHOLE:
                found.add((place.heir.pk, place.old.pk))
            if place.old.kind == COMMUNE and not any(
                place.old.path.startswith(path) for path in provinces
            ):
                found.add((self.province, place.old.pk))
        return sorted(found)

    def of_kind(self, kind: str) -> list[Place]:
        """Return the old units of a kind, by name."""
        found = [place for place in self.places.values() if place.old.kind == kind]
        return sorted(found, key=lambda place: (place.old.folded, place.old.pk))


def chunks(keys: Sequence[int]) -> Iterator[list[int]]:
    """Yield keys in parts that one question to a database takes."""
    for start in range(0, len(keys), CHUNK):
        yield list(keys[start : start + CHUNK])


def close(successions: Sequence[Succession]) -> list[Succession]:
    """Return these successions with all that hang together with them.

    A divided unit brings its other heirs, an heir its other origins: what stands on
    such ground can only be placed by who sees all of it.
    """
    found = {row.pk: row for row in successions}
    olds: set[int] = set()
    news: set[int] = set()
    while True:
        olds |= (more_olds := {r.old_id for r in found.values()} - olds)
        news |= (more_news := {r.new_id for r in found.values()} - news)
        if not more_olds and not more_news:
            return sorted(found.values(), key=lambda row: row.pk)
        for part in chunks(sorted(more_olds)):
            rows = Succession.objects.filter(old__in=part)
            found.update({row.pk: row for row in rows})
        for part in chunks(sorted(more_news)):
            rows = Succession.objects.filter(new__in=part, old__kind=COMMUNE)
            found.update({row.pk: row for row in rows})


def read_ground(merge: Merge) -> Ground:
    """Return the ground of a merge, with what was decided so far."""
    rows = list(merge.successions.select_related("old", "new").order_by("pk"))
    decided = {heir.old_id: heir.unit for heir in merge.heirs.select_related("unit")}
    heirs: dict[int, list[Unit]] = {}
    olds = {row.old_id: row.old for row in rows}
    news = {row.new_id: row.new for row in rows}
    for row in rows:
        heirs.setdefault(row.old_id, []).append(row.new)
    places = {
        key: _place(old, tuple(heirs[key]), rules.DIVIDED, decided)
        for key, old in olds.items()
    }
    places |= _villages(places, heirs, news, decided, merge.day)
    places |= _above(olds, heirs, merge, decided)
    return Ground(merge.day, merge.unit_id, places, {**news, merge.unit_id: merge.unit})


def _place(
    old: Unit,
    options: tuple[Unit, ...],
    way: str,
    decided: Mapping[int, Unit | None],
) -> Place:
    """Return an old unit with its only heir, the chosen one, or none yet."""
    if old.pk in decided:
        heir = decided[old.pk]
        return Place(old, heir, rules.DECIDED if heir else rules.KEPT, options)
    if len(options) == 1:
        return Place(old, options[0], rules.WHOLE)
    return Place(old, None, way, options)


def _villages(
    communes: Mapping[int, Place],
    heirs: Mapping[int, Sequence[Unit]],
    news: Mapping[int, Unit],
    decided: Mapping[int, Unit | None],
    day: date,
) -> dict[int, Place]:
    there: dict[int, dict[str, Unit]] = {}
    for part in chunks(sorted(news)):
        # One that a merge made and its undo ended is none of the map any more.
        rows = Unit.objects.filter(kind=VILLAGE, parent__in=part, valid_to=None)
        for unit in rows:
            there.setdefault(unit.parent_id or 0, {})[unit.folded] = unit
    found = {}
    alive = Q(valid_to__isnull=True) | Q(valid_to__gte=day)
    for part in chunks(sorted(communes)):
        villages = Unit.objects.filter(alive, kind=VILLAGE, parent__in=part)
        for unit in villages.filter(valid_from__lt=day):
            commune = communes[unit.parent_id or 0]
            options = tuple(heirs[commune.old.pk])
            known = [n for n in options if unit.folded in there.get(n.pk, {})]
            if unit.pk in decided or len(options) == 1:
                place = _place(unit, options, rules.DIVIDED, decided)
            elif len(known) == 1:
                place = Place(unit, known[0], rules.VILLAGE, options)
            elif commune.is_open:
                place = Place(unit, None, rules.DIVIDED, options)
            else:
                place = Place(unit, commune.heir, commune.way, options)
            same = there.get(place.heir.pk, {}).get(unit.folded) if place.heir else None
            found[unit.pk] = Place(
                unit, place.heir, place.way, place.options, same=same
            )
    return found


def _above(
    olds: Mapping[int, Unit],
    heirs: Mapping[int, Sequence[Unit]],
    merge: Merge,
    decided: Mapping[int, Unit | None],
) -> dict[int, Place]:
    """Return the districts and provinces that ended with all of their communes.

    One of which a part is not in this merge keeps what stands at it.
    """
    keys = {key for old in olds.values() for key in old.ancestor_ids[:-1]}
    found = {}
    for unit in Unit.objects.filter(pk__in=keys, valid_to__lte=merge.day):
        mine = set(
            Unit.objects.filter(
                kind=COMMUNE, path__startswith=unit.path, valid_to=merge.day
            ).values_list("pk", flat=True)
        )
        if not mine <= set(olds):
            continue
        ground = {new.pk: new for key in mine for new in heirs[key]}
        options = sorted(ground.values(), key=lambda new: (new.folded, new.pk))
        if unit.kind == DISTRICT:
            # Its work may have gone to a commune, or up to the province.
            above = () if len(options) == 1 else (merge.unit,)
            place = _place(unit, (*options, *above), rules.VANISHED, decided)
        else:
            parents = {new.parent_id for new in options}
            only = (merge.unit,) if parents == {merge.unit_id} else (*options,)
            place = _place(unit, only, rules.VANISHED, decided)
        found[unit.pk] = place
    return found

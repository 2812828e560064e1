"""Which ground a fact stands on: its commune, and that commune on another map.

A whole succession passes everything on. What a divided unit did cannot be told apart
by its heirs: it counts for the lowest unit that holds all of them, so that totals are
equal on every map and no share of it is guessed.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from nguon.territory.models import COMMUNE, Unit
from nguon.territory.queries import list_on_map, trace


def places_of(units: Collection[int]) -> dict[int, int]:
    """Return for each unit its commune, or itself above communes."""
    rows = list(Unit.objects.filter(pk__in=units).values_list("pk", "path", "kind"))
    above = {key: [int(k) for k in path.strip("/").split("/")] for key, path, _ in rows}
    kinds = {key: kind for key, _path, kind in rows}
    others = {key for chain in above.values() for key in chain} - kinds.keys()
    kinds |= Unit.objects.filter(pk__in=others).values_list("pk", "kind")
    return {
        unit: next((key for key in chain if kinds[key] == COMMUNE), unit)
        for unit, chain in above.items()
    }


def stand_on(places: Iterable[int], *, day: date) -> dict[int, Unit]:
    """Return for each place the unit of a day's map that has its facts.

    A place that leads nowhere by the succession table stands for itself.
    """
    units = Unit.objects.in_bulk(list(places))
    gone = [unit for unit in units.values() if not _covers(unit, day)]
    communes = [unit for unit in gone if unit.kind == COMMUNE]
    heirs = trace(communes, day=day)
    for unit in gone:
        if unit.kind != COMMUNE:
            heirs[unit.pk] = list_on_map([unit], day=day)
    shared = {unit.pk: _shared(unit, heirs[unit.pk]) for unit in gone}
    found = Unit.objects.in_bulk(set(shared.values()))
    return units | {key: found[unit] for key, unit in shared.items()}


def _covers(unit: Unit, day: date) -> bool:
    return unit.valid_from <= day and (unit.valid_to is None or day < unit.valid_to)


def _shared(unit: Unit, heirs: Sequence[Unit]) -> int:
    """Return the lowest unit that holds all heirs; itself where there is none."""
    if not heirs:
        return unit.pk
    if len(heirs) == 1 and unit.kind == COMMUNE:
        return heirs[0].pk
    chains = [heir.ancestor_ids for heir in heirs]
    shared = [keys[0] for keys in zip(*chains, strict=False) if len(set(keys)) == 1]
    return shared[-1] if shared else unit.pk

"""Which ground a fact stands on: its commune, and that commune on another map.

A whole succession passes everything on. What a divided unit did cannot be told apart
by its heirs: it counts for the lowest unit that holds all of them, so that totals are
equal on every map and no share of it is guessed.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date

from nguon.territory.models import COMMUNE, Unit
from nguon.territory.queries import list_on_map


def places_of(units: Collection[int]) -> dict[int, int]:
    """Return for each unit its commune, or itself above communes."""
    rows = Unit.objects.filter(pk__in=units).values_list("pk", "path")
    above = {key: [int(k) for k in path.strip("/").split("/")] for key, path in rows}
    every = {key for chain in above.values() for key in chain}
    communes = set(
        Unit.objects.filter(pk__in=every, kind=COMMUNE).values_list("pk", flat=True)
    )
    return {
        unit: next((key for key in chain if key in communes), unit)
        for unit, chain in above.items()
    }


def stand_on(places: Iterable[int], *, day: date) -> dict[int, Unit]:
    """Return for each place the unit of a day's map that has its facts.

    A place that leads nowhere by the succession table stands for itself.
    """
    units = Unit.objects.in_bulk(list(places))
    return {key: _stand(unit, day) for key, unit in units.items()}


def _stand(unit: Unit, day: date) -> Unit:
    if unit.valid_from <= day and (unit.valid_to is None or day < unit.valid_to):
        return unit
    heirs = list_on_map([unit], day=day)
    if not heirs:
        return unit
    if len(heirs) == 1 and unit.kind == COMMUNE:
        return heirs[0]
    chains = [heir.ancestor_ids for heir in heirs]
    shared = [keys[0] for keys in zip(*chains, strict=False) if len(set(keys)) == 1]
    return Unit.objects.get(pk=shared[-1]) if shared else unit


def below(unit: Unit, *, day: date, kind: str) -> Mapping[int, int]:
    """Return by commune how many units of a kind stand under a unit on a day."""
    found: dict[int, int] = {}
    rows = Unit.objects.as_of(day).under(unit).filter(kind=kind)
    keys = list(rows.values_list("pk", flat=True))
    for place in places_of(keys).values():
        found[place] = found.get(place, 0) + 1
    return found

"""Reads about ground: find a unit, what lies above it, what became of it."""

from collections.abc import Iterable
from datetime import date

from django.db.models import Q

from nguon.core.errors import AbsentError
from nguon.territory import names
from nguon.territory.models import COMMUNE, PROVINCE, VILLAGE, Succession, Unit


def get_unit(code: str, *, kind: str, day: date) -> Unit:
    """Return the unit of this code on the map of a day. Raises AbsentError."""
    unit = Unit.objects.as_of(day).filter(kind=kind, code=code).first()
    if unit is None:
        raise AbsentError("territory.unit_absent", code=code, day=day.isoformat())
    return unit


def find_ancestors(unit: Unit) -> list[Unit]:
    """Return the units above and with this one, from the top down."""
    found = Unit.objects.in_bulk(unit.ancestor_ids)
    return [found[key] for key in unit.ancestor_ids]


def find_plan_unit(unit: Unit) -> Unit:
    """Return the unit whose plan covers this one: itself, or a village's commune."""
    above = find_ancestors(unit)
    return next(u for u in reversed(above) if u.kind != "village")


def list_on_map(units: Iterable[Unit], *, day: date) -> list[Unit]:
    """Return the communes of a day on the ground that these units are or were.

    A province or district stands for its communes. From each commune, the succession
    table is followed forward or backward in time until the day is reached; a unit of
    that day is itself. What has no succession (a special zone) leads nowhere.
    """
    found: set[int] = set()
    seen: set[int] = set()
    frontier = {unit.pk: unit for unit in _communes_of(units)}
    while frontier:
        found |= {k for k, u in frontier.items() if _covers(u, day)}
        seen |= set(frontier)
        ended = [k for k, u in frontier.items() if u.valid_to and u.valid_to <= day]
        later = [k for k, u in frontier.items() if u.valid_from > day]
        forward = Succession.objects.filter(old__in=ended).values("new")
        backward = Succession.objects.filter(new__in=later).values("old")
        step = Unit.objects.filter(Q(pk__in=forward) | Q(pk__in=backward))
        frontier = {unit.pk: unit for unit in step if unit.pk not in seen}
    return list(Unit.objects.filter(pk__in=found).order_by("code", "pk"))


def trace(communes: Iterable[Unit], *, day: date) -> dict[int, list[Unit]]:
    """Return for each commune, by key, the communes of a day on its ground.

    The same as `list_on_map` for each alone, in one query for every step of time.
    """
    units = {unit.pk: unit for unit in communes}
    asked, frontier = list(units), set(units)
    steps: dict[int, set[int]] = {}
    while frontier:
        forward = [k for k in frontier if (end := units[k].valid_to) and end <= day]
        backward = [k for k in frontier if units[k].valid_from > day]
        rows = Succession.objects.filter(Q(old__in=forward) | Q(new__in=backward))
        reached: dict[int, Unit] = {}
        for row in rows.select_related("old", "new"):
            if row.old_id in forward:
                steps.setdefault(row.old_id, set()).add(row.new_id)
                reached[row.new_id] = row.new
            else:
                steps.setdefault(row.new_id, set()).add(row.old_id)
                reached[row.old_id] = row.old
        frontier = set(reached) - set(units)
        units |= {key: reached[key] for key in frontier}

    def end_of(key: int) -> set[int]:
        if _covers(units[key], day):
            return {key}
        return {end for step in steps.get(key, ()) for end in end_of(step)}

    return {
        key: sorted((units[end] for end in end_of(key)), key=lambda u: (u.code, u.pk))
        for key in asked
    }


def _covers(unit: Unit, day: date) -> bool:
    return unit.valid_from <= day and (unit.valid_to is None or day < unit.valid_to)


def _communes_of(units: Iterable[Unit]) -> list[Unit]:
    """Return communes for units of any kind: those below, or a village's own."""
    ground = Q(pk__in=[])
    for unit in units:
        if unit.kind == VILLAGE:
            ground |= Q(pk=unit.parent_id)
        else:
            ground |= Q(path__startswith=unit.path)
    return list(Unit.objects.filter(ground, kind=COMMUNE))


def list_successors(unit: Unit) -> list[Succession]:
    """Return into which communes one went, the main heir first."""
    rows = Succession.objects.filter(old=unit).select_related("new")
    return sorted(rows, key=lambda row: (row.kind == "part", row.new.folded, row.pk))


def list_predecessors(unit: Unit) -> list[Succession]:
    """Return from which communes one was made, the whole ones first."""
    rows = Succession.objects.filter(new=unit).select_related("old")
    return sorted(rows, key=lambda row: (row.kind != "whole", row.old.folded, row.pk))


def list_villages(commune: Unit, *, day: date) -> list[Unit]:
    """Return the villages of a commune on a day, by name."""
    units = Unit.objects.as_of(day).under(commune).filter(kind=VILLAGE)
    return list(units.order_by("folded", "pk"))


def list_communes(*, province_code: str, day: date) -> list[Unit]:
    """Return the communes of a province on the map of a day, by name."""
    province = get_unit(province_code, kind=PROVINCE, day=day)
    units = Unit.objects.as_of(day).under(province).filter(kind=COMMUNE)
    return list(units.order_by("folded", "pk"))


def search_units(text: str, *, day: date, limit: int = 20) -> list[Unit]:
    """Return units whose name holds `text`, accents optional, highest first."""
    units = Unit.objects.as_of(day).filter(folded__contains=names.fold(text))
    return list(units.order_by("path", "pk")[:limit])

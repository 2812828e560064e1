"""Reads about ground: find a unit, what lies above it, what became of it."""

from collections.abc import Iterable
from datetime import date

from django.db.models import Q

from nguon.core.errors import AbsentError
from nguon.territory import names
from nguon.territory.models import COMMUNE, PROVINCE, Succession, Unit


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

    Forward or backward by the succession table; a unit of that day is itself.
    """
    wanted = {unit.pk for unit in units}
    linked = Succession.objects.filter(Q(old__in=wanted) | Q(new__in=wanted))
    for old, new in linked.values_list("old_id", "new_id"):
        wanted |= {old, new}
    return list(Unit.objects.as_of(day).filter(pk__in=wanted).order_by("code", "pk"))


def list_communes(*, province_code: str, day: date) -> list[Unit]:
    """Return the communes of a province on the map of a day, by name."""
    province = get_unit(province_code, kind=PROVINCE, day=day)
    units = Unit.objects.as_of(day).under(province).filter(kind=COMMUNE)
    return list(units.order_by("folded", "pk"))


def search_units(text: str, *, day: date, limit: int = 20) -> list[Unit]:
    """Return units whose name holds `text`, accents optional, highest first."""
    units = Unit.objects.as_of(day).filter(folded__contains=names.fold(text))
    return list(units.order_by("path", "pk")[:limit])

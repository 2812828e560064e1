"""Who a broadcast is for: from what was asked to a list of devices."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet, Sum

from nguon.fleet.models import ACTIVE, Device
from nguon.territory.models import VILLAGE, Unit
from nguon.territory.queries import find_plan_unit


@dataclass(frozen=True)
class Preview:
    """What an officer is shown before sending: the reach of their choice."""

    units: int
    villages: int
    devices: int
    boards: int
    people: int


def list_devices(units: Sequence[Unit], devices: Sequence[Device]) -> QuerySet[Device]:
    """Return the active devices under the units, and those chosen by hand."""
    wanted = Q(pk__in=[device.pk for device in devices])
    for unit in units:
        wanted |= Q(unit__path__startswith=unit.path)
    return Device.objects.filter(wanted, state=ACTIVE).order_by("pk")


def preview(units: Sequence[Unit], devices: Sequence[Device]) -> Preview:
    """Count what a choice reaches; people are those of the villages with a device."""
    found = list_devices(units, devices)
    villages = Unit.objects.filter(kind=VILLAGE, devices__in=found).distinct()
    people = villages.order_by().aggregate(people=Sum("population"))["people"]
    return Preview(
        units=len(units),
        villages=villages.count(),
        devices=found.count(),
        boards=found.filter(kind="board").count(),
        people=people or 0,
    )


def list_carriers(units: Sequence[Unit], devices: Sequence[Device]) -> list[Unit]:
    """Return the units, commune or above, whose plan must carry the broadcast.

    Never one below another: a device obeys the plans of all units above it.
    """
    asked = [*units, *(device.unit for device in devices)]
    places = {unit.pk: unit for unit in asked}.values()
    carriers = {unit.pk: unit for unit in map(find_plan_unit, places)}
    return [
        unit
        for key, unit in sorted(carriers.items())
        if not carriers.keys() & set(unit.ancestor_ids[:-1])
    ]

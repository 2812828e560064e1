"""Who a broadcast is for: from what was asked to a list of devices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from nguon.core.errors import InvalidError
from nguon.fleet.models import ACTIVE, Device, DeviceGroup
from nguon.fleet.queries import list_members
from nguon.schedule.models import Broadcast
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


# SQLite takes at most 999 values in one question of old builds; people choose fewer.
MOST_CHOSEN = 900


def members_of(group: DeviceGroup) -> list[Device]:
    """Return the active devices of a group by name.

    Raises InvalidError `schedule.group_empty`: who chose it believes that somebody
    hears.
    """
    found = list(list_members(group).filter(state=ACTIVE).select_related("unit"))
    if not found:
        raise InvalidError("schedule.group_empty", group=group.name)
    return found


def list_groups_under(unit: Unit) -> list[DeviceGroup]:
    """Return the groups of this ground in which somebody hears.

    Each has `hearing`: how many devices.
    """
    hearing = Count("members", filter=Q(members__device__state=ACTIVE))
    groups = DeviceGroup.objects.filter(unit__path__startswith=unit.path)
    found = groups.select_related("unit").annotate(hearing=hearing)
    return list(found.filter(hearing__gt=0).order_by("name", "pk"))


def with_groups(
    devices: Sequence[Device], groups: Sequence[DeviceGroup]
) -> list[Device]:
    """Return the chosen devices and those of the chosen groups, each once.

    Raises InvalidError for an empty group, and for more than a plan should name.
    """
    every = {device.pk: device for device in devices}
    for group in groups:
        every |= {device.pk: device for device in members_of(group)}
    if len(every) > MOST_CHOSEN:
        raise InvalidError("schedule.too_many_places", limit=MOST_CHOSEN)
    return [every[key] for key in sorted(every)]


def list_by_hand(broadcast: Broadcast) -> QuerySet[Device]:
    """Return the devices that were chosen one by one, not by a group."""
    by_group = {uid for one in broadcast.groups.all() for uid in one.devices}
    return broadcast.devices.exclude(uid__in=by_group).order_by("name_order", "pk")


def list_groups(broadcast: Broadcast) -> list[dict[str, Any]]:
    """Return the chosen groups as they were sent, and how each has changed since."""
    shown = []
    for one in broadcast.groups.select_related("group").order_by("name", "pk"):
        present = set(
            list_members(one.group)
            .filter(state=ACTIVE)
            .order_by()
            .values_list("uid", flat=True)
        )
        sent = set(one.devices)
        names = Device.objects.filter(uid__in=sent).order_by("name_order", "pk")
        shown.append(
            {
                "name": one.name,
                "devices": list(names),
                "joined": len(present - sent),
                "left": len(sent - present),
            }
        )
    return shown


def list_devices(units: Sequence[Unit], devices: Sequence[Device]) -> QuerySet[Device]:
    """Return the active devices under the units, and those chosen by hand."""
    wanted = Q(pk__in=[device.pk for device in devices])
    for unit in units:
        wanted |= Q(unit__path__startswith=unit.path)
    return Device.objects.filter(wanted, state=ACTIVE).order_by("pk")


def check_on_map(places: Sequence[Unit], *, at: datetime) -> None:
    """Refuse ground that is not on today's map, unless devices still stand there.

    From the day of a merge until somebody runs it, and after an undo, the speakers
    stand in the old commune: only through it can its people be warned. Raises
    InvalidError `schedule.unit_ended`.
    """
    today = timezone.localdate(at)
    for unit in {unit.pk: unit for unit in places}.values():
        is_over = unit.valid_to is not None and unit.valid_to <= today
        if unit.valid_from <= today and not is_over:
            continue
        if not list_devices([unit], []).exists():
            raise InvalidError("schedule.unit_ended", unit=unit.full_name)


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

"""Stations (đài) of communes of then and of today, and who may read of them.

Facts belong to the unit of their day; a whole succession passes them on. What a
divided commune did is told, never guessed. Reads only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from nguon.audit import months
from nguon.core.errors import AbsentError
from nguon.indicators import ground
from nguon.people import access as people
from nguon.people.models import Officer
from nguon.territory.models import COMMUNE, Unit
from nguon.territory.queries import list_predecessors


@dataclass(frozen=True)
class Station:
    """Whose log it is: a commune, the communes of then it stands for.

    `divided` were divided among several: what they did is in nobody's log here.
    """

    unit: Unit
    grounds: Sequence[Unit]
    divided: Sequence[Unit]


def list_stations(officer: Officer, month: date, *, at: datetime) -> list[Unit]:
    """Return the communes whose log of a month an officer may read, of both maps."""
    today = timezone.localdate(at)
    now = Unit.objects.as_of(today).filter(kind=COMMUNE)
    mine = list(people.fence(now, officer=officer, at=at, unit=""))
    last = months.next_month(month) - timedelta(days=1)
    ended = Unit.objects.filter(
        kind=COMMUNE, valid_from__lte=last, valid_to__gt=month, valid_to__lte=today
    )
    stands = ground.stand_on(ended.values_list("pk", flat=True), day=today)
    paths = people.paths_of(officer, at=at)
    mine += [
        unit
        for unit in ended
        if any(stands[unit.pk].path.startswith(path) for path in paths)
    ]
    return sorted(mine, key=lambda one: (one.folded, one.pk))


def find_station(
    officer: Officer, uid: str, first: date, after: date, *, at: datetime
) -> Station:
    """Return a commune of an officer's ground with the communes it stands for.

    Raises AbsentError for any other.
    """
    unit = Unit.objects.filter(kind=COMMUNE, uid=uid).first()
    if unit is None or not _is_seen(officer, unit, at):
        raise AbsentError("people.not_your_ground")
    before = [
        row.old
        for row in list_predecessors(unit)
        if row.old.kind == COMMUNE and _stood_in(row.old, first, after)
    ]
    stands = ground.stand_on((one.pk for one in before), day=unit.valid_from)
    whole = [one for one in before if stands[one.pk] == unit]
    own = [unit] if _stood_in(unit, first, after) else []
    return Station(unit, [*own, *whole], [one for one in before if one not in whole])


def _is_seen(officer: Officer, unit: Unit, at: datetime) -> bool:
    """Say whether a unit, or what has its facts today, is an officer's ground."""
    stand = ground.stand_on([unit.pk], day=timezone.localdate(at))[unit.pk]
    return any(people.can_see(officer, unit=one, at=at) for one in (unit, stand))


def _stood_in(unit: Unit, first: date, after: date) -> bool:
    return unit.valid_from < after and (unit.valid_to is None or unit.valid_to > first)

"""Reads of stops: what is silenced now, on whose ground."""

from datetime import datetime

from django.db.models import Q

from nguon.emergency.models import Stop
from nguon.people import access
from nguon.people.models import Officer
from nguon.territory.models import Unit


def list_active(officer: Officer, *, at: datetime) -> list[Stop]:
    """Return the stops in force that touch an officer's ground, from above too."""
    paths = access.paths_of(officer, at=at)
    ground = Q(pk__in=[])
    for path in paths:
        ground |= Q(unit__path__startswith=path) | Q(
            device__unit__path__startswith=path
        )
    mine = Unit.objects.filter(path__in=paths)
    above = {key for unit in mine for key in unit.ancestor_ids}
    ground |= Q(unit__in=above)
    stops = Stop.objects.filter(ground, lifted_at__isnull=True, until__gt=at)
    related = ("unit", "device__unit", "ordered_by", "lift_asked_by")
    return list(stops.select_related(*related).order_by("-ordered_at", "-pk"))

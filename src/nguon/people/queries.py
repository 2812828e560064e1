"""Reads about people: who approves for a unit now, what waits for an officer."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from nguon.people.models import APPROVER, Absence, Deputy, Notice, Officer, Role
from nguon.territory.models import Unit


def list_holders(unit: Unit, *, kind: str, at: datetime) -> list[Officer]:
    """Return the present holders of a role at exactly this unit, deputies included."""
    in_force = Q(valid_to__isnull=True) | Q(valid_to__gt=at)
    roles = Role.objects.filter(in_force, unit=unit, kind=kind, valid_from__lte=at)
    deputies = Deputy.objects.filter(role__in=roles, from_at__lte=at, to_at__gt=at)
    away = Absence.objects.filter(officer=OuterRef("pk"), from_at__lte=at, to_at__gt=at)
    holders = Q(pk__in=roles.values("officer")) | Q(pk__in=deputies.values("officer"))
    present = Officer.objects.filter(holders, ~Exists(away), is_active=True)
    return list(present.order_by("full_name", "pk"))


def list_approvers(
    unit: Unit, *, at: datetime, without: frozenset[int] = frozenset()
) -> list[Officer]:
    """Return who should approve now: at the unit, else at the nearest one above.

    `without` are officers who may not, because they touched the bulletin. Nobody
    waits for somebody who is away: the province then approves for the commune.
    """
    for key in reversed(unit.ancestor_ids):
        above = unit if key == unit.pk else Unit.objects.get(pk=key)
        holders = list_holders(above, kind=APPROVER, at=at)
        fit = [officer for officer in holders if officer.pk not in without]
        if fit:
            return fit
    return []


def list_notices(officer: Officer, *, limit: int = 50) -> list[Notice]:
    """Return an officer's latest notices, unread first."""
    notices = Notice.objects.filter(officer=officer)
    return list(notices.order_by("read_at", "-created_at", "-pk")[:limit])


def count_unread(officer: Officer) -> int:
    """Return how many notices wait to be read."""
    return Notice.objects.filter(officer=officer, read_at__isnull=True).count()

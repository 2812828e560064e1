"""The one fence of rights: a role at a unit covers that unit and what lies under it.

Every list, form and action of every room asks here. What an officer may not see is
absent for them (404), what they see but may not do is refused (403).
"""

from collections.abc import Collection
from datetime import datetime
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from nguon.core.errors import AbsentError, RefusedError
from nguon.people.models import (
    ADMINISTRATOR,
    APPROVER,
    AUTHOR,
    ROLES,
    TECHNICIAN,
    VIEWER,
    Officer,
    Role,
)
from nguon.territory.models import Unit

AnyModel = TypeVar("AnyModel", bound=Model)
EVERY_ROLE = (AUTHOR, APPROVER, TECHNICIAN, VIEWER, ADMINISTRATOR)


class NoRightError(RefusedError):
    """The officer holds no such role at this unit or above it."""

    def __init__(self, kind: str) -> None:
        super().__init__("people.no_right", role=ROLES[kind])


def roles_of(
    officer: Officer, *, at: datetime, kinds: Collection[str] = EVERY_ROLE
) -> QuerySet[Role]:
    """Return the roles in force, an officer's own and those held as a deputy."""
    in_force = Q(valid_to__isnull=True) | Q(valid_to__gt=at)
    own = Q(officer=officer)
    deputised = Q(
        deputies__officer=officer,
        deputies__from_at__lte=at,
        deputies__to_at__gt=at,
    )
    roles = Role.objects.filter(in_force, own | deputised, valid_from__lte=at)
    return roles.filter(kind__in=kinds).distinct()


def paths_of(
    officer: Officer, *, at: datetime, kinds: Collection[str] = EVERY_ROLE
) -> list[str]:
    """Return the paths of the ground an officer's roles cover; `/` is everything."""
    if not officer.is_active:
        return []
    if officer.is_superuser:
        return ["/"]
    found = roles_of(officer, at=at, kinds=kinds)
    return sorted(set(found.values_list("unit__path", flat=True)))


def units_of(
    officer: Officer, *, at: datetime, kinds: Collection[str] = EVERY_ROLE
) -> list[Unit]:
    """Return the units at which an officer holds a role, highest first."""
    paths = paths_of(officer, at=at, kinds=kinds)
    units = Unit.objects.filter(path__in=paths)
    if paths == ["/"]:
        units = Unit.objects.as_of(at.date()).filter(parent=None)
    return list(units.order_by("path", "pk"))


def fence(
    queryset: QuerySet[AnyModel],
    *,
    officer: Officer,
    at: datetime,
    unit: str = "unit",
    kinds: Collection[str] = EVERY_ROLE,
) -> QuerySet[AnyModel]:
    """Keep the rows on an officer's ground; `unit` names the way to their unit.

    An empty `unit` means that the rows are units themselves.
    """
    paths = paths_of(officer, at=at, kinds=kinds)
    field = f"{unit}__path__startswith" if unit else "path__startswith"
    ground = Q(pk__in=[])
    for path in paths:
        ground |= Q(**{field: path})
    return queryset.filter(ground)


def can(officer: Officer, kind: str, *, unit: Unit, at: datetime) -> bool:
    """Say whether an officer holds a role at a unit, or above it."""
    return any(
        unit.path.startswith(path) for path in paths_of(officer, at=at, kinds=[kind])
    )


def check_can(officer: Officer, kind: str, *, unit: Unit, at: datetime) -> None:
    """Refuse whoever has no such role here.

    Raises AbsentError when the ground is not theirs at all, else NoRightError.
    """
    if can(officer, kind, unit=unit, at=at):
        return
    if not any(unit.path.startswith(path) for path in paths_of(officer, at=at)):
        raise AbsentError("people.not_your_ground")
    raise NoRightError(kind)


def access_unit(officer: Officer, uid: str, *, at: datetime) -> Unit:
    """Return a unit on an officer's ground. Raises AbsentError for any other."""
    unit = fence(Unit.objects.filter(uid=uid), officer=officer, at=at, unit="").first()
    if unit is None:
        raise AbsentError("people.not_your_ground")
    return unit

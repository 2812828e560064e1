"""The one fence of rights: a role at a unit covers that unit and what lies under it.

Every list, form and action of every room asks here. What an officer may not see is
absent for them (404), what they see but may not do is refused (403).
"""

from collections.abc import Collection
from datetime import datetime
from typing import TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from nguon.core.errors import AbsentError, RefusedError
from nguon.people.models import (
    ADMINISTRATOR,
    APPROVER,
    AUTHOR,
    ROLES,
    TECHNICIAN,
    VIEWER,
    Officer,
    Past,
    Receiver,
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
    # A unit without a path is half written; as a prefix it would be everything.
    return sorted(set(found.values_list("unit__path", flat=True)) - {""})


def read_paths(officer: Officer, *, at: datetime) -> list[str]:
    """Return the paths of the ground of which an officer may read.

    Where they hold a role, and the past of that ground: what happened there stays
    with the units of its day, and is read by who has the ground now.
    """
    paths = paths_of(officer, at=at)
    if not paths or paths == ["/"]:
        return paths
    past = Past.objects.filter(unit__path__in=paths).values_list("old__path", flat=True)
    return sorted({*paths, *past} - {""})


def units_of(
    officer: Officer, *, at: datetime, kinds: Collection[str] = EVERY_ROLE
) -> list[Unit]:
    """Return the units at which an officer holds a role, highest first."""
    paths = paths_of(officer, at=at, kinds=kinds)
    units = Unit.objects.filter(path__in=paths)
    if paths == ["/"]:
        units = Unit.objects.as_of(timezone.localdate(at)).filter(parent=None)
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

    An empty `unit` means that the rows are units themselves. Whoever asks for no kind
    of role reads, and so reads the past of that ground too.
    """
    reads = set(kinds) == set(EVERY_ROLE)
    paths = (
        read_paths(officer, at=at) if reads else paths_of(officer, at=at, kinds=kinds)
    )
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


def can_see(officer: Officer, *, unit: Unit, at: datetime) -> bool:
    """Say whether a unit lies on an officer's ground, whatever the role."""
    return any(unit.path.startswith(path) for path in read_paths(officer, at=at))


def check_can(officer: Officer, kind: str, *, unit: Unit, at: datetime) -> None:
    """Refuse whoever has no such role here.

    Raises AbsentError when the ground is not theirs at all, else NoRightError.
    """
    if can(officer, kind, unit=unit, at=at):
        return
    if not can_see(officer, unit=unit, at=at):
        raise AbsentError("people.not_your_ground")
    raise NoRightError(kind)


def check_administrator(officer: Officer, *, at: datetime) -> None:
    """Refuse whoever administers no unit at all. Raises NoRightError."""
    if not paths_of(officer, at=at, kinds=[ADMINISTRATOR]):
        raise NoRightError(ADMINISTRATOR)


def manageable(by: Officer, *, at: datetime) -> QuerySet[Officer]:
    """Return the officers who hold, or held, a role on an administrator's ground."""
    if by.is_superuser and by.is_active:
        return Officer.objects.all()
    rows = fence(
        Officer.objects.all(),
        officer=by,
        at=at,
        unit="roles__unit",
        kinds=[ADMINISTRATOR],
    )
    return Officer.objects.filter(pk__in=rows.values("pk"))


def visible(by: Officer, *, at: datetime) -> QuerySet[Officer]:
    """Return the officers of somebody's ground: whom they may look up and phone."""
    if by.is_superuser and by.is_active:
        return Officer.objects.all()
    rows = fence(Officer.objects.all(), officer=by, at=at, unit="roles__unit")
    return Officer.objects.filter(pk__in=rows.values("pk"))


def access_officer(by: Officer, officer_id: int, *, at: datetime) -> Officer:
    """Return an officer whom an administrator may see. Raises AbsentError."""
    officer = manageable(by, at=at).filter(pk=officer_id).first()
    if officer is None:
        raise AbsentError("people.officer_absent")
    return officer


def manages(by: Officer, officer: Officer, *, at: datetime) -> bool:
    """Say whether somebody may change an officer's account.

    Only who administers *all* the ground of that officer: else the administrator of
    a commune could take over the account of an approver of the province.
    """
    if not manageable(by, at=at).filter(pk=officer.pk).exists():
        return False
    if by.is_superuser:
        return True
    if officer.is_superuser:
        return False
    held = officer.roles.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=at))
    mine = fence(held, officer=by, at=at, kinds=[ADMINISTRATOR])
    return held.count() == mine.count()


def check_manages(by: Officer, officer: Officer, *, at: datetime) -> None:
    """Refuse whoever may not change an officer's account.

    Raises AbsentError when that officer is not on their ground, else RefusedError.
    """
    access_officer(by, officer.pk, at=at)
    if not manages(by, officer, at=at):
        raise RefusedError("people.other_ground")


def access_unit(officer: Officer, uid: str, *, at: datetime) -> Unit:
    """Return a unit on an officer's ground. Raises AbsentError for any other."""
    unit = fence(Unit.objects.filter(uid=uid), officer=officer, at=at, unit="").first()
    if unit is None:
        raise AbsentError("people.not_your_ground")
    return unit


def access_receiver(officer: Officer, receiver_id: int) -> Receiver:
    """Return one of an officer's own browsers. Raises AbsentError for any other."""
    receiver = officer.receivers.filter(pk=receiver_id).first()
    if receiver is None:
        raise AbsentError("people.receiver_absent")
    return receiver

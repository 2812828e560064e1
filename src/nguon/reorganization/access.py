"""Who sees and makes merges: officers of the province that rearranges its ground.

An author draws one up and decides; an approver who had no hand in it runs it.
"""

from datetime import datetime

from django.db.models import QuerySet

from nguon.core.errors import AbsentError, RefusedError
from nguon.people import access
from nguon.people.models import APPROVER, AUTHOR, Officer
from nguon.reorganization.models import Merge
from nguon.territory.models import PROVINCE, Unit

KINDS = (AUTHOR, APPROVER)


def list_provinces(officer: Officer, *, at: datetime) -> list[Unit]:
    """Return the provinces whose ground an officer may rearrange."""
    units = access.units_of(officer, at=at, kinds=KINDS)
    return [unit for unit in units if unit.kind == PROVINCE]


def fence_merges(officer: Officer, *, at: datetime) -> QuerySet[Merge]:
    """Return the merges of an officer's provinces."""
    return access.fence(Merge.objects.all(), officer=officer, at=at, kinds=KINDS)


def access_merge(officer: Officer, uid: str, *, at: datetime) -> Merge:
    """Return a merge that this officer may see. Raises AbsentError."""
    people = ("made_by", "run_by", "undone_by", "confirmed_by")
    found = fence_merges(officer, at=at).select_related("unit", *people)
    merge = found.filter(uid=uid).first()
    if merge is None:
        raise AbsentError("reorganization.absent")
    return merge


def check_maker(officer: Officer, unit: Unit, *, at: datetime) -> None:
    """Refuse whoever is no author of a province.

    Raises RefusedError `reorganization.not_province`, AbsentError, NoRightError.
    """
    if unit.kind != PROVINCE:
        raise RefusedError("reorganization.not_province")
    access.check_can(officer, AUTHOR, unit=unit, at=at)


def may(officer: Officer, kind: str, merge: Merge, *, at: datetime) -> bool:
    """Say whether an officer holds a role where a merge is made."""
    return access.can(officer, kind, unit=merge.unit, at=at)


def has_hand_in(officer: Officer, merge: Merge) -> bool:
    """Say whether an officer drew a merge up, or decided anything in it."""
    return merge.made_by_id == officer.pk or merge.heirs.filter(by=officer).exists()

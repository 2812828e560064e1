"""Groups of devices: made, renamed, filled and emptied.

A device learns its groups by its signed settings, which every change signs anew.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from nguon.audit import actions as audit
from nguon.core.errors import ConflictError, InvalidError
from nguon.fleet import access
from nguon.fleet.actions.documents import sign_settings
from nguon.fleet.models import ACTIVE, Device, DeviceGroup, GroupMember
from nguon.people.models import Officer
from nguon.territory.models import Unit

MAX_NAME = 60
# All of them are signed anew in one transaction.
MAX_CHANGE = 2_000


@transaction.atomic
def save_group(
    *,
    unit: Unit,
    name: str,
    by: Officer,
    at: datetime,
    group: DeviceGroup | None = None,
) -> DeviceGroup:
    """Make a group under a unit, or give `group` another name.

    Raises InvalidError `fleet.group_name`, ConflictError `fleet.group_exists`, and
    what `check_keeper` raises.
    """
    access.check_keeper(by, unit=unit, at=at)
    words = " ".join(name.replace("\0", "").split())
    if not 0 < len(words) <= MAX_NAME:
        raise InvalidError("fleet.group_name", limit=MAX_NAME)
    found = group or DeviceGroup(unit=unit, made_by=by, made_at=at)
    others = DeviceGroup.objects.filter(unit=unit, name=words).exclude(pk=found.pk)
    if others.exists():
        raise ConflictError("fleet.group_exists", name=words)
    found.name = words
    found.save()
    audit.record("fleet.group.saved", target=found, by=by, at=at, data={"name": words})
    return found


@transaction.atomic
def join_group(
    *, group: DeviceGroup, devices: QuerySet[Device], by: Officer, at: datetime
) -> int:
    """Put devices into a group; return how many are new in it.

    Raises InvalidError `fleet.group_outside` (one from elsewhere), `fleet.group_many`,
    `fleet.batch_empty`, and what `check_keeper` raises.
    """
    access.check_keeper(by, unit=group.unit, at=at)
    chosen = access.fence_kept(by, at=at).filter(
        pk__in=devices.values("pk"), state=ACTIVE
    )
    if chosen.exclude(unit__path__startswith=group.unit.path).exists():
        raise InvalidError("fleet.group_outside", unit=group.unit.full_name)
    if not chosen.exists():
        raise InvalidError("fleet.batch_empty")
    fresh = _some(chosen.exclude(groups__group=group))
    GroupMember.objects.bulk_create(
        [GroupMember(group=group, device=device) for device in fresh], batch_size=500
    )
    _tell("joined", group, fresh, by, at)
    return len(fresh)


@transaction.atomic
def leave_group(
    *, group: DeviceGroup, devices: QuerySet[Device], by: Officer, at: datetime
) -> int:
    """Take devices out of a group; return how many were in it.

    Raises InvalidError `fleet.group_many`, and what `check_keeper` raises.
    """
    access.check_keeper(by, unit=group.unit, at=at)
    gone = _some(
        Device.objects.filter(pk__in=devices.values("pk"), groups__group=group)
    )
    GroupMember.objects.filter(group=group, device__in=gone).delete()
    _tell("left", group, gone, by, at)
    return len(gone)


def _some(devices: QuerySet[Device]) -> list[Device]:
    rows = list(devices.select_related("unit").order_by("pk")[: MAX_CHANGE + 1])
    if len(rows) > MAX_CHANGE:
        raise InvalidError("fleet.group_many", limit=MAX_CHANGE)
    return rows


def _tell(
    act: str, group: DeviceGroup, devices: list[Device], by: Officer, at: datetime
) -> None:
    """Sign the settings of who is active anew, and write down whom it concerned."""
    sign_settings([one for one in devices if one.state == ACTIVE], by=by, at=at)
    data = {"devices": [one.uid for one in devices]}
    audit.record(f"fleet.group.{act}", target=group, by=by, at=at, data=data)

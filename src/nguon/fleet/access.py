"""Who may touch devices: technicians and administrators on their ground."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from nguon.core.errors import AbsentError, RefusedError
from nguon.fleet.models import (
    Batch,
    Command,
    Device,
    DeviceGroup,
    DeviceReport,
    Health,
    Incident,
    Installation,
    Rollout,
    WorkOrder,
)
from nguon.people import access
from nguon.people.models import ADMINISTRATOR, TECHNICIAN, Officer
from nguon.territory.models import COMMUNE, PROVINCE, VILLAGE, Unit

KEEPERS = (TECHNICIAN, ADMINISTRATOR)


def can_keep(officer: Officer, *, unit: Unit, at: datetime) -> bool:
    """Say whether an officer looks after the devices of a unit."""
    return any(access.can(officer, kind, unit=unit, at=at) for kind in KEEPERS)


def check_keeper(officer: Officer, *, unit: Unit, at: datetime) -> None:
    """Refuse whoever does not look after the devices here.

    Raises AbsentError on foreign ground, NoRightError on one's own.
    """
    if not can_keep(officer, unit=unit, at=at):
        access.check_can(officer, TECHNICIAN, unit=unit, at=at)


def check_releaser(officer: Officer, *, at: datetime) -> Unit:
    """Return the province whose devices an officer looks after, all of them.

    Programs are for who keeps a whole province: one bad one silences it. Raises
    RefusedError `fleet.release_province`.
    """
    for unit in list_kept(officer, at=at):
        if unit.kind == PROVINCE:
            return unit
    raise RefusedError("fleet.release_province")


def can_release(officer: Officer, *, at: datetime) -> bool:
    """Say whether an officer may bring, approve and roll out programs."""
    return any(unit.kind == PROVINCE for unit in list_kept(officer, at=at))


def access_rollout(officer: Officer, uid: str, *, at: datetime) -> Rollout:
    """Return a rollout on an officer's ground. Raises AbsentError for any other."""
    related = ("release", "unit", "made_by", "moved_by")
    found = access.fence(Rollout.objects.all(), officer=officer, at=at)
    rollout = found.select_related(*related).filter(uid=uid).first()
    if rollout is None:
        raise AbsentError("fleet.rollout_absent")
    return rollout


def fence_devices(officer: Officer, *, at: datetime) -> QuerySet[Device]:
    """Return the devices on an officer's ground."""
    return access.fence(Device.objects.all(), officer=officer, at=at)


def fence_kept(officer: Officer, *, at: datetime) -> QuerySet[Device]:
    """Return the devices that an officer looks after."""
    return access.fence(Device.objects.all(), officer=officer, at=at, kinds=KEEPERS)


def fence_batches(officer: Officer, *, at: datetime) -> QuerySet[Batch]:
    """Return the batches of commands that went to devices on an officer's ground."""
    mine = Command.objects.filter(
        batch=OuterRef("pk"), device__in=fence_devices(officer, at=at)
    )
    return Batch.objects.filter(Exists(mine))


def access_batch(officer: Officer, uid: str, *, at: datetime) -> Batch:
    """Return a batch that concerns an officer. Raises AbsentError for any other."""
    found = fence_batches(officer, at=at).select_related("made_by", "cancelled_by")
    batch = found.filter(uid=uid).first()
    if batch is None:
        raise AbsentError("fleet.batch_absent")
    return batch


def fence_groups(officer: Officer, *, at: datetime) -> QuerySet[DeviceGroup]:
    """Return the groups of devices on an officer's ground."""
    return access.fence(DeviceGroup.objects.all(), officer=officer, at=at)


def access_group(officer: Officer, uid: str, *, at: datetime) -> DeviceGroup:
    """Return a group on an officer's ground. Raises AbsentError for any other."""
    found = fence_groups(officer, at=at).select_related("unit").filter(uid=uid).first()
    if found is None:
        raise AbsentError("fleet.group_absent")
    return found


def access_device(officer: Officer, uid: str, *, at: datetime) -> Device:
    """Return a device on an officer's ground. Raises AbsentError for any other."""
    found = fence_devices(officer, at=at).select_related("unit").filter(uid=uid)
    device = found.first()
    if device is None:
        raise AbsentError("fleet.device_absent")
    return device


def fence_incidents(officer: Officer, *, at: datetime) -> QuerySet[Incident]:
    """Return the incidents on an officer's ground, and those above that take it in."""
    ground = Q(pk__in=[])
    for path in access.read_paths(officer, at=at):
        parts = path.strip("/").split("/")
        above = [f"/{'/'.join(parts[: n + 1])}/" for n in range(len(parts))]
        ground |= Q(unit__path__startswith=path) | Q(unit__path__in=above)
    return Incident.objects.filter(ground)


def access_incident(officer: Officer, uid: str, *, at: datetime) -> Incident:
    """Return an incident that concerns an officer. Raises AbsentError."""
    found = fence_incidents(officer, at=at).select_related("unit").filter(uid=uid)
    incident = found.first()
    if incident is None:
        raise AbsentError("fleet.incident_absent")
    return incident


def fence_orders(officer: Officer, *, at: datetime) -> QuerySet[WorkOrder]:
    """Return the repairs of devices on an officer's ground."""
    return access.fence(
        WorkOrder.objects.all(), officer=officer, at=at, unit="device__unit"
    )


def access_order(officer: Officer, uid: str, *, at: datetime) -> WorkOrder:
    """Return a repair on an officer's ground. Raises AbsentError for any other."""
    related = ("device__unit__parent", "device__health", "unit", "assigned", "fault")
    found = fence_orders(officer, at=at).select_related(*related, "opened_by")
    order = found.filter(uid=uid).first()
    if order is None:
        raise AbsentError("fleet.order_absent")
    return order


def fence_reports(officer: Officer, *, at: datetime) -> QuerySet[DeviceReport]:
    """Return what was reported about devices that an officer looks after.

    Names and numbers of citizens are for those who call them back.
    """
    return access.fence(
        DeviceReport.objects.all(),
        officer=officer,
        at=at,
        unit="device__unit",
        kinds=KEEPERS,
    )


def fence_installations(officer: Officer, *, at: datetime) -> QuerySet[Installation]:
    """Return the jobs at devices on an officer's ground."""
    return access.fence(
        Installation.objects.all(), officer=officer, at=at, unit="device__unit"
    )


def access_installation(officer: Officer, uid: str, *, at: datetime) -> Installation:
    """Return a job on an officer's ground. Raises AbsentError for any other."""
    found = fence_installations(officer, at=at).select_related(
        "device__unit__parent", "unit", "by"
    )
    row = found.filter(uid=uid).first()
    if row is None:
        raise AbsentError("fleet.installation_absent")
    return row


def list_grounds(officer: Officer, *, at: datetime) -> list[Unit]:
    """Return the communes by which an officer may narrow a list."""
    here = Health.objects.values("commune")
    units = Unit.objects.as_of(at.date()).filter(kind=COMMUNE, pk__in=here)
    seen = access.fence(units, officer=officer, at=at, unit="")
    return list(seen.order_by("folded", "pk"))


def list_kept(officer: Officer, *, at: datetime) -> list[Unit]:
    """Return the units at which an officer looks after devices."""
    return access.units_of(officer, at=at, kinds=KEEPERS)


def list_places(officer: Officer, *, at: datetime) -> list[Unit]:
    """Return the communes and villages where an officer may put a device."""
    units = Unit.objects.as_of(at.date()).filter(kind__in=[COMMUNE, VILLAGE])
    seen = access.fence(units, officer=officer, at=at, unit="", kinds=KEEPERS)
    return list(seen.select_related("parent").order_by("path", "pk"))


def list_near_villages(device: Device) -> list[Unit]:
    """Return the villages of today in the commune where a device stands."""
    unit = device.unit
    commune = unit.parent_id if unit.kind == VILLAGE else unit.pk
    near = Unit.objects.filter(parent=commune, kind=VILLAGE, valid_to__isnull=True)
    return list(near.order_by("folded", "pk"))

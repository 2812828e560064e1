"""Named groups of devices that people choose by hand, whatever village they are in."""

from django.db import models

from nguon.core.topics import new_uid
from nguon.fleet.models.devices import Device


class DeviceGroup(models.Model):
    """Devices under one unit with a name (nhóm thiết bị): schools, markets, dams.

    Its uid travels in the signed settings of its devices and in the audiences of
    plans, so a group is renamed or emptied, and never deleted.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    name = models.CharField(max_length=60)
    made_by = models.ForeignKey(
        "people.Officer", on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["unit", "name"], name="group_name_once"),
            models.CheckConstraint(condition=~models.Q(name=""), name="group_named"),
        ]

    def __str__(self) -> str:
        return f"group {self.name} #{self.pk}"


class GroupMember(models.Model):
    """One device in one group; the database refuses one from outside its unit."""

    group = models.ForeignKey(
        DeviceGroup, on_delete=models.PROTECT, related_name="members"
    )
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="groups")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "device"], name="group_member_once"
            ),
        ]

    def __str__(self) -> str:
        return f"device #{self.device_id} in group #{self.group_id}"

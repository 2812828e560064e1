"""Orders of silence. Only `emergency.actions` writes here."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from nguon.core.topics import new_uid


class Stop(models.Model):
    """Silence for an area or one device until `until`, or until two persons lift it."""

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    unit = models.ForeignKey(
        "territory.Unit", null=True, on_delete=models.PROTECT, related_name="stops"
    )
    device = models.ForeignKey(
        "fleet.Device", null=True, on_delete=models.PROTECT, related_name="stops"
    )
    document = models.CharField(max_length=12)
    reason = models.CharField(max_length=500, blank=True)
    ordered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    ordered_at = models.DateTimeField()
    until = models.DateTimeField()
    lift_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    lift_asked_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(unit__isnull=False, device__isnull=True)
                | Q(unit__isnull=True, device__isnull=False),
                name="stop_has_one_target",
            ),
            models.CheckConstraint(
                condition=Q(until__gt=F("ordered_at")), name="stop_has_an_end"
            ),
            models.CheckConstraint(
                condition=Q(lift_asked_by__isnull=True, lift_asked_at__isnull=True)
                | Q(lift_asked_by__isnull=False, lift_asked_at__isnull=False),
                name="stop_asked_whole",
            ),
            models.CheckConstraint(
                condition=Q(lifted_by__isnull=True, lifted_at__isnull=True)
                | Q(
                    lifted_by__isnull=False,
                    lifted_at__isnull=False,
                    lift_asked_by__isnull=False,
                    lift_asked_at__isnull=False,
                ),
                name="stop_lift_asked_first",
            ),
            models.CheckConstraint(
                condition=Q(lifted_by__isnull=True) | ~Q(lifted_by=F("lift_asked_by")),
                name="stop_lift_second_person",
            ),
        ]
        indexes = [models.Index(fields=["-until"])]

    def __str__(self) -> str:
        return f"stop {self.uid} #{self.pk}"

    @property
    def place(self) -> str:
        """The name of what is silenced."""
        if self.unit is not None:
            return self.unit.full_name
        return self.device.name if self.device is not None else ""

"""The register (hồ sơ thiết bị): what the owner knows, beside what the device tells."""

import secrets

from django.db import models
from django.db.models import Q

from nguon.fleet.models.devices import Device

# Without 0/O, 1/I/L, so that a label can be read over the phone.
LABEL_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LABEL_LENGTH = 7

POWERS = {"mains": "Điện lưới", "solar": "Điện mặt trời", "battery": "Chỉ có pin"}


def power_choices() -> list[tuple[str, str]]:
    """Return the sources of power with their Vietnamese names."""
    return [("", "Chưa ghi"), *POWERS.items()]


def new_label() -> str:
    """Return a fresh short code for a label: 7 letters, 27 thousand million of them."""
    return "".join(secrets.choice(LABEL_LETTERS) for _ in range(LABEL_LENGTH))


class Registration(models.Model):
    """What is written in the register about one device.

    `label` is the short code on its QR label. `mast` names what takes it down together
    with others: a mobile mast or a power line. Outside `[hours_from, hours_to)` (local)
    it may be switched off. A contractor has `repair_hours` for a repair. Money is whole
    đồng.
    """

    device = models.OneToOneField(
        Device, primary_key=True, on_delete=models.PROTECT, related_name="registration"
    )
    label = models.CharField(max_length=7, unique=True, default=new_label)
    make = models.CharField(max_length=60, blank=True)
    model = models.CharField(max_length=60, blank=True)
    serial = models.CharField(max_length=60, blank=True)
    sim_number = models.CharField(max_length=20, blank=True)
    sim_expires_date = models.DateField(null=True, blank=True)
    data_plan_mb = models.PositiveIntegerField(null=True, blank=True)
    amplifier_w = models.PositiveIntegerField(null=True, blank=True)
    horns = models.PositiveSmallIntegerField(null=True, blank=True)
    power = models.CharField(max_length=7, choices=power_choices, blank=True)
    battery = models.CharField(max_length=60, blank=True)
    mounting = models.CharField(max_length=120, blank=True)
    mast = models.CharField(max_length=60, blank=True)
    hours_from = models.TimeField(null=True, blank=True)
    hours_to = models.TimeField(null=True, blank=True)
    villages = models.ManyToManyField(
        "territory.Unit", blank=True, related_name="covered_by"
    )
    purchased_date = models.DateField(null=True, blank=True)
    price = models.PositiveBigIntegerField(null=True, blank=True)
    funding = models.CharField(max_length=120, blank=True)
    warranty_date = models.DateField(null=True, blank=True)
    contract = models.CharField(max_length=120, blank=True)
    repair_hours = models.PositiveSmallIntegerField(null=True, blank=True)
    contractor = models.CharField(max_length=120, blank=True)
    notes = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(hours_from__isnull=True, hours_to__isnull=True)
                | Q(hours_from__isnull=False, hours_to__isnull=False),
                name="registration_hours_together",
            ),
            models.CheckConstraint(
                condition=Q(power__in=["", *POWERS]), name="registration_power_known"
            ),
            models.UniqueConstraint(
                fields=["make", "serial"],
                condition=~Q(serial=""),
                name="registration_serial_once",
            ),
        ]

    def __str__(self) -> str:
        return f"registration {self.label} of device #{self.pk}"

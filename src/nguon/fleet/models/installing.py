"""The protocol of putting up a device (biên bản lắp đặt), and its photos."""

from django.db import models
from django.db.models import F, Q

from nguon.core import beats
from nguon.core.topics import new_uid
from nguon.fleet.models.devices import Device, Media


class Installation(models.Model):
    """One job at one pole, made on a phone that may have been without signal.

    `client` is the id that the phone gave it: the same job sent twice is one. Its
    `revision` grows with each change there. `tone_at` is when the test tone was asked
    for, `heard_at` when the installer heard it, `grade` what the device proved of it.
    `unit` is the device's unit when it was begun.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    client = models.UUIDField(unique=True)
    device = models.ForeignKey(
        Device, on_delete=models.PROTECT, related_name="installations"
    )
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    by = models.ForeignKey("people.Officer", on_delete=models.PROTECT, related_name="+")
    revision = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    saved_at = models.DateTimeField()
    steps = models.JSONField(default=dict)
    lat = models.FloatField(null=True, blank=True)
    lon = models.FloatField(null=True, blank=True)
    accuracy_m = models.PositiveIntegerField(null=True, blank=True)
    notes = models.CharField(max_length=500, blank=True)
    tone_at = models.DateTimeField(null=True, blank=True)
    heard_at = models.DateTimeField(null=True, blank=True)
    grade = models.PositiveSmallIntegerField(default=0)
    proven_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # Nothing is done that was not heard by a person and proven by the device.
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True)
                | Q(
                    tone_at__isnull=False,
                    heard_at__gte=F("tone_at"),
                    proven_at__gt=F("tone_at"),
                    grade__gte=beats.DECODED,
                ),
                name="installation_heard_and_proven",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")),
                name="installation_ends_after_it_begins",
            ),
        ]
        indexes = [
            models.Index(
                fields=["device", "-started_at"], name="installation_of_device"
            )
        ]

    def __str__(self) -> str:
        return f"installation {self.uid} #{self.pk}"


class InstallationPhoto(models.Model):
    """A photo of the mounting, re-encoded here: it carries no place and no camera."""

    installation = models.ForeignKey(
        Installation, on_delete=models.PROTECT, related_name="photos"
    )
    media = models.ForeignKey(Media, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["installation", "media"], name="installation_photo_once"
            )
        ]

    def __str__(self) -> str:
        return f"photo of installation #{self.installation_id} #{self.pk}"

"""What came from outside: files on their way in, and what a draft was read from."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from nguon.core.topics import new_uid


class Upload(models.Model):
    """A file on its way in, piece by piece; its bytes lie in the data folder."""

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    name = models.CharField(max_length=200, blank=True)
    size = models.PositiveBigIntegerField()
    received = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(received__lte=F("size")), name="upload_not_too_much"
            )
        ]

    def __str__(self) -> str:
        return f"upload #{self.pk}"


class Intake(models.Model):
    """What a draft was proposed from: the whole text, the clean picture, the notes."""

    bulletin = models.OneToOneField(
        "newsroom.Bulletin", on_delete=models.PROTECT, related_name="intake"
    )
    kind = models.CharField(max_length=10)
    name = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)
    notes = models.JSONField(default=list)
    picture = models.ForeignKey(
        "fleet.Media",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="intakes",
    )
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    taken_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} intake #{self.pk} of bulletin #{self.bulletin_id}"

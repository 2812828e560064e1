"""Devices and everything that is sent to them; media files are named by hash."""

from django.db import models


class Media(models.Model):
    """One file that devices fetch by its hash; the bytes lie in MEDIA_DIR."""

    sha256 = models.CharField(max_length=64, unique=True)
    size = models.PositiveBigIntegerField()
    mime = models.CharField(max_length=60)
    duration_ms = models.PositiveIntegerField(default=0)
    stored_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.mime} {self.sha256[:12]} #{self.pk}"

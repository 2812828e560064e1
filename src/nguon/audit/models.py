"""Who did what, append-only; and which months of which tables lie in files."""

from django.db import models
from django.db.models import F, Q


class Record(models.Model):
    """One change that somebody made. Points at nothing: it outlives everything."""

    at = models.DateTimeField(db_index=True)
    by_id = models.BigIntegerField(null=True)
    by_name = models.CharField(max_length=200)
    action = models.CharField(max_length=80, db_index=True)
    target = models.CharField(max_length=200)
    data = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.action} {self.target} #{self.pk}"


class Archive(models.Model):
    """One month of one table (see `audit.months`), written to a file and read back.

    Its rows may leave the database only then. `restored_at`: they were put back.
    `model` and `month` say what it holds, `file` where, under the archive's folder.
    """

    model = models.CharField(max_length=60)
    month = models.DateField()
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    file = models.CharField(max_length=200)
    rows = models.PositiveBigIntegerField()
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    restored_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["model", "month"], name="archive_once"),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("begins_at")), name="archive_has_a_length"
            ),
            models.CheckConstraint(
                condition=Q(sha256__length=64), name="archive_has_a_hash"
            ),
        ]

    def __str__(self) -> str:
        return f"archive of {self.model} {self.month:%Y-%m} #{self.pk}"

"""The one table of the audit. Append-only in the database."""

from django.db import models


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

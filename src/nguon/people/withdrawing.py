"""What is never edited: a wrong row is withdrawn with the reason, and stays.

The rooms above build their tables on it; a trigger of theirs keeps the other columns.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q


class Withdrawable(models.Model):
    """A row that one officer may take back, once, with a reason that others read."""

    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=400, blank=True)

    class Meta:
        abstract = True


def withdrawn_with_reason(name: str, **more: object) -> models.CheckConstraint:
    """Hold that who, when and why are all there or none; `more` when they are."""
    none = Q(withdrawn_by__isnull=True, withdrawn_at__isnull=True, reason="")
    every = Q(**more, withdrawn_by__isnull=False, withdrawn_at__isnull=False)
    return models.CheckConstraint(condition=none | every & ~Q(reason=""), name=name)

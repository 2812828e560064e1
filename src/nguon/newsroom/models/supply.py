"""Who supplies essential information: departments, the police, the weather service."""

from django.conf import settings
from django.db import models
from django.db.models import Q

SUPPLIER_LIMIT = 120


class Supplier(models.Model):
    """A department or office (sở, ngành) whose bulletins a unit passes on.

    It is named on the bulletin and frozen with the version; one that supplies no
    longer is ended, never deleted.
    """

    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="suppliers"
    )
    name = models.CharField(max_length=SUPPLIER_LIMIT)
    folded = models.CharField(max_length=SUPPLIER_LIMIT)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    added_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "folded"],
                condition=Q(ended_at__isnull=True),
                name="supplier_once_per_unit",
            ),
            models.CheckConstraint(
                condition=Q(name__length__gte=2), name="supplier_has_name"
            ),
        ]

    def __str__(self) -> str:
        return f"supplier {self.name} #{self.pk}"

"""The tables of open data; only `reports.actions` writes here."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from nguon.core.topics import new_uid
from nguon.indicators.rules import Period as Days
from nguon.people.withdrawing import Withdrawable, withdrawn_with_reason
from nguon.reports import opening


class Publication(Withdrawable):
    """Figures of a period that a unit gave to everybody (công bố số liệu).

    What was published stands; it is withdrawn with a reason, and published anew.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    first_date = models.DateField()
    after_date = models.DateField()
    counted_days = models.PositiveSmallIntegerField()
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    published_at = models.DateTimeField()
    reason = models.CharField(max_length=opening.MAX_REASON, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "first_date", "after_date"],
                condition=Q(withdrawn_at__isnull=True),
                name="publication_once_a_period",
            ),
            models.CheckConstraint(
                condition=Q(after_date__gt=F("first_date"), counted_days__gt=0),
                name="publication_of_counted_days",
            ),
            withdrawn_with_reason("publication_withdrawn_with_reason"),
        ]

    def __str__(self) -> str:
        return f"publication {self.uid} #{self.pk}"

    @property
    def days(self) -> Days:
        """Its days."""
        return Days(self.first_date, self.after_date)


class PublishedFigure(models.Model):
    """One figure as it was published, in shown units. Append-only.

    `missing` (of `opening.WHY`) stands where there is none: never a 0 instead.
    """

    publication = models.ForeignKey(
        Publication, on_delete=models.PROTECT, related_name="figures"
    )
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    indicator = models.CharField(max_length=40)
    above = models.DecimalField(max_digits=20, decimal_places=2, null=True, blank=True)
    below = models.DecimalField(max_digits=20, decimal_places=2, null=True, blank=True)
    missing = models.CharField(max_length=11, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["publication", "unit", "indicator"], name="published_once"
            ),
            models.CheckConstraint(
                condition=Q(above__isnull=True, below__isnull=True)
                & Q(missing__in=list(opening.WHY))
                | Q(above__isnull=False, missing=""),
                name="published_figure_or_why_not",
            ),
        ]

    def __str__(self) -> str:
        return f"published {self.indicator} of unit #{self.unit_id} #{self.pk}"

    @property
    def line(self) -> opening.Line:
        """Its figure."""
        return opening.Line(self.above, self.below, self.missing)

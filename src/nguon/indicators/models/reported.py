"""What units reported of indicators, from accepted reports."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from nguon.indicators.rules import Period, Ratio


class ReportedFigure(models.Model):
    """What a unit reported of one indicator at the end of `[first_date, after_date)`.

    It stands from its report's acceptance on until that is unlocked; `submission` is
    the report's address. Never changed, only withdrawn.
    """

    indicator = models.CharField(max_length=40)
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    first_date = models.DateField()
    after_date = models.DateField()
    above = models.DecimalField(max_digits=16, decimal_places=2)
    below = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    is_share = models.BooleanField(default=False)
    submission = models.CharField(max_length=12)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField()
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["submission", "indicator"],
                condition=Q(withdrawn_at__isnull=True),
                name="reported_figure_stands_once",
            ),
            models.CheckConstraint(
                condition=Q(after_date__gt=F("first_date")),
                name="reported_figure_period_not_empty",
            ),
            models.CheckConstraint(
                condition=Q(above__gte=0)
                & (Q(below__isnull=True) | Q(below__gte=0))
                & (Q(is_share=False) | Q(below__isnull=False, below__gte=F("above"))),
                name="reported_figure_can_be",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_by__isnull=True, withdrawn_at__isnull=True)
                | Q(withdrawn_by__isnull=False, withdrawn_at__isnull=False),
                name="reported_figure_withdrawn_by_and_at",
            ),
        ]
        indexes = [models.Index(fields=["after_date", "indicator"])]

    def __str__(self) -> str:
        return f"{self.indicator} of report {self.submission} #{self.pk}"

    @property
    def period(self) -> Period:
        """The days it was reported for."""
        return Period(self.first_date, self.after_date)

    @property
    def ratio(self) -> Ratio:
        """Its numerator and denominator; whole numbers as such."""
        return Ratio(_whole(self.above), _whole(self.below or Decimal(0)))


def _whole(number: Decimal) -> int | Decimal:
    return int(number) if number == int(number) else number

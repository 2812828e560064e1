"""What was promised in figures, what it costs, and from which purse."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from nguon.core.topics import new_uid
from nguon.plan import money
from nguon.plan.models.plans import ActionPlan


def source_choices() -> list[tuple[str, str]]:
    """Return the sources of money with their Vietnamese names."""
    return list(money.SOURCES.items())


def purpose_choices() -> list[tuple[str, str]]:
    """Return what money is for with its Vietnamese names."""
    return list(money.PURPOSES.items())


class Target(models.Model):
    """What one unit should reach in one year on one indicator of the catalogue.

    `is_share` is the catalogue's word, kept here so that the database can refuse more
    than 100 %; `is_example` marks figures that no paper has.
    """

    plan = models.ForeignKey(
        ActionPlan, on_delete=models.PROTECT, related_name="targets"
    )
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    year = models.PositiveSmallIntegerField()
    indicator = models.CharField(max_length=40)
    value = models.DecimalField(max_digits=15, decimal_places=2)
    is_share = models.BooleanField()
    is_example = models.BooleanField(default=False)
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "unit", "year", "indicator"], name="target_once"
            ),
            models.CheckConstraint(
                condition=Q(value__gte=0), name="target_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(is_share=False) | Q(value__lte=100),
                name="target_share_range",
            ),
        ]

    def __str__(self) -> str:
        return f"target {self.indicator} {self.year} #{self.pk}"


class FundingLine(models.Model):
    """Money of one source for one purpose, at a unit, in a year; whole đồng."""

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    plan = models.ForeignKey(
        ActionPlan, on_delete=models.PROTECT, related_name="funding"
    )
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    year = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=11, choices=source_choices)
    purpose = models.CharField(max_length=10, choices=purpose_choices)
    amount = models.PositiveBigIntegerField()
    spent = models.PositiveBigIntegerField(default=0)
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "unit", "year", "source", "purpose"],
                name="funding_line_once",
            ),
            models.CheckConstraint(
                condition=Q(spent__lte=F("amount")), name="funding_spent_within"
            ),
            models.CheckConstraint(
                condition=Q(source__in=list(money.SOURCES)), name="funding_source_known"
            ),
            models.CheckConstraint(
                condition=Q(purpose__in=list(money.PURPOSES)),
                name="funding_purpose_known",
            ),
        ]

    def __str__(self) -> str:
        return f"funding {self.uid} #{self.pk}"

    @property
    def left(self) -> int:
        """Return what is not spent yet, in đồng."""
        return self.amount - self.spent


class RunningCost(models.Model):
    """What keeping a unit's station and each of its clusters costs in a year."""

    plan = models.ForeignKey(
        ActionPlan, on_delete=models.PROTECT, related_name="running_costs"
    )
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    year = models.PositiveSmallIntegerField()
    per_station = models.PositiveBigIntegerField()
    per_cluster = models.PositiveBigIntegerField()
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "unit", "year"], name="running_cost_once"
            ),
        ]

    def __str__(self) -> str:
        return f"running cost {self.year} of unit #{self.unit_id} #{self.pk}"

"""What was counted, by day, month, period. Only `indicators.actions` writes here."""

from django.db import models
from django.db.models import Q

from nguon.indicators.measures import MEASURES
from nguon.indicators.rules import LENGTHS


class DayFact(models.Model):
    """One number of one unit on one local day, written anew when facts changed.

    `unit` is where it happened, on the map of its day; `place` its commune, or the
    unit itself above communes. `part` splits a measure (`field:3`); empty is all of
    it. Parts may overlap (languages), so they are never added up to the whole.
    """

    day = models.DateField()
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    place = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    measure = models.CharField(max_length=20)
    part = models.CharField(max_length=40, blank=True)
    number = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "unit", "measure", "part"], name="day_fact_once"
            ),
            models.CheckConstraint(
                condition=Q(measure__in=list(MEASURES)), name="day_fact_measure_known"
            ),
            # What is 0 is not written: a day that was counted has a `FactDay`.
            models.CheckConstraint(
                condition=Q(number__gt=0), name="day_fact_says_something"
            ),
        ]
        indexes = [
            models.Index(
                fields=["measure", "day", "place"], name="day_fact_by_measure"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.measure} {self.part} on {self.day} at #{self.unit_id} #{self.pk}"


class FactDay(models.Model):
    """A local day that is counted: what has no `DayFact` on it was 0."""

    day = models.DateField(unique=True)
    counted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"facts of {self.day} #{self.pk}"


class MonthFact(models.Model):
    """What the counted days of a month come to; a year is read in twelve of these.

    The same sums as those of its `DayFact`, of every measure that adds up over days.
    """

    month = models.DateField()
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    place = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    measure = models.CharField(max_length=20)
    part = models.CharField(max_length=40, blank=True)
    number = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["month", "measure", "unit", "part"], name="month_fact_once"
            ),
            models.CheckConstraint(
                condition=Q(number__gt=0), name="month_fact_says_something"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.measure} {self.part} of {self.month} at #{self.unit_id}"


class FactMonth(models.Model):
    """A month whose days are added up; `made_at` empty: one was counted since.

    Until it is added up anew, its days are read instead.
    """

    month = models.DateField(unique=True)
    made_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"facts of the month {self.month} #{self.pk}"


class PeriodFigure(models.Model):
    """One figure of one place in a whole month, quarter, half year or year.

    Counted from the day's numbers, so that a page adds up few rows; anew when they
    change. `map_date` is the first day of the map that the places stand on: a period
    is kept on the map of its own last day, and on today's. `unit` is a commune, or
    above communes what cannot be told from which of them it is. Who has told nothing
    has no row.
    """

    first_date = models.DateField()
    months = models.PositiveSmallIntegerField()
    map_date = models.DateField()
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    indicator = models.CharField(max_length=40)
    above = models.PositiveBigIntegerField()
    below = models.PositiveBigIntegerField()
    counted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["first_date", "months", "map_date", "indicator", "unit"],
                name="period_figure_once",
            ),
            models.CheckConstraint(
                condition=Q(months__in=list(LENGTHS)), name="period_figure_whole"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.indicator} of {self.first_date} at #{self.unit_id} #{self.pk}"

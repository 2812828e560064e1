"""Beats in hours and days; the rules are in `fleet.rollups`.

An hour keeps bits and extremes and is forgotten after two months; a day is counted
from its hours and is kept.
"""

from django.db import models
from django.db.models import F, Q

from nguon.fleet.models.devices import Device


class Extremes(models.Model):
    """The least and the most that was told within a stretch of time."""

    temperature_min = models.SmallIntegerField(null=True)
    temperature_max = models.SmallIntegerField(null=True)
    signal_min = models.SmallIntegerField(null=True)
    signal_max = models.SmallIntegerField(null=True)
    storage_free_min = models.IntegerField(null=True)
    battery_min = models.SmallIntegerField(null=True)
    clock_offset_max = models.BigIntegerField(null=True)
    data_used_max = models.IntegerField(null=True)

    class Meta:
        abstract = True


class BeatHour(Extremes):
    """What one device told in one hour: bit N of a column is the minute N.

    `changed_at` is when a beat last changed it: its day is then counted again.
    """

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+")
    hour_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    heard = models.BigIntegerField(default=0)
    mains = models.BigIntegerField(default=0)
    battery = models.BigIntegerField(default=0)
    sounding = models.BigIntegerField(default=0)
    claimed = models.BigIntegerField(default=0)
    decoded = models.BigIntegerField(default=0)
    amplified = models.BigIntegerField(default=0)
    measured = models.BigIntegerField(default=0)
    line_bad = models.BigIntegerField(default=0)
    doubtful = models.BigIntegerField(default=0)
    hot = models.BigIntegerField(default=0)
    weak = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["device", "hour_at"], name="beat_hour_once"
            ),
        ]
        indexes = [models.Index(fields=["hour_at"], name="beat_hour_at")]

    def __str__(self) -> str:
        return f"hour {self.hour_at} of device #{self.device_id} #{self.pk}"


class BeatDay(Extremes):
    """One local day of one device, in minutes; `unit` is where it was that day.

    `expected` minutes it should have been on, in `missing` of them nothing was heard.
    An audible minute counts once, by its best grade.
    """

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="days")
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    day = models.DateField()
    made_at = models.DateTimeField()
    expected = models.PositiveSmallIntegerField()
    missing = models.PositiveSmallIntegerField()
    heard = models.PositiveSmallIntegerField()
    mains = models.PositiveSmallIntegerField()
    battery = models.PositiveSmallIntegerField()
    sounding = models.PositiveSmallIntegerField()
    claimed = models.PositiveSmallIntegerField()
    decoded = models.PositiveSmallIntegerField()
    amplified = models.PositiveSmallIntegerField()
    measured = models.PositiveSmallIntegerField()
    line_bad = models.PositiveSmallIntegerField()
    doubtful = models.PositiveSmallIntegerField()
    hot = models.PositiveSmallIntegerField()
    weak = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["device", "day"], name="beat_day_once"),
            models.CheckConstraint(
                condition=Q(missing__lte=F("expected")),
                name="beat_day_misses_what_is_expected",
            ),
        ]
        indexes = [
            models.Index(fields=["unit", "day"], name="beat_day_by_unit"),
            models.Index(fields=["day"], name="beat_day_by_day"),
        ]

    def __str__(self) -> str:
        return f"day {self.day} of device #{self.device_id} #{self.pk}"

    @property
    def audible(self) -> int:
        """Minutes with evidence of sound that counted, of any grade."""
        return self.claimed + self.decoded + self.amplified + self.measured

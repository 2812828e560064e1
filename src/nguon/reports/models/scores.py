"""The tables of the evaluation score; only `reports.actions` writes here."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from nguon.core.topics import new_uid
from nguon.reports import scoring


def sheet_state_choices() -> list[tuple[str, str]]:
    """Return the states of a score sheet with their Vietnamese names."""
    return list(scoring.STATES.items())


class ScoreSheet(models.Model):
    """By which weights a unit scores the communes under it in a year (bảng điểm).

    `draft → published`, by another person than who changed it last; published it is
    locked. A unit of which less than `least_covered` % could be assessed has no rank.
    Results stay internal until `shown_at`.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    year = models.PositiveSmallIntegerField()
    least_covered = models.PositiveSmallIntegerField(default=scoring.LEAST_COVERED)
    state = models.CharField(
        max_length=9, choices=sheet_state_choices, default=scoring.DRAFT
    )
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    changed_at = models.DateTimeField()
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    published_at = models.DateTimeField(null=True, blank=True)
    shown_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    shown_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "year"], name="score_sheet_once_a_year"
            ),
            models.CheckConstraint(
                condition=Q(least_covered__gte=1, least_covered__lte=scoring.FULL),
                name="score_sheet_least_range",
            ),
            models.CheckConstraint(
                condition=Q(
                    state=scoring.DRAFT,
                    published_by__isnull=True,
                    published_at__isnull=True,
                )
                | Q(
                    state=scoring.PUBLISHED,
                    published_by__isnull=False,
                    published_at__isnull=False,
                )
                & ~Q(published_by=F("changed_by")),
                name="score_sheet_published_by_another",
            ),
            models.CheckConstraint(
                condition=Q(shown_by__isnull=True, shown_at__isnull=True)
                | Q(
                    state=scoring.PUBLISHED,
                    shown_by__isnull=False,
                    shown_at__isnull=False,
                ),
                name="score_sheet_shown_by_and_at",
            ),
        ]

    def __str__(self) -> str:
        return f"score sheet {self.uid} #{self.pk}"

    @property
    def is_draft(self) -> bool:
        """Say whether its lines may still be changed."""
        return self.state == scoring.DRAFT


class ScoreLine(models.Model):
    """What one indicator weighs; without `full_at` each unit's own target counts."""

    sheet = models.ForeignKey(
        ScoreSheet, on_delete=models.PROTECT, related_name="lines"
    )
    indicator = models.CharField(max_length=40)
    weight = models.PositiveSmallIntegerField()
    full_at = models.DecimalField(
        max_digits=15, decimal_places=2, null=True, blank=True
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sheet", "indicator"], name="score_line_once"
            ),
            models.CheckConstraint(
                condition=Q(weight__gte=1, weight__lte=scoring.FULL),
                name="score_line_weight_range",
            ),
            models.CheckConstraint(
                condition=Q(full_at__isnull=True) | Q(full_at__gt=0),
                name="score_line_full_at_positive",
            ),
        ]

    def __str__(self) -> str:
        return f"score line {self.indicator} of sheet #{self.sheet_id} #{self.pk}"


class ScoreResult(models.Model):
    """What one unit came to when the results were shown to everybody. Append-only."""

    sheet = models.ForeignKey(
        ScoreSheet, on_delete=models.PROTECT, related_name="results"
    )
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    points = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    covered = models.PositiveSmallIntegerField()
    rank = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sheet", "unit"], name="score_result_once"),
            models.CheckConstraint(
                condition=Q(points__isnull=True, covered=0, rank__isnull=True)
                | Q(points__gte=0, points__lte=scoring.FULL)
                & Q(covered__gte=1, covered__lte=scoring.FULL),
                name="score_result_not_assessed_is_no_0",
            ),
        ]

    def __str__(self) -> str:
        return f"score of unit #{self.unit_id} in sheet #{self.sheet_id} #{self.pk}"

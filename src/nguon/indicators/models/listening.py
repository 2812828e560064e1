"""The listening sample: rounds, the villages that were drawn, what people answered.

A draw is never changed: what is written here proves that nobody drew until they liked
the result. Nobody who is asked is named.
"""

import secrets
from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from nguon.core.topics import new_uid
from nguon.fleet.models.register import LABEL_LETTERS
from nguon.indicators import listening, sampling

CODE_LENGTH = 9


def new_code() -> str:
    """Return a fresh secret code of a village's page: 9 letters, nobody guesses it."""
    return "".join(secrets.choice(LABEL_LETTERS) for _ in range(CODE_LENGTH))


class ListeningRound(models.Model):
    """One quarter's sample (đợt hỏi nghe) of a unit, about all bulletins or one.

    Answers come in on the local days `[first_date, after_date)`. `margin` is in
    percentage points, `confidence` in percent; both and `design_effect` were stated
    before the first answer. `people` is the size of the ground when villages were
    drawn by size, none when every village counts the same.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    year = models.PositiveSmallIntegerField()
    quarter = models.PositiveSmallIntegerField()
    bulletin = models.ForeignKey(
        "newsroom.Bulletin",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    first_date = models.DateField()
    after_date = models.DateField()
    margin = models.PositiveSmallIntegerField()
    confidence = models.PositiveSmallIntegerField()
    design_effect = models.DecimalField(max_digits=4, decimal_places=2)
    take = models.PositiveSmallIntegerField()
    needed = models.PositiveIntegerField()
    people = models.PositiveIntegerField(null=True, blank=True)
    seed = models.PositiveBigIntegerField()
    drawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    drawn_at = models.DateTimeField()
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    # Nobody had answered yet: it does not count, another may be drawn.
    dropped = models.BooleanField(default=False)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "year", "quarter"],
                condition=Q(dropped=False, bulletin__isnull=True),
                name="listening_round_once",
            ),
            models.UniqueConstraint(
                fields=["unit", "year", "quarter", "bulletin"],
                condition=Q(dropped=False, bulletin__isnull=False),
                name="listening_round_once_of_bulletin",
            ),
            models.CheckConstraint(
                condition=Q(quarter__gte=1, quarter__lte=4),
                name="listening_quarter_known",
            ),
            models.CheckConstraint(
                condition=Q(after_date__gt=F("first_date")),
                name="listening_days_not_empty",
            ),
            models.CheckConstraint(
                condition=Q(margin__in=sampling.MARGINS)
                & Q(confidence__in=sampling.CONFIDENCES)
                & Q(design_effect__gte=1, take__gte=1, needed__gte=1)
                & Q(seed__lte=listening.MOST_SEED),
                name="listening_plan_possible",
            ),
            models.CheckConstraint(
                # Nobody ends a round whose last day has passed: it ends by itself.
                condition=Q(ended_by__isnull=True, dropped=False)
                | Q(ended_by__isnull=False, ended_at__isnull=False),
                name="listening_end_pair",
            ),
            models.CheckConstraint(
                condition=Q(dropped=False) | ~Q(reason=""),
                name="listening_drop_has_reason",
            ),
        ]
        indexes = [models.Index(fields=["year", "quarter"], name="listening_quarter")]

    def __str__(self) -> str:
        return f"listening {self.year}/{self.quarter} of #{self.unit_id} #{self.pk}"

    @property
    def by_size(self) -> bool:
        """Say whether villages were drawn by their people."""
        return self.people is not None

    @property
    def name(self) -> str:
        """What people call it."""
        return f"Quý {self.quarter}/{self.year}"

    def is_begun(self, day: date) -> bool:
        """Say whether answers are taken from this local day on."""
        return self.first_date <= day

    def is_over(self, day: date) -> bool:
        """Say whether no more answers are taken on a local day."""
        return self.ended_at is not None or day >= self.after_date


class ListeningPlace(models.Model):
    """A village that was drawn, with the code of its page.

    `stratum` is the local language its speakers play (empty: not known), of
    `stratum_size` people or villages; `start` where asking begins in the list of
    households, in thousandths of a step.
    """

    round = models.ForeignKey(
        ListeningRound, on_delete=models.PROTECT, related_name="places"
    )
    village = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    code = models.CharField(max_length=CODE_LENGTH, unique=True, default=new_code)
    stratum = models.CharField(max_length=3, blank=True)
    size = models.PositiveIntegerField()
    stratum_size = models.PositiveIntegerField()
    hits = models.PositiveSmallIntegerField()
    ask = models.PositiveSmallIntegerField()
    start = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["round", "village"], name="listening_place_once"
            ),
            models.CheckConstraint(
                condition=Q(size__gte=1, hits__gte=1, ask__gte=1)
                & Q(size__lte=F("stratum_size"))
                & Q(start__lt=sampling.START_PARTS),
                name="listening_place_possible",
            ),
        ]

    def __str__(self) -> str:
        return f"place {self.village_id} of listening #{self.round_id} #{self.pk}"


class ListeningAnswer(models.Model):
    """What one household answered, or that nobody was met. Append-only.

    `key` is made on the phone, so that what is sent twice is one answer. Source: law
    91/2025/QH15 on personal data: what is not needed is not taken, so no name, phone,
    house or age is here.
    """

    place = models.ForeignKey(
        ListeningPlace, on_delete=models.PROTECT, related_name="answers"
    )
    number = models.PositiveSmallIntegerField()
    key = models.UUIDField(unique=True)
    met = models.BooleanField()
    heard = models.BooleanField(null=True, blank=True)
    understood = models.BooleanField(null=True, blank=True)
    acted = models.BooleanField(null=True, blank=True)
    language = models.CharField(max_length=4, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["place", "number"], name="listening_answer_numbered"
            ),
            models.CheckConstraint(
                condition=Q(met=False, heard__isnull=True)
                | Q(met=True, heard__isnull=False),
                name="listening_met_has_heard",
            ),
            models.CheckConstraint(
                condition=Q(
                    heard=True,
                    understood__isnull=False,
                    acted__isnull=False,
                    language__in=list(listening.HEARD_IN),
                )
                | (
                    (Q(heard__isnull=True) | Q(heard=False))
                    & Q(understood__isnull=True, acted__isnull=True, language="")
                ),
                name="listening_answer_fits",
            ),
            models.CheckConstraint(
                condition=Q(number__gte=1), name="listening_number_from_one"
            ),
        ]

    def __str__(self) -> str:
        return f"answer {self.number} of place #{self.place_id} #{self.pk}"

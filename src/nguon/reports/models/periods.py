"""Forms, periods, and what each unit reports in them."""

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from nguon.core.topics import new_uid
from nguon.indicators import catalogue
from nguon.indicators.rules import Period as Days
from nguon.plan.rules import MAX_TITLE, MAX_WORDS
from nguon.reports import rules


def level_choices() -> list[tuple[str, str]]:
    """Return the levels that are asked with their Vietnamese names."""
    return list(rules.LEVELS.items())


def ratio_choices() -> list[tuple[str, str]]:
    """Return how fields add up with their Vietnamese names."""
    return list(rules.RATIOS.items())


def kind_choices() -> list[tuple[str, str]]:
    """Return the kinds of periods with their Vietnamese names."""
    return list(rules.KINDS.items())


def state_choices() -> list[tuple[str, str]]:
    """Return the states of a submission with their Vietnamese names."""
    return list(rules.STATES.items())


def step_choices() -> list[tuple[str, str]]:
    """Return the kinds of steps with their Vietnamese names."""
    return list(rules.STEPS.items())


def source_choices() -> list[tuple[str, str]]:
    """Return where an answer comes from with Vietnamese names."""
    return list(rules.SOURCES.items())


class Form(models.Model):
    """What a unit asks of the units of one level below it (biểu mẫu).

    Its fields are fixed from its first period on: figures stay comparable.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    level = models.CharField(max_length=10, choices=level_choices)
    title = models.CharField(max_length=MAX_TITLE)
    folded = models.CharField(max_length=MAX_TITLE, db_index=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(level__in=list(rules.LEVELS)), name="form_level_known"
            ),
            models.CheckConstraint(condition=~Q(title=""), name="form_has_title"),
        ]

    def __str__(self) -> str:
        return f"form {self.uid} #{self.pk}"


class Field(models.Model):
    """One line of a form: an indicator of the catalogue, or words of its own.

    `least` and `most` are refused beyond, in the unit that is shown.
    """

    form = models.ForeignKey(Form, on_delete=models.PROTECT, related_name="fields")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=MAX_TITLE)
    ratio = models.CharField(max_length=5, choices=ratio_choices)
    unit = models.CharField(max_length=40, blank=True)
    indicator = models.CharField(max_length=40, blank=True)
    least = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    most = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    is_needed = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["form", "number"], name="field_number_once"
            ),
            models.CheckConstraint(
                condition=Q(ratio__in=list(rules.RATIOS)), name="field_ratio_known"
            ),
            models.CheckConstraint(
                condition=Q(least__isnull=True)
                | Q(most__isnull=True)
                | Q(most__gte=F("least")),
                name="field_range_not_empty",
            ),
        ]

    def __str__(self) -> str:
        return f"field {self.number} of form #{self.form_id} #{self.pk}"

    @property
    def is_counted(self) -> bool:
        """Say whether the system counts it or asked listeners; then nobody types it.

        What comes from a sample is told for each unit by itself: there is no sum of it.
        """
        known = catalogue.INDICATORS.get(self.indicator)
        return known is not None and known.source in (
            catalogue.COUNTED,
            catalogue.ASKED,
        )

    @property
    def is_whole(self) -> bool:
        """Say whether it counts things: then there are no halves of them."""
        known = catalogue.INDICATORS.get(self.indicator)
        if known is not None:
            return known.is_whole
        return self.ratio == catalogue.COUNT and catalogue.counts_things(self.unit)


class Period(models.Model):
    """The local days `[first_date, after_date)` a form is asked for (kỳ báo cáo).

    `due_date` is the `due_days`-th working day from `after_date` on, still in time.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    form = models.ForeignKey(Form, on_delete=models.PROTECT, related_name="periods")
    kind = models.CharField(max_length=7, choices=kind_choices)
    first_date = models.DateField()
    after_date = models.DateField()
    due_days = models.PositiveSmallIntegerField()
    due_date = models.DateField()
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    opened_at = models.DateTimeField()
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["form", "first_date", "after_date"], name="period_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=list(rules.KINDS)), name="period_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(after_date__gt=F("first_date")), name="period_not_empty"
            ),
            models.CheckConstraint(
                condition=Q(due_date__gte=F("after_date")), name="period_due_after"
            ),
            models.CheckConstraint(
                condition=Q(closed_by__isnull=True, closed_at__isnull=True)
                | Q(closed_by__isnull=False, closed_at__isnull=False),
                name="period_closed_by_and_at",
            ),
        ]

    def __str__(self) -> str:
        return f"period {self.uid} #{self.pk}"

    @property
    def days(self) -> Days:
        """Its days, as indicators count them."""
        return Days(self.first_date, self.after_date)

    @property
    def name(self) -> str:
        """What it is called."""
        return rules.name_period(self.kind, self.days)


class Submission(models.Model):
    """What one unit reports for one period, `draft → sent → accepted | returned`.

    `above` sums it up, level by level; the topmost has none. `missing` needed fields
    have no figure. What is late, `rules.is_late` says.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    period = models.ForeignKey(
        Period, on_delete=models.PROTECT, related_name="submissions"
    )
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    above = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="below"
    )
    state = models.CharField(max_length=8, choices=state_choices, default=rules.DRAFT)
    revision = models.PositiveIntegerField(default=0)
    missing = models.PositiveSmallIntegerField(default=0)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    first_sent_on = models.DateField(null=True, blank=True)
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    sent_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    moved_at = models.DateTimeField(null=True, blank=True)
    reminded_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["period", "unit"], name="submission_once_per_unit"
            ),
            models.CheckConstraint(
                condition=Q(state__in=list(rules.STATES)), name="submission_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state=rules.DRAFT, sent_at__isnull=True)
                | ~Q(state=rules.DRAFT)
                & Q(
                    sent_at__isnull=False,
                    sent_by__isnull=False,
                    first_sent_on__isnull=False,
                ),
                name="submission_sent_by_and_at",
            ),
            models.CheckConstraint(
                condition=Q(state=rules.ACCEPTED, accepted_by__isnull=False)
                & ~Q(accepted_by=F("sent_by"))
                | ~Q(state=rules.ACCEPTED) & Q(accepted_by__isnull=True),
                name="submission_accepted_by_another",
            ),
        ]
        indexes = [models.Index(fields=["unit", "state"])]

    def __str__(self) -> str:
        return f"submission {self.uid} #{self.pk}"

    @property
    def is_open(self) -> bool:
        """Say whether answers may be written."""
        return self.state in rules.OPEN

    @property
    def shown_state(self) -> str:
        """Where it stands as people read it, of `rules.SHOWN_STATES`."""
        return rules.shown_state(self.state, self.revision)

    @property
    def state_name(self) -> str:
        """Where it stands in Vietnamese."""
        return rules.SHOWN_STATES[self.shown_state]

    @property
    def sent_words(self) -> str:
        """On which day it was sent first, and the last time when that was later."""
        if self.first_sent_on is None or self.sent_at is None:
            return ""
        first, last = self.first_sent_on, timezone.localdate(self.sent_at)
        if first == last:
            return f"gửi {first:%d/%m/%Y}"
        return f"gửi lần đầu {first:%d/%m/%Y}, gửi lại {last:%d/%m/%Y}"

    def late_words(self, today: date) -> str:
        """Return how late it is, or nothing."""
        return rules.late_words(
            self.period.due_date,
            self.first_sent_on,
            is_open=self.is_open,
            today=today,
        )


class Answer(models.Model):
    """What a submission says in one field; locked while it is sent or accepted."""

    submission = models.ForeignKey(
        Submission, on_delete=models.PROTECT, related_name="answers"
    )
    field = models.ForeignKey(Field, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=7, choices=source_choices)
    above = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    below = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    is_share = models.BooleanField(default=False)
    words = models.CharField(max_length=MAX_WORDS, blank=True)
    explanation = models.CharField(max_length=MAX_WORDS, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["submission", "field"], name="answer_once_per_field"
            ),
            models.CheckConstraint(
                condition=Q(source__in=list(rules.SOURCES)), name="answer_source_known"
            ),
            models.CheckConstraint(
                # Without "is not null", what is unknown would pass.
                condition=Q(above__isnull=True, below__isnull=True)
                | Q(above__isnull=False, above__gte=0)
                & (Q(below__isnull=True) | Q(below__gte=0)),
                name="answer_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(is_share=False)
                | Q(below__isnull=True)
                | Q(above__lte=F("below")),
                name="answer_share_range",
            ),
        ]

    def __str__(self) -> str:
        return f"answer to field #{self.field_id} #{self.pk}"

    @property
    def pair(self) -> rules.Pair:
        """Its figure."""
        return rules.Pair(self.above, self.below)


class Step(models.Model):
    """One move of a submission: sent, returned, accepted, unlocked. Append-only."""

    submission = models.ForeignKey(
        Submission, on_delete=models.PROTECT, related_name="steps"
    )
    kind = models.CharField(max_length=8, choices=step_choices)
    words = models.CharField(max_length=MAX_WORDS, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=list(rules.STEPS)), name="step_kind_known"
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=[rules.RETURNED, rules.UNLOCKED]) | ~Q(words=""),
                name="step_back_has_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of submission #{self.submission_id} #{self.pk}"

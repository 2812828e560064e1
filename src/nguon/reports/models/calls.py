"""A call for a report by somebody else's own form, and what its places mean."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from nguon.core.topics import new_uid
from nguon.indicators.rules import Period as Days
from nguon.people.withdrawing import Withdrawable, withdrawn_with_reason
from nguon.plan.rules import MAX_TITLE
from nguon.reports import rules
from nguon.reports.models.periods import Field


def what_choices() -> list[tuple[str, str]]:
    """Return what a place can hold, with Vietnamese names."""
    return list(rules.SUBJECTS.items())


def span_choices() -> list[tuple[str, str]]:
    """Return of which days a place tells, with Vietnamese names."""
    return list(rules.SPANS.items())


def part_choices() -> list[tuple[str, str]]:
    """Return which number of a figure a place holds, with Vietnamese names."""
    return list(rules.PARTS.items())


class Call(Withdrawable):
    """A report that somebody asks for at any time, by their own file and deadline.

    The file is kept as it came; `answer` is what was filled and given back. One that
    was answered by mistake is withdrawn with a `reason`, and stays.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    title = models.CharField(max_length=MAX_TITLE)
    folded = models.CharField(max_length=MAX_TITLE)
    sender = models.CharField(max_length=MAX_TITLE)
    folded_sender = models.CharField(max_length=MAX_TITLE, db_index=True)
    first_date = models.DateField()
    after_date = models.DateField()
    due_date = models.DateField()
    kind = models.CharField(max_length=4)
    file = models.ForeignKey("fleet.Media", on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64, db_index=True)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    opened_at = models.DateTimeField()
    answer = models.ForeignKey(
        "fleet.Media",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    reminded_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            withdrawn_with_reason(
                "call_withdrawn_with_reason", answered_at__isnull=False
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["docx", "xlsx"]), name="call_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(after_date__gt=F("first_date")), name="call_not_empty"
            ),
            models.CheckConstraint(
                condition=~Q(title="") & ~Q(sender=""), name="call_has_words"
            ),
            models.CheckConstraint(
                condition=Q(
                    answer__isnull=True,
                    answered_by__isnull=True,
                    answered_at__isnull=True,
                )
                | Q(
                    answer__isnull=False,
                    answered_by__isnull=False,
                    answered_at__isnull=False,
                ),
                name="call_answered_by_and_at",
            ),
        ]
        indexes = [models.Index(fields=["unit", "due_date"])]

    def __str__(self) -> str:
        return f"call {self.uid} #{self.pk}"

    @property
    def days(self) -> Days:
        """The days it asks about."""
        return Days(self.first_date, self.after_date)

    @property
    def is_open(self) -> bool:
        """Say whether it was not answered yet."""
        return self.answered_at is None


class Mapping(models.Model):
    """What one place of a sender's form holds: mapped once, copied to their next call.

    `key` is the code of an indicator or of something known (`rules.KNOWN`).
    """

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="mappings")
    place = models.CharField(max_length=rules.MAX_PLACE)
    what = models.CharField(max_length=6, choices=what_choices)
    key = models.CharField(max_length=40, blank=True)
    field = models.ForeignKey(
        Field, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    words = models.CharField(max_length=MAX_TITLE, blank=True)
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    span = models.CharField(max_length=6, choices=span_choices)
    part = models.CharField(max_length=5, choices=part_choices)
    mapped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    mapped_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["call", "place"], name="mapping_once_per_place"
            ),
            models.CheckConstraint(
                condition=Q(what__in=["figure", "known"], field=None, words="")
                & ~Q(key="")
                | Q(what="field", field__isnull=False, words="", key="")
                | Q(what="words", field=None, key="") & ~Q(words=""),
                name="mapping_holds_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(span__in=list(rules.SPANS), part__in=list(rules.PARTS)),
                name="mapping_span_and_part_known",
            ),
        ]

    def __str__(self) -> str:
        return f"mapping of call #{self.call_id} #{self.pk}"

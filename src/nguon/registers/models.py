"""Lines of the registers. Only `registers.actions` writes here.

All periods are half-open, `[from_date, to_date)`. Nothing is deleted: a station ends,
a person leaves or is forgotten, and the count of any day stays.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from nguon.core.topics import new_uid
from nguon.registers import rules


def station_kinds() -> list[tuple[str, str]]:
    """Return the kinds of station with their Vietnamese names."""
    return list(rules.STATION_KINDS.items())


def source_choices() -> list[tuple[str, str]]:
    """Return the sources of money with their Vietnamese names."""
    return list(rules.SOURCES.items())


def change_kinds() -> list[tuple[str, str]]:
    """Return what happens to a line with its Vietnamese name."""
    return list(rules.CHANGE_KINDS.items())


class Line(models.Model):
    """One line of a register: of which unit, written by whom, when."""

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    added_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self._meta.model_name} {self.uid} #{self.pk}"


class Station(Line):
    """A station (đài truyền thanh) of a commune, in use from a year on.

    `ended_on` is the first day on which it is no longer used.
    """

    name = models.CharField(max_length=120)
    folded = models.CharField(max_length=200)
    kind = models.CharField(max_length=5, choices=station_kinds)
    year = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=11, choices=source_choices)
    ended_on = models.DateField(null=True, blank=True)
    notes = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=list(rules.STATION_KINDS)),
                name="station_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(source__in=list(rules.SOURCES)), name="station_source_known"
            ),
            models.CheckConstraint(
                condition=Q(year__gte=rules.FIRST_YEAR, year__lte=2100),
                name="station_year_possible",
            ),
            models.UniqueConstraint(
                fields=["unit", "kind", "folded"],
                condition=Q(ended_on__isnull=True),
                name="station_once",
            ),
        ]


class Person(Line):
    """A person in a register: personal data, and what is counted.

    Forgotten on request: what is personal goes, period and unit stay for the count.
    Source: law 91/2025/QH15 on personal data.
    """

    full_name = models.CharField(max_length=120, blank=True)
    folded = models.CharField(max_length=200, blank=True, db_index=True)
    phone = models.CharField(max_length=16, blank=True)
    from_date = models.DateField()
    to_date = models.DateField(null=True, blank=True)
    forgotten_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    forgotten_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(to_date__isnull=True) | Q(to_date__gt=F("from_date")),
                name="%(class)s_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=(
                    Q(forgotten_at__isnull=True, forgotten_by__isnull=True)
                    & ~Q(full_name="")
                )
                | Q(
                    forgotten_at__isnull=False,
                    forgotten_by__isnull=False,
                    full_name="",
                    folded="",
                    phone="",
                ),
                name="%(class)s_forgotten_is_nameless",
            ),
            models.UniqueConstraint(
                fields=["unit", "folded", "from_date"],
                condition=Q(forgotten_at__isnull=True),
                name="%(class)s_once",
            ),
        ]


class StaffMember(Person):
    """Somebody who does the work of communication at a unit, in a post."""

    post = models.CharField(max_length=120)
    folded_post = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            *Person.Meta.constraints,
            models.CheckConstraint(
                condition=~Q(post=""), name="staffmember_has_a_post"
            ),
        ]


class Propagandist(Person):
    """A propagandist of a village, recognised by a decision of the commune's chair.

    `from_date` is the date of the decision, `unit` the village.
    Source: decree 49/2024/NĐ-CP.
    """

    decision_number = models.CharField(max_length=60, blank=True)
    languages = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [
            *Person.Meta.constraints,
            models.CheckConstraint(
                condition=Q(forgotten_at__isnull=True) & ~Q(decision_number="")
                | Q(forgotten_at__isnull=False, decision_number="", languages=""),
                name="propagandist_has_a_decision",
            ),
        ]


class Training(Line):
    """A training (tập huấn): lessons that all are learnt by who is trained."""

    title = models.CharField(max_length=200)
    folded = models.CharField(max_length=300)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["unit", "folded"], name="training_once"),
        ]


class Lesson(models.Model):
    """One lesson of a training; fixed, or what a proof says would change."""

    training = models.ForeignKey(
        Training, on_delete=models.PROTECT, related_name="lessons"
    )
    number = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["training", "number"], name="lesson_once"),
        ]

    def __str__(self) -> str:
        return f"lesson {self.number} of training #{self.training_id} #{self.pk}"


class PracticeProof(models.Model):
    """That one person did one lesson, on a day."""

    lesson = models.ForeignKey(Lesson, on_delete=models.PROTECT, related_name="proofs")
    staff_member = models.ForeignKey(
        StaffMember,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="proofs",
    )
    propagandist = models.ForeignKey(
        Propagandist,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="proofs",
    )
    proven_on = models.DateField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(staff_member__isnull=False, propagandist__isnull=True)
                | Q(staff_member__isnull=True, propagandist__isnull=False),
                name="proof_is_of_one_person",
            ),
            models.UniqueConstraint(
                fields=["lesson", "staff_member"], name="proof_once_staff_member"
            ),
            models.UniqueConstraint(
                fields=["lesson", "propagandist"], name="proof_once_propagandist"
            ),
        ]

    def __str__(self) -> str:
        return f"proof of lesson #{self.lesson_id} on {self.proven_on} #{self.pk}"


class RegisterChange(models.Model):
    """What happened to a line: when, by whom. Append-only, so nothing personal is in.

    `told` is a list of [heading, before, after]; of a personal field only its heading.
    """

    line_uid = models.CharField(max_length=12, db_index=True)
    kind = models.CharField(max_length=10, choices=change_kinds)
    told = models.JSONField(default=list)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=list(rules.CHANGE_KINDS)),
                name="register_change_kind_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.line_uid} #{self.pk}"

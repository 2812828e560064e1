"""Lines of the registers. Only `registers.actions` writes here.

All periods are half-open, `[from_date, to_date)`. Nothing is deleted: a station ends,
a person leaves or is forgotten, and the count of any day stays.
"""

from functools import reduce
from operator import or_

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from nguon.core.topics import new_uid
from nguon.people.withdrawing import Withdrawable, withdrawn_with_reason
from nguon.registers import rules
from nguon.registers.practice import rules as practice


def station_kinds() -> list[tuple[str, str]]:
    """Return the kinds of station with their Vietnamese names."""
    return list(rules.STATION_KINDS.items())


def source_choices() -> list[tuple[str, str]]:
    """Return the sources of money with their Vietnamese names."""
    return list(rules.SOURCES.items())


def change_kinds() -> list[tuple[str, str]]:
    """Return what happens to a line with its Vietnamese name."""
    return list(rules.CHANGE_KINDS.items())


def practice_steps() -> list[tuple[str, str]]:
    """Return the steps of a practice with their Vietnamese names."""
    return list(practice.STEPS.items())


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


class Held(Line):
    """A line that may go on at another unit when units are rearranged.

    One that began so and was taken back never was: `undone_at` hides it everywhere
    from then on, and nothing is deleted.
    """

    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class Station(Held):
    """A station (đài truyền thanh) of a commune, in use from a year on.

    `ended_on` is the first day on which it is no longer used. `here_from` is told only
    of one that went on from an old unit: until then it counted there.
    """

    name = models.CharField(max_length=120)
    folded = models.CharField(max_length=200)
    kind = models.CharField(max_length=5, choices=station_kinds)
    year = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=11, choices=source_choices)
    here_from = models.DateField(null=True, blank=True)
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


class Person(Held):
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
                condition=Q(forgotten_at__isnull=True, undone_at__isnull=True),
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
    """One lesson of a training; fixed, or what a proof says would change.

    `needs_practice`: done is who has a certificate of the practice by that day.
    """

    training = models.ForeignKey(
        Training, on_delete=models.PROTECT, related_name="lessons"
    )
    number = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=200)
    needs_practice = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["training", "number"], name="lesson_once"),
        ]

    def __str__(self) -> str:
        return f"lesson {self.number} of training #{self.training_id} #{self.pk}"


class OfPerson(models.Model):
    """What is of one person of a register: a member of staff or a propagandist."""

    staff_member = models.ForeignKey(
        StaffMember, null=True, blank=True, on_delete=models.PROTECT
    )
    propagandist = models.ForeignKey(
        Propagandist, null=True, blank=True, on_delete=models.PROTECT
    )

    class Meta:
        abstract = True

    @property
    def person(self) -> StaffMember | Propagandist | None:
        """Whose line it is, if that was told."""
        return self.staff_member or self.propagandist


def _of_one_person(name: str, *, is_needed: bool) -> models.CheckConstraint:
    """Hold that it is not of two persons; when `is_needed`, that it is of one."""
    at_most_one = Q(staff_member__isnull=True) | Q(propagandist__isnull=True)
    exactly_one = Q(staff_member__isnull=False, propagandist__isnull=True) | Q(
        staff_member__isnull=True, propagandist__isnull=False
    )
    held = exactly_one if is_needed else at_most_one
    return models.CheckConstraint(condition=held, name=name)


class PracticeProof(OfPerson):
    """That one person did one lesson, on a day."""

    lesson = models.ForeignKey(Lesson, on_delete=models.PROTECT)
    proven_on = models.DateField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField()

    class Meta:
        default_related_name = "proofs"
        constraints = [
            _of_one_person("proof_is_of_one_person", is_needed=True),
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


class PracticeRun(OfPerson):
    """One newcomer's practice: the bulletin that nobody gets, and how far it is.

    `seal` is what an approval would be about, empty while the text is open. `unit` is
    the newcomer's own; the ground of the practice has none.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    officer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    title = models.CharField(max_length=200, blank=True)
    body = models.TextField(blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    seal = models.CharField(max_length=64, blank=True)
    began_at = models.DateTimeField()
    touched_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_related_name = "practice_runs"
        constraints = [
            models.UniqueConstraint(
                fields=["officer"],
                condition=Q(done_at__isnull=True, given_up_at__isnull=True),
                name="practice_run_one_open",
            ),
            _of_one_person("practice_run_is_of_one_person", is_needed=False),
            models.CheckConstraint(
                condition=Q(seal="")
                | (Q(seal__length=64, starts_at__isnull=False) & ~Q(body="")),
                name="practice_run_seals_something",
            ),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True)
                | Q(given_up_at__isnull=True) & ~Q(seal=""),
                name="practice_run_done_is_sealed",
            ),
        ]

    def __str__(self) -> str:
        return f"practice {self.uid} #{self.pk}"

    @property
    def certificate(self) -> "Certificate | None":
        """The proof that holds; one that was withdrawn does not."""
        held = (one for one in self.certificates.all() if one.withdrawn_at is None)
        return next(held, None)

    @property
    def withdrawn(self) -> "list[Certificate]":
        """The proofs that were taken back, the latest first."""
        gone = [one for one in self.certificates.all() if one.withdrawn_at is not None]
        return sorted(gone, key=lambda one: one.pk, reverse=True)


class PracticeStep(models.Model):
    """A step that was done, once; the steps of a run are done in their order."""

    run = models.ForeignKey(PracticeRun, on_delete=models.PROTECT, related_name="steps")
    number = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=16, choices=practice_steps)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "number"], name="practice_step_once"
            ),
            models.CheckConstraint(
                condition=reduce(
                    or_,
                    (
                        Q(number=number, kind=kind)
                        for number, kind in enumerate(practice.ORDER, start=1)
                    ),
                ),
                name="practice_step_number_is_of_its_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"step {self.number} of practice #{self.run_id} #{self.pk}"


class Certificate(Withdrawable):
    """That one practice was gone through to its end: a dated, numbered proof.

    One for the wrong person is withdrawn with a `reason`, and stays; the right one
    gets another number.
    """

    run = models.ForeignKey(
        PracticeRun, on_delete=models.PROTECT, related_name="certificates"
    )
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    year = models.PositiveSmallIntegerField()
    number = models.PositiveIntegerField()
    issued_on = models.DateField()
    reason = models.CharField(max_length=practice.REASON_LIMIT, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "year", "number"], name="certificate_number_once"
            ),
            models.UniqueConstraint(
                fields=["run"],
                condition=Q(withdrawn_at__isnull=True),
                name="certificate_one_holds",
            ),
            withdrawn_with_reason("certificate_withdrawn_with_reason"),
        ]

    def __str__(self) -> str:
        return f"certificate {self.number}/{self.year} of unit #{self.unit_id}"

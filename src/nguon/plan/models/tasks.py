"""What was given to whom, and what was told about it."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from nguon.core.topics import new_uid
from nguon.plan import rules
from nguon.plan.models.plans import ActionPlan, PlanDocument, Task


def progress_kinds() -> list[tuple[str, str]]:
    """Return the kinds of what is told with their Vietnamese names."""
    return list(rules.PROGRESS_KINDS.items())


def _pair(name: str) -> Q:
    """Hold that who and when are both there or both missing."""
    return Q(**{f"{name}_by__isnull": True, f"{name}_at__isnull": True}) | Q(
        **{f"{name}_by__isnull": False, f"{name}_at__isnull": False}
    )


class Assignment(models.Model):
    """A task or a document as one unit has it: given, read, assigned, done.

    `given` is when the plan went down. A return empties `done`; what was told stays.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    plan = models.ForeignKey(
        ActionPlan, on_delete=models.PROTECT, related_name="assignments"
    )
    task = models.ForeignKey(
        Task,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="assignments",
    )
    document = models.ForeignKey(
        PlanDocument,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="assignments",
    )
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="assignments"
    )
    read_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    read_at = models.DateTimeField(null=True, blank=True)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="assignments",
    )
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    assigned_at = models.DateTimeField(null=True, blank=True)
    inner_date = models.DateField(null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    done_at = models.DateTimeField(null=True, blank=True)
    returned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    returned_at = models.DateTimeField(null=True, blank=True)
    late_told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(task__isnull=False, document__isnull=True)
                | Q(task__isnull=True, document__isnull=False),
                name="assignment_of_one_thing",
            ),
            models.UniqueConstraint(
                fields=["task", "unit"],
                condition=Q(task__isnull=False),
                name="assignment_task_once_per_unit",
            ),
            models.UniqueConstraint(
                fields=["document", "unit"],
                condition=Q(document__isnull=False),
                name="assignment_document_once_per_unit",
            ),
            models.CheckConstraint(
                condition=_pair("read"), name="assignment_read_by_and_at"
            ),
            models.CheckConstraint(
                condition=_pair("assigned"), name="assignment_assigned_by_and_at"
            ),
            models.CheckConstraint(
                condition=_pair("done"), name="assignment_done_by_and_at"
            ),
            models.CheckConstraint(
                condition=_pair("returned"), name="assignment_returned_by_and_at"
            ),
            models.CheckConstraint(
                condition=Q(assigned_at__isnull=True)
                | Q(read_at__isnull=False, assigned_to__isnull=False),
                name="assignment_assigned_was_read",
            ),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(assigned_at__isnull=False),
                name="assignment_done_was_assigned",
            ),
        ]

    def __str__(self) -> str:
        return f"assignment {self.uid} #{self.pk}"

    @property
    def state(self) -> str:
        """Where it stands."""
        return rules.state_of(
            rules.Facts(
                read=self.read_at is not None,
                assigned=self.assigned_at is not None,
                returned=self.returned_at is not None,
                done=self.done_at is not None,
            )
        )

    @property
    def state_name(self) -> str:
        """Where it stands, in Vietnamese."""
        return rules.STATES[self.state]

    @property
    def title(self) -> str:
        """What it is about."""
        if self.task is not None:
            return f"Nhiệm vụ {self.task.number}. {self.task.title}"
        document = self.document
        return f"{document.number}: {document.abstract}" if document else ""


class Progress(models.Model):
    """What was told about an assignment, with its evidence. Append-only."""

    assignment = models.ForeignKey(
        Assignment, on_delete=models.PROTECT, related_name="progress"
    )
    kind = models.CharField(max_length=8, choices=progress_kinds)
    words = models.CharField(max_length=rules.MAX_WORDS)
    percent = models.PositiveSmallIntegerField(null=True, blank=True)
    link = models.CharField(max_length=rules.MAX_LINK, blank=True)
    photo = models.ForeignKey(
        "fleet.Media",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=list(rules.PROGRESS_KINDS)),
                name="progress_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(percent__isnull=True) | Q(percent__lte=100),
                name="progress_percent_range",
            ),
            models.CheckConstraint(condition=~Q(words=""), name="progress_has_words"),
            models.CheckConstraint(
                condition=~Q(kind=rules.REPORTED_DONE)
                | ~Q(link="")
                | Q(photo__isnull=False),
                name="progress_done_has_evidence",
            ),
        ]
        indexes = [models.Index(fields=["assignment", "-at"])]

    def __str__(self) -> str:
        return f"{self.kind} about assignment #{self.assignment_id} #{self.pk}"

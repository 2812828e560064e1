"""A plan as it was signed: bases, aims, tasks, reporting dates."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from nguon.core.topics import new_uid
from nguon.plan import rules


def plan_states() -> list[tuple[str, str]]:
    """Return the states of a plan with their Vietnamese names."""
    return list(rules.PLAN_STATES.items())


def document_kinds() -> list[tuple[str, str]]:
    """Return the kinds of documents with their Vietnamese names."""
    return list(rules.DOCUMENT_KINDS.items())


class ActionPlan(models.Model):
    """A plan (kế hoạch) of a unit, `draft → sent → closed`.

    `unit` issued it and stays on its own map; `keeper` is the unit that follows it
    today. `aims` and `demands` are lines as in the paper.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    keeper = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="plans"
    )
    carried_from = models.OneToOneField(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="carried_to",
    )
    number = models.CharField(max_length=60, blank=True)
    signed_on = models.DateField(null=True, blank=True)
    title = models.CharField(max_length=rules.MAX_TITLE)
    folded = models.CharField(max_length=rules.MAX_TITLE + 60, db_index=True)
    first_date = models.DateField()
    last_date = models.DateField()
    aims = models.TextField(blank=True)
    demands = models.TextField(blank=True)
    state = models.CharField(max_length=6, choices=plan_states, default=rules.DRAFT)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    sent_at = models.DateTimeField(null=True, blank=True)
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
            models.CheckConstraint(
                condition=Q(last_date__gte=F("first_date")), name="plan_ends_after"
            ),
            models.CheckConstraint(
                condition=Q(state=rules.DRAFT, sent_at__isnull=True)
                | ~Q(state=rules.DRAFT) & Q(sent_at__isnull=False),
                name="plan_sent_has_time",
            ),
            models.CheckConstraint(
                condition=Q(sent_by__isnull=True, sent_at__isnull=True)
                | Q(sent_by__isnull=False, sent_at__isnull=False),
                name="plan_sent_by_and_at",
            ),
            models.CheckConstraint(
                condition=Q(
                    state=rules.CLOSED, closed_at__isnull=False, closed_by__isnull=False
                )
                | ~Q(state=rules.CLOSED)
                & Q(closed_at__isnull=True, closed_by__isnull=True),
                name="plan_closed_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"plan {self.uid} #{self.pk}"


class PlanDocument(models.Model):
    """A paper a plan rests on (`base`), or one sent down with it (`guidance`)."""

    plan = models.ForeignKey(
        ActionPlan, on_delete=models.PROTECT, related_name="documents"
    )
    kind = models.CharField(max_length=8, choices=document_kinds)
    number = models.CharField(max_length=60)
    issued_on = models.DateField(null=True, blank=True)
    issuer = models.CharField(max_length=200)
    abstract = models.CharField(max_length=rules.MAX_TITLE)
    link = models.CharField(max_length=rules.MAX_LINK, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "number"], name="plan_document_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=list(rules.DOCUMENT_KINDS)),
                name="plan_document_kind_known",
            ),
        ]

    def __str__(self) -> str:
        return f"document {self.number} #{self.pk}"


class Task(models.Model):
    """One task (nhiệm vụ) of a plan; lead and partners in the paper's own words."""

    plan = models.ForeignKey(ActionPlan, on_delete=models.PROTECT, related_name="tasks")
    number = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=rules.MAX_TITLE)
    lead = models.CharField(max_length=rules.MAX_TITLE)
    partners = models.CharField(max_length=rules.MAX_TITLE, blank=True)
    product = models.CharField(max_length=rules.MAX_WORDS)
    last_date = models.DateField(null=True, blank=True)
    indicator = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="task_number_once"),
        ]

    def __str__(self) -> str:
        return f"task {self.number} of plan #{self.plan_id} #{self.pk}"


class ReportDate(models.Model):
    """Until when results are reported: `before` itself is too late."""

    plan = models.ForeignKey(
        ActionPlan, on_delete=models.PROTECT, related_name="report_dates"
    )
    what = models.CharField(max_length=rules.MAX_TITLE)
    before = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "before", "what"], name="report_date_once"
            ),
        ]

    def __str__(self) -> str:
        return f"report before {self.before} #{self.pk}"

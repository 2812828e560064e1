"""Inspection visits, what was found, and what followed."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from nguon.core.topics import new_uid
from nguon.plan import rules
from nguon.plan.models.plans import ActionPlan


def finding_states() -> list[tuple[str, str]]:
    """Return the states of a finding with their Vietnamese names."""
    return list(rules.FINDING_STATES.items())


class Visit(models.Model):
    """One visit (kiểm tra) of the keeper at a unit; written once."""

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    plan = models.ForeignKey(
        ActionPlan, on_delete=models.PROTECT, related_name="visits"
    )
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    on_date = models.DateField()
    team = models.CharField(max_length=rules.MAX_TITLE)
    words = models.CharField(max_length=rules.MAX_WORDS)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"visit {self.uid} #{self.pk}"


class Finding(models.Model):
    """Something to put right after a visit: `open → answered → closed`."""

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="findings")
    words = models.CharField(max_length=rules.MAX_WORDS)
    last_date = models.DateField()
    state = models.CharField(max_length=8, choices=finding_states, default=rules.OPEN)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(rules.FINDING_STATES)),
                name="finding_state_known",
            ),
        ]
        indexes = [models.Index(fields=["state", "last_date"])]

    def __str__(self) -> str:
        return f"finding {self.uid} #{self.pk}"


class FindingStep(models.Model):
    """What followed a finding: answered, closed, opened again. Append-only."""

    finding = models.ForeignKey(Finding, on_delete=models.PROTECT, related_name="steps")
    state = models.CharField(max_length=8, choices=finding_states)
    words = models.CharField(max_length=rules.MAX_WORDS)
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
                condition=~Q(words=""), name="finding_step_has_words"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} of finding #{self.finding_id} #{self.pk}"

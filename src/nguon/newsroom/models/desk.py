"""What people leave beside a bulletin: earlier texts, and remarks. Append-only."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from nguon.newsroom import rules


class Revision(models.Model):
    """An earlier text of a draft, kept when another hand or hour went over it."""

    bulletin = models.ForeignKey(
        "newsroom.Bulletin", on_delete=models.PROTECT, related_name="revisions"
    )
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=rules.TITLE_LIMIT, blank=True)
    body = models.TextField(blank=True)
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["bulletin", "number"], name="revision_number_once"
            )
        ]

    def __str__(self) -> str:
        return f"revision {self.number} #{self.pk} of bulletin #{self.bulletin_id}"


class Comment(models.Model):
    """A remark of somebody who may see the bulletin."""

    bulletin = models.ForeignKey(
        "newsroom.Bulletin", on_delete=models.PROTECT, related_name="comments"
    )
    text = models.TextField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(text__length__gte=1, text__length__lte=rules.COMMENT_LIMIT),
                name="comment_length",
            )
        ]

    def __str__(self) -> str:
        return f"comment #{self.pk} on bulletin #{self.bulletin_id}"


class Template(models.Model):
    """A pattern of a bulletin (mẫu tin) with [places] to fill in."""

    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="bulletin_templates"
    )
    title = models.CharField(max_length=rules.TITLE_LIMIT)
    body = models.TextField()
    field = models.PositiveSmallIntegerField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(field__gte=1, field__lte=6), name="template_field_known"
            )
        ]

    def __str__(self) -> str:
        return f"template #{self.pk}"


class PayRate(models.Model):
    """What one piece of work is paid (thù lao) at a unit and below, from a day on."""

    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="pay_rates"
    )
    task = models.CharField(max_length=7)
    amount = models.PositiveIntegerField()
    from_day = models.DateField()
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(task__in=list(rules.TASKS)), name="pay_rate_task_known"
            ),
        ]
        indexes = [models.Index(fields=["unit", "task", "-from_day"])]

    def __str__(self) -> str:
        return f"{self.task} rate #{self.pk}"

"""A report's text beside its figures, and the paper as the agency issued it."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from nguon.plan.rules import MAX_TITLE
from nguon.reports import rules
from nguon.reports.models.periods import Submission


class Section(models.Model):
    """One part of a report in words, under its heading; locked with its figures."""

    submission = models.ForeignKey(
        Submission, on_delete=models.PROTECT, related_name="sections"
    )
    number = models.PositiveSmallIntegerField()
    heading = models.CharField(max_length=MAX_TITLE)
    words = models.TextField(max_length=rules.MAX_SECTION, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["submission", "number"], name="section_number_once"
            ),
            models.CheckConstraint(
                condition=~Q(heading=""), name="section_has_heading"
            ),
        ]

    def __str__(self) -> str:
        return f"section {self.number} of submission #{self.submission_id} #{self.pk}"


class Issue(models.Model):
    """An accepted report as its agency issued it: number, day, signed PDF. For good.

    `is_signed` says that the file carries a signature; whose it is, is not checked.
    """

    submission = models.OneToOneField(
        Submission, on_delete=models.PROTECT, related_name="issue"
    )
    number = models.CharField(max_length=rules.MAX_NUMBER)
    issued_on = models.DateField()
    media = models.ForeignKey("fleet.Media", on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)
    is_signed = models.BooleanField()
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    taken_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(number=""), name="issue_has_number"),
            models.CheckConstraint(
                condition=Q(sha256__length=64), name="issue_hash_length"
            ),
        ]

    def __str__(self) -> str:
        return f"issue {self.number} of submission #{self.submission_id} #{self.pk}"

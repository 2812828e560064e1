"""Recordings that a bulletin still needs in the languages of its villages."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from nguon.newsroom import rules


class TrackTask(models.Model):
    """A recording in one language (bản ghi tiếng dân tộc), asked of a speaker of it.

    Asked of an officer, or of somebody by name and phone whom an officer records.
    `text` is the translation, kept beside the sound. Late is what is asked and due.
    """

    bulletin = models.ForeignKey(
        "newsroom.Bulletin", on_delete=models.PROTECT, related_name="tracks"
    )
    language = models.CharField(max_length=12)
    assigned = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    speaker = models.CharField(max_length=120, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    due_at = models.DateTimeField()
    state = models.CharField(max_length=8, default=rules.TRACK_ASKED)
    text = models.TextField(blank=True)
    recording = models.OneToOneField(
        "newsroom.Recording",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="track",
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    late_told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["bulletin", "language"],
                condition=Q(state="asked"),
                name="track_asked_once",
            ),
            models.CheckConstraint(
                condition=Q(state="asked", recording__isnull=True, ended_at=None)
                | Q(state="recorded", recording__isnull=False, ended_at__isnull=False)
                | Q(state="dropped", recording__isnull=True, ended_at__isnull=False),
                name="track_state_whole",
            ),
            models.CheckConstraint(
                condition=Q(assigned__isnull=False) | ~Q(speaker="") & ~Q(phone=""),
                name="track_asked_of_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(language="vi"), name="track_not_vietnamese"
            ),
        ]
        indexes = [models.Index(fields=["state", "due_at"])]

    def __str__(self) -> str:
        return f"{self.language} track #{self.pk} of bulletin #{self.bulletin_id}"

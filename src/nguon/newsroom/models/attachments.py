"""What a bulletin shows beside its text: chosen in the draft, then frozen."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from nguon.core.topics import new_uid
from nguon.newsroom import rules
from nguon.newsroom.models.bulletins import Bulletin, Version


def attachment_choices() -> list[tuple[str, str]]:
    """Return what may be attached, with its Vietnamese name."""
    return list(rules.ATTACHED.items())


class Attachment(models.Model):
    """A picture, video or document of a draft; a job until it is clean.

    `asked → working → ready | failed`; pictures and documents are ready at once. A
    worker holds a video by a lease, until it is made anew and its `source` forgotten.
    """

    ASKED, WORKING, READY, FAILED = "asked", "working", "ready", "failed"

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    bulletin = models.ForeignKey(
        Bulletin, on_delete=models.PROTECT, related_name="attachments"
    )
    kind = models.CharField(max_length=8, choices=attachment_choices)
    caption = models.CharField(max_length=rules.CAPTION_LIMIT, blank=True)
    state = models.CharField(max_length=7, default=ASKED)
    media = models.ForeignKey(
        "fleet.Media",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="attachments",
    )
    poster = models.ForeignKey(
        "fleet.Media",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="posters",
    )
    source = models.ForeignKey(
        "newsroom.Upload",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    lease = models.CharField(max_length=12, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    failure = models.CharField(max_length=60, blank=True)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=list(rules.ATTACHED)), name="attachment_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(state="ready", media__isnull=False)
                | Q(state__in=["asked", "working", "failed"], media__isnull=True),
                name="attachment_ready_has_media",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(state__in=["asked", "working"]),
                name="attachment_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk} of bulletin #{self.bulletin_id}"


class VersionAttachment(models.Model):
    """What a version shows beside its text; within its hash. Append-only."""

    version = models.ForeignKey(
        Version, on_delete=models.PROTECT, related_name="attachments"
    )
    place = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=8, choices=attachment_choices)
    caption = models.CharField(max_length=rules.CAPTION_LIMIT, blank=True)
    media = models.ForeignKey(
        "fleet.Media", on_delete=models.PROTECT, related_name="version_attachments"
    )
    poster = models.ForeignKey(
        "fleet.Media",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="version_posters",
    )

    class Meta:
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "place"], name="version_attachment_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=list(rules.ATTACHED)),
                name="version_attachment_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.place} of version #{self.version_id}"

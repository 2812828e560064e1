"""What a bulletin says beside the loudspeakers: chosen in the draft, then frozen."""

from django.db import models
from django.db.models import Q

from nguon.newsroom import channels
from nguon.newsroom.models.bulletins import Bulletin, Version


def channel_choices() -> list[tuple[str, str]]:
    """Return the channels that may be chosen, with their Vietnamese names."""
    return [(code, channels.KINDS[code]) for code in channels.CHOSEN]


class ChannelText(models.Model):
    """What the draft of a bulletin would say by one channel."""

    bulletin = models.ForeignKey(
        Bulletin, on_delete=models.PROTECT, related_name="channel_texts"
    )
    channel = models.CharField(max_length=8, choices=channel_choices)
    text = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["bulletin", "channel"], name="channel_text_once_per_bulletin"
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel} text #{self.pk} of bulletin #{self.bulletin_id}"


class VersionChannel(models.Model):
    """What a version says by one channel; within its hash. Only `spread_at` is set.

    `spread_at`: when the channels room laid it out after the release.
    """

    version = models.ForeignKey(
        Version, on_delete=models.PROTECT, related_name="channels"
    )
    channel = models.CharField(max_length=8, choices=channel_choices)
    text = models.TextField()
    spread_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "channel"], name="version_channel_once"
            ),
            models.CheckConstraint(
                condition=Q(channel__in=list(channels.CHOSEN)),
                name="version_channel_known",
            ),
            models.CheckConstraint(
                condition=~Q(text=""), name="version_channel_says_something"
            ),
        ]
        indexes = [
            models.Index(
                fields=["version"],
                condition=Q(spread_at__isnull=True),
                name="version_channel_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel} of version #{self.version_id}"

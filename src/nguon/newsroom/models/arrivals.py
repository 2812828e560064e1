"""What comes in by itself: feeds that are asked, and texts that wait for a person."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from nguon.core.topics import new_uid
from nguon.newsroom import rules


class NewsFeed(models.Model):
    """An RSS or Atom address that a unit lets the server read, and how it is.

    `trouble` is the code of the latest failure, empty while all is well; `next_at` is
    also the lease of whoever is asking it now.
    """

    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="news_feeds"
    )
    name = models.CharField(max_length=rules.FEED_NAME_LIMIT)
    url = models.CharField(max_length=rules.ADDRESS_LIMIT)
    field = models.PositiveSmallIntegerField(default=1)
    supplier = models.ForeignKey(
        "newsroom.Supplier", on_delete=models.PROTECT, related_name="feeds"
    )
    is_on = models.BooleanField(default=True)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    added_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    etag = models.CharField(max_length=200, blank=True)
    modified = models.CharField(max_length=60, blank=True)
    next_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True, blank=True)
    good_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    trouble = models.CharField(max_length=60, blank=True)
    trouble_data = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "url"],
                condition=Q(ended_at__isnull=True),
                name="news_feed_once_per_unit",
            ),
            models.CheckConstraint(
                condition=Q(name__length__gte=2) & ~Q(url=""),
                name="news_feed_has_name",
            ),
            models.CheckConstraint(
                condition=Q(failures=0, trouble="")
                | Q(failures__gt=0) & ~Q(trouble=""),
                name="news_feed_trouble_named",
            ),
        ]
        indexes = [models.Index(fields=["is_on", "next_at"])]

    def __str__(self) -> str:
        return f"news feed #{self.pk} of unit #{self.unit_id}"


class Arrival(models.Model):
    """A text that came from outside and waits until a person decides (tin đến).

    `waiting → taken | aside`, by a person; `lapsed` by age alone, `double` from the
    beginning. `source_key` and the
    hashes tell what came before; `receipt` lets whoever proposed it ask what became of
    it. Name and phone are personal data: `forgotten_at` is when they were deleted.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="arrivals"
    )
    origin = models.CharField(max_length=6)
    source_key = models.CharField(max_length=60)
    source_name = models.CharField(max_length=rules.FEED_NAME_LIMIT)
    feed = models.ForeignKey(
        NewsFeed,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="arrivals",
    )
    supplier = models.ForeignKey(
        "newsroom.Supplier",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    entry_sha256 = models.CharField(max_length=64, blank=True)
    content_sha256 = models.CharField(max_length=64)
    corrects = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="later"
    )
    title = models.CharField(max_length=rules.TITLE_LIMIT)
    body = models.TextField()
    folded = models.TextField()
    field = models.PositiveSmallIntegerField(default=1)
    link = models.CharField(max_length=rules.ADDRESS_LIMIT, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    wished_on = models.DateField(null=True, blank=True)
    sender = models.CharField(max_length=rules.SENDER_LIMIT, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    receipt = models.CharField(max_length=12, unique=True, null=True, blank=True)
    arrived_at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=8, default=rules.ARRIVED)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=rules.REASON_LIMIT, blank=True)
    bulletin = models.OneToOneField(
        "newsroom.Bulletin",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="arrival",
    )
    reminded_at = models.DateTimeField(null=True, blank=True)
    forgotten_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source_key", "entry_sha256", "content_sha256"],
                condition=~Q(entry_sha256=""),
                name="arrival_once",
            ),
            # Whatever was taken, a person took it, and set aside it was with a reason.
            models.CheckConstraint(
                condition=Q(
                    state="waiting",
                    decided_by__isnull=True,
                    decided_at__isnull=True,
                    bulletin__isnull=True,
                    reason="",
                )
                | Q(
                    state="taken",
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                    bulletin__isnull=False,
                )
                | Q(
                    Q(
                        state="aside",
                        decided_by__isnull=False,
                        decided_at__isnull=False,
                        bulletin__isnull=True,
                    )
                    & ~Q(reason="")
                )
                | Q(
                    state__in=["lapsed", "double"],
                    decided_by__isnull=True,
                    decided_at__isnull=False,
                    bulletin__isnull=True,
                ),
                name="arrival_decided_by_a_person",
            ),
            models.CheckConstraint(
                condition=Q(origin="feed", feed__isnull=False)
                | Q(origin__in=["form", "system"], feed__isnull=True),
                name="arrival_origin_known",
            ),
            models.CheckConstraint(
                condition=Q(forgotten_at__isnull=True) | Q(sender="", phone=""),
                name="arrival_sender_forgotten",
            ),
        ]
        indexes = [
            models.Index(fields=["unit", "state", "arrived_at"]),
            models.Index(fields=["state", "arrived_at"]),
            models.Index(fields=["unit", "content_sha256"]),
        ]

    def __str__(self) -> str:
        return f"{self.origin} arrival #{self.pk} of unit #{self.unit_id}"

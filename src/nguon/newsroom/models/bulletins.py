"""Bulletins, their frozen versions, who touched them, and their sound.

Only `newsroom.actions` writes here. Versions, seals, involvements and editors
are append-only in the database itself (`newsroom.guards`), for superusers too.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length

from nguon.core.topics import new_uid
from nguon.newsroom import rules

HASH_LENGTH = 64

models.CharField.register_lookup(Length)
models.TextField.register_lookup(Length)


def class_choices() -> list[tuple[str, str]]:
    """Return the classes with their labels."""
    return list(rules.CLASSES.items())


def field_choices() -> list[tuple[int, str]]:
    """Return the fields with their labels."""
    return list(rules.FIELDS.items())


def vietnamese() -> list[str]:
    """Return the languages of a new bulletin."""
    return ["vi"]


class Bulletin(models.Model):
    """A bulletin (bản tin) as a draft: what is being typed."""

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="bulletins"
    )
    title = models.CharField(max_length=rules.TITLE_LIMIT, blank=True)
    body = models.TextField(blank=True)
    # Title and body without accents, for search on both databases.
    folded = models.TextField(blank=True)
    klass = models.CharField(max_length=10, choices=class_choices, default=rules.NORMAL)
    field = models.PositiveSmallIntegerField(choices=field_choices, default=1)
    languages = models.JSONField(default=vietnamese)
    drill = models.BooleanField(default=False)
    # Which voice reads it and how, by `speech.voice.Manner`; empty is the usual one.
    manner = models.JSONField(default=dict, blank=True)
    corrects = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="corrections",
    )
    # What this draft was made from again, in the library.
    copied_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="copies"
    )
    # The department or office whose information it is, when it is not the unit's own.
    supplier = models.ForeignKey(
        "newsroom.Supplier",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="bulletins",
    )
    # The last day on which the text is true; after it nobody sends it any more.
    expires_on = models.DateField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(klass__in=list(rules.CLASSES)),
                name="bulletin_class_known",
            ),
            models.CheckConstraint(
                condition=Q(field__gte=1, field__lte=6), name="bulletin_field_known"
            ),
            models.CheckConstraint(
                condition=Q(drill=False) | Q(klass=rules.EMERGENCY),
                name="bulletin_drill_is_emergency",
            ),
            models.CheckConstraint(
                condition=Q(title__length__lte=rules.TITLE_LIMIT),
                name="bulletin_title_length",
            ),
            models.CheckConstraint(
                condition=Q(body__length__lte=rules.BODY_LIMIT),
                name="bulletin_body_length",
            ),
            models.CheckConstraint(
                condition=Q(corrects__isnull=True) | ~Q(corrects=F("id")),
                name="bulletin_corrects_another",
            ),
        ]
        indexes = [models.Index(fields=["unit", "-saved_at"])]

    def __str__(self) -> str:
        return f"{self.title or 'bulletin'} #{self.pk}"

    @property
    def shown_title(self) -> str:
        """Return the title as people see it: a drill says so first."""
        return rules.shown_text(self.title, drill=self.drill)


class Editor(models.Model):
    """A person who ever changed the draft of a bulletin. Append-only."""

    bulletin = models.ForeignKey(
        Bulletin, on_delete=models.PROTECT, related_name="editors"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    first_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["bulletin", "person"], name="editor_once_per_bulletin"
            )
        ]

    def __str__(self) -> str:
        return f"editor #{self.pk} of bulletin #{self.bulletin_id}"


class Version(models.Model):
    """A bulletin frozen: this text, these sounds, one SHA-256. Immutable."""

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    bulletin = models.ForeignKey(
        Bulletin, on_delete=models.PROTECT, related_name="versions"
    )
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=rules.TITLE_LIMIT)
    body = models.TextField()
    klass = models.CharField(max_length=10, choices=class_choices)
    field = models.PositiveSmallIntegerField(choices=field_choices)
    languages = models.JSONField()
    drill = models.BooleanField()
    supplier = models.ForeignKey(
        "newsroom.Supplier",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="versions",
    )
    # The dictionary by which it was read; part of the content's hash.
    dictionary_number = models.PositiveIntegerField(default=0)
    content_sha256 = models.CharField(max_length=HASH_LENGTH)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["bulletin", "number"], name="version_number_once"
            ),
            models.CheckConstraint(
                condition=Q(drill=False) | Q(klass=rules.EMERGENCY),
                name="version_drill_is_emergency",
            ),
            models.CheckConstraint(
                condition=Q(content_sha256__length=HASH_LENGTH),
                name="version_hash_length",
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number} #{self.pk} of bulletin #{self.bulletin_id}"

    @property
    def shown_title(self) -> str:
        """Return the title as people see it: a drill says so first."""
        return rules.shown_text(self.title, drill=self.drill)

    @property
    def shown_text(self) -> str:
        """Return the body as people see it: a drill says so first."""
        return rules.shown_text(self.body, drill=self.drill)


class Seal(models.Model):
    """The one hash that an approval of a version may be about. Append-only.

    It covers content, media, timing and audience; the schedule computes it when
    everything can be heard, and seals the version with it.
    """

    version = models.OneToOneField(
        Version, on_delete=models.PROTECT, related_name="seal"
    )
    sha256 = models.CharField(max_length=HASH_LENGTH)
    sealed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(sha256__length=HASH_LENGTH), name="seal_hash_length"
            )
        ]

    def __str__(self) -> str:
        return f"seal #{self.pk} of version #{self.version_id}"


class Involvement(models.Model):
    """What one person did with one version: edited, checked or approved it.

    One row per person and version, so nobody can do both. Append-only.
    """

    EDIT = "edit"
    CHECK = "check"
    APPROVE = "approve"

    version = models.ForeignKey(
        Version, on_delete=models.PROTECT, related_name="involvements"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    kind = models.CharField(max_length=7)
    at = models.DateTimeField()
    approved_sha256 = models.CharField(max_length=HASH_LENGTH, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "person"], name="involvement_one_per_person"
            ),
            models.UniqueConstraint(
                fields=["version"],
                condition=Q(kind="approve"),
                name="involvement_one_approval",
            ),
            models.UniqueConstraint(
                fields=["version"],
                condition=Q(kind="check"),
                name="involvement_one_check",
            ),
            models.CheckConstraint(
                condition=Q(kind="edit", approved_sha256="")
                | Q(kind__in=["check", "approve"], approved_sha256__length=HASH_LENGTH),
                name="involvement_approval_has_hash",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk} of version #{self.version_id}"


class Rendition(models.Model):
    """One sound, named by the hash of all that decides it; a job until ready.

    `asked → working → ready | failed`; a worker holds it by a lease, and a lease
    that ran out is taken up again by the next worker.
    """

    ASKED = "asked"
    WORKING = "working"
    READY = "ready"
    FAILED = "failed"

    key = models.CharField(max_length=HASH_LENGTH, unique=True)
    language = models.CharField(max_length=12)
    voice = models.CharField(max_length=60)
    manner = models.JSONField(default=dict, blank=True)
    chain = models.CharField(max_length=12)
    spoken_text = models.TextField(blank=True)
    # Who really spoke, and why it was not the voice that was asked for, if so.
    spoken_by = models.CharField(max_length=60, blank=True)
    fallback = models.CharField(max_length=60, blank=True)
    rank = models.PositiveSmallIntegerField(default=3)
    state = models.CharField(max_length=7, default=ASKED)
    asked_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField()
    lease = models.CharField(max_length=12, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=60, blank=True)
    ready_at = models.DateTimeField(null=True, blank=True)
    media = models.ForeignKey(
        "fleet.Media",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="renditions",
    )
    # A smaller copy of `media` for browsers; devices and the seal know `media` alone.
    compact = models.ForeignKey(
        "fleet.Media",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="compact_of",
    )
    compacted_at = models.DateTimeField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField(default=0)
    loudness_lufs = models.FloatField(null=True, blank=True)
    true_peak_dbtp = models.FloatField(null=True, blank=True)
    peaks = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["asked", "working", "ready", "failed"]),
                name="rendition_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state="working", lease_until__isnull=False) & ~Q(lease="")
                | ~Q(state="working") & Q(lease_until__isnull=True, lease=""),
                name="rendition_lease_while_working",
            ),
            models.CheckConstraint(
                condition=Q(state="ready", media__isnull=False, ready_at__isnull=False)
                | ~Q(state="ready") & Q(media__isnull=True, ready_at__isnull=True),
                name="rendition_ready_has_media",
            ),
            models.CheckConstraint(
                condition=(Q(state="failed") & ~Q(failure="")) | ~Q(state="failed"),
                name="rendition_failed_has_cause",
            ),
        ]
        indexes = [
            models.Index(
                fields=["rank", "retry_at", "id"],
                condition=Q(state__in=["asked", "working"]),
                name="rendition_waiting",
            ),
            models.Index(
                fields=["id"],
                condition=Q(state="ready", compacted_at=None),
                name="rendition_without_copy",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.language} rendition #{self.pk}"


class Recording(models.Model):
    """A person's voice for one language of a draft; the newest one counts."""

    bulletin = models.ForeignKey(
        Bulletin, on_delete=models.PROTECT, related_name="recordings"
    )
    language = models.CharField(max_length=12)
    rendition = models.ForeignKey(Rendition, on_delete=models.PROTECT, related_name="+")
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.language} recording #{self.pk}"


class VersionRendition(models.Model):
    """Which sound a version has in which language. Immutable."""

    version = models.ForeignKey(
        Version, on_delete=models.PROTECT, related_name="sounds"
    )
    language = models.CharField(max_length=12)
    rendition = models.ForeignKey(
        Rendition, on_delete=models.PROTECT, related_name="sounds"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "language"], name="one_sound_per_language"
            )
        ]

    def __str__(self) -> str:
        return f"{self.language} sound #{self.pk} of version #{self.version_id}"

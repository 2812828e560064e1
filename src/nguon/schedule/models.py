"""Broadcasts, their audience, plans and play records.

Only `schedule.actions` writes here; `schedule.guards` keeps in the database what
must hold for superusers too.
"""

import secrets

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from nguon.core.messages import OUTCOMES
from nguon.core.topics import new_uid
from nguon.schedule import rules, station


def paper_kind_choices() -> list[tuple[str, str]]:
    """Return the kinds of papers with their Vietnamese names."""
    return list(station.KINDS.items())


def paper_state_choices() -> list[tuple[str, str]]:
    """Return the states of papers with their Vietnamese names."""
    return list(rules.PAPER_STATES.items())


def inbox_choices() -> list[tuple[str, str]]:
    """Return what may become of a bulletin from above, in Vietnamese."""
    return list(rules.INBOX_STATES.items())


def source_choices() -> list[tuple[str, str]]:
    """Return the states of relay sources with their Vietnamese names."""
    return list(rules.SOURCE_STATES.items())


def route_choices() -> list[tuple[str, str]]:
    """Return the ways of a relay to the devices with their Vietnamese names."""
    return list(rules.ROUTES.items())


def new_token() -> str:
    """Return a secret that stands in a public address: 128 random bits."""
    return secrets.token_urlsafe(16)


def state_choices() -> list[tuple[str, str]]:
    """Return the states with their Vietnamese names."""
    return list(rules.STATES.items())


def timing_choices() -> list[tuple[str, str]]:
    """Return the kinds of timing with their Vietnamese names."""
    return list(rules.TIMINGS.items())


class Broadcast(models.Model):
    """One version to be sounded at a time for an audience: what is approved."""

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    version = models.OneToOneField(
        "newsroom.Version", on_delete=models.PROTECT, related_name="broadcast"
    )
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="broadcasts"
    )
    state = models.CharField(
        max_length=10, choices=state_choices, default=rules.PREPARING
    )
    timing = models.CharField(max_length=8, choices=timing_choices)
    # The standing authority under which one person released it alone.
    authority = models.ForeignKey(
        "Paper", null=True, blank=True, on_delete=models.PROTECT, related_name="uses"
    )
    starts_at = models.DateTimeField(null=True, blank=True)
    time_of_day = models.TimeField(null=True, blank=True)
    first_date = models.DateField(null=True, blank=True)
    last_date = models.DateField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    units = models.ManyToManyField("territory.Unit", related_name="+")
    devices = models.ManyToManyField("fleet.Device", related_name="+")
    # The units, from the commune up, whose plans or urgent topics carry it.
    carriers = models.ManyToManyField("territory.Unit", related_name="carried")
    targeted = models.PositiveIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    # How many must agree after the writer: two where the unit's chain says so.
    steps = models.PositiveSmallIntegerField(default=1)
    # Whoever decides is reminded at this moment, and again later.
    remind_at = models.DateTimeField(null=True, blank=True)
    reminders = models.PositiveSmallIntegerField(default=0)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    submitted_at = models.DateTimeField()
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    returned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    returned_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    cancelled_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(rules.STATES)), name="broadcast_state_known"
            ),
            models.CheckConstraint(
                condition=Q(timing__in=list(rules.TIMINGS)),
                name="broadcast_timing_known",
            ),
            models.CheckConstraint(
                condition=Q(steps__in=[1, 2]), name="broadcast_steps_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=[rules.PREPARING, rules.FAILED])
                | Q(state=rules.CANCELLED)
                | Q(sha256__length=64),
                name="broadcast_hash_once_waiting",
            ),
            *(
                models.CheckConstraint(
                    condition=Q(
                        **{f"{act}_by__isnull": True, f"{act}_at__isnull": True}
                    )
                    | Q(**{f"{act}_by__isnull": False, f"{act}_at__isnull": False}),
                    name=f"broadcast_{act}_whole",
                )
                for act in ("approved", "returned", "cancelled")
            ),
            models.CheckConstraint(
                condition=~Q(state=rules.APPROVED) | Q(approved_by__isnull=False),
                name="broadcast_approved_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True)
                | ~Q(approved_by=F("submitted_by"))
                | Q(authority__isnull=False),
                name="broadcast_second_person",
            ),
        ]
        indexes = [models.Index(fields=["state", "-submitted_at"])]

    def __str__(self) -> str:
        return f"broadcast {self.uid} #{self.pk}"

    @property
    def is_alert(self) -> bool:
        """Say whether this goes by the emergency lane."""
        return self.version.klass == "emergency"

    @property
    def is_offered(self) -> bool:
        """Say whether communes take or leave it: a normal bulletin from above."""
        return rules.is_offered(
            klass=self.version.klass, timing=self.timing, issuer=self.unit.kind
        )

    @property
    def when(self) -> rules.Timing:
        """The timing as the rules read it."""
        return rules.Timing(
            self.timing,
            self.starts_at,
            self.time_of_day,
            self.first_date,
            self.last_date,
            self.expires_at,
        )


class AudienceMember(models.Model):
    """One device that the approval was about: the baseline of proof."""

    broadcast = models.ForeignKey(
        Broadcast, on_delete=models.PROTECT, related_name="audience"
    )
    device = models.ForeignKey(
        "fleet.Device", on_delete=models.PROTECT, related_name="+"
    )
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["broadcast", "device"], name="audience_device_once"
            )
        ]

    def __str__(self) -> str:
        return f"device #{self.device_id} of broadcast #{self.broadcast_id}"


class ChosenGroup(models.Model):
    """A named group that was asked for, as it was then: its name and its devices.

    What is signed names the devices, so that a group changed after the approval
    changes nothing of what was approved.
    """

    broadcast = models.ForeignKey(
        Broadcast, on_delete=models.PROTECT, related_name="groups"
    )
    group = models.ForeignKey(
        "fleet.DeviceGroup", on_delete=models.PROTECT, related_name="+"
    )
    name = models.CharField(max_length=60)
    # The uids of its active devices, in order.
    devices = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["broadcast", "group"], name="chosen_group_once"
            )
        ]

    def __str__(self) -> str:
        return f"group #{self.group_id} of broadcast #{self.broadcast_id}"


class Paper(models.Model):
    """What decides what sounds when, put into force by two persons about one hash.

    The body is read by `schedule.station`. `subject` is what the paper is about
    within unit and kind: of several in force on a day, the latest approved counts.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    kind = models.CharField(max_length=10, choices=paper_kind_choices)
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="papers"
    )
    number = models.PositiveIntegerField()
    subject = models.CharField(max_length=500)
    title = models.CharField(max_length=200)
    body = models.JSONField()
    sha256 = models.CharField(max_length=64)
    first_date = models.DateField()
    last_date = models.DateField(null=True, blank=True)
    state = models.CharField(
        max_length=10, choices=paper_state_choices, default=rules.DRAFT
    )
    created_at = models.DateTimeField()
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    submitted_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    returned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    returned_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "kind", "number"], name="paper_number_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=list(station.KINDS)), name="paper_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=list(rules.PAPER_STATES)),
                name="paper_state_known",
            ),
            models.CheckConstraint(
                condition=Q(sha256__length=64), name="paper_hash_length"
            ),
            models.CheckConstraint(
                condition=Q(last_date__isnull=True) | Q(last_date__gte=F("first_date")),
                name="paper_days_in_order",
            ),
            *(
                models.CheckConstraint(
                    condition=Q(
                        **{f"{act}_by__isnull": True, f"{act}_at__isnull": True}
                    )
                    | Q(**{f"{act}_by__isnull": False, f"{act}_at__isnull": False}),
                    name=f"paper_{act}_whole",
                )
                for act in ("submitted", "approved", "returned", "ended")
            ),
            models.CheckConstraint(
                condition=~Q(state=rules.APPROVED) | Q(approved_by__isnull=False),
                name="paper_approved_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True)
                | ~Q(approved_by=F("submitted_by")),
                name="paper_second_person",
            ),
        ]
        indexes = [
            models.Index(fields=["unit", "kind", "state", "-approved_at"]),
            models.Index(fields=["state", "submitted_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} paper {self.uid} #{self.pk}"


class PaperInvolvement(models.Model):
    """What one person did with one paper: wrote in it, or approved it. Append-only."""

    EDIT = "edit"
    APPROVE = "approve"

    paper = models.ForeignKey(
        Paper, on_delete=models.PROTECT, related_name="involvements"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    kind = models.CharField(max_length=7)
    at = models.DateTimeField()
    approved_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["paper", "person"], name="paper_involvement_one_per_person"
            ),
            models.UniqueConstraint(
                fields=["paper"],
                condition=Q(kind="approve"),
                name="paper_involvement_one_approval",
            ),
            models.CheckConstraint(
                condition=Q(kind="edit", approved_sha256="")
                | Q(kind="approve", approved_sha256__length=64),
                name="paper_involvement_approval_has_hash",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk} of paper #{self.paper_id}"


class InboxEntry(models.Model):
    """A released bulletin from above, as one commune decides on it."""

    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="inbox"
    )
    broadcast = models.ForeignKey(
        Broadcast, on_delete=models.PROTECT, related_name="offers"
    )
    state = models.CharField(max_length=5, choices=inbox_choices, default=rules.NEW)
    arrived_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "inbox entries"
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "broadcast"], name="inbox_entry_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=list(rules.INBOX_STATES)),
                name="inbox_state_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    state=rules.NEW, decided_by__isnull=True, decided_at__isnull=True
                )
                | ~Q(state=rules.NEW)
                & Q(decided_by__isnull=False, decided_at__isnull=False),
                name="inbox_decided_by_somebody",
            ),
        ]
        indexes = [models.Index(fields=["unit", "state", "-arrived_at"])]

    def __str__(self) -> str:
        return f"inbox entry #{self.pk} of unit #{self.unit_id}"


class Localisation(models.Model):
    """A commune's own version of a bulletin from above (bản của xã). Append-only.

    The version is a bulletin like any other: placed and approved by two of the commune.
    It does not outlive its origin: what the supplier withdraws falls silent here too.
    """

    entry = models.OneToOneField(
        InboxEntry, on_delete=models.PROTECT, related_name="localisation"
    )
    bulletin = models.OneToOneField(
        "newsroom.Bulletin", on_delete=models.PROTECT, related_name="localisation"
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"localisation #{self.pk} of entry #{self.entry_id}"


class Airing(models.Model):
    """One planned start: the item that devices know.

    Of a released broadcast, of an approved paper (a relay, live speech), or of a
    broadcast in the place that a paper gives it (`paper` set too).
    """

    item = models.CharField(max_length=40, unique=True)
    broadcast = models.ForeignKey(
        Broadcast,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="airings",
    )
    paper = models.ForeignKey(
        Paper, null=True, blank=True, on_delete=models.PROTECT, related_name="airings"
    )
    unit = models.ForeignKey(
        "territory.Unit",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="airings",
    )
    title = models.CharField(max_length=220, blank=True)
    slot = models.CharField(max_length=80, blank=True)
    starts_at = models.DateTimeField(db_index=True)
    ends_at = models.DateTimeField()
    # A later plan does not have it any more; empty again when it comes back.
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(broadcast__isnull=False) | Q(paper__isnull=False),
                name="airing_has_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(paper__isnull=True) | Q(unit__isnull=False),
                name="airing_of_paper_has_unit",
            ),
        ]
        indexes = [models.Index(fields=["unit", "starts_at"])]

    def __str__(self) -> str:
        return f"airing {self.item} #{self.pk}"

    @property
    def shown_title(self) -> str:
        """Return what people call it: the bulletin's title, or the paper's word."""
        return self.broadcast.version.shown_title if self.broadcast else self.title


class LiveSession(models.Model):
    """One officer speaking to chosen places, under a standing authority.

    `ends_at` is the shown latest end; `cause` says why it ended (`rules.LIVE_CAUSES`).
    `token` stands in the address of its playlist: who does not know it hears nothing.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    token = models.CharField(max_length=32, unique=True, default=new_token)
    item = models.CharField(max_length=40, unique=True)
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="live_sessions"
    )
    units = models.ManyToManyField("territory.Unit", related_name="+")
    devices = models.ManyToManyField("fleet.Device", related_name="+")
    carriers = models.ManyToManyField("territory.Unit", related_name="+")
    paper = models.ForeignKey(
        Paper, on_delete=models.PROTECT, related_name="live_sessions"
    )
    officer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    talk_over = models.PositiveSmallIntegerField(default=0)
    targeted = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    heard_at = models.DateTimeField()
    chunks = models.PositiveIntegerField(default=0)
    segments = models.PositiveIntegerField(default=0)
    ended_at = models.DateTimeField(null=True, blank=True)
    cause = models.CharField(max_length=20, blank=True)
    # When devices that missed the end were told of it.
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["officer"],
                condition=Q(ended_at__isnull=True),
                name="live_one_open_per_officer",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("started_at")), name="live_has_a_length"
            ),
            models.CheckConstraint(
                condition=Q(talk_over__lte=100), name="live_talk_over_percent"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, cause="")
                | Q(ended_at__isnull=False) & ~Q(cause=""),
                name="live_end_has_a_cause",
            ),
        ]
        indexes = [models.Index(fields=["ended_at", "settled_at"])]

    def __str__(self) -> str:
        return f"live session {self.uid} #{self.pk}"


class LiveLine(models.Model):
    """What the next piece of a session that is on needs of those before it.

    `latest` is the number of the latest piece, `taken` counts its bytes; `frames` and
    `tail` are an encoder's mark (`speech.live.Mark`). Gone when the session is over.
    """

    session = models.OneToOneField(
        LiveSession, on_delete=models.CASCADE, related_name="line"
    )
    latest = models.PositiveIntegerField(default=0)
    taken = models.PositiveIntegerField(default=0)
    frames = models.PositiveIntegerField(default=0)
    tail = models.BinaryField(default=bytes)

    def __str__(self) -> str:
        return f"line of live session #{self.session_id} #{self.pk}"


class LiveSegment(models.Model):
    """Some seconds of a session's sound, for its playlist; forgotten soon after."""

    session = models.ForeignKey(
        LiveSession, on_delete=models.CASCADE, related_name="sound"
    )
    number = models.PositiveIntegerField()
    at_ms = models.PositiveIntegerField()
    ms = models.PositiveIntegerField(default=0)
    data = models.BinaryField()
    whole = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "number"], name="live_segment_once"
            ),
        ]

    def __str__(self) -> str:
        return f"segment {self.number} of live session #{self.session_id} #{self.pk}"


class SourceWatch(models.Model):
    """How an approved relay source was when the server listened to it last."""

    paper = models.OneToOneField(Paper, on_delete=models.PROTECT, related_name="watch")
    checked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=source_choices)
    # Since when it is in this state.
    since = models.DateTimeField()
    level_dbfs = models.FloatField(null=True, blank=True)
    detail = models.CharField(max_length=120, blank=True)
    # What was measured when sound was decoded last; kept while the source is away.
    route = models.CharField(max_length=10, choices=route_choices, default=rules.DIRECT)
    codec = models.CharField(max_length=20, blank=True)
    kbps = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "source watches"
        constraints = [
            models.CheckConstraint(
                condition=Q(route__in=list(rules.ROUTES)), name="watch_route_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=list(rules.SOURCE_STATES)),
                name="watch_state_known",
            ),
            models.CheckConstraint(
                condition=Q(since__lte=F("checked_at")), name="watch_since_before_now"
            ),
        ]

    def __str__(self) -> str:
        return f"watch #{self.pk} of paper #{self.paper_id}"


class UnitPlan(models.Model):
    """What a unit's newest plan was made of, to see whether it has changed."""

    unit = models.OneToOneField(
        "territory.Unit", on_delete=models.PROTECT, related_name="plan"
    )
    content_sha256 = models.CharField(max_length=64)
    built_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"plan of unit #{self.unit_id} #{self.pk}"


class PlayRecord(models.Model):
    """What became of one item on one device (nhật ký phát). Moments are set once.

    `outcome` empty: not over yet. `unit` is the device's unit when it happened.
    `level_dbfs` is the digital output level: it does not say that anybody heard;
    `grade` is the grade of its evidence, 0 for none. Kept by the month of `planned_at`
    (`audit.months`), which follows from the item: an airing's start never changes.
    """

    # Without indexes of their own: `play_once` begins with the device, another index
    # with the unit.
    device = models.ForeignKey(
        "fleet.Device", on_delete=models.PROTECT, related_name="plays", db_index=False
    )
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    broadcast = models.ForeignKey(
        Broadcast, null=True, blank=True, on_delete=models.PROTECT, related_name="plays"
    )
    title = models.CharField(max_length=220, blank=True)
    item = models.CharField(max_length=40)
    planned_at = models.DateTimeField()
    received_at = models.DateTimeField(null=True, blank=True)
    prepared_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    shown_at = models.DateTimeField(null=True, blank=True)
    sounded_ms = models.PositiveIntegerField(default=0)
    level_dbfs = models.FloatField(null=True, blank=True)
    outcome = models.CharField(max_length=10, blank=True)
    cause = models.CharField(max_length=20, blank=True)
    late_joiner = models.BooleanField(default=False)
    grade = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["device", "item", "planned_at"], name="play_once"
            ),
            models.CheckConstraint(
                condition=Q(started_at__isnull=True)
                | Q(ended_at__isnull=True)
                | Q(ended_at__gte=F("started_at")),
                name="play_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["", *OUTCOMES]), name="play_outcome_known"
            ),
        ]
        indexes = [
            models.Index(fields=["item", "outcome"]),
            models.Index(fields=["unit", "-planned_at"]),
            models.Index(fields=["-planned_at"], name="play_by_time"),
        ]

    def __str__(self) -> str:
        return f"play of {self.item} on device #{self.device_id} #{self.pk}"

    @property
    def shown_title(self) -> str:
        """Return what people call it: the bulletin's title, or the paper's word."""
        return self.broadcast.version.shown_title if self.broadcast else self.title


class PlayDay(models.Model):
    """The plays of one device on one local day, counted by what became of them.

    `unit` and `klass` (empty: by a paper) are those of the plays; `grade` is the grade
    of evidence. Counted again when a play of the day changes; when the month of the
    plays is archived, it stays.
    """

    device = models.ForeignKey(
        "fleet.Device", on_delete=models.PROTECT, related_name="+"
    )
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    day = models.DateField()
    klass = models.CharField(max_length=10, blank=True)
    outcome = models.CharField(max_length=10, blank=True)
    cause = models.CharField(max_length=20, blank=True)
    grade = models.PositiveSmallIntegerField()
    late_joiner = models.BooleanField()
    plays = models.PositiveIntegerField()
    sounded_ms = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "day", "device", "unit", "klass", "outcome", "cause", "grade",
                    "late_joiner",
                ],
                name="play_day_once",
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["unit", "day"], name="play_day_by_unit")]

    def __str__(self) -> str:
        return f"{self.plays} plays on {self.day} of device #{self.device_id}"


class AiringCount(models.Model):
    """What became of an airing in one commune, counted when its month was put away.

    The plays then lie in a file; the airing still tells its figures. `unit` is the
    commune of the plays' units, or their unit above communes; each column is what
    `tallies` counts. Those who joined late stand apart: nobody had targeted them.
    """

    item = models.CharField(max_length=40)
    planned_at = models.DateTimeField(db_index=True)
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    late_joiner = models.BooleanField()
    plays = models.PositiveIntegerField()
    told = models.PositiveIntegerField()
    reached = models.PositiveIntegerField()
    prepared = models.PositiveIntegerField()
    sounding = models.PositiveIntegerField()
    sounded = models.PositiveIntegerField()
    broken_off = models.PositiveIntegerField()
    shown = models.PositiveIntegerField()
    silent = models.PositiveIntegerField()
    heard = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "unit", "late_joiner"], name="airing_count_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plays} plays of {self.item} in unit #{self.unit_id} #{self.pk}"


class CountedDay(models.Model):
    """A local day whose plays are in `PlayDay`, or will be.

    `stale`: a play of it changed; `due`: it is counted at the next turn, when whoever
    saw it stale has long committed.
    """

    day = models.DateField(unique=True)
    counted_at = models.DateTimeField(null=True)
    stale = models.BooleanField(default=False)
    due = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"counted day {self.day} #{self.pk}"

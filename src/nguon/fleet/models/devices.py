"""Devices, claims, signed documents, the outbox, events and media.

Only `fleet.actions` writes here. A signed document and an event are facts: they
are written once; a document only learns when a newer one took its place.
"""

from datetime import timedelta

from django.db import models
from django.db.models import F, Q

from nguon.core.topics import new_uid
from nguon.territory.names import order_key

SPEAKER, BOARD = "speaker", "board"
KINDS = {SPEAKER: "Cụm loa", BOARD: "Bảng tin"}

WAITING, ACTIVE, REJECTED, REVOKED = "waiting", "active", "rejected", "revoked"
STATES = {
    WAITING: "Chờ duyệt",
    ACTIVE: "Đang dùng",
    REJECTED: "Bị từ chối",
    REVOKED: "Đã thu hồi",
}

PLAN, SETTINGS, UPDATE = "plan", "settings", "update"
URGENT = ("go", "alert", "cancel", "stop", "lift", "command")
DOCUMENT_KINDS = (PLAN, SETTINGS, UPDATE, *URGENT)
# Documents of one lane and target share one row of numbers. All urgent kinds share
# a lane, so that a device sees their order whatever they are.
URGENT_LANE = "urgent"

# An outbox topic that is no topic: it asks the gateway to cut a device off.
KICK = "kick/"

# What the server itself noticed about a device stands among its events, in this log.
SERVER_LOG = "server"
CLONE, FLOOD = "clone", "flood"
# How long a device that flooded the bus is kept out.
FLOOD_SPAN = timedelta(minutes=5)


def kind_choices() -> list[tuple[str, str]]:
    """Return the kinds of device with their Vietnamese names."""
    return list(KINDS.items())


def state_choices() -> list[tuple[str, str]]:
    """Return the states of a device with their Vietnamese names."""
    return list(STATES.items())


def default_languages() -> list[str]:
    """Return the languages of a device that nobody has set: Vietnamese."""
    return ["vi"]


# Django names its own call; its fields take types only in the stubs.
class NameOrderField(models.CharField):  # type: ignore[type-arg]
    """A name as it sorts, written whenever its row is; lists are ordered by it."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:  # noqa: FBT001
        """Return the name's place among names, whatever was there."""
        key = order_key(str(vars(model_instance)["name"]))[: self.max_length]
        setattr(model_instance, self.attname, key)
        return key


class Device(models.Model):
    """A speaker cluster (cụm loa) or a board (bảng tin) with a key of its own."""

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    kind = models.CharField(max_length=7, choices=kind_choices)
    name = models.CharField(max_length=120)
    name_order = NameOrderField(max_length=240, editable=False, default="")
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="devices"
    )
    lat = models.FloatField(null=True, blank=True)
    lon = models.FloatField(null=True, blank=True)
    languages = models.JSONField(default=default_languages)
    volume = models.PositiveSmallIntegerField(default=80)
    state = models.CharField(max_length=8, choices=state_choices, default=WAITING)
    public_key = models.CharField(max_length=64, unique=True)
    make = models.CharField(max_length=60, blank=True)
    model = models.CharField(max_length=60, blank=True)
    version = models.CharField(max_length=40, blank=True)
    simulated = models.BooleanField(default=False)
    enrolled_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        "people.Officer", null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    last_heard_at = models.DateTimeField(null=True, blank=True)
    connected = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=list(KINDS)), name="device_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=list(STATES)), name="device_state_known"
            ),
            models.CheckConstraint(
                condition=Q(volume__gte=0, volume__lte=100), name="device_volume_0_100"
            ),
            # Nobody is let in without a person's name and the moment beside it.
            models.CheckConstraint(
                condition=Q(
                    state=WAITING, decided_by__isnull=True, decided_at__isnull=True
                )
                | (
                    ~Q(state=WAITING)
                    & Q(decided_by__isnull=False, decided_at__isnull=False)
                ),
                name="device_decided_by_a_person",
            ),
        ]
        indexes = [models.Index(fields=["unit", "state"], name="device_unit_state")]

    def __str__(self) -> str:
        return f"{self.name} {self.uid} #{self.pk}"

    @property
    def kind_name(self) -> str:
        """The kind in Vietnamese."""
        return KINDS[self.kind]

    @property
    def state_name(self) -> str:
        """The state in Vietnamese."""
        return STATES[self.state]


class Claim(models.Model):
    """A code that lets one device ask to be enrolled; it pins the root key."""

    code = models.CharField(max_length=19, unique=True)
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="claims"
    )
    kind = models.CharField(max_length=7, choices=kind_choices)
    name = models.CharField(max_length=120)
    simulated = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        "people.Officer", on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_by = models.OneToOneField(
        Device, null=True, on_delete=models.PROTECT, related_name="claim"
    )
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=list(KINDS)), name="claim_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="claim_has_a_life"
            ),
            models.CheckConstraint(
                condition=Q(used_by__isnull=True, used_at__isnull=True)
                | Q(used_by__isnull=False, used_at__isnull=False),
                name="claim_used_by_and_at",
            ),
        ]

    def __str__(self) -> str:
        return f"claim for {self.name} #{self.pk}"


class Counter(models.Model):
    """The latest number given in one lane to one target (a unit or device uid).

    Its row is locked until commit, so numbers become visible in their own order.
    """

    lane = models.CharField(max_length=10)
    target = models.CharField(max_length=12)
    value = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lane", "target"], name="counter_once")
        ]

    def __str__(self) -> str:
        return f"{self.lane} of {self.target} at {self.value} #{self.pk}"


class SignedDocument(models.Model):
    """What a unit's devices, or one device, were told: signed, numbered, kept.

    `superseded_at` is set on a plan or settings when a newer one is published.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    kind = models.CharField(max_length=8)
    lane = models.CharField(max_length=10)
    unit = models.ForeignKey(
        "territory.Unit", null=True, on_delete=models.PROTECT, related_name="documents"
    )
    device = models.ForeignKey(
        Device, null=True, on_delete=models.PROTECT, related_name="documents"
    )
    seq = models.PositiveBigIntegerField()
    body_sha256 = models.CharField(max_length=64)
    jws = models.TextField()
    issued_by = models.ForeignKey(
        "people.Officer", null=True, on_delete=models.PROTECT, related_name="+"
    )
    issued_at = models.DateTimeField()
    not_after = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lane", "unit", "seq"],
                condition=Q(unit__isnull=False),
                name="document_number_once_per_unit",
            ),
            models.UniqueConstraint(
                fields=["lane", "device", "seq"],
                condition=Q(device__isnull=False),
                name="document_number_once_per_device",
            ),
            models.UniqueConstraint(
                fields=["unit"],
                condition=Q(kind=PLAN, superseded_at__isnull=True),
                name="document_one_plan_in_force",
            ),
            models.UniqueConstraint(
                fields=["device"],
                condition=Q(kind=SETTINGS, superseded_at__isnull=True),
                name="document_one_settings_in_force",
            ),
            models.UniqueConstraint(
                fields=["device"],
                condition=Q(kind=UPDATE, superseded_at__isnull=True),
                name="document_one_update_in_force",
            ),
            models.CheckConstraint(
                condition=Q(unit__isnull=False, device__isnull=True)
                | Q(unit__isnull=True, device__isnull=False),
                name="document_has_one_target",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=DOCUMENT_KINDS), name="document_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(not_after__gt=F("issued_at")), name="document_has_a_life"
            ),
            models.CheckConstraint(
                condition=~Q(jws="") & Q(seq__gt=0), name="document_signed_numbered"
            ),
        ]
        indexes = [
            models.Index(
                fields=["unit", "not_after"],
                condition=Q(lane=URGENT_LANE),
                name="document_urgent_by_unit",
            ),
            models.Index(
                fields=["device", "not_after"],
                condition=Q(lane=URGENT_LANE),
                name="document_urgent_by_device",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uid} number {self.seq} #{self.pk}"


class OutboxMessage(models.Model):
    """A word on its way to the bus, written in the transaction that caused it.

    `expired_at` says that it could not be carried before its `not_after`.
    """

    topic = models.CharField(max_length=80)
    payload = models.TextField()
    created_at = models.DateTimeField()
    not_after = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    expired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True) | Q(expired_at__isnull=True),
                name="outbox_sent_or_expired",
            )
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(sent_at__isnull=True, expired_at__isnull=True),
                name="outbox_unsent",
            )
        ]

    def __str__(self) -> str:
        return f"outbox message to {self.topic} #{self.pk}"


class DeviceEvent(models.Model):
    """One thing that happened on a device, as it said; stored once, never edited.

    Kept by the month of `stored_at` (`audit.months`); on PostgreSQL `event_stored_once`
    holds in each month, and `fleet.actions.facts` looks into the months before.
    `recorded_at` says when the rooms above had taken it in; `fault` why they could
    not (then it is kept aside and never tried again).
    """

    # Without an index of its own: both `event_stored_once` and `event_by_device` begin
    # with the device. Without a foreign key in the database: for each of thousands of
    # events a second it would look the device up again and lock its row (decision
    # 0006). What comes in was looked up, and a device's row is never deleted.
    device = models.ForeignKey(
        Device,
        on_delete=models.PROTECT,
        related_name="events",
        db_index=False,
        db_constraint=False,
    )
    log = models.CharField(max_length=32)
    n = models.PositiveBigIntegerField()
    type = models.CharField(max_length=20)
    at = models.DateTimeField()
    item = models.CharField(max_length=80, blank=True)
    document = models.CharField(max_length=12, blank=True)
    data = models.JSONField(default=dict)
    stored_at = models.DateTimeField()
    recorded_at = models.DateTimeField(null=True)
    fault = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["device", "log", "n"], name="event_stored_once"
            ),
        ]
        indexes = [
            models.Index(fields=["device", "-at"], name="event_by_device"),
            models.Index(fields=["item", "type"], name="event_by_item"),
            models.Index(
                fields=["document"],
                condition=~Q(document=""),
                name="event_by_document",
            ),
            models.Index(
                fields=["id"],
                condition=Q(recorded_at__isnull=True),
                name="event_unrecorded",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} of device #{self.device_id} #{self.pk}"


class ArchivedRun(models.Model):
    """Events `first` to `last` of a log lie in an archive: they are known."""

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+")
    log = models.CharField(max_length=32)
    month = models.DateField()
    first = models.PositiveBigIntegerField()
    last = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["device", "log", "first"], name="archived_run_once"
            ),
            models.CheckConstraint(
                condition=Q(last__gte=F("first")), name="archived_run_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first}-{self.last} of device #{self.device_id} #{self.pk}"


class StrayMessage(models.Model):
    """Something from the bus that could not be read; kept aside to be looked at."""

    topic = models.CharField(max_length=80)
    payload = models.TextField()
    cause = models.CharField(max_length=200)
    stored_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"stray message on {self.topic} #{self.pk}"


class Media(models.Model):
    """A file by its hash, in `MEDIA_DIR`; the same bytes are one row."""

    sha256 = models.CharField(max_length=64, unique=True)
    size = models.PositiveBigIntegerField()
    mime = models.CharField(max_length=40)
    duration_ms = models.PositiveIntegerField(default=0)
    stored_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"media {self.sha256[:12]} #{self.pk}"

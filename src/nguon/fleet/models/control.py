"""Commands that were sent, one by one or many together, and logs that came back."""

from django.db import models
from django.db.models import F, Q

from nguon.core.topics import new_uid
from nguon.fleet import commands
from nguon.fleet.models.devices import Device


def verb_choices() -> list[tuple[str, str]]:
    """Return the commands with their Vietnamese names."""
    return list(commands.NAMES.items())


def command_choices() -> list[tuple[str, str]]:
    """Return the states of a command with their Vietnamese names."""
    return list(commands.STATES.items())


class Batch(models.Model):
    """One command for many devices (đợt lệnh), as somebody chose them.

    `chosen` says in words by what; the devices themselves are its commands.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    verb = models.CharField(max_length=8, choices=verb_choices)
    args = models.JSONField(default=dict)
    chosen = models.CharField(max_length=300)
    size = models.PositiveIntegerField()
    made_by = models.ForeignKey(
        "people.Officer", on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField()
    not_after = models.DateTimeField()
    cancelled_by = models.ForeignKey(
        "people.Officer", null=True, on_delete=models.PROTECT, related_name="+"
    )
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(verb__in=list(commands.NAMES)), name="batch_verb_known"
            ),
            models.CheckConstraint(
                condition=Q(size__gt=0, not_after__gt=F("made_at")),
                name="batch_has_devices_and_a_life",
            ),
            models.CheckConstraint(
                condition=Q(cancelled_by__isnull=True, cancelled_at__isnull=True)
                | Q(cancelled_by__isnull=False, cancelled_at__isnull=False),
                name="batch_cancelled_by_and_at",
            ),
        ]

    def __str__(self) -> str:
        return f"batch {self.verb} to {self.size} #{self.pk}"

    @property
    def verb_name(self) -> str:
        """The command in Vietnamese."""
        return commands.NAMES[self.verb]


class Command(models.Model):
    """One command to one device, and what became of it.

    `document` is the uid of the signed document, empty while it waits. Without
    `made_by` the server itself sent it.
    """

    device = models.ForeignKey(
        Device, on_delete=models.PROTECT, related_name="commands"
    )
    batch = models.ForeignKey(
        Batch, null=True, on_delete=models.PROTECT, related_name="commands"
    )
    verb = models.CharField(max_length=8)
    args = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=command_choices)
    cause = models.CharField(max_length=40, blank=True)
    document = models.CharField(max_length=12, blank=True)
    made_by = models.ForeignKey(
        "people.Officer", null=True, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(commands.STATES)),
                name="command_state_known",
            ),
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True, document="")
                | (Q(sent_at__isnull=False) & ~Q(document="")),
                name="command_sent_with_a_document",
            ),
            models.CheckConstraint(
                condition=Q(state__in=commands.OPEN, ended_at__isnull=True)
                | (~Q(state__in=commands.OPEN) & Q(ended_at__isnull=False)),
                name="command_ends_once",
            ),
            models.UniqueConstraint(
                fields=["batch", "device"],
                condition=Q(batch__isnull=False),
                name="command_once_per_batch",
            ),
            models.UniqueConstraint(
                fields=["document"], condition=~Q(document=""), name="command_document"
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(state__in=commands.OPEN),
                name="command_open",
            ),
            models.Index(fields=["device", "-made_at"], name="command_by_device"),
            models.Index(
                fields=["ended_at"],
                condition=Q(state=commands.EXPIRED),
                name="command_expired",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verb} to device #{self.device_id}: {self.state} #{self.pk}"

    @property
    def verb_name(self) -> str:
        """The command in Vietnamese."""
        return {**commands.NAMES, **commands.OWN_NAMES}.get(self.verb, self.verb)

    @property
    def state_name(self) -> str:
        """The state in Vietnamese."""
        return commands.STATES[self.state]

    @property
    def cause_words(self) -> str:
        """The cause in Vietnamese."""
        return commands.cause_words(self.cause)


class DeviceLog(models.Model):
    """The last lines of a device's own log, sent up when asked; kept for some days.

    The device blanks tokens, keys and claim codes before it sends them.
    """

    command = models.OneToOneField(
        Command, on_delete=models.PROTECT, related_name="log"
    )
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="logs")
    text = models.TextField()
    stored_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"log of device #{self.device_id} #{self.pk}"

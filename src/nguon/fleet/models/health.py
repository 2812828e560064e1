"""How devices are: newest signals, their changes, faults, incidents.

`Health` is one row a device, written in batches. Its state is one of
`fleet.health.STATES`; the device's standing (let in, revoked) is another matter.
"""

from django.db import models
from django.db.models import F, Q

from nguon.core import beats
from nguon.core.topics import new_uid
from nguon.fleet import health
from nguon.fleet.models.devices import Device

OUTAGE, FLAPPING = "outage", "flapping"
INCIDENT_KINDS = {OUTAGE: "Mất hàng loạt", FLAPPING: "Chập chờn"}


def health_choices() -> list[tuple[str, str]]:
    """Return the states of health with their Vietnamese names."""
    return list(health.STATES.items())


class Health(models.Model):
    """The newest signals of one device and what they make of it; null: not known.

    `claimed_at` to `measured_at` are the latest proofs of sound by grade; `since`
    says when each condition that holds began (ms); `look_at` when the rules must look
    again; `rehearsal_due` from when on an open rehearsal is a fault. `commune` is the
    commune it stands in, so that lists and maps count fast.
    """

    device = models.OneToOneField(
        Device, primary_key=True, on_delete=models.PROTECT, related_name="health"
    )
    commune = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=9, choices=health_choices, default=health.NEW)
    state_since = models.DateTimeField()
    heard_at = models.DateTimeField(null=True, blank=True)
    lost_at = models.DateTimeField(null=True, blank=True)
    losses = models.JSONField(default=list)
    cloned_at = models.DateTimeField(null=True, blank=True)
    sounding = models.BooleanField(null=True)
    mains = models.BooleanField(null=True)
    battery_percent = models.SmallIntegerField(null=True, blank=True)
    amplifier = models.BooleanField(null=True)
    line = models.CharField(max_length=5, blank=True)
    heard = models.BooleanField(null=True)
    sim = models.CharField(max_length=7, blank=True)
    operator = models.CharField(max_length=40, blank=True)
    clock_offset_ms = models.BigIntegerField(null=True, blank=True)
    clock_doubt_ms = models.IntegerField(null=True, blank=True)
    clock_trusted = models.BooleanField(null=True)
    storage_free_mb = models.IntegerField(null=True, blank=True)
    temperature_c = models.SmallIntegerField(null=True, blank=True)
    signal_dbm = models.SmallIntegerField(null=True, blank=True)
    network = models.CharField(max_length=8, blank=True)
    version = models.CharField(max_length=40, blank=True)
    data_used_mb = models.IntegerField(null=True, blank=True)
    volume = models.SmallIntegerField(null=True, blank=True)
    wrong = models.CharField(max_length=200, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    decoded_at = models.DateTimeField(null=True, blank=True)
    amplified_at = models.DateTimeField(null=True, blank=True)
    measured_at = models.DateTimeField(null=True, blank=True)
    audible_until = models.DateTimeField(null=True, blank=True)
    since = models.JSONField(default=dict)
    proof_after = models.DateTimeField(null=True, blank=True)
    rehearsal_due = models.DateTimeField(null=True, blank=True)
    is_late = models.BooleanField(default=False)
    look_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "health"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(health.STATES)), name="health_state_known"
            ),
            models.CheckConstraint(
                condition=Q(line__in=["", *beats.LINES]), name="health_line_known"
            ),
            models.CheckConstraint(
                condition=Q(sim__in=["", *beats.SIMS]), name="health_sim_known"
            ),
        ]
        indexes = [
            models.Index(fields=["look_at"], name="health_look_at"),
            models.Index(fields=["commune", "state"], name="health_commune_state"),
            models.Index(
                fields=["heard_at"],
                condition=Q(is_late=False),
                name="health_not_late",
            ),
        ]

    def __str__(self) -> str:
        return f"health of device #{self.pk}: {self.state}"

    @property
    def state_name(self) -> str:
        """The state in Vietnamese."""
        return health.STATES[self.state]

    @property
    def evidence(self) -> health.Evidence:
        """The latest proof of sound of each grade that there is."""
        moments = {
            beats.CLAIMED: self.claimed_at,
            beats.DECODED: self.decoded_at,
            beats.AMPLIFIED: self.amplified_at,
            beats.MEASURED: self.measured_at,
        }
        return {grade: at for grade, at in moments.items() if at is not None}


class SignalChange(models.Model):
    """A signal of a device went from one value to another: a point of its timeline."""

    device = models.ForeignKey(
        Device, on_delete=models.PROTECT, related_name="signal_changes"
    )
    signal = models.CharField(max_length=12)
    old = models.CharField(max_length=40, blank=True)
    new = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["device", "-at"], name="change_by_device")]

    def __str__(self) -> str:
        return f"{self.signal} of device #{self.device_id} to {self.new} #{self.pk}"


class Incident(models.Model):
    """Faults of many devices with one reason: a mast, a commune, the province.

    `size` is how many devices it took with it so far.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    kind = models.CharField(max_length=8)
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="incidents"
    )
    mast = models.CharField(max_length=60, blank=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    size = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "unit", "mast"],
                condition=Q(closed_at__isnull=True),
                name="incident_open_once",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=list(INCIDENT_KINDS)), name="incident_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(closed_at__gte=F("opened_at")),
                name="incident_ends_after_it_begins",
            ),
        ]
        indexes = [models.Index(fields=["unit", "-opened_at"], name="incident_by_unit")]

    def __str__(self) -> str:
        return f"{self.kind} {self.uid} #{self.pk}"

    @property
    def kind_name(self) -> str:
        """The kind in Vietnamese."""
        return INCIDENT_KINDS[self.kind]


class Fault(models.Model):
    """Something was wrong with a device from `opened_at` to `closed_at`.

    It began to hold at `began_at`. `unit` is the device's unit when it happened.
    """

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="faults")
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    cause = models.CharField(max_length=12)
    began_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    incident = models.ForeignKey(
        Incident, null=True, on_delete=models.PROTECT, related_name="faults"
    )
    evidence = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["device", "cause"],
                condition=Q(closed_at__isnull=True),
                name="fault_open_once",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(closed_at__gte=F("opened_at")),
                name="fault_ends_after_it_begins",
            ),
        ]
        indexes = [
            models.Index(fields=["device", "-opened_at"], name="fault_by_device"),
            models.Index(
                fields=["cause", "device"],
                condition=Q(closed_at__isnull=True),
                name="fault_open_by_cause",
            ),
            models.Index(
                fields=["opened_at"],
                condition=Q(closed_at__isnull=True, incident__isnull=True),
                name="fault_alone",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cause} of device #{self.device_id} #{self.pk}"

    @property
    def cause_name(self) -> str:
        """The cause in Vietnamese."""
        return health.CAUSES.get(self.cause, self.cause)

"""Work orders, their photos, what people report, and the views that are kept."""

from django.db import models
from django.db.models import F, Q

from nguon.core.topics import new_uid
from nguon.fleet import repairs
from nguon.fleet.models.devices import Device, DeviceEvent, Media
from nguon.fleet.models.health import Fault


def order_choices() -> list[tuple[str, str]]:
    """Return the states of a work order with their Vietnamese names."""
    return list(repairs.STATES.items())


def rehearsal_choices() -> list[tuple[str, str]]:
    """Return the states of a rehearsal with their Vietnamese names."""
    return list(repairs.REHEARSALS.items())


def report_choices() -> list[tuple[str, str]]:
    """Return what may be reported, in Vietnamese."""
    return list(repairs.REPORTS.items())


class WorkOrder(models.Model):
    """A repair of one device (phiếu sửa chữa), for a fault or for no fault at all.

    `unit` is the device's unit when it was opened. `cost` is whole đồng. It is verified
    by the device itself: a proof of sound after `done_at`. `due_at` comes from the
    maintenance contract.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="orders")
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    fault = models.ForeignKey(
        Fault, null=True, on_delete=models.PROTECT, related_name="orders"
    )
    state = models.CharField(max_length=8, choices=order_choices, default=repairs.OPEN)
    task = models.CharField(max_length=500)
    assigned = models.ForeignKey(
        "people.Officer", null=True, on_delete=models.PROTECT, related_name="orders"
    )
    opened_by = models.ForeignKey(
        "people.Officer", on_delete=models.PROTECT, related_name="+"
    )
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(
        "people.Officer", null=True, on_delete=models.PROTECT, related_name="+"
    )
    done_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    causes = models.JSONField(default=list)
    parts = models.CharField(max_length=500, blank=True)
    cost = models.PositiveBigIntegerField(default=0)
    notes = models.TextField(blank=True)
    tests = models.PositiveSmallIntegerField(default=0)
    tested_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(repairs.STATES)), name="order_state_known"
            ),
            models.UniqueConstraint(
                fields=["device"],
                condition=Q(state__in=list(repairs.UNFINISHED)),
                name="order_one_unfinished",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[repairs.DONE, repairs.VERIFIED])
                | Q(done_by__isnull=False, done_at__isnull=False),
                name="order_done_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("opened_at")),
                name="order_ends_after_it_begins",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-opened_at"], name="order_by_state"),
            models.Index(fields=["device", "-opened_at"], name="order_by_device"),
        ]

    def __str__(self) -> str:
        return f"work order {self.uid} #{self.pk}"

    @property
    def state_name(self) -> str:
        """The state in Vietnamese."""
        return repairs.STATES[self.state]

    @property
    def cause_names(self) -> list[str]:
        """What was found, in Vietnamese."""
        return [repairs.CAUSES.get(code, code) for code in self.causes]


class Rehearsal(models.Model):
    """What a speaker must pass after a repair (diễn tập sau sửa) to be in service.

    Open from the beginning of the repair, asked for (`asked_at`) when it is done: the
    device tells its next 24 hours, the server compares. `event` is the latest answer
    that was compared, `found` what came of it. While one is open the device's settings
    name it and nothing below a real emergency sounds.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    device = models.ForeignKey(
        Device, on_delete=models.PROTECT, related_name="rehearsals"
    )
    order = models.ForeignKey(
        WorkOrder, null=True, on_delete=models.PROTECT, related_name="rehearsals"
    )
    state = models.CharField(
        max_length=7, choices=rehearsal_choices, default=repairs.AWAITED
    )
    opened_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True, blank=True)
    asks = models.PositiveSmallIntegerField(default=0)
    last_asked_at = models.DateTimeField(null=True, blank=True)
    event = models.ForeignKey(
        # No foreign key in the database: events are kept by month, and a month may
        # lie in a file; what it told stays in `found`.
        DeviceEvent,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
    )
    found = models.JSONField(default=dict)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        "people.Officer", null=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(repairs.REHEARSALS)),
                name="rehearsal_state_known",
            ),
            models.UniqueConstraint(
                fields=["device"],
                condition=Q(ended_at__isnull=True),
                name="rehearsal_one_open",
            ),
            models.CheckConstraint(
                condition=Q(state__in=repairs.REHEARSING, ended_at__isnull=True)
                | (
                    Q(ended_at__isnull=False)
                    & (
                        Q(state=repairs.AGREED, event__isnull=False)
                        | (
                            Q(state=repairs.LIFTED, ended_by__isnull=False)
                            & ~Q(reason="")
                        )
                    )
                ),
                name="rehearsal_ends_agreed_or_by_a_person",
            ),
        ]
        indexes = [
            models.Index(fields=["device", "-opened_at"], name="rehearsal_by_device"),
            models.Index(
                fields=["asked_at"],
                condition=Q(ended_at__isnull=True),
                name="rehearsal_open",
            ),
        ]

    def __str__(self) -> str:
        return f"rehearsal {self.uid} of device #{self.device_id} #{self.pk}"

    @property
    def state_name(self) -> str:
        """The state in Vietnamese."""
        return repairs.REHEARSALS[self.state]


class WorkPhoto(models.Model):
    """A photo of a repair, re-encoded here: it carries no place and no camera."""

    order = models.ForeignKey(
        WorkOrder, on_delete=models.PROTECT, related_name="photos"
    )
    media = models.ForeignKey(Media, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey("people.Officer", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "media"], name="photo_once")
        ]

    def __str__(self) -> str:
        return f"photo of order #{self.order_id} #{self.pk}"


class DeviceReport(models.Model):
    """What somebody at the foot of the pole says about a device (báo hỏng).

    `contact` is given freely, to be called back; it is blanked after a year.
    """

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="reports")
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    kind = models.CharField(max_length=6, choices=report_choices)
    words = models.CharField(max_length=500, blank=True)
    contact = models.CharField(max_length=60, blank=True)
    at = models.DateTimeField()
    order = models.ForeignKey(
        WorkOrder, null=True, on_delete=models.PROTECT, related_name="reports"
    )
    closed_by = models.ForeignKey(
        "people.Officer", null=True, on_delete=models.PROTECT, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=list(repairs.REPORTS)), name="report_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(closed_by__isnull=True, closed_at__isnull=True)
                | Q(closed_by__isnull=False, closed_at__isnull=False),
                name="report_closed_by_and_at",
            ),
        ]
        indexes = [
            models.Index(fields=["device", "-at"], name="report_by_device"),
            models.Index(
                fields=["at"],
                condition=Q(closed_at__isnull=True),
                name="report_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of device #{self.device_id} #{self.pk}"

    @property
    def kind_name(self) -> str:
        """What was said, in Vietnamese."""
        return repairs.REPORTS[self.kind]


class SavedView(models.Model):
    """A filter of the list of devices that an officer wants again (bộ lọc đã lưu)."""

    officer = models.ForeignKey(
        "people.Officer", on_delete=models.PROTECT, related_name="saved_views"
    )
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=400)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["officer", "name"], name="view_name_once")
        ]

    def __str__(self) -> str:
        return f"view {self.name} #{self.pk}"

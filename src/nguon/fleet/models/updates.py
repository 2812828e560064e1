"""Releases of programs, and the rollouts that bring them to devices."""

from django.db import models
from django.db.models import F, Q

from nguon.core import updates
from nguon.core.topics import new_uid
from nguon.fleet import rollouts
from nguon.fleet.models.devices import Device, Media


def rollout_choices() -> list[tuple[str, str]]:
    """Return the states of a rollout with their Vietnamese names."""
    return list(rollouts.STATES.items())


def target_choices() -> list[tuple[str, str]]:
    """Return the states of a rollout's device with their Vietnamese names."""
    return list(rollouts.TARGETS.items())


class Release(models.Model):
    """A program for devices (bản phát hành): one person brings it, another approves.

    The approval is about the hash of the file; without one no device is told of it.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    kind = models.CharField(max_length=8)
    make = models.CharField(max_length=60)
    version = models.CharField(max_length=24)
    media = models.ForeignKey(Media, on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    notes = models.TextField(blank=True)
    uploaded_by = models.ForeignKey(
        "people.Officer", on_delete=models.PROTECT, related_name="+"
    )
    uploaded_at = models.DateTimeField()
    approved_by = models.ForeignKey(
        "people.Officer", null=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(null=True)
    approved_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "make", "version"], name="release_version_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=updates.KINDS), name="release_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    approved_by__isnull=True,
                    approved_at__isnull=True,
                    approved_sha256="",
                )
                | (
                    Q(approved_by__isnull=False, approved_at__isnull=False)
                    & Q(approved_sha256=F("sha256"))
                ),
                name="release_approved_about_its_hash",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True)
                | ~Q(approved_by=F("uploaded_by")),
                name="release_approved_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.make} {self.version} #{self.pk}"


class Rollout(models.Model):
    """One release on its way to devices, stage by stage (đợt cập nhật).

    `begins` and `ends` are minutes of the local day within which devices may change
    over; both empty means always. `stage` is the number of the one under way.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    release = models.ForeignKey(
        Release, on_delete=models.PROTECT, related_name="rollouts"
    )
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=8, choices=rollout_choices)
    cause = models.CharField(max_length=12, blank=True)
    stage = models.PositiveSmallIntegerField(default=1)
    begins = models.PositiveSmallIntegerField(null=True)
    ends = models.PositiveSmallIntegerField(null=True)
    made_by = models.ForeignKey(
        "people.Officer", on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField()
    moved_by = models.ForeignKey(
        "people.Officer", null=True, on_delete=models.PROTECT, related_name="+"
    )
    moved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(rollouts.STATES)), name="rollout_state_known"
            ),
            models.CheckConstraint(
                condition=Q(begins__isnull=True, ends__isnull=True)
                | Q(begins__lt=updates.DAY_MINUTES, ends__lt=updates.DAY_MINUTES),
                name="rollout_hours_in_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"rollout of release #{self.release_id}: {self.state} #{self.pk}"

    @property
    def state_name(self) -> str:
        """The state in Vietnamese."""
        return rollouts.STATES[self.state]

    @property
    def cause_words(self) -> str:
        """Why it waits, in Vietnamese."""
        return rollouts.PAUSES.get(self.cause, self.cause)

    @property
    def hours(self) -> tuple[int, int] | None:
        """The minutes of the day within which devices may change over."""
        if self.begins is None or self.ends is None:
            return None
        return self.begins, self.ends


class RolloutStage(models.Model):
    """One stage (chặng) of a rollout; the next begins when this one has passed."""

    rollout = models.ForeignKey(
        Rollout, on_delete=models.PROTECT, related_name="stages"
    )
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120)
    success = models.PositiveSmallIntegerField()
    error = models.PositiveSmallIntegerField()
    passed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rollout", "number"], name="stage_number_once"
            ),
            models.CheckConstraint(
                condition=Q(success__gte=1, success__lte=100, error__lte=100),
                name="stage_percentages",
            ),
        ]

    def __str__(self) -> str:
        return f"stage {self.number} of rollout #{self.rollout_id} #{self.pk}"


class RolloutTarget(models.Model):
    """One device in a rollout, and how far it is. `former` is what it ran before."""

    rollout = models.ForeignKey(
        Rollout, on_delete=models.PROTECT, related_name="targets"
    )
    stage = models.ForeignKey(
        RolloutStage, on_delete=models.PROTECT, related_name="targets"
    )
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="updates")
    state = models.CharField(
        max_length=12, choices=target_choices, default=rollouts.WAITING
    )
    cause = models.CharField(max_length=40, blank=True)
    document = models.CharField(max_length=12, blank=True)
    former = models.CharField(max_length=40, blank=True)
    told_at = models.DateTimeField(null=True)
    moved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rollout", "device"], name="target_once_per_rollout"
            ),
            models.UniqueConstraint(
                fields=["document"], condition=~Q(document=""), name="target_document"
            ),
            models.CheckConstraint(
                condition=Q(state__in=list(rollouts.TARGETS)),
                name="target_state_known",
            ),
        ]
        indexes = [models.Index(fields=["stage", "state"], name="target_by_stage")]

    def __str__(self) -> str:
        return f"device #{self.device_id} in rollout #{self.rollout_id}: {self.state}"

    @property
    def state_name(self) -> str:
        """The state in Vietnamese."""
        return rollouts.TARGETS[self.state]

    @property
    def cause_words(self) -> str:
        """Why it failed, in Vietnamese."""
        return rollouts.cause_words(self.cause)

"""Officers, their roles at a unit, deputies, absences and notices.

Only `people.actions` writes here. Rights are asked through `people.access`.
"""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q

AUTHOR, APPROVER = "author", "approver"
TECHNICIAN, VIEWER, ADMINISTRATOR = "technician", "viewer", "administrator"
ROLES = {
    AUTHOR: "Người soạn",
    APPROVER: "Người duyệt",
    TECHNICIAN: "Kỹ thuật",
    VIEWER: "Người xem",
    ADMINISTRATOR: "Quản trị",
}
# The channel that has a delivery for each receiver; the others have one.
PUSH = "push"


def role_choices() -> list[tuple[str, str]]:
    """Return the roles with their Vietnamese names."""
    return list(ROLES.items())


class OfficerManager(BaseUserManager["Officer"]):
    """Finds officers by the name they sign in with."""

    def get_by_natural_key(self, username: str | None) -> "Officer":
        """Return the officer of a user name, letters of any case."""
        return self.get(username__iexact=username)


class Officer(AbstractBaseUser):
    """A person (cán bộ) who may sign in.

    A superuser has every right but one: nobody approves what they wrote.
    """

    username = models.CharField(max_length=60, unique=True)
    full_name = models.CharField(max_length=120)
    folded = models.CharField(max_length=200, blank=True, db_index=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=20, blank=True)
    is_active = models.BooleanField(default=True)
    is_superuser = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    objects = OfficerManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"

    def __str__(self) -> str:
        return f"{self.full_name} #{self.pk}"

    def get_full_name(self) -> str:
        """Return the name people use."""
        return self.full_name

    @property
    def is_staff(self) -> bool:
        """Say nobody is staff: there is no Django admin here."""
        return False


class Role(models.Model):
    """What an officer may do at a unit and below it, `[valid_from, valid_to)`."""

    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="roles")
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="roles"
    )
    kind = models.CharField(max_length=13, choices=role_choices)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["officer", "unit", "kind"],
                condition=Q(valid_to__isnull=True),
                name="role_once_open",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
                name="role_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=list(ROLES)), name="role_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at unit #{self.unit_id} #{self.pk}"


class Past(models.Model):
    """A unit of today reads what happened on the ground of an old one (đất cũ).

    Written when units are rearranged; it gives no right to change anything.
    """

    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    old = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["unit", "old"], name="past_once"),
            models.CheckConstraint(condition=~Q(unit=F("old")), name="past_is_another"),
        ]

    def __str__(self) -> str:
        return f"past of unit #{self.unit_id} at unit #{self.old_id} #{self.pk}"


class Deputy(models.Model):
    """Somebody who holds another's role for a while, `[from_at, to_at)`."""

    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="deputies")
    officer = models.ForeignKey(
        Officer, on_delete=models.PROTECT, related_name="deputies"
    )
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(to_at__gt=F("from_at")), name="deputy_ends_after_it_begins"
            )
        ]

    def __str__(self) -> str:
        return f"deputy for role #{self.role_id} #{self.pk}"


class Absence(models.Model):
    """When an officer is away and should not be waited for."""

    officer = models.ForeignKey(
        Officer, on_delete=models.PROTECT, related_name="absences"
    )
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(to_at__gt=F("from_at")), name="absence_ends_after_it_begins"
            )
        ]

    def __str__(self) -> str:
        return f"absence of officer #{self.officer_id} #{self.pk}"


class Notice(models.Model):
    """Something an officer should know; shown on screen and carried by channels."""

    officer = models.ForeignKey(
        Officer, on_delete=models.PROTECT, related_name="notices"
    )
    subject = models.CharField(max_length=200)
    body = models.TextField()
    url = models.CharField(max_length=200, blank=True)
    urgent = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["officer", "read_at", "-created_at"])]

    def __str__(self) -> str:
        return f"notice #{self.pk} to officer #{self.officer_id}"


class Receiver(models.Model):
    """A browser (máy nhận báo) that shows an officer's notices, shut or open."""

    officer = models.ForeignKey(
        Officer, on_delete=models.PROTECT, related_name="receivers"
    )
    # Where the browser's maker takes messages: an address nobody can guess.
    endpoint = models.CharField(max_length=1000, unique=True)
    host = models.CharField(max_length=200)
    public_key = models.CharField(max_length=100)
    secret = models.CharField(max_length=40)
    label = models.CharField(max_length=60)
    created_at = models.DateTimeField()
    reached_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"receiver #{self.pk} of officer #{self.officer_id}"


class NoticeDelivery(models.Model):
    """One notice on its way through one channel; claimed with a lease."""

    notice = models.ForeignKey(
        Notice, on_delete=models.PROTECT, related_name="deliveries"
    )
    channel = models.CharField(max_length=20)
    receiver = models.ForeignKey(
        Receiver, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    # Set from the start for what waits whether the notice is read before.
    lease_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["notice", "channel"],
                condition=Q(receiver__isnull=True),
                name="delivery_once_per_channel",
            ),
            models.UniqueConstraint(
                fields=["notice", "receiver"], name="delivery_once_per_receiver"
            ),
            models.CheckConstraint(
                condition=Q(channel=PUSH, receiver__isnull=False)
                | (~Q(channel=PUSH) & Q(receiver__isnull=True)),
                name="delivery_push_has_receiver",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} delivery #{self.pk} of notice #{self.notice_id}"

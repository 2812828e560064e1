"""What leaves by other people's systems, to whom, at what cost, and what came of it.

Only `channels.actions` writes here. A delivery carries exactly the approved text: the
database refuses any other (`channels.apps`).
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from nguon.channels import rules
from nguon.core.topics import new_uid
from nguon.newsroom import channels as kinds


def address_kinds() -> list[tuple[str, str]]:
    """Return the kinds of addresses with their Vietnamese names."""
    return list(rules.ADDRESS_KINDS.items())


def state_choices() -> list[tuple[str, str]]:
    """Return the states of a delivery with their Vietnamese names."""
    return list(rules.STATES.items())


def channel_choices() -> list[tuple[str, str]]:
    """Return the channels with their Vietnamese names."""
    return list(kinds.KINDS.items())


class Contact(models.Model):
    """Somebody who wants to be told by message or mail: personal data.

    Kept with how they agreed, deleted when they ask.
    Source: law 91/2025/QH15 on personal data.
    """

    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    kind = models.CharField(max_length=5, choices=address_kinds)
    address = models.CharField(max_length=120)
    name = models.CharField(max_length=120)
    agreed = models.CharField(max_length=200)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    added_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "kind", "address"], name="contact_once_per_unit"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=list(rules.ADDRESS_KINDS)),
                name="contact_kind_known",
            ),
            models.CheckConstraint(condition=~Q(agreed=""), name="contact_has_agreed"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} contact #{self.pk} of unit #{self.unit_id}"


class Delivery(models.Model):
    """One approved text on its way to one address, or to an account's followers.

    `waiting → sent | failed | withdrawn`; claimed with a lease. The address itself is
    the contact's; here stays only what cannot be traced (`shown_address`).
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    broadcast = models.ForeignKey(
        "schedule.Broadcast", on_delete=models.PROTECT, related_name="deliveries"
    )
    channel = models.CharField(max_length=8, choices=channel_choices)
    account = models.CharField(max_length=40)
    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    to_contact = models.BooleanField()
    shown_address = models.CharField(max_length=120)
    text = models.TextField()
    parts = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=9, choices=state_choices, default=rules.WAITING)
    created_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    cost_dong = models.PositiveIntegerField(null=True, blank=True)
    reference = models.CharField(max_length=200, blank=True)
    cause = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["broadcast", "account", "contact"],
                condition=Q(contact__isnull=False),
                name="delivery_once_per_contact",
            ),
            models.UniqueConstraint(
                fields=["broadcast", "account"],
                condition=Q(to_contact=False),
                name="delivery_once_per_account",
            ),
            models.CheckConstraint(
                condition=Q(state__in=list(rules.STATES)),
                name="delivery_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state=rules.WAITING, ended_at__isnull=True)
                | ~Q(state=rules.WAITING) & Q(ended_at__isnull=False),
                name="delivery_ended_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(state=rules.FAILED) | ~Q(cause=""),
                name="delivery_failed_has_cause",
            ),
        ]
        indexes = [
            models.Index(
                fields=["lease_until", "id"],
                condition=Q(state="waiting"),
                name="delivery_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel} delivery {self.uid} #{self.pk}"


class Document(models.Model):
    """A line of a unit's register of non-commercial documents. Append-only."""

    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    year = models.PositiveSmallIntegerField()
    number = models.PositiveIntegerField()
    broadcast = models.OneToOneField(
        "schedule.Broadcast", on_delete=models.PROTECT, related_name="document"
    )
    abstract = models.CharField(max_length=500)
    registered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "year", "number"], name="document_register_number_once"
            )
        ]

    def __str__(self) -> str:
        return f"document {self.number}/{self.year} #{self.pk}"


class AccountToken(models.Model):
    """The pass that a provider renews: its own renewal key works only once."""

    account = models.CharField(max_length=40, unique=True)
    access = models.TextField()
    renewal = models.TextField()
    ends_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"token #{self.pk} of {self.account}"

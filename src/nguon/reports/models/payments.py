"""What was really paid (đã trả) for the pieces of a station's month."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from nguon.core.topics import new_uid
from nguon.people.withdrawing import Withdrawable, withdrawn_with_reason
from nguon.reports import rules


class Payment(Withdrawable):
    """Money that one person got for their pieces of a month, by one document; đồng.

    Never edited: a wrong one is withdrawn with a `reason`, and stays.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    month = models.DateField()
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    amount = models.PositiveBigIntegerField()
    paid_on = models.DateField()
    document = models.CharField(max_length=rules.MAX_DOCUMENT)
    folded_document = models.CharField(max_length=rules.MAX_DOCUMENT)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    entered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, amount__lte=rules.MOST_PAID),
                name="payment_amount_in_range",
            ),
            models.CheckConstraint(
                condition=Q(paid_on__gte=F("month")), name="payment_not_before_month"
            ),
            models.CheckConstraint(
                condition=~Q(folded_document=""), name="payment_has_document"
            ),
            models.UniqueConstraint(
                fields=["unit", "month", "person", "folded_document"],
                condition=Q(withdrawn_at__isnull=True),
                name="payment_once_by_document",
            ),
            withdrawn_with_reason("payment_withdrawn_with_reason"),
        ]
        indexes = [models.Index(fields=["unit", "month"])]

    def __str__(self) -> str:
        return f"payment {self.uid} #{self.pk}"

"""The outbox as its carrier sees it: what waits, what went, what came too late.

A message is marked after it was handed to the bus, so a carrier that dies in between
leaves it to be carried twice, never not at all; devices count every document once.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import F

from nguon.fleet.actions.documents import SEGMENT_LIFE
from nguon.fleet.models import OutboxMessage

KEEP = timedelta(days=7)


def list_outbox(
    *, at: datetime, without: Collection[int] = (), limit: int = 500
) -> list[OutboxMessage]:
    """Return the messages that wait, in the order they were left."""
    waiting = OutboxMessage.objects.filter(
        sent_at__isnull=True, expired_at__isnull=True, not_after__gt=at
    )
    if without:
        waiting = waiting.exclude(pk__in=without)
    return list(waiting.order_by("pk")[:limit])


def mark_sent(*, keys: Collection[int], at: datetime) -> int:
    """Note that messages went; return how many nobody else had noted before."""
    waiting = OutboxMessage.objects.filter(pk__in=keys, sent_at__isnull=True)
    return waiting.filter(expired_at__isnull=True).update(sent_at=at)


def expire_outbox(*, at: datetime) -> int:
    """Give up the messages that are past their time; return how many."""
    late = OutboxMessage.objects.filter(
        sent_at__isnull=True, expired_at__isnull=True, not_after__lte=at
    )
    return late.update(expired_at=at)


def forget_outbox(*, at: datetime) -> int:
    """Drop messages that went long ago; the documents themselves stay."""
    gone, _tables = OutboxMessage.objects.filter(created_at__lt=at - KEEP).delete()
    return gone


def forget_segments(*, at: datetime) -> int:
    """Drop live speech whose time is past: nothing of it is kept."""
    past = OutboxMessage.objects.filter(
        not_after__lt=at, not_after__lte=F("created_at") + SEGMENT_LIFE
    )
    gone, _tables = past.delete()
    return gone

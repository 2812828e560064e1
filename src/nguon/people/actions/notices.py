"""Tells officers things: on screen at once, by other channels soon after."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from nguon.people.channels import CHANNELS, AddressRefusedError
from nguon.people.models import Notice, NoticeDelivery, Officer

logger = logging.getLogger(__name__)

# The n-th try is followed by a pause of 2ⁿ minutes: the last one after four hours.
LEASE = timedelta(minutes=2)
MAX_TRIES = 8
CLOSED_PAUSE = timedelta(minutes=1)


def notify(
    *,
    officers: Iterable[Officer],
    subject: str,
    body: str,
    url: str,
    urgent: bool = False,
    at: datetime,
    once_in: timedelta = timedelta(0),
) -> list[Notice]:
    """Tell officers something: on screen now, by the channels that reach them soon.

    `urgent` also sends a text message at once, and rings who has not read it by then.
    Who has the very same notice of the last `once_in` still unread is not told again.
    Call it inside the transaction of the change that it speaks of.
    """
    line = " ".join(subject.split())[:200]
    if once_in:
        unread = Notice.objects.filter(
            subject=line, body=body, read_at=None, created_at__gt=at - once_in
        )
        told = set(unread.values_list("officer", flat=True))
        officers = [officer for officer in officers if officer.pk not in told]
    notices = Notice.objects.bulk_create(
        Notice(
            officer=officer,
            subject=line,
            body=body,
            url=url,
            urgent=urgent,
            created_at=at,
        )
        for officer in {officer.pk: officer for officer in officers}.values()
    )
    NoticeDelivery.objects.bulk_create(
        NoticeDelivery(
            notice=notice,
            channel=channel.name,
            lease_until=at + channel.after if channel.after else None,
        )
        for notice in notices
        for channel in CHANNELS
        if channel.reaches(notice.officer, urgent=urgent)
    )
    return notices


def mark_read(*, officer: Officer, at: datetime) -> int:
    """Mark an officer's notices as read; return how many."""
    unread = Notice.objects.filter(officer=officer, read_at__isnull=True)
    return unread.update(read_at=at)


def deliver_notices(*, at: datetime, limit: int = 50) -> int:
    """Carry notices that wait; return how many left.

    1. Claim one: a lease, and a try counted, so that nothing is tried for ever.
    2. Carry it. A channel that is closed rests for a minute, all of it: a dead mail
       server must not hold up whoever calls this. One address refused rests alone.
    3. Write down that it left.

    A worker killed in between leaves a lease that ends, and the next one goes on:
    a mail may then come twice, but never not at all.
    """
    channels = {channel.name: channel for channel in CHANNELS}
    sent = 0
    # Nobody is rung about what they have read.
    read = _waiting(at).filter(notice__read_at__isnull=False)
    read.filter(channel__in=[c.name for c in CHANNELS if c.after]).delete()
    for key in list(_waiting(at).order_by("pk").values_list("pk", flat=True)[:limit]):
        if (
            _waiting(at)
            .filter(pk=key)
            .update(lease_until=at + LEASE, tries=F("tries") + 1)
            != 1
        ):
            continue
        delivery = NoticeDelivery.objects.select_related("notice__officer").get(pk=key)
        row = NoticeDelivery.objects.filter(pk=key)
        if delivery.tries > MAX_TRIES:
            logger.error("notice delivery %s: given up", key)
            row.update(failed_at=at)
            continue
        row.update(lease_until=at + LEASE * 2 ** (delivery.tries - 1))
        try:
            channels[delivery.channel].send(delivery.notice)
        except AddressRefusedError:
            logger.exception("notice delivery %s: refused", key)
            continue
        except OSError:
            logger.exception("channel %s is closed", delivery.channel)
            row.update(tries=delivery.tries - 1)
            held = _waiting(at) | NoticeDelivery.objects.filter(pk=key)
            held.filter(channel=delivery.channel).update(lease_until=at + CLOSED_PAUSE)
            continue
        row.update(sent_at=at)
        sent += 1
    return sent


def _waiting(at: datetime) -> QuerySet[NoticeDelivery]:
    """Return what still has to leave and no worker holds."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=at)
    return NoticeDelivery.objects.filter(
        free, sent_at__isnull=True, failed_at__isnull=True
    )

"""Tells officers things: on screen at once, by other channels soon after."""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from nguon.people.actions.receivers import forget_gone, note_reached
from nguon.people.channels import CHANNELS, AddressRefusedError
from nguon.people.models import PUSH, Notice, NoticeDelivery, Officer, Receiver
from nguon.providers.push import GoneError

logger = logging.getLogger(__name__)

# The n-th try is followed by a pause of 2ⁿ minutes: the last one after four hours.
LEASE = timedelta(minutes=2)
MAX_TRIES = 8
CLOSED_PAUSE = timedelta(minutes=1)
EVERY_CHANNEL = tuple(channel.name for channel in CHANNELS)
# Pushes have a turn of their own: a slow maker never keeps a text message waiting.
PUSHES, OTHER_CHANNELS = (PUSH,), tuple(set(EVERY_CHANNEL) - {PUSH})


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
    The subject stands on locked screens: it names no person; the body may.
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
    receivers = defaultdict(list)
    concerned = [notice.officer_id for notice in notices]
    for receiver in Receiver.objects.filter(officer__in=concerned):
        receivers[receiver.officer_id].append(receiver)
    NoticeDelivery.objects.bulk_create(
        NoticeDelivery(
            notice=notice,
            channel=channel.name,
            receiver=way,
            lease_until=at + channel.after if channel.after else None,
        )
        for notice in notices
        for channel in CHANNELS
        for way in channel.ways(
            notice.officer, receivers=receivers[notice.officer_id], urgent=urgent
        )
    )
    return notices


def mark_read(*, officer: Officer, at: datetime) -> int:
    """Mark what an officer was told until now as read; return how many."""
    unread = Notice.objects.filter(
        officer=officer, read_at__isnull=True, created_at__lte=at
    )
    return unread.update(read_at=at)


def deliver_notices(
    *, at: datetime, limit: int = 50, only: Collection[str] = EVERY_CHANNEL
) -> int:
    """Carry notices that wait, by some channels or all; return how many left.

    1. Claim one: a lease, and a try counted, so that nothing is tried for ever.
    2. Carry it. A channel that is closed rests for a minute, all of it: a dead mail
       server must not hold up whoever calls this. One address refused rests alone.
    3. Write down that it left.

    A worker killed in between leaves a lease that ends, and the next one goes on:
    a mail may then come twice, but never not at all.
    """
    sent = 0
    # Nobody is rung about what they have read, and no locked screen repeats it.
    read = _waiting(at).filter(notice__read_at__isnull=False)
    read.filter(channel__in=[c.name for c in CHANNELS if c.only_unread]).delete()
    waiting = _waiting(at).filter(channel__in=only).order_by("pk")
    for key in list(waiting.values_list("pk", flat=True)[:limit]):
        if (
            _waiting(at)
            .filter(pk=key)
            .update(lease_until=at + LEASE, tries=F("tries") + 1)
            != 1
        ):
            continue
        rows = NoticeDelivery.objects.select_related("notice__officer", "receiver")
        delivery = rows.get(pk=key)
        row = NoticeDelivery.objects.filter(pk=key)
        if delivery.tries > MAX_TRIES:
            logger.error("notice delivery %s: given up", key)
            row.update(failed_at=at)
            continue
        row.update(lease_until=at + LEASE * 2 ** (delivery.tries - 1))
        if _carry(delivery, at=at):
            row.update(sent_at=at)
            sent += 1
    return sent


def _carry(delivery: NoticeDelivery, *, at: datetime) -> bool:
    """Say whether one notice left; if not, everything is set for what comes next."""
    channel = next(one for one in CHANNELS if one.name == delivery.channel)
    receiver = delivery.receiver
    try:
        channel.send(delivery, at=at)
    except AddressRefusedError:
        logger.exception("notice delivery %s: refused", delivery.pk)
        return False
    except OSError:
        logger.exception("channel %s is closed", delivery.channel)
        _rest(delivery, at=at)
        return False
    except GoneError:
        if receiver is not None:
            _tell_gone(receiver, at=at)
        return False
    if receiver is not None:
        note_reached(receiver, at=at)
    return True


@transaction.atomic
def _tell_gone(receiver: Receiver, *, at: datetime) -> None:
    """Drop a browser that is no more, and tell its officer while others still reach."""
    forget_gone(receiver=receiver, at=at)
    notify(
        officers=[receiver.officer],
        subject=f"{receiver.label} không còn nhận báo",
        body="Trình duyệt đã tắt báo hoặc bị gỡ. Hãy mở trang này trên máy đó và bật.",
        url="/tai-khoan/bao/",
        at=at,
    )


def _rest(delivery: NoticeDelivery, *, at: datetime) -> None:
    """Let a closed channel rest; of pushes, those through the same maker's server."""
    row = NoticeDelivery.objects.filter(pk=delivery.pk)
    row.update(tries=delivery.tries - 1)
    held = (_waiting(at) | row).filter(channel=delivery.channel)
    if delivery.receiver is not None:
        held = held.filter(receiver__host=delivery.receiver.host)
    held.update(lease_until=at + CLOSED_PAUSE)


def _waiting(at: datetime) -> QuerySet[NoticeDelivery]:
    """Return what still has to leave and no worker holds."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=at)
    return NoticeDelivery.objects.filter(
        free, sent_at__isnull=True, failed_at__isnull=True
    )

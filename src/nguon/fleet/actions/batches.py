"""Commands for many devices: queued at once, signed and sent a few at a time.

Queueing ten thousand is one insert, so that no page waits for signatures; the worker
signs at a pace that the bus does not feel. What became of each follows from the
events that devices tell.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from nguon.audit import actions as audit
from nguon.core.errors import AbsentError, ConflictError, InvalidError
from nguon.fleet import access, commands, repairs
from nguon.fleet.actions.bulk import create_rows, update_rows
from nguon.fleet.actions.documents import push_commands, sign_settings
from nguon.fleet.models import (
    ACTIVE,
    Batch,
    Command,
    Device,
    DeviceEvent,
    DeviceLog,
)
from nguon.people.models import Officer

# Signed and handed to the bus in one turn of the worker, once a second.
PACE = 400
_ANSWERS = ("received", "obeyed", "declined", "refused")


@transaction.atomic
def send_batch(
    *,
    devices: QuerySet[Device],
    verb: str,
    args: Mapping[str, Any],
    chosen: str,
    expected: int,
    by: Officer,
    at: datetime,
) -> Batch:
    """Queue a command for all these devices that the officer looks after.

    `expected` is the number that was shown before sending. Raises InvalidError (see
    `commands.check_args`, `check_size`; `fleet.quiet_now` for a test at night) and
    ConflictError `fleet.batch_changed` when there are now more or fewer.
    """
    args = commands.check_args(verb, args)
    if verb == commands.TEST and repairs.is_quiet(settings.QUIET_HOURS, at=at):
        raise InvalidError("fleet.quiet_now", hours=settings.QUIET_HOURS)
    kept = access.fence_kept(by, at=at).filter(
        state=ACTIVE, pk__in=devices.values("pk")
    )
    keys = list(kept.order_by("pk").values_list("pk", flat=True))
    commands.check_size(verb, len(keys))
    if len(keys) != expected:
        raise ConflictError("fleet.batch_changed", count=len(keys))
    batch = Batch.objects.create(
        verb=verb,
        args=args,
        chosen=" ".join(chosen.split())[:300],
        size=len(keys),
        made_by=by,
        made_at=at,
        not_after=at + commands.BATCH_LIFE,
    )
    create_rows(
        [
            Command(
                device_id=key,
                batch=batch,
                verb=verb,
                args=args,
                state=commands.QUEUED,
                made_by=by,
                made_at=at,
            )
            for key in keys
        ]
    )
    data = {"verb": verb, "args": args, "size": batch.size}
    audit.record("fleet.batch.sent", target=batch, by=by, at=at, data=data)
    return batch


@transaction.atomic
def cancel_batch(*, batch_id: int, by: Officer, at: datetime) -> Batch:
    """Send no more of a batch; what went already cannot be taken back.

    Raises ConflictError `fleet.batch_over`, AbsentError off one's ground.
    """
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    mine = access.fence_kept(by, at=at)
    waiting = batch.commands.filter(state=commands.QUEUED, device__in=mine)
    count = _end(waiting, commands.EXPIRED, "cancelled", at)
    if not count:
        raise ConflictError("fleet.batch_over")
    if batch.cancelled_at is None:
        batch.cancelled_by, batch.cancelled_at = by, at
        batch.save(update_fields=["cancelled_by", "cancelled_at"])
    audit.record(
        "fleet.batch.cancelled", target=batch, by=by, at=at, data={"commands": count}
    )
    return batch


def send_queued(*, at: datetime, limit: int = PACE) -> int:
    """Sign and send the next commands that wait; return how many went.

    1. End what waited too long, or for a device that is not used any more.
    2. Take the next whose devices are connected; a test waits while it is quiet.
    3. One conditional update claims them: another worker then takes none of these.

    A volume becomes the device's setting too, so that who is away gets it by pull.
    """
    queued = Command.objects.filter(state=commands.QUEUED)
    if not queued.exists():
        return 0
    _end(queued.exclude(device__state=ACTIVE), commands.REFUSED, "not_active", at)
    _end(queued.filter(batch__not_after__lte=at), commands.EXPIRED, "offline", at)
    ready = queued.filter(device__connected=True, device__state=ACTIVE)
    if repairs.is_quiet(settings.QUIET_HOURS, at=at):
        ready = ready.exclude(verb=commands.TEST)
    related = ("device__unit", "made_by")
    with transaction.atomic():
        rows = list(ready.select_related(*related).order_by("pk")[:limit])
        mine = queued.filter(pk__in=[row.pk for row in rows])
        if mine.update(state=commands.SENT) != len(rows):
            transaction.set_rollback(True)
            return 0
        _set_volumes([row for row in rows if row.verb == commands.VOLUME], at)
        push_commands(rows, at=at)
        update_rows(rows, ["state", "document", "sent_at"])
    return len(rows)


def _set_volumes(rows: Sequence[Command], at: datetime) -> None:
    """Make a volume the setting of its devices, before it is pushed as a command."""
    by_maker: dict[int, list[Command]] = {}
    for row in rows:
        row.device.volume = row.args["volume"]
        by_maker.setdefault(row.made_by_id or 0, []).append(row)
    update_rows([row.device for row in rows], ["volume"])
    for some in by_maker.values():
        sign_settings([row.device for row in some], by=some[0].made_by, at=at)


def settle_commands(*, at: datetime, late: bool = False) -> int:
    """Take what devices told about their commands; return how many moved.

    `late` looks at what had run out within the last day instead: a device that was
    away tells afterwards what it had done.
    """
    rows = Command.objects.exclude(document="")
    if late:
        since = at - commands.LATE
        rows = rows.filter(state=commands.EXPIRED, ended_at__gt=since)
    else:
        rows = rows.filter(state__in=commands.OPEN)
    moved = 0
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(keys), 500):
        moved += _settle(keys[start : start + 500], at)
    return moved


def _settle(keys: Sequence[int], at: datetime) -> int:
    """Move some commands by their events, and end those whose time is over."""
    rows = {row.document: row for row in Command.objects.filter(pk__in=keys)}
    told = DeviceEvent.objects.filter(document__in=rows, type__in=_ANSWERS)
    before = {row.pk: row.state for row in rows.values()}
    for event in told.order_by("at", "pk"):
        row = rows[event.document]
        if event.device_id == row.device_id:
            _take(row, event, at)
    for row in rows.values():
        over = row.sent_at and row.sent_at + commands.answer_time(row.verb) <= at
        if over and row.state in commands.OPEN:
            row.state, row.cause, row.ended_at = commands.EXPIRED, "silent", at
    changed = [row for row in rows.values() if row.state != before[row.pk]]
    update_rows(changed, ["state", "cause", "received_at", "ended_at"])
    return len(changed)


def _take(row: Command, event: DeviceEvent, at: datetime) -> None:
    """Move a command by one event about it."""
    after = commands.state_after(row.state, event.type)
    if after == row.state:
        return
    row.state, row.cause = after, ""
    if after == commands.RECEIVED:
        row.received_at = event.at
        return
    row.ended_at = at
    if after == commands.REFUSED:
        row.cause = str(event.data.get("cause", ""))[:40]


def _end(rows: QuerySet[Command], state: str, cause: str, at: datetime) -> int:
    keys = list(rows.values_list("pk", flat=True))
    count = 0
    for start in range(0, len(keys), 500):
        mine = Command.objects.filter(
            pk__in=keys[start : start + 500], state=commands.QUEUED
        )
        count += mine.update(state=state, cause=cause, ended_at=at)
    return count


@transaction.atomic
def store_log(*, device_id: int, document: str, text: str, at: datetime) -> DeviceLog:
    """Keep the log that a device was asked for; sent twice, it is kept once.

    Raises AbsentError `fleet.log_unasked`, InvalidError `fleet.body_too_large`.
    """
    if len(text.encode("utf-8", errors="replace")) > commands.MAX_LOG_BYTES:
        raise InvalidError("fleet.body_too_large", limit=commands.MAX_LOG_BYTES)
    asked = Command.objects.filter(
        device_id=device_id,
        document=document,
        verb=commands.LOGS,
        sent_at__gt=at - commands.answer_time(commands.LOGS),
    ).first()
    if asked is None or not document:
        raise AbsentError("fleet.log_unasked")
    kept, _fresh = DeviceLog.objects.get_or_create(
        command=asked,
        defaults={
            "device_id": device_id,
            "text": text.replace("\0", "�"),
            "stored_at": at,
        },
    )
    return kept


def forget_logs(*, at: datetime) -> int:
    """Drop the logs whose days are over; return how many."""
    gone, _tables = DeviceLog.objects.filter(
        stored_at__lt=at - commands.KEEP_LOGS
    ).delete()
    return gone

"""The rehearsal after a repair: opened, asked for, agreed or ended by a person.

From the beginning of a repair the speaker's signed settings name its rehearsal, and
nothing below a real emergency sounds. When the work is done it is asked for its next
day; whoever compares (the schedule) settles it here. A device that cannot answer is a
fault that its technicians see, and one of them may end the rehearsal with a reason.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from nguon.audit import actions as audit
from nguon.core.errors import ConflictError, InvalidError
from nguon.fleet import access, repairs
from nguon.fleet.actions.documents import push_command, sign_settings
from nguon.fleet.models import (
    ACTIVE,
    SETTINGS,
    SPEAKER,
    Device,
    DeviceEvent,
    Health,
    Rehearsal,
    SignedDocument,
    WorkOrder,
)
from nguon.people.models import Officer


def open_rehearsal(*, order: WorkOrder, by: Officer, at: datetime) -> None:
    """Take a speaker out of regular service while it is repaired.

    Call inside the transaction that begins the repair. A board sounds nothing.
    """
    device = order.device
    if device.kind != SPEAKER or device.state != ACTIVE:
        return
    waiting = Rehearsal.objects.filter(device=device, ended_at__isnull=True)
    again = waiting.update(
        order=order, state=repairs.AWAITED, asked_at=None, last_asked_at=None, asks=0
    )
    if not again:
        Rehearsal.objects.create(device=device, order=order, opened_at=at)
    _due(device, None, at)
    sign_settings([device], by=by, at=at)


def ask_rehearsal(*, device: Device, by: Officer, at: datetime) -> None:
    """Ask a repaired speaker for its next day, if it has a rehearsal to pass.

    Call inside the transaction that ends the repair. New settings make also a device
    tell again that no command reaches.
    """
    waiting = Rehearsal.objects.filter(device=device, ended_at__isnull=True)
    asked = waiting.update(
        state=repairs.AWAITED, asked_at=at, last_asked_at=at, asks=1, found={}
    )
    if not asked:
        return
    _due(device, at + repairs.REHEARSAL_DUE, at)
    sign_settings([device], by=by, at=at)
    _push(waiting.get(), by=by, at=at)


@transaction.atomic
def repeat_rehearsal(*, device_id: int, by: Officer, at: datetime) -> None:
    """Ask once more because a person wants it.

    Raises ConflictError `fleet.rehearsal_over` or `fleet.rehearsal_unasked`.
    """
    row = _lock(device_id, by=by, at=at)
    if row.asked_at is None:
        raise ConflictError("fleet.rehearsal_unasked")
    ask_rehearsal(device=row.device, by=by, at=at)
    audit.record("fleet.rehearsal.repeated", target=row, by=by, at=at)


def send_rehearsals(*, at: datetime) -> int:
    """Ask those again that are connected and have not agreed; return how many."""
    rested = Q(last_asked_at__lte=at - repairs.REHEARSE_EVERY)
    waiting = Rehearsal.objects.filter(
        rested,
        ended_at__isnull=True,
        asks__lt=repairs.MAX_REHEARSALS,
        device__connected=True,
        device__state=ACTIVE,
    )
    sent = 0
    for row in waiting.select_related("device").order_by("pk")[:100]:
        mine = Rehearsal.objects.filter(rested, pk=row.pk, ended_at__isnull=True)
        with transaction.atomic():
            if mine.update(last_asked_at=at, asks=row.asks + 1) == 1:
                _push(row, by=None, at=at)
                sent += 1
    return sent


@transaction.atomic
def settle_rehearsal(
    *,
    rehearsal_id: int,
    event: DeviceEvent,
    agreed: bool,
    found: Mapping[str, Any],
    at: datetime,
) -> bool:
    """Write down what came of an answer; agreement puts the device into service.

    Return False when the rehearsal was over or begun anew in between.
    """
    mine = Rehearsal.objects.filter(
        pk=rehearsal_id,
        ended_at__isnull=True,
        asked_at__lte=event.stored_at,
        device_id=event.device_id,
    )
    state = repairs.AGREED if agreed else repairs.DIFFERS
    ended = at if agreed else None
    if not mine.update(event=event, state=state, found=dict(found), ended_at=ended):
        return False
    row = Rehearsal.objects.select_related("device__unit").get(pk=rehearsal_id)
    _due(row.device, None if agreed else at, at)
    if agreed:
        sign_settings([row.device], by=None, at=at)
        audit.record("fleet.rehearsal.agreed", target=row, by=None, at=at)
    return True


@transaction.atomic
def lift_rehearsal(
    *, device_id: int, reason: str, by: Officer, at: datetime
) -> Rehearsal:
    """Put a device into service though it has not agreed, with the reason.

    Raises InvalidError `fleet.rehearsal_reason`, ConflictError
    `fleet.rehearsal_over`, and what `check_keeper` raises.
    """
    row = _lock(device_id, by=by, at=at)
    words = " ".join(reason.split())
    if not 0 < len(words) <= 500:
        raise InvalidError("fleet.rehearsal_reason")
    row.state, row.ended_at, row.ended_by = repairs.LIFTED, at, by
    row.reason = words
    row.save(update_fields=["state", "ended_at", "ended_by", "reason"])
    _due(row.device, None, at)
    sign_settings([row.device], by=by, at=at)
    audit.record(
        "fleet.rehearsal.lifted", target=row, by=by, at=at, data={"reason": words}
    )
    return row


def _lock(device_id: int, *, by: Officer, at: datetime) -> Rehearsal:
    rows = Rehearsal.objects.select_for_update(of=("self",))
    rows = rows.select_related("device__unit")
    row = rows.filter(device_id=device_id, ended_at__isnull=True).first()
    if row is None:
        raise ConflictError("fleet.rehearsal_over")
    access.check_keeper(by, unit=row.device.unit, at=at)
    return row


def _due(device: Device, moment: datetime | None, at: datetime) -> None:
    """Say from when on the open rehearsal is a fault, and have the rules look."""
    Health.objects.filter(pk=device.pk).update(rehearsal_due=moment, look_at=at)


def _push(row: Rehearsal, *, by: Officer | None, at: datetime) -> None:
    """Ask by a command; it names the settings from which on these decide."""
    settings = SignedDocument.objects.get(
        kind=SETTINGS, device_id=row.device_id, superseded_at__isnull=True
    )
    args = {"rehearsal": row.uid, "settings": settings.seq}
    push_command(device=row.device, verb="rehearse", args=args, by=by, at=at)

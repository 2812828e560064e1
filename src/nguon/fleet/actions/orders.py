"""Repairs: opened, done by a person, and ended by the device's own proof of sound.

What people report at the foot of the pole is kept here too. A device under repair
counts as such until it has been heard again, whatever anybody says.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse

from nguon.audit import actions as audit
from nguon.core.errors import AbsentError, ConflictError, InvalidError
from nguon.fleet import access, health, photos, repairs
from nguon.fleet.actions.documents import push_command
from nguon.fleet.actions.media import store_media
from nguon.fleet.actions.rehearsals import ask_rehearsal, open_rehearsal
from nguon.fleet.models import (
    ACTIVE,
    Device,
    DeviceReport,
    Fault,
    Health,
    Rehearsal,
    SignalChange,
    WorkOrder,
    WorkPhoto,
)
from nguon.people import access as rights
from nguon.people import actions as people
from nguon.people import queries as officers
from nguon.people.models import TECHNICIAN, Officer

QUIET_VOLUME = 25
# Several people report the same silence: technicians are called once in this time.
REPORT_PAUSE = timedelta(hours=1)
KEEP_CONTACT = timedelta(days=365)


@transaction.atomic
def open_order(
    *,
    device_id: int,
    task: str,
    by: Officer,
    at: datetime,
    assigned: Officer | None = None,
) -> WorkOrder:
    """Open a repair of a device; it takes up its open fault and open reports.

    Raises InvalidError (`fleet.order_task`, `fleet.order_assigned`), ConflictError
    (`fleet.device_not_active`, `fleet.order_open`), what `check_keeper` raises.
    """
    device = _lock_device(device_id, by=by, at=at)
    if device.state != ACTIVE:
        raise ConflictError("fleet.device_not_active")
    words = " ".join(task.split())
    if not 0 < len(words) <= 500:
        raise InvalidError("fleet.order_task")
    if WorkOrder.objects.filter(device=device, state__in=repairs.UNFINISHED).exists():
        raise ConflictError("fleet.order_open")
    _check_assigned(assigned, device, at=at)
    paper = getattr(device, "registration", None)
    hours = paper.repair_hours if paper else None
    fault = Fault.objects.filter(device=device, closed_at__isnull=True)
    order = WorkOrder.objects.create(
        device=device,
        unit=device.unit,
        fault=fault.order_by("opened_at", "pk").first(),
        task=words,
        assigned=assigned,
        opened_by=by,
        opened_at=at,
        due_at=at + timedelta(hours=hours) if hours else None,
    )
    DeviceReport.objects.filter(
        device=device, order__isnull=True, closed_at__isnull=True
    ).update(order=order)
    if assigned is not None and assigned.pk != by.pk:
        _tell([assigned], f"Phiếu sửa: {device.name}", words, order, at)
    audit.record("fleet.order.opened", target=order, by=by, at=at)
    return order


@transaction.atomic
def assign_order(
    *, order_id: int, assigned: Officer, by: Officer, at: datetime
) -> WorkOrder:
    """Give a repair to somebody. Raises InvalidError `fleet.order_assigned`."""
    order = _lock_order(order_id, by=by, at=at)
    if order.state not in repairs.UNFINISHED:
        raise ConflictError("fleet.order_over")
    _check_assigned(assigned, order.device, at=at)
    order.assigned = assigned
    order.save(update_fields=["assigned"])
    if assigned.pk != by.pk:
        _tell([assigned], f"Phiếu sửa: {order.device.name}", order.task, order, at)
    audit.record("fleet.order.assigned", target=order, by=by, at=at)
    return order


@transaction.atomic
def start_order(*, order_id: int, by: Officer, at: datetime) -> WorkOrder:
    """Begin a repair, or take it up again: the device is in repair from now on.

    Raises ConflictError `fleet.order_move` or `fleet.health_move`.
    """
    order = _lock_order(order_id, by=by, at=at)
    repairs.check_move(old=order.state, new=repairs.DOING)
    order.state = repairs.DOING
    order.started_at = order.started_at or at
    order.assigned = order.assigned or by
    order.tests, order.tested_at = 0, None
    order.save(update_fields=["state", "started_at", "assigned", "tests", "tested_at"])
    row = Health.objects.select_for_update().get(pk=order.device_id)
    if row.state not in {health.IN_REPAIR, health.NEW}:
        health.check_move(old=row.state, new=health.IN_REPAIR)
        _move(row, health.IN_REPAIR, at)
    Health.objects.filter(pk=row.pk).update(proof_after=None)
    open_rehearsal(order=order, by=by, at=at)
    audit.record("fleet.order.started", target=order, by=by, at=at)
    return order


@transaction.atomic
def finish_order(
    *,
    order_id: int,
    causes: Sequence[str],
    parts: str,
    cost: int,
    notes: str,
    by: Officer,
    at: datetime,
) -> WorkOrder:
    """End the work; the device must now prove itself: a quiet test, its rehearsal.

    Raises InvalidError (see `repairs.check_done`) or ConflictError `fleet.order_move`.
    """
    order = _lock_order(order_id, by=by, at=at)
    repairs.check_move(old=order.state, new=repairs.DONE)
    repairs.check_done(causes=list(causes), parts=parts, cost=cost, notes=notes)
    order.state, order.done_by, order.done_at = repairs.DONE, by, at
    order.causes, order.parts, order.cost = list(dict.fromkeys(causes)), parts, cost
    order.notes = notes
    order.save(
        update_fields=[
            "state", "done_by", "done_at", "causes", "parts", "cost", "notes",
        ]
    )  # fmt: skip
    Health.objects.filter(pk=order.device_id).update(proof_after=at, look_at=at)
    audit.record(
        "fleet.order.done", target=order, by=by, at=at, data={"causes": order.causes}
    )
    ask_rehearsal(device=order.device, by=by, at=at)
    send_quiet_tests(at=at, order_id=order.pk)
    order.refresh_from_db()
    return order


@transaction.atomic
def drop_order(*, order_id: int, reason: str, by: Officer, at: datetime) -> WorkOrder:
    """Give a repair up, with the reason. Raises InvalidError `fleet.order_reason`."""
    order = _lock_order(order_id, by=by, at=at)
    repairs.check_move(old=order.state, new=repairs.DROPPED)
    words = " ".join(reason.split())
    if not 0 < len(words) <= repairs.MAX_NOTE:
        raise InvalidError("fleet.order_reason")
    order.state, order.ended_at, order.notes = repairs.DROPPED, at, words
    order.save(update_fields=["state", "ended_at", "notes"])
    # What was in repair is judged by what is known of it, as if proof were asked now.
    row = Health.objects.select_for_update().get(pk=order.device_id)
    if row.state == health.IN_REPAIR:
        _move(row, health.SILENT, at)
    _close_reports(order, by, at)
    ask_rehearsal(device=order.device, by=by, at=at)
    audit.record("fleet.order.dropped", target=order, by=by, at=at)
    return order


def add_photo(*, order_id: int, data: bytes, by: Officer, at: datetime) -> WorkPhoto:
    """Keep a photo of a repair, made anew without its place.

    Raises InvalidError (`fleet.photo_…`, `fleet.photos_many`).
    """
    clean = photos.make_clean(data)
    with transaction.atomic():
        order = _lock_order(order_id, by=by, at=at)
        if order.photos.count() >= repairs.MAX_PHOTOS:
            raise InvalidError("fleet.photos_many", limit=repairs.MAX_PHOTOS)
        media = store_media(data=clean, mime=photos.MIME, duration_ms=0, at=at)
        photo, _fresh = WorkPhoto.objects.get_or_create(
            order=order, media=media, defaults={"by": by, "at": at}
        )
        audit.record("fleet.order.photo_added", target=order, by=by, at=at)
    return photo


# --- the device's own word ---------------------------------------------------------


def send_quiet_tests(*, at: datetime, order_id: int = 0) -> int:
    """Ask repaired devices that are connected for a quiet tone; return how many.

    Never in quiet hours, at most `MAX_TESTS` times, ten minutes apart. A device that
    has nobody's stop on it answers with a proof of sound.
    """
    if repairs.is_quiet(settings.QUIET_HOURS, at=at):
        return 0
    rested = Q(tested_at__isnull=True) | Q(tested_at__lte=at - repairs.TEST_EVERY)
    waiting = WorkOrder.objects.filter(
        rested,
        state=repairs.DONE,
        tests__lt=repairs.MAX_TESTS,
        device__connected=True,
        device__state=ACTIVE,
    )
    if order_id:
        waiting = waiting.filter(pk=order_id)
    sent = 0
    for order in waiting.select_related("device").order_by("pk")[:100]:
        mine = WorkOrder.objects.filter(rested, pk=order.pk, state=repairs.DONE)
        with transaction.atomic():
            if mine.update(tested_at=at, tests=F("tests") + 1) != 1:
                continue
            args = {"volume": QUIET_VOLUME}
            push_command(device=order.device, verb="test", args=args, by=None, at=at)
            sent += 1
    return sent


def verify_orders(*, at: datetime) -> int:
    """End the repairs whose devices have proven themselves; return how many.

    They have sounded since, and have no rehearsal left to pass.
    """
    proven = Q(pk__in=[])
    for name in ("decoded_at", "amplified_at", "measured_at"):
        proven |= Q(**{f"device__health__{name}__gt": F("done_at")})
    open_ones = Rehearsal.objects.filter(
        device=OuterRef("device"), ended_at__isnull=True
    )
    waiting = WorkOrder.objects.filter(proven, ~Exists(open_ones), state=repairs.DONE)
    orders = list(waiting.select_related("device").order_by("pk")[:500])
    for order in orders:
        mine = WorkOrder.objects.filter(pk=order.pk, state=repairs.DONE)
        with transaction.atomic():
            if mine.update(state=repairs.VERIFIED, ended_at=at) != 1:
                continue
            _close_reports(order, order.done_by, at)
            audit.record("fleet.order.verified", target=order, by=None, at=at)
    return len(orders)


# --- what people report ------------------------------------------------------------


@transaction.atomic
def report_device(
    *, label: str, kind: str, words: str, contact: str, at: datetime
) -> DeviceReport:
    """Take a report from whoever stands at the pole; call the technicians once.

    Raises AbsentError `fleet.label_unknown`, InvalidError (`fleet.report_kind`,
    `fleet.text_too_long`).
    """
    device = (
        Device.objects.filter(registration__label=label.upper(), state=ACTIVE)
        .select_related("unit")
        .first()
    )
    if device is None:
        raise AbsentError("fleet.label_unknown")
    if kind not in repairs.REPORTS:
        raise InvalidError("fleet.report_kind")
    if len(words) > 500 or len(contact) > 60:
        raise InvalidError("fleet.text_too_long", limit=500)
    earlier = DeviceReport.objects.filter(device=device, at__gt=at - REPORT_PAUSE)
    first = not earlier.exists()
    order = WorkOrder.objects.filter(device=device, state__in=repairs.UNFINISHED)
    report = DeviceReport.objects.create(
        device=device,
        unit=device.unit,
        kind=kind,
        words=words,
        contact=contact,
        at=at,
        order=order.first(),
    )
    if first:
        people.notify(
            officers=officers.list_around(device.unit, kind=TECHNICIAN, at=at),
            subject=f"Người dân báo: {device.name} – {report.kind_name}",
            body=words or report.kind_name,
            url=reverse("fleet:device", args=[device.uid]),
            at=at,
        )
    return report


@transaction.atomic
def close_report(*, report_id: int, by: Officer, at: datetime) -> DeviceReport:
    """Lay a report aside that needs no repair. Raises AbsentError, ConflictError."""
    report = DeviceReport.objects.select_related("device__unit").get(pk=report_id)
    access.check_keeper(by, unit=report.device.unit, at=at)
    mine = DeviceReport.objects.filter(pk=report_id, closed_at__isnull=True)
    if mine.update(closed_by=by, closed_at=at) != 1:
        raise ConflictError("fleet.report_closed")
    audit.record("fleet.report.closed", target=report, by=by, at=at)
    report.refresh_from_db()
    return report


def forget_contacts(*, at: datetime) -> int:
    """Blank how to call back who reported long ago; return how many."""
    # Source: law 91/2025/QH15: personal data is kept no longer than its purpose.
    old = DeviceReport.objects.filter(at__lt=at - KEEP_CONTACT).exclude(contact="")
    return old.update(contact="")


# --- what the actions share --------------------------------------------------------


def _lock_device(device_id: int, *, by: Officer, at: datetime) -> Device:
    rows = Device.objects.select_for_update(of=("self",))
    device = rows.select_related("unit", "registration").get(pk=device_id)
    access.check_keeper(by, unit=device.unit, at=at)
    return device


def _lock_order(order_id: int, *, by: Officer, at: datetime) -> WorkOrder:
    rows = WorkOrder.objects.select_for_update(of=("self",))
    order = rows.select_related("device__unit").get(pk=order_id)
    access.check_keeper(by, unit=order.device.unit, at=at)
    return order


def _check_assigned(assigned: Officer | None, device: Device, *, at: datetime) -> None:
    """Refuse somebody who may not look after this device."""
    if assigned is not None and not rights.can(
        assigned, TECHNICIAN, unit=device.unit, at=at
    ):
        raise InvalidError("fleet.order_assigned")


def _move(row: Health, state: str, at: datetime) -> None:
    SignalChange.objects.create(
        device_id=row.pk, signal="state", old=row.state, new=state, at=at
    )
    Health.objects.filter(pk=row.pk).update(state=state, state_since=at, look_at=at)


def _close_reports(order: WorkOrder, by: Officer | None, at: datetime) -> None:
    still = DeviceReport.objects.filter(order=order, closed_at__isnull=True)
    still.update(closed_by=by, closed_at=at)


def _tell(
    to: Sequence[Officer], subject: str, body: str, order: WorkOrder, at: datetime
) -> None:
    url = reverse("fleet:order", args=[order.uid])
    people.notify(officers=to, subject=subject, body=body, url=url, at=at)

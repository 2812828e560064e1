"""A broadcast's life: sent, prepared, released or returned, cancelled."""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction

from nguon.audit import actions as audit
from nguon.core.errors import AbsentError, ConflictError, InvalidError
from nguon.fleet import actions as fleet
from nguon.fleet.models import Device
from nguon.newsroom import actions as newsroom
from nguon.newsroom import queries as newsroom_queries
from nguon.newsroom.models import Involvement
from nguon.people import access
from nguon.people import actions as people
from nguon.people import queries as people_queries
from nguon.people.models import APPROVER, AUTHOR, Officer
from nguon.schedule import audience, rules
from nguon.schedule.actions.plans import build_plan, make_now_airing
from nguon.schedule.items import ItemMaker, hash_of, list_renditions, longest_ms
from nguon.schedule.models import Airing, AudienceMember, Broadcast
from nguon.territory.models import Unit

logger = logging.getLogger(__name__)


@transaction.atomic
def submit(
    *,
    bulletin_id: int,
    timing: rules.Timing,
    units: Sequence[Unit],
    devices: Sequence[Device],
    by: Officer,
    at: datetime,
) -> Broadcast:
    """Send a bulletin to be approved for a time and an audience.

    1. Check rights on every unit and device asked for, and the time.
    2. Freeze the draft as a version; its sounds are asked for.
    3. Store the devices that are meant now: the baseline of proof.

    Raises InvalidError (timing, empty audience, quiet hours), AbsentError for ground
    that is not the officer's, DraftError.
    """
    for unit in (*units, *(device.unit for device in devices)):
        access.check_can(by, AUTHOR, unit=unit, at=at)
    version = newsroom.freeze_version(bulletin_id=bulletin_id, by=by, at=at)
    rules.check_timing(timing, klass=version.klass, at=at)
    for start in _first_starts(timing, at=at):
        rules.check_quiet(
            rules.QuietHours.parse(settings.QUIET_HOURS),
            klass=version.klass,
            drill=version.drill,
            start=start,
            length=rules.length_of(1),
        )
    members = list(audience.list_devices(units, devices))
    if not members:
        raise InvalidError("schedule.empty_audience")
    broadcast = Broadcast.objects.create(
        version=version,
        unit=version.bulletin.unit,
        timing=timing.kind,
        starts_at=timing.starts_at,
        time_of_day=timing.time_of_day,
        first_date=timing.first_date,
        last_date=timing.last_date,
        expires_at=timing.expires_at,
        targeted=len(members),
        submitted_by=by,
        submitted_at=at,
    )
    broadcast.units.set(units)
    broadcast.devices.set(devices)
    broadcast.carriers.set(audience.list_carriers(units, devices))
    AudienceMember.objects.bulk_create(
        [
            AudienceMember(broadcast=broadcast, device=device, unit_id=device.unit_id)
            for device in members
        ],
        batch_size=500,
    )
    audit.record("schedule.broadcast.submitted", target=broadcast, by=by, at=at)
    return broadcast


def _first_starts(timing: rules.Timing, *, at: datetime) -> list[datetime]:
    """Return the first planned start, to be told of quiet hours early."""
    if timing.kind == rules.NOW:
        return [at]
    starts = rules.starts_between(timing, begin=at, end=at + rules.LONGEST_SERIES)
    return [start for start in [next(starts, None)] if start]


def prepare_ready(*, at: datetime) -> int:
    """Move every broadcast whose sounds are ready (or failed) on; return how many.

    One that breaks is logged and stays; it does not keep the others waiting.
    """
    preparing = Broadcast.objects.filter(state=rules.PREPARING)
    keys = list(preparing.order_by("pk").values_list("pk", flat=True))
    moved = 0
    for key in keys:
        try:
            moved += _prepare(key, at=at)
        except Exception:
            logger.exception("broadcast #%s could not be prepared", key)
    return moved


@transaction.atomic
def _prepare(key: int, *, at: datetime) -> bool:
    """Move one broadcast on: fix its hash, tell devices to fetch, ask approvers."""
    broadcast = (
        Broadcast.objects.select_for_update().select_related("version").get(pk=key)
    )
    if broadcast.state != rules.PREPARING:
        return False
    version = broadcast.version
    if newsroom_queries.list_failures(version):
        _tell_failure(broadcast, at=at)
        return True
    if not newsroom_queries.is_ready(version):
        return False
    broadcast.sha256 = hash_of(broadcast)
    broadcast.state = rules.WAITING
    broadcast.save(update_fields=["sha256", "state"])
    newsroom.seal_version(version_id=version.pk, sha256=broadcast.sha256, at=at)
    media = [sound.media for sound in newsroom_queries.list_sounds(version)]
    fleet.prepare_media(
        units=list(broadcast.carriers.order_by("pk")),
        media=[one for one in media if one is not None],
        at=at,
    )
    editors = Involvement.objects.filter(version=version, kind=Involvement.EDIT)
    approvers = people_queries.list_approvers(
        broadcast.unit,
        at=at,
        without=frozenset(editors.values_list("person_id", flat=True)),
    )
    people.notify(
        officers=approvers,
        subject=f"Chờ duyệt: {version.shown_title}",
        body=f"{broadcast.submitted_by.full_name} gửi duyệt bản tin này.",
        url=f"/duyet/{broadcast.uid}/",
        at=at,
    )
    audit.record("schedule.broadcast.prepared", target=broadcast, by=None, at=at)
    return True


def _tell_failure(broadcast: Broadcast, *, at: datetime) -> None:
    broadcast.state = rules.FAILED
    broadcast.save(update_fields=["state"])
    people.notify(
        officers=[broadcast.submitted_by],
        subject=f"Không tạo được tiếng: {broadcast.version.shown_title}",
        body="Hãy mở bản tin, sửa chữ hoặc tải bản ghi âm lên rồi gửi lại.",
        url=f"/ban-tin/{broadcast.version.bulletin.uid}/",
        at=at,
    )
    audit.record("schedule.broadcast.failed", target=broadcast, by=None, at=at)


@transaction.atomic
def release(*, broadcast_uid: str, sha256: str, by: Officer, at: datetime) -> Broadcast:
    """Give leave to sound: the one act after which speakers speak.

    1. Have the newsroom record the approval of exactly this hash by this person.
    2. Check again that the hash is still true, the time not past, the hour allowed.
    3. Write the state, then sign and hand over: the urgent whole, the rest as plans.

    Raises OwnBulletinError, ChangedError, ConflictError, InvalidError, NoRightError,
    AbsentError; then nothing has changed and nothing has left.
    """
    broadcast = _lock(broadcast_uid)
    version = broadcast.version
    access.check_can(by, APPROVER, unit=broadcast.unit, at=at)
    rules.check_move(old=broadcast.state, new=rules.APPROVED)
    newsroom.record_approval(version_id=version.pk, sha256=sha256, by=by, at=at)
    if hash_of(broadcast) != sha256:
        raise ConflictError("newsroom.changed")
    _check_time(broadcast, at=at)

    broadcast.state = rules.APPROVED
    broadcast.approved_by = by
    broadcast.approved_at = at
    broadcast.save(update_fields=["state", "approved_by", "approved_at"])
    if broadcast.timing == rules.NOW:
        _send_now(broadcast, by=by, at=at)
    if version.klass != "emergency":
        for unit in broadcast.carriers.order_by("pk"):
            build_plan(unit=unit, by=by, at=at)
    audit.record(
        "schedule.broadcast.released",
        target=broadcast,
        by=by,
        at=at,
        data={"sha256": sha256},
    )
    return broadcast


def _check_time(broadcast: Broadcast, *, at: datetime) -> None:
    """Refuse a time that has passed since it was sent, or a quiet hour."""
    rules.check_timing(broadcast.when, klass=broadcast.version.klass, at=at)
    length = rules.length_of(longest_ms(list_renditions(broadcast.version)))
    for start in _first_starts(broadcast.when, at=at):
        rules.check_quiet(
            rules.QuietHours.parse(settings.QUIET_HOURS),
            klass=broadcast.version.klass,
            drill=broadcast.version.drill,
            start=start,
            length=length,
        )


def _send_now(broadcast: Broadcast, *, by: Officer, at: datetime) -> None:
    """Sign the item whole and leave it for the bus, once per carrying unit."""
    maker = ItemMaker(broadcast)
    airing = make_now_airing(maker, at=at)
    is_emergency = broadcast.version.klass == "emergency"
    body: dict[str, object] = {"item": maker.item(airing).encode()}
    corrects = broadcast.version.bulletin.corrects
    if is_emergency:
        olds = Broadcast.objects.filter(
            version__bulletin=corrects, state=rules.APPROVED
        )
        replaced = list(olds.order_by("pk")) if corrects else []
        body["replaces"] = [
            row.item for row in Airing.objects.filter(broadcast__in=replaced)
        ]
        for old in replaced:
            _cancel(old, reason="Được đính chính bằng bản tin mới.", by=by, at=at)
    for unit in broadcast.carriers.order_by("pk"):
        fleet.publish_urgent(
            kind="alert" if is_emergency else "go",
            unit=unit,
            body=body,
            use="emergency" if is_emergency else "plan",
            not_after=airing.ends_at,
            by=by,
            at=at,
        )


@transaction.atomic
def return_broadcast(
    *, broadcast_uid: str, reason: str, by: Officer, at: datetime
) -> Broadcast:
    """Send a bulletin back to its author with a reason.

    Raises InvalidError without a reason, ConflictError, NoRightError, AbsentError.
    """
    broadcast = _lock(broadcast_uid)
    access.check_can(by, APPROVER, unit=broadcast.unit, at=at)
    rules.check_move(old=broadcast.state, new=rules.RETURNED)
    if not reason.strip():
        raise InvalidError("schedule.reason_missing")
    broadcast.state = rules.RETURNED
    broadcast.returned_by = by
    broadcast.returned_at = at
    broadcast.reason = reason.strip()[:2000]
    broadcast.save(update_fields=["state", "returned_by", "returned_at", "reason"])
    people.notify(
        officers=[broadcast.submitted_by],
        subject=f"Bị trả lại: {broadcast.version.shown_title}",
        body=f"{by.full_name}: {broadcast.reason}",
        url=f"/ban-tin/{broadcast.version.bulletin.uid}/",
        at=at,
    )
    audit.record("schedule.broadcast.returned", target=broadcast, by=by, at=at)
    return broadcast


@transaction.atomic
def cancel_broadcast(
    *, broadcast_uid: str, reason: str, by: Officer, at: datetime
) -> Broadcast:
    """Call a broadcast off: what is on falls silent, what was planned will not sound.

    One person may: silence is safe. Raises InvalidError without a reason,
    ConflictError, NoRightError, AbsentError.
    """
    broadcast = _lock(broadcast_uid)
    if not access.can(by, AUTHOR, unit=broadcast.unit, at=at):
        access.check_can(by, APPROVER, unit=broadcast.unit, at=at)
    rules.check_move(old=broadcast.state, new=rules.CANCELLED)
    if not reason.strip():
        raise InvalidError("schedule.reason_missing")
    _cancel(broadcast, reason=reason.strip()[:2000], by=by, at=at)
    return broadcast


def _cancel(broadcast: Broadcast, *, reason: str, by: Officer, at: datetime) -> None:
    """Write the end, and tell devices when they know of the broadcast."""
    was_approved = broadcast.state == rules.APPROVED
    broadcast.state = rules.CANCELLED
    broadcast.cancelled_by = by
    broadcast.cancelled_at = at
    broadcast.reason = reason
    broadcast.save(update_fields=["state", "cancelled_by", "cancelled_at", "reason"])
    audit.record("schedule.broadcast.cancelled", target=broadcast, by=by, at=at)
    airings = list(broadcast.airings.filter(ends_at__gt=at).order_by("starts_at", "pk"))
    if not was_approved or not airings:
        return
    is_emergency = broadcast.version.klass == "emergency"
    for unit in broadcast.carriers.order_by("pk"):
        fleet.publish_urgent(
            kind="cancel",
            unit=unit,
            body={
                "items": [airing.item for airing in airings],
                "lane": "emergency" if is_emergency else "plan",
            },
            use="emergency" if is_emergency else "plan",
            not_after=max(airing.ends_at for airing in airings),
            by=by,
            at=at,
        )
        if not is_emergency:
            build_plan(unit=unit, by=by, at=at)


def _lock(uid: str) -> Broadcast:
    """Return a broadcast to be changed. Raises AbsentError."""
    broadcast = (
        Broadcast.objects.select_for_update(of=("self",))
        .select_related("version__bulletin__corrects", "unit", "submitted_by")
        .filter(uid=uid)
        .first()
    )
    if broadcast is None:
        raise AbsentError("schedule.broadcast_absent")
    return broadcast

"""Stop, lift by two, correct. One person may silence; two are needed to sound again."""

from datetime import datetime

from django.db import transaction

from nguon.audit import actions as audit
from nguon.core.errors import AbsentError, ConflictError
from nguon.emergency import rules
from nguon.emergency.models import Stop
from nguon.fleet import actions as fleet
from nguon.fleet.models import Device
from nguon.newsroom import actions as newsroom
from nguon.newsroom.models import Bulletin
from nguon.newsroom.rules import Draft
from nguon.people import access
from nguon.people import actions as people
from nguon.people import queries as people_queries
from nguon.people.models import Officer
from nguon.schedule import actions as schedule
from nguon.schedule.access import access_broadcast
from nguon.schedule.models import Broadcast
from nguon.territory.models import Unit


@transaction.atomic
def stop(
    *,
    unit: Unit | None,
    device: Device | None,
    until: datetime,
    reason: str,
    by: Officer,
    at: datetime,
) -> Stop:
    """Silence an area or a device at once; exactly one of the two is given.

    Raises InvalidError for a wrong end, AbsentError or NoRightError without a role
    there.
    """
    rules.check_until(until=until, at=at)
    ground = _ground(unit, device)
    _check_any(by, rules.MAY_STOP, ground, at=at)
    document = fleet.publish_urgent(
        kind="stop",
        unit=unit,
        device=device,
        body={"until": round(until.timestamp() * 1000)},
        use="emergency",
        not_after=until,
        by=by,
        at=at,
    )
    order = Stop.objects.create(
        unit=unit,
        device=device,
        document=document.uid,
        reason=reason.strip()[:500],
        ordered_by=by,
        ordered_at=at,
        until=until,
    )
    if unit is not None:
        schedule.stop_live(unit=unit, at=at)
    _tell(order, ground, subject="Đã dừng phát", by=by, at=at)
    audit.record("emergency.stop.ordered", target=order, by=by, at=at)
    return order


@transaction.atomic
def ask_lift(*, stop_uid: str, by: Officer, at: datetime) -> Stop:
    """Ask for sound again; a second person confirms it.

    Raises ConflictError when it has ended, AbsentError, NoRightError.
    """
    order = _lock(stop_uid, by=by, at=at)
    order.lift_asked_by = by
    order.lift_asked_at = at
    order.save(update_fields=["lift_asked_by", "lift_asked_at"])
    ground = _ground(order.unit, order.device)
    _tell(order, ground, subject="Xin phép cho phát lại", by=by, at=at)
    audit.record("emergency.lift.asked", target=order, by=by, at=at)
    return order


@transaction.atomic
def confirm_lift(*, stop_uid: str, by: Officer, at: datetime) -> Stop:
    """Lift a stop that somebody else asked to lift.

    Raises SamePersonError, ConflictError, AbsentError, NoRightError.
    """
    order = _lock(stop_uid, by=by, at=at)
    if order.lift_asked_by_id is None:
        raise ConflictError("emergency.lift_not_asked")
    rules.check_second_person(asked_by=order.lift_asked_by_id, confirms=by.pk)
    order.lifted_by = by
    order.lifted_at = at
    order.save(update_fields=["lifted_by", "lifted_at"])
    fleet.publish_urgent(
        kind="lift",
        unit=order.unit,
        device=order.device,
        body={"stop": order.document},
        use="emergency",
        not_after=order.until,
        by=by,
        at=at,
    )
    ground = _ground(order.unit, order.device)
    _tell(order, ground, subject="Đã cho phát lại", by=by, at=at)
    audit.record("emergency.stop.lifted", target=order, by=by, at=at)
    return order


def cancel_alert(
    *, broadcast_uid: str, reason: str, by: Officer, at: datetime
) -> Broadcast:
    """End a released emergency at once, by one person with the approver's right.

    Raises ConflictError for what is no emergency or not on air, InvalidError without
    a reason, AbsentError, NoRightError.
    """
    broadcast = access_broadcast(uid=broadcast_uid, officer=by, at=at)
    if not broadcast.is_alert:
        raise ConflictError("emergency.not_an_alert")
    return schedule.cancel_broadcast(
        broadcast_uid=broadcast_uid, reason=reason, by=by, at=at
    )


@transaction.atomic
def correct_alert(*, broadcast_uid: str, by: Officer, at: datetime) -> Bulletin:
    """Begin the correction of an emergency: a draft with its text, ready to be mended.

    When it is released, the old items fall silent. Raises ConflictError for what is
    no emergency, AbsentError, NoRightError.
    """
    broadcast = access_broadcast(uid=broadcast_uid, officer=by, at=at)
    version = broadcast.version
    if not broadcast.is_alert:
        raise ConflictError("emergency.not_an_alert")
    return newsroom.create_bulletin(
        unit=broadcast.unit,
        draft=Draft(
            f"Đính chính: {version.title}"[:200],
            version.body,
            version.klass,
            version.field,
            tuple(version.languages),
        ),
        drill=version.drill,
        corrects=version.bulletin.uid,
        by=by,
        at=at,
    )


def _ground(unit: Unit | None, device: Device | None) -> Unit:
    if (unit is None) == (device is None):
        raise ValueError("a stop is for one unit or for one device")
    return unit or device.unit  # type: ignore[union-attr]


def _check_any(
    officer: Officer, kinds: tuple[str, ...], unit: Unit, *, at: datetime
) -> None:
    if not any(access.can(officer, kind, unit=unit, at=at) for kind in kinds):
        access.check_can(officer, kinds[0], unit=unit, at=at)


def _lock(uid: str, *, by: Officer, at: datetime) -> Stop:
    """Return a stop in force that an officer may lift."""
    order = (
        Stop.objects.select_for_update(of=("self",))
        .select_related("unit", "device__unit")
        .filter(uid=uid)
        .first()
    )
    if order is None:
        raise AbsentError("emergency.stop_absent")
    _check_any(by, rules.MAY_LIFT, _ground(order.unit, order.device), at=at)
    if order.lifted_at is not None or order.until <= at:
        raise ConflictError("emergency.stop_over")
    return order


def _tell(
    order: Stop, ground: Unit, *, subject: str, by: Officer, at: datetime
) -> None:
    """Alarm every approver of this ground, above it and below it: all are concerned."""
    officers = people_queries.list_around(ground, kind="approver", at=at)
    what = order.device.name if order.device else ground.full_name
    people.notify(
        officers=officers,
        subject=f"{subject}: {what}",
        body=f"{by.full_name}. {order.reason}".strip(),
        url="/dung-phat/",
        urgent=True,
        at=at,
    )

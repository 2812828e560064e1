"""Ways a broadcast ends before its time: returned by the approver, or called off."""

from datetime import datetime

from django.db import transaction

from nguon.audit import actions as audit
from nguon.core.errors import InvalidError
from nguon.fleet import actions as fleet
from nguon.people import access
from nguon.people import actions as people
from nguon.people.models import APPROVER, AUTHOR, Officer
from nguon.schedule import rules
from nguon.schedule.access import lock_broadcast
from nguon.schedule.actions.plans import build_plans
from nguon.schedule.models import Airing, Broadcast
from nguon.territory.models import Unit

REASON_LIMIT = 2000


@transaction.atomic
def return_broadcast(
    *, broadcast_uid: str, reason: str, by: Officer, at: datetime
) -> Broadcast:
    """Send a bulletin back to its author with a reason.

    Raises InvalidError without a reason, ConflictError, NoRightError, AbsentError.
    """
    broadcast = lock_broadcast(broadcast_uid)
    access.check_can(by, APPROVER, unit=broadcast.unit, at=at)
    rules.check_move(old=broadcast.state, new=rules.RETURNED)
    broadcast.state = rules.RETURNED
    broadcast.returned_by = by
    broadcast.returned_at = at
    broadcast.reason = _checked(reason)
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

    One person may. A released emergency takes an approver: its silence can cost
    lives. Raises InvalidError without a reason, ConflictError, NoRightError,
    AbsentError.
    """
    broadcast = lock_broadcast(broadcast_uid)
    is_alert = broadcast.is_alert and broadcast.state == rules.APPROVED
    if is_alert or not access.can(by, AUTHOR, unit=broadcast.unit, at=at):
        access.check_can(by, APPROVER, unit=broadcast.unit, at=at)
    rules.check_move(old=broadcast.state, new=rules.CANCELLED)
    call_off(broadcast, reason=_checked(reason), by=by, at=at)
    return broadcast


def call_off(broadcast: Broadcast, *, reason: str, by: Officer, at: datetime) -> None:
    """Write the end, and tell devices when they know of the broadcast.

    For actions of this room that have checked rights and state.
    """
    was_approved = broadcast.state == rules.APPROVED
    broadcast.state = rules.CANCELLED
    broadcast.cancelled_by = by
    broadcast.cancelled_at = at
    broadcast.reason = reason
    broadcast.save(update_fields=["state", "cancelled_by", "cancelled_at", "reason"])
    audit.record("schedule.broadcast.cancelled", target=broadcast, by=by, at=at)
    if not was_approved:
        return
    _end_localised(broadcast, by=by, at=at)
    lane = "emergency" if broadcast.is_alert else "plan"
    planned = _list_planned(broadcast, at=at)
    for unit, airings in planned:
        fleet.publish_urgent(
            kind="cancel",
            unit=unit,
            body={"items": [airing.item for airing in airings], "lane": lane},
            use=lane,
            not_after=max(airing.ends_at for airing in airings),
            by=by,
            at=at,
        )
    if not broadcast.is_alert:
        build_plans(units=[unit for unit, _airings in planned], by=by, at=at)


def _end_localised(origin: Broadcast, *, by: Officer, at: datetime) -> None:
    """Call off the communes' versions of what its supplier withdraws, and tell them.

    An emergency that a commune made of it goes on: only its approvers may end that.
    """
    versions = Broadcast.objects.filter(
        version__bulletin__localisation__entry__broadcast=origin,
        state__in=[rules.PREPARING, rules.WAITING, rules.APPROVED],
    ).select_for_update(of=("self",))
    for version in versions.select_related("version__bulletin", "submitted_by"):
        if not version.is_alert:
            call_off(version, reason="Nơi gửi đã rút bản tin gốc.", by=by, at=at)
        people.notify(
            officers=[version.submitted_by],
            subject=f"Nơi gửi đã rút bản gốc: {version.version.shown_title}",
            body=f"Lý do: {origin.reason}",
            url=f"/ban-tin/{version.version.bulletin.uid}/",
            at=at,
        )


def _list_planned(
    broadcast: Broadcast, *, at: datetime
) -> list[tuple[Unit, list[Airing]]]:
    """Return the units whose plans have it, each with what is to be called off there.

    The units that carry it, and the stations in whose programmes it stands.
    """
    ahead = broadcast.airings.filter(ends_at__gt=at, withdrawn_at=None)
    airings = list(ahead.select_related("unit").order_by("starts_at", "pk"))
    own = [airing for airing in airings if airing.unit is None]
    carriers = broadcast.carriers.order_by("pk") if own else []
    found = [(unit, own) for unit in carriers]
    stations = {airing.unit.pk: airing.unit for airing in airings if airing.unit}
    return found + [
        (unit, [airing for airing in airings if airing.unit_id == key])
        for key, unit in sorted(stations.items())
    ]


def _checked(reason: str) -> str:
    """Return the reason as it is kept. Raises InvalidError when there is none."""
    if not reason.strip():
        raise InvalidError("schedule.reason_missing")
    return reason.strip()[:REASON_LIMIT]

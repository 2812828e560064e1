"""Release: the one act after which speakers speak, by a second person, of one hash."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from nguon.audit import actions as audit
from nguon.core.errors import ConflictError
from nguon.fleet import actions as fleet
from nguon.newsroom import actions as newsroom
from nguon.people import access
from nguon.people import actions as people
from nguon.people.models import APPROVER, Officer
from nguon.schedule import papers, rules, supply
from nguon.schedule.access import lock_broadcast
from nguon.schedule.actions.endings import call_off
from nguon.schedule.actions.inbox import offer, tell_altered
from nguon.schedule.actions.plans import build_plans, make_now_airing
from nguon.schedule.chains import find_check
from nguon.schedule.items import ItemMaker, hash_of, list_renditions, longest_ms
from nguon.schedule.models import Airing, Broadcast


@transaction.atomic
def release(*, broadcast_uid: str, sha256: str, by: Officer, at: datetime) -> Broadcast:
    """Give leave to sound.

    1. Have the newsroom record the approval of exactly this hash by this person.
    2. Check again that the hash is still true, the time not past, the hour allowed.
    3. Write the state, then sign and hand over: the urgent whole, the rest as plans.
       What communes decide on goes into their inboxes instead.

    Raises OwnBulletinError, ChangedError, ConflictError, InvalidError, NoRightError,
    AbsentError; then nothing has changed and nothing has left.
    """
    broadcast = lock_broadcast(broadcast_uid)
    version = broadcast.version
    access.check_can(by, APPROVER, unit=broadcast.unit, at=at)
    rules.check_move(old=broadcast.state, new=rules.APPROVED)
    if broadcast.steps == 2 and find_check(broadcast) is None:
        raise ConflictError("schedule.not_checked")
    newsroom.record_approval(version_id=version.pk, sha256=sha256, by=by, at=at)
    if hash_of(broadcast) != sha256:
        raise ConflictError("newsroom.changed")
    check_time(broadcast, at=at)

    broadcast.state = rules.APPROVED
    broadcast.approved_by = by
    broadcast.approved_at = at
    broadcast.save(update_fields=["state", "approved_by", "approved_at"])
    hand_over(broadcast, by=by, at=at)
    people.notify(
        officers=[broadcast.submitted_by],
        subject=f"Đã duyệt: {version.shown_title}",
        body=f"{by.full_name} đã duyệt.",
        url=f"/phat/{broadcast.uid}/",
        at=at,
    )
    audit.record(
        "schedule.broadcast.released",
        target=broadcast,
        by=by,
        at=at,
        data={"sha256": sha256},
    )
    return broadcast


def hand_over(broadcast: Broadcast, *, by: Officer, at: datetime) -> None:
    """Bring what was just released to devices, or before those who choose.

    For actions of this room that have checked and written the release.
    """
    tell_altered(broadcast, at=at)
    if offer(broadcast, at=at):
        return
    if broadcast.timing in rules.AT_RELEASE:
        _send_now(broadcast, by=by, at=at)
    # What is laid up sounds only where a programme takes it.
    if broadcast.version.klass != "emergency" and broadcast.timing != rules.SHELF:
        build_plans(units=list(broadcast.carriers.order_by("pk")), by=by, at=at)


def check_time(broadcast: Broadcast, *, at: datetime) -> None:
    """Refuse a time that has passed since it was sent, a quiet hour, a lost origin.

    Raises InvalidError, ConflictError `schedule.origin_withdrawn`.
    """
    supply.check_origin(broadcast.version.bulletin)
    rules.check_timing(broadcast.when, klass=broadcast.version.klass, at=at)
    if broadcast.is_offered:
        return
    start = rules.first_start(broadcast.when, at=at)
    rules.check_quiet(
        _hours_of(broadcast, at=start or at),
        klass=broadcast.version.klass,
        drill=broadcast.version.drill,
        start=start,
        length=rules.length_of(longest_ms(list_renditions(broadcast.version))),
    )


def _hours_of(broadcast: Broadcast, *, at: datetime) -> Sequence[rules.QuietHours]:
    """Return the quiet hours of everybody a broadcast is for."""
    devices = list(broadcast.devices.select_related("unit"))
    return papers.hours_of(list(broadcast.units.all()), devices, at=at)


def _send_now(broadcast: Broadcast, *, by: Officer, at: datetime) -> None:
    """Sign the item whole and leave it for the bus, once per carrying unit."""
    maker = ItemMaker(broadcast)
    is_emergency = broadcast.version.klass == "emergency"
    latest = None
    if not is_emergency or broadcast.version.drill:
        # A device that comes back late, without its plan, must not sound it at night.
        latest = rules.quiet_begins(_hours_of(broadcast, at=at), after=at)
    airing = make_now_airing(maker, latest=latest, at=at)
    body: dict[str, object] = {"item": maker.item(airing).encode()}
    if is_emergency:
        body["replaces"] = _replace_corrected(broadcast, by=by, at=at)
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


def _replace_corrected(broadcast: Broadcast, *, by: Officer, at: datetime) -> list[str]:
    """Call off what this emergency corrects; return the items it takes the place of."""
    corrects = broadcast.version.bulletin.corrects
    if corrects is None:
        return []
    wrong = Broadcast.objects.filter(version__bulletin=corrects, state=rules.APPROVED)
    replaced: list[str] = []
    for old in wrong.select_related("version").order_by("pk"):
        items = Airing.objects.filter(broadcast=old).order_by("pk")
        replaced += items.values_list("item", flat=True)
        call_off(old, reason="Được đính chính bằng bản tin mới.", by=by, at=at)
    return replaced

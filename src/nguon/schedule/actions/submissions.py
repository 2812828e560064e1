"""Sending a bulletin for approval: its time, its audience, its sounds, its one hash."""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from nguon.audit import actions as audit
from nguon.core.errors import InvalidError
from nguon.fleet import actions as fleet
from nguon.fleet.models import ACTIVE, Device, DeviceGroup
from nguon.newsroom import actions as newsroom
from nguon.newsroom import queries as newsroom_queries
from nguon.newsroom import rules as newsroom_rules
from nguon.newsroom.access import access_draft
from nguon.newsroom.models import Bulletin, Involvement, Version
from nguon.people import access
from nguon.people import actions as people
from nguon.people import queries as people_queries
from nguon.people.models import AUTHOR, Officer
from nguon.schedule import audience, chains, papers, rules, supply
from nguon.schedule.actions.endings import call_off
from nguon.schedule.items import hash_of
from nguon.schedule.models import AudienceMember, Broadcast, ChosenGroup
from nguon.territory.models import Unit

logger = logging.getLogger(__name__)


@transaction.atomic
def submit(
    *,
    bulletin_id: int,
    timing: rules.Timing,
    units: Sequence[Unit],
    devices: Sequence[Device],
    groups: Sequence[DeviceGroup] = (),
    by: Officer,
    at: datetime,
) -> Broadcast:
    """Send a bulletin to be approved for a time and an audience.

    1. Check rights on every unit and device asked for, and the time.
    2. Freeze the draft as a version; its sounds are asked for.
    3. Store the devices that are meant now: the baseline of proof. A group means its
       devices of this moment; it is they that are approved and signed.

    An earlier sending that is still undecided is called off. Raises InvalidError
    (timing, empty audience or group, quiet hours, ground outside the bulletin's unit),
    AbsentError for ground that is not the officer's, DraftError, ConflictError when
    it is a version of what its supplier withdrew.
    """
    bulletin = access_draft(bulletin_id=bulletin_id, officer=by, at=at)
    devices = audience.with_groups(devices, groups)
    _check_ground(bulletin.unit, units, devices, by=by, at=at)
    supply.check_origin(bulletin)
    _check_still_true(bulletin, timing)
    _withdraw_undecided(bulletin, by=by, at=at)
    version = newsroom.freeze_version(bulletin_id=bulletin_id, by=by, at=at)
    rules.check_timing(timing, klass=version.klass, at=at)
    offered = rules.is_offered(
        klass=version.klass, timing=timing.kind, issuer=bulletin.unit.kind
    )
    start = None if offered else rules.first_start(timing, at=at)
    rules.check_quiet(
        papers.hours_of(units, devices, at=start or at),
        klass=version.klass,
        drill=version.drill,
        start=start,
        length=rules.length_of(1),  # how long it sounds is not known yet
    )
    members = list(audience.list_devices(units, devices))
    if not members:
        raise InvalidError("schedule.empty_audience")
    broadcast = Broadcast.objects.create(
        version=version,
        unit=bulletin.unit,
        timing=timing.kind,
        starts_at=timing.starts_at,
        time_of_day=timing.time_of_day,
        first_date=timing.first_date,
        last_date=timing.last_date,
        expires_at=timing.expires_at,
        targeted=len(members),
        steps=chains.steps_for(bulletin.unit, version, timing.kind, at=at),
        submitted_by=by,
        submitted_at=at,
    )
    broadcast.units.set(units)
    broadcast.devices.set(devices)
    broadcast.carriers.set(audience.list_carriers(units, devices))
    ChosenGroup.objects.bulk_create(
        ChosenGroup(
            broadcast=broadcast,
            group=group,
            name=group.name,
            devices=sorted(device.uid for device in audience.members_of(group)),
        )
        for group in groups
    )
    AudienceMember.objects.bulk_create(
        [
            AudienceMember(broadcast=broadcast, device=device, unit_id=device.unit_id)
            for device in members
        ],
        batch_size=500,
    )
    audit.record("schedule.broadcast.submitted", target=broadcast, by=by, at=at)
    return broadcast


def _check_still_true(bulletin: Bulletin, timing: rules.Timing) -> None:
    """Refuse a bulletin that would sound after its last day. Raises DraftError."""
    last = timing.last_date or timing.first_date
    if timing.starts_at is not None:
        last = timezone.localdate(timing.starts_at)
    if last is not None:
        newsroom_rules.check_not_expired(bulletin.expires_on, day=last)


def _check_ground(
    issuer: Unit,
    units: Sequence[Unit],
    devices: Sequence[Device],
    *,
    by: Officer,
    at: datetime,
) -> None:
    """Refuse ground that is foreign, past, or not under the bulletin's own unit.

    The last, because whoever approves for that unit approves for all of this ground.
    """
    asked = (*units, *(device.unit for device in devices))
    for unit in {unit.pk: unit for unit in asked}.values():
        access.check_can(by, AUTHOR, unit=unit, at=at)
        if not unit.path.startswith(issuer.path):
            raise InvalidError(
                "schedule.outside_unit", unit=unit.full_name, issuer=issuer.full_name
            )
    audience.check_on_map(asked, at=at)
    for device in devices:
        if device.state != ACTIVE:
            raise InvalidError("schedule.device_not_active", device=device.name)


def _withdraw_undecided(bulletin: Bulletin, *, by: Officer, at: datetime) -> None:
    """Call off an earlier sending that nobody decided on: never two wait at once."""
    # The lock makes two quick presses of one button wait for each other.
    Bulletin.objects.select_for_update().get(pk=bulletin.pk)
    undecided = Broadcast.objects.filter(
        version__bulletin=bulletin, state__in=[rules.PREPARING, rules.WAITING]
    )
    for old in undecided.select_for_update(of=("self",)).select_related("version"):
        call_off(old, reason="Được thay bằng bản gửi sau.", by=by, at=at)


def prepare_ready(*, at: datetime) -> int:
    """Move every broadcast whose sounds are ready (or failed) on; return how many.

    One that cannot be moved on holds up no other.
    """
    preparing = Broadcast.objects.filter(state=rules.PREPARING)
    moved = 0
    for key in list(preparing.order_by("pk").values_list("pk", flat=True)):
        try:
            moved += prepare(key, at=at)
        except Exception:
            logger.exception("broadcast #%s could not be prepared", key)
    return moved


@transaction.atomic
def prepare(key: int, *, asks: bool = True, at: datetime) -> bool:
    """Move one broadcast on when it can be heard; say whether it moved.

    Its hash is fixed, devices are told to fetch, approvers are asked (unless the
    caller decides at once: `asks`). For actions of this room.
    """
    broadcast = (
        Broadcast.objects.select_for_update(of=("self",))
        .select_related("version__bulletin", "unit", "submitted_by")
        .get(pk=key)
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
    broadcast.remind_at = at + chains.due_after(broadcast.unit, version, at=at)
    broadcast.save(update_fields=["sha256", "state", "remind_at"])
    newsroom.seal_version(version_id=version.pk, sha256=broadcast.sha256, at=at)
    media = [sound.media for sound in newsroom_queries.list_sounds(version)]
    fleet.prepare_media(
        units=list(broadcast.carriers.order_by("pk")),
        media=[one for one in media if one is not None],
        at=at,
    )
    if asks:
        _ask_approvers(broadcast, version, at=at)
    audit.record("schedule.broadcast.prepared", target=broadcast, by=None, at=at)
    return True


def _ask_approvers(broadcast: Broadcast, version: Version, *, at: datetime) -> None:
    """Tell those who may approve now; the writers are not among them."""
    editors = Involvement.objects.filter(version=version, kind=Involvement.EDIT)
    approvers = people_queries.list_approvers(
        broadcast.unit,
        at=at,
        without=frozenset(editors.values_list("person_id", flat=True)),
    )
    words = "KHẨN CẤP, chờ duyệt" if version.klass == "emergency" else "Chờ duyệt"
    if broadcast.steps == 2:
        words = "Chờ kiểm tra"
    if broadcast.timing == rules.ANNOUNCE:
        words = "Chờ duyệt để phát ngay"
    people.notify(
        officers=approvers,
        subject=f"{words}: {version.shown_title}",
        body=f"{broadcast.submitted_by.full_name} gửi duyệt bản tin này.",
        url=f"/duyet/{broadcast.uid}/",
        urgent=version.klass == "emergency" and not version.drill,
        at=at,
    )


def _tell_failure(broadcast: Broadcast, *, at: datetime) -> None:
    broadcast.state = rules.FAILED
    broadcast.save(update_fields=["state"])
    people.notify(
        officers=[broadcast.submitted_by],
        subject=f"Không tạo được tiếng: {broadcast.version.shown_title}",
        body=(
            "Hãy mở bản tin và gửi lại; nếu vẫn không được, hãy sửa chữ hoặc tải"
            " bản ghi âm lên."
        ),
        url=f"/ban-tin/{broadcast.version.bulletin.uid}/",
        at=at,
    )
    audit.record("schedule.broadcast.failed", target=broadcast, by=None, at=at)

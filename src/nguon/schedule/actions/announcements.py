"""Announcements: one person lets one sound at once, under a standing authority.

Source: design 5.3. Nobody approves their own words: no approval is recorded here.
The authority, itself put into force by two, stands in its place; it is named on every
use, and every approver of the unit learns of it at once. The database asks for it too.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction

from nguon.audit import actions as audit
from nguon.core.errors import ConflictError, InvalidError
from nguon.fleet.models import Device, DeviceGroup
from nguon.newsroom import actions as newsroom
from nguon.people import access
from nguon.people import actions as people
from nguon.people import queries as people_queries
from nguon.people.models import APPROVER, AUTHOR, Officer
from nguon.schedule import rules, station
from nguon.schedule.access import lock_broadcast
from nguon.schedule.actions.releases import check_time, hand_over
from nguon.schedule.actions.submissions import prepare, submit
from nguon.schedule.authority import NoAuthorityError, find_authority
from nguon.schedule.items import hash_of, list_renditions
from nguon.schedule.models import Broadcast, Paper
from nguon.territory.models import Unit


@transaction.atomic
def announce_draft(
    *,
    bulletin_id: int,
    heard: Collection[str],
    units: Sequence[Unit],
    devices: Sequence[Device] = (),
    groups: Sequence[DeviceGroup] = (),
    by: Officer,
    at: datetime,
) -> Broadcast:
    """Send an announcement and let it sound at once, all or nothing.

    `heard` are the hashes of the sounds that the officer was given to hear. Raises
    ConflictError `newsroom.changed` when others would sound, and all of `submit`
    and `announce`.
    """
    timing = rules.Timing(rules.ANNOUNCE)
    broadcast = submit(
        bulletin_id=bulletin_id,
        timing=timing,
        units=units,
        devices=devices,
        groups=groups,
        by=by,
        at=at,
    )
    if not prepare(broadcast.pk, asks=False, at=at):
        raise newsroom.NotSealedError("newsroom.not_sealed")
    broadcast.refresh_from_db()
    if {sound.sha256 for sound in list_renditions(broadcast.version)} != set(heard):
        raise ConflictError("newsroom.changed")
    return announce(broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=by, at=at)


@transaction.atomic
def announce(
    *, broadcast_uid: str, sha256: str, by: Officer, at: datetime
) -> Broadcast:
    """Let an announcement sound by one person.

    1. Find the paper in force that covers this officer, these places, this hour.
    2. Check that what would sound is what was sealed, and that the hour is allowed.
    3. Write the state and the paper, then sign and hand over.
    4. Tell every approver of the unit.

    Raises NoAuthorityError, ChangedError, ConflictError, InvalidError, NoRightError,
    AbsentError; then nothing has changed and nothing has left.
    """
    broadcast = lock_broadcast(broadcast_uid)
    access.check_can(by, AUTHOR, unit=broadcast.unit, at=at)
    if broadcast.timing != rules.ANNOUNCE:
        raise InvalidError("schedule.not_an_announcement")
    rules.check_move(old=broadcast.state, new=rules.APPROVED)
    paper = _authority_for(broadcast, by=by, at=at)
    newsroom.check_sealed(version_id=broadcast.version_id, sha256=sha256)
    if hash_of(broadcast) != sha256:
        raise ConflictError("newsroom.changed")
    check_time(broadcast, at=at)

    broadcast.state = rules.APPROVED
    broadcast.authority = paper
    broadcast.approved_by = by
    broadcast.approved_at = at
    broadcast.save(update_fields=["state", "authority", "approved_by", "approved_at"])
    hand_over(broadcast, by=by, at=at)
    _tell_approvers(broadcast, paper, by=by, at=at)
    audit.record(
        "schedule.broadcast.announced",
        target=broadcast,
        by=by,
        at=at,
        data={"sha256": sha256, "paper": paper.uid, "paper_sha256": paper.sha256},
    )
    return broadcast


def _authority_for(broadcast: Broadcast, *, by: Officer, at: datetime) -> Paper:
    """Return the paper that covers a broadcast. Raises NoAuthorityError."""
    paper = find_authority(
        officer=by,
        act=station.ANNOUNCE,
        units=list(broadcast.units.order_by("pk")),
        devices=list(broadcast.devices.select_related("unit").order_by("pk")),
        at=at,
    )
    # A commune's paper is no leave to speak in the name of the province.
    if not broadcast.unit.path.startswith(paper.unit.path):
        raise NoAuthorityError(station.ANNOUNCE)
    return paper


def _tell_approvers(
    broadcast: Broadcast, paper: Paper, *, by: Officer, at: datetime
) -> None:
    """Tell all who could have approved: those of the unit, else the nearest above."""
    unit = broadcast.unit
    holders = people_queries.list_holders(unit, kind=APPROVER, at=at)
    told = holders or people_queries.list_approvers(unit, at=at)
    people.notify(
        officers=[officer for officer in told if officer.pk != by.pk],
        subject=f"Đã phát ngay theo ủy quyền: {broadcast.version.shown_title}",
        body=f"{by.full_name} phát theo ủy quyền số {paper.number} “{paper.title}”.",
        url=f"/phat/{broadcast.uid}/",
        at=at,
    )

"""Live speech: one officer speaks at once to chosen places, under an authority.

Source: design 5.3: dated, scoped, approved by two, named on every use and notified.
What is said is signed piece by piece and nowhere kept; that it was said is.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from nguon.audit import actions as audit
from nguon.core.errors import AbsentError, ConflictError, InvalidError
from nguon.core.messages import Audience, Item, Stream, segment_body
from nguon.core.signing import content_hash
from nguon.core.topics import new_uid
from nguon.fleet import actions as fleet
from nguon.fleet.models import Device
from nguon.people import actions as people
from nguon.people import queries as people_queries
from nguon.people.models import Officer
from nguon.schedule import audience, authority, live, papers, rules, station
from nguon.schedule.items import milliseconds
from nguon.schedule.models import Airing, LiveLine, LiveSession, Paper
from nguon.territory.models import Unit

logger = logging.getLogger(__name__)

TITLE = "Nói trực tiếp"
# Devices of version 1 do not know streams: they refuse, and are silent.
_GO_VERSION = 2


class LiveOverError(ConflictError):
    """The session has ended; `cause` says why."""

    def __init__(self, cause: str) -> None:
        why = rules.LIVE_CAUSES.get(cause, cause)
        super().__init__("schedule.live_over", cause=cause, why=why)


@transaction.atomic
def start_live(
    *,
    units: Sequence[Unit],
    devices: Sequence[Device] = (),
    talk_over: int = 0,
    by: Officer,
    at: datetime,
) -> LiveSession:
    """Let an officer begin to speak to units and devices.

    1. Find the authority that covers all of it now; who listens; the latest end.
    2. Write the session and its airing.
    3. Tell devices to open the line; tell who could have approved.

    Raises NoAuthorityError, InvalidError (empty audience, quiet hours, ended units),
    ConflictError when this officer is speaking already, CannotSignError.
    """
    paper = authority.find_authority(
        officer=by, act=station.LIVE, units=units, devices=devices, at=at
    )
    ends_at = _latest_end(paper, units, devices, at=at)
    places = [*units, *(device.unit for device in devices)]
    audience.check_on_map(places, at=at)
    if not 0 <= talk_over <= 100:
        raise InvalidError("schedule.talk_over_range")
    members = audience.list_devices(units, devices).count()
    if not members:
        raise InvalidError("schedule.empty_audience")
    if LiveSession.objects.filter(officer=by, ended_at__isnull=True).exists():
        raise ConflictError("schedule.live_already")
    uid = new_uid()
    session = LiveSession.objects.create(
        uid=uid,
        item=f"{uid}.{milliseconds(at)}",
        unit=paper.unit,
        paper=paper,
        officer=by,
        talk_over=talk_over,
        targeted=members,
        started_at=at,
        ends_at=ends_at,
        heard_at=at,
    )
    LiveLine.objects.create(session=session)
    session.units.set(units)
    session.devices.set(devices)
    session.carriers.set(audience.list_carriers(units, devices))
    Airing.objects.create(
        item=session.item,
        paper=paper,
        unit=paper.unit,
        title=f"{TITLE}: {by.full_name}",
        starts_at=at,
        ends_at=ends_at,
    )
    _open_line(session, units, devices, by=by, at=at)
    _tell_approvers(session, by=by, at=at)
    audit.record(
        "schedule.live.started",
        target=session,
        by=by,
        at=at,
        data={"authority": paper.uid, "devices": members},
    )
    return session


def feed_live(
    *, session_uid: str, n: int, pcm: bytes, by: Officer, at: datetime
) -> LiveSession:
    """Carry a piece of speech to the speakers: `pcm` is mono, 16 bit, 16 kHz.

    `n` counts the pieces from 1; one that came already is left. Raises LiveOverError,
    AbsentError for another's session, InvalidError for an unusable piece.
    """
    session = access_live(session_uid=session_uid, by=by)
    if session.ends_at <= at:
        end_live(session_uid=session_uid, cause=rules.TIME_UP, by=None, at=at)
        raise LiveOverError(rules.TIME_UP)
    _carry(session, n, pcm, at=at)
    return session


@transaction.atomic
def _carry(session: LiveSession, n: int, pcm: bytes, *, at: datetime) -> None:
    """Encode a piece and leave it for the bus; a failure leaves all as it was."""
    line = LiveLine.objects.select_for_update().filter(session=session).first()
    if line is None:
        raise LiveOverError(LiveSession.objects.get(pk=session.pk).cause)
    if n <= line.latest:
        return
    mp3 = live.feed(line, pcm)
    line.latest = n
    line.save()
    live.extend(session, mp3, last=False)
    _publish(session, mp3, last=False, at=at)


def end_live(
    *, session_uid: str, cause: str, by: Officer | None, at: datetime
) -> LiveSession:
    """End a session; `by` is the speaker, or None when the server ends it.

    Ending once more changes nothing. Raises AbsentError for another's session.
    """
    found = LiveSession.objects.filter(uid=session_uid)
    session = (found.filter(officer=by) if by else found).first()
    if session is None:
        raise AbsentError("schedule.live_absent")
    _end(session, cause=cause, by=by, at=at)
    session.refresh_from_db()
    return session


def access_live(*, session_uid: str, by: Officer) -> LiveSession:
    """Return an officer's own session that is not over.

    Raises AbsentError, LiveOverError.
    """
    found = LiveSession.objects.select_related("paper", "unit")
    session = found.filter(uid=session_uid, officer=by).first()
    if session is None:
        raise AbsentError("schedule.live_absent")
    if session.ended_at is not None:
        raise LiveOverError(session.cause)
    return session


def watch_live(*, at: datetime) -> int:
    """End what nobody ended: line lost, time up, authority gone; return how many.

    Devices that missed the end learn of it a little later, by a cancel.
    """
    ended = 0
    running = LiveSession.objects.filter(ended_at__isnull=True)
    for session in running.select_related("paper", "officer").order_by("pk"):
        cause = _over(session, at=at)
        if cause:
            end_live(session_uid=session.uid, cause=cause, by=None, at=at)
            ended += 1
    over = LiveSession.objects.filter(
        settled_at__isnull=True, ended_at__lte=at - rules.LIVE_SETTLES
    )
    settling = list(over.order_by("pk"))
    for session in settling:
        _settle(session, at=at)
    if settling:
        fleet.forget_segments(at=at)
    live.forget_heard(at=at)
    return ended


def stop_live(*, unit: Unit, at: datetime) -> int:
    """End the sessions that a stop of a unit silences everywhere; return how many."""
    count = 0
    running = LiveSession.objects.filter(ended_at__isnull=True)
    for session in running.prefetch_related("units", "devices__unit").order_by("pk"):
        places = [*session.units.all(), *(d.unit for d in session.devices.all())]
        if all(place.path.startswith(unit.path) for place in places):
            end_live(session_uid=session.uid, cause=rules.LIVE_STOPPED, by=None, at=at)
            count += 1
    return count


def _over(session: LiveSession, *, at: datetime) -> str:
    """Return why a running session is over now; empty when it is not."""
    if session.ends_at <= at:
        return rules.TIME_UP
    if session.paper.state != rules.APPROVED or not session.officer.is_active:
        return rules.AUTHORITY_ENDED
    patience = rules.LIVE_LOST if session.chunks else rules.LIVE_BEGINS
    return rules.LINE_LOST if session.heard_at < at - patience else ""


def _latest_end(
    paper: Paper, units: Sequence[Unit], devices: Sequence[Device], *, at: datetime
) -> datetime:
    """Return when speech must end: 15 minutes, the authority's hours, quiet hours.

    Raises InvalidError inside the quiet hours of anybody who is meant.
    """
    hours = papers.hours_of(units, devices, at=at)
    rules.check_quiet(
        hours, klass="normal", drill=False, start=at, length=timedelta(seconds=1)
    )
    ends_at = min(at + rules.LONGEST_LIVE, authority.ends_at(paper, at=at))
    starts = [
        start
        for quiet in hours
        for start, _stop in quiet.intervals(begin=at, end=ends_at)
    ]
    return min([ends_at, *(start for start in starts if start > at)])


def _open_line(
    session: LiveSession,
    units: Sequence[Unit],
    devices: Sequence[Device],
    *,
    by: Officer,
    at: datetime,
) -> None:
    """Sign the item whole and leave it for the bus, once per carrying unit."""
    item = Item(
        id=session.item,
        broadcast="",
        bulletin="",
        title=TITLE,
        text=f"{session.unit.full_name} đang nói trực tiếp qua loa.",
        rank="live",
        starts_at=milliseconds(at),
        ends_at=milliseconds(session.ends_at),
        shown_until=milliseconds(session.ends_at),
        approved_at=milliseconds(at),
        content_sha256=content_hash(
            {"live": session.uid, "authority": session.paper.sha256}
        ),
        audience=Audience(
            units=tuple(sorted(unit.uid for unit in units)),
            devices=tuple(sorted(device.uid for device in devices)),
        ),
        start="cut",
        after="rejoin",
        level=session.unit.level,
        stream=Stream(session.uid, "live"),
        talk_over=session.talk_over,
        paper=session.paper.uid,
    )
    for unit in session.carriers.order_by("pk"):
        fleet.publish_urgent(
            kind="go",
            unit=unit,
            body={"item": item.encode()},
            use="plan",
            not_after=session.ends_at,
            by=by,
            at=at,
            version=_GO_VERSION,
        )


@transaction.atomic
def _publish(session: LiveSession, mp3: bytes, *, last: bool, at: datetime) -> None:
    """Write a piece's number and leave it for the bus. Raises LiveOverError."""
    open_ones = LiveSession.objects.filter(pk=session.pk, ended_at__isnull=True)
    changed = open_ones.update(
        heard_at=at, chunks=F("chunks") + 1, segments=F("segments") + 1
    )
    if not changed:
        raise LiveOverError(LiveSession.objects.get(pk=session.pk).cause)
    number = open_ones.values_list("segments", flat=True).get()
    body = segment_body(item=session.item, n=number, mp3=mp3, last=last)
    for unit in session.carriers.order_by("pk"):
        fleet.publish_segment(unit=unit, body=body, at=at)


@transaction.atomic
def _end(session: LiveSession, *, cause: str, by: Officer | None, at: datetime) -> None:
    """Write the end, and let devices hear the last words out."""
    line = LiveLine.objects.select_for_update().filter(session=session).first()
    found = LiveSession.objects.filter(pk=session.pk, ended_at__isnull=True)
    if not found.update(ended_at=at, cause=cause, segments=F("segments") + 1):
        return
    mp3 = b""
    if line is not None and line.latest:
        mp3 = live.finish(line)
        live.extend(session, mp3, last=True)
    LiveLine.objects.filter(session=session).delete()
    session.refresh_from_db()
    body = segment_body(item=session.item, n=session.segments, mp3=mp3, last=True)
    for unit in session.carriers.order_by("pk"):
        fleet.publish_segment(unit=unit, body=body, at=at)
    audit.record(
        "schedule.live.ended", target=session, by=by, at=at, data={"cause": cause}
    )


@transaction.atomic
def _settle(session: LiveSession, *, at: datetime) -> None:
    """Call the item back, for devices that did not hear the end."""
    mine = LiveSession.objects.filter(pk=session.pk, settled_at__isnull=True)
    if not mine.update(settled_at=at) or session.ends_at <= at:
        return
    for unit in session.carriers.order_by("pk"):
        fleet.publish_urgent(
            kind="cancel",
            unit=unit,
            body={"items": [session.item], "lane": "plan"},
            use="plan",
            not_after=session.ends_at,
            by=None,
            at=at,
        )


def _tell_approvers(session: LiveSession, *, by: Officer, at: datetime) -> None:
    """Tell all who could have approved: those of the unit, else the nearest above."""
    paper = session.paper
    people.notify(
        officers=[
            officer
            for officer in people_queries.list_approvers(session.unit, at=at)
            if officer.pk != by.pk
        ],
        subject=f"Đang nói trực tiếp: {session.unit.full_name}",
        body=f"{by.full_name} nói theo ủy quyền số {paper.number} “{paper.title}”.",
        url="/nhat-ky/",
        at=at,
        # Who speaks, is cut off and speaks again tells it once; the log has each time.
        once_in=timedelta(hours=1),
    )

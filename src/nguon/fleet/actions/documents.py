"""Signing what devices are told, and leaving it in the outbox.

Call these inside the transaction of the change they speak of: number, signature,
document and outbox row are written together or not at all. Who cannot sign raises.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from nguon.audit import actions as audit
from nguon.core import messages, signing, topics
from nguon.core.errors import ConflictError, InvalidError
from nguon.core.updates import Update
from nguon.fleet import access, commands, keys, poke
from nguon.fleet.actions.bulk import create_rows
from nguon.fleet.models import (
    ACTIVE,
    PLAN,
    SETTINGS,
    UPDATE,
    URGENT,
    URGENT_LANE,
    Command,
    Counter,
    Device,
    GroupMember,
    Media,
    OutboxMessage,
    Rehearsal,
    SignedDocument,
)
from nguon.people.models import Officer
from nguon.territory.models import Unit

NUDGE_LIFE = timedelta(minutes=10)
SETTINGS_LIFE = timedelta(days=3650)
# Live speech that comes later than this is not wanted any more.
SEGMENT_LIFE = timedelta(seconds=10)
# A push travels in one MQTT packet; a longer bulletin belongs in the plan.
MAX_URGENT_BYTES = 256 * 1024
SEGMENT = "segment"


@dataclass(frozen=True)
class UnitBody:
    """The whole plan of one unit, its hash, and the message version that it needs."""

    unit: Unit
    body: Mapping[str, Any]
    sha256: str
    version: int = signing.VERSION


@transaction.atomic
def publish_plan(
    *,
    unit: Unit,
    body: Mapping[str, Any],
    by: Officer | None,
    at: datetime,
    version: int = signing.VERSION,
) -> SignedDocument:
    """Publish a unit's whole plan: numbered, signed, kept, its devices nudged.

    An unchanged plan is returned as it is. Raises CannotSignError.
    """
    held = SignedDocument.objects.filter(
        kind=PLAN, unit=unit, superseded_at__isnull=True
    ).first()
    digest = signing.content_hash(body)
    if held is not None and held.body_sha256 == digest and held.not_after > at:
        return held
    (document,) = publish_plans(
        plans=[UnitBody(unit, body, digest, version)], by=by, at=at
    )
    return document


@transaction.atomic
def publish_plans(
    *, plans: Sequence[UnitBody], by: Officer | None, at: datetime
) -> list[SignedDocument]:
    """Publish the plans of several units, which the caller knows to have changed.

    All or none. Raises CannotSignError.
    """
    numbers = next_numbers(PLAN, [plan.unit.uid for plan in plans])
    SignedDocument.objects.filter(
        kind=PLAN,
        unit__in=[plan.unit for plan in plans],
        superseded_at__isnull=True,
    ).update(superseded_at=at)
    documents = [
        _sign(
            PLAN, lane=PLAN, use="plan", seq=numbers[plan.unit.uid], unit=plan.unit,
            device=None, body=plan.body, not_after=_moment(plan.body["window"]["to"]),
            by=by, at=at, version=plan.version, sha256=plan.sha256,
        )
        for plan in plans
    ]  # fmt: skip
    SignedDocument.objects.bulk_create(documents, batch_size=50)
    nudges = [
        (
            plan.unit.uid,
            messages.encode_nudge(unit=plan.unit.uid, plan=numbers[plan.unit.uid]),
        )
        for plan in plans
    ]
    OutboxMessage.objects.bulk_create(
        OutboxMessage(
            topic=topics.area(uid, "nudge"),
            payload=json.dumps(nudge),
            created_at=at,
            not_after=at + NUDGE_LIFE,
        )
        for uid, nudge in nudges
    )
    poke.on_commit()
    return documents


@transaction.atomic
def publish_urgent(
    *,
    kind: str,
    body: Mapping[str, Any],
    use: str,
    not_after: datetime,
    by: Officer | None,
    at: datetime,
    unit: Unit | None = None,
    device: Device | None = None,
    uid: str = "",
    version: int = signing.VERSION,
) -> SignedDocument:
    """Publish an urgent document: numbered, signed, kept, and pushed whole.

    To a unit's devices, or to one device. `uid` names the document when the caller
    must know it beforehand; `version` 2 is for what old devices must refuse. Raises
    CannotSignError; InvalidError for a kind that is not urgent, a wrong use, a past
    not-after or a document too long to push.
    """
    target = unit or device
    if target is None or (unit is not None and device is not None):
        raise InvalidError("fleet.document_target")
    if kind not in URGENT or signing.use_of(kind, body) != use:
        raise InvalidError("fleet.document_kind", kind=kind, use=use)
    if not_after <= at:
        raise InvalidError("fleet.document_past", kind=kind)
    number = next_numbers(URGENT_LANE, [target.uid])[target.uid]
    document = _sign(
        kind, lane=URGENT_LANE, use=use, seq=number, unit=unit, device=device,
        body=body, not_after=not_after, by=by, at=at, uid=uid, version=version,
    )  # fmt: skip
    if len(document.jws) > MAX_URGENT_BYTES:
        raise InvalidError("fleet.document_too_long", limit=MAX_URGENT_BYTES)
    document.save(force_insert=True)
    _leave(urgent_topic(document), document.jws, at=at, not_after=not_after)
    return document


@transaction.atomic
def publish_segment(*, unit: Unit, body: Mapping[str, Any], at: datetime) -> None:
    """Push a piece of live speech to a unit's devices: signed, but nowhere kept.

    Its number is the piece's own, since devices take each piece of an item once.
    Raises CannotSignError.
    """
    document = _sign(
        SEGMENT, lane=SEGMENT, use="plan", seq=body["n"], unit=unit, device=None,
        body=body, not_after=at + SEGMENT_LIFE, by=None, at=at,
    )  # fmt: skip
    _leave(
        topics.area(unit.uid, "alert"),
        document.jws,
        at=at,
        not_after=at + SEGMENT_LIFE,
    )


def urgent_topic(document: SignedDocument) -> str:
    """Return where an urgent document is pushed: the area's alert, or the device."""
    if document.unit is not None:
        return topics.area(document.unit.uid, "alert")
    if document.device is None:
        raise InvalidError("fleet.document_target")
    return topics.device(document.device.uid, "command")


@transaction.atomic
def prepare_media(
    *, units: Iterable[Unit], media: Iterable[Media], at: datetime
) -> None:
    """Tell the devices of these units to fetch media now, so that a "go" is short."""
    wanted = [{"sha256": file.sha256, "size": file.size} for file in media]
    if not wanted:
        return
    for unit in units:
        nudge = messages.encode_nudge(unit=unit.uid, prepare=wanted)
        _leave(topics.area(unit.uid, "nudge"), json.dumps(nudge), at=at)


@transaction.atomic
def send_command(
    *, device_id: int, verb: str, args: Mapping[str, Any], by: Officer, at: datetime
) -> SignedDocument:
    """Send one device a command that dies after a minute.

    Raises InvalidError (see `commands.check_args`), ConflictError
    `fleet.device_not_active`, and what `check_keeper` raises.
    """
    device = Device.objects.select_related("unit").get(pk=device_id)
    access.check_keeper(by, unit=device.unit, at=at)
    args = commands.check_args(verb, args)
    if device.state != ACTIVE:
        raise ConflictError("fleet.device_not_active")
    return push_command(device=device, verb=verb, args=args, by=by, at=at)


def push_command(
    *,
    device: Device,
    verb: str,
    args: Mapping[str, Any],
    by: Officer | None,
    at: datetime,
) -> SignedDocument:
    """Send a command inside the transaction of whoever may; `by` None: the server.

    Raises CannotSignError.
    """
    row = Command(
        device=device,
        verb=verb,
        args=dict(args),
        state=commands.SENT,
        made_by=by,
        made_at=at,
    )
    (document,) = push_commands([row], at=at)
    row.save(force_insert=True)
    audit.record(
        f"fleet.device.{verb}", target=device, by=by, at=at, data={"args": dict(args)}
    )
    return document


def push_commands(rows: Sequence[Command], *, at: datetime) -> list[SignedDocument]:
    """Sign commands and leave them in the outbox; note in each row that it went.

    The caller writes the rows. Raises CannotSignError.
    """
    numbers = next_numbers(URGENT_LANE, [row.device.uid for row in rows])
    not_after = at + commands.LIFE
    documents = [
        _sign(
            "command", lane=URGENT_LANE, use="command", seq=numbers[row.device.uid],
            unit=None, device=row.device, body={"verb": row.verb, "args": row.args},
            not_after=not_after, by=row.made_by, at=at,
        )
        for row in rows
    ]  # fmt: skip
    create_rows(documents)
    create_rows(
        [
            OutboxMessage(
                topic=urgent_topic(document),
                payload=document.jws,
                created_at=at,
                not_after=not_after,
            )
            for document in documents
        ]
    )
    for row, document in zip(rows, documents, strict=True):
        row.state, row.document, row.sent_at = commands.SENT, document.uid, at
    poke.on_commit()
    return documents


@transaction.atomic
def change_device(
    *,
    device_id: int,
    name: str,
    volume: int,
    languages: Sequence[str],
    by: Officer,
    at: datetime,
) -> Device:
    """Change what a device is told about itself, and sign it anew.

    Raises InvalidError (`fleet.name_missing`, `fleet.volume_range`,
    `fleet.languages_missing`) and what `check_keeper` raises.
    """
    found = Device.objects.select_for_update(of=("self",)).select_related("unit")
    device = found.get(pk=device_id)
    access.check_keeper(by, unit=device.unit, at=at)
    if not 0 < len(name.strip()) <= 120:
        raise InvalidError("fleet.name_missing")
    if not 0 <= volume <= 100:
        raise InvalidError("fleet.volume_range")
    if not languages or not all(0 < len(code) <= 8 for code in languages):
        raise InvalidError("fleet.languages_missing")
    louder = device.volume != volume
    device.name, device.volume = name.strip(), volume
    device.languages = list(dict.fromkeys(languages))
    device.save(update_fields=["name", "name_order", "volume", "languages"])
    if device.state == ACTIVE:
        sign_settings([device], by=by, at=at)
        if louder:
            send_command(
                device_id=device.pk,
                verb="volume",
                args={"volume": volume},
                by=by,
                at=at,
            )
    audit.record("fleet.device.changed", target=device, by=by, at=at)
    return device


def sign_settings(
    devices: Sequence[Device], *, by: Officer | None, at: datetime
) -> None:
    """Sign and keep the settings of active devices; they come with the next state.

    Those of a device that has a rehearsal to pass name it; groups whose ground it has
    left are not named.
    """
    rehearsals = dict(
        Rehearsal.objects.filter(device__in=devices, ended_at__isnull=True).values_list(
            "device_id", "uid"
        )
    )
    numbers = next_numbers(SETTINGS, [device.uid for device in devices])
    SignedDocument.objects.filter(
        kind=SETTINGS, device__in=devices, superseded_at__isnull=True
    ).update(superseded_at=at)
    paths = {device.unit_id: device.unit.ancestor_ids for device in devices}
    units = {device.pk: device.unit_id for device in devices}
    wanted = {pk for path in paths.values() for pk in path}
    uids = dict(Unit.objects.filter(pk__in=wanted).values_list("pk", "uid"))
    members = GroupMember.objects.filter(device__in=devices).select_related("group")
    groups: defaultdict[int, list[str]] = defaultdict(list)
    for member in members.order_by("group__uid"):
        # One that has moved off the group's ground belongs to it no more.
        if member.group.unit_id in paths[units[member.device_id]]:
            groups[member.device_id].append(member.group.uid)
    signed = []
    for device in devices:
        told = messages.Settings(
            device=device.uid,
            kind=device.kind,
            units=tuple(uids[pk] for pk in reversed(paths[device.unit_id])),
            languages=tuple(device.languages),
            groups=tuple(groups[device.pk]),
            volume=device.volume,
            name=device.name,
            rehearsal=rehearsals.get(device.pk, ""),
        )
        signed.append(
            _sign(
                SETTINGS, lane=SETTINGS, use="plan", seq=numbers[device.uid],
                unit=None, device=device, body=told.body(),
                not_after=at + SETTINGS_LIFE, by=by, at=at,
            )
        )  # fmt: skip
    create_rows(signed)


def sign_updates(
    told: Sequence[tuple[Device, Update]], *, by: Officer, at: datetime
) -> list[SignedDocument]:
    """Sign which program devices should run; it comes with their next state.

    Raises CannotSignError.
    """
    devices = [device for device, _update in told]
    numbers = next_numbers(UPDATE, [device.uid for device in devices])
    SignedDocument.objects.filter(
        kind=UPDATE, device__in=devices, superseded_at__isnull=True
    ).update(superseded_at=at)
    signed = [
        _sign(
            UPDATE, lane=UPDATE, use="firmware", seq=numbers[device.uid], unit=None,
            device=device, body=update.body(), not_after=at + SETTINGS_LIFE,
            by=by, at=at,
        )
        for device, update in told
    ]  # fmt: skip
    return SignedDocument.objects.bulk_create(signed, batch_size=200)


def withdraw_documents(uids: Sequence[str], *, at: datetime) -> None:
    """Put documents out of force without a newer one in their place."""
    for start in range(0, len(uids), 500):
        rows = SignedDocument.objects.filter(uid__in=uids[start : start + 500])
        rows.filter(superseded_at__isnull=True).update(superseded_at=at)


def next_numbers(lane: str, targets: Sequence[str]) -> dict[str, int]:
    """Return the next number of each target in a lane; its row stays locked."""
    Counter.objects.bulk_create(
        [Counter(lane=lane, target=target) for target in sorted(targets)],
        ignore_conflicts=True,
        batch_size=300,
    )
    found = {}
    for start in range(0, len(targets), 500):
        rows = Counter.objects.filter(
            lane=lane, target__in=targets[start : start + 500]
        )
        rows.update(value=F("value") + 1)
        found.update(dict(rows.values_list("target", "value")))
    return found


def _sign(
    kind: str,
    *,
    lane: str,
    use: str,
    seq: int,
    unit: Unit | None,
    device: Device | None,
    body: Mapping[str, Any],
    not_after: datetime,
    by: Officer | None,
    at: datetime,
    uid: str = "",
    version: int = signing.VERSION,
    sha256: str = "",
) -> SignedDocument:
    uid = uid or topics.new_uid()
    target = {"unit": unit.uid} if unit else {"device": device.uid if device else ""}
    payload = messages.envelope(
        kind,
        document=uid,
        target=target,
        seq=seq,
        issued_at=to_ms(at),
        not_after=to_ms(not_after),
        body=body,
        version=version,
    )
    signer = keys.ring().signer(use, at=to_ms(at))
    return SignedDocument(
        uid=uid,
        kind=kind,
        lane=lane,
        unit=unit,
        device=device,
        seq=seq,
        body_sha256=sha256 or signing.content_hash(body),
        jws=signer.sign(payload, typ=signing.TYPE_PREFIX + kind),
        issued_by=by,
        issued_at=at,
        not_after=not_after,
    )


def _leave(
    topic: str, payload: str, *, at: datetime, not_after: datetime | None = None
) -> None:
    OutboxMessage.objects.create(
        topic=topic,
        payload=payload,
        created_at=at,
        not_after=not_after or at + NUDGE_LIFE,
    )
    poke.on_commit()


def to_ms(moment: datetime) -> int:
    """Return a moment as it stands on the wire."""
    return round(moment.timestamp() * 1000)


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, tz=UTC)

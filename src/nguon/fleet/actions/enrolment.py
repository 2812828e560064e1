"""Letting devices in and out: claim, enrol, decide, revoke."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from nguon.audit import actions as audit
from nguon.core import signing
from nguon.core.errors import ConflictError, InvalidError
from nguon.fleet import access, keys, poke
from nguon.fleet.actions import documents
from nguon.fleet.actions.signals import ensure_health, retire_health
from nguon.fleet.models import (
    ACTIVE,
    KICK,
    KINDS,
    REJECTED,
    REVOKED,
    WAITING,
    Claim,
    Device,
    OutboxMessage,
)
from nguon.people.models import Officer
from nguon.territory.models import Unit

CLAIM_LIFE = timedelta(days=14)
MAX_CLAIMS = 5_000
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@transaction.atomic
def create_claims(
    *,
    unit: Unit,
    kind: str,
    names: Sequence[str],
    by: Officer,
    at: datetime,
    simulated: bool = False,
) -> list[Claim]:
    """Make one claim code for each name; a device that types it in asks to be let in.

    Raises InvalidError (`fleet.claims_count`, `fleet.kind_unknown`,
    `fleet.name_missing`, `fleet.unit_ended`), what `check_keeper` raises, and
    CannotSignError when there is no root key to pin.
    """
    access.check_keeper(by, unit=unit, at=at)
    if not 1 <= len(names) <= MAX_CLAIMS:
        raise InvalidError("fleet.claims_count", limit=MAX_CLAIMS)
    if kind not in KINDS:
        raise InvalidError("fleet.kind_unknown", kind=kind)
    if not all(0 < len(name.strip()) <= 120 for name in names):
        raise InvalidError("fleet.name_missing")
    if unit.valid_to is not None and unit.valid_to <= at.date():
        raise InvalidError("fleet.unit_ended", unit=unit.full_name)
    mark = signing.fingerprint(keys.ring().root)
    claims = Claim.objects.bulk_create(
        Claim(
            code=_new_code(mark),
            unit=unit,
            kind=kind,
            name=name.strip(),
            simulated=simulated,
            created_by=by,
            created_at=at,
            expires_at=at + CLAIM_LIFE,
        )
        for name in names
    )
    audit.record(
        "fleet.claims.created", target=unit, by=by, at=at, data={"count": len(claims)}
    )
    return claims


@transaction.atomic
def enrol_device(
    *,
    claim_code: str,
    public_key: str,
    kind: str,
    at: datetime,
    make: str = "",
    model: str = "",
    version: str = "",
) -> Device:
    """Register a device that shows a claim code; a person decides later.

    The same device asking again gets the same answer. Raises InvalidError
    (`fleet.claim_unknown`, `fleet.claim_expired`, `fleet.claim_other_kind`,
    `fleet.key_unusable`) or ConflictError (`fleet.claim_used`, `fleet.key_known`).
    """
    key = _read_key(public_key)
    claim = (
        Claim.objects.select_for_update()
        .filter(code=normal_code(claim_code))
        .select_related("unit")
        .first()
    )
    if claim is None:
        raise InvalidError("fleet.claim_unknown")
    if claim.used_by_id is not None:
        return _enrolled_before(claim, key)
    if claim.expires_at <= at:
        raise InvalidError("fleet.claim_expired")
    if claim.kind != kind:
        raise InvalidError("fleet.claim_other_kind", kind=claim.kind)
    if Device.objects.filter(public_key=key).exists():
        raise ConflictError("fleet.key_known")
    device = Device.objects.create(
        kind=claim.kind,
        name=claim.name,
        unit=claim.unit,
        lat=claim.unit.lat,
        lon=claim.unit.lon,
        public_key=key,
        make=make[:60],
        model=model[:60],
        version=version[:40],
        simulated=claim.simulated,
        enrolled_at=at,
    )
    used = Claim.objects.filter(pk=claim.pk, used_by__isnull=True)
    if used.update(used_by=device, used_at=at) != 1:
        raise ConflictError("fleet.claim_used")
    audit.record("fleet.device.enrolled", target=device, by=None, at=at)
    return device


def approve_device(*, device_id: int, by: Officer, at: datetime) -> Device:
    """Let one waiting device in. Raises what `approve_devices` raises."""
    return approve_devices(device_ids=[device_id], by=by, at=at)[0]


@transaction.atomic
def approve_devices(
    *, device_ids: Iterable[int], by: Officer, at: datetime
) -> list[Device]:
    """Let waiting devices in and sign their settings; all of them or none.

    Raises ConflictError `fleet.device_not_waiting`, and what `check_keeper` raises.
    """
    wanted = set(device_ids)
    devices = _lock(wanted, by=by, at=at)
    waiting = Device.objects.filter(pk__in=wanted, state=WAITING)
    if waiting.update(state=ACTIVE, decided_by=by, decided_at=at) != len(wanted):
        raise ConflictError("fleet.device_not_waiting")
    for device in devices:
        device.state, device.decided_by, device.decided_at = ACTIVE, by, at
    ensure_health(at=at)
    documents.sign_settings(devices, by=by, at=at)
    for device in devices:
        audit.record("fleet.device.approved", target=device, by=by, at=at)
    return devices


@transaction.atomic
def reject_device(*, device_id: int, by: Officer, at: datetime) -> Device:
    """Turn a waiting device away. Raises ConflictError `fleet.device_not_waiting`."""
    (device,) = _lock({device_id}, by=by, at=at)
    waiting = Device.objects.filter(pk=device_id, state=WAITING)
    if waiting.update(state=REJECTED, decided_by=by, decided_at=at) != 1:
        raise ConflictError("fleet.device_not_waiting")
    audit.record("fleet.device.rejected", target=device, by=by, at=at)
    device.refresh_from_db()
    return device


@transaction.atomic
def revoke_device(*, device_id: int, by: Officer, at: datetime) -> Device:
    """Shut a device out for good and have the gateway cut it off at once.

    Raises ConflictError `fleet.device_not_active`.
    """
    (device,) = _lock({device_id}, by=by, at=at)
    active = Device.objects.filter(pk=device_id, state=ACTIVE)
    changed = active.update(
        state=REVOKED, decided_by=by, decided_at=at, connected=False
    )
    if changed != 1:
        raise ConflictError("fleet.device_not_active")
    retire_health(device_id=device_id, at=at)
    OutboxMessage.objects.create(
        topic=KICK + device.uid,
        payload="",
        created_at=at,
        not_after=at + timedelta(days=1),
    )
    poke.on_commit()
    audit.record("fleet.device.revoked", target=device, by=by, at=at)
    device.refresh_from_db()
    return device


def normal_code(text: str) -> str:
    """Return a claim code as it is stored, however it was typed."""
    letters = "".join(letter for letter in text.upper() if letter in _LETTERS)
    return "-".join(letters[start : start + 4] for start in range(0, 16, 4))[:19]


def _new_code(mark: str) -> str:
    secret = "".join(secrets.choice(_LETTERS) for _ in range(8))
    return normal_code(secret + mark)


def _read_key(text: str) -> str:
    try:
        return signing.PublicKey(text.strip().rstrip("=")).x
    except signing.DocumentRefusedError as error:
        raise InvalidError("fleet.key_unusable") from error


def _enrolled_before(claim: Claim, key: str) -> Device:
    device = claim.used_by
    if device is None or device.public_key != key:
        raise ConflictError("fleet.claim_used")
    return device


def _lock(wanted: set[int], *, by: Officer, at: datetime) -> list[Device]:
    found = Device.objects.select_for_update(of=("self",)).filter(pk__in=wanted)
    devices = list(found.select_related("unit").order_by("pk"))
    if len(devices) != len(wanted):
        raise ConflictError("fleet.device_not_waiting")
    for unit in {device.unit for device in devices}:
        access.check_keeper(by, unit=unit, at=at)
    return devices

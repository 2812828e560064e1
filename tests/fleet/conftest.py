"""A fleet to test with: keys, claims, a device that holds its own key."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from nguon.core import signing
from nguon.core.signing import SigningKey
from nguon.fleet import actions, health, keys
from nguon.fleet.models import ACTIVE, Device, Health, Registration
from nguon.people.models import Officer
from nguon.territory.models import Unit


@dataclass
class Speaker:
    """A device as the server knows it, and the private key only it has."""

    row: Device
    key: SigningKey

    def bearer(self, at: datetime) -> dict[str, str]:
        """Return the header of a sign-in at a moment."""
        token = signing.device_token(
            self.key, device=self.row.uid, at=round(at.timestamp() * 1000)
        )
        return {"authorization": f"Bearer {token}"}


@pytest.fixture
def key_ring(tmp_path: Path, settings: object, now: datetime) -> keys.Ring:
    """Keys of a province of its own for each test."""
    settings.KEYS_DIR = tmp_path / "keys"  # type: ignore[attr-defined]
    settings.MEDIA_DIR = tmp_path / "media"  # type: ignore[attr-defined]
    keys.make(at=now)
    return keys.ring()


@pytest.fixture
def enrol(key_ring: keys.Ring, tung: Officer, now: datetime) -> Callable[..., Speaker]:
    """Return a function that takes a new device from claim to approval."""

    def _enrol(
        unit: Unit,
        *,
        name: str = "Loa làng",
        kind: str = "speaker",
        approve: bool = True,
    ) -> Speaker:
        key = SigningKey.generate()
        (claim,) = actions.create_claims(
            unit=unit, kind=kind, names=[name], by=tung, at=now
        )
        row = actions.enrol_device(
            claim_code=claim.code, public_key=key.public.x, kind=kind, at=now
        )
        if approve:
            row = actions.approve_device(device_id=row.pk, by=tung, at=now)
        return Speaker(row=row, key=key)

    return _enrol


def payload(jws: str) -> dict[str, object]:
    """Return what a signed document says, unchecked."""
    _header, body = signing.read(jws)
    return json.loads(json.dumps(body))


@pytest.fixture
def install(tung: Officer, now: datetime) -> Callable[..., list[Device]]:
    """Return a function that puts up devices that have sounded and are connected."""

    def _install(unit: Unit, count: int = 1, *, mast: str = "") -> list[Device]:
        rows = Device.objects.bulk_create(
            Device(
                kind="speaker",
                name=f"Loa {unit.name} {n}",
                unit=unit,
                state=ACTIVE,
                public_key=SigningKey.generate().public.x,
                enrolled_at=now,
                decided_by=tung,
                decided_at=now,
                connected=True,
            )
            for n in range(count)
        )
        actions.ensure_health(at=now)
        keys = [row.pk for row in rows]
        Health.objects.filter(pk__in=keys).update(
            state=health.ACTIVE,
            heard_at=now,
            decoded_at=now - timedelta(minutes=1),
            look_at=None,
        )
        Registration.objects.filter(pk__in=keys).update(mast=mast)
        return rows

    return _install

"""A commune with two speakers, and the way of a bulletin up to its approval."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

import pytest

from nguon.core.signing import SigningKey
from nguon.fleet import actions as fleet
from nguon.fleet import keys
from nguon.fleet.models import ACTIVE, Device
from nguon.newsroom import actions as newsroom
from nguon.newsroom.models import Bulletin
from nguon.newsroom.rules import Draft
from nguon.people.models import Officer
from nguon.schedule import actions, rules
from nguon.schedule.models import Broadcast
from nguon.territory.models import Unit

Send = Callable[..., Broadcast]
SHELF = rules.Timing(rules.SHELF)


@pytest.fixture(scope="session")
def signing_keys(tmp_path_factory: pytest.TempPathFactory) -> object:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(autouse=True)
def server_keys(settings: object, signing_keys: object, now: datetime) -> None:
    settings.KEYS_DIR = signing_keys  # type: ignore[attr-defined]
    keys.make(at=now)


def make_device(unit: Unit, by: Officer, at: datetime, name: str = "Cụm loa") -> Device:
    return Device.objects.create(
        kind="speaker",
        name=name,
        unit=unit,
        state=ACTIVE,
        public_key=SigningKey.generate().public.x,
        enrolled_at=at,
        decided_by=by,
        decided_at=at,
    )


@pytest.fixture
def speakers(village: Unit, tung: Officer, now: datetime) -> list[Device]:
    return [make_device(village, tung, now, f"Cụm loa {n}") for n in (1, 2)]


def voice_all(at: datetime) -> None:
    """Give every sound that is asked for a short stand-in; the worker has its tests."""
    while (claimed := newsroom.claim_rendition(at=at)) is not None:
        media = fleet.store_media(
            data=claimed.key.encode(), mime="audio/mpeg", duration_ms=4000, at=at
        )
        newsroom.finish_rendition(
            rendition_id=claimed.pk,
            lease=claimed.lease,
            media=media,
            sound=newsroom.Sound(
                duration_ms=4000, loudness_lufs=-16, true_peak_dbtp=-2, peaks=[0]
            ),
            at=at,
        )
    actions.prepare_ready(at=at)


def attach(
    bulletin: Bulletin, attached: Mapping[str, bytes], *, by: Officer, at: datetime
) -> None:
    for name, data in attached.items():
        newsroom.add_attachment(
            bulletin_id=bulletin.pk,
            name=name,
            data=data,
            caption=f"Kèm {name}",
            by=by,
            at=at,
        )


@pytest.fixture
def send(lan: Officer, ia_grai: Unit, speakers: list[Device], now: datetime) -> Send:
    """Write and send a bulletin as Lan; return it waiting for approval."""

    def do(
        klass: str = "normal",
        timing: rules.Timing | None = None,
        at: datetime = now,
        attached: Mapping[str, bytes] = MappingProxyType({}),
        **more: object,
    ) -> Broadcast:
        draft = Draft("Họp dân", "Mời bà con họp lúc 19h00.", klass=klass)
        drill = bool(more.pop("drill", False))
        bulletin = newsroom.create_bulletin(
            unit=ia_grai, draft=draft, drill=drill, by=lan, at=at
        )
        attach(bulletin, attached, by=lan, at=at)
        choice: dict[str, object] = {"units": [ia_grai], "devices": []} | more
        broadcast = actions.submit(
            bulletin_id=bulletin.pk,
            timing=timing or rules.Timing(rules.NOW),
            by=lan,
            at=at,
            **choice,
        )
        voice_all(at)
        broadcast.refresh_from_db()
        return broadcast

    return do


@pytest.fixture
def from_above(
    province: Unit,
    dak_doa: Unit,
    speakers: list[Device],
    quan: Officer,
    tung: Officer,
    admin: Officer,
    now: datetime,
) -> Send:
    """Let the province write, and release, for two communes with devices."""
    make_device(dak_doa, tung, now, "Loa Đak Đoa")

    def do(
        klass: str = "normal",
        timing: rules.Timing = SHELF,
        at: datetime = now,
        title: str = "Giá phân bón",
        attached: Mapping[str, bytes] = MappingProxyType({}),
    ) -> Broadcast:
        draft = Draft(title, "Sở thông báo tới bà con.", klass=klass)
        bulletin = newsroom.create_bulletin(unit=province, draft=draft, by=quan, at=at)
        attach(bulletin, attached, by=quan, at=at)
        broadcast = actions.submit(
            bulletin_id=bulletin.pk,
            timing=timing,
            units=[province],
            devices=[],
            by=quan,
            at=at,
        )
        voice_all(at)
        broadcast.refresh_from_db()
        return actions.release(
            broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=admin, at=at
        )

    return do

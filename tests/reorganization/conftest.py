"""An old map with things on it: two communes go whole into Ia Grai, one is divided."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pytest

from nguon.core.signing import SigningKey
from nguon.fleet.models import (
    ACTIVE,
    Device,
    DeviceGroup,
    GroupMember,
    Health,
    Registration,
)
from nguon.people import actions as people
from nguon.people.models import Officer
from nguon.registers.models import Station
from nguon.reorganization import actions, preview
from nguon.reorganization.models import Merge
from nguon.territory.models import Unit
from tests.conftest import MERGER, make_officer, make_unit
from tests.fleet.conftest import key_ring
from tests.plan.conftest import old_map, past_unit, tri

__all__ = ["key_ring", "old_map", "past_unit", "tri"]


def make_device(unit: Unit, name: str, *, by: Officer, at: datetime) -> Device:
    """Write an active speaker with its health and register, as after approval."""
    device = Device.objects.create(
        kind="speaker",
        name=name,
        unit=unit,
        public_key=SigningKey.generate().public.x,
        enrolled_at=at,
        state=ACTIVE,
        decided_by=by,
        decided_at=at,
    )
    commune = unit.parent if unit.kind == "village" else unit
    Health.objects.create(device=device, commune=commune, state_since=at)
    Registration.objects.create(device=device)
    return device


@dataclass
class World:
    """Old units by their part in the story, and what stands on them."""

    old: Unit
    west: Unit
    east: Unit
    to: Unit
    kha: Unit
    doa: Unit
    village: Unit
    devices: Sequence[Device]
    group: DeviceGroup
    siu: Officer


@pytest.fixture
def world(
    key_ring: object,
    old_map: Sequence[Unit],
    quan: Officer,
    now: datetime,
) -> World:
    """Return the old map with devices, a group, an officer, a village, a station."""
    old, west, east, to, kha, doa = old_map
    village = make_unit("village", "V1", "Làng Jút", to, population=300)
    Unit.objects.filter(pk=village.pk).update(valid_from=date(2020, 1, 1))
    village.refresh_from_db()
    devices = [
        make_device(to, "Loa Ia Tô", by=quan, at=now),
        make_device(village, "Loa làng Jút", by=quan, at=now),
        make_device(kha, "Loa Ia Kha", by=quan, at=now),
    ]
    group = DeviceGroup.objects.create(
        unit=to, name="Trường học", made_by=quan, made_at=now
    )
    GroupMember.objects.create(group=group, device=devices[0])
    devices[1].registration.villages.add(village)
    siu = make_officer("siu", "Siu H'Lan", (to, "author"), (kha, "author"))
    for unit in (to, kha):
        Station.objects.create(
            unit=unit, name="Đài truyền thanh xã", folded="dai truyen thanh xa",
            kind="fm", year=2015, source="province", added_by=quan, added_at=now,
        )  # fmt: skip
    return World(old, west, east, to, kha, doa, village, devices, group, siu)


@pytest.fixture
def tra(province: Unit) -> Officer:
    """Return the province's author who draws merges up."""
    return make_officer("tra", "Rơ Châm Trà", (province, "author"))


@pytest.fixture
def draft(
    world: World, province: Unit, tra: Officer, now: datetime
) -> Callable[..., Merge]:
    """Return a function that draws up the merge of everything."""

    def _draft(title: str = "Sắp xếp năm 2025") -> Merge:
        return actions.draft_merge(
            unit=province, day=MERGER, heirs=[], title=title, by=tra, at=now
        )

    return _draft


@pytest.fixture
def run(tri: Officer, now: datetime) -> Callable[..., Merge]:
    """Return a function that has the second person run a merge as it is seen now."""

    def _run(merge: Merge, by: Officer = tri, at: datetime = now) -> Merge:
        seen = preview.look(merge, at=at)
        return actions.run_merge(
            merge_uid=merge.uid,
            sha256=seen.sha256,
            knows_silence=True,
            by=by,
            at=at,
        )

    return _run


def give_role(officer: Officer, unit: Unit, kind: str, at: datetime) -> None:
    """Give an officer one more role."""
    people.grant_role(officer=officer, unit=unit, kind=kind, by=None, at=at)

"""On any small map, a run and its undo leave everything as it was."""

from datetime import date, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nguon.fleet.models import Device, DeviceGroup, GroupMember
from nguon.people.models import Officer
from nguon.reorganization import actions, preview
from nguon.territory.models import Succession, Unit
from tests.conftest import MERGER, make_officer, make_unit
from tests.reorganization.conftest import key_ring, make_device, past_unit, tri
from tests.reorganization.test_merge import state_of_world, units_told

__all__ = ["key_ring", "tri"]
pytestmark = pytest.mark.django_db

# For each old commune the new ones that it went into, 0 to 2 of them by number.
HEIRS = st.lists(
    st.lists(st.integers(0, 2), min_size=1, max_size=2, unique=True),
    min_size=1,
    max_size=5,
)


@given(
    heirs=HEIRS,
    devices=st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=6),
    names=st.lists(st.sampled_from(["Chợ", "Trường"]), max_size=4),
    roles=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4)), max_size=6),
    choice=st.integers(0, 2),
)
@settings(
    max_examples=20,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
    ],
)
def test_run_and_undo_are_the_identity(
    province: Unit,
    key_ring: object,
    tri: Officer,
    quan: Officer,
    now: datetime,
    heirs: list[list[int]],
    devices: list[tuple[int, bool]],
    names: list[str],
    roles: list[tuple[int, int]],
    choice: int,
) -> None:
    with transaction.atomic():
        _build(province, quan, now, heirs, devices, names, roles)
        before = state_of_world()
        counts = (Device.objects.count(), DeviceGroup.objects.count())
        merge = actions.draft_merge(
            unit=province, day=MERGER, heirs=[], title="Thử", by=quan, at=now
        )
        while opened := preview.look(merge, at=now).open:
            place = opened[0][0]
            options = [*place.options, None]
            heir = options[choice % len(options)]
            actions.choose_heir(
                merge_uid=merge.uid,
                old_id=place.old.pk,
                heir_id=heir.pk if heir else None,
                by=quan,
                at=now,
            )
        seen = preview.look(merge, at=now)
        actions.run_merge(
            merge_uid=merge.uid,
            sha256=seen.sha256,
            knows_silence=True,
            by=tri,
            at=now,
        )

        assert (Device.objects.count(), DeviceGroup.objects.count()) == counts
        for device in Device.objects.filter(unit__path__startswith=province.path):
            uids = [Unit.objects.get(pk=pk).uid for pk in device.unit.ancestor_ids]
            assert units_told(device) == uids[::-1]

        actions.undo_merge(merge_uid=merge.uid, by=tri, at=now + timedelta(minutes=1))
        assert state_of_world() == before
        transaction.set_rollback(True)


def _build(
    province: Unit,
    quan: Officer,
    now: datetime,
    heirs: list[list[int]],
    devices: list[tuple[int, bool]],
    names: list[str],
    roles: list[tuple[int, int]],
) -> None:
    """Write the map, and what stands on it."""
    news = [make_unit("commune", f"N{n}", f"Xã Mới {n}", province) for n in range(3)]
    old = past_unit("province", "64", "Tỉnh Cũ")
    district = past_unit("district", "600", "Huyện Cũ", old)
    olds = []
    for number, mine in enumerate(heirs):
        unit = past_unit("commune", f"O{number}", f"Xã Cũ {number}", district)
        olds.append(unit)
        for position, new in enumerate(mine):
            kind = "whole" if len(mine) == 1 else ("part-main", "part")[position]
            Succession.objects.create(old=unit, new=news[new], kind=kind)
    for number, (place, is_village) in enumerate(devices):
        unit = olds[place % len(olds)]
        if is_village:
            unit = make_unit("village", f"V{number}", "Thôn 1", unit)
            Unit.objects.filter(pk=unit.pk).update(valid_from=date(2020, 1, 1))
        device = make_device(unit, f"Loa {number}", by=quan, at=now)
        if is_village:
            device.registration.villages.add(unit)
    for number, name in enumerate(names):
        unit = olds[number % len(olds)]
        group, _new = DeviceGroup.objects.get_or_create(
            unit=unit, name=name, defaults={"made_by": quan, "made_at": now}
        )
        for device in Device.objects.filter(unit=unit):
            GroupMember.objects.get_or_create(group=group, device=device)
    for who in (0, 1):
        places = {olds[place % len(olds)] for one, place in roles if one == who}
        make_officer(f"cb{who}", f"Cán bộ {who}", *((u, "author") for u in places))

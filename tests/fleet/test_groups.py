"""A named group is chosen for commands, rollouts and places, on its own ground only."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client

from nguon.core import signing
from nguon.core.errors import AbsentError, ConflictError, InvalidError
from nguon.fleet import access, actions, queries, rollouts
from nguon.fleet.models import (
    Batch,
    Device,
    DeviceGroup,
    GroupMember,
    SignedDocument,
)
from nguon.fleet.rollouts import Wish
from nguon.people.models import TECHNICIAN, Officer
from nguon.schedule import inspection, paper_choices, papers
from nguon.territory.models import Unit
from tests.conftest import make_officer, make_unit
from tests.fleet.conftest import Speaker

Enrol = Callable[..., Speaker]


@pytest.fixture
def three(enrol: Enrol, village: Unit, now: datetime) -> list[Device]:
    found = [enrol(village, name=f"Loa {n}").row for n in range(3)]
    actions.ensure_health(at=now)
    return found


@pytest.fixture
def schools(
    three: list[Device], ia_grai: Unit, tung: Officer, now: datetime
) -> DeviceGroup:
    """Return a group of the first two of three devices."""
    group = actions.save_group(unit=ia_grai, name=" Trường  học ", by=tung, at=now)
    chosen = Device.objects.filter(pk__in=[one.pk for one in three[:2]])
    assert actions.join_group(group=group, devices=chosen, by=tung, at=now) == 2
    return group


def told(device: Device) -> list[str]:
    """Return the groups that the device's settings in force name."""
    held = SignedDocument.objects.get(
        kind="settings", device=device, superseded_at=None
    )
    return list(signing.read(held.jws)[1]["groups"])


def test_a_device_learns_its_groups_by_its_signed_settings(
    schools: DeviceGroup, three: list[Device], tung: Officer, now: datetime
) -> None:
    assert schools.name == "Trường học"
    assert [told(one) for one in three] == [[schools.uid], [schools.uid], []]
    first = Device.objects.filter(pk=three[0].pk)

    assert actions.join_group(group=schools, devices=first, by=tung, at=now) == 0
    assert actions.leave_group(group=schools, devices=first, by=tung, at=now) == 1

    assert told(three[0]) == []
    assert list(queries.list_members(schools)) == [three[1]]


def test_a_device_that_moved_away_belongs_to_the_group_no_more(
    schools: DeviceGroup, three: list[Device], dak_doa: Unit, tung: Officer,
    now: datetime,
) -> None:  # fmt: skip
    device = Device.objects.select_related("unit").get(pk=three[0].pk)
    device.unit = dak_doa
    device.save(update_fields=["unit"])
    actions.documents.sign_settings([device], by=tung, at=now)

    assert told(device) == []


def test_a_group_takes_none_from_elsewhere_and_nobody_elsewhere_touches_it(
    schools: DeviceGroup, enrol: Enrol, dak_doa: Unit, hoa: Officer, now: datetime
) -> None:
    both = make_officer(
        "ky", "Ksor Ký", (dak_doa, TECHNICIAN), (schools.unit, TECHNICIAN)
    )
    far = make_unit("village", "D1", "Làng Biă", dak_doa)
    other = Device.objects.create(
        kind="speaker", name="Loa Biă", unit=far, state="active", public_key="k" * 43,
        enrolled_at=now, decided_by=both, decided_at=now,
    )  # fmt: skip
    foreign = Device.objects.filter(pk=other.pk)

    with pytest.raises(InvalidError, match="group_outside"):
        actions.join_group(group=schools, devices=foreign, by=both, at=now)
    with pytest.raises(DatabaseError), transaction.atomic():
        GroupMember.objects.create(group=schools, device=other)
    with pytest.raises(AbsentError):
        access.access_group(hoa, schools.uid, at=now)
    for act in (actions.join_group, actions.leave_group):
        with pytest.raises(AbsentError):
            act(group=schools, devices=Device.objects.all(), by=hoa, at=now)
    assert access.access_group(both, schools.uid, at=now) == schools


def test_a_name_is_said_once_and_not_empty(
    schools: DeviceGroup, tung: Officer, now: datetime
) -> None:
    asked = {"unit": schools.unit, "by": tung, "at": now}
    with pytest.raises(ConflictError, match="group_exists"):
        actions.save_group(**asked, name="Trường học")
    with pytest.raises(InvalidError, match="group_name"):
        actions.save_group(**asked, name="  ")
    with pytest.raises(IntegrityError), transaction.atomic():
        DeviceGroup.objects.create(
            unit=schools.unit, name="Trường học", made_by=tung, made_at=now
        )
    assert actions.save_group(**asked, name="Trường", group=schools).name == "Trường"


def test_a_stage_of_a_rollout_takes_a_group(
    schools: DeviceGroup, three: list[Device]
) -> None:
    candidates = queries.list_candidates(Device.objects.all())
    stages = [
        Wish(rollouts.GROUP, (schools.uid,), success=100, error=0),
        Wish(rollouts.REST),
    ]

    shares = rollouts.share_out(candidates, stages, seed="s")

    assert [set(share) for share in shares] == [
        {three[0].pk, three[1].pk},
        {three[2].pk},
    ]


def test_the_places_of_a_paper_offer_and_name_groups_of_its_ground(
    schools: DeviceGroup, ia_grai: Unit, dak_doa: Unit, now: datetime
) -> None:
    audience = paper_choices.Audience(groups=(schools.uid,))

    (choice,) = paper_choices.list_places(ia_grai, audience, at=now).groups
    assert (choice.uid, choice.name, choice.chosen) == (schools.uid, "Trường học", True)
    assert not paper_choices.list_places(dak_doa, audience, at=now).groups
    where = papers.read_places([audience])
    assert ia_grai.uid in where[schools.uid]
    assert dak_doa.uid not in where[schools.uid]
    assert inspection.names_for([], ia_grai) == {}


def test_a_technician_makes_a_group_and_commands_it(
    client: Client, three: list[Device], tung: Officer, hoa: Officer
) -> None:
    client.force_login(tung)
    uids = [one.uid for one in three[:2]]

    chosen = client.get("/thiet-bi/nhom/xep/", {"may": uids})
    assert chosen.status_code == 200
    client.post(
        "/thiet-bi/nhom/xep/",
        {"may": uids, "name": "Ven hồ", "unit": three[0].unit.parent.uid},
    )
    group = DeviceGroup.objects.get()
    page = client.get(f"/thiet-bi/nhom/{group.uid}/").content.decode()
    assert "Ven hồ" in page
    assert "Loa 2" not in page
    assert "Ven hồ" in client.get("/thiet-bi/nhom/").content.decode()
    assert "Loa 1" in client.get("/thiet-bi/nhom/xuat.csv").content.decode()
    listed = client.get(
        f"/thiet-bi/?nhom={group.uid}", headers={"accept": "application/json"}
    )
    assert {row["device"] for row in listed.json()["devices"]} == set(uids)
    client.post(
        f"/thiet-bi/lenh/moi/?nhom={group.uid}",
        {"verb": "volume", "volume": "55", "sure": "2"},
    )
    batch = Batch.objects.get()
    assert batch.chosen == "nhóm Ven hồ"
    assert set(batch.commands.values_list("device__uid", flat=True)) == set(uids)
    client.post(f"/thiet-bi/nhom/{group.uid}/", {"may": uids[:1]})
    assert GroupMember.objects.get().device == three[1]

    client.force_login(hoa)
    assert client.get(f"/thiet-bi/nhom/{group.uid}/").status_code == 404
    assert client.get(f"/thiet-bi/?nhom={group.uid}").status_code == 404
    assert client.post(f"/thiet-bi/nhom/{group.uid}/", {"may": uids}).status_code == 404
    assert GroupMember.objects.count() == 1

"""A bulletin sent to a named group is sent to its devices of that moment, no other."""

from collections.abc import Callable
from datetime import datetime, time
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from nguon.core.messages import Audience
from nguon.fleet import actions as fleet
from nguon.fleet import queries as fleet_queries
from nguon.fleet.models import Device, DeviceGroup
from nguon.newsroom import actions as newsroom
from nguon.newsroom.models import Bulletin
from nguon.newsroom.rules import Draft
from nguon.people.models import Officer
from nguon.schedule import actions, station
from nguon.schedule.authority import NoAuthorityError
from nguon.schedule.items import ItemMaker, hash_of
from nguon.schedule.models import (
    AudienceMember,
    Broadcast,
    ChosenGroup,
    LiveSession,
)
from nguon.territory.models import Unit
from tests.schedule.conftest import make_device, voice_all
from tests.schedule.test_authority import make_authority

Send = Callable[..., Broadcast]


@pytest.fixture
def bulletin(ia_grai: Unit, lan: Officer, now: datetime) -> Bulletin:
    draft = Draft("Họp dân", "Mời bà con họp lúc 19h00.")
    return newsroom.create_bulletin(unit=ia_grai, draft=draft, by=lan, at=now)


@pytest.fixture
def school(
    ia_grai: Unit, village: Unit, speakers: list[Device], tung: Officer, now: datetime
) -> DeviceGroup:
    """Return a group of one speaker in use and one that is not."""
    group = fleet.save_group(unit=ia_grai, name="Trường học", by=tung, at=now)
    old = make_device(village, tung, now, "Loa cũ")
    chosen = Device.objects.filter(pk__in=[speakers[0].pk, old.pk])
    fleet.join_group(group=group, devices=chosen, by=tung, at=now)
    Device.objects.filter(pk=old.pk).update(state="revoked")
    return group


def test_a_group_means_its_devices_of_that_moment_within_the_hash(
    send: Send,
    school: DeviceGroup,
    speakers: list[Device],
    minh: Officer,
    tung: Officer,
    now: datetime,
) -> None:
    without = send(units=[], devices=[speakers[0]])
    broadcast = send(units=[], devices=[], groups=[school])
    late = Device.objects.filter(pk=speakers[1].pk)
    fleet.join_group(group=school, devices=late, by=tung, at=now)
    fleet.save_group(unit=school.unit, name="Các trường", by=tung, at=now, group=school)

    chosen = broadcast.groups.get()
    assert (chosen.name, chosen.devices) == ("Trường học", [speakers[0].uid])
    assert ItemMaker(broadcast).audience == Audience(devices=(speakers[0].uid,))
    assert broadcast.sha256 != without.sha256
    assert hash_of(broadcast) == broadcast.sha256
    actions.release(
        broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=minh, at=now
    )
    meant = AudienceMember.objects.filter(broadcast=broadcast)
    assert [one.device_id for one in meant] == [speakers[0].pk]


def test_the_database_keeps_a_chosen_group_as_it_was_sent(
    send: Send, school: DeviceGroup, speakers: list[Device]
) -> None:
    broadcast = send(units=[], devices=[], groups=[school])
    other = send(units=[], devices=[speakers[0]])
    chosen = broadcast.groups.all()

    with pytest.raises(DatabaseError), transaction.atomic():
        chosen.update(devices=[speakers[1].uid])
    with pytest.raises(DatabaseError), transaction.atomic():
        chosen.delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        ChosenGroup.objects.create(broadcast=other, group=school, name="x")


def test_an_empty_group_and_one_of_other_ground_are_refused(
    client: Client,
    bulletin: Bulletin,
    school: DeviceGroup,
    dak_doa: Unit,
    province: Unit,
    lan: Officer,
    admin: Officer,
    now: datetime,
) -> None:
    away = fleet.save_group(unit=dak_doa, name="Chợ", by=admin, at=now)
    wide = fleet.save_group(unit=province, name="Đập", by=admin, at=now)
    address = f"/ban-tin/{bulletin.uid}/phat/"
    client.force_login(lan)

    found = [
        client.post(address, {"timing": "now", "groups": group.uid}).status_code
        for group in (away, wide)
    ]
    fleet.leave_group(
        group=school, devices=fleet_queries.list_members(school), by=admin, at=now
    )
    empty = client.post(address, {"timing": "now", "groups": school.uid})

    assert found == [404, 404]
    assert empty.status_code == 422
    assert "không có thiết bị nào đang dùng" in empty.content.decode()
    assert not Broadcast.objects.exists()


def test_a_group_is_offered_counted_and_shown_with_its_names_to_who_approves(
    client: Client,
    bulletin: Bulletin,
    school: DeviceGroup,
    speakers: list[Device],
    lan: Officer,
    minh: Officer,
    hoa: Officer,
    tung: Officer,
    now: datetime,
) -> None:
    form = {"timing": "now", "groups": school.uid}
    address = f"/ban-tin/{bulletin.uid}/phat/"
    client.force_login(lan)
    offered = client.get(address).content.decode()
    reach = client.post(f"/ban-tin/{bulletin.uid}/tam-phat/", form)
    client.post(address, form)
    broadcast = Broadcast.objects.get()
    voice_all(timezone.now())
    again = client.get(address).content.decode()
    late = Device.objects.filter(pk=speakers[1].pk)
    fleet.join_group(group=school, devices=late, by=tung, at=now)
    client.force_login(minh)
    page = client.get(f"/duyet/{broadcast.uid}/").content.decode()
    client.force_login(hoa)
    foreign = client.get(f"/duyet/{broadcast.uid}/")

    assert "Nhóm Trường học" in offered
    assert "<b>1</b>" in reach.content.decode()
    assert f'value="{school.uid}" checked' in again
    assert f'value="{speakers[0].uid}" checked' not in again
    assert "Nhóm Trường học: 1 thiết bị" in page
    assert speakers[0].name in page
    assert "nhóm Trường học thêm 1 thiết bị" in page
    assert foreign.status_code == 404


def test_announcing_at_once_and_speaking_offer_the_same_groups(
    client: Client,
    bulletin: Bulletin,
    school: DeviceGroup,
    speakers: list[Device],
    dak_doa: Unit,
    ia_grai: Unit,
    lan: Officer,
    minh: Officer,
    admin: Officer,
    now: datetime,
    settings: Any,
) -> None:
    settings.QUIET_HOURS = ""
    foreign = fleet.save_group(unit=dak_doa, name="Chợ", by=admin, at=now)
    # An authority for a group is one for its devices of that moment, and no more.
    make_authority(
        ia_grai,
        lan,
        by=minh,
        at=now,
        acts=(station.ANNOUNCE, station.LIVE),
        places=Audience(groups=(school.uid,)),
        begin=time(0),
        end=time(0),
    )
    client.force_login(lan)
    address, json = f"/phat-ngay/{bulletin.uid}/", {"accept": "application/json"}

    page = client.get(f"{address}?groups={school.uid}").text
    speaking = client.get("/noi-truc-tiep/").text
    begun = client.post(
        "/noi-truc-tiep/bat-dau/", {"groups": school.uid}, headers=json
    ).json()
    refused = [
        client.post(
            "/noi-truc-tiep/bat-dau/", {"groups": uid}, headers=json
        ).status_code
        for uid in (foreign.uid, "khong-co")
    ]
    sent = client.post(
        address,
        {"text": "Mời họp.", "act": "send", "groups": school.uid, "revision": "1"},
    )

    for html in (page, speaking):
        assert "Nhóm Trường học" in html
        assert "Nhóm Chợ" not in html
    assert f'value="{school.uid}" checked' in page
    assert f'value="{ia_grai.uid}" data-whole checked' not in page
    assert LiveSession.objects.get(uid=begun["uid"]).devices.get() == speakers[0]
    assert refused == [404, 404]
    assert sent.status_code == 302
    broadcast = Broadcast.objects.get()
    assert broadcast.groups.get().devices == [speakers[0].uid]
    with pytest.raises(NoAuthorityError):
        actions.start_live(units=[], devices=speakers, by=lan, at=now)

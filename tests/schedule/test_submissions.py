"""Sending for approval: whose ground, which devices, one sending at a time."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from nguon.core.errors import AbsentError, InvalidError, RefusedError
from nguon.fleet.models import Device
from nguon.newsroom import actions as newsroom
from nguon.newsroom.models import Bulletin, Rendition
from nguon.newsroom.rules import Draft
from nguon.people import actions as people
from nguon.people.models import Notice, Officer, Role
from nguon.schedule import access, actions, queries, rules
from nguon.schedule.models import AudienceMember, Broadcast
from nguon.territory.models import Unit
from tests.schedule.conftest import make_device, voice_all

Send = Callable[..., Broadcast]
NOW = rules.Timing(rules.NOW)


@pytest.fixture
def bulletin(ia_grai: Unit, lan: Officer, now: datetime) -> Bulletin:
    draft = Draft("Họp dân", "Mời bà con họp lúc 19h00.")
    return newsroom.create_bulletin(unit=ia_grai, draft=draft, by=lan, at=now)


def submit(
    bulletin: Bulletin,
    by: Officer,
    at: datetime,
    units: list[Unit],
    devices: list[Device] | None = None,
) -> Broadcast:
    return actions.submit(
        bulletin_id=bulletin.pk,
        timing=NOW,
        units=units,
        devices=devices or [],
        by=by,
        at=at,
    )


def test_nothing_is_sent_to_sound_after_its_last_day(
    bulletin: Bulletin,
    speakers: list[Device],
    lan: Officer,
    ia_grai: Unit,
    now: datetime,
) -> None:
    last = now.date() + timedelta(days=1)
    draft = replace(newsroom.draft_of(bulletin), expires_on=last)
    newsroom.save_draft(
        bulletin_id=bulletin.pk, revision=1, draft=draft, by=lan, at=now
    )

    def send(days: int) -> Broadcast:
        return actions.submit(
            bulletin_id=bulletin.pk,
            timing=rules.Timing(rules.ONCE, starts_at=now + timedelta(days=days)),
            units=[ia_grai],
            devices=[],
            by=lan,
            at=now,
        )

    with pytest.raises(InvalidError, match=r"newsroom\.expired"):
        send(2)
    assert send(1).pk


def test_the_audience_is_the_active_devices_of_that_moment(
    bulletin: Bulletin,
    speakers: list[Device],
    village: Unit,
    lan: Officer,
    tung: Officer,
    ia_grai: Unit,
    now: datetime,
) -> None:
    Device.objects.filter(pk=speakers[1].pk).update(state="revoked")

    broadcast = submit(bulletin, lan, now, [ia_grai])
    make_device(village, tung, now, "Mới")

    members = AudienceMember.objects.filter(broadcast=broadcast)
    assert [member.device_id for member in members] == [speakers[0].pk]
    assert members.get().unit == village


def test_ground_that_is_foreign_is_absent_and_ground_above_is_refused(
    bulletin: Bulletin,
    speakers: list[Device],
    lan: Officer,
    quan: Officer,
    dak_doa: Unit,
    province: Unit,
    now: datetime,
) -> None:
    with pytest.raises(AbsentError):
        submit(bulletin, lan, now, [dak_doa])
    # Quân may write for the whole province, but the commune's approver may not
    # let a bulletin out over it.
    with pytest.raises(InvalidError) as refusal:
        submit(bulletin, quan, now, [province])

    assert refusal.value.code == "schedule.outside_unit"
    assert not Broadcast.objects.exists()


def test_a_chosen_device_that_is_not_in_use_is_named(
    bulletin: Bulletin, speakers: list[Device], lan: Officer, now: datetime
) -> None:
    speakers[0].state = "revoked"

    with pytest.raises(InvalidError) as refusal:
        submit(bulletin, lan, now, [], speakers)

    assert refusal.value.data == {"device": "Cụm loa 1"}


def test_sending_again_takes_the_place_of_what_nobody_decided(
    bulletin: Bulletin,
    speakers: list[Device],
    lan: Officer,
    minh: Officer,
    ia_grai: Unit,
    now: datetime,
) -> None:
    first = submit(bulletin, lan, now, [ia_grai])
    voice_all(now)
    first.refresh_from_db()
    second = submit(bulletin, lan, now, [ia_grai])
    voice_all(now)

    assert queries.list_waiting(minh, at=now) == [second]
    first.refresh_from_db()
    assert first.state == "cancelled"


def test_a_sound_that_cannot_be_made_goes_back_to_the_author(
    bulletin: Bulletin,
    speakers: list[Device],
    lan: Officer,
    ia_grai: Unit,
    now: datetime,
) -> None:
    broadcast = submit(bulletin, lan, now, [ia_grai])
    Rendition.objects.update(state="failed", failure="newsroom.worker_lost")

    assert actions.prepare_ready(at=now) == 1

    broadcast.refresh_from_db()
    assert broadcast.state == "failed"
    assert Notice.objects.get(officer=lan).subject.startswith("Không tạo được tiếng")


def test_a_return_needs_a_reason_and_tells_the_author(
    send: Send, lan: Officer, minh: Officer, hoa: Officer, now: datetime
) -> None:
    broadcast = send()

    def give_back(reason: str, by: Officer) -> Broadcast:
        return actions.return_broadcast(
            broadcast_uid=broadcast.uid, reason=reason, by=by, at=now
        )

    with pytest.raises(InvalidError):
        give_back("  ", minh)
    with pytest.raises(AbsentError):
        give_back("Sai giờ", hoa)
    with pytest.raises(RefusedError):
        give_back("Sai giờ", lan)

    assert give_back("Sai giờ", minh).state == "returned"
    assert "Sai giờ" in Notice.objects.filter(officer=lan).latest("pk").body


def test_the_province_approves_when_the_communes_approver_is_away(
    send: Send, minh: Officer, quan: Officer, now: datetime
) -> None:
    day = timedelta(days=1)
    people.announce_absence(officer=minh, from_at=now, to_at=now + day, by=minh, at=now)

    broadcast = send()

    assert Notice.objects.filter(officer=quan, subject__startswith="Chờ duyệt").exists()
    assert not Notice.objects.filter(officer=minh).exists()
    released = actions.release(
        broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=quan, at=now
    )
    assert released.approved_by == quan


def test_a_deputy_approves_only_while_deputy(
    send: Send, minh: Officer, tung: Officer, now: datetime
) -> None:
    hour = timedelta(hours=1)
    people.name_deputy(
        role_id=Role.objects.get(officer=minh).pk,
        officer=tung,
        from_at=now,
        to_at=now + hour,
        by=minh,
        at=now,
    )
    early, late = send(), send()

    released = actions.release(
        broadcast_uid=early.uid, sha256=early.sha256, by=tung, at=now
    )
    with pytest.raises(RefusedError):
        actions.release(
            broadcast_uid=late.uid, sha256=late.sha256, by=tung, at=now + 2 * hour
        )

    assert released.approved_by == tung


def test_hoa_sees_nothing_of_another_commune(
    send: Send, minh: Officer, hoa: Officer, ia_grai: Unit, now: datetime
) -> None:
    broadcast = send()
    actions.release(
        broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=minh, at=now
    )

    assert access.access_broadcast(uid=broadcast.uid, officer=minh, at=now)
    with pytest.raises(AbsentError):
        access.access_broadcast(uid=broadcast.uid, officer=hoa, at=now)
    with pytest.raises(AbsentError):
        queries.preview_audience([ia_grai], [], officer=hoa, at=now)
    with pytest.raises(AbsentError):
        actions.cancel_broadcast(
            broadcast_uid=broadcast.uid, reason="x", by=hoa, at=now
        )
    assert not queries.list_plays(hoa, at=now).exists()


def test_the_preview_counts_units_villages_devices_and_people(
    speakers: list[Device], ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    reach = queries.preview_audience([ia_grai], [], officer=lan, at=now)

    assert (reach.units, reach.villages, reach.devices, reach.people) == (1, 1, 2, 640)


def test_a_commune_sees_its_own_ground_of_what_the_province_sends(
    send: Send,
    lan: Officer,
    minh: Officer,
    hoa: Officer,
    quan: Officer,
    admin: Officer,
    province: Unit,
    dak_doa: Unit,
    tung: Officer,
    now: datetime,
) -> None:
    make_device(dak_doa, tung, now, "Loa Đak Đoa")
    draft = Draft("Tin tỉnh", "Toàn tỉnh nghe.", klass="priority")
    bulletin = newsroom.create_bulletin(unit=province, draft=draft, by=quan, at=now)
    broadcast = submit(bulletin, quan, now, [province])
    voice_all(now)
    broadcast.refresh_from_db()
    with pytest.raises(AbsentError):
        access.access_broadcast(uid=broadcast.uid, officer=hoa, at=now)

    actions.release(
        broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=admin, at=now
    )

    seen = access.access_broadcast(uid=broadcast.uid, officer=hoa, at=now)
    assert queries.get_live(seen, officer=hoa, at=now).tally.targeted == 1
    assert queries.get_live(seen, officer=quan, at=now).tally.targeted == 3
    assert [row.broadcast for row in queries.list_today(hoa, at=now)] == [broadcast]

"""What a speaker will sound on a day, from its signed documents, and why."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from django.test import Client

from nguon.emergency import actions as emergency
from nguon.fleet.models import Device
from nguon.newsroom import actions as newsroom
from nguon.newsroom.rules import Draft
from nguon.people.models import Officer
from nguon.schedule import actions, preview, rules, timetable
from nguon.schedule.models import Broadcast
from nguon.territory.models import Unit
from tests.schedule.conftest import make_device, voice_all

Send = Callable[..., Broadcast]
DAY = timedelta(days=1)
TOMORROW = date(2026, 11, 25)


def release(broadcast: Broadcast, by: Officer, at: datetime) -> Broadcast:
    return actions.release(
        broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=by, at=at
    )


def at_five(day: date = TOMORROW, minute: int = 0) -> rules.Timing:
    start = datetime.combine(day, time(17, minute), rules.LOCAL)
    return rules.Timing(rules.ONCE, starts_at=start)


def test_a_day_is_told_without_a_hole(
    send: Send, minh: Officer, speakers: list[Device], now: datetime
) -> None:
    release(send(timing=at_five()), minh, now)

    found = preview.device_day(speakers[0], day=TOMORROW, at=now)

    edges = [(row.starts_at, row.ends_at) for row in found.rows]
    assert edges[0][0] == timetable.midnight(TOMORROW)
    assert edges[-1][1] == timetable.midnight(TOMORROW + DAY)
    assert all(a[1] == b[0] for a, b in pairwise(edges))
    (row,) = found.sounding
    assert (row.what, row.ends_at - row.starts_at) == ("Họp dân", timedelta(seconds=4))
    assert row.starts_at.astimezone(rules.LOCAL).time() == time(17)
    assert row.source == timetable.ONE_OFF
    assert row.why == "Chương trình của xã, theo lịch đã duyệt."
    assert found.unheard == []


def test_the_province_comes_first_and_the_day_says_so(
    send: Send,
    lan: Officer,
    minh: Officer,
    quan: Officer,
    admin: Officer,
    province: Unit,
    speakers: list[Device],
    now: datetime,
) -> None:
    release(send(timing=at_five(now.date())), minh, now)
    release(send(timing=at_five()), minh, now)
    draft = Draft("Bão số 9", "Chằng chống nhà cửa.", klass="priority")
    bulletin = newsroom.create_bulletin(unit=province, draft=draft, by=quan, at=now)
    storm = actions.submit(
        bulletin_id=bulletin.pk,
        timing=at_five(),
        units=[province],
        devices=[],
        by=quan,
        at=now,
    )
    voice_all(now)
    storm.refresh_from_db()
    release(storm, admin, now)

    found = preview.device_day(speakers[0], day=TOMORROW, at=now)

    over = preview.device_day(speakers[0], day=TOMORROW + DAY, at=now)
    assert over.sounding == []
    first, second = found.sounding
    assert (first.what, second.what) == ("Bão số 9", "Họp dân")
    assert first.why == "Tin ưu tiên của tỉnh đi trước chương trình của xã: “Họp dân”."
    assert first.broadcast == storm
    assert second.starts_at == first.ends_at
    assert second.why.endswith("Định 17:00, phát sau “Bão số 9”.")


def test_quiet_hours_and_a_stop_are_given_as_reasons(
    send: Send,
    minh: Officer,
    ia_grai: Unit,
    speakers: list[Device],
    now: datetime,
) -> None:
    release(send(timing=at_five(now.date())), minh, now)
    emergency.stop(
        unit=ia_grai,
        device=None,
        reason="Loa rú",
        until=now + timedelta(hours=10),
        by=minh,
        at=now,
    )

    found = preview.device_day(speakers[0], day=now.date(), at=now)

    assert found.sounding == []
    assert [one.why for one in found.unheard] == ["đang có lệnh dừng phát"]
    assert {row.why for row in found.rows} >= {
        "Giờ yên lặng: chỉ tin khẩn cấp thật được phát.",
        "Đang có lệnh dừng phát.",
    }


def test_a_device_without_a_plan_says_so(speakers: list[Device], now: datetime) -> None:
    found = preview.device_day(speakers[0], day=TOMORROW, at=now)

    assert found.planned_until is None
    assert [row.why for row in found.rows] == ["Không có gì được lên lịch."]


def test_the_day_of_a_device_is_for_its_own_ground(
    client: Client,
    lan: Officer,
    hoa: Officer,
    tung: Officer,
    village: Unit,
) -> None:
    at = datetime.now(tz=UTC)
    device = make_device(village, tung, at)
    day = (at.astimezone(rules.LOCAL) + DAY).date()
    address = f"/thiet-bi/{device.uid}/ngay/{day}/"
    client.defaults["HTTP_HOST"] = "127.0.0.1"

    client.force_login(lan)
    page = client.get(address)
    found = client.get(f"/thiet-bi/{device.uid}/ngay/", follow=True)
    over = client.get(f"/thiet-bi/{device.uid}/ngay/2026-01-02/")
    wrong = client.get(f"/thiet-bi/{device.uid}/ngay/32-13-2026/")
    client.force_login(hoa)
    foreign = client.get(address)

    assert page.status_code == 200
    assert "Ngày mai phát gì, vì sao" in page.content.decode()
    assert found.redirect_chain == [(address, 302)]
    assert over.headers["Location"].startswith("/nhat-ky/?thiet_bi=")
    assert wrong.status_code == 422
    assert foreign.status_code == 404

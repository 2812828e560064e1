"""Plans: one per unit from the commune up, eight days ahead, new only when changed."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from nguon.core import signing
from nguon.core.errors import ConflictError, InvalidError
from nguon.core.messages import Plan
from nguon.fleet.models import Device, SignedDocument
from nguon.newsroom import actions as newsroom
from nguon.newsroom.rules import Draft
from nguon.people.models import Officer
from nguon.schedule import actions, audience, rules
from nguon.schedule.models import Airing, Broadcast
from nguon.territory.models import Unit
from tests.conftest import make_officer
from tests.schedule.conftest import make_device, voice_all

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Send = Callable[..., Broadcast]


def release(broadcast: Broadcast, by: Officer, at: datetime) -> Broadcast:
    return actions.release(
        broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=by, at=at
    )


def plan_of(unit: Unit) -> dict[str, Any]:
    document = SignedDocument.objects.get(
        kind="plan", unit=unit, superseded_at__isnull=True
    )
    return dict(signing.read(document.jws)[1])


def daily(clock: time, first: date, last: date) -> rules.Timing:
    return rules.Timing(
        rules.DAILY, time_of_day=clock, first_date=first, last_date=last
    )


def test_a_slot_of_this_morning_released_now_begins_tomorrow(
    send: Send, minh: Officer, now: datetime
) -> None:
    timing = daily(time(8), date(2026, 11, 24), date(2026, 11, 26))

    release(send(timing=timing), minh, now)  # at ten

    starts = [row.starts_at for row in Airing.objects.order_by("starts_at")]
    assert [start.astimezone(rules.LOCAL).day for start in starts] == [25, 26]


def test_a_slot_with_no_time_left_is_refused(send: Send, now: datetime) -> None:
    timing = daily(time(8), date(2026, 11, 20), date(2026, 11, 24))

    with pytest.raises(InvalidError) as refusal:
        send(timing=timing)

    assert refusal.value.code == "schedule.time_passed"


def test_what_lies_beyond_the_window_comes_in_when_the_plan_rolls_on(
    send: Send, minh: Officer, ia_grai: Unit, now: datetime
) -> None:
    far = now + 10 * DAY
    release(send(timing=rules.Timing(rules.ONCE, starts_at=far)), minh, now)
    assert plan_of(ia_grai)["items"] == []

    for day in range(1, 4):
        actions.roll_plans(at=now + day * DAY)

    (item,) = plan_of(ia_grai)["items"]
    assert item["starts_at"] == round(far.timestamp() * 1000)
    assert Plan.decode(plan_of(ia_grai)).number == plan_of(ia_grai)["seq"] == 4


def test_an_unchanged_plan_is_not_signed_again(
    send: Send, minh: Officer, ia_grai: Unit, now: datetime
) -> None:
    release(send(), minh, now)

    assert actions.build_plan(unit=ia_grai, by=None, at=now + HOUR) is False
    assert SignedDocument.objects.filter(kind="plan").count() == 1


def test_what_is_long_over_leaves_the_plan_and_costs_nothing(
    send: Send, minh: Officer, ia_grai: Unit, now: datetime
) -> None:
    release(send(), minh, now)
    later = now + 3 * DAY

    release(send(at=later), minh, later)

    assert len(plan_of(ia_grai)["items"]) == 1


def test_the_plan_carries_the_quiet_hours_of_its_window(
    send: Send, minh: Officer, ia_grai: Unit, now: datetime
) -> None:
    release(send(), minh, now)

    plan = plan_of(ia_grai)

    assert len(plan["quiet"]) == 10  # nights that touch nine whole days
    assert all(end - start == 7 * 3600 * 1000 for start, end in plan["quiet"])
    assert plan["window"]["to"] - plan["window"]["from"] == 9 * 24 * 3600 * 1000


def test_a_cancelled_slot_leaves_the_plan_and_a_cancel_is_pushed(
    send: Send, lan: Officer, minh: Officer, ia_grai: Unit, now: datetime
) -> None:
    timing = daily(time(17), date(2026, 11, 24), date(2026, 11, 30))
    broadcast = release(send(timing=timing), minh, now)
    planned = {item["id"] for item in plan_of(ia_grai)["items"]}

    actions.cancel_broadcast(
        broadcast_uid=broadcast.uid, reason="Trùng giờ học", by=lan, at=now
    )

    cancel = signing.read(SignedDocument.objects.get(kind="cancel").jws)[1]
    assert set(cancel["items"]) == planned
    assert cancel["lane"] == "plan"
    assert plan_of(ia_grai)["items"] == []
    with pytest.raises(ConflictError):
        release(broadcast, minh, now)


def test_a_villages_broadcast_travels_in_its_communes_plan(
    send: Send, minh: Officer, village: Unit, ia_grai: Unit, now: datetime
) -> None:
    release(send(units=[village]), minh, now)

    (item,) = plan_of(ia_grai)["items"]
    assert item["audience"] == {"units": [village.uid], "devices": [], "groups": []}


def test_chosen_speakers_are_named_and_no_others(
    send: Send, minh: Officer, speakers: list[Device], ia_grai: Unit, now: datetime
) -> None:
    broadcast = release(send(units=[], devices=speakers[:1]), minh, now)

    (item,) = plan_of(ia_grai)["items"]
    assert item["audience"] == {"units": [], "devices": [speakers[0].uid], "groups": []}
    assert broadcast.targeted == 1


def test_one_plan_carries_what_goes_to_a_unit_and_to_parts_of_it(
    province: Unit, ia_grai: Unit, village: Unit, dak_doa: Unit
) -> None:
    assert audience.list_carriers([province, ia_grai, village], []) == [province]
    assert audience.list_carriers([village, dak_doa], []) == [ia_grai, dak_doa]


def test_the_province_speaks_to_all_by_its_own_plan(
    quan: Officer,
    province: Unit,
    dak_doa: Unit,
    speakers: list[Device],
    tung: Officer,
    now: datetime,
) -> None:
    make_device(dak_doa, tung, now, "Loa Đak Đoa")
    chief = make_officer("an", "Đỗ An", (province, "approver"))
    draft = Draft("Tin tỉnh", "Toàn tỉnh nghe.", klass="priority")
    bulletin = newsroom.create_bulletin(unit=province, draft=draft, by=quan, at=now)
    broadcast = actions.submit(
        bulletin_id=bulletin.pk,
        timing=rules.Timing(rules.NOW),
        units=[province],
        devices=[],
        by=quan,
        at=now,
    )
    voice_all(now)
    broadcast.refresh_from_db()

    release(broadcast, chief, now)

    assert broadcast.targeted == 3
    (item,) = plan_of(province)["items"]
    assert item["level"] == 1
    assert [one.unit for one in SignedDocument.objects.filter(kind="go")] == [province]


def test_release_checks_the_hour_again(
    send: Send, minh: Officer, now: datetime
) -> None:
    once = send(timing=rules.Timing(rules.ONCE, starts_at=now + HOUR))
    soon = send()

    with pytest.raises(InvalidError) as late:
        release(once, minh, now + 2 * HOUR)
    with pytest.raises(InvalidError) as quiet:
        release(soon, minh, now.replace(hour=14, minute=59, second=58))

    assert late.value.code == "schedule.time_passed"
    assert quiet.value.code == "schedule.quiet_hours"
    assert quiet.value.data["allowed"] == "05:00 25/11/2026"
    assert not SignedDocument.objects.exists()
    once.refresh_from_db()
    assert once.state == "waiting"

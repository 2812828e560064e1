"""From papers to plans: what stands in them, and that nothing else changes."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from nguon.core import signing
from nguon.core.messages import Plan
from nguon.fleet.models import SignedDocument
from nguon.people.models import Officer
from nguon.schedule import actions, rules
from nguon.schedule.models import Airing, Broadcast, InboxEntry
from nguon.schedule.station import (
    Audience,
    Entry,
    Order,
    Programme,
    Quiet,
    Repeat,
    Source,
    StationRules,
    Volume,
)
from nguon.territory.models import Unit
from tests.conftest import make_officer, make_unit
from tests.schedule.conftest import make_device
from tests.schedule.stations import (
    FIRST,
    list_planned,
    programme,
    put_in_force,
    shelve,
    slot,
)

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
Put = Callable[..., Any]


def plan_of(unit: Unit) -> Plan:
    document = SignedDocument.objects.get(
        kind="plan", unit=unit, superseded_at__isnull=True
    )
    return Plan.decode(signing.read(document.jws)[1])


def local(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, rules.LOCAL):%d %H:%M:%S}"


@pytest.fixture
def put(ia_grai: Unit, lan: Officer, minh: Officer, now: datetime) -> Put:
    """Put a paper of Ia Grai into force, written by Lan and approved by Minh."""

    def do(body: Any, at: datetime = now, **days: Any) -> Any:
        return put_in_force(ia_grai, body, lan, minh, at, **days)

    return do


@pytest.fixture
def shelf(
    ia_grai: Unit, village: Unit, lan: Officer, minh: Officer, tung: Officer,
    now: datetime,
) -> list[Broadcast]:  # fmt: skip
    """Two bulletins of four seconds that programmes may use."""
    make_device(village, tung, now)
    return [shelve(ia_grai, lan, minh, now, title) for title in ("Họp", "Tiêm")]


def test_a_programme_fills_its_slot_in_order_every_day(
    put: Put, shelf: list[Broadcast], ia_grai: Unit
) -> None:
    held = put(StationRules(slots=(slot(),)))
    paper = put(programme(*shelf))

    items = plan_of(ia_grai).items

    assert len(items) == 16  # today and seven days more
    first, second = items[:2]
    assert [local(item.starts_at) for item in items[:3]] == [
        "24 17:00:00", "24 17:00:04", "25 17:00:00",
    ]  # fmt: skip
    assert local(first.ends_at) == "24 17:16:00"  # the slot and a minute
    assert (first.title, second.title) == ("Họp", "Tiêm")
    assert first.rank == "programme"
    assert first.audience == Audience((ia_grai.uid,))
    assert (first.slot, first.paper, first.broadcast) == (
        "s1", paper.uid, shelf[0].uid,
    )  # fmt: skip
    assert held.uid != first.paper
    assert max(len(item.id) for item in items) <= 40
    airing = Airing.objects.get(item=first.id)
    assert (airing.paper, airing.unit, airing.broadcast) == (paper, ia_grai, shelf[0])


def test_what_is_on_the_shelf_sounds_nowhere_by_itself(
    put: Put, shelf: list[Broadcast], ia_grai: Unit
) -> None:
    put(StationRules(slots=(slot(),)))

    assert plan_of(ia_grai).items == ()
    assert not Airing.objects.exists()


def test_a_slot_of_this_morning_approved_now_begins_tomorrow(
    put: Put, shelf: list[Broadcast], ia_grai: Unit
) -> None:
    put(StationRules(slots=(slot(begin=time(9, 55)),)))  # it is ten
    put(programme(shelf[0]))

    assert local(plan_of(ia_grai).items[0].starts_at) == "25 09:55:00"


def test_the_same_papers_make_the_same_plan_and_a_minute_changes_nothing(
    put: Put, shelf: list[Broadcast], ia_grai: Unit, now: datetime
) -> None:
    put(StationRules(slots=(slot(),)))
    put(programme(*shelf))
    before = plan_of(ia_grai)

    assert actions.build_plan(unit=ia_grai, by=None, at=now + MINUTE) is False
    assert actions.build_plan(unit=ia_grai, by=None, at=now + 13 * HOUR) is False
    assert actions.build_all(at=now + HOUR) == []
    assert actions.roll_plans(at=now + DAY) == 1

    after = plan_of(ia_grai)
    assert after.number == before.number + 1
    ids = {item.id for item in before.items} & {item.id for item in after.items}
    assert len(ids) == 16


def test_the_day_rolls_on_at_local_midnight(
    put: Put, shelf: list[Broadcast], ia_grai: Unit, now: datetime
) -> None:
    put(StationRules(slots=(slot(),)))
    put(programme(shelf[0]))
    midnight = datetime(2026, 11, 25, tzinfo=rules.LOCAL)

    assert actions.roll_plans(at=midnight - MINUTE) == 0
    assert actions.roll_plans(at=midnight) == 1
    assert local(plan_of(ia_grai).items[-1].starts_at) == "02 17:00:00"


def test_a_cancelled_material_leaves_and_the_rest_moves_up(
    put: Put, shelf: list[Broadcast], ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    put(StationRules(slots=(slot(),)))
    put(programme(*shelf))

    actions.cancel_broadcast(broadcast_uid=shelf[0].uid, reason="Cũ", by=lan, at=now)

    items = plan_of(ia_grai).items
    assert {item.title for item in items} == {"Tiêm"}
    assert local(items[0].starts_at) == "24 17:00:00"
    cancel = signing.read(SignedDocument.objects.get(kind="cancel").jws)[1]
    assert len(cancel["items"]) == 8


def test_a_newer_programme_takes_the_place_from_its_first_day_on(
    put: Put, shelf: list[Broadcast], ia_grai: Unit, now: datetime
) -> None:
    put(StationRules(slots=(slot(),)))
    put(programme(shelf[0]))
    gone = list(list_planned(ia_grai))

    put(programme(shelf[1]), now + MINUTE, first=FIRST + 2 * DAY, last=FIRST + 3 * DAY)

    titles = [item.title for item in plan_of(ia_grai).items]
    assert titles == ["Họp", "Họp", "Tiêm", "Tiêm", "Họp", "Họp", "Họp", "Họp"]
    planned = list(list_planned(ia_grai))
    assert [airing.shown_title for airing in planned] == titles
    withdrawn = Airing.objects.exclude(withdrawn_at=None)
    assert {airing.pk for airing in withdrawn} == {gone[2].pk, gone[3].pk}


def test_what_comes_back_is_the_same_airing_again(
    put: Put, shelf: list[Broadcast], ia_grai: Unit, minh: Officer, now: datetime
) -> None:
    put(StationRules(slots=(slot(),)))
    put(programme(shelf[0]))
    before = [airing.pk for airing in list_planned(ia_grai)]
    newer = put(programme(shelf[1]), now + MINUTE)
    assert not set(before) & {airing.pk for airing in list_planned(ia_grai)}

    actions.end_paper(paper_uid=newer.uid, reason="Nhầm", by=minh, at=now + HOUR)

    assert [airing.pk for airing in list_planned(ia_grai)] == before


def test_a_piece_that_is_on_goes_on_under_the_newer_paper(
    put: Put, shelf: list[Broadcast], ia_grai: Unit, now: datetime
) -> None:
    put(StationRules(slots=(slot(),)))
    put(programme(shelf[0]))
    on = plan_of(ia_grai).items[0].id
    during = datetime(2026, 11, 24, 17, 0, 2, tzinfo=rules.LOCAL)

    put(programme(*shelf), during)

    items = plan_of(ia_grai).items
    assert items[0].id == on
    assert [item.title for item in items[:2]] == ["Họp", "Tiêm"]


def test_each_village_hears_its_own_piece_of_one_slot(
    put: Put, shelf: list[Broadcast], ia_grai: Unit, village: Unit
) -> None:
    put(StationRules(slots=(slot(),)))
    one, two = shelf
    here = Audience((village.uid,))
    put(
        Programme(
            "s1",
            (
                Entry("bulletin", one.uid, places=here),
                Entry("bulletin", one.uid),
                Entry("bulletin", two.uid),
            ),
        )
    )

    items = plan_of(ia_grai).items[:3]

    assert [item.audience for item in items] == [
        here, Audience((ia_grai.uid,)), Audience((ia_grai.uid,)),
    ]  # fmt: skip
    assert [local(item.starts_at)[-2:] for item in items] == ["00", "04", "08"]


def test_the_same_material_twice_at_one_instant_has_two_names(
    put: Put, shelf: list[Broadcast], ia_grai: Unit, village: Unit, tung: Officer,
    now: datetime,
) -> None:  # fmt: skip
    one, _two = shelf
    speaker = make_device(ia_grai, tung, now, "Loa ủy ban")
    put(StationRules(slots=(slot(),)))
    put(
        Programme(
            "s1",
            (
                Entry("bulletin", one.uid, places=Audience((village.uid,))),
                Entry("bulletin", one.uid, places=Audience((), (speaker.uid,))),
            ),
        )
    )

    items = plan_of(ia_grai).items

    assert items[0].starts_at == items[1].starts_at
    assert len({item.id for item in items}) == len(items) == 16
    assert max(len(item.id) for item in items) <= 40


def test_a_relay_slot_has_its_stream_and_its_fallback(
    put: Put, shelf: list[Broadcast], ia_grai: Unit
) -> None:
    source = put(Source("Đài tỉnh", "hls", "https://radio.example.vn/live.m3u8"))
    body = slot(
        kind="relay", source=source.uid, fallback=shelf[0].uid, minutes=30,
        start="wait", wait_seconds=20,
    )  # fmt: skip
    held = put(StationRules(slots=(body,)))

    plan = plan_of(ia_grai)
    by_rank = {item.rank: item for item in plan.items[:2]}
    relay, filler = by_rank["relay"], by_rank["filler"]

    assert plan.version == 2
    assert relay.stream is not None
    assert (relay.stream.id, relay.stream.kind) == (source.uid, "hls")
    assert (relay.title, relay.after, relay.paper) == ("Đài tỉnh", "rejoin", held.uid)
    assert (relay.start, relay.wait_ms) == ("wait", 20_000)
    assert local(relay.ends_at) == "24 17:30:00"
    assert filler.loop
    assert (filler.starts_at, filler.ends_at) == (relay.starts_at, relay.ends_at)
    assert filler.broadcast == shelf[0].uid
    assert Airing.objects.get(item=relay.id).shown_title == "Đài tỉnh"


def test_a_source_that_ended_leaves_the_fallback(
    put: Put, shelf: list[Broadcast], ia_grai: Unit, minh: Officer, now: datetime
) -> None:
    source = put(Source("Đài tỉnh", "http", "https://radio.example.vn/live"))
    body = slot(kind="relay", source=source.uid, fallback=shelf[0].uid)
    put(StationRules(slots=(body,)))

    actions.end_paper(paper_uid=source.uid, reason="Nhiễu", by=minh, at=now + MINUTE)

    assert {item.rank for item in plan_of(ia_grai).items} == {"filler"}


def test_a_programme_may_relay_in_between(
    put: Put, shelf: list[Broadcast], ia_grai: Unit
) -> None:
    source = put(Source("Đài tỉnh", "http", "https://radio.example.vn/live"))
    put(StationRules(slots=(slot(),)))
    put(
        Programme(
            "s1",
            (
                Entry("bulletin", shelf[0].uid),
                Entry("relay", source=source.uid, minutes=10),
                Entry("bulletin", shelf[1].uid),
            ),
        )
    )

    items = plan_of(ia_grai).items[:3]

    assert [(item.rank, local(item.starts_at)) for item in items] == [
        ("programme", "24 17:00:00"),
        ("relay", "24 17:00:04"),
        ("programme", "24 17:10:04"),
    ]


def test_hours_volumes_and_order_stand_in_the_plan(
    put: Put, shelf: list[Broadcast], ia_grai: Unit, village: Unit, lan: Officer,
    minh: Officer, now: datetime,
) -> None:  # fmt: skip
    first = shelve(ia_grai, lan, minh, now, "Lũ", "priority")
    here = Audience((village.uid,))
    put(
        StationRules(
            quiet=(Quiet(time(21), time(5)), Quiet(time(11), time(13), here)),
            volumes=(
                Volume(time(5), time(21), 80),
                Volume(time(5), time(7), 40),
                Volume(time(5), time(21), 60, here),
            ),
        ),
        first=FIRST - 3 * DAY,
    )
    put(Order((first.uid,)))

    plan = plan_of(ia_grai)

    assert all(end - start == 8 * 3600 * 1000 for start, end in plan.quiet)
    assert [row[2] for row in plan.volumes] == [80] * 9 + [40] * 9
    (own,) = plan.local
    assert own.audience == here
    assert len(own.quiet) == 9
    assert {row[2] for row in own.volumes} == {60}
    assert plan.order == (first.uid,)
    assert plan.version == 2


def test_new_hours_hold_from_the_first_day_of_their_rules(
    put: Put, ia_grai: Unit
) -> None:
    put(StationRules(quiet=(Quiet(time(21), time(5)),)), first=FIRST + 2 * DAY)

    begins = [local(start) for start, _end in plan_of(ia_grai).quiet]

    assert begins[:5] == [
        "22 22:00:00", "23 22:00:00", "24 22:00:00", "25 22:00:00", "26 21:00:00",
    ]  # fmt: skip


def test_a_station_with_its_own_hours_is_free_of_those_from_above(
    put: Put, ia_grai: Unit, dak_doa: Unit, province: Unit, quan: Officer,
    tung: Officer, now: datetime,
) -> None:  # fmt: skip
    make_device(dak_doa, tung, now, "Loa Đak Đoa")
    chief = make_officer("an", "Đỗ An", (province, "approver"))
    body = StationRules(quiet=(Quiet(time(20), time(6)),))
    put_in_force(province, body, quan, chief, now)
    assert len(plan_of(province).quiet) == 10

    put(StationRules(quiet=(Quiet(time(23), time(4)),)), first=FIRST - 3 * DAY)

    above = plan_of(province)
    assert above.quiet == ()
    told = {
        row.audience: {local(s)[3:5] for s, _end in row.quiet} for row in above.local
    }
    # The day before the papers were in force keeps the hours of then.
    assert told[Audience((dak_doa.uid,))] == {"20", "22"}
    assert told[Audience((ia_grai.uid,))] == {"23"}
    assert {local(start)[3:5] for start, _end in plan_of(ia_grai).quiet} == {"23"}


def test_what_a_commune_took_from_above_may_fill_its_slots(
    put: Put, shelf: list[Broadcast], ia_grai: Unit, province: Unit, quan: Officer,
    lan: Officer, now: datetime,
) -> None:  # fmt: skip
    chief = make_officer("an", "Đỗ An", (province, "approver"))
    above = shelve(province, quan, chief, now, "Tin tỉnh")
    entry = InboxEntry.objects.get(unit=ia_grai, broadcast=above)
    actions.take_entry(entry_id=entry.pk, by=lan, at=now)
    put(StationRules(slots=(slot(),)))

    put(programme(above))

    items = plan_of(ia_grai).items
    assert {item.title for item in items} == {"Tin tỉnh"}
    assert {item.level for item in items} == {2}


def test_many_plans_cost_as_many_questions_as_few(
    province: Unit, quan: Officer, tung: Officer, now: datetime
) -> None:
    chief = make_officer("an", "Đỗ An", (province, "approver"))
    units = [make_unit("commune", f"9{n}", f"Xã {n}", province) for n in range(6)]
    for unit in units:
        make_device(unit, tung, now, f"Loa {unit.code}")
        one = shelve(unit, quan, chief, now)
        put_in_force(unit, StationRules(slots=(slot(),)), quan, chief, now)
        put_in_force(unit, programme(one), quan, chief, now)

    def count(some: list[Unit], at: datetime) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert actions.build_plans(units=some, by=None, at=at) == some
        return len(seen)

    few, many = count(units[:2], now + DAY), count(units, now + 2 * DAY)

    assert many <= few + 1


def test_a_slot_without_a_programme_leaves_a_gap_and_nothing_else_does(
    put: Put, shelf: list[Broadcast], ia_grai: Unit
) -> None:
    tet = date(2026, 11, 26)
    twice = Repeat(FIRST, without=(tet,))
    put(StationRules(slots=(slot(repeat=twice), slot("s2", time(18)))))
    put(programme(shelf[0]))

    days = [local(item.starts_at)[:2] for item in plan_of(ia_grai).items]

    assert days == ["24", "25", "27", "28", "29", "30", "01"]


def test_priority_material_goes_first_by_its_class(
    put: Put, shelf: list[Broadcast], ia_grai: Unit, lan: Officer, minh: Officer,
    now: datetime,
) -> None:  # fmt: skip
    flood = shelve(ia_grai, lan, minh, now, "Lũ", "priority")
    put(StationRules(slots=(slot(),)))

    put(programme(shelf[0], flood))

    assert [item.rank for item in plan_of(ia_grai).items[:2]] == [
        "programme", "priority",
    ]  # fmt: skip

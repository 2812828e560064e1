"""Play records: one per device and item, whatever comes, in whatever order."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from nguon.fleet.models import Device, DeviceEvent
from nguon.people.models import Officer
from nguon.schedule import actions, queries
from nguon.schedule.models import Airing, Broadcast, PlayRecord
from nguon.territory.models import Unit
from tests.schedule.conftest import make_device

Send = Callable[..., Broadcast]
SECOND = timedelta(seconds=1)


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


@pytest.fixture
def on_air(send: Send, minh: Officer, now: datetime) -> Broadcast:
    broadcast = send()
    return actions.release(
        broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=minh, at=now
    )


def event(
    device: Device, kind: str, at: datetime, n: int = 1, **data: object
) -> DeviceEvent:
    item = Airing.objects.get().item
    return DeviceEvent(
        device=device, log="log", n=n, type=kind, at=at, item=item, data=data
    )


def story(device: Device, now: datetime) -> list[DeviceEvent]:
    """Return what a speaker says of a play that went well."""
    whole = {
        "started_at": ms(now + 2 * SECOND),
        "ended_at": ms(now + 6 * SECOND),
        "sounded_ms": 4000,
        "level_dbfs": -18.5,
        "outcome": "finished",
    }
    return [
        event(device, "received", now, 1),
        event(device, "prepared", now + SECOND, 2),
        event(device, "started", now + 2 * SECOND, 3),
        event(device, "finished", now + 6 * SECOND, 4, **whole),
    ]


def test_events_in_any_order_and_split_any_way_make_the_same_record(
    on_air: Broadcast, village: Unit, tung: Officer, now: datetime
) -> None:
    made = []
    for number, order in enumerate(permutations(range(4))):
        device = make_device(village, tung, now, f"Cụm {number}")
        said = story(device, now)
        for index in order:
            actions.record_events(events=[said[index]], at=now)
        row = PlayRecord.objects.filter(device=device).values().get()
        made.append({k: v for k, v in row.items() if k not in {"id", "device_id"}})

    assert all(row == made[0] for row in made)
    assert made[0]["outcome"] == "finished"
    assert made[0]["sounded_ms"] == 4000
    assert made[0]["level_dbfs"] == -18.5
    assert made[0]["started_at"] == now + 2 * SECOND
    assert made[0]["ended_at"] == now + 6 * SECOND


def test_a_device_that_came_later_is_marked(
    on_air: Broadcast,
    speakers: list[Device],
    village: Unit,
    minh: Officer,
    tung: Officer,
    now: datetime,
) -> None:
    late = make_device(village, tung, now, "Cụm mới")

    actions.record_events(
        events=[event(device, "started", now) for device in (speakers[0], late)],
        at=now,
    )

    assert PlayRecord.objects.get(device=late).late_joiner
    assert not PlayRecord.objects.get(device=speakers[0]).late_joiner
    tally = queries.get_live(on_air, officer=minh, at=now).tally
    assert (tally.targeted, tally.sounding, tally.waiting) == (2, 2, 1)
    assert tally.late_joiners == 1


def test_what_is_over_stays_as_it_was_told_first(
    on_air: Broadcast, speakers: list[Device], now: datetime
) -> None:
    actions.record_events(
        events=[event(speakers[0], "missed", now, 1, cause="offline")], at=now
    )

    changed = actions.record_events(events=story(speakers[0], now)[2:], at=now)

    record = PlayRecord.objects.get()
    assert changed == 0
    assert (record.outcome, record.cause, record.started_at) == (
        "missed",
        "offline",
        None,
    )


def test_strange_figures_from_a_device_do_no_harm(
    on_air: Broadcast, speakers: list[Device], now: datetime
) -> None:
    strange = {
        "outcome": "won",
        "cause": ["a", "list"],
        "started_at": ms(now + 9 * SECOND),
        "ended_at": -5,
        "sounded_ms": 10**30,
        "level_dbfs": 10**400,
    }

    actions.record_events(
        events=[event(speakers[0], "finished", now, 1, **strange)], at=now
    )

    record = PlayRecord.objects.get()
    assert (record.outcome, record.sounded_ms, record.level_dbfs) == ("failed", 0, None)
    assert record.ended_at == record.started_at == now + 9 * SECOND


def test_events_of_unknown_items_are_left_alone(
    on_air: Broadcast, speakers: list[Device], now: datetime
) -> None:
    foreign = event(speakers[0], "started", now)
    foreign.item = "nobody.1"

    assert actions.record_events(events=[foreign], at=now) == 0
    assert not PlayRecord.objects.exists()


def test_a_stopped_or_cancelled_play_that_never_began_is_silent(
    on_air: Broadcast, speakers: list[Device], minh: Officer, now: datetime
) -> None:
    actions.record_events(
        events=[
            event(speakers[0], "finished", now, outcome="cancelled", cause="cancelled"),
            event(speakers[1], "shown", now),
        ],
        at=now,
    )

    live = queries.get_live(on_air, officer=minh, at=now)

    assert (live.tally.silent, live.tally.sounded, live.tally.shown) == (1, 0, 1)
    assert [play.cause for play in live.silent] == ["cancelled"]


def test_two_thousand_events_cost_few_questions(
    on_air: Broadcast, village: Unit, tung: Officer, now: datetime
) -> None:
    Device.objects.bulk_create(
        Device(
            kind="speaker",
            name=f"Cụm {number}",
            unit=village,
            state="active",
            public_key=f"key-{number}",
            enrolled_at=now,
            decided_by=tung,
            decided_at=now,
        )
        for number in range(2000)
    )
    devices = list(Device.objects.filter(name__startswith="Cụm ").order_by("pk"))

    first = [event_of(device, "received", now, on_air) for device in devices]
    then = [event_of(device, "started", now, on_air) for device in devices]
    with CaptureQueriesContext(connection) as made:
        actions.record_events(events=first, at=now)
    with CaptureQueriesContext(connection) as changed:
        actions.record_events(events=then, at=now)

    assert PlayRecord.objects.exclude(started_at=None).count() == len(devices)
    assert len(made) < 50
    assert len(changed) < 10


def event_of(
    device: Device, kind: str, at: datetime, broadcast: Broadcast
) -> DeviceEvent:
    item = f"{broadcast.uid}.{ms(at)}"
    return DeviceEvent(device=device, log="log", n=1, type=kind, at=at, item=item)


@pytest.mark.parametrize("seed", range(12))
def test_events_told_together_make_what_they_make_one_by_one(
    on_air: Broadcast, village: Unit, tung: Officer, now: datetime, seed: int
) -> None:
    chance = random.Random(seed)
    together, alone = (make_device(village, tung, now, f"Cụm {n}") for n in (1, 2))
    said = []
    for n in range(1, chance.randint(3, 14)):
        kind = chance.choice(
            ["received", "prepared", "started", "shown", "finished", "failed", "missed"]
        )
        at, begun = now + n * SECOND, now + chance.randint(0, n) * SECOND
        data = {
            "outcome": chance.choice(["finished", "stopped", "cancelled"]),
            "sounded_ms": chance.randint(0, 9_000),
            "level_dbfs": chance.choice([None, -20.5]),
            "cause": chance.choice(["", "stopped"]),
        }
        if chance.random() < 0.5:
            data |= {"started_at": ms(begun), "ended_at": ms(at)}
        said.append((kind, at, n, data))

    for kind, at, n, data in said:
        actions.record_events(events=[event(alone, kind, at, n, **data)], at=now)
    rest = [event(together, kind, at, n, **data) for kind, at, n, data in said]
    while rest:
        size = chance.randint(1, len(rest))
        group, rest = rest[:size], rest[size:]
        chance.shuffle(group)
        actions.record_events(events=group, at=now)

    made = [
        {k: v for k, v in row.items() if k not in {"id", "device_id"}}
        for row in PlayRecord.objects.order_by("device_id").values()
    ]
    assert made[0] == made[1]


def test_log_tells_what_sounded_and_what_is_to_come_only_when_asked(
    client: Client, send: Send, speakers: list[Device], minh: Officer
) -> None:
    """A week of daily slots does not hide this morning's play."""
    broadcast, now = send(), timezone.now()
    for device, days, outcome in ((0, -2, "finished"), (0, 1, ""), (1, 1, "missed")):
        PlayRecord.objects.create(
            device=speakers[device],
            unit=speakers[device].unit,
            broadcast=broadcast,
            item=f"{broadcast.uid}.{days}",
            planned_at=now + timedelta(days=days),
            outcome=outcome,
        )
    client.force_login(minh)

    def count(**asked: str) -> int:
        accept = {"accept": "application/json"}
        return int(client.get("/nhat-ky/", asked, headers=accept).json()["count"])

    assert count() == 2
    assert count(tin=broadcast.uid) == 3
    assert count(tu=f"{now:%Y-%m-%d}") == 2


def test_a_log_without_end_is_counted_up_to_a_limit(
    send: Send, speakers: list[Device], client: Client, minh: Officer
) -> None:
    broadcast, now = send(), timezone.now()
    PlayRecord.objects.bulk_create(
        PlayRecord(
            device=speakers[0],
            unit=speakers[0].unit,
            broadcast=broadcast,
            item=f"long.{n}",
            planned_at=now - timedelta(seconds=n),
            outcome="finished",
        )
        for n in range(10_002)
    )
    client.force_login(minh)

    def look(**asked: str) -> dict[str, object]:
        accept = {"accept": "application/json"}
        return dict(client.get("/nhat-ky/", asked, headers=accept).json())

    first, last = look(), look(trang="9999")
    assert (first["count"], first["is_more"]) == (10_000, True)
    assert first["plays"][0]["item"] == "long.0"  # type: ignore[index]
    assert last["plays"][-1]["item"] == "long.9999"  # type: ignore[index]
    assert "Hơn 10.000 lượt" in client.get("/nhat-ky/").content.decode()


@pytest.mark.parametrize(
    ("outcome", "cause", "words"),
    [
        ("cut", "source", "nguồn tiếp âm mất hoặc im lặng"),
        ("cut", "outranked", "tin khác được ưu tiên hơn"),
        ("stopped", "stopped", "đang có lệnh dừng phát"),
        ("cancelled", "withdrawn", "bản tin đã được hủy"),
        ("failed", "sound_short", "âm thanh ngắn hơn bản đã duyệt"),
    ],
)
def test_a_play_that_broke_off_is_shown_as_such_and_never_as_done(
    on_air: Broadcast,
    speakers: list[Device],
    minh: Officer,
    client: Client,
    now: datetime,
    outcome: str,
    cause: str,
    words: str,
) -> None:
    told = {"outcome": outcome, "cause": cause, "sounded_ms": 3_000}
    kind = "failed" if outcome == "failed" else "finished"
    actions.record_events(
        events=[
            event(speakers[0], "started", now, 1),
            event(speakers[0], kind, now + 3 * SECOND, 2, **told),
            *story(speakers[1], now),
        ],
        at=now,
    )

    live = queries.get_live(on_air, officer=minh, at=now)
    client.force_login(minh)
    address = reverse("schedule:figures", args=[on_air.uid])
    page = client.get(address).content.decode()
    answer = client.get(address, headers={"Accept": "application/json"}).json()

    assert (live.tally.sounded, live.tally.broken_off, live.tally.silent) == (1, 1, 0)
    assert [(g.sounded, g.broken_off, g.silent) for g in live.grounds] == [(1, 1, 0)]
    assert f"Phát dở: {words}" in page
    assert "chưa đủ" in page
    assert "Đã phát xong" not in page
    assert answer["broken_off_devices"] == [
        {
            "device": speakers[0].uid,
            "outcome": outcome,
            "cause": cause,
            "sounded_ms": 3_000,
        }
    ]


def test_a_play_that_was_cut_before_a_sound_came_is_silent(
    on_air: Broadcast, speakers: list[Device], minh: Officer, now: datetime
) -> None:
    nothing = {"outcome": "cut", "cause": "output", "sounded_ms": 0}
    actions.record_events(
        events=[
            event(speakers[0], "started", now, 1),
            event(speakers[0], "finished", now, 2, **nothing),
        ],
        at=now,
    )

    tally = queries.get_live(on_air, officer=minh, at=now).tally

    assert (tally.sounded, tally.broken_off, tally.silent) == (0, 0, 1)

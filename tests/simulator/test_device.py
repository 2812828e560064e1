"""A virtual device refuses what a real one refuses, and sounds by core.playout."""

import json
from typing import Any

import pytest

from nguon.core.messages import Audience, Hours, Item, Plan, Stream
from nguon.core.signing import DocumentRefusedError, SigningKey
from nguon.simulator.device import Device
from nguon.simulator.notary import Notary
from nguon.simulator.tally import Tally
from tests.simulator.conftest import (
    COMMUNE,
    HOUR,
    NOW,
    PROVINCE,
    SHA256,
    UNIT,
    Province,
)

DEVICE = "d" * 12
READY = frozenset({SHA256})


class World:
    """One device, its notary, and a clock that the test sets."""

    def __init__(self, province: Province) -> None:
        self.province = province
        self.notary = Notary(province.root.public)
        self.notary.renew(province.keyset(), at=NOW)
        self.tally = Tally()
        self.device = self.new_device()
        self.give(province.settings(DEVICE))

    def new_device(self) -> Device:
        device = Device(
            number=0,
            claim=self.province.claim(0),
            key=SigningKey.generate(),
            log="log1",
            tally=self.tally,
        )
        device.uid = DEVICE
        return device

    def give(self, token: str, *, at: int = NOW, pulled: bool = False) -> bool:
        document = self.notary.read(token, at=at)
        return self.device.take(document, at=at, pulled=pulled)

    def cause(self, token: str, *, at: int = NOW) -> str:
        with pytest.raises(DocumentRefusedError) as refused:
            self.give(token, at=at)
        self.device.refuse(refused.value, at=at)
        self.turn(at)
        assert self.device.playing is None
        return refused.value.cause

    def turn(self, at: int) -> None:
        self.device.turn(at=at, now=float(at), ready=READY)

    def told(self) -> list[tuple[str, str]]:
        return [(event["type"], event["item"]) for event in self.device.new_events]


@pytest.fixture
def world(province: Province) -> World:
    return World(province)


def tampered(token: str) -> str:
    head, body, signature = token.split(".")
    letter = "A" if body[40] != "A" else "B"
    return ".".join((head, body[:40] + letter + body[41:], signature))


def test_a_good_alert_sounds_once_and_reports_the_chain(world: World) -> None:
    item = world.province.item("item-1")

    world.give(world.province.alert(item=item))
    world.turn(NOW)
    assert world.device.playing is not None
    world.turn(NOW + 2_000)

    assert world.device.playing is None
    assert world.told() == [
        ("received", "item-1"),
        ("prepared", "item-1"),
        ("started", "item-1"),
        ("finished", "item-1"),
    ]
    finished = world.device.new_events[-1]["data"]
    assert finished["outcome"] == "finished"
    assert finished["sounded_ms"] == 2_000


def test_each_bad_document_is_refused_with_its_cause(world: World) -> None:
    province = world.province
    good = province.alert(seq=5)
    causes = {
        "wrong_key_use": province.alert(key=province.keys["plan"]),
        "unknown_key": province.alert(key=SigningKey.generate()),
        "wrong_target": province.alert(target={"unit": "x" * 12}),
        "unknown_version": province.alert(version=2),
        "malformed": province.alert(item=province.item(rank="loud")),
    }

    for cause, token in causes.items():
        assert world.cause(token) == cause
    assert world.cause(good, at=NOW + HOUR) == "expired"
    assert world.cause(tampered(good)) in {"bad_signature", "malformed"}
    reported = [e["data"]["cause"] for e in world.device.new_events]
    assert {"wrong_key_use", "unknown_key", "wrong_target", "expired"} <= set(reported)


def test_a_replay_is_refused_but_no_pulled_or_unanswered_copy(world: World) -> None:
    token = world.province.alert()

    assert world.give(token)
    assert not world.give(token, pulled=True)
    # The gateway sends again to whoever it has not heard: that is no attack.
    assert not world.give(token)
    world.device.new_events.clear()  # the answer is stored and acknowledged
    assert not world.give(token, pulled=True)
    with pytest.raises(DocumentRefusedError) as refused:
        world.give(token)

    assert refused.value.cause == "replayed"


def test_an_old_plan_is_refused(world: World) -> None:
    def plan(number: int) -> str:
        return world.province.sign(
            "plan",
            world.province.keys["plan"],
            target={"unit": COMMUNE},
            seq=number,
            window={"from": NOW, "to": NOW + HOUR},
            quiet=[],
            items=[],
        )

    world.give(plan(7))

    assert world.cause(plan(6)) == "old_sequence"


def test_a_plan_may_not_carry_an_emergency(world: World) -> None:
    token = world.province.sign(
        "plan",
        world.province.keys["plan"],
        target={"unit": COMMUNE},
        seq=1,
        window={"from": NOW, "to": NOW + HOUR},
        quiet=[],
        items=[world.province.item().encode()],
    )

    assert world.cause(token) == "wrong_key_use"


def test_a_stop_silences_and_outlives_a_restart_until_it_is_lifted(
    world: World,
) -> None:
    province = world.province
    key = province.keys["emergency"]
    world.give(province.alert(seq=1))
    world.turn(NOW)
    assert world.device.playing is not None
    stop = province.sign("stop", key, target={"unit": UNIT}, seq=1, until=NOW + HOUR)

    world.give(stop)
    world.turn(NOW + 500)
    assert world.device.playing is None

    kept = json.loads(json.dumps(world.device.state()))
    documents = world.device.documents()
    world.device = world.new_device()
    world.device.restore(kept, documents, at=NOW + 1_000)
    world.give(province.alert(seq=2, item=province.item(approved_at=NOW - 1)))
    world.turn(NOW + 1_500)
    assert world.device.playing is None

    name = world.notary.read(stop, at=NOW).id
    world.give(province.sign("lift", key, target={"unit": UNIT}, seq=2, stop=name))
    world.turn(NOW + 2_000)
    assert world.device.playing is not None


def test_a_lift_that_comes_before_its_stop_still_lifts(world: World) -> None:
    key = world.province.keys["emergency"]
    stop = world.province.sign(
        "stop", key, target={"unit": UNIT}, seq=1, until=NOW + HOUR
    )
    name = world.notary.read(stop, at=NOW).id
    lift = world.province.sign("lift", key, target={"unit": UNIT}, seq=2, stop=name)

    world.give(lift)
    world.give(stop)

    assert not world.device.stops


def test_a_cancel_that_comes_first_is_remembered(world: World) -> None:
    province = world.province
    cancel = province.sign(
        "cancel",
        province.keys["emergency"],
        target={"unit": COMMUNE},
        seq=1,
        items=["item-9"],
        lane="emergency",
    )

    world.give(cancel)
    world.give(province.alert(seq=2, item=province.item("item-9")))
    world.turn(NOW)

    assert world.device.playing is None
    assert ("started", "item-9") not in world.told()


def test_the_same_item_in_push_and_plan_sounds_once(world: World) -> None:
    province = world.province
    item = province.item("twice", rank="priority")
    go = province.sign(
        "go",
        province.keys["plan"],
        target={"unit": COMMUNE},
        seq=1,
        item=item.encode(),
    )
    plan = province.sign(
        "plan",
        province.keys["plan"],
        target={"unit": COMMUNE},
        seq=1,
        window={"from": NOW, "to": NOW + HOUR},
        quiet=[],
        items=[item.encode()],
    )

    world.give(go)
    world.turn(NOW)
    world.give(plan)
    world.turn(NOW + 200)
    world.turn(NOW + 2_000)
    world.turn(NOW + 3_000)

    kinds = [kind for kind, name in world.told() if name == "twice"]
    assert kinds.count("started") == kinds.count("finished") == 1
    assert world.device.new_events[-1]["data"]["sounded_ms"] == 2_000


def test_an_item_for_others_is_verified_and_silent(world: World) -> None:
    item = world.province.item(audience=Audience(devices=("e" * 12,)))

    assert world.give(world.province.alert(item=item))
    world.turn(NOW)

    assert world.device.playing is None
    assert world.told() == []


def test_without_its_sound_an_item_waits(world: World) -> None:
    world.give(world.province.alert())

    world.device.turn(at=NOW, now=float(NOW), ready=frozenset())
    assert world.device.playing is None
    assert world.device.unready

    world.turn(NOW + 700)
    assert world.device.playing is not None


def test_identical_bytes_are_checked_once_but_obeyed_by_each(world: World) -> None:
    token = world.province.alert()
    before = world.notary.checked
    others = [world.new_device() for _ in range(50)]
    for number, device in enumerate(others):
        device.uid = f"{number:012d}".translate(
            str.maketrans("0123456789", "abcdefghij")
        )
        settings = world.province.settings(device.uid)
        device.take(world.notary.read(settings, at=NOW, shared=False), at=NOW)
    before = world.notary.checked

    for device in others:
        device.take(world.notary.read(token, at=NOW), at=NOW)
        device.turn(at=NOW, now=float(NOW), ready=READY)

    assert world.notary.checked == before + 1
    assert all(device.playing for device in others)


def plan_of(world: World, unit: str, *items: Item, **more: Any) -> str:
    plan = Plan(unit, 1, NOW - HOUR, NOW + 8 * HOUR, items, **more)
    return world.province.sign(
        "plan",
        world.province.keys["plan"],
        target={"unit": unit},
        seq=1,
        version=2,
        **plan.body(),
    )


def test_local_hours_groups_and_the_commune_s_order_are_obeyed(world: World) -> None:
    def priority(name: str, **changes: Any) -> Item:
        return world.province.item(
            name, rank="priority", broadcast=name, start="next", **changes
        )

    first, second = priority("first"), priority("second", approved_at=NOW + 1)
    other = priority("other", audience=Audience(groups=("school",)))
    hours = Hours(Audience(units=(UNIT,)), ((NOW + 3_000, NOW + HOUR),), ())
    away = Hours(Audience(groups=("school",)), ((NOW, NOW + HOUR),), ())
    commune = plan_of(
        world, COMMUNE, first, second, other, local=(hours, away), order=("second",)
    )
    world.give(plan_of(world, PROVINCE, order=("first",)))
    world.give(commune)

    world.turn(NOW)
    assert world.device.playing == second
    world.turn(NOW + 2_000)  # the other would run into the hours of this village
    assert world.device.playing is None
    world.turn(NOW + HOUR)

    assert ("missed", "first") in world.told()
    assert not [row for row in world.told() if row[1] == "other"]


def test_quiet_hours_come_with_an_urgent_item_before_any_plan(world: World) -> None:
    item = world.province.item("now", rank="priority")
    go = world.province.sign(
        "go",
        world.province.keys["plan"],
        target={"unit": COMMUNE},
        seq=1,
        item=item.encode(),
        quiet=[[NOW, NOW + 1_000]],
    )

    world.give(go)
    world.turn(NOW)
    assert world.device.playing is None
    world.turn(NOW + 1_000)
    assert world.device.playing == item


def test_a_test_tone_obeys_plans_quiet_hours_and_stops(world: World) -> None:
    assert world.device.silence(at=NOW) == "no_plan"

    quiet = ((NOW + 10_000, NOW + 2 * HOUR),)
    low = ((NOW + 3 * HOUR, NOW + 4 * HOUR, 20),)
    world.give(plan_of(world, COMMUNE, quiet=quiet, volumes=low))

    assert world.device.silence(at=NOW) == ""
    assert world.device.silence(at=NOW + 9_000) == "quiet"
    assert world.device.silence(at=NOW + 9 * HOUR) == "no_plan"
    assert world.device.volume(at=NOW) == 80
    assert world.device.volume(at=NOW + 3 * HOUR) == 20


def test_a_relay_sounds_to_the_end_of_its_window(world: World) -> None:
    relay = world.province.item(
        "relay",
        rank="relay",
        after="rejoin",
        ends_at=NOW + 60_000,
        renditions=(),
        stream=Stream("s", "http", "https://radio.example/live.mp3"),
    )
    world.give(plan_of(world, COMMUNE, relay))

    world.turn(NOW + 10_000)
    assert world.device.playing == relay
    world.turn(NOW + 60_000)

    finished = world.device.new_events[-1]
    assert (finished["type"], finished["data"]["sounded_ms"]) == ("finished", 50_000)

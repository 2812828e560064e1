"""A repaired device's day is compared with the server's own, to the item."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client

from nguon.fleet import actions as fleet
from nguon.fleet import keys, queries, repairs
from nguon.fleet.models import Device, DeviceEvent, Fault, Health, Rehearsal
from nguon.people.models import Officer
from nguon.schedule import actions, rehearsals, rules
from nguon.schedule.items import milliseconds
from nguon.schedule.models import Broadcast
from nguon.simulator.device import Device as Virtual
from nguon.simulator.notary import Notary
from nguon.simulator.tally import Tally

Send = Callable[..., Broadcast]
TOMORROW = date(2026, 11, 25)
MINUTE = timedelta(minutes=1)


@dataclass
class Repaired:
    """A repaired speaker as the server has it, and a virtual one that plays it."""

    row: Device
    virtual: Virtual
    notary: Notary

    def pull(self, at: datetime) -> None:
        """Take everything that the server holds ready."""
        uids = queries.list_states({self.row.pk: self.row.unit.ancestor_ids}, at=at)
        held = queries.list_held(uids[self.row.pk])
        for one in sorted(held, key=lambda one: one.kind != "settings"):
            document = self.notary.read(one.jws, at=milliseconds(at))
            self.virtual.take(document, at=milliseconds(at), pulled=True)

    def answer(self, at: datetime, *, stored_at: datetime | None = None) -> None:
        """Turn once with every sound here, and hand over what it tells."""
        ready = {one.sha256 for one in self.virtual.wanted()}
        self.virtual.turn(at=milliseconds(at), now=0, ready=ready)
        self.virtual.rehearsed = None
        ready = {one.sha256 for one in self.virtual.wanted()}
        self.virtual.turn(at=milliseconds(at), now=0, ready=ready)
        told = [one for one in self.virtual.new_events if one["type"] == "rehearsed"]
        self.store(told[-1]["data"], told[-1]["item"], at=stored_at or at)
        self.virtual.new_events.clear()

    def store(self, data: dict[str, Any], item: str, *, at: datetime) -> None:
        DeviceEvent.objects.create(
            device=self.row, log="1", n=DeviceEvent.objects.count() + 1,
            type="rehearsed", at=at, item=item, data=data, stored_at=at,
        )  # fmt: skip


def finish(device: Device, tung: Officer, at: datetime) -> None:
    order = fleet.open_order(device_id=device.pk, task="Sửa", by=tung, at=at)
    fleet.start_order(order_id=order.pk, by=tung, at=at)
    fleet.finish_order(
        order_id=order.pk, causes=["line"], parts="", cost=0, notes="", by=tung, at=at
    )


@pytest.fixture
def repaired(
    send: Send, minh: Officer, tung: Officer, speakers: list[Device], now: datetime
) -> Repaired:
    """Return a speaker that a repair brought back, with two items planned tomorrow."""
    for minute in (0, 30):
        start = datetime.combine(TOMORROW, time(6, minute), rules.LOCAL)
        waiting = send(timing=rules.Timing(rules.ONCE, starts_at=start))
        actions.release(
            broadcast_uid=waiting.uid, sha256=waiting.sha256, by=minh, at=now
        )
    row = speakers[0]
    fleet.ensure_health(at=now)
    finish(row, tung, now)
    notary = Notary(keys.ring().root)
    notary.renew(keys.ring().keyset, at=milliseconds(now))
    virtual = Virtual(
        number=0,
        claim="",
        key=None,
        log="1",
        tally=Tally(),  # type: ignore[arg-type]
    )
    virtual.uid = row.uid
    found = Repaired(row, virtual, notary)
    found.pull(now)
    return found


def row_of(repaired: Repaired) -> Rehearsal:
    return Rehearsal.objects.get(device=repaired.row)


def codes(repaired: Repaired) -> list[str]:
    return list(row_of(repaired).found["codes"])


def test_a_device_that_agrees_is_in_service_again(
    repaired: Repaired, now: datetime
) -> None:
    at = now + MINUTE
    assert repaired.virtual.rehearsing == row_of(repaired).uid
    repaired.answer(at)

    assert actions.judge_rehearsals(at=at) == 1
    assert actions.judge_rehearsals(at=at) == 0

    row = row_of(repaired)
    assert (row.state, codes(repaired)) == (repairs.AGREED, [])
    lines = rehearsals.list_lines(row)
    assert [line.starts_at.astimezone(rules.LOCAL).time() for line in lines] == [
        time(6),
        time(6, 30),
    ]
    repaired.pull(at)
    assert repaired.virtual.rehearsing == ""


def test_an_old_plan_keeps_the_device_silent_and_is_named(
    repaired: Repaired, send: Send, minh: Officer, now: datetime
) -> None:
    start = datetime.combine(TOMORROW, time(7), rules.LOCAL)
    waiting = send(timing=rules.Timing(rules.ONCE, starts_at=start))
    actions.release(broadcast_uid=waiting.uid, sha256=waiting.sha256, by=minh, at=now)
    at = now + 10 * MINUTE

    repaired.answer(at)
    assert actions.judge_rehearsals(at=at) == 0

    assert codes(repaired) == ["plan"]  # to the item the same, by the plan it holds
    row = row_of(repaired)
    assert row.state == repairs.DIFFERS
    (said,) = rehearsals.say_differences(row)
    assert "máy giữ số" in said
    fleet.examine_fleet(at=at)
    assert Fault.objects.filter(device=repaired.row, cause="rehearsal").exists()
    repaired.pull(at)
    repaired.answer(at + MINUTE)
    assert actions.judge_rehearsals(at=at + MINUTE) == 1
    fleet.examine_fleet(at=at + MINUTE)
    assert not Fault.objects.filter(cause="rehearsal", closed_at=None).exists()
    assert Health.objects.get(pk=repaired.row.pk).rehearsal_due is None


def test_a_wrong_clock_missing_sounds_and_other_software_are_told_apart(
    repaired: Repaired, now: datetime
) -> None:
    at = now + MINUTE
    repaired.answer(at + 8 * MINUTE, stored_at=at)
    actions.judge_rehearsals(at=at)
    assert codes(repaired) == ["clock"]

    repaired.answer(at)
    good = DeviceEvent.objects.latest("pk")
    altered = [[*one[:2], one[2] + 60_000, one[3] + 60_000, *one[4:]]
               for one in good.data["rows"]]  # fmt: skip
    cases = {
        "media": {"missing": ["x"], "missing_count": 1},
        "software": {"rows": altered, "digest": "0" * 64},
        "settings": {"settings": 0},
        "report": {"to": good.data["from"] + 1_000},
    }
    for code, wrong in cases.items():
        repaired.store(good.data | wrong, good.item, at=at)
        assert actions.judge_rehearsals(at=at) == 0
        assert codes(repaired) == [code]
        assert rehearsals.say_differences(row_of(repaired))


def test_another_device_cannot_agree_in_its_place(
    repaired: Repaired, speakers: list[Device], now: datetime
) -> None:
    own, repaired.row = repaired.row, speakers[1]
    repaired.answer(now + MINUTE)
    repaired.row = own

    assert actions.judge_rehearsals(at=now + MINUTE) == 0
    assert row_of(repaired).state == repairs.AWAITED


def test_the_screen_shows_the_day_and_lets_a_technician_decide(
    repaired: Repaired,
    client: Client,
    tung: Officer,
    lan: Officer,
    hoa: Officer,
    now: datetime,
) -> None:
    at = now + MINUTE
    repaired.answer(at + 8 * MINUTE, stored_at=at)
    actions.judge_rehearsals(at=at)
    client.defaults["HTTP_HOST"] = "127.0.0.1"
    own = f"/thiet-bi/{repaired.row.uid}/dien-tap/"

    client.force_login(hoa)
    assert client.get(own).status_code == 404
    client.force_login(lan)
    assert "Đồng hồ của máy sai" in client.get(own).content.decode()
    assert client.post(own + "thoi/", {"reason": "x"}).status_code == 403
    client.force_login(tung)
    page = client.get(own).content.decode()
    assert "2/2 mục khớp" in page
    assert client.post(own + "lai/").status_code == 302
    assert row_of(repaired).state == repairs.AWAITED
    assert client.post(own + "thoi/", {"reason": ""}).status_code == 422
    assert client.post(own + "thoi/", {"reason": "Đã nghe tại chỗ"}).status_code == 302
    assert row_of(repaired).state == repairs.LIFTED
    assert "Đã nghe tại chỗ" in client.get(own).content.decode()

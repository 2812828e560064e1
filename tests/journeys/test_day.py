"""A day pressed into minutes: planned by clicking, sounded by two real speakers.

Two persons put a relay source, rules and programmes into force. The source sends AAC,
which no speaker plays: the watch finds that out, and the server transcodes it. Both
speakers sound every item that the server said they would, in that order; the source
dies in the middle of its slot, the fallback sounds, and the relay comes back.
"""

import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from nguon.demo import wav
from nguon.demo.client import Client
from nguon.demo.stack import Stack
from tests.fakes import radio as fake
from tests.fakes.radio import FakeRadio
from tests.journeys.persons import SECOND, Person, open_browser, put_on_the_shelf

log = logging.getLogger(__name__)

pytestmark = [pytest.mark.server, pytest.mark.browser]

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
# From the first press to the first sound: papers, approvals, plans fetched.
LEAD = timedelta(seconds=60)
MINUTE = timedelta(minutes=1)
MATERIALS = {
    "Giá cà phê hôm nay": "Cà phê nhân xô một trăm linh hai nghìn đồng một ki lô gam.",
    "Lịch tiêm phòng": "Sáng mai tiêm phòng cho trâu bò tại nhà rông làng.",
    "Nhạc chờ": "Đài truyền thanh xã xin mời bà con chờ trong giây lát.",
}
EARLY, LATE, WAITING = MATERIALS
RELAY = "Đài thử"
expect.set_options(timeout=60 * SECOND)


@pytest.fixture(scope="module")
def radio() -> Iterator[FakeRadio]:
    found = FakeRadio(form=fake.TS).start()
    yield found
    found.stop()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(
        tmp_path_factory.mktemp("day"),
        devices=4,
        agents=2,
        boards=0,
        quiet_hours="",
        relays_inside=True,
    ) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as started:
        yield started


def add_slot(lan: Person, name: str, begin: datetime, **relay: str) -> None:
    """Add a slot of one minute to the rules that Lan is writing."""
    page = lan.page
    lan.follow("Thêm khung giờ")
    page.get_by_label("Tên khung").fill(name)
    page.get_by_label("Bắt đầu lúc").fill(f"{begin:%H:%M}")
    page.get_by_label("Dài mấy phút").fill("1")
    if relay:
        page.locator("input[name=kind][value=relay]").check()
        page.locator("#source").select_option(label=relay["source"])
        page.locator("#fallback").select_option(label=relay["fallback"])
    lan.press("Lưu vào bản soạn")


def fill_slot(lan: Person, slot: str, day: str, *titles: str) -> None:
    """Put materials into a slot for one day, and send the programme."""
    lan.page.goto(f"/lich-phat/?tuan={day}&ngay={day}")
    lan.page.locator(".day-chosen a", has_text=slot).first.click()
    lan.page.locator("#last_date").fill(day)
    lan.press("Xếp chương trình")
    for title in titles:
        lan.page.get_by_role("button", name=f"Thêm “{title}”").click()
    lan.press("Gửi duyệt")


def approve(minh: Person, title: str) -> None:
    """Approve a paper; who has not heard its sounds presses twice."""
    minh.open_approval(title)
    minh.press("Duyệt")
    if minh.page.locator("#unheard").is_visible():
        minh.press("Duyệt")
    expect(minh.page.locator(".badges").first).to_contain_text("Đã duyệt")


def wait_until(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - datetime.now(tz=LOCAL)).total_seconds()))


def plays_of(client: Client, device: str, items: list[str]) -> dict[str, Any]:
    """Return the play records of one device, each over, by item."""
    until = time.monotonic() + 60
    while True:
        rows = client.ask(f"/nhat-ky/?thiet_bi={device}")["plays"]
        found = {row["item"]: row for row in rows if row["item"] in items}
        if len(found) == len(items) and all(r["outcome"] for r in found.values()):
            return found
        assert time.monotonic() < until, found
        time.sleep(0.5)


def wait_for_route(client: Client, *, before: datetime) -> None:
    """Wait until the watch, each 30 s, has found that the server must transcode."""
    while True:
        (told,) = client.ask("/nguon-tiep-am/")["sources"]
        if (told["state"], told["route"]) == ("live", "server"):
            return
        assert datetime.now(tz=LOCAL) < before, told
        time.sleep(1)


def plan_day(lan: Person, minh: Person, radio: FakeRadio, home: str) -> datetime:
    """Put source, rules and programmes into force by clicking; return the beginning."""
    page = lan.page
    page.goto(f"/giay-to/moi/?loai=source&don_vi={home}")
    page.get_by_label("Tên nguồn").fill(RELAY)
    page.locator("#url").fill(radio.hls_url)
    page.locator("input[name=kind][value=hls]").check()
    lan.press("Lưu và xem lại")
    lan.press("Gửi duyệt")
    approve(minh, RELAY)

    begin = datetime.now(tz=LOCAL) + LEAD
    begin = begin.replace(second=0, microsecond=0) + MINUTE
    day = f"{begin.date()}"
    page.goto("/dai/")
    lan.press("Sửa quy chế")
    add_slot(lan, "Sáng", begin)
    add_slot(lan, "Tiếp âm", begin + MINUTE, source=RELAY, fallback=WAITING)
    add_slot(lan, "Chiều", begin + 2 * MINUTE)
    lan.press("Gửi duyệt")
    approve(minh, "Quy chế đài")
    fill_slot(lan, "Sáng", day, EARLY, LATE)
    approve(minh, "Chương trình “Sáng”")
    fill_slot(lan, "Chiều", day, LATE)
    approve(minh, "Chương trình “Chiều”")
    assert datetime.now(tz=LOCAL) < begin - timedelta(seconds=5), "too slow to plan"
    return begin


def read_plan(client: Client, device: str, begin: datetime) -> list[dict[str, Any]]:
    """Return what the server says that a speaker will sound, from `begin` on."""
    rows = client.ask(f"/thiet-bi/{device}/ngay/{begin.date()}/")["rows"]
    return [row for row in rows if row["item"] and at(row["starts_at"]) >= begin]


def at(text: str) -> datetime:
    """Read a moment of an answer."""
    return datetime.fromisoformat(text)


def check_played(planned: list[dict[str, Any]], played: dict[str, Any]) -> None:
    """Planned and played agree: the same items, in this order, in time, whole."""
    items = [row["item"] for row in planned]
    assert sorted(items, key=lambda item: played[item]["started_at"]) == items
    for row in planned:
        told = played[row["item"]]
        late = (at(told["started_at"]) - at(row["starts_at"])).total_seconds()
        # A relay needs a moment of sound before it is believed.
        assert -0.1 <= late <= (6.0 if row["what"] == RELAY else 0.15), (row, told)
        assert told["outcome"] == "finished", told


def test_a_day_sounds_as_it_was_planned_and_a_dead_source_is_replaced(
    stack: Stack, browser: Browser, radio: FakeRadio
) -> None:
    for title, body in MATERIALS.items():
        put_on_the_shelf(stack, title, body)
    lan, minh = Person(browser, stack, "lan"), Person(browser, stack, "minh")
    begin = plan_day(lan, minh, radio, stack.world["home"])
    client = stack.login("lan")
    speakers = [stack.agent_uid(number) for number in range(2)]
    planned = {uid: read_plan(client, uid, begin) for uid in speakers}
    for rows in planned.values():
        assert [row["what"] for row in rows] == [EARLY, LATE, RELAY, LATE]
        assert all(row["why"] for row in rows)

    # The watch has heard it meanwhile, and found what the speakers cannot play.
    wait_for_route(client, before=begin + MINUTE - timedelta(seconds=10))
    lan.page.goto("/nguon-tiep-am/")
    row = lan.page.locator("#sources .row")
    expect(row).to_contain_text("AAC")
    expect(row).to_contain_text("máy chủ chuyển mã")

    # The source dies in the middle of its slot and is back before the end.
    wait_until(begin + MINUTE + timedelta(seconds=12))
    radio.mode, died = fake.DEAD, time.time() * 1000
    wait_until(begin + MINUTE + timedelta(seconds=27))
    radio.mode, back = fake.ON, time.time() * 1000
    wait_until(begin + 2 * MINUTE + timedelta(seconds=20))

    for number, uid in enumerate(speakers):
        items = [row["item"] for row in planned[uid]]
        played = plays_of(client, uid, items)
        check_played(planned[uid], played)
        assert 25_000 < played[items[2]]["sounded_ms"] < 52_000, played[items[2]]
        rest = client.ask(f"/nhat-ky/?thiet_bi={uid}")["plays"]
        (fallback,) = [r for r in rest if r["item"] not in items and r["sounded_ms"]]
        began = at(fallback["started_at"]).timestamp() * 1000
        # What was still buffered of the source is heard out before.
        assert 0 < began - died < 14_000, fallback
        # And the samples say so: the fallback at the moment that the record names,
        # and the station itself before it and again at the end of its slot.
        life = wav.read_life(stack.wavs(number)[-1])
        samples = np.array(life.samples)
        first, last = life.index(began), life.index(began + 2_000)
        assert np.abs(samples[first:last]).max() > 1_000
        ends = (begin + 2 * MINUTE).timestamp() * 1000
        for moment in (began - 3_000, ends - 4_000):
            sound = samples[life.index(moment) : life.index(moment + 800)]
            assert radio.likeness(sound) > 0.8, (moment - began, back - died)
            log.info(
                "speaker %s: %.0f ms late", number, radio.heard_after(sound, moment)
            )
        log.info("speaker %s: fallback after %.0f ms", number, began - died)
    assert lan.faults == []
    assert minh.faults == []

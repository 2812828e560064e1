"""A week is planned by clicking: Lan writes rules and a programme, Minh approves."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, expect

from nguon.demo.stack import Stack
from tests.journeys.persons import SECOND, Person, open_browser, put_on_the_shelf

pytestmark = [pytest.mark.server, pytest.mark.browser]

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
TITLE = "Cách ủ phân chuồng cho cà phê"
SLOT = "Chương trình sáng"
expect.set_options(timeout=60 * SECOND)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("week")
    with Stack(
        folder, devices=4, agents=1, boards=0, quiet_hours="21:00-05:00"
    ) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as started:
        yield started


def test_a_week_is_planned_approved_and_seen_by_both(
    stack: Stack, browser: Browser
) -> None:
    body = "Bà con gom vỏ cà phê, phân bò, ủ với men trong ba tháng."
    put_on_the_shelf(stack, TITLE, body)
    lan, minh = Person(browser, stack, "lan"), Person(browser, stack, "minh")
    tomorrow = datetime.now(tz=LOCAL).date() + timedelta(days=1)

    # Lan lays down a slot and sends the rules.
    page = lan.page
    page.goto("/lich-phat/")
    lan.follow("Sửa khung giờ")
    lan.press("Sửa quy chế")
    lan.follow("Thêm khung giờ")
    page.get_by_label("Tên khung").fill(SLOT)
    page.get_by_label("Bắt đầu lúc").fill("05:30")
    page.get_by_label("Dài mấy phút").fill("5")
    lan.look("khung-gio")
    lan.press("Lưu vào bản soạn")
    expect(page.locator(".changes")).to_contain_text(f"Thêm khung “{SLOT}”")
    lan.look("soan-quy-che")
    lan.press("Gửi duyệt")
    expect(page.locator("main")).to_contain_text("người khác phải duyệt: Trần Văn Minh")

    # Minh sees what changes, and approves.
    minh.open_approval("Quy chế đài")
    expect(minh.page.locator("main")).to_contain_text("Trước và sau")
    minh.look("duyet-quy-che")
    minh.press("Duyệt")
    expect(minh.page.locator("main")).to_contain_text("Trần Văn Minh")

    # Lan fills the slot from tomorrow on; the empty slot in the week leads there.
    page.goto(f"/lich-phat/?tuan={tomorrow}&ngay={tomorrow}")
    page.locator(".day-chosen a", has_text="Còn trống 5 phút").click()
    lan.press("Xếp chương trình")
    page.get_by_role("button", name=f"Thêm “{TITLE}”").click()
    expect(page.locator(".total")).to_contain_text("Còn trống")
    lan.look("xep-chuong-trinh")
    lan.press("Gửi duyệt")

    # Minh hears it; who has not heard is asked once more.
    minh.open_approval(f"Chương trình “{SLOT}”")
    minh.look("duyet-chuong-trinh")
    minh.press("Duyệt")
    expect(minh.page.locator("#unheard")).to_be_visible()
    minh.press("Duyệt")
    expect(minh.page.locator(".badges")).to_contain_text("Đã duyệt")

    # Both see the week, and the device says what it will do and why.
    for person in (lan, minh):
        person.page.goto(f"/lich-phat/?tuan={tomorrow}&ngay={tomorrow}")
        expect(person.page.locator(".week-cell.day-chosen").first).to_contain_text(
            TITLE
        )
    lan.look("lich-phat")
    page.goto(f"/thiet-bi/{stack.agent_uid(0)}/ngay/{tomorrow}/")
    row = page.locator(".minutes .row", has_text=TITLE)
    expect(row).to_contain_text("05:30")
    expect(row).to_contain_text("theo lịch đã duyệt")
    lan.look("ngay-mai")
    assert lan.faults == []
    assert minh.faults == []

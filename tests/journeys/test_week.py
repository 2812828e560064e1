"""A week is planned by clicking: Lan writes rules and a programme, Minh approves."""

import os
import shutil
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from nguon.demo.stack import Stack

pytestmark = [pytest.mark.server, pytest.mark.browser]

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
SECOND = 1000
TITLE = "Cách ủ phân chuồng cho cà phê"
SLOT = "Chương trình sáng"
TOO_WIDE = "() => document.documentElement.scrollWidth - window.innerWidth"
TOO_SMALL = """least => [...document.querySelectorAll(
    'main button, main a.btn, main a.row, main summary, main input, main select')]
  .filter(e => e.checkVisibility() && !e.closest('label')
    && e.getBoundingClientRect().height < least)
  .map(e => e.outerHTML.slice(0, 120))"""
expect.set_options(timeout=30 * SECOND)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("week")
    with Stack(
        folder, devices=4, agents=1, boards=0, quiet_hours="21:00-05:00"
    ) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = os.environ.get("NGUON_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        yield started
        started.close()


class Person:
    """Somebody at a browser, who notes every fault and photographs their way."""

    def __init__(self, browser: Browser, stack: Stack, username: str) -> None:
        self.faults: list[str] = []
        context = browser.new_context(
            viewport=PHONE,  # type: ignore[arg-type]
            locale="vi-VN",
            timezone_id="Asia/Ho_Chi_Minh",
            base_url=stack.web_url,
            has_touch=True,
        )
        context.set_default_timeout(30 * SECOND)
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on(
            "response",
            lambda r: self.faults.append(r.url) if r.status >= 500 else None,
        )
        self.page.goto("/dang-nhap/")
        self.page.fill("[name=login]", username)
        self.page.fill("[name=password]", stack.password)
        self.page.click("main button[type=submit]")
        self.page.wait_for_url(f"{stack.web_url}/")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def open_approval(self, title: str) -> None:
        self.page.goto("/cho-duyet/")
        self.page.locator("a.row", has_text=title).first.click()

    def look(self, name: str) -> None:
        """Check that the page fits, and photograph it where it is asked for."""
        if self.page.evaluate(TOO_WIDE) > 0:
            self.faults.append(f"{name}: wider than a phone")
        self.faults += [f"{name}: {e}" for e in self.page.evaluate(TOO_SMALL, 44)]
        folder = os.environ.get("NGUON_SCREENSHOTS")
        for size in (DESK, PHONE) if folder else ():
            self.page.set_viewport_size(size)  # type: ignore[arg-type]
            target = Path(str(folder)) / f"{name}-{size['width']}.png"
            self.page.screenshot(path=target, full_page=True)


def put_on_the_shelf(stack: Stack) -> None:
    """Write and release a bulletin that programmes may take, as programs do."""
    lan, minh, home = stack.login("lan"), stack.login("minh"), stack.world["home"]
    made = lan.tell("/ban-tin/moi/", unit=home, kind="normal")
    address = f"/ban-tin/{made['bulletin_uid']}/"
    lan.tell(
        f"{address}luu/",
        revision=made["revision"],
        title=TITLE,
        body="Bà con gom vỏ cà phê, phân bò, ủ với men trong ba tháng.",
        klass="normal",
        field="3",
        languages="vi",
        languages_sent="1",
    )
    sent = lan.tell(f"{address}phat/", timing="shelf", units=home)
    approval = f"/duyet/{sent['broadcast_uid']}/"
    until = time.monotonic() + 60
    while (seen := minh.ask(approval))["state"] != "waiting":
        assert time.monotonic() < until, seen
        time.sleep(0.2)
    minh.tell(f"{approval}phat/", sha256=seen["sha256"])


def test_a_week_is_planned_approved_and_seen_by_both(
    stack: Stack, browser: Browser
) -> None:
    put_on_the_shelf(stack)
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

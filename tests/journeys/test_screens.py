"""The officers' screens in a real browser: light, wide enough for a thumb, lossless."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from nguon.demo.stack import Stack

pytestmark = [pytest.mark.server, pytest.mark.browser]

PHONE = {"width": 390, "height": 844}
TITLE = "Lịch tiêm phòng cho trâu bò"
BODY = (
    "Ủy ban nhân dân xã thông báo: 7h30 ngày 25/11/2026, cán bộ thú y tiêm phòng "
    "lở mồm long móng cho trâu bò tại nhà rông các làng. Bà con giữ trâu bò ở nhà, "
    "mang theo sổ theo dõi. Ai bận việc thì nhờ người nhà trông giúp. "
    "Việc tiêm phòng không mất tiền, xong trong buổi sáng."
)
FIRST_VIEW_BYTES = 150_000
SMALLEST_TOUCH = 44
SCREENS = (
    "/",
    "/ban-tin/",
    "/ban-tin/moi/",
    "/ban-tin/tu-dien/",
    "/ban-tin/nhan/",
    "/ban-tin/tin-den/",
    "/ban-tin/nguon-tin/",
    "/ban-tin/mau/",
    "/ban-tin/thu-lao/",
    "/ban-tin/?q=tiem+phong",
    "/cho-duyet/",
    "/lich-phat/",
    "/dai/",
    "/hop-tin/",
    "/hop-tin/thu-tu/",
    "/phat-ngay/",
    "/noi-truc-tiep/",
    "/nguon-tiep-am/",
    "/thiet-bi/",
    "/thiet-bi/ban-do/",
    "/thiet-bi/su-co/",
    "/thiet-bi/sua-chua/",
    "/thiet-bi/ho-so/",
    "/thiet-bi/nhan/",
    "/thiet-bi/lap-dat/",
    "/thiet-bi/bao-hong/",
    "/dung-phat/",
    "/nhat-ky/",
    "/thong-bao/",
    "/tai-khoan/",
    "/dia-ban/",
    "/can-bo/",
    "/khong-co/",
)
SECOND = 1000
expect.set_options(timeout=60 * SECOND)

TOO_SMALL = """least => [...document.querySelectorAll(
    'main button, main a.btn, main a.row, main summary, main input, main select,'
    + 'nav a, header a, header summary')]
  .filter(e => e.checkVisibility() && !e.closest('label')
    && e.getBoundingClientRect().height < least)
  .map(e => e.outerHTML.slice(0, 120))"""
TOO_WIDE = "() => document.documentElement.scrollWidth - window.innerWidth"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("story")
    with Stack(folder, devices=20, agents=2, boards=1, quiet_hours="") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=os.environ.get("NGUON_CHROMIUM", "/usr/bin/chromium"),
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--autoplay-policy=no-user-gesture-required",
            ],
        )
        yield started
        started.close()


class Person:
    """Somebody at a browser, who notes every fault that a page tells."""

    def __init__(self, browser: Browser, stack: Stack) -> None:
        self.stack = stack
        self.faults: list[str] = []
        context = browser.new_context(
            viewport=PHONE,  # type: ignore[arg-type]
            locale="vi-VN",
            timezone_id="Asia/Ho_Chi_Minh",
            has_touch=True,
        )
        context.set_default_timeout(60 * SECOND)
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on(
            "response",
            lambda r: self.faults.append(r.url) if r.status >= 500 else None,
        )

    def sign_in(self, username: str) -> None:
        self.go("/dang-nhap/")
        self.page.fill("[name=login]", username)
        self.page.fill("[name=password]", self.stack.password)
        self.page.click("main button[type=submit]")
        self.page.wait_for_url(f"{self.stack.web_url}/")

    def go(self, path: str) -> None:
        self.page.goto(f"{self.stack.web_url}{path}")


def test_no_word_is_lost_with_the_network(stack: Stack, browser: Browser) -> None:
    lan = Person(browser, stack)
    lan.sign_in("lan")
    page = lan.page
    lan.go("/ban-tin/moi/")
    page.click("main button[type=submit]")
    page.fill("#title", TITLE)
    expect(page.locator("#saved")).to_contain_text("Đã lưu")

    page.context.set_offline(True)
    page.fill("#body", BODY)
    expect(page.locator("#saved")).to_have_attribute("data-state", "offline")
    page.context.set_offline(False)

    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    page.reload()
    expect(page.locator("#body")).to_have_value(BODY)
    assert lan.faults == []


def test_a_second_writer_is_shown_side_by_side(stack: Stack, browser: Browser) -> None:
    lan, again = Person(browser, stack), Person(browser, stack)
    lan.sign_in("lan")
    again.sign_in("quan")
    lan.go("/ban-tin/moi/")
    lan.page.click("main button[type=submit]")
    lan.page.fill("#title", TITLE)
    expect(lan.page.locator("#saved")).to_contain_text("Đã lưu")
    again.page.goto(lan.page.url)
    lan.page.fill("#body", BODY)
    expect(lan.page.locator("#saved")).to_have_attribute("data-state", "saved")

    again.page.fill("#body", "Một câu khác.")

    conflict = again.page.locator("#conflict")
    expect(conflict).to_be_visible()
    expect(conflict.locator("[data-kept-body]")).to_have_text(BODY)
    expect(conflict.locator("[data-your-body]")).to_have_text("Một câu khác.")
    conflict.get_by_role("button", name="Giữ bản của tôi").click()
    expect(again.page.locator("#saved")).to_have_attribute("data-state", "saved")
    again.page.reload()
    expect(again.page.locator("#body")).to_have_value("Một câu khác.")


@pytest.mark.parametrize("username", ["lan", "quan", "tung", "admin"])
def test_every_screen_fits_a_thumb(
    stack: Stack, browser: Browser, username: str
) -> None:
    person = Person(browser, stack)
    person.sign_in(username)
    narrow = person.page
    faults = []

    for address in SCREENS:
        person.go(address)
        if narrow.evaluate(TOO_WIDE) > 0:
            faults.append(f"{address}: wider than a phone")
        faults += [
            f"{address}: {what}" for what in narrow.evaluate(TOO_SMALL, SMALLEST_TOUCH)
        ]

    assert faults == []
    assert person.faults == []


def test_the_first_view_is_light(stack: Stack, browser: Browser) -> None:
    lan = Person(browser, stack)
    lan.sign_in("lan")
    fresh = browser.new_context(
        viewport=PHONE,  # type: ignore[arg-type]
        storage_state=lan.page.context.storage_state(),
    ).new_page()
    weights: list[int] = []
    fresh.on(
        "requestfinished",
        lambda request: weights.append(request.sizes()["responseBodySize"]),
    )

    fresh.goto(f"{stack.web_url}/", wait_until="networkidle")

    assert len(weights) >= 5
    assert sum(weights) <= FIRST_VIEW_BYTES


def test_a_foreign_commune_sees_nothing(stack: Stack, browser: Browser) -> None:
    lan, hoa = Person(browser, stack), Person(browser, stack)
    lan.sign_in("lan")
    hoa.sign_in("hoa")
    lan.go("/ban-tin/")
    address = lan.page.locator("main a.row").first.get_attribute("href")
    assert address is not None

    hoa.go(address)

    expect(hoa.page.locator("h1")).to_have_text("Không tìm thấy")
    hoa.go("/ban-tin/")
    expect(hoa.page.locator("main")).to_contain_text("Chưa có bản tin nào")

"""The whole story by clicking, in a real browser, from a phone and from a desk.

Lan writes, hears and sends; Minh hears and approves; everybody sees it sound; Lan
stops the commune, Minh and Quân lift it; a visitor reads and hears the page. Each
screen is photographed at 390 and 1280 px into NGUON_SCREENSHOTS, to be looked at.
"""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from nguon.demo.stack import Stack

pytestmark = [pytest.mark.server, pytest.mark.browser]

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
TITLE = "Tiêm vắc-xin sởi cho trẻ từ 1 đến 10 tuổi"
BODY = (
    "Trạm Y tế tổ chức tiêm bổ sung vắc-xin sởi miễn phí cho trẻ từ 1 đến 10 tuổi, "
    "sáng từ 7h30 đến 11h00 tại nhà văn hóa các thôn, làng. Phụ huynh mang theo sổ "
    "tiêm chủng. Hỏi thêm: 0269 3555 012. Xin cảm ơn bà con đã lắng nghe."
)
SLOW = 60_000


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with Stack(tmp_path / "world", devices=20, agents=2, boards=1) as running:
        yield running


@pytest.fixture
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--autoplay-policy=no-user-gesture-required",
            ],
        )
        yield chromium
        chromium.close()


class Person:
    """Somebody at a browser of their own, who also takes photographs."""

    def __init__(self, browser: Browser, stack: Stack, folder: Path) -> None:
        context = browser.new_context(
            viewport=PHONE, locale="vi-VN", base_url=stack.web_url
        )
        self.page: Page = context.new_page()
        self.foreign: list[str] = []
        self.broken: list[str] = []
        self.page.on("request", lambda request: self._see(request.url, stack))
        self.page.on("pageerror", lambda error: self.broken.append(str(error)))
        self.folder = folder
        self.password = stack.password

    def _see(self, url: str, stack: Stack) -> None:
        ours = (stack.web_url, "data:", "blob:", "http://127.0.0.1:")
        if not url.startswith(ours):
            self.foreign.append(url)

    def sign_in(self, username: str) -> None:
        self.page.goto("/dang-nhap/")
        self.page.locator("input[name=login], input[name=username]").fill(username)
        self.page.locator("input[name=password]").fill(self.password)
        self.photograph("dang-nhap")
        self.page.locator("main form button[type=submit]").first.click()
        expect(self.page.locator("nav.nav")).to_be_visible()

    def photograph(self, name: str) -> None:
        """Take the screen on a phone and on a desk; nothing may stick out."""
        for size in (DESK, PHONE):
            self.page.set_viewport_size(size)  # type: ignore[arg-type]
            wide = self.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= size["width"], f"{name} is {wide} px wide"
            path = self.folder / f"{name}-{size['width']}.png"
            self.page.screenshot(path=str(path))


def test_the_whole_story_by_clicking(
    stack: Stack, browser: Browser, tmp_path: Path
) -> None:
    folder = Path(os.environ.get("NGUON_SCREENSHOTS") or tmp_path / "screens")
    folder.mkdir(parents=True, exist_ok=True)
    lan, minh, quan, visitor = (Person(browser, stack, folder) for _ in range(4))

    write_and_send(lan)
    approve(minh)
    see_it_sound(minh, stack)
    read_in_public(visitor, stack)
    stop_and_lift(lan, minh, quan)

    for person in (lan, minh, quan, visitor):
        assert person.foreign == []
        assert person.broken == []


def write_and_send(lan: Person) -> None:
    page = lan.page
    lan.sign_in("lan")
    lan.photograph("hom-nay")
    page.goto("/ban-tin/moi/")
    lan.photograph("viet-moi")
    page.get_by_text("Ưu tiên", exact=False).first.click()
    page.get_by_role("button", name="Bắt đầu viết").click()
    page.locator("#title").fill(TITLE)
    page.locator("#body").fill(BODY)
    expect(page.locator("#saved")).to_contain_text("Đã lưu", timeout=SLOW)
    page.get_by_role("button", name="Nghe thử").click()
    expect(page.locator("#nghe audio").first).to_be_attached(timeout=SLOW)
    lan.photograph("soan-tin")
    page.locator("#next").click()
    expect(page.locator("#reach")).to_contain_text("thiết bị", timeout=SLOW)
    lan.photograph("gio-va-noi-phat")
    page.get_by_role("button", name="Gửi duyệt").click()
    expect(page.get_by_text("Đang chờ người duyệt")).to_be_visible(timeout=SLOW)
    lan.photograph("da-gui")


def approve(minh: Person) -> None:
    page = minh.page
    minh.sign_in("minh")
    page.goto("/cho-duyet/")
    minh.photograph("cho-duyet")
    page.get_by_text(TITLE).first.click()
    minh.photograph("duyet")
    audio = page.locator("audio").first
    audio.evaluate(
        "player => new Promise(heard => {"
        " player.addEventListener('ended', heard); player.currentTime = 0;"
        " player.playbackRate = 8; player.play(); })"
    )
    page.get_by_role("button", name="Duyệt và phát").click()
    expect(page).to_have_url(re.compile(r"/phat/\w+/$"), timeout=SLOW)


def see_it_sound(minh: Person, stack: Stack) -> None:
    page = minh.page
    minh.photograph("dang-phat")
    uid = page.url.rstrip("/").split("/")[-1]
    page.wait_for_function(
        "async uid => { const answer = await fetch(`/phat/${uid}/so-lieu/`,"
        " {headers: {Accept: 'application/json'}}); const live = await answer.json();"
        " return live.sounded >= 22; }",
        arg=uid,
        timeout=SLOW,
    )
    page.reload()
    minh.photograph("da-phat")
    page.goto("/nhat-ky/")
    expect(page.get_by_text(TITLE).first).to_be_visible()
    minh.photograph("nhat-ky")
    page.goto("/thiet-bi/")
    minh.photograph("thiet-bi")


def read_in_public(visitor: Person, stack: Stack) -> None:
    page = visitor.page
    page.goto(f"/xa/{stack.world['home']}/")
    expect(page.get_by_text(TITLE).first).to_be_visible()
    visitor.photograph("trang-cong-khai")
    page.goto(stack.board_url(2))
    expect(page.get_by_text(TITLE).first).to_be_visible()
    visitor.photograph("bang-tin")


def stop_and_lift(lan: Person, minh: Person, quan: Person) -> None:
    lan.page.goto("/dung-phat/")
    lan.photograph("dung-phat")
    lan.page.locator("main details summary").first.click()
    lan.page.get_by_role("button", name="Dừng phát ngay").first.click()
    expect(lan.page.get_by_text("đang im lặng").first).to_be_visible(timeout=SLOW)
    lan.photograph("dang-dung")
    agree = "Đồng ý cho phát lại"
    minh.page.goto("/dung-phat/")
    minh.page.get_by_role("button", name="Xin cho phát lại").click()
    expect(minh.page.get_by_text("Cần một người khác").first).to_be_visible()
    expect(minh.page.get_by_role("button", name=agree)).to_have_count(0)
    quan.sign_in("quan")
    quan.page.goto("/dung-phat/")
    quan.photograph("cho-phat-lai")
    quan.page.get_by_role("button", name=agree).first.click()
    expect(quan.page.get_by_text("đang im lặng")).to_have_count(0)

"""Live speech from a real browser's microphone to two real speakers, and its ends."""

import os
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from nguon.demo import wav
from nguon.demo.stack import Stack

pytestmark = [pytest.mark.server, pytest.mark.browser]

PHONE = {"width": 390, "height": 844}
SECOND = 1000
TOO_WIDE = "() => document.documentElement.scrollWidth - window.innerWidth"
expect.set_options(timeout=60 * SECOND)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("speaking")
    with Stack(folder, devices=5, agents=2, boards=0, quiet_hours="") as running:
        running.manage("load_authority")
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
                # Its microphone beeps once a second, and nobody has to allow it.
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
            ],
        )
        yield started
        started.close()


def open_page(browser: Browser, stack: Stack, username: str) -> Page:
    context = browser.new_context(
        viewport=PHONE,  # type: ignore[arg-type]
        locale="vi-VN",
        timezone_id="Asia/Ho_Chi_Minh",
        permissions=["microphone"],
    )
    context.set_default_timeout(60 * SECOND)
    page = context.new_page()
    page.goto(f"{stack.web_url}/dang-nhap/")
    page.fill("[name=login]", username)
    page.fill("[name=password]", stack.password)
    page.click("main button[type=submit]")
    page.wait_for_url(f"{stack.web_url}/")
    page.goto(f"{stack.web_url}/noi-truc-tiep/")
    return page


def heard(stack: Stack, number: int, begin: float, end: float) -> bool:
    """Say whether a speaker sounded anything in a span (ms since 1970)."""
    (path,) = stack.wavs(number)
    life = wav.read_life(path)
    return any(life.samples[life.index(begin) : life.index(end)])


def test_lan_speaks_two_speakers_sound_and_the_button_ends_it(
    stack: Stack, browser: Browser
) -> None:
    page = open_page(browser, stack, "lan")
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    assert page.evaluate(TOO_WIDE) <= 0

    page.click("#begin")
    expect(page.locator("#state")).to_have_text("Đang phát. Mời bạn nói.")
    expect(page.locator("#hearers")).to_contain_text("trên 7 đang phát")
    expect(page.locator("#places")).to_have_text("Cả xã Ia Grai")
    assert page.evaluate(TOO_WIDE) <= 0
    began = time.time() * 1000
    time.sleep(4)
    spoke = time.time() * 1000
    page.click("#end")
    stopped = time.time() * 1000
    expect(page.locator("#begin")).to_be_enabled()
    expect(page.locator("#trouble")).to_be_hidden()
    time.sleep(3)

    for number in range(stack.agents):
        assert heard(stack, number, began, spoke)
        assert not heard(stack, number, stopped + 2_000, stopped + 2_800)
    assert faults == []


def test_speech_ends_by_itself_when_the_network_goes(
    stack: Stack, browser: Browser
) -> None:
    page = open_page(browser, stack, "lan")
    page.click("#begin")
    expect(page.locator("#state")).to_have_text("Đang phát. Mời bạn nói.")

    page.context.set_offline(True)
    gone = time.time() * 1000
    expect(page.locator("#trouble")).to_contain_text("Mất mạng")
    time.sleep(max(0.0, (gone + 7_000) / 1000 - time.time()))
    page.context.set_offline(False)

    for number in range(stack.agents):
        assert not heard(stack, number, gone + 5_000, gone + 6_500)
    page.reload()
    page.click("#begin")
    expect(page.locator("#state")).to_have_text("Đang phát. Mời bạn nói.")
    page.click("#end")
    expect(page.locator("#begin")).to_be_enabled()


def test_who_has_no_authority_is_told_what_to_do(
    stack: Stack, browser: Browser
) -> None:
    page = open_page(browser, stack, "minh")

    expect(page.locator("h2")).to_contain_text("chưa được ủy quyền")
    assert page.locator("#begin").count() == 0

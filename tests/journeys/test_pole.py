"""An installer at a pole: checks without signal, sends later, ends measured.

A real browser, the real servers, a real agent on a simulated pole whose microphone
really hears what the agent plays.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from nguon.demo.stack import Stack
from tests.fakes.pole import Desk
from tests.fleet.test_photos import picture

pytestmark = [pytest.mark.server, pytest.mark.browser]

ROOT = Path(__file__).resolve().parents[2]
SECOND = 1000
NOTE = "Cột bê tông cạnh nhà rông"
SHOTS = os.environ.get("NGUON_SHOTS", "")
expect.set_options(timeout=60 * SECOND)
TOO_WIDE = "() => document.documentElement.scrollWidth - window.innerWidth"


def wire(folder: Path) -> None:
    """Wire the first agent's pole: relay 1, mains 2, a whole line, a microphone."""
    home = folder / "devices" / "speaker-0"
    desk = Desk(folder / "desk")
    relay = desk.line(1, 0)
    desk.line(2, 1)
    microphone = [
        sys.executable, str(ROOT / "tests/fakes/pole.py"), str(home / "wav"),
        "--amplifier", str(relay),
    ]  # fmt: skip
    home.mkdir(parents=True, mode=0o700)
    (home / "pole.toml").write_text(
        f"""
chip = "{desk.chip}"
[amplifier]
relay = 1
lead_ms = 500
[power]
mains = 2
battery = {{ file = "{desk.folder}/battery", per_count = 0.001 }}
[line]
volts = {{ file = "{desk.folder}/line", per_count = 0.001 }}
[microphone]
command = {json.dumps(microphone)}
""",
        encoding="utf-8",
    )


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("pole")
    wire(folder)
    with Stack(folder, devices=2, agents=1, boards=0, quiet_hours="") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=os.environ.get("NGUON_CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        yield started
        started.close()


def shoot(page: Page, name: str) -> None:
    """Keep pictures of a screen, narrow and wide, for people to look at."""
    if SHOTS:
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 844})
            page.screenshot(path=f"{SHOTS}/{name}-{width}.png", full_page=True)
        page.set_viewport_size({"width": 390, "height": 844})


def sign_in(context: BrowserContext, stack: Stack) -> Page:
    page = context.new_page()
    page.goto(f"{stack.web_url}/dang-nhap/")
    page.fill("[name=login]", "tung")
    page.fill("[name=password]", stack.password)
    page.click("main button[type=submit]")
    page.wait_for_url(f"{stack.web_url}/")
    return page


def work_without_signal(page: Page) -> None:
    """Do all that can be done without signal, and send it."""
    for step in ("power", "network", "line", "amplifier", "microphone", "clock"):
        page.check(f"[name={step}][value=good]")
    page.click("#locate")
    expect(page.locator("#lat")).to_have_value("13.981200")
    photo = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": picture(320, 240)}
    page.set_input_files("#photo", files=[photo])  # type: ignore[list-item]
    page.fill("#notes", NOTE)
    page.click("main section:nth-of-type(2) button[type=submit]")
    expect(page.locator("#sent")).to_contain_text("Chưa gửi")


def sound_until_measured(page: Page) -> None:
    """Have the tone sounded; until its commune's first plan the device may not."""
    until = time.monotonic() + 120
    said = page.locator("#tone-said")
    while "đo được tiếng" not in said.inner_text():
        assert time.monotonic() < until, said.inner_text()
        page.click("#tone")
        expect(page.locator("#tone")).to_be_enabled(timeout=60 * SECOND)


def test_a_pole_is_done_though_the_signal_came_and_went(
    stack: Stack, browser: Browser
) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844},
        locale="vi-VN",
        timezone_id="Asia/Ho_Chi_Minh",
        has_touch=True,
        geolocation={"latitude": 13.9812, "longitude": 108.0034, "accuracy": 7},
        permissions=["geolocation"],
    )
    context.set_default_timeout(60 * SECOND)
    page = sign_in(context, stack)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    own = f"/thiet-bi/{stack.agent_uid(0)}/lap-dat/"
    page.goto(f"{stack.web_url}{own}")
    expect(page.locator("html")).to_have_attribute("data-kept", "yes")

    # No signal: the job is done all the same, and survives a reload.
    context.set_offline(True)
    work_without_signal(page)
    shoot(page, "chua-gui")
    page.reload()
    expect(page.locator("#sent")).to_contain_text("Chưa gửi")
    expect(page.locator("#notes")).to_have_value(NOTE)
    expect(page.locator("#kept-photos")).to_contain_text("1 ảnh")
    page.click("#tone")
    expect(page.locator("#tone-said")).to_contain_text("Chưa có sóng")
    assert stack.login("tung").ask(own + "tinh-hinh/")["installation"] == ""

    # Signal: it is sent by itself, once, with its photo.
    context.set_offline(False)
    expect(page.locator("#sent")).to_contain_text("Đã gửi")
    page.reload()
    expect(page.locator("#sent")).to_contain_text("Đã gửi")
    table = page.request.get(f"{stack.web_url}/thiet-bi/lap-dat/xuat.csv").text()
    assert table.count(NOTE) == 1

    # The tone: measured by the pole, heard by the installer.
    sound_until_measured(page)
    microphone = page.locator("[data-step=microphone] .check-said")
    expect(microphone).to_have_text("nghe thấy tiếng của máy")
    assert page.evaluate(TOO_WIDE) <= 0
    shoot(page, "do-duoc")
    page.click("#heard")
    page.wait_for_url("**/thiet-bi/lap-dat/*/")
    expect(page.locator("main")).to_contain_text("Cột này đã xong")
    expect(page.locator("main")).to_contain_text("Đo được tiếng")
    expect(page.locator(".photos img")).to_have_count(1)
    shoot(page, "bien-ban")
    page.goto(f"{stack.web_url}/thiet-bi/lap-dat/")
    assert page.evaluate(TOO_WIDE) <= 0
    shoot(page, "danh-sach")
    assert faults == []
    context.close()

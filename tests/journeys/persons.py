"""Somebody at a browser, and what several journeys do alike."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from nguon.demo.stack import Stack

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
SECOND = 1000
TOO_WIDE = "() => document.documentElement.scrollWidth - window.innerWidth"
TOO_SMALL = """least => [...document.querySelectorAll(
    'main button, main a.btn, main a.row, main summary, main input, main select')]
  .filter(e => e.checkVisibility() && !e.closest('label')
    && e.getBoundingClientRect().height < least)
  .map(e => e.outerHTML.slice(0, 120))"""


@contextmanager
def open_browser(*extra: str) -> Iterator[Browser]:
    """Start Debian's Chromium without a window; `extra` are more of its switches."""
    path = os.environ.get("NGUON_CHROMIUM") or shutil.which("chromium")
    switches = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", *extra]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=switches)
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
        context.set_default_timeout(60 * SECOND)
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


def put_on_the_shelf(stack: Stack, title: str, body: str) -> str:
    """Write and release a bulletin that programmes may take, as programs do.

    Returns the uid of its broadcast.
    """
    lan, minh, home = stack.login("lan"), stack.login("minh"), stack.world["home"]
    made = lan.tell("/ban-tin/moi/", unit=home, kind="normal")
    address = f"/ban-tin/{made['bulletin_uid']}/"
    lan.tell(
        f"{address}luu/",
        revision=made["revision"],
        title=title,
        body=body,
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
    return str(sent["broadcast_uid"])

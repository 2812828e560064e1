"""A real browser switches notices on, shows a push with no page open, and opens it.

Only the maker's own servers are stood in for: Debian's Chromium has no account there,
so what it would be given is put in its place, and the push arrives by its debugger.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from nguon.people.models import Officer, Receiver
from nguon.providers import push
from tests.conftest import PASSWORD
from tests.fakes.push import FakeBrowser, FakePushServer
from tests.journeys.persons import DESK, PHONE, TOO_SMALL, TOO_WIDE, open_browser

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

STAND_IN = """({endpoint, public_key, secret}) => {
  const bytes = text => Uint8Array.from(
    atob(text.replace(/-/g, '+').replace(/_/g, '/')), c => c.charCodeAt(0)).buffer;
  const given = { endpoint, unsubscribe: async () => true,
    getKey: name => bytes(name === 'p256dh' ? public_key : secret) };
  const held = () => sessionStorage.getItem('on') ? given : null;
  PushManager.prototype.getSubscription = async () => held();
  PushManager.prototype.subscribe = async ({applicationServerKey}) => {
    if (applicationServerKey.length !== 65) throw new Error('key');
    sessionStorage.setItem('on', '1');
    return given;
  };
}"""
SHOWN = """async () => (await (await navigator.serviceWorker.ready).getNotifications())
  .map(one => [one.title, one.body, one.data.url])"""


def photograph(page: Page, name: str) -> None:
    """Hold the page against both screens; keep its picture when asked for."""
    for size, width in ((PHONE, "phone"), (DESK, "desk")):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert page.evaluate(TOO_WIDE) <= 0
        assert page.evaluate(TOO_SMALL, 44) == []
        if folder := os.environ.get("NGUON_SHOTS"):
            page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)


def sign_in(context: BrowserContext, url: str, phone: FakeBrowser) -> Page:
    page = context.new_page()
    page.add_init_script(f"({STAND_IN})({json.dumps(phone.form)})")
    page.goto(f"{url}/dang-nhap/")
    page.fill("[name=login]", "minh")
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.goto(f"{url}/tai-khoan/bao/")
    return page


def test_a_phone_is_switched_on_shows_a_push_and_is_switched_off(
    live_server: LiveServer, minh: Officer, settings: Any, tmp_path: Path
) -> None:
    maker = FakePushServer().start()
    phone = maker.browser()
    settings.PUSH_HOSTS, settings.KEYS_DIR = [maker.host], tmp_path
    push.make_key(tmp_path)
    url = live_server.url.replace("127.0.0.1", "localhost")

    with open_browser() as browser:
        context = browser.new_context(locale="vi-VN", has_touch=True)
        page = sign_in(context, url, phone)
        # What is not granted is refused.
        context.grant_permissions(["geolocation"], origin=url)
        page.reload()
        expect(page.locator("[data-state=cannot]")).to_contain_text("chặn báo")
        photograph(page, "bao-chan")
        context.grant_permissions(["notifications"], origin=url)
        page.reload()
        expect(page.locator("[data-state=off]")).to_be_visible()
        photograph(page, "bao-tat")
        page.get_by_role("button", name="Bật báo trên máy này").tap()
        expect(page.locator("[data-state=on]")).to_be_visible()
        photograph(page, "bao-bat")
        page.locator("[data-state=on]").get_by_role("button", name="Gửi thử").tap()
        expect(page.locator(".toast")).to_contain_text("Đã gửi báo thử")

        debugger = context.new_cdp_session(page)
        debugger = context.new_cdp_session(page)
        found: list[str] = []
        debugger.on(
            "ServiceWorker.workerRegistrationUpdated",
            lambda told: found.extend(
                r["registrationId"] for r in told["registrations"]
            ),
        )
        debugger.send("ServiceWorker.enable")
        for _turn in range(100):
            if not found:
                page.wait_for_timeout(50)  # lets the debugger's word come in
        debugger.send(
            "ServiceWorker.deliverPushMessage",
            {
                "origin": f"{url}/",
                "registrationId": found[0],
                "data": json.dumps(
                    {**phone.shown[0], "title": "KHẨN: chờ duyệt", "urgent": True}
                ),
            },
        )
        page.wait_for_function(f"async () => (await ({SHOWN})()).length > 0")
        shown = page.evaluate(SHOWN)

        page.locator("[data-state=on]").get_by_role("button", name="Tắt").tap()
        expect(page.locator(".empty")).to_be_visible()
    maker.stop()

    assert shown == [["KHẨN: chờ duyệt", "KHẨN. Bấm để mở.", "/tai-khoan/bao/"]]
    assert not Receiver.objects.exists()

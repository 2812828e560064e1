"""Three communes and the department go through one reporting period in the browser.

One report is returned, one comes late; the synthesis equals the sums. The clock of
the server, which runs in this process, is moved from day to day.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import docx
import pytest
import time_machine
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from nguon.people.models import Officer
from nguon.reports.models import Submission
from nguon.territory.models import Unit
from tests.conftest import make_officer, make_unit
from tests.journeys.persons import PHONE, TOO_SMALL, TOO_WIDE, open_browser

pytestmark = [
    pytest.mark.server, pytest.mark.browser, pytest.mark.django_db(transaction=True)
]  # fmt: skip
# November is reported in December; the third working day is Thursday the 3rd.
IN_TIME = datetime(2026, 12, 2, 2, 0, tzinfo=UTC)
LATE = datetime(2026, 12, 7, 2, 0, tzinfo=UTC)
SECOND = 1000


class Office:
    """The running system, and whoever opens a phone in it."""

    def __init__(self, browser: Browser, server: LiveServer) -> None:
        self.browser, self.url = browser, server.url
        self.faults: list[str] = []

    @contextmanager
    def visit(self, officer: Officer) -> Iterator[Page]:
        """Open a phone signed in as somebody, and look at the last page they saw."""
        client = Client()
        client.force_login(officer)
        context = self.browser.new_context(
            viewport=PHONE,  # type: ignore[arg-type]
            locale="vi-VN",
            has_touch=True,
            base_url=self.url,
        )
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        cookie: Any = {"name": settings.SESSION_COOKIE_NAME, "value": value}
        context.add_cookies([{**cookie, "url": self.url}])
        context.set_default_timeout(30 * SECOND)
        page = context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on(
            "response",
            lambda r: self.faults.append(r.url) if r.status >= 500 else None,
        )
        page.goto("/bao-cao/")
        yield page
        if page.evaluate(TOO_WIDE) > 0:
            self.faults.append(f"{page.url}: wider than a phone")
        self.faults += [f"{page.url}: {e}" for e in page.evaluate(TOO_SMALL, 44)]
        context.close()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()


def open_report(page: Page, unit: str) -> None:
    page.goto("/bao-cao/")
    page.locator("a.row", has_text="Tháng 11 năm 2026: Báo cáo").click()
    page.locator("a.row", has_text=unit).click()


def fill_and_send(page: Page, unit: str, boards: int, above: int, below: int) -> None:
    open_report(page, unit)
    page.get_by_label("Số", exact=True).fill(str(boards))
    page.get_by_label("Tử số").fill(str(above))
    page.get_by_label("Mẫu số").fill(str(below))
    press(page, "Lưu và gửi lên")
    expect(page.locator(".toast")).to_contain_text("Đã gửi báo cáo")


def accept(page: Page, unit: str) -> None:
    open_report(page, unit)
    press(page, "Duyệt báo cáo")
    expect(page.locator(".banner-good")).to_contain_text("đã duyệt")


def ask_for_november(page: Page) -> None:
    """Write the form and open its period."""
    page.goto("/bao-cao/bieu-mau/moi/")
    page.fill("#title", "Báo cáo thông tin cơ sở")
    press(page, "Lập, rồi thêm mục")
    for code in ("large_boards", "villages_reached"):
        page.locator("summary", has_text="Thêm mục").wait_for()
        if not page.locator("#indicator").is_visible():
            page.locator("summary", has_text="Thêm mục").click()
        page.select_option("#indicator", code)
        press(page, "Thêm mục")
        page.wait_for_load_state()
    page.locator("summary", has_text="Mở kỳ báo cáo").click()
    page.select_option("#kind", "month")
    page.fill("#year", "2026")
    page.fill("#number", "11")
    press(page, "Mở kỳ và báo các đơn vị")
    expect(page.locator("h1")).to_have_text("Tháng 11 năm 2026")


def return_and_correct(office: Office, quan: Officer, lan: Officer) -> None:
    """Accept one report, return the other, and have its mistake put right."""
    with office.visit(quan) as page:
        accept(page, "Xã Đak Đoa")
        open_report(page, "Xã Ia Grai")
        page.locator("summary", has_text="Trả lại").click()
        page.fill("#reason", "80 bảng là nhầm, xem lại")
        press(page, "Trả lại cho đơn vị")
        expect(page.locator(".badges").first).to_contain_text("Bị trả lại")
    with office.visit(lan) as page:
        open_report(page, "Xã Ia Grai")
        expect(page.locator(".banner-stop")).to_contain_text("80 bảng là nhầm")
        page.get_by_label("Số", exact=True).fill("8")
        press(page, "Lưu")
        expect(page.locator(".toast")).to_contain_text("Đã lưu")


@pytest.fixture
def third(province: Unit) -> Officer:
    """Return who writes and sends for the commune that is late."""
    unit = make_unit("commune", "23999", "Xã Kông Chro", province)
    return make_officer("nam", "Đinh Nam", (unit, "author"), (unit, "approver"))


@pytest.fixture
def tri(province: Unit) -> Officer:
    """Return a second approver of the department."""
    return make_officer("tri", "Kpă Trí", (province, "approver"))


def test_one_period_from_the_form_to_the_synthesis(
    live_server: LiveServer,
    monkeypatch: pytest.MonkeyPatch,
    quan: Officer,
    tri: Officer,
    lan: Officer,
    minh: Officer,
    hoa: Officer,
    third: Officer,
) -> None:
    # The browser's own loop runs in this thread, beside the tests' database.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with open_browser() as browser:
        office = Office(browser, live_server)
        with time_machine.travel(IN_TIME):
            with office.visit(quan) as page:
                ask_for_november(page)
            with office.visit(minh) as page:
                fill_and_send(page, "Xã Ia Grai", 80, 6, 8)
            with office.visit(hoa) as page:
                fill_and_send(page, "Xã Đak Đoa", 4, 10, 40)
            return_and_correct(office, quan, lan)
            with office.visit(minh) as page:
                fill_and_send(page, "Xã Ia Grai", 8, 6, 8)
            with office.visit(quan) as page:
                accept(page, "Xã Ia Grai")
        with time_machine.travel(LATE):
            with office.visit(third) as page:
                fill_and_send(page, "Xã Kông Chro", 3, 1, 10)
            with office.visit(quan) as page:
                open_report(page, "Xã Kông Chro")
                expect(page.locator(".badge-bad")).to_contain_text("Gửi muộn")
                accept(page, "Xã Kông Chro")
                open_report(page, "Tỉnh Gia Lai")
                page.get_by_role("link", name=re.compile("^Phần lời")).click()
                press(page, "Soạn từ số liệu")
                expect(page.locator("#words_1")).to_have_value(
                    re.compile("3/3 đơn vị.*Báo cáo muộn: Xã Kông Chro", re.DOTALL)
                )
                open_report(page, "Tỉnh Gia Lai")
                press(page, "Lưu và gửi lên")
            with office.visit(tri) as page:
                accept(page, "Tỉnh Gia Lai")
                with page.expect_download() as download:
                    page.get_by_role("link", name="Tải văn bản Word").click()
                content = download.value.path().read_bytes()
                page.goto("/chi-tieu/large_boards/?ky=khac&tu=1/11/2026&den=30/11/2026")
                expect(page.locator(".stat b")).to_have_text("15 bảng")

    assert office.faults == []
    told = {row.unit.name: row for row in Submission.objects.select_related("unit")}
    communes = [told[name] for name in ("Ia Grai", "Đak Đoa", "Kông Chro")]
    for number, above, below in ((1, 15, None), (2, 17, 58)):
        answers = [row.answers.get(field__number=number) for row in communes]
        top = told["Gia Lai"].answers.get(field__number=number)
        assert top.above == sum(one.above for one in answers) == above
        assert top.below == (below and sum(one.below for one in answers)) == below
    cells = [
        [cell.text for cell in row.cells]
        for row in docx.Document(BytesIO(content)).tables[1].rows
    ]
    assert cells[1][2:] == ["15 bảng", "cộng từ cấp dưới"]
    assert cells[2][2:] == ["29,31 %", "17/58; cộng từ cấp dưới"]

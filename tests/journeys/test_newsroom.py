"""Phones at the newsroom: a letter is sent and approved, a voice recorded."""

import re
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from nguon.demo.stack import Stack
from nguon.speech import chain, voice
from tests.journeys.persons import SECOND, Person, open_browser
from tests.newsroom import files

pytestmark = [pytest.mark.server, pytest.mark.browser]

MICROPHONE = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)
MOST_TAPS = 12
COUNT = """() => document.addEventListener('click', event => {
  if (event.isTrusted) sessionStorage.taps = Number(sessionStorage.taps || 0) + 1;
}, true)"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("newsroom")
    with Stack(folder, devices=4, agents=0, boards=0, quiet_hours="") as running:
        yield running


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Start a browser whose microphone hears a voice, again and again."""
    said = "Mời bà con nghe giọng của xã mình, đọc chậm, rõ từng chữ một."
    heard = tmp_path_factory.mktemp("voice") / "voice.wav"
    with wave.open(str(heard), "wb") as file:
        file.setparams((1, 2, chain.SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(voice.synthesise(said, language="vi", voice="vi"))
    switch = f"--use-file-for-fake-audio-capture={heard}"
    with open_browser(*MICROPHONE, switch) as started:
        yield started


def test_a_letter_is_sent_in_twelve_taps_and_approved_from_a_phone(
    stack: Stack, browser: Browser, tmp_path: Path
) -> None:
    letter = tmp_path / "thong-bao.docx"
    letter.write_bytes(files.docx(files.LETTER))
    lan = Person(browser, stack, "lan")
    page = lan.page
    # Signing in was one tap already: what is clicked from here on counts on.
    taps = 1
    page.add_init_script(f"({COUNT})()")
    page.goto("/")

    page.locator("nav a[href='/ban-tin/']").first.click()
    page.get_by_role("link", name="Từ văn bản").click()
    page.wait_for_url("**/nhan/")
    lan.look("lam-tin-tu-van-ban")
    page.set_input_files("#file", letter)
    taps += 2  # opening the chooser, choosing
    page.get_by_role("button", name="Làm bản nháp").click()
    page.wait_for_url("**/viet/")
    lan.look("ban-nhap-de-xuat")
    expect(page.locator("#body")).to_have_value(re.compile("Kính thưa bà con"))
    page.locator("#next").click()
    page.wait_for_url("**/phat/")
    lan.press("Gửi duyệt")
    page.wait_for_url("**/ban-tin/*/")
    expect(page.locator(".steps")).to_contain_text("Đã gửi")

    taps += int(page.evaluate("() => Number(sessionStorage.taps || 0)"))
    assert taps <= MOST_TAPS
    assert taps >= 7
    assert lan.faults == []

    minh = Person(browser, stack, "minh")
    minh.open_approval("tiêm phòng")
    minh.look("duyet-tren-dien-thoai")
    minh.page.locator("audio").first.evaluate(
        "player => new Promise(heard => {"
        " player.addEventListener('ended', heard); player.currentTime = 0;"
        " player.playbackRate = 8; player.play(); })"
    )
    minh.press("Duyệt và phát")
    minh.page.wait_for_url(re.compile(r"/phat/\w+/$"))
    assert minh.faults == []


def test_a_voice_is_recorded_cut_and_taken_again(
    stack: Stack, browser: Browser
) -> None:
    lan = Person(browser, stack, "lan")
    page = lan.page
    page.context.grant_permissions(["microphone"])
    page.goto("/ban-tin/moi/")
    page.click("main button[type=submit]")
    page.fill("#title", "Tin đọc bằng giọng người")
    page.fill("#body", "Mời bà con nghe giọng của xã mình.")
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    page.locator("summary", has_text="Dùng giọng người đọc").click()

    for _take in range(2):
        page.locator("#rec-start").click()
        page.wait_for_function("() => document.getElementById('rec-level').value > 5")
        page.wait_for_function(
            "() => /Đang ghi 0:0[5-9]/.test("
            "document.getElementById('rec-hint').textContent)"
        )
        page.locator("#rec-stop").click()
        expect(page.locator("#rec-review")).to_be_visible()
    lan.look("ghi-am")
    page.locator("#rec-from").fill("1")
    page.locator("#rec-use").click()

    player = page.locator("#sounds .player")
    expect(player).to_contain_text("giọng người đọc", timeout=60 * SECOND)
    length = int(player.get_attribute("data-length") or 0)
    assert 2_000 < length < 9_000
    assert lan.faults == []


def test_an_upload_goes_on_after_a_lost_network(
    stack: Stack, browser: Browser, tmp_path: Path
) -> None:
    recorded = tmp_path / "giong.wav"
    recorded.write_bytes(files.tone(150.0, rate=16_000))
    lan = Person(browser, stack, "lan")
    page = lan.page
    page.goto("/ban-tin/nhan/")
    page.set_input_files("#file", recorded)
    broken = {"left": 2}

    def cut(route: object) -> None:
        if broken["left"]:
            broken["left"] -= 1
            route.abort()  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    page.route("**/ban-tin/tep/*/", cut)
    page.get_by_role("button", name="Làm bản nháp").click()

    page.wait_for_url("**/viet/", timeout=90 * SECOND)
    expect(page.locator("#sounds")).to_contain_text("giọng người đọc")
    assert broken["left"] == 0
    assert lan.faults == []

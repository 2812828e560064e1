"""A command is carried out or declined with its cause, and the answer says which."""

import logging
from typing import Any

import pytest

from nguon.agent.commands import LogTail, redact
from nguon.core import topics
from tests.agent.conftest import Agent, make_sound, wait_until
from tests.fakes.province import FakeProvince


def answer(province: FakeProvince, document: str, kind: str) -> dict[str, Any]:
    """Return what the device told about one command."""

    def found() -> list[dict[str, Any]]:
        return [e for e in province.told(kind) if e["data"]["document"] == document]

    wait_until(lambda: bool(found()))
    return found()[0]["data"]


@pytest.mark.server
def test_a_command_is_answered_with_what_was_done_or_why_not(
    agent: Agent, fake_province: FakeProvince
) -> None:
    agent.run()
    fake_province.bus.wait_until_heard(topics.device(fake_province.device, "command"))
    fake_province.wait_for("birth")

    volume = fake_province.push_command("volume", {"volume": 35})
    assert answer(fake_province, volume, "obeyed")["verb"] == "volume"
    wrong = fake_province.push_command("volume", {"volume": "loud"})
    assert answer(fake_province, wrong, "declined")["cause"] == "unusable"
    unknown = fake_province.push_command("explode")
    assert answer(fake_province, unknown, "refused")["cause"] == "malformed"
    test = fake_province.push_command("test")
    assert answer(fake_province, test, "obeyed")["verb"] == "test"
    logs = fake_province.push_command("logs")
    assert answer(fake_province, logs, "obeyed")["verb"] == "logs"
    sent = fake_province.logs[logs]
    assert "is up" in sent
    assert "eyJ" not in sent


@pytest.mark.server
def test_a_test_after_repair_is_as_quiet_in_the_air_as_was_asked(
    agent: Agent, fake_province: FakeProvince
) -> None:
    agent.run()
    fake_province.bus.wait_until_heard(topics.device(fake_province.device, "command"))
    fake_province.wait_for("birth")

    levels = []
    for volume in (25, 100):
        begun = fake_province.now()
        test = fake_province.push_command("test", {"volume": volume})
        answer(fake_province, test, "obeyed")
        wait_until(lambda begun=begun: fake_province.now() > begun + 3_500)
        levels.append((begun, begun + 3_500))
    wrong = fake_province.push_command("test", {"volume": True})
    assert answer(fake_province, wrong, "declined")["cause"] == "unusable"
    agent.end()

    (recording,) = agent.recordings()
    quiet, own = (int(abs(recording.sounding(*span)).max()) for span in levels)
    # The tone's own peak is 6,000; the device's settings hold it at their volume.
    assert quiet == pytest.approx(6_000 * 0.25, rel=0.01)
    assert own == pytest.approx(6_000 * fake_province.volume / 100, rel=0.01)
    assert quiet < own


@pytest.mark.server
def test_a_restart_waits_for_nobody_but_what_sounds(
    agent: Agent, fake_province: FakeProvince
) -> None:
    agent.run()
    fake_province.wait_for("birth")
    sound, _samples = make_sound(30.0)
    item = fake_province.item(sound, 30_000)
    fake_province.plan(item)
    fake_province.wait_for("started", item.id)

    held = fake_province.push_command("restart")
    assert answer(fake_province, held, "declined")["cause"] == "sounding"
    forced = fake_province.push_command("restart", {"force": True})
    assert answer(fake_province, forced, "obeyed")["verb"] == "restart"
    birth = fake_province.wait_for("birth", count=2)
    assert birth["data"]["boots"] == 2

    alert = fake_province.item(sound, 30_000, rank="emergency", start="cut")
    fake_province.push_alert(alert)
    fake_province.wait_for("started", alert.id)
    never = fake_province.push_command("restart", {"force": True})
    assert answer(fake_province, never, "declined")["cause"] == "emergency"


def test_the_log_in_memory_is_bounded_and_opens_no_door() -> None:
    tail = LogTail(limit=2_000)
    for number in range(200):
        record = logging.LogRecord("a", logging.INFO, "", 0, f"line {number}", (), None)
        tail.emit(record)

    assert len(tail.text().encode()) <= 2_000
    assert "line 199" in tail.text()
    assert "line 1\n" not in tail.text()
    secret = (
        "Authorization: Bearer abc.def eyJhbGciOi.eyJzdWIi.c2ln ABCD-2345-WXYZ-6789 "
        "http://user:pass@radio.vn/live?token=xyz"
    )
    clean = redact(secret)
    for word in ("abc.def", "eyJ", "2345", "pass@", "xyz"):
        assert word not in clean

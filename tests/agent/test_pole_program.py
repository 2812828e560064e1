"""The real program on a simulated pole: it switches, listens, measures and tells."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nguon.speech import audio
from tests.agent.conftest import Agent, wait_until
from tests.fakes.pole import Desk
from tests.fakes.province import FakeProvince

pytestmark = pytest.mark.server

RELAY, SENSE, MAINS, DOOR = 17, 27, 22, 5


def speech(seconds: float) -> bytes:
    """Return a sound with pauses, as speech has."""
    source = np.random.default_rng(3)
    pieces = []
    while sum(len(piece) for piece in pieces) < seconds * 48_000:
        loud = source.standard_normal(source.integers(8_000, 40_000)) * 5_000
        pieces += [loud, np.zeros(source.integers(6_000, 20_000))]
    samples = np.concatenate(pieces)[: int(seconds * 48_000)]
    return audio.encode(samples.astype("<i2").tobytes())


@pytest.fixture
def desk(agent: Agent, tmp_path: Path) -> Desk:
    """Return the wires of a whole pole, named in the agent's own file."""
    found = Desk(tmp_path / "desk")
    relay = found.line(RELAY, 0)
    found.line(SENSE, 0)
    found.line(MAINS, 1)
    found.line(DOOR, 0)
    command = [
        sys.executable, "-m", "tests.fakes.pole", str(agent.wavs),
        "--gain", "0.05", "--noise", "15", "--amplifier", str(relay),
    ]  # fmt: skip
    (agent.home / "pole.toml").write_text(
        f"""
chip = "{found.chip}"
[amplifier]
relay = {RELAY}
sense = {RELAY + 100}
lead_ms = 500
tail_ms = 1000
[power]
mains = {MAINS}
battery = {{ file = "{found.folder}/battery", per_count = 0.001 }}
[line]
volts = {{ file = "{found.folder}/line", per_count = 0.001 }}
[microphone]
command = {json.dumps(command)}
[contacts]
door = {DOOR}
""",
        encoding="utf-8",
    )
    # The relay feeds its own sense: one file under two names.
    sense = found.chip / f"gpio{RELAY + 100}"
    sense.symlink_to(found.chip / f"gpio{RELAY}")
    return found


def beats(fake: FakeProvince, check: Callable[[dict[str, Any]], bool]) -> None:
    wait_until(lambda: any(check(beat) for beat in fake.beats), seconds=30)


def test_a_bulletin_is_measured_and_a_dead_horn_is_not(
    agent: Agent, desk: Desk, fake_province: FakeProvince
) -> None:
    agent.run()
    sound = speech(6)
    first = fake_province.item(sound, 6_000)
    asked = time.monotonic()
    fake_province.push(
        fake_province.sign("go", {"item": first.encode()}, use="plan"), held=False
    )
    started = fake_province.wait_for("started", first.id)
    assert time.monotonic() - asked < 3
    record = fake_province.wait_for("finished", first.id)["data"]

    assert started["data"]["error_ms"] >= 0
    assert record["evidence"] == "measured", agent.log()
    beats(fake_province, lambda beat: beat.get("heard") is True)
    relay = desk.chip / f"gpio{RELAY}" / "value"
    wait_until(lambda: relay.read_text() == "0")

    # The horn falls off: the amplifier runs, and nobody hears.
    text = (agent.home / "pole.toml").read_text(encoding="utf-8")
    agent.kill()
    (agent.home / "pole.toml").write_text(
        text.replace('"0.05"', '"0.0"'), encoding="utf-8"
    )
    agent.run()
    second = fake_province.item(sound, 6_000)
    fake_province.push(
        fake_province.sign("go", {"item": second.encode()}, use="plan"), held=False
    )
    record = fake_province.wait_for("finished", second.id)["data"]

    assert record["evidence"] == "amplified", agent.log()
    beats(fake_province, lambda beat: beat.get("heard") is False)
    agent.end()


def test_wires_are_told_within_seconds_and_a_contact_is_an_event(
    agent: Agent, desk: Desk, fake_province: FakeProvince
) -> None:
    agent.run()
    beats(fake_province, lambda b: b.get("mains") is True and b.get("line") == "ok")
    assert fake_province.beats[-1]["battery_percent"] > 80

    changed = time.monotonic()
    desk.line(MAINS, 0)
    desk.volts(line=3.2)
    desk.line(DOOR, 1)
    beats(fake_province, lambda b: b.get("mains") is False and b["line"] == "open")
    assert time.monotonic() - changed < 12
    told = fake_province.wait_for("contact")
    agent.end()

    assert told["data"] == {"name": "door", "closed": True}
    # What a contact says makes nothing sound.
    assert not any(recording.samples.any() for recording in agent.recordings())


def test_a_wrong_file_ends_the_program_with_a_sentence(agent: Agent) -> None:
    (agent.home / "pole.toml").write_text("[amplifier]\nrely = 3\n")

    agent.run(wait=False)
    assert agent.process
    assert agent.process.wait(15) == 1

    assert "agent.pole_unknown" in agent.log()
    assert "relay" in agent.log()

"""The real program against a small real province: what it plays, tells and refuses."""

import numpy as np
import pytest

from tests.agent.conftest import Agent, make_sound
from tests.fakes.province import FakeProvince

pytestmark = pytest.mark.server


def test_a_planned_item_sounds_at_its_time_and_its_record_tells_the_truth(
    agent: Agent, fake_province: FakeProvince
) -> None:
    sound, samples = make_sound(2)
    agent.run()
    planned = fake_province.now() + 2_500

    item = fake_province.item(sound, 2_000, starts_at=planned)
    fake_province.plan(item)
    finished = fake_province.wait_for("finished", item.id)
    agent.end()

    [recording] = agent.recordings()
    begins, alike = recording.find(samples)
    record = finished["data"]
    assert alike > 0.99
    assert abs(begins - record["started_at"]) < 5
    assert abs(record["started_at"] - planned) <= 20
    assert record["outcome"] == "finished"
    assert abs(record["sounded_ms"] - 2_000) < 60
    kinds = [e["type"] for e in fake_province.events.values() if e["item"] == item.id]
    assert kinds == ["received", "prepared", "started", "finished"]
    assert len(fake_province.told("birth")) == 1
    before = recording.sounding(recording.started_at, begins - 1)
    after = recording.sounding(begins + 2_100, recording.started_at + 1e9)
    assert not before.any()
    assert not np.any(after)

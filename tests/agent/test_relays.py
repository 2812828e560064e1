"""The real program with relays and live speech: what sounds when a source dies."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from nguon.core.messages import Item, Stream, segment_body
from nguon.speech.live import LiveEncoder
from tests.agent.conftest import Agent, Recording, make_sound
from tests.fakes import radio as fake
from tests.fakes.province import FakeProvince
from tests.fakes.radio import FakeRadio

pytestmark = pytest.mark.server

RATE = 48_000


@pytest.fixture
def radio() -> Iterator[FakeRadio]:
    found = FakeRadio().start()
    yield found
    found.stop()


@pytest.fixture
def open_agent(agent: Agent) -> Agent:
    """Return an agent that may fetch relays from this machine."""
    agent.extra = ["--wav", str(agent.wavs), "--allow-inside"]
    return agent


def relay(province: FakeProvince, url: str, *, kind: str = "http", **more: Any) -> Item:
    values = {"rank": "relay", "after": "rejoin", "start": "next", "renditions": ()}
    stream = Stream("s", kind, url)
    return province.item(None, 0, stream=stream, **(values | more))


def is_on(recording: Recording, sound: np.ndarray, begin: float, end: float) -> bool:
    """Say whether a stretch of the recording is a part of this sound."""
    return fake.find(recording.sounding(begin, end), sound)[1] > 0.8


def test_a_source_that_dies_gives_way_to_the_fallback_and_comes_back(
    open_agent: Agent, fake_province: FakeProvince, radio: FakeRadio
) -> None:
    jingle, jingle_samples = make_sound(2, seed=3)
    begins = fake_province.now() + 6_000
    window = {"starts_at": begins, "ends_at": begins + 32_000}
    item = relay(fake_province, radio.url, **window)
    filler = fake_province.item(
        jingle, 2_000, rank="filler", after="rejoin", loop=True, **window
    )
    fake_province.plan(item, filler)
    open_agent.run()

    started = fake_province.wait_for("started", item.id)
    time.sleep(5)
    radio.mode = fake.HUNG
    died = fake_province.now()
    fake_province.wait_for("started", filler.id)
    time.sleep(5)
    radio.mode = fake.ON
    back = fake_province.now()
    record = fake_province.wait_for("finished", item.id, seconds=40)["data"]
    open_agent.end()

    [recording] = open_agent.recordings()
    own = radio.samples.astype(float)
    looped = np.tile(jingle_samples[: 2 * RATE], 3)
    on = started["at"]
    assert abs(on - begins) < 2_000
    assert is_on(recording, own, on + 1_000, on + 1_800)
    fallback = fake_province.told("started", filler.id)[0]["at"]
    assert fallback - died < 6_000
    assert is_on(recording, looped, fallback + 200, fallback + 900)
    assert is_on(recording, own, back + 9_000, back + 9_800)
    assert record["outcome"] == "finished"
    assert len(record["parts"]) == 2
    assert 5_000 < record["dead_ms"] < 16_000
    assert record["sounded_ms"] == record["relayed_ms"]
    assert abs(record["sounded_ms"] + record["dead_ms"] - 32_000) < 4_000


def test_a_source_that_never_answers_is_missed_and_the_fallback_sounds(
    agent: Agent, fake_province: FakeProvince, radio: FakeRadio
) -> None:
    jingle, jingle_samples = make_sound(2, seed=3)
    agent.run()
    begins = fake_province.now() + 2_500
    window = {"starts_at": begins, "ends_at": begins + 5_000}
    item = relay(fake_province, radio.url, **window)
    filler = fake_province.item(
        jingle, 2_000, rank="filler", after="rejoin", loop=True, **window
    )

    fake_province.plan(item, filler)
    missed = fake_province.wait_for("missed", item.id)["data"]
    agent.end()

    [recording] = agent.recordings()
    begun, alike = recording.find(jingle_samples)
    assert alike > 0.95
    assert abs(begun - begins) < 100
    assert missed["cause"] == "source"
    assert missed["relayed_ms"] == 0
    assert missed["dead_ms"] > 4_000
    # This agent may not fetch from inside the network, signed or not.
    assert radio.requests == []


def test_an_hls_relay_sounds_and_its_record_tells_how_much(
    open_agent: Agent, fake_province: FakeProvince, radio: FakeRadio
) -> None:
    begins = fake_province.now() + 7_000
    item = relay(
        fake_province,
        radio.hls_url,
        kind="hls",
        starts_at=begins,
        ends_at=begins + 6_000,
    )
    fake_province.plan(item)
    open_agent.run()

    record = fake_province.wait_for("finished", item.id, seconds=25)["data"]
    open_agent.end()

    [recording] = open_agent.recordings()
    own = radio.samples.astype(float)
    assert is_on(recording, own, begins + 3_000, begins + 4_000)
    assert record["outcome"] == "finished"
    assert abs(record["sounded_ms"] - 6_000) < 1_500


class Speaker:
    """Somebody who speaks live, a quarter of a second at a time."""

    def __init__(self, province: FakeProvince, item: Item, samples: np.ndarray) -> None:
        self.province, self.item = province, item
        self.samples = samples.astype("<i2")
        self.ending = threading.Event()
        self.n = 0
        self.thread = threading.Thread(target=self.speak, daemon=True)

    def send(self, mp3: bytes, *, last: bool = False, **changes: Any) -> str:
        self.n += 1
        body = segment_body(item=self.item.id, n=self.n, mp3=mp3, last=last)
        token = self.province.sign(
            "segment", body, use="plan", life_ms=10_000, seq=self.n, **changes
        )
        return self.province.push(token, held=False)

    def speak(self) -> None:
        encoder, step = LiveEncoder(rate=RATE), RATE // 4
        begin = time.monotonic()
        for turn, at in enumerate(range(0, len(self.samples), step), 1):
            if self.ending.wait(max(0.0, begin + turn / 4 - time.monotonic())):
                return
            self.send(encoder.feed(self.samples[at : at + step].tobytes()))
        self.send(encoder.finish(), last=True)


def live_item(province: FakeProvince, **more: Any) -> Item:
    values = {"rank": "live", "start": "cut", "after": "rejoin"}
    return province.item(None, 0, stream=Stream("l", "live"), **(values | more))


def go(province: FakeProvince, item: Item) -> None:
    body = {"item": item.encode()}
    province.push(province.sign("go", body, use="plan", version=2))


def test_live_speech_talks_over_a_programme_that_then_goes_on(
    agent: Agent, fake_province: FakeProvince
) -> None:
    talk, talk_samples = make_sound(12)
    _mp3, speech = make_sound(4, seed=5)
    agent.run()
    programme = fake_province.item(talk, 12_000)
    fake_province.plan(programme)
    fake_province.wait_for("started", programme.id)
    item = live_item(fake_province, talk_over=10)

    go(fake_province, item)
    speaker = Speaker(fake_province, item, speech)
    speaker.speak()
    spoken = fake_province.wait_for("finished", item.id)["data"]
    record = fake_province.wait_for("finished", programme.id, seconds=25)["data"]
    agent.end()

    [recording] = agent.recordings()
    begun, alike = recording.find(speech[: 3 * RATE])
    _at, rest = recording.find(talk_samples[-3 * RATE :])
    assert alike > 0.8
    assert abs(begun - spoken["started_at"]) < 150
    assert rest > 0.95
    assert spoken["outcome"] == "finished"
    assert abs(spoken["sounded_ms"] - 4_000) < 400
    assert abs(record["sounded_ms"] - 12_000) < 60
    assert len(record["parts"]) == 2


def test_live_speech_whose_line_breaks_gives_way_within_4_seconds(
    agent: Agent, fake_province: FakeProvince
) -> None:
    talk, talk_samples = make_sound(6)
    _mp3, speech = make_sound(30, seed=5)
    agent.run()
    programme = fake_province.item(talk, 6_000)
    fake_province.plan(programme)
    fake_province.wait_for("started", programme.id)
    item = live_item(fake_province)
    go(fake_province, item)
    speaker = Speaker(fake_province, item, speech)
    speaker.thread.start()
    fake_province.wait_for("started", item.id)
    time.sleep(2)

    speaker.ending.set()
    broke = fake_province.now()
    fake_province.wait_for("finished", programme.id)
    agent.end()

    [recording] = agent.recordings()
    begun, alike = recording.find(talk_samples[-3 * RATE :])
    assert alike > 0.95
    assert begun - broke < 8_000
    gap = recording.sounding(broke + 1_500, broke + 2_900)
    assert not gap.any()


def test_forged_or_foreign_segments_are_never_heard(
    agent: Agent, fake_province: FakeProvince
) -> None:
    _mp3, speech = make_sound(2, seed=5)
    agent.run()
    item = live_item(fake_province, ends_at=fake_province.now() + 6_000)
    go(fake_province, item)
    fake_province.wait_for("received", item.id)
    speaker = Speaker(fake_province, item, speech)
    mp3 = LiveEncoder(rate=RATE).feed(speaker.samples.tobytes())

    speaker.send(mp3, target={"unit": "x" * 12})
    speaker.send(mp3, not_after=fake_province.now() - 1)
    speaker.send(mp3, key=fake_province.keys["emergency"])
    token = speaker.send(mp3, item="another")
    head, _dot, tail = token.rpartition(".")
    fake_province.push(f"{head}.{tail[::-1]}", held=False)
    missed = fake_province.wait_for("missed", item.id)
    agent.end()

    causes = {event["data"]["cause"] for event in fake_province.told("refused")}
    assert causes >= {"wrong_target", "expired", "wrong_key_use", "bad_signature"}
    assert missed["data"]["cause"] == "source"
    assert not agent.recordings()[0].samples.any()

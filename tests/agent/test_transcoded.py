"""The real program relays a station of AAC by way of its own server.

Station, transcoding process, web view and device are real; only bus and plans come
from the fake province.
"""

import logging
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from django.test import Client

from nguon.schedule import rules
from nguon.schedule.station import Source
from nguon.schedule.transcoding import Desk
from tests.agent.conftest import Agent, make_sound
from tests.agent.test_relays import is_on, relay
from tests.fakes import radio as fake
from tests.fakes.province import Answer, FakeProvince
from tests.fakes.radio import FakeRadio

log = logging.getLogger(__name__)

pytestmark = pytest.mark.server

RATE = 48_000
UID = "abcdefghjkmn"
WINDOW_MS = 30_000


@pytest.fixture
def radio() -> Iterator[FakeRadio]:
    found = FakeRadio(form=fake.ADTS).start()
    yield found
    found.stop()


@pytest.fixture
def desk(radio: FakeRadio, tmp_path: Path, settings: object) -> Iterator[Desk]:
    """Return the transcoder at work on the station, and served by the web's view."""
    settings.RELAY_ALLOWED = ["127.0.0.1"]  # type: ignore[attr-defined]
    settings.RELAYS_DIR = tmp_path / "relays"  # type: ignore[attr-defined]
    source = Source("Đài thử", "http", radio.url)
    found = Desk(
        tmp_path / "relays",
        clock=lambda: datetime.now(UTC),
        wanted=lambda _at: {UID: source},
    )
    thread = threading.Thread(target=found.run)
    thread.start()
    yield found
    found.stopping.set()
    thread.join(10)
    assert not thread.is_alive()


def ask_web(path: str) -> Answer:
    """Ask the web's own view, as the device would."""
    answer = Client().get(path)
    headers = {"Content-Type": answer["Content-Type"]}
    return answer.status_code, headers, answer.content


def test_a_station_of_aac_sounds_gives_way_when_it_dies_and_comes_back(
    agent: Agent, fake_province: FakeProvince, radio: FakeRadio, desk: Desk
) -> None:
    jingle, jingle_samples = make_sound(2, seed=3)
    fake_province.site = ask_web
    begins = fake_province.now() + 16_000
    window = {"starts_at": begins, "ends_at": begins + WINDOW_MS}
    path = rules.RELAY_PATH.format(uid=UID)
    item = relay(fake_province, path, kind="hls", **window)
    filler = fake_province.item(
        jingle, 2_000, rank="filler", after="rejoin", loop=True, **window
    )
    fake_province.plan(item, filler)
    # Its own server may be inside the network; nothing else may.
    agent.run()

    started = fake_province.wait_for("started", item.id, seconds=30)
    time.sleep(3)
    radio.mode = fake.DEAD
    died = fake_province.now()
    fallback = fake_province.wait_for("started", filler.id, seconds=20)["at"]
    radio.mode = fake.ON
    back = fake_province.now()
    record = fake_province.wait_for("finished", item.id, seconds=60)["data"]
    agent.end()

    [recording] = agent.recordings()
    own = radio.looped.astype(float)
    looped = np.tile(jingle_samples[: 2 * RATE], 3)
    on, again = started["at"], record["parts"][-1][0]
    late = [
        radio.heard_after(recording.sounding(begin, begin + 800), begin)
        for begin in (on + 1_000, again + 300)
    ]
    figures = {"late": late, "fallback": fallback - died, "back": again - back}
    log.info("relayed: %s", figures)
    figures |= record
    assert all(1_000 < one < 13_000 for one in late), figures
    assert abs(on - begins) < 2_000, figures
    assert is_on(recording, own, on + 1_000, on + 1_800)
    # What was still buffered is heard out, and then there is no gap.
    assert fallback - died < 14_000, figures
    assert is_on(recording, own, fallback - 2_500, fallback - 1_700)
    assert is_on(recording, looped, fallback + 200, fallback + 900)
    assert again - back < 22_000, figures
    assert is_on(recording, own, again + 300, again + 1_100)
    assert record["outcome"] == "finished"
    assert record["sounded_ms"] == record["relayed_ms"]
    assert abs(record["sounded_ms"] - (WINDOW_MS - (again - fallback))) < 3_000, figures
    assert record["dead_ms"] > 2_000, figures


def test_a_path_leads_to_the_own_server_and_from_there_nowhere_inside(
    agent: Agent, fake_province: FakeProvince, radio: FakeRadio
) -> None:
    jingle, jingle_samples = make_sound(2, seed=3)
    asked: list[str] = []

    def lead_away(path: str) -> Answer:
        asked.append(path)
        return 302, {"Location": radio.hls_url}, b""

    fake_province.site = lead_away
    agent.run()
    begins = fake_province.now() + 3_000
    window = {"starts_at": begins, "ends_at": begins + 5_000}
    path = rules.RELAY_PATH.format(uid=UID)
    item = relay(fake_province, path, kind="hls", **window)
    filler = fake_province.item(
        jingle, 2_000, rank="filler", after="rejoin", loop=True, **window
    )

    fake_province.plan(item, filler)
    missed = fake_province.wait_for("missed", item.id, seconds=20)["data"]
    agent.end()

    [recording] = agent.recordings()
    assert recording.find(jingle_samples)[1] > 0.95
    assert missed["cause"] == "source"
    assert path in asked
    assert radio.requests == []

"""A leaf node of an area: decided at the hub, heard, and never lost by a cut."""

import asyncio
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import aiomqtt
import pytest

from nguon.demo.line import Line
from nguon.demo.processes import free_port, greets
from nguon.fleet import queries
from nguon.fleet.models import DeviceEvent
from nguon.fleet.pulls import Pull, answer_pulls
from nguon.gateway import nats_config
from nguon.territory.models import Unit
from nguon.web.environment import Leaf, SettingError, leaves
from tests.gateway.conftest import (
    Enrol,
    NatsServer,
    device,
    in_thread,
    running,
    until,
)
from tests.gateway.test_gateway import clock, ms, next_message

pytestmark = [
    pytest.mark.server,
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("default"),
]


class LeafServer:
    """A leaf node whose link to the hub can be cut."""

    def __init__(self, folder: Path, hub: NatsServer, name: str) -> None:
        keys = folder / "keys"
        self.mqtt_port, self.port = free_port(), free_port()
        hub_port, line_port = free_port(), free_port()
        self.line = Line(line_port, to=hub_port)
        seeds = nats_config.load_leaf_seeds(keys, name)
        place = {"host": "127.0.0.1", "mqtt_host": "127.0.0.1"}
        text = nats_config.render(
            seeds=nats_config.load_seeds(keys),
            store=folder / "nats",
            port=hub.port,
            mqtt_port=hub.mqtt_port,
            leaves=[seeds],
            leaf_address=f"127.0.0.1:{hub_port}",
            **place,
        )
        hub.configure(text)
        self._config = folder / "leaf.conf"
        text = nats_config.render_leaf(
            name=name,
            seeds=seeds,
            store=folder / "leaf",
            port=self.port,
            mqtt_port=self.mqtt_port,
            hub=f"127.0.0.1:{line_port}",
            **place,
        )
        self._config.write_text(text, encoding="utf-8")
        self._log = folder / "leaf.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.line.mend()
        command = [str(nats_config.find_server()), "-c", str(self._config)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until_s = time.monotonic() + 10
        while not greets(self.port):
            assert time.monotonic() < until_s, self._log.read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        self.line.cut()
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def leaf(
    nats_server: NatsServer, tmp_path: Path, village: Unit, settings: object
) -> Iterator[LeafServer]:
    """Return a leaf node for the village, beside the hub."""
    found = LeafServer(tmp_path, nats_server, "tay")
    place = Leaf("tay", village.uid, "127.0.0.1", found.mqtt_port)
    settings.LEAVES = {"tay": place}  # type: ignore[attr-defined]
    nats_server.kill()
    nats_server.start()
    found.start()
    yield found
    found.stop()


async def arrive(speaker: object, leaf: LeafServer) -> aiomqtt.Client:
    """Connect to the leaf, as soon as its link lets somebody decide."""
    async with asyncio.timeout(30):
        while True:
            try:
                client = speaker.client(port=leaf.mqtt_port)  # type: ignore[attr-defined]
                return await client.__aenter__()
            except aiomqtt.MqttError:
                await asyncio.sleep(0.3)


async def test_a_cut_leaf_keeps_its_events_and_the_hub_has_every_one_after(
    leaf: LeafServer, enrol: Enrol, village: Unit
) -> None:
    speaker = await in_thread(enrol)(village)

    def event(n: int) -> str:
        row = {"n": n, "type": "birth", "at": ms(), "data": {}}
        return speaker.batch(row)

    def stored() -> int:
        return DeviceEvent.objects.filter(device__uid=speaker.uid).count()

    async with running():
        client = await arrive(speaker, leaf)
        await client.subscribe(speaker.topic("ack"))
        await until(lambda: device(speaker.uid).connected)
        # The gateway makes the leaf's stream at its next look.
        async with asyncio.timeout(30):
            acked: set[int] = set()
            while 1 not in acked:
                await client.publish(speaker.topic("event"), event(1), qos=1)
                try:
                    told = await next_message(client, seconds=2)
                    acked |= set(json.loads(told.payload)["stored"])
                except TimeoutError:
                    continue

        leaf.line.cut()
        for n in range(2, 30):
            await client.publish(speaker.topic("event"), event(n), qos=1)
        await asyncio.sleep(3)  # the cut itself: nothing is waited for
        assert await in_thread(stored)() == 1
        leaf.line.mend()
        await until(lambda: stored() == 29, seconds=40)
        while 29 not in acked:
            told = await next_message(client, seconds=20)
            acked |= set(json.loads(told.payload)["stored"])
        await until(lambda: device(speaker.uid).connected, seconds=20)
        await client.__aexit__(None, None, None)


async def test_a_stranger_does_not_come_in_by_a_leaf(
    leaf: LeafServer, enrol: Enrol, village: Unit
) -> None:
    good, other = await in_thread(enrol)(village), await in_thread(enrol)(village)

    async with running():
        client = await arrive(good, leaf)
        with pytest.raises(aiomqtt.MqttError):
            await good.client(uid=other.uid, port=leaf.mqtt_port).__aenter__()
        await client.__aexit__(None, None, None)


def test_a_device_is_told_the_bus_of_its_own_ground(
    enrol: Enrol, village: Unit, ia_grai: Unit, settings: object
) -> None:
    inside, outside = enrol(village), enrol(ia_grai)
    settings.LEAVES = {  # type: ignore[attr-defined]
        "tay": Leaf("tay", village.uid, "tay.example.vn", 8883)
    }
    at = clock()

    told = [
        json.loads(answer.body)["bus"]
        for answer in answer_pulls(
            [Pull(speaker.bearer(), enrolment=True) for speaker in (inside, outside)],
            at=at,
        )
    ]

    assert (told[0]["host"], told[0]["port"]) == ("tay.example.vn", 8883)
    assert told[1]["host"] == "127.0.0.1"
    assert queries.list_flooding([inside.uid], at=at) == set()


def test_leaves_are_read_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("X", "tay=abcdefghijkl@tay.example.vn:8883")
    one = Leaf("tay", "abcdefghijkl", "tay.example.vn", 8883)
    assert leaves("X") == {"tay": one}
    assert replace(one, port=1) != one

    monkeypatch.setenv("X", "tay=23764@tay.example.vn")
    with pytest.raises(SettingError):
        leaves("X")

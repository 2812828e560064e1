"""A whole swarm against a small real server: enrolled, told, sounding, proven.

`FakeServer` speaks HTTP and MQTT over real sockets as the gateway and web do, and
signs with real keys; what it cannot do is decide anything for a device.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from nguon.core import messages, signing, topics
from nguon.core.signing import PublicKey
from nguon.simulator import control, mqtt
from nguon.simulator.swarm import Options, Swarm
from tests.simulator.conftest import COMMUNE, HOUR, SHA256, SOUND, Province

DEVICES = 25


class Client:
    """One MQTT connection as the fake server sees it."""

    def __init__(self, server: "FakeServer") -> None:
        self.server = server
        self.uid = ""
        self.topics: tuple[str, ...] = ()
        self.line = mqtt.Line(self.take, self.lost)

    def take(self, packet: mqtt.Packet) -> None:
        match packet:
            case mqtt.Connect(client, username, password):
                self.server.check_token(username, password)
                assert client == username
                self.uid = client
                self.line.send(mqtt.encode_connack(0))
            case mqtt.Subscribe(number, wanted):
                self.topics = wanted
                self.server.clients[self.uid] = self
                codes = [0] * len(wanted)
                self.line.send(mqtt.encode_suback(packet=number, codes=codes))
            case mqtt.Publish(topic, payload, qos, number):
                if qos:
                    self.line.send(mqtt.encode_puback(number))
                if topic.endswith(b"/event"):
                    self.server.store(self, json.loads(payload))

    def lost(self) -> None:
        if self.server.clients.get(self.uid) is self:
            del self.server.clients[self.uid]


class FakeServer:
    """Web, gateway and bus in one, small and real: sockets, tokens, signatures."""

    def __init__(self, province: Province) -> None:
        self.province = province
        self.keys: dict[str, PublicKey] = {}
        self.claims: dict[str, str] = {}
        self.settings: dict[str, str] = {}
        self.clients: dict[str, Client] = {}
        self.events: dict[tuple[str, str, int], dict[str, Any]] = {}
        self.deliveries = 0
        self.acknowledges = True
        self.approves = True
        self.plans: list[str] = []
        self.urgent: list[str] = []
        self.asked: list[str] = []
        self.http_port = self.mqtt_port = 0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["FakeServer"]:
        loop = asyncio.get_running_loop()
        web = await asyncio.start_server(self._talk, "127.0.0.1", self.http_port or 0)
        bus = await loop.create_server(
            lambda: Client(self).line, "127.0.0.1", self.mqtt_port or 0
        )
        self.http_port = web.sockets[0].getsockname()[1]
        self.mqtt_port = bus.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            web.close()
            bus.close()
            for client in list(self.clients.values()):
                client.line.abort()

    def check_token(self, uid: str, token: str) -> None:
        at = int(time.time() * 1000)
        signing.check_device_token(token, key=self.keys[uid], device=uid, at=at)

    def store(self, client: Client, payload: dict[str, Any]) -> None:
        batch = messages.EventBatch.decode(payload, device=client.uid)
        self.deliveries += 1
        for event in batch.events:
            self.events[client.uid, batch.log, event.n] = event.encode()
        if self.acknowledges:
            stored = [event.n for event in batch.events]
            ack = json.dumps(messages.encode_ack(log=batch.log, stored=stored))
            topic = topics.device(client.uid, "ack")
            client.line.send(mqtt.encode_publish(topic=topic, payload=ack.encode()))

    def push(self, token: str, channel: str = "alert") -> None:
        topic = topics.area(COMMUNE, channel)
        data = mqtt.encode_publish(topic=topic, payload=token.encode())
        for client in self.clients.values():
            assert topic in client.topics
            client.line.send(data)

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(EOFError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                method, path, _ = head[0].split(" ")
                headers = dict(row.lower().split(": ", 1) for row in head[1:] if row)
                plain = dict(row.split(": ", 1) for row in head[1:] if row)
                body = await reader.readexactly(int(headers["content-length"]))
                token = plain.get("Authorization", "").removeprefix("Bearer ")
                answer = self._answer(method, path, token, body)
                lead = f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer)}\r\n\r\n"
                writer.write(lead.encode() + answer)
                await writer.drain()
        writer.close()

    def _answer(self, method: str, path: str, token: str, body: bytes) -> bytes:
        path = path.removeprefix("/device/v1")
        self.asked.append(f"{method} {path.split('?')[0]}")
        if path == "/enrol":
            return json.dumps(self._enrol(json.loads(body))).encode()
        uid = signing.token_subject(token)
        self.check_token(uid, token)
        if path == "/enrolment":
            state = "active" if self.approves else "waiting"
            bus = {"host": "127.0.0.1", "port": self.mqtt_port, "tls": False}
            root = self.province.root.public.x
            return json.dumps({"state": state, "root_key": root, "bus": bus}).encode()
        if path == "/state":
            told = {
                "keyset": self.keyset,
                "settings": self.settings[uid],
                "plans": self.plans,
                "urgent": self.urgent,
            }
            return json.dumps(told).encode()
        if path.startswith("/time?nonce="):
            now = int(time.time() * 1000)
            told = self.province.sign(
                "time",
                self.province.keys["plan"],
                target={"device": uid},
                seq=0,
                nonce=path.partition("=")[2],
                server_at=now,
            )
            return json.dumps({"time": told}).encode()
        assert path == f"/media/{SHA256}"
        return SOUND

    def _enrol(self, asked: dict[str, str]) -> dict[str, str]:
        uid = self.claims.setdefault(asked["claim_code"], topics.new_uid())
        self.keys[uid] = PublicKey(asked["public_key"])
        self.settings.setdefault(uid, self.province.settings(uid))
        return {"device": uid, "state": "waiting"}

    @property
    def keyset(self) -> str:
        return self.province.kept_keyset


@pytest.fixture
def here() -> Province:
    """Return a province whose documents are of this very moment."""
    return Province(base=int(time.time() * 1000) - 1_000)


@contextlib.asynccontextmanager
async def swarm_of(
    server: FakeServer, home: Path, *, ready: int = DEVICES
) -> AsyncIterator[Swarm]:
    """Run a swarm until the block ends; by default wait until all are connected."""
    options = Options(
        server=f"http://127.0.0.1:{server.http_port}",
        claims=tuple(server.province.claim(number) for number in range(DEVICES)),
        home=home,
    )
    swarm = Swarm(options)
    task = asyncio.create_task(swarm.run(), name="swarm under test")
    try:
        await until(lambda: len(server.clients) == ready and online(swarm) == ready)
        yield swarm
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def online(swarm: Swarm) -> int:
    return int(control.counts(swarm)["ready"])


async def until(check: Callable[[], object], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not check():
            await asyncio.sleep(0.01)


def kinds(server: FakeServer, item: str) -> list[str]:
    return [event["type"] for event in server.events.values() if event["item"] == item]


def tampered(token: str) -> str:
    """Return the document with another title and the old signature."""
    head, body, signature = token.split(".")
    payload = signing.read(token)[1]
    payload["item"]["title"] = "Không có gì"
    forged = signing.base64.urlsafe_b64encode(signing.canonical(payload))
    assert forged.rstrip(b"=").decode() != body
    return ".".join((head, forged.rstrip(b"=").decode(), signature))


async def test_a_tampered_alert_makes_none_sound_and_the_true_one_makes_all(
    here: Province, tmp_path: Path
) -> None:
    true = here.alert(seq=1, item=here.item("true-item"))
    false = tampered(here.alert(seq=2, item=here.item("false-item")))

    async with (
        FakeServer(here).running() as server,
        swarm_of(server, tmp_path) as swarm,
    ):
        server.push(false)
        await until(lambda: swarm.tally.refusals["bad_signature"] == DEVICES)
        server.push(true)
        await until(lambda: kinds(server, "true-item").count("finished") == DEVICES)
        counted = control.counts(swarm)

    assert counted["refusals"] == {"bad_signature": DEVICES}
    assert "false-item" not in counted["items"]
    assert kinds(server, "false-item") == []
    for kind in ("received", "prepared", "started", "finished"):
        assert kinds(server, "true-item").count(kind) == DEVICES
    refused = [e for e in server.events.values() if e["type"] == "refused"]
    assert len(refused) == DEVICES
    assert server.asked.count(f"GET /media/{SHA256}") == 1
    # Two alerts and the time once each; each device's own settings at each pull.
    assert counted["signatures_checked"] <= 3 + 2 * DEVICES


async def test_events_are_sent_until_they_are_stored_even_after_a_restart(
    here: Province, tmp_path: Path
) -> None:
    async with FakeServer(here).running() as server:
        server.acknowledges = False
        async with swarm_of(server, tmp_path):
            server.push(here.alert(item=here.item("item-1")))
            await until(lambda: kinds(server, "item-1").count("finished") == DEVICES)
        await until(lambda: not server.clients)
        heard, first = len(server.events), server.deliveries
        server.acknowledges = True
        async with swarm_of(server, tmp_path) as swarm:
            await until(lambda: not control.counts(swarm)["unsent_events"])

    assert server.deliveries > first
    assert kinds(server, "item-1").count("started") == DEVICES
    assert len(server.events) == heard + DEVICES  # the births of the second life
    assert len(server.claims) == DEVICES


async def test_a_stopped_swarm_stays_silent_over_a_restart(
    here: Province, tmp_path: Path
) -> None:
    key = here.keys["emergency"]
    until_ms = int(time.time() * 1000) + HOUR
    stop = here.sign(
        "stop", key, target={"unit": COMMUNE}, seq=1, until=until_ms,
        not_after=until_ms,
    )  # fmt: skip

    async with FakeServer(here).running() as server:
        async with swarm_of(server, tmp_path) as swarm:
            server.push(stop)
            await until(lambda: control.counts(swarm)["stopped"] == DEVICES)
            await until(lambda: kinds(server, "").count("stopped") == DEVICES)
        await until(lambda: not server.clients)
        async with swarm_of(server, tmp_path) as swarm:
            assert control.counts(swarm)["stopped"] == DEVICES
            old = here.item("old-item", approved_at=here.base - 5_000)
            server.push(here.alert(seq=2, item=old))
            await until(lambda: kinds(server, "old-item").count("received") == DEVICES)
            assert control.counts(swarm)["sounding"] == 0

    assert "started" not in kinds(server, "old-item")


async def test_devices_wait_for_a_person_and_refuse_a_foreign_root(
    here: Province, tmp_path: Path
) -> None:
    foreign = Province(base=here.base)

    async with FakeServer(here).running() as server:
        server.approves = False
        async with swarm_of(server, tmp_path / "waiting", ready=0) as swarm:
            await until(
                lambda: control.counts(swarm)["standings"] == {"waiting": DEVICES}
            )
            assert online(swarm) == 0
    async with FakeServer(foreign).running() as server:
        server.province = here
        server.keys.clear()
        claims = tuple(foreign.claim(number) for number in range(3))
        options = Options(
            f"http://127.0.0.1:{server.http_port}", claims, tmp_path / "f"
        )
        swarm = Swarm(options)
        task = asyncio.create_task(swarm.run(), name="swarm under test")
        await until(lambda: server.asked.count("GET /enrolment") >= 3)
        assert online(swarm) == 0
        assert swarm.notary is None
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

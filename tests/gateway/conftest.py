"""A real NATS server, a real gateway in this process, real MQTT clients."""

import asyncio
import contextlib
import json
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import ParamSpec, TypeVar

import aiomqtt
import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from nguon.core import signing
from nguon.core.signing import SigningKey
from nguon.demo.processes import free_port
from nguon.fleet import actions, keys
from nguon.fleet.models import Device
from nguon.gateway import nats_config
from nguon.gateway.run import Gateway
from nguon.people.models import Officer
from nguon.territory.models import Unit

P = ParamSpec("P")
T = TypeVar("T")


class NatsServer:
    """One nats-server process in a folder of its own."""

    def __init__(self, folder: Path, keys_dir: Path) -> None:
        self.folder = folder
        self.port, self.mqtt_port = free_port(), free_port()
        self.seed = nats_config.load_seeds(keys_dir).gateway
        self.url = f"nats://127.0.0.1:{self.port}"
        self._config = folder / "nats.conf"
        self._config.write_text(
            nats_config.render(
                seeds=nats_config.load_seeds(keys_dir),
                store=folder / "nats",
                host="127.0.0.1",
                port=self.port,
                mqtt_host="127.0.0.1",
                mqtt_port=self.mqtt_port,
            ),
            encoding="utf-8",
        )
        self._process: subprocess.Popen[bytes] | None = None

    def configure(self, text: str) -> None:
        """Take another configuration for the next start."""
        self._config.write_text(text, encoding="utf-8")

    def start(self) -> None:
        """Start, and wait until both ports answer."""
        command = [str(nats_config.find_server()), "-c", str(self._config)]
        with (self.folder / "nats.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until = time.monotonic() + 10
        for port in (self.port, self.mqtt_port):
            while True:
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", port), 0.2).close()
                    break
                assert time.monotonic() < until, (self.folder / "nats.log").read_text()
                time.sleep(0.02)

    def kill(self) -> None:
        """End at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def nats_server(tmp_path: Path, settings: object) -> Iterator[NatsServer]:
    """Return a NATS server of this test, and settings that lead to it."""
    settings.KEYS_DIR = tmp_path / "keys"  # type: ignore[attr-defined]
    settings.MEDIA_DIR = tmp_path / "media"  # type: ignore[attr-defined]
    keys.make(at=datetime.now(tz=UTC))
    server = NatsServer(tmp_path, tmp_path / "keys")
    settings.NATS_URL = server.url  # type: ignore[attr-defined]
    settings.POKE = f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}"  # type: ignore[attr-defined]
    server.start()
    yield server
    server.kill()


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[Gateway]:
    """Run a gateway in this event loop."""
    ready = asyncio.Event()
    gateway = Gateway(ready=ready.set)
    task = asyncio.create_task(gateway.run(), name="gateway under test")
    async with asyncio.timeout(10):
        await ready.wait()
    try:
        yield gateway
    finally:
        gateway.stop()
        await asyncio.wait({task}, timeout=15)
        assert task.done()
        await task


class Speaker:
    """A device: its row, its key, and a client on the bus."""

    def __init__(self, uid: str, key: SigningKey, server: NatsServer) -> None:
        self.uid, self.key, self._server = uid, key, server

    def bearer(self) -> str:
        """Return what this device shows over HTTPS."""
        now = round(time.time() * 1000)
        return "Bearer " + signing.device_token(self.key, device=self.uid, at=now)

    def client(
        self,
        *,
        uid: str = "",
        key: SigningKey | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> aiomqtt.Client:
        """Return a client that signs in as this device, or says it is another.

        `host` is the address that it comes from, `port` another than the hub's.
        """
        now = round(time.time() * 1000)
        token = signing.device_token(key or self.key, device=uid or self.uid, at=now)
        return aiomqtt.Client(
            "127.0.0.1",
            port or self._server.mqtt_port,
            identifier=uid or self.uid,
            username=uid or self.uid,
            password=token,
            timeout=5,
            bind_address=host,
        )

    def topic(self, channel: str) -> str:
        """Return a topic of this device."""
        return f"nguon/v1/device/{self.uid}/{channel}"

    def batch(self, *events: dict[str, object], log: str = "log1") -> str:
        """Return events as they travel up."""
        return json.dumps(
            {"v": 1, "device": self.uid, "log": log, "events": list(events)}
        )


Enrol = Callable[..., Speaker]


@pytest.fixture
def enrol(nats_server: NatsServer, tung: Officer) -> Enrol:
    """Return a function that takes a new device from claim to approval."""

    def _enrol(unit: Unit, name: str = "Loa") -> Speaker:
        at = datetime.now(tz=UTC)
        key = SigningKey.generate()
        (claim,) = actions.create_claims(
            unit=unit, kind="speaker", names=[name], by=tung, at=at
        )
        row = actions.enrol_device(
            claim_code=claim.code, public_key=key.public.x, kind="speaker", at=at
        )
        actions.approve_device(device_id=row.pk, by=tung, at=at)
        return Speaker(row.uid, key, nats_server)

    return _enrol


def in_thread(work: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    """Return work on the database that may be awaited, and leaves no connection."""

    def _work(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return work(*args, **kwargs)
        finally:
            connections.close_all()

    return sync_to_async(_work, thread_sensitive=True)


async def until(check: Callable[[], bool], *, seconds: float = 8.0) -> None:
    """Wait for something that the gateway does at its own time, or fail."""
    async with asyncio.timeout(seconds):
        while not await in_thread(check)():
            await asyncio.sleep(0.02)


def device(uid: str) -> Device:
    """Return a device as the database has it now."""
    return Device.objects.get(uid=uid)

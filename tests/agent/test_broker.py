"""The bus decides at sign-in what a device hears: on other ground it connects anew."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import aiomqtt

from nguon.agent.broker import Broker
from nguon.agent.clock import Clock
from nguon.agent.identity import Identity
from nguon.core.signing import SigningKey


class Line:
    """A bus that brings nothing, and keeps what was subscribed on it."""

    def __init__(self) -> None:
        self.topics: list[str] = []
        self.over = asyncio.Event()

    async def __aenter__(self) -> "Line":
        return self

    async def __aexit__(self, *_told: object) -> None:
        self.over.set()

    async def subscribe(self, wanted: list[tuple[str, int]]) -> None:
        self.topics += [topic for topic, _qos in wanted]

    @property
    async def messages(self) -> AsyncIterator[Any]:
        await self.over.wait()
        for message in ():
            yield message


class LineBroker(Broker):
    """A broker whose lines are those of the test."""

    lines: list[Line]

    def _connect(self, identity: Identity) -> aiomqtt.Client:
        self.lines.append(Line())
        return cast(aiomqtt.Client, self.lines[-1])


async def _receive(_channel: str, _payload: bytes) -> None:
    raise AssertionError("nothing comes on this bus")


async def _other_ground() -> list[Line]:
    connected = asyncio.Event()
    broker = LineBroker(
        key=SigningKey.generate(),
        clock=Clock(),
        receive=_receive,
        connected=connected.set,
    )
    broker.lines = []
    broker.identity = Identity(
        server="http://127.0.0.1",
        claim="",
        kind="speaker",
        device="d" * 12,
        bus_host="127.0.0.1",
        bus_port=1,
    )
    running = asyncio.create_task(broker.run())
    async with asyncio.timeout(10):
        await connected.wait()
        connected.clear()
        await broker.listen_to(frozenset({"old"}))
        # The same ground again changes nothing.
        await broker.listen_to(frozenset({"old"}))
        await broker.listen_to(frozenset({"new"}))
        await connected.wait()
        await broker.listen_to(frozenset({"new"}))
    assert broker.is_connected
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return broker.lines


def test_a_device_on_other_ground_connects_anew_and_hears_it() -> None:
    first, second = asyncio.run(_other_ground())

    assert "nguon/v1/area/old/alert" in first.topics
    assert "nguon/v1/area/new/alert" not in first.topics
    assert "nguon/v1/area/new/alert" in second.topics
    assert first.over.is_set()
    assert second.over.is_set()

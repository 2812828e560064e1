"""Whoever stayed silent is sent an urgent document again, and nobody else."""

import asyncio
from collections.abc import Mapping

import pytest

from nguon.gateway import carrier as carrying
from nguon.gateway.carrier import AGAIN_SECONDS, Carrier, Followed


class FakeBus:
    """Keeps what is published; nothing waits in its stream."""

    def __init__(self) -> None:
        self.published: list[str] = []

    async def publish(self, subject: str, _payload: bytes) -> None:
        """Keep the subject."""
        self.published.append(subject)

    async def count_waiting(self, _leaves: Mapping[str, object]) -> int:
        """Say that every event is taken."""
        return 0


async def test_an_answer_during_the_listing_is_not_met_by_a_copy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bus, loop = FakeBus(), asyncio.get_running_loop()
    carrier = Carrier(bus, woken=asyncio.Event())  # type: ignore[arg-type]
    document = Followed("doc", b"jws", "unit", "", "item", {}, 2**53, since=0.0)
    document.since = loop.time() - AGAIN_SECONDS[0]
    carrier._followed["doc"] = document

    def list_silent(_document: Followed) -> list[str]:
        """Find three silent; while it looks, the acknowledgement of one leaves."""
        told = asyncio.run_coroutine_threadsafe(_acknowledge(carrier, "b"), loop)
        told.result(timeout=5)
        return ["a", "b", "c"]

    monkeypatch.setattr(carrying, "list_silent", list_silent)
    await carrier.send_again()
    await carrier.close()

    named = [subject.split(".")[-2] for subject in bus.published]
    assert named == ["a", "c"]


async def _acknowledge(carrier: Carrier, device: str) -> None:
    carrier.answered(device)

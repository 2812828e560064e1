"""A body of 2 GB is turned away by its own word, before a byte of it is taken."""

import asyncio
import json
from typing import Any

from nguon.web.asgi import SizeGate


def ask(told: bytes) -> tuple[list[dict[str, Any]], int]:
    """Send a request that says it is so long; return the answer and what was read."""
    sent: list[dict[str, Any]] = []
    read = 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def behind(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    scope = {"type": "http", "headers": [(b"content-length", told)]}
    asyncio.run(SizeGate(behind, limit=200 * 1024**2)(scope, receive, send))
    return sent, read


def test_who_sends_more_than_they_said_is_hung_up_on() -> None:
    heard: list[str] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x" * 600, "more_body": True}

    async def send(_message: dict[str, Any]) -> None: ...

    async def behind(_scope: Any, receive: Any, _send: Any) -> None:
        heard.extend([(await receive())["type"] for _piece in range(3)])

    scope = {"type": "http", "headers": []}
    asyncio.run(SizeGate(behind, limit=1_500)(scope, receive, send))

    assert heard == ["http.request", "http.request", "http.disconnect"]


def test_two_gigabytes_are_refused_unread_with_a_sentence() -> None:
    sent, read = ask(b"2147483648")
    let_in, read_in = ask(b"1000")

    assert (sent[0]["status"], read) == (413, 0)
    assert "Tệp 2048 MB, nhiều nhất 200 MB" in json.loads(sent[1]["body"])["message"]
    assert (let_in[0]["status"], read_in) == (200, 1)

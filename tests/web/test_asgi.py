"""Devices' pulls are answered in batches by one desk; nobody else waits for them."""

import asyncio
from typing import Any

from nguon.fleet.pulls import Answer
from nguon.web.asgi import DEVICE_STATE, MAX_AT_ONCE, DevicesInTurn


class FakeDesk:
    """Runs what it is given when the test lets it; remembers how much at once."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.sizes: list[int] = []

    async def run(self, work: Any, questions: Any, *, at: Any) -> Any:
        self.sizes.append(len(questions))
        await self.gate.wait()
        return work(questions)


def answer(questions: list[tuple[str, str, bool]]) -> list[Answer]:
    """Answer each question with itself; break when asked to."""
    if any(token == "break" for token, _mark, _enrolment in questions):
        raise ConnectionError
    return [
        Answer(304, mark, b"") if mark else Answer(200, '"new"', token.encode())
        for token, mark, _enrolment in questions
    ]


class Line:
    """One request on its way, and what came back."""

    def __init__(self, server: DevicesInTurn, path: str, **headers: str) -> None:
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "headers": [
                (name.replace("_", "-").encode(), value.encode())
                for name, value in headers.items()
            ],
        }
        self.told: list[Any] = []
        self.task = asyncio.create_task(server(scope, self._receive, self._send))

    async def _receive(self) -> Any:
        return {"type": "http.request", "body": b""}

    async def _send(self, message: Any) -> None:
        self.told.append(message)

    async def answer(self) -> tuple[int, bytes, dict[bytes, bytes]]:
        await self.task
        start, body = self.told
        return start["status"], body["body"], dict(start["headers"])


async def page(scope: Any, receive: Any, send: Any) -> None:
    """Answer an officer."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"page"})


async def test_who_waits_is_answered_together_and_an_officer_at_once() -> None:
    desk = FakeDesk()
    server = DevicesInTurn(page, answer=answer, desk=desk)

    first = Line(server, DEVICE_STATE, authorization="a")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    later = [
        Line(server, DEVICE_STATE, authorization=f"{n}", if_none_match='"m"')
        for n in range(MAX_AT_ONCE + 1)
    ]
    assert (await Line(server, "/duyet/").answer())[1] == b"page"
    desk.gate.set()

    assert (await first.answer())[:2] == (200, b"a")
    status, body, headers = await later[0].answer()
    assert (status, body, headers[b"etag"]) == (304, b"", b'"m"')
    assert [(await line.answer())[0] for line in later] == [304] * len(later)
    assert desk.sizes == [MAX_AT_ONCE, 2]


async def test_a_broken_batch_says_so_and_the_next_is_answered() -> None:
    desk = FakeDesk()
    desk.gate.set()
    server = DevicesInTurn(page, answer=answer, desk=desk)

    broken = await Line(server, DEVICE_STATE, authorization="break").answer()
    good = await Line(server, DEVICE_STATE, authorization="a").answer()

    assert broken[0] == 503
    assert good[:2] == (200, b"a")

"""Devices' pulls are answered one after the other; nobody else waits for them."""

import asyncio
from typing import Any

from nguon.web.asgi import DEVICE_STATE, DevicesInTurn


async def ignore(message: Any) -> None:
    """Take what is sent and forget it."""


async def test_a_pull_waits_for_the_pull_before_it_and_an_approval_does_not() -> None:
    log: list[str] = []
    gates = {name: asyncio.Event() for name in ("first", "second")}

    async def application(scope: Any, receive: Any, send: Any) -> None:
        log.append(f"{scope['who']} begins")
        if scope["who"] in gates:
            await gates[scope["who"]].wait()
        await send({"type": "http.response.start"})

    server = DevicesInTurn(application)

    def ask(who: str, path: str) -> asyncio.Task[None]:
        scope = {"who": who, "path": path}
        return asyncio.create_task(server(scope, ignore, ignore))

    pulls = [ask("first", DEVICE_STATE), ask("second", DEVICE_STATE)]
    await ask("Minh", "/duyet/")
    assert log == ["first begins", "Minh begins"]
    gates["first"].set()
    await pulls[0]
    gates["second"].set()
    await pulls[1]

    assert log[2:] == ["second begins"]


async def test_a_slow_line_and_a_broken_answer_give_the_turn_on() -> None:
    begun: list[str] = []
    slow = asyncio.Event()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        begun.append(scope["who"])
        if scope["who"] == "broken":
            raise ConnectionError
        await send({"type": "http.response.start"})

    async def crawl(message: Any) -> None:
        await slow.wait()

    server = DevicesInTurn(application)
    waiting = asyncio.create_task(
        server({"who": "slow", "path": DEVICE_STATE}, ignore, crawl)
    )
    await asyncio.sleep(0)
    broken = server({"who": "broken", "path": DEVICE_STATE}, ignore, ignore)
    (error,) = await asyncio.gather(broken, return_exceptions=True)
    await server({"who": "next", "path": DEVICE_STATE}, ignore, ignore)

    assert isinstance(error, ConnectionError)
    assert begun == ["slow", "broken", "next"]
    slow.set()
    await waiting

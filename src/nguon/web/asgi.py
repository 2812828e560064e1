"""The ASGI application that uvicorn serves: officers at once, devices in turn.

Every device asks for its state once a minute, and thousands ask at once after a
break. Threads of one Python process share one interpreter, so each further one that
computes makes an officer's approval wait; devices can wait, an approval may not. So
one thread answers devices, as many at a time as are waiting, without Django's frame.
"""

import asyncio
import gc
import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.asgi import get_asgi_application

from nguon.core import logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nguon.web.settings")

# A thread that computes hands the interpreter on after this; Python's own 5 ms, met
# at each of the forty queries of an approval, add up to a quarter of a second.
SWITCH_SECONDS = 0.0005
DEVICE_STATE = "/device/v1/state"
DEVICE_ENROLMENT = "/device/v1/enrolment"
# What a form may say beside its file.
FORM_BYTES = 5 * 1024 * 1024
# Few enough that an officer's request waits for milliseconds behind them.
MAX_AT_ONCE = 64
# One alone costs eight times as much as one of many; none of them is in a hurry.
GATHER_SECONDS = 0.02

logger = logging.getLogger(__name__)


class SizeGate:
    """Turns a body away that is too large, before a byte of it is taken.

    Django spools a whole body to disk before a view sees its size.
    """

    def __init__(self, application: Any, *, limit: int) -> None:
        self._application = application
        self._limit = limit

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Let pass what is small enough by its own word; the rest gets a sentence."""
        told = dict(scope.get("headers", ())).get(b"content-length", b"0")
        if not told.isdigit() or int(told) <= self._limit:
            await self._application(scope, self._counted(receive), send)
            return
        from nguon.web import errors

        code = "newsroom.upload_too_big"
        data: dict[str, object] = {
            "limit": self._limit // 1024**2,
            "size": int(told) // 1024**2,
        }
        answer = json.dumps(errors.body(code, data), ensure_ascii=False).encode()
        headers = [
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-length", str(len(answer)).encode()),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def _counted(self, receive: Any) -> Any:
        """Return a `receive` that hangs up on who sends more than they said."""
        taken = 0

        async def count() -> Any:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            return message if taken <= self._limit else {"type": "http.disconnect"}

        return count


class DevicesInTurn:
    """Answers devices' pulls in batches; lets anything else through at once."""

    def __init__(self, application: Any, *, answer: Any, desk: Any) -> None:
        self._application = application
        self._answer = answer
        self._desk = desk
        self._waiting: list[tuple[Any, asyncio.Future[Any]]] = []
        self._work: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Let anything through at once, but a device's pull in its turn."""
        path = scope.get("path")
        asks = path in {DEVICE_STATE, DEVICE_ENROLMENT}
        if not asks or scope.get("method") != "GET":
            await self._application(scope, receive, send)
            return
        status, mark, body = await self._ask(path, dict(scope["headers"]))
        headers = [
            (b"content-type", b"application/json"),
            (b"cache-control", b"no-cache"),
        ]
        if mark:
            headers.append((b"etag", mark.encode("ascii")))
        if status != 304:
            headers.append((b"content-length", str(len(body)).encode("ascii")))
        await send(
            {"type": "http.response.start", "status": status, "headers": headers}
        )
        await send({"type": "http.response.body", "body": body})

    async def _ask(
        self, path: str, headers: dict[bytes, bytes]
    ) -> tuple[int, str, bytes]:
        """Wait for the turn; a server that cannot answer now says so with 503."""
        token, mark = (
            headers.get(name, b"").decode("latin-1")
            for name in (b"authorization", b"if-none-match")
        )
        question = (token, mark, path == DEVICE_ENROLMENT)
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((question, turn))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._answer_all(), name="device pulls")
        answer = await turn
        if answer is None:
            return 503, "", b'{"code": "web.unavailable", "data": {}}'
        return answer.status, answer.mark, answer.body

    async def _answer_all(self) -> None:
        """Answer until nobody waits."""
        while self._waiting:
            if len(self._waiting) < MAX_AT_ONCE:
                await asyncio.sleep(GATHER_SECONDS)
            batch, self._waiting = (
                self._waiting[:MAX_AT_ONCE],
                self._waiting[MAX_AT_ONCE:],
            )
            try:
                at = datetime.now(tz=UTC)
                questions = [question for question, _turn in batch]
                answers = await self._desk.run(self._answer, questions, at=at)
            except Exception:
                logger.exception("Some pulls could not be answered")
                answers = [None] * len(batch)
            for (_question, turn), answer in zip(batch, answers, strict=True):
                if not turn.done():
                    turn.set_result(answer)


def _pulls(questions: Any, *, at: datetime) -> list[Any]:
    """Answer (authorization, mark, enrolment?); imported late: Django sets up first."""
    from nguon.fleet.pulls import Pull, answer_pulls

    return answer_pulls([Pull(*question) for question in questions], at=at)


def _make() -> SizeGate:
    django = get_asgi_application()
    logs.configure(settings.LOG_FORM)
    # After Django has set itself up.
    from nguon.gateway.desk import Desk
    from nguon.newsroom import rules

    turns = DevicesInTurn(django, answer=_pulls, desk=Desk("pulls"))
    return SizeGate(turns, limit=rules.UPLOAD_BYTES + FORM_BYTES)


sys.setswitchinterval(SWITCH_SECONDS)
application = _make()
# What has been loaded stays for good: the collector need not look through it again.
gc.freeze()

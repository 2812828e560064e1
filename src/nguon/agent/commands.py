"""Commands on the device: each is carried out or declined, and the answer is told.

Here too are the last lines of the program's own log, kept in memory for when they are
asked for. What could open a door (tokens, claim codes, passwords) is blanked before
it is kept.
"""

import asyncio
import logging
import re
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from nguon.agent.clock import Clock
from nguon.agent.server import Server, ServerRefusedError, ServerUnreachableError
from nguon.agent.store import Store

log = logging.getLogger(__name__)

MAX_LOG_BYTES = 120 * 1024
_TRIES_S = (1.0, 5.0, 20.0, 60.0)
# Only what sounds or begins within this time holds a restart up.
DUE_MS = 60_000
_SECRETS = (
    (re.compile(r"eyJ[\w-]+\.[\w.-]+"), "…"),
    (re.compile(r"(?i)(authorization:\s*)?bearer\s+\S+"), "…"),
    (re.compile(r"\b[A-Z2-9]{4}(-[A-Z2-9]{4}){3}\b"), "…"),
    (re.compile(r"//[^/\s:@]+:[^/\s@]+@"), "//…@"),
    (re.compile(r"(?i)(token|password|secret|pin|apn_pass)=[^\s&]+"), r"\1=…"),
)


def redact(text: str) -> str:
    """Return a line of log without tokens, claim codes and passwords."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


class LogTail(logging.Handler):
    """Keeps the last lines of the log in memory, within a size, already redacted."""

    def __init__(self, limit: int = MAX_LOG_BYTES) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        self._lines: deque[bytes] = deque()
        self._limit = limit
        self._size = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line; the oldest give way."""
        try:
            line = redact(self.format(record)).encode("utf-8", errors="replace")
        except (ValueError, TypeError):
            self.handleError(record)
            return
        line = line[: self._limit // 2] + b"\n"
        self._lines.append(line)
        self._size += len(line)
        while self._size > self._limit:
            self._size -= len(self._lines.popleft())

    def text(self) -> str:
        """Return the lines kept, oldest first."""
        return b"".join(list(self._lines)).decode("utf-8", errors="replace")


class Commands:
    """Carries out what was accepted, and tells `obeyed` or `declined` with a cause.

    `hands` does each verb: it returns the cause why not, or an empty word. `logs` is
    done here: its answer is told when the log has arrived.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        server: Server,
        tail: LogTail,
        hands: Mapping[str, Callable[[Mapping[str, Any]], str]],
        told: Callable[[], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._server = server
        self._tail = tail
        self._hands = hands
        self._told = told
        self._sending: set[asyncio.Task[None]] = set()

    def obey(self, document: str, verb: str, args: object) -> None:
        """Carry out a command that was accepted."""
        if verb == "logs":
            task = asyncio.get_running_loop().create_task(self._send(document))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
            return
        given = args if isinstance(args, dict) else {}
        self._answer(document, verb, self._hands[verb](given))

    def close(self) -> None:
        """Give up what is still being sent."""
        for task in self._sending:
            task.cancel()

    def _answer(self, document: str, verb: str, cause: str) -> None:
        data = {"document": document, "verb": verb}
        if cause:
            data["cause"] = cause
        kind = "declined" if cause else "obeyed"
        self._store.tell(kind, at=self._clock.now(), **data)
        self._told()

    async def _send(self, document: str) -> None:
        """Hand the log over, trying again for a while."""
        text = self._tail.text()
        for pause in (*_TRIES_S, 0.0):
            try:
                await asyncio.to_thread(self._server.logs, document, text)
            except ServerRefusedError as error:
                log.warning("the log was refused with %s", error.status)
                break
            except ServerUnreachableError:
                await asyncio.sleep(pause)
            else:
                self._answer(document, "logs", "")
                return
        self._answer(document, "logs", "unsent")

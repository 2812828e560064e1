"""What comes from the server: pushed over the bus, or pulled by HTTPS.

Whatever the way, every document goes through the same door: it is checked, then kept
and obeyed, or refused and counted. Nothing that comes is believed unread.
"""

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import Callable
from typing import Any

from nguon.agent.broker import Broker
from nguon.agent.clock import Clock
from nguon.agent.fetching import Fetcher
from nguon.agent.holdings import Holdings
from nguon.agent.sending import Sender
from nguon.agent.server import Server, ServerRefusedError, ServerUnreachableError
from nguon.agent.signals import Signals, wait
from nguon.agent.sinks import Sink
from nguon.agent.stage import Stage
from nguon.agent.store import Store
from nguon.agent.trust import Trust
from nguon.core import signing
from nguon.core.pauses import jitter
from nguon.core.signing import DocumentRefusedError

log = logging.getLogger(__name__)

PULL_S = 55.0
_SYNC_S = 2.0


class Incoming:
    """Takes what comes, and asks for it."""

    def __init__(
        self,
        *,
        clock: Clock,
        store: Store,
        server: Server,
        broker: Broker,
        trust: Trust,
        holdings: Holdings,
        stage: Stage,
        sink: Sink,
        fetcher: Fetcher,
        sender: Sender,
        signals: Signals,
        is_board: bool,
        settled: Callable[[], None],
        pulled: Callable[[], None],
    ) -> None:
        """`settled` is called after new settings, `pulled` after each pull."""
        # Whether this device hears its areas and holds what is in force.
        self.is_ready = False
        self._clock = clock
        self._store = store
        self._server = server
        self._broker = broker
        self._trust = trust
        self._holdings = holdings
        self._stage = stage
        self._sink = sink
        self._fetcher = fetcher
        self._sender = sender
        self._signals = signals
        self._is_board = is_board
        self._settled = settled
        self._pulled = pulled

    async def receive(self, channel: str, payload: bytes) -> None:
        """Take what the bus brought; nothing in it is believed unread."""
        try:
            text = payload.decode()
            if channel in {"alert", "command"}:
                await self._take_pushed(text)
            elif channel == "ack":
                self._sender.take_ack(json.loads(text))
            elif channel == "nudge":
                self._take_nudge(json.loads(text))
        except (ValueError, RecursionError):
            self._store.refused("malformed", at=self._clock.now(), document="")
            self._signals.changed()

    async def _take_pushed(self, token: str) -> None:
        if _is_segment(token):
            self._take_segment(token)
            return
        if not self._clock.trusted:
            # A stop may not wait long for a server that does not answer.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SYNC_S):
                    await self._sync_clock()
        self._take(token, pushed=True)

    def _take_segment(self, token: str) -> None:
        """Let a piece of live speech be heard, if it is proven and in time."""
        if self._is_board or not self._clock.trusted:
            return
        at = self._clock.now()
        try:
            self._stage.take_segment(self._trust.segment(token, at=at))
        except DocumentRefusedError as error:
            self._trust.refuse(error, token, at=at, pushed=True)
            self._signals.changed()

    def _take(self, token: str, *, pushed: bool) -> bool:
        """Check a document and obey it; say whether it was not refused."""
        at = self._clock.now()
        try:
            accepted = self._trust.check(token, at=at, pushed=pushed)
            if accepted is None:
                return True
            self._holdings.accept(accepted, at=at, pushed=pushed)
        except DocumentRefusedError as error:
            if self._trust.refuse(error, token, at=at, pushed=pushed):
                log.warning("refused a document: %s", error.cause)
                self._signals.changed()
            return error.cause == "expired"
        log.info("took %s %s", accepted.kind, accepted.payload["id"])
        if accepted.kind == "stop" and not self._is_board:
            self._stage.stop_arrived(accepted.payload["id"])
        if accepted.kind == "settings":
            self._settled()
        if accepted.kind == "update":
            self._signals.update.set()
        self._signals.changed()
        self._signals.fetch.set()
        return True

    def _take_nudge(self, body: object) -> None:
        """Pull soon, and fetch what will be needed."""
        if not isinstance(body, dict):
            raise ValueError("no object")
        self._fetcher.prepare(body.get("prepare") or [])
        if body.get("plan"):
            self._signals.pull.set()

    async def turn(self) -> None:
        """Pull now, then again at a nudge or within a minute."""
        self._signals.pull.clear()
        try:
            await self._pull()
        except ServerUnreachableError as error:
            log.info("pull: %s", error.code)
        except ServerRefusedError as error:
            log.info("pull: refused with %s", error.status)
            self._clock.hint(error.server_at or self._clock.now())
        self._pulled()
        # Before the first birth a quick second try costs nothing.
        longest = PULL_S if self._clock.trusted else 5.0
        await wait(self._signals.pull, jitter(longest * 0.8, longest))

    async def _pull(self) -> None:
        """Ask the server for the time and for all that is in force.

        1. The clock first, or good documents would look old.
        2. Key set, settings (they say which areas are ours), plans, then the urgent
           in the order of their numbers.
        3. Only when nothing was refused is the answer's mark kept.
        """
        if self._trust.keys.keys and self._clock.wants_sync():
            await self._sync_clock()
        etag = self._store.fact("etag") if self._trust.keys.keys else ""
        answer = await asyncio.to_thread(self._server.state, etag)
        if answer is not None:
            mark, state = answer
            await self._take_keys(state.get("keyset"))
            good = self._take_state(state)
            self._store.remember(etag=mark if good else "")
        if self._broker.is_connected:
            with contextlib.suppress(Exception):
                await self._broker.listen_to(self._trust.units)
                self._tell_ready()
        self._signals.changed()
        self._signals.fetch.set()

    def _tell_ready(self) -> None:
        """Say once that this device hears its areas and holds what is in force."""
        if not self.is_ready and self._holdings.settings_seq:
            self.is_ready = True
            log.info("station: ready")

    async def _take_keys(self, token: object) -> None:
        if not isinstance(token, str) or token == self._store.fact("keyset"):
            return
        at = self._clock.now()
        try:
            self._trust.renew(token, at=at)
        except DocumentRefusedError as error:
            self._trust.refuse(error, token, at=at, pushed=False)
            return
        self._store.remember(keyset=token)
        if not self._clock.trusted:
            await self._sync_clock()

    def _take_state(self, state: dict[str, Any]) -> bool:
        """Take every document of a state; say whether none was refused."""
        settings = state.get("settings")
        good = self._take(settings, pushed=False) if isinstance(settings, str) else True
        update = state.get("update")
        if update and isinstance(update, str):
            good &= self._take(update, pushed=False)
        elif update == "" and self._holdings.update:
            self._holdings.drop_update()
        tokens = [
            token
            for name in ("plans", "urgent")
            for token in sorted(state.get(name) or [], key=_number)
            if isinstance(token, str)
        ]
        return all([good, *(self._take(token, pushed=False) for token in tokens)])

    async def _sync_clock(self) -> None:
        """Set the clock by the server's signed time; log when that is not possible."""
        nonce = secrets.token_urlsafe(12)
        try:
            told = await asyncio.to_thread(self._server.time, nonce)
            token, sent, answered = told
            stated = self._trust.server_time(token, nonce=nonce)
        except DocumentRefusedError as error:
            self._trust.refuse(error, nonce, at=self._clock.now(), pushed=True)
            return
        except ServerRefusedError as error:
            self._clock.hint(error.server_at or self._clock.now())
            return
        except ServerUnreachableError:
            return
        if self._clock.sync(stated, sent=sent, answered=answered):
            self._sink.clock_moved()
        self._store.remember(clock_offset_ms=round(self._clock.offset(), 1))
        self._signals.changed()


def _is_segment(token: str) -> bool:
    """Say whether a document calls itself a piece of live speech."""
    try:
        header, _payload = signing.read(token)
    except DocumentRefusedError:
        return False
    return header.get("typ") == f"{signing.TYPE_PREFIX}segment"


def _number(token: object) -> int:
    """Return the number a document claims, to take older ones first."""
    try:
        _header, payload = signing.read(str(token))
    except DocumentRefusedError:
        return 0
    seq = payload.get("seq")
    return seq if isinstance(seq, int) else 0

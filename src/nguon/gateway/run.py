"""The gateway as a whole: its loops, started together and ended together.

Each loop mends itself: what fails is logged, waited for and tried again. A signal
ends all of them; what was taken and not acknowledged is given again by the bus.
"""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable

from django.conf import settings

from nguon.fleet import poke
from nguon.fleet.telltale import Telltale
from nguon.gateway import broker
from nguon.gateway.broker import BusAwayError, Msg
from nguon.gateway.carrier import Carrier, Clock, now
from nguon.gateway.condition import Parts, condition, figures
from nguon.gateway.desk import Desk
from nguon.gateway.events import Events
from nguon.gateway.floods import Floods
from nguon.gateway.nats_config import load_seeds
from nguon.gateway.presence import Presence
from nguon.gateway.signin import Door, Request

logger = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
WATCH_SECONDS = 10.0
MAX_SIGN_INS = 256


class SignIns:
    """Answers the NATS server's questions, many with one query."""

    def __init__(
        self,
        door: Door,
        *,
        admitted: Callable[[str, str], None] = lambda uid, host: None,
        clock: Clock = now,
    ) -> None:
        self._door = door
        self._admitted = admitted
        self._clock = clock
        self._desk = Desk("door")
        self._waiting: asyncio.Queue[Msg] = asyncio.Queue()
        self.answered = 0
        self.refused = 0

    async def ask(self, message: Msg) -> None:
        """Take a question."""
        self._waiting.put_nowait(message)

    async def run(self) -> None:
        """Answer until cancelled. Unanswered questions are refused by the server."""
        while True:
            asked = [await self._waiting.get()]
            while len(asked) < MAX_SIGN_INS and not self._waiting.empty():
                asked.append(self._waiting.get_nowait())
            requests = [Request.decode(message.data) for message in asked]
            at = round(self._clock().timestamp() * 1000)
            decisions = await self._desk.run(self._door.decide, requests, at=at)
            for message, decision in zip(asked, decisions, strict=True):
                if decision.admitted:
                    self._admitted(decision.uid, decision.host)
                else:
                    self.refused += 1
                await message.respond(decision.answer)
            self.answered += len(asked)

    def close(self) -> None:
        """End the thread."""
        self._desk.close()


class _Poked(asyncio.DatagramProtocol):
    """Wakes the loops at every datagram; its content does not matter."""

    def __init__(self, *woken: asyncio.Event) -> None:
        self._woken = woken

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Wake whoever waits."""
        for event in self._woken:
            event.set()


class Gateway:
    """One gateway; several may run, sharing the bus and the outbox."""

    def __init__(self, *, clock: Clock = now, ready: Callable[[], None]) -> None:
        self._clock = clock
        self._ready = ready
        self._stop = asyncio.Event()
        self._parts: Parts | None = None
        self._telltale = Telltale(
            settings.GATEWAY_HEALTH,
            condition=lambda: condition(self._parts),
            figures=lambda: figures(self._parts),
        )

    def stop(self) -> None:
        """Ask for a clean end."""
        self._stop.set()

    async def run(self) -> None:
        """Run until stopped, connecting again for as long as the bus is away."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        self._telltale.open()
        try:
            while not self._stop.is_set():
                try:
                    await self._run_connected()
                except BusAwayError:
                    logger.exception("The bus is away; trying again")
                    await self._wait_for_stop(RETRY_SECONDS)
        finally:
            await asyncio.to_thread(self._telltale.close)

    async def _wait_for_stop(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return

    async def _run_connected(self) -> None:
        """Connect, start every loop, and end them when asked to stop."""
        seeds = await asyncio.to_thread(load_seeds, settings.KEYS_DIR)
        back = asyncio.Event()
        back.set()
        woken, pending = asyncio.Event(), asyncio.Event()
        async with broker.connect(settings.NATS_URL, seeds, returned=back.set) as bus:
            carrier = Carrier(bus, woken=woken, clock=self._clock)
            floods = Floods(bus, clock=self._clock)
            presence = Presence(bus, floods, clock=self._clock)
            events = Events(
                bus,
                floods=floods,
                woken=pending,
                heard=presence.heard,
                answered=carrier.answered,
                clock=self._clock,
            )
            sign_ins = SignIns(
                Door(seeds.issuer), admitted=presence.admitted, clock=self._clock
            )
            parts = Parts(bus, carrier, presence, events, sign_ins, floods)
            await bus.hear_connections(presence.connected, presence.gone)
            await bus.hear_beats(presence.beat)
            # Before anybody may come in: what is published to no stream is lost.
            await bus.take_events(events.take)
            for leaf in settings.LEAVES:
                await bus.take_leaf_events(leaf, events.take_from_leaf)
            await bus.take_sign_ins(sign_ins.ask)
            poked = await self._listen(woken, pending)
            loops = {
                "sign-ins": sign_ins.run,
                "carry": carrier.run,
                "carry again": carrier.run_again,
                "store": events.run,
                "record": events.run_pending,
                "presence": presence.run,
                "floods": floods.run,
                "watch": lambda: self._watch(parts, back),
            }
            tasks = [
                asyncio.create_task(self._keep_up(name, work), name=name)
                for name, work in loops.items()
            ]
            self._parts = parts
            try:
                self._ready()
                await self._stop.wait()
            finally:
                self._parts = None
                await _cancel(tasks)
                if poked is not None:
                    poked.close()
                    await asyncio.sleep(0)
                await carrier.close()
                for part in (events, sign_ins, presence, floods):
                    part.close()

    async def _listen(self, *woken: asyncio.Event) -> asyncio.DatagramTransport | None:
        """Listen for pokes; where another gateway does, the sweep must do."""
        try:
            (
                transport,
                _protocol,
            ) = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _Poked(*woken), local_addr=poke.address()
            )
        except OSError:
            logger.exception("Nobody can poke this gateway; it looks once a second")
            return None
        return transport

    async def _keep_up(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run a loop for ever: log what breaks it, wait, begin it again."""
        while True:
            try:
                await work()
            except BusAwayError as error:
                logger.warning("%s: the bus is away (%s)", name, error)
            except Exception:
                logger.exception("A loop broke and begins again: %s", name)
            await asyncio.sleep(RETRY_SECONDS)

    async def _watch(self, parts: Parts, back: asyncio.Event) -> None:
        """Learn anew who is there after a break; make a lost stream again.

        A leaf's link may break and come back without a word to us, so where there are
        leaves, we ask who is there in every turn.
        """
        while True:
            if back.is_set() or settings.LEAVES:
                back.clear()
                await parts.presence.learn()
            if not await parts.bus.has_consumer():
                await parts.bus.take_events(parts.events.take)
            for leaf in settings.LEAVES:
                try:
                    await parts.bus.make_leaf_stream(leaf)
                except BusAwayError:
                    logger.info("The leaf %s cannot be reached now", leaf)
            parts.waiting = await parts.bus.count_waiting(settings.LEAVES)
            await parts.carrier.tidy()
            try:
                async with asyncio.timeout(WATCH_SECONDS):
                    await back.wait()
            except TimeoutError:
                pass


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    """End tasks for certain.

    `asyncio.wait_for` of Python 3.11, on which the NATS library leans, may swallow a
    cancellation that arrives together with its answer; so ask again.
    """
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _done, waiting = await asyncio.wait(waiting, timeout=0.5)

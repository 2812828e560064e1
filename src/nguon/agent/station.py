"""The supervisor: starts the parts, carries words between them, keeps all alive.

What waits for the network runs in tasks of their own; each survives its own errors.
Sound needs none of them: `Stage` plays from what is held, and the audio thread from
what the stage has opened.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from nguon import __version__
from nguon.agent.board import Board
from nguon.agent.broker import Broker, check_cancelled
from nguon.agent.clock import Clock
from nguon.agent.commands import Commands, LogTail
from nguon.agent.drivers.host import Host
from nguon.agent.drivers.pole import Pole
from nguon.agent.drivers.watchdog import (
    AUDIO_PATIENCE_S,
    FEED_S,
    STAGE_PATIENCE_S,
    Pulse,
    Watchdog,
)
from nguon.agent.drivers.wiring import Wiring
from nguon.agent.fetching import Fetcher
from nguon.agent.hands import Hands
from nguon.agent.holdings import Holdings
from nguon.agent.identity import Home
from nguon.agent.incoming import Incoming
from nguon.agent.joining import Joiner
from nguon.agent.media import MediaShelf
from nguon.agent.player import Ending, Onset, Player
from nguon.agent.programs import Programs
from nguon.agent.rehearsal import Rehearser
from nguon.agent.sending import Sender
from nguon.agent.senses import Senses
from nguon.agent.server import Server
from nguon.agent.signals import Signals, wait
from nguon.agent.sinks import Sink, make_sink
from nguon.agent.stage import Stage
from nguon.agent.store import Store
from nguon.agent.streams import Receiver
from nguon.agent.trust import Trust
from nguon.agent.updates import Updater
from nguon.agent.vitals import Vitals
from nguon.core.messages import Item
from nguon.core.signing import DocumentRefusedError

log = logging.getLogger(__name__)

_CLEAN_S = 600.0


class Station:
    """One running device."""

    def __init__(
        self,
        home: Home,
        *,
        output: str,
        board_port: int = 0,
        rtc: bool = True,
        allow_inside: bool = False,
        wiring: Wiring | None = None,
    ) -> None:
        """Read what the home holds, and open what the pole's wiring names.

        `allow_inside` lets relays be fetched from inside a network: for tests.
        Raises NoLinesError.
        """
        self._allow_inside = allow_inside
        self._home = home
        self._output = output
        self._board_port = board_port
        self._identity = home.identity()
        key = home.key()
        self._store = Store(home.store)
        self._clock = Clock(
            offset_ms=float(self._store.fact("clock_offset_ms", "0")),
            not_before=int(self._store.fact("lived_until", "0")),
            rtc=rtc,
        )
        self._server = Server(self._identity.server, key=key, clock=self._clock)
        self._broker = Broker(
            key=key,
            clock=self._clock,
            receive=self._receive,
            connected=self._connected,
        )
        self._shelf = MediaShelf(home.media)
        self._signals = Signals()
        self._started = self._clock.monotonic()
        wiring = wiring or Wiring()
        self._lead_s = wiring.amplifier.lead_ms / 1000 if wiring.amplifier.relay else 0
        self._pole = Pole(
            wiring,
            monotonic=self._clock.monotonic,
            contact=lambda name, closed: self._vitals.contact_moved(name, closed),
            measured=lambda judgement: self._vitals.measured(judgement),
        )
        self._watchdog = Watchdog()
        self._watchdog_device = wiring.watchdog
        self._turns = 0
        self._senses = Senses(
            [Host(storage=home.media), *self._pole.drivers],
            monotonic=self._clock.monotonic,
        )
        # Asked for by a command: the program starts anew when it has ended.
        self.again = False
        self._ending = asyncio.Event()
        self._tail = LogTail()
        logging.getLogger().addHandler(self._tail)

    @property
    def is_board(self) -> bool:
        """Say whether this device shows and does not sound."""
        return self._identity.kind == "board"

    async def run(self, ending: asyncio.Event) -> None:
        """Run until `ending` is set. Raises NotAcceptedError, ForeignRootError."""
        self._ending = ending
        self._watchdog.ready()
        try:
            joiner = Joiner(
                home=self._home,
                store=self._store,
                clock=self._clock,
                server=self._server,
                feed=self._watchdog.feed,
            )
            if not await joiner.until_enrolled(ending):
                return
            self._identity = joiner.identity
            await self._live(ending)
        finally:
            self._watchdog.close()
            self._store.close()
            logging.getLogger().removeHandler(self._tail)

    def _build(self, loop: asyncio.AbstractEventLoop) -> None:
        """Put the parts together that need a pinned root."""
        self._trust = Trust(self._identity, self._store)
        self._holdings = Holdings(self._identity, self._store, self._trust)
        self._commands = Commands(
            store=self._store,
            clock=self._clock,
            server=self._server,
            tail=self._tail,
            hands={
                "volume": lambda args: self._hands.turn_volume(args),
                "test": lambda args: self._hands.sound_test(args),
                "restart": lambda args: self._hands.begin_again(args),
                "rehearse": lambda args: self._hands.rehearse(args),
            },
            told=self._signals.changed,
        )
        self._holdings.commanded = self._commands.obey
        self._updater = Updater(
            programs=Programs(self._home.folder / "program"),
            store=self._store,
            clock=self._clock,
            server=self._server,
            holdings=self._holdings,
            running=__version__,
            base=os.environ.get("NGUON_BASE_VERSION", __version__),
            is_kept=os.environ.get("NGUON_KEPT") == "1",
            occupied=lambda ms: self._stage.occupied(within_ms=ms),
            proves=self._proves,
            restart=self.end_for_restart,
            told=self._signals.changed,
        )
        keyset = self._store.fact("keyset")
        if keyset:
            try:
                self._trust.renew(keyset, at=self._clock.now())
            except DocumentRefusedError as error:
                self._trust.refuse(error, keyset, at=self._clock.now(), pushed=False)
        self._holdings.load()
        self._rehearser = Rehearser(
            clock=self._clock,
            store=self._store,
            holdings=self._holdings,
            shelf=self._shelf,
        )
        self._fetcher = Fetcher(
            clock=self._clock,
            store=self._store,
            server=self._server,
            shelf=self._shelf,
            holdings=self._holdings,
            signals=self._signals,
            is_board=self.is_board,
            arrived=self._arrived,
        )
        self._sender = Sender(
            device=self._identity.device,
            clock=self._clock,
            store=self._store,
            server=self._server,
            broker=self._broker,
            signals=self._signals,
        )

        def tell(word: Onset | Ending) -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._stage.heard, word)
                loop.call_soon_threadsafe(self._vitals.sounded, word)

        def changed() -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._signals.changed)

        self._player = Player(tell, outlet=self._pole)
        self._receiver = Receiver(
            allow_inside=self._allow_inside,
            tell=changed,
            server=self._identity.server,
        )
        choice = "null" if self.is_board else self._output
        self._sink: Sink = make_sink(
            choice, clock=self._clock, device=self._identity.device
        )
        self._vitals = Vitals(
            device=self._identity.device,
            kind=self._identity.kind,
            boots=self._boots,
            started=self._started,
            clock=self._clock,
            store=self._store,
            broker=self._broker,
            holdings=self._holdings,
            player=self._player,
            sink=self._sink,
            pole=self._pole,
            senses=self._senses,
            signals=self._signals,
            loop=loop,
        )
        self._stage = Stage(
            clock=self._clock,
            store=self._store,
            trust=self._trust,
            holdings=self._holdings,
            shelf=self._shelf,
            player=self._player,
            receiver=self._receiver,
            output="board" if self.is_board else self._sink.name,
            wake=self._signals.changed,
            evidence=self._vitals.evidence,
        )
        self._hands = Hands(
            store=self._store,
            holdings=self._holdings,
            stage=self._stage,
            vitals=self._vitals,
            rehearser=self._rehearser,
            signals=self._signals,
            is_board=self.is_board,
            lead_s=self._lead_s,
            restart=self.end_for_restart,
        )
        self._incoming = Incoming(
            clock=self._clock,
            store=self._store,
            server=self._server,
            broker=self._broker,
            trust=self._trust,
            holdings=self._holdings,
            stage=self._stage,
            sink=self._sink,
            fetcher=self._fetcher,
            sender=self._sender,
            signals=self._signals,
            is_board=self.is_board,
            settled=self._hands.set_volume,
            pulled=self._rehearse,
        )
        self._hands.set_volume()

    async def _live(self, ending: asyncio.Event) -> None:
        """Run all parts until the end is asked for, then fall silent and close."""
        self._boots = self._store.count("boots")
        self._build(asyncio.get_running_loop())
        self._pole.start()
        board = Board(
            clock=self._clock,
            holdings=self._holdings,
            shelf=self._shelf,
            shown=self._shown,
        )
        if not self.is_board:
            self._sink.start(self._player)
        try:
            if self.is_board:
                port = await board.open(self._board_port)
                log.info("board: http://127.0.0.1:%s/", port)
            self._broker.identity = self._identity
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(work, name=name)
                    for name, work in self._works().items()
                ]
                log.info("station: %s is up", self._identity.device)
                await ending.wait()
                for task in tasks:
                    task.cancel()
        finally:
            if not self.is_board:
                await self._stage.hush()
                self._sink.close()
                self._receiver.close()
                # What the audio thread told last is still on its way to us.
                await asyncio.sleep(0)
            self._commands.close()
            self._pole.close()
            await board.close()
            self._vitals.live_mark()

    def _works(self) -> dict[str, Any]:
        """Return what runs side by side."""
        return {
            "stage": self._forever(self._turn, "the stage"),
            "bus": self._broker.run(),
            "pull": self._forever(self._incoming.turn, "the pull"),
            "media": self._forever(self._fetcher.turn, "media"),
            "send": self._forever(self._sender.turn, "sending"),
            "beat": self._forever(self._vitals.beat_turn, "the beat"),
            "senses": self._forever(self._vitals.sense_turn, "the senses"),
            "clean": self._forever(self._clean_turn, "cleaning"),
            "update": self._forever(self._update_turn, "the update"),
            "watchdog": self._feed(),
        }

    async def _forever(self, turn: Callable[[], Awaitable[None]], name: str) -> None:
        """Run turns for ever; an unforeseen error is logged and costs a second."""
        while True:
            check_cancelled()
            try:
                await turn()
            except Exception:  # the supervisor's edge: nothing may end the device
                check_cancelled()
                log.exception("station: an error in %s", name)
                await asyncio.sleep(1)

    # --- the stage -------------------------------------------------------------------

    async def _feed(self) -> None:
        """Feed the watchdogs as long as deciding and sounding are alive."""
        pulses = [Pulse(lambda: self._turns, patience_s=STAGE_PATIENCE_S)]
        if not self.is_board:
            pulses.append(
                Pulse(lambda: self._player.turns, patience_s=AUDIO_PATIENCE_S)
            )
        if self._watchdog_device:
            self._watchdog.open(self._watchdog_device)
        while True:
            mono = self._clock.monotonic()
            # Each is asked, also when the first one stands still.
            alive = [pulse.is_alive(mono) for pulse in pulses]
            if all(alive):
                self._watchdog.feed()
            else:
                log.error("station: the sound stands still; the watchdog is not fed")
            await asyncio.sleep(FEED_S)

    async def _turn(self) -> None:
        self._turns += 1
        self._signals.wake.clear()
        longest = self._board_look() if self.is_board else self._stage.look()
        await wait(self._signals.wake, longest)

    def _board_look(self) -> float:
        """Let a board tell of stops, and of what no browser ever showed."""
        at = self._clock.now()
        self._stage.tell_stops()
        for key, play in list(self._holdings.plays.items()):
            candidate = self._holdings.candidates.get(key)
            if play.outcome or (candidate and candidate.item.shown_until > at):
                continue
            if candidate is None and play.ends_at > at:
                continue
            over = replace(play, outcome="shown" if play.shown else "missed")
            told: dict[str, Any] = {}
            if not play.shown:
                told = {"tell": "missed", "at": at, "cause": "no_screen"}
            self._store.write_play(over, **told)
            self._holdings.plays[key] = over
        return 1.0

    def _shown(self, item: Item, at: int) -> None:
        """Write down, once, that a browser fetched the screen of an item."""
        play = self._holdings.plays.get(item.id)
        if play is None or play.shown or play.outcome:
            return
        play = replace(play, shown=True)
        self._holdings.plays[item.id] = play
        self._store.write_play(
            play, tell="shown", at=at, planned_at=play.planned_at, output="page"
        )
        self._signals.changed()

    def end_for_restart(self) -> None:
        """End cleanly and have the program started again by whoever keeps it."""
        self.again = True
        self._ending.set()

    def _proves(self) -> bool:
        """Say whether this program is connected, in state, and heard of its birth."""
        told = self._store.fact("birth") == str(self._boots)
        heard = told and not self._store.is_waiting("birth")
        return heard and self._broker.is_connected and self._incoming.is_ready

    async def _update_turn(self) -> None:
        """Go on towards the program that this device should run."""
        await wait(self._signals.update, await self._updater.turn())
        self._signals.update.clear()

    # --- between the parts ------------------------------------------------------------

    def _connected(self) -> None:
        self._signals.pull.set()
        self._sender.begin_again()

    async def _receive(self, channel: str, payload: bytes) -> None:
        await self._incoming.receive(channel, payload)

    def _rehearse(self) -> None:
        """Tell what the next day would sound, if a repair makes that necessary."""
        if not self.is_board and self._rehearser.look():
            self._signals.send.set()

    def _arrived(self) -> None:
        """Look again: with the sound that came the next day may be another."""
        self._rehearse()
        self._signals.changed()

    async def _clean_turn(self) -> None:
        """Forget what is past, in the store and on the shelf."""
        await asyncio.sleep(_CLEAN_S)
        if self._clock.trusted:
            self._holdings.clean(at=self._clock.now())
            self._fetcher.drop_unneeded()

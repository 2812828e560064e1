"""The supervisor: starts the parts, carries words between them, keeps all alive.

What waits for the network runs in tasks of their own; each survives its own errors.
Sound needs none of them: `Stage` plays from what is held, and the audio thread from
what the stage has opened.
"""

import asyncio
import contextlib
import json
import logging
import os
import platform
import random
import resource
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from importlib import metadata
from typing import Any

from nguon import __version__
from nguon.agent.board import Board
from nguon.agent.broker import Broker, check_cancelled
from nguon.agent.clock import Clock
from nguon.agent.commands import DUE_MS, Commands, LogTail
from nguon.agent.drivers.hearing import HEARD, Judgement
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
from nguon.agent.holdings import Holdings
from nguon.agent.identity import Home
from nguon.agent.joining import Joiner
from nguon.agent.media import MediaShelf
from nguon.agent.player import Ending, Onset, Player
from nguon.agent.programs import Programs
from nguon.agent.rehearsal import Rehearser
from nguon.agent.sending import Sender
from nguon.agent.senses import Senses
from nguon.agent.server import Server, ServerRefusedError, ServerUnreachableError
from nguon.agent.signals import Signals, wait
from nguon.agent.sinks import Sink, make_sink
from nguon.agent.stage import Stage
from nguon.agent.store import Store
from nguon.agent.streams import Receiver
from nguon.agent.trust import Trust
from nguon.agent.updates import Updater
from nguon.core import beats, signing
from nguon.core.beats import Beat
from nguon.core.messages import Item
from nguon.core.signing import DocumentRefusedError

log = logging.getLogger(__name__)

PULL_S = 55.0
BEAT_S = 60.0
# Mains, amplifier, line and network are looked at this often; a change is told at once.
SENSE_S = 5.0
# A beat holds no more; after weeks without a server the doubt may be anything.
MAX_DOUBT_MS = 2**31 - 1
# The proof of a test tone is told when the tone is over.
_TEST_S = 4.0
_CLEAN_S = 600.0
_SYNC_S = 2.0


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
        self._is_ready = False
        wiring = wiring or Wiring()
        self._lead_s = wiring.amplifier.lead_ms / 1000 if wiring.amplifier.relay else 0
        self._pole = Pole(
            wiring,
            monotonic=self._clock.monotonic,
            contact=self._contact_moved,
            measured=self._measured,
        )
        self._watchdog = Watchdog()
        self._watchdog_device = wiring.watchdog
        self._turns = 0
        # The grade of evidence that the pole gave for the sound that just ended.
        self._grade: int | None = None
        self._senses = Senses(
            [Host(storage=home.media), *self._pole.drivers],
            monotonic=self._clock.monotonic,
        )
        self._started = self._clock.monotonic()
        self._volume = 0
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
                "volume": self._turn_volume,
                "test": self._sound_test,
                "restart": self._begin_again,
                "rehearse": self._rehearse_now,
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
                loop.call_soon_threadsafe(self._sounded, word)

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
            evidence=self._evidence,
        )
        self._set_volume()

    async def _live(self, ending: asyncio.Event) -> None:
        """Run all parts until the end is asked for, then fall silent and close."""
        self._loop = asyncio.get_running_loop()
        self._build(self._loop)
        self._pole.start()
        self._boots = self._store.count("boots")
        board = Board(clock=self._clock, holdings=self._holdings, shown=self._shown)
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
            self._live_mark()

    def _works(self) -> dict[str, Any]:
        """Return what runs side by side."""
        return {
            "stage": self._forever(self._turn, "the stage"),
            "bus": self._broker.run(),
            "pull": self._forever(self._pull_turn, "the pull"),
            "media": self._forever(self._fetcher.turn, "media"),
            "send": self._forever(self._sender.turn, "sending"),
            "beat": self._forever(self._beat_turn, "the beat"),
            "senses": self._forever(self._sense_turn, "the senses"),
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

    def _set_volume(self) -> None:
        """Take the volume of the newest word: settings, or a command after them."""
        kept = self._store.fact("volume")
        volume = self._holdings.settings.volume
        if kept:
            seq, _, value = kept.partition(" ")
            if int(seq) == self._holdings.settings_seq:
                volume = int(value)
        self._volume = volume
        self._stage.volume = volume

    def _turn_volume(self, args: Mapping[str, Any]) -> str:
        """Take a volume that was commanded; say why not."""
        volume = args.get("volume")
        if type(volume) is not int or not 0 <= volume <= 100:
            return "unusable"
        seq = self._holdings.settings_seq
        self._store.remember(volume=f"{seq} {volume}")
        self._set_volume()
        return ""

    def _sound_test(self, _args: Mapping[str, Any]) -> str:
        """Sound the test tone; say why not."""
        if self.is_board:
            return "board"
        why = self._stage.test()
        if not why:
            loop = asyncio.get_running_loop()
            loop.call_later(_TEST_S + self._lead_s, self._signals.beat.set)
        return why

    def _rehearse_now(self, args: Mapping[str, Any]) -> str:
        """Keep silent below emergency, pull, and tell the next day; say why not."""
        if self.is_board:
            return "board"
        self._holdings.rehearse(args)
        self._rehearser.asked()
        self._signals.pull.set()
        return ""

    def _begin_again(self, args: Mapping[str, Any]) -> str:
        """End so that the program starts anew; say why not."""
        busy = self._stage.occupied(within_ms=DUE_MS)
        if busy == "emergency" or (busy and args.get("force") is not True):
            return busy
        self.end_for_restart()
        return ""

    def end_for_restart(self) -> None:
        """End cleanly and have the program started again by whoever keeps it."""
        self.again = True
        self._ending.set()

    def _proves(self) -> bool:
        """Say whether this program is connected, in state, and heard of its birth."""
        told = self._store.fact("birth") == str(self._boots)
        heard = told and not self._store.is_waiting("birth")
        return heard and self._broker.is_connected and self._is_ready

    async def _update_turn(self) -> None:
        """Go on towards the program that this device should run."""
        await wait(self._signals.update, await self._updater.turn())
        self._signals.update.clear()

    # --- what comes by push -----------------------------------------------------------

    def _connected(self) -> None:
        self._signals.pull.set()
        self._sender.begin_again()

    async def _receive(self, channel: str, payload: bytes) -> None:
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
        if self.is_board or not self._clock.trusted:
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
        if accepted.kind == "stop" and not self.is_board:
            self._stage.stop_arrived(accepted.payload["id"])
        if accepted.kind == "settings":
            self._set_volume()
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

    # --- the pull ---------------------------------------------------------------------

    async def _pull_turn(self) -> None:
        """Pull now, then again at a nudge or within a minute."""
        self._signals.pull.clear()
        try:
            await self._pull()
        except ServerUnreachableError as error:
            log.info("pull: %s", error.code)
        except ServerRefusedError as error:
            log.info("pull: refused with %s", error.status)
            self._clock.hint(error.server_at or self._clock.now())
        self._rehearse()
        # Before the first birth a quick second try costs nothing.
        longest = PULL_S if self._clock.trusted else 5.0
        await wait(self._signals.pull, random.uniform(longest * 0.8, longest))  # noqa: S311

    def _rehearse(self) -> None:
        """Tell what the next day would sound, if a repair makes that necessary."""
        if not self.is_board and self._rehearser.look():
            self._signals.send.set()

    def _arrived(self) -> None:
        """Look again: with the sound that came the next day may be another."""
        self._rehearse()
        self._signals.changed()

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
        if not self._is_ready and self._holdings.settings_seq:
            self._is_ready = True
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

    # --- what goes up -----------------------------------------------------------------

    async def _beat_turn(self) -> None:
        """Tell of the birth once the clock is right or no help has come, then beat."""
        if self._store.fact("birth") != str(self._boots):
            for _attempt in range(50):
                if self._clock.trusted:
                    break
                await asyncio.sleep(0.1)
            self._birth()
        self._live_mark()
        with contextlib.suppress(ConnectionError):
            await self._broker.publish("beat", self._beat(), qos=0)
        self._signals.beat.clear()
        await wait(self._signals.beat, random.uniform(BEAT_S * 0.9, BEAT_S))  # noqa: S311

    async def _sense_turn(self) -> None:
        """Beat at once when something urgent has changed."""
        await asyncio.sleep(SENSE_S)
        if self._senses.has_news():
            self._signals.beat.set()

    def _sounded(self, word: Onset | Ending) -> None:
        """Remember that samples left the device, if they had somewhere to go."""
        if self._sink.name != "null" and self._senses.sounded(word):
            self._evidence()
        if isinstance(word, Ending):
            self._grade = None

    def _evidence(self) -> str:
        """Return the grade that the pole gives the sound that ended; asked once."""
        if self._grade is None:
            self._grade = self._pole.ended()
            if self._grade:
                self._senses.prove(self._grade)
        return beats.NAMES.get(self._grade, "")

    def _measured(self, judgement: Judgement) -> None:
        """Take what the ear found, from a thread of the pole."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._take_measure, judgement)

    def _take_measure(self, judgement: Judgement) -> None:
        if judgement.word == HEARD:
            self._senses.prove(beats.MEASURED)
        log.info(
            "the ear: %s (alike %s, rise %s dB, delay %s ms)",
            judgement.word,
            judgement.alike,
            judgement.rise_db,
            judgement.delay_ms,
        )

    def _contact_moved(self, name: str, closed: bool) -> None:  # noqa: FBT001
        """Tell of a contact, from a thread of the pole. It is told, never obeyed."""

        def tell() -> None:
            self._store.tell("contact", at=self._clock.now(), name=name, closed=closed)
            self._signals.changed()

        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(tell)

    def _birth(self) -> None:
        """Tell that this device has started, and how it is."""
        self._store.remember(birth=self._boots)
        self._store.tell(
            "birth",
            at=self._clock.now(),
            version=__version__,
            python=platform.python_version(),
            miniaudio=metadata.version("miniaudio"),
            machine=platform.machine(),
            kind=self._identity.kind,
            output="page" if self.is_board else self._sink.name,
            boots=self._boots,
            clock_offset_ms=round(self._clock.offset()),
            clock_trusted=self._clock.trusted,
            clock_doubt_ms=self._clock.doubt_ms,
            refused=self._store.refusals(),
            stops=len(self._holdings.active_stops(at=self._clock.now())),
        )
        self._signals.changed()

    def _beat(self) -> dict[str, Any]:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        beat = Beat(
            device=self._identity.device,
            at=self._clock.now(),
            sounding=bool(self._player.sounding),
            clock_offset_ms=round(self._clock.offset()),
            clock_trusted=self._clock.trusted,
            clock_doubt_ms=min(round(self._clock.doubt_ms), MAX_DOUBT_MS),
            version=__version__,
            volume=self._volume,
            **self._senses.read(),
        )
        return beat.encode() | {
            "up_s": int(self._clock.monotonic() - self._started),
            "gap_ms": self._sink.gap_ms,
            "refused": self._store.refusals(),
            "rss_kb": usage.ru_maxrss,
        }

    def _live_mark(self) -> None:
        """Remember that this moment was lived: the clock never goes back before it."""
        if self._clock.trusted:
            self._store.remember(lived_until=self._clock.now())

    async def _clean_turn(self) -> None:
        """Forget what is past, in the store and on the shelf."""
        await asyncio.sleep(_CLEAN_S)
        if self._clock.trusted:
            self._holdings.clean(at=self._clock.now())
            self._fetcher.drop_unneeded()


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

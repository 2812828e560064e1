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
from dataclasses import dataclass, replace
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
from nguon.agent.holdings import Holdings
from nguon.agent.identity import Home, Identity
from nguon.agent.media import MediaBrokenError, MediaShelf
from nguon.agent.player import Ending, Onset, Player
from nguon.agent.programs import Programs
from nguon.agent.rehearsal import Rehearser
from nguon.agent.senses import Senses
from nguon.agent.server import Server, ServerRefusedError, ServerUnreachableError
from nguon.agent.sinks import Sink, make_sink
from nguon.agent.stage import Stage
from nguon.agent.store import Store
from nguon.agent.streams import Receiver
from nguon.agent.trust import Trust
from nguon.agent.updates import Updater
from nguon.core import beats, signing
from nguon.core.beats import Beat
from nguon.core.errors import DomainError, RefusedError
from nguon.core.messages import EventBatch, Item
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
BATCH = 100
# An event not acknowledged after this long is sent again, then ever less often.
ACK_S = 10.0
_LONGEST_ACK_S = 60.0
_OFFLINE_S = 5.0
_MEDIA_TRIES_S = (1.0, 2.0, 5.0, 15.0, 30.0)
_ENROL_S = 3.0
# Unsigned words may ask for so many files and no more.
MAX_PREPARE = 64
_PREPARE_KEEP_S = 24 * 3600.0
_CLEAN_S = 600.0
_SYNC_S = 2.0


class NotAcceptedError(RefusedError):
    """The enrolment was rejected, or taken back."""


@dataclass(frozen=True)
class Wish:
    """A file to fetch, and when it is needed (ms)."""

    sha256: str
    size: int
    needed_at: int


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
        self._wake = asyncio.Event()
        self._pull_now = asyncio.Event()
        self._fetch_now = asyncio.Event()
        self._send_now = asyncio.Event()
        self._is_ready = False
        self._beat_now = asyncio.Event()
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
        self._offline_since = 0.0
        self._sent_to = 0
        self._sent_at = 0.0
        self._ack_wait = ACK_S
        self._prepare: dict[str, tuple[int, float]] = {}
        self._fetch_tries: dict[str, tuple[int, float]] = {}
        self._started = self._clock.monotonic()
        self._volume = 0
        # Asked for by a command: the program starts anew when it has ended.
        self.again = False
        self._ending = asyncio.Event()
        self._update_now = asyncio.Event()
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
            if not await self._until_enrolled(ending):
                return
            await self._live(ending)
        finally:
            self._watchdog.close()
            self._store.close()
            logging.getLogger().removeHandler(self._tail)

    # --- beginning -----------------------------------------------------------------

    async def _until_enrolled(self, ending: asyncio.Event) -> bool:
        """Wait until a person has let this device in; say whether that happened."""
        self._server.device = self._identity.device
        if self._identity.root and self._store.fact("joined_at"):
            return True
        while not ending.is_set():
            self._watchdog.feed()
            try:
                if await self._ask_enrolment():
                    self._store.remember(joined_at=self._clock.now())
                    return True
            except ServerUnreachableError:
                log.info("enrolment: the server does not answer")
            except ServerRefusedError as error:
                self._clock.hint(error.server_at or self._clock.now())
                log.info("enrolment: refused with %s", error.status)
            wait = random.uniform(_ENROL_S / 2, _ENROL_S)  # noqa: S311
            await _wait(ending, wait)
        return False

    async def _ask_enrolment(self) -> bool:
        """Learn where the enrolment stands; pin the root key and note the bus."""
        answer = await asyncio.to_thread(self._server.enrolment)
        identity = self._identity.pinned(str(answer["root_key"]))
        bus = answer.get("bus") or {}
        identity = replace(
            identity,
            bus_host=str(bus.get("host", "")),
            bus_port=int(bus.get("port", 0)),
            bus_tls=bool(bus.get("tls", False)),
        )
        if identity != self._identity:
            self._home.write(identity)
            self._identity = identity
        if answer["state"] in {"rejected", "revoked"} and not self._store.fact(
            "joined_at"
        ):
            raise NotAcceptedError("agent.not_accepted", state=answer["state"])
        return bool(answer["state"] == "active")

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
            told=self._changed,
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
            told=self._changed,
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

        def tell(word: Onset | Ending) -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._stage.heard, word)
                loop.call_soon_threadsafe(self._sounded, word)

        def changed() -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._changed)

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
            wake=self._changed,
            evidence=self._evidence,
        )
        self._set_volume()

    async def _live(self, ending: asyncio.Event) -> None:
        """Run all parts until the end is asked for, then fall silent and close."""
        self._loop = asyncio.get_running_loop()
        self._build(self._loop)
        self._pole.start()
        self._boots = self._store.count("boots")
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
            self._offline_since = self._clock.monotonic()
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
            "media": self._forever(self._media_turn, "media"),
            "send": self._forever(self._send_turn, "sending"),
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

    def _changed(self) -> None:
        """Something changed: look again, and send what there is to tell."""
        self._wake.set()
        self._send_now.set()

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
        self._wake.clear()
        wait = self._board_look() if self.is_board else self._stage.look()
        await _wait(self._wake, wait)

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
        self._changed()

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
        if not _is_percent(volume):
            return "unusable"
        seq = self._holdings.settings_seq
        self._store.remember(volume=f"{seq} {volume}")
        self._set_volume()
        return ""

    def _sound_test(self, args: Mapping[str, Any]) -> str:
        """Sound the test tone, as quietly as was asked for; say why not."""
        if self.is_board:
            return "board"
        loudest = args.get("volume", 100)
        if not _is_percent(loudest):
            return "unusable"
        why = self._stage.test(loudest=loudest)
        if not why:
            loop = asyncio.get_running_loop()
            loop.call_later(_TEST_S + self._lead_s, self._beat_now.set)
        return why

    def _rehearse_now(self, args: Mapping[str, Any]) -> str:
        """Keep silent below emergency, pull, and tell the next day; say why not."""
        if self.is_board:
            return "board"
        self._holdings.rehearse(args)
        self._rehearser.asked()
        self._pull_now.set()
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
        await _wait(self._update_now, await self._updater.turn())
        self._update_now.clear()

    # --- what comes by push -----------------------------------------------------------

    def _connected(self) -> None:
        self._sent_to = 0
        self._pull_now.set()
        self._send_now.set()

    async def _receive(self, channel: str, payload: bytes) -> None:
        """Take what the bus brought; nothing in it is believed unread."""
        try:
            text = payload.decode()
            if channel in {"alert", "command"}:
                await self._take_pushed(text)
            elif channel == "ack":
                self._take_ack(json.loads(text))
            elif channel == "nudge":
                self._take_nudge(json.loads(text))
        except (ValueError, RecursionError):
            self._store.refused("malformed", at=self._clock.now(), document="")
            self._changed()

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
            self._changed()

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
                self._changed()
            return error.cause == "expired"
        log.info("took %s %s", accepted.kind, accepted.payload["id"])
        if accepted.kind == "stop" and not self.is_board:
            self._stage.stop_arrived(accepted.payload["id"])
        if accepted.kind == "settings":
            self._set_volume()
        if accepted.kind == "update":
            self._update_now.set()
        self._changed()
        self._fetch_now.set()
        return True

    def _take_nudge(self, body: object) -> None:
        """Pull soon, and fetch what will be needed."""
        if not isinstance(body, dict):
            raise ValueError("no object")
        rows = body.get("prepare") or []
        until = self._clock.monotonic() + _PREPARE_KEEP_S
        for row in rows[:MAX_PREPARE]:
            if len(self._prepare) < MAX_PREPARE:
                self._prepare[str(row["sha256"])] = (int(row["size"]), until)
        self._fetch_now.set()
        if body.get("plan"):
            self._pull_now.set()

    def _take_ack(self, body: object) -> None:
        """Forget the events that the gateway has put into its database."""
        if not isinstance(body, dict) or not isinstance(body.get("stored"), list):
            raise ValueError("no ack")
        numbers = [n for n in body["stored"] if isinstance(n, int)]
        self._store.acknowledged(log=str(body.get("log")), numbers=numbers)
        self._ack_wait = ACK_S
        self._sent_at = self._clock.monotonic()
        self._send_now.set()

    # --- the pull ---------------------------------------------------------------------

    async def _pull_turn(self) -> None:
        """Pull now, then again at a nudge or within a minute."""
        self._pull_now.clear()
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
        wait = random.uniform(longest * 0.8, longest)  # noqa: S311
        await _wait(self._pull_now, wait)

    def _rehearse(self) -> None:
        """Tell what the next day would sound, if a repair makes that necessary."""
        if not self.is_board and self._rehearser.look():
            self._send_now.set()

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
        self._changed()
        self._fetch_now.set()

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
        self._changed()

    # --- media ------------------------------------------------------------------------

    async def _media_turn(self) -> None:
        """Fetch what is wanted, the soonest first; then tell what is prepared."""
        self._fetch_now.clear()
        self._tell_prepared()
        now = self._clock.monotonic()
        wait = 30.0
        for wish in self._wishes():
            tries, after = self._fetch_tries.get(wish.sha256, (0, 0.0))
            if after > now:
                wait = min(wait, after - now)
                continue
            if await self._fetch(wish, tries):
                self._tell_prepared()
                self._rehearse()
                self._changed()
            self._fetch_now.set()
            break
        await _wait(self._fetch_now, max(0.1, wait))

    def _wishes(self) -> list[Wish]:
        """Return the files that are missing, in the order of need."""
        if self.is_board:
            return self._picture_wishes()
        at, mono = self._clock.now(), self._clock.monotonic()
        wishes = {
            sha256: Wish(sha256, size, 2**53)
            for sha256, (size, until) in self._prepare.items()
            if until > mono
        }
        for key, candidate in self._holdings.candidates.items():
            play, item = self._holdings.plays.get(key), candidate.item
            if play is None or play.outcome or item.ends_at <= at:
                continue
            sound = item.rendition(self._holdings.settings.languages)
            if sound:
                known = wishes.get(sound.sha256)
                needed = min(item.starts_at, known.needed_at if known else 2**53)
                wishes[sound.sha256] = Wish(sound.sha256, sound.size, needed)
        missing = [w for w in wishes.values() if w.sha256 not in self._shelf.ready]
        return sorted(missing, key=lambda wish: (wish.needed_at, wish.sha256))

    def _picture_wishes(self) -> list[Wish]:
        """Return the pictures of what a board shows now or later, the soonest first."""
        at = self._clock.now()
        wishes: dict[str, Wish] = {}
        for candidate in self._holdings.candidates.values():
            item = candidate.item
            for one in item.pictures if item.shown_until > at else ():
                if one.sha256 not in self._shelf.ready:
                    known = wishes.get(one.sha256)
                    soonest = min(item.starts_at, known.needed_at if known else 2**53)
                    wishes[one.sha256] = Wish(one.sha256, one.size, soonest)
        return sorted(wishes.values(), key=lambda wish: (wish.needed_at, wish.sha256))

    async def _fetch(self, wish: Wish, tries: int) -> bool:
        """Try to fetch one file; say whether it is here."""
        try:
            await asyncio.to_thread(
                self._shelf.fetch, self._server, sha256=wish.sha256, size=wish.size
            )
        except (DomainError, OSError) as error:
            code = error.code if isinstance(error, DomainError) else "agent.disk"
            log.warning("media: not fetched yet (%s)", code)
            wait = _MEDIA_TRIES_S[min(tries, len(_MEDIA_TRIES_S) - 1)]
            if isinstance(error, MediaBrokenError) and error.code.endswith("short"):
                wait = _MEDIA_TRIES_S[0]
            again = self._clock.monotonic() + random.uniform(wait / 2, wait)  # noqa: S311
            self._fetch_tries[wish.sha256] = (tries + 1, again)
            return False
        self._fetch_tries.pop(wish.sha256, None)
        return True

    def _tell_prepared(self) -> None:
        """Tell, once for each item, that its sound is here and proven."""
        at = self._clock.now()
        for key, candidate in self._holdings.candidates.items():
            play = self._holdings.plays.get(key)
            sound = candidate.item.rendition(self._holdings.settings.languages)
            if play is None or play.prepared or play.outcome or not sound:
                continue
            if sound.sha256 not in self._shelf.ready:
                continue
            play = replace(play, prepared=True)
            self._holdings.plays[key] = play
            self._store.write_play(
                play,
                tell="prepared",
                at=at,
                sha256=sound.sha256,
                language=sound.language,
            )
            self._send_now.set()

    # --- what goes up -----------------------------------------------------------------

    async def _send_turn(self) -> None:
        """Send what waits: over the bus, or by HTTPS when the bus is away."""
        self._send_now.clear()
        mono = self._clock.monotonic()
        if self._sent_to and mono - self._sent_at > self._ack_wait:
            # No acknowledgement: from the beginning, and more patiently.
            self._sent_to = 0
            self._ack_wait = min(_LONGEST_ACK_S, self._ack_wait * 2)
        events = self._store.waiting(limit=BATCH, above=self._sent_to)
        if self._broker.is_connected:
            self._offline_since = mono
            if events:
                await self._send_by_bus(events)
        elif events and mono - self._offline_since > _OFFLINE_S:
            await self._send_by_https()
        wait = 1.0 if events or self._sent_to else 5.0
        await _wait(self._send_now, wait)

    async def _send_by_bus(self, events: list[Any]) -> None:
        batch = EventBatch(self._identity.device, self._store.log, tuple(events))
        try:
            await self._broker.publish("event", batch.encode(), qos=1)
        except ConnectionError:
            return
        self._sent_to = events[-1].n
        self._sent_at = self._clock.monotonic()
        if len(events) == BATCH:
            self._send_now.set()

    async def _send_by_https(self) -> None:
        events = self._store.waiting(limit=BATCH)
        batch = EventBatch(self._identity.device, self._store.log, tuple(events))
        try:
            ack = await asyncio.to_thread(self._server.events, batch.encode())
            self._take_ack(ack)
        except (ServerUnreachableError, ServerRefusedError, ValueError):
            self._offline_since = self._clock.monotonic() + random.uniform(0, 5)  # noqa: S311

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
        self._beat_now.clear()
        await _wait(self._beat_now, random.uniform(BEAT_S * 0.9, BEAT_S))  # noqa: S311

    async def _sense_turn(self) -> None:
        """Beat at once when something urgent has changed."""
        await asyncio.sleep(SENSE_S)
        if self._senses.has_news():
            self._beat_now.set()

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

    def _contact_moved(self, name: str, closed: bool) -> None:  # noqa: FBT001  (a reading)
        """Tell of a contact, from a thread of the pole. It is told, never obeyed."""

        def tell() -> None:
            self._store.tell("contact", at=self._clock.now(), name=name, closed=closed)
            self._changed()

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
        self._changed()

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
            self.drop_unneeded()

    def drop_unneeded(self) -> None:
        """Remove the sounds that no plan and no order to prepare needs."""
        mono = self._clock.monotonic()
        self._prepare = {k: v for k, v in self._prepare.items() if v[1] > mono}
        needed = set(self._prepare)
        for key, candidate in self._holdings.candidates.items():
            play = self._holdings.plays.get(key)
            if play is None or not play.outcome:
                needed.update(sound.sha256 for sound in candidate.item.renditions)
            if self.is_board:
                needed.update(one.sha256 for one in candidate.item.pictures)
        removed = self._shelf.keep_only(needed)
        if removed:
            log.info("media: removed %s files", removed)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, at most so long.

    Not `wait_for`: on Python 3.11 it may swallow a cancellation that comes together
    with the event, and then a task would never end.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def _is_percent(value: object) -> bool:
    return type(value) is int and 0 <= value <= 100


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


async def enrol(home: Home, *, server: str, claim: str, kind: str) -> Identity:
    """Ask to be enrolled; asking again after a crash goes on with the same key."""
    identity = home.begin(Identity(server=server, claim=claim, kind=kind))
    if identity.device:
        return identity
    key = home.key()
    client = Server(server, key=key, clock=Clock())
    answer = await asyncio.to_thread(
        client.enrol,
        {
            "claim_code": identity.claim,
            "public_key": key.public.x,
            "kind": identity.kind,
            "make": "nguon",
            "model": f"agent {platform.machine()}",
            "version": __version__,
        },
    )
    identity = replace(identity, device=str(answer["device"]))
    home.write(identity)
    return identity

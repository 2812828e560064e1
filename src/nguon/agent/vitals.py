"""How this device is: its birth, its beats, what its senses find and prove.

A beat says how it goes now and may be lost; birth and contacts are events and are
kept until the gateway has them. Contacts and the ear tell from threads of the pole.
"""

import asyncio
import contextlib
import logging
import platform
import resource
from importlib import metadata
from typing import Any

from nguon import __version__
from nguon.agent.broker import Broker
from nguon.agent.clock import Clock
from nguon.agent.drivers.hearing import HEARD, Judgement
from nguon.agent.drivers.pole import Pole
from nguon.agent.holdings import Holdings
from nguon.agent.player import Ending, Onset, Player
from nguon.agent.senses import Senses
from nguon.agent.signals import Signals, wait
from nguon.agent.sinks import Sink
from nguon.agent.store import Store
from nguon.core import beats
from nguon.core.beats import Beat
from nguon.core.pauses import jitter

log = logging.getLogger(__name__)

BEAT_S = 60.0
# Mains, amplifier, line and network are looked at this often; a change is told at once.
SENSE_S = 5.0
# A beat holds no more; after weeks without a server the doubt may be anything.
MAX_DOUBT_MS = 2**31 - 1


class Vitals:
    """Tells how this device is."""

    def __init__(
        self,
        *,
        device: str,
        kind: str,
        boots: int,
        started: float,
        clock: Clock,
        store: Store,
        broker: Broker,
        holdings: Holdings,
        player: Player,
        sink: Sink,
        pole: Pole,
        senses: Senses,
        signals: Signals,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """Take `started`, when the program began: monotonic, seconds."""
        # The volume that is told in beats, percent.
        self.volume = 0
        self._device = device
        self._kind = kind
        self._boots = boots
        self._clock = clock
        self._store = store
        self._broker = broker
        self._holdings = holdings
        self._player = player
        self._sink = sink
        self._pole = pole
        self._senses = senses
        self._signals = signals
        self._loop = loop
        self._started = started
        # The grade of evidence that the pole gave for the sound that just ended.
        self._grade: int | None = None

    async def beat_turn(self) -> None:
        """Tell of the birth once the clock is right or no help has come, then beat."""
        if self._store.fact("birth") != str(self._boots):
            for _attempt in range(50):
                if self._clock.trusted:
                    break
                await asyncio.sleep(0.1)
            self._birth()
        self.live_mark()
        with contextlib.suppress(ConnectionError):
            await self._broker.publish("beat", self._beat(), qos=0)
        self._signals.beat.clear()
        await wait(self._signals.beat, jitter(BEAT_S * 0.9, BEAT_S))

    async def sense_turn(self) -> None:
        """Beat at once when something urgent has changed."""
        await asyncio.sleep(SENSE_S)
        if self._senses.has_news():
            self._signals.beat.set()

    def sounded(self, word: Onset | Ending) -> None:
        """Remember that samples left the device, if they had somewhere to go."""
        if self._sink.name != "null" and self._senses.sounded(word):
            self.evidence()
        if isinstance(word, Ending):
            self._grade = None

    def evidence(self) -> str:
        """Return the grade that the pole gives the sound that ended; asked once."""
        if self._grade is None:
            self._grade = self._pole.ended()
            if self._grade:
                self._senses.prove(self._grade)
        return beats.NAMES.get(self._grade, "")

    def measured(self, judgement: Judgement) -> None:
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

    def contact_moved(self, name: str, closed: bool) -> None:  # noqa: FBT001  (a reading)
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
            kind=self._kind,
            output="page" if self._kind == "board" else self._sink.name,
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
            device=self._device,
            at=self._clock.now(),
            sounding=bool(self._player.sounding),
            clock_offset_ms=round(self._clock.offset()),
            clock_trusted=self._clock.trusted,
            clock_doubt_ms=min(round(self._clock.doubt_ms), MAX_DOUBT_MS),
            version=__version__,
            volume=self.volume,
            **self._senses.read(),
        )
        return beat.encode() | {
            "up_s": int(self._clock.monotonic() - self._started),
            "gap_ms": self._sink.gap_ms,
            "refused": self._store.refusals(),
            "rss_kb": usage.ru_maxrss,
        }

    def live_mark(self) -> None:
        """Remember that this moment was lived: the clock never goes back before it."""
        if self._clock.trusted:
            self._store.remember(lived_until=self._clock.now())

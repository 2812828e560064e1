"""The worker: makes the sounds that are asked for, and does the small chores.

Two lanes make sounds, one of them for emergencies only, so that an alert never
waits behind a long bulletin. Work is claimed with a lease; a killed worker's work is
taken up again. A poisoned job, or a chore that breaks or drags, never stops the rest.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial

from django.conf import settings
from django.db import close_old_connections, connections

from nguon.core.errors import DomainError, InvalidError
from nguon.core.metrics import COUNTER, Metric
from nguon.fleet import actions as fleet
from nguon.fleet.telltale import Condition
from nguon.newsroom import actions as newsroom
from nguon.newsroom import rules
from nguon.newsroom.models import Rendition
from nguon.speech import chain
from nguon.speech.render import render_spoken
from nguon.speech.sentences import Cache
from nguon.speech.voice import Manner, load_voices

logger = logging.getLogger(__name__)

# New work is seen within this time.
TURN_SECONDS = 0.15
# Who comes less often than this keeps no connection, nor what it has read.
SELDOM_SECONDS = 5.0
STOP_SECONDS = 3.0
BROKEN_SECONDS = 2.0
UNKNOWN_FAILURE = "newsroom.rendition_broken"

Clock = Callable[[], datetime]


@lru_cache(maxsize=1)
def _cache() -> Cache:
    """Return the kept sounds of sentences; the lanes share the folder."""
    folder = settings.DATA_DIR / "sentences"
    return Cache(folder, limit_bytes=settings.SPEECH_CACHE_MB * 1024 * 1024)


@dataclass(frozen=True)
class Chore:
    """Something small that is done again and again."""

    name: str
    do: Callable[[datetime], object]
    every_seconds: float = TURN_SECONDS
    tally: dict[str, int] = field(default_factory=lambda: {"done": 0, "failed": 0})

    def turn(self, at: datetime) -> float:
        """Do it; return how long to wait. A broken one is logged, and waits longer."""
        try:
            self.do(at)
        except Exception:
            logger.exception("chore failed: %s", self.name)
            self.tally["failed"] += 1
            self.tally["failing"] = 1
            return max(self.every_seconds, BROKEN_SECONDS)
        self.tally["done"] += 1
        self.tally["failing"] = 0
        return self.every_seconds


@dataclass
class Lane:
    """One sound at a time; `lowest_rank` 1 takes emergencies only."""

    name: str
    clock: Clock
    lowest_rank: int = 3
    current: Rendition | None = None

    def turn(self) -> bool:
        """Make the next sound; return whether there was one."""
        claimed = newsroom.claim_rendition(
            at=self.clock(), lowest_rank=self.lowest_rank
        )
        if claimed is None:
            return False
        self.current = claimed
        try:
            self._make(claimed)
        except newsroom.LeaseLostError:
            logger.warning("rendition %s was taken over", claimed.pk)
        except Exception as error:
            logger.exception("rendition %s failed", claimed.pk)
            self._give_back(claimed, error)
        finally:
            self.current = None
        return True

    def _make(self, claimed: Rendition) -> None:
        sound = render_spoken(
            claimed.spoken_text,
            language=claimed.language,
            voice_name=claimed.voice,
            manner=Manner(voice=claimed.voice, **claimed.manner),
            voices=load_voices(settings.VOICES_FILE),
            cache=_cache(),
        )
        at = self.clock()
        media = fleet.store_media(
            data=sound.mp3, mime=chain.MIME, duration_ms=sound.duration_ms, at=at
        )
        newsroom.finish_rendition(
            rendition_id=claimed.pk,
            lease=claimed.lease,
            media=media,
            sound=newsroom.Sound(
                duration_ms=sound.duration_ms,
                loudness_lufs=sound.loudness_lufs,
                true_peak_dbtp=sound.true_peak_dbtp,
                peaks=sound.peaks,
                spoken_by=sound.voice,
                fallback=sound.fallback,
            ),
            at=at,
        )

    def _give_back(self, claimed: Rendition, error: Exception) -> None:
        code = error.code if isinstance(error, DomainError) else UNKNOWN_FAILURE
        try:
            newsroom.fail_rendition(
                rendition_id=claimed.pk,
                lease=claimed.lease,
                code=code,
                permanent=isinstance(error, InvalidError),
                at=self.clock(),
            )
        except newsroom.LeaseLostError:
            logger.warning("rendition %s was taken over", claimed.pk)


@dataclass
class Worker:
    """The lanes and the chores of one process; `stop` ends it cleanly."""

    clock: Clock
    chores: list[Chore]
    stopping: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """Ask the worker to end: what is unfinished is given back."""
        self.stopping.set()

    def condition(self) -> Condition:
        """Say how this worker is; a chore that failed last time makes it ill."""
        failing = [one.name for one in self.chores if one.tally.get("failing")]
        return Condition(not failing, {"failing": failing})

    def figures(self) -> list[Metric]:
        """Return what each chore has done."""
        rows = [
            ({"chore": chore.name, "end": end}, float(chore.tally[end]))
            for chore in self.chores
            for end in ("done", "failed")
        ]
        return [Metric("nguon_chores_total", COUNTER, "Turns of small chores.", rows)]

    def run_once(self) -> None:
        """Make every sound that waits, then do every chore once."""
        lane = Lane("all", self.clock)
        while lane.turn():
            pass
        for chore in self.chores:
            chore.turn(self.clock())

    def run(self) -> None:
        """Work until `stop`: each lane and each chore in a thread of its own."""
        lanes = [Lane("urgent", self.clock, lowest_rank=1), Lane("all", self.clock)]
        work: list[tuple[str, Callable[[], None]]] = [
            *((lane.name, partial(self._follow, lane)) for lane in lanes),
            *((chore.name, partial(self._repeat, chore)) for chore in self.chores),
        ]
        threads = [
            threading.Thread(target=run, name=name, daemon=True) for name, run in work
        ]
        for thread in threads:
            thread.start()
        while not self.stopping.wait(rules.RENEW_SECONDS):
            close_old_connections()
            self._renew(lanes)
        # What ends soon is waited for; what does not is given back.
        patience = time.monotonic() + STOP_SECONDS
        for thread in threads:
            thread.join(max(0.0, patience - time.monotonic()))
        self._return_unfinished(lanes)
        connections.close_all()

    def _follow(self, lane: Lane) -> None:
        while not self.stopping.is_set():
            try:
                close_old_connections()
                busy = lane.turn()
            except Exception:
                logger.exception("lane %s: no turn", lane.name)
                busy = False
            if not busy:
                self.stopping.wait(TURN_SECONDS)
        connections.close_all()

    def _repeat(self, chore: Chore) -> None:
        while not self.stopping.is_set():
            close_old_connections()
            pause = chore.turn(self.clock())
            if pause >= SELDOM_SECONDS:
                connections.close_all()
            self.stopping.wait(pause)
        connections.close_all()

    def _renew(self, lanes: list[Lane]) -> None:
        for held in [lane.current for lane in lanes if lane.current]:
            try:
                newsroom.renew_lease(
                    rendition_id=held.pk, lease=held.lease, at=self.clock()
                )
            except newsroom.LeaseLostError:
                logger.info("rendition %s is finished or taken over", held.pk)
            except Exception:
                logger.exception("rendition %s: lease not renewed", held.pk)

    def _return_unfinished(self, lanes: list[Lane]) -> None:
        for held in [lane.current for lane in lanes if lane.current]:
            try:
                newsroom.return_rendition(
                    rendition_id=held.pk, lease=held.lease, at=self.clock()
                )
            except newsroom.LeaseLostError:
                logger.info("rendition %s is finished or taken over", held.pk)

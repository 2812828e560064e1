"""Fetches the files that are needed, the soonest first, and tells what is prepared.

What is needed: the sound of every item that is still to come (a board needs pictures
instead), and for a while what a nudge asked to prepare. A nudge's words are not signed:
they may ask for so many files, and what they bring is kept only under its own hash.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nguon.agent.clock import Clock
from nguon.agent.holdings import Holdings
from nguon.agent.media import MediaBrokenError, MediaShelf
from nguon.agent.server import Server
from nguon.agent.signals import Signals, wait
from nguon.agent.store import Store
from nguon.core.errors import DomainError
from nguon.core.pauses import jitter

log = logging.getLogger(__name__)

# Unsigned words may ask for so many files and no more.
MAX_PREPARE = 64
_PREPARE_KEEP_S = 24 * 3600.0
_TRIES_S = (1.0, 2.0, 5.0, 15.0, 30.0)


@dataclass(frozen=True)
class Wish:
    """A file to fetch, and when it is needed (ms)."""

    sha256: str
    size: int
    needed_at: int


class Fetcher:
    """Brings sounds onto the shelf, and keeps no others there."""

    def __init__(
        self,
        *,
        clock: Clock,
        store: Store,
        server: Server,
        shelf: MediaShelf,
        holdings: Holdings,
        signals: Signals,
        is_board: bool,
        arrived: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._store = store
        self._server = server
        self._shelf = shelf
        self._holdings = holdings
        self._signals = signals
        self._is_board = is_board
        self._arrived = arrived
        self._prepare: dict[str, tuple[int, float]] = {}
        self._tries: dict[str, tuple[int, float]] = {}

    def prepare(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Note what a nudge asks for. Raises what malformed rows raise."""
        until = self._clock.monotonic() + _PREPARE_KEEP_S
        for row in rows[:MAX_PREPARE]:
            if len(self._prepare) < MAX_PREPARE:
                self._prepare[str(row["sha256"])] = (int(row["size"]), until)
        self._signals.fetch.set()

    async def turn(self) -> None:
        """Fetch what is wanted, the soonest first; then tell what is prepared."""
        self._signals.fetch.clear()
        self.tell_prepared()
        now = self._clock.monotonic()
        longest = 30.0
        for wish in self._wishes():
            tries, after = self._tries.get(wish.sha256, (0, 0.0))
            if after > now:
                longest = min(longest, after - now)
                continue
            if await self._fetch(wish, tries):
                self.tell_prepared()
                self._arrived()
            self._signals.fetch.set()
            break
        await wait(self._signals.fetch, max(0.1, longest))

    def _wishes(self) -> list[Wish]:
        """Return the files that are missing, in the order of need."""
        if self._is_board:
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
            pause = _TRIES_S[min(tries, len(_TRIES_S) - 1)]
            if isinstance(error, MediaBrokenError) and error.code.endswith("short"):
                pause = _TRIES_S[0]
            again = self._clock.monotonic() + jitter(pause / 2, pause)
            self._tries[wish.sha256] = (tries + 1, again)
            return False
        self._tries.pop(wish.sha256, None)
        return True

    def tell_prepared(self) -> None:
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
            self._signals.send.set()

    def drop_unneeded(self) -> None:
        """Remove the sounds that no plan and no order to prepare needs."""
        mono = self._clock.monotonic()
        self._prepare = {k: v for k, v in self._prepare.items() if v[1] > mono}
        needed = set(self._prepare)
        for key, candidate in self._holdings.candidates.items():
            play = self._holdings.plays.get(key)
            if play is None or not play.outcome:
                needed.update(sound.sha256 for sound in candidate.item.renditions)
            if self._is_board:
                needed.update(one.sha256 for one in candidate.item.pictures)
        removed = self._shelf.keep_only(needed)
        if removed:
            log.info("media: removed %s files", removed)

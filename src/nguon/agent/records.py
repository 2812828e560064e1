"""The play record: what became of each item, as the player measured it.

Kept on disk while an item sounds, closed once and for good, told to the server.
"""

from collections.abc import Callable
from dataclasses import replace

from nguon.agent.clock import Clock
from nguon.agent.holdings import Holdings
from nguon.agent.player import Ending, Onset, Player, level_dbfs
from nguon.agent.store import Play, Store, sounded
from nguon.agent.streams import Receiver
from nguon.agent.voice import FRAMES_PER_MS, RATE
from nguon.core.playout import is_endless

# A running item's position is on disk at most this old.
CHECKPOINT_S = 1.0


class Records:
    """Writes the play records of this device."""

    def __init__(
        self,
        *,
        clock: Clock,
        store: Store,
        holdings: Holdings,
        player: Player,
        receiver: Receiver,
        output: str,
        wake: Callable[[], None],
        evidence: Callable[[], str],
    ) -> None:
        """Take `evidence`: what the pole sensed of the sound that has just ended."""
        self._clock = clock
        self._store = store
        self._holdings = holdings
        self._player = player
        self._receiver = receiver
        self._output = output
        self._wake = wake
        self._evidence = evidence
        self._checkpointed = 0.0

    def begun(self, word: Onset) -> None:
        """Write down, once, when an item began to sound."""
        play = self._holdings.plays.get(word.key)
        if play is None or play.outcome or play.started_at:
            return
        at = round(self._clock.at(word.mono))
        play = replace(play, started_at=at)
        self.keep(
            play,
            tell="started",
            at=at,
            planned_at=play.planned_at,
            error_ms=at - play.planned_at,
            output=self._output,
        )

    def missing_ms(self, play: Play) -> int:
        """Return how much of the promised length never sounded."""
        candidate = self._holdings.candidates.get(play.item)
        if candidate is None or is_endless(candidate.item):
            return 0
        rendition = candidate.item.rendition(self._holdings.settings.languages)
        return rendition.duration_ms - play.sounded_ms if rendition else 0

    def with_stretch(self, play: Play, word: Ending) -> Play:
        """Return the record with one stretch of sound more."""
        started, ended = (
            round(self._clock.at(word.started)),
            round(self._clock.at(word.mono)),
        )
        offset = word.ms - word.samples // FRAMES_PER_MS
        return sounded(
            play,
            part=(started, ended, offset),
            energy=word.energy,
            # What was only filled in, where a source had nothing, was not heard.
            samples=max(0, word.samples - word.empty),
            ms=word.ms,
        )

    def checkpoint(self, mono: float) -> None:
        """Keep on disk how far a running item has come."""
        if mono - self._checkpointed < CHECKPOINT_S:
            return
        stretch = self._player.stretch()
        if stretch is None or not stretch.key:
            return
        self._checkpointed = mono
        play = self._holdings.plays.get(stretch.key)
        if play and not play.outcome and play.started_at:
            self._store.write_play(self.with_stretch(play, stretch))

    def keep(self, play: Play, *, tell: str = "", **data: object) -> None:
        """Keep a record as it now is; with `tell` the server learns of it."""
        self._store.write_play(play, tell=tell, **data)
        self._holdings.plays[play.item] = play
        if tell:
            self._wake()

    def finish(self, play: Play, outcome: str, cause: str, at: int) -> None:
        """Close an item for good, with its record."""
        if play.outcome:
            return
        heard_ms = play.samples * 1000 // RATE
        silent = outcome in {"missed", "failed"} or not heard_ms
        sensed = "" if silent else self._evidence()
        self._holdings.drop(play.item)
        self.keep(
            replace(play, outcome=outcome),
            tell=outcome if outcome in {"missed", "failed"} else "finished",
            at=at,
            outcome=outcome,
            cause=cause,
            planned_at=play.planned_at,
            started_at=play.started_at,
            ended_at=play.ended_at or at,
            sounded_ms=heard_ms,
            level_dbfs=level_dbfs(energy=play.energy, samples=play.samples),
            output=self._output,
            parts=[list(part) for part in play.parts],
            **self._relay_words(play, heard_ms, at),
            **({"evidence": sensed} if sensed else {}),
        )

    def _relay_words(self, play: Play, heard_ms: int, at: int) -> dict[str, int]:
        """Return what a record says of a stream: relayed, silent and dead, in ms.

        Silence and death are counted since this process runs.
        """
        candidate = self._holdings.candidates.get(play.item)
        if candidate is None or candidate.item.stream is None:
            return {}
        begin = self._clock.mono(play.planned_at)
        end = self._clock.mono(min(at, candidate.item.ends_at))
        told = self._receiver.tally(play.item, begin, end)
        return {
            "relayed_ms": heard_ms,
            "silent_ms": told["silent"],
            "dead_ms": told["dead"],
        }

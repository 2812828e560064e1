"""Stops, as this device tells of them: when one came, was in effect, and was over."""

from collections.abc import Callable

from nguon.agent.clock import Clock
from nguon.agent.holdings import Holdings
from nguon.agent.player import Player
from nguon.agent.store import Store
from nguon.core.playout import is_real_emergency


class Silences:
    """Tells of stops; that they are obeyed is the work of the rules."""

    def __init__(
        self,
        *,
        clock: Clock,
        store: Store,
        holdings: Holdings,
        player: Player,
        wake: Callable[[], None],
    ) -> None:
        # Since when nothing sounds, monotonic seconds.
        self.silent_since = 0.0
        self._clock = clock
        self._store = store
        self._holdings = holdings
        self._player = player
        self._wake = wake
        self._arrivals: dict[str, float] = {}

    def arrived(self, document: str) -> None:
        """Remember when a stop came."""
        self._arrivals[document] = self._clock.monotonic()

    def tell(self, mono: float) -> None:
        """Tell of stops once they have their effect."""
        waiting = [stop for stop in self._holdings.stops if not stop.told]
        if not waiting:
            return
        on = self._player.on(mono)
        candidate = self._holdings.candidates.get(on[0]) if on else None
        allowed = candidate is not None and is_real_emergency(candidate.item)
        if not (self._player.silent or allowed):
            return
        for stop in waiting:
            arrived = self._arrivals.pop(stop.id, mono)
            silent = max(arrived, self.silent_since)
            data = {
                "document": stop.id,
                "until": stop.until,
                "received_at": round(self._clock.at(arrived)),
                "silent_at": round(self._clock.at(silent)),
            }
            at = round(self._clock.at(silent))
            self._store.stop_told(stop, at=at, data=data)
        self._holdings.refresh()
        self._wake()

    def end(self, at: int) -> None:
        """Tell of stops that were lifted or have run out."""
        over = [
            s for s in self._holdings.stops if s.told and (s.ended or s.until <= at)
        ]
        for stop in over:
            self._store.stop_ended(stop, how=stop.ended or "end", at=at)
        if over:
            self._holdings.refresh()
            self._wake()

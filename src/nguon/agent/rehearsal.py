"""The rehearsal of the next day after a repair, as this device computes and tells it.

While its settings name a rehearsal, the device tells after each pull what it would
sound in the next 24 hours: once for everything that could change the answer, and again
whenever the server asks. The server compares; newer settings end the rehearsal.
"""

from nguon import __version__
from nguon.agent.clock import Clock
from nguon.agent.holdings import Holdings
from nguon.agent.media import MediaShelf
from nguon.agent.store import Store
from nguon.core import rehearsal
from nguon.core.playout import Situation

EVENT = "rehearsed"


class Rehearser:
    """Tells the server what this device would sound, as long as it has to."""

    def __init__(
        self, *, clock: Clock, store: Store, holdings: Holdings, shelf: MediaShelf
    ) -> None:
        self._clock = clock
        self._store = store
        self._holdings = holdings
        self._shelf = shelf
        self._told: object = None

    def asked(self) -> None:
        """Tell again at the next look, though nothing may have changed."""
        self._told = None

    def look(self) -> bool:
        """Tell the day if there is something new to tell; say whether it was told."""
        name = self._holdings.rehearsing
        if not name:
            self._told = None
            return False
        at = self._clock.now()
        report = self._report(at)
        answer = (
            name,
            report.settings,
            report.plans,
            bool(report.missing_count),
            report.trusted,
        )
        if answer == self._told:
            return False
        self._told = answer
        self._store.tell(EVENT, at=at, item=name, **report.encode())
        return True

    def _report(self, at: int) -> rehearsal.Report:
        holdings = self._holdings
        items = {key: one.item for key, one in holdings.candidates.items()}
        day = rehearsal.rehearse(
            Situation(
                items=(),
                cancelled=frozenset(
                    key for key, item in items.items() if holdings.is_cancelled(item)
                ),
                stops=holdings.active_stops(at=at),
                quiet=holdings.quiet,
                volumes=holdings.volumes,
                order=holdings.order,
            ),
            holdings.listener,
            items=items.values(),
            start=at,
        )
        missing = []
        for key in dict.fromkeys(row.item for row in day.rows):
            sound = items[key].rendition(holdings.settings.languages)
            if (
                sound
                and not items[key].stream
                and sound.sha256 not in self._shelf.ready
            ):
                missing.append(key)
        return rehearsal.report(
            day,
            settings=holdings.settings_seq,
            plans=holdings.plan_numbers,
            missing=missing,
            trusted=self._clock.trusted,
            version=__version__,
        )

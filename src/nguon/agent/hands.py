"""What commands may do to this device: volume, test tone, restart, rehearsal.

`Commands` decides whether a command is obeyed; here it is done. Each answers why not,
or with nothing when it was done.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from nguon.agent.commands import DUE_MS
from nguon.agent.holdings import Holdings
from nguon.agent.rehearsal import Rehearser
from nguon.agent.signals import Signals
from nguon.agent.stage import Stage
from nguon.agent.store import Store
from nguon.agent.vitals import Vitals

# The proof of a test tone is told when the tone is over.
_TEST_S = 4.0


class Hands:
    """Carries out what was commanded."""

    def __init__(
        self,
        *,
        store: Store,
        holdings: Holdings,
        stage: Stage,
        vitals: Vitals,
        rehearser: Rehearser,
        signals: Signals,
        is_board: bool,
        lead_s: float,
        restart: Callable[[], None],
    ) -> None:
        """`lead_s` is how long the amplifier takes to wake, seconds."""
        self._store = store
        self._holdings = holdings
        self._stage = stage
        self._vitals = vitals
        self._rehearser = rehearser
        self._signals = signals
        self._is_board = is_board
        self._lead_s = lead_s
        self._restart = restart

    def set_volume(self) -> None:
        """Take the volume of the newest word: settings, or a command after them."""
        kept = self._store.fact("volume")
        volume = self._holdings.settings.volume
        if kept:
            seq, _, value = kept.partition(" ")
            if int(seq) == self._holdings.settings_seq:
                volume = int(value)
        self._vitals.volume = volume
        self._stage.volume = volume

    def turn_volume(self, args: Mapping[str, Any]) -> str:
        """Take a volume that was commanded; say why not."""
        volume = args.get("volume")
        if not _is_percent(volume):
            return "unusable"
        seq = self._holdings.settings_seq
        self._store.remember(volume=f"{seq} {volume}")
        self.set_volume()
        return ""

    def sound_test(self, args: Mapping[str, Any]) -> str:
        """Sound the test tone, as quietly as was asked for; say why not."""
        if self._is_board:
            return "board"
        loudest = args.get("volume", 100)
        if not _is_percent(loudest):
            return "unusable"
        why = self._stage.test(loudest=loudest)
        if not why:
            loop = asyncio.get_running_loop()
            loop.call_later(_TEST_S + self._lead_s, self._signals.beat.set)
        return why

    def rehearse(self, args: Mapping[str, Any]) -> str:
        """Keep silent below emergency, pull, and tell the next day; say why not."""
        if self._is_board:
            return "board"
        self._holdings.rehearse(args)
        self._rehearser.asked()
        self._signals.pull.set()
        return ""

    def begin_again(self, args: Mapping[str, Any]) -> str:
        """End so that the program starts anew; say why not."""
        busy = self._stage.occupied(within_ms=DUE_MS)
        if busy == "emergency" or (busy and args.get("force") is not True):
            return busy
        self._restart()
        return ""


def _is_percent(value: object) -> bool:
    return type(value) is int and 0 <= value <= 100

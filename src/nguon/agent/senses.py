"""What the device knows of itself, put together for the beat.

Each driver is asked by itself and may fail by itself: then its fields are not known.
A proof of sound is remembered by its moment, and told by its age.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from nguon.agent.drivers.interface import Driver
from nguon.agent.player import Ending, level_dbfs
from nguon.core import beats
from nguon.core.beats import Beat

log = logging.getLogger(__name__)

# Below this the digital output was silence; shorter than that proves nothing.
SILENCE_DBFS = -60.0
SHORTEST_MS = 500
# A change of these is told at once, not with the next beat.
URGENT = ("mains", "amplifier", "line", "network", "heard", "sim")
_KNOWN = frozenset(field.name for field in fields(Beat))


class Senses:
    """The drivers of one device, and its latest proofs of sound."""

    def __init__(
        self, drivers: Sequence[Driver], *, monotonic: Callable[[], float]
    ) -> None:
        self._drivers = drivers
        self._monotonic = monotonic
        self._proofs: dict[int, float] = {}
        self._broken: set[str] = set()
        self._told: dict[str, object] = {}

    def sounded(self, word: object) -> bool:
        """Take the end of a sound; say whether it is a proof: samples left us."""
        if not isinstance(word, Ending) or word.ms < SHORTEST_MS:
            return False
        level = level_dbfs(energy=word.energy, samples=word.samples)
        if level is None or level <= SILENCE_DBFS:
            return False
        self.prove(beats.DECODED)
        return True

    def prove(self, grade: int) -> None:
        """Remember that a sound was proven just now."""
        self._proofs[grade] = self._monotonic()

    def read(self) -> dict[str, Any]:
        """Return the fields of a beat that the drivers know, and the proofs."""
        found: dict[str, Any] = {}
        for driver in self._drivers:
            found.update(self._ask(driver))
        if self._proofs:
            now = self._monotonic()
            found["evidence"] = {g: int(now - at) for g, at in self._proofs.items()}
        self._told = {name: found.get(name) for name in URGENT}
        return found

    def has_news(self) -> bool:
        """Say whether something urgent is other than it was last told."""
        now: dict[str, object] = {}
        for driver in self._drivers:
            now.update(self._ask(driver))
        return any(now.get(name) != self._told.get(name) for name in URGENT)

    def _ask(self, driver: Driver) -> Mapping[str, object]:
        try:
            found = driver.read()
        except (OSError, ValueError) as error:
            if driver.name not in self._broken:
                self._broken.add(driver.name)
                log.warning("the sense %s is broken: %s", driver.name, error)
            return {}
        self._broken.discard(driver.name)
        return {name: value for name, value in found.items() if name in _KNOWN}

"""The body of one virtual device: power, amplifier, line, proofs of sound, faults.

What it tells is plausible and the same for the same number, so that a run can be
repeated. A fault is put on and taken off on request (`control`), as weather would.
"""

from typing import Any

from nguon.core import beats
from nguon.core.beats import Beat

# What may be asked to go wrong, and what of it.
FAULTS = (
    "mute",  # plays, and its microphone hears nothing
    "amplifier",  # the relay stays open while it plays
    "line_open",
    "line_short",
    "mains",  # runs on its battery
    "battery",
    "clock",
    "hot",
    "hang",  # connected, and beats no more
    "update",  # a new program fails its trial
    "cut",  # no power: gone from the bus without a word
)


class Body:
    """The virtual hardware of one device; moments are ms since 1970."""

    __slots__ = ("faults", "number", "proofs", "volume")

    def __init__(self, number: int) -> None:
        self.number = number
        self.faults: set[str] = set()
        self.proofs: dict[int, int] = {}
        self.volume: int | None = None

    @property
    def beats(self) -> bool:
        """Say whether its program still tells anything."""
        return not self.faults & {"hang", "cut"}

    def sounded(self, *, at: int, volume: int = 100) -> None:
        """Take the end of a sound as proof, of the grades that its hardware has.

        At no volume nothing came out, and nothing is proven.
        """
        if not volume:
            return
        self.proofs[beats.DECODED] = at
        if "amplifier" in self.faults:
            return
        if self.number % 2 == 0:
            self.proofs[beats.AMPLIFIED] = at
        if self.number % 4 == 0 and not self.faults & {"mute", "line_open"}:
            self.proofs[beats.MEASURED] = at

    def beat(self, *, device: str, at: int, sounding: bool, **more: Any) -> Beat:
        """Return what it says about itself."""
        mobile = self.number % 3 != 0
        return Beat(
            device=device,
            at=at,
            sounding=sounding,
            mains="mains" not in self.faults,
            battery_percent=12 if "battery" in self.faults else 80 + self.number % 20,
            amplifier=sounding and "amplifier" not in self.faults,
            line=self._line(),
            evidence={
                grade: max(0, (at - moment) // 1000)
                for grade, moment in self.proofs.items()
            },
            clock_doubt_ms=9_000 if "clock" in self.faults else 40,
            storage_free_mb=4_000 + self.number % 3_000,
            temperature_c=85 if "hot" in self.faults else 32 + self.number % 17,
            signal_dbm=-70 - self.number % 30 if mobile else None,
            network=beats.MOBILE if mobile else beats.ETHERNET,
            data_used_mb=self.number % 900 if mobile else None,
            volume=self.volume,
            **more,
        )

    def _line(self) -> str:
        if "line_open" in self.faults:
            return beats.OPEN
        return beats.SHORT if "line_short" in self.faults else beats.OK

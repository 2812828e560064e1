"""The device's time: monotonic, anchored to the server's signed time.

Everything on the device asks here, so a wrong or jumping system clock changes
nothing once the server has spoken. Before that the best guess is used: the system's
clock, corrected by the offset that held last time, and never earlier than the
latest moment this device has lived through; and `trusted` says that it is a guess.
`doubt_ms` says how far the time may be wrong: quiet hours are widened by it.
"""

import math
import time
from collections.abc import Callable

from nguon.core.playout import FOREVER

# Below this a new measurement is noise: sound that is planned must not wobble.
DEAD_BAND_MS = 15.0
# A round trip this long says too little about the server's time to move the clock.
MAX_ROUND_TRIP_MS = 4_000.0
_REFRESH_S = 600.0
# A battery clock since the last signed time: a quarter of an hour is more than the
# worst of them loses or gains in half a year.
KEPT_DOUBT_MS = 15 * 60_000
# How fast this machine's clock may drift from the server's: 100 millionths, 60 ms
# between two measurements, 9 s after a day without network.
DRIFT = 100e-6
# Times are whole milliseconds, cut off once by the server and once here.
_ROUNDING_MS = 2


class Clock:
    """Milliseconds since 1970 as the server counts them, from the monotonic clock."""

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        system: Callable[[], float] = time.time,
        offset_ms: float = 0.0,
        not_before: int = 0,
        rtc: bool = True,
    ) -> None:
        """Start from the best guess.

        `not_before` is the latest moment lived with a signed time (ms, 0 for never);
        `rtc` says whether a battery keeps the system's clock while power is off.
        """
        self.monotonic = monotonic
        self._system = system
        guess = system() * 1000 + offset_ms
        self._anchor = max(guess, float(not_before)) - monotonic() * 1000
        self._guess = self._anchor
        self._is_kept = rtc and 0 < not_before <= guess
        # Somebody may have set the system's clock right since the offset was noted.
        self._kept_doubt = KEPT_DOUBT_MS + abs(offset_ms)
        self._error_ms = 0.0
        self._round_trip = MAX_ROUND_TRIP_MS
        self._synced = -_REFRESH_S
        self._measured = 0.0
        self.trusted = False

    def now(self) -> int:
        """Return the time, ms."""
        return int(self.at(self.monotonic()))

    def at(self, mono: float) -> float:
        """Return the time of a monotonic moment (seconds), ms with fractions."""
        return self._anchor + mono * 1000

    def mono(self, at: float) -> float:
        """Return the monotonic moment (seconds) of a time in ms."""
        return (at - self._anchor) / 1000

    def offset(self) -> float:
        """Return how far the system's clock is behind the server's, ms."""
        return self.at(self.monotonic()) - self._system() * 1000

    @property
    def doubt_ms(self) -> int:
        """Return how far the time may be wrong either way; FOREVER when unknown.

        After a signed time its own doubt and the drift since; before it a quarter of
        an hour where a battery kept the clock. A clock that is before a moment that
        was lived through was not kept; nor is one that an unproven word moved far.
        """
        if self.trusted:
            drift = (self.monotonic() - self._measured) * 1000 * DRIFT
            return math.ceil(self._error_ms + drift) + _ROUNDING_MS
        moved = abs(self._anchor - self._guess)
        if not self._is_kept or moved > KEPT_DOUBT_MS:
            return FOREVER
        return math.ceil(self._kept_doubt + moved)

    def wants_sync(self) -> bool:
        """Say whether it is time to ask the server again."""
        return not self.trusted or self.monotonic() - self._synced > _REFRESH_S

    def hint(self, server_at: int) -> None:
        """Take an unproven server time, only so that sign-in tokens are in time."""
        if not self.trusted:
            self._anchor = server_at - self.monotonic() * 1000

    def sync(self, server_at: int, *, sent: float, answered: float) -> bool:
        """Take a *verified* server time, asked at `sent`, answered at `answered`.

        Returns whether the clock moved. A slow answer moves it only when nothing
        better is known or the error is larger than the answer's own doubt.
        """
        round_trip = (answered - sent) * 1000
        if round_trip > MAX_ROUND_TRIP_MS and self.trusted:
            return False
        anchor = server_at + round_trip / 2 - answered * 1000
        error = abs(anchor - self._anchor)
        self._synced = self.monotonic()
        doubt = max(DEAD_BAND_MS, round_trip / 2)
        self._measured = answered
        if self.trusted and error <= doubt:
            self._error_ms = error + round_trip / 2
            return False
        self._anchor = anchor
        self._error_ms = round_trip / 2
        self._round_trip = round_trip
        self.trusted = True
        return True

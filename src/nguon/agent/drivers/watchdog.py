"""The watchdogs: the board's own, and systemd's. Fed only while sound is alive.

*Alive* is not "the process runs": the stage must go on deciding and the audio thread
must go on turning. When one of them stands still nobody feeds, systemd starts the
program anew, and where that does not help the board starts itself.
"""

import contextlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

FEED_S = 4.0
# The stage sleeps up to 30 s, a silent audio thread up to 5 s.
STAGE_PATIENCE_S, AUDIO_PATIENCE_S = 60.0, 20.0
# Linux watchdog API: this letter before closing means that the end was meant.
_MEANT = b"V"


class Pulse:
    """A counter that must go on; says since when it has stood still."""

    def __init__(self, read: Callable[[], int], *, patience_s: float) -> None:
        self._read = read
        self._patience_s = patience_s
        self._last = -1
        self._since = 0.0

    def is_alive(self, mono: float) -> bool:
        """Look once; say whether it moved within its patience."""
        count = self._read()
        if count != self._last:
            self._last, self._since = count, mono
        return mono - self._since <= self._patience_s


class Watchdog:
    """Feeds what watches over us; `address` is systemd's socket, if it has one."""

    def __init__(self, *, address: str = "") -> None:
        self._address = address or os.environ.get("NOTIFY_SOCKET", "")
        self._file = -1

    def open(self, device: Path) -> None:
        """Have the board watch over us too, from now on. Raises OSError."""
        self._file = os.open(device, os.O_WRONLY)

    def feed(self) -> None:
        """Say that all is alive."""
        if self._file >= 0:
            os.write(self._file, b"\0")
        self._notify("WATCHDOG=1")

    def ready(self) -> None:
        """Tell systemd that the device is up."""
        self._notify("READY=1")

    def close(self) -> None:
        """End on purpose: the board goes on running."""
        if self._file >= 0:
            with contextlib.suppress(OSError):
                os.write(self._file, _MEANT)
            os.close(self._file)
            self._file = -1

    def _notify(self, word: str) -> None:
        """Source: sd_notify(3)."""
        if not self._address:
            return
        address = self._address
        if address.startswith("@"):
            address = "\0" + address[1:]
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out,
        ):
            out.sendto(word.encode(), address)

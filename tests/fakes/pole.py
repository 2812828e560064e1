"""A pole on the desk: lines in a folder, volts in files, a microphone that hears.

The folder looks like `/sys/class/gpio`, so the real program reads it as it would read
a board. The microphone, run as a program, hears what the agent's WAV sink writes: some
air later, much quieter, with the noise of the place; or only the noise.
"""

import argparse
import random
import struct
import sys
import threading
import time
from array import array
from collections.abc import Mapping
from pathlib import Path

RATE, EAR_RATE = 48_000, 8_000
BLOCK_S = 0.05
HEADER = 44


class FakeChip:
    """Lines in memory; each can be broken."""

    def __init__(self, **lines: bool) -> None:
        self.lines = lines
        self.is_broken = False
        self.on = False
        self.moments: list[tuple[float, bool]] = []
        self.lock = threading.Lock()

    def read(self) -> Mapping[str, bool]:
        if self.is_broken:
            raise OSError("the chip is gone")
        return dict(self.lines)

    def write(self, *, active: bool) -> None:
        if self.is_broken:
            raise OSError("the chip is gone")
        self.on = active
        self.moments.append((time.monotonic(), active))

    def close(self) -> None:
        self.on = False


class Desk:
    """A pole's wires as files under one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.chip = folder / "gpio"
        self.supplies = folder / "sys/class/power_supply"
        self.chip.mkdir(parents=True)
        self.volts(line=1.7, battery=12.6)

    def line(self, number: int, value: int) -> Path:
        """Put a value on a line."""
        path = self.chip / f"gpio{number}"
        path.mkdir(exist_ok=True)
        self._write(path / "value", str(value))
        return path / "value"

    def volts(self, **told: float) -> None:
        """Put voltages on the converter: counts of a millivolt."""
        for name, volts in told.items():
            self._write(self.folder / name, str(round(volts * 1000)))

    @staticmethod
    def _write(path: Path, text: str) -> None:
        # Whole, as a register changes: nobody reads half of it.
        fresh = path.with_suffix(".fresh")
        fresh.write_text(text)
        fresh.rename(path)


def hear(
    wavs: Path, *, gain: float, delay_s: float, noise: int, amplifier: Path | None
) -> None:
    """Write what a microphone hears to the standard output, at the pace of time.

    With `amplifier` (a line's file) it hears our sound only while that is on.
    """
    source = random.Random(7)
    begun = time.monotonic()
    latest = max(wavs.glob("*.wav"), key=lambda path: path.stat().st_mtime)
    place, taken = 0, 0
    count = round(EAR_RATE * BLOCK_S)
    wide = round(RATE * BLOCK_S) * 2
    with latest.open("rb") as file:
        # The file grows with time: its end is now.
        place = max(HEADER, (latest.stat().st_size - HEADER) // 2 * 2 + HEADER)
        while True:
            taken += 1
            time.sleep(max(0.0, begun + taken * BLOCK_S + delay_s - time.monotonic()))
            file.seek(place)
            raw = file.read(wide)
            place += len(raw)
            heard = array("h", raw)[:: RATE // EAR_RATE]
            on = amplifier is None or amplifier.read_text().strip() == "1"
            loud = gain if on else 0.0
            out = array("h")
            for n in range(count):
                ours = heard[n] * loud if n < len(heard) else 0.0
                value = ours + source.gauss(0, noise)
                out.append(int(min(32_767, max(-32_768, value))))
            sys.stdout.buffer.write(struct.pack(f"<{count}h", *out))
            sys.stdout.buffer.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wavs", type=Path)
    parser.add_argument("--gain", type=float, default=0.05)
    parser.add_argument("--delay-ms", type=int, default=80)
    parser.add_argument("--noise", type=int, default=20)
    parser.add_argument("--amplifier", type=Path)
    told = parser.parse_args()
    hear(
        told.wavs,
        gain=told.gain,
        delay_s=told.delay_ms / 1000,
        noise=told.noise,
        amplifier=told.amplifier,
    )


if __name__ == "__main__":
    main()

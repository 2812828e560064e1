"""Where samples go: a WAV file, a sound card, or nowhere; each paced by real time.

The WAV and null sinks have a clock of their own: sample `n` belongs to the moment
`start + n / 48000` of the monotonic clock, always, so they never drift. A block is
made when its moment has come. When the process was held up for longer than a sound
card's buffer would last, the time lost is written as silence and the sound goes on
behind it, as it would through a card.

While nothing is to sound these two sleep, until shortly before the next cue or until
one is set, and write the silence that has passed at once: a device is silent for
23 hours a day, and fifty blocks of nothing a second would cost it half a percent.
"""

import contextlib
import json
import os
import struct
import threading
import time
from array import array
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import miniaudio

from nguon.agent.clock import Clock
from nguon.agent.files import write_whole
from nguon.agent.player import silence
from nguon.agent.voice import RATE, Samples
from nguon.core.errors import DomainError

BLOCK_MS = 20
BLOCK = RATE * BLOCK_MS // 1000
# What a card's usual buffer bridges; later than this is a gap, and is written as one.
TOLERANCE_S = 0.2
_FLUSH_BYTES = 5 * BLOCK * 2
# No more silence than this is in memory at a time.
_PIECE = 10 * RATE
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
# A WAV file counts in 32 bits; a longer life goes on in another file.
_MAX_BYTES = 11 * 3600 * RATE * 2
_CARD_BUFFER_MS = 40
_AUDIO_NICE = -15

# A WAV file may be read while it is written: it is never older than this.
_WAV_NAP_S, _LONGEST_NAP_S = 0.25, 5.0
# Waking takes its time; the rest until a cue is waited for block by block.
_WAKE_S = 0.1


class Source(Protocol):
    """Where samples come from, and who says when there is nothing but silence."""

    waken: Callable[[], None]

    def render(self, mono: float, frames: int) -> Samples:
        """Return the samples of the stretch of time that begins at `mono`."""

    def silent_until(self) -> float:
        """Return until which moment nothing can sound, unless `waken` is called."""


class NoCardError(DomainError):
    """There is no sound card that can be opened."""


class Sink(Protocol):
    """Takes samples at the pace of time until it is closed."""

    name: str
    gap_ms: int

    def start(self, source: Source) -> None:
        """Begin to take samples."""

    def close(self) -> None:
        """Stop, with everything written."""

    def clock_moved(self) -> None:
        """Learn that the clock now tells another time of the same moment."""


class PacedSink:
    """Takes blocks at the pace of the monotonic clock and forgets them."""

    name = "null"
    nap_s = _LONGEST_NAP_S

    def __init__(self, clock: Clock) -> None:
        self.gap_ms = 0
        self._clock = clock
        self._is_ending = False
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audio", daemon=True)
        self._source: Source | None = None
        self._origin = 0.0
        self._taken = 0

    def start(self, source: Source) -> None:
        """Begin to take samples."""
        self._source = source
        source.waken = self._woken.set
        self._origin = self._clock.monotonic()
        self._open()
        self._thread.start()

    def close(self) -> None:
        """Stop, with everything written."""
        self._is_ending = True
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        self._shut()

    def clock_moved(self) -> None:
        """Nothing here is named by its time."""

    def _open(self) -> None:
        pass

    def _shut(self) -> None:
        pass

    def _write(self, samples: Samples) -> None:
        pass

    def _run(self) -> None:
        hurry()
        while not self._is_ending and self._source:
            # Before asking, so that a cue set after the answer cuts the sleep short.
            self._woken.clear()
            quiet = self._source.silent_until()
            if quiet > self._due() + _WAKE_S:
                self._sleep(self._source, quiet)
            else:
                self._take_block(self._source)

    def _due(self) -> float:
        """Return the moment of the next sample."""
        return self._origin + self._taken / RATE

    def _sleep(self, source: Source, quiet: float) -> None:
        """Sleep while it is silent; write the silence that has passed meanwhile.

        A cue that came meanwhile begins where it was meant to, but at most one block
        ago: what was decided late is never written as if it had been on time.
        """
        due = self._due()
        ends = min(quiet - _WAKE_S / 2, due + self.nap_s)
        left = ends - self._clock.monotonic()
        if left > 0:
            self._woken.wait(left)
        now = self._clock.monotonic()
        meant = max(source.silent_until(), now - BLOCK_MS / 1000)
        passed = min(now, quiet, meant) - due
        if passed > 0:
            self._pass(int(passed * RATE))

    def _take_block(self, source: Source) -> None:
        """Wait for the moment of the next block, and take it."""
        due = self._due()
        late = self._clock.monotonic() - due
        if late > TOLERANCE_S:
            lost = int(late * 1000 / BLOCK_MS)
            self._pass(lost * BLOCK)
            self.gap_ms += lost * BLOCK_MS
        elif late < 0:
            time.sleep(-late)
        else:
            self._put(source.render(due, BLOCK))

    def _pass(self, frames: int) -> None:
        """Let silence pass, in pieces: a process may have stood still for hours."""
        while frames > 0:
            piece = min(frames, _PIECE)
            self._put(silence(piece))
            frames -= piece

    def _put(self, samples: Samples) -> None:
        self._taken += len(samples)
        self._write(samples)


class WavSink(PacedSink):
    """Writes the life of the process into a WAV file, readable at every moment.

    Beside it stands a small JSON file with the exact time of sample 0.
    """

    name = "wav"
    nap_s = _WAV_NAP_S

    def __init__(self, target: Path, *, clock: Clock, device: str) -> None:
        super().__init__(clock)
        self._target = target
        self._device = device
        self.path = target
        self._file = -1
        self._bytes = 0
        self._fresh = 0
        self._start = 0.0

    def clock_moved(self) -> None:
        """Write the time of sample 0 anew."""
        if self._file >= 0:
            self._describe()

    def _open(self) -> None:
        self._start = self._origin
        self._create()

    def _create(self) -> None:
        self.path = self._name()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        self._bytes = 0
        os.write(self._file, self._header())
        self._describe()

    def _name(self) -> Path:
        """Return a file that does not exist yet, named by the moment of its start."""
        moment = datetime.fromtimestamp(self._clock.at(self._start) / 1000, tz=UTC)
        stamp = f"{moment:%Y%m%dT%H%M%S}.{moment.microsecond // 1000:03d}Z"
        folder, stem = self._target, ""
        if self._target.suffix == ".wav":
            if not self._target.exists():
                return self._target
            folder, stem = self._target.parent, f"{self._target.stem}-"
        path = folder / f"{stem}{stamp}.wav"
        count = 1
        while path.exists():
            count += 1
            path = folder / f"{stem}{stamp}-{count}.wav"
        return path

    def _describe(self) -> None:
        about = {
            "wav": self.path.name,
            "device": self._device,
            "started_at_ms": round(self._clock.at(self._start), 3),
            "sample_rate": RATE,
            "clock_trusted": self._clock.trusted,
        }
        write_whole(self.path.with_suffix(".json"), json.dumps(about))

    def _header(self) -> bytes:
        return _HEADER.pack(
            b"RIFF",
            36 + self._bytes,
            b"WAVE",
            b"fmt ",
            16,
            1,
            1,
            RATE,
            RATE * 2,
            2,
            16,
            b"data",
            self._bytes,
        )

    def _write(self, samples: Samples) -> None:
        data = samples.tobytes()
        os.write(self._file, data)
        self._bytes += len(data)
        self._fresh += len(data)
        if self._fresh >= _FLUSH_BYTES:
            self._fresh = 0
            os.pwrite(self._file, self._header(), 0)
        if self._bytes > _MAX_BYTES:
            self._shut()
            self._start += self._bytes / 2 / RATE
            self._create()

    def _shut(self) -> None:
        if self._file >= 0:
            os.pwrite(self._file, self._header(), 0)
            os.close(self._file)
            self._file = -1


class CardSink:
    """Plays through the sound card; samples are made one buffer before they sound."""

    name = "card"

    def __init__(
        self, clock: Clock, *, backends: list[miniaudio.Backend] | None = None
    ) -> None:
        self.gap_ms = 0
        self._clock = clock
        self._due = 0.0
        try:
            self._device = miniaudio.PlaybackDevice(
                nchannels=1,
                sample_rate=RATE,
                buffersize_msec=_CARD_BUFFER_MS,
                backends=backends,
                app_name="nguon",
            )
        except miniaudio.MiniaudioError as error:
            raise NoCardError("agent.no_sound_card") from error
        if backends is None and self._device.backend == "Null":
            self._device.close()
            raise NoCardError("agent.no_sound_card")

    def start(self, source: Source) -> None:
        """Begin to take samples."""
        stream = self._stream(source)
        next(stream)
        self._device.start(stream)

    def close(self) -> None:
        """Stop and let the card go: an open device would hang the exit."""
        self._device.close()

    def clock_moved(self) -> None:
        """Nothing here is named by its time."""

    def _stream(self, source: Source) -> Generator[Samples, int, None]:
        """Give the card what it asks for; its own clock paces, ours corrects.

        The stretch follows the one before unless the two clocks are apart by more
        than the tolerance: then the card starved, and that was a gap.
        """
        frames = yield array("h")
        while True:
            sounds = self._clock.monotonic() + _CARD_BUFFER_MS / 1000
            apart = sounds - self._due
            if abs(apart) > TOLERANCE_S:
                if self._due and apart > 0:
                    self.gap_ms += int(apart * 1000)
                self._due = sounds
            else:
                # Follow the card's clock gently, it may run a little fast or slow.
                self._due += apart / 64
            samples = source.render(self._due, frames)
            self._due += frames / RATE
            frames = yield samples


def hurry() -> None:
    """Ask for the audio thread to be woken before others, where that is allowed."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _AUDIO_NICE)


def make_sink(choice: str, *, clock: Clock, device: str) -> Sink:
    """Return the sink of a command line: `null`, `card`, or a WAV file or folder."""
    if choice == "null":
        return PacedSink(clock)
    if choice == "card":
        return CardSink(clock)
    return WavSink(Path(choice), clock=clock, device=device)

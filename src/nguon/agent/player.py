"""What comes out of the device, block by block, exact to the sample.

A sink asks `render` for the samples of a stretch of monotonic time; the station
says what shall sound from which moment on. Both meet here under one lock, held for
microseconds. What happened is told back as `Onset` and `Ending`: these are measured
where samples are made, so a play record says what came out and not what was meant.
"""

import math
import threading
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from nguon.agent.voice import FRAMES_PER_MS, RATE, Samples

FADE_MS = 5
_FADE = FADE_MS * FRAMES_PER_MS
_SILENT_DBFS = -96.0


class Sound(Protocol):
    """What can sound: an item's file, or a stream; read by the audio thread alone."""

    key: str
    offset_ms: int

    def take(self, frames: int) -> Samples:
        """Return so many samples at once; fewer only at the end."""

    @property
    def is_over(self) -> bool:
        """Say whether nothing is left."""

    @property
    def empty(self) -> int:
        """How many of the samples taken were only filled in: they count for nothing."""


@dataclass(frozen=True)
class Onset:
    """A voice began; `mono` is the moment of its first sample."""

    key: str
    mono: float
    offset_ms: int


@dataclass(frozen=True)
class Ending:
    """A voice is silent again since `mono`; `ms` is its position in the item.

    Of `samples`, `empty` were filled in where a stream had nothing.
    """

    key: str
    started: float
    mono: float
    ms: int
    energy: float
    samples: int
    complete: bool
    empty: int = 0


@dataclass(frozen=True)
class Cue:
    """What sounds next: from `mono` on, cutting what is on or waiting for its end.

    With `talk_over`, what it cuts goes on beneath at that volume, in percent. It is
    never louder than `loudest` percent, nor than the player is.
    """

    voice: Sound
    mono: float
    cut: bool
    talk_over: int = 0
    loudest: int = 100


class Outlet:
    """What stands behind the samples; this one is always awake and takes no notice.

    The amplifier of a pole takes a while to wake, and its microphone listens.
    """

    def expect(self, mono: float) -> None:
        """Learn that something shall sound from `mono` on; infinity: nothing shall."""

    def ready(self, mono: float) -> float:
        """Return from when on sound that is due at `mono` is really heard."""
        return mono

    def passed(self, mono: float, energy: float, samples: int) -> None:
        """Note what came out from `mono` on."""


class _Playing:
    """The voice that is on, and what has come out of it."""

    def __init__(self, voice: Sound, mono: float, loudest: float) -> None:
        self.voice = voice
        self.started = mono
        self.loudest = loudest
        self.samples = 0
        self.energy = 0.0
        self.fading = False

    @property
    def ms(self) -> int:
        return self.voice.offset_ms + self.samples // FRAMES_PER_MS

    def ending(self, mono: float, *, complete: bool) -> Ending:
        return Ending(
            self.voice.key,
            self.started,
            mono,
            self.ms,
            self.energy,
            self.samples,
            complete,
            self.voice.empty,
        )


class _Beneath:
    """A voice that was talked over: it goes on quietly and counts for nothing."""

    def __init__(self, voice: Sound, percent: int) -> None:
        self._voice = voice
        self._gain = percent / 100
        self._taken = 0

    def mix(self, piece: Samples) -> Samples:
        """Return a piece with this voice beneath it; its own level falls in 5 ms."""
        under = self._voice.take(len(piece))
        mixed = array("h", piece)
        for n, sample in enumerate(under):
            fall = min(1.0, (self._taken + n) / _FADE)
            value = piece[n] + int(sample * (1 - fall * (1 - self._gain)))
            mixed[n] = min(32_767, max(-32_768, value))
        self._taken += len(under)
        return mixed


class Player:
    """One voice at a time; `tell` is called from the audio thread."""

    def __init__(
        self, tell: Callable[[Onset | Ending], None], *, outlet: Outlet | None = None
    ) -> None:
        self._tell = tell
        self._outlet = outlet or Outlet()
        self._lock = threading.Lock()
        self._on: _Playing | None = None
        self._beneath: _Beneath | None = None
        self._cue: Cue | None = None
        self._gain = 1.0
        self.late_blocks = 0
        # Goes on as long as the audio thread does.
        self.turns = 0
        # Set by a sink that sleeps while nothing is to sound.
        self.waken: Callable[[], None] = lambda: None

    # --- the station's side --------------------------------------------------------

    def cue(self, cue: Cue) -> None:
        """Let a voice sound next; it takes the place of an earlier cue."""
        with self._lock:
            self._cue = cue
        self._outlet.expect(cue.mono)
        self.waken()

    def expect(self, mono: float) -> None:
        """Learn that a voice will be cued for `mono`: the amplifier may wake."""
        self._outlet.expect(mono)

    def swap(self, expected: Cue, cue: Cue | None) -> None:
        """Put another cue, or none, in the place of one that has not begun yet."""
        with self._lock:
            if self._cue is not expected:
                return
            self._cue = cue
        self._outlet.expect(cue.mono if cue else math.inf)
        self.waken()

    def cut(self) -> None:
        """Be silent from the next block on, and cue nothing."""
        with self._lock:
            self._cue = None
            if self._on:
                self._on.fading = True
        self._outlet.expect(math.inf)

    def cued(self) -> Cue | None:
        """Return what is to sound next."""
        with self._lock:
            return self._cue

    def on(self, mono: float) -> tuple[str, int] | None:
        """Return (item, position) of what is on, or was cued for before `mono`."""
        with self._lock:
            if self._cue and self._cue.mono <= mono and (self._cue.cut or not self._on):
                return self._cue.voice.key, self._cue.voice.offset_ms
            if self._on and not self._on.fading:
                return self._on.voice.key, self._on.ms
            return None

    def ahead(self, mono: float) -> float:
        """Return the seconds until what the last block began is really heard.

        A block is made at its first moment, so what begins inside it lies a little
        in the future; until then nobody should decide anew.
        """
        with self._lock:
            return max(0.0, self._on.started - mono) if self._on else 0.0

    @property
    def sounding(self) -> str:
        """Return the item that really sounds now; empty when none does."""
        with self._lock:
            return self._on.voice.key if self._on else ""

    @property
    def silent(self) -> bool:
        """Say whether nothing sounds."""
        with self._lock:
            return self._on is None

    def stretch(self) -> Ending | None:
        """Return how far what is on has come, as an ending that is not one."""
        with self._lock:
            on = self._on
            return (
                on.ending(on.started + on.samples / RATE, complete=False)
                if on
                else None
            )

    def set_volume(self, percent: int) -> None:
        """Set the level of all that sounds, 0 to 100."""
        with self._lock:
            self._gain = min(100, max(0, percent)) / 100

    # --- the sink's side -------------------------------------------------------------

    def silent_until(self) -> float:
        """Return until which moment nothing can sound, unless `waken` is called."""
        self.turns += 1
        with self._lock:
            if self._on:
                return -math.inf
            return self._cue.mono if self._cue else math.inf

    def render(self, mono: float, frames: int) -> Samples:
        """Return the samples of the stretch of time that begins at `mono`."""
        told: list[Onset | Ending] = []
        self.turns += 1
        with self._lock:
            out = self._render(mono, frames, told)
        for word in told:
            self._tell(word)
        return out

    def _render(self, mono: float, frames: int, told: list[Onset | Ending]) -> Samples:
        out: Samples = array("h")
        while len(out) < frames:
            moment = mono + len(out) / RATE
            room = frames - len(out)
            wait = self._until_cue(moment, room)
            if self._cue and wait == 0:
                if not self._on:
                    self._begin(self._cue, moment, told)
                    continue
                if self._is_talked_over():
                    self._talk_over(self._on, self._cue, moment, told)
                    continue
                self._on.fading = self._on.fading or self._cue.cut
            frames_now = min(room, wait or room)
            if self._on:
                self._sound(out, moment, frames_now, told)
            else:
                out.extend(silence(frames_now))
        return out

    def _until_cue(self, moment: float, room: int) -> int:
        """Return the samples until the cue begins, or until what it cuts must fade."""
        if not self._cue:
            return room
        wait = round((self._cue.mono - moment) * RATE)
        if wait <= 0 and not self._on:
            wait = round((self._outlet.ready(moment) - moment) * RATE)
        fades = self._on and not self._on.fading and not self._is_talked_over()
        if fades and self._cue.cut:
            wait -= _FADE
        return max(0, wait)

    def _is_talked_over(self) -> bool:
        """Say whether what is on goes on beneath what is cued."""
        cue, on = self._cue, self._on
        return bool(cue and cue.cut and cue.talk_over and on and not on.fading)

    def _talk_over(
        self, on: _Playing, cue: Cue, moment: float, told: list[Onset | Ending]
    ) -> None:
        """End what is on for the record, and let it go on beneath the cue."""
        told.append(on.ending(moment, complete=False))
        self._on = None
        self._begin(cue, moment, told)
        self._beneath = _Beneath(on.voice, cue.talk_over)

    def _begin(self, cue: Cue, moment: float, told: list[Onset | Ending]) -> None:
        self._cue, self._beneath = None, None
        self._on = _Playing(cue.voice, moment, cue.loudest / 100)
        told.append(Onset(cue.voice.key, moment, cue.voice.offset_ms))

    def _sound(
        self,
        out: Samples,
        moment: float,
        frames: int,
        told: list[Onset | Ending],
    ) -> None:
        """Put the next samples of what is on into `out`; end it where it ends."""
        on = self._on
        if on is None:
            return
        piece = on.voice.take(min(frames, _FADE) if on.fading else frames)
        if self._beneath:
            piece = self._beneath.mix(piece)
        gain = min(self._gain, on.loudest)
        if gain != 1.0:
            piece = array("h", [int(sample * gain) for sample in piece])
        if on.fading:
            count = len(piece) or 1
            piece = array("h", [s * (count - n) // count for n, s in enumerate(piece)])
        out.extend(piece)
        on.samples += len(piece)
        energy = float(sum(sample * sample for sample in piece))
        on.energy += energy
        self._outlet.passed(moment, energy, len(piece))
        if on.fading or on.voice.is_over:
            end = moment + len(piece) / RATE
            told.append(on.ending(end, complete=not on.fading))
            self._on, self._beneath = None, None


def silence(frames: int) -> Samples:
    """Return so many samples of silence."""
    return array("h", bytes(2 * frames))


def level_dbfs(*, energy: float, samples: int) -> float:
    """Return the level of the digital output: 0 is a full-scale square wave."""
    if not samples or energy <= 0:
        return _SILENT_DBFS
    return round(10 * math.log10(energy / samples / 32768.0**2), 1)

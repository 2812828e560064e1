"""One item's sound, decoded a little ahead; the only user of miniaudio's decoder.

Mono, 48 kHz, 16 bit. A voice is opened in a worker thread (its first stretch is
decoded there), then read by the audio thread alone.
"""

import io
import math
from array import array
from collections.abc import Callable
from typing import TypeAlias

import miniaudio

from nguon.core.errors import InvalidError
from nguon.core.playout import TEST_TONE_MS

RATE = 48_000
# Quoted: Python 3.11 knows `array[int]` for type checkers only.
Samples: TypeAlias = "array[int]"
FRAMES_PER_MS = RATE // 1000
# Decoding this much takes about a millisecond.
_CHUNK = 8_000
# A sound may be this much longer than the plan says (the last frame of an MP3).
_SLACK_MS = 250


class UnplayableError(InvalidError):
    """The bytes cannot be decoded."""


class Voice:
    """Samples of one item from a position on; `key` names the item."""

    def __init__(
        self,
        key: str,
        read: Callable[[int], Samples],
        *,
        offset_ms: int,
        duration_ms: int,
        loop_ms: int = 0,
    ) -> None:
        self.key = key
        self.offset_ms = offset_ms
        # A file has every sample that it promises.
        self.empty = 0
        self._read = read
        length = loop_ms or max(0, duration_ms - offset_ms + _SLACK_MS)
        self._left = length * FRAMES_PER_MS
        self._buffer: Samples = array("h")
        self._over = False
        self._fill(1)

    @classmethod
    def open(
        cls,
        key: str,
        data: bytes,
        *,
        offset_ms: int,
        duration_ms: int,
        loop_ms: int = 0,
    ) -> "Voice":
        """Return a voice of an MP3, ready to sound; `loop_ms`: repeat it for so long.

        Raises UnplayableError.
        """
        try:
            decoder = Decoder(data, offset_ms=offset_ms)
            read = decoder.read
            if loop_ms:
                read = _Repeat(data, decoder, duration_ms - offset_ms, duration_ms).read
            voice = cls(
                key,
                read,
                offset_ms=offset_ms,
                duration_ms=duration_ms,
                loop_ms=loop_ms,
            )
        except miniaudio.MiniaudioError as error:
            raise UnplayableError("agent.sound_unplayable", item=key) from error
        if not voice._buffer and offset_ms == 0:
            raise UnplayableError("agent.sound_unplayable", item=key)
        return voice

    def take(self, frames: int) -> Samples:
        """Return up to so many samples; fewer only at the end."""
        self._fill(frames)
        piece = self._buffer[:frames]
        del self._buffer[:frames]
        return piece

    @property
    def is_over(self) -> bool:
        """Say whether nothing is left."""
        return self._over and not self._buffer

    def _fill(self, frames: int) -> None:
        while len(self._buffer) < frames and not self._over:
            piece = self._read(_CHUNK)[: self._left]
            self._left -= len(piece)
            self._buffer.extend(piece)
            self._over = not piece or self._left <= 0


class _Repeat:
    """A sound again and again, each turn exactly `duration_ms` long at most."""

    def __init__(
        self, data: bytes, decoder: "Decoder", left_ms: int, duration_ms: int
    ) -> None:
        self._data = data
        self._decoder = decoder
        self._turn = duration_ms * FRAMES_PER_MS
        self._left = left_ms * FRAMES_PER_MS

    def read(self, frames: int) -> Samples:
        """Return the next samples; none when the sound has none at all."""
        piece = self._decoder.read(frames)[: self._left]
        self._left -= len(piece)
        if not piece:
            self._decoder = Decoder(self._data, offset_ms=0)
            piece = self._decoder.read(frames)[: self._turn]
            self._left = self._turn - len(piece)
        return piece


class Decoder:
    """An MP3 from a position on. Raises MiniaudioError.

    It keeps its bytes itself: until the first read miniaudio 1.71 does not, and when
    the garbage was collected in between, the whole agent ended.
    """

    def __init__(self, data: bytes, *, offset_ms: int) -> None:
        self._bytes = _Bytes(data)
        self._stream = miniaudio.stream_any(
            self._bytes,
            miniaudio.FileFormat.MP3,
            nchannels=1,
            sample_rate=RATE,
            frames_to_read=_CHUNK,
            seek_frame=offset_ms * FRAMES_PER_MS,
        )

    def read(self, frames: int) -> Samples:
        """Return the next samples; none at the end or at broken data."""
        try:
            piece = self._stream.send(frames)
        except (StopIteration, miniaudio.MiniaudioError):
            return array("h")
        return array("h", piece)


class _Bytes(miniaudio.StreamableSource):  # type: ignore[misc]
    """Bytes in memory as the decoder reads and seeks them."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, num_bytes: int) -> bytes:
        return self._file.read(num_bytes)

    def seek(self, offset: int, origin: miniaudio.SeekOrigin) -> bool:
        current = origin == miniaudio.SeekOrigin.CURRENT
        self._file.seek(offset, io.SEEK_CUR if current else io.SEEK_SET)
        return True


# When the test tone is on, ms: uneven, so that nothing but it rises and falls so.
_TONE_ON = ((0, 500), (700, 900), (1_200, 2_000))


def tone() -> Voice:
    """Return three quiet pulses of 440 Hz: the sound of the command `test`."""
    wave: Samples = array("h")
    for n in range(TEST_TONE_MS * FRAMES_PER_MS):
        ms = n // FRAMES_PER_MS
        on = any(begin <= ms < end for begin, end in _TONE_ON)
        value = int(6_000 * math.sin(6.283185 * 440 * n / RATE)) if on else 0
        wave.append(value)

    def read(count: int) -> Samples:
        piece = wave[:count]
        del wave[:count]
        return piece

    return Voice("", read, offset_ms=0, duration_ms=TEST_TONE_MS)

"""One continuous MP3 made while somebody speaks, cut at the borders of its frames.

Each frame stands alone (no bit reservoir), so that a lost piece harms no other. And a
frame depends on the sound shortly before and after it alone: an encoder that is given
that again (`go_on`) makes the bytes that the first one would have made, but for a rare
frame after a sharp attack, which is coded a little otherwise and fits all the same. So
no process has to keep an encoder.
"""

from dataclasses import dataclass
from fractions import Fraction

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame

from nguon.speech import chain

BIT_RATE = 48_000
FRAME_MS = 24
_FRAME = 1_152
_FRAME_BYTES = BIT_RATE * FRAME_MS // 8_000
# So many frames are encoded once more: two make a frame right, the others are what the
# encoder's judgement of attacks remembers.
_AGAIN = 12


@dataclass(frozen=True)
class Mark:
    """How far speech has been encoded: whole frames given, and the last samples."""

    frames: int = 0
    tail: bytes = b""


def go_on(
    mark: Mark, samples: bytes, *, rate: int, last: bool = False
) -> tuple[bytes, Mark]:
    """Return the frames that these samples complete, and the mark to go on from.

    `rate` must give whole samples in a frame of 24 ms, as 16 kHz does; `last` gives
    out what is left.
    """
    first = max(0, mark.frames - _AGAIN)
    heard = mark.tail + samples
    encoder = LiveEncoder(rate=rate)
    mp3 = encoder.feed(heard) + (encoder.finish() if last else b"")
    done = max(mark.frames, first + len(mp3) // _FRAME_BYTES)
    again = max(0, done - _AGAIN)
    gone = (again - first) * (rate * FRAME_MS // 1_000) * 2
    fresh = mp3[(mark.frames - first) * _FRAME_BYTES :]
    return fresh, Mark(done, heard[gone:])


class LiveEncoder:
    """Takes mono 16-bit samples at `rate`, gives whole MP3 frames of 24 ms each."""

    def __init__(self, *, rate: int, bit_rate: int = BIT_RATE) -> None:
        self._rate = rate
        self._taken = 0
        self._resampler = av.AudioResampler(
            format="s16p", layout="mono", rate=chain.SAMPLE_RATE
        )
        self._fifo = AudioFifo()
        context = av.CodecContext.create("libmp3lame", "w")
        if not isinstance(context, AudioCodecContext):
            raise TypeError("libmp3lame is no audio encoder")
        self._context = context
        self._context.sample_rate = chain.SAMPLE_RATE
        self._context.layout = "mono"
        self._context.format = "s16p"
        self._context.bit_rate = bit_rate
        self._context.time_base = Fraction(1, chain.SAMPLE_RATE)
        self._context.options = {"reservoir": "0", "compression_level": "5"}

    def feed(self, samples: bytes) -> bytes:
        """Return the frames that these samples complete; often none or a few."""
        count = len(samples) // 2
        if count == 0:
            return b""
        frame = AudioFrame(format="s16", layout="mono", samples=count)
        plane = frame.planes[0]
        plane.update(samples[: count * 2] + bytes(plane.buffer_size - count * 2))
        frame.sample_rate = self._rate
        frame.pts = self._taken
        frame.time_base = Fraction(1, self._rate)
        self._taken += count
        for piece in self._resampler.resample(frame):
            self._fifo.write(piece)
        return self._encode(final=False)

    def finish(self) -> bytes:
        """Return the last frames; feed nothing afterwards."""
        for piece in self._resampler.resample(None):
            self._fifo.write(piece)
        return self._encode(final=True)

    def _encode(self, *, final: bool) -> bytes:
        out = bytearray()
        while (frame := self._fifo.read(_FRAME, partial=final)) is not None:
            for packet in self._context.encode(frame):
                out += bytes(packet)
        if final:
            for packet in self._context.encode(None):
                out += bytes(packet)
        return bytes(out)

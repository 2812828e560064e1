"""One continuous MP3 made while somebody speaks, cut at the borders of its frames.

Each frame stands alone (no bit reservoir), so that a lost piece harms no other.
"""

from fractions import Fraction

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame

from nguon.speech import chain

BIT_RATE = 48_000
FRAME_MS = 24
_FRAME = 1_152


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

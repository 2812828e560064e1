"""Sound as samples, and the way in and out of FFmpeg; the only user of PyAV.

Everything inside is mono, 48 kHz, 16-bit; `Samples` is the raw bytes of that.
"""

import io
from array import array
from collections.abc import Iterator, Sequence
from fractions import Fraction

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.filter import Graph
from av.stream import Disposition

from nguon.core.errors import InvalidError
from nguon.speech import chain

Samples = bytes
BYTES_PER_SAMPLE = 2
BYTES_PER_SECOND = chain.SAMPLE_RATE * BYTES_PER_SAMPLE
_FRAME_SAMPLES = 4_800
_TIME_BASE = Fraction(1, chain.SAMPLE_RATE)
_MP3_FRAME = 1_152
_OPUS_FRAME = 960
_AAC_FRAME = 1_024
# Only what holds its sound itself: a playlist would have FFmpeg open other files.
_READABLE = "wav,mp3,mov,m4a,ogg,flac,aac,matroska,webm,amr,aiff,asf,w64,caf"


class UnsupportedAudioError(InvalidError):
    """The bytes are no sound, or one that cannot be read."""


class TooLongError(InvalidError):
    """The sound is longer than it may be."""


def seconds(samples: Samples) -> float:
    """Return how long samples sound."""
    return len(samples) / BYTES_PER_SECOND


def silence(milliseconds: int) -> Samples:
    """Return exactly so much silence."""
    return bytes(chain.SAMPLE_RATE * milliseconds // 1_000 * BYTES_PER_SAMPLE)


def part(samples: Samples, from_ms: int, to_ms: int | None) -> Samples:
    """Return the samples between two moments; None is the end."""
    per_ms = BYTES_PER_SECOND // 1_000
    return samples[from_ms * per_ms : None if to_ms is None else to_ms * per_ms]


def decode(data: bytes, *, limit_seconds: float) -> Samples:
    """Return the samples of the first sound stream of a file.

    Raises UnsupportedAudioError, TooLongError; stops reading at the limit.
    """
    try:
        with av.open(
            io.BytesIO(data), mode="r", options={"format_whitelist": _READABLE}
        ) as container:
            return read_samples(container, limit_seconds=limit_seconds)
    except (av.FFmpegError, ValueError) as error:
        raise UnsupportedAudioError("speech.audio_unsupported") from error


def read_samples(container: InputContainer, *, limit_seconds: float) -> Samples:
    """Return the samples of the first sound stream of what is open.

    Raises UnsupportedAudioError when there is none or nothing in it, TooLongError,
    and what FFmpeg raises.
    """
    out = bytearray()
    limit = int(limit_seconds * BYTES_PER_SECOND)
    if not container.streams.audio:
        raise UnsupportedAudioError("speech.audio_unsupported")
    resampler = av.AudioResampler(format="s16", layout="mono", rate=chain.SAMPLE_RATE)
    for frame in container.decode(audio=0):
        for piece in resampler.resample(frame):
            out += _bytes_of(piece)
        if len(out) > limit:
            raise TooLongError("speech.audio_too_long", seconds=limit_seconds)
    for piece in resampler.resample(None):
        out += _bytes_of(piece)
    if not out:
        raise UnsupportedAudioError("speech.audio_unsupported")
    return bytes(out)


def has_video(data: bytes) -> bool:
    """Say whether a file holds moving pictures; a cover of an album is none.

    Raises UnsupportedAudioError for what cannot be opened.
    """
    try:
        with av.open(
            io.BytesIO(data), mode="r", options={"format_whitelist": _READABLE}
        ) as container:
            return any(
                not stream.disposition & Disposition.attached_pic
                for stream in container.streams.video
            )
    except (av.FFmpegError, ValueError) as error:
        raise UnsupportedAudioError("speech.audio_unsupported") from error


def encode(samples: Samples) -> bytes:
    """Return samples as an MP3 whose header says the encoder's delay."""
    target = io.BytesIO()
    with av.open(target, mode="w", format="mp3") as container:
        stream = container.add_stream(
            "libmp3lame",
            rate=chain.SAMPLE_RATE,
            options={"compression_level": chain.ENCODER_LEVEL},
        )
        stream.codec_context.layout = "mono"
        stream.codec_context.format = "s16p"
        stream.codec_context.bit_rate = chain.BIT_RATE
        for frame in frames(samples, size=_MP3_FRAME, sample_format="s16p"):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()


def encode_opus(samples: Samples) -> bytes:
    """Return samples as Ogg Opus, small enough for the weakest 4G."""
    target = io.BytesIO()
    with av.open(target, mode="w", format="ogg") as container:
        stream = container.add_stream(
            "libopus",
            rate=chain.SAMPLE_RATE,
            options={"application": "voip", "compression_level": "5"},
        )
        stream.codec_context.layout = "mono"
        stream.codec_context.format = "s16"
        stream.codec_context.bit_rate = chain.OPUS_BIT_RATE
        for frame in frames(samples, size=_OPUS_FRAME):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()


def encode_aac(samples: Samples) -> bytes:
    """Return samples as the sound of a video, in a file of its own."""
    target = io.BytesIO()
    with av.open(target, mode="w", format="mp4") as container:
        stream = add_aac(container)
        for frame in frames(samples, size=_AAC_FRAME):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()


def add_aac(container: OutputContainer) -> AudioStream:
    """Return the sound stream of a video in the making."""
    stream = container.add_stream("aac", rate=chain.SAMPLE_RATE)
    stream.codec_context.layout = "mono"
    stream.codec_context.bit_rate = chain.AAC_BIT_RATE
    return stream


def frames(
    samples: Samples, *, size: int = _FRAME_SAMPLES, sample_format: str = "s16"
) -> Iterator[AudioFrame]:
    """Yield samples as frames of FFmpeg, numbered from 0."""
    step = size * BYTES_PER_SAMPLE
    for start in range(0, len(samples), step):
        piece = samples[start : start + step]
        count = len(piece) // BYTES_PER_SAMPLE
        frame = AudioFrame(format=sample_format, layout="mono", samples=count)
        plane = frame.planes[0]
        plane.update(piece + bytes(plane.buffer_size - len(piece)))
        frame.sample_rate = chain.SAMPLE_RATE
        frame.pts = start // BYTES_PER_SAMPLE
        frame.time_base = _TIME_BASE
        yield frame


def run(samples: Samples, filters: Sequence[tuple[str, str]]) -> Iterator[AudioFrame]:
    """Yield what comes out when samples go through a chain of FFmpeg filters."""
    graph = Graph()
    nodes = [
        graph.add_abuffer(
            sample_rate=chain.SAMPLE_RATE,
            format="s16",
            layout="mono",
            time_base=_TIME_BASE,
        ),
        *(graph.add(name, options) for name, options in filters),
        graph.add("abuffersink"),
    ]
    graph.link_nodes(*nodes).configure()
    for frame in frames(samples):
        graph.push(frame)
        yield from _pulled(graph)
    graph.push(None)
    yield from _pulled(graph)


def filtered(samples: Samples, filters: Sequence[tuple[str, str]]) -> Samples:
    """Return samples after a chain of filters, as many as went in."""
    out = bytearray()
    ending = [("aresample", str(chain.SAMPLE_RATE)), ("aformat", "sample_fmts=s16")]
    for frame in run(samples, [*filters, *ending]):
        out += _bytes_of(frame)
    out = out[: len(samples)]
    return bytes(out) + bytes(len(samples) - len(out))


def trimmed(samples: Samples) -> Samples:
    """Return samples without the near-silence at both ends.

    Near is what lies 40 dB below the highest sample, so a faint recording keeps its
    words.
    """
    values = array("h", samples)
    threshold = max(max(values, default=0), -min(values, default=0)) // 100
    first = next((i for i, v in enumerate(values) if abs(v) > threshold), None)
    if first is None:
        return b""
    last = next(i for i in range(len(values) - 1, -1, -1) if abs(values[i]) > threshold)
    return values[first : last + 1].tobytes()


def picture(samples: Samples, *, points: int = chain.PEAK_POINTS) -> list[int]:
    """Return the highest level of each of `points` equal parts, 0 to 100."""
    values = array("h", samples)
    step = max(1, -(-len(values) // points))
    heights = []
    # Every fourth sample shows a voice as well; the file itself is measured whole.
    stride = 4 if step > 400 else 1
    for start in range(0, len(values), step):
        part = values[start : start + step : stride]
        heights.append(round(max(max(part), -min(part)) / 327.68))
    return heights


def _pulled(graph: Graph) -> Iterator[AudioFrame]:
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        if isinstance(frame, AudioFrame):
            yield frame


def _bytes_of(frame: AudioFrame) -> bytes:
    return bytes(frame.planes[0])[: frame.samples * BYTES_PER_SAMPLE]

"""Photos from phones, made anew: decoded, turned upright, made small, encoded.

Nothing of the file that came is kept, so neither the place where it was taken, nor
the camera, nor anything hidden in it. PyAV does it, which is here for sound anyhow.
"""

from fractions import Fraction
from io import BytesIO

import av
from av.error import FFmpegError
from av.filter import Graph

from nguon.core.errors import InvalidError

MIME = "image/jpeg"
MAX_BYTES = 16 * 1024 * 1024
# A phone makes up to 50 megapixels or more; larger is no photo but an attack.
MAX_PIXELS = 80_000_000
LONGEST_SIDE = 1600
FORMATS = frozenset({"jpeg_pipe", "png_pipe", "webp_pipe", "image2"})
Step = tuple[str, str | None]
# The turn that Exif asks for, as PyAV tells it → what makes the photo upright.
TURNS: dict[int, list[Step]] = {
    90: [("transpose", "cclock")],
    -90: [("transpose", "clock")],
    180: [("hflip", None), ("vflip", None)],
    -180: [("hflip", None), ("vflip", None)],
}
SHRINK = (
    f"w='min({LONGEST_SIDE},iw)':h='min({LONGEST_SIDE},ih)'"
    ":force_original_aspect_ratio=decrease"
)


def make_clean(data: bytes) -> bytes:
    """Return a photo as a fresh JPEG of at most 1600 pixels a side, without metadata.

    Raises InvalidError: `fleet.photo_too_big`, `fleet.photo_unreadable`.
    """
    if len(data) > MAX_BYTES:
        raise InvalidError("fleet.photo_too_big", limit=MAX_BYTES // 1024**2)
    try:
        return encode(_decode(data))
    except (FFmpegError, ValueError, MemoryError) as error:
        raise InvalidError("fleet.photo_unreadable") from error


def _decode(data: bytes) -> av.VideoFrame:
    with av.open(BytesIO(data), mode="r") as container:
        if container.format.name not in FORMATS or not container.streams.video:
            raise ValueError(f"no photo: {container.format.name}")
        stream = container.streams.video[0]
        width, height = stream.codec_context.width, stream.codec_context.height
        if not 0 < width * height <= MAX_PIXELS:
            raise ValueError(f"{width} × {height} pixels")
        for frame in container.decode(stream):
            return frame
    raise ValueError("no picture in it")


def encode(frame: av.VideoFrame) -> bytes:
    """Return one picture upright, small, as a JPEG. Raises FFmpegError."""
    graph = Graph()
    steps = [*TURNS.get(frame.rotation, []), ("scale", SHRINK), ("format", "yuvj420p")]
    graph.link_nodes(
        graph.add_buffer(
            width=frame.width,
            height=frame.height,
            format=frame.format,
            time_base=Fraction(1, 25),
        ),
        *(graph.add(name, options) for name, options in steps),
        graph.add("buffersink"),
    ).configure()
    graph.push(frame)
    small = graph.vpull()
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height = small.width, small.height
    encoder.pix_fmt, encoder.time_base = "yuvj420p", Fraction(1, 25)
    encoder.options = {"qscale": "4"}
    small.pts = 0
    packets = [*encoder.encode(small), *encoder.encode(None)]
    return b"".join(bytes(packet) for packet in packets)

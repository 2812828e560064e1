"""A phone's video → a small MP4 that every phone plays, and a poster; in the reader.

H.264 and AAC, at most 720p, 30 pictures a second and three minutes, so that a 4G
phone sees it at once. Its sound is as loud as our own speech (EBU R 128). Nothing but
pictures and sound is carried over: no place, no camera, no subtitles.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.filter import Graph
from av.stream import Disposition
from av.video.stream import VideoStream

from nguon.fleet import photos
from nguon.newsroom import rules
from nguon.newsroom.intake.kinds import FileRefusedError
from nguon.speech import audio, chain, loudness

MOST_PIXELS = 4096 * 2304
LONG_SIDE, SHORT_SIDE = 1280, 720
RATE = 30
# Two of our own turn a film while the machine goes on speaking.
THREADS = "2"
X264 = {
    "preset": "veryfast",
    "crf": "27",
    "maxrate": "1200k",
    "bufsize": "2400k",
    "threads": THREADS,
}
POSTER_AT_SECONDS = 1.0
# Only what holds its pictures itself: a playlist would have FFmpeg open other files.
_READABLE = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,avi,asf"
    ",wav,mp3,ogg,flac,aac,amr,aiff,caf"
)
_FIT = (
    f"w='min(iw,if(gte(iw,ih),{LONG_SIDE},{SHORT_SIDE}))'"
    f":h='min(ih,if(gte(iw,ih),{SHORT_SIDE},{LONG_SIDE}))'"
    ":force_original_aspect_ratio=decrease:force_divisible_by=2"
)


@dataclass(frozen=True)
class Film:
    """What stands beside a video that was made anew: a poster (JPEG), its length."""

    poster: bytes
    duration_ms: int


def probe(path: Path) -> int:
    """Return how long a video says it is, in ms, 0 when it does not say.

    Raises FileRefusedError: `newsroom.video_unreadable`, `newsroom.video_is_sound`,
    `newsroom.video_too_long`, `newsroom.video_too_large`.
    """
    try:
        with _open(path) as container:
            _stream_of(container)
            told = (container.duration or 0) / av.time_base
    except (av.FFmpegError, ValueError) as error:
        raise FileRefusedError("newsroom.video_unreadable") from error
    _check_length(told)
    return round(told * 1000)


def _open(path: Path) -> av.container.InputContainer:
    return av.open(str(path), mode="r", options={"format_whitelist": _READABLE})


def _stream_of(container: av.container.InputContainer) -> VideoStream:
    moving = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]
    if not moving:
        raise FileRefusedError("newsroom.video_is_sound")
    width, height = moving[0].codec_context.width, moving[0].codec_context.height
    if not 0 < width * height <= MOST_PIXELS:
        raise FileRefusedError("newsroom.video_too_large")
    return moving[0]


def _check_length(seconds: float) -> None:
    if seconds > rules.VIDEO_SECONDS:
        raise FileRefusedError(
            "newsroom.video_too_long", minutes=rules.VIDEO_SECONDS // 60
        )


def make(path: Path, *, to: Path) -> Film:
    """Write a video as it may be shown. Raises FileRefusedError as `probe` does.

    Its sound is read first and whole: how loud it is, is known at its end.
    """
    try:
        with _open(path) as container:
            _stream_of(container)
            sound = _level(container) if container.streams.audio else b""
        with _open(path) as container:
            return _Maker(container, sound, to).make()
    except (av.FFmpegError, ValueError) as error:
        raise FileRefusedError("newsroom.video_unreadable") from error


def _level(container: av.container.InputContainer) -> audio.Samples:
    """Return the sound of a film on the level of the air, or as near as it goes.

    Silence is no sound. Raises FileRefusedError `newsroom.video_too_long`, and
    `newsroom.video_unreadable` for peaks that no limiter holds.
    """
    try:
        samples = audio.read_samples(container, limit_seconds=rules.VIDEO_SECONDS)
        return loudness.fit(samples, encode=audio.encode_aac, loss_db=0.0).samples
    except (audio.UnsupportedAudioError, loudness.SilentError):
        return b""
    except audio.TooLongError as error:
        raise FileRefusedError(
            "newsroom.video_too_long", minutes=rules.VIDEO_SECONDS // 60
        ) from error
    except loudness.LoudnessError as error:
        raise FileRefusedError("newsroom.video_unreadable") from error


class _Maker:
    """One film in the making; exists only while it is made."""

    def __init__(
        self,
        container: av.container.InputContainer,
        sound: audio.Samples,
        to: Path,
    ) -> None:
        self.source = container
        self.video = _stream_of(container)
        self.video.thread_type = "AUTO"
        self.graph: Graph | None = None
        self.poster: av.VideoFrame | None = None
        self.pictures = 0
        # The index goes first, so that a phone shows it while it comes.
        self.out = av.open(
            str(to), mode="w", format="mp4", options={"movflags": "+faststart"}
        )
        self.shown = self.out.add_stream("libx264", rate=RATE, options=X264)
        self.heard = audio.add_aac(self.out) if sound else None
        self.sound = audio.frames(sound)
        # Up to where the sound stands in the film, in seconds.
        self.said = 0.0

    def make(self) -> Film:
        """Turn every picture over, the sound beside it."""
        for frame in self.source.decode(self.video):
            self._see(frame)
        self._end()
        if self.poster is None:
            raise ValueError("no picture in it")
        return Film(
            poster=photos.encode(self.poster),
            duration_ms=self.pictures * 1000 // RATE,
        )

    def _see(self, frame: av.VideoFrame) -> None:
        if self.graph is None:
            self.graph = _graph(frame, self.video.time_base or Fraction(1, 90_000))
        self.graph.push(frame)
        for picture in _pulled(self.graph):
            self._show(picture)

    def _show(self, picture: av.VideoFrame) -> None:
        if self.pictures == 0:
            self.shown.width, self.shown.height = picture.width, picture.height
            self.shown.pix_fmt = "yuv420p"
            self.shown.codec_context.time_base = Fraction(1, RATE)
        if self.poster is None or self.pictures <= POSTER_AT_SECONDS * RATE:
            # Its pixels alone: the turn that the camera asked for is done already.
            pixels = picture.to_ndarray(format="rgb24")
            self.poster = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        fresh = picture.reformat(format="yuv420p")
        fresh.pts, fresh.time_base = self.pictures, Fraction(1, RATE)
        fresh.pict_type = 0
        self.pictures += 1
        _check_length(self.pictures / RATE)
        self.out.mux(self.shown.encode(fresh))
        self._say(self.pictures / RATE)

    def _say(self, until: float) -> None:
        """Lay the sound beside the pictures, so that a phone finds both at once."""
        while self.heard is not None and self.said < until:
            piece = next(self.sound, None)
            self.said = math.inf if piece is None else self.said + _length(piece)
            self.out.mux(self.heard.encode(piece))

    def _end(self) -> None:
        if self.graph is not None:
            self.graph.push(None)
            for picture in _pulled(self.graph):
                self._show(picture)
        if self.pictures:
            self.out.mux(self.shown.encode(None))
        self._say(math.inf)
        self.out.close()


def _length(piece: av.AudioFrame) -> float:
    return piece.samples / chain.SAMPLE_RATE


def _graph(frame: av.VideoFrame, time_base: Fraction) -> Graph:
    """Return what makes pictures upright, even in time, and small."""
    graph = Graph()
    steps = [
        *photos.TURNS.get(frame.rotation, []),
        ("setpts", "PTS-STARTPTS"),
        ("fps", str(RATE)),
        ("scale", _FIT),
        ("setsar", "1"),
        ("format", "yuv420p"),
    ]
    graph.link_nodes(
        graph.add_buffer(
            width=frame.width,
            height=frame.height,
            format=frame.format,
            time_base=time_base,
        ),
        *(graph.add(name, options) for name, options in steps),
        graph.add("buffersink"),
    ).configure()
    return graph


def _pulled(graph: Graph) -> Iterator[av.VideoFrame]:
    while True:
        try:
            frame = graph.vpull()
        except (av.BlockingIOError, av.EOFError):
            return
        yield frame

"""Sound in a codec that devices cannot play, decoded while it comes.

FFmpeg is given bytes that were fetched and checked by `radio`, and the name of the
one form they may have: it opens no address and guesses at nothing. What may hang or
crash on hostile bytes runs in a process of its own (`listen`, `transcode`).
"""

from collections.abc import Iterator

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from nguon.core.addresses import AddressError
from nguon.radio.feeds import SourceAwayError, UnplayableSourceError, frame_size
from nguon.speech import chain
from nguon.speech.audio import BYTES_PER_SAMPLE, Samples

# So much is looked at to see what comes; a station says it in its first second.
_HEAD = 64 * 1024
_PROBE = {"probesize": "262144", "analyzeduration": "700000"}
# Broken packets in a row after which it is no sound.
_MOST_BROKEN = 50
_TS_PACKET = 188
_PROFILES = {"HE-AAC": "he-aac", "HE-AACv2": "he-aac"}
_NAMES = {
    "mp3float": "mp3",
    "aac_latm": "aac",
    "libopus": "opus",
    "libvorbis": "vorbis",
}


def form_of(head: bytes) -> str:
    """Return FFmpeg's name for the form in which sound comes.

    Raises UnplayableSourceError for any but those that radio stations send.
    """
    if head[4:8] in {b"ftyp", b"styp", b"moof", b"moov", b"sidx"}:
        return "mov"
    if head.startswith(b"OggS"):
        return "ogg"
    if head.startswith(b"fLaC"):
        return "flac"
    # Whoever joins an endless stream comes into the middle of a packet.
    for at in range(min(len(head), 16 * 1024)):
        if head[at] == 0x47 and _repeats(head, at):
            return "mpegts"
        if head[at] == 0xFF:
            if size := _adts_size(head, at):
                if _adts_size(head, at + size):
                    return "aac"
            elif (size := frame_size(head[at : at + 4])) and frame_size(
                head[at + size : at + size + 4]
            ):
                return "mp3"
    raise UnplayableSourceError("core.source_unplayable", why="unknown_form")


def _repeats(head: bytes, at: int) -> bool:
    marks = range(at, min(len(head), at + 4 * _TS_PACKET), _TS_PACKET)
    return len(marks) > 2 and all(head[mark] == 0x47 for mark in marks)


def _adts_size(data: bytes, at: int) -> int:
    """Return the length of the ADTS frame (ISO 13818-7) that begins here, or 0."""
    head = data[at : at + 6]
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return 0
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return size if size > 7 else 0


class Decoder:
    """Decodes chunks of bytes, as they come, to mono samples of 16 bit at 48 kHz.

    `codec` is known once the first samples are there.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        # To FFmpeg nothing means the end.
        self._chunks = (chunk for chunk in chunks if chunk)
        self._rest = b""
        self.codec = ""
        self.size = 0
        self.error: Exception | None = None
        self._resampler: av.AudioResampler | None = None
        self._shape: tuple[str, str, int] | None = None

    def read(self, size: int) -> bytes:
        """Return the next bytes; FFmpeg calls this. Empty at the end."""
        if not self._rest:
            try:
                self._rest = next(self._chunks, b"")
            except (SourceAwayError, UnplayableSourceError, AddressError) as error:
                # Into FFmpeg's own code nothing may be raised.
                self.error = error
            self.size += len(self._rest)
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece

    def samples(self) -> Iterator[Samples]:
        """Yield what was decoded, a frame at a time, until the chunks end.

        Raises what the chunks raise; UnplayableSourceError for what is no sound.
        """
        try:
            form = form_of(self._head())
            with av.open(self, mode="r", format=form, options=_PROBE) as container:
                if not container.streams.audio:
                    raise UnplayableSourceError(
                        "core.source_unplayable", why="no_sound"
                    )
                yield from self._decode(container, container.streams.audio[0])
        except (av.FFmpegError, ValueError, IndexError) as error:
            # IndexError: PyAV meets a stream that was not there at the beginning.
            if self.error is None:
                raise UnplayableSourceError(
                    "core.source_unplayable", why="broken_sound"
                ) from error
        except UnplayableSourceError:
            if self.error is None:
                raise
        if self.error is not None:
            raise self.error

    def _head(self) -> bytes:
        """Return enough of the beginning to see the form; it is read again later."""
        head = b""
        while len(head) < 1_024 and self.error is None:
            more = self.read(_HEAD)
            if not more:
                break
            head += more
        self._rest = head + self._rest
        return head

    def _decode(
        self, container: av.container.InputContainer, stream: AudioStream
    ) -> Iterator[Samples]:
        broken = 0
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                broken += 1
                if broken > _MOST_BROKEN:
                    raise
                continue
            for frame in frames:
                broken = 0
                if isinstance(frame, AudioFrame):
                    self.codec = _name_of(stream.codec_context)
                    yield from self._mono(frame)
        yield from self._flush()

    def _mono(self, frame: AudioFrame) -> Iterator[Samples]:
        """Bring a frame to our form; a station may change its own at any time."""
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape:
            yield from self._flush()
            self._resampler = av.AudioResampler(
                format="s16", layout="mono", rate=chain.SAMPLE_RATE
            )
            self._shape = shape
        # Its own clock may jump; only the order of the frames counts.
        frame.pts = None
        if self._resampler is not None:
            for piece in self._resampler.resample(frame):
                yield bytes(piece.planes[0])[: piece.samples * BYTES_PER_SAMPLE]

    def _flush(self) -> Iterator[Samples]:
        if self._resampler is not None:
            for piece in self._resampler.resample(None):
                yield bytes(piece.planes[0])[: piece.samples * BYTES_PER_SAMPLE]
            self._resampler = None


def _name_of(context: AudioCodecContext) -> str:
    """Return the name of a codec as screens and figures use it."""
    name = _NAMES.get(context.name, context.name)
    return _PROFILES.get(context.profile or "", name)[:20]

"""Publishing as HLS: an MP3 cut into packed segments, and the playlist that names them.

Segments have a whole number of frames and nothing between them, so that one after
the other they are the very MP3 that was cut.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nguon.radio.feeds import FRAME_END, FrameCutter

MIME = "audio/mpeg"
PLAYLIST_MIME = "application/vnd.apple.mpegurl"


@dataclass(frozen=True)
class Piece:
    """One segment: its bytes, and how long it sounds."""

    data: bytes
    ms: int


class Segmenter:
    """Cuts a continuous MP3 whose frames are `frame_ms` long.

    `ms` is how long a segment is, made whole to the next frame.
    """

    def __init__(self, *, frame_ms: int, ms: int) -> None:
        self._frame_ms = frame_ms
        self._size = math.ceil(ms / frame_ms)
        self._waiting: list[bytes] = []
        self._made_ms = 0

    def add(self, mp3: bytes) -> Iterator[Piece]:
        """Take whole frames; yield the segments that they complete."""
        self._waiting += FrameCutter().feed(mp3 + FRAME_END)
        while len(self._waiting) >= self._size:
            yield self._cut(self._size)

    def rest(self) -> Iterator[Piece]:
        """Yield what waits, shorter than a segment, if anything does."""
        if self._waiting:
            yield self._cut(len(self._waiting))

    def _cut(self, count: int) -> Piece:
        frames, self._waiting = self._waiting[:count], self._waiting[count:]
        data = timestamp(self._made_ms) + b"".join(frames)
        ms = count * self._frame_ms
        self._made_ms += ms
        return Piece(data, ms)


def write_playlist(
    rows: Sequence[tuple[int, int]], *, usual_ms: int, last: bool = False
) -> str:
    """Return a media playlist of segments (number, length in ms); `last`: no more.

    Segment 7 stands beside the playlist as `7.mp3`.
    """
    longest = max((ms for _number, ms in rows), default=usual_ms)
    lines = ["#EXTM3U", "#EXT-X-VERSION:3"]
    lines.append(f"#EXT-X-TARGETDURATION:{math.ceil(longest / 1000)}")
    lines.append(f"#EXT-X-MEDIA-SEQUENCE:{rows[0][0] if rows else 0}")
    for number, ms in rows:
        lines += [f"#EXTINF:{ms / 1000:.3f},", f"{number}.mp3"]
    return "\n".join([*lines, *(["#EXT-X-ENDLIST"] if last else []), ""])


def timestamp(ms: int) -> bytes:
    """Return the ID3 tag that begins a packed audio segment (RFC 8216 3.4)."""
    owner = b"com.apple.streaming.transportStreamTimestamp\x00"
    body = owner + (ms * 90 % 2**33).to_bytes(8, "big")
    frame = b"PRIV" + _syncsafe(len(body)) + b"\x00\x00" + body
    return b"ID3\x04\x00\x00" + _syncsafe(len(frame)) + frame


def _syncsafe(size: int) -> bytes:
    return bytes(size >> shift & 127 for shift in (21, 14, 7, 0))

"""Live speech in the making: the encoder of each session, its tone, its playlist.

An encoder lives in the web process that took the session's first sound; when that
process ends, so do its sessions. The last seconds stand in the cache as an HLS
playlist (RFC 8216) for makes of speakers that do not read our segments.
"""

import math
import threading
from array import array
from dataclasses import dataclass, field

from django.core.cache import cache

from nguon.core.errors import InvalidError
from nguon.radio.segments import Segmenter, write_playlist
from nguon.speech.live import FRAME_MS, LiveEncoder

# What browsers send: mono, 16 bit, a quarter of a second at a time.
RATE = 16_000
CHUNK_MS = 250
# After a hiccup a browser sends what has gathered, at most so much at once.
MAX_CHUNK_BYTES = RATE * 2 * 3
TONE_MS = 1_500
HLS_SEGMENT_MS = 2_000
HLS_KEPT = 6
_KEEP_S = 60
_TONE_LEVEL = 9_000
_NOTES = (880.0, 659.3, 523.3)


def tone() -> bytes:
    """Return the attention tone before live speech: three falling notes, 1.5 s."""
    samples = array("h")
    length = RATE * TONE_MS // 1000 // len(_NOTES)
    for note in _NOTES:
        for n in range(length):
            fade = min(1.0, n / 160, (length - n) / 1_600)
            wave = math.sin(2 * math.pi * note * n / RATE)
            samples.append(round(_TONE_LEVEL * fade * wave))
    return samples.tobytes()


_TONE = tone()


@dataclass
class Line:
    """One session's encoder; the tone sounds in the place of its first 1.5 s.

    Whoever uses a line holds its lock.
    """

    encoder: LiveEncoder = field(default_factory=lambda: LiveEncoder(rate=RATE))
    lock: threading.Lock = field(default_factory=threading.Lock)
    latest: int = 0
    taken: int = 0
    playlist: "Playlist | None" = None

    def feed(self, pcm: bytes) -> bytes:
        """Return the MP3 frames that these samples complete. Raises InvalidError."""
        if not pcm or len(pcm) % 2 or len(pcm) > MAX_CHUNK_BYTES:
            raise InvalidError("schedule.live_chunk_unusable")
        toned = _TONE[self.taken : self.taken + len(pcm)]
        self.taken += len(pcm)
        return self.encoder.feed(toned + pcm[len(toned) :])


_lines: dict[str, Line] = {}
_guard = threading.Lock()
_MOST_LINES = 64


def open_line(uid: str) -> Line:
    """Return the line of a session that begins; the oldest give way to a flood."""
    with _guard:
        while len(_lines) >= _MOST_LINES:
            _lines.pop(next(iter(_lines)))
        return _lines.setdefault(uid, Line())


def find_line(uid: str) -> Line | None:
    """Return the line of a session, or None when another process has, or had, it."""
    return _lines.get(uid)


def drop_line(uid: str) -> None:
    """Forget a session that is over."""
    with _guard:
        _lines.pop(uid, None)


class Playlist:
    """The last seconds of a session as HLS: packed MP3 segments of two seconds."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._segmenter = Segmenter(frame_ms=FRAME_MS, ms=HLS_SEGMENT_MS)
        self._rows: list[tuple[int, int]] = []

    def add(self, mp3: bytes, *, last: bool) -> None:
        """Take frames; publish a segment when two seconds are together, or at last."""
        pieces = list(self._segmenter.add(mp3))
        for piece in [*pieces, *(self._segmenter.rest() if last else ())]:
            number = self._rows[-1][0] + 1 if self._rows else 0
            cache.set(segment_key(self._token, number), piece.data, _KEEP_S)
            self._rows = [*self._rows, (number, piece.ms)][-HLS_KEPT:]
        text = write_playlist(self._rows, usual_ms=HLS_SEGMENT_MS, last=last)
        cache.set(playlist_key(self._token), text, _KEEP_S)


def playlist_key(token: str) -> str:
    """Return under which name the cache holds a session's playlist."""
    return f"live.{token}.m3u8"


def segment_key(token: str, number: int) -> str:
    """Return under which name the cache holds one segment."""
    return f"live.{token}.{number}"

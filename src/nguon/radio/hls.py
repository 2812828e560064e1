"""A live playlist (RFC 8216) as a feed; every address in it is checked like the first.

Devices play packed MP3 alone (3.4). What else comes, transport streams and fragmented
MP4, is given whole to who can decode it: the server that transcodes.
"""

import re
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from nguon.radio.feeds import (
    FRAME_END,
    STALE_S,
    Connection,
    FrameCutter,
    SourceAwayError,
    UnplayableSourceError,
    join,
)

MAX_PLAYLIST = 256 * 1024
MAX_SEGMENT = 4 * 1024 * 1024
# RFC 8216 6.3.3: begin not nearer to the end of the playlist than this.
_FROM_END = 3


@dataclass(frozen=True)
class Segment:
    """One piece of a playlist; `init` is the header it needs (`EXT-X-MAP`), or none."""

    url: str
    init: str = ""


class Playlist:
    """A playlist: the segments of a media one, the variants of a master.

    `sounds` are renditions of sound alone that a master names.
    """

    def __init__(self, text: str, *, base: str) -> None:
        self.first = 0
        self.target_s = 10.0
        self.ended = False
        self.segments: list[Segment] = []
        self.variants: list[tuple[int, str]] = []
        self.sounds: list[str] = []
        self._base = base
        self._init = ""
        if not text.lstrip("\ufeff").startswith("#EXTM3U"):
            raise UnplayableSourceError("core.source_unplayable", why="no_playlist")
        bandwidth = -1
        for line in (row.strip() for row in text.splitlines()):
            name, _, value = line.partition(":")
            if name == "#EXT-X-STREAM-INF":
                match = re.search(r"(?:^|,)BANDWIDTH=(\d+)", value)
                bandwidth = int(match[1]) if match else 0
            elif line and not line.startswith("#"):
                url = join(base, line)
                if bandwidth >= 0:
                    self.variants.append((bandwidth, url))
                    bandwidth = -1
                else:
                    self.segments.append(Segment(url, self._init))
            else:
                self._take(name, value)

    def _take(self, name: str, value: str) -> None:
        # A range of a file would be the whole file to us: sound of another hour.
        is_locked = name == "#EXT-X-KEY" and not value.startswith("METHOD=NONE")
        is_range = name == "#EXT-X-BYTERANGE" or (
            name == "#EXT-X-MAP" and "BYTERANGE=" in value
        )
        if is_locked or is_range:
            raise UnplayableSourceError("core.source_unplayable", why=name[1:])
        try:
            if name == "#EXT-X-MEDIA-SEQUENCE":
                self.first = int(value)
            elif name == "#EXT-X-TARGETDURATION":
                self.target_s = min(60.0, max(0.5, float(value)))
            elif name == "#EXT-X-MAP":
                self._init = self._uri(value)
            elif name == "#EXT-X-MEDIA" and "TYPE=AUDIO" in value and "URI=" in value:
                self.sounds.append(self._uri(value))
        except ValueError as error:
            raise UnplayableSourceError(
                "core.source_unplayable", why=name[1:]
            ) from error
        self.ended = self.ended or name == "#EXT-X-ENDLIST"

    def _uri(self, value: str) -> str:
        """Return the address in a row of attributes. Raises ValueError."""
        match = re.search(r'(?:^|,)URI="([^"]+)"', value)
        if match is None:
            raise ValueError(value[:80])
        return join(self._base, str(match[1]))


class HlsFeed:
    """A live playlist, its newest three segments first.

    `after` is the address of the segment that was heard last on an earlier line: a
    playlist that stands still is not heard again from its middle.
    """

    def __init__(
        self,
        url: str,
        *,
        allow_inside: bool = False,
        inside: Collection[str] = (),
        after: str = "",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._line = Connection(allow_inside=allow_inside, inside=inside)
        self._monotonic = monotonic
        self._init = ""
        self.heard = after
        self.stale_s = STALE_S + 10.0

    def close(self) -> None:
        """Break the connection and every wait."""
        self._line.close()

    def frames(self) -> Iterator[bytes]:
        """Yield the MP3 frames of one segment after the other."""
        for chunk in self.chunks():
            yield from self.cut(chunk)

    def cut(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the MP3 frames of a segment. Raises UnplayableSourceError."""
        found = False
        for frame in () if self._init else FrameCutter().feed(chunk + FRAME_END):
            found = True
            yield frame
        if not found:
            why = "EXT-X-MAP" if self._init else "no_mp3"
            raise UnplayableSourceError("core.source_unplayable", why=why)

    def chunks(self) -> Iterator[bytes]:
        """Yield whole segments, each new header before the first that needs it."""
        url, upcoming = self._url, -1
        changed = self._monotonic()
        while not self._line.closing.is_set():
            playlist, url = self._load(url)
            self.stale_s = STALE_S + playlist.target_s
            if upcoming < playlist.first:
                upcoming = playlist.first + self._skipped(playlist)
            fresh = playlist.segments[max(0, upcoming - playlist.first) :]
            for segment in fresh:
                yield self._fetch(segment)
                upcoming += 1
                changed = self._monotonic()
            if playlist.ended:
                return
            if self._monotonic() - changed > self.stale_s:
                raise SourceAwayError("core.source_away", why="no_new_segment")
            # Between the haste of a start and RFC 8216 6.3.4: thousands may ask.
            self._line.closing.wait(playlist.target_s / (2 if fresh else 4))

    def _skipped(self, playlist: Playlist) -> int:
        """Return how many segments are not heard when a playlist is joined."""
        addresses = [segment.url for segment in playlist.segments]
        if self.heard in addresses:
            return addresses.index(self.heard) + 1
        return max(0, len(addresses) - _FROM_END)

    def _load(self, url: str) -> tuple[Playlist, str]:
        """Return the media playlist, through a master one to its leanest variant."""
        for _turn in range(2):
            data, where = self._line.read(url, limit=MAX_PLAYLIST)
            playlist = Playlist(data.decode("utf-8", errors="replace"), base=where)
            if not playlist.variants:
                return playlist, url
            sounds = playlist.sounds
            url = sounds[0] if sounds else min(playlist.variants)[1]
        raise UnplayableSourceError(
            "core.source_unplayable", why="playlist_in_playlist"
        )

    def _fetch(self, segment: Segment) -> bytes:
        header = b""
        if segment.init != self._init:
            if segment.init:
                header, _where = self._line.read(segment.init, limit=MAX_SEGMENT)
            self._init = segment.init
        data, _where = self._line.read(segment.url, limit=MAX_SEGMENT)
        self.heard = segment.url
        return header + data

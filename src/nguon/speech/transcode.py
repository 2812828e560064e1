"""Transcodes one live source to MP3 as HLS, in a process of its own, until ended.

    echo '{"url": …, "kind": "hls", "inside": [], "folder": …}' |
        python -m nguon.speech.transcode

1. Receive and decode; a source that breaks off is tried again after 1 to 5 s.
2. Encode one continuous MP3 a line, cut it at its frames into segments of two seconds.
3. Publish a segment each two seconds, however the source's own pieces come; the
   folder holds the last of them and the playlist.
Each second a line of JSON tells that this process does not hang. Memory, files and
waiting are bounded, so that a hostile source harms nobody but itself.
"""

import contextlib
import ctypes
import json
import os
import queue
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from nguon.core.addresses import AddressError
from nguon.core.pauses import jitter
from nguon.radio.feeds import (
    HttpFeed,
    RawFeed,
    SourceAwayError,
    UnplayableSourceError,
)
from nguon.radio.hls import HlsFeed
from nguon.radio.segments import Piece, Segmenter, write_playlist
from nguon.speech import chain
from nguon.speech.foreign import Decoder
from nguon.speech.live import FRAME_MS, LiveEncoder

PLAYLIST = "index.m3u8"
SEGMENT_MS = 2_000
BIT_RATE = 64_000
# So many segments are in the playlist, and so many more may still be fetched.
LISTED, KEPT = 6, 12
# A source with pieces of 10 s sends 30 s when it is joined.
WAITING = 30
# Without any progress for so long this process hangs, and ends: a playlist may let
# a minute pass between two segments.
HANGS_S = 75.0
TRY_S = (1.0, 2.0, 5.0)
_MEMORY = 1024**3
_LONGEST_FILE = 4 * 1024 * 1024
_FILES = 64
_PR_SET_PDEATHSIG = 1


class Publisher:
    """Writes segments at the pace at which they sound, and keeps the last ones.

    `first` is the number of the first segment: above all that an earlier process
    may have used.
    """

    def __init__(
        self,
        folder: Path,
        *,
        first: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._next = first
        self._monotonic = monotonic
        self._due = 0.0
        self._rows: list[tuple[int, int]] = []
        self._waiting: queue.Queue[Piece] = queue.Queue(WAITING)

    def put(self, piece: Piece, *, seconds: float) -> bool:
        """Take a segment; say whether there was room within so much time."""
        try:
            self._waiting.put(piece, timeout=seconds)
        except queue.Full:
            return False
        return True

    def run(self) -> None:
        """Publish for ever: each segment when its time has come."""
        while True:
            self.turn(self._waiting.get(), wait=time.sleep)

    def turn(self, piece: Piece, *, wait: Callable[[float], None]) -> None:
        """Publish a segment when its time has come; a late one shifts the rest."""
        wait(max(0.0, self._due - self._monotonic()))
        self._due = max(self._due, self._monotonic()) + piece.ms / 1_000
        number, self._next = self._next, self._next + 1
        self._write(f"{number}.mp3", piece.data)
        self._rows = [*self._rows, (number, piece.ms)][-LISTED:]
        text = write_playlist(self._rows, usual_ms=SEGMENT_MS)
        self._write(PLAYLIST, text.encode())
        (self._folder / f"{number - KEPT}.mp3").unlink(missing_ok=True)

    def _write(self, name: str, data: bytes) -> None:
        path = self._folder / f".{name}"
        path.write_bytes(data)
        path.replace(self._folder / name)


class Transcoder:
    """One source: received, decoded, encoded, tried again."""

    def __init__(
        self,
        *,
        url: str,
        kind: str,
        inside: Collection[str],
        publisher: Publisher,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url, self._kind, self._inside = url, kind, inside
        self._publisher = publisher
        self._monotonic = monotonic
        self._heard = ""
        self._moved_at = monotonic()
        self.state = "away"
        self.cause = ""

    @property
    def hangs(self) -> bool:
        """Say whether nothing has moved for too long."""
        return self._monotonic() - self._moved_at > HANGS_S

    def run(self) -> None:
        """Transcode for ever."""
        tries = 0
        while True:
            made = self.follow()
            tries = 0 if made else tries + 1
            self.state = "away"
            wait = TRY_S[min(tries, len(TRY_S) - 1)]
            self._moved_at = self._monotonic()
            time.sleep(jitter(wait / 2, wait))

    def follow(self) -> bool:
        """Receive until the source breaks off; say whether anything was decoded."""
        feed = self._open()
        decoder = Decoder(self._watched(feed))
        # Anew for each line: what an old one left behind would come before what is
        # fresh, as if the station had said it after the break.
        encoder = LiveEncoder(rate=chain.SAMPLE_RATE, bit_rate=BIT_RATE)
        segmenter = Segmenter(frame_ms=FRAME_MS, ms=SEGMENT_MS)
        made = False
        try:
            for samples in decoder.samples():
                made, self.state, self.cause = True, "on", ""
                for piece in segmenter.add(encoder.feed(samples)):
                    while not self._publisher.put(piece, seconds=1):
                        self._moved_at = self._monotonic()
            self.cause = "ended"
        except (SourceAwayError, UnplayableSourceError, AddressError) as error:
            self.cause = str(error.data.get("why") or error.code)[:40]
        finally:
            feed.close()
            if isinstance(feed, HlsFeed):
                self._heard = feed.heard
        return made

    def _open(self) -> RawFeed:
        if self._kind == "hls":
            return HlsFeed(self._url, inside=self._inside, after=self._heard)
        return HttpFeed(self._url, inside=self._inside)

    def _watched(self, feed: RawFeed) -> Iterator[bytes]:
        for chunk in feed.chunks():
            self._moved_at = self._monotonic()
            yield chunk


def main() -> None:
    """Transcode the source that standard input names, until somebody ends this."""
    _bound()
    asked: dict[str, Any] = json.loads(sys.stdin.read())
    folder = Path(asked["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    publisher = Publisher(folder, first=int(time.time()))
    transcoder = Transcoder(
        url=str(asked["url"]),
        kind=str(asked["kind"]),
        inside=[str(host) for host in asked["inside"]],
        publisher=publisher,
    )
    for run in (publisher.run, transcoder.run):
        threading.Thread(target=_or_die, args=(run,), daemon=True).start()
    while not transcoder.hangs:
        told = {"state": transcoder.state, "cause": transcoder.cause}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        time.sleep(1)
    os._exit(3)


def _or_die(run: Callable[[], None]) -> None:
    """Run for ever; whatever ends it ends the process."""
    try:
        run()
    finally:
        os._exit(4)


def _bound() -> None:
    """Bound what this process may take, and end it with who started it."""
    for kind, most in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_FSIZE, _LONGEST_FILE),
        (resource.RLIMIT_NOFILE, _FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    with contextlib.suppress(OSError):
        os.nice(2)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


if __name__ == "__main__":
    main()

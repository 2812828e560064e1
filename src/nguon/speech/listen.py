"""Listens to a relay source for two seconds, in a process of its own.

    echo '{"url": …, "kind": "http", "inside": []}' | python -m nguon.speech.listen

The answer is one JSON line: how the source is, in which codec, and whether devices can
play it themselves (`direct`) or this server has to transcode it (`server`). Whatever
a source does, hang or crash the decoder, it does to this process alone; who started
it ends it after a while.
"""

import json
import math
import sys
import time
from array import array
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass

from nguon.core.addresses import AddressError
from nguon.radio.feeds import (
    HttpFeed,
    RawFeed,
    SourceAwayError,
    UnplayableSourceError,
)
from nguon.radio.hls import HlsFeed
from nguon.speech.audio import BYTES_PER_SECOND
from nguon.speech.foreign import Decoder

LIVE, SILENT, DEAD, UNPLAYABLE = "live", "silent", "dead", "unplayable"
DIRECT, SERVER = "direct", "server"
# As on the device: below this a source is silent.
SILENCE_DBFS = -55.0
FLOOR_DBFS = -96.0
LISTEN_S = 2.0
# More than two seconds of any sound, and one segment with pictures.
_MOST_BYTES = 512 * 1024
_MOST_DECODED = 60 * BYTES_PER_SECOND
# With so much decoded, a rate of bits is more than the noise of its first frames.
_SURE_BYTES = BYTES_PER_SECOND // 2


@dataclass(frozen=True)
class Told:
    """What was heard; `route` and `codec` are empty where nothing could be decoded."""

    state: str
    level_dbfs: float | None = None
    detail: str = ""
    route: str = ""
    codec: str = ""
    kbps: int | None = None


def listen(
    url: str, *, kind: str, inside: Collection[str] = (), seconds: float = LISTEN_S
) -> Told:
    """Return how a source is, after so many seconds."""
    make = HlsFeed if kind == "hls" else HttpFeed
    feed: RawFeed = make(url, inside=inside)
    try:
        with closing(feed):
            chunks = list(_some(feed, seconds))
            if not chunks:
                return Told(DEAD, detail="no_bytes")
            return _judge(feed, chunks)
    except UnplayableSourceError as error:
        return Told(UNPLAYABLE, detail=str(error.data.get("why", ""))[:120])
    except SourceAwayError as error:
        return Told(DEAD, detail=str(error.data.get("why", ""))[:120])
    except AddressError as error:
        return Told(DEAD, detail=error.code)


def _some(feed: RawFeed, seconds: float) -> Iterator[bytes]:
    """Yield what comes in so much time, but no more than so much time can hold."""
    until, size = time.monotonic() + seconds, 0
    for chunk in feed.chunks():
        size += len(chunk)
        yield chunk
        if time.monotonic() > until or size > _MOST_BYTES:
            return


def _judge(feed: RawFeed, chunks: Sequence[bytes]) -> Told:
    """Judge bytes. Raises UnplayableSourceError when nobody can play them."""
    try:
        frames = [frame for chunk in chunks for frame in feed.cut(chunk)]
    except UnplayableSourceError:
        frames = []
    decoder = Decoder(iter(frames or chunks))
    decoded = bytearray()
    for piece in decoder.samples():
        decoded += piece
        if len(decoded) > _MOST_DECODED:
            break
    if not decoded:
        raise UnplayableSourceError("core.source_unplayable", why="no_sound")
    samples = array("h", decoded)
    energy = sum(value * value for value in samples) / len(samples)
    level = 10 * math.log10(energy / 32768.0**2) if energy else FLOOR_DBFS
    level = round(max(level, FLOOR_DBFS), 1)
    length = len(decoded) / BYTES_PER_SECOND
    kbps = round(decoder.size * 8 / length / 1_000)
    return Told(
        LIVE if level >= SILENCE_DBFS else SILENT,
        level_dbfs=level,
        route=DIRECT if frames else SERVER,
        codec=decoder.codec,
        kbps=kbps if len(decoded) > _SURE_BYTES else None,
    )


def main() -> None:
    """Answer the one question on standard input."""
    asked = json.loads(sys.stdin.read())
    inside = [str(host) for host in asked["inside"]]
    found = listen(str(asked["url"]), kind=str(asked["kind"]), inside=inside)
    sys.stdout.write(json.dumps(asdict(found)) + "\n")


if __name__ == "__main__":
    main()

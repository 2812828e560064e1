"""Listens to a relay source for two seconds, in a process of its own.

    echo '{"url": …, "kind": "http", "allow_inside": false}' |
        python -m nguon.speech.listen

The answer is one JSON line. Whatever a source does, hang or crash the decoder, it
does to this process alone; who started it ends it after a while.
"""

import json
import math
import sys
import time
from array import array
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from nguon.core.addresses import AddressError
from nguon.radio.feeds import (
    Feed,
    HlsFeed,
    HttpFeed,
    SourceAwayError,
    UnplayableSourceError,
)
from nguon.speech import audio

LIVE, SILENT, DEAD, UNPLAYABLE = "live", "silent", "dead", "unplayable"
# As on the device: below this a source is silent.
SILENCE_DBFS = -55.0
FLOOR_DBFS = -96.0
LISTEN_S = 2.0
# Frames of the fastest MP3 (8 ms) that two seconds can have, and a little more.
_MOST_FRAMES = 300
_MOST_BYTES = 256 * 1024


def listen(
    url: str, *, kind: str, allow_inside: bool, seconds: float = LISTEN_S
) -> dict[str, Any]:
    """Return state, level_dbfs and detail of a source, after so many seconds."""
    make = HlsFeed if kind == "hls" else HttpFeed
    feed = make(url, allow_inside=allow_inside)
    try:
        with closing(feed):
            mp3 = b"".join(_some(feed, seconds))
        return _judge(mp3)
    except UnplayableSourceError as error:
        return _told(UNPLAYABLE, detail=str(error.data.get("why", "")))
    except audio.UnsupportedAudioError:
        return _told(UNPLAYABLE, detail="no_mp3")
    except SourceAwayError as error:
        return _told(DEAD, detail=str(error.data.get("why", "")))
    except AddressError as error:
        return _told(DEAD, detail=error.code)


def _some(feed: Feed, seconds: float) -> Iterator[bytes]:
    """Yield what comes in so much time, but no more than so much time can hold."""
    until, size = time.monotonic() + seconds, 0
    for number, frame in enumerate(feed.frames()):
        size += len(frame)
        yield frame
        late = time.monotonic() > until
        if late or size > _MOST_BYTES or number > _MOST_FRAMES:
            return


def _judge(mp3: bytes) -> dict[str, Any]:
    if not mp3:
        return _told(DEAD, detail="no_bytes")
    samples = array("h", audio.decode(mp3, limit_seconds=60))
    energy = sum(value * value for value in samples) / len(samples)
    level = 10 * math.log10(energy / 32768.0**2) if energy else FLOOR_DBFS
    level = round(max(level, FLOOR_DBFS), 1)
    return _told(LIVE if level >= SILENCE_DBFS else SILENT, level=level)


def _told(
    state: str, *, level: float | None = None, detail: str = ""
) -> dict[str, Any]:
    return {"state": state, "level_dbfs": level, "detail": detail[:120]}


def main() -> None:
    """Answer the one question on standard input."""
    asked = json.loads(sys.stdin.read())
    found = listen(
        str(asked["url"]),
        kind=str(asked["kind"]),
        allow_inside=bool(asked["allow_inside"]),
    )
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()

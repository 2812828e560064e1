"""Asks one feed, in a process of its own that can hang, swell or die alone.

    echo '{"url": …, "inside": [], …}' | python -m nguon.newsroom.intake.fetching

The address is checked number by number, redirects too, by the very code that opens
relays (`radio.feeds`). The process has limits of memory, time and bytes, and knows
neither the database nor a secret.
"""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from nguon.core.addresses import AddressError
from nguon.core.errors import DomainError
from nguon.newsroom.intake import feeds, reader
from nguon.newsroom.intake.feeds import Entry, FeedError
from nguon.radio.feeds import Connection, SourceAwayError, UnplayableSourceError

WALL_SECONDS = 15.0
CPU_SECONDS = 10
MEMORY_BYTES = 512 * 1024**2
FEED_BYTES = 4 * 1024 * 1024
_LONGEST_MARK = 200
# Who reads what strangers send knows nothing of our secrets.
_ENVIRONMENT = ("PATH", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True)
class Asked:
    """What a feed is asked with; the marks of its latest answer, if it gave any."""

    url: str
    etag: str = ""
    modified: str = ""


@dataclass(frozen=True)
class Fetched:
    """What came: entries, or nothing new since the marks that were sent."""

    entries: Sequence[Entry] = ()
    is_new: bool = True
    etag: str = ""
    modified: str = ""


def fetch(asked: Asked) -> Fetched:
    """Return what a feed has. Raises FeedError, whatever a feed does."""
    host = urlsplit(asked.url).hostname or ""
    inside = [host] if host in settings.RELAY_ALLOWED else []
    paths = os.pathsep.join(filter(None, sys.path))
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "nguon.newsroom.intake.fetching"],
            input=json.dumps({**asdict(asked), "inside": inside}),
            capture_output=True,
            text=True,
            timeout=WALL_SECONDS,
            check=False,
            env={**kept, "PYTHONPATH": paths},
        )
        told = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, OSError, ValueError) as error:
        raise FeedError("newsroom.feed_too_hard") from error
    if "error" in told:
        raise FeedError(told["error"], **told["data"])
    entries = [Entry(**{**row, "published": _day(row)}) for row in told.pop("entries")]
    return Fetched(entries=entries, **told)


def _day(row: dict[str, Any]) -> datetime | None:
    return datetime.fromisoformat(row["published"]) if row["published"] else None


def main() -> int:
    """Limit this process, ask the feed that standard input names, print the answer."""
    reader.limit_process(CPU_SECONDS, memory_bytes=MEMORY_BYTES)
    told = json.loads(sys.stdin.read())
    inside = told.pop("inside")
    try:
        answer = asdict(_ask(Asked(**told), inside))
        for row in answer["entries"]:
            row["published"] = row["published"] and row["published"].isoformat()
    except DomainError as error:
        answer = _failure(error)
    except (MemoryError, RecursionError):
        answer = {"error": "newsroom.feed_too_hard", "data": {}}
    sys.stdout.write(json.dumps(answer))
    return 0


def _ask(asked: Asked, inside: Sequence[str]) -> Fetched:
    marks = {"If-None-Match": asked.etag, "If-Modified-Since": asked.modified}
    line = Connection(inside=inside)
    try:
        # Empty marks are no marks; a server may answer 304 to the others alone.
        sent = {name: mark for name, mark in marks.items() if mark}
        answer, _where = line.get(asked.url, unless=sent)
        if answer.status == http.HTTPStatus.NOT_MODIFIED:
            return Fetched(is_new=False, etag=asked.etag, modified=asked.modified)
        data = answer.read(FEED_BYTES + 1)
        if len(data) > FEED_BYTES:
            raise FeedError(
                "newsroom.feed_too_long", megabytes=FEED_BYTES // 1024 // 1024
            )
        return Fetched(
            feeds.parse(data),
            etag=_mark(answer, "ETag", _LONGEST_MARK),
            modified=_mark(answer, "Last-Modified", 60),
        )
    except (OSError, http.client.HTTPException) as error:
        raise SourceAwayError("core.source_away", why="broken") from error
    finally:
        line.close()


def _mark(answer: http.client.HTTPResponse, name: str, longest: int) -> str:
    """Return a header that may be sent back as it came; a strange one is forgotten."""
    mark = answer.getheader(name, "").strip()
    fits = mark.isascii() and mark.isprintable() and len(mark) <= longest
    return mark if fits else ""


def _failure(error: DomainError) -> dict[str, Any]:
    """Say of a feed what the fetcher says of a relay."""
    code, data = error.code, dict(error.data)
    if isinstance(error, AddressError):
        inside = code == "core.address_inside"
        code = "newsroom.feed_inside" if inside else "newsroom.feed_address"
    elif isinstance(error, UnplayableSourceError):
        code = "newsroom.feed_unreadable"
    elif isinstance(error, SourceAwayError):
        status = str(data.pop("why", "")).removeprefix("http_")
        code = "newsroom.feed_away"
        if status.isdecimal():
            code, data = "newsroom.feed_refused", {"status": status}
    return {"error": code, "data": data}


if __name__ == "__main__":
    sys.exit(main())

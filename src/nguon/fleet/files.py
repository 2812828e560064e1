"""Media on disk, named by their hash, and how they are served in ranges.

Written to a temporary name, synced and renamed: a file with its name is whole.
"""

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.response import StreamingHttpResponse

from nguon.core.errors import AbsentError
from nguon.fleet.models import Media
from nguon.people.answers import asked_part

CHUNK = 64 * 1024


def path_of(sha256: str) -> Path:
    """Return where the file of this hash lies."""
    return Path(settings.MEDIA_DIR) / sha256[:2] / sha256


def keep(data: bytes, sha256: str) -> None:
    """Write a file under its hash, whole or not at all. Raises OSError."""
    path = path_of(sha256)
    if path.exists() and path.stat().st_size == len(data):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{sha256}.{secrets.token_hex(4)}")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def serve(request: HttpRequest, media: Media) -> HttpResponseBase:
    """Answer with a media file or one range of it (RFC 9110 §14).

    Raises AbsentError when the file is gone from the disk.
    """
    path = path_of(media.sha256)
    if not path.is_file():
        raise AbsentError("fleet.media_absent")
    etag = f'"{media.sha256}"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304, headers={"ETag": etag})
    part = asked_part(request, media.size)
    start, end = part or (0, media.size)
    if part and start >= end:
        return HttpResponse(
            status=416, headers={"Content-Range": f"bytes */{media.size}"}
        )
    body: Iterator[bytes] | AsyncIterator[bytes] = _read(path, start, end)
    if isinstance(request, ASGIRequest):
        body = _read_async(path, start, end)
    response = StreamingHttpResponse(
        body, status=206 if part else 200, content_type=media.mime
    )
    response["Content-Length"] = str(end - start)
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    if part:
        response["Content-Range"] = f"bytes {start}-{end - 1}/{media.size}"
    return response


def serve_shown(request: HttpRequest, media: Media) -> HttpResponseBase:
    """Answer as `serve` does; what a page does not show itself is saved, not run."""
    response = serve(request, media)
    if not media.mime.startswith(("image/", "video/", "audio/")):
        name = f"{media.sha256[:12]}.{media.mime.rpartition('/')[2]}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _read(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while start < end and (piece := file.read(min(CHUNK, end - start))):
            start += len(piece)
            yield piece


async def _read_async(path: Path, start: int, end: int) -> AsyncIterator[bytes]:
    # A read of 64 kB comes from the page cache; a thread would cost more than it.
    for piece in _read(path, start, end):
        yield piece

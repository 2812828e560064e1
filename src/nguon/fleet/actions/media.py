"""Keeping media: the file first, then its row."""

import hashlib
from datetime import datetime

from nguon.core.errors import InvalidError
from nguon.fleet import files
from nguon.fleet.models import Media

MAX_BYTES = 64 * 1024 * 1024
MIMES = (
    "audio/mpeg",
    "audio/wav",
    "audio/ogg",
    "image/png",
    "image/jpeg",
    "image/webp",
    "video/mp4",
    "application/pdf",
    # Programs for devices (`actions.releases`).
    "application/zip",
    "application/octet-stream",
)


def store_media(*, data: bytes, mime: str, duration_ms: int, at: datetime) -> Media:
    """Keep a file by its hash; the same bytes give the same row.

    Raises InvalidError (`fleet.media_empty`, `fleet.media_too_big`,
    `fleet.media_mime`) and OSError when the disk refuses.
    """
    if not data:
        raise InvalidError("fleet.media_empty")
    if len(data) > MAX_BYTES:
        raise InvalidError("fleet.media_too_big", limit=MAX_BYTES)
    if mime not in MIMES:
        raise InvalidError("fleet.media_mime", mime=mime)
    sha256 = hashlib.sha256(data).hexdigest()
    files.keep(data, sha256)
    media, _fresh = Media.objects.get_or_create(
        sha256=sha256,
        defaults={
            "size": len(data),
            "mime": mime,
            "duration_ms": duration_ms,
            "stored_at": at,
        },
    )
    return media

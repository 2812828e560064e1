"""Every change to the fleet; nothing else in the project may save one."""

import hashlib
import os
from datetime import datetime
from pathlib import Path

from django.conf import settings

from nguon.core.topics import new_uid
from nguon.fleet.models import Media


def store_media(*, data: bytes, mime: str, duration_ms: int, at: datetime) -> Media:
    """Keep a file under its hash and return its row; the same bytes are kept once."""
    sha256 = hashlib.sha256(data).hexdigest()
    folder = Path(settings.MEDIA_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / sha256
    if not target.exists():
        # Whole or not at all: a reader never meets half a file.
        partial = folder / f".{sha256}.{new_uid()}"
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
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

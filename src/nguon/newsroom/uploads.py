"""The bytes of files on their way in: appended at an offset, read once, taken away.

A phone that loses its network asks how far it came and goes on from there.
"""

from pathlib import Path

from django.conf import settings

from nguon.newsroom.models import Upload


def path_of(upload: Upload) -> Path:
    """Return where the bytes of an upload lie."""
    return Path(settings.DATA_DIR) / "uploads" / upload.uid


def append(upload: Upload, data: bytes) -> None:
    """Write a piece at the offset that the row knows; what lay beyond is overwritten.

    A piece whose row was never saved leaves bytes behind; the next one replaces them.
    """
    path = path_of(upload)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("r+b" if path.exists() else "wb") as file:
        file.seek(upload.received)
        file.write(data)
        file.truncate()


def read(upload: Upload) -> bytes:
    """Return the whole file."""
    path = path_of(upload)
    return path.read_bytes() if path.exists() else b""


def forget(upload: Upload) -> None:
    """Take the bytes away."""
    path_of(upload).unlink(missing_ok=True)

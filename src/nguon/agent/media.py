"""Sounds by their hash: fetched with resume, proven before use, removed when unneeded.

A file under its hash name has been checked; what is under way ends in `.part`. Each
piece is on disk before the next is asked for, so a cut or a `kill -9` costs one chunk
at most. A finished file is hashed once more when it is loaded to sound.
"""

import hashlib
import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from nguon.agent.server import CHUNK, Server
from nguon.core.errors import DomainError, InvalidError

log = logging.getLogger(__name__)

# What no device can hold in memory is not fetched at all.
MAX_SIZE = 64 * 1024 * 1024


class MediaBrokenError(DomainError):
    """Bytes do not have the hash or the size that the plan names."""


class MediaShelf:
    """The folder of sounds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.ready = {path.name for path in folder.iterdir() if _is_sha256(path.name)}
        self.fetched_bytes = 0

    def path(self, sha256: str) -> Path:
        """Return where a file on the shelf lies."""
        return self._folder / sha256

    def fetch(
        self,
        server: Server,
        *,
        sha256: str,
        size: int,
        goes_on: Callable[[], bool] = lambda: True,
    ) -> None:
        """Fetch what is missing of a file, check it, and put it on the shelf.

        `goes_on` is asked after each piece; when it says no, the rest comes later.

        Raises ServerUnreachableError, ServerRefusedError (what has come is kept for
        the next try) or MediaBrokenError (it has been thrown away).
        """
        if not _is_sha256(sha256) or not 0 < size <= MAX_SIZE:
            raise InvalidError("agent.media_unusable", sha256=sha256[:64], size=size)
        if sha256 in self.ready:
            return
        part = self._folder / f"{sha256}.part"
        with part.open("ab", buffering=0) as file:
            have = file.tell()
            if have < size:
                log.info("media: %s from %s of %s", sha256[:12], have, size)
                for chunk in server.media(sha256, have):
                    self.fetched_bytes += len(chunk)
                    file.write(chunk)
                    have += len(chunk)
                    if have > size or not goes_on():
                        break
            os.fsync(file.fileno())
        self._accept(part, sha256=sha256, size=size)

    def _accept(self, part: Path, *, sha256: str, size: int) -> None:
        length = part.stat().st_size
        if length < size:
            # The server closed early without an error: the rest comes next time.
            raise MediaBrokenError("agent.media_short", sha256=sha256, have=length)
        if length > size or _hash(part) != sha256:
            part.unlink()
            raise MediaBrokenError("agent.media_wrong_hash", sha256=sha256)
        part.replace(self._folder / sha256)
        self.ready.add(sha256)

    def load(self, sha256: str) -> bytes:
        """Return the bytes of a sound, hashed again at this moment.

        Raises MediaBrokenError; the file has then been thrown away.
        """
        path = self._folder / sha256
        try:
            data = path.read_bytes()
        except OSError as error:
            self.ready.discard(sha256)
            raise MediaBrokenError("agent.media_gone", sha256=sha256) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            self.drop(sha256)
            raise MediaBrokenError("agent.media_wrong_hash", sha256=sha256)
        return data

    def drop(self, sha256: str) -> None:
        """Throw a sound away."""
        self.ready.discard(sha256)
        (self._folder / sha256).unlink(missing_ok=True)

    def keep_only(self, needed: Iterable[str]) -> int:
        """Remove every file that nothing held needs; return how many."""
        wanted = set(needed)
        removed = 0
        for path in list(self._folder.iterdir()):
            if path.name.removesuffix(".part") not in wanted:
                path.unlink(missing_ok=True)
                self.ready.discard(path.name)
                removed += 1
        return removed


def _is_sha256(name: str) -> bool:
    return len(name) == 64 and all(letter in "0123456789abcdef" for letter in name)


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()

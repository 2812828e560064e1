"""Which program a device should run, and the form of a program as it travels.

An `update` names one release by version, hash and size; it is signed for `firmware`.
A device converges on it within the hours named, and never to an older version unless
the document itself says `rollback`. An archive is a zip of sources below `nguon/`,
made so that the same sources give the same bytes.
"""

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path, PurePosixPath
from typing import Any

from nguon.core.errors import InvalidError
from nguon.core.signing import DocumentRefusedError

AGENT, FIRMWARE = "agent", "firmware"
KINDS = (AGENT, FIRMWARE)
# What an agent's archive may weigh, packed and unpacked; firmware of other makes.
MAX_AGENT_BYTES = 16 * 1024 * 1024
MAX_UNPACKED_BYTES = 64 * 1024 * 1024
MAX_FILES = 2_000
MAX_FIRMWARE_BYTES = 64 * 1024 * 1024
# An update's moments: each is told once per document.
DOWNLOADING, INSTALLED, PROVEN, FAILED = "downloading", "installed", "proven", "failed"
MOMENTS = (DOWNLOADING, INSTALLED, PROVEN, FAILED)
# Vietnam keeps one offset all year; devices need no table of time zones for it.
LOCAL = timezone(timedelta(hours=7))
DAY_MINUTES = 24 * 60
_VERSION = re.compile(r"(0|[1-9]\d{0,4})(\.(0|[1-9]\d{0,4})){1,3}")
_PARTS = (".py", ".html", ".css", ".js", ".typed", ".json", ".svg")
_MADE = (2020, 1, 1, 0, 0, 0)
INIT = "nguon/__init__.py"


class UnusableArchiveError(InvalidError):
    """An archive is no program of ours; nothing of it has been used."""


@dataclass(frozen=True)
class Update:
    """The release that a device should run, and when it may change over.

    `hours` are minutes of the local day `[from, to)`, over midnight when from > to;
    empty means always. With `rollback` an older version is meant, and `sha256` may be
    empty: then only a program that the device still keeps.
    """

    document: str
    release: str
    kind: str
    make: str
    version: str
    sha256: str
    size: int
    hours: tuple[int, int] | None = None
    rollback: bool = False

    def body(self) -> dict[str, Any]:
        """Return the body of the `update` document."""
        return {
            "release": self.release,
            "kind": self.kind,
            "make": self.make,
            # `version` is the envelope's own.
            "number": self.version,
            "sha256": self.sha256,
            "size": self.size,
            "hours": list(self.hours) if self.hours else [],
            "rollback": self.rollback,
        }

    @classmethod
    def decode(cls, payload: Mapping[str, Any]) -> "Update":
        """Return the update of a verified payload. Raises DocumentRefusedError."""
        try:
            hours = tuple(int(minute) for minute in payload.get("hours") or ())
            update = cls(
                document=payload["id"],
                release=str(payload["release"]),
                kind=payload["kind"],
                make=str(payload["make"]),
                version=payload["number"],
                sha256=payload["sha256"],
                size=payload["size"],
                hours=(hours[0], hours[1]) if hours else None,
                rollback=payload.get("rollback") is True,
            )
            fits = (
                update.kind in KINDS
                and type(update.size) is int
                and _VERSION.fullmatch(update.version) is not None
                and (
                    is_sha256(update.sha256) or (update.rollback and not update.sha256)
                )
                and len(hours) in {0, 2}
                and all(0 <= minute < DAY_MINUTES for minute in hours)
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise DocumentRefusedError("malformed", document=payload["id"]) from error
        if not fits:
            raise DocumentRefusedError("malformed", document=payload["id"])
        return update

    def allows(self, at: int) -> bool:
        """Say whether a device may change over at this moment (ms)."""
        if self.hours is None:
            return True
        local = datetime.fromtimestamp(at / 1000, tz=UTC).astimezone(LOCAL)
        minute = local.hour * 60 + local.minute
        begin, end = self.hours
        if begin <= end:
            return begin <= minute < end
        return minute >= begin or minute < end


def is_sha256(text: object) -> bool:
    """Say whether this is the SHA-256 of something, in hex."""
    return isinstance(text, str) and re.fullmatch(r"[0-9a-f]{64}", text) is not None


def order(version: str) -> tuple[int, ...]:
    """Return a version as something to compare: 0.10.0 is above 0.9.

    Raises InvalidError `core.version_malformed`.
    """
    if not _VERSION.fullmatch(version):
        raise InvalidError("core.version_malformed", version=version[:40])
    numbers = [int(part) for part in version.split(".")]
    return tuple(numbers + [0] * (4 - len(numbers)))


def objection(update: Update, *, running: str) -> str:
    """Return why a device may not take an update, or an empty word."""
    limit = MAX_AGENT_BYTES if update.kind == AGENT else MAX_FIRMWARE_BYTES
    if update.sha256 and not 0 < update.size <= limit:
        return "too_large"
    if not update.rollback and order(update.version) < order(running):
        return "older"
    return ""


# --- the archive ---------------------------------------------------------------------


def pack(source: Path, *, version: str) -> bytes:
    """Return the archive of the agent's sources below `source` (which holds `nguon`).

    The same sources and version give the same bytes. Raises InvalidError for a
    malformed version, OSError for sources that cannot be read.
    """
    order(version)
    init = f'"""The program of a device, version {version}."""\n\n'
    files = {INIT: (init + f'__version__ = "{version}"\n').encode()}
    for room in ("core", "agent", "radio"):
        for path in sorted((source / "nguon" / room).rglob("*")):
            if path.is_file() and path.suffix in _PARTS:
                files[path.relative_to(source).as_posix()] = path.read_bytes()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            row = zipfile.ZipInfo(name, _MADE)
            row.external_attr = 0o644 << 16
            row.create_system = 3
            row.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(row, files[name])
    return out.getvalue()


def check_archive(data: bytes) -> str:
    """Return the version that an agent's archive says it is.

    Raises UnusableArchiveError: not a zip, names that lead out of it, too much, or no
    program of ours.
    """
    if len(data) > MAX_AGENT_BYTES:
        raise UnusableArchiveError("core.archive_too_large", limit=MAX_AGENT_BYTES)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            check_names(archive)
            text = archive.read(INIT).decode("utf-8")
            if archive.testzip() is not None:
                raise UnusableArchiveError("core.archive_broken")
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError, OSError, ValueError) as e:
        raise UnusableArchiveError("core.archive_broken") from e
    found = re.search(r'^__version__ = "([^"\n]+)"$', text, re.MULTILINE)
    if found is None:
        raise UnusableArchiveError("core.archive_broken")
    order(found[1])
    return found[1]


def check_names(archive: zipfile.ZipFile) -> None:
    """Refuse an archive with odd names or too much in it. Raises as check_archive."""
    rows = archive.infolist()
    if len(rows) > MAX_FILES or sum(row.file_size for row in rows) > MAX_UNPACKED_BYTES:
        raise UnusableArchiveError("core.archive_too_large", limit=MAX_UNPACKED_BYTES)
    for row in rows:
        path = PurePosixPath(row.filename)
        odd = path.is_absolute() or ".." in path.parts or "\\" in row.filename
        if odd or path.parts[:1] != ("nguon",) or path.suffix not in _PARTS:
            raise UnusableArchiveError("core.archive_names", name=row.filename[:80])

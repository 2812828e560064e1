"""Months of facts put away into files, and taken back.

A month is a gzip file of JSON lines, one row a line, and beside it a manifest that
says what the file is: table, columns and kinds, month, how many rows, SHA-256. It can
be read in fifty years without this program. Rows leave the database only after the
file was written to the disk, read back, and found to be what the database says, in
one transaction in which nobody writes in that month.
"""

import gzip
import hashlib
import json
import os
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Min, Model, QuerySet

from nguon.audit import months
from nguon.audit.actions import record
from nguon.audit.models import Archive
from nguon.audit.months import Kept
from nguon.core.errors import InvalidError, RefusedError

FORMAT = 1
BATCH = 2_000


class ArchiveBrokenError(InvalidError):
    """A file is not what its manifest, or the database, says."""


class MonthOpenError(RefusedError):
    """A month that is not over, or not old enough, is not put away."""


def folder() -> Path:
    """Return where archives lie."""
    return Path(settings.ARCHIVE_DIR)


def list_closed(*, at: datetime, keep: int) -> list[tuple[Kept, date]]:
    """Return the months with rows that are older than `keep` whole months.

    The oldest first; what was archived once is not listed again, even when it was
    put back: a person did that, and a person ends it.
    """
    last = months.next_month(months.month_of(at), -keep - 1)
    found = []
    for kept in months.tables():
        archived = set(
            Archive.objects.filter(model=kept.model).values_list("month", flat=True)
        )
        found += [
            (kept, month)
            for month in _months_of(kept)
            if month <= last and month not in archived and _rows(kept, month).exists()
        ]
    return found


def _months_of(kept: Kept) -> list[date]:
    """Return the months that a table may have rows of, the oldest first.

    Partitions know it by themselves; strays wait until somebody has looked at them.
    """
    if months.is_partitioned(kept.table):
        return [part.month for part in months.list_parts(kept) if part.month]
    rows = kept.rows._default_manager
    told = rows.aggregate(first=Min(kept.column), last=Max(kept.column))
    if told["first"] is None:
        return []
    month, last = months.month_of(told["first"]), months.month_of(told["last"])
    found = [month]
    while (month := months.next_month(month)) <= last:
        found.append(month)
    return found


def list_away(
    model: str, *, begin: datetime | None = None, end: datetime | None = None
) -> list[date]:
    """Return the months of a table whose rows lie only in files, the oldest first.

    Those that share a moment with [begin, end); a bound that is None is open.
    """
    found = Archive.objects.filter(model=model, restored_at=None, rows__gt=0)
    if begin is not None:
        found = found.filter(ends_at__gt=begin)
    if end is not None:
        found = found.filter(begins_at__lt=end)
    return list(found.order_by("month").values_list("month", flat=True))


@transaction.atomic
def put_away(kept: Kept, month: date, *, at: datetime) -> Archive:
    """Write a month to a file, read it back, and take it out of the database.

    Raises MonthOpenError, ArchiveBrokenError, or what `before_archive` raises; then
    nothing has left the database.

    1. hold the month still, and let its room count what reports need
    2. write the file and its manifest; read the file back
    3. compare with the database; note the archive; only then drop the rows
    """
    if months.next_month(month) > months.month_of(at):
        raise MonthOpenError("audit.month_open", month=f"{month:%m/%Y}")
    months.hold_still(kept, month)
    kept.before_archive(month)
    manifest = _write(kept, month, at)
    name = manifest["file"]
    rows = check_file(folder() / name)
    stored = _rows(kept, month).count()
    if rows != stored:
        raise ArchiveBrokenError("audit.archive_broken", file=name, why="count")
    begin, end = months.bounds(month)
    archive, _fresh = Archive.objects.update_or_create(
        model=kept.model,
        month=month,
        defaults={
            "begins_at": begin,
            "ends_at": end,
            "file": name,
            "rows": rows,
            "size": (folder() / name).stat().st_size,
            "sha256": manifest["sha256"],
            "made_at": at,
            "restored_at": None,
        },
    )
    months.drop_month(kept, month)
    data = {"rows": rows, "file": name, "sha256": archive.sha256}
    record("audit.put_away", target=archive, by=None, at=at, data=data)
    return archive


@transaction.atomic
def restore(kept: Kept, month: date, *, at: datetime) -> int:
    """Put the rows of an archived month back; return how many.

    The archive stays. Raises ArchiveBrokenError, or Archive.DoesNotExist; then
    nothing has changed. Rows that are there already stay as they are.
    """
    archive = Archive.objects.get(model=kept.model, month=month)
    path = folder() / archive.file
    check_file(path, sha256=archive.sha256)
    if months.is_partitioned(kept.table):
        months.ensure(kept, month)
    fields = {field.attname: field for field in kept.rows._meta.concrete_fields}
    present = set(_rows(kept, month).values_list("pk", flat=True))
    done, batch = 0, []
    for told in _read(path):
        if told["id"] in present:
            continue
        values = {name: fields[name].to_python(value) for name, value in told.items()}
        batch.append(kept.rows(**values))
        if len(batch) == BATCH:
            kept.rows._default_manager.bulk_create(batch)
            done, batch = done + len(batch), []
    kept.rows._default_manager.bulk_create(batch)
    done += len(batch)
    if _rows(kept, month).count() != archive.rows:
        raise ArchiveBrokenError("audit.archive_broken", file=archive.file, why="count")
    archive.restored_at = at
    archive.save(update_fields=["restored_at"])
    record("audit.restore", target=archive, by=None, at=at, data={"rows": done})
    return done


def check_file(path: Path, *, sha256: str = "") -> int:
    """Read a file back whole; return its rows. Raises ArchiveBrokenError."""

    def broken(why: str) -> ArchiveBrokenError:
        return ArchiveBrokenError("audit.archive_broken", file=path.name, why=why)

    try:
        manifest = json.loads(_manifest_of(path).read_text(encoding="utf-8"))
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        raise broken("unreadable") from error
    if digest != manifest["sha256"] or (sha256 and digest != sha256):
        raise broken("sha256")
    content, rows = hashlib.sha256(), 0
    try:
        with gzip.open(path, "rb") as lines:
            for line in lines:
                content.update(line)
                rows += 1
    except (OSError, EOFError) as error:
        raise broken("unreadable") from error
    if rows != manifest["rows"] or content.hexdigest() != manifest["content_sha256"]:
        raise broken("rows")
    return rows


def last_archive() -> Archive | None:
    """Return the archive that was made last."""
    return Archive.objects.order_by("-made_at", "-pk").first()


def _rows(kept: Kept, month: date) -> QuerySet[Model]:
    begin, end = months.bounds(month)
    return kept.rows._default_manager.filter(
        **{f"{kept.column}__gte": begin, f"{kept.column}__lt": end}
    )


def _manifest_of(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".jsonl.gz") + ".manifest.json")


def _write(kept: Kept, month: date, at: datetime) -> dict[str, Any]:
    """Write a month's rows and the manifest; both are on the disk when it returns."""
    name = f"{kept.table}/{kept.table}-{month:%Y-%m}.jsonl.gz"
    path = folder() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".part")
    columns = [field.attname for field in kept.rows._meta.concrete_fields]
    rows, content = 0, hashlib.sha256()
    with fresh.open("wb") as raw:
        # Without a name and a time inside, the same rows make the same file.
        with gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
            for line in _lines(kept, month, columns):
                content.update(line)
                packed.write(line)
                rows += 1
        raw.flush()
        os.fsync(raw.fileno())
    with fresh.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    begin, end = months.bounds(month)
    manifest = {
        "format": FORMAT,
        "model": kept.model,
        "table": kept.table,
        "file": name,
        "month": f"{month:%Y-%m}",
        "column": kept.column,
        "begins_at": begin.isoformat(),
        "ends_at": end.isoformat(),
        "columns": [
            {"name": field.attname, "kind": field.get_internal_type()}
            for field in kept.rows._meta.concrete_fields
        ],
        "rows": rows,
        "sha256": digest,
        "content_sha256": content.hexdigest(),
        "highest_id": _rows(kept, month).aggregate(last=Max("pk"))["last"],
        "made_at": at.isoformat(),
        "words": "gzip; one JSON object a line, in UTF-8; moments are ISO 8601 with"
        " their offset; sha256 is of this file, content_sha256 of what it unpacks to",
    }
    _settle(_manifest_of(path), json.dumps(manifest, ensure_ascii=False, indent=1))
    fresh.replace(path)
    _sync_folder(path.parent)
    return manifest


def _lines(kept: Kept, month: date, columns: list[str]) -> Iterator[bytes]:
    found = _rows(kept, month).order_by("pk").values_list(*columns)
    encode = json.JSONEncoder(ensure_ascii=False, default=_plain).encode
    for row in found.iterator(chunk_size=BATCH):
        told = dict(zip(columns, row, strict=True))
        yield (encode(told) + "\n").encode()


def _plain(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in an archive")


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _settle(path: Path, text: str) -> None:
    """Write a small file so that it is whole, or not there."""
    fresh = path.with_suffix(".part")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _sync_folder(path: Path) -> None:
    """Let the names in a folder reach the disk too."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)

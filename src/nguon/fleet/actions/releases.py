"""Releases: brought by one person, approved by another about the file's hash."""

from datetime import datetime

from django.db import IntegrityError, transaction

from nguon.audit import actions as audit
from nguon.core import updates
from nguon.core.errors import ConflictError, InvalidError, RefusedError
from nguon.fleet import access
from nguon.fleet.actions.media import store_media
from nguon.fleet.models import Release
from nguon.people.models import Officer

MAKE = "nguon"
MIMES = {updates.AGENT: "application/zip", updates.FIRMWARE: "application/octet-stream"}
MAX_NOTES = 2_000


def upload_release(
    *,
    data: bytes,
    kind: str,
    make: str,
    version: str,
    notes: str,
    by: Officer,
    at: datetime,
) -> Release:
    """Keep a program for devices; nobody is told of it before it is approved.

    An agent's archive says its version itself. Raises InvalidError (`fleet.release_…`,
    `core.archive_…`, `core.version_malformed`), ConflictError `fleet.release_known`,
    RefusedError `fleet.release_province`.
    """
    access.check_releaser(by, at=at)
    limit = updates.MAX_AGENT_BYTES
    if kind == updates.FIRMWARE:
        limit = updates.MAX_FIRMWARE_BYTES
    elif kind != updates.AGENT:
        raise InvalidError("fleet.release_kind")
    if not 0 < len(data) <= limit:
        raise InvalidError("fleet.release_size", limit=limit // (1024 * 1024))
    if kind == updates.AGENT:
        make, version = MAKE, updates.check_archive(data)
    make = " ".join(make.split())
    if not 0 < len(make) <= 60 or len(notes) > MAX_NOTES:
        raise InvalidError("fleet.release_make", limit=MAX_NOTES)
    updates.order(version)
    try:
        with transaction.atomic():
            media = store_media(data=data, mime=MIMES[kind], duration_ms=0, at=at)
            release = Release.objects.create(
                kind=kind,
                make=make,
                version=version,
                media=media,
                sha256=media.sha256,
                size=media.size,
                notes=notes,
                uploaded_by=by,
                uploaded_at=at,
            )
            told = {"version": version, "sha256": media.sha256}
            audit.record(
                "fleet.release.uploaded", target=release, by=by, at=at, data=told
            )
    except IntegrityError as error:
        raise ConflictError("fleet.release_known", version=version) from error
    return release


@transaction.atomic
def approve_release(
    *, release_id: int, sha256: str, by: Officer, at: datetime
) -> Release:
    """Approve a program by the hash of the file that the approver looked at.

    Raises RefusedError (`fleet.release_own`, `fleet.release_province`), ConflictError
    (`fleet.release_other_hash`, `fleet.release_approved`).
    """
    access.check_releaser(by, at=at)
    release = Release.objects.select_for_update().get(pk=release_id)
    if release.uploaded_by_id == by.pk:
        raise RefusedError("fleet.release_own")
    if release.approved_at is not None:
        raise ConflictError("fleet.release_approved")
    if sha256 != release.sha256:
        raise ConflictError("fleet.release_other_hash")
    release.approved_by, release.approved_at = by, at
    release.approved_sha256 = sha256
    release.save(update_fields=["approved_by", "approved_at", "approved_sha256"])
    audit.record(
        "fleet.release.approved", target=release, by=by, at=at, data={"sha256": sha256}
    )
    return release

"""Files on their way in: begun, appended, taken, forgotten when nobody came back."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Sum

from nguon.core.errors import AbsentError, ConflictError, InvalidError
from nguon.newsroom import rules, uploads
from nguon.newsroom.intake.proposal import clean
from nguon.newsroom.models import Upload
from nguon.people import access as people_access
from nguon.people.models import AUTHOR, Officer


class UploadError(InvalidError):
    """The file, or this piece of it, cannot be taken."""


class OffsetError(ConflictError):
    """The piece does not follow on what is there; `data` says how far it is."""


@transaction.atomic
def begin_upload(*, name: str, size: int, by: Officer, at: datetime) -> Upload:
    """Make room for a file of `size` bytes.

    Raises UploadError (`newsroom.upload_too_big` before a byte is sent,
    `newsroom.upload_too_many`), NoRightError for whoever writes nowhere.
    """
    if not people_access.paths_of(by, at=at, kinds=[AUTHOR]):
        raise people_access.NoRightError(AUTHOR)
    if size <= 0:
        raise UploadError("newsroom.file_empty")
    check_size(size)
    waiting = Upload.objects.filter(owner=by, expires_at__gt=at)
    told = waiting.aggregate(total=Sum("size"))["total"] or 0
    if told + size > rules.UPLOADS_WAITING_BYTES:
        raise UploadError("newsroom.upload_too_many")
    return Upload.objects.create(
        owner=by,
        name=clean(name)[:200],
        size=size,
        created_at=at,
        expires_at=at + timedelta(hours=rules.UPLOAD_HOURS),
    )


def check_size(size: int) -> None:
    """Raise UploadError for a file that is larger than any bulletin needs."""
    if size > rules.UPLOAD_BYTES:
        raise UploadError(
            "newsroom.upload_too_big",
            limit=rules.UPLOAD_BYTES // 1024**2,
            size=size // 1024**2,
        )


def access_upload(*, uid: str, officer: Officer, at: datetime) -> Upload:
    """Return one's own upload that has not expired. Raises AbsentError."""
    found = Upload.objects.filter(uid=uid, owner=officer, expires_at__gt=at).first()
    if found is None:
        raise AbsentError("newsroom.upload_absent")
    return found


@transaction.atomic
def append_upload(
    *, uid: str, offset: int, data: bytes, by: Officer, at: datetime
) -> Upload:
    """Append a piece at `offset`. Raises OffsetError, UploadError, AbsentError."""
    upload = access_upload(uid=uid, officer=by, at=at)
    # One writer at a time, on both databases: whoever moves the offset owns it.
    upload = Upload.objects.select_for_update().get(pk=upload.pk)
    if offset != upload.received:
        raise OffsetError("newsroom.upload_offset", received=upload.received)
    if len(data) > rules.PIECE_BYTES or offset + len(data) > upload.size:
        raise UploadError("newsroom.upload_piece")
    moved = Upload.objects.filter(pk=upload.pk, received=offset).update(
        received=offset + len(data)
    )
    if not moved:
        raise OffsetError("newsroom.upload_offset", received=upload.received)
    uploads.append(upload, data)
    upload.received = offset + len(data)
    return upload


@transaction.atomic
def take_upload(*, uid: str, by: Officer, at: datetime) -> tuple[str, bytes]:
    """Return name and bytes of a whole upload, and take it away.

    Raises UploadError (`newsroom.upload_unfinished`), AbsentError.
    """
    upload = access_upload(uid=uid, officer=by, at=at)
    data = uploads.read(upload)
    if upload.received != upload.size or len(data) != upload.size:
        raise UploadError("newsroom.upload_unfinished")
    upload.delete()
    transaction.on_commit(lambda: uploads.forget(upload))
    return upload.name, data


def forget_uploads(*, at: datetime) -> int:
    """Take away what nobody came back for; return how many."""
    old = list(Upload.objects.filter(expires_at__lte=at)[:200])
    for upload in old:
        uploads.forget(upload)
        upload.delete()
    return len(old)

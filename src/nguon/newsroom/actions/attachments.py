"""Pictures, videos and documents of a draft: made anew, then frozen with a version.

Nothing of a file that came is kept: a picture and a video are decoded and encoded
again, a document loses its scripts. Videos take long, so the worker makes them.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any

from django.db import transaction
from django.db.models import Q

from nguon.audit import actions as audit
from nguon.core.errors import AbsentError, InvalidError
from nguon.core.topics import new_uid
from nguon.fleet import actions as fleet
from nguon.fleet.models import Media
from nguon.newsroom import rules, uploads
from nguon.newsroom.access import access_draft
from nguon.newsroom.actions.renditions import WORKER_LOST
from nguon.newsroom.actions.uploads import check_size
from nguon.newsroom.intake import kinds, limits, reader
from nguon.newsroom.intake.proposal import clean
from nguon.newsroom.models import (
    Attachment,
    Bulletin,
    Editor,
    Upload,
    Version,
    VersionAttachment,
)
from nguon.people.models import Officer

KINDS = {
    kinds.PICTURE: rules.PICTURE,
    kinds.SOUND: rules.VIDEO,
    kinds.PDF: rules.DOCUMENT,
}
MIMES = {
    rules.PICTURE: "image/jpeg",
    rules.VIDEO: "video/mp4",
    rules.DOCUMENT: "application/pdf",
}
# Longer than a video's process may live: a lease that ran out is a killed worker's.
LEASE = timedelta(seconds=limits.VIDEO_WALL_SECONDS + 60)


def add_attachment(
    *, bulletin_id: int, name: str, data: bytes, caption: str, by: Officer, at: datetime
) -> Attachment:
    """Put a picture, a video or a PDF beside a draft; who adds it is an editor.

    The file is opened in a limited process before anything is written. Raises
    InvalidError for what it is not (`newsroom.attachment_kind`), for too many or too
    big ones and for what the file holds; AbsentError, RefusedError.
    """
    access_draft(bulletin_id=bulletin_id, officer=by, at=at)
    check_size(len(data))
    kind = KINDS.get(kinds.tell(data))
    if kind is None:
        raise InvalidError("newsroom.attachment_kind")
    if kind == rules.DOCUMENT and len(data) > rules.DOCUMENT_BYTES:
        raise InvalidError(
            "newsroom.document_too_big", limit=rules.DOCUMENT_BYTES // 1024**2
        )
    # A video is only looked into now: whether it is one, and how long.
    purpose = reader.PROBE if kind == rules.VIDEO else reader.ATTACHED
    taken = limits.read_file(data, purpose=purpose)
    said = clean(caption).replace("\n", " ")
    if kind == rules.DOCUMENT and not said:
        said = clean(PurePath(name).stem)
    return _keep(bulletin_id, kind, said[: rules.CAPTION_LIMIT], data, taken, by, at)


@transaction.atomic
def _keep(
    bulletin_id: int,
    kind: str,
    caption: str,
    data: bytes,
    taken: limits.Taken,
    by: Officer,
    at: datetime,
) -> Attachment:
    bulletin = Bulletin.objects.select_for_update().get(pk=bulletin_id)
    if bulletin.attachments.count() >= rules.MOST_ATTACHED:
        raise InvalidError("newsroom.attachments_too_many", limit=rules.MOST_ATTACHED)
    media = source = None
    if kind == rules.VIDEO:
        source = _keep_source(data, by, at)
    else:
        media = _store(taken.made, MIMES[kind], at=at)
    attachment = Attachment.objects.create(
        bulletin=bulletin,
        kind=kind,
        caption=caption,
        state=Attachment.READY if media else Attachment.ASKED,
        media=media,
        source=source,
        added_by=by,
        added_at=at,
    )
    _note_editor(bulletin, by, at)
    audit.record(
        "newsroom.attachment.added",
        target=bulletin,
        by=by,
        at=at,
        data={"kind": kind, "attachment": attachment.uid},
    )
    return attachment


def _keep_source(data: bytes, by: Officer, at: datetime) -> Upload:
    """Keep a video as it came until the worker has made it anew, a day at most."""
    source = Upload.objects.create(
        owner=by,
        size=len(data),
        created_at=at,
        expires_at=at + timedelta(hours=rules.UPLOAD_HOURS),
    )
    uploads.append(source, data)
    Upload.objects.filter(pk=source.pk).update(received=len(data))
    return source


def _store(data: bytes, mime: str, *, at: datetime, duration_ms: int = 0) -> Media:
    return fleet.store_media(data=data, mime=mime, duration_ms=duration_ms, at=at)


def _note_editor(bulletin: Bulletin, by: Officer, at: datetime) -> None:
    Editor.objects.get_or_create(
        bulletin=bulletin, person=by, defaults={"first_at": at}
    )


@transaction.atomic
def describe_attachment(
    *, bulletin_id: int, uid: str, caption: str, by: Officer, at: datetime
) -> Attachment:
    """Say in a line what is to be seen, for who cannot see it too."""
    attachment = _access(bulletin_id, uid, by, at)
    attachment.caption = clean(caption).replace("\n", " ")[: rules.CAPTION_LIMIT]
    attachment.save(update_fields=["caption"])
    _note_editor(attachment.bulletin, by, at)
    audit.record(
        "newsroom.attachment.described",
        target=attachment.bulletin,
        by=by,
        at=at,
        data={"attachment": uid},
    )
    return attachment


@transaction.atomic
def remove_attachment(*, bulletin_id: int, uid: str, by: Officer, at: datetime) -> None:
    """Take one away from a draft; versions keep theirs. Raises AbsentError."""
    attachment = _access(bulletin_id, uid, by, at)
    source = attachment.source
    attachment.delete()
    if source is not None:
        source.delete()
        transaction.on_commit(lambda: uploads.forget(source))
    _note_editor(attachment.bulletin, by, at)
    audit.record(
        "newsroom.attachment.removed",
        target=attachment.bulletin,
        by=by,
        at=at,
        data={"kind": attachment.kind, "attachment": uid},
    )


def _access(bulletin_id: int, uid: str, by: Officer, at: datetime) -> Attachment:
    bulletin = access_draft(bulletin_id=bulletin_id, officer=by, at=at)
    found = bulletin.attachments.select_related("bulletin", "source")
    attachment = found.filter(uid=uid).first()
    if attachment is None:
        raise AbsentError("newsroom.attachment_absent")
    return attachment


def make_next_video(*, at: datetime) -> Attachment | None:
    """Make the next waiting video anew; return it, or None when none waits.

    1. Take it by a lease; two workers may try, one wins. One that ended its workers
       again and again is given up.
    2. Decode and encode it in a limited process; a hostile file ends only that.
    3. Keep the film and its poster, forget what came. A refusal is its failure.
    """
    open_to_all = Q(state=Attachment.ASKED) | Q(
        state=Attachment.WORKING, lease_until__lte=at
    )
    found = Attachment.objects.filter(open_to_all).order_by("id").first()
    if found is None:
        return None
    mine = Attachment.objects.filter(open_to_all, pk=found.pk, lease=found.lease)
    if found.attempts >= rules.ATTEMPT_LIMIT:
        _fail(mine, WORKER_LOST)
        return found
    lease = new_uid()
    if not mine.update(
        state=Attachment.WORKING,
        lease=lease,
        lease_until=at + LEASE,
        attempts=found.attempts + 1,
    ):
        return found
    held = Attachment.objects.filter(pk=found.pk, lease=lease, state=Attachment.WORKING)
    data = uploads.read(found.source) if found.source else b""
    try:
        taken = limits.read_file(data, purpose=reader.FILM)
    except InvalidError as error:
        _fail(held, error.code)
        return found
    _finish(held, taken, at)
    return found


def _fail(mine: Any, code: str) -> None:
    mine.update(state=Attachment.FAILED, failure=code, lease="", lease_until=None)


@transaction.atomic
def _finish(held: Any, taken: limits.Taken, at: datetime) -> None:
    attachment = held.select_for_update(of=("self",)).select_related("source").first()
    if attachment is None:
        return  # It was taken away, or over, meanwhile: nobody waits for this film.
    attachment.media = _store(
        taken.made,
        MIMES[rules.VIDEO],
        at=at,
        duration_ms=taken.facts["duration_ms"],
    )
    attachment.poster = _store(taken.poster, MIMES[rules.PICTURE], at=at)
    source, attachment.source = attachment.source, None
    attachment.state, attachment.lease = Attachment.READY, ""
    attachment.lease_until = None
    attachment.save()
    if source is not None:
        source.delete()
        transaction.on_commit(lambda: uploads.forget(source))


def ready_attachments(bulletin: Bulletin) -> list[Attachment]:
    """Return what a draft shows, each made and clean, for `freeze_version`.

    Raises DraftError `newsroom.attachment_not_ready`, `newsroom.attachment_failed`.
    """
    found = list(bulletin.attachments.select_related("media", "poster"))
    for one in found:
        if one.state == Attachment.FAILED:
            raise rules.DraftError("newsroom.attachment_failed")
        if one.state != Attachment.READY:
            raise rules.DraftError("newsroom.attachment_not_ready")
    return found


def freeze_attachments(version: Version, shown: Sequence[Attachment]) -> None:
    """Write what a version shows beside its text; for `freeze_version` alone."""
    VersionAttachment.objects.bulk_create(
        VersionAttachment(
            version=version,
            place=place,
            kind=one.kind,
            caption=one.caption,
            media=one.media,
            poster=one.poster,
        )
        for place, one in enumerate(shown, start=1)
    )


def content_of(shown: Sequence[Attachment]) -> list[dict[str, str]]:
    """Return what is hashed of these: the very bytes and the words beside them."""
    return [
        {
            "kind": one.kind,
            "caption": one.caption,
            "sha256": one.media.sha256 if one.media else "",
            "poster": one.poster.sha256 if one.poster else "",
        }
        for one in shown
    ]

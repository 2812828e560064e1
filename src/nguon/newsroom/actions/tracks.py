"""Asking for a recording in a minority language, taking it, and reminding of it."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from nguon.audit import actions as audit
from nguon.core.errors import ConflictError
from nguon.newsroom import rules
from nguon.newsroom.access import access_draft
from nguon.newsroom.actions.recordings import decode_recording, keep_recording
from nguon.newsroom.intake.proposal import clean
from nguon.newsroom.models import Bulletin, TrackTask
from nguon.newsroom.tracks import access_track
from nguon.people import access as people_access
from nguon.people import actions as people
from nguon.people.models import AUTHOR, Officer

LATE_LIMIT = 50


@transaction.atomic
def ask_track(
    *,
    bulletin_id: int,
    language: str,
    assigned: Officer | None,
    speaker: str = "",
    phone: str = "",
    due_at: datetime,
    by: Officer,
    at: datetime,
) -> TrackTask:
    """Ask an officer, or somebody by name and phone, for a recording until `due_at`.

    An officer must hold the author's role there, to be let in. Raises DraftError
    (`newsroom.track_language`, `track_speaker_missing`, `track_due_past`),
    ConflictError when one is asked for already, AbsentError, NoRightError.
    """
    bulletin = access_draft(bulletin_id=bulletin_id, officer=by, at=at)
    if language == "vi" or language not in rules.LANGUAGES:
        raise rules.DraftError("newsroom.track_language")
    name, number = clean(speaker)[:120], clean(phone)[:20]
    if assigned is None and not (name and number):
        raise rules.DraftError("newsroom.track_speaker_missing")
    if assigned is not None:
        if not people_access.can(assigned, AUTHOR, unit=bulletin.unit, at=at):
            raise rules.DraftError("newsroom.track_officer_cannot")
        name = number = ""
    if due_at <= at:
        raise rules.DraftError("newsroom.track_due_past")
    # The lock makes two who ask at once wait for each other.
    Bulletin.objects.select_for_update().get(pk=bulletin.pk)
    asked = TrackTask.objects.filter(bulletin=bulletin, state=rules.TRACK_ASKED)
    if asked.filter(language=language).exists():
        raise ConflictError("newsroom.track_asked_already")
    task = TrackTask.objects.create(
        bulletin=bulletin,
        language=language,
        assigned=assigned,
        speaker=name,
        phone=number,
        due_at=due_at,
        asked_by=by,
        asked_at=at,
    )
    people.notify(
        officers=[assigned] if assigned else [],
        subject=f"Cần bản ghi {rules.LANGUAGES[language]}: {bulletin.shown_title}",
        body=f"{by.full_name} nhờ bạn đọc. Mở tin, ghi âm ngay trên điện thoại.",
        url=f"/ban-tin/ban-ghi/{task.pk}/",
        at=at,
    )
    audit.record(
        "newsroom.track.asked", target=task, by=by, at=at, data={"language": language}
    )
    return task


@transaction.atomic
def save_track_text(*, key: int, text: str, by: Officer, at: datetime) -> TrackTask:
    """Keep the translation beside the sound. Raises DraftError, AbsentError."""
    task = access_track(key=key, officer=by, at=at)
    access_draft(bulletin_id=task.bulletin_id, officer=by, at=at)
    cleaned = clean(text)
    if len(cleaned) > rules.BODY_LIMIT:
        raise rules.DraftError(
            "newsroom.body_too_long", limit=rules.BODY_LIMIT, length=len(cleaned)
        )
    task.text = cleaned
    task.save(update_fields=["text"])
    audit.record("newsroom.track.translated", target=task, by=by, at=at)
    return task


def record_track(
    *,
    key: int,
    data: bytes,
    between_ms: tuple[int, int | None] = (0, None),
    by: Officer,
    at: datetime,
) -> TrackTask:
    """Take the recording of a task; the bulletin has this language from now on.

    Whoever records is an editor of the bulletin like any other. Raises ConflictError
    `newsroom.track_over`, and what `decode_recording` raises; then nothing is kept.
    """
    seen = access_track(key=key, officer=by, at=at)
    draft = access_draft(bulletin_id=seen.bulletin_id, officer=by, at=at)
    _check_open(seen)
    sound = decode_recording(data, drill=draft.drill, between_ms=between_ms)
    with transaction.atomic():
        task = TrackTask.objects.select_for_update().get(pk=key)
        _check_open(task)
        bulletin = Bulletin.objects.select_for_update().get(pk=task.bulletin_id)
        if task.language not in bulletin.languages:
            kept = {*bulletin.languages, task.language}
            bulletin.languages = [one for one in rules.LANGUAGES if one in kept]
            bulletin.revision = F("revision") + 1
            bulletin.saved_by, bulletin.saved_at = by, at
            bulletin.save(
                update_fields=["languages", "revision", "saved_by", "saved_at"]
            )
        task.recording = keep_recording(
            bulletin=bulletin, language=task.language, sound=sound, by=by, at=at
        )
        task.state, task.ended_at = rules.TRACK_RECORDED, at
        task.save(update_fields=["recording", "state", "ended_at"])
        if task.asked_by_id != by.pk:
            people.notify(
                officers=[task.asked_by],
                subject=f"Đã có bản ghi {rules.LANGUAGES[task.language]}: "
                f"{seen.bulletin.shown_title}",
                body=f"{by.full_name} đã ghi. Hãy nghe, rồi gửi duyệt.",
                url=f"/ban-tin/{seen.bulletin.uid}/viet/",
                at=at,
            )
        audit.record("newsroom.track.recorded", target=task, by=by, at=at)
    return task


@transaction.atomic
def drop_track(*, key: int, by: Officer, at: datetime) -> TrackTask:
    """Ask no longer. Raises ConflictError `newsroom.track_over`, AbsentError."""
    task = access_track(key=key, officer=by, at=at)
    access_draft(bulletin_id=task.bulletin_id, officer=by, at=at)
    _check_open(task)
    task.state, task.ended_at = rules.TRACK_DROPPED, at
    task.save(update_fields=["state", "ended_at"])
    audit.record("newsroom.track.dropped", target=task, by=by, at=at)
    return task


@transaction.atomic
def tell_late_tracks(*, at: datetime) -> int:
    """Tell of recordings that are due, once each; return how many.

    Who was asked learns of it, and who asked: they decide what villages will hear.
    """
    late = TrackTask.objects.filter(
        state=rules.TRACK_ASKED, due_at__lte=at, late_told_at=None
    ).select_related("bulletin", "assigned", "asked_by")
    told = 0
    for task in late.order_by("due_at")[:LATE_LIMIT]:
        if not TrackTask.objects.filter(pk=task.pk, late_told_at=None).update(
            late_told_at=at
        ):
            continue
        people.notify(
            officers=[who for who in (task.assigned, task.asked_by) if who],
            subject=f"Trễ bản ghi {rules.LANGUAGES[task.language]}: "
            f"{task.bulletin.shown_title}",
            body="Chưa có bản ghi thì các làng ấy chỉ nghe tiếng Việt.",
            url=f"/ban-tin/ban-ghi/{task.pk}/",
            at=at,
        )
        told += 1
    return told


def _check_open(task: TrackTask) -> None:
    if task.state != rules.TRACK_ASKED:
        raise ConflictError("newsroom.track_over")

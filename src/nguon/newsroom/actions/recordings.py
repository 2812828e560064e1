"""A person's voice for one language of a draft, brought to the air's level."""

from datetime import datetime

from django.db import transaction

from nguon.audit import actions as audit
from nguon.core import signing
from nguon.fleet import actions as fleet
from nguon.fleet.models import Media
from nguon.newsroom import rules
from nguon.newsroom.access import access_draft
from nguon.newsroom.intake import limits, reader
from nguon.newsroom.models import Bulletin, Editor, Recording, Rendition
from nguon.people.models import Officer
from nguon.speech import chain
from nguon.speech.render import Rendered

PERSON = "person"


def attach_recording(
    *,
    bulletin_id: int,
    language: str,
    data: bytes,
    between_ms: tuple[int, int | None] = (0, None),
    by: Officer,
    at: datetime,
) -> Recording:
    """Make a recording the sound of one language of a draft.

    The newest recording counts; the file is decoded, levelled and checked before
    anything is written; `between_ms` is the part that is kept. Raises DraftError
    (`newsroom.recording_too_big`, `newsroom.language_not_chosen`), and InvalidError
    for what is no sound, is too long or silent.
    """
    bulletin = access_draft(bulletin_id=bulletin_id, officer=by, at=at)
    if language not in bulletin.languages:
        raise rules.DraftError("newsroom.language_not_chosen", language=language)
    sound = decode_recording(data, drill=bulletin.drill, between_ms=between_ms)
    return keep_recording(
        bulletin=bulletin, language=language, sound=sound, by=by, at=at
    )


def decode_recording(
    data: bytes, *, drill: bool, between_ms: tuple[int, int | None]
) -> Rendered:
    """Decode, level and check a person's voice; it takes seconds and writes nothing.

    Raises DraftError `newsroom.recording_too_big`, and InvalidError for what is no
    sound, is too long or silent.
    """
    if len(data) > rules.RECORDING_BYTES:
        raise rules.DraftError(
            "newsroom.recording_too_big", limit=rules.RECORDING_BYTES, size=len(data)
        )
    taken = limits.read_file(
        data,
        purpose=reader.RECORDING,
        options=reader.Options(rules.RECORDING_SECONDS, drill, *between_ms),
    )
    return Rendered(mp3=taken.made, **taken.facts["sound"])


@transaction.atomic
def keep_recording(
    *, bulletin: Bulletin, language: str, sound: Rendered, by: Officer, at: datetime
) -> Recording:
    """Keep a sound that is on the air's level already as a person's recording."""
    media = fleet.store_media(
        data=sound.mp3, mime=chain.MIME, duration_ms=sound.duration_ms, at=at
    )
    recording = Recording.objects.create(
        bulletin=bulletin,
        language=language,
        rendition=_rendition(media, language, sound, at),
        recorded_by=by,
        recorded_at=at,
    )
    Editor.objects.get_or_create(
        bulletin=bulletin, person=by, defaults={"first_at": at}
    )
    audit.record(
        "newsroom.recording.attached",
        target=bulletin,
        by=by,
        at=at,
        data={"language": language, "sha256": media.sha256},
    )
    return recording


def _rendition(media: Media, language: str, sound: Rendered, at: datetime) -> Rendition:
    rendition, _fresh = Rendition.objects.get_or_create(
        key=signing.content_hash({"recording": media.sha256, "language": language}),
        defaults={
            "language": language,
            "voice": PERSON,
            "chain": chain.VERSION,
            "spoken_text": sound.spoken_text,
            "state": Rendition.READY,
            "asked_at": at,
            "retry_at": at,
            "ready_at": at,
            "media": media,
            "duration_ms": sound.duration_ms,
            "loudness_lufs": sound.loudness_lufs,
            "true_peak_dbtp": sound.true_peak_dbtp,
            "peaks": sound.peaks,
        },
    )
    return rendition

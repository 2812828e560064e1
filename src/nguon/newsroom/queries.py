"""Reads of the newsroom that join or decide; they change nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from nguon.fleet.models import Media
from nguon.newsroom.actions.renditions import rendition_key
from nguon.newsroom.dictionary import Dictionary, dictionary_of, spoken_of
from nguon.newsroom.manner import manner_of
from nguon.newsroom.models import (
    Bulletin,
    Editor,
    Intake,
    Recording,
    Rendition,
    Version,
    VersionAttachment,
)
from nguon.speech import chain


def list_sounds(version: Version) -> list[Rendition]:
    """Return the sounds of a version in the order of its languages."""
    by_language = {
        sound.language: sound.rendition
        for sound in version.sounds.select_related(
            "rendition__media", "rendition__compact"
        )
    }
    return [by_language[language] for language in version.languages]


def is_ready(version: Version) -> bool:
    """Say whether every sound of a version can be heard."""
    return all(sound.state == Rendition.READY for sound in list_sounds(version))


def list_failures(version: Version) -> list[Rendition]:
    """Return the sounds of a version that could not be made."""
    return [sound for sound in list_sounds(version) if sound.state == Rendition.FAILED]


def list_attached(version: Version) -> list[VersionAttachment]:
    """Return what a version shows beside its text, in its order."""
    return list(version.attachments.select_related("media", "poster"))


def find_latest_version(bulletin: Bulletin) -> Version | None:
    """Return the newest version of a bulletin, or None before the first."""
    return bulletin.versions.order_by("-number").first()


def has_edited(bulletin: Bulletin, person_id: int) -> bool:
    """Say whether a person ever touched a bulletin, and so may not approve it."""
    return Editor.objects.filter(bulletin=bulletin, person_id=person_id).exists()


def list_bulletins(seen: QuerySet[Bulletin], *, limit: int = 100) -> Sequence[Bulletin]:
    """Return the bulletins of a fenced queryset, the latest saved first."""
    return list(
        seen.select_related("unit", "saved_by").order_by("-saved_at", "-id")[:limit]
    )


def find_intake(bulletin: Bulletin) -> Intake | None:
    """Return what a draft was proposed from, or None when it was written."""
    return Intake.objects.filter(bulletin=bulletin).select_related("picture").first()


@dataclass(frozen=True)
class DraftSound:
    """What can be heard of a draft in one language, before it is sent."""

    language: str
    rendition: Rendition | None
    recorded: bool
    speakable: bool


def list_draft_sounds(bulletin: Bulletin) -> list[DraftSound]:
    """Return, for each language of a draft as it stands, its sound if there is one."""
    dictionary = dictionary_of(bulletin.unit)
    return [_draft_sound(bulletin, one, dictionary) for one in bulletin.languages]


def _draft_sound(
    bulletin: Bulletin, language: str, dictionary: Dictionary
) -> DraftSound:
    recording = (
        Recording.objects.filter(bulletin=bulletin, language=language)
        .select_related("rendition__media", "rendition__compact")
        .order_by("-id")
        .first()
    )
    if recording is not None:
        return DraftSound(language, recording.rendition, recorded=True, speakable=True)
    voices = chain.VOICES.get(language)
    if not voices:
        return DraftSound(language, None, recorded=False, speakable=False)
    key = rendition_key(
        spoken=spoken_of(bulletin, dictionary, language=language),
        language=language,
        manner=manner_of(bulletin.manner, language=language),
    )
    found = Rendition.objects.filter(key=key).select_related("media", "compact").first()
    return DraftSound(language, found, recorded=False, speakable=True)


def find_media(bulletin: Bulletin, *, sha256: str) -> Media | None:
    """Return a file that belongs to a bulletin: to a version, a recording, the draft.

    Whoever may open the bulletin may hear it; nobody else finds the file.
    """
    belongs = Q(renditions__sounds__version__bulletin=bulletin) | Q(
        renditions__in=Recording.objects.filter(bulletin=bulletin).values("rendition")
    )
    belongs |= Q(intakes__bulletin=bulletin)
    for name in ("attachments", "posters"):
        belongs |= Q(**{f"{name}__bulletin": bulletin})
        belongs |= Q(**{f"version_{name}__version__bulletin": bulletin})
    belongs |= Q(compact_of__sounds__version__bulletin=bulletin) | Q(
        compact_of__in=Recording.objects.filter(bulletin=bulletin).values("rendition")
    )
    media = Media.objects.filter(belongs, sha256=sha256).distinct().first()
    if media is not None:
        return media
    for sound in list_draft_sounds(bulletin):
        made = sound.rendition
        for found in (made.media, made.compact) if made else ():
            if found is not None and found.sha256 == sha256:
                return found
    return None

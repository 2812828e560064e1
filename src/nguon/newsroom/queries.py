"""Reads of the newsroom that join or decide; they change nothing."""

from collections.abc import Sequence

from django.db.models import QuerySet

from nguon.newsroom.models import Bulletin, Editor, Rendition, Version


def list_sounds(version: Version) -> list[Rendition]:
    """Return the sounds of a version in the order of its languages."""
    by_language = {
        sound.language: sound.rendition
        for sound in version.sounds.select_related("rendition__media")
    }
    return [by_language[language] for language in version.languages]


def is_ready(version: Version) -> bool:
    """Say whether every sound of a version can be heard."""
    return all(sound.state == Rendition.READY for sound in list_sounds(version))


def list_failures(version: Version) -> list[Rendition]:
    """Return the sounds of a version that could not be made."""
    return [sound for sound in list_sounds(version) if sound.state == Rendition.FAILED]


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

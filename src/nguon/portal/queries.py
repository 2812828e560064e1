"""What the public may read: released bulletins and nothing before that."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from nguon.core.errors import AbsentError
from nguon.fleet.models import Media
from nguon.newsroom import queries as newsroom
from nguon.newsroom.models import Rendition, VersionAttachment
from nguon.newsroom.rules import CLASSES, FIELDS, LANGUAGES
from nguon.schedule import queries as schedule
from nguon.schedule.models import Broadcast
from nguon.territory import names
from nguon.territory.models import COMMUNE, Unit
from nguon.territory.queries import list_on_map


@dataclass(frozen=True)
class PublicSound:
    """One language of a bulletin as it can be heard; `size` in bytes, of the copy."""

    code: str
    language: str
    duration_ms: int
    size: int
    has_compact: bool


@dataclass(frozen=True)
class PublicNotice:
    """One released bulletin as the public reads it."""

    broadcast: Broadcast
    title: str
    text: str
    label: str
    field: str
    is_alarm: bool
    is_drill: bool
    sounds: Sequence[PublicSound]
    attached: Sequence[VersionAttachment]


def list_communes(text: str, *, at: datetime) -> list[Unit]:
    """Return today's communes that match a search, or that broadcast, by name."""
    communes = Unit.objects.as_of(at.date()).filter(kind=COMMUNE)
    if text.strip():
        communes = communes.filter(folded__contains=names.fold(text))
    else:
        communes = communes.filter(carried__isnull=False).distinct()
    return list(communes.select_related("parent").order_by("folded", "pk")[:200])


def get_commune(name: str, *, at: datetime) -> Unit:
    """Return a commune of today by its id or its code. Raises AbsentError."""
    communes = Unit.objects.as_of(at.date()).filter(kind=COMMUNE)
    unit = communes.filter(Q(uid=name) | Q(code=name)).select_related("parent").first()
    if unit is None:
        raise AbsentError("portal.page_absent")
    return unit


def list_heirs(name: str, *, at: datetime) -> list[Unit]:
    """Return today's communes on the ground of a past one, by its id or its code.

    Where a page once was, people are led to who speaks there now.
    """
    past = Unit.objects.filter(Q(uid=name) | Q(code=name), kind=COMMUNE)
    ended = past.filter(valid_to__lte=at.date()).order_by("-valid_to").first()
    return list_on_map([ended], day=at.date()) if ended else []


def list_notices(unit: Unit, *, at: datetime) -> list[PublicNotice]:
    """Return a commune's released bulletins: running emergencies, then the newest.

    A drill never stands above what is real.
    """
    found = [_notice(row, at=at) for row in schedule.list_public(unit, at=at)]
    return sorted(
        found,
        key=lambda notice: (not notice.is_alarm, notice.is_alarm and notice.is_drill),
    )


def get_sound(
    unit: Unit, broadcast: str, language: str, *, at: datetime, compact: bool = False
) -> Media:
    """Return the sound of a released bulletin in a language, else in its first one.

    `compact` is the smaller copy. Raises AbsentError for what is not released, or not
    any more.
    """
    found = schedule.find_public(unit, broadcast, at=at)
    if found is None:
        raise AbsentError("portal.page_absent")
    heard = {
        sound.language: sound.compact if compact else sound.media
        for sound in newsroom.list_sounds(found.version)
    }
    sounds = {code: media for code, media in heard.items() if media is not None}
    media = sounds.get(language) or next(iter(sounds.values()), None)
    if media is None:
        raise AbsentError("portal.page_absent")
    return media


def get_attached(unit: Unit, broadcast: str, sha256: str, *, at: datetime) -> Media:
    """Return a picture, video or document of a released bulletin. Raises AbsentError.

    What a version does not show itself is not here, whoever knows its hash.
    """
    found = schedule.find_public(unit, broadcast, at=at)
    for one in newsroom.list_attached(found.version) if found else ():
        for media in (one.media, one.poster):
            if media is not None and media.sha256 == sha256:
                return media
    raise AbsentError("portal.page_absent")


def _sound(made: Rendition) -> PublicSound:
    smallest = made.compact or made.media
    return PublicSound(
        code=made.language,
        language=LANGUAGES[made.language],
        duration_ms=made.duration_ms,
        size=smallest.size if smallest else 0,
        has_compact=made.compact is not None,
    )


def _notice(broadcast: Broadcast, *, at: datetime) -> PublicNotice:
    version = broadcast.version
    expires = broadcast.expires_at
    return PublicNotice(
        broadcast=broadcast,
        title=version.shown_title,
        text=version.shown_text,
        label=CLASSES[version.klass],
        field=FIELDS[version.field],
        is_alarm=version.klass == "emergency" and bool(expires and expires > at),
        is_drill=version.drill,
        sounds=[_sound(one) for one in newsroom.list_sounds(version)],
        attached=newsroom.list_attached(version),
    )

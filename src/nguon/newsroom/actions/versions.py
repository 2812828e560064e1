"""Freezing: a draft becomes a version that never changes again."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from nguon.audit import actions as audit
from nguon.core import signing
from nguon.newsroom import rules
from nguon.newsroom.access import access_draft
from nguon.newsroom.actions.attachments import (
    content_of,
    freeze_attachments,
    ready_attachments,
)
from nguon.newsroom.actions.channels import chosen_texts, freeze_channels
from nguon.newsroom.actions.drafts import draft_of
from nguon.newsroom.actions.renditions import ask_rendition
from nguon.newsroom.dictionary import Dictionary, dictionary_of
from nguon.newsroom.models import (
    Bulletin,
    Editor,
    Involvement,
    Recording,
    Rendition,
    Version,
    VersionRendition,
)
from nguon.people.models import Officer


@transaction.atomic
def freeze_version(*, bulletin_id: int, by: Officer, at: datetime) -> Version:
    """Freeze the draft as a new version and ask for its sounds.

    1. Check that the draft is whole.
    2. Find or ask for one sound per language: a person's recording, else a voice.
    3. Hash the content together with the names of its sounds.
    4. Write the version, its sounds, channels and pictures, every editor so far.

    Raises DraftError, `newsroom.recording_missing` for a language without a voice.
    """
    access_draft(bulletin_id=bulletin_id, officer=by, at=at)
    # Locked, so that two who freeze at once get two numbers, one after the other.
    bulletin = Bulletin.objects.select_for_update().get(pk=bulletin_id)
    draft = draft_of(bulletin)
    rules.check_draft(draft, drill=bulletin.drill)
    rules.check_ready(draft)
    rules.check_not_expired(draft.expires_on, day=timezone.localdate(at))
    dictionary = dictionary_of(bulletin.unit)
    sounds = {
        language: _find_sound(bulletin, language, dictionary, at=at)
        for language in bulletin.languages
    }
    texts = chosen_texts(bulletin)
    shown = ready_attachments(bulletin)

    latest = bulletin.versions.aggregate(latest=Max("number"))["latest"] or 0
    version = Version.objects.create(
        bulletin=bulletin,
        number=latest + 1,
        title=bulletin.title,
        body=bulletin.body,
        klass=bulletin.klass,
        field=bulletin.field,
        languages=bulletin.languages,
        drill=bulletin.drill,
        supplier=bulletin.supplier,
        dictionary_number=dictionary.number,
        content_sha256=signing.content_hash(
            _content(bulletin, sounds, texts)
            | {"dictionary": dictionary.number, "attachments": content_of(shown)}
        ),
        created_by=by,
        created_at=at,
    )
    VersionRendition.objects.bulk_create(
        VersionRendition(version=version, language=language, rendition=sound)
        for language, sound in sounds.items()
    )
    freeze_channels(version, texts)
    freeze_attachments(version, shown)
    # Whoever sends a bulletin on answers for it like its writers.
    Editor.objects.get_or_create(
        bulletin=bulletin, person=by, defaults={"first_at": at}
    )
    Involvement.objects.bulk_create(
        Involvement(version=version, person_id=person, kind=Involvement.EDIT, at=at)
        for person in bulletin.editors.order_by("id").values_list(
            "person_id", flat=True
        )
    )
    audit.record(
        "newsroom.version.frozen",
        target=version,
        by=by,
        at=at,
        data={"content_sha256": version.content_sha256},
    )
    return version


def _find_sound(
    bulletin: Bulletin, language: str, dictionary: Dictionary, *, at: datetime
) -> Rendition:
    recording = (
        Recording.objects.filter(bulletin=bulletin, language=language)
        .select_related("rendition")
        .order_by("-id")
        .first()
    )
    if recording is not None:
        return recording.rendition
    return ask_rendition(
        text=rules.written_text(title=bulletin.title, body=bulletin.body),
        language=language,
        drill=bulletin.drill,
        klass=bulletin.klass,
        at=at,
        dictionary=dictionary.words,
        manner=bulletin.manner,
    )


def _content(
    bulletin: Bulletin, sounds: dict[str, Rendition], texts: dict[str, str]
) -> dict[str, Any]:
    return {
        "bulletin": bulletin.uid,
        "unit": bulletin.unit.uid,
        "title": bulletin.title,
        "body": bulletin.body,
        "class": bulletin.klass,
        "field": bulletin.field,
        "languages": bulletin.languages,
        "drill": bulletin.drill,
        "supplier": bulletin.supplier_id,
        "corrects": bulletin.corrects.uid if bulletin.corrects else None,
        "sounds": {language: sound.key for language, sound in sounds.items()},
        "channels": texts,
    }

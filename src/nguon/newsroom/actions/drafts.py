"""Drafts: made once, then saved again and again while somebody types."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from nguon.audit import actions as audit
from nguon.core.errors import ConflictError
from nguon.newsroom import rules
from nguon.newsroom.access import access_bulletin, access_draft
from nguon.newsroom.manner import keepable
from nguon.newsroom.models import Bulletin, Editor
from nguon.people import access as people_access
from nguon.people.models import Officer
from nguon.speech.voice import Manner
from nguon.territory.models import Unit
from nguon.territory.names import fold


class DraftChangedError(ConflictError):
    """Somebody else saved in between; `data` holds both texts, nothing is lost."""


@transaction.atomic
def create_bulletin(
    *,
    unit: Unit,
    draft: rules.Draft,
    drill: bool = False,
    corrects: str | None = None,
    by: Officer,
    at: datetime,
) -> Bulletin:
    """Begin a bulletin of a unit; drill or real is decided here and stays.

    `corrects` is the uid of the bulletin that this one sets right. Raises
    DraftError, RefusedError without the right to write there, AbsentError.
    """
    people_access.check_can(by, "author", unit=unit, at=at)
    rules.check_draft(draft, drill=drill)
    corrected = None
    if corrects is not None:
        corrected = access_bulletin(uid=corrects, officer=by, at=at)
        rules.check_correction(drill=drill, corrected_drill=corrected.drill)
        rules.check_correction_class(klass=draft.klass, corrected_klass=corrected.klass)

    bulletin = Bulletin.objects.create(
        unit=unit,
        title=draft.title,
        body=draft.body,
        folded=fold(f"{draft.title} {draft.body}"),
        klass=draft.klass,
        field=draft.field,
        languages=list(draft.languages),
        drill=drill,
        corrects=corrected,
        created_by=by,
        created_at=at,
        saved_by=by,
        saved_at=at,
    )
    Editor.objects.create(bulletin=bulletin, person=by, first_at=at)
    audit.record("newsroom.bulletin.created", target=bulletin, by=by, at=at)
    return bulletin


@transaction.atomic
def save_draft(
    *,
    bulletin_id: int,
    revision: int,
    draft: rules.Draft,
    by: Officer,
    at: datetime,
) -> Bulletin:
    """Keep what was typed on top of `revision`; whoever saves is an editor.

    A save that repeats what is already kept changes nothing, so a browser may send
    again after a lost answer. Raises DraftError, DraftChangedError with both texts.
    """
    bulletin = access_draft(bulletin_id=bulletin_id, officer=by, at=at)
    rules.check_draft(draft, drill=bulletin.drill)
    if bulletin.corrects:
        rules.check_correction_class(
            klass=draft.klass, corrected_klass=bulletin.corrects.klass
        )
    if bulletin.saved_by_id == by.pk and _kept(bulletin) == draft:
        return bulletin

    changed = Bulletin.objects.filter(pk=bulletin_id, revision=revision).update(
        title=draft.title,
        body=draft.body,
        folded=fold(f"{draft.title} {draft.body}"),
        klass=draft.klass,
        field=draft.field,
        languages=list(draft.languages),
        revision=F("revision") + 1,
        saved_by=by,
        saved_at=at,
    )
    if not changed:
        raise _conflict(bulletin, draft)
    Editor.objects.get_or_create(
        bulletin=bulletin, person=by, defaults={"first_at": at}
    )
    bulletin.refresh_from_db()
    return bulletin


@transaction.atomic
def choose_manner(
    *, bulletin_id: int, manner: Manner, by: Officer, at: datetime
) -> Bulletin:
    """Have a draft read by this voice, so fast, so high, so loud; an edit like any.

    Raises UnknownVoiceError, InvalidError `speech.manner_unsafe`, AbsentError,
    RefusedError.
    """
    bulletin = access_draft(bulletin_id=bulletin_id, officer=by, at=at)
    chosen = keepable(manner)
    Bulletin.objects.filter(pk=bulletin_id).update(
        manner=chosen, revision=F("revision") + 1, saved_by=by, saved_at=at
    )
    Editor.objects.get_or_create(
        bulletin=bulletin, person=by, defaults={"first_at": at}
    )
    audit.record(
        "newsroom.bulletin.manner_chosen", target=bulletin, by=by, at=at, data=chosen
    )
    bulletin.refresh_from_db()
    return bulletin


def _kept(bulletin: Bulletin) -> rules.Draft:
    return rules.Draft(
        title=bulletin.title,
        body=bulletin.body,
        klass=bulletin.klass,
        field=bulletin.field,
        languages=tuple(bulletin.languages),
    )


def _conflict(bulletin: Bulletin, draft: rules.Draft) -> DraftChangedError:
    bulletin.refresh_from_db()
    return DraftChangedError(
        "newsroom.draft_changed",
        revision=bulletin.revision,
        saved_by=bulletin.saved_by.full_name,
        kept_title=bulletin.title,
        kept_body=bulletin.body,
        your_title=draft.title,
        your_body=draft.body,
    )

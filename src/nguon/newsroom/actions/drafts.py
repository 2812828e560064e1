"""Drafts: made once, then saved again and again while somebody types."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from nguon.audit import actions as audit
from nguon.core.errors import ConflictError
from nguon.newsroom import rules, search
from nguon.newsroom.access import access_bulletin, access_draft
from nguon.newsroom.manner import keepable
from nguon.newsroom.models import Bulletin, Editor, Revision
from nguon.newsroom.supply import suppliers_of
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
    _check_supplier(draft, unit, kept=None)
    corrected = None
    if corrects is not None:
        corrected = access_bulletin(uid=corrects, officer=by, at=at)
        rules.check_correction(drill=drill, corrected_drill=corrected.drill)
        rules.check_correction_class(
            klass=draft.klass, corrected_klass=_class_of(corrected)
        )

    bulletin = Bulletin.objects.create(
        unit=unit,
        title=draft.title,
        body=draft.body,
        folded=fold(f"{draft.title} {draft.body}"),
        klass=draft.klass,
        field=draft.field,
        languages=list(draft.languages),
        expires_on=draft.expires_on,
        supplier_id=draft.supplier,
        drill=drill,
        corrects=corrected,
        created_by=by,
        created_at=at,
        saved_by=by,
        saved_at=at,
    )
    Editor.objects.create(bulletin=bulletin, person=by, first_at=at)
    search.index_bulletin(bulletin)
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
    _check_supplier(draft, bulletin.unit, kept=bulletin.supplier_id)
    if bulletin.corrects:
        rules.check_correction_class(
            klass=draft.klass, corrected_klass=_class_of(bulletin.corrects)
        )
    if bulletin.saved_by_id == by.pk and draft_of(bulletin) == draft:
        return bulletin

    changed = Bulletin.objects.filter(pk=bulletin_id, revision=revision).update(
        title=draft.title,
        body=draft.body,
        folded=fold(f"{draft.title} {draft.body}"),
        klass=draft.klass,
        field=draft.field,
        languages=list(draft.languages),
        expires_on=draft.expires_on,
        supplier_id=draft.supplier,
        revision=F("revision") + 1,
        saved_by=by,
        saved_at=at,
    )
    if not changed:
        raise _conflict(bulletin, draft)
    _keep_earlier(bulletin, draft, by, at)
    Editor.objects.get_or_create(
        bulletin=bulletin, person=by, defaults={"first_at": at}
    )
    bulletin.refresh_from_db()
    search.index_bulletin(bulletin)
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


def _check_supplier(draft: rules.Draft, unit: Unit, *, kept: int | None) -> None:
    """Refuse a source that this unit's list does not have: DraftError.

    One that the draft names already may stay, though its list ended it since.
    """
    if draft.supplier in {None, kept}:
        return
    if draft.supplier not in {supplier.pk for supplier in suppliers_of(unit)}:
        raise rules.DraftError("newsroom.supplier_absent")


def _class_of(corrected: Bulletin) -> str:
    """Return the gravest class that a bulletin has or ever had when it was sent."""
    if corrected.versions.filter(klass=rules.EMERGENCY).exists():
        return rules.EMERGENCY
    return corrected.klass


def _keep_earlier(
    bulletin: Bulletin, draft: rules.Draft, by: Officer, at: datetime
) -> None:
    """Keep the text that this save goes over, unless it is the same hand's of now."""
    same_text = (bulletin.title, bulletin.body) == (draft.title, draft.body)
    fresh = at - bulletin.saved_at < timedelta(minutes=rules.KEPT_AFTER_MINUTES)
    if same_text or not bulletin.body or (fresh and bulletin.saved_by_id == by.pk):
        return
    Revision.objects.create(
        bulletin=bulletin,
        number=bulletin.revision,
        title=bulletin.title,
        body=bulletin.body,
        saved_by=bulletin.saved_by,
        saved_at=bulletin.saved_at,
    )


def draft_of(bulletin: Bulletin) -> rules.Draft:
    """Return the draft that is kept."""
    return rules.Draft(
        title=bulletin.title,
        body=bulletin.body,
        klass=bulletin.klass,
        field=bulletin.field,
        languages=tuple(bulletin.languages),
        expires_on=bulletin.expires_on,
        supplier=bulletin.supplier_id,
    )


@transaction.atomic
def reuse_bulletin(*, uid: str, unit: Unit, by: Officer, at: datetime) -> Bulletin:
    """Begin a new draft of `unit` with the text of a bulletin of the library.

    Sounds, dates and approvals are not taken along; a drill stays a drill. Raises
    AbsentError for what the officer may not see, RefusedError without the right.
    """
    source = access_bulletin(uid=uid, officer=by, at=at)
    known = {supplier.pk for supplier in suppliers_of(unit)}
    named = source.supplier_id if source.supplier_id in known else None
    fresh = create_bulletin(
        unit=unit,
        draft=replace(draft_of(source), expires_on=None, supplier=named),
        drill=source.drill,
        by=by,
        at=at,
    )
    fresh.copied_from = source
    fresh.save(update_fields=["copied_from"])
    audit.record(
        "newsroom.bulletin.reused",
        target=fresh,
        by=by,
        at=at,
        data={"source": source.uid},
    )
    return fresh


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

"""What the newsroom's forms send, read into drafts. Rules are elsewhere."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest, QueryDict

from nguon.core import typed
from nguon.newsroom import rules
from nguon.newsroom.actions.uploads import take_upload
from nguon.people import access as people_access
from nguon.people.answers import officer_of
from nguon.people.models import AUTHOR
from nguon.territory.models import Unit

DRILL = "drill"


def read_draft(sent: QueryDict, *, start: rules.Draft, today: date) -> rules.Draft:
    """Read a draft; what is not sent stays as in `start`.

    Browsers send line ends as CR LF; they are kept as LF, so that a text means the
    same whoever typed it.
    """
    languages = tuple(sent.getlist("languages")) or start.languages
    return rules.Draft(
        title=rules.without_unseen(sent.get("title", start.title)).strip(),
        body=rules.without_unseen(sent.get("body", start.body)).replace("\r\n", "\n"),
        klass=sent.get("klass", start.klass),
        field=read_number(sent.get("field"), start.field),
        languages=languages if "languages_sent" not in sent else _chosen(sent),
        expires_on=read_day(sent.get("expires_on"), start.expires_on, today=today),
        supplier=_read_supplier(sent.get("supplier"), start.supplier),
    )


def _chosen(sent: QueryDict) -> tuple[str, ...]:
    """Return the ticked languages, Vietnamese first as on the form."""
    ticked = sent.getlist("languages")
    return tuple(language for language in rules.LANGUAGES if language in ticked)


def _read_supplier(text: str | None, default: int | None) -> int | None:
    """Read the key of a source; an empty choice is none."""
    if text is None:
        return default
    return read_number(text, 0) if text else None


def read_number(text: str | None, default: int) -> int:
    """Read a whole number; anything else is 0, which no rule takes."""
    if text is None:
        return default
    return int(text) if text.isascii() and text.isdigit() else 0


def read_day(text: str | None, default: date | None, *, today: date) -> date | None:
    """Read a day as it was typed; an empty box is no day at all.

    Raises DraftError (`newsroom.day_unreadable`).
    """
    if text is None:
        return default
    try:
        return typed.read_day(text, today=today) if text.strip() else None
    except ValueError as error:
        raise rules.DraftError("newsroom.day_unreadable", day=text[:20]) from error


def read_kind(request: HttpRequest) -> tuple[str, bool]:
    """Read the kind of a new bulletin: its class, and whether it is a drill."""
    kind = request.POST.get("kind", rules.NORMAL)
    if kind == DRILL:
        return rules.EMERGENCY, True
    drill = request.POST.get("drill") in {"1", "true", "on"}
    return kind, drill


def choices(draft: rules.Draft) -> Mapping[str, Any]:
    """Return what the editor offers."""
    return {
        "classes": rules.CLASSES.items(),
        "fields": rules.FIELDS.items(),
        "languages": [
            (code, name, code in draft.languages)
            for code, name in rules.LANGUAGES.items()
        ],
        "title_limit": rules.TITLE_LIMIT,
        "body_limit": rules.BODY_LIMIT,
    }


def unit_to_write_for(request: HttpRequest, at: datetime) -> Unit:
    """Return the unit that a new bulletin is for: the chosen one, else the first.

    Raises NoRightError for whoever writes nowhere, AbsentError for foreign ground.
    """
    officer = officer_of(request)
    uid = request.POST.get("unit")
    if uid:
        return people_access.access_unit(officer, uid, at=at)
    units = people_access.units_of(officer, at=at, kinds=[AUTHOR])
    if not units:
        raise people_access.NoRightError(AUTHOR)
    return units[0]


def read_recording(request: HttpRequest, at: datetime) -> bytes:
    """Return the recording: sent in pieces before, or with this form.

    Raises DraftError when there is none, or one too big.
    """
    if request.POST.get("upload"):
        officer = officer_of(request)
        return take_upload(uid=request.POST["upload"], by=officer, at=at)[1]
    sent = request.FILES.get("recording")
    if sent is None:
        raise rules.DraftError("newsroom.recording_not_sent")
    if sent.size is not None and sent.size > rules.RECORDING_BYTES:
        raise rules.DraftError(
            "newsroom.recording_too_big", limit=rules.RECORDING_BYTES, size=sent.size
        )
    data: bytes = sent.read()
    return data

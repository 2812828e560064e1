"""Reads what officers type: moments, names of colleagues."""

import unicodedata
from datetime import datetime

from django.http import HttpRequest
from django.utils import timezone

from nguon.core import typed
from nguon.core.errors import AbsentError, InvalidError
from nguon.people.models import Officer


def read_text(request: HttpRequest, name: str) -> str:
    """Return what was typed into a field; empty when there is none.

    Raises InvalidError for control characters: no database takes them all.
    """
    text = request.POST.get(name, "")
    if any(unicodedata.category(letter) == "Cc" for letter in text):
        raise InvalidError("people.text_unreadable")
    return text


def read_edge(request: HttpRequest, name: str, *, at: datetime) -> datetime:
    """Return where a period begins (`from`) or ends (`to`).

    A page sends a day and a clock, a program one moment. Raises InvalidError.
    """
    text = read_text(request, f"{name}_at") or " ".join(
        read_text(request, f"{name}_{part}") for part in ("clock", "day")
    )
    try:
        return typed.read_moment(
            text,
            zone=timezone.get_default_timezone(),
            today=timezone.localdate(at),
        )
    except (ValueError, OverflowError) as error:
        raise InvalidError("people.moment_unreadable", text=text[:30]) from error


def find_officer(username: str) -> Officer:
    """Return who signs in with this name. Raises AbsentError."""
    name = username.strip().lower()[:60]
    officer = Officer.objects.filter(username__iexact=name).first()
    if officer is None:
        raise AbsentError("people.username_absent", username=name)
    return officer

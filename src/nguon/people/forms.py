"""Reads what officers type: moments, names of colleagues."""

from datetime import datetime

from django.utils import timezone

from nguon.core.errors import AbsentError, InvalidError
from nguon.people.models import Officer


def read_moment(text: str) -> datetime:
    """Return the moment of a `datetime-local` field, local time.

    Raises InvalidError for anything else.
    """
    try:
        moment = datetime.fromisoformat(text)
        return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
    except (ValueError, OverflowError) as error:
        raise InvalidError("people.moment_unreadable", text=text[:30]) from error


def find_officer(username: str) -> Officer:
    """Return who signs in with this name. Raises AbsentError."""
    name = username.strip().lower()[:60]
    officer = Officer.objects.filter(username__iexact=name).first()
    if officer is None:
        raise AbsentError("people.username_absent", username=name)
    return officer

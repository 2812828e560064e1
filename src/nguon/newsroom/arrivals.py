"""Reads of what came in by itself: the list, one text, a receipt, the feeds."""

import secrets
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from nguon.core.errors import AbsentError
from nguon.newsroom import rules
from nguon.newsroom.models import Arrival, NewsFeed
from nguon.people import access as people_access
from nguon.people.models import AUTHOR, Officer
from nguon.territory.names import fold

# Nothing that is taken for another sign when it is read over the telephone.
_SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_RECEIPT_LENGTH = 12


def list_arrivals(
    officer: Officer, *, at: datetime, text: str = "", below: bool = False
) -> QuerySet[Arrival]:
    """Return what came in for an officer's own units, what waits first, newest first.

    `below`: also for every unit on their ground. `text` searches title, text and
    source, accents optional.
    """
    seen = people_access.fence(Arrival.objects.all(), officer=officer, at=at)
    if not below:
        seen = seen.filter(unit__in=people_access.units_of(officer, at=at))
    for word in fold(text).split():
        seen = seen.filter(folded__contains=word)
    found = seen.annotate(is_open=Q(state=rules.ARRIVED))
    related = ("unit", "decided_by", "bulletin", "supplier", "corrects__bulletin")
    return found.select_related(*related).order_by("-is_open", "-arrived_at", "-pk")


def access_arrival(*, uid: str, officer: Officer, at: datetime) -> Arrival:
    """Return a text on an officer's ground. Raises AbsentError for any other."""
    found = list_arrivals(officer, at=at, below=True).filter(uid=uid).first()
    if found is None:
        raise AbsentError("newsroom.arrival_absent")
    return found


def count_arrivals(officer: Officer, *, at: datetime) -> int:
    """Return how many texts wait for an author's own units."""
    units = people_access.units_of(officer, at=at, kinds=[AUTHOR])
    return Arrival.objects.filter(unit__in=units, state=rules.ARRIVED).count()


def list_feeds(officer: Officer, *, at: datetime, text: str = "") -> QuerySet[NewsFeed]:
    """Return the feeds on an officer's ground by name, with how many texts wait."""
    seen = people_access.fence(NewsFeed.objects.all(), officer=officer, at=at)
    waiting = Count("arrivals", filter=Q(arrivals__state=rules.ARRIVED))
    found = seen.filter(ended_at=None).annotate(waiting=waiting)
    words = fold(text).split()
    if words:
        keys = [
            feed.pk
            for feed in found.select_related("supplier")
            if all(word in fold(f"{feed.name} {feed.supplier.name}") for word in words)
        ]
        found = found.filter(pk__in=keys)
    return found.select_related("unit", "supplier").order_by("name", "pk")


def new_receipt() -> str:
    """Return a code that nobody guesses: 12 signs, 58 bits."""
    return "".join(secrets.choice(_SIGNS) for _sign in range(_RECEIPT_LENGTH))


def find_receipt(typed: str) -> Arrival | None:
    """Return what a receipt's code is about, however it was typed."""
    code = "".join(sign for sign in typed.upper() if sign.isalnum())
    if len(code) != _RECEIPT_LENGTH:
        return None
    return Arrival.objects.select_related("unit").filter(receipt=code).first()

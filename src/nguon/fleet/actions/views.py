"""The filters of the list of devices that an officer keeps for themselves."""

from datetime import datetime

from django.db import transaction

from nguon.audit import actions as audit
from nguon.core.errors import InvalidError
from nguon.fleet.models import SavedView
from nguon.people.models import Officer

MAX_VIEWS = 20


@transaction.atomic
def save_view(*, name: str, query: str, by: Officer, at: datetime) -> SavedView:
    """Keep a filter under a name; the same name is written over.

    Raises InvalidError: `fleet.view_name`, `fleet.views_many`.
    """
    words = " ".join(name.split())
    if not 0 < len(words) <= 60 or not 0 < len(query) <= 400:
        raise InvalidError("fleet.view_name")
    held = SavedView.objects.filter(officer=by)
    if held.exclude(name=words).count() >= MAX_VIEWS:
        raise InvalidError("fleet.views_many", limit=MAX_VIEWS)
    view, _fresh = SavedView.objects.update_or_create(
        officer=by, name=words, defaults={"query": query}
    )
    audit.record("fleet.view.saved", target=view, by=by, at=at)
    return view


@transaction.atomic
def forget_view(*, view_id: int, by: Officer, at: datetime) -> None:
    """Drop one of an officer's own filters; another's is left alone."""
    view = SavedView.objects.filter(pk=view_id, officer=by).first()
    if view is not None:
        audit.record("fleet.view.forgotten", target=view, by=by, at=at)
        view.delete()

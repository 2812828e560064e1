"""Reads of the recordings that are asked for in minority languages."""

from datetime import datetime

from django.db.models import Q, QuerySet

from nguon.core.errors import AbsentError
from nguon.newsroom import rules
from nguon.newsroom.models import TrackTask
from nguon.people import access as people_access
from nguon.people.models import Officer
from nguon.territory.names import fold


def list_tracks(
    officer: Officer, *, at: datetime, text: str = "", mine: bool = False
) -> QuerySet[TrackTask]:
    """Return the tasks of an officer's ground: what is open first, the soonest due.

    `mine`: asked of this officer, or by them of somebody without an account.
    """
    seen = people_access.fence(
        TrackTask.objects.all(), officer=officer, at=at, unit="bulletin__unit"
    )
    for word in fold(text).split():
        seen = seen.filter(bulletin__folded__contains=word)
    if mine:
        seen = seen.filter(Q(assigned=officer) | Q(assigned=None, asked_by=officer))
    related = ("bulletin__unit", "assigned", "asked_by", "recording")
    found = seen.annotate(is_open=Q(state=rules.TRACK_ASKED))
    return found.select_related(*related).order_by("-is_open", "due_at", "pk")


def access_track(*, key: int, officer: Officer, at: datetime) -> TrackTask:
    """Return a task on an officer's ground. Raises AbsentError for any other."""
    task = list_tracks(officer, at=at).filter(pk=key).first()
    if task is None:
        raise AbsentError("newsroom.track_absent")
    return task

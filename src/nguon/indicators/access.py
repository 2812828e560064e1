"""Who sees and draws listening samples: a round's unit all of it, others their part.

A commune within a round of the province sees the villages that lie on its own ground
and what they answered, with the codes of their pages; of the others nothing.
"""

from datetime import datetime

from django.db.models import Q, QuerySet

from nguon.core.errors import AbsentError
from nguon.indicators.models import ListeningPlace, ListeningRound
from nguon.people import access
from nguon.people.models import APPROVER, AUTHOR, Officer
from nguon.territory.models import Unit

DRAWERS = (AUTHOR, APPROVER)


def fence_places(officer: Officer, *, at: datetime) -> QuerySet[ListeningPlace]:
    """Keep the drawn villages of an officer's ground, and of the rounds of it."""
    rows = ListeningPlace.objects.all()
    mine = access.fence(rows, officer=officer, at=at, unit="village")
    whole = access.fence(rows, officer=officer, at=at, unit="round__unit")
    return rows.filter(Q(pk__in=mine.values("pk")) | Q(pk__in=whole.values("pk")))


def fence_rounds(officer: Officer, *, at: datetime) -> QuerySet[ListeningRound]:
    """Keep the rounds of which an officer may see all or a part."""
    rows = ListeningRound.objects.all()
    whole = access.fence(rows, officer=officer, at=at)
    part = fence_places(officer, at=at).values("round")
    return rows.filter(Q(pk__in=whole.values("pk")) | Q(pk__in=part))


def access_round(officer: Officer, uid: str, *, at: datetime) -> ListeningRound:
    """Return a round that this officer may see. Raises AbsentError."""
    related = ("unit", "bulletin", "drawn_by", "ended_by")
    found = fence_rounds(officer, at=at).select_related(*related).filter(uid=uid)
    one = found.first()
    if one is None:
        raise AbsentError("indicators.listening_absent")
    return one


def may_draw(officer: Officer, unit: Unit, *, at: datetime) -> bool:
    """Say whether an officer draws and ends the samples of a unit."""
    return any(access.can(officer, kind, unit=unit, at=at) for kind in DRAWERS)


def check_drawer(officer: Officer, unit: Unit, *, at: datetime) -> None:
    """Refuse whoever draws no sample here. Raises AbsentError, NoRightError."""
    if not may_draw(officer, unit, at=at):
        access.check_can(officer, AUTHOR, unit=unit, at=at)

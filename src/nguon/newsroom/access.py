"""Who may open which bulletin; a foreign one looks as if it were not there."""

from datetime import datetime

from nguon.core.errors import AbsentError
from nguon.newsroom.models import Bulletin
from nguon.people import access as people_access
from nguon.people.models import Officer


def access_bulletin(*, uid: str, officer: Officer, at: datetime) -> Bulletin:
    """Return a bulletin that the officer may see.

    Raises AbsentError for one that is not there, or lies in a foreign unit.
    """
    seen = people_access.fence(Bulletin.objects.all(), officer=officer, at=at)
    bulletin = seen.select_related("unit", "created_by", "saved_by").filter(uid=uid)
    for found in bulletin:
        return found
    raise AbsentError("newsroom.bulletin_absent")


def access_draft(*, bulletin_id: int, officer: Officer, at: datetime) -> Bulletin:
    """Return a bulletin that the officer may write.

    Raises AbsentError for a foreign one, RefusedError without the author's right.
    """
    seen = people_access.fence(Bulletin.objects.all(), officer=officer, at=at)
    bulletin = seen.filter(pk=bulletin_id).select_related("unit").first()
    if bulletin is None:
        raise AbsentError("newsroom.bulletin_absent")
    people_access.check_can(officer, "author", unit=bulletin.unit, at=at)
    return bulletin

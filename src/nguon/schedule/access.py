"""Who may see a broadcast. What is not on an officer's ground is absent for them."""

from datetime import datetime

from nguon.core.errors import AbsentError
from nguon.people import access
from nguon.people.models import Officer
from nguon.schedule.models import Broadcast


def access_broadcast(*, uid: str, officer: Officer, at: datetime) -> Broadcast:
    """Return a broadcast on an officer's ground. Raises AbsentError for any other."""
    seen = access.fence(Broadcast.objects.filter(uid=uid), officer=officer, at=at)
    related = ("version__bulletin", "unit", "submitted_by", "approved_by")
    broadcast = seen.select_related(*related).first()
    if broadcast is None:
        raise AbsentError("schedule.broadcast_absent")
    return broadcast

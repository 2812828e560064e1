"""Who may see a broadcast. What is not on an officer's ground is absent for them."""

from datetime import datetime

from nguon.core.errors import AbsentError
from nguon.people.models import Officer
from nguon.schedule.models import Broadcast
from nguon.schedule.queries import fence_broadcasts


def access_broadcast(*, uid: str, officer: Officer, at: datetime) -> Broadcast:
    """Return a broadcast that concerns an officer's ground.

    Issued there, or sounding there from above. Raises AbsentError for any other.
    """
    seen = fence_broadcasts(Broadcast.objects.filter(uid=uid), officer=officer, at=at)
    people = ("submitted_by", "approved_by")
    related = ("version__bulletin", "unit", "authority", *people)
    broadcast = seen.select_related(*related).first()
    if broadcast is None:
        raise AbsentError("schedule.broadcast_absent")
    return broadcast


def lock_broadcast(uid: str) -> Broadcast:
    """Return a broadcast to be changed, locked where locks exist; rights are unasked.

    Raises AbsentError.
    """
    broadcast = (
        Broadcast.objects.select_for_update(of=("self",))
        .select_related("version__bulletin__corrects", "unit", "submitted_by")
        .filter(uid=uid)
        .first()
    )
    if broadcast is None:
        raise AbsentError("schedule.broadcast_absent")
    return broadcast

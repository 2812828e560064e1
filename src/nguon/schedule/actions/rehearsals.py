"""The chore that settles rehearsals: the answers of repaired devices are compared."""

from datetime import datetime

from nguon.fleet import actions as fleet
from nguon.fleet.models import DeviceEvent, Rehearsal
from nguon.schedule import rehearsals

AT_ONCE = 200


def judge_rehearsals(*, at: datetime) -> int:
    """Compare the newest answer of each device that rehearses; return how many agreed.

    An answer given before the repair was done says nothing.
    """
    waiting = Rehearsal.objects.filter(ended_at__isnull=True, asked_at__isnull=False)
    rows = waiting.select_related("device__unit__parent").order_by("asked_at", "pk")
    found = {row.uid: row for row in rows[:AT_ONCE]}
    if not found:
        return 0
    newest: dict[str, DeviceEvent] = {}
    events = DeviceEvent.objects.filter(type="rehearsed", item__in=list(found))
    for event in events.order_by("pk"):
        row = found[event.item]
        fresh = row.asked_at is not None and event.stored_at >= row.asked_at
        if event.device_id == row.device_id and not event.fault and fresh:
            newest[event.item] = event
    agreed = 0
    for uid, event in newest.items():
        row = found[uid]
        if event.pk == row.event_id and row.found:
            continue
        finding = rehearsals.examine(row, event)
        settled = fleet.settle_rehearsal(
            rehearsal_id=row.pk,
            event=event,
            agreed=finding.agreed,
            found=finding.data,
            at=at,
        )
        agreed += settled and finding.agreed
    return agreed

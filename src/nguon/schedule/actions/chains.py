"""The step before an approval, and reminding whoever lets somebody wait."""

import logging
from datetime import datetime

from django.db import transaction

from nguon.audit import actions as audit
from nguon.core.errors import ConflictError
from nguon.newsroom import actions as newsroom
from nguon.newsroom.models import Involvement
from nguon.people import access
from nguon.people import actions as people
from nguon.people import queries as people_queries
from nguon.people.models import APPROVER, Officer
from nguon.schedule import chains, rules
from nguon.schedule.access import lock_broadcast
from nguon.schedule.models import Broadcast
from nguon.territory.models import Unit

logger = logging.getLogger(__name__)


@transaction.atomic
def check_broadcast(
    *, broadcast_uid: str, sha256: str, by: Officer, at: datetime
) -> Broadcast:
    """Agree as the first of two: then another approver is asked.

    Raises OwnBulletinError, ChangedError, AlreadyApprovedError, NoRightError,
    AbsentError, ConflictError (`schedule.one_step`, not waiting).
    """
    broadcast = lock_broadcast(broadcast_uid)
    access.check_can(by, APPROVER, unit=broadcast.unit, at=at)
    rules.check_move(old=broadcast.state, new=rules.APPROVED)
    if broadcast.steps != 2:
        raise ConflictError("schedule.one_step")
    version = broadcast.version
    newsroom.record_check(version_id=version.pk, sha256=sha256, by=by, at=at)
    broadcast.remind_at = at + chains.due_after(broadcast.unit, version, at=at)
    broadcast.reminders = 0
    broadcast.save(update_fields=["remind_at", "reminders"])
    people.notify(
        officers=list_deciders(broadcast, at=at),
        subject=f"Chờ duyệt: {version.shown_title}",
        body=f"{by.full_name} đã kiểm tra; cần người khác duyệt.",
        url=f"/duyet/{broadcast.uid}/",
        at=at,
    )
    audit.record(
        "schedule.broadcast.checked",
        target=broadcast,
        by=by,
        at=at,
        data={"sha256": sha256},
    )
    return broadcast


def list_deciders(broadcast: Broadcast, *, at: datetime) -> list[Officer]:
    """Return who can take the next step now: nobody who wrote or checked it."""
    touched = Involvement.objects.filter(version=broadcast.version)
    return people_queries.list_approvers(
        broadcast.unit,
        at=at,
        without=frozenset(touched.values_list("person_id", flat=True)),
    )


def remind_waiting(*, at: datetime) -> int:
    """Remind whoever lets a bulletin wait; return how many bulletins.

    From the second time on, approvers above are told too, and the sender learns whom
    to phone. Each pause is twice the one before. One that fails holds up no other.
    """
    due = Broadcast.objects.filter(
        state=rules.WAITING,
        remind_at__lte=at,
        reminders__lt=chains.MOST_REMINDERS,
    )
    done = 0
    for key in list(due.order_by("remind_at", "pk").values_list("pk", flat=True)[:200]):
        try:
            done += _remind(key, at=at)
        except Exception:
            logger.exception("nobody could be reminded of broadcast #%s", key)
    return done


@transaction.atomic
def _remind(key: int, *, at: datetime) -> bool:
    rows = Broadcast.objects.select_for_update(of=("self",))
    broadcast = rows.select_related("version", "unit", "submitted_by").get(pk=key)
    if broadcast.state != rules.WAITING or broadcast.remind_at is None:
        return False
    version = broadcast.version
    deciders = list_deciders(broadcast, at=at)
    asked = list(deciders)
    if broadcast.reminders:
        above = Unit.objects.filter(pk__in=broadcast.unit.ancestor_ids)
        asked += people_queries.list_holders_in(above, kind=APPROVER, at=at)
    broadcast.reminders += 1
    pause = chains.due_after(broadcast.unit, version, at=at) * 2**broadcast.reminders
    broadcast.remind_at = at + pause
    broadcast.save(update_fields=["reminders", "remind_at"])
    waited = int((at - broadcast.submitted_at).total_seconds() // 60)
    people.notify(
        officers=asked,
        subject=f"Vẫn chờ duyệt: {version.shown_title}",
        body=f"{broadcast.submitted_by.full_name} gửi, đã chờ {waited} phút.",
        url=f"/duyet/{broadcast.uid}/",
        urgent=version.klass == "emergency" and not version.drill,
        at=at,
    )
    names = ", ".join(f"{one.full_name} {one.phone}".strip() for one in deciders[:3])
    people.notify(
        officers=[broadcast.submitted_by],
        subject=f"Chưa ai duyệt: {version.shown_title}",
        body=f"Đã nhắc lần {broadcast.reminders}. Có thể gọi: {names or 'chưa có ai'}.",
        url=f"/ban-tin/{version.bulletin.uid}/",
        at=at,
    )
    return True

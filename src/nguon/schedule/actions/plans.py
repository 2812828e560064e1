"""The plan of a unit: what its devices sound for eight days, signed and numbered."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from nguon.core.messages import MAX_ITEMS_PER_PLAN, Plan
from nguon.core.signing import content_hash
from nguon.fleet import actions as fleet
from nguon.people.models import Officer
from nguon.schedule import rules
from nguon.schedule.items import ItemMaker, milliseconds
from nguon.schedule.models import Airing, Broadcast, UnitPlan
from nguon.territory.models import Unit

logger = logging.getLogger(__name__)

# Plans reach this much less than eight days ahead when they are renewed.
RENEW_BEFORE = timedelta(days=7)


@transaction.atomic
def build_plan(*, unit: Unit, by: Officer | None, at: datetime) -> bool:
    """Publish a unit's plan when its content has changed; say whether it has.

    1. Make the airings that have come into the window.
    2. Collect the items, the quiet hours, and hash them.
    3. Sign and publish only what differs from the plan in force.
    """
    begin, end = at - rules.PAST, at + rules.WINDOW
    broadcasts = list(
        Broadcast.objects.filter(state=rules.APPROVED, carriers=unit)
        .exclude(version__klass="emergency")
        .select_related("version__bulletin", "unit")
        .order_by("pk")
    )
    makers = {broadcast.pk: ItemMaker(broadcast) for broadcast in broadcasts}
    for maker in makers.values():
        _make_airings(maker, begin=at, end=end)
    airings = Airing.objects.filter(
        broadcast__in=makers, ends_at__gt=begin, starts_at__lt=end
    ).order_by("starts_at", "pk")[:MAX_ITEMS_PER_PLAN]
    plan = Plan(
        unit=unit.uid,
        number=0,
        starts_at=milliseconds(begin),
        ends_at=milliseconds(end),
        items=tuple(makers[row.broadcast_id].item(row) for row in airings),
        quiet=_quiet(begin=begin, end=end),
    )
    items = [item.encode() for item in plan.items]
    content = content_hash({"items": items, "quiet": settings.QUIET_HOURS})
    held = UnitPlan.objects.filter(unit=unit).first()
    if held and held.content_sha256 == content and held.ends_at > at + RENEW_BEFORE:
        return False
    fleet.publish_plan(unit=unit, body=plan.body(), by=by, at=at)
    UnitPlan.objects.update_or_create(
        unit=unit,
        defaults={"content_sha256": content, "built_at": at, "ends_at": end},
    )
    return True


def roll_plans(*, at: datetime) -> int:
    """Renew the plans whose window nears its end; return how many.

    A unit whose plan breaks is logged; the others get theirs.
    """
    ageing = UnitPlan.objects.filter(ends_at__lte=at + RENEW_BEFORE)
    rolled = 0
    for unit in Unit.objects.filter(plan__in=ageing).order_by("pk"):
        try:
            rolled += build_plan(unit=unit, by=None, at=at)
        except Exception:
            logger.exception("plan of unit #%s could not be rolled on", unit.pk)
    return rolled


def make_now_airing(maker: ItemMaker, *, at: datetime) -> Airing:
    """Write the airing of a broadcast that begins with its release."""
    airing = maker.airing(at)
    airing.save(force_insert=True)
    return airing


def _make_airings(maker: ItemMaker, *, begin: datetime, end: datetime) -> None:
    starts = rules.starts_between(maker.broadcast.when, begin=begin, end=end)
    Airing.objects.bulk_create(
        [maker.airing(start) for start in starts], ignore_conflicts=True
    )


def _quiet(*, begin: datetime, end: datetime) -> tuple[tuple[int, int], ...]:
    hours = rules.QuietHours.parse(settings.QUIET_HOURS)
    if hours is None:
        return ()
    return tuple(
        (milliseconds(start), milliseconds(stop))
        for start, stop in hours.intervals(begin=begin, end=end)
    )

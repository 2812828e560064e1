"""The plan of a unit: what its devices sound for eight days, signed and numbered."""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from nguon.core.errors import InvalidError
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

    Raises InvalidError for more items than a device takes, CannotSignError.
    """
    begin, end = at - rules.PAST, at + rules.WINDOW
    makers = {row.pk: ItemMaker(row) for row in _list_relevant(unit, begin, end)}
    _make_airings(makers.values(), begin=begin, end=end)
    airings = list(
        Airing.objects.filter(
            broadcast__in=makers, ends_at__gt=begin, starts_at__lt=end
        ).order_by("starts_at", "pk")[: MAX_ITEMS_PER_PLAN + 1]
    )
    if len(airings) > MAX_ITEMS_PER_PLAN:
        raise InvalidError("schedule.plan_full", limit=MAX_ITEMS_PER_PLAN)
    plan = Plan(
        unit=unit.uid,
        number=0,
        starts_at=milliseconds(begin),
        ends_at=milliseconds(end),
        items=tuple(makers[row.broadcast_id or 0].item(row) for row in airings),
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

    A unit whose plan cannot be made keeps the old one and holds up no other.
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


def _list_relevant(unit: Unit, begin: datetime, end: datetime) -> list[Broadcast]:
    """Return the released broadcasts that may have an airing in `[begin, end)`.

    A day is added before, for sounds that began earlier. What is long over stays
    out, so that a release costs the same after years.
    """
    early = begin - timedelta(days=1)
    in_window = (
        Q(timing=rules.ONCE, starts_at__gte=early, starts_at__lt=end)
        | Q(timing__in=rules.AT_RELEASE, approved_at__gte=early)
        | Q(
            timing=rules.DAILY,
            first_date__lte=end.astimezone(rules.LOCAL).date(),
            last_date__gte=early.astimezone(rules.LOCAL).date(),
        )
    )
    # What communes decide on sounds only in the programmes that take it.
    found = Broadcast.objects.filter(
        in_window, state=rules.APPROVED, carriers=unit, offers=None
    )
    return list(
        found.exclude(version__klass="emergency")
        .select_related("version__bulletin", "unit")
        .prefetch_related("units", "devices", "version__sounds__rendition__media")
        .order_by("pk")
    )


def _make_airings(
    makers: Collection[ItemMaker], *, begin: datetime, end: datetime
) -> None:
    """Write the airings that have come into the window; none lies before release."""
    wanted = [
        maker.airing(start)
        for maker in makers
        for start in rules.starts_between(
            maker.broadcast.when,
            begin=max(begin, maker.broadcast.approved_at or begin),
            end=end,
        )
    ]
    known = set(
        Airing.objects.filter(
            broadcast__in=[maker.broadcast for maker in makers], starts_at__gte=begin
        ).values_list("item", flat=True)
    )
    Airing.objects.bulk_create(
        [airing for airing in wanted if airing.item not in known],
        ignore_conflicts=True,
    )


def _quiet(*, begin: datetime, end: datetime) -> tuple[tuple[int, int], ...]:
    hours = rules.QuietHours.parse(settings.QUIET_HOURS)
    if hours is None:
        return ()
    return tuple(
        (milliseconds(start), milliseconds(stop))
        for start, stop in hours.intervals(begin=begin, end=end)
    )

"""The plan of a unit: what its devices sound for eight days, signed and numbered.

Made of released broadcasts and of the papers in force. The window is whole local
days, so that nothing changes with the mere passing of a minute; only what differs
from the plan in force is signed. Whatever the number of units, the questions to the
database are the same few.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from nguon.core.errors import InvalidError
from nguon.core.messages import MAX_ITEMS_PER_PLAN, Item, Plan
from nguon.core.signing import content_hash
from nguon.fleet import actions as fleet
from nguon.fleet.models import ACTIVE, Device
from nguon.people.models import Officer
from nguon.schedule import compile as compiler
from nguon.schedule import rules
from nguon.schedule.compile import Planned, Span
from nguon.schedule.items import ItemMaker, milliseconds
from nguon.schedule.models import Airing, Broadcast, Paper, UnitPlan
from nguon.schedule.papers import Shelf, read_shelf
from nguon.territory.models import COMMUNE, Unit

logger = logging.getLogger(__name__)

# Plans reach this much less than eight days ahead when they are renewed.
RENEW_BEFORE = timedelta(days=7)
# How many plans are made in one transaction: all of a province's communes.
AT_ONCE = 150


def build_plan(*, unit: Unit, by: Officer | None, at: datetime) -> bool:
    """Publish a unit's plan when its content has changed; say whether it has.

    Raises InvalidError for more items than a device takes, CannotSignError.
    """
    return bool(build_plans(units=[unit], by=by, at=at))


@transaction.atomic
def build_plans(
    *, units: Sequence[Unit], by: Officer | None, at: datetime
) -> list[Unit]:
    """Publish the plans of these units that have changed; return whose have.

    1. Read the broadcasts that they carry and the papers in force, all at once.
    2. Write the airings that are new, and withdraw those that will not be.
    3. Hash window, items, hours and order; sign and publish only what differs.

    Raises InvalidError for more items than a device takes, CannotSignError; then
    none of the plans has changed.
    """
    found = list({unit.pk: unit for unit in units}.values())
    if not found:
        return []
    # Two who change one plan at once wait for each other where locks exist.
    keys = sorted(unit.pk for unit in found)
    list(Unit.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk"))
    build = _Build(found, at)
    plans = {unit.pk: build.plan_of(unit) for unit in found}
    build.write_airings()
    held = {row.unit_id: row for row in UnitPlan.objects.filter(unit__in=found)}
    changed = []
    for unit in found:
        body = plans[unit.pk].body()
        sha256 = content_hash(body)
        old = held.get(unit.pk)
        if old and old.content_sha256 == sha256 and old.ends_at > at + RENEW_BEFORE:
            continue
        changed.append(fleet.UnitBody(unit, body, sha256, plans[unit.pk].version))
    if changed:
        fleet.publish_plans(plans=changed, by=by, at=at)
        _keep(changed, ends_at=build.span.end, at=at)
    return [plan.unit for plan in changed]


def _keep(plans: Sequence[fleet.UnitBody], *, ends_at: datetime, at: datetime) -> None:
    """Write down what the plans in force are made of."""
    UnitPlan.objects.bulk_create(
        [
            UnitPlan(
                unit=plan.unit,
                content_sha256=plan.sha256,
                built_at=at,
                ends_at=ends_at,
            )
            for plan in plans
        ],
        update_conflicts=True,
        unique_fields=["unit"],
        update_fields=["content_sha256", "built_at", "ends_at"],
    )


def build_all(*, at: datetime) -> list[Unit]:
    """Publish every plan that has changed; return the units whose have.

    Stations with papers, units that carry broadcasts, units that have a plan.
    """
    day = at.astimezone(rules.LOCAL).date()
    wanted = Unit.objects.as_of(day).filter(
        Q(plan__isnull=False)
        | Q(
            kind=COMMUNE,
            pk__in=Paper.objects.filter(state=rules.APPROVED).values("unit"),
        )
        | Q(pk__in=Broadcast.carriers.through.objects.values("unit"))
    )
    return _build_in_parts(list(wanted.order_by("pk")), at=at)


def roll_plans(*, at: datetime) -> int:
    """Renew the plans whose window nears its end; return how many.

    A commune whose devices have no plan yet gets its first one, however empty:
    without a plan a device does not know its hours, and refuses even a test tone.
    A unit that has ended and that no device stands in any more has none renewed: its
    broadcasts would be planned for ever and never sound. A unit whose plan cannot be
    made keeps the old one and holds up no other.
    """
    day = at.astimezone(rules.LOCAL).date()
    in_use = _list_in_use()
    ageing = UnitPlan.objects.filter(ends_at__lte=at + RENEW_BEFORE)
    units = [
        unit
        for unit in Unit.objects.filter(plan__in=ageing).order_by("pk")
        if unit.valid_to is None or unit.valid_to > day or unit.pk in in_use
    ]
    bare = Unit.objects.as_of(day).filter(kind=COMMUNE, plan__isnull=True)
    units += [unit for unit in bare.order_by("pk") if unit.pk in in_use]
    return len(_build_in_parts(units, at=at))


def _list_in_use() -> set[int]:
    """Return the keys of the units in which devices in service stand, at any level."""
    active = Device.objects.filter(state=ACTIVE)
    paths = set(active.values_list("unit__path", flat=True))
    return {int(key) for path in paths for key in path.strip("/").split("/")}


def _build_in_parts(units: Sequence[Unit], *, at: datetime) -> list[Unit]:
    """Build many plans together, and each by itself where together is not possible."""
    changed = []
    for start in range(0, len(units), AT_ONCE):
        part = units[start : start + AT_ONCE]
        try:
            changed += build_plans(units=part, by=None, at=at)
        except Exception:
            logger.exception("plans could not be made together; each by itself now")
            changed += _build_singly(part, at=at)
    return changed


def _build_singly(units: Sequence[Unit], *, at: datetime) -> list[Unit]:
    changed = []
    for unit in units:
        try:
            changed += build_plans(units=[unit], by=None, at=at)
        except Exception:
            logger.exception("plan of unit #%s could not be made", unit.pk)
    return changed


def make_now_airing(
    maker: ItemMaker, *, latest: datetime | None, at: datetime
) -> Airing:
    """Write the airing of a broadcast that begins with its release.

    Its window ends at `latest`, when there is one.
    """
    airing = maker.airing(at)
    if latest is not None:
        airing.ends_at = min(airing.ends_at, latest)
    airing.save(force_insert=True)
    return airing


@dataclass(frozen=True)
class _Known:
    """An airing that an earlier plan of a station had."""

    key: int
    starts_at: datetime
    is_withdrawn: bool


class _Build:
    """What some plans are made of, read once; exists while they are built."""

    def __init__(self, units: Sequence[Unit], at: datetime) -> None:
        self.at = at
        self.span = Span.around(at)
        self.day = at.astimezone(rules.LOCAL).date()
        self.stations = [unit for unit in units if unit.kind == COMMUNE]
        self.below = self._list_below(units)
        everywhere = [*units, *(one for below in self.below.values() for one in below)]
        days = self.span.days
        self.shelf: Shelf = read_shelf(everywhere, first=days[0], last=days[-1])
        self.carried = self._make_carried(units)
        self.known = self._read_known()
        self.planned: list[Planned] = []

    def _list_below(self, units: Sequence[Unit]) -> dict[int, list[Unit]]:
        """Return the stations under each unit that is none itself."""
        return {
            unit.pk: list(
                Unit.objects.as_of(self.day)
                .under(unit)
                .filter(kind=COMMUNE)
                .order_by("pk")
            )
            for unit in units
            if unit.kind != COMMUNE
        }

    def _make_carried(self, units: Sequence[Unit]) -> Mapping[int, list[Item]]:
        """Return the items of the broadcasts that each unit carries, in order."""
        begin, end = self.span.begin, self.span.end
        makers: dict[int, ItemMaker] = {}
        carriers: dict[int, list[int]] = {}
        for row in _list_relevant(units, begin, end):
            makers[row.pk] = ItemMaker(row)
            carriers[row.pk] = [unit.pk for unit in row.carriers.all()]
        _make_airings(makers.values(), begin=begin, end=end)
        airings = Airing.objects.filter(
            broadcast__in=makers, paper=None, ends_at__gt=begin, starts_at__lt=end
        )
        found: defaultdict[int, list[Item]] = defaultdict(list)
        for airing in airings.order_by("starts_at", "pk"):
            key = airing.broadcast_id or 0
            item = makers[key].item(airing)
            for unit in carriers[key]:
                found[unit].append(item)
        return found

    def _read_known(self) -> dict[str, _Known]:
        rows = Airing.objects.filter(
            unit__in=self.stations,
            paper__isnull=False,
            ends_at__gt=self.span.begin,
            starts_at__lt=self.span.end,
        )
        return {
            item: _Known(key, starts_at, withdrawn_at is not None)
            for item, key, starts_at, withdrawn_at in rows.values_list(
                "item", "pk", "starts_at", "withdrawn_at"
            )
        }

    def plan_of(self, unit: Unit) -> Plan:
        """Return the whole plan of a unit; numbered when it is published."""
        planned: list[Planned] = []
        if unit.kind == COMMUNE:
            lasting = {k for k, row in self.known.items() if not row.is_withdrawn}
            planned = compiler.compile_station(
                unit, self.shelf, self.span, known=lasting
            )
            hours = compiler.compile_hours(unit, self.shelf, self.span)
        else:
            devices = Device.objects.filter(unit=unit, state=ACTIVE)
            hours = compiler.compile_hours_from_above(
                unit,
                self.below[unit.pk],
                self.shelf,
                self.span,
                own_devices=list(devices.values_list("uid", flat=True)),
            )
        self.planned += planned
        items = (*self.carried.get(unit.pk, ()), *(row.item for row in planned))
        if len(items) > MAX_ITEMS_PER_PLAN:
            raise InvalidError("schedule.plan_full", limit=MAX_ITEMS_PER_PLAN)
        return Plan(
            unit=unit.uid,
            number=0,
            starts_at=milliseconds(self.span.begin),
            ends_at=milliseconds(self.span.end),
            items=items,
            quiet=hours.quiet,
            volumes=hours.volumes,
            local=hours.local,
            order=compiler.compile_order(unit, self.shelf, self.day),
        )

    def write_airings(self) -> None:
        """Write what papers newly plan; withdraw what they plan no more.

        What has begun stays as it was planned: it is history.
        """
        wanted = {row.item.id for row in self.planned}
        _insert([row for row in self.planned if row.item.id not in self.known])
        gone = [
            row.key
            for item, row in self.known.items()
            if item not in wanted and row.starts_at > self.at and not row.is_withdrawn
        ]
        back = [
            row.key
            for item, row in self.known.items()
            if item in wanted and row.is_withdrawn
        ]
        _mark_withdrawn(gone, self.at)
        _mark_withdrawn(back, None)


def _insert(planned: Sequence[Planned]) -> None:
    """Write airings in one go: a model for each of a province's takes seconds."""
    if not planned:
        return

    @cache
    def moment(ms: int) -> Any:
        # Many speak of the same moment: what the database is given is made once.
        when = datetime.fromtimestamp(ms / 1000, UTC)
        return connection.ops.adapt_datetimefield_value(when)

    rows = [
        (
            row.item.id,
            row.broadcast_id,
            row.paper_id,
            row.unit_id,
            "" if row.broadcast_id else row.item.title,
            row.item.slot,
            moment(row.item.starts_at),
            moment(row.item.ends_at),
        )
        for row in planned
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO schedule_airing (item, broadcast_id, paper_id, unit_id, title,"
            " slot, starts_at, ends_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            rows,
        )


def _mark_withdrawn(keys: Sequence[int], moment: datetime | None) -> None:
    for start in range(0, len(keys), 500):
        rows = Airing.objects.filter(pk__in=keys[start : start + 500])
        rows.update(withdrawn_at=moment)


def _list_relevant(
    units: Sequence[Unit], begin: datetime, end: datetime
) -> list[Broadcast]:
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
    carrying = Broadcast.carriers.through.objects.filter(unit__in=units)
    # What communes decide on sounds only in the programmes that take it.
    found = Broadcast.objects.filter(
        in_window,
        state=rules.APPROVED,
        pk__in=carrying.values("broadcast"),
        offers=None,
    )
    return list(
        found.exclude(version__klass="emergency")
        .select_related("version__bulletin", "unit")
        .prefetch_related(
            "units", "devices", "carriers", "version__sounds__rendition__media"
        )
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
            broadcast__in=[maker.broadcast for maker in makers],
            paper=None,
            starts_at__gte=begin,
        ).values_list("item", flat=True)
    )
    Airing.objects.bulk_create(
        [airing for airing in wanted if airing.item not in known],
        ignore_conflicts=True,
    )

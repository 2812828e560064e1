"""The movers of every key that moves, in the order in which they run.

Villages first, since others come to stand in the new ones; devices last, since their
settings name groups and ground as they are by then.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q

from nguon.core.errors import InvalidError
from nguon.fleet import actions as fleet
from nguon.fleet import rollouts
from nguon.newsroom.models import DictionaryWord, Supplier
from nguon.people import actions as people
from nguon.people.models import ROLES, Role
from nguon.plan import rules as plan_rules
from nguon.registers import continuing
from nguon.registers.models import Propagandist, StaffMember, Station
from nguon.reorganization import rules
from nguon.reorganization.going_on import Copies, Feeds, Lines
from nguon.reorganization.ground import Ground, Place, chunks
from nguon.reorganization.models import Moved
from nguon.reorganization.movers import Act, Done, Mover, Shift, Thing
from nguon.territory import actions as territory
from nguon.territory.models import VILLAGE, Unit


class Villages(Mover):
    """A village ends, and goes on in its new commune with a unit of its own."""

    kind = "territory.Unit"
    takes_doubles = True

    def find(self, ground: Ground, *, at: datetime) -> list[Thing]:
        """Return the villages; one that the new map has already is a double."""
        names: defaultdict[int, set[str]] = defaultdict(set)
        things = []
        for place in ground.of_kind(VILLAGE):
            if place.old.valid_to is not None:
                continue
            heir = place.heir
            thing = Thing(place.old.pk, place.old.pk, heir.pk if heir else None)
            if place.same is not None:
                thing = Thing(thing.key, thing.old, place.same.pk, is_double=True)
            elif heir is not None:
                name = _free_name(place.old, names[heir.pk])
                names[heir.pk].add(f"{place.old.subkind} {name}")
                taken = name if name != place.old.name else ""
                thing = Thing(thing.key, thing.old, heir.pk, name=taken)
            things.append(thing)
        return sorted(things, key=lambda thing: thing.key)

    def run(self, things: Sequence[Thing], ground: Ground, act: Act) -> list[Done]:
        """Make the new villages, and have the ground name them as heirs."""
        renewals = [
            territory.Renewal(
                old=ground.places[thing.key].old,
                commune=_heir_of(ground.places[thing.key]),
                name=thing.name or ground.places[thing.key].old.name,
                into=ground.places[thing.key].same,
            )
            for thing in things
        ]
        made = territory.renew_villages(renewals=renewals, day=act.day)
        ground.renewed.update({key: unit.pk for key, unit in made.items()})
        return [
            Done(thing, made[thing.key].pk, {"is_new": not thing.is_double})
            for thing in things
        ]

    def changed(self, rows: Sequence[Moved]) -> set[int]:
        """Return the villages of which either one has another end by now."""
        days = {row.key: row.merge.day for row in rows}
        ends: dict[int, date | None] = {}
        for part in chunks([key for row in rows for key in (row.key, row.made or 0)]):
            ends.update(Unit.objects.filter(pk__in=part).values_list("pk", "valid_to"))
        return {
            row.key
            for row in rows
            if ends.get(row.key) != days[row.key] or ends.get(row.made or 0)
        }

    def back(self, rows: Sequence[Moved], act: Act) -> None:
        """Let the old ones go on, and end the new ones."""
        territory.restore_villages(
            pairs={row.key: row.made or 0 for row in rows},
            made={row.made or 0 for row in rows if row.told["is_new"]},
        )

    def count(self, ground: Ground, *, at: datetime) -> int:
        """Return how many villages there are; one of both maps counts once."""
        alive = 0
        for part in ground.all_chunks():
            rows = Unit.objects.filter(kind=VILLAGE, parent__in=part, valid_to=None)
            alive += rows.count()
        doubles = [place.old.pk for place in ground.places.values() if place.same]
        for part in chunks(doubles):
            alive -= Unit.objects.filter(pk__in=part, valid_to=None).count()
        return alive

    def label(self, keys: Sequence[int]) -> dict[int, str]:
        """Return their names."""
        rows = Unit.objects.in_bulk(list(keys))
        return {key: unit.full_name for key, unit in rows.items()}


def _heir_of(place: Place) -> Unit:
    if place.heir is None:
        raise InvalidError("reorganization.undecided", count=1)
    return place.heir


def _free_name(old: Unit, taken: set[str]) -> str:
    """Return a name for a village that no other there has: Thôn 1 (Ia Tô)."""
    if f"{old.subkind} {old.name}" not in taken:
        return old.name
    commune = old.parent.name if old.parent else ""
    return f"{old.name} ({commune})"[:120]


class Roles(Mover):
    """A role ends, and the same one begins at the new unit; deputies go with it."""

    kind = "people.Role"
    takes_doubles = True

    def find(self, ground: Ground, *, at: datetime) -> list[Thing]:
        """Return the open roles; a second one of the same officer there is a double."""
        things = []
        seen: set[tuple[int, int, str]] = set()
        for part in ground.old_chunks():
            rows = Role.objects.filter(unit__in=part, valid_to=None).order_by("pk")
            for key, officer, old, kind in rows.values_list(
                "pk", "officer", "unit", "kind"
            ):
                new = ground.heir(old)
                name = (officer, new or 0, kind)
                # It moves all the same: two become one.
                double = new is not None and name in seen
                seen.add(name)
                things.append(Thing(key, old, new, is_double=double))
        return sorted(things, key=lambda thing: thing.key)

    def run(self, things: Sequence[Thing], ground: Ground, act: Act) -> list[Done]:
        """Hand them over."""
        moves = {thing.key: thing.new or 0 for thing in things}
        handed = people.hand_over_roles(moves=moves, at=act.at)
        return [
            Done(
                thing,
                made=handed[thing.key].made,
                told={
                    "is_new": handed[thing.key].is_new,
                    "deputies": list(handed[thing.key].deputies),
                },
            )
            for thing in things
        ]

    def changed(self, rows: Sequence[Moved]) -> set[int]:
        """Return the roles whose heir was ended, or that were given anew."""
        made = [row.made or 0 for row in rows]
        keys = [row.key for row in rows]
        held = set()
        open_names = set()
        named = {}
        for part in chunks(made):
            open_now = Role.objects.filter(pk__in=part, valid_to=None)
            held |= set(open_now.values_list("pk", flat=True))
        for part in chunks(keys):
            old = Role.objects.filter(pk__in=part)
            for key, *name in old.values_list("pk", "officer", "unit", "kind"):
                named[key] = tuple(name)
        for part in chunks(sorted({row.old_id for row in rows})):
            again = Role.objects.filter(unit__in=part, valid_to=None)
            open_names |= set(again.values_list("officer", "unit", "kind"))
        return {
            row.key
            for row in rows
            if row.made not in held or named.get(row.key) in open_names
        }

    def back(self, rows: Sequence[Moved], act: Act) -> None:
        """Take them back."""
        people.take_back_roles(
            handed={
                row.key: people.HandOver(
                    row.made or 0, row.told["is_new"], tuple(row.told["deputies"])
                )
                for row in rows
            },
            at=act.at,
        )

    def count(self, ground: Ground, *, at: datetime) -> int:
        """Return how many different roles are held: officer, kind, unit of today."""
        held = set()
        for part in ground.all_chunks():
            rows = Role.objects.filter(unit__in=part, valid_to=None)
            for officer, unit, kind in rows.values_list("officer", "unit", "kind"):
                known = unit in ground.places
                held.add((officer, (known and ground.heir(unit)) or unit, kind))
        return len(held)

    def label(self, keys: Sequence[int]) -> dict[int, str]:
        """Return who holds which role."""
        found = {}
        for part in chunks(keys):
            for role in Role.objects.filter(pk__in=part).select_related("officer"):
                found[role.pk] = f"{role.officer.full_name}: {ROLES[role.kind]}"
        return found


@dataclass(frozen=True)
class Devices(Shift):
    """A device gets its new ground in a signed way; its health stands there too."""

    def _write(self, moves: Mapping[int, int], act: Act) -> None:
        fleet.move_devices(moves=moves, by=act.by, at=act.at)


def _goes_on(model: continuing.AnyModel) -> Callable[[datetime, date], Q]:
    return lambda _at, day: continuing.in_use(model, day)


def _unused(at: datetime, _day: date) -> Q:
    return Q(used_by__isnull=True, expires_at__gt=at)


def _not_ended(_at: datetime, _day: date) -> Q:
    return Q(ended_at__isnull=True)


def _running(_at: datetime, _day: date) -> Q:
    return Q(state__in=rollouts.LIVE)


def _followed(_at: datetime, _day: date) -> Q:
    return ~Q(state=plan_rules.CLOSED)


MOVERS: Sequence[Mover] = (
    Villages(),
    Roles(),
    Shift(
        "fleet.DeviceGroup", "fleet.DeviceGroup", "unit", same=("name",), name="name"
    ),
    Shift(
        "fleet.Registration",
        "fleet.Registration__villages",
        "unit",
        same=("registration_id",),
        shown="registration.device.name",
    ),
    Shift("fleet.Claim", "fleet.Claim", "unit", live=_unused),
    Shift("fleet.Rollout", "fleet.Rollout", "unit", live=_running, shown="uid"),
    Copies("newsroom.Supplier", Supplier, Q(ended_at__isnull=True), "folded"),
    Feeds(
        "newsroom.NewsFeed", "newsroom.NewsFeed", "unit", live=_not_ended, same=("url",)
    ),
    Shift(
        "newsroom.Template", "newsroom.Template", "unit", live=_not_ended, shown="title"
    ),
    Copies("newsroom.DictionaryWord", DictionaryWord, Q(removed=False), "written"),
    Shift("channels.Contact", "channels.Contact", "unit", same=("kind", "address")),
    Shift(
        "plan.ActionPlan", "plan.ActionPlan", "keeper", live=_followed, shown="title"
    ),
    Lines(
        "registers.Station",
        "registers.Station",
        "unit",
        same=("name", "kind"),
        name="name",
        live=_goes_on(Station),
        book=Station,
    ),
    Lines(
        "registers.StaffMember",
        "registers.StaffMember",
        "unit",
        same=("full_name",),
        name="full_name",
        shown="post",
        live=_goes_on(StaffMember),
        book=StaffMember,
    ),
    Lines(
        "registers.Propagandist",
        "registers.Propagandist",
        "unit",
        same=("full_name",),
        name="full_name",
        shown="unit.name",
        live=_goes_on(Propagandist),
        book=Propagandist,
    ),
    Shift("reports.Form", "reports.Form", "unit", shown="title"),
    Devices("fleet.Device", "fleet.Device", "unit"),
)
BY_KIND = {mover.kind: mover for mover in MOVERS}
NAMES = {key.model: key.name for key in rules.TABLE if key.act == rules.MOVES}

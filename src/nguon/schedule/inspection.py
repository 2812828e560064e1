"""A paper held against the world: its unit, places, materials, sources, officers.

`inspect` gathers what `schedule.checks` needs and lets it refuse. `tell_changes` says
what a paper would change. Both ask the database; neither writes.
"""

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db.models import Q

from nguon.core.errors import InvalidError
from nguon.core.messages import Audience
from nguon.fleet.models import Device, DeviceGroup
from nguon.people import access
from nguon.people.models import APPROVER, AUTHOR, Officer
from nguon.people.queries import list_approvers
from nguon.schedule import checks, papers, rules, station
from nguon.schedule.differences import differences
from nguon.schedule.models import Broadcast, Paper
from nguon.schedule.places import Places
from nguon.schedule.station import (
    Authority,
    Chain,
    Order,
    Programme,
    Source,
    StationRules,
)
from nguon.territory.models import COMMUNE, DISTRICT, PROVINCE, Unit

# Who may have which papers. A province has no station of its own: its rules are
# what stations without rules keep.
HOMES = {
    station.RULES: (COMMUNE, PROVINCE),
    station.PROGRAMME: (COMMUNE,),
    station.SOURCE: (COMMUNE, PROVINCE, DISTRICT),
    station.ORDER: (COMMUNE,),
    station.AUTHORITY: (COMMUNE, PROVINCE, DISTRICT),
    station.CHAIN: (COMMUNE, PROVINCE, DISTRICT),
}


def resolve_name(host: str, port: int) -> list[str]:
    """Return the IP addresses of a host. Raises OSError when it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_rest, address in found]


def check_home(unit: Unit, kind: str, *, at: datetime) -> None:
    """Refuse a unit that has ended or has no papers of this kind.

    Raises InvalidError `schedule.unit_ended`, `schedule.paper_elsewhere`.
    """
    if unit.valid_to is not None and unit.valid_to <= today(at):
        raise InvalidError("schedule.unit_ended", unit=unit.full_name)
    if unit.kind not in HOMES[kind]:
        raise InvalidError(
            "schedule.paper_elsewhere", kind=station.KINDS[kind], unit=unit.full_name
        )


def today(at: datetime) -> date:
    """Return the day on the wall of a moment."""
    return at.astimezone(rules.LOCAL).date()


def inspect(paper: Paper, *, at: datetime, resolve: checks.Resolve) -> None:
    """Refuse a paper that could not be kept as it stands.

    Raises InvalidError: the days, the unit, a place outside it, and everything that
    `schedule.checks` refuses.
    """
    check_home(paper.unit, paper.kind, at=at)
    first = max(paper.first_date, today(at))
    if paper.last_date is not None and paper.last_date < first:
        raise InvalidError("schedule.paper_past", day=f"{paper.last_date:%d/%m/%Y}")
    body = papers.body_of(paper)
    where = papers.read_places(papers.audiences_in(body))
    _check_places(paper.unit, body, where)
    look = _Look(paper, first, where, at, resolve)
    lookers: dict[str, Callable[[Any], None]] = {
        station.RULES: look.at_rules,
        station.PROGRAMME: look.at_programme,
        station.SOURCE: look.at_source,
        station.ORDER: look.at_order,
        station.AUTHORITY: look.at_authority,
        station.CHAIN: look.at_chain,
    }
    lookers[paper.kind](body)


def _check_places(unit: Unit, body: Any, where: Places) -> None:
    """Refuse a place that is not known or not on the paper's own ground."""
    for audience in papers.audiences_in(body):
        for uid in (*audience.units, *audience.devices, *audience.groups):
            if unit.uid not in where.get(uid, frozenset()):
                raise InvalidError("schedule.place_outside", unit=unit.full_name)


@dataclass(frozen=True)
class _Look:
    """One look at one paper; exists only while `inspect` runs."""

    paper: Paper
    first: date
    where: Places
    at: datetime
    resolve: checks.Resolve

    def at_rules(self, body: StationRules) -> None:
        """Check the rules, then the sources and fallbacks that they name."""
        checks.check_rules(
            body, day=self.first, last=self.paper.last_date, where=self.where
        )
        for slot in body.slots:
            if slot.source:
                self._check_source_named(slot.source, slot.name)
            if slot.fallback and slot.fallback not in self._materials({slot.fallback}):
                raise InvalidError("schedule.fallback_absent", slot=slot.name)

    def at_programme(self, body: Programme) -> None:
        """Check the programme against its slot in the rules of its first day."""
        held = papers.in_force(self.paper.unit, station.RULES, self.first)
        slots = papers.body_of(held).slots if held else ()
        slot = next((one for one in slots if one.id == body.slot), None)
        uids = {entry.material for entry in body.entries} - {""}
        audiences = [*papers.audiences_in(body), *([slot.places] if slot else [])]
        checks.check_programme(
            body,
            self._materials(uids),
            slot=slot,
            where=papers.read_places(audiences),
        )
        for entry in body.entries:
            if entry.source:
                self._check_source_named(entry.source, slot.name if slot else "")

    def at_source(self, body: Source) -> None:
        """Check the address, and to where its name leads now."""
        allowed = settings.RELAY_ALLOWED
        checks.check_source(body, resolve=self.resolve, allowed=allowed)

    def at_order(self, body: Order) -> None:
        """Check that every bulletin is a priority one that comes to this commune."""
        unit = self.paper.unit
        reaching = Q(unit__path__startswith=unit.path) | Q(
            carriers__in=unit.ancestor_ids
        )
        found = Broadcast.objects.filter(
            reaching,
            uid__in=body.broadcasts,
            state=rules.APPROVED,
            version__klass="priority",
        )
        checks.check_order(body.broadcasts, set(found.values_list("uid", flat=True)))

    def at_authority(self, body: Authority) -> None:
        """Check the officers, the days and the hours."""
        unit, at = self.paper.unit, self.at
        named = Officer.objects.filter(pk__in=body.officers, is_active=True)
        checks.check_authority(
            body,
            known={
                officer.pk
                for officer in named
                if access.can(officer, AUTHOR, unit=unit, at=at)
                or access.can(officer, APPROVER, unit=unit, at=at)
            },
            quiet=papers.quiet_of(unit, self.first),
            first=self.paper.first_date,
            last=self.paper.last_date,
            where=self.where,
        )

    def at_chain(self, body: Chain) -> None:
        """Refuse two steps where there are not three people to take them.

        One writes, one checks, one approves; else a bulletin would wait for ever.
        Raises InvalidError `schedule.chain_people`.
        """
        holders = list_approvers(self.paper.unit, at=self.at)
        if body.two_steps and len(holders) < 2:
            raise InvalidError("schedule.chain_people", unit=self.paper.unit.full_name)

    def _materials(self, uids: set[str]) -> dict[str, int]:
        found = papers.read_materials([self.paper.unit], uids)
        return papers.durations(found)

    def _check_source_named(self, uid: str, slot: str) -> None:
        """Refuse a source that no approved paper here or above puts on the register."""
        ids = self.paper.unit.ancestor_ids
        named = Paper.objects.filter(uid=uid, kind=station.SOURCE, unit__in=ids).first()
        held = named and papers.in_force(
            named.unit, station.SOURCE, self.first, named.subject
        )
        if held is None:
            raise InvalidError("schedule.source_absent", slot=slot)


# --- what would change --------------------------------------------------------------


def replaced_by(paper: Paper, *, at: datetime) -> Paper | None:
    """Return the paper whose place this one takes, or took; None for the first.

    Authorities stand beside each other.
    """
    if paper.kind == station.AUTHORITY:
        return None
    day = max(paper.first_date, today(at))
    return papers.in_force(paper.unit, paper.kind, day, paper.subject, before=paper)


def tell_changes(paper: Paper, *, at: datetime) -> list[str]:
    """Return in sentences what a paper changes against the one in force."""
    held = replaced_by(paper, at=at)
    old, new = (papers.body_of(held) if held else None), papers.body_of(paper)
    return differences(paper.kind, old, new, names_for([old, new], paper.unit))


def names_for(bodies: Iterable[Any], unit: Unit) -> dict[str, str]:
    """Return people's words for what bodies name: see `differences`."""
    known = [body for body in bodies if body is not None]
    audiences: list[Audience] = [
        audience for body in known for audience in papers.audiences_in(body)
    ]
    named = [name for body in known for name in papers.names_in(body)]
    names: dict[str, str] = {}
    units = Unit.objects.filter(uid__in={u for one in audiences for u in one.units})
    names |= {row.uid: row.full_name for row in units}
    devices = Device.objects.filter(
        uid__in={uid for one in audiences for uid in one.devices}
    )
    names |= dict(devices.values_list("uid", "name"))
    groups = DeviceGroup.objects.filter(
        uid__in={uid for one in audiences for uid in one.groups}
    )
    names |= {row.uid: f"nhóm {row.name}" for row in groups}
    titles = {one.material for one in named}
    titles |= {u for body in known if isinstance(body, Order) for u in body.broadcasts}
    rows = Broadcast.objects.filter(uid__in=titles).select_related("version")
    names |= {row.uid: row.version.shown_title for row in rows}
    sources = papers.read_sources({one.source for one in named})
    names |= {uid: papers.body_of(paper).name for uid, paper in sources.items()}
    people = {k for b in known if isinstance(b, Authority) for k in b.officers}
    rows_of = Officer.objects.filter(pk__in=people).values_list("pk", "full_name")
    names |= {str(key): name for key, name in rows_of}
    if any(isinstance(body, Programme) for body in known):
        names |= papers.slot_names(unit)
    return names

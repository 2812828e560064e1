"""Which papers are in force where and when, and what they say about hours.

Of one unit, kind and subject the latest approved whose days cover a day counts. A
station without rules of its own keeps the quiet hours of the units above it, and
at last those of the setting NGUON_QUIET_HOURS.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from nguon.core.errors import AbsentError
from nguon.core.messages import Audience, Rendition
from nguon.fleet.models import Device, DeviceGroup
from nguon.people import access
from nguon.people.models import APPROVER, Officer
from nguon.schedule import places, rules, station
from nguon.schedule.items import list_renditions, longest_ms
from nguon.schedule.models import (
    Broadcast,
    InboxEntry,
    Paper,
    PaperInvolvement,
    SourceWatch,
)
from nguon.schedule.station import Authority, Programme, Quiet, StationRules
from nguon.territory.models import Unit
from nguon.territory.queries import find_plan_unit


def access_paper(*, uid: str, officer: Officer, at: datetime) -> Paper:
    """Return a paper of an officer's ground. Raises AbsentError for any other."""
    seen = access.fence(Paper.objects.filter(uid=uid), officer=officer, at=at)
    related = ("unit", "submitted_by", "approved_by", "returned_by", "ended_by")
    paper = seen.select_related(*related).first()
    if paper is None:
        raise AbsentError("schedule.paper_absent")
    return paper


def lock_paper(uid: str) -> Paper:
    """Return a paper to be changed, locked where locks exist; rights are unasked.

    Raises AbsentError.
    """
    found = Paper.objects.select_for_update(of=("self",)).filter(uid=uid)
    paper = found.select_related("unit", "submitted_by").first()
    if paper is None:
        raise AbsentError("schedule.paper_absent")
    return paper


def list_waiting(officer: Officer, *, at: datetime) -> list[Paper]:
    """Return the papers that this officer could approve now, the oldest first."""
    touched = PaperInvolvement.objects.filter(paper=OuterRef("pk"), person=officer)
    waiting = Paper.objects.filter(~Exists(touched), state=rules.WAITING)
    mine = access.fence(waiting, officer=officer, at=at, kinds=[APPROVER])
    related = ("unit", "submitted_by")
    return list(mine.select_related(*related).order_by("submitted_at", "pk")[:200])


def in_force(
    unit: Unit, kind: str, day: date, subject: str = "", *, before: Paper | None = None
) -> Paper | None:
    """Return the paper of a unit that counts on a day, or None.

    Without a subject the one of its kind: rules and orders have no other. `before`
    asks what counted, or counts, as long as that paper does not.
    """
    found = Paper.objects.filter(
        Q(last_date__isnull=True) | Q(last_date__gte=day),
        unit=unit,
        kind=kind,
        subject=subject or kind,
        state=rules.APPROVED,
        first_date__lte=day,
    )
    if before is not None:
        found = found.exclude(pk=before.pk)
        if before.approved_at is not None:
            found = found.filter(approved_at__lte=before.approved_at)
    return found.select_related("unit").order_by("-approved_at", "-pk").first()


def rules_of(unit: Unit, day: date) -> StationRules | None:
    """Return the rules of a station on a day, its own or those from above, or None."""
    for key in reversed(find_plan_unit(unit).ancestor_ids):
        paper = in_force(Unit(pk=key), station.RULES, day)
        if paper is not None:
            found: StationRules = body_of(paper)
            return found if key == unit.pk else StationRules(quiet=found.quiet)
    return None


def quiet_of(unit: Unit, day: date) -> tuple[Quiet, ...]:
    """Return the quiet hours that a station keeps on a day, clusters' own among them.

    Those of the setting where neither it nor a unit above has rules.
    """
    held = rules_of(unit, day)
    return default_quiet() if held is None else held.quiet


def default_quiet() -> tuple[Quiet, ...]:
    """Return the quiet hours of stations without rules. Raises ValueError."""
    hours = rules.QuietHours.parse(settings.QUIET_HOURS)
    return (Quiet(hours.begin, hours.end),) if hours else ()


def hours_of(
    units: Sequence[Unit], devices: Sequence[Device], *, at: datetime
) -> tuple[rules.QuietHours, ...]:
    """Return every quiet hour that somebody of an audience keeps at a moment.

    For a province these are its own: the devices of a commune keep the commune's.
    """
    day = at.astimezone(rules.LOCAL).date()
    asked = Audience(
        units=tuple(unit.uid for unit in units),
        devices=tuple(device.uid for device in devices),
    )
    grounds = {unit.pk: unit for unit in (*units, *(d.unit for d in devices))}
    stations = {found.pk: found for found in map(find_plan_unit, grounds.values())}
    kept = [quiet for unit in stations.values() for quiet in quiet_of(unit, day)]
    where = read_places([asked, *(quiet.places for quiet in kept)])
    found = (
        rules.QuietHours(quiet.begin, quiet.end)
        for quiet in kept
        if places.meet(quiet.places, asked, where)
    )
    return tuple(dict.fromkeys(found))


def body_of(paper: Paper) -> Any:
    """Return what a paper says, as a value of `schedule.station`."""
    return station.decode(paper.kind, paper.body)


def slot_names(unit: Unit) -> dict[str, str]:
    """Return the names of a station's slots by id; of one that is gone, its last."""
    found = Paper.objects.filter(
        unit=unit, kind=station.RULES, approved_at__isnull=False
    ).order_by("approved_at", "pk")
    return {slot.id: slot.name for row in found for slot in body_of(row).slots}


def covers(paper: Paper, day: date) -> bool:
    """Say whether a day lies within a paper's days."""
    return paper.first_date <= day and (
        paper.last_date is None or day <= paper.last_date
    )


def read_places(audiences: Iterable[Audience]) -> places.Places:
    """Return where the units, devices and groups that are named stand."""
    named = list(audiences)
    units = Unit.objects.filter(uid__in={uid for one in named for uid in one.units})
    devices = Device.objects.filter(
        uid__in={uid for one in named for uid in one.devices}
    )
    paths = dict(units.values_list("uid", "path"))
    paths |= dict(devices.values_list("uid", "unit__path"))
    groups = DeviceGroup.objects.filter(
        uid__in={uid for one in named for uid in one.groups}
    )
    paths |= dict(groups.values_list("uid", "unit__path"))
    keys = {int(key) for path in paths.values() for key in path.split("/") if key}
    uids = dict(Unit.objects.filter(pk__in=keys).values_list("pk", "uid"))
    return {
        uid: frozenset(
            {uid, *(uids[int(key)] for key in path.split("/") if key)},
        )
        for uid, path in paths.items()
    }


# --- all that plans need, read at once ---------------------------------------------


@dataclass(frozen=True)
class Shelf:
    """The papers of some units over some days, and all that these name.

    `papers` by unit, the latest approved first; `materials` holds what may sound in
    a commune, by (commune, broadcast uid), with their sounds and lengths in ms by
    uid; `sources` is every source that is named; `by_server` the papers of sources that
    devices can play only after this server has transcoded them.
    """

    papers: Mapping[int, Sequence[Paper]]
    bodies: Mapping[int, Any]
    sources: Mapping[str, Paper]
    materials: Mapping[tuple[int, str], Broadcast]
    where: places.Places
    sounds: Mapping[str, tuple[Rendition, ...]]
    lengths: Mapping[str, int]
    by_server: frozenset[int] = frozenset()

    def pick(self, unit: int, kind: str, day: date, subject: str = "") -> Paper | None:
        """Return the paper of a unit that counts on a day, or None."""
        wanted = subject or kind
        for paper in self.papers.get(unit, ()):
            if paper.kind == kind and paper.subject == wanted and covers(paper, day):
                return paper
        return None

    def source(self, uid: str, day: date) -> Paper | None:
        """Return the source that a slot names, in its newest form, on a day."""
        named = self.sources.get(uid)
        if named is None:
            return None
        return self.pick(named.unit_id, station.SOURCE, day, named.subject)


def read_shelf(units: Sequence[Unit], *, first: date, last: date) -> Shelf:
    """Return the papers that may count for these units from `first` to `last`.

    The number of questions to the database does not grow with the units.
    """
    keys = {key for unit in units for key in unit.ancestor_ids}
    found = (
        Paper.objects.filter(
            Q(last_date__isnull=True) | Q(last_date__gte=first),
            unit__in=keys,
            state=rules.APPROVED,
            first_date__lte=last,
        )
        .exclude(kind__in=[station.AUTHORITY, station.CHAIN])
        .order_by("-approved_at", "-pk")
    )
    papers: defaultdict[int, list[Paper]] = defaultdict(list)
    for paper in found:
        papers[paper.unit_id].append(paper)
    bodies = {paper.pk: body_of(paper) for paper in found}
    named = [name for body in bodies.values() for name in names_in(body)]
    materials = read_materials(units, {name.material for name in named} - {""})
    sounds = sounds_of(materials)
    return Shelf(
        papers=papers,
        bodies=bodies,
        sources=read_sources({name.source for name in named} - {""}),
        materials=materials,
        sounds=sounds,
        lengths={uid: longest_ms(found) for uid, found in sounds.items()},
        where=read_places(
            place for body in bodies.values() for place in audiences_in(body)
        ),
        by_server=frozenset(
            SourceWatch.objects.filter(route=rules.SERVER).values_list(
                "paper", flat=True
            )
        ),
    )


def sounds_of(
    materials: Mapping[tuple[int, str], Broadcast],
) -> dict[str, tuple[Rendition, ...]]:
    """Return the sounds of materials by their uid."""
    rows = {uid: row for (_unit, uid), row in materials.items()}
    return {uid: list_renditions(row.version) for uid, row in rows.items()}


@dataclass(frozen=True)
class Named:
    """What a slot or an entry leans on: a source, a material, or neither."""

    material: str = ""
    source: str = ""


def names_in(body: Any) -> list[Named]:
    """Return the materials and sources that a body names."""
    if isinstance(body, StationRules):
        return [Named(slot.fallback, slot.source) for slot in body.slots]
    if isinstance(body, Programme):
        return [Named(entry.material, entry.source) for entry in body.entries]
    return []


def audiences_in(body: Any) -> list[Audience]:
    """Return the places that a body names, in its order."""
    if isinstance(body, StationRules):
        rows: tuple[Any, ...] = (*body.slots, *body.quiet, *body.volumes)
        return [row.places for row in rows]
    if isinstance(body, Programme):
        return [entry.places for entry in body.entries]
    return [body.places] if isinstance(body, Authority) else []


def read_sources(uids: Collection[str]) -> dict[str, Paper]:
    """Return source papers by their uid, whatever their state."""
    found = Paper.objects.filter(uid__in=uids, kind=station.SOURCE)
    return {paper.uid: paper for paper in found}


def read_materials(
    units: Sequence[Unit], uids: Collection[str]
) -> dict[tuple[int, str], Broadcast]:
    """Return which of these broadcasts each station may put into its programmes.

    Released ones of its own ground, and what it took from above. Never emergencies:
    these sound by their own lane alone.
    """
    found = Broadcast.objects.filter(uid__in=uids, state=rules.APPROVED)
    broadcasts = list(
        found.exclude(version__klass="emergency")
        .select_related("version__bulletin", "unit")
        .prefetch_related(
            "version__sounds__rendition__media", "version__attachments__media"
        )
    )
    taken = set(
        InboxEntry.objects.filter(
            unit__in=units, broadcast__in=broadcasts, state=rules.TAKEN
        ).values_list("unit", "broadcast")
    )
    stations = {unit.pk: unit for unit in units}
    by_key = {row.pk: row for row in broadcasts}
    own = {
        (key, row.uid): row
        for row in broadcasts
        for key in row.unit.ancestor_ids
        if key in stations
    }
    return own | {(unit, by_key[key].uid): by_key[key] for unit, key in taken}


def durations(materials: Mapping[tuple[int, str], Broadcast]) -> dict[str, int]:
    """Return how long each material is, in ms: its longest language."""
    return {
        uid: longest_ms(list_renditions(row.version))
        for (_unit, uid), row in materials.items()
    }

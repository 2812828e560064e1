"""Reads of what comes from above, and of what a commune may put into its programmes.

An entry is one normal bulletin as one commune decides on it; a material is a released
broadcast that its programmes may use; a clash is where priority bulletins meet.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery

from nguon.core.errors import AbsentError
from nguon.newsroom.models import Bulletin
from nguon.people import access
from nguon.people.models import AUTHOR, Officer
from nguon.schedule import papers, rules, station, supply, tallies
from nguon.schedule.items import list_renditions
from nguon.schedule.models import (
    Airing,
    AiringCount,
    AudienceMember,
    Broadcast,
    InboxEntry,
    Paper,
    PlayRecord,
)
from nguon.territory.models import COMMUNE, Unit
from nguon.territory.names import fold

# A commune's shelf as a list on one page; what is older is found by its words.
MATERIAL_LIMIT = 300


@dataclass(frozen=True)
class Material:
    """A released broadcast that a commune's programmes may use.

    `durations` is ms per language; `latest_used_at` when it last began here.
    """

    broadcast: Broadcast
    durations: Mapping[str, int]
    is_own: bool
    latest_used_at: datetime | None


@dataclass(frozen=True)
class Use:
    """What one commune made of a bulletin: its decision, and what really sounded."""

    entry: InboxEntry
    airings: int
    devices: int
    # The commune's own version, if it made one; `altered`: with other words.
    bulletin: Bulletin | None = None
    altered: bool = False


@dataclass(frozen=True)
class Clash:
    """Priority bulletins whose windows overlap, in the order in which they go.

    `is_ordered` when an approved order of the commune names all of them; else the
    higher level goes first.
    """

    starts_at: datetime
    ends_at: datetime
    airings: Sequence[Airing]
    is_ordered: bool


def list_communes(broadcast: Broadcast, *, at: datetime) -> list[Unit]:
    """Return the communes that a broadcast is meant for, with or without devices.

    Those under the units that were asked for, and those in which a village or device
    of its audience stands.
    """
    members = broadcast.audience
    here = Q(pk__in=members.values("unit")) | Q(pk__in=members.values("unit__parent"))
    here |= Q(pk__in=broadcast.units.values("parent"))
    for unit in broadcast.units.order_by("pk"):
        here |= Q(path__startswith=unit.path)
    communes = Unit.objects.as_of(at.astimezone(rules.LOCAL).date())
    return list(communes.filter(here, kind=COMMUNE).order_by("folded", "pk"))


def list_inbox(officer: Officer, *, at: datetime) -> QuerySet[InboxEntry]:
    """Return the entries of an officer's ground, undecided first, then the latest."""
    entries = access.fence(InboxEntry.objects.all(), officer=officer, at=at)
    related = (
        "unit",
        "decided_by",
        "broadcast__unit",
        "broadcast__version__bulletin",
        "broadcast__version__supplier",
        "localisation__bulletin",
    )
    undecided = Q(state=rules.NEW, broadcast__state=rules.APPROVED)
    found = entries.select_related(*related).annotate(is_open=undecided)
    return found.order_by("-is_open", "-arrived_at", "-pk")


def count_undecided(officer: Officer, *, at: datetime) -> int:
    """Return how many bulletins from above wait for an author's own communes."""
    units = access.units_of(officer, at=at, kinds=[AUTHOR])
    communes = [unit.pk for unit in units if unit.kind == COMMUNE]
    return InboxEntry.objects.filter(
        unit__in=communes, state=rules.NEW, broadcast__state=rules.APPROVED
    ).count()


def access_entry(entry_id: int, *, officer: Officer, at: datetime) -> InboxEntry:
    """Return an entry on an officer's ground. Raises AbsentError for any other."""
    entry = list_inbox(officer, at=at).filter(pk=entry_id).first()
    if entry is None:
        raise AbsentError("schedule.entry_absent")
    return entry


def is_used(entry: InboxEntry, *, at: datetime) -> bool:
    """Say whether the commune sounded it, or has it in a paper that holds or waits.

    Its own version counts from the moment it is sent for approval.
    """
    if localised_broadcasts(entry.broadcast, unit=entry.unit).exists():
        return True
    begun = Airing.objects.filter(
        broadcast=entry.broadcast_id,
        unit=entry.unit_id,
        starts_at__lte=at,
        withdrawn_at=None,
    )
    return begun.exists() or bool(list_papers_with(entry, at=at))


def localised_broadcasts(
    origin: Broadcast, *, unit: Unit | None = None
) -> QuerySet[Broadcast]:
    """Return the living broadcasts of communes' own versions of a bulletin."""
    found = Broadcast.objects.filter(
        version__bulletin__localisation__entry__broadcast=origin,
        state__in=[rules.PREPARING, rules.WAITING, rules.APPROVED],
    )
    return found if unit is None else found.filter(unit=unit)


def list_papers_with(entry: InboxEntry, *, at: datetime) -> list[Paper]:
    """Return the commune's papers, in force or waiting, that name the bulletin."""
    today = at.astimezone(rules.LOCAL).date()
    found = Paper.objects.filter(
        Q(last_date=None) | Q(last_date__gte=today),
        unit=entry.unit_id,
        kind__in=[station.PROGRAMME, station.RULES],
        state__in=[rules.WAITING, rules.APPROVED],
    )
    rows = list(found.order_by("-approved_at", "-pk"))
    uid = entry.broadcast.uid
    return [
        paper
        for paper in rows
        if any(
            named.material == uid for named in papers.names_in(papers.body_of(paper))
        )
        and not any(_replaces(newer, paper, today) for newer in rows)
    ]


def _replaces(newer: Paper, older: Paper, today: date) -> bool:
    """Say whether a paper stands in the place of an older one on all days to come."""
    if newer.approved_at is None or older.approved_at is None:
        return False
    return (
        (newer.kind, newer.subject) == (older.kind, older.subject)
        and newer.approved_at > older.approved_at
        and newer.first_date <= max(today, older.first_date)
        and (
            newer.last_date is None
            or (older.last_date is not None and newer.last_date >= older.last_date)
        )
    )


def materials(unit: Unit) -> QuerySet[Broadcast]:
    """Return the broadcasts that programmes of a commune may use.

    Its own and its villages', and those from above that it took. Emergencies, and
    with them drills, sound by their own lane alone.
    """
    own = Q(unit__path__startswith=unit.path)
    taken = InboxEntry.objects.filter(unit=unit, state=rules.TAKEN)
    found = Broadcast.objects.filter(
        own | Q(pk__in=taken.values("broadcast")), state=rules.APPROVED
    )
    return found.exclude(version__klass="emergency")


def list_materials(
    unit: Unit, *, officer: Officer, at: datetime, text: str = ""
) -> list[Material]:
    """Return the materials of a commune: what is on the shelf first, then the latest.

    `text` is looked for in title and body, accents optional. Raises AbsentError for
    ground that is not the officer's.
    """
    if not access.can_see(officer, unit=unit, at=at):
        raise AbsentError("people.not_your_ground")
    here = Q(unit=unit) | Q(unit=None, broadcast__unit__path__startswith=unit.path)
    used = Airing.objects.filter(
        here, broadcast=OuterRef("pk"), starts_at__lte=at, withdrawn_at=None
    )
    latest = used.values("broadcast").annotate(latest=Max("starts_at"))
    found = materials(unit).annotate(latest_used_at=Subquery(latest.values("latest")))
    for word in fold(text).split():
        found = found.filter(version__bulletin__folded__contains=word)
    rows = (
        found.select_related("version__bulletin", "unit")
        .prefetch_related("version__sounds__rendition__media")
        .annotate(on_shelf=Q(timing=rules.SHELF))
        .order_by("-on_shelf", F("approved_at").desc(), "-pk")[:MATERIAL_LIMIT]
    )
    return [
        Material(
            broadcast=row,
            durations={
                sound.language: sound.duration_ms
                for sound in list_renditions(row.version)
            },
            is_own=row.unit.path.startswith(unit.path),
            latest_used_at=row.latest_used_at,
        )
        for row in rows
    ]


def list_use(broadcast: Broadcast) -> list[Use]:
    """Return what each commune made of an offered bulletin, by name, for its issuer."""
    related = ("unit", "decided_by", "localisation__bulletin")
    entries = broadcast.offers.select_related(*related)
    # Of a month that was put away only figures are here.
    played = Exists(
        PlayRecord.objects.filter(
            item=OuterRef("item"), planned_at=OuterRef("starts_at")
        )
    ) | Exists(AiringCount.objects.filter(item=OuterRef("item")))
    own = localised_broadcasts(broadcast).filter(state=rules.APPROVED)
    programmes = Airing.objects.filter(played, broadcast=broadcast, paper__isnull=False)
    begun = Counter(dict(programmes.values_list("unit").annotate(Count("pk"))))
    # A version's airing is of its issuer's own time, or of a programme.
    versions = Airing.objects.filter(played, broadcast__in=own)
    begun.update(dict(versions.values_list("broadcast__unit").annotate(Count("pk"))))
    texts = {one.unit_id: one.version for one in own.select_related("version")}
    sounded: dict[int, int] = {}
    plays = PlayRecord.objects.filter(
        Q(broadcast=broadcast) | Q(broadcast__in=own), started_at__isnull=False
    )
    rows = plays.values_list("unit", "unit__parent").annotate(
        devices=Count("device", distinct=True)
    )
    for unit, parent, devices in rows:
        for key in {unit, parent} - {None}:
            sounded[key] = sounded.get(key, 0) + devices
    of_all = Airing.objects.filter(Q(broadcast=broadcast) | Q(broadcast__in=own))
    for key, devices in tallies.kept_devices(of_all).items():
        sounded[key] = max(sounded.get(key, 0), devices)
    return [
        Use(
            entry,
            begun[entry.unit_id],
            sounded.get(entry.unit_id, 0),
            supply.version_of(entry),
            supply.is_altered(broadcast.version, texts.get(entry.unit_id)),
        )
        for entry in entries.order_by("unit__folded", "pk")
    ]


def list_priority(unit: Unit, *, at: datetime) -> list[Airing]:
    """Return the priority airings that devices of a commune hear in the coming days.

    Its own and those from above, announcements apart: these cut in at once.
    """
    reaching = AudienceMember.objects.filter(
        broadcast=OuterRef("pk"), unit__path__startswith=unit.path
    )
    ahead = Q(ends_at__gt=at, starts_at__lt=at + rules.WINDOW, withdrawn_at=None)
    broadcasts = Broadcast.objects.filter(
        Exists(Airing.objects.filter(ahead, broadcast=OuterRef("pk"))),
        Exists(reaching),
        state=rules.APPROVED,
        version__klass="priority",
    ).exclude(timing=rules.ANNOUNCE)
    airings = Airing.objects.filter(ahead, Q(unit=None) | Q(unit=unit))
    found = airings.filter(broadcast__in=broadcasts)
    related = ("broadcast__version__bulletin", "broadcast__unit")
    return list(found.select_related(*related).order_by("starts_at", "pk"))


def list_clashes(unit: Unit, *, at: datetime) -> list[Clash]:
    """Return where two or more priority bulletins meet in a commune, by time.

    Source: circular 39/2020/TT-BTTTT: the commune then decides the order.
    """
    order = find_order(unit, at=at)
    found: list[list[Airing]] = []
    for airing in list_priority(unit, at=at):
        if found and airing.starts_at < max(row.ends_at for row in found[-1]):
            found[-1].append(airing)
        else:
            found.append([airing])
    return [
        Clash(
            starts_at=min(row.starts_at for row in rows),
            ends_at=max(row.ends_at for row in rows),
            airings=sorted(rows, key=lambda row: precedence(row, order)),
            is_ordered=all(_uid(row) in order for row in rows),
        )
        for rows in found
        if len({row.broadcast_id for row in rows}) > 1
    ]


def precedence(airing: Airing, order: Sequence[str]) -> tuple[object, ...]:
    """Return the key by which priority bulletins go, as `core.playout` has it.

    The commune's order, then the higher level, the later approval, the id.
    """
    broadcast = airing.broadcast
    place = order.index(_uid(airing)) if _uid(airing) in order else len(order)
    if broadcast is None or broadcast.approved_at is None:
        return (place, 0, 0.0, airing.item)
    approved = broadcast.approved_at.timestamp()
    return (place, broadcast.unit.level, -approved, airing.item)


def _uid(airing: Airing) -> str:
    return airing.broadcast.uid if airing.broadcast else ""


def find_order(unit: Unit, *, at: datetime) -> tuple[str, ...]:
    """Return the order of priority bulletins that a commune has in force; or none."""
    paper = papers.in_force(unit, station.ORDER, at.astimezone(rules.LOCAL).date())
    if paper is None:
        return ()
    body: station.Order = papers.body_of(paper)
    return body.broadcasts

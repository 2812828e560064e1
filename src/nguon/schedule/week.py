"""One station's week, read: what is planned, what was really played, what clashes.

The past and the days that signed plans reach come from the airings that plans were
made of; what lies further ahead is worked out from the papers in force.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet
from django.urls import reverse

from nguon.core import signing
from nguon.core.messages import Audience, Item, Plan
from nguon.fleet.models import PLAN, Device, SignedDocument
from nguon.schedule import queries, rules, timetable
from nguon.schedule.items import list_renditions, longest_ms
from nguon.schedule.models import Airing, AudienceMember, Broadcast, PlayRecord
from nguon.schedule.timetable import Clash, DayPicture, Ground, Opening, Piece, Played
from nguon.territory.models import COMMUNE, PROVINCE, Unit
from nguon.territory.names import fold

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Wanted:
    """What of a week is looked for; empty means everything."""

    source: str = ""
    slot: str = ""
    text: str = ""

    def keeps(self, piece: Piece) -> bool:
        """Say whether a piece is looked for."""
        words = fold(self.text).split()
        told = fold(f"{piece.title} {piece.slot_name} {piece.issuer} {piece.word}")
        return (
            (not self.source or piece.source == self.source)
            and (not self.slot or piece.slot_name == self.slot)
            and all(word in told for word in words)
        )


@dataclass(frozen=True)
class Week:
    """A station's week: pieces by time, slots, quiet hours, clashes."""

    unit: Unit
    monday: date
    pieces: Sequence[Piece]
    openings: Sequence[Opening]
    quiet: Sequence[tuple[datetime, datetime]]
    clashes: Sequence[Clash]
    planned_until: datetime | None

    @property
    def slot_names(self) -> list[str]:
        """The slots of the week, by name."""
        named = [piece.slot_name for piece in self.pieces if piece.slot_name]
        return sorted({*named, *(opening.name for opening in self.openings)})

    def draw(self, wanted: Wanted, *, at: datetime) -> list[DayPicture]:
        """Return the seven days; gaps are shown only when nothing is left out."""
        everything = wanted == Wanted()
        pieces = [piece for piece in self.pieces if wanted.keeps(piece)]
        return [
            timetable.draw_day(
                self.monday + n * ONE_DAY,
                pieces=pieces,
                openings=self.openings if everything else (),
                quiet=self.quiet,
                at=at,
            )
            for n in range(timetable.DAYS)
        ]


def read_week(unit: Unit, *, monday: date, at: datetime) -> Week:
    """Return the week of a station, the commune or the province `unit`."""
    begin = timetable.midnight(monday)
    end = timetable.midnight(monday + timetable.DAYS * ONE_DAY)
    airings = list(
        _airings(unit, begin=begin, end=end).order_by("starts_at", "pk")[:5000]
    )
    played = _played(unit, airings)
    plans = _plans(unit, at=at)
    clashes = _clashes(unit, plans, begin=begin, end=end)
    said: dict[str, list[str]] = {}
    for clash in clashes:
        for item in (clash.first, clash.second):
            said.setdefault(item.id, []).append(clash.sentence)
    pieces = [
        replace(
            _piece(airing, unit),
            played=played.get(airing.item),
            clashes=tuple(said.get(airing.item, ())),
        )
        for airing in airings
    ]
    return Week(
        unit=unit,
        monday=monday,
        pieces=pieces,
        openings=(),
        quiet=_quiet(plans, begin=begin, end=end),
        clashes=clashes,
        planned_until=max(
            (_moment(plan.ends_at) for plan in plans.values()), default=None
        ),
    )


def _airings(unit: Unit, *, begin: datetime, end: datetime) -> QuerySet[Airing]:
    """Return what is planned to begin in a span for devices of a station."""
    reaching = AudienceMember.objects.filter(
        broadcast=OuterRef("broadcast"), unit__path__startswith=unit.path
    )
    by_paper = Q(paper__isnull=False, unit__in=unit.ancestor_ids)
    alone = Q(paper__isnull=True, broadcast__state=rules.APPROVED) & Exists(reaching)
    sounds = Prefetch("broadcast__version__sounds")
    return (
        Airing.objects.filter(
            by_paper | alone, starts_at__gte=begin - ONE_DAY, starts_at__lt=end
        )
        .filter(ends_at__gt=begin)
        .exclude(broadcast__state=rules.CANCELLED)
        .select_related("broadcast__version__bulletin", "broadcast__unit")
        .select_related("paper__unit", "unit")
        .prefetch_related(sounds, "broadcast__version__sounds__rendition__media")
    )


def _played(unit: Unit, airings: Sequence[Airing]) -> Mapping[str, Played]:
    """Return what devices of the station told of each airing, counted at once."""
    items = [airing.item for airing in airings]
    rows = (
        PlayRecord.objects.filter(item__in=items, unit__path__startswith=unit.path)
        .exclude(started_at=None, shown_at=None, outcome="")
        .order_by()
        .values("item")
        .annotate(
            known=Count("pk"),
            sounded=Count("pk", filter=queries.SOUNDED & ~queries.SILENT),
            silent=Count("pk", filter=queries.SILENT),
        )
    )
    return {
        row["item"]: Played(row["known"], row["sounded"], row["silent"]) for row in rows
    }


def _piece(airing: Airing, unit: Unit) -> Piece:
    """Return one airing as people look for it."""
    broadcast, paper = airing.broadcast, airing.paper
    issuer = broadcast.unit if broadcast else airing.unit
    ends_at = airing.ends_at
    if broadcast and not broadcast.is_alert:
        length = rules.length_of(longest_ms(list_renditions(broadcast.version)))
        ends_at = min(airing.ends_at, airing.starts_at + length)
    return Piece(
        key=airing.item,
        source=_source(airing),
        title=airing.shown_title,
        starts_at=airing.starts_at,
        ends_at=ends_at,
        slot_name=airing.slot,
        issuer=issuer.full_name if issuer and issuer != unit else "",
        url=_address(broadcast, unit)
        or (reverse("schedule:paper", args=[paper.uid]) if paper else ""),
    )


def _address(broadcast: Broadcast | None, unit: Unit) -> str:
    if broadcast is None:
        return ""
    if broadcast.unit.path.startswith(unit.path):
        return reverse("schedule:live", args=[broadcast.uid])
    return f"{reverse('schedule:plays')}?tin={broadcast.uid}"


def _source(airing: Airing) -> str:
    """Return the kind of thing that an airing is: a key of SOURCES."""
    broadcast = airing.broadcast
    if broadcast is None:
        kind = airing.paper.kind if airing.paper else ""
        return timetable.ANNOUNCED if kind == "authority" else timetable.RELAY
    version = broadcast.version
    if version.klass == "emergency":
        return timetable.DRILL if version.drill else timetable.EMERGENCY
    if version.klass == "priority":
        return timetable.PRIORITY
    if broadcast.timing == rules.ANNOUNCE:
        return timetable.ANNOUNCED
    if airing.paper_id:
        return timetable.PROGRAMME
    above = broadcast.unit.level < timetable.COMMUNE_LEVEL
    return timetable.ABOVE if above else timetable.ONE_OFF


# --- what signed plans say -----------------------------------------------------------


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, tz=rules.LOCAL)


def _plans(unit: Unit, *, at: datetime) -> Mapping[str, Plan]:
    """Return the plans in force at a station, by the uid of their unit."""
    found = SignedDocument.objects.filter(
        kind=PLAN,
        superseded_at__isnull=True,
        unit__in=unit.ancestor_ids,
        not_after__gt=at,
    )
    plans = [
        Plan.decode(dict(signing.read(row.jws)[1])) for row in found.order_by("pk")
    ]
    return {plan.unit: plan for plan in plans}


def _quiet(
    plans: Mapping[str, Plan], *, begin: datetime, end: datetime
) -> list[tuple[datetime, datetime]]:
    found = {interval for plan in plans.values() for interval in plan.quiet}
    spans = ((_moment(start), _moment(stop)) for start, stop in sorted(found))
    return [(start, stop) for start, stop in spans if start < end and stop > begin]


def _clashes(
    unit: Unit, plans: Mapping[str, Plan], *, begin: datetime, end: datetime
) -> list[Clash]:
    """Return the clashes of a week that concern devices of a station."""
    first, last = begin.timestamp() * 1000, end.timestamp() * 1000
    items = {
        item.id: item
        for plan in plans.values()
        for item in plan.items
        if first <= item.starts_at < last
    }
    ground = read_ground(unit, items.values())
    station = Audience(units=(unit.uid,))
    here = [item for item in items.values() if ground.meet(item.audience, station)]
    own = plans.get(unit.uid)
    return timetable.find_clashes(here, ground=ground, order=own.order if own else ())


def read_ground(unit: Unit, items: Iterable[Item]) -> Ground:
    """Return where the units and devices lie that items name, and the station."""
    audiences = [item.audience for item in items]
    units = {uid for one in audiences for uid in one.units} | {unit.uid}
    devices = {uid for one in audiences for uid in one.devices}
    paths = dict(Unit.objects.filter(uid__in=units).values_list("uid", "path"))
    paths |= dict(
        Device.objects.filter(uid__in=devices).values_list("uid", "unit__path")
    )
    keys = {int(key) for path in paths.values() for key in path.strip("/").split("/")}
    names = dict(Unit.objects.filter(pk__in=keys).values_list("pk", "uid"))
    return Ground(
        {
            uid: (uid, *(names[int(key)] for key in path.strip("/").split("/")))
            for uid, path in paths.items()
        }
    )


def list_stations(units: QuerySet[Unit]) -> list[Unit]:
    """Return the stations among units: provinces and communes, by name."""
    kinds = [PROVINCE, COMMUNE]
    return list(units.filter(kind__in=kinds).order_by("-kind", "folded", "pk"))

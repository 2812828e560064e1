"""One station's week, read: what is planned, what was really played, what clashes.

The past and the days that signed plans reach come from the airings that plans were
made of; what lies further ahead is worked out from the papers in force.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.urls import reverse

from nguon.core import signing
from nguon.core.messages import Audience, Plan
from nguon.fleet.models import PLAN, SignedDocument
from nguon.schedule import (
    comparison,
    papers,
    places,
    queries,
    rules,
    timetable,
)
from nguon.schedule.compile import Span, compile_station
from nguon.schedule.items import list_renditions, longest_ms, milliseconds, moment
from nguon.schedule.models import (
    Airing,
    AiringCount,
    AudienceMember,
    Broadcast,
    LiveSession,
    PlayRecord,
)
from nguon.schedule.timetable import Clash, DayPicture, Opening, Piece, Played
from nguon.territory.models import COMMUNE, PROVINCE, Unit
from nguon.territory.names import fold

ONE_DAY = timedelta(days=1)
MOST_AIRINGS = 5000


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
                openings=self.openings,
                with_gaps=everything,
                quiet=self.quiet,
                at=at,
            )
            for n in range(timetable.DAYS)
        ]


def read_week(unit: Unit, *, monday: date, at: datetime) -> Week:
    """Return the week of a station, the commune or the province `unit`."""
    span = comparison.span_of(monday, timetable.DAYS)
    shelf = papers.read_shelf(
        [unit], first=monday - ONE_DAY, last=monday + timetable.DAYS * ONE_DAY
    )
    names = papers.slot_names(unit)
    plans = _plans(unit, at=at)
    clashes = _clashes(unit, plans, span)
    until = max((moment(plan.ends_at) for plan in plans.values()), default=None)
    pieces = _planned(unit, span, names, clashes)
    known = {piece.key for piece in pieces}
    if until is None or until < span.end:
        ahead = compile_station(unit, shelf, span, known=())
        beyond = [row for row in ahead if moment(row.item.starts_at) >= (until or at)]
        pieces += [
            piece
            for piece in comparison.pieces_of(beyond, names)
            if piece.key not in known
        ]
    return Week(
        unit=unit,
        monday=monday,
        pieces=sorted(pieces, key=lambda one: (one.starts_at, one.key)),
        openings=comparison.openings_of(unit, shelf, span),
        quiet=comparison.quiet_of(unit, shelf, span),
        clashes=clashes,
        planned_until=until,
    )


def _planned(
    unit: Unit, span: Span, names: Mapping[str, str], clashes: Sequence[Clash]
) -> list[Piece]:
    """Return what plans were made of, with what was played and what clashes."""
    airings = list(_airings(unit, span).order_by("starts_at", "pk")[:MOST_AIRINGS])
    played, spoken = _played(unit, airings), _spoken(airings)
    said: dict[str, list[str]] = {}
    for clash in clashes:
        for item in (clash.first, clash.second):
            said.setdefault(item.id, []).append(clash.sentence)
    fallbacks = queries.fallbacks(airings)
    return [
        replace(
            _piece(airing, unit, names, spoken),
            played=played.get(airing.item),
            clashes=tuple(said.get(airing.item, ())),
        )
        for airing in airings
        if airing.item not in fallbacks
    ]


def _airings(unit: Unit, span: Span) -> QuerySet[Airing]:
    """Return what is planned to begin in a span for devices of a station."""
    reaching = AudienceMember.objects.filter(
        broadcast=OuterRef("broadcast"), unit__path__startswith=unit.path
    )
    by_paper = Q(paper__isnull=False, unit__in=unit.ancestor_ids)
    alone = Q(paper__isnull=True, broadcast__state=rules.APPROVED) & Exists(reaching)
    return (
        Airing.objects.filter(
            by_paper | alone,
            starts_at__gte=span.begin - ONE_DAY,
            starts_at__lt=span.end,
            ends_at__gt=span.begin,
        )
        .exclude(broadcast__state=rules.CANCELLED)
        .select_related("broadcast__version__bulletin", "broadcast__unit")
        .select_related("paper__unit", "unit")
        .prefetch_related("broadcast__version__sounds__rendition__media")
    )


def _played(unit: Unit, airings: Sequence[Airing]) -> Mapping[str, Played]:
    """Return what devices of the station told of each airing, counted at once.

    Of a month that was put away, what was counted then.
    """
    if not airings:
        return {}
    items = [airing.item for airing in airings]
    starts = [airing.starts_at for airing in airings]
    span = {"planned_at__gte": min(starts), "planned_at__lte": max(starts)}
    here = {"item__in": items, "unit__path__startswith": unit.path, **span}
    plays = PlayRecord.objects.filter(**here).exclude(
        started_at=None, shown_at=None, outcome=""
    )
    rows = (
        plays.order_by()
        .values_list("item")
        .annotate(
            known=Count("pk"),
            sounded=Count(
                "pk", filter=queries.SOUNDED & ~queries.SILENT & ~queries.BROKEN_OFF
            ),
            silent=Count("pk", filter=queries.SILENT),
            broken_off=Count("pk", filter=queries.BROKEN_OFF),
        )
    )
    kept = AiringCount.objects.filter(**here).order_by().values_list("item")
    sums = kept.annotate(
        known=Sum("told"),
        begun=Sum(F("sounded") + F("sounding")),
        failed=Sum("silent"),
        cut=Sum("broken_off"),
    )
    return {row[0]: Played(*row[1:]) for row in (*sums, *rows)}


def _spoken(airings: Sequence[Airing]) -> Mapping[str, datetime]:
    """Return when live speech that is over really ended, by its item.

    An airing tells the latest end that was allowed, and never changes.
    """
    items = [airing.item for airing in airings if airing.broadcast_id is None]
    over = LiveSession.objects.filter(item__in=items).only("item", "ended_at")
    return {row.item: row.ended_at for row in over if row.ended_at is not None}


def _piece(
    airing: Airing, unit: Unit, names: Mapping[str, str], spoken: Mapping[str, datetime]
) -> Piece:
    """Return one airing as people look for it."""
    broadcast, paper = airing.broadcast, airing.paper
    issuer = broadcast.unit if broadcast else airing.unit
    ends_at = spoken.get(airing.item, airing.ends_at)
    if broadcast and not broadcast.is_alert:
        length = rules.length_of(longest_ms(list_renditions(broadcast.version)))
        ends_at = min(airing.ends_at, airing.starts_at + length)
    return Piece(
        key=airing.item,
        source=_source(airing),
        title=airing.shown_title,
        starts_at=airing.starts_at,
        ends_at=ends_at,
        slot=airing.slot,
        slot_name=names.get(airing.slot, airing.slot),
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


def _clashes(unit: Unit, plans: Mapping[str, Plan], span: Span) -> list[Clash]:
    """Return the clashes of a week that concern devices of a station."""
    first, last = milliseconds(span.begin), milliseconds(span.end)
    items = [
        item
        for plan in plans.values()
        for item in plan.items
        if first <= item.starts_at < last
    ]
    here = Audience(units=(unit.uid,))
    where = papers.read_places([here, *(item.audience for item in items)])
    own = plans.get(unit.uid)
    return timetable.find_clashes(
        [item for item in items if places.meet(item.audience, here, where)],
        where=where,
        order=own.order if own else (),
    )


def list_stations(units: QuerySet[Unit]) -> list[Unit]:
    """Return the stations among units: provinces and communes, by name."""
    kinds = [PROVINCE, COMMUNE]
    return list(units.filter(kind__in=kinds).order_by("-kind", "folded", "pk"))

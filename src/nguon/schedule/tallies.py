"""How far an airing has come, counted in devices: while it sounds, and years later.

As long as its plays are in the database they are counted. When their month is put
away, what was counted stays, by commune (`AiringCount`): who looks at an old airing
sees its figures, and that the plays themselves lie in a file.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Sum, When

from nguon.audit.models import Archive
from nguon.schedule.models import Airing, AiringCount, AudienceMember, PlayRecord
from nguon.territory.models import COMMUNE, VILLAGE, Unit

SOUNDED = Q(started_at__isnull=False)
# A filler in whose place something better sounded did what it should.
_NEEDED = ~Q(cause="unneeded")
# Heard in part and over: cut, stopped, cancelled or failed in its middle.
BROKEN_OFF = _NEEDED & SOUNDED & Q(sounded_ms__gt=0) & ~Q(outcome__in=["", "finished"])
# Over, and nothing of it was heard or shown as it should.
SILENT = (
    _NEEDED
    & ~BROKEN_OFF
    & (
        Q(outcome__in=["failed", "missed"])
        | (
            ~Q(outcome="")
            & ~(SOUNDED & Q(outcome="finished"))
            & Q(shown_at__isnull=True)
        )
    )
)
# What sounded, or was shown, as it should: green on the map.
HEARD = (SOUNDED & ~SILENT & ~BROKEN_OFF) | Q(shown_at__isnull=False)
# What is counted of an airing's plays; each is a column of `AiringCount` too.
COUNTED = {
    "reached": Q(received_at__isnull=False) | SOUNDED,
    "prepared": Q(prepared_at__isnull=False),
    "sounding": SOUNDED & Q(outcome=""),
    "sounded": SOUNDED & ~Q(outcome="") & ~SILENT & ~BROKEN_OFF,
    "broken_off": BROKEN_OFF,
    "shown": Q(shown_at__isnull=False),
    "silent": SILENT,
}
TOLD = Q(started_at__isnull=False) | Q(shown_at__isnull=False) | ~Q(outcome="")
_ALL = {"told": TOLD, **COUNTED, "heard": HEARD}


@dataclass(frozen=True)
class Tally:
    """How far one airing has come, counted in devices."""

    targeted: int
    reached: int
    prepared: int
    sounding: int
    sounded: int
    broken_off: int
    shown: int
    silent: int
    waiting: int
    late_joiners: int


@dataclass(frozen=True)
class Ground:
    """One commune of the live map."""

    unit_id: int
    code: str
    name: str
    targeted: int
    sounded: int
    broken_off: int
    silent: int


def tally(meant: QuerySet[AudienceMember], plays: QuerySet[PlayRecord]) -> Tally:
    """Count an airing from its plays."""
    known = Q(late_joiner=False)
    counts = plays.aggregate(
        known=Count("pk", filter=known),
        late_joiners=Count("pk", filter=~known),
        **{name: Count("pk", filter=which) for name, which in COUNTED.items()},
    )
    targeted = meant.count()
    return Tally(
        targeted=targeted, waiting=targeted - int(counts.pop("known")), **counts
    )


def grounds(
    meant: QuerySet[AudienceMember], plays: QuerySet[PlayRecord]
) -> list[Ground]:
    """Return the communes of the audience with what sounded there."""
    outcome = plays.filter(device=OuterRef("device"))
    rows = (
        meant.annotate(
            has_sounded=Exists(outcome.filter(HEARD)),
            is_broken=Exists(outcome.filter(BROKEN_OFF)),
            is_silent=Exists(outcome.filter(SILENT)),
        )
        .values("unit__path")
        .annotate(
            targeted=Count("pk"),
            sounded=Count("pk", filter=Q(has_sounded=True)),
            broken_off=Count("pk", filter=Q(is_broken=True)),
            silent=Count("pk", filter=Q(is_silent=True)),
        )
    )
    communes = _communes_of(row["unit__path"] for row in rows)
    totals: dict[int, list[int]] = {}
    for row in rows:
        unit = communes[row["unit__path"]]
        total = totals.setdefault(unit.pk, [0, 0, 0, 0])
        counts = (row["targeted"], row["sounded"], row["broken_off"], row["silent"])
        totals[unit.pk] = [old + new for old, new in zip(total, counts, strict=True)]
    return _by_name({unit.pk: unit for unit in communes.values()}, totals)


# --- what stays when the plays are put away ------------------------------------------


def find_archive(airing: Airing) -> Archive | None:
    """Return the archive where an airing's plays lie, if they lie only there."""
    at = airing.starts_at
    away = Archive.objects.filter(
        model=PlayRecord._meta.label, restored_at=None, rows__gt=0
    )
    return away.filter(begins_at__lte=at, ends_at__gt=at).first()


def count_airings(begin: datetime, end: datetime) -> Iterator[AiringCount]:
    """Count the airings that begin in [begin, end) by commune; nothing is written."""
    commune = Case(When(unit__kind=VILLAGE, then=F("unit__parent")), default=F("unit"))
    plays = PlayRecord.objects.filter(planned_at__gte=begin, planned_at__lt=end)
    rows = (
        plays.order_by()
        .annotate(ground=commune)
        .values("item", "planned_at", "late_joiner", "ground")
        .annotate(
            plays=Count("pk"),
            **{name: Count("pk", filter=which) for name, which in _ALL.items()},
        )
    )
    for row in rows.iterator():
        values: dict[str, Any] = dict(row)
        yield AiringCount(unit_id=values.pop("ground"), **values)


def kept_tally(meant: QuerySet[AudienceMember], kept: QuerySet[AiringCount]) -> Tally:
    """Return the figures of an airing whose plays are put away."""
    known = Q(late_joiner=False)
    told = kept.aggregate(
        known=Sum("plays", filter=known, default=0),
        late_joiners=Sum("plays", filter=~known, default=0),
        **{name: Sum(name, default=0) for name in COUNTED},
    )
    targeted = meant.count()
    return Tally(targeted=targeted, waiting=targeted - told.pop("known"), **told)


def kept_grounds(
    meant: QuerySet[AudienceMember], kept: QuerySet[AiringCount]
) -> list[Ground]:
    """Return the communes of the audience with what had sounded there."""
    rows = meant.values_list("unit__path").annotate(Count("pk")).order_by("unit__path")
    communes = _communes_of(path for path, _count in rows)
    totals: dict[int, list[int]] = {}
    for path, count in rows:
        totals.setdefault(communes[path].pk, [0, 0, 0, 0])[0] += count
    told = kept.filter(late_joiner=False, unit__in=totals)
    for unit, *counts in told.values_list("unit", "heard", "broken_off", "silent"):
        totals[unit][1:] = counts
    return _by_name({unit.pk: unit for unit in communes.values()}, totals)


def kept_devices(airings: QuerySet[Airing], column: str = "sounded") -> dict[int, int]:
    """Return by commune the most devices of any one of these airings put away.

    Which devices they were stands in the file: two airings cannot be added up.
    """
    kept = AiringCount.objects.filter(item__in=airings.values("item")).order_by()
    by_airing = kept.values_list("unit", "item").annotate(n=Sum(column))
    found: dict[int, int] = {}
    for unit, _item, n in by_airing:
        found[unit] = max(found.get(unit, 0), n)
    return found


def _by_name(
    units: Mapping[int, Unit], totals: Mapping[int, Sequence[int]]
) -> list[Ground]:
    return [
        Ground(key, units[key].code, units[key].full_name, *total)
        for key, total in sorted(totals.items(), key=lambda row: units[row[0]].folded)
    ]


def _communes_of(paths: Iterable[str]) -> dict[str, Unit]:
    """Return for each path the commune on it, or its last unit above communes."""
    chains = {path: [int(k) for k in path.strip("/").split("/")] for path in paths}
    units = Unit.objects.in_bulk({key for chain in chains.values() for key in chain})
    return {
        path: next(
            (units[key] for key in chain if units[key].kind == COMMUNE),
            units[chain[-1]],
        )
        for path, chain in chains.items()
    }

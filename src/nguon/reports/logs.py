"""The broadcast log of a station's month (sổ nhật ký phát thanh), from facts.

A line is a planned start with what really sounded at the speakers of one commune. It
is asked of a commune of then or of today: facts belong to the unit of their day, and a
whole succession passes them on. What a divided commune did is told, never guessed.
What is not due yet is no line of the log: it stands apart (`Log.ahead`). Reads only.

When the plays of the month were put away what was counted of them stays
(`AiringCount`, `PlayDay`); what only the plays knew is "in the archive", never 0.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from nguon.audit import archives, months
from nguon.fleet.models import SPEAKER, BeatDay, Fault
from nguon.newsroom.rules import CLASSES
from nguon.reports.stations import Station
from nguon.schedule.models import (
    Airing,
    AiringCount,
    AudienceMember,
    LiveSession,
    PlayDay,
    PlayRecord,
)
from nguon.schedule.tallies import BROKEN_OFF, HEARD, SILENT

GRADES = (0, 1, 2, 3, 4)
FULL, PART, MUTE, UNTOLD = "full", "part", "mute", "untold"
STATES = {
    FULL: "Kêu đủ",
    PART: "Kêu một phần",
    MUTE: "Im lặng",
    UNTOLD: "Chưa có báo về",
}

PAPER, LIVE = "paper", "live"
KINDS = {**CLASSES, PAPER: "Chương trình, tiếp âm", LIVE: "Nói trực tiếp"}


@dataclass(frozen=True)
class Line:
    """One planned start and what became of it; lengths are milliseconds.

    `meant` is how many speakers it was for (None: not known); `longest_ms` how long
    the speaker sounded that sounded longest (None: it lies in the archive).
    """

    item: str
    starts_at: datetime
    planned_ms: int
    title: str
    kind: str
    languages: Sequence[str]
    writer: str
    approver: str
    meant: int | None
    sounded: int = 0
    broken_off: int = 0
    silent: int = 0
    first_at: datetime | None = None
    longest_ms: int | None = 0
    grades: Mapping[int, int] = field(default_factory=dict)
    causes: Sequence[tuple[str, int]] = ()

    @property
    def state(self) -> str:
        """What became of it, of `STATES`."""
        if self.sounded and not self.broken_off and not self.silent:
            return FULL
        if self.sounded or self.broken_off:
            return PART
        return MUTE if self.silent else UNTOLD


@dataclass(frozen=True)
class Totals:
    """What a month comes to; lengths are milliseconds, None lies in the archive."""

    lines: int
    states: Mapping[str, int]
    planned_ms: int
    sounded_ms: int | None
    device_ms: int | None
    languages: Sequence[tuple[str, int]]
    grades: Mapping[int, int]
    causes: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Log:
    """A station's month, half-open `[first, after)`.

    Of a month that is not over `lines` go up to `until`, and `ahead` is to come.
    """

    station: Station
    first: date
    after: date
    lines: Sequence[Line]
    totals: Totals
    faults: Sequence[Fault]
    is_archived: bool
    ahead: Sequence[Line] = ()
    until: datetime | None = None


# --- the log -----------------------------------------------------------------------


def read_log(station: Station, month: date, *, at: datetime) -> Log:
    """Return a station's log of the month that begins on a day, as it stands `at`."""
    begin, end = months.bounds(month)
    after = months.next_month(month)
    away = archives.list_away("schedule.PlayRecord", begin=begin, end=end)
    is_archived = bool(away)
    found = _Month(station, begin, end)
    every = found.archived_lines() if is_archived else found.lines()
    lines = [one for one in every if one.starts_at <= at]
    return Log(
        station=station,
        first=month,
        after=after,
        lines=lines,
        totals=add_up(lines, found.days() if is_archived else None),
        faults=found.faults(),
        is_archived=is_archived,
        ahead=[one for one in every if one.starts_at > at],
        until=at if at < end else None,
    )


def add_up(lines: Sequence[Line], days: Sequence[Mapping[str, Any]] | None) -> Totals:
    """Return a month's sums; `days` are what was counted when the plays are away."""
    spoken: Counter[str] = Counter()
    grades: Counter[int] = Counter()
    causes: Counter[str] = Counter()
    for one in lines:
        grades.update(one.grades)
        causes.update(dict(one.causes))
        # A bulletin in two languages counts in both.
        for language in one.languages if one.sounded or one.broken_off else ():
            spoken[language] += one.longest_ms or 0
    for row in days or ():
        if row["outcome"] not in {"", "finished"} and row["cause"] != "unneeded":
            causes[row["cause"] or row["outcome"]] += row["n"]
    return Totals(
        lines=len(lines),
        states=Counter(one.state for one in lines),
        planned_ms=sum(one.planned_ms for one in lines),
        sounded_ms=sum(one.longest_ms or 0 for one in lines) if days is None else None,
        device_ms=None if days is None else sum(row["ms"] for row in days),
        languages=[] if days is not None else spoken.most_common(),
        grades=grades,
        causes=causes.most_common(),
    )


class _Month:
    """What is known of one station's month."""

    def __init__(self, station: Station, begin: datetime, end: datetime) -> None:
        self.grounds = station.grounds
        self.begin, self.end = begin, end
        self.plays = PlayRecord.objects.filter(
            self._here("unit"),
            planned_at__gte=begin,
            planned_at__lt=end,
            device__kind=SPEAKER,
        ).order_by()
        members = AudienceMember.objects.filter(
            self._here("unit"), device__kind=SPEAKER
        )
        # What was counted when the plays were put away.
        self.kept = AiringCount.objects.filter(
            self._here("unit"), planned_at__gte=begin, planned_at__lt=end
        ).order_by()
        longest = Max("broadcast__version__sounds__rendition__duration_ms")
        self.airings: QuerySet[Airing] = (
            Airing.objects.filter(starts_at__gte=begin, starts_at__lt=end)
            .filter(
                Q(withdrawn_at=None)
                & (
                    Q(self._here("unit"), paper__isnull=False)
                    | Q(
                        Exists(members.filter(broadcast=OuterRef("broadcast"))),
                        paper__isnull=True,
                    )
                )
                | Q(item__in=self.plays.values("item"))
                | Q(item__in=self.kept.values("item"))
            )
            .select_related(
                "broadcast__version__bulletin__created_by",
                "broadcast__approved_by",
                "broadcast__authority",
                "paper__approved_by",
            )
            .annotate(sound=longest)
            .order_by("starts_at", "item")
        )
        self.members = members

    def _here(self, name: str) -> Q:
        """Hold for rows whose unit stands on one of the grounds."""
        found = Q(pk__in=[])
        for one in self.grounds:
            found |= Q(**{f"{name}__path__startswith": one.path})
        return found

    def lines(self) -> list[Line]:
        """Return every start with what its plays tell."""
        told = {row["item"]: row for row in self._told()}
        causes: dict[str, list[tuple[str, int]]] = defaultdict(list)
        rows = self.plays.filter(SILENT | BROKEN_OFF).values("item", "outcome", "cause")
        for row in rows.annotate(n=Count("pk")).order_by("-n", "cause"):
            causes[row["item"]].append((row["cause"] or row["outcome"], row["n"]))
        return [
            self._line(
                one, meant, kind, told.get(one.item, {}), causes.get(one.item, ())
            )
            for one, meant, kind in self._meant()
        ]

    def _told(self) -> Iterable[Any]:
        return self.plays.values("item").annotate(
            n_sounded=Count("pk", filter=HEARD),
            n_broken_off=Count("pk", filter=BROKEN_OFF),
            n_silent=Count("pk", filter=SILENT),
            first=Min("started_at", filter=Q(sounded_ms__gt=0)),
            longest=Max("sounded_ms", default=0),
            **{
                f"grade_{grade}": Count("pk", filter=Q(sounded_ms__gt=0, grade=grade))
                for grade in GRADES
            },
        )

    def archived_lines(self) -> list[Line]:
        """Return every start with what was counted when its plays were put away."""
        rows = self.kept.values("item")
        told = {
            row["item"]: row
            for row in rows.annotate(
                n_sounded=Sum(F("sounded") + F("sounding")),
                n_broken_off=Sum("broken_off"),
                n_silent=Sum("silent"),
            )
        }
        return [
            self._line(one, meant, kind, told.get(one.item, {}), is_archived=True)
            for one, meant, kind in self._meant()
        ]

    def _meant(self) -> Iterable[tuple[Airing, int | None, str]]:
        """Yield each start, how many speakers it was for, and what kind it is."""
        airings = list(self.airings)
        keys = {one.broadcast_id for one in airings if one.paper_id is None}
        rows = self.members.filter(broadcast__in=keys).order_by().values("broadcast")
        listed = dict(rows.annotate(n=Count("pk")).values_list("broadcast", "n"))
        days = BeatDay.objects.filter(self._here("unit"), device__kind=SPEAKER)
        in_use = dict(
            days.filter(
                day__gte=timezone.localdate(self.begin),
                day__lt=timezone.localdate(self.end),
            )
            .order_by()
            .values("day")
            .annotate(n=Count("pk"))
            .values_list("day", "n")
        )
        live = set(
            LiveSession.objects.filter(
                item__in=[one.item for one in airings]
            ).values_list("item", flat=True)
        )
        for one in airings:
            if one.item in live:
                yield one, None, LIVE
            elif one.paper_id is None:
                yield one, listed.get(one.broadcast_id or 0, 0), _kind(one)
            else:
                yield one, in_use.get(timezone.localdate(one.starts_at)), _kind(one)

    def _line(
        self,
        one: Airing,
        meant: int | None,
        kind: str,
        told: Mapping[str, Any],
        causes: Sequence[tuple[str, int]] = (),
        *,
        is_archived: bool = False,
    ) -> Line:
        window = (one.ends_at - one.starts_at) // timedelta(milliseconds=1)
        sound = getattr(one, "sound", None)
        version = one.broadcast.version if one.broadcast else None
        return Line(
            item=one.item,
            starts_at=one.starts_at,
            planned_ms=window if sound is None else min(window, sound),
            title=one.shown_title or one.slot,
            kind=kind,
            languages=list(version.languages) if version else [],
            writer=version.bulletin.created_by.full_name if version else "",
            approver=_approver(one),
            meant=meant,
            sounded=told.get("n_sounded", 0),
            broken_off=told.get("n_broken_off", 0),
            silent=told.get("n_silent", 0),
            first_at=told.get("first"),
            longest_ms=None if is_archived else told.get("longest", 0),
            grades={
                grade: told[f"grade_{grade}"]
                for grade in GRADES
                if told.get(f"grade_{grade}")
            },
            causes=causes,
        )

    def days(self) -> list[Mapping[str, Any]]:
        """Return what was counted of the plays by day before they were put away."""
        rows = PlayDay.objects.filter(
            self._here("unit"),
            device__kind=SPEAKER,
            day__gte=timezone.localdate(self.begin),
            day__lt=timezone.localdate(self.end),
        )
        told = rows.order_by().values("outcome", "cause")
        return list(told.annotate(n=Sum("plays"), ms=Sum("sounded_ms")))

    def faults(self) -> list[Fault]:
        """Return the faults of speakers here that held in the month."""
        held = Fault.objects.filter(
            self._here("unit"), device__kind=SPEAKER, began_at__lt=self.end
        ).filter(Q(closed_at=None) | Q(closed_at__gt=self.begin))
        return list(held.select_related("device").order_by("began_at", "pk"))


def _kind(one: Airing) -> str:
    return one.broadcast.version.klass if one.broadcast else PAPER


def _approver(one: Airing) -> str:
    """Name who let it sound; one alone under a standing authority is told so."""
    if one.broadcast is None:
        by = one.paper.approved_by if one.paper else None
        return by.full_name if by else ""
    by = one.broadcast.approved_by
    name = by.full_name if by else ""
    authority = one.broadcast.authority
    return f"{name} (ủy quyền số {authority.number})" if authority else name

"""Remuneration (thù lao): pieces written, checked and read, counted from what happened.

A piece counts in the month of its approval. Written is a bulletin's first approval,
for whoever began it; checked is each approval, for whoever gave it; read is each
recorded voice of an approved version, for whoever spoke.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from nguon.newsroom import rules
from nguon.newsroom.models import (
    Involvement,
    PayRate,
    Recording,
    VersionRendition,
)
from nguon.people import access as people_access
from nguon.people.models import Officer
from nguon.territory.models import Unit


@dataclass(frozen=True)
class Line:
    """One person's month: how many pieces of each task, and the money in đồng."""

    person: str
    pieces: Mapping[str, int]
    amounts: Mapping[str, int]
    unpriced: int
    person_id: int = 0

    @property
    def total(self) -> int:
        """Return the whole amount, đồng."""
        return sum(self.amounts.values())


@dataclass(frozen=True)
class _Piece:
    task: str
    person: str
    person_id: int
    unit: Unit
    day: date


def month_of(day: date) -> tuple[date, date]:
    """Return the half-open month that a day lies in."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def list_lines(officer: Officer, *, month: date, at: datetime) -> list[Line]:
    """Return the month's table of the officer's ground, by name."""
    first, after = month_of(month)
    seen = people_access.fence(
        _approvals(first, after), officer=officer, at=at, unit="version__bulletin__unit"
    )
    return _lines(seen, after)


def list_lines_of(units: Collection[Unit], *, month: date) -> list[Line]:
    """Return the month's table of some units and below, by name.

    Who may read it is asked by whoever calls.
    """
    first, after = month_of(month)
    return _lines(_approvals(first, after).filter(_ground(units)), after)


def sum_months(
    units: Collection[Unit], *, first: date, after: date
) -> dict[tuple[date, int], int]:
    """Return by month and person what is due at some units and below, đồng.

    The months lie in `[first, after)`.

    Who may read it is asked by whoever calls.
    """
    rates = _rates(after)
    found: Counter[tuple[date, int]] = Counter()
    for piece in _pieces(_approvals(first, after).filter(_ground(units))):
        rate = find_rate(rates, task=piece.task, unit=piece.unit, day=piece.day)
        found[piece.day.replace(day=1), piece.person_id] += rate or 0
    return dict(found)


def _ground(units: Collection[Unit]) -> Q:
    ground = Q(pk__in=[])
    for unit in units:
        ground |= Q(version__bulletin__unit__path__startswith=unit.path)
    return ground


def _rates(after: date) -> list[PayRate]:
    return list(PayRate.objects.filter(from_day__lt=after).order_by("from_day", "pk"))


def _lines(approvals: QuerySet[Involvement], after: date) -> list[Line]:
    rates = _rates(after)
    people: dict[int, list[_Piece]] = {}
    for piece in _pieces(approvals):
        people.setdefault(piece.person_id, []).append(piece)
    lines = [_line(mine, rates) for mine in people.values()]
    return sorted(lines, key=lambda line: line.person)


def _line(pieces: Sequence[_Piece], rates: Sequence[PayRate]) -> Line:
    counts, money, unpriced = Counter[str](), Counter[str](), 0
    for piece in pieces:
        counts[piece.task] += 1
        rate = find_rate(rates, task=piece.task, unit=piece.unit, day=piece.day)
        unpriced += rate is None
        money[piece.task] += rate or 0
    return Line(
        person=pieces[0].person,
        pieces={task: counts[task] for task in rules.TASKS},
        amounts={task: money[task] for task in rules.TASKS},
        unpriced=unpriced,
        person_id=pieces[0].person_id,
    )


def find_rate(
    rates: Sequence[PayRate], *, task: str, unit: Unit, day: date
) -> int | None:
    """Return what a piece is paid: the nearest unit's newest rate of that day."""
    above = [int(key) for key in unit.path.strip("/").split("/") if key]
    for key in reversed(above):
        fitting = [
            rate
            for rate in rates
            if rate.unit_id == key and rate.task == task and rate.from_day <= day
        ]
        if fitting:
            return max(fitting, key=lambda rate: (rate.from_day, rate.pk)).amount
    return None


def _approvals(first: date, after: date) -> QuerySet[Involvement]:
    """Return the approvals of days, `[first, after)`; drills are not paid."""
    zone = timezone.get_default_timezone()
    return Involvement.objects.filter(
        kind=Involvement.APPROVE,
        at__gte=datetime(first.year, first.month, first.day, tzinfo=zone),
        at__lt=datetime(after.year, after.month, after.day, tzinfo=zone),
        version__drill=False,
    )


def _pieces(approvals: QuerySet[Involvement]) -> list[_Piece]:
    """Return the pieces of some approvals, in a handful of statements."""
    versions = approvals.values("version")
    bulletins = approvals.values("version__bulletin")
    every = Involvement.objects.filter(
        kind=Involvement.APPROVE, version__bulletin__in=bulletins
    )
    firsts = dict(
        every.order_by().values_list("version__bulletin").annotate(first=Min("pk"))
    )
    sounds: defaultdict[int, set[int]] = defaultdict(set)
    for version, rendition in VersionRendition.objects.filter(
        version__in=versions
    ).values_list("version", "rendition"):
        sounds[version].add(rendition)
    spoken: defaultdict[int, list[Recording]] = defaultdict(list)
    recordings = Recording.objects.filter(bulletin__in=bulletins)
    for row in recordings.select_related("recorded_by").order_by("pk"):
        spoken[row.bulletin_id].append(row)
    found: list[_Piece] = []
    related = ("person", "version__bulletin__unit", "version__bulletin__created_by")
    for approval in approvals.select_related(*related).order_by("at", "pk"):
        bulletin = approval.version.bulletin
        unit, day = bulletin.unit, timezone.localdate(approval.at)
        tasks = [(rules.CHECKED, approval.person)]
        if firsts[bulletin.pk] == approval.pk:
            heard = [
                row
                for row in spoken[bulletin.pk]
                if row.rendition_id in sounds[approval.version_id]
            ]
            readers = {(row.language, row.recorded_by): None for row in heard}
            tasks = [
                (rules.WRITTEN, bulletin.created_by),
                *tasks,
                *((rules.READ, reader) for _language, reader in readers),
            ]
        found += [
            _Piece(task, person.full_name, person.pk, unit, day)
            for task, person in tasks
        ]
    return found

"""Remuneration (thù lao): pieces written, checked and read, counted from what happened.

A piece counts in the month of its approval. Written is a bulletin's first approval,
for whoever began it; checked is each approval, for whoever gave it; read is each
recorded voice of an approved version, for whoever spoke.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from nguon.newsroom import rules
from nguon.newsroom.models import Involvement, PayRate, Recording
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
    seen = people_access.fence(
        _approvals(month), officer=officer, at=at, unit="version__bulletin__unit"
    )
    return _lines(seen, month)


def list_lines_of(units: Collection[Unit], *, month: date) -> list[Line]:
    """Return the month's table of some units and below, by name.

    Who may read it is asked by whoever calls.
    """
    ground = Q(pk__in=[])
    for unit in units:
        ground |= Q(version__bulletin__unit__path__startswith=unit.path)
    return _lines(_approvals(month).filter(ground), month)


def _lines(approvals: QuerySet[Involvement], month: date) -> list[Line]:
    _first, after = month_of(month)
    rates = list(PayRate.objects.filter(from_day__lt=after).order_by("from_day", "pk"))
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


def _approvals(month: date) -> QuerySet[Involvement]:
    """Return the approvals of a month; drills are not paid."""
    first, after = month_of(month)
    zone = timezone.get_default_timezone()
    return Involvement.objects.filter(
        kind=Involvement.APPROVE,
        at__gte=datetime(first.year, first.month, 1, tzinfo=zone),
        at__lt=datetime(after.year, after.month, 1, tzinfo=zone),
        version__drill=False,
    )


def _pieces(approvals: QuerySet[Involvement]) -> list[_Piece]:
    approvals = approvals.select_related(
        "person", "version__bulletin__unit", "version__bulletin__created_by"
    )
    found: list[_Piece] = []
    for approval in approvals.order_by("at", "pk"):
        bulletin = approval.version.bulletin
        day = timezone.localdate(approval.at)
        earlier = Involvement.objects.filter(
            kind=Involvement.APPROVE, version__bulletin=bulletin, pk__lt=approval.pk
        ).exists()
        if not earlier:
            writer = bulletin.created_by
            found.append(
                _Piece(rules.WRITTEN, writer.full_name, writer.pk, bulletin.unit, day)
            )
        person = approval.person
        found.append(
            _Piece(rules.CHECKED, person.full_name, person.pk, bulletin.unit, day)
        )
        spoken = Recording.objects.filter(
            bulletin=bulletin,
            rendition__in=approval.version.sounds.values("rendition"),
        ).select_related("recorded_by")
        readers = {(row.language, row.recorded_by) for row in spoken}
        found += [
            _Piece(rules.READ, reader.full_name, reader.pk, bulletin.unit, day)
            for _language, reader in readers
            if not earlier
        ]
    return found

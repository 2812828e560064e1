"""Lines that go on at another unit, because units were rearranged: actions.

The old line ends on that day, so that every count of an earlier day stays where it
was; a new one begins. The right is asked by whoever rearranges.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from nguon.people.models import Officer
from nguon.registers import rules
from nguon.registers.models import (
    PracticeProof,
    Propagandist,
    RegisterChange,
    StaffMember,
    Station,
)
from nguon.territory.models import Unit
from nguon.territory.names import fold

AnyModel = type[Station] | type[StaffMember] | type[Propagandist]


@dataclass(frozen=True)
class Continued:
    """What became of a line: the one that goes on, until when the old was to be.

    Without `made` the line itself was moved, since it began on the new map; `name` is
    what it was called before.
    """

    made: int | None
    until: date | None
    changes: int = 0
    name: str = ""


def in_use(model: AnyModel, day: date) -> Q:
    """Keep the lines that go on beyond a day, and its next: see `take_back_lines`."""
    end = _end_of(model)
    later = Q(**{f"{end}__gt": day + timedelta(days=1)})
    return Q(**{f"{end}__isnull": True}) | later


def _end_of(model: AnyModel) -> str:
    return "ended_on" if model is Station else "to_date"


@transaction.atomic
def continue_lines(
    *,
    model: AnyModel,
    moves: Mapping[int, int],
    names: Mapping[int, str],
    day: date,
    by: Officer,
    at: datetime,
) -> dict[int, Continued]:
    """End lines on a day and begin each anew at another unit; by their keys.

    `names` are those of lines that would be called as another one there.
    """
    end = _end_of(model)
    units = Unit.objects.in_bulk(set(moves.values()))
    rows: QuerySet[Any] = model._default_manager.filter(pk__in=moves)
    done: dict[int, Continued] = {}
    locked = rows.select_for_update(of=("self",)).select_related("unit")
    for line in locked.order_by("pk"):
        new = units[moves[line.pk]]
        until = getattr(line, end)
        if model is not Station and line.from_date >= day:
            _tell(line, line.unit, by, at)
            called = line.full_name
            line.unit = new
            line.full_name = names.get(line.pk, called)
            line.folded = fold(line.full_name)
            line.save(update_fields=["unit", "full_name", "folded"])
            done[line.pk] = Continued(None, until, _count_changes(line), called)
            continue
        before = line.unit
        made = _begin(model, line, new, names.get(line.pk, ""), day, until, by, at)
        setattr(line, end, day)
        line.save(update_fields=[end])
        _copy_proofs(line, made)
        _tell(made, before, by, at)
        done[line.pk] = Continued(made.pk, until, _count_changes(made))
    return done


def _begin(
    model: AnyModel,
    line: Any,
    unit: Unit,
    name: str,
    day: date,
    until: date | None,
    by: Officer,
    at: datetime,
) -> Any:
    """Return the line that goes on: begun before and taken back, or a fresh one."""
    skipped = {"id", "uid", "unit", "added_by", "added_at"}
    values = {
        field.attname: getattr(line, field.attname)
        for field in line._meta.concrete_fields
        if field.name not in skipped
    }
    if name:
        field = "name" if model is Station else "full_name"
        values |= {field: name, "folded": fold(name)}
    values |= {_end_of(model): until}
    if model is not Station:
        values |= {"from_date": day}
    same: QuerySet[Any] = model._default_manager.filter(
        unit=unit, folded=values["folded"]
    )
    if model is Station:
        same = same.filter(kind=values["kind"], ended_on__isnull=False)
        same = same.filter(year=values["year"])
    else:
        same = same.filter(from_date=day, forgotten_at=None, to_date__isnull=False)
    found = same.order_by("-pk").first() if values["folded"] else None
    made = found or model(unit=unit, added_by=by, added_at=at)
    for field, value in values.items():
        setattr(made, field, value)
    made.save()
    return made


def _copy_proofs(line: Any, made: Any) -> None:
    """Let who goes on keep what they learnt; the old line keeps it too."""
    if isinstance(line, Station):
        return
    field = "staff_member" if isinstance(line, StaffMember) else "propagandist"
    known = set(made.proofs.values_list("lesson", flat=True))
    PracticeProof.objects.bulk_create(
        PracticeProof(
            lesson_id=proof.lesson_id,
            proven_on=proof.proven_on,
            recorded_by_id=proof.recorded_by_id,
            recorded_at=proof.recorded_at,
            **{field: made},
        )
        for proof in line.proofs.all()
        if proof.lesson_id not in known
    )


def _tell(line: Any, before: Unit, by: Officer, at: datetime) -> None:
    told = [["Tiếp nối từ", before.full_name, ""]]
    RegisterChange.objects.create(
        line_uid=line.uid, kind=rules.ADDED, told=told, by=by, at=at
    )


def _count_changes(line: Any) -> int:
    return RegisterChange.objects.filter(line_uid=line.uid).count()


def list_changed(model: AnyModel, done: Mapping[int, Continued]) -> set[int]:
    """Return which lines were changed by somebody since they went on, by old key."""
    found = set()
    keys = {old: one.made or old for old, one in done.items()}
    lines = model._default_manager.in_bulk(keys.values())
    for old, key in keys.items():
        line = lines.get(key)
        if line is None or _count_changes(line) != done[old].changes:
            found.add(old)
    return found


@transaction.atomic
def take_back_lines(
    *, model: AnyModel, done: Mapping[int, Continued], units: Mapping[int, int]
) -> None:
    """Let lines go on where they were before `continue_lines`; `units` are where.

    Lines are never deleted: those that were made end with their first day, so that
    nobody is counted twice on any other.
    """
    end = _end_of(model)
    news = model._default_manager.in_bulk([one.made for one in done.values()])
    lines: QuerySet[Any] = model._default_manager.filter(pk__in=done)
    for line in lines.order_by("pk"):
        one = done[line.pk]
        if one.made is None:
            line.unit_id = units[line.pk]
            line.full_name, line.folded = one.name, fold(one.name)
            line.save(update_fields=["unit", "full_name", "folded"])
            continue
        made = news[one.made]
        # A station has no first day; it ends on the day on which the old one had.
        first = getattr(made, "from_date", None)
        setattr(made, end, first + timedelta(days=1) if first else getattr(line, end))
        made.save(update_fields=[end])
        setattr(line, end, one.until)
        line.save(update_fields=[end])

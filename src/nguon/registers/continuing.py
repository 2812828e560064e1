"""Lines that go on at another unit, because units were rearranged: actions.

The old line ends on that day, so that every count of an earlier day stays where it
was; a new one begins. The right is asked by whoever rearranges.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from nguon.people.models import Officer
from nguon.registers import rules
from nguon.registers.models import (
    PracticeProof,
    PracticeRun,
    Propagandist,
    RegisterChange,
    StaffMember,
    Station,
)
from nguon.territory.models import Unit
from nguon.territory.names import fold

CHUNK = 500
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
    return (Q(**{f"{end}__isnull": True}) | later) & Q(undone_at=None)


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

    `names` are those of lines that would be called as another one there. A handful of
    statements, however many lines there are.
    """
    end = _end_of(model)
    rows: QuerySet[Any] = model._default_manager.filter(pk__in=moves)
    locked = rows.select_for_update(of=("self",)).select_related("unit")
    lines = list(locked.order_by("pk"))
    ends = {line.pk: getattr(line, end) for line in lines}
    moved = [ln for ln in lines if model is not Station and ln.from_date >= day]
    ended = [line for line in lines if line not in moved]
    called = {line.pk: line.full_name for line in moved}
    for line in moved:
        _tell(line, line.unit, by, at)
        line.unit_id = moves[line.pk]
        line.full_name = names.get(line.pk, line.full_name)
        line.folded = fold(line.full_name)
        line.save(update_fields=["unit", "full_name", "folded"])
    made = _begin(model, ended, moves, names, day, by, at)
    for start in range(0, len(ended), CHUNK):
        part = [line.pk for line in ended[start : start + CHUNK]]
        model._default_manager.filter(pk__in=part).update(**{end: day})
    _pass_practices(model, {old: new.pk for old, new in made.items()})
    _copy_proofs(model, made)
    RegisterChange.objects.bulk_create(
        [_told(made[line.pk], line.unit, by, at) for line in ended], batch_size=CHUNK
    )
    counts = _count_changes([*made.values(), *moved])
    done = {
        line.pk: Continued(None, ends[line.pk], counts[line.uid], called[line.pk])
        for line in moved
    }
    for line in ended:
        new = made[line.pk]
        done[line.pk] = Continued(new.pk, ends[line.pk], counts[new.uid])
    return done


def _begin(
    model: AnyModel,
    lines: Sequence[Any],
    moves: Mapping[int, int],
    names: Mapping[int, str],
    day: date,
    by: Officer,
    at: datetime,
) -> dict[int, Any]:
    """Return by key the lines that go on: taken back before, or fresh ones."""
    taken_back = _find_taken_back(model, set(moves.values()), day)
    fresh: list[Any] = []
    again: list[Any] = []
    made: dict[int, Any] = {}
    for line in lines:
        values = _values(model, line, names.get(line.pk, ""), day)
        place = (moves[line.pk], values["folded"], values.get("year"))
        found = taken_back.pop(place, None) if values["folded"] else None
        new = found or model(unit_id=moves[line.pk], added_by=by, added_at=at)
        for field, value in values.items():
            setattr(new, field, value)
        (again if found else fresh).append(new)
        made[line.pk] = new
    model._default_manager.bulk_create(fresh, batch_size=CHUNK)
    if again:
        fields = list(_values(model, again[0], "", day))
        model._default_manager.bulk_update(again, fields, batch_size=100)
    return made


def _values(model: AnyModel, line: Any, name: str, day: date) -> dict[str, Any]:
    """Return what a line says, as the one that goes on says it."""
    skipped = {"id", "uid", "unit", "added_by", "added_at"}
    values = {
        field.attname: getattr(line, field.attname)
        for field in line._meta.concrete_fields
        if field.name not in skipped
    }
    if name:
        field = "name" if model is Station else "full_name"
        values |= {field: name, "folded": fold(name)}
    return values | {"here_from" if model is Station else "from_date": day}


def _find_taken_back(
    model: AnyModel, units: Collection[int], day: date
) -> dict[tuple[int, str, int | None], Any]:
    """Return the lines that began on the day at these units, and were taken back."""
    rows: QuerySet[Any] = model._default_manager.filter(undone_at__isnull=False)
    if model is Station:
        rows = rows.filter(ended_on=day)
    else:
        rows = rows.filter(from_date=day, forgotten_at=None)
    return {
        (line.unit_id, line.folded, getattr(line, "year", None)): line
        for line in rows.order_by("pk")
        if line.unit_id in units
    }


def _pass_practices(model: AnyModel, moves: Mapping[int, int]) -> None:
    """Let practices be of the line that goes on, as their person is.

    Without them a lesson of practice would have no proof behind it there.
    """
    if model is Station:
        return
    field = "staff_member" if model is StaffMember else "propagandist"
    keys = sorted(moves)
    for start in range(0, len(keys), CHUNK):
        part = PracticeRun.objects.filter(
            **{f"{field}__in": keys[start : start + CHUNK]}
        )
        for run in part.order_by("pk"):
            setattr(run, f"{field}_id", moves[getattr(run, f"{field}_id")])
            run.save(update_fields=[field])


def _copy_proofs(model: AnyModel, made: Mapping[int, Any]) -> None:
    """Let who goes on keep what they learnt; the old line keeps it too."""
    if model is Station:
        return
    field = "staff_member" if model is StaffMember else "propagandist"
    keys = list(made)
    known = set(
        PracticeProof.objects.filter(
            **{f"{field}__in": [line.pk for line in made.values()]}
        ).values_list(f"{field}_id", "lesson")
    )
    proofs = PracticeProof.objects.filter(**{f"{field}__in": keys})
    copies = []
    for proof in proofs.order_by("pk"):
        new = made[getattr(proof, f"{field}_id")]
        if (new.pk, proof.lesson_id) not in known:
            copies.append(
                PracticeProof(
                    lesson_id=proof.lesson_id,
                    proven_on=proof.proven_on,
                    recorded_by_id=proof.recorded_by_id,
                    recorded_at=proof.recorded_at,
                    **{field: new},
                )
            )
    PracticeProof.objects.bulk_create(copies, batch_size=CHUNK)


def _told(line: Any, before: Unit, by: Officer, at: datetime) -> RegisterChange:
    told = [["Tiếp nối từ", before.full_name, ""]]
    return RegisterChange(line_uid=line.uid, kind=rules.ADDED, told=told, by=by, at=at)


def _tell(line: Any, before: Unit, by: Officer, at: datetime) -> None:
    _told(line, before, by, at).save(force_insert=True)


def _count_changes(lines: Sequence[Any]) -> dict[str, int]:
    """Return how many changes each line has, by its uid."""
    counts = {line.uid: 0 for line in lines}
    uids = sorted(counts)
    for start in range(0, len(uids), CHUNK):
        part = RegisterChange.objects.filter(line_uid__in=uids[start : start + CHUNK])
        counted = part.order_by().values_list("line_uid").annotate(n=Count("pk"))
        counts.update(dict(counted))
    return counts


def list_changed(model: AnyModel, done: Mapping[int, Continued]) -> set[int]:
    """Return which lines were changed by somebody since they went on, by old key."""
    found = set()
    keys = {old: one.made or old for old, one in done.items()}
    lines = model._default_manager.in_bulk(keys.values())
    counts = _count_changes(list(lines.values()))
    for old, key in keys.items():
        line = lines.get(key)
        if line is None or counts[line.uid] != done[old].changes:
            found.add(old)
    return found


@transaction.atomic
def take_back_lines(
    *,
    model: AnyModel,
    done: Mapping[int, Continued],
    units: Mapping[int, int],
    at: datetime,
) -> None:
    """Let lines go on where they were before `continue_lines`; `units` are where.

    Lines are never deleted: those that were made end with their first day and are
    undone, so that nobody is shown or counted twice.
    """
    end = _end_of(model)
    news = model._default_manager.in_bulk([one.made for one in done.values()])
    lines: QuerySet[Any] = model._default_manager.filter(pk__in=done)
    ended: list[Any] = []
    begun: list[Any] = []
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
        made.undone_at = at
        setattr(line, end, one.until)
        ended.append(made)
        begun.append(line)
    made_of = {one.made: old for old, one in done.items() if one.made is not None}
    _pass_practices(model, made_of)
    # First the new ones: a station of one name is in use once.
    for some in (ended, begun):
        model._default_manager.bulk_update(some, [end, "undone_at"], batch_size=200)

"""Every change to the registers; nothing else in the project may save a line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from nguon.audit import actions as audit
from nguon.core.errors import AbsentError, ConflictError, InvalidError, RefusedError
from nguon.people.models import Officer
from nguon.registers import access, books, queries, reading, rules
from nguon.registers.access import Reader
from nguon.registers.books import AnyLine, Book
from nguon.registers.models import (
    Lesson,
    PracticeProof,
    Propagandist,
    RegisterChange,
    StaffMember,
    Training,
)
from nguon.registers.practice import queries as practice
from nguon.registers.reading import Entry, Reading
from nguon.territory.models import COMMUNE, PROVINCE, Unit
from nguon.territory.names import fold

Told = list[list[str]]


@dataclass(frozen=True)
class Count:
    """What a table changed."""

    new: int = 0
    changed: int = 0
    same: int = 0


# --- lines -------------------------------------------------------


@transaction.atomic
def add_line(
    *,
    book: Book,
    unit: Unit,
    values: Mapping[str, Any],
    by: Officer,
    at: datetime,
) -> AnyLine:
    """Write a new line; `values` are as `books.read_values` returns them.

    Raises InvalidError (`registers.unit_kind`, those of `Book.check`), ConflictError
    `registers.twice`, and what `access.check_keeper` raises.
    """
    access.check_keeper(by, unit, at=at)
    line = _add(book, unit, values, by=by, at=at)
    # Neither names nor numbers go to the audit: they must be forgettable.
    audit.record("registers.line.added", target=line, by=by, at=at)
    return line


def _add(
    book: Book, unit: Unit, values: Mapping[str, Any], *, by: Officer, at: datetime
) -> AnyLine:
    today = timezone.localdate(at)
    is_there = unit.valid_from <= today and (
        unit.valid_to is None or today < unit.valid_to
    )
    if unit.kind not in book.kinds or not is_there:
        raise InvalidError("registers.unit_kind", unit=unit.full_name)
    book.check(values, today=today)
    line = book.model(unit=unit, added_by=by, added_at=at, **values)
    _fold(book, line)
    _save(line)
    _tell(line, rules.ADDED, _told(book, line, values, before={}), by=by, at=at)
    return line


@transaction.atomic
def change_line(
    *,
    book: Book,
    uid: str,
    values: Mapping[str, Any],
    seen: int | None = None,
    by: Officer,
    at: datetime,
) -> AnyLine:
    """Change fields of a line; what is the same stays without a word.

    `seen`: how many changes (`queries.count_changes`) whoever writes had before them;
    when there are more now, ConflictError `registers.changed_meanwhile`.
    Raises AbsentError, NoRightError, RefusedError `registers.not_your_person` for
    personal fields of another unit, ConflictError (`registers.forgotten`,
    `registers.twice`), InvalidError.
    """
    line: AnyLine = _lock(book, uid, by=by, at=at)
    if seen is not None and seen != queries.count_changes(line):
        raise ConflictError("registers.changed_meanwhile")
    if _change(book, line, values, reader=access.reader_of(by, at=at)):
        audit.record("registers.line.changed", target=line, by=by, at=at)
    return line


def _change(
    book: Book,
    line: AnyLine,
    values: Mapping[str, Any],
    *,
    reader: Reader,
) -> bool:
    """Write what differs and say whether anything did."""
    by, at = reader.officer, reader.at
    new = {name: v for name, v in values.items() if getattr(line, name) != v}
    if not new:
        return False
    if new.keys() & set(rules.PERSONAL):
        if getattr(line, "forgotten_at", None) is not None:
            raise ConflictError("registers.forgotten")
        if not reader.is_own(line):
            raise RefusedError("registers.not_your_person")
    before = {name: getattr(line, name) for name in new}
    for name, value in new.items():
        setattr(line, name, value)
    book.check(vars(line), today=timezone.localdate(at))
    _save(line, [*new, *_fold(book, line)])
    _tell(line, rules.CHANGED, _told(book, line, new, before=before), by=by, at=at)
    return True


def _fold(book: Book, line: AnyLine) -> list[str]:
    """Keep what a search reads in step with what is shown; return those fields."""
    line.folded = fold(getattr(line, book.name_field))
    if not isinstance(line, StaffMember):
        return ["folded"]
    line.folded_post = fold(line.post)
    return ["folded", "folded_post"]


def _lock(book: Book, uid: str, *, by: Officer, at: datetime) -> Any:
    reader = access.reader_of(by, at=at)
    rows = access.fence(book, reader).select_for_update(of=("self",))
    line = rows.filter(uid=uid).first()
    if line is None:
        raise AbsentError("registers.line_absent")
    access.check_keeper(by, line.unit, at=at)
    return line


def _save(line: AnyLine, fields: Sequence[str] | None = None) -> None:
    try:
        with transaction.atomic():
            line.save(update_fields=fields)
    except IntegrityError as error:
        raise ConflictError("registers.twice") from error


def _told(
    book: Book, line: AnyLine, values: Mapping[str, Any], *, before: Mapping[str, Any]
) -> Told:
    """Return heading, before, after of each field; of personal ones the heading."""
    found = []
    for column in book.columns:
        name = column.name
        if name not in values or (not before and values[name] in {None, ""}):
            continue
        words = ["", ""]
        if not (book.is_of_people and name in rules.PERSONAL):
            words = [books.written(name, v) for v in (before.get(name), values[name])]
        found.append([column.heading, *words])
    return found


def _tell(line: AnyLine, kind: str, told: Told, *, by: Officer, at: datetime) -> None:
    RegisterChange.objects.create(line_uid=line.uid, kind=kind, told=told, by=by, at=at)


@transaction.atomic
def forget_person(*, book: Book, uid: str, by: Officer, at: datetime) -> AnyLine:
    """Delete what is personal of somebody who asks for it; the count stays.

    Cannot be undone. Raises AbsentError, NoRightError, ConflictError
    `registers.forgotten`, InvalidError `registers.not_a_person`.
    """
    line: StaffMember | Propagandist = _lock(book, uid, by=by, at=at)
    if not book.is_of_people:
        raise InvalidError("registers.not_a_person")
    if line.forgotten_at is not None:
        raise ConflictError("registers.forgotten")
    personal = [c for c in book.columns if c.name in rules.PERSONAL]
    for column in personal:
        setattr(line, column.name, "")
    line.folded = ""
    line.forgotten_by, line.forgotten_at = by, at
    line.save()
    # A practice names the account that practised: it would lead back to the person.
    line.practice_runs.update(**{_person_field(line): None})
    told = [[column.heading, "", ""] for column in personal]
    _tell(line, rules.FORGOTTEN, told, by=by, at=at)
    audit.record("registers.person.forgotten", target=line, by=by, at=at)
    return line


@transaction.atomic
def import_table(
    *,
    book: Book,
    rows: Iterable[tuple[int, list[str]]],
    take_good: bool,
    by: Officer,
    at: datetime,
) -> tuple[Reading, Count | None]:
    """Take in a table; return what it says and, when it was written, what changed.

    Nothing is written when a row is wrong, unless the person says to take the good
    ones. The same table again changes nothing. Raises what `reading.read` raises.
    """
    reader = access.reader_of(by, at=at)
    found = reading.read(book, rows, reader=reader)
    if found.problems and not take_good:
        return found, None
    counts = {"new": 0, "changed": 0, "same": 0}
    for entry in found.entries:
        counts[_write(book, entry, reader=reader)] += 1
    audit.record(
        "registers.table.imported",
        target=by,
        by=by,
        at=at,
        data={"register": book.code, "wrong": len(found.problems), **counts},
    )
    return found, Count(**counts)


@transaction.atomic
def note_export(*, book: Book, found: QuerySet[Any], by: Officer, at: datetime) -> int:
    """Write down that phone numbers leave in a table; return how many do.

    Masked numbers are none. Source: law 91/2025/QH15: who was given personal data,
    and when, can be told to the person.
    """
    if not book.is_of_people:
        return 0
    reader = access.reader_of(by, at=at)
    count = found.filter(reader.own_rows).exclude(phone="").count()
    if count:
        audit.record(
            "registers.phones.exported",
            target=by,
            by=by,
            at=at,
            data={"register": book.code, "phones": count},
        )
    return count


def _write(book: Book, entry: Entry, *, reader: Reader) -> str:
    """Write a row that was read for the ground that somebody keeps."""
    if entry.line is None:
        _add(book, entry.unit, entry.values, by=reader.officer, at=reader.at)
        return "new"
    if not entry.values:
        return "same"
    rows: QuerySet[Any] = book.model._default_manager.select_for_update(of=("self",))
    line = rows.select_related("unit").get(pk=entry.line.pk)
    return "changed" if _change(book, line, entry.values, reader=reader) else "same"


# --- training ----------------------------------------------------


@transaction.atomic
def add_training(
    *,
    unit: Unit,
    title: str,
    lessons: str,
    with_practice: bool = False,
    by: Officer,
    at: datetime,
) -> Training:
    """Write a training with its lessons, one a line; they are fixed from then on.

    `with_practice`: the last lesson is done with a certificate of the practice alone.
    Raises InvalidError (`registers.training_title`, `registers.unit_kind`, those of
    `rules.clean_lessons`), ConflictError `registers.training_twice`, and what
    `access.check_keeper` raises.
    """
    access.check_keeper(by, unit, at=at)
    if unit.kind not in {PROVINCE, COMMUNE}:
        raise InvalidError("registers.unit_kind", unit=unit.full_name)
    plain = books.clean(title)
    if not 0 < len(plain) <= 200:
        raise InvalidError("registers.training_title")
    last = f"\n{rules.PRACTICE_LESSON}" if with_practice else ""
    titles = rules.clean_lessons(f"{lessons}{last}")
    training, is_new = Training.objects.get_or_create(
        unit=unit,
        folded=fold(plain),
        defaults={"title": plain, "added_by": by, "added_at": at},
    )
    if not is_new:
        raise ConflictError("registers.training_twice")
    Lesson.objects.bulk_create(
        Lesson(
            training=training,
            number=number,
            title=one,
            needs_practice=with_practice and number == len(titles),
        )
        for number, one in enumerate(titles, start=1)
    )
    audit.record("registers.training.added", target=training, by=by, at=at)
    return training


@transaction.atomic
def record_proofs(
    *,
    training_uid: str,
    person_uid: str,
    numbers: Iterable[int],
    proven_on: date,
    by: Officer,
    at: datetime,
) -> list[PracticeProof]:
    """Write that somebody did some lessons on a day; those known already stay.

    Raises AbsentError, NoRightError, InvalidError (`registers.proven_wrong`,
    `registers.lessons_missing`, `registers.practice_needed`), ConflictError
    `registers.forgotten`.
    """
    reader = access.reader_of(by, at=at)
    training = access.access_training(reader, training_uid)
    line = access.access_person(reader, person_uid)
    access.check_keeper(by, line.unit, at=at)
    if line.forgotten_at is not None:
        raise ConflictError("registers.forgotten")
    rules.check_proven(proven_on, today=timezone.localdate(at))
    wanted = set(numbers)
    lessons = list(training.lessons.filter(number__in=wanted).order_by("number"))
    if not wanted or len(lessons) != len(wanted):
        raise InvalidError("registers.lessons_missing")
    if any(one.needs_practice for one in lessons):
        given = practice.list_certificates(line)
        rules.check_practised([one.issued_on for one in given], day=proven_on)
    whose = {_person_field(line): line}
    known = set(
        PracticeProof.objects.filter(lesson__in=lessons, **whose).values_list(
            "lesson", flat=True
        )
    )
    fresh = PracticeProof.objects.bulk_create(
        PracticeProof(
            lesson=lesson, proven_on=proven_on, recorded_by=by, recorded_at=at, **whose
        )
        for lesson in lessons
        if lesson.pk not in known
    )
    if fresh:
        day = f"{proven_on:%d/%m/%Y}"
        told = [[f"{training.title}: {one.lesson.title}", "", day] for one in fresh]
        _tell(line, rules.PROVEN, told, by=by, at=at)
        audit.record("registers.lessons.proven", target=line, by=by, at=at)
    return fresh


@transaction.atomic
def take_back_proof(*, proof_id: int, by: Officer, at: datetime) -> AnyLine:
    """Remove a proof that was written by mistake; the history keeps that it was.

    Returns whose it was. Raises AbsentError, NoRightError.
    """
    related = ("lesson__training", "staff_member__unit", "propagandist__unit")
    rows = PracticeProof.objects.select_related(*related)
    proof = rows.filter(pk=proof_id).first()
    line: AnyLine | None = None
    if proof is not None:
        line = proof.person
    if proof is None or line is None:
        raise AbsentError("registers.proof_absent")
    access.check_keeper(by, line.unit, at=at)
    lesson = proof.lesson
    told = [
        [f"{lesson.training.title}: {lesson.title}", f"{proof.proven_on:%d/%m/%Y}", ""]
    ]
    proof.delete()
    _tell(line, rules.TAKEN_BACK, told, by=by, at=at)
    audit.record("registers.lesson.taken_back", target=line, by=by, at=at)
    return line


def _person_field(line: AnyLine) -> str:
    return "staff_member" if isinstance(line, StaffMember) else "propagandist"

"""Reads of the registers: lists, histories, who is trained, counts of any day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from nguon.newsroom.rules import LANGUAGES
from nguon.registers import access, books, rules
from nguon.registers.access import Reader
from nguon.registers.books import AnyLine, Book
from nguon.registers.counts import (
    OTHER_STATIONS,
    PROPAGANDISTS,
    PROPAGANDISTS_TOLD,
    STAFF_TOLD,
    STAFF_TRAINED,
    STATIONS_TOLD,
)
from nguon.registers.models import (
    Lesson,
    PracticeProof,
    Propagandist,
    RegisterChange,
    StaffMember,
    Station,
    Training,
)
from nguon.territory.names import fold

NOW, ENDED = "dang", "thoi"
STATES = {NOW: "Đang có", ENDED: "Đã thôi"}
UNTRAINED = "chua"


def in_force(book: Book, day: date) -> Q:
    """Hold for the lines that stand on a day."""
    if book.is_of_people:
        still = Q(to_date__isnull=True) | Q(to_date__gt=day)
        return still & Q(from_date__lte=day)
    still = Q(ended_on__isnull=True) | Q(ended_on__gt=day)
    return still & _begun(day)


def _begun(day: date) -> Q:
    """Hold for the stations that had begun at their unit by a day."""
    here = Q(here_from__isnull=True) | Q(here_from__lte=day)
    return here & Q(year__lte=day.year)


def list_lines(book: Book, reader: Reader, asked: Mapping[str, str]) -> QuerySet[Any]:
    """Return the lines of an officer's ground, by unit and name.

    `asked`: `tim` (words of name, post or place), `don_vi` (a unit's uid), `loai`,
    `tinh_trang` (of `STATES`), `tieng` (a language), `tap_huan` (`chua`). By what is
    personal only the reader's own lines are found: else a search would tell it.
    """
    found = access.fence(book, reader)
    day = timezone.localdate(reader.at)
    for word in fold(asked.get("tim", "").replace("\0", "")).split():
        found = found.filter(_holds(book, reader, word))
    if asked.get("don_vi"):
        ground = Q(unit__uid=asked["don_vi"]) | Q(unit__parent__uid=asked["don_vi"])
        stands = access.stands_of(book, day=day)
        olds = [key for key, now in stands.items() if now.uid == asked["don_vi"]]
        found = found.filter(ground | Q(unit__in=olds))
    if asked.get("tinh_trang") in STATES:
        now = in_force(book, day)
        found = found.filter(now if asked["tinh_trang"] == NOW else ~now)
    if not book.is_of_people and asked.get("loai") in rules.STATION_KINDS:
        found = found.filter(kind=asked["loai"])
    if book.is_of_villages and asked.get("tieng") in LANGUAGES:
        speaks = Q(languages__contains=asked["tieng"])
        found = found.filter(speaks & reader.own_rows)
    if book.is_of_people and asked.get("tap_huan") == UNTRAINED:
        found = found.exclude(pk__in=list(trained_on(book, day)))
    return found.order_by("unit__path", "folded", "pk")


def _holds(book: Book, reader: Reader, word: str) -> Q:
    place = Q(unit__folded__contains=word) | Q(unit__parent__folded__contains=word)
    named = Q(folded__contains=word)
    if book is books.STAFF:
        place |= Q(folded_post__contains=word)
    return place | (named & reader.own_rows if book.is_of_people else named)


def list_changes(line: AnyLine) -> list[RegisterChange]:
    """Return what happened to a line, the latest first."""
    rows = RegisterChange.objects.filter(line_uid=line.uid).select_related("by")
    return list(rows.order_by("-at", "-pk"))


def count_changes(line: AnyLine) -> int:
    """Return how often fields of a line were changed; a form tells what it saw."""
    kinds = [rules.CHANGED, rules.FORGOTTEN]
    rows = RegisterChange.objects.filter(line_uid=line.uid, kind__in=kinds)
    return rows.count()


def count_books(reader: Reader) -> list[tuple[Book, int]]:
    """Return each register with how many of its lines stand today."""
    day = timezone.localdate(reader.at)
    return [
        (book, access.fence(book, reader).filter(in_force(book, day)).count())
        for book in books.BOOKS.values()
    ]


# --- training ----------------------------------------------------


def _field(book: Book) -> str:
    return "staff_member" if book is books.STAFF else "propagandist"


def trained_on(book: Book, day: date) -> Mapping[int, Mapping[int, date]]:
    """Return who had done all lessons of which training by a day, and since when.

    Keys of persons, then of trainings.
    """
    sizes = dict(
        Lesson.objects.order_by("training")
        .values_list("training")
        .annotate(n=Count("pk"))
    )
    name = _field(book)
    proofs = PracticeProof.objects.filter(
        proven_on__lte=day, **{f"{name}__isnull": False}
    )
    rows = proofs.order_by(name).values_list(name, "lesson__training")
    found: dict[int, dict[int, date]] = {}
    for person, training, n, last in rows.annotate(n=Count("pk"), d=Max("proven_on")):
        if n == sizes[training]:
            found.setdefault(person, {})[training] = last
    return found


def list_proofs(line: AnyLine) -> list[PracticeProof]:
    """Return what one person has learnt, by training and lesson."""
    if isinstance(line, Station):
        return []
    rows = line.proofs.select_related("lesson__training")
    return list(rows.order_by("lesson__training__title", "lesson__number", "pk"))


def list_trainings(reader: Reader, text: str = "") -> QuerySet[Training]:
    """Return the trainings an officer may see, by title, with their lessons."""
    found = access.fence_trainings(reader).select_related("unit")
    for word in fold(text.replace("\0", "")).split():
        found = found.filter(folded__contains=word)
    return found.prefetch_related("lessons").order_by("folded", "pk")


@dataclass(frozen=True)
class Learner:
    """A person in one training: which lessons are done, and since when all are."""

    line: AnyLine
    done: Sequence[int]
    since: date | None


def list_learners(training: Training, reader: Reader) -> list[Learner]:
    """Return who of an officer's ground has begun a training, by unit and name."""
    day = timezone.localdate(reader.at)
    found = []
    for book in (books.STAFF, books.PROPAGANDISTS):
        name = _field(book)
        proofs = PracticeProof.objects.filter(
            lesson__training=training, **{f"{name}__isnull": False}
        )
        done: dict[int, list[int]] = {}
        for person, number in proofs.order_by("lesson__number").values_list(
            name, "lesson__number"
        ):
            done.setdefault(person, []).append(number)
        trained = trained_on(book, day)
        lines = access.fence(book, reader).filter(pk__in=list(done))
        for line in lines.order_by("unit__path", "folded", "pk"):
            since = trained.get(line.pk, {}).get(training.pk)
            found.append(Learner(line, done[line.pk], since))
    return found


def list_people(reader: Reader, office: str = "") -> list[AnyLine]:
    """Return whom an officer may write a proof for: who holds a post today.

    `office` keeps those of one unit (its uid) and of its villages.
    """
    day = timezone.localdate(reader.at)
    found: list[AnyLine] = []
    for book in (books.STAFF, books.PROPAGANDISTS):
        rows = access.fence(book, reader, kinds=access.KEEPERS)
        rows = rows.filter(in_force(book, day), forgotten_at__isnull=True)
        if office:
            rows = rows.filter(Q(unit__uid=office) | Q(unit__parent__uid=office))
        found += rows.order_by("unit__path", "folded", "pk")
    return found


# --- counts ------------------------------------------------------


def count_on(what: str, day: date) -> Mapping[int, int]:
    """Return by unit how many lines stand on a day (`registers.counts`).

    `…_told`: how many a unit has told of at all by then, so that a unit whose
    register is empty is "not told", never 0. Persons who were forgotten count.
    """
    rows: QuerySet[Any]
    if what in {OTHER_STATIONS, STATIONS_TOLD}:
        rows = Station.objects.filter(_begun(day))
        if what == OTHER_STATIONS:
            rows = rows.filter(in_force(books.STATIONS, day))
            rows = rows.exclude(kind=rules.IT)
    elif what in {PROPAGANDISTS, PROPAGANDISTS_TOLD}:
        rows = Propagandist.objects.filter(from_date__lte=day)
        if what == PROPAGANDISTS:
            rows = rows.filter(in_force(books.PROPAGANDISTS, day))
    else:
        rows = StaffMember.objects.filter(from_date__lte=day)
        if what != STAFF_TOLD:
            rows = rows.filter(in_force(books.STAFF, day))
        if what == STAFF_TRAINED:
            rows = rows.filter(pk__in=list(trained_on(books.STAFF, day)))
    by_unit = rows.filter(undone_at=None).order_by("unit").values_list("unit")
    return dict(by_unit.annotate(n=Count("pk")))

"""Trained is who did every lesson of a training, from the day of the last one."""

from datetime import date, datetime

import pytest
from django.db import IntegrityError, transaction

from nguon.core.errors import AbsentError, ConflictError, DomainError, InvalidError
from nguon.people.access import NoRightError
from nguon.people.models import Officer
from nguon.registers import access, actions, books, queries, rules
from nguon.registers.models import (
    Lesson,
    PracticeProof,
    Propagandist,
    StaffMember,
    Training,
)
from nguon.territory.models import Unit

pytestmark = pytest.mark.django_db
LESSONS = "Soạn bản tin\n\n  Duyệt và phát \nDừng phát"
FIRST, LAST = date(2026, 9, 1), date(2026, 9, 20)


@pytest.fixture
def training(province: Unit, quan: Officer, now: datetime) -> Training:
    """Return a training of the province, for all its communes."""
    return actions.add_training(
        unit=province, title="Vận hành đài xã 2026", lessons=LESSONS, by=quan, at=now
    )


def prove(
    training: Training,
    line: StaffMember | Propagandist,
    numbers: list[int],
    day: date,
    by: Officer,
    at: datetime,
) -> list[PracticeProof]:
    return actions.record_proofs(
        training_uid=training.uid,
        person_uid=line.uid,
        numbers=numbers,
        proven_on=day,
        by=by,
        at=at,
    )


@pytest.mark.parametrize("who", ["loan", "pot"])
def test_trained_is_who_did_all_lessons_since_the_last_of_them(
    who: str,
    request: pytest.FixtureRequest,
    training: Training,
    lan: Officer,
    now: datetime,
) -> None:
    line = request.getfixturevalue(who)
    book = books.of(line)

    prove(training, line, [1, 2], FIRST, lan, now)
    assert queries.trained_on(book, now.date()) == {}
    assert len(prove(training, line, [2, 3], LAST, lan, now)) == 1

    assert queries.trained_on(book, date(2026, 9, 19)) == {}
    assert queries.trained_on(book, LAST) == {line.pk: {training.pk: LAST}}
    assert [proof.proven_on for proof in queries.list_proofs(line)] == [
        FIRST, FIRST, LAST,
    ]  # fmt: skip
    reader = access.reader_of(lan, at=now)
    (learner,) = queries.list_learners(training, reader)
    assert (learner.line, learner.done, learner.since) == (line, [1, 2, 3], LAST)
    untrained = queries.list_lines(book, reader, {"tap_huan": "chua"})
    assert not untrained.exists()


def test_half_of_two_trainings_is_no_training(
    training: Training, loan: StaffMember, ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    own = actions.add_training(
        unit=ia_grai, title="Của xã", lessons="Một\nHai", by=lan, at=now
    )
    prove(training, loan, [1], FIRST, lan, now)
    prove(own, loan, [1], FIRST, lan, now)

    assert queries.count_on("staff_trained", now.date()) == {}
    prove(own, loan, [2], LAST, lan, now)
    assert queries.count_on("staff_trained", LAST) == {ia_grai.pk: 1}


def test_who_left_is_no_longer_counted_as_trained(
    training: Training, loan: StaffMember, lan: Officer, now: datetime
) -> None:
    prove(training, loan, [1, 2, 3], LAST, lan, now)
    actions.change_line(
        book=books.STAFF,
        uid=loan.uid,
        values={"to_date": date(2026, 11, 1)},
        by=lan,
        at=now,
    )

    assert queries.count_on("staff_trained", date(2026, 10, 31)) == {loan.unit_id: 1}
    assert queries.count_on("staff_trained", date(2026, 11, 1)) == {}


def test_a_proof_written_by_mistake_is_taken_back_and_remembered(
    training: Training, loan: StaffMember, lan: Officer, hoa: Officer, now: datetime
) -> None:
    (proof,) = prove(training, loan, [3], LAST, lan, now)

    with pytest.raises(AbsentError):
        actions.take_back_proof(proof_id=proof.pk, by=hoa, at=now)
    actions.take_back_proof(proof_id=proof.pk, by=lan, at=now)

    assert queries.list_proofs(loan) == []
    back, proven, _added = queries.list_changes(loan)
    assert (proven.kind, back.kind) == (rules.PROVEN, rules.TAKEN_BACK)
    assert back.told == [["Vận hành đài xã 2026: Dừng phát", "20/09/2026", ""]]
    with pytest.raises(AbsentError) as gone:
        actions.take_back_proof(proof_id=proof.pk, by=lan, at=now)
    assert gone.value.code == "registers.proof_absent"


def test_only_the_keepers_of_a_person_write_what_they_learnt(
    training: Training,
    loan: StaffMember,
    quan: Officer,
    hoa: Officer,
    tung: Officer,
    now: datetime,
) -> None:
    assert prove(training, loan, [1], FIRST, quan, now)
    with pytest.raises(AbsentError):
        prove(training, loan, [2], FIRST, hoa, now)
    with pytest.raises(NoRightError):
        prove(training, loan, [2], FIRST, tung, now)


def test_a_training_of_another_commune_is_absent(
    loan: StaffMember, dak_doa: Unit, lan: Officer, hoa: Officer, now: datetime
) -> None:
    foreign = actions.add_training(
        unit=dak_doa, title="Của Đak Đoa", lessons="Một", by=hoa, at=now
    )

    with pytest.raises(AbsentError) as absent:
        prove(foreign, loan, [1], FIRST, lan, now)
    assert absent.value.code == "registers.training_absent"
    with pytest.raises(AbsentError):
        actions.add_training(
            unit=dak_doa, title="Của Lan", lessons="Một", by=lan, at=now
        )
    assert not queries.list_trainings(access.reader_of(lan, at=now)).exists()


@pytest.mark.parametrize(
    ("numbers", "day", "code"),
    [
        ([], FIRST, "registers.lessons_missing"),
        ([4], FIRST, "registers.lessons_missing"),
        ([1], date(2026, 11, 25), "registers.proven_wrong"),
        ([1], date(1930, 1, 1), "registers.proven_wrong"),
    ],
)
def test_a_proof_of_nothing_or_of_a_day_to_come_is_refused(
    training: Training,
    loan: StaffMember,
    lan: Officer,
    now: datetime,
    numbers: list[int],
    day: date,
    code: str,
) -> None:
    with pytest.raises(InvalidError) as refused:
        prove(training, loan, numbers, day, lan, now)

    assert refused.value.code == code
    assert not PracticeProof.objects.exists()


def test_nothing_is_proven_of_who_was_forgotten(
    training: Training, loan: StaffMember, lan: Officer, now: datetime
) -> None:
    prove(training, loan, [1, 2, 3], LAST, lan, now)
    actions.forget_person(book=books.STAFF, uid=loan.uid, by=lan, at=now)

    with pytest.raises(ConflictError):
        prove(training, loan, [1], LAST, lan, now)
    # The count stays: who was trained still is.
    assert queries.count_on("staff_trained", now.date()) == {loan.unit_id: 1}
    reader = access.reader_of(lan, at=now)
    assert queries.list_people(reader) == []


@pytest.mark.parametrize(
    ("title", "lessons", "code"),
    [
        (" ", "Một", "registers.training_title"),
        ("x" * 201, "Một", "registers.training_title"),
        ("Đợt 2", "\n \n", "registers.lessons"),
        ("Đợt 2", "\n".join(map(str, range(41))), "registers.lessons"),
        ("Đợt 2", "Một\nMột", "registers.lesson_titles"),
        ("VAN HANH dai xa 2026", "Một", "registers.training_twice"),
    ],
)
def test_a_training_that_cannot_be_is_refused(
    training: Training,
    province: Unit,
    quan: Officer,
    now: datetime,
    title: str,
    lessons: str,
    code: str,
) -> None:
    with pytest.raises(DomainError) as refused:
        actions.add_training(
            unit=province, title=title, lessons=lessons, by=quan, at=now
        )

    assert refused.value.code == code
    assert Training.objects.count() == 1


def test_the_database_wants_one_person_and_one_proof_of_a_lesson(
    training: Training,
    loan: StaffMember,
    pot: Propagandist,
    lan: Officer,
    now: datetime,
) -> None:
    lesson = Lesson.objects.get(training=training, number=1)
    common = {
        "lesson": lesson, "proven_on": LAST, "recorded_by": lan, "recorded_at": now,
    }  # fmt: skip
    PracticeProof.objects.create(staff_member=loan, **common)

    for whose in (
        {},
        {"staff_member": loan, "propagandist": pot},
        {"staff_member": loan},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            PracticeProof.objects.create(**whose, **common)

"""Every write of the practice: its own three tables, a line's history, the audit."""

from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone

from nguon.audit import actions as audit
from nguon.core.errors import AbsentError, ConflictError, InvalidError
from nguon.newsroom.rules import without_unseen
from nguon.people.access import units_of
from nguon.people.actions import notify
from nguon.people.models import Officer
from nguon.registers import access
from nguon.registers import rules as registers
from nguon.registers.models import (
    Certificate,
    PracticeRun,
    PracticeStep,
    RegisterChange,
    StaffMember,
)
from nguon.registers.practice import ground, lessons, queries, rules
from nguon.territory.models import Unit


@transaction.atomic
def begin(*, person_uid: str = "", by: Officer, at: datetime) -> PracticeRun:
    """Return the officer's open practice, or begin one.

    `person_uid`: the line of a register that is the newcomer; nobody when empty.
    Raises InvalidError `registers.practice_no_unit`, and what `name_person` raises.
    """
    # Two taps at once wait here for each other, and get the same practice.
    Officer.objects.select_for_update(no_key=True).get(pk=by.pk)
    found = queries.open_run(by)
    if found is not None:
        return found
    units = units_of(by, at=at)
    if not units:
        raise InvalidError("registers.practice_no_unit")
    run = PracticeRun.objects.create(
        officer=by, unit=units[0], began_at=at, touched_at=at
    )
    if person_uid:
        _name(run, person_uid, by=by, at=at)
    audit.record("registers.practice.begun", target=run, by=by, at=at)
    return run


@transaction.atomic
def answer(*, uid: str, step: str, choice: int, by: Officer, at: datetime) -> None:
    """Take the answer to a lesson's question; a wrong one says why, and is no step.

    Raises AbsentError, ConflictError (`registers.practice_…`), InvalidError
    (`registers.practice_answer`, `registers.practice_unanswered`).
    """
    run = _lock(uid, by=by)
    if step not in rules.LESSONS:
        raise ConflictError("registers.practice_step")
    rules.check_step(step, queries.done_of(run))
    lessons.readings()[step].check_answer(choice)
    _take(run, step, at=at)


@transaction.atomic
def write(*, uid: str, title: str, body: str, by: Officer, at: datetime) -> None:
    """Keep the newcomer's bulletin, as long as it is not sent.

    Raises AbsentError, ConflictError, DraftError of the newsroom's rules, InvalidError
    `registers.practice_too_long`.
    """
    run = _lock(uid, by=by)
    done = queries.done_of(run)
    _check_open_text(run, done)
    title, body = without_unseen(title).strip(), without_unseen(body).strip()
    ground.check_text(title=title, body=body)
    if len(body) > rules.BODY_LIMIT:
        raise InvalidError("registers.practice_too_long", most=rules.BODY_LIMIT)
    run.title, run.body = title, body
    _keep(run, at=at)
    if rules.WRITTEN not in done:
        _take(run, rules.WRITTEN, at=at)


@transaction.atomic
def send(*, uid: str, starts_at: datetime, by: Officer, at: datetime) -> None:
    """Send the bulletin to be approved, with its hour: from then on one hash.

    Raises AbsentError, ConflictError, DraftError, InvalidError `schedule.…`.
    """
    run = _lock(uid, by=by)
    done = queries.done_of(run)
    if rules.WRITTEN not in done:
        raise ConflictError("registers.practice_step")
    _check_open_text(run, done)
    ground.check_text(title=run.title, body=run.body)
    ground.check_time(starts_at, body=run.body, at=at)
    run.starts_at = starts_at
    run.seal = rules.seal(title=run.title, body=run.body, starts_at=starts_at)
    _keep(run, at=at)
    if rules.SENT not in done:
        _take(run, rules.SENT, at=at)


@transaction.atomic
def judge(*, uid: str, is_right: bool, reason: str, by: Officer, at: datetime) -> None:
    """Judge the colleague's bulletin that comes with the practice: it is wrong.

    Raises AbsentError, ConflictError, InvalidError (`registers.practice_missed` when
    it is approved, `registers.practice_reason` when returned without a reason).
    """
    run = _lock(uid, by=by)
    rules.check_step(rules.CAUGHT, queries.done_of(run))
    if is_right:
        raise InvalidError("registers.practice_missed", why=lessons.flawed().why)
    if not 0 < len(reason.strip()) <= rules.REASON_LIMIT:
        raise InvalidError("registers.practice_reason", most=rules.REASON_LIMIT)
    _take(run, rules.CAUGHT, at=at)


@transaction.atomic
def approve(*, uid: str, seal: str, by: Officer, at: datetime) -> None:
    """Approve, in the approver's place, what was read: one hash.

    Raises AbsentError, ConflictError (`registers.practice_changed` when it is another
    hash by now), InvalidError `schedule.time_passed`.
    """
    run = _lock(uid, by=by)
    rules.check_step(rules.APPROVED, queries.done_of(run))
    if not run.seal or run.starts_at is None or seal != run.seal:
        raise ConflictError("registers.practice_changed")
    ground.check_time(run.starts_at, body=run.body, at=at)
    _take(run, rules.APPROVED, at=at)


@transaction.atomic
def give_back(*, uid: str, by: Officer, at: datetime) -> None:
    """Return the bulletin to its author, who may change it and sends it again.

    Raises AbsentError, ConflictError.
    """
    run = _lock(uid, by=by)
    rules.check_step(rules.APPROVED, queries.done_of(run))
    run.seal = ""
    _keep(run, at=at)


@transaction.atomic
def play(*, uid: str, by: Officer, at: datetime) -> None:
    """Let the made-up clock come to the hour. Raises AbsentError, ConflictError."""
    run = _lock(uid, by=by)
    rules.check_step(rules.PLAYED, queries.done_of(run))
    _take(run, rules.PLAYED, at=at)


@transaction.atomic
def stop(*, uid: str, by: Officer, at: datetime) -> Certificate:
    """Stop the made-up loudspeakers: the last step, after which the proof is written.

    Raises AbsentError, ConflictError.
    """
    run = _lock(uid, by=by)
    rules.check_step(rules.STOPPED, queries.done_of(run))
    _take(run, rules.STOPPED, at=at)
    run.done_at = at
    _keep(run, at=at)
    proof = _certify(run, at=at)
    _tell(run, by=by, at=at)
    audit.record(
        "registers.practice.done",
        target=run,
        by=by,
        at=at,
        data={"number": proof.number, "year": proof.year},
    )
    return proof


def _certify(run: PracticeRun, *, at: datetime) -> Certificate:
    """Write the proof with the next number of its unit and year."""
    # Held until the end of the transaction, so that no number is given twice.
    unit = Unit.objects.select_for_update(no_key=True).get(pk=run.unit_id)
    day = timezone.localdate(at)
    given = Certificate.objects.filter(unit=unit, year=day.year)
    latest = given.aggregate(latest=Max("number"))["latest"] or 0
    return Certificate.objects.create(
        run=run, unit=unit, year=day.year, number=latest + 1, issued_on=day
    )


@transaction.atomic
def give_up(*, uid: str, by: Officer, at: datetime) -> None:
    """End an open practice without a proof; another may begin.

    Raises AbsentError, ConflictError `registers.practice_over`.
    """
    run = _lock(uid, by=by)
    run.given_up_at = at
    _keep(run, at=at)
    audit.record("registers.practice.given_up", target=run, by=by, at=at)


@transaction.atomic
def name_person(*, uid: str, person_uid: str, by: Officer, at: datetime) -> None:
    """Say whose line in a register a practice is; the newcomer or a keeper may.

    When its proof was withdrawn, this one gets a new one with the next number.
    Raises AbsentError, ConflictError `registers.practice_named` (told already).
    """
    run = _lock_seen(uid, by=by, at=at)
    _name(run, person_uid, by=by, at=at)
    if run.done_at is not None:
        if run.certificate is None:
            _certify(run, at=at)
        _tell(run, by=by, at=at)
    audit.record("registers.practice.named", target=run, by=by, at=at)


def _lock_seen(uid: str, *, by: Officer, at: datetime) -> PracticeRun:
    """Return a practice of the officer's ground, locked. Raises AbsentError."""
    queries.access_run(access.reader_of(by, at=at), uid)
    rows = PracticeRun.objects.select_for_update(of=("self",))
    related = ("officer", "unit", "staff_member__unit", "propagandist__unit")
    return rows.select_related(*related).get(uid=uid)


@transaction.atomic
def withdraw(*, uid: str, reason: str, by: Officer, at: datetime) -> Certificate:
    """Take back a proof that is of the wrong person; its number stays, as withdrawn.

    1. The proof keeps who took it back, when and why; its page says so.
    2. The practice is nobody's again, until the right person is named: `name_person`.
    3. Lessons of the wrong person that only this proof carried are taken back.
    Raises AbsentError, NoRightError, ConflictError `registers.proof_none`, InvalidError
    `registers.practice_reason`.
    """
    run = _lock_seen(uid, by=by, at=at)
    line = run.person
    access.check_keeper(by, line.unit if line else run.unit, at=at)
    given = run.certificate
    if given is None:
        raise ConflictError("registers.proof_none")
    plain = " ".join(without_unseen(reason).split())
    if not 0 < len(plain) <= rules.REASON_LIMIT:
        raise InvalidError("registers.practice_reason", most=rules.REASON_LIMIT)
    given.reason, given.withdrawn_by, given.withdrawn_at = plain, by, at
    given.save(update_fields=["reason", "withdrawn_by", "withdrawn_at"])
    run.staff_member, run.propagandist = None, None
    run.save(update_fields=["staff_member", "propagandist"])
    if line is not None:
        _take_back(line, given, by=by, at=at)
    notify(
        officers=[run.officer] if run.officer_id != by.pk else [],
        subject=f"Giấy luyện tập số {given.number}/{given.year} đã rút lại",
        body=f"Lý do: {plain}",
        url=reverse("registers:practice_proof", args=[run.uid]),
        at=at,
    )
    audit.record(
        "registers.practice.withdrawn",
        target=run,
        by=by,
        at=at,
        data={"number": given.number, "year": given.year, "reason": plain},
    )
    return given


def _take_back(
    line: queries.Newcomer, given: Certificate, *, by: Officer, at: datetime
) -> None:
    """Take from a line what only a withdrawn proof carried, and write that down.

    The history names no person, so the reason is read on the proof's page.
    """
    held = [one.issued_on for one in queries.list_certificates(line)]
    proofs = line.proofs.filter(lesson__needs_practice=True)
    lost = [
        one
        for one in proofs.select_related("lesson__training")
        if not any(day <= one.proven_on for day in held)
    ]
    told = [["Luyện tập trên hệ thống", f"{given.issued_on:%d/%m/%Y}", ""]]
    for one in lost:
        name = f"{one.lesson.training.title}: {one.lesson.title}"
        told.append([name, f"{one.proven_on:%d/%m/%Y}", ""])
        one.delete()
    RegisterChange.objects.create(
        line_uid=line.uid, kind=registers.TAKEN_BACK, told=told, by=by, at=at
    )


def _name(run: PracticeRun, person_uid: str, *, by: Officer, at: datetime) -> None:
    if run.person is not None:
        raise ConflictError("registers.practice_named")
    reader = access.reader_of(by, at=at)
    lines = queries.list_newcomers(run.officer, reader)
    line = next((one for one in lines if one.uid == person_uid), None)
    if line is None:
        raise AbsentError("registers.line_absent")
    if isinstance(line, StaffMember):
        run.staff_member = line
    else:
        run.propagandist = line
    run.save(update_fields=["staff_member", "propagandist"])


def _tell(run: PracticeRun, *, by: Officer, at: datetime) -> None:
    """Write into the history of the newcomer's line that a practice is done.

    Without the proof's number: it leads to a name, and a history is never forgotten.
    """
    line = run.person
    if line is None or run.done_at is None:
        return
    day = f"{timezone.localdate(run.done_at):%d/%m/%Y}"
    RegisterChange.objects.create(
        line_uid=line.uid,
        kind=registers.PROVEN,
        told=[["Luyện tập trên hệ thống", "", day]],
        by=by,
        at=at,
    )


def _lock(uid: str, *, by: Officer) -> PracticeRun:
    """Return the officer's own practice, locked. AbsentError, ConflictError."""
    rows = PracticeRun.objects.select_for_update(of=("self",))
    run = rows.filter(uid=uid, officer=by).first()
    if run is None:
        raise AbsentError("registers.practice_absent")
    if run.done_at is not None or run.given_up_at is not None:
        raise ConflictError("registers.practice_over")
    return run


def _check_open_text(run: PracticeRun, done: set[str]) -> None:
    """Refuse to change what was sent, or what it is too early for: ConflictError."""
    if run.seal or not done.issuperset(rules.LESSONS):
        raise ConflictError("registers.practice_step")


def _keep(run: PracticeRun, *, at: datetime) -> None:
    run.touched_at = at
    run.save()


def _take(run: PracticeRun, step: str, *, at: datetime) -> None:
    PracticeStep.objects.create(run=run, number=rules.number_of(step), kind=step, at=at)
    _keep(run, at=at)

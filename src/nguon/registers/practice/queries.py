"""Reads of the practice: one run, who has practised, whose proof is whose."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils import timezone

from nguon.core.errors import AbsentError
from nguon.people import access as people
from nguon.people.models import Officer
from nguon.registers import access, books
from nguon.registers.access import Reader
from nguon.registers.books import AnyLine
from nguon.registers.models import (
    Certificate,
    PracticeRun,
    Propagandist,
    StaffMember,
    Station,
)
from nguon.registers.practice import rules
from nguon.registers.queries import in_force
from nguon.territory.names import fold

Newcomer = StaffMember | Propagandist


def open_run(officer: Officer) -> PracticeRun | None:
    """Return the practice that an officer has begun and not ended, if any."""
    rows = PracticeRun.objects.filter(done_at__isnull=True, given_up_at__isnull=True)
    return rows.filter(officer=officer).first()


def fence_runs(reader: Reader) -> QuerySet[PracticeRun]:
    """Keep the practices of an officer's ground, and their own."""
    rows = PracticeRun.objects.all()
    mine = people.fence(rows, officer=reader.officer, at=reader.at)
    found = rows.filter(Q(pk__in=mine.values("pk")) | Q(officer=reader.officer))
    related = (
        "officer", "unit", "staff_member__unit__parent", "propagandist__unit__parent",
    )  # fmt: skip
    proofs = Certificate.objects.select_related("unit", "withdrawn_by")
    return found.select_related(*related).prefetch_related(
        Prefetch("certificates", proofs)
    )


def access_run(reader: Reader, uid: str) -> PracticeRun:
    """Return a practice that an officer may see. Raises AbsentError."""
    run = fence_runs(reader).filter(uid=uid).first()
    if run is None:
        raise AbsentError("registers.practice_absent")
    return run


def access_sounding(reader: Reader, uid: str) -> PracticeRun:
    """Return an officer's own practice whose bulletin was sent and not yet stopped.

    Raises AbsentError, also `registers.practice_silent`.
    """
    run = access_run(reader, uid)
    is_over = run.done_at is not None or run.given_up_at is not None
    if run.officer_id != reader.officer.pk or not run.seal or is_over:
        raise AbsentError("registers.practice_silent")
    return run


def access_proof(reader: Reader, uid: str) -> Certificate:
    """Return the proof of a practice that an officer may see.

    Raises AbsentError, `registers.proof_withdrawn` with the number and the reason.
    """
    run = access_run(reader, uid)
    if run.certificate is not None:
        return run.certificate
    for one in run.withdrawn:
        raise AbsentError(
            "registers.proof_withdrawn",
            number=f"{one.number}/{one.year}",
            reason=one.reason,
        )
    raise AbsentError("registers.practice_absent")


def name_on(run: PracticeRun, reader: Reader) -> str:
    """Return whom a proof names: who was told to have practised, else the officer.

    A name that others may not read is masked, as in the registers.
    """
    line = run.person
    if line is None or line.folded in {"", fold(run.officer.full_name)}:
        return run.officer.full_name
    return books.shown(line, "full_name", is_own=reader.is_own(line))


def done_of(run: PracticeRun) -> set[str]:
    """Return the steps of a practice that are done."""
    return set(run.steps.values_list("kind", flat=True))


def moments_of(run: PracticeRun) -> list[tuple[str, datetime | None]]:
    """Return every step with when it was done, in their order."""
    known = dict(run.steps.values_list("kind", "at"))
    return [(step, known.get(step)) for step in rules.ORDER]


def state_of(run: PracticeRun, *, at: datetime) -> str:
    """Return how a practice stands, one of `rules.STATES`."""
    return rules.state_of(
        done_at=run.done_at,
        given_up_at=run.given_up_at,
        touched_at=run.touched_at,
        at=at,
    )


def list_runs(reader: Reader, asked: Mapping[str, str]) -> QuerySet[Any]:
    """Return the practices of an officer's ground, the latest touched first.

    Each has `steps_done`. `asked`: `tim` (words of a name or place), `tinh_trang` (of
    `rules.STATES`).
    """
    found = fence_runs(reader).annotate(steps_done=Count("steps"))
    if asked.get("tinh_trang") in rules.STATES:
        found = found.filter(_stands(asked["tinh_trang"], reader.at))
    rows = found.order_by("-touched_at", "-pk")
    words = fold(asked.get("tim", "").replace("\0", "")).split()
    if not words:
        return rows
    # Names of officers are not kept folded; their number is small.
    kept = [
        run.pk
        for run in rows
        if all(
            word in fold(f"{run.officer.full_name} {run.unit.full_name}")
            for word in words
        )
    ]
    return rows.filter(pk__in=kept)


def _stands(state: str, at: datetime) -> Q:
    is_open = Q(done_at__isnull=True, given_up_at__isnull=True)
    cold = Q(touched_at__lt=at - rules.LEFT_OFF_AFTER)
    return {
        rules.DONE: Q(done_at__isnull=False),
        rules.GIVEN_UP: Q(given_up_at__isnull=False),
        rules.LEFT_OFF: is_open & cold,
        rules.OPEN: is_open & ~cold,
    }[state]


def list_own(officer: Officer) -> list[PracticeRun]:
    """Return an officer's own practices that are over, the latest first."""
    rows = PracticeRun.objects.filter(officer=officer).prefetch_related("certificates")
    over = rows.filter(Q(done_at__isnull=False) | Q(given_up_at__isnull=False))
    return list(over.order_by("-touched_at", "-pk"))


def list_certificates(line: AnyLine) -> list[Certificate]:
    """Return the proofs of practice of one person that hold, by their day."""
    if isinstance(line, Station):
        return []
    runs = line.practice_runs.values("pk")
    held = Certificate.objects.filter(run__in=runs, withdrawn_at=None)
    rows = held.select_related("run", "unit")
    return list(rows.order_by("issued_on", "pk"))


def list_newcomers(officer: Officer, reader: Reader) -> list[Newcomer]:
    """Return the lines that may be told to be an officer's, the same name first.

    A keeper of a line tells it of whoever holds that post; who practises also of a
    line at their own unit that is called as they are.
    """
    day = timezone.localdate(reader.at)
    name = fold(officer.full_name)
    found: list[Newcomer] = []
    for book in (books.STAFF, books.PROPAGANDISTS):
        kept = access.fence(book, reader, kinds=access.KEEPERS)
        choice = Q(pk__in=kept.values("pk"))
        if officer == reader.officer:
            choice |= Q(folded=name)
        rows = access.fence(book, reader).filter(reader.own_rows, choice)
        found += rows.filter(in_force(book, day), forgotten_at__isnull=True)
    return sorted(found, key=lambda line: (line.folded != name, line.folded, line.pk))

"""What was paid is written once, by its document; a wrong payment is withdrawn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from nguon.audit import actions as audit
from nguon.core import typed
from nguon.core.errors import AbsentError, ConflictError, InvalidError
from nguon.people.models import Officer
from nguon.plan.money import read_dong
from nguon.plan.rules import clean
from nguon.reports import access, paying, rules
from nguon.reports.models import Payment
from nguon.reports.stations import Station
from nguon.territory.models import Unit
from nguon.territory.names import fold

MOST_ROWS = 2_000


@dataclass(frozen=True)
class Count:
    """What a table of payments brought."""

    new: int
    same: int


@dataclass(frozen=True)
class Paper:
    """By which document money was paid, and on which day; checked by `_check`."""

    document: str
    paid_on: date


@transaction.atomic
def pay_person(
    *,
    station: Station,
    month: date,
    person_id: int,
    amount: int,
    paper: Paper,
    is_sure: bool = False,
    by: Officer,
    at: datetime,
) -> Payment:
    """Write that a person of the month's table was paid; whole đồng.

    More than is left of it only for who `is_sure`. Raises InvalidError
    (`reports.pay_…`, `plan.text_…`), ConflictError `reports.pay_twice`,
    NoRightError, AbsentError.
    """
    unit = _lock(station, by=by, at=at)
    clean_paper = _check(paper, month, at=at)
    rules.check_paid(amount)
    dues = {one.person_id: one for one in paying.list_dues(station, month)}
    line = dues.get(person_id)
    if line is None:
        raise InvalidError("reports.pay_person", month=f"{month:%m/%Y}")
    # A document that is there is told first: sure of it or not, it cannot be.
    _check_once(unit, month, person_id, clean_paper)
    rules.check_over(due=line.due, left=line.left, amount=amount, is_sure=is_sure)
    made = _write(unit, month, person_id, amount, clean_paper, by=by, at=at)
    audit.record(
        "reports.payment.entered",
        target=made,
        by=by,
        at=at,
        data={"amount": amount, "over": max(0, amount - line.left)},
    )
    return made


@transaction.atomic
def pay_rest(
    *, station: Station, month: date, paper: Paper, by: Officer, at: datetime
) -> list[Payment]:
    """Write that everybody got, by one document, what was still due of a month.

    Raises ConflictError `reports.pay_settled` when nothing is, and as `pay_person`.
    """
    unit = _lock(station, by=by, at=at)
    clean_paper = _check(paper, month, at=at)
    made = [
        _write(unit, month, one.person_id, one.left, clean_paper, by=by, at=at)
        for one in paying.list_dues(station, month)
        if one.left > 0
    ]
    if not made:
        raise ConflictError("reports.pay_settled")
    audit.record(
        "reports.payments.entered",
        target=unit,
        by=by,
        at=at,
        data={
            "month": f"{month:%Y-%m}",
            "people": len(made),
            "amount": sum(one.amount for one in made),
            "document": clean_paper.document,
        },
    )
    return made


@transaction.atomic
def import_payments(
    *,
    station: Station,
    month: date,
    rows: Iterable[tuple[int, list[str]]],
    is_sure: bool = False,
    by: Officer,
    at: datetime,
) -> Count:
    """Take in a month's table, as it is given out; rows without an amount are passed.

    All or nothing; the first wrong row is named. The same table again changes nothing;
    another amount or day for the same document is refused, never written over; more
    than is left of a person's month only for who `is_sure`. Raises InvalidError
    (`reports.pay_headings`, `reports.pay_row` with its cause, `reports.pay_no_rows`,
    `reports.pay_rows_many`), NoRightError, AbsentError.
    """
    unit = _lock(station, by=by, at=at)
    lines = iter(rows)
    _first, head = next(lines, (0, []))
    places = _places(head)
    known = {one.account.lower(): one for one in paying.list_dues(station, month)}
    lefts = {one.person_id: one.left for one in known.values()}
    new = same = over = 0
    for number, cells in lines:
        account, told, day, document = (
            cells[place].strip() if place < len(cells) else "" for place in places
        )
        if not told:
            continue
        try:
            line = known.get(account.lower())
            if line is None:
                raise InvalidError("reports.pay_person", month=f"{month:%m/%Y}")
            paper = _check(Paper(document, _read_day(day, at=at)), month, at=at)
            amount = read_dong(told)
            rules.check_paid(amount)
            is_new = not _is_held(unit, month, line.person_id, amount, paper)
            if is_new:
                left = lefts[line.person_id]
                rules.check_over(
                    due=line.due, left=left, amount=amount, is_sure=is_sure
                )
                _write(unit, month, line.person_id, amount, paper, by=by, at=at)
                over += max(0, amount - left)
                lefts[line.person_id] = max(0, left - amount)
        except (InvalidError, ConflictError) as error:
            raise InvalidError(
                "reports.pay_row", number=number, text=" · ".join(cells)[:80]
            ) from error
        new, same = new + is_new, same + (not is_new)
        if new + same > MOST_ROWS:
            raise InvalidError("reports.pay_rows_many", limit=MOST_ROWS)
    if not new + same:
        raise InvalidError("reports.pay_no_rows")
    audit.record(
        "reports.payments.imported",
        target=unit,
        by=by,
        at=at,
        data={"month": f"{month:%Y-%m}", "new": new, "same": same, "over": over},
    )
    return Count(new, same)


@transaction.atomic
def withdraw_payment(*, uid: str, reason: str, by: Officer, at: datetime) -> Payment:
    """Take a payment back that was written by mistake; it stays, with the reason.

    Raises AbsentError, NoRightError, ConflictError `reports.pay_withdrawn`,
    InvalidError `plan.text_…`.
    """
    rows = Payment.objects.select_for_update(of=("self",)).select_related("unit")
    row = rows.filter(uid=uid).first()
    if row is None:
        raise AbsentError("reports.pay_absent")
    access.check_writes_for(by, row.unit, at=at)
    if row.withdrawn_at is not None:
        raise ConflictError("reports.pay_withdrawn")
    row.reason = clean(reason, most=rules.MAX_REASON, what="lý do")
    row.withdrawn_by, row.withdrawn_at = by, at
    row.save(update_fields=["reason", "withdrawn_by", "withdrawn_at"])
    audit.record(
        "reports.payment.withdrawn",
        target=row,
        by=by,
        at=at,
        data={"amount": row.amount, "reason": row.reason},
    )
    return row


def _lock(station: Station, *, by: Officer, at: datetime) -> Unit:
    """Return the station's unit, held so that what is left is counted once."""
    access.check_writes_for(by, station.unit, at=at)
    return Unit.objects.select_for_update(no_key=True).get(pk=station.unit.pk)


def _check(paper: Paper, month: date, *, at: datetime) -> Paper:
    """Return a document and day made clean. Raises InvalidError."""
    document = clean(paper.document, most=rules.MAX_DOCUMENT, what="số chứng từ")
    if not fold_document(document):
        raise InvalidError("plan.text_missing", what="số chứng từ")
    today = timezone.localdate(at)
    if not month <= paper.paid_on <= today:
        raise InvalidError("reports.pay_day", first=f"{month:%d/%m/%Y}")
    return Paper(document, paper.paid_on)


def fold_document(document: str) -> str:
    """Return what tells two documents apart: PC 12/2026 is PC-12/2026."""
    return " ".join(
        "".join(c if c.isalnum() or c == "/" else " " for c in fold(document)).split()
    )


def _write(
    unit: Unit,
    month: date,
    person_id: int,
    amount: int,
    paper: Paper,
    *,
    by: Officer,
    at: datetime,
) -> Payment:
    try:
        with transaction.atomic():
            return Payment.objects.create(
                unit=unit,
                month=month,
                person_id=person_id,
                amount=amount,
                paid_on=paper.paid_on,
                document=paper.document,
                folded_document=fold_document(paper.document),
                entered_by=by,
                entered_at=at,
            )
    except IntegrityError as error:
        raise ConflictError("reports.pay_twice", document=paper.document) from error


def _find_held(unit: Unit, month: date, person_id: int, paper: Paper) -> Payment | None:
    """Return what the same document paid a person's month, if it did."""
    return Payment.objects.filter(
        unit=unit,
        month=month,
        person=person_id,
        folded_document=fold_document(paper.document),
        withdrawn_at=None,
    ).first()


def _check_once(unit: Unit, month: date, person_id: int, paper: Paper) -> None:
    """Refuse a document that is there. Raises ConflictError `reports.pay_twice`."""
    if _find_held(unit, month, person_id, paper) is not None:
        raise ConflictError("reports.pay_twice", document=paper.document)


def _is_held(
    unit: Unit, month: date, person_id: int, amount: int, paper: Paper
) -> bool:
    """Say whether a payment of a table is there as told.

    Raises ConflictError `reports.pay_twice` when it is there, but otherwise.
    """
    held = _find_held(unit, month, person_id, paper)
    if held and (held.amount, held.paid_on) != (amount, paper.paid_on):
        raise ConflictError("reports.pay_twice", document=paper.document)
    return held is not None


def _read_day(text: str, *, at: datetime) -> date:
    if not text:
        raise InvalidError("plan.day_missing")
    try:
        return typed.read_day(text, today=timezone.localdate(at))
    except (ValueError, OverflowError) as error:
        raise InvalidError("people.day_unreadable", text=text[:30]) from error


def _places(head: Sequence[str]) -> list[int]:
    """Return where the needed columns stand. InvalidError `reports.pay_headings`."""
    folded = [fold(cell) for cell in head]
    missing = [name for name in paying.NEEDED if fold(name) not in folded]
    if missing:
        raise InvalidError("reports.pay_headings", names=", ".join(missing))
    return [folded.index(fold(name)) for name in paying.NEEDED]

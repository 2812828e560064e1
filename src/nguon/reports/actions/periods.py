"""A period is opened for every unit at once, reminded of, and closed."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from nguon.audit import actions as audit
from nguon.core.errors import AbsentError, ConflictError, InvalidError
from nguon.indicators.rules import Period as Days
from nguon.people import access as people
from nguon.people.actions import notify
from nguon.people.models import APPROVER, Officer
from nguon.people.queries import list_holders_in
from nguon.reports import access, rules
from nguon.reports.models import Form, Period, Submission
from nguon.schedule.recurrence import holidays
from nguon.territory.models import Unit

MOST_TOLD_APART = 3


@transaction.atomic
def open_period(
    *,
    form_id: int,
    kind: str,
    days: Days,
    due_days: int,
    is_sure: bool = False,
    by: Officer,
    at: datetime,
) -> Period:
    """Ask every unit of a form's level, and every unit between, for one period.

    The units are those of the map of its last day; each must still stand today. One
    whose due day is over makes all of them late at once: only for who `is_sure`.
    Raises InvalidError (`reports.form_empty`, `reports.nobody`, `reports.map_changed`,
    `reports.period_kind`, those of the due day), ConflictError (`reports.period_twice`,
    `reports.opened_late`).
    """
    rows = Form.objects.select_for_update(of=("self",)).select_related("unit")
    form = rows.filter(pk=form_id).first()
    if form is None:
        raise AbsentError("reports.form_absent")
    people.check_can(by, APPROVER, unit=form.unit, at=at)
    _check_days(form, kind, days)
    units = _list_asked(form, days.last, today=timezone.localdate(at))
    due = rules.due_date(days.after, due_days, holidays())
    rules.check_ahead(due, today=timezone.localdate(at), is_sure=is_sure)
    period = Period.objects.create(
        form=form,
        kind=kind,
        first_date=days.first,
        after_date=days.after,
        due_days=due_days,
        due_date=due,
        opened_by=by,
        opened_at=at,
    )
    _ask(period, units)
    _tell_opened(period, units, at)
    audit.record(
        "reports.period.opened", target=period, by=by, at=at, data={"units": len(units)}
    )
    return period


def _check_days(form: Form, kind: str, days: Days) -> None:
    if kind not in rules.KINDS:
        raise InvalidError("reports.period_kind")
    days.check()
    if not form.fields.exists():
        raise InvalidError("reports.form_empty")
    if form.periods.filter(first_date=days.first, after_date=days.after).exists():
        raise ConflictError("reports.period_twice")


def _list_asked(form: Form, day: date, *, today: date) -> list[Unit]:
    """Return who is asked and who sums up, the highest first."""
    under = Unit.objects.as_of(day).under(form.unit)
    asked = list(under.filter(kind=form.level).exclude(pk=form.unit_id))
    if not asked:
        raise InvalidError("reports.nobody", level=rules.LEVELS[form.level])
    top = len(form.unit.ancestor_ids) - 1
    keys = {key for unit in asked for key in unit.ancestor_ids[top:]}
    units = list(Unit.objects.filter(pk__in=keys).order_by("path", "pk"))
    gone = [
        unit.full_name
        for unit in units
        if unit.valid_from > today or (unit.valid_to and unit.valid_to <= today)
    ]
    if gone:
        raise InvalidError("reports.map_changed", names=", ".join(gone[:5]))
    return sorted(units, key=lambda unit: (len(unit.ancestor_ids), unit.path))


def _ask(period: Period, units: Collection[Unit]) -> None:
    """Lay out a submission for each unit; each knows which one sums it up."""
    needed = period.form.fields.filter(is_needed=True)
    missing = sum(not field.is_counted for field in needed)
    made: dict[int, Submission] = {}
    for unit in units:
        above = made.get(unit.ancestor_ids[-2]) if len(unit.ancestor_ids) > 1 else None
        made[unit.pk] = Submission.objects.create(
            period=period, unit=unit, above=above, missing=missing
        )


def _tell_opened(period: Period, units: Collection[Unit], at: datetime) -> None:
    notify(
        officers=access.list_writers(units, at=at),
        subject=f"Kỳ báo cáo: {period.name}, hạn {period.due_date:%d/%m/%Y}",
        body=period.form.title,
        url=reverse("reports:period", args=[period.uid]),
        at=at,
    )


@transaction.atomic
def close_period(*, period_id: int, by: Officer, at: datetime) -> Period:
    """End a period: nothing more is written, sent, returned or unlocked in it.

    Raises ConflictError `reports.closed`, AbsentError, NoRightError.
    """
    rows = Period.objects.select_for_update(of=("self",))
    period = rows.select_related("form__unit").filter(pk=period_id).first()
    if period is None:
        raise AbsentError("reports.period_absent")
    people.check_can(by, APPROVER, unit=period.form.unit, at=at)
    if period.closed_at is not None:
        raise ConflictError("reports.closed")
    period.closed_by, period.closed_at = by, at
    period.save(update_fields=["closed_by", "closed_at"])
    audit.record("reports.period.closed", target=period, by=by, at=at)
    return period


@transaction.atomic
def remind(*, at: datetime) -> int:
    """Remind who has not sent: before the due day, on it, and weekly when late.

    Nobody is told twice of one reminder; who writes for many is told once of all.
    Returns how many submissions were reminded of.
    """
    today = timezone.localdate(at)
    open_rows = Submission.objects.filter(
        state__in=rules.OPEN, period__closed_at=None, period__after_date__lte=today
    )
    rows = [
        row
        for row in open_rows.select_for_update(of=("self",))
        .select_related("period__form", "unit", "above__unit")
        .order_by("period__due_date", "pk")
        if _is_due(row, today)
    ]
    keys = [row.pk for row in rows]
    Submission.objects.filter(pk__in=keys).update(reminded_on=today)
    mine: dict[Officer, list[Submission]] = defaultdict(list)
    for row in rows:
        for officer in _list_writers(row, at):
            mine[officer].append(row)
    for officer, waiting in mine.items():
        _remind(officer, waiting, today, at)
    return len(rows)


def _list_writers(row: Submission, at: datetime) -> Collection[Officer]:
    """Return who writes for a unit; where nobody does, who waits for its report."""
    told = access.list_writers([row.unit], at=at)
    return told or list_holders_in([access.decider_of(row)], kind=APPROVER, at=at)


def _is_due(row: Submission, today: date) -> bool:
    due = row.period.due_date
    day = rules.reminder_on(due, today=today, holidays=holidays())
    return day is not None and (row.reminded_on is None or row.reminded_on < day)


def _remind(
    officer: Officer, rows: Collection[Submission], today: date, at: datetime
) -> None:
    if len(rows) > MOST_TOLD_APART:
        notify(
            officers=[officer],
            subject=f"Chưa gửi: {len(rows)} báo cáo",
            body="\n".join(f"{row.unit.full_name}: {row.period.name}" for row in rows),
            url=reverse("reports:periods"),
            at=at,
        )
        return
    for row in rows:
        words = rules.due_words(row.period.due_date, today=today)
        is_back = row.state == rules.RETURNED
        what = "Báo cáo bị trả lại, chưa gửi lại" if is_back else "Báo cáo chưa gửi"
        notify(
            officers=[officer],
            subject=f"{what}: {row.period.name}, {words}",
            body=f"{row.period.form.title}. {row.unit.full_name}",
            url=reverse("reports:submission", args=[row.uid]),
            at=at,
        )

"""Targets and money are set by the keeper; what was spent also by the unit itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from nguon.audit import actions as audit
from nguon.core.errors import AbsentError, ConflictError, InvalidError
from nguon.people import access as people
from nguon.people.models import AUTHOR, Officer
from nguon.plan import access, money, queries, rules
from nguon.plan.actions.plans import lock_plan
from nguon.plan.models import ActionPlan, FundingLine, RunningCost, Target
from nguon.territory.models import Unit
from nguon.territory.names import fold
from nguon.territory.queries import list_successors

MOST_ROWS = 5_000
NEEDED = ("Mã đơn vị", "Chỉ tiêu", "Năm", "Giá trị")
COLUMNS = ("Mã đơn vị", "Đơn vị", "Chỉ tiêu", "Năm", "Giá trị")


@dataclass(frozen=True)
class Count:
    """What a table changed."""

    new: int = 0
    changed: int = 0
    same: int = 0


@transaction.atomic
def set_target(
    *,
    plan_id: int,
    unit: Unit,
    year: int,
    indicator: str,
    value: Decimal,
    is_example: bool = False,
    is_sure: bool = False,
    by: Officer,
    at: datetime,
) -> Target:
    """Say what a unit should reach in a year; another figure only for who `is_sure`.

    Raises InvalidError (`indicators.value_…`, `plan.unit_of_then`, `plan.unit_went`,
    `plan.unit_foreign`), ConflictError (`plan.target_stands` with the old figure, those
    of the plan), NoRightError.
    """
    plan = lock_plan(plan_id, by=by, at=at)
    found = money.find_indicator(indicator)
    held = Target.objects.filter(
        plan=plan, unit=unit, year=year, indicator=found.code
    ).first()
    row, _what = _set(
        plan, unit, year, indicator, value, is_example=is_example, by=by, at=at
    )
    told = {"value": str(value)}
    if held is not None and held.value != value:
        if not is_sure:
            raise ConflictError(
                "plan.target_stands",
                name=found.name,
                unit=unit.full_name,
                year=year,
                old=f"{money.plain(held.value)} {found.unit}",
                new=f"{money.plain(value)} {found.unit}",
            )
        told["before"] = str(held.value)
    audit.record("plan.target.set", target=row, by=by, at=at, data=told)
    return row


def _set(
    plan: ActionPlan,
    unit: Unit,
    year: int,
    indicator: str,
    value: Decimal,
    *,
    is_example: bool,
    by: Officer,
    at: datetime,
) -> tuple[Target, str]:
    found = money.find_indicator(indicator)
    found.check_value(float(value))
    check_unit(plan, unit, year)
    key: dict[str, Any] = {
        "plan": plan, "unit": unit, "year": year, "indicator": found.code,
    }  # fmt: skip
    facts = {"value": value, "is_example": is_example}
    row = Target.objects.filter(**key).first()
    if row is not None and all(getattr(row, k) == v for k, v in facts.items()):
        return row, "same"
    told = {**facts, "is_share": found.ratio == "share", "set_by": by, "set_at": at}
    row, is_new = Target.objects.update_or_create(**key, defaults=told)
    return row, "new" if is_new else "changed"


def check_unit(plan: ActionPlan, unit: Unit, year: int) -> None:
    """Refuse a unit that is not the plan's, or was not there in that year.

    Raises InvalidError `plan.unit_foreign`, `plan.unit_went` with its heirs,
    `plan.unit_of_then`.
    """
    if not unit.path.startswith(plan.unit.path):
        raise InvalidError("plan.unit_foreign", unit=unit.full_name)
    if unit.valid_to is not None and unit.valid_to <= date(year, 1, 1):
        heirs = ", ".join(row.new.full_name for row in list_successors(unit))
        raise InvalidError(
            "plan.unit_went", unit=unit.full_name, year=year, heirs=heirs or "–"
        )
    if unit.valid_from > date(year, 12, 31):
        raise InvalidError("plan.unit_of_then", unit=unit.full_name, day=year)


@transaction.atomic
def import_targets(
    *,
    plan_id: int,
    rows: Iterable[tuple[int, list[str]]],
    is_example: bool,
    by: Officer,
    at: datetime,
) -> Count:
    """Take in a table whose first row names the columns; others are left alone.

    All or nothing; the first wrong row is named. The same table again changes nothing.
    Raises InvalidError (`plan.headings_missing`, `plan.no_rows`, `plan.row_wrong`,
    `plan.row_twice`, `plan.rows_many`, those of reading the file), ConflictError.
    """
    plan = lock_plan(plan_id, by=by, at=at)
    lines = iter(rows)
    _first, head = next(lines, (0, []))
    places = _places(head)
    units = {unit.code: unit for unit in queries.list_units_of(plan)}
    counts = {"new": 0, "changed": 0, "same": 0}
    seen: dict[int, tuple[int, Decimal]] = {}
    for number, cells in lines:
        code, indicator, year, value = (
            cells[place] if place < len(cells) else "" for place in places
        )
        try:
            if code.strip() not in units:
                raise InvalidError("plan.unit_foreign", unit=code[:20])
            row, what = _set(
                plan,
                units[code.strip()],
                money.read_year(year),
                indicator,
                money.read_number(value),
                is_example=is_example,
                by=by,
                at=at,
            )
        except InvalidError as error:
            raise InvalidError(
                "plan.row_wrong", number=number, text=" · ".join(cells)[:80]
            ) from error
        before, told = seen.setdefault(row.pk, (number, row.value))
        if told != row.value:
            raise InvalidError("plan.row_twice", first=before, second=number)
        counts[what] += 1
        if sum(counts.values()) > MOST_ROWS:
            raise InvalidError("plan.rows_many", limit=MOST_ROWS)
    if not sum(counts.values()):
        raise InvalidError("plan.no_rows")
    audit.record("plan.targets.imported", target=plan, by=by, at=at, data=counts)
    return Count(**counts)


def _places(head: Sequence[str]) -> list[int]:
    """Return where the needed columns stand. InvalidError `plan.headings_missing`."""
    folded = [fold(cell) for cell in head]
    missing = [name for name in NEEDED if fold(name) not in folded]
    if missing:
        raise InvalidError("plan.headings_missing", names=", ".join(missing))
    return [folded.index(fold(name)) for name in NEEDED]


@transaction.atomic
def set_funding(
    *,
    plan_id: int,
    unit: Unit,
    year: int,
    source: str,
    purpose: str,
    amount: int,
    by: Officer,
    at: datetime,
) -> FundingLine:
    """Say how much there is of one source for one purpose; whole đồng.

    A second word replaces the amount, never below what is spent. Raises InvalidError
    (`plan.money_…`, `plan.overspent`, those of `check_unit`), ConflictError.
    """
    plan = lock_plan(plan_id, by=by, at=at)
    check_unit(plan, unit, year)
    key: dict[str, Any] = {
        "plan": plan, "unit": unit, "year": year, "source": source, "purpose": purpose,
    }  # fmt: skip
    held = FundingLine.objects.filter(**key).first()
    spent = held.spent if held else 0
    money.check_money(source=source, purpose=purpose, amount=amount, spent=spent)
    told = {"amount": amount, "set_by": by, "set_at": at}
    row, _new = FundingLine.objects.update_or_create(**key, defaults=told)
    audit.record("plan.funding.set", target=row, by=by, at=at, data={"amount": amount})
    return row


@transaction.atomic
def record_spent(*, uid: str, spent: int, by: Officer, at: datetime) -> FundingLine:
    """Say how much of a line is spent so far, in đồng.

    Raises AbsentError `plan.funding_absent`, NoRightError, InvalidError
    `plan.overspent`, ConflictError `plan.not_sent`.
    """
    rows = FundingLine.objects.select_for_update(of=("self",))
    row = rows.select_related("unit", "plan__keeper").filter(uid=uid).first()
    if row is None:
        raise AbsentError("plan.funding_absent")
    _check_spender(row, by=by, at=at)
    if row.plan.state != rules.SENT:
        raise ConflictError("plan.not_sent")
    money.check_money(
        source=row.source, purpose=row.purpose, amount=row.amount, spent=spent
    )
    before, row.spent = row.spent, spent
    row.save(update_fields=["spent"])
    audit.record(
        "plan.funding.spent",
        target=row,
        by=by,
        at=at,
        data={"before": before, "after": spent},
    )
    return row


def _check_spender(row: FundingLine, *, by: Officer, at: datetime) -> None:
    """Let the unit itself, while it is on the map, and the keeper say what is spent."""
    today = timezone.localdate(at)
    unit = row.unit if access.is_on_map(row.unit, today) else row.plan.keeper
    if not any(people.can(by, kind, unit=unit, at=at) for kind in access.MOVERS):
        people.check_can(by, AUTHOR, unit=unit, at=at)


@transaction.atomic
def set_running_cost(
    *,
    plan_id: int,
    unit: Unit,
    year: int,
    per_station: int,
    per_cluster: int,
    by: Officer,
    at: datetime,
) -> RunningCost:
    """Say what a station, and each of its clusters, costs in a year; whole đồng.

    Raises InvalidError (`plan.money_range`, those of `check_unit`), ConflictError.
    """
    plan = lock_plan(plan_id, by=by, at=at)
    check_unit(plan, unit, year)
    if not all(0 <= cost <= money.MOST_DONG for cost in (per_station, per_cluster)):
        raise InvalidError("plan.money_range")
    row, _new = RunningCost.objects.update_or_create(
        plan=plan,
        unit=unit,
        year=year,
        defaults={
            "per_station": per_station,
            "per_cluster": per_cluster,
            "set_by": by,
            "set_at": at,
        },
    )
    audit.record("plan.running_cost.set", target=row, by=by, at=at)
    return row

"""The plan that commissioned this system, as it was signed, ready to be entered.

Made by the room's own actions, and made once: entering it again finds it.
"""

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from nguon.people.models import Officer
from nguon.plan import actions, queries, rules
from nguon.plan.models import ActionPlan
from nguon.territory.models import PROVINCE, Unit
from nguon.territory.queries import get_unit

FIRST = Path(__file__).parent / "data" / "ke-hoach-2023-gia-lai.json"


def enter_first(*, keeper: Unit, by: Officer, at: datetime) -> ActionPlan:
    """Enter and send down the plan of 2023 on the units of 2023.

    `keeper` follows it today. Returns the one that is there when it was entered
    before. Raises OSError, DomainError.
    """
    told = json.loads(FIRST.read_text(encoding="utf-8"))
    day = date.fromisoformat(told["first_date"])
    unit = get_unit(told["province"], kind=PROVINCE, day=day)
    found = ActionPlan.objects.filter(unit=unit, title=told["title"]).first()
    if found is not None:
        return found
    plan = actions.draft_plan(
        unit=unit, keeper=keeper, words=_plan_words(told), by=by, at=at
    )
    for document in told["documents"]:
        words = rules.DocumentWords(**_dated(document, "issued_on"))
        actions.add_document(plan_id=plan.pk, words=words, by=by, at=at)
    province, *districts = queries.list_units_of(plan)
    for task in told["tasks"]:
        given = [province] if task.pop("given") == "province" else districts
        words_of_task = rules.TaskWords(**_dated(task, "last_date"))
        actions.add_task(
            plan_id=plan.pk, words=words_of_task, units=given, by=by, at=at
        )
    for row in told["report_dates"]:
        actions.add_report_date(plan_id=plan.pk, **_dated(row, "before"), by=by, at=at)
    _add_examples(told, plan, districts, by=by, at=at)
    return actions.send_plan(plan_id=plan.pk, by=by, at=at)


def _add_examples(
    told: dict[str, Any],
    plan: ActionPlan,
    districts: list[Unit],
    *,
    by: Officer,
    at: datetime,
) -> None:
    """Set targets that are marked as examples: the annex of the plan is not at hand."""
    for row in told["example_targets"]:
        for district in districts:
            actions.set_target(
                plan_id=plan.pk,
                unit=district,
                year=row["year"],
                indicator=row["indicator"],
                value=Decimal(row["value"]),
                is_example=True,
                by=by,
                at=at,
            )


def _plan_words(told: dict[str, Any]) -> rules.PlanWords:
    return rules.PlanWords(
        title=told["title"],
        first_date=date.fromisoformat(told["first_date"]),
        last_date=date.fromisoformat(told["last_date"]),
        aims="\n".join(told["aims"]),
        demands="\n".join(told["demands"]),
    )


def _dated(row: dict[str, Any], field: str) -> dict[str, Any]:
    """Return a row with a day for the text of a day, where there is one."""
    if row.get(field):
        return {**row, field: date.fromisoformat(row[field])}
    return row

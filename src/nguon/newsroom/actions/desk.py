"""What an office keeps beside its bulletins: patterns, and rates of remuneration."""

from datetime import date, datetime

from django.db import transaction

from nguon.audit import actions as audit
from nguon.core.errors import AbsentError
from nguon.newsroom import rules
from nguon.newsroom.intake.proposal import clean
from nguon.newsroom.models import PayRate, Template
from nguon.people import access as people_access
from nguon.people.models import ADMINISTRATOR, AUTHOR, Officer
from nguon.territory.models import Unit

RATE_LIMIT = 10_000_000


@transaction.atomic
def add_template(
    *, unit: Unit, title: str, body: str, field: int, by: Officer, at: datetime
) -> Template:
    """Keep a pattern for a unit's writers. Raises DraftError, NoRightError."""
    people_access.check_can(by, AUTHOR, unit=unit, at=at)
    draft = rules.Draft(title=clean(title), body=clean(body), field=field)
    rules.check_draft(draft, drill=False)
    if not draft.title or not draft.body:
        raise rules.DraftError("newsroom.template_empty")
    template = Template.objects.create(
        unit=unit,
        title=draft.title,
        body=draft.body,
        field=field,
        made_by=by,
        made_at=at,
    )
    audit.record("newsroom.template.added", target=template, by=by, at=at)
    return template


@transaction.atomic
def end_template(*, key: int, by: Officer, at: datetime) -> Template:
    """Take a pattern off the list; what was written from it stays."""
    seen = people_access.fence(Template.objects.all(), officer=by, at=at)
    template = seen.filter(pk=key, ended_at=None).select_related("unit").first()
    if template is None:
        raise AbsentError("newsroom.template_absent")
    people_access.check_can(by, AUTHOR, unit=template.unit, at=at)
    template.ended_at = at
    template.save(update_fields=["ended_at"])
    audit.record("newsroom.template.ended", target=template, by=by, at=at)
    return template


@transaction.atomic
def set_rate(
    *,
    unit: Unit,
    task: str,
    amount: int,
    from_day: date,
    by: Officer,
    at: datetime,
) -> PayRate:
    """Set what a piece of work is paid from a day on; earlier rates stay as they were.

    Only an administrator of the unit may. Raises DraftError, NoRightError.
    """
    people_access.check_can(by, ADMINISTRATOR, unit=unit, at=at)
    if task not in rules.TASKS:
        raise rules.DraftError("newsroom.task_unknown")
    if not 0 <= amount <= RATE_LIMIT:
        raise rules.DraftError("newsroom.rate_unreadable")
    rate = PayRate.objects.create(
        unit=unit, task=task, amount=amount, from_day=from_day, set_by=by, set_at=at
    )
    audit.record(
        "newsroom.rate.set",
        target=rate,
        by=by,
        at=at,
        data={"task": task, "amount": amount, "from": from_day.isoformat()},
    )
    return rate

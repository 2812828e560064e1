"""A form is written once; from its first period on its fields are fixed."""

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from nguon.audit import actions as audit
from nguon.core.errors import AbsentError, ConflictError, InvalidError
from nguon.people import access as people
from nguon.people.models import AUTHOR, Officer
from nguon.plan.rules import MAX_TITLE, clean
from nguon.reports import rules
from nguon.reports.models import Field, Form
from nguon.territory.models import Unit
from nguon.territory.names import fold


@transaction.atomic
def create_form(
    *, unit: Unit, level: str, title: str, by: Officer, at: datetime
) -> Form:
    """Begin a form that a unit asks of one level below it.

    Raises InvalidError (`reports.level`, those of texts), NoRightError, AbsentError.
    """
    people.check_can(by, AUTHOR, unit=unit, at=at)
    if level not in rules.LEVELS:
        raise InvalidError("reports.level")
    words = clean(title, most=MAX_TITLE, what="tên biểu mẫu")
    form = Form.objects.create(
        unit=unit,
        level=level,
        title=words,
        folded=fold(words),
        created_by=by,
        created_at=at,
    )
    audit.record("reports.form.created", target=form, by=by, at=at)
    return form


@transaction.atomic
def add_field(
    *, form_id: int, words: rules.FieldWords, by: Officer, at: datetime
) -> Field:
    """Add a line to a form that no period uses yet.

    Raises ConflictError `reports.form_used`, InvalidError (`reports.fields_many`,
    `reports.indicator_twice`, those of `rules.check_field`), NoRightError.
    """
    form = _lock(form_id, by=by, at=at)
    checked = rules.check_field(words)
    if form.fields.count() >= rules.MAX_FIELDS:
        raise InvalidError("reports.fields_many", limit=rules.MAX_FIELDS)
    if words.indicator and form.fields.filter(indicator=words.indicator).exists():
        raise InvalidError("reports.indicator_twice", name=checked.name)
    last = form.fields.aggregate(n=Max("number"))["n"] or 0
    field = Field.objects.create(form=form, number=last + 1, **vars(checked))
    audit.record("reports.field.added", target=field, by=by, at=at)
    return field


@transaction.atomic
def remove_field(*, form_id: int, field_id: int, by: Officer, at: datetime) -> None:
    """Take a line out of a form that no period uses yet.

    Raises ConflictError `reports.form_used`, AbsentError `reports.field_absent`.
    """
    form = _lock(form_id, by=by, at=at)
    field = form.fields.filter(pk=field_id).first()
    if field is None:
        raise AbsentError("reports.field_absent")
    told = str(field)
    field.delete()
    audit.record("reports.field.removed", target=told, by=by, at=at)


def _lock(form_id: int, *, by: Officer, at: datetime) -> Form:
    rows = Form.objects.select_for_update(of=("self",)).select_related("unit")
    form = rows.filter(pk=form_id).first()
    if form is None:
        raise AbsentError("reports.form_absent")
    people.check_can(by, AUTHOR, unit=form.unit, at=at)
    if form.periods.exists():
        raise ConflictError("reports.form_used")
    return form

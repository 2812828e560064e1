"""Reads what officers type about reports: periods, fields, answers."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from nguon.core.errors import InvalidError
from nguon.indicators.catalogue import Indicator
from nguon.indicators.rules import Period as Days
from nguon.plan.forms import need_day
from nguon.plan.money import read_number, read_year
from nguon.reports import rules
from nguon.reports.models import Field
from nguon.reports.scoring import LineWords
from nguon.territory.models import Unit


def read_days(sent: Mapping[str, str], *, at: datetime) -> Days:
    """Return the days of a period: a whole one, or from a day to a day.

    Raises InvalidError (`reports.period_…`, `plan.year`, `plan.day_missing`,
    `people.day_unreadable`).
    """
    kind = sent.get("kind", "")
    if kind == rules.RANGE:
        return read_range(sent, at=at)
    year = read_year(sent.get("year", ""))
    number = 1 if kind == rules.YEAR else read_whole(sent.get("number", ""))
    return rules.whole_period(kind, year, number)


def read_range(sent: Mapping[str, str], *, at: datetime) -> Days:
    """Return the days from a day to a day. Raises as `read_days`."""
    first = need_day(sent, "first_date", at=at)
    last = need_day(sent, "last_date", at=at)
    days = Days(first, last + timedelta(days=1))
    days.check()
    return days


def read_due(sent: Mapping[str, str], *, at: datetime) -> date:
    """Return until when a call is to be answered. Raises as `read_days`."""
    return need_day(sent, "due_date", at=at)


def read_own_unit(sent: Mapping[str, str], units: Collection[Unit]) -> Unit:
    """Return the chosen one of the units. Raises InvalidError `reports.target_unit`."""
    for unit in units:
        if unit.uid == sent.get("unit", ""):
            return unit
    raise InvalidError("reports.target_unit")


def read_whole(text: str) -> int:
    """Return a small whole number as typed, or 0, which every rule here refuses."""
    plain = text.strip()
    is_small = plain.isascii() and plain.isdecimal() and len(plain) <= len("999")
    return int(plain) if is_small else 0


def read_optional(text: str) -> Decimal | None:
    """Return a number, or None when nothing was typed. Raises InvalidError."""
    return read_number(text) if text.strip() else None


def read_field(sent: Mapping[str, str]) -> rules.FieldWords:
    """Return a field's words from a form. Raises InvalidError `plan.number`."""
    return rules.FieldWords(
        name=sent.get("name", ""),
        ratio=sent.get("ratio", ""),
        unit=sent.get("unit", ""),
        indicator=sent.get("indicator", ""),
        least=read_optional(sent.get("least", "")),
        most=read_optional(sent.get("most", "")),
        is_needed=bool(sent.get("is_needed")),
    )


def read_answers(
    sent: Mapping[str, str], fields: list[Field]
) -> dict[int, rules.Typed]:
    """Return what was typed into each field that the page showed.

    Raises InvalidError `reports.not_number`, `reports.negative` with the field, its
    part and what was typed.
    """
    found = {}
    for field in fields:
        parts = ("above", "below", "words", "explanation")
        if not any(f"{part}_{field.pk}" in sent for part in parts):
            continue
        found[field.pk] = rules.Typed(
            pair=rules.Pair(
                _read_part(sent, field, "above"), _read_part(sent, field, "below")
            ),
            words=sent.get(f"words_{field.pk}", ""),
            explanation=sent.get(f"explanation_{field.pk}", ""),
        )
    return found


def _read_part(sent: Mapping[str, str], field: Field, part: str) -> Decimal | None:
    text = sent.get(f"{part}_{field.pk}", "")
    try:
        return read_optional(text)
    except InvalidError as error:
        is_below_zero = error.code == "plan.negative"
        raise InvalidError(
            "reports.negative" if is_below_zero else "reports.not_number",
            name=field.name,
            text=text[:30],
            field=field.pk,
            part=part,
        ) from error


def read_revision(sent: Mapping[str, str]) -> int:
    """Return the revision a page was opened at. Raises InvalidError."""
    text = sent.get("revision", "")
    if not (text.isascii() and text.isdecimal() and len(text) <= len("999999999")):
        raise InvalidError("reports.field_foreign")
    return int(text)


def read_sections(sent: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the headings and words of a page, in their order; empty pairs too."""
    return [
        (sent.get(f"heading_{n}", ""), sent.get(f"words_{n}", ""))
        for n in range(1, rules.MAX_SECTIONS + 1)
        if f"heading_{n}" in sent
    ]


def read_weights(
    sent: Mapping[str, str], offered: Iterable[Indicator]
) -> list[LineWords]:
    """Return the lines of a score sheet: every indicator that was given a weight.

    Raises InvalidError `plan.number`.
    """
    found = []
    for one in offered:
        text = sent.get(f"weight_{one.code}", "")
        if text.strip():
            full = read_optional(sent.get(f"full_{one.code}", ""))
            found.append(LineWords(one.code, read_whole(text), full))
    return found

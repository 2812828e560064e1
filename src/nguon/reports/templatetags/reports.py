"""How reports are written out: figures, and why there is none."""

from datetime import date
from decimal import Decimal

from django import template

from nguon.indicators.catalogue import COUNT
from nguon.reports import charts, rules
from nguon.reports.models import Submission
from nguon.reports.queries import Line

register = template.Library()


@register.filter
def written(value: Decimal | str | None) -> str:
    """Write a figure as people here do: 1.234,5; words as they are; else a dash."""
    return value if isinstance(value, str) else rules.plain(value)


@register.filter
def limits(line: Line) -> str:
    """Write between which figures a field must lie; nothing without limits."""
    field = line.field
    told = []
    if field.ratio == COUNT and field.is_whole:
        told.append("là số nguyên")
    if field.least is not None or field.most is not None:
        told.append(f"từ {rules.plain(field.least or Decimal(0))}")
        last = "trở lên" if field.most is None else f"đến {rules.plain(field.most)}"
        told.append(last)
    return " ".join(told)


@register.filter
def late_words(row: Submission, today: date) -> str:
    """Write how late a report is: quá hạn 22 ngày."""
    return row.late_words(today)


@register.filter
def figure(value: float | Decimal | None) -> str:
    """Write a counted figure with one decimal at most: 1.234,5."""
    return charts.write(value)

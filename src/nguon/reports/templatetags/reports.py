"""How reports are written out: figures, and why there is none."""

from datetime import date
from decimal import Decimal

from django import template

from nguon.reports import charts, rules, scoring
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
    least, most = line.field.least, line.field.most
    if least is None and most is None:
        return ""
    if most is None:
        return f"từ {rules.plain(least)} trở lên"
    if least is None:
        return f"không quá {rules.plain(most)}"
    return f"từ {rules.plain(least)} đến {rules.plain(most)}"


@register.filter
def late_words(row: Submission, today: date) -> str:
    """Write how late a report is: quá hạn 22 ngày."""
    return row.late_words(today)


@register.filter
def figure(value: float | Decimal | None) -> str:
    """Write a counted figure with one decimal at most: 1.234,5."""
    return charts.write(value)


@register.filter
def less_is_better(code: str) -> bool:
    """Say whether the lower of two figures is the better one."""
    return scoring.is_less_better(code)

"""How plans are written out: names of figures, days of lateness."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from django import template

from nguon.indicators.catalogue import INDICATORS
from nguon.plan import money, rules

register = template.Library()


@register.filter
def indicator_name(code: str) -> str:
    """Return the name of an indicator; its code when it is no longer known."""
    found = INDICATORS.get(code)
    return found.name if found else code


@register.filter
def days_late(last_date: date, today: date) -> str:
    """Write how late something is: quá hạn 12 ngày."""
    return f"quá hạn {rules.days_late(last_date, today=today)} ngày"


@register.filter
def day_before(day: date) -> date:
    """Return the last day of a half-open period."""
    return day - timedelta(days=1)


@register.filter
def indicator_unit(code: str) -> str:
    """Return what an indicator is counted in."""
    found = INDICATORS.get(code)
    return found.unit if found else ""


@register.filter
def figure(value: Decimal) -> str:
    """Write a figure as people here do: 85,5 or 1.234."""
    return money.plain(value)


@register.filter
def at(sent: Mapping[str, str], name: str) -> str:
    """Return what was typed into a field; nothing when it was not."""
    return sent.get(name, "")


@register.filter
def add_number(name: str, number: int) -> str:
    """Return the name of the n-th field of its kind."""
    return f"{name}{number}"

"""Lengths of time, signals and shares as people here write them."""

from collections.abc import Mapping
from datetime import timedelta

from django import template

from nguon.fleet import health

register = template.Library()

MINUTE, HOUR, DAY = 60, 3600, 86400


@register.filter
def khoang(length: timedelta | None) -> str:
    """Write a length of time: 45 giây, 12 phút, 3 giờ, 2 ngày 5 giờ."""
    if length is None:
        return "–"
    seconds = round(length.total_seconds())
    if seconds < MINUTE:
        return f"{max(0, seconds)} giây"
    if seconds < HOUR:
        return f"{seconds // MINUTE} phút"
    hours = seconds // HOUR
    if seconds < DAY:
        return f"{hours} giờ"
    days, hours = divmod(hours, 24)
    return f"{days} ngày {hours} giờ" if hours else f"{days} ngày"


@register.filter
def dung_han(late: int, due: int) -> str:
    """Write the share that was in time: 95 %."""
    return f"{round(100 * max(0, due - late) / due)} %" if due else "–"


@register.filter
def signal_name(code: str) -> str:
    """Write the name of a signal."""
    return health.SIGNALS.get(code, code)


@register.filter
def signal_word(code: str) -> str:
    """Write the value of a signal."""
    return health.SIGNAL_WORDS.get(code, code)


@register.filter
def grade_words(grade: int) -> str:
    """Write a grade of evidence: đã giải mã, đo được tiếng."""
    return health.GRADE_WORDS.get(grade, "không có").capitalize()


@register.filter
def tenfold(percent: float) -> str:
    """Write a share of a hundred on a drawing a thousand wide."""
    return f"{percent * 10:g}"


@register.filter
def lookup(table: Mapping[str, str], key: str) -> str:
    """Return what a table holds under a key, or nothing."""
    return table.get(key, "")

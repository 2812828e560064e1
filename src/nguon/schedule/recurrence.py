"""On which days something returns: RFC 5545 without its times, and holidays.

Days are days of `Asia/Ho_Chi_Minh`; `begin` is in, `end` is out. A rule counts its
own days first (COUNT, UNTIL), then holidays and exception dates fall out, then extra
dates come in, holidays or not.
"""

import csv
from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from pathlib import Path

from dateutil.rrule import rrule, rrulestr

from nguon.core.errors import InvalidError
from nguon.schedule.rules import LOCAL
from nguon.schedule.station import Repeat

DAY = timedelta(days=1)
# How far ahead a rule is looked through before it is said never to fire: every
# fourth year has a 29 February, except 2100.
HORIZON = timedelta(days=9 * 366)
FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
LARGEST = 1000
_NUMBERS = ("INTERVAL", "COUNT")
_LISTS = {"BYMONTHDAY": 31, "BYMONTH": 12, "BYSETPOS": 366}
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY_WORDS = dict(
    zip(
        _WEEKDAYS,
        ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật"),
        strict=True,
    )
)
_SHOWN_DATES = 5


@lru_cache(maxsize=1)
def holidays() -> Mapping[date, str]:
    """Return the public holidays that are known, with their Vietnamese names.

    Source: Labour Code 45/2019/QH14, article 112; see `data/README.md`.
    """
    path = Path(__file__).parent / "data" / "holidays.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {
            date.fromisoformat(row["date"]): row["name"] for row in csv.DictReader(file)
        }


def days_between(repeat: Repeat, *, begin: date, end: date) -> list[date]:
    """Return the days in `[begin, end)` on which something returns, in order.

    Raises InvalidError `schedule.repeat_unreadable`.
    """
    return list(_days(repeat, begin, end))


def starts_between(
    repeat: Repeat, clock: time, *, begin: datetime, end: datetime
) -> list[datetime]:
    """Return the starts in `[begin, end)` at a clock on the wall, in UTC.

    Raises InvalidError `schedule.repeat_unreadable`.
    """
    first, last = begin.astimezone(LOCAL).date(), end.astimezone(LOCAL).date()
    starts = (
        datetime.combine(day, clock, LOCAL).astimezone(UTC)
        for day in _days(repeat, first, last + DAY)
    )
    return [start for start in starts if begin <= start < end]


def next_day(repeat: Repeat, *, day: date) -> date | None:
    """Return the first day from `day` on, or None when there is none in nine years.

    Raises InvalidError `schedule.repeat_unreadable`.
    """
    soon = day + timedelta(days=64)
    found = _days(repeat, day, soon) or _days(repeat, soon, day + HORIZON)
    return found[0] if found else None


def check_repeat(repeat: Repeat, *, day: date) -> None:
    """Refuse a rule that cannot be read or that never fires from `day` on.

    Raises InvalidError `schedule.repeat_unreadable`, `schedule.repeat_never`.
    """
    if next_day(repeat, day=day) is None:
        raise InvalidError("schedule.repeat_never", slot="", rule=rrule_words(repeat))


@lru_cache(maxsize=4096)
def _days(repeat: Repeat, begin: date, end: date) -> tuple[date, ...]:
    found = set(_rule_days(repeat, begin, end)) - set(repeat.without)
    if repeat.holidays == "skip":
        found -= holidays().keys()
    found |= {day for day in repeat.extra if begin <= day < end}
    return tuple(sorted(found))


def _rule_days(repeat: Repeat, begin: date, end: date) -> Iterable[date]:
    """Return the days of the rule alone; one without an end is cut off at `end`."""
    if not repeat.rule:
        return [repeat.first] if begin <= repeat.first < end else []
    parts = read_rule(repeat.rule)
    until = end - DAY
    if "UNTIL" in parts:
        until = min(until, _read_date(parts["UNTIL"], repeat.rule))
    count = int(parts["COUNT"]) if "COUNT" in parts else None
    first = repeat.first if count else _brought_near(repeat, parts, begin)
    if first > until:
        return []
    days = (moment.date() for moment in _build(parts, first, until))
    if parts["FREQ"] == "DAILY":
        days = (day for day in days if _passes(parts, day))
    found = islice(days, count)
    return [day for day in found if max(begin, repeat.first) <= day]


def _build(parts: Mapping[str, str], first: date, until: date) -> rrule:
    """Return dateutil's rule up to a day.

    It stops at its first day after `until`, so one that never fires would go on to
    the year 9999. Of daily rules the filters therefore stay with us (`_passes`).
    """
    ours = {"COUNT", "UNTIL"}
    if parts["FREQ"] == "DAILY":
        ours |= {"BYDAY", "BYMONTHDAY", "BYMONTH"}
    own = {key: value for key, value in parts.items() if key not in ours}
    text = ";".join(f"{key}={value}" for key, value in own.items())
    # A rule of dateutil knows naive moments only; these are mere days.
    start = datetime(first.year, first.month, first.day)  # noqa: DTZ001
    try:
        rule = rrulestr(text, dtstart=start, cache=False)
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidError("schedule.repeat_unreadable", rule=text) from error
    if not isinstance(rule, rrule):
        raise InvalidError("schedule.repeat_unreadable", rule=text)
    return rule.replace(until=datetime(until.year, until.month, until.day))  # noqa: DTZ001


def _passes(parts: Mapping[str, str], day: date) -> bool:
    """Say whether a day gets through the filters of a daily rule."""
    from_end = day.day - monthrange(day.year, day.month)[1] - 1
    own = {
        "BYDAY": {_WEEKDAYS[day.weekday()]},
        "BYMONTHDAY": {f"{day.day}", f"+{day.day}", f"{from_end}"},
        "BYMONTH": {f"{day.month}"},
    }
    return all(
        not mine.isdisjoint(parts[key].split(","))
        for key, mine in own.items()
        if key in parts
    )


def _brought_near(repeat: Repeat, parts: Mapping[str, str], begin: date) -> date:
    """Return a first day near `begin` from which the rule says the same.

    So a slot of ten years ago costs no more than one of yesterday. Weeks keep one
    whole step before `begin`, because a week may have days before its first one.
    """
    step = int(parts.get("INTERVAL", "1"))
    days = {"DAILY": step, "WEEKLY": 7 * step}.get(parts["FREQ"])
    if days is None or begin <= repeat.first:
        return repeat.first
    steps = (begin - repeat.first).days // days
    back = 1 if parts["FREQ"] == "WEEKLY" else 0
    return repeat.first + max(0, steps - back) * timedelta(days=days)


def read_rule(text: str) -> dict[str, str]:
    """Return the parts of an RRULE after checking each.

    Only whole days: no time of day, nothing below DAILY. Raises InvalidError
    `schedule.repeat_unreadable`.
    """
    parts: dict[str, str] = {}
    for piece in text.upper().removeprefix("RRULE:").split(";"):
        key, _, value = piece.partition("=")
        if not value or key in parts or not _fits(key, value):
            raise InvalidError("schedule.repeat_unreadable", rule=text)
        parts[key] = value
    if "FREQ" not in parts or {"COUNT", "UNTIL"} <= parts.keys():
        raise InvalidError("schedule.repeat_unreadable", rule=text)
    by = {"BYDAY", "BYMONTHDAY", "BYMONTH"} & parts.keys()
    numbered = any(len(one) > 2 for one in parts.get("BYDAY", "MO").split(","))
    # RFC 5545, 3.3.10: numbered weekdays only in months and years, BYMONTHDAY not in
    # weeks, BYSETPOS not alone (nor among the one day of a day).
    if (
        (numbered and parts["FREQ"] not in ("MONTHLY", "YEARLY"))
        or (parts["FREQ"] == "WEEKLY" and "BYMONTHDAY" in parts)
        or ("BYSETPOS" in parts and (not by or parts["FREQ"] == "DAILY"))
    ):
        raise InvalidError("schedule.repeat_unreadable", rule=text)
    return parts


def _fits(key: str, value: str) -> bool:
    """Say whether one part of a rule is one that we understand."""
    if key == "FREQ":
        return value in FREQUENCIES
    if key in _NUMBERS:
        return value.isascii() and value.isdigit() and 0 < int(value) <= LARGEST
    if key == "WKST":
        return value in _WEEKDAYS
    if key == "UNTIL":
        return len(value) == 8 and _is_date(value)
    if key == "BYDAY":
        return all(_fits_weekday(one) for one in value.split(","))
    if key in _LISTS:
        signed = key != "BYMONTH"
        return all(
            _fits_number(n, _LISTS[key], signed=signed) for n in value.split(",")
        )
    return False


def _fits_weekday(text: str) -> bool:
    number, name = text[:-2], text[-2:]
    return name in _WEEKDAYS and (not number or _fits_number(number, 53))


def _fits_number(text: str, largest: int, *, signed: bool = True) -> bool:
    digits = text[1:] if signed and text[:1] in ("+", "-") else text
    return (
        digits.isascii()
        and digits.isdigit()
        and digits[0] != "0"
        and int(digits) <= largest
    )


def _is_date(value: str) -> bool:
    try:
        _read_date(value, value)
    except InvalidError:
        return False
    return True


def _read_date(value: str, rule: str) -> date:
    try:
        return date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError as error:
        raise InvalidError("schedule.repeat_unreadable", rule=rule) from error


# --- in words --------------------------------------------------------------------


def rrule_words(repeat: Repeat) -> str:
    """Return a rule as people say it: “hằng ngày, trừ ngày lễ”.

    Raises InvalidError `schedule.repeat_unreadable`.
    """
    if not repeat.rule:
        words = f"một lần, ngày {_shown(repeat.first)}"
    else:
        parts = read_rule(repeat.rule)
        words = _SAYERS[parts["FREQ"]](parts, repeat.first)
        if "UNTIL" in parts:
            words += f" đến {_shown(_read_date(parts['UNTIL'], repeat.rule))}"
        if "COUNT" in parts:
            words += f", {parts['COUNT']} lần"
    if repeat.holidays == "skip":
        words += ", trừ ngày lễ"
    if repeat.without:
        words += f", trừ {_list_dates(repeat.without)}"
    if repeat.extra:
        words += f", thêm {_list_dates(repeat.extra)}"
    return words


def _say_days(parts: Mapping[str, str], first: date) -> str:
    step = parts.get("INTERVAL", "1")
    words = "hằng ngày" if step == "1" else f"cứ {step} ngày một lần"
    if "BYDAY" in parts:
        words += f", chỉ {_weekdays(parts['BYDAY'])}"
    if "BYMONTHDAY" in parts:
        words += f", chỉ {_month_days(parts['BYMONTHDAY'])}"
    return words + _months(parts)


def _say_weeks(parts: Mapping[str, str], first: date) -> str:
    days = _weekdays(parts.get("BYDAY", _WEEKDAYS[first.weekday()]))
    if "BYSETPOS" in parts:
        days = f"{_positions(parts['BYSETPOS'])} trong các ngày {days}"
    return f"{days} {_every(parts, 'tuần')}{_months(parts)}"


def _say_months(parts: Mapping[str, str], first: date) -> str:
    return f"{_in_month(parts, first)} {_every(parts, 'tháng')}{_months(parts)}"


def _say_years(parts: Mapping[str, str], first: date) -> str:
    months = parts.get("BYMONTH", str(first.month))
    days = _in_month(parts, first)
    return f"{days} tháng {months.replace(',', ', ')} {_every(parts, 'năm')}"


_SAYERS: Mapping[str, Callable[[Mapping[str, str], date], str]] = {
    "DAILY": _say_days,
    "WEEKLY": _say_weeks,
    "MONTHLY": _say_months,
    "YEARLY": _say_years,
}


def _in_month(parts: Mapping[str, str], first: date) -> str:
    found = []
    if "BYMONTHDAY" in parts:
        found.append(_month_days(parts["BYMONTHDAY"]))
    if "BYDAY" in parts:
        found.append(_weekdays(parts["BYDAY"]))
    words = ", là ".join(found) or _month_days(str(first.day))
    if "BYSETPOS" in parts:
        words = f"{_positions(parts['BYSETPOS'])} trong các ngày {words}"
    return words


def _every(parts: Mapping[str, str], what: str) -> str:
    step = parts.get("INTERVAL", "1")
    return f"hằng {what}" if step == "1" else f"cứ {step} {what} một lần"


def _months(parts: Mapping[str, str]) -> str:
    months = parts.get("BYMONTH", "")
    return f", chỉ tháng {months.replace(',', ', ')}" if months else ""


def _month_days(text: str) -> str:
    plain = [day.lstrip("+") for day in text.split(",") if not day.startswith("-")]
    found = [f"ngày {', '.join(plain)}"] if plain else []
    for day in text.split(","):
        if day == "-1":
            found.append("ngày cuối tháng")
        elif day.startswith("-"):
            found.append(f"ngày thứ {day[1:]} từ cuối tháng")
    return ", ".join(found)


def _weekdays(text: str) -> str:
    days = text.split(",")
    if days == list(_WEEKDAYS[:5]):
        return "thứ Hai đến thứ Sáu"
    if days == list(_WEEKDAYS):
        return "mọi ngày"
    return ", ".join(_weekday(day) for day in days)


def _weekday(text: str) -> str:
    number, name = text[:-2].lstrip("+"), _DAY_WORDS[text[-2:]]
    return f"{name} {_position(number)}" if number else name


def _positions(text: str) -> str:
    return "ngày " + ", ".join(_position(one.lstrip("+")) for one in text.split(","))


def _position(number: str) -> str:
    if number == "1":
        return "đầu tiên"
    if number == "-1":
        return "cuối cùng"
    if number.startswith("-"):
        return f"lần {number[1:]} từ cuối"
    return f"lần {number}"


def _list_dates(days: Iterable[date]) -> str:
    ordered = sorted(days)
    shown = ", ".join(_shown(day) for day in ordered[:_SHOWN_DATES])
    more = len(ordered) - _SHOWN_DATES
    return f"{shown} và {more} ngày nữa" if more > 0 else shown


def _shown(day: date) -> str:
    return f"{day:%d/%m/%Y}"

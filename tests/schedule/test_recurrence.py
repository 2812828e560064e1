"""Slots return on the days that RFC 5545 says, holidays and exceptions apart."""

from calendar import monthrange
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nguon.core.errors import InvalidError
from nguon.schedule.recurrence import (
    check_repeat,
    days_between,
    holidays,
    next_day,
    rrule_words,
    starts_between,
)
from nguon.schedule.rules import LOCAL
from nguon.schedule.station import Repeat

DAY = timedelta(days=1)
NAMES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def listed(repeat: Repeat, begin: date, end: date) -> list[str]:
    return [f"{day:%d/%m}" for day in days_between(repeat, begin=begin, end=end)]


@pytest.mark.parametrize(
    ("rule", "first", "begin", "days"),
    [
        # month ends: the 31st is left out where there is none, the last day is not
        ("FREQ=MONTHLY", date(2026, 1, 31), date(2026, 1, 1), "31/01 31/03 31/05"),
        (
            "FREQ=MONTHLY;BYMONTHDAY=-1",
            date(2026, 1, 1),
            date(2026, 1, 1),
            "31/01 28/02 31/03 30/04 31/05",
        ),
        # leap day
        ("FREQ=YEARLY", date(2024, 2, 29), date(2026, 1, 1), ""),
        ("FREQ=YEARLY", date(2024, 2, 29), date(2028, 1, 1), "29/02"),
        ("FREQ=DAILY;INTERVAL=2", date(2028, 2, 27), date(2028, 2, 27), "27/02 29/02"),
        # the last working day of a month
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            date(2026, 1, 1),
            date(2026, 1, 1),
            "30/01 27/02 31/03 30/04 29/05",
        ),
        (
            "FREQ=MONTHLY;BYDAY=2MO",
            date(2026, 1, 1),
            date(2026, 4, 1),
            "13/04 11/05 08/06 13/07 10/08",
        ),
        ("FREQ=DAILY;COUNT=3", date(2026, 1, 30), date(2026, 1, 31), "31/01 01/02"),
        (
            "FREQ=DAILY;UNTIL=20260102",
            date(2026, 1, 1),
            date(2026, 1, 1),
            "01/01 02/01",
        ),
        ("", date(2026, 1, 5), date(2026, 1, 1), "05/01"),
    ],
)
def test_a_rule_fires_on_its_days(
    rule: str, first: date, begin: date, days: str
) -> None:
    found = listed(Repeat(first=first, rule=rule), begin, begin + 151 * DAY)

    if rule.startswith("FREQ=DAILY;INTERVAL"):
        found = found[:2]
    assert " ".join(found) == days


def test_exceptions_go_and_extra_days_come_holidays_or_not() -> None:
    new_year = date(2026, 1, 1)
    repeat = Repeat(
        first=date(2025, 12, 30),
        without=(date(2025, 12, 31),),
        extra=(date(2026, 1, 1), date(2026, 2, 1)),
        holidays="skip",
    )

    assert listed(repeat, date(2025, 12, 29), date(2026, 1, 4)) == [
        "30/12", "01/01", "02/01", "03/01",
    ]  # fmt: skip
    plain = Repeat(first=date(2025, 12, 30), holidays="skip")
    assert new_year not in days_between(plain, begin=new_year, end=new_year + DAY)


def test_tet_is_the_vietnamese_one() -> None:
    first_days = {2026: (2, 17), 2027: (2, 6), 2030: (2, 2), 2033: (1, 31)}

    for year, (month, day) in first_days.items():
        tet = [d for d, name in holidays().items() if name == "Tết Nguyên đán"]
        assert date(year, month, day) in tet
        assert len([d for d in tet if d.year == year]) == 5
    assert holidays()[date(2030, 4, 12)] == "Giỗ Tổ Hùng Vương"
    assert {d.year for d in holidays()} == set(range(2025, 2036))
    assert len(holidays()) == 11 * 11


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=HOURLY", "FREQ=DAILY;BYHOUR=3", "FREQ=DAILY;BYMINUTE=1",
        "FREQ=DAILY;UNTIL=20260101T000000Z", "FREQ=DAILY;COUNT=0", "FREQ=SOMETIMES",
        "FREQ=DAILY;COUNT=2;UNTIL=20270101", "FREQ=WEEKLY;BYDAY=2MO", "BYDAY=MO",
        "FREQ=DAILY;FREQ=WEEKLY", "FREQ=MONTHLY;BYMONTHDAY=32", "FREQ=WEEKLY;BYDAY=T2",
        "FREQ=DAILY;BYSETPOS=1", "FREQ=WEEKLY;BYMONTHDAY=1",
        "FREQ=DAILY;UNTIL=20260231",
        "hằng ngày", "FREQ=DAILY\nFREQ=DAILY", "FREQ=DAILY;INTERVAL=２",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(rule: str) -> None:
    with pytest.raises(InvalidError) as refusal:
        days_between(Repeat(date(2026, 1, 1), rule), begin=date(2026, 1, 1),
                     end=date(2027, 1, 1))  # fmt: skip

    assert refusal.value.code == "schedule.repeat_unreadable"


@pytest.mark.parametrize(
    "repeat",
    [
        Repeat(date(2026, 1, 1), "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30"),
        Repeat(date(2026, 1, 1), "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"),
        Repeat(date(2026, 1, 1), "FREQ=DAILY;UNTIL=20251231"),
        Repeat(date(2026, 1, 1), ""),
        Repeat(date(2026, 1, 1), "FREQ=YEARLY", holidays="skip"),
        Repeat(date(2026, 5, 5), "", without=(date(2026, 5, 5),)),
    ],
)
def test_a_rule_that_never_fires_is_found(repeat: Repeat) -> None:
    with pytest.raises(InvalidError) as refusal:
        check_repeat(repeat, day=date(2026, 1, 2))

    assert refusal.value.code == "schedule.repeat_never"


def test_a_rare_rule_is_not_taken_for_one_that_never_fires() -> None:
    leap = Repeat(date(2097, 1, 1), "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29")

    assert next_day(leap, day=date(2097, 1, 1)) == date(2104, 2, 29)


def test_starts_are_the_same_clock_on_every_day() -> None:
    repeat = Repeat(date(2026, 1, 1))
    begin = datetime(2026, 11, 24, 5, 30, tzinfo=LOCAL)

    found = starts_between(repeat, time(5, 30), begin=begin, end=begin + 2 * DAY)

    assert [f"{start:%d %H:%M%z}" for start in found] == [
        "23 22:30+0000", "24 22:30+0000",
    ]  # fmt: skip


@st.composite
def rules(draw: st.DrawFn) -> Repeat:
    """Draw a rule and its exceptions."""
    freq = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"]))
    parts = [f"FREQ={freq}"]
    step = draw(st.integers(1, 4))
    parts += [f"INTERVAL={step}"] if step > 1 else []
    if draw(st.booleans()) and freq != "MONTHLY":
        days = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
        parts.append("BYDAY=" + ",".join(days))
    if draw(st.booleans()) and freq != "WEEKLY":
        numbers = draw(
            st.lists(st.sampled_from([1, 15, 28, 29, 30, 31, -1, -2]), min_size=1)
        )
        parts.append("BYMONTHDAY=" + ",".join(map(str, numbers)))
    if draw(st.booleans()):
        parts.append(f"COUNT={draw(st.integers(1, 30))}")
    elif draw(st.booleans()):
        until = date(2027, 1, 1) + draw(st.integers(0, 800)) * DAY
        parts.append(f"UNTIL={until:%Y%m%d}")
    near = st.integers(0, 900).map(lambda n: date(2027, 1, 1) + n * DAY)
    return Repeat(
        first=date(2027, 1, 1) + draw(st.integers(0, 500)) * DAY,
        rule=";".join(parts),
        without=tuple(draw(st.lists(near, max_size=20))),
        extra=tuple(draw(st.lists(near, max_size=3))),
        holidays=draw(st.sampled_from(["keep", "skip"])),  # type: ignore[arg-type]
    )


def by_hand(repeat: Repeat, end: date) -> list[date]:
    """Walk over every day from the first, as a person with a calendar would."""
    parts = dict(piece.split("=") for piece in repeat.rule.split(";"))
    step, found, day = int(parts.get("INTERVAL", "1")), [], repeat.first
    until = min(end, date(2100, 1, 1))
    if "UNTIL" in parts:
        last = datetime.strptime(parts["UNTIL"], "%Y%m%d").date()
        until = min(until, last + DAY)
    while day < until and len(found) < int(parts.get("COUNT", "999999")):
        if _is_on(parts, repeat.first, day, step):
            found.append(day)
        day += DAY
    kept = set(found) - set(repeat.without)
    kept -= set(holidays()) if repeat.holidays == "skip" else set()
    return sorted(kept | {extra for extra in repeat.extra if extra < end})


def _is_on(parts: dict[str, str], first: date, day: date, step: int) -> bool:
    monday, first_monday = (d - d.weekday() * DAY for d in (day, first))
    months = (day.year - first.year) * 12 + day.month - first.month
    passed = {
        "DAILY": (day - first).days,
        "WEEKLY": (monday - first_monday).days // 7,
        "MONTHLY": months,
    }[parts["FREQ"]]
    if passed % step:
        return False
    if "BYDAY" in parts and NAMES[day.weekday()] not in parts["BYDAY"].split(","):
        return False
    length = monthrange(day.year, day.month)[1]
    numbers = {str(day.day), str(day.day - length - 1)}
    if "BYMONTHDAY" in parts:
        return not numbers.isdisjoint(parts["BYMONTHDAY"].split(","))
    if "BYDAY" in parts or parts["FREQ"] == "DAILY":
        return True
    if parts["FREQ"] == "WEEKLY":
        return day.weekday() == first.weekday()
    return day.day == first.day


@given(repeat=rules(), skip=st.integers(0, 900), length=st.integers(1, 400))
def test_the_days_are_those_of_a_walk_over_the_calendar(
    repeat: Repeat, skip: int, length: int
) -> None:
    begin = date(2027, 1, 1) + skip * DAY
    end = begin + length * DAY

    found = days_between(repeat, begin=begin, end=end)

    assert found == [day for day in by_hand(repeat, end) if day >= begin]


@pytest.mark.parametrize(
    ("repeat", "words"),
    [
        (Repeat(date(2026, 1, 1), holidays="skip"), "hằng ngày, trừ ngày lễ"),
        (
            Repeat(date(2026, 1, 1), "FREQ=WEEKLY;BYDAY=MO,TH;UNTIL=20261231"),
            "thứ Hai, thứ Năm hằng tuần đến 31/12/2026",
        ),
        (
            Repeat(date(2026, 1, 1), "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
            "thứ Hai đến thứ Sáu hằng tuần",
        ),
        (Repeat(date(2026, 1, 1), "FREQ=WEEKLY;INTERVAL=2"),
         "thứ Năm cứ 2 tuần một lần"),
        (Repeat(date(2026, 1, 1), "FREQ=MONTHLY;BYMONTHDAY=1,15"),
         "ngày 1, 15 hằng tháng"),
        (Repeat(date(2026, 1, 1), "FREQ=MONTHLY;BYDAY=-1FR"),
         "thứ Sáu cuối cùng hằng tháng"),
        (Repeat(date(2026, 9, 2), "FREQ=YEARLY"), "ngày 2 tháng 9 hằng năm"),
        (
            Repeat(date(2026, 1, 1), "FREQ=DAILY;COUNT=10", (date(2026, 1, 2),)),
            "hằng ngày, 10 lần, trừ 02/01/2026",
        ),
        (Repeat(date(2026, 1, 5), ""), "một lần, ngày 05/01/2026"),
    ],
)  # fmt: skip
def test_a_rule_is_said_as_people_say_it(repeat: Repeat, words: str) -> None:
    assert rrule_words(repeat) == words

"""Days and clocks are read as people here write them, in any browser."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nguon.core import typed

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
TODAY = date(2026, 11, 25)
DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
NO_DAYS = (
    "", "22", "11/22/2026", "31/4/2026", "0/1/2026", "22/11/226", "20261122", "mai",
    "22/11/2026 05:30", "2026-11", "2026-W48-1", "٢٢/١١/٢٠٢٦", "22//11/2026",
)  # fmt: skip
NO_CLOCKS = (
    "", "5", "17", "24:00", "25:10", "5:61", "5:3", "5:30 pm", "5:30 chiều", "05:30Z",
    "05:30+07:00", "5-30", "-5:30", "5h60", "12345", "٠٥:٣٠", "5 giờ kém 15",
)  # fmt: skip
CLOCKS = st.times().map(lambda one: one.replace(second=0, microsecond=0))


@given(DAYS)
def test_every_day_is_read_in_every_way_it_is_written(day: date) -> None:
    for text in (
        f"{day:%d/%m/%Y}",
        f"{day.day}/{day.month}/{day.year}",
        f"{day:%d-%m-%Y}",
        f"{day:%d.%m.%Y}",
        f" {day:%d %m %Y} ",
        f"{day:%d / %m / %Y}",
        f"{day:%d/%m/%y}",
        f"{day:%d%m%Y}",
        f"{day:%d%m%y}",
        f"{day.day} tháng {day.month} năm {day.year}",
        f"Ngày {day.day} tháng {day.month}, {day.year}".replace(",", " năm"),
        day.isoformat(),
    ):
        assert typed.read_day(text) == day, text


@given(DAYS, DAYS)
def test_without_a_year_the_nearest_such_day_is_meant(day: date, today: date) -> None:
    assume((day.month, day.day) != (2, 29))
    for text in (f"{day:%d/%m}", f"{day.day}-{day.month}", f"{day:%d%m}"):
        found = typed.read_day(text, today=today)
        assert (found.month, found.day) == (day.month, day.day)
        assert abs(found - today) <= timedelta(days=183)
    with pytest.raises(ValueError, match="year"):
        typed.read_day(f"{day:%d/%m}")


def test_a_turn_of_the_year_and_a_leap_day() -> None:
    assert typed.read_day("2/1", today=TODAY) == date(2027, 1, 2)
    assert typed.read_day("22/11", today=TODAY) == date(2026, 11, 22)
    assert typed.read_day("29/2", today=date(2027, 12, 1)) == date(2028, 2, 29)
    with pytest.raises(ValueError, match=r"."):
        typed.read_day("29/2", today=date(2026, 2, 20))


@given(CLOCKS)
def test_every_clock_is_read_in_every_way_it_is_written(clock: time) -> None:
    hour, minute = clock.hour, clock.minute
    for text in (
        f"{clock:%H:%M}",
        f"{hour}:{minute:02}",
        f"{clock:%H%M}",
        f"{hour}{minute:02}",
        f"{clock:%H.%M}",
        f"{clock:%H %M}",
        f"{hour}h{minute:02}",
        f"{hour}H{minute}",
        f"{hour}g{minute:02}",
        f"{hour} giờ {minute}",
        f"{hour} giờ {minute} phút",
        f" {hour} gio\u031b\u0300 {minute:02}",
        f"{clock:%H:%M:%S}",
    ):
        assert typed.read_clock(text) == clock, text
    assert typed.read_clock(f"{hour}h") == typed.read_clock(f"{hour} giờ") == time(hour)
    assert typed.read_clock(f"{hour} giờ rưỡi") == time(hour, 30)


@pytest.mark.parametrize(
    "text",
    NO_CLOCKS,
)
def test_a_clock_that_may_mean_something_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        typed.read_clock(text)


@pytest.mark.parametrize(
    "text",
    NO_DAYS,
)
def test_a_day_that_may_mean_something_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        typed.read_day(text, today=TODAY)


@given(DAYS, CLOCKS)
def test_every_moment_is_read_whichever_stands_first(day: date, clock: time) -> None:
    moment = datetime.combine(day, clock, LOCAL)
    for text in (
        f"{moment:%H:%M %d/%m/%Y}",
        f"{moment:%d/%m/%Y %H:%M}",
        f"{moment:%d/%m/%Y} lúc {moment:%Hh%M}",
        f"{moment:%H:%M}, ngày {moment:%d/%m/%Y}",
        f"{clock.hour} giờ {clock.minute} ngày {day.day} tháng {day.month} {day.year}",
        f"{moment:%Y-%m-%dT%H:%M}",
        f"{moment:%Y-%m-%d %H:%M:%S}",
        moment.isoformat(),
        moment.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    ):
        assert typed.read_moment(text, zone=LOCAL) == moment, text


@pytest.mark.parametrize(
    "text", ["", "22/11/2026", "05:30", "2026-11-22", "mai 05:30", "05 10 11 12", "T"]
)
def test_half_a_moment_or_two_of_them_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        typed.read_moment(text, zone=LOCAL, today=TODAY)


@given(st.text(max_size=80) | st.text("0123456789:/-. hgT+Z", max_size=30))
def test_nothing_typed_breaks_the_reading(text: str) -> None:
    for read in (
        lambda: typed.read_day(text, today=TODAY),
        lambda: typed.read_clock(text).replace(tzinfo=None),
        lambda: typed.read_moment(text, zone=LOCAL, today=TODAY).astimezone(UTC),
    ):
        try:
            read()
        except (ValueError, OverflowError):
            continue


# --- words ---------------------------------------------------------------------------


@given(st.text(st.characters() | st.sampled_from("\x01\x0b\u202e\ufffe")))
def test_what_nobody_sees_never_stays_in_words(text: str) -> None:
    line = typed.one_line(text)
    assert not typed.UNSEEN.search(line)
    assert line == " ".join(line.split()) == typed.one_line(line)
    assert all(typed.lines(text))


def test_an_unseen_blank_parts_words_and_a_turner_goes() -> None:
    assert typed.one_line("Lan\x0bHoa \x01 \u202eMinh") == "Lan Hoa Minh"
    assert typed.lines("một\x01\n\n \ufffe\nhai") == ["một", "hai"]


def test_a_year_too_far_after_today_is_a_slip() -> None:
    assert typed.read_day("31/12/2076", today=TODAY) == date(2076, 12, 31)
    for text in ("1/1/2077", "31/12/9999", "9999-12-31"):
        with pytest.raises(ValueError, match="too far"):
            typed.read_day(text, today=TODAY)

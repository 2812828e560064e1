"""The family of moments: hours, days, months, years, days of the week."""

import re

from nguon.speech.numbers import say_month
from nguon.speech.reading.figures import COUNTED
from nguon.speech.reading.rule import DATE, Place, Rule, Said, rule

Match = re.Match[str]

WEEKDAYS = {"2": "Hai", "3": "Ba", "4": "Tư", "5": "Năm", "6": "Sáu", "7": "Bảy"}
_LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_STROKE = r"\s?[-–—]\s?"

# After these words 22/11 is a day and not a part of a whole (38/41 hộ).
_DAY_BEFORE = re.compile(
    r"(?:\b(?:ngày|đêm|sáng|trưa|chiều|tối|khuya|hôm|nay|mai|qua|mùng|mồng|dịp|lễ|khánh"
    r"|niệm|hạn|thứ (?:hai|ba|tư|năm|sáu|bảy|[2-7])|chủ nhật|t[2-7]|cn|rạng sáng"
    r"|miền nam|lịch|nữ|đường|phường|giờ|phút|\d[hg]|\d[hg]\d\d|lúc \d\d:\d\d)"
    r"[,:]? ?\(?"
    r"|\d[hg:]\d\d,? |\d\d?/\d\d?(?: và |, |-| - |–| – )(?:ngày )?"
    r"|\bngày \d\d?(?: và |, | đến | tới |-| - |–| – )(?:ngày )?)$"
)
_MAYBE_DAY_BEFORE = re.compile(r"\b(?:từ|đến|trước|sau|tới|và|vào|cho đến|hết|kể từ) $")
_NAMED_DAY = re.compile(r"\b(?:ngày|mùng|mồng|rằm|đêm|sáng|chiều|tối|trưa|khuya) $")
_IN_RANGE = re.compile(r"\bngày [\d/. ]{1,12}(?: ?[-–—] ?| đến | và | tới |, )$")
_PART_BEFORE = re.compile(
    r"\b(?:đạt|chiếm|có|khoảng|hơn|gần|trên|được|còn|số|với|giảm|tăng|là|tỷ lệ|nhà) $"
)
_WEEKDAY_BEFORE = re.compile(
    r"(?<!lần )(?<!người )(?<!hạng )(?<!con )(?<!hàng )(?<!giải )(?<!vị trí )\bthứ "
    r"(?:[2-7](?:,|,? và|\s?[-–]| đến| tới)? ?)*$"
)
_HOUR_BEFORE = re.compile(r"\b(?:lúc|vào|sáng|chiều|tối|trưa|trước|sau|từ|đến|hồi) $")
_MONTH_BEFORE = re.compile(r"\btháng (?:\d{1,2}(?:, | và | đến |\s?[-–]\s?))*$")
_NUMBERED_BEFORE = re.compile(
    r"\b(?:số|quý|đợt|kỳ|lần|khóa|khoá|tập|vụ)(?: [ivx]+)?[: ]*$"
)


def is_day(day: str, month: str) -> bool:
    """Say whether a day and a month exist."""
    return 1 <= int(month) <= 12 and 1 <= int(day) <= _LONGEST_MONTH[int(month) - 1]


def _year(text: str, place: Place) -> str:
    return f" năm {place.whole(int(text) + (2_000 if len(text) == 2 else 0))}"


def _day(day: str, month: str, year: str | None, place: Place) -> str:
    said = f"{place.whole(int(day))} tháng {say_month(int(month))}"
    return said + _year(year, place) if year else said


def _named(said: str, place: Place) -> str:
    """Say `ngày` before a day unless it was said."""
    before = place.before
    named = _NAMED_DAY.search(before) or _IN_RANGE.search(before)
    return said if named else f"ngày {said}"


def _read_full_date(match: Match, place: Place) -> Said | str:
    day, month, year = match["day"], match["month"], match["year"]
    if is_day(day, month):
        return _named(_day(day, month, year, place), place)
    parts = (place.whole(int(text)) for text in (day, month, year))
    return Said(" trên ".join(parts), DATE)


def _read_days(match: Match, place: Place) -> str | None:
    """Read 22-25/11/2026 and 22/11 - 25/12."""
    day, month, first = match["day"], match["month"], match["first"]
    first_month = match["first_month"] or month
    if not (is_day(day, month) and is_day(first, first_month)):
        return None
    if (
        not match["year"]
        and not match["first_month"]
        and COUNTED.match(place.after(match.end()))
    ):
        return None
    said = place.whole(int(first))
    if match["first_month"]:
        said = _day(first, first_month, match["first_year"], place)
    return _named(f"{said} đến {_day(day, month, match['year'], place)}", place)


def _read_short_date(match: Match, place: Place) -> Said | str | None:
    day, month = match["day"], match["month"]
    if not is_day(day, month):
        return None
    before, after = place.before, place.after(match.end())
    said = _day(day, month, None, place)
    counted = COUNTED.match(after)
    if match[0] == "24/7" and not _NAMED_DAY.search(before):
        return None
    if _DAY_BEFORE.search(before) and not (counted and before.endswith(", ")):
        return said
    if _MAYBE_DAY_BEFORE.search(before) and not counted:
        return f"ngày {said}"
    if counted or _PART_BEFORE.search(before):
        return None
    if before.endswith("(") and after.startswith(")"):
        return f"ngày {said}"
    if int(day) > int(month) or day[0] == "0" or month[0] == "0":
        return Said(f"ngày {said}", "" if int(day) > 12 else DATE)
    return None


def _read_month(match: Match, place: Place) -> str | None:
    """Read 11/2026: a month, or the number of a paper of that year."""
    first, year = match["month"], match["year"]
    before = place.before
    if _NUMBERED_BEFORE.search(before):
        number = place.written(first)
        return f"{number}{_year(year, place)}"
    if not 1 <= int(first) <= 12:
        return None
    if match["stroke"] == "-" and not _MONTH_BEFORE.search(before):
        return None
    said = say_month(int(first)) + _year(year, place)
    return said if _MONTH_BEFORE.search(before) else f"tháng {said}"


def _read_months(match: Match, place: Place) -> str | None:
    """Read 10-12/2026: from one month to another."""
    first, last = int(match["first"]), int(match["last"])
    if not 1 <= first < last <= 12 or _NUMBERED_BEFORE.search(place.before):
        return None
    said = (
        f"{say_month(first)} đến tháng {say_month(last)}{_year(match['year'], place)}"
    )
    return said if _MONTH_BEFORE.search(place.before) else f"tháng {said}"


def _read_lone_month(match: Match, place: Place) -> str | None:
    month = int(match[0])
    if 1 <= month <= 12 and _MONTH_BEFORE.search(place.before):
        return say_month(month)
    return None


def _read_lone_day(match: Match, place: Place) -> str | None:
    """Read `ngày 05`: the nought is not said."""
    if re.search(r"\b(?:ngày|mùng|mồng|tháng|đêm) $", place.before):
        return place.whole(int(match[0]))
    return None


def _read_weekday(match: Match, place: Place) -> str | None:
    return WEEKDAYS[match[0]] if _WEEKDAY_BEFORE.search(place.before) else None


def _read_time(match: Match, place: Place) -> Said | str | None:
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    if minute > 59:
        return None
    said = f"{place.whole(hour)} giờ"
    if match["minute"] and minute:
        said += f" {place.whole(minute)} phút"
    # 48h is how long, 25h30 is a slip of the finger.
    return Said(said, DATE if match["minute"] and hour > 24 else "")


def _read_clock(match: Match, place: Place) -> Said | str | None:
    hour, minute, second = match["hour"], match["minute"], match["second"]
    if int(hour) > 24 or int(minute) > 59 or int(second or 0) > 59:
        return None
    if re.search(r"\b(?:tỷ lệ|tỉ lệ|tỷ số|tỉ số) $", place.before):
        return None
    said = f"{place.whole(int(hour))} giờ"
    if int(minute) or second:
        said += f" {place.whole(int(minute))} phút"
    if second:
        said += f" {place.whole(int(second))} giây"
    half = (match["half"] or "").strip().upper().replace(".", "")
    return said + {"AM": " sáng", "PM": " chiều"}.get(half, "")


def _read_grams_or_hour(match: Match, place: Place) -> str | None:
    """Read 7g as an hour where an hour is meant, else leave it to the grams."""
    if _HOUR_BEFORE.search(place.before) and int(match["hour"]) <= 24:
        return f"{place.whole(int(match['hour']))} giờ"
    return None


def _read_hours(match: Match, place: Place) -> str | None:
    first, last = int(match["first"]), int(match["hour"])
    minute = int(match["minute"] or 0)
    if first > 24 or last > 48 or minute > 59:
        return None
    said = f"{place.whole(first)} đến {place.whole(last)} giờ"
    return f"{said} {place.whole(minute)} phút" if minute else said


def _read_minutes(match: Match, place: Place) -> str:
    return f"{place.whole(int(match['minute']))} phút"


_END = r"(?![\w²³])"
_H = r"\s?[hH](?:(?P<minute>\d{2}))?(?:['’`´]|\s?(?:phút|ph|p)(?!\w))?"
RULES: tuple[Rule, ...] = (
    rule(
        r"(?P<year>(?:19|20)\d\d)-(?P<month>\d\d)-(?P<day>\d\d)(?![\d-])",
        _read_full_date,
    ),
    rule(
        rf"(?P<first>\d{{1,2}})(?:[/.](?P<first_month>\d{{1,2}}))"
        rf"(?:[/.](?P<first_year>\d{{4}}))?{_STROKE}"
        r"(?P<day>\d{1,2})[/.](?P<month>\d{1,2})(?:[/.](?P<year>\d{4}))?(?![/.]?\d)",
        _read_days,
    ),
    rule(
        rf"(?P<first>\d{{1,2}})(?P<first_month>(?!))?(?P<first_year>(?!))?{_STROKE}"
        r"(?P<day>\d{1,2})/(?P<month>\d{1,2})(?:/(?P<year>\d{4}))?(?![/.]?\d)",
        _read_days,
    ),
    rule(
        r"(?P<day>\d{1,2})(?P<stroke>[./-])(?P<month>\d{1,2})(?P=stroke)"
        r"(?P<year>\d{4})(?![\d/])",
        _read_full_date,
    ),
    rule(
        r"(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>\d{2})(?![\d/])",
        _read_full_date,
    ),
    rule(
        rf"(?P<first>\d{{1,2}}){_STROKE}(?P<last>\d{{1,2}})/(?P<year>(?:19|20)\d\d)(?![\d/])",
        _read_months,
    ),
    rule(
        r"(?P<month>\d{1,5})(?P<stroke>[/-])(?P<year>(?:19|20)\d\d)(?![\d/])",
        _read_month,
    ),
    rule(r"(?P<day>\d{1,2})/(?P<month>\d{1,2})(?![\d/])", _read_short_date),
    rule(rf"(?P<first>\d{{1,2}}){_STROKE}(?P<hour>\d{{1,2}}){_H}{_END}", _read_hours),
    rule(rf"(?P<hour>\d{{1,3}}){_H}{_END}", _read_time),
    rule(rf"(?P<hour>\d{{1,2}})[gG](?P<minute>\d{{2}})['’]?{_END}", _read_time),
    rule(rf"(?P<hour>\d{{1,2}})g{_END}", _read_grams_or_hour),
    rule(
        r"(?P<hour>\d{1,2})\s?giờ\s?(?P<minute>\d{2})(?![.,/]?\d)"
        rf"(?:['’]|\s?(?:phút|ph|p)(?!\w))?{_END}",
        _read_time,
    ),
    rule(
        r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?(?![:\d])"
        r"(?P<half>\s?(?:[AaPp]\.?[Mm]\.?)(?!\w))?",
        _read_clock,
    ),
    rule(rf"(?P<minute>\d{{1,3}})['’′]{_END}", _read_minutes),
    rule(r"[2-7](?![\d.,/%]?\d)", _read_weekday),
    rule(r"0?4(?![\d.,/]?\d)", _read_lone_month),
    rule(r"0\d(?![\d.,/]?\d)", _read_lone_day),
)

"""What a line of a register may say, what of it is personal, and how it is masked.

Tables and plain functions; no database, no clock.
"""

from collections.abc import Collection
from datetime import date

from nguon.core import phones, typed
from nguon.core.errors import InvalidError
from nguon.newsroom.rules import LANGUAGES

IT, WIRED, FM = "it", "wired", "fm"
STATION_KINDS = {
    IT: "CNTT-VT",
    WIRED: "Có dây",
    FM: "Không dây FM",
}
CENTRAL, PROVINCE, COUNTERPART = "central", "province", "counterpart"
PROGRAMME, COMMUNE, OTHER = "programme", "commune", "other"
SOURCES = {
    CENTRAL: "Ngân sách trung ương",
    PROVINCE: "Ngân sách tỉnh",
    COUNTERPART: "Đối ứng của địa phương",
    PROGRAMME: "Chương trình mục tiêu quốc gia",
    COMMUNE: "Ngân sách xã",
    OTHER: "Nguồn khác",
}
FIRST_YEAR = 1950
FIRST_DAY = date(1950, 1, 1)
# What the office may not show to other offices, nor keep when a person asks it away.
# Source: law 91/2025/QH15; languages may tell an ethnic origin, which is sensitive.
PERSONAL = ("full_name", "phone", "languages", "decision_number")
HIDDEN = "•"
MAX_LESSONS = 40
PRACTICE_LESSON = "Luyện tập: viết, duyệt, dừng một bản tin"

ADDED, CHANGED, FORGOTTEN = "added", "changed", "forgotten"
PROVEN, TAKEN_BACK = "proven", "taken_back"
CHANGE_KINDS = {
    ADDED: "Ghi vào sổ",
    CHANGED: "Sửa",
    FORGOTTEN: "Xóa dữ liệu cá nhân theo yêu cầu",
    PROVEN: "Ghi bài đã học",
    TAKEN_BACK: "Bỏ bài ghi nhầm",
}


def mask_name(name: str) -> str:
    """Return what of a name other offices may read: Nguyễn Thị Lan → N• T• Lan."""
    *first, last = name.split() or [""]
    return " ".join([*(f"{word[0]}{HIDDEN}" for word in first), last or HIDDEN])


def mask(field: str, value: str) -> str:
    """Return a personal value as other offices read it; nothing stays nothing."""
    if not value:
        return ""
    if field == "full_name":
        return mask_name(value)
    return phones.mask(value) if field == "phone" else HIDDEN * 3


def is_masked(text: str) -> bool:
    """Say whether a cell holds what was masked when it left."""
    return HIDDEN in text


def pack(languages: Collection[str]) -> str:
    """Return codes of languages as they are kept: in the usual order, by blanks."""
    return " ".join(code for code in LANGUAGES if code in languages)


def unpack(kept: str) -> list[str]:
    """Return the names of kept languages: Tiếng Jrai."""
    return [LANGUAGES[code] for code in kept.split() if code in LANGUAGES]


def check_period(first: date, after: date | None, *, today: date) -> None:
    """Refuse a period that cannot be. Raises InvalidError `registers.…`.

    Half-open: `after` is the first day on which it is over. What is to begin is not
    written ahead: a count of today would be one of tomorrow.
    """
    if first < FIRST_DAY or first > today:
        raise InvalidError("registers.begins_wrong", day=f"{first:%d/%m/%Y}")
    if after is not None and after <= first:
        raise InvalidError("registers.ends_first")


def check_station(*, year: int, ended_on: date | None, today: date) -> None:
    """Refuse a year that cannot be. Raises InvalidError `registers.…`."""
    if not FIRST_YEAR <= year <= today.year:
        raise InvalidError("registers.year", year=year, last=today.year)
    if ended_on is not None and ended_on < date(year, 1, 1):
        raise InvalidError("registers.ends_first")


def check_proven(day: date, *, today: date) -> None:
    """Refuse a proof of a day to come, or of long ago. Raises InvalidError."""
    if not FIRST_DAY <= day <= today:
        raise InvalidError("registers.proven_wrong", day=f"{day:%d/%m/%Y}")


def check_practised(days: Collection[date], *, day: date) -> None:
    """Refuse a practice on a day without a certificate by then: InvalidError."""
    if not any(one <= day for one in days):
        raise InvalidError("registers.practice_needed", day=f"{day:%d/%m/%Y}")


def clean_lessons(text: str) -> list[str]:
    """Return the titles of lessons, one a line. Raises InvalidError `registers.…`."""
    titles = typed.lines(text)
    if not 0 < len(titles) <= MAX_LESSONS:
        raise InvalidError("registers.lessons", most=MAX_LESSONS)
    if len(set(titles)) != len(titles) or any(len(one) > 200 for one in titles):
        raise InvalidError("registers.lesson_titles")
    return titles

"""Words, days and clocks as people here type them: 22/11/2026, 05:30, 5 giờ 30.

One reading for every form and table of every room, so that no page depends on the
language of a browser, where 05/11 may be in May and 5:30 in the afternoon. The day
stands before the month, the clock has 24 hours. ISO 8601, as programs write, is read
too. Whatever could be meant in two ways is refused, never guessed. Of words, what
nobody sees is left out: it breaks files, and turns what is shown around.
"""

import re
import unicodedata
from calendar import monthrange
from datetime import date, datetime, time, tzinfo

LONGEST = 60
MONTHS = 12
HALF = 30
# What is written here for a later day is of the coming years; more is a slip, and
# some day one more day would be after the last that a calendar has.
FAR_YEARS = 50

# What is no letter, or turns the order of shown letters around (Unicode TR 36, 3.1):
# a reader would see another text than the one that is kept, spoken or printed. No
# XML, so no file of an office program, may hold the first and the last ones.
UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e"
    r"\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)

_ISO_DAY = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})", re.ASCII)
_DAY = re.compile(
    r"(?:ngày )?(?P<day>\d{1,2})(?: ?[-/.] ?| | ?tháng )(?P<month>\d{1,2})"
    r"(?:(?: ?[-/.] ?| | ?năm )(?P<year>\d{4}|\d{2}))?",
    re.ASCII,
)
# A phone's number pad has neither stroke nor colon.
_DAY_DIGITS = re.compile(r"(?P<day>\d\d)(?P<month>\d\d)(?P<year>\d{4}|\d\d)?", re.ASCII)

_CLOCK = re.compile(
    r"(?P<hour>\d{1,2})(?: ?[:.] ?| )(?P<minute>\d\d)(?::(?P<second>\d\d))?", re.ASCII
)
_CLOCK_WORDS = re.compile(
    r"(?P<hour>\d{1,2}) ?(?:h|g|giờ)"
    r"(?: ?(?P<minute>\d{1,2}) ?(?:p|phút)?| (?P<half>rưỡi))?",
    re.ASCII,
)
_CLOCK_DIGITS = re.compile(r"(?P<hour>\d{1,2})(?P<minute>\d\d)", re.ASCII)
_ISO_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d.*", re.ASCII)


def without_unseen(text: str) -> str:
    """Return words without what nobody sees; line ends and tabs stay."""
    return UNSEEN.sub("", text)


def one_line(text: str) -> str:
    """Return words on one line, without stray blanks and what nobody sees."""
    # Some blanks are unseen too: they part words before they go.
    return " ".join(without_unseen(" ".join(text.split())).split())


def lines(text: str) -> list[str]:
    """Return the lines that say something, each as `one_line`."""
    return [line for row in text.splitlines() if (line := one_line(row))]


def read_day(text: str, *, today: date | None = None) -> date:
    """Return the day that was typed: 22/11/2026, 22-11-26, 22 tháng 11, 2211.

    Without a year it is the one that lies nearest to `today`; without `today` the
    year must be written. Raises ValueError, also for a year that is more than
    `FAR_YEARS` after `today`.
    """
    plain = _plain(text)
    for form in (_ISO_DAY, _DAY, _DAY_DIGITS):
        found = form.fullmatch(plain)
        if found:
            return _day(found, today)
    raise ValueError(f"no day: {plain!r}")


def _day(found: re.Match[str], today: date | None) -> date:
    day, month = int(found["day"]), int(found["month"])
    if found["year"]:
        year = int(f"20{found['year']}"[-4:])
        if today is not None and year > today.year + FAR_YEARS:
            raise ValueError(f"too far: {year}")
        return date(year, month, day)
    if today is None:
        raise ValueError("no year")
    years = (today.year - 1, today.year, today.year + 1)
    days = [date(year, month, day) for year in years if _has(year, month, day)]
    if not days:
        raise ValueError("no such day about now")
    return min(days, key=lambda one: abs(one - today))


def _has(year: int, month: int, day: int) -> bool:
    """Say whether a year has this day: not each has a 29th of February."""
    return 1 <= month <= MONTHS and 1 <= day <= monthrange(year, month)[1]


def read_clock(text: str) -> time:
    """Return the time of day that was typed: 05:30, 5h30, 5 giờ 30, 0530, 17 giờ.

    Raises ValueError, also for a time with a zone and for two digits alone.
    """
    plain = _plain(text)
    for form in (_CLOCK, _CLOCK_WORDS, _CLOCK_DIGITS):
        found = form.fullmatch(plain)
        if found:
            parts = found.groupdict()
            minute = HALF if parts.get("half") else int(parts["minute"] or 0)
            return time(int(parts["hour"]), minute, int(parts.get("second") or 0))
    clock = time.fromisoformat(plain)
    if clock.tzinfo is not None or ":" not in plain:
        raise ValueError(f"no clock on a wall: {plain!r}")
    return clock


def read_moment(text: str, *, zone: tzinfo, today: date | None = None) -> datetime:
    """Return the aware moment that was typed: 05:30 22/11/2026, or the other way round.

    One without a zone is on the clocks of `zone`. Raises ValueError, also for a day
    without a clock and where day and clock could be told apart in two ways.
    """
    plain = _plain(text)
    if _ISO_MOMENT.fullmatch(plain):
        moment = datetime.fromisoformat(plain.upper())
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)
    words = plain.replace(",", " ").replace("lúc ", " ").split()
    found = set()
    for at in range(1, len(words)):
        left, right = " ".join(words[:at]), " ".join(words[at:])
        for day, clock in ((left, right), (right, left)):
            try:
                one = read_day(day, today=today), read_clock(clock)
            except ValueError:
                continue
            found.add(one)
    if len(found) != 1:
        raise ValueError(f"no one moment: {plain!r}")
    return datetime.combine(*found.pop(), zone)


def _plain(text: str) -> str:
    """Return text with letters in one form, small, and single blanks."""
    if len(text) > LONGEST:
        raise ValueError("too long")
    return " ".join(unicodedata.normalize("NFC", text).lower().split())

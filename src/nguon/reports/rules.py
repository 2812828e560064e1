"""What a report is and how it moves, as tables and plain functions."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from nguon.core import typed
from nguon.core.errors import ConflictError, InvalidError
from nguon.indicators import catalogue
from nguon.indicators.catalogue import COUNT, MEAN, SHARE
from nguon.indicators.rules import Period, months
from nguon.plan.rules import MAX_TITLE, MAX_WORDS, clean
from nguon.territory.models import COMMUNE, DISTRICT, VILLAGE

DAY = timedelta(days=1)

DRAFT, SENT, RETURNED, ACCEPTED = "draft", "sent", "returned", "accepted"
STATES = {
    DRAFT: "Đang điền",
    RETURNED: "Bị trả lại",
    SENT: "Đã gửi, chờ duyệt",
    ACCEPTED: "Đã duyệt",
}
# Into each state from which ones; what is not here is refused, here and by triggers.
ALLOWED = {SENT: {DRAFT, RETURNED}, RETURNED: {SENT, ACCEPTED}, ACCEPTED: {SENT}}
# In which answers may be written.
OPEN = (DRAFT, RETURNED)

UNLOCKED = "unlocked"
# A draft that nobody saved anything in yet: shown, not stored.
UNTOUCHED = "untouched"
SHOWN_STATES = {UNTOUCHED: "Chưa điền"} | STATES

STEPS = {
    SENT: "Gửi",
    RETURNED: "Trả lại",
    ACCEPTED: "Duyệt",
    UNLOCKED: "Mở khóa",
}

TEXT = "text"
RATIOS = {
    COUNT: "Số đếm: cộng lại",
    SHARE: "Tỷ lệ: tử số trên mẫu số",
    MEAN: "Bình quân: tổng trên số lượng",
    TEXT: "Lời",
}
# Figures with a denominator.
DIVIDED = (SHARE, MEAN)
LEVELS = {
    COMMUNE: "Xã, phường",
    DISTRICT: "Huyện, quận",
    VILLAGE: "Thôn, làng, tổ dân phố",
}
COUNTED, TYPED, ROLLED = "counted", "typed", "rolled"
SOURCES = {
    COUNTED: "Hệ thống đếm",
    TYPED: "Đơn vị ghi",
    ROLLED: "Cộng từ cấp dưới",
}

MONTH, QUARTER, HALF, YEAR, RANGE = "month", "quarter", "half", "year", "range"
KINDS = {
    MONTH: "Tháng",
    QUARTER: "Quý",
    HALF: "Sáu tháng",
    YEAR: "Năm",
    RANGE: "Từ ngày đến ngày",
}
MONTHS = {MONTH: 1, QUARTER: 3, HALF: 6, YEAR: 12}

MAX_FIELDS, MAX_DUE_DAYS = 80, 60
MAX_SECTIONS, MAX_SECTION = 12, 10_000
MAX_NUMBER = 60
# What a page takes in one piece (`client_max_body_size` of the web server is 5 MB).
MAX_PDF = 4 * 1024**2
# 123/BC-UBND: the number, then the symbol of kind and body (decree 30/2020, annex I).
_NUMBER = re.compile(r"\d+[a-zA-Z]?/[\w&.-]+(?:[/-][\w&.-]+)*")
MOST = Decimal(10) ** 13
REMIND_DAYS = 3
LATE_EVERY_DAYS = 7
# An earlier figure says what is usual; the farther back, the less.
EARLIER = 8
UNUSUAL = 2
SATURDAY = 5


# --- periods ------------------------------------------------------------------------


def whole_period(kind: str, year: int, number: int) -> Period:
    """Return the `number`-th month, quarter or half of a year, or the year.

    Raises InvalidError `reports.period_kind`, `reports.period_number`.
    """
    if kind not in MONTHS:
        raise InvalidError("reports.period_kind")
    count = MONTHS[kind]
    if not 1 <= number <= 12 // count:
        raise InvalidError("reports.period_number", most=12 // count)
    return months(year, (number - 1) * count + 1, count)


def name_period(kind: str, period: Period) -> str:
    """Return what a period is called: Quý IV năm 2026."""
    first = period.first
    if kind == RANGE:
        return f"Từ {first:%d/%m/%Y} đến {period.last:%d/%m/%Y}"
    if kind == YEAR:
        return f"Năm {first.year}"
    number = (first.month - 1) // MONTHS[kind] + 1
    if kind == HALF:
        return f"Sáu tháng {'đầu' if number == 1 else 'cuối'} năm {first.year}"
    if kind == QUARTER:
        return f"Quý {('I', 'II', 'III', 'IV')[number - 1]} năm {first.year}"
    return f"Tháng {number} năm {first.year}"


def check_ahead(due: date, *, today: date, is_sure: bool) -> None:
    """Refuse to ask for what is late at once, unless somebody is sure.

    Raises ConflictError `reports.opened_late`.
    """
    if due < today and not is_sure:
        raise ConflictError("reports.opened_late", due=f"{due:%d/%m/%Y}")


def is_working(day: date, holidays: Collection[date]) -> bool:
    """Say whether offices work on a day. Raises InvalidError `reports.days_unknown`.

    The table of holidays knows the days off that law or decision give; swapped
    Saturdays are not in it, and a Saturday counts as off.
    """
    if not holidays or day.year > max(holidays).year:
        raise InvalidError("reports.days_unknown", year=day.year)
    return day.weekday() < SATURDAY and day not in holidays


def due_date(after: date, days: int, holidays: Collection[date]) -> date:
    """Return the `days`-th working day from `after` on; that day is still in time.

    Raises InvalidError `reports.due_days`, `reports.days_unknown`.
    """
    if not 1 <= days <= MAX_DUE_DAYS:
        raise InvalidError("reports.due_days", most=MAX_DUE_DAYS)
    day, left = after, days
    while True:
        left -= is_working(day, holidays)
        if not left:
            return day
        day += DAY


def reminder_on(due: date, *, today: date, holidays: Collection[date]) -> date | None:
    """Return the latest day up to today on which one is reminded, or None.

    Three working days before, on the due day, the day after it, then every week.
    """
    if today > due:
        weeks = (today - due - DAY).days // LATE_EVERY_DAYS
        return due + DAY + weeks * timedelta(days=LATE_EVERY_DAYS)
    if today == due:
        return due
    early, left = due, REMIND_DAYS
    while left:
        early -= DAY
        left -= is_working(early, holidays)
    return early if early <= today else None


def due_words(due: date, *, today: date) -> str:
    """Return until when, or for how long it is late already."""
    late = (today - due).days
    return f"quá hạn {late} ngày" if late > 0 else f"hạn {due:%d/%m/%Y}"


# --- fields and answers -------------------------------------------------------------


@dataclass(frozen=True)
class FieldWords:
    """What a form asks for in one line, as it was typed; checked by `check_field`."""

    name: str = ""
    ratio: str = COUNT
    unit: str = ""
    indicator: str = ""
    least: Decimal | None = None
    most: Decimal | None = None
    is_needed: bool = True


def check_field(words: FieldWords) -> FieldWords:
    """Return a field's words made clean; an indicator brings its own.

    Raises InvalidError: `reports.ratio`, `reports.range_empty`, `indicators.unknown`
    and those of texts.
    """
    name, ratio, unit = words.name, words.ratio, words.unit
    if words.indicator:
        one = catalogue.find(words.indicator)
        name, ratio, unit = name.strip() or one.name, one.ratio, one.unit
    if ratio not in RATIOS:
        raise InvalidError("reports.ratio")
    least, most = words.least, words.most
    if ratio == TEXT:
        least = most = None
    if least is not None and most is not None and most < least:
        raise InvalidError("reports.range_empty")
    return FieldWords(
        name=clean(name, most=MAX_TITLE, what="tên mục"),
        ratio=ratio,
        unit=clean(unit, most=40, what="đơn vị tính", needed=False),
        indicator=words.indicator,
        least=least,
        most=most,
        is_needed=words.is_needed,
    )


@dataclass(frozen=True)
class Pair:
    """A figure: numerator and denominator; a count has no denominator."""

    above: Decimal | None = None
    below: Decimal | None = None


@dataclass(frozen=True)
class Typed:
    """What a unit wrote into one field."""

    pair: Pair = Pair()
    words: str = ""
    explanation: str = ""


def value_of(ratio: str, pair: Pair) -> Decimal | None:
    """Return a figure as it is shown; None without one, or with nothing to divide by.

    A share is in a hundred.
    """
    if pair.above is None or ratio == TEXT:
        return None
    if ratio == COUNT:
        return pair.above
    if not pair.below:
        return None
    return pair.above * (100 if ratio == SHARE else 1) / pair.below


def check_pair(
    name: str,
    ratio: str,
    pair: Pair,
    *,
    least: Decimal | None,
    most: Decimal | None,
    is_whole: bool = False,
) -> None:
    """Refuse a figure that cannot be so; `is_whole` of things counted one by one.

    Raises InvalidError: `reports.half_figure` (one of two is missing),
    `reports.share_over` (more than everything), `reports.nothing_below`,
    `reports.range` (or `_least`, `_most` alone), `reports.too_large`,
    `reports.negative`, `reports.not_whole`.
    """
    if ratio in DIVIDED and (pair.above is None) != (pair.below is None):
        raise InvalidError("reports.half_figure", name=name)
    if pair.above is None:
        return
    _check_parts(name, [pair.above, pair.below or Decimal(0)], is_whole=is_whole)
    if pair.below is not None and pair.above > pair.below and ratio == SHARE:
        raise InvalidError("reports.share_over", name=name)
    if pair.below == 0 and pair.above:
        raise InvalidError("reports.nothing_below", name=name)
    value = value_of(ratio, pair)
    if value is None:
        return
    if (least is not None and value < least) or (most is not None and value > most):
        code = "reports.range"
        if least is None or most is None:
            code += "_least" if most is None else "_most"
        raise InvalidError(code, name=name, least=plain(least), most=plain(most))


def _check_parts(name: str, parts: Sequence[Decimal], *, is_whole: bool) -> None:
    most = Decimal(catalogue.MOST_THINGS) if is_whole else MOST
    if min(parts) < 0:
        raise InvalidError("reports.negative", name=name, text=plain(min(parts)))
    if max(parts) > most:
        raise InvalidError("reports.too_large", name=name, most=plain(most))
    if is_whole and any(part != part.to_integral_value() for part in parts):
        raise InvalidError("reports.not_whole", name=name)


def plain(number: Decimal | None) -> str:
    """Return a number as people here write it: 1.234,5; a dash for no limit."""
    if number is None:
        return "–"
    text = f"{number:,.2f}".rstrip("0").rstrip(".")
    return text.translate(str.maketrans(",.", ".,"))


def is_unusual(value: Decimal | None, earlier: Sequence[Decimal]) -> bool:
    """Say whether a figure is over twice, or under half, of all earlier ones.

    One rule that can be read aloud; without earlier figures nothing is unusual.
    """
    if value is None or not earlier:
        return False
    return value > max(earlier) * UNUSUAL or value < min(earlier) / UNUSUAL


def roll_up(pairs: Iterable[Pair]) -> Pair:
    """Return the figure of several units: sums over sums, never a mean of shares.

    Who has no figure adds nothing; of nobody's figures there is none, not 0.
    """
    above: Decimal | None = None
    below: Decimal | None = None
    for pair in pairs:
        if pair.above is not None:
            above = (above or Decimal(0)) + pair.above
        if pair.above is not None and pair.below is not None:
            below = (below or Decimal(0)) + pair.below
    return Pair(above, below)


# --- moves --------------------------------------------------------------------------


def check_move(old: str, new: str) -> None:
    """Refuse a move that does not follow. Raises ConflictError `reports.not_now`."""
    if old not in ALLOWED[new]:
        raise ConflictError("reports.not_now", state=STATES[old])


def check_open(state: str) -> None:
    """Refuse to write what was sent. Raises ConflictError `reports.locked`."""
    if state not in OPEN:
        raise ConflictError("reports.locked", state=STATES[state])


def is_late(due: date, first_sent: date | None, *, is_open: bool, today: date) -> bool:
    """Say whether a report came first, or is still waited for, after its due day.

    A returned one is waited for again. Sent again, it is judged by its first day: a
    slow return does not make late what came in time. `queries.late_rows` asks the same.
    """
    waits = is_open and today > due
    return waits or (first_sent is not None and first_sent > due)


def late_words(
    due: date, first_sent: date | None, *, is_open: bool, today: date
) -> str:
    """Return how late a report is, or nothing when it is in time."""
    if not is_late(due, first_sent, is_open=is_open, today=today):
        return ""
    if is_open:
        return due_words(due, today=today)
    return f"gửi muộn {((first_sent or today) - due).days} ngày"


def shown_state(state: str, revision: int) -> str:
    """Return where a report stands as people read it, of `SHOWN_STATES`."""
    return UNTOUCHED if state == DRAFT and not revision else state


def clean_words(text: str, *, what: str, needed: bool = True) -> str:
    """Return a line of words. Raises InvalidError `plan.text_…`."""
    return clean(text, most=MAX_WORDS, what=what, needed=needed)


def clean_section(text: str) -> str:
    """Return lines without stray blanks. Raises InvalidError `reports.section_long`."""
    kept = "\n".join(typed.lines(text))
    if len(kept) > MAX_SECTION:
        raise InvalidError("reports.section_long", most=MAX_SECTION)
    return kept


def check_number(text: str) -> str:
    """Return a register number, as 123/BC-UBND. InvalidError `reports.issue_number`."""
    number = "".join(text.split())
    if len(number) > MAX_NUMBER or not _NUMBER.fullmatch(number):
        raise InvalidError("reports.issue_number")
    return number


def issue_file(number: str, day: date) -> str:
    """Return the name of an issued report's file, ASCII: 123-BC-UBND-2026.pdf."""
    letters = unicodedata.normalize("NFKD", number.replace("Đ", "D"))
    ascii_only = letters.encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9]+", "-", ascii_only)
    return f"{name.strip('-')}-{day.year}.pdf"


# --- calls --------------------------------------------------------------------------

# A placeholder's name, or a sheet of at most 31 letters with a cell.
MAX_PLACE = 140
MAX_REASON = 400

# --- remuneration -------------------------------------------------------------------

MAX_DOCUMENT, MOST_PAID = 60, 10**12


def check_over(*, due: int, left: int, amount: int, is_sure: bool) -> None:
    """Let more than is left be paid only by who is sure of it; đồng.

    Raises InvalidError `reports.pay_over`.
    """
    if amount > left and not is_sure:
        told = {"due": due, "left": left, "amount": amount, "over": amount - left}
        raise InvalidError(
            "reports.pay_over",
            **{name: _grouped(number) for name, number in told.items()},
        )


def _grouped(number: int) -> str:
    """Write a number as it is written here: 1.234.567."""
    return f"{number:,}".replace(",", ".")


def check_paid(amount: int) -> None:
    """Refuse money that is none, or too much. Raises InvalidError."""
    if not 0 < amount <= MOST_PAID:
        raise InvalidError("reports.pay_amount")


FIGURE, FIELD, KNOWN_WHAT, WORDS = "figure", "field", "known", "words"
SUBJECTS = {
    FIGURE: "Chỉ tiêu",
    FIELD: "Mục của biểu mẫu",
    KNOWN_WHAT: "Thông tin chung",
    WORDS: "Lời cố định",
}
KNOWN = {
    "unit": "Tên đơn vị",
    "first": "Từ ngày",
    "last": "Đến ngày",
    "today": "Ngày điền",
    "sender": "Nơi yêu cầu",
}
SAME, BEFORE, SO_FAR = "same", "before", "so_far"
SPANS = {
    SAME: "Đúng các ngày của yêu cầu",
    BEFORE: "Cùng các ngày ấy năm trước",
    SO_FAR: "Từ đầu năm đến hết kỳ",
}
VALUE, ABOVE, BELOW = "value", "above", "below"
PARTS = {VALUE: "Giá trị", ABOVE: "Tử số", BELOW: "Mẫu số"}


def span_days(span: str, days: Period) -> Period:
    """Return the days that a place tells of, from those the call asks about."""
    if span == BEFORE:
        return Period(_year_before(days.first), _year_before(days.after))
    if span == SO_FAR:
        return Period(date(days.last.year, 1, 1), days.after)
    return days


def _year_before(day: date) -> date:
    # 29 February of a leap year stands for the end of February.
    last = 28 if (day.month, day.day) == (2, 29) else day.day
    return day.replace(year=day.year - 1, day=last)

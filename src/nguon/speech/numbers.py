"""How Vietnamese says numbers: pure functions from digits to words."""

from dataclasses import dataclass

DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_LAST_AFTER_TENS = {1: "mốt", 4: "tư", 5: "lăm"}
_MONTH_FOUR = "tư"
LONGEST = 15


@dataclass(frozen=True)
class Region:
    """The two words of numbers that differ between North and South."""

    gap: str
    thousand: str


NORTH = Region(gap="linh", thousand="nghìn")
SOUTH = Region(gap="lẻ", thousand="ngàn")


def say_whole(number: int, region: Region = NORTH) -> str:
    """Say a whole number: 105 → một trăm linh năm, in the South một trăm lẻ năm."""
    if number < 0:
        return f"âm {say_whole(-number, region)}"
    if number < 1_000:
        return _say_group(number, region, full=False) or DIGITS[0]
    scales = ("", region.thousand, "triệu")
    billions, rest = divmod(number, 1_000_000_000)
    words = [f"{say_whole(billions, region)} tỷ"] if billions else []
    for power in (2, 1, 0):
        group = rest // 1_000**power % 1_000
        if group:
            said = _say_group(group, region, full=bool(words))
            words.append(f"{said} {scales[power]}".strip())
    return " ".join(words)


def _say_group(number: int, region: Region, *, full: bool) -> str:
    """Say 1 to 999; `full` says the hundreds even when there are none."""
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    words = [f"{DIGITS[hundreds]} trăm"] if hundreds or full else []
    if tens > 1:
        last = _LAST_AFTER_TENS.get(ones, DIGITS[ones])
        words.append(f"{DIGITS[tens]} mươi" + (f" {last}" if ones else ""))
    elif tens == 1:
        last = "lăm" if ones == 5 else DIGITS[ones]
        words.append("mười" + (f" {last}" if ones else ""))
    elif ones:
        words.append(f"{region.gap} {DIGITS[ones]}" if words else DIGITS[ones])
    return " ".join(words)


def say_digits(digits: str) -> str:
    """Say digit by digit, as telephone numbers are read: 112 → một một hai."""
    return " ".join(DIGITS[int(digit)] for digit in digits if digit.isdecimal())


def say_written(text: str, region: Region = NORTH) -> str:
    """Say a number as it is written in Vietnamese: 1.234,5 or 12,05 or 007."""
    whole, _comma, part = text.replace(" ", "").replace("\xa0", "").partition(",")
    if not part and _is_point_decimal(whole):
        whole, _point, part = whole.partition(".")
    digits = whole.replace(".", "")
    said = _say_whole_digits(digits, region)
    return f"{said} phẩy {_say_part(part, region)}" if part else said


def _is_point_decimal(text: str) -> bool:
    """Say whether a single point cannot be a mark of thousands: 2.5."""
    return text.count(".") == 1 and len(text.partition(".")[2]) != 3


def _say_whole_digits(digits: str, region: Region) -> str:
    if len(digits) > LONGEST or (len(digits) > 1 and digits.startswith("0")):
        return say_digits(digits)
    return say_whole(int(digits), region)


def _say_part(part: str, region: Region) -> str:
    if len(part) > 2 or part.startswith("0"):
        return say_digits(part)
    return say_whole(int(part), region)


def say_month(month: int) -> str:
    """Say the number of a month: the fourth is `tư`."""
    return _MONTH_FOUR if month == 4 else say_whole(month)


_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


def read_roman(text: str) -> int | None:
    """Return the value of a Roman numeral up to 399, or None if it is none."""
    total = 0
    for index, letter in enumerate(text):
        value = _ROMAN.get(letter, 0)
        after = _ROMAN.get(text[index + 1], 0) if index + 1 < len(text) else 0
        total += -value if value < after else value
    return total if total and write_roman(total) == text else None


def write_roman(number: int) -> str:
    """Write a number below 400 in Roman numerals, the one proper way."""
    steps = (
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    )
    written = ""
    for value, letters in steps:
        count, number = divmod(number, value)
        written += letters * count
    return written

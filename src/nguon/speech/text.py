"""Written Vietnamese → what a reader would say. Pure functions over tables.

The order of `STEPS` matters: what is longer and surer is read first (a document
number before a fraction, a date before a range), and what is read leaves no digit
behind for a later step to misread.
"""

import re
import unicodedata
from collections.abc import Callable

from nguon.speech.numbers import (
    DIGITS,
    read_roman,
    say_digits,
    say_month,
    say_whole,
    say_written,
)
from nguon.speech.words import (
    ABBREVIATIONS,
    BEFORE_DATE,
    BEFORE_ROMAN,
    DOCUMENTS,
    LETTERS,
    MARKS,
    MAYBE_BEFORE_DATE,
    PER,
    PER_UNITS,
    UNITS,
    WEEKDAYS,
)

DRILL_WORDS = "Đây là diễn tập."

Match = re.Match[str]

_LONGEST_WORD = 80

# A number as written: 1.234.567 or 12,5 or 007.
_NUMBER = r"(?:\d{1,3}(?:\.\d{3})+(?!\d)|\d+\.\d{1,2}(?![.\d])|\d+)(?:,\d+)?"
_DASH = r"(?:\s+[-–—]\s+|[-–—])"
# Eleven digits with the area, of which only Hà Nội's and Sài Gòn's are short; or ten.
_LANDLINE = (
    r"\(?(?:\+84[ .-]?|0)2(?:[48]\)?(?:[ .-]?\d){8}|[0-35-79]\d\)?(?:[ .-]?\d){7})"
)
_MOBILE = r"(?:\+84[ .-]?|0)[35789]\d(?:[ .-]?\d){7}"
_YEAR = r"(?:[./-](?P<year>\d{4}))"


def _any(words: tuple[str, ...] | dict[str, str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def spoken(text: str, *, drill: bool) -> str:
    """Return what the voice says of a written text; a drill says so first."""
    said = normalise(text)
    return f"{DRILL_WORDS} {said}" if drill else said


def normalise(text: str) -> str:
    """Return the text as it is read aloud: no digit, symbol or abbreviation left."""
    text = unicodedata.normalize("NFC", text)
    text = re.sub(r"[\u200b-\u200f\u2060\ufeff\u00ad]", "", text)
    lines = (" ".join(line.split()) for line in text.splitlines())
    text = "\n".join(line for line in lines if line)
    # No word is that long; without this a hostile text makes the patterns slow.
    text = re.sub(rf"(\S{{{_LONGEST_WORD}}})(?=\S)", r"\1 ", text)
    for pattern, read in STEPS:
        text = pattern.sub(read, text)
    return _tidy(text)


# --- documents, addresses, telephone numbers -------------------------------------


def _read_document(match: Match) -> str:
    number, year = match["number"], match["year"]
    said = say_whole(int(number))
    if year:
        said += f" năm {say_whole(int(year))}"
    parts = [_read_symbol(part) for part in re.split(r"[-–&]", match["symbol"])]
    return f"{said}, {' '.join(parts)}"


def _read_symbol(part: str) -> str:
    if part in DOCUMENTS:
        return DOCUMENTS[part]
    if part in ABBREVIATIONS:
        return ABBREVIATIONS[part]
    assembly = re.fullmatch(r"QH(\d+)", part)
    if assembly:
        return f"Quốc hội khóa {say_whole(int(assembly[1]))}"
    return _spell(part)


def _spell(letters: str) -> str:
    said = (
        LETTERS.get(letter.upper(), say_digits(letter) or letter) for letter in letters
    )
    return " ".join(said)


def _read_address(match: Match) -> str:
    address = re.sub(r"^https?://(?:www\.)?|/+$", "", match[0])
    address = re.sub(r"\.vn\b", " chấm vê en nờ", address)
    address = address.replace("@", " a còng ").replace(".", " chấm ")
    return re.sub(r"[/?=&_:#%-]+", " ", address)


def _read_phone(match: Match) -> str:
    text = re.sub(r"\+84[ .-]?", "0", match[0])
    groups = re.findall(r"\d+", text)
    if len(groups) == 1 and len(text) == 10:
        groups = [text[:4], text[4:7], text[7:]]
    return ", ".join(say_digits(group) for group in groups)


def _read_digits(match: Match) -> str:
    return f"{match['before']}{say_digits(match['digits'])}"


# --- days and hours --------------------------------------------------------------


def _is_day(day: str, month: str) -> bool:
    return 1 <= int(day) <= 31 and 1 <= int(month) <= 12


def _say_day(day: str, month: str, year: str | None = None) -> str:
    said = f"{say_whole(int(day))} tháng {say_month(int(month))}"
    return f"{said} năm {say_whole(int(year))}" if year else said


def _read_full_date(match: Match) -> str:
    day, month, year = match["day"], match["month"], match["year"]
    if not _is_day(day, month):
        return match[0]
    said = _say_day(day, month, year)
    before = match.string[: match.start()].rstrip().lower()
    named = before.endswith(("ngày", "mùng", "rằm", "đêm", "sáng", "chiều", "tối"))
    return said if named or _is_in_range(before) else f"ngày {said}"


def _is_in_range(before: str) -> bool:
    return bool(re.search(r"ngày [\w ]{1,60}(đến|và|,)$", before))


def _read_day_range(match: Match) -> str:
    if not _is_day(match["day"], match["month"]):
        return match[0]
    link = match["link"].strip()
    link = "đến" if link in {"-", "–", "—"} else link
    link = ", " if link == "," else f" {link} "
    first = say_whole(int(match["first"]))
    if match["first_month"]:
        first = _say_day(match["first"], match["first_month"])
    return f"{match['before']}{first}{link}" + _say_day(
        match["day"], match["month"], match["year"]
    )


def _read_short_date(match: Match) -> str:
    if not _is_day(match["day"], match["month"]):
        return match[0]
    return match["before"] + _say_day(match["day"], match["month"])


def _read_month(match: Match) -> str:
    month = int(match["month"])
    if not 1 <= month <= 12:
        return match[0]
    said = f"{match['before']}{say_month(month)}"
    return f"{said} năm {say_whole(int(match['year']))}" if match["year"] else said


def _read_period_year(match: Match) -> str:
    return f"{match['before']} năm {say_whole(int(match['year']))}"


def _read_time(match: Match) -> str:
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    if hour > 24 or minute > 59:
        return match[0]
    said = f"{say_whole(hour)} giờ"
    return f"{said} {say_whole(minute)} phút" if minute else said


def _read_weekday(match: Match) -> str:
    return match["before"] + WEEKDAYS[match["day"]]


# --- figures ---------------------------------------------------------------------


def _read_number(match: Match) -> str:
    return say_written(match[0])


def _read_signed(match: Match) -> str:
    return f"âm {say_written(match['number'])}"


def _read_fraction(match: Match) -> str:
    return f"{say_written(match['part'])} trên {say_written(match['whole'])}"


def _read_unit(match: Match) -> str:
    return f"{match['number']} {UNITS[match['unit']]}"


def _read_per(match: Match) -> str:
    what = match["what"]
    return f" một {UNITS.get(what, what)}"


def _read_roman(match: Match) -> str:
    values = [read_roman(text) for text in (match["roman"], match["last"]) if text]
    if None in values:
        return match[0]
    said = (say_whole(value) for value in values if value is not None)
    return match["before"] + " đến ".join(said)


# --- words -----------------------------------------------------------------------


def _read_abbreviation(match: Match) -> str:
    return ABBREVIATIONS[match[0]]


def _read_joined(match: Match) -> str:
    """Part an abbreviation from the number it is glued to: QL19, COVID-19."""
    return f"{match['word']} "


def _read_capitals(match: Match) -> str:
    """Spell what cannot be a word; leave a shouted word to be said in full."""
    word = match[0]
    if not word.isupper():
        return word
    vowels = set("AĂÂEÊIOÔƠUƯY")
    plain = {unicodedata.normalize("NFD", letter)[0] for letter in word}
    if plain & vowels:
        return word.lower()
    return _spell(word)


def _read_mark(match: Match) -> str:
    return MARKS[match[0]]


def _read_single(match: Match) -> str:
    return f" {DIGITS[int(unicodedata.digit(match[0]))]} "


_PLAIN_BEFORE = _any(BEFORE_DATE)
_MAYBE_BEFORE = _any(MAYBE_BEFORE_DATE)
_COUNTED = r"(?!\s*(?:%|hộ|thôn|làng|xã|phường|tổ|người|cháu|em|trẻ|tiêu chí|chỉ tiêu))"

# A step is a pattern and how to read what it finds.
STEPS: list[tuple[re.Pattern[str], Callable[[Match], str]]] = [
    (re.compile(pattern, flags), read)
    for pattern, flags, read in (
        (rf"(?<!\w)(?P<word>{_any(ABBREVIATIONS)})-?(?=\d)", 0, _read_joined),
        (r"https?://\S+|\b[\w.-]+@[\w-]+(?:\.[\w-]+)+", 0, _read_address),
        (r"\b[\w-]+(?:\.[\w-]+)*\.(?:vn|com|org|net)\b(?:/\S*)?", 0, _read_address),
        (
            r"\b(?P<number>\d{1,6})(?:/(?P<year>(?:19|20)\d\d))?"
            r"/(?P<symbol>[A-ZĐ][A-Za-zĐ]*\d*(?:[-–&][A-ZĐ][A-Za-zĐ]*\d*)*)(?!\w)",
            0,
            _read_document,
        ),
        (rf"(?<![\d.,/])(?:{_LANDLINE}|{_MOBILE})(?!\d)", 0, _read_phone),
        (
            r"(?<![\d.,/])(?:\+84|0)\d{1,4}(?:[ .-]?\d{3,4}){2}(?![\d/])",
            0,
            _read_phone,
        ),
        (r"(?<![\d.,/])1[89]00[ .-]?\d{2,4}[ .-]?\d{0,4}(?![\d/])", 0, _read_phone),
        (
            r"(?P<before>\b(?:gọi|số|hoặc|và|tổng đài|đường dây nóng|máy)(?: số)? )"
            r"(?P<digits>11[1-5])(?![\d.,/]?\d)(?!\s*(?:m\b|hộ|người|triệu|tỷ|km))",
            re.IGNORECASE,
            _read_digits,
        ),
        (r"(?P<before>\bthứ )(?P<day>[2-7])(?![\d.,/]?\d)", re.I, _read_weekday),
        (
            r"(?P<before>\b(?:từ |các )?ngày )(?P<first>\d{1,2})"
            r"(?:/(?P<first_month>\d{1,2}))?"
            r"(?P<link>\s*(?:đến|tới|và|,|[-–—])\s*)(?:ngày )?"
            rf"(?P<day>\d{{1,2}})/(?P<month>\d{{1,2}}){_YEAR}?(?![\d/])",
            re.IGNORECASE,
            _read_day_range,
        ),
        (
            rf"(?<![\d/])(?P<day>\d{{1,2}})[./-](?P<month>\d{{1,2}}){_YEAR}(?![\d/])",
            0,
            _read_full_date,
        ),
        (
            rf"(?P<before>\b(?:{_PLAIN_BEFORE})[,(]? ?\(?)"
            r"(?P<day>\d{1,2})/(?P<month>\d{1,2})(?![\d/])",
            re.IGNORECASE,
            _read_short_date,
        ),
        (
            rf"(?P<before>\b(?:{_MAYBE_BEFORE}) )"
            rf"(?P<day>\d{{1,2}})/(?P<month>\d{{1,2}})(?![\d/]){_COUNTED}",
            re.IGNORECASE,
            _read_short_date,
        ),
        (
            r"(?P<before>\btháng )(?P<month>\d{1,2})(?:[/-](?P<year>\d{4}))?(?![\d/])",
            re.IGNORECASE,
            _read_month,
        ),
        (
            r"(?P<before>\b(?i:quý|đợt|kỳ|lần|số|khóa) (?:[IVX]+|\d{1,4}))"
            r"/(?P<year>(?:19|20)\d\d)(?!\d)",
            0,
            _read_period_year,
        ),
        (
            r"(?<![\d.,/])(?P<hour>\d{1,2})\s?(?:[hH](?P<minute>\d{2})?(?![\w²³])['’]?)",
            0,
            _read_time,
        ),
        (
            r"(?<![\d.,/:])(?P<hour>\d{1,2})(?::|\s?giờ\s?)(?P<minute>\d{2})"
            r"(?![\d:.,/]?\d)(?:\s?(?:phút|['’]))?",
            0,
            _read_time,
        ),
        (
            rf"(?P<before>\b(?i:{_any(BEFORE_ROMAN)}) )(?P<roman>[IVX]+)\b"
            rf"(?:{_DASH}(?P<last>[IVX]+)\b)?",
            0,
            _read_roman,
        ),
        (rf"(?<=\d)\s?(?:{_DASH})\s?(?=\d)", 0, lambda _match: " đến "),
        (rf"(?<=\bgiờ){_DASH}(?=\w)", 0, lambda _match: " đến "),
        (rf"(?<=\bphút){_DASH}(?=\w)", 0, lambda _match: " đến "),
        (
            rf"(?P<number>\d)\s?(?P<unit>{_any(UNITS)})(?![\w²³])",
            0,
            _read_unit,
        ),
        (
            rf"\s?/\s?(?P<what>{_any(PER)}|{_any(PER_UNITS)})(?![\w²³])",
            0,
            _read_per,
        ),
        (
            rf"(?<![\d/])(?P<part>{_NUMBER})\s?/\s?(?P<whole>{_NUMBER})(?![/])",
            0,
            _read_fraction,
        ),
        (rf"(?<![\w.,])[-−](?P<number>{_NUMBER})", 0, _read_signed),
        (rf"{_NUMBER}", 0, _read_number),
        (rf"(?<!\w)(?:{_any(ABBREVIATIONS)})(?!\w)", 0, _read_abbreviation),
        (r"(?<!\w)[^\W\d_]{2,}(?!\w)", 0, _read_capitals),
        (r"[¹²³⁰⁴-⁹]", 0, _read_single),
        (rf"[{re.escape(''.join(MARKS))}]", 0, _read_mark),
        (r"%", 0, lambda _match: " phần trăm"),
        (r"\s*/\s*", 0, lambda _match: " "),
        (r"(?m)^\s*[-–—]\s*", 0, lambda _match: ""),
        (r"\s[-–—]+\s", 0, lambda _match: ", "),
    )
]


def _tidy(text: str) -> str:
    text = re.sub(r"\d", lambda match: f" {say_digits(match[0])} ", text)
    text = re.sub(r"[^\w\s.,;:!?…'’-]", " ", text)
    text = re.sub(r"\s*\n\s*", ". ", text.strip())
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s+([.,;:!?…])", r"\1", text)
    text = re.sub(r"([,;:])(?:\s*[,;:])+", r"\1", text)
    text = re.sub(r"[,;:]\s*([.!?…])", r"\1", text)
    text = re.sub(r"([.!?…])(?:\s*[.,;:])+", r"\1", text)
    return text.strip(" ,;")

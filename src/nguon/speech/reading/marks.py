"""The family of marks: symbols, strokes, lists, pauses and emphasis."""

import re
import unicodedata

from nguon.speech.chain import PAUSE, STRONG, WEAK
from nguon.speech.numbers import DIGITS
from nguon.speech.reading.figures import say_per
from nguon.speech.reading.rule import SYMBOL, Place, Rule, Said, any_of, rule
from nguon.speech.reading.units import PER, PER_UNITS

Match = re.Match[str]

_LONGEST_PAUSE = 10.0

MARKS: dict[str, str] = {
    "&": " và ",
    "+": " cộng ",
    "=": " bằng ",
    "@": " a còng ",
    "<": " nhỏ hơn ",
    ">": " lớn hơn ",
    "≤": " không quá ",
    "≥": " từ ",
    "±": " cộng trừ ",
    "×": " nhân ",
    "÷": " chia ",
    "→": ", đến ",
    "⇒": ", đến ",
    "➔": ", đến ",
    "~": " khoảng ",
    "≈": " khoảng ",
    "%": " phần trăm ",
    "‰": " phần nghìn ",
    "°": " độ ",
    "$": " đô la ",
    "€": " ơ rô ",
    "₫": " đồng ",
    "§": " mục ",
    "²": " bình phương ",
    "³": " khối ",
    "|": ", ",
    "(": ", ",
    ")": ", ",
    "[": ", ",
    "]": ", ",
    "{": ", ",
    "}": ", ",
    "·": " ",
    "\\": " ",
}
# Said by no newsreader: quotes, bullets, lines, and what only decorates.
_MUTE = set("“”‘’'\"«»„*_#^`•●○▪■□◦–—-·…‣∙✓✔★☆※│┃─━=.,;:!?™®©")
_ENDS = ".,;:!?…"
_BEFORE_RANGE = re.compile(
    r"(?:\d|[%°'’º²³]|(?<![^\W\d])(?:h|g|giờ|phút|mm|cm|m|km|kg|ha|độ|c|đ|đồng|triệu|tỷ|t[2-7]|cn"
    r"|(?:thứ (?:hai|ba|tư|năm|sáu|bảy|[2-7]))|chủ nhật|[ivx]+))\s?$"
)
_AFTER_RANGE = re.compile(r"\s?(?:\d|T[2-7]|CN\b|[Tt]hứ |[Cc]hủ nhật|[IVX]+\b|[+−-]\d)")


def _read_pause(match: Match, _place: Place) -> str:
    """Read [nghỉ 2s], [nghỉ]: so long silence, at most ten seconds."""
    length = float((match["length"] or "1").replace(",", "."))
    halves = max(1, round(min(length, _LONGEST_PAUSE) * 2))
    return f" {PAUSE * halves} "


def _read_dash(match: Match, place: Place) -> str | None:
    before, after = place.before, place.after(match.end())
    if not before.strip():
        return " "
    signed = re.fullmatch(r"\s+[-–−]", match[0]) and re.match(r"\d", after)
    if signed and not re.search(r"\d\s?$", before):
        # `lạnh -2°C`: the stroke belongs to the figure after it.
        return None
    spaced = match[0] != match[0].strip() or len(match[0]) > 1
    if _BEFORE_RANGE.search(before) and _AFTER_RANGE.match(after):
        return " đến "
    return ", " if spaced or re.match(r"\s|$", after) else " "


def _read_stroke(match: Match, place: Place) -> str:
    per = match["per"]
    year = match["year"]
    if year and re.search(r"\b[ivx]+$", place.before):
        return f" năm {place.whole(int(year))}"
    if year or re.match(r"\d", place.after(match.end())):
        joint = " trên " if re.search(r"[a-z³²]$", place.before) else ", "
        return joint + (place.whole(int(year)) if year else "")
    if per and re.search(r"(?:\w|%)\s?$", place.before):
        return say_per(per, place.before)
    return ", " if re.search(r"[^\W\d]{2,}\s?$", place.before) else " "


def _read_mark(match: Match, _place: Place) -> str:
    return MARKS[match[0]]


def _read_end(match: Match, _place: Place) -> str:
    return f"{match[0]} "


def _read_single(match: Match, _place: Place) -> str:
    return f" {DIGITS[unicodedata.digit(match[0])]} "


def _read_other(match: Match, _place: Place) -> Said | str:
    """Pass over what decorates; report what may have had a meaning."""
    mark = match[0]
    if mark == "\ufffd":
        return Said(" ", SYMBOL)
    kind = unicodedata.category(mark)
    if mark in _MUTE or kind in {"So", "Sk", "Cc", "Cf", "Mn", "Me", "Cn", "Co", "Cs"}:
        return " " if kind != "Mn" else ""
    if kind in {"Zs", "Zl", "Zp", "Pd", "Pc", "Pi", "Pf", "Lm"}:
        return " "
    digit = unicodedata.digit(mark, None)
    if digit is not None:
        return f" {DIGITS[digit]} "
    return Said(" ", SYMBOL)


RULES: tuple[Rule, ...] = (
    rule(
        r"\[\s*nghỉ(?:\s+(?P<length>\d{1,2}(?:[.,]\d)?)\s*(?:s|giây)?)?\s*\]",
        _read_pause,
        re.IGNORECASE,
    ),
    rule(f"[{PAUSE}]", lambda match, _place: f" {match[0]} "),
    rule(f"[{STRONG}{WEAK}]", lambda match, _place: match[0]),
    rule(r"…|\.{3,}", lambda _match, _place: "… "),
    rule(rf"[{re.escape(_ENDS)}]", _read_end),
    rule(r"\s*[-–—−]+\s*", _read_dash),
    rule(
        rf"\s*/\s*(?P<per>(?:{any_of(tuple(PER))}|{any_of(PER_UNITS)})(?![\w²³])|(?P<year>(?:19|20)\d\d)(?!\d))?",
        _read_stroke,
    ),
    rule(r"[⁰¹⁴-⁹₀-₉]", _read_single),
    rule(rf"[{re.escape(''.join(MARKS))}]", _read_mark),
    rule(r"[^\w\s]|_", _read_other),
)

"""The family of figures: numbers, signs, ranges, units, money, parts of a whole."""

import re

from nguon.speech.numbers import say_digits
from nguon.speech.reading.rule import (
    NUMBER,
    Place,
    Rule,
    Said,
    any_of,
    rule,
)
from nguon.speech.reading.units import (
    PER,
    PER_UNITS,
    SECONDS_AND_HOURS,
    THOUSAND,
    UNITS,
)
from nguon.speech.words import LETTERS

Match = re.Match[str]

# A number as written: 1.234.567 or 1 234 567 or 12,5 or 2.5 or 007.
FIGURE = (
    r"(?:\d{1,3}(?:\.\d{3})+(?![\d])|\d{1,3}(?:[ \xa0]\d{3}){2,}(?!\d)"
    r"|\d+\.\d{1,2}(?![.\d])|\d+)(?:,\d+(?!,\d))?"
)
DASH = r"(?:\s?[-–—÷~]\s?)"
_UNIT = rf"(?P<unit>{any_of(UNITS)})(?![\w²³])"
_PER = rf"\s?/\s?(?P<per>{any_of(tuple(PER))}|{any_of(PER_UNITS)})(?![\w²³])"

_ORDINALS = {"1": "nhất", "4": "tư"}
_LISTED = re.compile(
    r"\b(?:thôn|làng|tổ|khu|khu phố|ấp|bản|điều|khoản|mục|các|số|lớp|khối|đội)"
    r"(?: số)? (?:[\d, ]*)$"
)
# Numbers that are names: each digit is said, the zero too.
_NAMED = re.compile(r"\b(?:số|mã|mã số|tài khoản|hotline|biển số|stk)[:.]? $")
# What is counted after 9/9: so it is a part of a whole and no day.
COUNTED = re.compile(
    r"\s*(?:%|hộ|thôn|làng|xã|phường|tổ|người|cháu|em|trẻ|tiêu chí|chỉ tiêu|đại biểu|"
    r"học sinh|nhà|công trình|huyện|trường|cụm|loa|chi bộ|đảng viên|phiếu|sản phẩm|"
    r"nội dung|nhiệm vụ|xã viên|hội viên|đơn vị|khu|bản|ấp|điểm|tuyến|con|vụ|hồ sơ)\b"
)
_WHOLE = re.compile(
    r"\s*(?:diện tích|dân số|số|chặng|quãng|tổng|thời gian|chiều|nước|lượng|sản lượng"
    r"|khối lượng|thế giới|cả nước|bình|ly|lít|xe|bát|thìa|muỗng|viên|sào|ha)\b"
)
_ROUND = ("2", "3", "4", "5", "6", "8", "9", "10", "100", "1000")
_SCORE = re.compile(r"\b(?:tỷ số|tỉ số|thắng|thua|hòa|hoà)(?: [\w]+){0,4} $")
_SCHOOL_YEAR = re.compile(r"\b(?:năm học|niên khóa|niên vụ|vụ|mùa|mùa giải) $")


def number(written: str, place: Place, end: int) -> str:
    """Say one number where it stands; `05 hộ` is five, `số 05` is nought five."""
    counted = re.fullmatch(r"0\d", written) and re.match(
        r"\s?[^\W\d]", place.after(end)
    )
    if counted and not _NAMED.search(place.before):
        return place.whole(int(written))
    if re.fullmatch(r"\d{9,}", written):
        return ", ".join(say_digits(g) for g in re.findall(r"\d{1,3}", written))
    return place.written(written)


def say_unit(unit: str, place: Place) -> str:
    """Say a unit; `k` of fifty thousand in the words of the region."""
    return place.region.thousand if unit in THOUSAND else UNITS[unit]


def say_per(per: str, before: str) -> str:
    """Say what stands after a stroke: một năm, trên một ki lô mét vuông."""
    said = SECONDS_AND_HOURS.get(per) or PER.get(per) or UNITS.get(per, per)
    money = re.search(r"(?:đồng|đ|₫|triệu|tỷ|nghìn|ngàn|usd|la mỹ|%|trăm)\s?$", before)
    joint = "trên một" if per in PER_UNITS and not money else "một"
    return f" {joint} {said}"


def _read_quantity(match: Match, place: Place) -> Said | str | None:
    first, last = match["first"], match["last"]
    sign = _sign(match, place)
    if sign is None:
        return None
    said = number(first, place, match.end("first"))
    if last:
        link = ", " if _SCHOOL_YEAR.search(place.before) else " đến "
        if _SCORE.search(place.before) and len(first + last) <= 4:
            link = " "
        said += link + number(last, place, match.end("last"))
    said += match["scale"] or ""
    unit, per = match["unit"], match["per"]
    if unit:
        said += f" {say_unit(unit, place)}"
    if per:
        said += say_per(per, (unit or "").lower())
    doubt = NUMBER if _is_english(first) else ""
    return Said(sign + said, doubt)


def _sign(match: Match, place: Place) -> str | None:
    """Return how a sign is said; None when it is a mark of a list or a joint."""
    sign = match["sign"]
    if not sign:
        return ""
    before = place.before
    if not before.strip() and sign in "-–":
        # At the beginning of a line a stroke is a list, unless degrees follow.
        cold = (match["unit"] or "").startswith(("°", "º", "độ", "oC", "⁰", "℃", "%"))
        return "âm " if cold else ""
    if before and before[-1] not in " (:;,\xa0":
        return None
    return {"+": "cộng ", "±": "cộng trừ "}.get(sign, "âm ")


def _is_english(written: str) -> bool:
    """Say whether a comma may be a mark of thousands: 1,500."""
    return bool(re.fullmatch(r"\d{1,3},\d{3}", written)) and written[0] != "0"


def _read_list(match: Match, place: Place) -> Said | str | None:
    groups = match[0].split(",")
    if all(len(group) == 3 for group in groups[1:]) and len(groups) > 2:
        return Said(place.whole(int(match[0].replace(",", ""))), NUMBER)
    if len(groups) > 2 or _LISTED.search(place.before):
        return ", ".join(place.whole(int(group)) for group in groups)
    return None


def _read_ordinal(match: Match, place: Place) -> str | None:
    if re.search(r"\bthứ $", place.before):
        return _ORDINALS[match[0]]
    return None


def _read_part(match: Match, place: Place) -> Said | str | None:
    part, whole = match["part"], match["whole"]
    after = place.after(match.end())
    said = f"{number(part, place, 0)} trên {number(whole, place, 0)}"
    if COUNTED.match(after):
        return said
    small = part.isdigit() and whole.isdigit() and int(part) < int(whole)
    round_one = small and part[0] != "0" and whole in _ROUND
    if round_one and (int(whole) <= 5 or _WHOLE.match(after)):
        return f"{place.whole(int(part))} phần {_denominator(int(whole), place)}"
    return said


def _denominator(whole: int, place: Place) -> str:
    return "tư" if whole == 4 else place.whole(whole)


def _read_ratio(match: Match, place: Place) -> str:
    joint = " " if _SCORE.search(place.before) else " trên "
    return joint.join(number(text, place, 0) for text in match[0].split(":"))


def _read_lettered(match: Match, place: Place) -> str | None:
    """Read 14C, 5G, 10A: a number with a letter to it."""
    if match["letter"] in UNITS and not re.search(
        r"\b(?:quốc lộ|tỉnh lộ|đường|lớp|số|ql|tl|đt)[. ]?$", place.before
    ):
        return None
    return f"{place.whole(int(match['digits']))} {LETTERS[match['letter']]}"


def _read_money(match: Match, place: Place) -> str:
    unit = "ơ rô" if match["mark"] == "€" else "đô la Mỹ"
    scale = match["scale"] or ""
    return f"{place.written(match['first'])}{scale} {unit}"


_SINGLE = {
    "½": "một phần hai",
    "¼": "một phần tư",
    "¾": "ba phần tư",
    "⅓": "một phần ba",
}
_SINGLE |= {"⅔": "hai phần ba"}


def _read_single(match: Match, _place: Place) -> str:
    return f" {_SINGLE[match[0]]} "


RULES: tuple[Rule, ...] = (
    rule(
        r"(?P<mark>US\$|\$|€)\s?(?P<first>\d[\d.,]*\d|\d)"
        r"(?P<scale> (?:triệu|tỷ|nghìn))?",
        _read_money,
    ),
    rule(r"\d{1,3}(?:,\d{1,3})+(?![\d.,]*\d)", _read_list),
    rule(r"[14](?![\d.,/]?\d)", _read_ordinal),
    rule(r"(?P<digits>\d{1,4})(?P<letter>[A-ZĐ])(?![\w/])", _read_lettered),
    rule(r"\d{1,6}:\d{1,6}(?![:\d])", _read_ratio),
    rule(
        rf"(?P<part>{FIGURE})\s?/\s?(?P<whole>{FIGURE})(?!/?\d)",
        _read_part,
    ),
    rule(
        rf"(?P<sign>[-–−+±])?(?P<first>{FIGURE})(?:{DASH}(?P<last>{FIGURE})(?![-–/]\d))?"
        rf"(?P<scale>\s(?:trăm|nghìn|ngàn|vạn|triệu|tỷ|tỉ)(?=\s))?(?:\s?{_UNIT})?(?:{_PER})?",
        _read_quantity,
    ),
    rule("[½¼¾⅓⅔]", _read_single),
)

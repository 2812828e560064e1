"""The family of numbers that are dialled: telephone, hotline, emergency."""

import re

from nguon.speech.numbers import say_digits
from nguon.speech.reading.rule import Place, Rule, rule

Match = re.Match[str]

_ALONE = r"(?![\d/]|[.,]\d)"
# Eleven digits with the area, of which only Hà Nội's and Sài Gòn's are short; or ten.
_LANDLINE = (
    r"\(?(?:\+84[ .-]?|0)2(?:[48]\)?(?:[ .-]?\d){8}|[0-35-79]\d\)?(?:[ .-]?\d){7})"
)
_MOBILE = r"(?:\(?\+?84\)?[ .-]?|0)[35789]\d(?:[ .-]?\d){7}"
# A number that is dialled where a word before it says so.
_DIALLED = re.compile(
    r"(?:\b(?:gọi|gọi điện|tổng đài|đường dây nóng|hotline|đầu số|bấm|liên hệ"
    r"|điện thoại|đt|sđt|tel|nhắn tin|gửi|quay)(?: số| ngay| tới| đến| máy)*[:]? "
    r"|\b(?:1\d\d|\d{4})(?: hoặc |, | và | hay |/|-))$"
)
_EMERGENCY = re.compile(
    r"\b(?:máy|báo|cứu hộ|cứu thương|cảnh sát|cứu hỏa|cấp cứu|công an"
    r"|số)(?: số| ngay)* $"
)
_NO_CALL = re.compile(
    r"\b(?:nhà|phòng|ngõ|quyết định|kế hoạch|công văn|thông báo|nghị quyết|chỉ thị|thửa"
    r"|báo cáo|tờ|hẻm|giấy|lô|sổ) số $"
)
_COUNTED = re.compile(
    r"\s?(?:m\b|hộ|người|triệu|tỷ|tỉ|km|nghìn|đồng|kg|ha\b|tấn|cái|trường hợp|vụ"
    r"|%|lượt)"
)


def _groups(digits: str) -> list[str]:
    if len(digits) == 10:
        return [digits[:4], digits[4:7], digits[7:]]
    if len(digits) == 11:
        return [digits[:4], digits[4:7], digits[7:]]
    if len(digits) == 8 and digits.startswith(("1800", "1900")):
        return [digits[:4], digits[4:]]
    return [digits]


def _read_phone(match: Match, _place: Place) -> str:
    text = re.sub(r"\(?\+84\)?[ .-]?|(?<!\d)\(?84\)?[ .-]?(?=[35789])", "0", match[0])
    groups = re.findall(r"\d+", text)
    if len(groups) == 1:
        groups = _groups(groups[0])
    return ", ".join(say_digits(group) for group in groups)


def _read_dialled(match: Match, place: Place) -> str | None:
    before = place.before
    emergency = re.fullmatch("11[1-5]", match[0]) and _EMERGENCY.search(before)
    if _NO_CALL.search(before) or not (emergency or _DIALLED.search(before)):
        return None
    if _COUNTED.match(place.after(match.end())):
        return None
    return say_digits(match[0])


RULES: tuple[Rule, ...] = (
    rule(rf"(?:{_LANDLINE}|{_MOBILE}){_ALONE}", _read_phone),
    rule(rf"(?:\+84|0)\d{{1,4}}(?:[ .-]?\d{{3,4}}){{2}}{_ALONE}", _read_phone),
    rule(rf"1[89]00[ .-]?\d{{2,4}}(?:[ .-]?\d{{2,4}})?{_ALONE}", _read_phone),
    rule(r"(?:1\d\d|[1-9]\d{3})(?![\d%]|[.,]\d|/\d{4}|[/-][A-ZĐ])", _read_dialled),
)

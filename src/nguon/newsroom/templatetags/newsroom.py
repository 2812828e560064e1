"""The picture of a sound, and names of classes and languages."""

import re
from collections.abc import Sequence

from django import template

from nguon.newsroom import rules

register = template.Library()

STEP = 3
MIDDLE = 28
TALLEST = 26


@register.filter
def wave(peaks: Sequence[int]) -> str:
    """Return the peaks (0–100) as one SVG path of upright strokes."""
    loudest = max([*peaks, 1])
    strokes = []
    for place, peak in enumerate(peaks):
        half = max(1, round(TALLEST * peak / loudest))
        strokes.append(f"M{place * STEP + 1} {MIDDLE - half}v{2 * half}")
    return "".join(strokes)


@register.filter
def wave_width(peaks: Sequence[int]) -> int:
    """Return how wide the picture of these peaks is."""
    return max(1, len(peaks) * STEP)


@register.filter
def language_name(code: str) -> str:
    """Return a language by the name people use."""
    return rules.LANGUAGES.get(code, code)


@register.filter
def class_name(code: str) -> str:
    """Return a class by its Vietnamese name."""
    return rules.CLASSES.get(code, code)


@register.filter
def field_name(code: int) -> str:
    """Return a field by its Vietnamese name."""
    return rules.FIELDS.get(code, str(code))


_DOUBTS = {
    "letters": "Chữ viết tắt chưa có trong từ điển, máy đọc từng chữ cái",
    "foreign": "Chữ nước ngoài hoặc tên riêng, máy có thể đọc sai",
    "symbol": "Ký hiệu máy không đọc",
    "number": "Số viết theo cách không chắc chắn",
    "date": "Ngày, giờ viết theo cách không chắc chắn",
}


@register.filter
def doubt_reason(why: str) -> str:
    """Return why a token is doubtful, as people read it."""
    return _DOUBTS.get(why, why)


@register.filter
def heard(spoken: str) -> str:
    """Return a spoken text with its pauses and emphasis as people type them."""
    pauses = re.sub("‖+", lambda found: f"[nghỉ {len(found[0]) / 2:g}s]", spoken)
    return pauses.replace("‹", "*").replace("›", "*")


@register.filter
def receipt(code: str) -> str:
    """Return a receipt's code in the groups in which people read it aloud."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))

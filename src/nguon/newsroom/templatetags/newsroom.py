"""The picture of a sound, and names of classes and languages."""

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

"""What may leave as open data: which figures, in which words, under which terms.

Tables and plain functions. A commune has few officers, so a figure about people is
told for the whole province only, and not at all below `FEWEST` of them; that way no
commune's few can be had by taking one figure from another either.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from nguon.indicators import rules
from nguon.indicators.catalogue import COUNT, Indicator
from nguon.indicators.rules import Ratio

FEWEST = 5
ABOUT_PEOPLE = frozenset(
    {
        "staff",
        "staff_trained",
        "propagandists",
        "people_heard",
        "people_understood",
        "people_acted",
        "reflections",
        "reflections_in_time",
    }
)
# Why a published line has no figure.
HIDDEN, NOT_COUNTED, NOTHING = "hidden", "not_counted", "nothing"
WHY = {
    HIDDEN: "không công bố để giữ riêng tư",
    NOT_COUNTED: "chưa đếm được",
    NOTHING: "không có gì để tính",
}
CENT = Decimal("0.01")
MAX_REASON = 500
# Source: decree 194/2025/NĐ-CP on open data of state agencies.
TERMS = (
    "Dữ liệu mở của cơ quan nhà nước (Nghị định 194/2025/NĐ-CP). Ai cũng được tải về,"
    " dùng lại, sao chép, chia sẻ, kể cả để kinh doanh, không phải xin phép và không"
    " mất tiền, miễn là ghi nguồn và không làm sai lệch số liệu."
)


@dataclass(frozen=True)
class Line:
    """One figure as it is published; `missing` instead of figures where none is."""

    above: Decimal | None
    below: Decimal | None
    missing: str = ""


def make_line(one: Indicator, ratio: Ratio | None, *, is_total: bool) -> Line | None:
    """Return how a figure is published; None when a place does not tell it at all."""
    if one.code in ABOUT_PEOPLE:
        if not is_total:
            return None
        if ratio is not None and is_identifying(one, ratio):
            return Line(None, None, HIDDEN)
    if ratio is None:
        return Line(None, None, NOT_COUNTED)
    if rules.value_of(one, ratio) is None:
        return Line(None, None, NOTHING)
    scale = rules.RECIPES[one.code].scale if one.code in rules.RECIPES else 1
    above = Decimal(ratio.above) / scale
    if one.ratio == COUNT:
        # As pages show it: rounded twice it would be another figure there.
        return Line(rules.shown(above), None)
    return Line(above.quantize(CENT, ROUND_HALF_UP), Decimal(ratio.below))


def is_identifying(one: Indicator, ratio: Ratio) -> bool:
    """Say whether so few people stand behind a figure that they could be known."""
    parts = [ratio.above]
    if one.ratio != COUNT:
        parts = [ratio.above, ratio.below, ratio.below - ratio.above]
    return any(0 < part < FEWEST for part in parts)


def method_of(one: Indicator) -> str:
    """Say how a figure is made, in one line."""
    if not one.denominator:
        return f"Đếm: {one.numerator}"
    return f"{one.numerator} chia cho {one.denominator}"


def value_of(one: Indicator, line: Line) -> Decimal | None:
    """Return a published figure in its shown unit, not rounded yet, or None."""
    if line.above is None:
        return None
    if one.ratio == COUNT:
        return line.above
    if not line.below:
        return None
    factor = 100 if one.ratio == "share" else 1
    return factor * line.above / line.below

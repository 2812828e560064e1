"""How figures are written out: values, what is missing, parts of bulletins."""

from collections.abc import Mapping

from django import template

from nguon.indicators import catalogue, rules, told
from nguon.indicators.estimating import FEWEST_ANSWERS, FEWEST_FREEDOM, Estimate
from nguon.indicators.listening_queries import stratum_words
from nguon.indicators.queries import Figure
from nguon.newsroom import channels
from nguon.newsroom.rules import CLASSES, FIELDS, LANGUAGES

register = template.Library()
MISSING = {
    rules.NO_FACTS: "chưa đếm được",
    rules.NO_DAYS: "chưa đếm",
    rules.NOT_TOLD: "chưa ghi",
    rules.NOT_REPORTED: "chưa báo cáo",
    rules.NOTHING: "không có gì để tính",
    rules.NOT_ASKED: "chưa hỏi mẫu",
    rules.TOO_FEW: "chưa đủ mẫu",
}
SPLITS = {
    "field": "Lĩnh vực",
    "class": "Loại",
    "language": "Ngôn ngữ",
    "channel": "Kênh",
    "supplier": "Nguồn tin",
    "unit": "Tự soạn",
}


@register.filter
def missing_words(code: str) -> str:
    """Write why a figure has no value (`rules.why_missing`)."""
    return MISSING.get(code, "")


@register.filter
def plain_whole(value: float | None) -> float | None:
    """Return a figure as it is shown; a whole number is written without decimals."""
    if value is None:
        return None
    shown = rules.shown(value)
    return int(shown) if shown == int(shown) else float(shown)


@register.filter
def why_missing(figure: Figure) -> str:
    """Say what is needed before a figure can be counted."""
    one = figure.indicator
    if figure.missing == rules.NO_FACTS:
        return one.why_absent or f"{catalogue.SOURCES[one.source]}: chưa có số liệu."
    if figure.missing == rules.NO_DAYS:
        return "Mỗi ngày được đếm khi đã hết ngày; kỳ này chưa có ngày nào."
    if figure.missing == rules.NOT_REPORTED:
        return "Đơn vị báo cáo; chưa có báo cáo nào của các ngày này được duyệt."
    if figure.missing == rules.NOT_TOLD:
        needed = rules.RECIPES[one.code].told
        if needed is not None and needed.how == rules.TOLD:
            return told.SOURCES[needed.what].missing
        return "Đếm từ Sổ; địa bàn này chưa ghi dòng nào vào sổ."
    if figure.missing == rules.NOT_ASKED:
        return "Chưa có đợt hỏi nghe nào đã xong về quý này ở địa bàn."
    if figure.missing == rules.TOO_FEW and figure.estimate is not None:
        return few_words(figure.estimate)
    return f"Mẫu số bằng 0: không có {one.denominator}."


@register.filter
def few_words(one: Estimate) -> str:
    """Say why a sample gives no figure."""
    return (
        f"Mới có {one.answers} người trả lời ở {one.villages} thôn; cần ít nhất"
        f" {FEWEST_ANSWERS} người ở {FEWEST_FREEDOM + 1} thôn, thêm mỗi nhóm tiếng một"
        " thôn."
    )


@register.filter
def percent(share: float | None) -> float | None:
    """Return a share in percent, one decimal."""
    return None if share is None else float(rules.shown(100 * share))


@register.filter
def spread(one: Estimate) -> float:
    """Return how wide an interval is, in percent, for a drawing."""
    return round(100 * (one.high - one.low), 1)


@register.filter
def stratum_name(code: str) -> str:
    """Name a group of villages by the language of their speakers."""
    return stratum_words(code)


def part_words(
    part: str, suppliers: Mapping[int, str], units: Mapping[int, str]
) -> tuple[str, str]:
    """Return by what a part splits, and its own words."""
    kind, key = part.split(":", 1)
    words: Mapping[str, str] = {
        "field": FIELDS.get(int(key), key) if kind == "field" else key,
        "class": CLASSES.get(key, key),
        "language": LANGUAGES.get(key, key),
        "channel": channels.KINDS.get(key, key),
        "supplier": suppliers.get(int(key), key)
        if kind == "supplier" and key
        else "đơn vị tự soạn",
        "unit": units.get(int(key), key) if kind == "unit" else key,
    }
    return SPLITS[kind], str(words.get(kind, key))

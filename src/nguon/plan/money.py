"""Targets and money: what may be written, as tables and plain functions."""

from decimal import Decimal, InvalidOperation

from nguon.core.errors import InvalidError
from nguon.indicators import catalogue
from nguon.indicators.catalogue import Indicator
from nguon.registers import rules as registers
from nguon.territory.names import fold

# The purses of a plan are those a station of the register was paid from.
SOURCES = registers.SOURCES
SET_UP, UPGRADE, RUNNING, PAY, TRAINING, REST = (
    "set_up", "upgrade", "running", "pay", "training", "rest",
)  # fmt: skip
PURPOSES = {
    SET_UP: "Thiết lập mới",
    UPGRADE: "Nâng cấp",
    RUNNING: "Chi thường xuyên",
    PAY: "Thù lao",
    TRAINING: "Tập huấn",
    REST: "Việc khác",
}
FIRST_YEAR, LAST_YEAR = 2000, 2100
MOST_DONG = 10**13
TWO_PLACES = Decimal("0.01")


def read_number(text: str) -> Decimal:
    """Return a number as people here write it: 1.234,5 · 85 · 85,5 %.

    A point is a thousands mark only when it stands so (1.234); 12.5 could be meant in
    two ways and is refused. Raises InvalidError `plan.number`, `plan.negative`.
    """
    plain = text.strip().removesuffix("%").strip()
    if plain.startswith(("-", "−")) and plain[1:].strip()[:1].isdecimal():
        raise InvalidError("plan.negative", text=text[:30])
    whole, comma, rest = plain.partition(",")
    groups = whole.split(".")
    is_grouped = len(groups) == 1 or (
        1 <= len(groups[0]) <= len("123")
        and all(len(group) == len("234") for group in groups[1:])
    )
    digits = "".join(groups)
    is_number = digits.isascii() and digits.isdecimal() and is_grouped
    if comma and not (rest.isascii() and rest.isdecimal()):
        is_number = False
    if not is_number or len(digits) > len(str(MOST_DONG)):
        raise InvalidError("plan.number", text=text[:30])
    try:
        return Decimal(f"{digits}.{rest or 0}").quantize(TWO_PLACES)
    except InvalidOperation as error:
        raise InvalidError("plan.number", text=text[:30]) from error


def plain(value: Decimal) -> str:
    """Return a figure as people here write it: 85,5 or 1.234."""
    text = f"{value.normalize():,f}"
    return text.replace(",", " ").replace(".", ",").replace(" ", ".")


def read_dong(text: str) -> int:
    """Return whole đồng: 12.500.000 đồng. Raises InvalidError `plan.number`."""
    value = read_number(text.strip().removesuffix("đồng").removesuffix("đ"))
    if value != value.to_integral_value() or value > MOST_DONG:
        raise InvalidError("plan.number", text=text[:30])
    return int(value)


def read_year(text: str) -> int:
    """Return a year. Raises InvalidError `plan.year`."""
    plain = text.strip()
    is_year = plain.isascii() and plain.isdecimal() and len(plain) == len("2026")
    if not is_year or not FIRST_YEAR <= int(plain) <= LAST_YEAR:
        raise InvalidError("plan.year", text=text[:30])
    return int(plain)


def find_indicator(text: str) -> Indicator:
    """Return the indicator of a code or of its name, accents optional.

    Raises InvalidError `indicators.unknown`.
    """
    wanted = fold(text.strip())
    for one in catalogue.INDICATORS.values():
        if wanted in (one.code, fold(one.name)):
            return one
    return catalogue.find(text.strip())


def check_money(*, source: str, purpose: str, amount: int, spent: int) -> None:
    """Refuse money that cannot be so.

    Raises InvalidError `plan.money_kind`, `plan.money_range`, `plan.overspent`.
    """
    if source not in SOURCES or purpose not in PURPOSES:
        raise InvalidError("plan.money_kind")
    if not 0 < amount <= MOST_DONG or spent < 0:
        raise InvalidError("plan.money_range")
    if spent > amount:
        raise InvalidError("plan.overspent")

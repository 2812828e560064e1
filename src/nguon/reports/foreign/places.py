"""Where something is written in a form: `{{ name }}` in a text, or a cell."""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

# What nobody can fill is seen at once, on paper too.
BLANK = "…………"
MAX_NAME = 100
_PLACE = re.compile(r"\{\{([^{}]{1,200})\}\}")
_CELL = re.compile(
    r"(?P<sheet>.+)!(?P<column>[A-Z]{1,3})(?P<row>[1-9]\d{0,6})", re.ASCII
)
# XML takes no other signs below the blank.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udfff]")


@dataclass(frozen=True)
class Share:
    """A figure in a hundred: 75 stands for 75 %."""

    hundredths: Decimal


Value = Decimal | Share | str


def plain(value: Value) -> str:
    """Return a value as it is read inside a sentence: 1.234,5."""
    if isinstance(value, str):
        return value
    number = value.hundredths if isinstance(value, Share) else value
    text = f"{number:,.2f}".rstrip("0").rstrip(".")
    return text.translate(str.maketrans(",.", ".,"))


def clean(name: str) -> str:
    """Return a placeholder's name as it is compared: composed, single blanks."""
    return " ".join(unicodedata.normalize("NFC", name).split())[:MAX_NAME]


def spans(text: str) -> list[tuple[str, int, int]]:
    """Return each placeholder of a text with where it begins and ends."""
    return [
        (clean(one[1]), one.start(), one.end())
        for one in _PLACE.finditer(text)
        if clean(one[1])
    ]


def find(text: str) -> list[str]:
    """Return the names of the placeholders in a text."""
    return [name for name, _begin, _end in spans(text)]


def cell_of(place: str) -> tuple[str, str, int] | None:
    """Return sheet, column and row of a place that is a cell: `Biểu 1!C7`."""
    found = _CELL.fullmatch(place)
    if found is None:
        return None
    return found["sheet"], found["column"], int(found["row"])


def harmless(text: str) -> str:
    """Return a text that XML can hold, in one line."""
    return " ".join(_CONTROLS.sub("", text).split())

"""What a rule is: a pattern that begins here, and how to say what it finds."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from nguon.speech.numbers import NORTH, Region, say_whole, say_written

# Why a token is doubtful; the preview has a sentence for each.
LETTERS, FOREIGN, SYMBOL, NUMBER, DATE = (
    "letters",
    "foreign",
    "symbol",
    "number",
    "date",
)
DOUBTS = (LETTERS, FOREIGN, SYMBOL, NUMBER, DATE)
_BEFORE = 48


@dataclass(frozen=True)
class Place:
    """Where a rule stands in the written text."""

    text: str
    start: int
    region: Region = NORTH

    @property
    def before(self) -> str:
        """Return what stands before on the same line, in small letters."""
        piece = self.text[max(0, self.start - _BEFORE) : self.start]
        return piece.rpartition("\n")[2].lower()

    def after(self, end: int, length: int = 40) -> str:
        """Return what stands after `end` on the same line."""
        return self.text[end : end + length].partition("\n")[0]

    def whole(self, number: int) -> str:
        """Say a whole number in the words of this region."""
        return say_whole(number, self.region)

    def written(self, number: str) -> str:
        """Say a number as written in the words of this region."""
        return say_written(number, self.region)


@dataclass(frozen=True)
class Said:
    """What a rule says, and why a person should look at it, if so."""

    text: str
    doubt: str = ""


Reader = Callable[["re.Match[str]", Place], "Said | str | None"]


@dataclass(frozen=True)
class Rule:
    """A pattern and its reader; None from the reader leaves it to the next rule."""

    pattern: re.Pattern[str]
    read: Reader


def rule(pattern: str, read: Reader, flags: int = 0) -> Rule:
    """Make a rule."""
    return Rule(re.compile(pattern, flags), read)


def any_of(words: "tuple[str, ...] | dict[str, str]") -> str:
    """Return a pattern for any of these words, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))

"""The words and limits of the listening sample, and what an answer may be.

Four questions: heard? understood? in which language? acted on it? Nobody who is asked
is named anywhere: no name, phone, house or age is taken. Plain functions; no
database, no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from nguon.core.errors import InvalidError
from nguon.indicators import rules, sampling
from nguon.newsroom.rules import LANGUAGES

# No speaker that tells its language stands in the village.
UNKNOWN_LANGUAGE = ""
OTHER_LANGUAGE = "khac"
HEARD_IN: Mapping[str, str] = {**LANGUAGES, OTHER_LANGUAGE: "Tiếng khác"}
YES, NO = "co", "khong"

# Of a village: rows that may come in for each person who is asked, unmet ones too.
ROWS_FOR_ONE = 3
LONGEST_DAYS = 62
MOST_SEED = 2**53 - 1

HEARD, UNDERSTOOD, ACTED = "people_heard", "people_understood", "people_acted"


@dataclass(frozen=True)
class Told:
    """What one household told; who was not met told nothing else."""

    is_met: bool
    is_heard: bool | None = None
    is_understood: bool | None = None
    is_acted: bool | None = None
    language: str = ""

    def check(self) -> None:
        """Refuse an answer that does not fit together.

        Raises InvalidError `indicators.listening_incomplete`.
        """
        after = (self.is_understood, self.is_acted)
        if self.is_met and self.is_heard:
            fits = None not in after and self.language in HEARD_IN
        else:
            fits = after == (None, None) and not self.language
            fits = fits and self.is_met == (self.is_heard is not None)
        if not fits:
            raise InvalidError("indicators.listening_incomplete")


def read(sent: Mapping[str, str]) -> Told:
    """Return an answer as it was sent; what follows a no is left out.

    Raises InvalidError `indicators.listening_incomplete`.
    """
    is_met = _yes(sent, "met")
    is_heard = _yes(sent, "heard") if is_met else None
    if not is_heard:
        return Told(bool(is_met), is_heard)
    return Told(
        is_met=True,
        is_heard=True,
        is_understood=_yes(sent, "understood"),
        is_acted=_yes(sent, "acted"),
        language=sent.get("language", ""),
    )


def _yes(sent: Mapping[str, str], name: str) -> bool:
    word = sent.get(name, "")
    if word not in {YES, NO}:
        raise InvalidError("indicators.listening_incomplete")
    return word == YES


def quarter_of(day: date) -> tuple[int, int]:
    """Return year and quarter (1 to 4) of a day."""
    return day.year, (day.month - 1) // 3 + 1


def quarter_days(year: int, quarter: int) -> rules.Period:
    """Return the days of a quarter."""
    return rules.months(year, 3 * quarter - 2, 3)


def check_days(year: int, quarter: int, first: date, last: date) -> None:
    """Refuse days on which a quarter cannot be asked about.

    From its first day until 31 days after it, at most `LONGEST_DAYS` long. Raises
    InvalidError `indicators.listening_days`.
    """
    if quarter not in {1, 2, 3, 4} or not 2000 <= year <= 2100:
        raise InvalidError("indicators.listening_quarter")
    days = quarter_days(year, quarter)
    latest = days.after + timedelta(days=31)
    length = (last - first).days + 1
    if not (days.first <= first and last < latest and 1 <= length <= LONGEST_DAYS):
        raise InvalidError(
            "indicators.listening_days",
            first=f"{days.first:%d/%m/%Y}",
            last=f"{latest - timedelta(days=1):%d/%m/%Y}",
            most=LONGEST_DAYS,
        )


def check_wish(margin: int, confidence: int, seed: int) -> None:
    """Refuse a plan that is not offered. InvalidError `indicators.listening_wish`."""
    known = margin in sampling.MARGINS and confidence in sampling.CONFIDENCES
    if not known or not 0 <= seed <= MOST_SEED:
        raise InvalidError("indicators.listening_wish")

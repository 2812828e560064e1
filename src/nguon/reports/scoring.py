"""How units are compared: who stands where, and how a score is made of figures.

Tables and plain functions; no database, no clock. What nobody could count is left
out and said so, it is never 0.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from nguon.core.errors import InvalidError
from nguon.indicators import catalogue
from nguon.indicators.catalogue import Indicator
from nguon.indicators.rules import RECIPES


def rank(values: Mapping[int, float | None], *, less: bool = False) -> dict[int, int]:
    """Return the rank of each key that has a value, 1 for the best.

    Equals share a rank and the next one is left out: 1, 2, 2, 4.
    """
    known = sorted(
        (value for value in values.values() if value is not None), reverse=not less
    )
    return {
        key: known.index(value) + 1
        for key, value in values.items()
        if value is not None
    }


def list_steps(values: Sequence[float], ratio: str, *, count: int = 5) -> list[float]:
    """Return the lowest values of the classes above the first, for a coloured map.

    Shares are cut at 20, 40, 60, 80 %, so that maps of two months look alike; other
    figures among the different ones, so that many equals take no class from the rest.
    0 is a class of its own.
    """
    if ratio == catalogue.SHARE:
        return [100 * n / count for n in range(1, count)]
    known = sorted({value for value in values if value})
    if not known:
        return []
    has_zero = 0 in values
    classes = count - has_zero
    cuts = {known[len(known) * n // classes] for n in range(1, classes)}
    return sorted(cuts | {known[0]} if has_zero else cuts - {known[0]})


# --- the score ----------------------------------------------------------------------

DRAFT, PUBLISHED = "draft", "published"
STATES = {DRAFT: "Đang soạn", PUBLISHED: "Đã ban hành"}
FULL, LEAST_COVERED = 100, 60
FULL_MOST = Decimal(10) ** 12
CENT = Decimal("0.01")


@dataclass(frozen=True)
class LineWords:
    """What one line of a score sheet says, as a person wrote it."""

    indicator: str
    weight: int
    full_at: Decimal | None = None


def check_line(code: str, weight: int, full_at: Decimal | None) -> Indicator:
    """Refuse a line that cannot score; return its indicator.

    Raises InvalidError `indicators.unknown`, `reports.not_countable`,
    `reports.weight`, `reports.full_at`, `indicators.value_range`.
    """
    one = catalogue.find(code)
    if code not in RECIPES and one.source != catalogue.REPORTED:
        raise InvalidError("reports.not_countable", name=one.name)
    if not 1 <= weight <= FULL:
        raise InvalidError("reports.weight", full=FULL)
    if full_at is not None:
        if not 0 < full_at <= FULL_MOST:
            raise InvalidError("reports.full_at")
        one.check_value(float(full_at))
    return one


def check_whole(weights: Iterable[int]) -> None:
    """Refuse weights that are not 100 together. Raises InvalidError."""
    total = sum(weights)
    if total != FULL:
        raise InvalidError("reports.weights_sum", total=total, full=FULL)


def share_of(value: float, target: float, *, less: bool) -> float:
    """Return how much of a target is reached, from 0 to 1; more than it gives no more.

    Where less is better, a figure at or under the target reaches all of it, and twice
    the target half of it.
    """
    if less:
        return 1.0 if value <= target else target / value
    return 1.0 if value >= target else value / target


@dataclass(frozen=True)
class Part:
    """One line of a unit's score; `missing` says why it could not be assessed."""

    indicator: Indicator
    weight: int
    value: float | None
    target: float | None
    missing: str = ""

    @property
    def share(self) -> float | None:
        """How much of the target is reached, or None: not assessed, which is not 0."""
        if self.value is None or self.target is None:
            return None
        less = self.indicator.less_is_better
        return share_of(self.value, self.target, less=less)

    @property
    def points(self) -> float | None:
        """What it gives, out of its weight."""
        return None if self.share is None else self.weight * self.share


@dataclass(frozen=True)
class Score:
    """What one unit comes to: points out of 100 over what could be assessed."""

    parts: Sequence[Part]

    @property
    def covered(self) -> int:
        """How much of the weights could be assessed."""
        return sum(part.weight for part in self.parts if part.share is not None)

    @property
    def points(self) -> Decimal | None:
        """The score out of 100, or None when nothing could be assessed."""
        if not self.covered:
            return None
        got = sum(part.points for part in self.parts if part.points is not None)
        return Decimal(FULL * got / self.covered).quantize(CENT, ROUND_HALF_UP)


def rank_scores(scores: Mapping[int, Score], *, least: int) -> dict[int, int]:
    """Return the rank of each unit of which at least `least` % could be assessed."""
    values = {
        key: None
        if score.points is None or score.covered < least
        else float(score.points)
        for key, score in scores.items()
    }
    return rank(values)

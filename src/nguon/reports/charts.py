"""What a person looks at instead of reading: a figure over months, communes in colour.

Drawn on the server as SVG on the communes' own outlines; no foreign tiles, no script.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from nguon.indicators import rules as figures
from nguon.indicators.catalogue import SHARE
from nguon.reports import rules, scoring
from nguon.territory import boundaries

WIDTH, HEIGHT, PAD = 132.0, 44.0, 4.0
FULL_SHARE = 100.0


def write(value: float | Decimal | None) -> str:
    """Write a figure as people here do: 47,8; from a thousand on whole: 1.234."""
    if value is None:
        return rules.plain(None)
    return rules.plain(figures.shown(value))


@dataclass(frozen=True)
class Trend:
    """A figure month by month: lines between neighbours, a dot for each month.

    `target_y` is where the target stands; a month that nobody counted has no dot.
    """

    lines: Sequence[str]
    dots: Sequence[tuple[float, float]]
    target_y: float | None
    words: str


def draw_trend(
    values: Sequence[float | None], ratio: str, target: float | None
) -> Trend:
    """Return the drawing of the values of months in their order; the last is now."""
    known = [value for value in values if value is not None]
    top = FULL_SHARE if ratio == SHARE else max([*known, target or 0.0, 0.0])
    step = (WIDTH - 2 * PAD) / max(1, len(values) - 1)

    def place(number: int, value: float) -> tuple[float, float]:
        height = (HEIGHT - 2 * PAD) * (value / top if top else 0.0)
        return round(PAD + number * step, 1), round(HEIGHT - PAD - height, 1)

    runs: list[list[tuple[float, float]]] = [[]]
    for number, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(place(number, value))
    lines = [" ".join(f"{x},{y}" for x, y in run) for run in runs if len(run) > 1]
    return Trend(
        lines=lines,
        dots=[dot for run in runs for dot in run],
        target_y=None if target is None or not top else place(0, target)[1],
        words=_words(values, known),
    )


def _words(values: Sequence[float | None], known: Sequence[float]) -> str:
    if not known:
        return f"{len(values)} tháng chưa đếm được"
    told = (
        f"{len(values)} tháng gần nhất: thấp nhất {write(min(known))},"
        f" cao nhất {write(max(known))}"
    )
    missing = len(values) - len(known)
    return f"{told}; {missing} tháng chưa đếm được" if missing else told


@dataclass(frozen=True)
class Scale:
    """The classes of a coloured map: from `steps[n - 1]` up to `steps[n]`.

    `first` says in words what the lowest class is; empty when there is no figure.
    """

    steps: Sequence[float]
    unit: str
    first: str

    def level(self, value: float) -> int:
        """Return the class of a value, 0 for the lowest."""
        return bisect_right(self.steps, value)

    @property
    def legend(self) -> list[tuple[int, str]]:
        """What each class means, from the lowest on."""
        told = [write(step) for step in self.steps]
        words = [self.first] if self.first else []
        words += [f"{low} – dưới {high}" for low, high in pairwise(told)]
        words += [f"từ {top}" for top in told[-1:]]
        return list(enumerate(words))


def make_scale(values: Sequence[float], ratio: str, unit: str) -> Scale:
    """Return the classes for the values of a map."""
    steps = scoring.list_steps(values, ratio)
    if steps and (ratio == SHARE or 0 not in values):
        return Scale(steps, unit, f"dưới {write(steps[0])}")
    # Zeros, or equals: the lowest class is one figure.
    return Scale(steps, unit, write(min(values)) if values else "")


def view_box() -> str:
    """Return the whole map of the province."""
    drawn = boundaries.draw()
    return f"-8 -8 {drawn.width + 16:.0f} {drawn.height + 16:.0f}"


def has_outline(code: str) -> bool:
    """Say whether a commune of today can be drawn."""
    return boundaries.box(code) is not None

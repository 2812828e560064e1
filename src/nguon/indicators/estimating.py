"""What the answers of a listening sample say of all people, and how surely.

A share is a ratio of weighted sums. Its variance is the cluster-linearised one: what
varies is the total of a village, within its stratum. The interval is Wilson's with
the effective number of answers and the degrees of freedom of the villages, which
holds for few villages and for shares near 0 and 1. No correction for a large part of
the villages: the interval is rather too wide than too narrow.

Sources: Särndal, Swensson, Wretman, Model Assisted Survey Sampling, 1992, § 5.5 and
§ 4.5 (linearised ratio, villages as if drawn with replacement); Wilson, JASA 22
(1927) 209; Korn, Graubard, Survey Methodology 24 (1998) 193 (effective size, degrees
of freedom); Wolter, Introduction to Variance Estimation, 2007, § 2.5 (strata with one
village are put together); Abramowitz, Stegun, 26.7.3 and 26.7.4 (Student's t).

Plain functions; no database, no clock.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

# Below this a share is not told at all, whatever the interval.
FEWEST_ANSWERS = 30
FEWEST_FREEDOM = 4


@dataclass(frozen=True)
class Cluster:
    """One drawn village: `answers` came back, `asked` count below, `yes` above.

    `weight` is how much of the ground it stands for (people, or villages).
    """

    stratum: str
    weight: float
    answers: int
    asked: int
    yes: int


@dataclass(frozen=True)
class Estimate:
    """A share in [0, 1] with its interval, or none when too few have answered.

    `effect` is the design effect that was found, `freedom` its degrees of freedom.
    """

    answers: int
    villages: int
    share: float | None = None
    low: float = 0.0
    high: float = 1.0
    effect: float = 1.0
    freedom: int = 0

    @property
    def is_enough(self) -> bool:
        """Say whether there is a figure at all."""
        return self.share is not None

    @property
    def margin(self) -> float:
        """The larger side of the interval, in [0, 1]."""
        share = self.share or 0.0
        return max(share - self.low, self.high - share)


def weigh(*, hits: int, stratum_size: int, stratum_hits: int) -> float:
    """Return how much of its stratum a village stands for.

    `stratum_hits` are the draws of those villages of the stratum that have answered:
    who is missing is stood for by the others of the stratum.
    """
    return stratum_size * hits / stratum_hits


def estimate(
    clusters: Iterable[Cluster], *, confidence: int, effect: float
) -> Estimate:
    """Return the share of yes, with its interval at a confidence in percent.

    `effect` is the design effect stated in advance; it holds where the answers do not
    tell one (all say the same).
    """
    told = [one for one in clusters if one.answers]
    answers = sum(one.asked for one in told)
    has = [one for one in told if one.asked]
    freedom = len(has) - len({one.stratum for one in has})
    if answers < FEWEST_ANSWERS or freedom < FEWEST_FREEDOM:
        return Estimate(answers, len(has))
    each = [one.weight / one.answers for one in told]
    below = sum(w * one.asked for w, one in zip(each, told, strict=True))
    above = sum(w * one.yes for w, one in zip(each, told, strict=True))
    share = min(1.0, above / below)
    parts = [
        w * (one.yes - share * one.asked) / below
        for w, one in zip(each, told, strict=True)
    ]
    variance = _between(_put_together([one.stratum for one in told]), parts)
    found = effect
    if variance > 0 and 0 < share < 1:
        # A sample by villages that is better than one by names is not believed.
        found = max(1.0, variance * answers / (share * (1 - share)))
    z = NormalDist().inv_cdf(0.5 + confidence / 200)
    size = answers / found * (z / student(freedom, confidence)) ** 2
    low, high = wilson(share, size, z)
    return Estimate(answers, len(has), share, low, high, found, freedom)


def _put_together(strata: Sequence[str]) -> list[str]:
    """Return strata where none has one village alone: those are one stratum.

    If only one stands alone it joins the largest.
    """
    counts = Counter(strata)
    alone = {key for key, n in counts.items() if n == 1}
    others = sorted(counts.keys() - alone, key=lambda key: (-counts[key], key))
    target = others[0] if len(alone) == 1 and others else "+"
    return [target if key in alone else key for key in strata]


def _between(strata: Sequence[str], parts: Sequence[float]) -> float:
    """Return the variance of a sum of villages' parts within strata."""
    groups: Mapping[str, list[float]] = defaultdict(list)
    for key, part in zip(strata, parts, strict=True):
        groups[key].append(part)
    found = 0.0
    for members in groups.values():
        n = len(members)
        mean = sum(members) / n
        if n > 1:
            found += n / (n - 1) * sum((one - mean) ** 2 for one in members)
    return found


def wilson(share: float, size: float, z: float) -> tuple[float, float]:
    """Return Wilson's interval of a share among `size` (effective) answers."""
    z2 = z * z
    middle = (share + z2 / (2 * size)) / (1 + z2 / size)
    half = (
        z
        / (1 + z2 / size)
        * math.sqrt(share * (1 - share) / size + z2 / (4 * size * size))
    )
    return max(0.0, middle - half), min(1.0, middle + half)


def student(freedom: int, confidence: int) -> float:
    """Return the two-sided quantile of Student's t at a confidence in percent."""
    low, high = 0.0, 1_000.0
    for _step in range(60):
        middle = (low + high) / 2
        if _within(middle, freedom) < confidence / 100:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _within(t: float, freedom: int) -> float:
    """Return the chance that |T| is at most t: a finite sum for whole degrees."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine = math.cos(angle)
    is_odd = freedom % 2 == 1
    term = cosine if is_odd else 1.0
    total = 0.0 if freedom == 1 else term
    for k in range(3 if is_odd else 2, freedom - 1, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    if is_odd:
        return 2 / math.pi * (angle + math.sin(angle) * total)
    return math.sin(angle) * total

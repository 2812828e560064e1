"""The listening sample: how many people are asked, in which villages, in which houses.

Two stages. Villages are drawn within strata (the local language that their speakers
play) by systematic sampling with probability proportional to size, in the order of
the communes, so that the sample is spread over them; then households are taken at
equal steps within a village, one adult in each. Where the people of even one village
are not known every village counts the same, and the round says so.

Each draw asks the same number of people, so within a stratum everybody has the same
chance. All chance comes from one seed: whoever has it draws the same sample again.
Plain functions; no database, no clock.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from statistics import NormalDist

# Most uncertain: half say yes.
WORST_SHARE = 0.5
# How alike answers of one village are (intraclass correlation), stated in advance.
# Source: Kish, Survey Sampling, 1965, § 5.4: deff = 1 + (b - 1) roh.
ALIKE = 0.05
# So many of a hundred whom nobody meets, or who do not want to answer.
UNMET = 0.1
MARGINS = (3, 5, 8, 10)
CONFIDENCES = (90, 95, 99)
# People asked at one draw of a village.
TAKE = 10
# A stratum with two draws tells how much villages differ.
FEWEST_DRAWS = 2
START_PARTS = 1_000


@dataclass(frozen=True)
class Village:
    """A village that may be drawn; `size` is its people, or 1 when all count alike.

    `order` is its place in the list, so that neighbours stand together.
    """

    code: str
    stratum: str
    size: int
    order: str


@dataclass(frozen=True)
class Draw:
    """A village that was drawn: `hits` times, to ask `ask` people.

    `stratum_size` is the size of its whole stratum; asking begins `start` thousandths
    of a step into the list of households.
    """

    village: Village
    hits: int
    ask: int
    stratum_size: int
    start: int


def design_effect(take: int = TAKE) -> float:
    """Return how much more a sample by villages needs than one by names."""
    return 1 + (take - 1) * ALIKE


def need(*, margin: int, confidence: int, effect: float, people: int | None) -> int:
    """Return how many answers a margin (percentage points) needs at a confidence.

    n0 = z² p (1 - p) / e² with p = 1/2, less for a small ground by the finite
    population correction n0 / (1 + (n0 - 1) / N), times the design effect; never more
    than there are people. Unknown people are as good as endless.
    Source: Cochran, Sampling Techniques, 3rd ed. 1977, § 4.4; Kish 1965, § 5.4.
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 200)
    plain = z * z * WORST_SHARE * (1 - WORST_SHARE) / (margin / 100) ** 2
    if people is None:
        return math.ceil(plain * effect)
    corrected = plain / (1 + (plain - 1) / people)
    return min(people, math.ceil(corrected * effect))


def to_ask(needed: int) -> int:
    """Return how many people to ask, so that enough answer."""
    return math.ceil(needed / (1 - UNMET))


def draw(villages: Iterable[Village], *, ask: int, take: int, seed: int) -> list[Draw]:
    """Return the villages of the sample, in the order of the list.

    Draws are shared out by the size of strata, at least `FEWEST_DRAWS` each; a
    village that is large against the step is hit several times and asks as many more.
    """
    listed = sorted(villages, key=lambda one: (one.stratum, one.order, one.code))
    total = sum(one.size for one in listed)
    found: list[Draw] = []
    for stratum, members in groupby(listed, key=lambda one: one.stratum):
        kept = list(members)
        share = sum(one.size for one in kept) / total
        draws = max(FEWEST_DRAWS, math.ceil(ask / take * share))
        found += _systematic(kept, stratum, draws=draws, take=take, seed=seed)
    return sorted(found, key=lambda one: (one.village.order, one.village.code))


def _systematic(
    villages: Sequence[Village], stratum: str, *, draws: int, take: int, seed: int
) -> Iterable[Draw]:
    """Yield the villages that equal steps through the added up sizes hit."""
    total = sum(one.size for one in villages)
    start = chance(seed, "tang", stratum)
    reached = passed = 0
    for one in villages:
        reached += one.size
        # Steps lie at (k + start) * total / draws: so many of them are passed by now.
        now = math.ceil(reached * draws / total - start)
        hits, passed = now - passed, now
        if hits:
            yield Draw(
                village=one,
                hits=hits,
                ask=hits * take,
                stratum_size=total,
                start=int(chance(seed, "nha", one.code) * START_PARTS),
            )


def chance(seed: int, *what: str) -> float:
    """Return a number in [0, 1) that the seed and the words alone decide.

    The first 52 bits of SHA-256: anybody can check a draw by hand.
    """
    told = "/".join((str(seed), *what)).encode()
    return (int.from_bytes(sha256(told).digest()[:8]) >> 12) / 2**52


def list_households(*, households: int, ask: int, start: int) -> list[int]:
    """Return which households of a village's list to go to, by number from 1.

    Equal steps from a drawn beginning; a village with fewer households is asked whole.
    """
    if households <= ask:
        return list(range(1, households + 1))
    step = households / ask
    return [int(step * (n + start / START_PARTS)) + 1 for n in range(ask)]

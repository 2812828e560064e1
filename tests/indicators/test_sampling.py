"""The sample is drawn fairly and again from its seed; the figures hold what they say.

Coverage and bias are measured on a made-up province whose truth is known.
"""

import math
import random
from collections import Counter, defaultdict
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nguon.indicators import estimating, sampling
from nguon.indicators.estimating import Cluster, Estimate
from nguon.indicators.sampling import Draw, Village

# --- how many ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("margin", "confidence", "people", "needed"),
    [
        # Without clusters 385, 97, 1068 and 664: Cochran's textbook figures.
        (5, 95, None, 385), (10, 95, None, 97), (3, 95, None, 1068),
        (5, 99, None, 664), (5, 90, None, 271),
        # The finite population correction: 385 of 1,000 people are 278.
        (5, 95, 1_000, 278), (5, 95, 100, 80),
    ],
)  # fmt: skip
def test_as_many_are_needed_as_the_textbook_says(
    margin: int, confidence: int, people: int | None, needed: int
) -> None:
    assert (
        sampling.need(margin=margin, confidence=confidence, effect=1.0, people=people)
        == needed
    )


@given(
    st.sampled_from(sampling.MARGINS),
    st.sampled_from(sampling.CONFIDENCES),
    st.integers(1, 3_000_000),
)
def test_nobody_is_asked_twice_and_a_larger_ground_needs_no_fewer(
    margin: int, confidence: int, people: int
) -> None:
    def needed(n: int | None) -> int:
        return sampling.need(
            margin=margin,
            confidence=confidence,
            effect=sampling.design_effect(),
            people=n,
        )

    assert 1 <= needed(people) <= people
    found = needed(people), needed(people + 1_000), needed(None)
    assert list(found) == sorted(found)


# --- who ---------------------------------------------------------------------------

villages = st.lists(
    st.builds(
        Village,
        code=st.text("abc0123", min_size=1, max_size=6),
        stratum=st.sampled_from(["", "vi", "jra"]),
        size=st.integers(1, 2_000),
        order=st.text("abc", max_size=2),
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda one: one.code,
)


@given(villages, st.integers(1, 800), st.integers(0, 2**53 - 1))
def test_a_draw_comes_again_from_its_seed_and_reaches_every_stratum(
    every: list[Village], ask: int, seed: int
) -> None:
    drawn = sampling.draw(every, ask=ask, take=10, seed=seed)

    again = sampling.draw(reversed(every), ask=ask, take=10, seed=seed)
    assert drawn == again
    assert len({one.village.code for one in drawn}) == len(drawn)
    assert sum(one.ask for one in drawn) >= ask
    hits = Counter[str]()
    for one in drawn:
        hits[one.village.stratum] += one.hits
        assert one.ask == 10 * one.hits
        assert 0 <= one.start < sampling.START_PARTS
    assert set(hits) == {one.stratum for one in every}
    assert min(hits.values()) >= sampling.FEWEST_DRAWS


def test_every_village_is_hit_as_often_as_its_size_says() -> None:
    every = [Village(f"L{n}", "vi", size, f"{n:03}") for n, size in enumerate(SIZES)]
    total, rounds = sum(SIZES), 2_000
    hits: Counter[str] = Counter()
    for seed in range(rounds):
        for one in sampling.draw(every, ask=100, take=10, seed=seed):
            hits[one.village.code] += one.hits

    for one in every:
        expected = rounds * 10 * one.size / total
        assert hits[one.code] == pytest.approx(expected, abs=4 * math.sqrt(expected))


SIZES = [60, 90, 120, 150, 200, 250, 300, 400, 500, 630]


@given(st.integers(0, 5_000), st.integers(1, 90), st.integers(0, 999))
def test_households_are_different_and_of_the_village(
    households: int, ask: int, start: int
) -> None:
    found = sampling.list_households(households=households, ask=ask, start=start)

    assert len(found) == len(set(found)) == min(households, ask)
    assert all(1 <= one <= households for one in found)


def test_every_household_has_the_same_chance() -> None:
    times = Counter(
        one
        for start in range(sampling.START_PARTS)
        for one in sampling.list_households(households=37, ask=10, start=start)
    )

    assert set(times) == set(range(1, 38))
    assert all(n == pytest.approx(10_000 / 37, rel=0.05) for n in times.values())


# --- how surely --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("freedom", "confidence", "quantile"),
    [
        (1, 95, 12.706), (2, 95, 4.303), (4, 95, 2.776), (5, 90, 2.015),
        (10, 99, 3.169), (30, 95, 2.042), (120, 95, 1.980),
    ],
)  # fmt: skip
def test_students_quantiles_are_those_of_the_tables(
    freedom: int, confidence: int, quantile: float
) -> None:
    assert estimating.student(freedom, confidence) == pytest.approx(quantile, abs=5e-4)


def test_wilsons_interval_is_that_of_the_textbook() -> None:
    # 5 of 50: Newcombe, Statistics in Medicine 17 (1998) 857, method 3.
    low, high = estimating.wilson(0.1, 50, 1.959964)

    assert (round(low, 4), round(high, 4)) == (0.0435, 0.2136)


@given(st.floats(0, 1), st.floats(1, 1e6))
def test_an_interval_holds_its_share_and_lies_between_0_and_1(
    share: float, size: float
) -> None:
    low, high = estimating.wilson(share, size, 1.96)

    assert 0 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1


def test_too_few_answers_or_villages_give_no_figure_at_all() -> None:
    few = [Cluster("vi", 100.0, 5, 5, 3) for _n in range(5)]
    one_place = [Cluster("vi", 100.0, 40, 40, 30) for _n in range(4)]
    enough = [Cluster("vi", 100.0, 10, 10, 8) for _n in range(5)]

    for clusters in ([], few, one_place):
        found = estimating.estimate(clusters, confidence=95, effect=1.45)
        assert found.share is None
        assert not found.is_enough
    assert estimating.estimate(enough, confidence=95, effect=1.45).share == 0.8


def test_a_share_is_weighted_by_people_not_by_answers() -> None:
    large = [Cluster("vi", 900.0, 10, 10, 10) for _n in range(5)]
    small = [Cluster("jra", 100.0, 10, 10, 0) for _n in range(5)]

    found = estimating.estimate([*large, *small], confidence=95, effect=1.45)

    assert found.share == pytest.approx(0.9)


def test_who_is_missing_is_stood_for_by_the_others_of_the_stratum() -> None:
    stands = estimating.weigh(hits=1, stratum_size=1_000, stratum_hits=4)

    assert 4 * stands == 1_000


class World:
    """A province of 160 villages whose people's answers are known."""

    def __init__(self, share: float) -> None:
        draw = random.Random(20261126)
        self.villages = [
            Village(f"L{n}", "jra" if n % 3 == 0 else "vi", draw.randint(120, 900), "")
            for n in range(160)
        ]
        # Correlation within a village is 1 / (alike + 1) = 0.05, as was stated.
        alike = 1 / sampling.ALIKE - 1
        self.shares = {}
        for one in self.villages:
            middle = share - 0.1 if one.stratum == "jra" else share
            self.shares[one.code] = draw.betavariate(
                middle * alike, (1 - middle) * alike
            )
        total = sum(one.size for one in self.villages)
        self.truth = (
            sum(one.size * self.shares[one.code] for one in self.villages) / total
        )

    def ask(self, drawn: Sequence[Draw], chance: random.Random) -> Estimate:
        """Ask a drawn sample: one in ten is not met, one village in 20 silent."""
        met = {
            one.village.code: sum(chance.random() < 0.9 for _n in range(one.ask))
            for one in drawn
            if chance.random() < 0.95
        }
        hits: Counter[str] = Counter()
        for one in drawn:
            hits[one.village.stratum] += one.hits if met.get(one.village.code) else 0
        clusters = []
        for one in drawn:
            n = met.get(one.village.code, 0)
            if not n:
                continue
            share = self.shares[one.village.code]
            clusters.append(
                Cluster(
                    one.village.stratum,
                    estimating.weigh(
                        hits=one.hits,
                        stratum_size=one.stratum_size,
                        stratum_hits=hits[one.village.stratum],
                    ),
                    n,
                    n,
                    sum(chance.random() < share for _n in range(n)),
                )
            )
        effect = sampling.design_effect()
        return estimating.estimate(clusters, confidence=95, effect=effect)


@pytest.mark.parametrize("share", [0.6, 0.93])
def test_the_interval_holds_the_truth_95_times_of_100_and_the_share_is_unbiased(
    share: float,
) -> None:
    world, rounds = World(share), 400
    found = []
    for seed in range(rounds):
        drawn = sampling.draw(world.villages, ask=240, take=sampling.TAKE, seed=seed)
        found.append(world.ask(drawn, random.Random(seed)))

    shares = [one.share for one in found if one.share is not None]
    held = sum(one.low <= world.truth <= one.high for one in found)
    mean = sum(shares) / rounds
    spread = math.sqrt(sum((one - mean) ** 2 for one in shares) / (rounds - 1))
    assert len(shares) == rounds
    assert abs(mean - world.truth) < 3 * spread / math.sqrt(rounds)
    # 95 % less three standard errors of 400 trials; not far too wide either.
    assert 0.95 - 3 * math.sqrt(0.95 * 0.05 / rounds) <= held / rounds <= 0.99


def test_a_sample_as_large_as_was_asked_keeps_the_margin_that_was_asked() -> None:
    world, wanted = World(0.6), 5
    needed = sampling.need(
        margin=wanted, confidence=95, effect=sampling.design_effect(), people=None
    )
    margins: dict[int, float] = defaultdict(float)
    for seed in range(40):
        drawn = sampling.draw(
            world.villages, ask=sampling.to_ask(needed), take=sampling.TAKE, seed=seed
        )
        margins[seed] = 100 * world.ask(drawn, random.Random(seed)).margin

    assert sum(margins.values()) / len(margins) < wanted * 1.1

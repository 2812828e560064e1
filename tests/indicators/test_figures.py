"""Figures equal a slow count of the raw rows, and roll up by sums over sums."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nguon.core.errors import InvalidError, RefusedError
from nguon.indicators import actions, catalogue, queries, rules
from nguon.indicators.catalogue import INDICATORS, SHARE
from nguon.indicators.models import DayFact, FactDay
from nguon.indicators.rules import Period, Ratio
from nguon.schedule.models import CountedDay
from nguon.territory.models import Succession, Unit
from tests.indicators.brute import Brute
from tests.indicators.conftest import FIRST, Generate, Week
from tests.plan.conftest import past_unit

pytestmark = pytest.mark.django_db
WEEK = Period(FIRST, FIRST + timedelta(days=7))
PERIODS = (WEEK, Period(FIRST, FIRST + timedelta(days=1)), Period(
    FIRST + timedelta(days=2), FIRST + timedelta(days=5)
))  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
def test_every_figure_equals_a_slow_count_of_the_raw_rows(
    generate: Generate, seed: int, province: Unit, ia_grai: Unit, dak_doa: Unit
) -> None:
    made = generate(seed)
    for day in made.days:
        actions.count_day(day=day, at=made.over)

    for unit in (province, ia_grai, dak_doa):
        for period in PERIODS:
            told = {
                one.indicator.code: one for one in queries.list_figures(unit, period)
            }
            slow = Brute(unit, period).figures()
            assert set(slow) == set(rules.RECIPES)
            for code, answer in slow.items():
                figure = told[code]
                if answer is None:
                    assert figure.value is None, (code, unit, period)
                    assert figure.missing == rules.NOTHING
                else:
                    assert figure.value == pytest.approx(float(answer)), (code, unit)
    # The made-up week is no empty one: each figure said something somewhere.
    whole = Brute(province, WEEK).figures()
    assert all(whole.values()), whole


def test_the_province_is_the_sum_of_its_communes(
    week: Week, province: Unit, ia_grai: Unit, dak_doa: Unit, third: Unit
) -> None:
    table = queries.count_places(province, WEEK)
    for code in rules.RECIPES:
        parts = [
            queries.count_places(unit, WEEK).total(code) or Ratio()
            for unit in (ia_grai, dak_doa, third)
        ]
        # What the department itself released belongs to none of them.
        own = table.ratios[code].get(province.pk, Ratio())
        assert table.total(code) == rules.roll_up([*parts, own]), code


def test_a_distinct_count_is_never_the_sum_of_its_days(
    week: Week, province: Unit
) -> None:
    days = [Period(day, day + timedelta(days=1)) for day in week.days]
    daily = [
        queries.count_places(province, day).total("communes_sounding") for day in days
    ]
    whole = queries.count_places(province, WEEK).total("communes_sounding")

    assert whole is not None
    assert whole.below == 3
    assert whole.above <= 3 < sum(ratio.above for ratio in daily if ratio)


def test_what_nobody_counted_is_missing_and_never_0(week: Week, ia_grai: Unit) -> None:
    before = Period(date(2025, 11, 1), date(2025, 12, 1))
    told = {one.indicator.code: one for one in queries.list_figures(ia_grai, WEEK)}
    empty = {one.indicator.code: one for one in queries.list_figures(ia_grai, before)}

    assert told["reflections"].missing == rules.NO_FACTS
    assert told["reflections_satisfied"].missing == rules.NO_FACTS
    assert {one.missing for one in empty.values()} == {
        rules.NO_FACTS, rules.NO_DAYS, rules.NOT_ASKED, rules.NOT_REPORTED,
    }  # fmt: skip
    assert all(one.value is None for one in empty.values())


def test_a_ground_without_devices_has_nothing_to_divide_by(
    week: Week, third: Unit
) -> None:
    told = {one.indicator.code: one for one in queries.list_figures(third, WEEK)}

    assert told["devices_audible"].missing == rules.NOTHING
    # An empty register is no 0.
    for code in (
        "staff", "staff_trained", "propagandists", "other_stations", "cluster_cost",
    ):  # fmt: skip
        assert told[code].missing == rules.NOT_TOLD, code
    assert told["villages_covered"].value == 0
    assert told["bulletins"].value == 0
    assert told["bulletins"].counted_days == 7


def test_counting_a_day_twice_changes_nothing(week: Week) -> None:
    before = sorted(
        DayFact.objects.values_list("day", "unit", "measure", "part", "number")
    )

    for day in week.days:
        actions.count_day(day=day, at=week.over)

    after = sorted(
        DayFact.objects.values_list("day", "unit", "measure", "part", "number")
    )
    assert after == before


def test_parts_split_the_bulletins(week: Week, province: Unit) -> None:
    parts = queries.list_parts(province, WEEK, "bulletins")
    whole = queries.count_places(province, WEEK).total("bulletins")

    assert whole is not None
    for split in ("field:", "class:", "supplier:"):
        assert (
            sum(n for part, n in parts.items() if part.startswith(split)) == whole.above
        )
    assert parts["language:vi"] == parts["channel:station"] == whole.above


@pytest.mark.parametrize(
    "code",
    [
        "minutes_played", "bulletins", "devices_audible", "staff_trained",
        "cluster_cost",
    ],
)  # fmt: skip
def test_the_facts_behind_a_figure_add_up_to_it(
    week: Week, province: Unit, code: str
) -> None:
    recipe = rules.RECIPES[code]
    rows = queries.list_behind(province, WEEK, recipe)
    whole = queries.count_places(province, WEEK).total(code)

    assert whole is not None
    above = [n for _unit, measure, n in rows if measure == recipe.above.what]
    assert sum(above) == whole.above > 0


def test_the_chore_counts_what_is_due_and_again_what_changed(
    generate: Generate, province: Unit
) -> None:
    made = generate(5)

    assert actions.roll_facts(at=made.over) == 7
    assert actions.roll_facts(at=made.over + timedelta(minutes=10)) == 0

    later = made.over + timedelta(minutes=20)
    CountedDay.objects.filter(day=FIRST).update(counted_at=later)
    assert actions.roll_facts(at=later + timedelta(minutes=1)) == 1
    # The next day: the day that is over, and those of the last seven days.
    assert actions.roll_facts(at=made.over + timedelta(days=1)) == 7
    assert FactDay.objects.count() == 8


def test_a_day_that_is_not_over_is_not_counted(week: Week, now: datetime) -> None:
    with pytest.raises(RefusedError) as refused:
        actions.count_day(day=week.over.date() + timedelta(days=2), at=week.over)

    assert refused.value.code == "indicators.day_open"


def test_an_empty_system_has_nothing_to_count(province: Unit, now: datetime) -> None:
    assert actions.roll_facts(at=now) == 0


@pytest.mark.parametrize(
    "period", [Period(FIRST, FIRST), Period(FIRST, date(2026, 11, 1)),
               Period(date(1999, 1, 1), FIRST)]
)  # fmt: skip
def test_a_period_without_days_is_refused(province: Unit, period: Period) -> None:
    with pytest.raises(InvalidError) as refused:
        queries.list_figures(province, period)

    assert refused.value.code == "indicators.period"


def test_a_unit_that_did_not_exist_is_refused_with_its_heirs(
    province: Unit, ia_grai: Unit
) -> None:
    old = past_unit("commune", "23770", "Xã Ia Tô")
    Succession.objects.create(old=old, new=ia_grai, kind="whole")

    with pytest.raises(InvalidError) as refused:
        queries.list_figures(old, WEEK)

    assert refused.value.code == "indicators.unit_of_then"
    assert refused.value.data["heirs"] == "Xã Ia Grai"


def test_a_village_has_no_figures_of_its_own(village: Unit) -> None:
    with pytest.raises(InvalidError):
        queries.list_figures(village, WEEK)


ratios = st.lists(
    st.builds(Ratio, st.integers(0, 10**9), st.integers(0, 10**6)), max_size=20
)


@given(ratios, st.randoms())
def test_roll_up_is_sums_over_sums_in_any_order_and_grouping(
    several: Sequence[Ratio], draw: object
) -> None:
    mixed = list(several)
    draw.shuffle(mixed)  # type: ignore[attr-defined]
    cut = len(mixed) // 2
    nested = rules.roll_up([rules.roll_up(mixed[:cut]), rules.roll_up(mixed[cut:])])

    assert rules.roll_up(several) == nested
    assert nested == Ratio(sum(r.above for r in several), sum(r.below for r in several))


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 500)), min_size=1))
def test_a_rolled_up_share_lies_between_its_parts(pairs: list[tuple[int, int]]) -> None:
    parts = [Ratio(min(above, below), below) for above, below in pairs]
    share = INDICATORS["devices_audible"]
    assert share.ratio == SHARE
    whole = rules.value_of(share, rules.roll_up(parts))
    values = [rules.value_of(share, part) for part in parts]

    assert whole is not None
    known = [Fraction(value) for value in values if value is not None]
    assert float(min(known)) - 1e-9 <= whole <= float(max(known)) + 1e-9
    assert 0 <= whole <= 100


def test_every_recipe_belongs_to_a_counted_indicator() -> None:
    for code, recipe in rules.RECIPES.items():
        one = catalogue.find(code)
        assert one.source == catalogue.COUNTED
        assert (recipe.below is None) == (one.ratio == catalogue.COUNT)

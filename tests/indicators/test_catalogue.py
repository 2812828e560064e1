"""The catalogue says of every figure what it divides, and refuses what it cannot be."""

import pytest

from nguon.core.errors import InvalidError
from nguon.indicators import catalogue


def test_every_share_and_mean_says_what_it_divides_by() -> None:
    for one in catalogue.INDICATORS.values():
        assert one.source in catalogue.SOURCES
        assert bool(one.denominator) == (one.ratio != catalogue.COUNT), one.code


def test_what_cannot_be_counted_says_why() -> None:
    absent = [
        one for one in catalogue.INDICATORS.values() if one.source == catalogue.ABSENT
    ]

    assert absent
    assert all(one.why_absent for one in absent)


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("devices_audible", 100.1),
        ("devices_audible", -0.1),
        ("devices_audible", float("nan")),
        ("bulletins", -1),
        ("bulletins", float("inf")),
        ("large_boards", 1_000_001),
    ],
)
def test_a_value_that_cannot_be_is_refused(code: str, value: float) -> None:
    with pytest.raises(InvalidError) as refused:
        catalogue.find(code).check_value(value)

    assert refused.value.code == "indicators.value_range"


def test_things_are_whole_and_what_is_measured_need_not_be() -> None:
    for code in ("large_boards", "bulletins", "staff", "suppliers", "other_stations"):
        with pytest.raises(InvalidError) as refused:
            catalogue.find(code).check_value(1.5)
        assert refused.value.code == "indicators.value_whole"
    for code in ("minutes_played", "repair_hours", "cluster_cost", "devices_audible"):
        catalogue.find(code).check_value(1.5)


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(InvalidError):
        catalogue.find("=cmd")

"""Facts of the old map asked on the new one: nothing is lost, nothing is guessed."""

from collections.abc import Sequence
from datetime import date, datetime

import pytest

from nguon.indicators import queries
from nguon.indicators.models import DayFact, FactDay
from nguon.indicators.rules import Period, Ratio
from nguon.people.models import Officer
from nguon.registers.models import StaffMember
from nguon.territory.models import Unit
from tests.plan.conftest import old_map

__all__ = ["old_map"]
pytestmark = pytest.mark.django_db
JUNE = date(2025, 6, 20)
BOTH = Period(date(2025, 6, 1), date(2025, 8, 1))


def test_totals_are_equal_on_both_maps_and_divided_ground_is_not_guessed(
    old_map: Sequence[Unit],
    province: Unit,
    ia_grai: Unit,
    dak_doa: Unit,
    now: datetime,
) -> None:
    old, _west, _east, *communes = old_map
    FactDay.objects.create(day=JUNE, counted_at=now)
    for unit, number in zip(communes, (10, 5, 7), strict=True):
        DayFact.objects.create(
            day=JUNE, unit=unit, place=unit, measure="bulletins", number=number
        )

    then = queries.count_places(old, BOTH, day=JUNE).ratios["bulletins"]
    today = queries.count_places(province, BOTH).ratios["bulletins"]

    assert {key: ratio.above for key, ratio in then.items()} == {
        communes[0].pk: 10, communes[1].pk: 5, communes[2].pk: 7,
    }  # fmt: skip
    # Two went whole into Ia Grai; the divided third stands with the province.
    assert {key: ratio.above for key, ratio in today.items()} == {
        ia_grai.pk: 15, province.pk: 7,
    }  # fmt: skip
    assert queries.count_places(dak_doa, BOTH).ratios["bulletins"] == {}


def test_who_stands_in_a_register_of_then_counts_on_both_maps(
    old_map: Sequence[Unit],
    province: Unit,
    ia_grai: Unit,
    quan: Officer,
    now: datetime,
) -> None:
    old, _west, _east, *communes = old_map
    FactDay.objects.create(day=JUNE, counted_at=now)
    for unit, number in zip(communes, (3, 2, 1), strict=True):
        for n in range(number):
            StaffMember.objects.create(
                unit=unit, full_name=f"Siu {n}", folded=f"siu {n}", post="Cán bộ",
                from_date=date(2020, 1, 1), added_by=quan, added_at=now,
            )  # fmt: skip

    then = queries.count_places(old, BOTH, day=JUNE)
    today = queries.count_places(province, BOTH)

    assert then.total("staff") == today.total("staff") == Ratio(6)
    assert {key: ratio.above for key, ratio in today.ratios["staff"].items()} == {
        ia_grai.pk: 5, province.pk: 1,
    }  # fmt: skip

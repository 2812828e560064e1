"""Facts of the old map asked on the new one: nothing is lost, nothing is guessed."""

from collections.abc import Sequence
from datetime import date, datetime

import pytest

from nguon.indicators import queries
from nguon.indicators.models import DayFact, FactDay
from nguon.indicators.rules import Period
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

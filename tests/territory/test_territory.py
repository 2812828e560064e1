"""The real lists of the country load once and answer on both maps."""

from datetime import date

import pytest
from django.db import IntegrityError

from nguon.core.errors import AbsentError
from nguon.territory import boundaries, names, queries
from nguon.territory.load import load
from nguon.territory.models import Succession, Unit

TODAY = date(2026, 11, 24)
BEFORE = date(2025, 6, 30)


def test_load_twice_gives_the_whole_country_once(db: None) -> None:
    said: list[str] = []

    load(say=said.append)
    uids = set(Unit.objects.values_list("uid", flat=True))
    load(say=said.append)

    assert said
    assert set(Unit.objects.values_list("uid", flat=True)) == uids
    communes = Unit.objects.filter(kind="commune")
    assert communes.as_of(BEFORE).count() == 10_035
    assert communes.as_of(TODAY).count() == 3_321
    assert Succession.objects.count() == 10_597
    gia_lai = queries.list_communes(province_code="52", day=TODAY)
    assert len(gia_lai) == 135
    assert queries.get_unit("52", kind="province", day=BEFORE).name == "Bình Định"
    olds = queries.list_on_map([gia_lai[0]], day=BEFORE)
    assert olds
    assert gia_lai[0] in queries.list_on_map(olds, day=TODAY)


def test_get_unit_is_absent_outside_its_dates(ia_grai: Unit) -> None:
    assert queries.get_unit(ia_grai.code, kind="commune", day=TODAY) == ia_grai
    with pytest.raises(AbsentError):
        queries.get_unit(ia_grai.code, kind="commune", day=BEFORE)


def test_the_database_refuses_a_code_twice_on_one_map(ia_grai: Unit) -> None:
    ia_grai.pk = None
    ia_grai.uid = "x" * 12
    ia_grai.valid_from = date(2026, 1, 1)

    with pytest.raises(IntegrityError):
        ia_grai.save(force_insert=True)


def test_areas_come_from_the_outlines() -> None:
    areas = boundaries.areas_km2()

    assert len(areas) == 135
    assert areas["21808"] == pytest.approx(97, abs=1)  # Tây Sơn; the list says 335


def test_the_map_is_light_enough_for_a_thin_link() -> None:
    drawn = boundaries.draw()

    assert len(drawn.outlines) == 135
    assert sum(len(outline.path) for outline in drawn.outlines) < 80_000


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Hòa Hội", "hoa hoi"), ("Hoà Hội", "hoa hoi"), ("Đak Đoa", "dak doa")],
)
def test_fold_forgets_marks(text: str, folded: str) -> None:
    assert names.fold(text) == folded

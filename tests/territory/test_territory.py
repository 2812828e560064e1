"""The real lists of the country load once and answer on both maps."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "clash"),
    [
        (date(2020, 1, 1), date(2025, 7, 1), False),
        (date(2020, 1, 1), date(2025, 7, 2), True),
        (date(2026, 1, 1), date(2026, 1, 2), True),
    ],
)
def test_the_database_refuses_overlapping_periods_of_one_code(
    ia_grai: Unit,
    valid_from: date,
    valid_to: date,
    clash: bool,
) -> None:
    other = Unit(
        kind="commune",
        code=ia_grai.code,
        name="x",
        valid_from=valid_from,
        valid_to=valid_to,
    )
    clashed = False

    try:
        with transaction.atomic():
            other.save()
    except IntegrityError:
        clashed = True

    assert clashed == clash


@given(day=st.dates(date(2000, 1, 1), date(2040, 1, 1)))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_unit_is_on_the_map_from_its_first_day_to_before_its_last(
    ia_grai: Unit, day: date
) -> None:
    Unit.objects.filter(pk=ia_grai.pk).update(valid_to=date(2030, 1, 1))

    there = Unit.objects.as_of(day).filter(pk=ia_grai.pk).exists()

    assert there == (date(2025, 7, 1) <= day < date(2030, 1, 1))


def test_on_the_map_of_follows_a_divided_commune_both_ways(db: None) -> None:
    def make(code: str, first: date, last: date | None) -> Unit:
        return Unit.objects.create(
            kind="commune",
            code=code,
            name=code,
            path=f"/{code}/",
            valid_from=first,
            valid_to=last,
        )

    split, start = date(2025, 7, 1), date(1900, 1, 1)
    whole, divided = make("1", start, split), make("2", start, split)
    left, right = make("3", split, None), make("4", split, None)
    Succession.objects.create(old=whole, new=left, kind="whole")
    Succession.objects.create(old=divided, new=left, kind="part-main")
    Succession.objects.create(old=divided, new=right, kind="part")

    assert queries.list_on_map([divided], day=TODAY) == [left, right]
    assert queries.list_on_map([right], day=BEFORE) == [divided]
    assert queries.list_on_map([left], day=BEFORE) == [whole, divided]
    assert queries.list_on_map([left], day=TODAY) == [left]
    assert [row.kind for row in queries.list_successors(divided)] == [
        "part-main",
        "part",
    ]
    assert [row.old for row in queries.list_predecessors(left)] == [whole, divided]

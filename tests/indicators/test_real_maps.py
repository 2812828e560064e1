"""Gia Lai of 2025 as it really was merged: 373 old communes, 135 new, one total."""

import csv
import random
from collections.abc import Sequence
from datetime import date, datetime

import pytest

from nguon.indicators import actions, measures, queries, rules
from nguon.indicators.models import DayFact, FactDay
from nguon.indicators.rules import Period, Ratio
from nguon.people.models import Officer
from nguon.registers.models import StaffMember, Station
from nguon.territory import load, names
from nguon.territory.models import COMMUNE, DISTRICT, PROVINCE, Succession, Unit
from nguon.territory.queries import get_unit
from tests.conftest import make_officer

pytestmark = pytest.mark.django_db
BEFORE, AFTER = date(2025, 6, 20), date(2025, 7, 20)
JUNE = Period(date(2025, 6, 1), date(2025, 7, 1))
SUMMER = Period(date(2025, 6, 1), date(2025, 8, 1))
# Distinct counts and the map's own units do not add up over another map; there are no
# villages of then for propagandists.
ADDITIVE = [
    code
    for code, recipe in rules.RECIPES.items()
    if recipe.above.how in {rules.SUM, rules.LAST, rules.REGISTER}
    and code != "propagandists"
]


def rows_of(name: str) -> list[dict[str, str]]:
    """Read one of the real tables."""
    with (load.DATA / name).open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def build(name: str, codes: Sequence[str], **dates: date) -> dict[str, Unit]:
    """Write the provinces, districts and communes of a list; return the communes."""
    known: dict[tuple[str, str], Unit] = {}
    for row in rows_of(name):
        above = None
        for kind in (PROVINCE, DISTRICT, COMMUNE):
            code = row.get(f"{kind}_code")
            if row["province_code"] not in codes or not code:
                continue
            key = (kind, code)
            if key not in known:
                subkind, short = names.split(row[kind])
                unit = Unit.objects.create(
                    kind=kind, code=code, subkind=subkind, name=short,
                    folded=names.fold(row[kind]), parent=above, **dates,
                )  # fmt: skip
                unit.path = f"{above.path if above else '/'}{unit.pk}/"
                unit.save(update_fields=["path"])
                known[key] = unit
            above = known[key]
    return {code: unit for (kind, code), unit in known.items() if kind == COMMUNE}


@pytest.fixture
def both_maps() -> None:
    """Write the real Gia Lai of then and of now, and what went where."""
    first, merger = load.BEGINNING, load.MERGER
    then = build(
        "units-until-2025-06-30.csv", ["64", "52"], valid_from=first, valid_to=merger
    )
    now = build("units-from-2025-07-01.csv", ["52"], valid_from=merger)
    Succession.objects.bulk_create(
        Succession(
            old=then[row["old_commune_code"]],
            new=now[row["new_commune_code"]],
            kind=row["kind"],
        )
        for row in rows_of("succession-2025-07-01.csv")
        if row["new_commune_code"] in now
    )


def communes(provinces: Sequence[Unit], day: date) -> list[Unit]:
    """Return the communes of provinces on a day."""
    return [
        unit
        for province in provinces
        for unit in Unit.objects.as_of(day).under(province).filter(kind=COMMUNE)
    ]


def total(table: Sequence[queries.Table], code: str) -> Ratio:
    """Return what a figure comes to on the ground of several tables."""
    return rules.roll_up(one.total(code) or Ratio() for one in table)


def test_sums_over_373_old_units_equal_sums_over_135_new_ones(
    both_maps: None, now: datetime
) -> None:
    draw = random.Random(2025)
    olds = [get_unit(code, kind=PROVINCE, day=BEFORE) for code in ("64", "52")]
    new = get_unit("52", kind=PROVINCE, day=AFTER)
    then, today = communes(olds, BEFORE), communes([new], AFTER)
    assert (len(then), len(today)) == (373, 135)
    # What the new province itself does belongs to neither of the old ones.
    for day, units in ((BEFORE, [*then, *olds]), (AFTER, today)):
        FactDay.objects.create(day=day, counted_at=now)
        DayFact.objects.bulk_create(
            DayFact(
                day=day, unit=unit, place=unit, measure=measure,
                number=draw.randint(1, 10**6),
            )
            for unit in units
            for measure in measures.MEASURES
            if draw.random() < 0.7
        )  # fmt: skip
    writer = make_officer("quan", "Phạm Quân", (new, "author"))
    _fill_registers(draw, then, writer, now)
    # Before the months are added up, and after.
    for _turn in range(2):
        for period in (JUNE, SUMMER):
            on_old = [queries.count_places(unit, period, day=BEFORE) for unit in olds]
            on_new = [queries.count_places(new, period, day=AFTER)]
            for code in ADDITIVE:
                told = total(on_old, code)
                assert told == total(on_new, code), (code, period)
                assert told.above or told.below, code
            _check_raw(period, on_new)
        actions.add_up_month(month=date(2025, 6, 1), at=now)
        actions.add_up_month(month=date(2025, 7, 1), at=now)


def _fill_registers(
    draw: random.Random, units: Sequence[Unit], by: Officer, at: datetime
) -> None:
    common = {"added_by": by, "added_at": at, "folded": "vi du"}
    period = {"from_date": date(2020, 1, 1), "full_name": "Ví Dụ", **common}
    for unit in units:
        if draw.random() < 0.5:
            StaffMember.objects.create(unit=unit, post="Cán bộ", **period)
        if draw.random() < 0.5:
            Station.objects.create(
                unit=unit, name="Ví Dụ", kind="fm", year=2015, source="commune",
                **common,
            )  # fmt: skip


def _check_raw(period: Period, tables: Sequence[queries.Table]) -> None:
    """See that what adds up is all that was written, nothing lost on either map."""
    for code, recipe in rules.RECIPES.items():
        if recipe.above.how != rules.SUM:
            continue
        numbers = DayFact.objects.filter(
            measure=recipe.above.what, day__gte=period.first, day__lt=period.after
        ).values_list("number", flat=True)
        assert total(tables, code).above == sum(numbers), code

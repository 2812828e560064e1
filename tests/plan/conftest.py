"""A plan of today for two communes, and the map of 2023 beside it."""

from collections.abc import Sequence
from datetime import date, datetime

import pytest

from nguon.people.models import Officer
from nguon.plan import actions, rules
from nguon.plan.models import ActionPlan, Assignment
from nguon.territory import names
from nguon.territory.models import Succession, Unit
from tests.conftest import MERGER, make_officer

LINK = "https://gialai.gov.vn/bien-ban/12"
WORDS = rules.PlanWords(
    title="Kế hoạch Thông tin cơ sở năm 2026",
    first_date=date(2026, 1, 1),
    last_date=date(2026, 12, 31),
    number="12/KH-UBND",
)
TASK = rules.TaskWords(
    title="Thiết lập truyền thanh cấp xã",
    lead="Ủy ban nhân dân các xã, phường",
    product="Xã có hệ thống hoạt động đến thôn, làng",
    last_date=date(2026, 10, 31),
    indicator="communes_sounding",
)


def past_unit(kind: str, code: str, name: str, parent: Unit | None = None) -> Unit:
    """Write a unit of the map until 30 June 2025 as the loader does."""
    subkind, short = names.split(name)
    unit = Unit.objects.create(
        kind=kind,
        code=code,
        subkind=subkind,
        name=short,
        folded=names.fold(name),
        parent=parent,
        valid_from=date(1900, 1, 1),
        valid_to=MERGER,
    )
    unit.path = f"{parent.path if parent else '/'}{unit.pk}/"
    unit.save(update_fields=["path"])
    return unit


@pytest.fixture
def tri(province: Unit) -> Officer:
    """Return a second approver of the province: nobody returns their own report."""
    return make_officer("tri", "Kpă Trí", (province, "approver"))


@pytest.fixture
def draft(province: Unit, quan: Officer, now: datetime) -> ActionPlan:
    return actions.draft_plan(
        unit=province, keeper=province, words=WORDS, by=quan, at=now
    )


@pytest.fixture
def plan(
    draft: ActionPlan, ia_grai: Unit, dak_doa: Unit, quan: Officer, now: datetime
) -> ActionPlan:
    """Return a plan that was sent down to both communes."""
    actions.add_task(
        plan_id=draft.pk, words=TASK, units=[ia_grai, dak_doa], by=quan, at=now
    )
    return actions.send_plan(plan_id=draft.pk, by=quan, at=now)


@pytest.fixture
def given(plan: ActionPlan, ia_grai: Unit) -> Assignment:
    """Return what Lan's commune was given."""
    return plan.assignments.get(unit=ia_grai)


@pytest.fixture
def old_map(province: Unit, ia_grai: Unit, dak_doa: Unit) -> Sequence[Unit]:
    """Return the old province, its two districts and their three communes.

    Two of them went whole into Ia Grai; the third is divided.
    """
    old = past_unit("province", "64", "Tỉnh Gia Lai")
    west = past_unit("district", "628", "Huyện Ia Grai", old)
    east = past_unit("district", "626", "Huyện Đak Đoa", old)
    units = [
        past_unit("commune", "23770", "Xã Ia Tô", west),
        past_unit("commune", "23764", "Thị trấn Ia Kha", west),
        past_unit("commune", "23677", "Thị trấn Đak Đoa", east),
    ]
    for unit, new, kind in (
        (units[0], ia_grai, "whole"),
        (units[1], ia_grai, "whole"),
        (units[2], dak_doa, "part-main"),
        (units[2], ia_grai, "part"),
    ):
        Succession.objects.create(old=unit, new=new, kind=kind)
    return [old, west, east, *units]

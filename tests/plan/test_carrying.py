"""A plan of 2023 comes onto the map of 2025 by the succession table, never by guess."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given as examples
from hypothesis import strategies as st

from nguon.people.models import Officer
from nguon.plan import actions, carrying, shipped
from nguon.plan.carrying import Origin, carry_value
from nguon.plan.models import ActionPlan
from nguon.territory.models import Unit
from nguon.territory.queries import list_on_map, trace
from tests.plan.test_plans import refusal

TODAY = date(2026, 11, 24)
numbers = st.decimals(0, 10**6, places=2)


# --- the rule ------------------------------------------------------------------------


def origin(value: str | None, *, is_whole: bool = True, is_own: bool = True) -> Origin:
    return Origin(Decimal(value) if value else None, is_whole, is_own)


@pytest.mark.parametrize(
    ("origins", "is_share", "value", "why"),
    [
        ([origin("60"), origin("60")], True, "60", ""),
        ([origin("60"), origin("80")], True, None, carrying.DIFFER),
        ([origin("60"), origin(None)], True, None, carrying.MISSING),
        ([origin("60", is_whole=False, is_own=False)], True, "60", ""),
        ([origin("3"), origin("5")], False, "8", ""),
        ([origin("3"), origin("5", is_whole=False)], False, None, carrying.DIVIDED),
        ([origin("3"), origin("5", is_own=False)], False, None, carrying.COARSER),
        ([], False, None, carrying.MISSING),
    ],
)
def test_what_follows_from_the_table_is_carried_and_nothing_else(
    origins: list[Origin], is_share: bool, value: str | None, why: str
) -> None:
    carried, reason = carry_value(origins, is_share=is_share)

    assert carried == (Decimal(value) if value else None)
    assert reason == why


@examples(st.lists(st.lists(numbers, min_size=1, max_size=4), min_size=1, max_size=6))
def test_whole_units_keep_their_sum(grouped: list[list[Decimal]]) -> None:
    """Three and five clusters become eight, whatever merges with what."""
    carried = [
        carry_value([Origin(value, True, True) for value in group], is_share=False)
        for group in grouped
    ]

    total = sum((value for value, _why in carried if value is not None), Decimal(0))
    assert total == sum((value for group in grouped for value in group), Decimal(0))


# --- the plan ------------------------------------------------------------------------


@pytest.fixture
def first(
    province: Unit, old_map: Sequence[Unit], quan: Officer, now: datetime
) -> ActionPlan:
    return shipped.enter_first(keeper=province, by=quan, at=now)


@pytest.mark.django_db
def test_every_task_goes_to_who_has_the_ground_now(
    first: ActionPlan, province: Unit, ia_grai: Unit, dak_doa: Unit
) -> None:
    found = carrying.preview(first, day=TODAY)

    assert [set(units) for _task, units in found.tasks[:5]] == [{ia_grai, dak_doa}] * 5
    assert found.tasks[5][1] == [province]
    assert found.lost == []


@pytest.mark.django_db
def test_shares_hold_and_counts_of_districts_wait_for_a_person(
    first: ActionPlan,
) -> None:
    found = carrying.preview(first, day=TODAY)

    assert {(row.indicator, row.value) for row in found.held} == {
        ("communes_sounding", Decimal(60)),
        ("communes_with_board", Decimal(30)),
    }
    assert {row.why_not for row in found.open} <= {carrying.COARSER, carrying.DIVIDED}
    assert all(row.is_example for row in found.targets)


@pytest.mark.django_db
def test_counts_of_whole_communes_add_up_and_divided_ones_do_not(
    first: ActionPlan,
    old_map: Sequence[Unit],
    ia_grai: Unit,
    dak_doa: Unit,
    quan: Officer,
    now: datetime,
) -> None:
    for unit, value in zip(old_map[3:], (3, 5, 7), strict=True):
        actions.set_target(
            plan_id=first.pk,
            unit=unit,
            year=2023,
            indicator="bulletins",
            value=Decimal(value),
            by=quan,
            at=now,
        )

    found = {
        row.unit: row
        for row in carrying.preview(first, day=TODAY).targets
        if row.indicator == "bulletins"
    }

    assert found[ia_grai].why_not == found[dak_doa].why_not == carrying.DIVIDED


@pytest.mark.django_db
def test_carrying_over_drafts_a_plan_that_names_the_old_and_does_so_once(
    client: Client, first: ActionPlan, ia_grai: Unit, quan: Officer, hoa: Officer
) -> None:
    client.force_login(quan)
    address = reverse("plan:carry", args=[first.uid])
    sent = {
        "title": "Kế hoạch Thông tin cơ sở năm 2027",
        "first_date": "01/01/2027",
        "last_date": "31/12/2027",
    }

    shown = client.get(address).content.decode()
    wrong = client.post(address, {**sent, "last_date": ""})
    before_the_map = client.post(address, {**sent, "first_date": "01/01/2024"})
    client.post(address, sent)

    plan = ActionPlan.objects.get(carried_from=first)
    assert "đơn vị nhận" in shown
    assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert before_the_map.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert plan.state == "draft"
    assert plan.assignments.filter(unit=ia_grai).count() == 5
    assert plan.tasks.get(number=1).last_date == date(2027, 12, 31)
    assert plan.tasks.get(number=2).last_date is None
    assert plan.targets.count() == 4
    assert first.assignments.filter(unit__kind="district").count() == 10
    again = client.post(address, sent)
    assert again.status_code == HTTPStatus.CONFLICT
    client.force_login(hoa)
    assert client.get(address).status_code == HTTPStatus.NOT_FOUND


@pytest.mark.django_db
def test_tracing_many_communes_is_tracing_each(
    old_map: Sequence[Unit], ia_grai: Unit, dak_doa: Unit
) -> None:
    communes = [*old_map[3:], ia_grai, dak_doa]

    for day in (date(2023, 1, 1), TODAY):
        traced = trace(communes, day=day)
        for unit in communes:
            assert traced[unit.pk] == list_on_map([unit], day=day)
    assert trace([], day=TODAY) == {}


@pytest.mark.django_db
def test_a_draft_is_not_carried(
    draft: ActionPlan, quan: Officer, now: datetime
) -> None:
    with refusal("plan.not_sent"):
        actions.carry_over(
            plan_id=draft.pk,
            title="Kế hoạch",
            first_date=TODAY,
            last_date=TODAY,
            by=quan,
            at=now,
        )

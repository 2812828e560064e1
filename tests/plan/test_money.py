"""Targets and money: what cannot be is refused in action and database."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from io import BytesIO

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given as examples
from hypothesis import strategies as st

from nguon.audit.models import Record
from nguon.core.errors import AbsentError, DomainError, InvalidError
from nguon.fleet import tables
from nguon.people.models import Officer
from nguon.plan import actions, money, money_queries, shipped
from nguon.plan.models import ActionPlan, FundingLine, Target
from nguon.territory.models import Unit
from tests.plan.test_plans import refusal

TABLE = """Mã đơn vị,Đơn vị,Chỉ tiêu,Năm,Giá trị
23764,Xã Ia Grai,communes_sounding,2026,"85,5"
23677,Xã Đak Đoa,Xã có truyền thanh CNTT-VT phát trong kỳ,2026,90
"""


def take_in(plan: ActionPlan, text: str, by: Officer, at: datetime) -> actions.Count:
    return actions.import_targets(
        plan_id=plan.pk,
        rows=tables.read(text.encode()),
        is_example=False,
        by=by,
        at=at,
    )


# --- reading figures -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("85", "85"),
        ("85,5", "85.5"),
        ("85,5 %", "85.5"),
        ("1.234", "1234"),
        ("1.234.567,25", "1234567.25"),
        ("0", "0"),
    ],
)
def test_a_figure_is_read_as_people_here_write_it(text: str, value: str) -> None:
    assert money.read_number(text) == Decimal(value)


@pytest.mark.parametrize(
    "text",
    ["", "12.5", "1.23.456", "1,2,3", "-5", "=1+1", "٣", "nan", "1e5", "1.", ",5",
     "9" * 40],
)  # fmt: skip
def test_a_figure_that_could_mean_two_things_is_refused(text: str) -> None:
    with pytest.raises(InvalidError):
        money.read_number(text)


@examples(st.integers(0, 10**13))
def test_whole_dong_come_back_as_they_were_written(dong: int) -> None:
    written = f"{dong:,}".replace(",", ".")

    assert money.read_dong(f"{written} đồng") == dong


# --- targets -------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_table_is_taken_in_whole_and_again_changes_nothing(
    plan: ActionPlan, quan: Officer, now: datetime
) -> None:
    assert take_in(plan, TABLE, quan, now) == actions.Count(new=2)
    assert take_in(plan, TABLE, quan, now) == actions.Count(same=2)
    assert take_in(plan, TABLE.replace(",90", ",95"), quan, now) == actions.Count(
        changed=1, same=1
    )


WRONG = [
    "23764,Xã Ia Grai,communes_sounding,2026,100.01",
    '23764,Xã Ia Grai,communes_sounding,2026,"100,01"',
    "23764,Xã Ia Grai,communes_sounding,2026,-1",
    "23764,Xã Ia Grai,=cmd|' /C calc'!A0,2026,5",
    "23764,Xã Ia Grai,communes_sounding,26,5",
    "99999,Xã Không Có,communes_sounding,2026,5",
    "23764,Xã Ia Grai,communes_sounding,2026,=1+1",
    "23764",
]


@pytest.mark.django_db
def test_one_wrong_row_leaves_everything_as_it_was(
    plan: ActionPlan, quan: Officer, now: datetime
) -> None:
    for wrong in WRONG:
        with refusal("plan.row_wrong"):
            take_in(plan, TABLE + wrong + "\n", quan, now)

    assert not Target.objects.exists()


@pytest.mark.django_db
def test_the_database_refuses_more_than_all(
    plan: ActionPlan, ia_grai: Unit, quan: Officer, now: datetime
) -> None:
    take_in(plan, TABLE, quan, now)

    with pytest.raises(IntegrityError), transaction.atomic():
        Target.objects.filter(unit=ia_grai).update(value=101)


@pytest.mark.django_db
def test_a_unit_that_was_merged_away_gets_no_target_and_its_heirs_are_named(
    province: Unit, old_map: Sequence[Unit], quan: Officer, now: datetime
) -> None:
    plan = shipped.enter_first(keeper=province, by=quan, at=now)
    told = {"plan_id": plan.pk, "indicator": "bulletins", "value": Decimal(5)}

    with pytest.raises(DomainError) as refused:
        actions.set_target(**told, unit=old_map[5], year=2026, by=quan, at=now)

    assert refused.value.code == "plan.unit_went"
    assert "Đak Đoa" in str(refused.value.data["heirs"])
    assert actions.set_target(**told, unit=old_map[5], year=2025, by=quan, at=now)
    assert Target.objects.filter(is_example=True).count() == 2 * 3


@pytest.mark.django_db
def test_a_unit_sees_its_own_targets_only(
    plan: ActionPlan, quan: Officer, hoa: Officer, now: datetime
) -> None:
    take_in(plan, TABLE, quan, now)

    mine = money_queries.list_targets(plan, hoa, {}, at=now)

    assert [row.unit.code for row in mine] == ["23677"]
    assert money_queries.list_targets(plan, quan, {}, at=now).count() == 2


# --- money ---------------------------------------------------------------------------


@pytest.fixture
def line(plan: ActionPlan, ia_grai: Unit, quan: Officer, now: datetime) -> FundingLine:
    return actions.set_funding(
        plan_id=plan.pk,
        unit=ia_grai,
        year=2026,
        source="counterpart",
        purpose=money.SET_UP,
        amount=350_000_000,
        by=quan,
        at=now,
    )


@pytest.mark.django_db
def test_no_more_is_spent_than_there_is(
    line: FundingLine, plan: ActionPlan, lan: Officer, quan: Officer, now: datetime
) -> None:
    actions.record_spent(uid=line.uid, spent=350_000_000, by=lan, at=now)

    with refusal("plan.overspent"):
        actions.record_spent(uid=line.uid, spent=350_000_001, by=lan, at=now)
    with refusal("plan.overspent"):
        actions.set_funding(
            plan_id=plan.pk,
            unit=line.unit,
            year=2026,
            source=line.source,
            purpose=line.purpose,
            amount=1,
            by=quan,
            at=now,
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        FundingLine.objects.update(spent=350_000_001)


@pytest.mark.django_db
def test_money_of_another_commune_is_neither_seen_nor_changed(
    line: FundingLine, plan: ActionPlan, hoa: Officer, now: datetime
) -> None:
    assert not money_queries.list_funding(plan, hoa, {}, at=now).exists()
    with pytest.raises(AbsentError):
        actions.record_spent(uid=line.uid, spent=1, by=hoa, at=now)
    with pytest.raises(AbsentError):
        actions.set_funding(
            plan_id=plan.pk,
            unit=line.unit,
            year=2026,
            source="other",
            purpose=money.REST,
            amount=1,
            by=hoa,
            at=now,
        )


@pytest.mark.django_db
def test_purses_add_up(
    line: FundingLine, plan: ActionPlan, dak_doa: Unit, quan: Officer, now: datetime
) -> None:
    actions.set_funding(
        plan_id=plan.pk,
        unit=dak_doa,
        year=2026,
        source="counterpart",
        purpose=money.PAY,
        amount=50_000_000,
        by=quan,
        at=now,
    )
    actions.record_spent(uid=line.uid, spent=100_000_000, by=quan, at=now)

    found = money_queries.list_funding(plan, quan, {}, at=now)
    (purse,) = money_queries.list_purses(found)

    assert (purse.amount, purse.spent, purse.left) == (
        400_000_000, 100_000_000, 300_000_000,
    )  # fmt: skip


# --- the pages -----------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "plan.headings_missing"),
        ("lời nói đầu", "plan.headings_missing"),
        ("Mã,Tên\n23764,Ia Grai\n", "plan.headings_missing"),
        (TABLE.splitlines()[0], "plan.no_rows"),
        (f'{TABLE}23764,Xã Ia Grai,communes_sounding,2026,"70"\n', "plan.row_twice"),
    ],
)
def test_what_is_no_table_of_targets_or_speaks_twice_is_refused(
    plan: ActionPlan, quan: Officer, now: datetime, text: str, code: str
) -> None:
    for content in (text.encode(), text.encode("utf-16")):
        with pytest.raises(InvalidError) as refused:
            actions.import_targets(
                plan_id=plan.pk,
                rows=tables.read(content),
                is_example=False,
                by=quan,
                at=now,
            )
        assert refused.value.code == code
    assert not Target.objects.exists()


@pytest.mark.django_db
def test_targets_and_money_are_written_and_read_in_the_browser(
    client: Client, plan: ActionPlan, ia_grai: Unit, quan: Officer, lan: Officer
) -> None:
    client.force_login(quan)
    target = {"unit": ia_grai.uid, "year": "2026", "indicator": "communes_sounding"}
    post = reverse("plan:set_target", args=[plan.uid])
    wrong = client.post(post, {**target, "value": "101"})
    client.post(post, {**target, "value": "85,5", "is_example": "1"})
    table = BytesIO(TABLE.encode())
    table.name = "phu-luc.csv"
    client.post(post, {"file": table})
    money_at = reverse("plan:set_money", args=[plan.uid, "dong"])
    client.post(
        money_at,
        {
            "unit": ia_grai.uid,
            "year": "2026",
            "source": "central",
            "purpose": "running",
            "amount": "12.500.000",
        },
    )
    client.post(
        reverse("plan:set_money", args=[plan.uid, "thuong-xuyen"]),
        {
            "unit": ia_grai.uid,
            "year": "2026",
            "per_station": "6.000.000",
            "per_cluster": "350.000",
        },
    )

    client.force_login(lan)
    targets = client.get(reverse("plan:targets", args=[plan.uid])).content.decode()
    funding = client.get(reverse("plan:funding", args=[plan.uid])).content.decode()
    file = client.get(reverse("plan:targets_file", args=[plan.uid])).content.decode()

    assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "85,5" in targets
    assert "Đak Đoa" not in targets.split("<main", 1)[1]
    assert "12.500.000" in funding
    assert "350.000" in funding
    assert "23764" in file
    assert client.post(money_at, {}).status_code != HTTPStatus.OK


@pytest.mark.django_db
def test_another_figure_of_a_target_is_asked_about_once(
    client: Client, plan: ActionPlan, ia_grai: Unit, quan: Officer
) -> None:
    client.force_login(quan)
    post = reverse("plan:set_target", args=[plan.uid])
    target = {"unit": ia_grai.uid, "year": "2026", "indicator": "devices_audible"}

    first = client.post(post, {**target, "value": "95"})
    same = client.post(post, {**target, "value": "95,0"})
    asked = client.post(post, {**target, "value": "99"})
    kept = Target.objects.get().value
    sure = client.post(post, {**target, "value": "99", "is_sure": "1"})

    assert (first.status_code, same.status_code, sure.status_code) == (302, 302, 302)
    assert asked.status_code == 409
    assert "là 95 %. Muốn thay bằng 99 %" in asked.content.decode()
    assert 'name="is_sure"' in asked.content.decode()
    assert kept == 95
    assert Target.objects.get().value == 99
    told = Record.objects.filter(action="plan.target.set").latest("pk").data
    assert Decimal(told["before"]) == 95
    half = {**target, "indicator": "large_boards", "value": "1,5"}
    assert "nên phải là số nguyên" in client.post(post, half).content.decode()

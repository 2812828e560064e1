"""What is due, what was paid and what a plan has for it stand side by side."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from http import HTTPStatus
from io import BytesIO

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from nguon.core.errors import AbsentError, DomainError, InvalidError
from nguon.fleet import tables
from nguon.newsroom import actions as newsroom
from nguon.newsroom import pay
from nguon.newsroom import rules as tasks
from nguon.newsroom.models import Bulletin, Version
from nguon.people.models import Officer
from nguon.plan import actions as plans
from nguon.plan import money
from nguon.plan.models import ActionPlan
from nguon.plan.rules import PlanWords
from nguon.reports import actions, paying
from nguon.reports.actions import Paper
from nguon.reports.actions.payments import Count, fold_document
from nguon.reports.models import Payment
from nguon.reports.stations import Station
from nguon.territory.models import Unit
from tests.newsroom.conftest import SEALED, bulletin, freeze, version
from tests.plan.conftest import draft, plan
from tests.reports.conftest import refusal

__all__ = ["bulletin", "draft", "freeze", "plan", "version"]
pytestmark = pytest.mark.django_db
NOVEMBER = date(2026, 11, 1)
ATTACK = "=cmd|' /C calc'!A0"


@pytest.fixture
def station(ia_grai: Unit) -> Station:
    return Station(ia_grai, [ia_grai], [])


@pytest.fixture
def approved(
    bulletin: Bulletin,
    version: Version,
    ia_grai: Unit,
    admin: Officer,
    minh: Officer,
    now: datetime,
) -> Version:
    """Let Lan be due 25.000 for writing and Minh 5.000 for checking."""
    for task, amount in ((tasks.WRITTEN, 25_000), (tasks.CHECKED, 5_000)):
        newsroom.set_rate(
            unit=ia_grai, task=task, amount=amount, from_day=NOVEMBER, by=admin, at=now
        )
    newsroom.record_approval(version_id=version.pk, sha256=SEALED, by=minh, at=now)
    return version


@pytest.fixture
def paper(now: datetime) -> Paper:
    return Paper("PC-12/2026", now.date())


Give = Callable[..., Payment]


@pytest.fixture
def give(station: Station, lan: Officer, paper: Paper, now: datetime) -> Give:
    """Return the writing of a payment to Lan, with parts of it changed."""

    def do(amount: int = 25_000, **changed: object) -> Payment:
        told = {
            "station": station, "month": NOVEMBER, "person_id": lan.pk,
            "amount": amount, "paper": paper, "by": lan, "at": now,
        }  # fmt: skip
        return actions.pay_person(**told | changed)

    return do


def left(station: Station) -> dict[str, int]:
    return {one.person: one.left for one in paying.list_dues(station, NOVEMBER)}


# --- a month -----------------------------------------------------------------------


def test_due_paid_and_left_stand_beside_each_other(
    approved: Version, station: Station, give: Give
) -> None:
    assert left(station) == {"Nguyễn Thị Lan": 25_000, "Trần Văn Minh": 5_000}

    give(20_000)

    assert left(station) == {"Nguyễn Thị Lan": 5_000, "Trần Văn Minh": 5_000}
    sums = paying.add_up(paying.list_dues(station, NOVEMBER))
    assert (sums.due, sums.paid, sums.left) == (30_000, 20_000, 10_000)


def test_more_than_due_is_told_as_too_much(
    approved: Version, station: Station, give: Give
) -> None:
    give(30_000, is_sure=True)

    (lan,) = paying.search(
        paying.list_dues(station, NOVEMBER), {"tinh_trang": "over", "tim": "nguyen lan"}
    )
    assert (lan.left, lan.over, lan.state) == (0, 5_000, paying.OVER)


def test_a_debt_to_one_is_not_hidden_by_what_another_or_another_month_got_too_much(
    approved: Version, station: Station, give: Give, lan: Officer
) -> None:
    give(99_000, is_sure=True)
    row = Payment.objects.get()
    told = {"paid_on": row.paid_on, "entered_at": row.entered_at, "entered_by": lan}
    Payment.objects.create(
        unit=station.unit, month=date(2026, 10, 1), person=lan, amount=7_000,
        document="PC-10", folded_document="pc 10", **told,
    )  # fmt: skip

    november = paying.add_up(paying.list_dues(station, NOVEMBER))
    year = paying.read_year(station, 2026)

    assert november == paying.Sums(due=30_000, paid=99_000, left=5_000, over=74_000)
    assert dict(year.months)[NOVEMBER] == november
    assert dict(year.months)[date(2026, 10, 1)].over == 7_000
    assert (year.sums.left, year.sums.over) == (5_000, 81_000)


@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), max_size=9),
    st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), max_size=9),
)
def test_owed_and_overpaid_never_set_each_other_off(
    here: list[tuple[int, int]], there: list[tuple[int, int]]
) -> None:
    sums = paying.Sums.of([*here, *there])

    assert sums == paying.add_sums([paying.Sums.of(here), paying.Sums.of(there)])
    assert sums.left - sums.over == sums.due - sums.paid
    assert bool(sums.left) == any(due > paid for due, paid in [*here, *there])
    assert bool(sums.over) == any(paid > due for due, paid in [*here, *there])


def test_more_than_is_left_needs_a_second_look(
    approved: Version, station: Station, give: Give, now: datetime
) -> None:
    give(20_000)
    more = Paper("PC-13", now.date())

    with pytest.raises(InvalidError) as refused:
        give(99_999, paper=more)

    assert refused.value.code == "reports.pay_over"
    assert refused.value.data == {
        "due": "25.000", "left": "5.000", "amount": "99.999", "over": "94.999",
    }  # fmt: skip
    assert Payment.objects.count() == 1
    give(5_000, paper=more)
    with refusal("reports.pay_over"):
        give(1, paper=Paper("PC-14", now.date()))
    give(1, paper=Paper("PC-14", now.date()), is_sure=True)
    assert paying.add_up(paying.list_dues(station, NOVEMBER)).over == 1


def test_one_document_pays_a_persons_month_once(
    approved: Version, station: Station, give: Give, now: datetime
) -> None:
    give(20_000)

    for again in ("PC-12/2026", "pc 12/2026", "PC\u201112/2026"):
        with refusal("reports.pay_twice"):
            give(1, paper=Paper(again, now.date()))
    give(5_000, paper=Paper("PC-13/2026", now.date()))
    assert left(station)["Nguyễn Thị Lan"] == 0


@pytest.mark.parametrize(
    ("document", "folded"),
    [
        ("PC-12/2026", "pc 12/2026"),
        ("  pc 12/2026 ", "pc 12/2026"),
        ("Phiếu chi số 7", "phieu chi so 7"),
        ("---", ""),
    ],
)
def test_a_document_is_told_apart_by_its_letters_and_digits(
    document: str, folded: str
) -> None:
    assert fold_document(document) == folded


def test_what_cannot_be_paid_is_refused_in_the_action(
    approved: Version, give: Give, hoa: Officer, now: datetime
) -> None:
    today = now.date()
    for changed, code in (
        ({"amount": 0}, "reports.pay_amount"),
        ({"amount": -1}, "reports.pay_amount"),
        ({"amount": 10**13}, "reports.pay_amount"),
        ({"paper": Paper("", today)}, "plan.text_missing"),
        ({"paper": Paper("–", today)}, "plan.text_missing"),
        ({"paper": Paper("PC", today + timedelta(1))}, "reports.pay_day"),
        ({"paper": Paper("PC", date(2026, 10, 31))}, "reports.pay_day"),
        ({"person_id": hoa.pk}, "reports.pay_person"),
    ):
        with pytest.raises(DomainError) as refused:
            give(**changed)
        assert refused.value.code == code, changed
    with pytest.raises(AbsentError):
        give(by=hoa)
    assert not Payment.objects.exists()


def test_the_database_refuses_it_too(approved: Version, give: Give) -> None:
    row = give()
    facts = {
        field.attname: getattr(row, field.attname)
        for field in Payment._meta.concrete_fields
        if field.name not in {"id", "uid"}
    }
    for wrong in (
        {},
        {"folded_document": "b", "amount": 0},
        {"folded_document": "b", "amount": -1},
        {"folded_document": "b", "month": date(2026, 11, 2)},
        {"folded_document": "b", "paid_on": date(2026, 10, 31)},
        {"folded_document": ""},
        {"folded_document": "b", "reason": "Nhầm"},
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            Payment.objects.create(**facts | wrong)
    for change in (
        lambda: Payment.objects.update(amount=1),
        lambda: Payment.objects.all()._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_a_wrong_payment_is_withdrawn_and_stays_and_may_be_written_again(
    approved: Version,
    station: Station,
    give: Give,
    lan: Officer,
    hoa: Officer,
    now: datetime,
) -> None:
    row = give(52_000, is_sure=True)
    told = {"uid": row.uid, "at": now}
    with pytest.raises(AbsentError):
        actions.withdraw_payment(**told, reason="Nhầm", by=hoa)
    with refusal("plan.text_missing"):
        actions.withdraw_payment(**told, reason=" ", by=lan)

    actions.withdraw_payment(**told, reason="Gõ nhầm số", by=lan)

    with refusal("reports.pay_withdrawn"):
        actions.withdraw_payment(**told, reason="Nữa", by=lan)
    with pytest.raises(DatabaseError), transaction.atomic():
        Payment.objects.update(reason="Khác")
    give(25_000)
    (mine,) = paying.search(paying.list_dues(station, NOVEMBER), {"tim": "lan"})
    assert [one.reason for one in mine.payments] == ["Gõ nhầm số", ""]
    assert mine.left == 0


def test_all_that_is_left_is_paid_by_one_document(
    approved: Version,
    station: Station,
    give: Give,
    minh: Officer,
    paper: Paper,
    now: datetime,
) -> None:
    give(20_000, paper=Paper("PC-1", now.date()))
    told = {"station": station, "month": NOVEMBER, "paper": paper}

    made = actions.pay_rest(**told, by=minh, at=now)

    assert sorted(one.amount for one in made) == [5_000, 5_000]
    assert set(left(station).values()) == {0}
    with refusal("reports.pay_settled"):
        actions.pay_rest(**told, by=minh, at=now)


# --- tables ------------------------------------------------------------------------


def test_a_table_is_given_out_filled_and_taken_in_and_again_changes_nothing(
    approved: Version, station: Station, lan: Officer, now: datetime
) -> None:
    told = {"station": station, "month": NOVEMBER, "by": lan, "at": now}

    def take(rows: list[list[object]]) -> Count:
        book = tables.write_xlsx(paying.HEAD, rows)
        return actions.import_payments(**told, rows=tables.read(book))

    rows = [list(row) for row in paying.rows(paying.list_dues(station, NOVEMBER))]
    with refusal("reports.pay_no_rows"):
        take(rows)
    rows[0][-3:] = ["25.000", "24/11/2026", "PC-12"]

    assert take(rows) == Count(1, 0)
    assert take(rows) == Count(0, 1)
    again = [list(row) for row in paying.rows(paying.list_dues(station, NOVEMBER))]
    assert take(again) == Count(0, 1)
    for column, wrong in (
        (-3, "1"), (-3, ATTACK), (-3, "-5"), (-2, "nay"), (-2, ""), (-1, ""),
        (-4, ATTACK),
    ):  # fmt: skip
        spoilt = [list(row) for row in rows]
        spoilt[0][column] = wrong
        with refusal("reports.pay_row"):
            take([*spoilt[1:], spoilt[0]])
    with refusal("reports.pay_headings"):
        actions.import_payments(**told, rows=tables.read(b"A,B\n1,2\n"))
    assert Payment.objects.count() == 1


def test_a_table_that_pays_too_much_names_the_row_and_needs_the_same_tick(
    approved: Version, station: Station, lan: Officer, now: datetime
) -> None:
    told = {"station": station, "month": NOVEMBER, "by": lan, "at": now}
    first = list(paying.rows(paying.list_dues(station, NOVEMBER))[0])
    rows = [
        [*first[:-3], "20.000", "24/11/2026", "PC-1"],
        [*first[:-3], "5.001", "24/11/2026", "PC-2"],
    ]

    def take(**more: bool) -> Count:
        book = tables.write_xlsx(paying.HEAD, rows)
        return actions.import_payments(**told, **more, rows=tables.read(book))

    with pytest.raises(InvalidError) as refused:
        take()

    assert (refused.value.code, refused.value.data["number"]) == ("reports.pay_row", 3)
    assert refused.value.__cause__.code == "reports.pay_over"
    assert not Payment.objects.exists()
    assert take(is_sure=True) == Count(2, 0)
    assert take() == Count(0, 2)


# --- a year ------------------------------------------------------------------------


def test_a_year_stands_beside_the_remuneration_lines_of_plans_that_were_sent(
    approved: Version,
    station: Station,
    give: Give,
    plan: ActionPlan,
    province: Unit,
    quan: Officer,
    now: datetime,
) -> None:
    give(20_000)
    line = {"unit": station.unit, "year": 2026, "source": "counterpart"}
    told = {"plan_id": plan.pk, "by": quan, "at": now}
    plans.set_funding(**told, **line, purpose=money.PAY, amount=15_000)
    plans.set_funding(**told, **line, purpose=money.SET_UP, amount=900_000)
    other = plans.draft_plan(
        unit=province, keeper=province, words=_words(plan), by=quan, at=now
    )
    plans.set_funding(
        **told | {"plan_id": other.pk}, **line, purpose=money.PAY, amount=1
    )

    year = paying.read_year(station, 2026)

    assert (year.sums.due, year.sums.paid, year.sums.left) == (30_000, 20_000, 10_000)
    assert (year.planned, year.unspent, year.lacking) == (15_000, -5_000, 5_000)
    assert dict(year.months)[NOVEMBER].due == 30_000
    assert len(year.months) == 12
    assert paying.read_year(station, 2025).sums.due == 0


def _words(plan: ActionPlan) -> PlanWords:
    return PlanWords(
        title="Bản thảo", first_date=plan.first_date, last_date=plan.last_date
    )


def test_months_add_up_to_the_tables_of_each(
    approved: Version, ia_grai: Unit, dak_doa: Unit
) -> None:
    first, after = date(2026, 1, 1), date(2027, 1, 1)
    for unit in (ia_grai, dak_doa):
        by_hand = {
            (month, line.person_id): line.total
            for month in (date(2026, n, 1) for n in range(1, 13))
            for line in pay.list_lines_of([unit], month=month)
        }
        assert pay.sum_months([unit], first=first, after=after) == by_hand


# --- pages -------------------------------------------------------------------------


def test_what_was_paid_is_written_and_read_on_pages(
    client: Client,
    approved: Version,
    ia_grai: Unit,
    lan: Officer,
    minh: Officer,
    hoa: Officer,
) -> None:
    ask = f"?don_vi={ia_grai.uid}&thang=2026-11"
    page = reverse("reports:payments") + ask

    def post(what: str, **sent: object) -> HttpResponse:
        to = reverse("reports:enter_payment", args=[what]) + ask
        return client.post(to, {"document": "PC-1", "paid_on": "24/11/2026", **sent})

    client.force_login(hoa)
    assert client.get(page).status_code == HTTPStatus.NOT_FOUND
    assert post("het").status_code == HTTPStatus.NOT_FOUND
    client.force_login(lan)
    assert "Ghi trả hết cho 2 người" in client.get(page).text
    wrong = post("mot", person=lan.pk, amount="12.5")
    no_day = post("mot", person=lan.pk, amount="5", paid_on="40/11/2026")
    over = post("mot", person=lan.pk, amount="99.000", document="PC-9")
    # Sure of one sum is not sure of another.
    other = post("mot", person=lan.pk, amount="99.001", sure=f"{lan.pk} 99.000")
    post("mot", person=lan.pk, amount="20.000")
    twice = post("mot", person=lan.pk, amount="1.000")
    client.force_login(minh)
    post("het", document="PC-2")
    row = Payment.objects.get(person=minh)
    back = reverse("reports:withdraw_payment", args=[row.uid])
    bare = client.post(back + ask, {"reason": ""})
    client.post(back + ask, {"reason": "Chưa đưa tiền"})
    table = reverse("reports:payments_file") + ask
    csv = client.get(table)
    book = openpyxl.load_workbook(BytesIO(client.get(f"{table}&dang=xlsx").content))
    file = SimpleUploadedFile("a.csv", csv.content)
    same = post("bang", file=file)

    for answer in (wrong, twice, bare, no_day, over, other):
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "PC-1 đã ghi" in twice.text
    assert "40/11/2026”: không có ngày ấy" in no_day.text
    assert "05:30" not in no_day.text
    for kept in (
        "Trả thừa 74.000 đồng là đúng", f'value="{lan.pk} 99.000"', 'value="PC-9"',
        'value="99.000"', 'value="24/11/2026"',
    ):  # fmt: skip
        assert kept in over.text, kept
    assert over.text.count("thừa 74.000 đồng. Hãy sửa lại") == 2
    assert same.status_code == HTTPStatus.FOUND
    shown = client.get(page).text
    assert "Chưa đưa tiền" in shown
    assert "2 như cũ" in shown
    assert "Còn 5.000 đồng" in shown
    assert [cell.value for cell in book.active[1]] == list(paying.HEAD)
    assert "Trần Văn Minh,5000,0,5000,0" in csv.text
    owed = client.get(page, {**_asked(ask), "tinh_trang": "owed"})
    assert "Trần Văn Minh</span>" in owed.text
    assert "Nguyễn Thị Lan</span><span class" not in owed.text


def _asked(query: str) -> dict[str, str]:
    return dict(part.split("=") for part in query.removeprefix("?").split("&"))


def test_a_year_is_shown_and_says_where_the_plan_lacks_a_line(
    client: Client, approved: Version, ia_grai: Unit, lan: Officer, hoa: Officer
) -> None:
    page = reverse("reports:payments_year")
    asked = {"don_vi": ia_grai.uid, "nam": "2026"}
    client.force_login(hoa)
    assert client.get(page, asked).status_code == HTTPStatus.NOT_FOUND
    client.force_login(lan)

    shown = client.get(page, asked).text
    file = client.get(reverse("reports:payments_year_file"), asked).text

    assert "Kế hoạch chưa có dòng thù lao" in shown
    assert "tab " not in shown
    assert "30.000 đồng" in shown
    assert "11/2026,30000,0,30000,0" in file

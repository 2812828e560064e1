"""Dashboards: figures, targets and months; communes in colour, ranked, as a table."""

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from http import HTTPStatus

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from nguon.indicators import actions as indicators
from nguon.indicators import queries as counted
from nguon.indicators import rules as periods
from nguon.indicators.catalogue import COUNT, INDICATORS, SHARE
from nguon.indicators.models import DayFact, FactDay
from nguon.people.models import Officer
from nguon.plan.models import ActionPlan, Target
from nguon.reports import actions, charts, dashboards, scoring
from nguon.territory.models import Unit
from tests.conftest import make_unit
from tests.plan.conftest import draft as plan_draft
from tests.plan.conftest import old_map

__all__ = ["old_map", "plan_draft"]
pytestmark = pytest.mark.django_db
NOVEMBER = periods.months(2026, 11, 1)
ASKED = {"ky": "khac", "tu": "01/11/2026", "den": "30/11/2026"}
JSON = {"accept": "application/json"}
Tell = Callable[..., None]


@pytest.fixture
def tell(now: datetime) -> Tell:
    """Return a function that writes the day's numbers of a unit."""

    def do(unit: Unit, day: date = NOVEMBER.first, **numbers: int) -> None:
        FactDay.objects.get_or_create(day=day, defaults={"counted_at": now})
        for measure, number in numbers.items():
            if not number:
                continue  # what is 0 has no row
            DayFact.objects.create(
                day=day, unit=unit, place=unit, measure=measure, number=number
            )

    return do


@pytest.fixture
def told(tell: Tell, ia_grai: Unit, dak_doa: Unit, province: Unit) -> None:
    """Three of four speakers sound in Lan's commune; Hoa's has no speaker at all."""
    make_unit("commune", "23999", "Xã Kông Chro", province)
    tell(ia_grai, in_use=4, audible=3, bulletins=2, sounded=5)
    tell(ia_grai, date(2026, 10, 31), in_use=4, audible=2, bulletins=1)
    tell(dak_doa, bulletins=3)


def promise(
    plan: ActionPlan, unit: Unit, code: str, value: str, *, at: datetime
) -> None:
    """Have a plan sent down with a target for 2026."""
    Target.objects.create(
        plan=plan, unit=unit, year=2026, indicator=code, value=Decimal(value),
        is_share=INDICATORS[code].ratio == SHARE, set_by=plan.created_by, set_at=at,
    )  # fmt: skip
    plan.state, plan.sent_by, plan.sent_at = "sent", plan.created_by, at
    plan.save()


def board(client: Client, officer: Officer, **asked: str) -> str:
    client.force_login(officer)
    answer = client.get(reverse("dashboards:board"), ASKED | asked)
    assert answer.status_code == HTTPStatus.OK
    return answer.content.decode()


# --- rules --------------------------------------------------------------------------

FIGURES = st.floats(0, 1e6, allow_nan=False)


@given(st.dictionaries(st.integers(), st.none() | FIGURES), st.booleans())
def test_equals_share_a_rank_and_what_is_missing_has_none(
    values: dict[int, float | None], less: bool
) -> None:
    ranks = scoring.rank(values, less=less)

    known = {key: value for key, value in values.items() if value is not None}
    assert set(ranks) == set(known)
    for key, value in known.items():
        better = sum(
            (other < value) if less else (other > value) for other in known.values()
        )
        assert ranks[key] == better + 1


@given(st.lists(FIGURES), st.sampled_from([SHARE, COUNT]))
def test_a_scale_never_turns_two_figures_around(
    values: list[float], ratio: str
) -> None:
    values = [min(value, 100.0) for value in values] if ratio == SHARE else values
    scale = charts.make_scale(values, ratio, "%")

    levels = [scale.level(value) for value in sorted(values)]
    assert levels == sorted(levels)
    assert all(0 <= level < 5 for level in levels)
    assert len(scale.legend) == (len(scale.steps) + 1 if values or scale.steps else 0)


def test_many_zeros_take_no_class_from_the_other_figures() -> None:
    bulletins = [0.0] * 128 + [1.0, 2.0, 3.0, 5.0, 8.0, 8.0, 9.0]

    scale = charts.make_scale(bulletins, COUNT, "tin")

    assert scale.level(0) == 0
    assert {scale.level(value) for value in bulletins} == {0, 1, 2, 3, 4}
    assert scale.legend[:2] == [(0, "0"), (1, "1 – dưới 2")]
    assert charts.make_scale([0.0] * 135, COUNT, "tin").legend == [(0, "0")]
    assert charts.make_scale([3.0] * 4, COUNT, "tin").legend == [(0, "3")]


def test_a_month_without_figure_breaks_the_line_and_is_no_0() -> None:
    drawn = charts.draw_trend([None, 50.0, 100.0, None, 0.0], SHARE, 90.0)

    assert len(drawn.lines) == 1
    assert [y for _x, y in drawn.dots] == [22.0, 4.0, 40.0]
    assert drawn.target_y == pytest.approx(7.6)
    assert "2 tháng chưa đếm được" in drawn.words
    assert charts.draw_trend([None] * 3, COUNT, None).words == "3 tháng chưa đếm được"


# --- one unit -----------------------------------------------------------------------


def test_a_figure_stands_beside_its_target_and_its_months(
    client: Client, told: None, ia_grai: Unit, minh: Officer, quan: Officer,
    plan_draft: ActionPlan, now: datetime,
) -> None:  # fmt: skip
    promise(plan_draft, ia_grai, "devices_audible", "70", at=now)
    promise(plan_draft, ia_grai, "bulletins", "40", at=now)
    indicators.roll_figures(at=now)

    page = board(client, minh)
    found = dashboards.read_board(ia_grai, NOVEMBER)

    cards = {card.figure.indicator.code: card for card in found.cards}
    audible, bulletins = cards["devices_audible"], cards["bulletins"]
    assert audible.figure.value == 75
    assert audible.reaches is True
    assert list(audible.months[-2:]) == [50, 75]
    assert set(audible.months[:-2]) == {None}
    # A year's count is not held against one month.
    assert bulletins.target == 40
    assert bulletins.reaches is None
    assert "Đạt</b> chỉ tiêu năm: 70 %" in page
    assert found.counted_at == now
    year = dashboards.read_board(ia_grai, periods.months(2026, 1, 12))
    of_year = {card.figure.indicator.code: card for card in year.cards}
    assert of_year["bulletins"].reaches is False


def test_the_later_plan_stands_and_a_draft_promises_nothing(
    told: None, ia_grai: Unit, plan_draft: ActionPlan, now: datetime
) -> None:
    Target.objects.create(
        plan=plan_draft, unit=ia_grai, year=2026, indicator="alert_seconds",
        value=9, is_share=False, set_by=plan_draft.created_by, set_at=now,
    )  # fmt: skip
    assert dashboards.list_targets([ia_grai], year=2026) == {}

    plan_draft.state, plan_draft.sent_by = "sent", plan_draft.created_by
    plan_draft.sent_at = now
    plan_draft.save()

    found = dashboards.list_targets([ia_grai], year=2026)
    assert found[ia_grai.pk, "alert_seconds"].value == 9
    assert dashboards.list_targets([ia_grai], year=2025) == {}


def test_what_nobody_counted_says_so_and_every_figure_opens_to_its_facts(
    client: Client, told: None, minh: Officer
) -> None:
    page = board(client, minh)

    assert "Không phải bằng 0" in page
    assert "chưa đếm được" in page
    links = re.findall(r'href="(/chi-tieu/[^"]+)"', page)
    assert len(links) == len(INDICATORS)
    for link in links[:3] + links[-2:]:
        answer = client.get(link.replace("&amp;", "&"))
        assert answer.status_code == HTTPStatus.OK, link
    empty = board(client, minh, tu="01/01/2024", den="31/01/2024")
    assert "Kỳ này chưa có con số nào" in empty


def test_a_dashboard_is_given_as_a_file_and_to_programs(
    client: Client, told: None, minh: Officer, now: datetime
) -> None:
    indicators.roll_figures(at=now)
    client.force_login(minh)

    table = client.get(reverse("dashboards:board_file"), ASKED).content.decode()
    facts = client.get(reverse("dashboards:board"), ASKED, headers=JSON).json()

    assert "Thiết bị nghe được,75,%," in table
    assert table.splitlines()[0].endswith("10/2026,11/2026")
    figures = {one["code"]: one for one in facts["figures"]}
    assert figures["devices_audible"]["above"] == 3
    assert figures["reflections"]["value"] is None


def test_hoa_neither_sees_lans_commune_nor_the_communes_side_by_side(
    client: Client, told: None, hoa: Officer, ia_grai: Unit, province: Unit
) -> None:
    own = board(client, hoa)

    assert "Đak Đoa" in own
    assert "Ia Grai" not in own
    for unit in (ia_grai, province):
        for name in ("board", "board_file", "communes", "communes_file"):
            answer = client.get(
                reverse(f"dashboards:{name}"), ASKED | {"don_vi": unit.uid}
            )
            assert answer.status_code == HTTPStatus.NOT_FOUND, (name, unit)
    answer = client.get(reverse("dashboards:communes"), ASKED)
    assert answer.status_code == HTTPStatus.NOT_FOUND


# --- communes side by side ----------------------------------------------------------


def test_communes_are_coloured_ranked_and_told_in_a_table(
    client: Client, told: None, quan: Officer, ia_grai: Unit
) -> None:
    client.force_login(quan)
    address = reverse("dashboards:communes")

    page = client.get(address, ASKED).content.decode()
    bulletins = client.get(address, ASKED | {"chi_tieu": "bulletins"}, headers=JSON)
    searched = client.get(address, ASKED | {"tim": "ia grai"}).content.decode()
    table = client.get(reverse("dashboards:communes_file"), ASKED).content.decode()

    assert "chưa có số: 2 xã" in page
    assert page.count('class="level-none"') == page.count("url(#none)") == 1
    assert "Xã Ia Grai: 75 %" in page
    assert "không có gì để tính" in page
    assert [
        (one["name"], one["rank"], one["value"]) for one in bulletins.json()["communes"]
    ] == [("Xã Đak Đoa", 1, 3.0), ("Xã Ia Grai", 2, 2.0), ("Xã Kông Chro", 3, 0.0)]
    assert "<td>" in searched
    assert "Kông Chro</a></td>" not in searched
    assert "1,23764,Xã Ia Grai,75,%" in table
    assert "riêng cấp này" not in page
    absent = client.get(address, ASKED | {"chi_tieu": "reflections"}, headers=JSON)
    assert {one["value"] for one in absent.json()["communes"]} == {None}
    wrong = client.get(address, ASKED | {"chi_tieu": "nonsense"})
    assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


def test_what_the_province_did_itself_has_a_line_and_all_add_up(
    client: Client, told: None, tell: Tell, quan: Officer, province: Unit, now: datetime
) -> None:
    tell(province, date(2026, 10, 31), bulletins=3)
    client.force_login(quan)
    days = {"ky": "khac", "tu": "01/10/2026", "den": "31/10/2026"}
    wanted = days | {"chi_tieu": "bulletins"}

    page = client.get(reverse("dashboards:communes"), wanted).content.decode()
    table = client.get(reverse("dashboards:communes_file"), wanted).content.decode()
    october = periods.months(2026, 10, 1)
    row = actions.publish_figures(
        unit=province, days=october, codes=["bulletins"], by=quan, at=now
    )
    address = reverse("open_data:figures", args=[row.uid])
    public = client.get(address, {"chi_tieu": "bulletins"}).content.decode()

    assert "4 tin" in page
    for said in (page, public):
        assert 'Tỉnh Gia Lai (riêng cấp này)</td><td class="num">3<' in said
    assert "52,Tỉnh Gia Lai (riêng cấp này),3,tin" in table


@pytest.mark.parametrize(
    ("end", "code", "words"),
    [
        ("01/10/2026", "indicators.period", "ít nhất một ngày"),
        ("hôm kia", "indicators.period_unreadable", "Chưa đọc được ngày"),
    ],
)
def test_days_that_cannot_be_read_leave_the_form_on_the_page(
    client: Client, told: None, quan: Officer, end: str, code: str, words: str
) -> None:
    client.force_login(quan)
    wrong = {"ky": "khac", "tu": "31/10/2026", "den": end}

    answer = client.get(reverse("dashboards:board"), wrong)

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    said = answer.content.decode()
    assert words in said
    assert 'value="31/10/2026"' in said
    side = client.get(reverse("dashboards:communes"), wrong)
    assert side.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert words in side.content.decode()
    assert 'name="chi_tieu"' in side.content.decode()
    told_program = client.get(reverse("dashboards:board"), wrong, headers=JSON)
    assert told_program.json()["code"] == code


def test_an_earlier_period_is_compared_on_either_map_with_equal_totals(
    client: Client, tell: Tell, old_map: Sequence[Unit], province: Unit, quan: Officer
) -> None:
    june = periods.months(2025, 6, 1)
    _old, _west, _east, *communes = old_map
    for unit, number in zip(communes, (10, 5, 7), strict=True):
        tell(unit, june.first, bulletins=number)

    then = dashboards.compare(province, june, "bulletins", on_map_of_then=True)
    today = dashboards.compare(province, june, "bulletins")

    assert then.total.value == today.total.value == 22
    assert [place.unit.code for place in then.places] == ["23770", "23677", "23764"]
    assert [place.value for place in then.places] == [10, 7, 5]
    assert {place.unit.code: place.value for place in today.places} == {
        "23764": 15, "23677": 0,
    }  # fmt: skip
    assert dashboards.has_other_map(province, june)
    assert not dashboards.has_other_map(province, NOVEMBER)
    client.force_login(quan)
    days = {"ky": "khac", "tu": "01/06/2025", "den": "30/06/2025"}
    asked = days | {"chi_tieu": "bulletins"}
    address = reverse("dashboards:communes")
    shown = client.get(address, asked).content.decode()
    assert "Xem theo địa giới khi đó" in shown
    past = client.get(address, asked | {"ban_do": "khi-do"}).content.decode()
    assert "Ia Kha" in past
    assert "chưa có đường ranh giới" in past
    facts = client.get(reverse("indicators:figure", args=["bulletins"]), days)
    assert "Ia Kha" in facts.content.decode()


def test_who_has_only_a_part_of_a_divided_commune_does_not_see_it(
    tell: Tell, old_map: Sequence[Unit], ia_grai: Unit, dak_doa: Unit
) -> None:
    june = periods.months(2025, 6, 1)
    for unit in old_map[3:]:
        tell(unit, june.first, bulletins=4)

    then = dashboards.compare(ia_grai, june, "bulletins", on_map_of_then=True)

    assert [place.unit.code for place in then.places] == ["23764", "23770"]
    assert then.total.value == 8


def test_more_communes_ask_no_more_of_the_database(
    client: Client, told: None, tell: Tell, province: Unit, quan: Officer, now: datetime
) -> None:
    client.force_login(quan)
    names = ("dashboards:board", "dashboards:communes")

    def count() -> list[int]:
        indicators.roll_figures(at=now)
        found = []
        for name in names:
            with CaptureQueriesContext(
                connection,
            ) as asked:
                assert client.get(reverse(name), ASKED).status_code == HTTPStatus.OK
            found.append(len(asked))
        return found

    count()
    few = count()
    for number in range(9):
        unit = make_unit("commune", f"9000{number}", f"Xã Số {number}", province)
        tell(unit, in_use=4, audible=number % 4)
    FactDay.objects.update(counted_at=now.replace(hour=4))

    assert count() == few
    figures = counted.list_figures(province, NOVEMBER)
    assert {one.indicator.code: one.value for one in figures}["devices_audible"] == (
        pytest.approx(100 * (3 + sum(n % 4 for n in range(9))) / 40)
    )

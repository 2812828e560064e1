"""The pages of figures, as officers of one ground and of another open them."""

from datetime import date
from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from nguon.core.errors import InvalidError
from nguon.indicators import asked
from nguon.indicators.catalogue import INDICATORS
from nguon.people.models import Officer
from nguon.territory.models import Succession, Unit
from tests.indicators.conftest import Week
from tests.plan.conftest import past_unit

pytestmark = pytest.mark.django_db
SPAN = {"ky": "khac", "tu": "24/11/2026", "den": "30/11/2026"}
JSON = {"accept": "application/json"}


def test_figures_are_listed_searched_opened_and_given_as_a_file(
    client: Client, week: Week, quan: Officer, province: Unit
) -> None:
    client.force_login(quan)

    page = client.get(reverse("indicators:figures"), SPAN).content.decode()
    found = client.get(
        reverse("indicators:figures"), SPAN | {"tim": "thoi luong"}
    ).content.decode()
    table = client.get(reverse("indicators:figures_file"), SPAN).content.decode()

    assert "đã đếm 7/7 ngày" in page
    assert "Phản ánh của người dân đã nhận" in page
    assert "chưa đếm được" in page
    assert "Thời lượng đã phát, cộng mọi loa" in found
    assert "Bản tin đã phát hành" not in found
    assert table.count("\n") == len(INDICATORS) + 1
    for code in INDICATORS:
        answer = client.get(reverse("indicators:figure", args=[code]), SPAN)
        assert answer.status_code == HTTPStatus.OK, code
    bulletins = client.get(reverse("indicators:figure", args=["bulletins"]), SPAN)
    assert "Lĩnh vực" in bulletins.content.decode()
    suppliers = client.get(reverse("indicators:figure", args=["suppliers"]), SPAN)
    told = suppliers.content.decode().split("<h2>Chia theo</h2>")[1]
    names = told.split("</table>")[0].count("<tr>") - 1
    value = client.get(suppliers.wsgi_request.get_full_path(), headers=JSON).json()
    assert names == value["value"] > 0
    assert "Tự soạn" in told
    behind = client.get(reverse("indicators:figure_file", args=["bulletins"]), SPAN)
    assert "bản tin được duyệt" in behind.content.decode()
    # As people and their spreadsheets write numbers here.
    assert ".0" not in behind.content.decode()


def test_another_commune_neither_sees_nor_asks_for_ours(
    client: Client, week: Week, hoa: Officer, ia_grai: Unit, province: Unit
) -> None:
    client.force_login(hoa)
    address = reverse("indicators:figures")

    own = client.get(address, SPAN, headers=JSON).json()["figures"]

    assert {one["unit"] for one in own} == {"Xã Đak Đoa"}
    for unit in (ia_grai, province):
        wanted = SPAN | {"don_vi": unit.uid}
        for name, args in (
            ("figures", []), ("figures_file", []), ("figure", ["bulletins"]),
            ("figure_file", ["bulletins"]),
        ):  # fmt: skip
            answer = client.get(reverse(f"indicators:{name}", args=args), wanted)
            assert answer.status_code == HTTPStatus.NOT_FOUND, (name, unit)


@pytest.mark.parametrize(
    "typed", [{"tu": "hôm kia", "den": "30/11/2026"}, {"tu": "30/11/2026", "den": ""}]
)
def test_days_that_cannot_be_read_are_refused_in_words(
    client: Client, lan: Officer, typed: dict[str, str]
) -> None:
    client.force_login(lan)

    for address in (
        reverse("indicators:figures"),
        reverse("indicators:figure", args=["bulletins"]),
    ):
        answer = client.get(address, {"ky": "khac"} | typed)
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "Chưa đọc được ngày" in answer.content.decode()
        assert 'name="tu" value="' + typed["tu"] in answer.content.decode()


def test_a_unit_of_then_is_refused_by_the_names_of_its_heirs(
    client: Client, admin: Officer, ia_grai: Unit
) -> None:
    old = past_unit("commune", "23770", "Xã Ia Tô")
    Succession.objects.create(old=old, new=ia_grai, kind="whole")
    wanted = SPAN | {"don_vi": old.uid}
    client.force_login(admin)

    page = client.get(reverse("indicators:figures"), wanted)
    told = client.get(reverse("indicators:figures"), wanted, headers=JSON)
    one = client.get(reverse("indicators:figure", args=["bulletins"]), wanted)

    assert "Xã Ia Grai" in page.content.decode()
    assert told.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert told.json()["data"]["heirs"] == "Xã Ia Grai"
    assert one.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    # On its own map it has figures as every other.
    then = wanted | {"tu": "01/06/2025", "den": "30/06/2025"}
    assert client.get(reverse("indicators:figures"), then).status_code == HTTPStatus.OK


def test_nothing_to_divide_by_is_words_and_never_a_number(
    client: Client, week: Week, admin: Officer, third: Unit
) -> None:
    client.force_login(admin)
    wanted = SPAN | {"don_vi": third.uid}

    page = client.get(reverse("indicators:figure", args=["devices_audible"]), wanted)
    cost = client.get(reverse("indicators:figure", args=["cluster_cost"]), wanted)

    assert "Không có gì để tính" in page.content.decode()
    assert "địa bàn này chưa ghi" in cost.content.decode()


@pytest.mark.parametrize("code", ["minutes_played", "staff", "communes_sounding"])
def test_where_no_day_was_counted_no_place_has_a_0(
    client: Client, week: Week, quan: Officer, code: str
) -> None:
    client.force_login(quan)
    address = reverse("indicators:figure", args=[code])
    before = {"ky": "khac", "tu": "01/11/2026", "den": "07/11/2026"}

    then = client.get(address, before, headers=JSON).json()
    counted = client.get(address, SPAN, headers=JSON).json()

    assert {one["value"] for one in then["places"]} <= {None}
    assert "chưa đếm" in client.get(address, before).text.lower()
    assert any(one["value"] is not None for one in counted["places"])


@pytest.mark.parametrize("code", ["=cmd", "bulletins'--", "x" * 300])
def test_a_figure_that_is_none_is_not_found_or_refused(
    client: Client, lan: Officer, code: str
) -> None:
    client.force_login(lan)

    answer = client.get(f"/chi-tieu/{code}/")

    assert answer.status_code in {
        HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY,
    }  # fmt: skip


@given(
    st.sampled_from([*asked.SPANS, "", "=cmd"]),
    st.text(max_size=12),
    st.one_of(st.text(max_size=12), st.dates().map(lambda day: f"{day:%d/%m/%Y}")),
    st.dates(date(2, 1, 1), date(9998, 1, 1)),
)
def test_whatever_is_asked_is_a_period_or_refused(
    span: str, first: str, last: str, today: date
) -> None:
    code, days = "", 0
    try:
        period = asked.period_of(span, {"tu": first, "den": last}, today=today)
        period.check()
        days = period.days
    except InvalidError as refused:
        code = refused.code

    if days < 1:
        assert code in {"indicators.period", "indicators.period_unreadable"}

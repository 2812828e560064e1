"""The pages of figures, as officers of one ground and of another open them."""

from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import reverse

from nguon.indicators.catalogue import INDICATORS
from nguon.people.models import Officer
from nguon.territory.models import Unit
from tests.indicators.conftest import Week

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
    assert "Thời lượng đã phát" in found
    assert "Bản tin đã phát hành" not in found
    assert table.count("\n") == len(INDICATORS) + 1
    for code in INDICATORS:
        answer = client.get(reverse("indicators:figure", args=[code]), SPAN)
        assert answer.status_code == HTTPStatus.OK, code
    bulletins = client.get(reverse("indicators:figure", args=["bulletins"]), SPAN)
    assert "Lĩnh vực" in bulletins.content.decode()
    behind = client.get(reverse("indicators:figure_file", args=["bulletins"]), SPAN)
    assert "bản tin được duyệt" in behind.content.decode()


def test_another_commune_neither_sees_nor_asks_for_ours(
    client: Client, week: Week, hoa: Officer, ia_grai: Unit, province: Unit
) -> None:
    client.force_login(hoa)
    address = reverse("indicators:figures")

    own = client.get(address, SPAN, headers=JSON).json()["figures"]

    assert {one["unit"] for one in own} == {"Xã Đak Đoa"}
    for unit in (ia_grai, province):
        asked = SPAN | {"don_vi": unit.uid}
        for name, args in (
            ("figures", []), ("figures_file", []), ("figure", ["bulletins"]),
            ("figure_file", ["bulletins"]),
        ):  # fmt: skip
            answer = client.get(reverse(f"indicators:{name}", args=args), asked)
            assert answer.status_code == HTTPStatus.NOT_FOUND, (name, unit)


@pytest.mark.parametrize(
    "asked", [{"tu": "hôm kia", "den": "30/11/2026"}, {"tu": "30/11/2026", "den": ""}]
)
def test_days_that_cannot_be_read_are_refused_in_words(
    client: Client, lan: Officer, asked: dict[str, str]
) -> None:
    client.force_login(lan)

    answer = client.get(reverse("indicators:figures"), {"ky": "khac"} | asked)

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Chưa đọc được ngày" in answer.content.decode()

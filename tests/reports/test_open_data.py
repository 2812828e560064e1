"""Open data: only what an approver published, explained, and nothing about a few."""

import csv
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from http import HTTPStatus
from io import StringIO

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from nguon.core.errors import AbsentError
from nguon.indicators import rules as periods
from nguon.indicators.catalogue import COUNT, INDICATORS
from nguon.indicators.rules import RECIPES, Ratio, value_of
from nguon.people.access import NoRightError
from nguon.people.models import Officer
from nguon.reports import actions, charts, open_files, opening
from nguon.reports.models import Publication, PublishedFigure, ScoreSheet
from nguon.reports.views import public
from nguon.territory.models import Unit
from tests.conftest import make_officer
from tests.reports.conftest import refusal
from tests.reports.test_dashboards import Tell, tell, told
from tests.reports.test_scores import NEXT_YEAR, published, sheet, tri

__all__ = ["published", "sheet", "tell", "told", "tri"]
pytestmark = pytest.mark.django_db
OCTOBER = periods.months(2026, 10, 1)
CODES = ["devices_audible", "bulletins", "alert_sounded", "staff"]


@pytest.fixture(autouse=True)
def _fresh_bucket() -> Iterator[None]:
    """Let every test look as often as one address may."""
    public._looks._held.clear()
    yield
    public._looks._held.clear()


@pytest.fixture
def open_row(
    told: None, tell: Tell, dak_doa: Unit, province: Unit, quan: Officer, now: datetime
) -> Publication:
    tell(dak_doa, date(2026, 10, 31), in_use=2, audible=1)
    return actions.publish_figures(
        unit=province, days=OCTOBER, codes=CODES, by=quan, at=now
    )


def page(client: Client, name: str, *args: str, **asked: str) -> str:
    answer = client.get(reverse(f"open_data:{name}", args=args), asked)
    assert answer.status_code == HTTPStatus.OK
    return answer.content.decode()


# --- rules --------------------------------------------------------------------------


@given(
    st.sampled_from(sorted(RECIPES)),
    st.integers(0, 50),
    st.integers(0, 50),
    st.booleans(),
)
def test_no_line_tells_of_a_few_people(
    code: str, above: int, below: int, is_total: bool
) -> None:
    one = INDICATORS[code]
    ratio = Ratio(above, above + below if one.ratio != COUNT else 0)

    line = opening.make_line(one, ratio, is_total=is_total)

    if code not in opening.ABOUT_PEOPLE:
        assert line is not None
        assert line.missing != opening.HIDDEN
    elif not is_total:
        assert line is None
    else:
        assert line is not None
        told_of = [above] if one.ratio == COUNT else [above, below, above + below]
        if any(0 < number < opening.FEWEST for number in told_of):
            assert line == opening.Line(None, None, opening.HIDDEN)


def test_what_nobody_counted_is_no_0() -> None:
    for code in RECIPES:
        line = opening.make_line(INDICATORS[code], None, is_total=True)
        assert line == opening.Line(None, None, opening.NOT_COUNTED)
    audible = INDICATORS["devices_audible"]
    nothing = opening.make_line(audible, Ratio(), is_total=True)
    assert nothing == opening.Line(None, None, opening.NOTHING)


@pytest.mark.parametrize(
    ("above", "below", "shown"),
    [(21, 22, "95.5"), (1, 3, "33.3"), (949, 2000, "47.5"), (9999, 10000, "100.0")],
)
def test_a_share_is_rounded_once_from_the_exact_one_wherever_it_stands(
    above: int, below: int, shown: str
) -> None:
    audible = INDICATORS["devices_audible"]
    ratio = Ratio(above, below)
    line = opening.make_line(audible, ratio, is_total=True)
    assert line is not None
    published, counted = opening.value_of(audible, line), value_of(audible, ratio)
    assert published is not None
    assert counted is not None

    assert periods.shown(published) == periods.shown(counted) == Decimal(shown)
    assert charts.write(published) == charts.write(counted)
    assert charts.write(counted) == periods.cell(periods.shown(counted))


# --- publishing ---------------------------------------------------------------------


def test_figures_are_published_by_an_approver_of_the_province_once(
    open_row: Publication, province: Unit, ia_grai: Unit, quan: Officer, minh: Officer,
    now: datetime,
) -> None:  # fmt: skip
    asked = {"codes": CODES, "at": now}
    with refusal("reports.published_twice"):
        actions.publish_figures(unit=province, days=OCTOBER, by=quan, **asked)
    with pytest.raises(AbsentError):
        actions.publish_figures(unit=province, days=OCTOBER, by=minh, **asked)
    with refusal("reports.publish_unit"):
        actions.publish_figures(unit=ia_grai, days=OCTOBER, by=minh, **asked)
    november = periods.months(2026, 11, 1)
    with refusal("reports.publish_early"):
        actions.publish_figures(unit=province, days=november, by=quan, **asked)
    before = periods.months(2024, 10, 1)
    with refusal("reports.publish_uncounted"):
        actions.publish_figures(unit=province, days=before, by=quan, **asked)
    with refusal("reports.publish_nothing"):
        actions.publish_figures(unit=province, days=before, codes=[], by=quan, at=now)

    lines = {
        (row.unit.code, row.indicator): (row.above, row.below, row.missing)
        for row in open_row.figures.select_related("unit")
    }
    assert lines["52", "devices_audible"] == (3, 6, "")
    assert lines["23764", "devices_audible"] == (2, 4, "")
    assert lines["23999", "devices_audible"] == (None, None, opening.NOTHING)
    assert lines["52", "staff"] == (None, None, opening.NOT_COUNTED)
    assert not [key for key in lines if key[1] == "staff" and key[0] != "52"]


def test_an_author_does_not_publish(province: Unit, now: datetime) -> None:
    author = make_officer("ksor", "Ksor Mai", (province, "author"))
    with pytest.raises(NoRightError):
        actions.publish_figures(
            unit=province, days=OCTOBER, codes=CODES, by=author, at=now
        )


def test_what_was_published_stands_until_it_is_withdrawn_with_a_reason(
    client: Client, open_row: Publication, ia_grai: Unit, province: Unit, quan: Officer,
    now: datetime,
) -> None:  # fmt: skip
    for refused in (
        lambda: PublishedFigure.objects.update(above=0),
        lambda: PublishedFigure.objects.all().delete(),
        lambda: Publication.objects.update(counted_days=9),
        lambda: Publication.objects.all().delete(),
        lambda: Publication.objects.update(withdrawn_by=quan, withdrawn_at=now),
        lambda: PublishedFigure.objects.create(
            publication=open_row, unit=ia_grai, indicator="staff", above=2
        ),
        lambda: PublishedFigure.objects.create(
            publication=open_row, unit=ia_grai, indicator="suppliers"
        ),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            refused()
    with refusal("plan.text_missing"):
        actions.withdraw_figures(
            publication_id=open_row.pk, reason=" ", by=quan, at=now
        )
    actions.withdraw_figures(
        publication_id=open_row.pk, reason="Đếm thiếu một ngày", by=quan, at=now
    )

    gone = client.get(reverse("open_data:figures", args=[open_row.uid]))
    assert gone.status_code == HTTPStatus.GONE
    assert "Đếm thiếu một ngày" in gone.content.decode()
    for name in ("table", "data"):
        answer = client.get(reverse(f"open_data:{name}", args=[open_row.uid]))
        assert answer.status_code == HTTPStatus.GONE
        assert "Đếm thiếu một ngày" in answer.content.decode()
    assert "Chưa có số liệu nào" in page(client, "index")
    again = actions.publish_figures(
        unit=province, days=OCTOBER, codes=CODES, by=quan, at=now
    )
    assert again.uid != open_row.uid


def test_an_approver_publishes_and_withdraws_in_the_browser(
    client: Client, told: None, province: Unit, quan: Officer, hoa: Officer
) -> None:
    client.force_login(quan)
    index = reverse("dashboards:published")
    assert "Chưa công bố kỳ nào" in client.get(index).content.decode()
    days = {"unit": province.uid, "kind": "month", "year": "2026", "number": "10"}
    seen = client.get(reverse("dashboards:prepare"), days).content.decode()
    send = reverse("dashboards:publish")
    none = client.post(send, days)
    client.post(send, days | {"codes": ["devices_audible"]})
    row = Publication.objects.get()
    listed = client.get(index).content.decode()

    assert "01/10/2026 đến 31/10/2026" in seen
    assert none.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Chưa chọn con số nào" in none.content.decode()
    assert "Phạm Quân công bố" in listed
    assert "50</b> %" in page(client, "figures", row.uid)
    back = reverse("dashboards:withdraw", args=[row.uid])
    again = client.get(reverse("dashboards:prepare"), days).content.decode()
    assert "đã công bố" in again
    assert send not in again
    client.force_login(hoa)
    read = client.get(index).content.decode()
    assert "01/10/2026 đến 31/10/2026" in read
    assert back not in read
    assert client.post(back, {"reason": "x"}).status_code == HTTPStatus.NOT_FOUND
    assert "chưa có quyền" in client.get(reverse("dashboards:prepare")).content.decode()
    client.force_login(quan)
    client.post(back, {"reason": "Sai kỳ"})
    row.refresh_from_db()
    assert row.reason == "Sai kỳ"


# --- what anybody reads -------------------------------------------------------------


def test_anybody_reads_published_figures_as_page_table_and_data(
    client: Client, open_row: Publication
) -> None:
    index = page(client, "index")
    communes = page(client, "figures", open_row.uid, chi_tieu="devices_audible")
    people = page(client, "figures", open_row.uid, chi_tieu="staff")
    answer = client.get(reverse("open_data:table", args=[open_row.uid]))
    data = client.get(reverse("open_data:data", args=[open_row.uid])).json()
    listed = client.get(reverse("open_data:catalogue")).json()

    assert "50</b> %" in index
    assert "Nghị định 194/2025/NĐ-CP" in index
    assert "Xã Ia Grai" in communes
    assert "2 / 4" in communes
    assert "chỉ công bố chung cả tỉnh Gia Lai" in people
    assert answer.content.startswith("\ufeff".encode())
    rows = list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))
    assert tuple(rows[0]) == open_files.HEAD
    first = next(row for row in rows if row["indicator"] == "devices_audible")
    assert first["unit_code"] == "52"
    assert Decimal(first["value"]) == 50
    assert first["method"].startswith("thiết bị nghe được ở cuối kỳ chia cho")
    assert (first["period_from"], first["counted_days"]) == ("2026-10-01", "1")
    assert data["publisher_code"] == "52"
    same = next(one for one in data["figures"] if one["indicator"] == "devices_audible")
    assert same["numerator"] == 3
    assert data["terms"] == opening.TERMS
    assert {one["missing"] for one in data["figures"] if one["value"] is None} == {
        "không có gì để tính", "chưa đếm được",
    }  # fmt: skip
    (one,) = listed["publications"]
    assert client.get(one["csv"]).status_code == HTTPStatus.OK
    assert client.get(one["page"]).status_code == HTTPStatus.OK


def test_what_is_the_same_is_not_sent_twice_and_may_be_cached(
    client: Client, open_row: Publication
) -> None:
    for name, args in (
        ("index", []), ("catalogue", []), ("figures", [open_row.uid]),
        ("table", [open_row.uid]), ("data", [open_row.uid]),
    ):  # fmt: skip
        address = reverse(f"open_data:{name}", args=args)
        first = client.get(address)
        again = client.get(address, headers={"if-none-match": first["ETag"]})
        assert first["Cache-Control"] == "public, max-age=300", name
        assert again.status_code == HTTPStatus.NOT_MODIFIED, name
        assert again.content == b""


def test_who_asks_too_often_waits(client: Client, open_row: Publication) -> None:
    address = reverse("open_data:data", args=[open_row.uid])
    answers = [client.get(address).status_code for _ in range(62)]

    assert answers[0] == HTTPStatus.OK
    assert answers[-1] == HTTPStatus.TOO_MANY_REQUESTS


def test_nothing_internal_is_public(
    client: Client, open_row: Publication, sheet: ScoreSheet, quan: Officer
) -> None:
    shown = page(client, "index") + page(client, "catalogue")
    shown += page(client, "data", open_row.uid)

    assert quan.full_name not in shown
    assert sheet.uid not in shown
    hidden = client.get(reverse("open_data:score", args=[sheet.uid]))
    assert hidden.status_code == HTTPStatus.NOT_FOUND
    unknown = client.get(reverse("open_data:figures", args=["abcdefghijkl"]))
    assert unknown.status_code == HTTPStatus.NOT_FOUND


def test_weights_are_public_once_published_and_results_once_shown(
    client: Client, told: None, published: ScoreSheet, tri: Officer
) -> None:
    before = client.get(reverse("open_data:score_data", args=[published.uid])).json()
    waits = page(client, "score", published.uid)
    actions.show_results(sheet_id=published.pk, by=tri, at=NEXT_YEAR)
    after = client.get(reverse("open_data:score_data", args=[published.uid])).json()

    assert [one["weight"] for one in before["weights"]] == [50, 30, 20]
    assert before["results"] == []
    assert "chưa công khai" in waits
    assert {one["unit_code"]: one["points"] for one in after["results"]} == {
        "23764": 83.33, "23677": None, "23999": None,
    }  # fmt: skip
    assert "83,33" in page(client, "score", published.uid)
    assert "chưa đánh giá được" in page(client, "score", published.uid)
    assert "points" in page(client, "score_table", published.uid)

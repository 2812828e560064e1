"""What an accepted report tells becomes a figure; who has not told is named, not 0."""

from datetime import datetime
from http import HTTPStatus

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from nguon.indicators import actions as indicators
from nguon.indicators import queries, rules
from nguon.indicators.catalogue import INDICATORS
from nguon.indicators.models import ReportedFigure
from nguon.indicators.rules import Period, Ratio, months
from nguon.people.models import Officer
from nguon.reports import actions
from nguon.reports.models import Submission
from nguon.territory.models import Succession, Unit
from tests.plan.conftest import past_unit
from tests.reports.conftest import OCTOBER, accept, fill, refusal, send

pytestmark = pytest.mark.django_db
BOARDS, REACHED = "large_boards", "villages_reached"
SPAN = {"ky": "khac", "tu": "01/10/2026", "den": "31/10/2026"}


def figure(unit: Unit, code: str, period: Period = OCTOBER) -> queries.Figure:
    told = queries.list_figures(unit, period)
    return next(one for one in told if one.indicator.code == code)


def bring(
    row: Submission, writer: Officer, quan: Officer, at: datetime, **told: object
) -> None:
    fill(row, writer, at, **told)
    send(row, writer, at)
    accept(row, quan, at)


def test_a_figure_stands_from_acceptance_to_unlocking(
    row: Submission, ia_grai: Unit, minh: Officer, quan: Officer, now: datetime
) -> None:
    fill(row, minh, now, f1=8, f2=(6, 8))
    send(row, minh, now)
    before = figure(ia_grai, BOARDS)
    accept(row, quan, now)
    accepted = figure(ia_grai, BOARDS)
    actions.unlock(submission_id=row.pk, reason="Sai số bảng", by=quan, at=now)
    unlocked = figure(ia_grai, BOARDS)
    bring(row, minh, quan, now, f1=9, f2=(6, 8))

    assert (before.value, before.missing) == (None, rules.NOT_REPORTED)
    assert accepted.value == 8
    assert (unlocked.value, unlocked.missing) == (None, rules.NOT_REPORTED)
    assert figure(ia_grai, BOARDS).value == 9
    assert ReportedFigure.objects.filter(withdrawn_at=None).count() == 2


def test_the_province_adds_and_says_who_is_missing(
    row: Submission,
    other: Submission,
    top: Submission,
    province: Unit,
    minh: Officer,
    hoa: Officer,
    quan: Officer,
    tri: Officer,
    now: datetime,
) -> None:
    bring(row, minh, quan, now, f1=8, f2=(6, 8))
    alone = figure(province, REACHED)
    bring(other, hoa, quan, now, f1=4, f2=(10, 40))
    send(top, quan, now)
    accept(top, tri, now)

    assert (alone.value, alone.told, alone.communes) == (75, 1, 2)
    boards, reached = figure(province, BOARDS), figure(province, REACHED)
    assert (boards.value, boards.told, boards.communes) == (12, 2, 2)
    # 16 of 48, not the mean of 75 % and 25 %; the synthesis is not counted again.
    assert reached.value == pytest.approx(100 * 16 / 48)


@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.integers(1, 500)).map(
            lambda two: (min(two), max(two))
        ),
        min_size=1,
        max_size=8,
    )
)
def test_a_share_of_units_is_a_share_of_sums(pairs: list[tuple[int, int]]) -> None:
    rolled = rules.roll_up(Ratio(above, below) for above, below in pairs)

    value = rules.value_of(INDICATORS[REACHED], rolled)

    above, below = (sum(side) for side in zip(*pairs, strict=True))
    assert value == pytest.approx(100 * above / below)


def test_of_several_periods_the_latest_tells_how_things_stood(
    ia_grai: Unit, quan: Officer, now: datetime
) -> None:
    for number, boards in ((9, 5), (10, 8)):
        indicators.record_reported(
            submission=f"aaaaaaaaaa{number:02}",
            unit=ia_grai,
            period=months(2026, number, 1),
            figures={BOARDS: (boards, None)},
            by=quan,
            at=now,
        )

    assert figure(ia_grai, BOARDS, months(2026, 1, 12)).value == 8
    assert figure(ia_grai, BOARDS, months(2026, 9, 1)).value == 5
    assert figure(ia_grai, BOARDS, months(2026, 11, 1)).missing == rules.NOT_REPORTED


def test_figures_of_old_units_add_up_on_the_map_of_today(
    province: Unit, ia_grai: Unit, quan: Officer, now: datetime
) -> None:
    old = [past_unit("commune", f"2374{n}", f"Xã Cũ {n}", province) for n in (1, 2)]
    for n, unit in enumerate(old):
        Succession.objects.create(old=unit, new=ia_grai, kind="whole")
        indicators.record_reported(
            submission=f"aaaaaaaaaaa{n}",
            unit=unit,
            period=months(2025, 5, 1),
            figures={BOARDS: (n + 3, None)},
            by=quan,
            at=now,
        )

    table = queries.count_places(ia_grai, months(2025, 5, 1), day=now.date())

    assert table.total(BOARDS) == Ratio(7, 0)


def test_what_is_counted_and_who_did_not_exist_are_refused(
    ia_grai: Unit, quan: Officer, now: datetime
) -> None:
    told = {"submission": "a" * 12, "unit": ia_grai, "by": quan, "at": now}
    with refusal("indicators.not_reported"):
        indicators.record_reported(
            **told, period=OCTOBER, figures={"minutes_played": (1, None)}
        )
    with refusal("indicators.unit_of_then"):
        indicators.record_reported(
            **told, period=months(1990, 1, 1), figures={BOARDS: (1, None)}
        )


@pytest.mark.parametrize(
    "wrong", [{"above": -1}, {"above": 9, "below": 8, "is_share": True}]
)
def test_a_figure_that_cannot_be_is_refused_by_the_database(
    ia_grai: Unit, quan: Officer, now: datetime, wrong: dict[str, object]
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ReportedFigure.objects.create(
            indicator=REACHED,
            unit=ia_grai,
            first_date=OCTOBER.first,
            after_date=OCTOBER.after,
            submission="a" * 12,
            recorded_by=quan,
            recorded_at=now,
            **wrong,
        )


def test_a_figure_is_withdrawn_once_and_never_changed(
    row: Submission, minh: Officer, quan: Officer, now: datetime
) -> None:
    bring(row, minh, quan, now, f1=8, f2=(6, 8))
    rows = ReportedFigure.objects.filter(indicator=REACHED)

    for change in ({"above": 7}, {"below": 9}, {"submission": "b" * 12}):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.delete()
    actions.unlock(submission_id=row.pk, reason="Sai", by=quan, at=now)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(withdrawn_by=None, withdrawn_at=None)


def test_pages_show_the_figure_its_reports_and_who_has_not_told(
    client: Client,
    row: Submission,
    other: Submission,
    minh: Officer,
    hoa: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    bring(row, minh, quan, now, f1=8, f2=(6, 8))
    client.force_login(quan)
    address = reverse("indicators:figure", args=[REACHED])

    index = client.get(reverse("indicators:figures"), SPAN).content.decode()
    shown = client.get(address, SPAN).content.decode()
    file = client.get(
        reverse("indicators:figure_file", args=[REACHED]), SPAN
    ).content.decode()

    assert "1/2 xã, phường đã báo cáo; chưa gồm các nơi khác" in index
    assert "75 %" in shown
    assert reverse("reports:submission", args=[row.uid]) in shown
    assert "chưa báo cáo" in shown
    assert "kỳ 01/10/2026–31/10/2026" in file
    client.force_login(hoa)
    own = client.get(address, SPAN)
    assert own.status_code == HTTPStatus.OK
    assert row.uid not in own.content.decode()

"""The evaluation score: published weights, what is not counted left out, ranks."""

from datetime import UTC, date, datetime
from decimal import Decimal
from http import HTTPStatus

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from nguon.core.errors import AbsentError, InvalidError, RefusedError
from nguon.indicators.catalogue import INDICATORS, MEAN
from nguon.people.access import NoRightError
from nguon.people.models import Officer
from nguon.plan.models import ActionPlan
from nguon.reports import actions, dashboards, score_queries, scoring
from nguon.reports.models import ScoreLine, ScoreResult, ScoreSheet
from nguon.reports.scoring import LineWords, Part, Score
from nguon.territory.models import Unit
from tests.conftest import make_officer
from tests.plan.conftest import draft as plan_draft
from tests.reports.conftest import refusal
from tests.reports.test_dashboards import Tell, promise, tell, told

__all__ = ["plan_draft", "tell", "told"]
pytestmark = pytest.mark.django_db
LINES = [
    LineWords("devices_audible", 50, Decimal(90)),
    LineWords("bulletins", 30),
    LineWords("alert_seconds", 20, Decimal(10)),
]
NEXT_YEAR = datetime(2027, 1, 5, 3, tzinfo=UTC)


@pytest.fixture
def tri(province: Unit) -> Officer:
    """Return an approver of the province who wrote nothing."""
    return make_officer("tri", "Kpă Trí", (province, "approver"))


@pytest.fixture
def sheet(province: Unit, quan: Officer, now: datetime) -> ScoreSheet:
    made = actions.draft_sheet(unit=province, year=2026, by=quan, at=now)
    return write(made, quan, now)


def write(
    sheet: ScoreSheet, by: Officer, at: datetime, lines: list[LineWords] = LINES
) -> ScoreSheet:
    return actions.write_sheet(
        sheet_id=sheet.pk, lines=lines, least_covered=60, by=by, at=at
    )


@pytest.fixture
def published(sheet: ScoreSheet, tri: Officer, now: datetime) -> ScoreSheet:
    return actions.publish_sheet(sheet_id=sheet.pk, by=tri, at=now)


# --- rules --------------------------------------------------------------------------

AMOUNTS = st.floats(0, 1e9, allow_nan=False)
PARTS = st.lists(
    st.tuples(
        st.sampled_from(sorted(INDICATORS)),
        st.integers(1, 100),
        st.none() | AMOUNTS,
        st.none() | AMOUNTS,
    ),
    max_size=12,
)


def make(parts: list[tuple[str, int, float | None, float | None]]) -> Score:
    return Score([Part(INDICATORS[code], *rest) for code, *rest in parts])


@given(PARTS)
def test_a_score_is_between_0_and_100_over_what_could_be_assessed(
    parts: list[tuple[str, int, float | None, float | None]],
) -> None:
    score = make(parts)

    assessed = [one for one in parts if one[2] is not None and one[3] is not None]
    assert score.covered == sum(one[1] for one in assessed)
    if not assessed:
        assert score.points is None
    else:
        assert score.points is not None
        assert 0 <= score.points <= 100


@given(PARTS, st.sampled_from(sorted(INDICATORS)), st.integers(1, 100))
def test_what_is_not_counted_changes_no_score(
    parts: list[tuple[str, int, float | None, float | None]], code: str, weight: int
) -> None:
    more = [*parts, (code, weight, None, 50.0), (code, weight, 50.0, None)]

    assert make(more).points == make(parts).points
    assert make(more).covered == make(parts).covered


@given(AMOUNTS, AMOUNTS, AMOUNTS, st.booleans())
def test_a_better_figure_never_scores_less_and_the_target_gives_all(
    first: float, second: float, target: float, less: bool
) -> None:
    worse, better = sorted((first, second), reverse=less)

    assert scoring.share_of(worse, target, less=less) <= scoring.share_of(
        better, target, less=less
    )
    assert scoring.share_of(target, target, less=less) == 1
    assert 0 <= scoring.share_of(first, target, less=less) <= 1


@given(
    st.dictionaries(st.integers(), PARTS.map(make), max_size=8),
    st.integers(1, 100),
)
def test_only_who_is_assessed_enough_is_ranked(
    scores: dict[int, Score], least: int
) -> None:
    ranks = scoring.rank_scores(scores, least=least)

    assert set(ranks) == {
        key
        for key, score in scores.items()
        if score.points is not None and score.covered >= least
    }
    for key, rank in ranks.items():
        ahead = [one for one in ranks if scores[one].points > scores[key].points]
        assert rank == len(ahead) + 1


def test_fewer_hours_seconds_and_dong_are_better() -> None:
    less = {code for code, one in INDICATORS.items() if one.less_is_better}
    assert less == {"repair_hours", "alert_seconds", "cluster_cost"}
    assert {INDICATORS[code].ratio for code in less} == {MEAN}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (("reflections", 10, None), "reports.not_countable"),
        (("nonsense", 10, None), "indicators.unknown"),
        (("bulletins", 0, None), "reports.weight"),
        (("bulletins", 101, None), "reports.weight"),
        (("bulletins", 10, Decimal(0)), "reports.full_at"),
        (("devices_audible", 10, Decimal(101)), "indicators.value_range"),
    ],
)
def test_a_line_that_cannot_score_is_refused(
    line: tuple[str, int, Decimal | None], code: str
) -> None:
    with refusal(code):
        scoring.check_line(*line)


# --- sheets -------------------------------------------------------------------------


def test_communes_are_scored_by_the_sheet_and_what_is_missing_says_why(
    told: None, sheet: ScoreSheet, ia_grai: Unit, plan_draft: ActionPlan, now: datetime
) -> None:
    promise(plan_draft, ia_grai, "bulletins", "6", at=now)

    found = {row.unit.code: row for row in score_queries.score_communes(sheet)}

    # 75 % of 90 %, 3 of 6 bulletins; no alert was ever due.
    row = found["23764"]
    assert row.score.covered == 80
    assert row.score.points == Decimal("70.83")
    assert row.rank == 1
    assert [part.missing for part in row.score.parts] == [
        "", "", dashboards.NOTHING,
    ]  # fmt: skip
    # Without speakers and without a target of its own nothing can be assessed.
    other = found["23677"]
    assert other.score.points is None
    assert other.rank is None
    assert [part.missing for part in other.score.parts] == [
        dashboards.NOTHING, score_queries.NO_TARGET, dashboards.NOTHING,
    ]  # fmt: skip


def test_a_sheet_is_published_by_another_and_locked_everywhere(
    sheet: ScoreSheet, quan: Officer, tri: Officer, minh: Officer, now: datetime
) -> None:
    with refusal("reports.own_sheet"):
        actions.publish_sheet(sheet_id=sheet.pk, by=quan, at=now)
    with pytest.raises(AbsentError):
        actions.publish_sheet(sheet_id=sheet.pk, by=minh, at=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        ScoreSheet.objects.filter(pk=sheet.pk).update(
            state="published", published_by=quan, published_at=now
        )
    actions.publish_sheet(sheet_id=sheet.pk, by=tri, at=now)

    with refusal("reports.sheet_locked"):
        write(sheet, quan, now)
    with refusal("reports.sheet_locked"):
        actions.publish_sheet(sheet_id=sheet.pk, by=tri, at=now)
    line = sheet.lines.get(indicator="bulletins")
    for refused in (
        lambda: ScoreLine.objects.filter(pk=line.pk).update(weight=31),
        lambda: ScoreLine.objects.filter(pk=line.pk).delete(),
        lambda: ScoreLine.objects.create(sheet=sheet, indicator="staff", weight=1),
        lambda: ScoreSheet.objects.filter(pk=sheet.pk).update(least_covered=1),
        lambda: ScoreSheet.objects.filter(pk=sheet.pk).update(
            state="draft", published_by=None, published_at=None
        ),
        lambda: ScoreSheet.objects.filter(pk=sheet.pk).delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            refused()


def test_weights_that_are_not_100_are_refused_in_action_and_database(
    sheet: ScoreSheet, quan: Officer, tri: Officer, now: datetime
) -> None:
    with refusal("reports.weights_sum"):
        write(sheet, quan, now, [*LINES, LineWords("suppliers", 1)])
    write(sheet, quan, now, LINES[:2])

    with refusal("reports.weights_sum"):
        actions.publish_sheet(sheet_id=sheet.pk, by=tri, at=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        ScoreSheet.objects.filter(pk=sheet.pk).update(
            state="published", published_by=tri, published_at=now
        )
    for weight, full_at in ((0, None), (101, None), (5, 0)):
        with pytest.raises(IntegrityError), transaction.atomic():
            ScoreLine.objects.create(
                sheet=sheet, indicator="staff", weight=weight, full_at=full_at
            )


def test_a_year_has_one_sheet_that_takes_over_the_lines_of_the_year_before(
    sheet: ScoreSheet, province: Unit, ia_grai: Unit, quan: Officer, minh: Officer,
    now: datetime,
) -> None:  # fmt: skip
    with refusal("reports.sheet_twice"):
        actions.draft_sheet(unit=province, year=2026, by=quan, at=now)
    with refusal("reports.sheet_year"):
        actions.draft_sheet(unit=province, year=2029, by=quan, at=now)
    with pytest.raises(InvalidError):
        actions.draft_sheet(unit=ia_grai, year=2026, by=quan, at=now)
    with pytest.raises(NoRightError):
        actions.draft_sheet(unit=ia_grai, year=2026, by=minh, at=now)

    after = actions.draft_sheet(unit=province, year=2027, by=quan, at=now)

    assert sorted(after.lines.values_list("indicator", "weight")) == sorted(
        (line.indicator, line.weight) for line in LINES
    )


def test_results_are_shown_once_the_year_is_over_and_stand_from_then_on(
    told: None, published: ScoreSheet, tri: Officer, tell: Tell, ia_grai: Unit,
    now: datetime,
) -> None:  # fmt: skip
    with pytest.raises(RefusedError):
        actions.show_results(sheet_id=published.pk, by=tri, at=now)
    shown = actions.show_results(sheet_id=published.pk, by=tri, at=NEXT_YEAR)
    with refusal("reports.results_shown"):
        actions.show_results(sheet_id=published.pk, by=tri, at=NEXT_YEAR)
    tell(ia_grai, date(2026, 12, 30), in_use=4)

    kept = {row.unit.code: row for row in score_queries.list_results(shown)}
    assert {code: (row.rank, row.covered) for code, row in kept.items()} == {
        "23764": (None, 50), "23677": (None, 0), "23999": (None, 0),
    }  # fmt: skip
    assert kept["23764"].points == Decimal("83.33")
    fresh = {row.unit.code: row for row in score_queries.score_communes(shown)}
    assert fresh["23764"].score.points == 0
    for refused in (
        lambda: ScoreResult.objects.update(points=99),
        lambda: ScoreResult.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            refused()


# --- screens ------------------------------------------------------------------------


def test_a_sheet_is_written_published_and_read_in_the_browser(
    client: Client, told: None, province: Unit, quan: Officer, tri: Officer,
    minh: Officer, ia_grai: Unit,
) -> None:  # fmt: skip
    client.force_login(quan)
    index = reverse("dashboards:sheets")
    assert "Chưa có bảng điểm nào" in client.get(index).content.decode()
    make = reverse("dashboards:create_sheet")
    client.post(make, {"unit": province.uid, "year": "2026"})
    twice = client.post(make, {"unit": province.uid, "year": "2026"})
    sheet = ScoreSheet.objects.get()
    before = client.get(index).content.decode()
    assert "Đã có bảng, không lập lại được: 2026 (Tỉnh Gia Lai)" in before
    assert 'value="2027"' in before
    save = reverse("dashboards:write_sheet", args=[sheet.uid])
    typed = {
        "weight_devices_audible": "70",
        "full_devices_audible": "90",
        "least_covered": "60",
    }
    over = client.post(save, typed | {"weight_bulletins": "40"})
    client.post(save, typed | {"weight_bulletins": "30", "full_bulletins": "6"})
    own = client.get(reverse("dashboards:sheet", args=[sheet.uid])).content.decode()

    assert twice.status_code == over.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert 'value="40"' in over.content.decode()
    assert "phải đúng 100" in over.content.decode()
    assert "Người duyệt khác với người vừa sửa" in own
    client.force_login(minh)
    hidden = client.get(reverse("dashboards:sheet", args=[sheet.uid]))
    assert hidden.status_code == HTTPStatus.NOT_FOUND
    client.force_login(tri)
    client.post(reverse("dashboards:publish_sheet", args=[sheet.uid]))
    table = client.get(reverse("dashboards:sheet_file", args=[sheet.uid]))
    assert '1,23764,Xã Ia Grai,"73,33",100' in table.content.decode()

    # A commune reads the weights and its own score, and no other.
    client.force_login(minh)
    page = client.get(reverse("dashboards:sheet", args=[sheet.uid])).content.decode()
    assert "Đủ điểm khi" in page
    assert "Ia Grai" in page
    assert "Đak Đoa" not in page
    mine = client.get(reverse("dashboards:score", args=[sheet.uid, ia_grai.uid]))
    assert "73,33 điểm" in mine.content.decode()
    other = Unit.objects.get(code="23677")
    theirs = client.get(reverse("dashboards:score", args=[sheet.uid, other.uid]))
    assert theirs.status_code == HTTPStatus.NOT_FOUND
    assert client.post(save, typed).status_code == HTTPStatus.NOT_FOUND

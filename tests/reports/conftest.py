"""A form of the province for two communes, and its period of October 2026."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from nguon.core.errors import DomainError
from nguon.indicators.rules import Period as Days
from nguon.indicators.rules import months
from nguon.people.models import Officer
from nguon.reports import actions, rules
from nguon.reports.models import Form, Period, Submission
from nguon.reports.rules import FieldWords, Pair, Typed
from nguon.territory.models import Unit
from tests.conftest import make_officer

OCTOBER: Days = months(2026, 10, 1)
DAY = timedelta(days=1)
BOARDS = FieldWords(indicator="large_boards", most=Decimal(50))
REACHED = FieldWords(indicator="villages_reached")
COUNTED = FieldWords(indicator="minutes_played")
WORDS = FieldWords(name="Khó khăn, kiến nghị", ratio=rules.TEXT, is_needed=False)


def refusal(code: str) -> "pytest.RaisesExc[DomainError]":
    return pytest.raises(DomainError, check=lambda error: error.code == code)


def typed(period: Period, **told: object) -> dict[int, Typed]:
    """Return answers by the number of a field: `f1=8`, `f2=(6, 8)`, `f4="words"`.

    `e1="…"` explains field 1.
    """
    found = {}
    for field in period.form.fields.all():
        key = f"f{field.number}"
        note = str(told.get(f"e{field.number}", ""))
        if key not in told and not note:
            continue
        value = told.get(key)
        if isinstance(value, str):
            found[field.pk] = Typed(words=value, explanation=note)
        elif isinstance(value, tuple):
            above, below = (Decimal(str(part)) for part in value)
            found[field.pk] = Typed(Pair(above, below), explanation=note)
        else:
            above = None if value is None else Decimal(str(value))
            found[field.pk] = Typed(Pair(above), explanation=note)
    return found


def fill(row: Submission, by: Officer, at: datetime, **told: object) -> Submission:
    """Save answers on the newest revision."""
    row.refresh_from_db()
    return actions.save_answers(
        submission_id=row.pk,
        revision=row.revision,
        typed=typed(row.period, **told),
        by=by,
        at=at,
    )


def send(row: Submission, by: Officer, at: datetime, words: str = "") -> Submission:
    """Send the newest revision."""
    row.refresh_from_db()
    return actions.send(
        submission_id=row.pk, revision=row.revision, words=words, by=by, at=at
    )


def accept(row: Submission, by: Officer, at: datetime) -> Submission:
    """Accept the newest revision."""
    row.refresh_from_db()
    return actions.accept(submission_id=row.pk, revision=row.revision, by=by, at=at)


@pytest.fixture
def tri(province: Unit) -> Officer:
    """Return a second approver of the province: nobody accepts their own report."""
    return make_officer("tri", "Kpă Trí", (province, "approver"))


@pytest.fixture
def form(province: Unit, quan: Officer, now: datetime) -> Form:
    made = actions.create_form(
        unit=province, level="commune", title="Báo cáo thông tin cơ sở", by=quan, at=now
    )
    for words in (BOARDS, REACHED, COUNTED, WORDS):
        actions.add_field(form_id=made.pk, words=words, by=quan, at=now)
    return made


@pytest.fixture
def period(
    form: Form,
    ia_grai: Unit,
    dak_doa: Unit,
    lan: Officer,
    minh: Officer,
    hoa: Officer,
    quan: Officer,
    now: datetime,
) -> Period:
    """Return October, asked of both communes; due on 4 November."""
    return actions.open_period(
        form_id=form.pk,
        kind=rules.MONTH,
        days=OCTOBER,
        due_days=3,
        is_sure=True,
        by=quan,
        at=now,
    )


@pytest.fixture
def row(period: Period, ia_grai: Unit) -> Submission:
    """Return what Lan's commune reports."""
    return period.submissions.select_related("period__form").get(unit=ia_grai)


@pytest.fixture
def other(period: Period, dak_doa: Unit) -> Submission:
    """Return what Hoa's commune reports."""
    return period.submissions.select_related("period__form").get(unit=dak_doa)


@pytest.fixture
def top(period: Period, province: Unit) -> Submission:
    """Return what sums both up."""
    return period.submissions.select_related("period__form").get(unit=province)

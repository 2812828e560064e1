"""A form is fixed by its first period; a period asks every unit and reminds them."""

import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from nguon.core.errors import AbsentError
from nguon.indicators.rules import Period as Days
from nguon.indicators.rules import months
from nguon.people.models import Notice, Officer
from nguon.reports import actions, queries, rules
from nguon.reports.models import Field, Form, Period, Submission
from nguon.reports.rules import FieldWords
from nguon.territory.models import Unit
from tests.conftest import make_unit
from tests.plan.conftest import old_map
from tests.reports.conftest import BOARDS, OCTOBER, fill, refusal, send

__all__ = ["old_map"]
pytestmark = pytest.mark.django_db
NOVEMBER = months(2026, 11, 1)


def at_ten(day: int) -> datetime:
    """Return ten in the morning in Gia Lai, in December."""
    return datetime(2026, 12, day, 3, 0, tzinfo=UTC)


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
    """Return November, opened while it runs; due on Thursday, 3 December."""
    return actions.open_period(
        form_id=form.pk,
        kind=rules.MONTH,
        days=NOVEMBER,
        due_days=3,
        is_sure=True,
        by=quan,
        at=now,
    )


def test_a_form_takes_an_indicator_once_and_no_range_that_is_empty(
    form: Form, quan: Officer, now: datetime
) -> None:
    told = {"form_id": form.pk, "by": quan, "at": now}
    with refusal("reports.indicator_twice"):
        actions.add_field(**told, words=BOARDS)
    with refusal("reports.range_empty"):
        words = FieldWords(name="Đài", least=Decimal(5), most=Decimal(4))
        actions.add_field(**told, words=words)
    with refusal("indicators.unknown"):
        actions.add_field(**told, words=FieldWords(indicator="=cmd"))
    with refusal("reports.ratio"):
        actions.add_field(**told, words=FieldWords(name="Đài", ratio="average"))


def test_fields_are_fixed_from_the_first_period_on_in_the_database_too(
    period: Period, quan: Officer, now: datetime
) -> None:
    told = {"form_id": period.form_id, "by": quan, "at": now}
    field = period.form.fields.all()[0]

    with refusal("reports.form_used"):
        actions.add_field(**told, words=FieldWords(name="Đài"))
    with refusal("reports.form_used"):
        actions.remove_field(**told, field_id=field.pk)
    with pytest.raises(DatabaseError), transaction.atomic():
        Field.objects.filter(pk=field.pk).update(most=7)
    with pytest.raises(DatabaseError), transaction.atomic():
        field.delete()


def test_a_period_asks_every_unit_and_each_level_between(
    period: Period, province: Unit, ia_grai: Unit, dak_doa: Unit, lan: Officer
) -> None:
    rows = {row.unit: row for row in period.submissions.select_related("unit")}

    assert set(rows) == {province, ia_grai, dak_doa}
    assert rows[ia_grai].above == rows[dak_doa].above == rows[province]
    assert rows[province].above is None
    assert period.due_date == date(2026, 12, 3)
    assert Notice.objects.filter(officer=lan, subject__contains="03/12/2026").exists()


def test_villages_are_summed_up_by_their_communes_and_those_by_the_province(
    province: Unit,
    ia_grai: Unit,
    dak_doa: Unit,
    village: Unit,
    quan: Officer,
    now: datetime,
) -> None:
    form = actions.create_form(
        unit=province, level="village", title="Cụm loa", by=quan, at=now
    )
    actions.add_field(form_id=form.pk, words=FieldWords(name="Cụm"), by=quan, at=now)

    period = actions.open_period(
        form_id=form.pk,
        kind=rules.MONTH,
        days=OCTOBER,
        due_days=3,
        is_sure=True,
        by=quan,
        at=now,
    )

    rows = {row.unit: row for row in period.submissions.select_related("unit")}
    assert set(rows) == {province, ia_grai, village}
    assert rows[village].above == rows[ia_grai]
    assert rows[ia_grai].above == rows[province]


def test_the_same_days_are_not_asked_twice(
    period: Period, quan: Officer, now: datetime
) -> None:
    told = {"form_id": period.form_id, "due_days": 3, "by": quan, "at": now}
    with refusal("reports.period_twice"):
        actions.open_period(**told, kind=rules.MONTH, days=NOVEMBER)
    assert Period.objects.count() == 1


def test_a_period_of_units_that_went_is_refused_with_their_names(
    old_map: Sequence[Unit], form: Form, quan: Officer, admin: Officer, now: datetime
) -> None:
    told = {"kind": rules.MONTH, "due_days": 3, "at": now}
    with refusal("reports.nobody"):
        actions.open_period(**told, form_id=form.pk, days=months(2025, 6, 1), by=quan)

    old = actions.create_form(
        unit=old_map[0], level="commune", title="Cũ", by=admin, at=now
    )
    actions.add_field(form_id=old.pk, words=FieldWords(name="Đài"), by=admin, at=now)
    with refusal("reports.map_changed"):
        actions.open_period(**told, form_id=old.pk, days=months(2025, 6, 1), by=admin)
    assert not Period.objects.exists()


def test_only_who_asks_opens_and_closes(
    form: Form, period: Period, lan: Officer, quan: Officer, now: datetime
) -> None:
    with pytest.raises(AbsentError):
        actions.close_period(period_id=period.pk, by=lan, at=now)
    with pytest.raises(AbsentError):
        actions.open_period(
            form_id=form.pk,
            kind=rules.RANGE,
            days=Days(date(2026, 9, 1), date(2026, 9, 9)),
            is_sure=True,
            due_days=3,
            by=lan,
            at=now,
        )
    actions.close_period(period_id=period.pk, by=quan, at=now)
    with refusal("reports.closed"):
        actions.close_period(period_id=period.pk, by=quan, at=now)


def test_nothing_moves_in_a_closed_period(
    row: Submission, lan: Officer, quan: Officer, now: datetime
) -> None:
    actions.close_period(period_id=row.period_id, by=quan, at=now)

    with refusal("reports.closed"):
        fill(row, lan, now, f1=8)


def test_who_has_not_sent_is_reminded_before_on_and_weekly_after(
    row: Submission, other: Submission, lan: Officer, minh: Officer, hoa: Officer
) -> None:
    fill(row, lan, at_ten(1), f1=8, f2=(6, 8))
    send(row, minh, at_ten(1))
    last = Notice.objects.latest("pk").pk
    told = {day: actions.remind(at=at_ten(day)) for day in (1, 2, 3, 4, 5, 10, 11)}

    # Both what is not sent and the province's own that sums up.
    assert told == {1: 2, 2: 0, 3: 2, 4: 2, 5: 0, 10: 0, 11: 2}
    mine = Notice.objects.filter(officer=hoa, pk__gt=last).order_by("pk")
    assert [notice.subject.rsplit(", ", 1)[1] for notice in mine] == [
        "hạn 03/12/2026",
        "hạn 03/12/2026",
        "quá hạn 1 ngày",
        "quá hạn 8 ngày",
    ]
    assert not Notice.objects.filter(officer=lan, pk__gt=last).exists()


def test_where_nobody_writes_who_waits_for_it_is_told(
    period: Period, province: Unit, quan: Officer
) -> None:
    lonely = make_unit("commune", "23999", "Xã Kông Chro", province)
    top = period.submissions.get(unit=province)
    Submission.objects.create(period=period, unit=lonely, above=top)

    actions.remind(at=at_ten(1))

    bodies = Notice.objects.filter(officer=quan).values_list("body", flat=True)
    assert any("Xã Kông Chro" in body for body in bodies)


def test_a_running_period_reminds_nobody(
    form: Form, ia_grai: Unit, quan: Officer, now: datetime
) -> None:
    actions.open_period(
        form_id=form.pk,
        kind=rules.YEAR,
        days=months(2026, 1, 12),
        due_days=3,
        by=quan,
        at=now,
    )

    assert actions.remind(at=now) == 0


def test_late_and_incomplete_are_two_words(
    row: Submission,
    other: Submission,
    lan: Officer,
    minh: Officer,
    hoa: Officer,
    quan: Officer,
) -> None:
    fill(row, lan, at_ten(2), f1=8, e2="Chưa có lớp nào")
    send(row, minh, at_ten(3))
    fill(other, hoa, at_ten(4), f1=9, f2=(9, 9))
    send(other, hoa, at_ten(4))

    def units(wanted: str) -> list[str]:
        found = queries.list_submissions(
            quan,
            {"tinh_trang": wanted},
            today=date(2026, 12, 4),
            at=at_ten(4),
            period=row.period,
        )
        return [one.unit.name for one in found]

    assert units("late") == ["Gia Lai", "Đak Đoa"]
    assert units("incomplete") == ["Gia Lai", "Ia Grai"]


def test_what_is_sent_on_the_due_day_in_vietnam_is_in_time(
    row: Submission, lan: Officer, minh: Officer
) -> None:
    fill(row, lan, at_ten(2), f1=8, f2=(6, 8))
    # Half past eleven at night in Gia Lai.
    sent = send(row, minh, datetime(2026, 12, 3, 16, 30, tzinfo=UTC))

    assert sent.first_sent_on == date(2026, 12, 3)
    assert not sent.late_words(date(2026, 12, 31))


def test_a_return_does_not_make_late_what_came_in_time(
    row: Submission, lan: Officer, minh: Officer, quan: Officer
) -> None:
    fill(row, lan, at_ten(2), f1=8, f2=(6, 8))
    send(row, minh, at_ten(3))
    actions.send_back(submission_id=row.pk, reason="Sai", by=quan, at=at_ten(6))

    again = send(row, minh, at_ten(6) + timedelta(hours=1))

    assert again.first_sent_on == date(2026, 12, 3)
    assert not again.late_words(date(2026, 12, 31))
    assert again.sent_words == "gửi lần đầu 03/12/2026, gửi lại 06/12/2026"


def test_what_was_returned_is_late_while_it_is_waited_for(
    row: Submission, lan: Officer, minh: Officer, quan: Officer
) -> None:
    fill(row, lan, at_ten(2), f1=8, f2=(6, 8))
    send(row, minh, at_ten(3))
    actions.send_back(submission_id=row.pk, reason="Sai", by=quan, at=at_ten(6))
    last = Notice.objects.latest("pk").pk

    actions.remind(at=at_ten(11))

    row.refresh_from_db()
    told = Notice.objects.get(officer=lan, pk__gt=last).subject
    assert told.startswith("Báo cáo bị trả lại, chưa gửi lại: ")
    assert told.endswith(row.late_words(date(2026, 12, 11)))
    assert row.late_words(date(2026, 12, 11)) == "quá hạn 8 ngày"


def test_list_count_and_rule_say_the_same_of_lateness(
    period: Period, row: Submission, lan: Officer, quan: Officer
) -> None:
    days = (date(2026, 12, 2), date(2026, 12, 3), date(2026, 12, 4))
    Submission.objects.exclude(above=None).delete()
    Submission.objects.all().delete()
    for state, first, today in itertools.product(rules.STATES, (None, *days), days):
        if (state == rules.DRAFT) is not (first is None):
            continue
        with transaction.atomic():
            one = Submission.objects.create(
                period=period,
                unit=row.unit,
                state=state,
                first_sent_on=first,
                sent_by=lan if first else None,
                sent_at=at_ten(1) if first else None,
                accepted_by=quan if state == rules.ACCEPTED else None,
            )
            asked = {"today": today, "at": at_ten(4)}
            listed = queries.list_submissions(quan, {"tinh_trang": "late"}, **asked)
            (counted,) = queries.list_periods(quan, {}, **asked)
            said = (listed.count(), counted.late_count, bool(one.late_words(today)))
            # What was sent is not deleted; it is undone.
            transaction.set_rollback(True)
        assert said in {(0, 0, False), (1, 1, True)}, (state, first, today)

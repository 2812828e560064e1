"""A report is written, sent, returned, accepted, locked and unlocked with a reason."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from nguon.audit.models import Record
from nguon.core.errors import AbsentError, RefusedError
from nguon.indicators import measures
from nguon.indicators.catalogue import SHARE
from nguon.indicators.models import DayFact, FactDay
from nguon.indicators.rules import months
from nguon.people.access import NoRightError
from nguon.people.models import Notice, Officer
from nguon.reports import access, actions, queries, rules
from nguon.reports.models import Answer, Step, Submission
from nguon.territory.models import Unit
from tests.reports.conftest import accept, fill, refusal, send, typed

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def count_minutes(unit: Unit, minutes: int, at: datetime) -> None:
    """Write facts: what devices of a unit played on 3 October."""
    day = date(2026, 10, 3)
    FactDay.objects.get_or_create(day=day, defaults={"counted_at": at})
    DayFact.objects.create(
        place=unit,
        unit=unit,
        day=day,
        measure=measures.PLAYED_MS,
        number=minutes * 60_000,
    )


def answer(row: Submission, number: int) -> Answer:
    return row.answers.get(field__number=number)


def bring_to_accepted(
    row: Submission, writer: Officer, quan: Officer, at: datetime, **told: object
) -> Submission:
    """Fill, send and accept a report."""
    fill(row, writer, at, **told)
    send(row, writer, at)
    return accept(row, quan, at)


# --- writing ------------------------------------------------------------------------


def test_two_statisticians_at_once_do_not_overwrite_each_other(
    row: Submission, lan: Officer, minh: Officer, now: datetime
) -> None:
    told = {"submission_id": row.pk, "revision": 0, "at": now}
    actions.save_answers(**told, typed=typed(row.period, f1=8), by=lan)

    with refusal("reports.revision"):
        actions.save_answers(**told, typed=typed(row.period, f1=9), by=minh)

    assert answer(row, 1).above == 8


def test_nobody_types_what_the_system_counts(
    row: Submission, ia_grai: Unit, lan: Officer, minh: Officer, now: datetime
) -> None:
    count_minutes(ia_grai, 95, now)
    fill(row, lan, now, f1=8, f2=(6, 8), f3=1000)

    send(row, minh, now)

    assert answer(row, 3).source == rules.COUNTED
    assert answer(row, 3).above == 95


def test_what_was_counted_is_fixed_when_it_is_sent(
    row: Submission, ia_grai: Unit, lan: Officer, minh: Officer, now: datetime
) -> None:
    count_minutes(ia_grai, 95, now)
    fill(row, lan, now, f1=8, f2=(6, 8))
    send(row, minh, now)
    DayFact.objects.update(number=1)
    row.refresh_from_db()

    (line,) = [one for one in queries.list_lines(row) if one.field.number == 3]

    assert line.value == 95


def test_what_cannot_be_counted_is_never_0_and_nobodys_fault(
    row: Submission, lan: Officer, minh: Officer, now: datetime
) -> None:
    fill(row, lan, now, f1=8, f2=(6, 8))

    sent = send(row, minh, now)

    assert answer(row, 3).above is None
    assert sent.missing == 0


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"f1": 51}, "reports.range_most"),
        ({"f1": -1}, "reports.negative"),
        ({"f1": 1.5}, "reports.not_whole"),
        ({"f2": ("1.5", 8)}, "reports.not_whole"),
        ({"f2": (9, 8)}, "reports.share_over"),
    ],
)
def test_a_figure_that_cannot_be_so_is_refused_by_the_action(
    row: Submission, lan: Officer, now: datetime, told: dict[str, object], code: str
) -> None:
    with refusal(code):
        fill(row, lan, now, **told)
    assert not row.answers.exists()


@pytest.mark.parametrize(
    ("number", "facts"),
    [
        (1, {"above": 51}),
        (1, {"above": -1}),
        (2, {"above": 9, "below": 8, "is_share": True}),
        (2, {"above": None, "below": 8}),
    ],
)
def test_a_figure_that_cannot_be_so_is_refused_by_the_database(
    row: Submission, number: int, facts: dict[str, object]
) -> None:
    field = row.period.form.fields.get(number=number)

    with pytest.raises(DatabaseError), transaction.atomic():
        Answer.objects.create(submission=row, field=field, source="typed", **facts)


def test_a_share_beyond_its_range_is_refused_by_the_database(
    province: Unit, ia_grai: Unit, quan: Officer, lan: Officer, now: datetime
) -> None:
    form = actions.create_form(
        unit=province, level="commune", title="Tỷ lệ", by=quan, at=now
    )
    words = rules.FieldWords(indicator="villages_reached", least=Decimal(50))
    field = actions.add_field(form_id=form.pk, words=words, by=quan, at=now)
    period = actions.open_period(
        form_id=form.pk, kind=rules.MONTH, days=months(2026, 10, 1), due_days=3,
        is_sure=True, by=quan, at=now,
    )  # fmt: skip
    row = period.submissions.get(unit=ia_grai)
    facts = {"submission": row, "field": field, "source": "typed", "is_share": True}

    with pytest.raises(DatabaseError), transaction.atomic():
        Answer.objects.create(**facts, above=1, below=3)
    Answer.objects.create(**facts, above=1, below=2)


# --- sending ------------------------------------------------------------------------


def test_a_running_period_is_filled_but_not_sent(
    row: Submission,
    ia_grai: Unit,
    lan: Officer,
    minh: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    november = actions.open_period(
        form_id=row.period.form_id,
        kind=rules.MONTH,
        days=months(2026, 11, 1),
        is_sure=True,
        due_days=3,
        by=quan,
        at=now,
    )
    mine = november.submissions.select_related("period__form").get(unit=ia_grai)
    # Half past eleven at night of the last day in Gia Lai.
    last = datetime(2026, 11, 30, 16, 30, tzinfo=UTC)
    fill(mine, lan, last, f1=8, f2=(6, 8))

    with refusal("reports.period_running"):
        send(mine, minh, last)
    assert send(mine, minh, last + HOUR).state == rules.SENT


def test_an_author_writes_and_an_approver_signs_off(
    row: Submission, lan: Officer, minh: Officer, now: datetime
) -> None:
    fill(row, lan, now, f1=8, f2=(6, 8))

    with pytest.raises(NoRightError):
        send(row, lan, now)
    assert send(row, minh, now).sent_by == minh


def test_what_is_empty_and_unexplained_is_not_sent(
    row: Submission, lan: Officer, minh: Officer, now: datetime
) -> None:
    fill(row, lan, now, f1=8)
    with refusal("reports.incomplete"):
        send(row, minh, now)

    fill(row, lan, now, e2="Chưa mở lớp nào")
    assert send(row, minh, now).missing == 1


def test_an_outlier_is_explained_or_not_sent(
    row: Submission,
    ia_grai: Unit,
    lan: Officer,
    minh: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    bring_to_accepted(row, minh, quan, now, f1=8, f2=(6, 8))
    later = datetime(2026, 12, 2, 3, 0, tzinfo=UTC)
    november = actions.open_period(
        form_id=row.period.form_id, kind=rules.MONTH,
        days=months(2026, 11, 1), due_days=3, is_sure=True, by=quan, at=later,
    )  # fmt: skip
    mine = november.submissions.select_related("period__form").get(unit=ia_grai)
    fill(mine, lan, later, f1=17, f2=(6, 8))

    with refusal("reports.unexplained"):
        send(mine, minh, later)
    fill(mine, lan, later, f1=17, e1="Nhận bảng của hai xã cũ")
    assert send(mine, minh, later).state == rules.SENT


# --- deciding -----------------------------------------------------------------------


def test_a_report_is_returned_with_a_reason_and_sent_again(
    row: Submission, lan: Officer, minh: Officer, quan: Officer, now: datetime
) -> None:
    fill(row, lan, now, f1=8, f2=(6, 8))
    send(row, minh, now)
    with refusal("plan.text_missing"):
        actions.send_back(submission_id=row.pk, reason=" ", by=quan, at=now)

    actions.send_back(submission_id=row.pk, reason="Thiếu xã sáp nhập", by=quan, at=now)
    fill(row, lan, now + HOUR, f1=9)
    send(row, minh, now + HOUR)

    assert [step.kind for step in queries.list_steps(row)] == [
        "sent", "returned", "sent",
    ]  # fmt: skip
    told = Notice.objects.filter(officer=lan, subject__startswith="Báo cáo bị trả lại")
    assert "Thiếu xã sáp nhập" in told.get().body


def test_a_commune_neither_accepts_its_own_nor_another_accepts_it(
    row: Submission, lan: Officer, minh: Officer, hoa: Officer, now: datetime
) -> None:
    fill(row, lan, now, f1=8, f2=(6, 8))
    send(row, minh, now)

    for officer in (minh, hoa):
        with pytest.raises(AbsentError):
            accept(row, officer, now)


def test_nobody_accepts_what_they_sent_in_the_database_too(
    row: Submission, quan: Officer, tri: Officer, now: datetime
) -> None:
    fill(row, quan, now, f1=8, f2=(6, 8))
    send(row, quan, now)

    with pytest.raises(RefusedError, match=r"reports.own_report"):
        accept(row, quan, now)
    with pytest.raises(IntegrityError), transaction.atomic():
        Submission.objects.filter(pk=row.pk).update(state="accepted", accepted_by=quan)
    assert accept(row, tri, now).state == "accepted"


def test_what_is_sent_or_accepted_is_locked_three_times(
    row: Submission, lan: Officer, minh: Officer, quan: Officer, now: datetime
) -> None:
    fill(row, lan, now, f1=8, f2=(6, 8))
    send(row, minh, now)
    for state in (rules.SENT, rules.ACCEPTED):
        if state == rules.ACCEPTED:
            accept(row, quan, now)
        with refusal("reports.locked"):
            fill(row, lan, now, f1=9)
        with pytest.raises(DatabaseError), transaction.atomic():
            Answer.objects.filter(submission=row).update(above=9)
        with pytest.raises(DatabaseError), transaction.atomic():
            row.answers.all().delete()
        with pytest.raises(DatabaseError), transaction.atomic():
            Answer.objects.create(
                submission=row,
                field=row.period.form.fields.get(number=4),
                source="typed",
            )
        with pytest.raises(DatabaseError), transaction.atomic():
            Submission.objects.filter(pk=row.pk).update(revision=7)
        with pytest.raises(DatabaseError), transaction.atomic():
            Submission.objects.filter(pk=row.pk).update(
                state="returned", accepted_by=None
            )


def test_what_was_sent_anew_since_is_not_accepted_unread(
    row: Submission, lan: Officer, minh: Officer, quan: Officer, now: datetime
) -> None:
    fill(row, lan, now, f1=8, f2=(6, 8))
    read = send(row, minh, now).revision
    actions.send_back(submission_id=row.pk, reason="Sai", by=quan, at=now + HOUR)
    fill(row, lan, now + HOUR, f1=9)
    send(row, minh, now + 2 * HOUR)

    with refusal("reports.revision"):
        actions.accept(submission_id=row.pk, revision=read, by=quan, at=now + 2 * HOUR)


def test_an_accepted_report_is_unlocked_with_a_reason_only(
    row: Submission, minh: Officer, quan: Officer, now: datetime
) -> None:
    bring_to_accepted(row, minh, quan, now, f1=8, f2=(6, 8))
    with refusal("plan.text_missing"):
        actions.unlock(submission_id=row.pk, reason="", by=quan, at=now)

    unlocked = actions.unlock(
        submission_id=row.pk, reason="Sai số nhân lực", by=quan, at=now + HOUR
    )

    assert unlocked.state == rules.RETURNED
    assert Step.objects.filter(kind=rules.UNLOCKED, words="Sai số nhân lực").exists()
    assert Record.objects.filter(action="reports.submission.unlocked").exists()
    assert fill(row, minh, now + HOUR, f1=9).revision == 2


def test_steps_are_never_changed_and_a_sent_report_is_never_deleted(
    row: Submission, lan: Officer, minh: Officer, now: datetime
) -> None:
    fill(row, lan, now, f1=8, f2=(6, 8))
    send(row, minh, now)

    with pytest.raises(DatabaseError), transaction.atomic():
        Step.objects.update(words="khác")
    with pytest.raises(DatabaseError), transaction.atomic():
        Submission.objects.filter(pk=row.pk)._raw_delete("default")


def test_a_way_that_does_not_exist_is_refused(
    row: Submission, minh: Officer, quan: Officer, now: datetime
) -> None:
    for act in (actions.send_back, actions.unlock):
        with refusal("reports.not_now"):
            act(submission_id=row.pk, reason="Sai", by=quan, at=now)
    with refusal("reports.not_now"):
        accept(row, quan, now)
    with pytest.raises(DatabaseError), transaction.atomic():
        Submission.objects.filter(pk=row.pk).update(
            state="accepted", accepted_by=quan, sent_by=minh, sent_at=now,
            first_sent_on=now.date(),
        )  # fmt: skip


# --- level by level -----------------------------------------------------------------


def test_the_level_above_is_the_sum_and_the_share_of_sums(
    row: Submission,
    other: Submission,
    top: Submission,
    minh: Officer,
    hoa: Officer,
    quan: Officer,
    tri: Officer,
    now: datetime,
) -> None:
    bring_to_accepted(row, minh, quan, now, f1=2, f2=(1, 2))
    bring_to_accepted(other, hoa, quan, now, f1=40, f2=(10, 40))

    sent = send(top, quan, now)

    assert sent.missing == 0
    assert answer(top, 1).above == 42
    assert answer(top, 1).source == rules.ROLLED
    # 11 of 42, and not the mean of 50 % and 25 %.
    value = rules.value_of(SHARE, answer(top, 2).pair)
    assert value == Decimal(1100) / 42
    with pytest.raises(RefusedError, match=r"reports.own_report"):
        accept(top, quan, now)
    assert accept(top, tri, now).state == "accepted"


def test_only_accepted_reports_are_summed_and_who_is_missing_is_said(
    row: Submission,
    other: Submission,
    top: Submission,
    minh: Officer,
    hoa: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    bring_to_accepted(row, minh, quan, now, f1=2, f2=(1, 2))
    fill(other, hoa, now, f1=40, f2=(10, 40))
    send(other, hoa, now)

    with refusal("reports.below_waiting"):
        send(top, quan, now)
    send(top, quan, now, "Đak Đoa chưa được duyệt")

    assert answer(top, 1).above == 2
    with refusal("reports.above_sent"):
        accept(other, quan, now)
    with refusal("reports.above_sent"):
        actions.unlock(submission_id=row.pk, reason="Sai", by=quan, at=now)


# --- the fence ----------------------------------------------------------------------


def test_hoa_neither_sees_nor_changes_lans_report(
    row: Submission, hoa: Officer, lan: Officer, minh: Officer, now: datetime
) -> None:
    assert [one.unit for one in access.fence_submissions(lan, at=now)] == [row.unit]
    with pytest.raises(AbsentError):
        access.access_submission(hoa, row.uid, at=now)
    with pytest.raises(AbsentError):
        fill(row, hoa, now, f1=8)
    fill(row, lan, now, f1=8, f2=(6, 8))
    with pytest.raises(AbsentError):
        send(row, hoa, now)
    send(row, minh, now)
    with pytest.raises(AbsentError):
        actions.send_back(submission_id=row.pk, reason="Sai", by=hoa, at=now)


def test_each_unit_sees_only_its_own_line_of_the_table(
    row: Submission,
    other: Submission,
    lan: Officer,
    hoa: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    def units(officer: Officer) -> list[str]:
        table = queries.make_table(row.period, officer, at=now)
        return [one.unit.name for one, _cells in table.rows]

    assert units(hoa) == ["Đak Đoa"]
    assert units(lan) == ["Ia Grai"]
    assert units(quan) == ["Đak Đoa", "Ia Grai", "Gia Lai"]

"""A plan is drafted, sent down, read, assigned, proven done, and returned."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from nguon.audit.models import Record
from nguon.core.errors import (
    AbsentError,
    ConflictError,
    DomainError,
    InvalidError,
)
from nguon.people.models import Notice, Officer
from nguon.plan import access, actions, queries, rules, shipped
from nguon.plan.models import ActionPlan, Assignment, FundingLine, Task
from nguon.territory.models import Unit
from tests.plan.conftest import LINK, TASK, WORDS

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def go_through(given: Assignment, officer: Officer, at: datetime) -> None:
    """Read, assign to oneself, and report done with a link."""
    told = {"assignment_id": given.pk, "by": officer, "at": at}
    actions.mark_read(**told)
    actions.assign(**told, to=officer, inner_date=None)
    actions.report_done(**told, words="Đã nghiệm thu", link=LINK)
    given.refresh_from_db()


def refusal(code: str) -> "pytest.RaisesExc[DomainError]":
    return pytest.raises(DomainError, check=lambda error: error.code == code)


# --- a draft ------------------------------------------------------------------------


def test_a_plan_without_tasks_is_not_sent(
    draft: ActionPlan, quan: Officer, now: datetime
) -> None:
    with refusal("plan.without_tasks"):
        actions.send_plan(plan_id=draft.pk, by=quan, at=now)


def test_a_commune_drafts_no_plan_of_the_province(
    province: Unit, lan: Officer, now: datetime
) -> None:
    with pytest.raises(AbsentError):
        actions.draft_plan(unit=province, keeper=province, words=WORDS, by=lan, at=now)


def test_a_plan_ends_after_it_begins(
    province: Unit, quan: Officer, now: datetime
) -> None:
    words = replace(WORDS, last_date=date(2025, 12, 31))

    with refusal("plan.period_empty"):
        actions.draft_plan(unit=province, keeper=province, words=words, by=quan, at=now)


def test_a_plan_of_2023_stands_on_the_units_of_2023(
    province: Unit, quan: Officer, now: datetime
) -> None:
    words = replace(WORDS, first_date=date(2023, 1, 1), last_date=date(2023, 12, 31))

    with refusal("plan.unit_of_then"):
        actions.draft_plan(unit=province, keeper=province, words=words, by=quan, at=now)


def test_a_task_is_given_to_units_of_the_plans_own_day_and_ground(
    draft: ActionPlan, old_map: Sequence[Unit], quan: Officer, now: datetime
) -> None:
    with refusal("plan.units_of_then"):
        actions.add_task(
            plan_id=draft.pk, words=TASK, units=[old_map[1]], by=quan, at=now
        )
    with refusal("plan.units_missing"):
        actions.add_task(plan_id=draft.pk, words=TASK, units=[], by=quan, at=now)
    assert not Task.objects.exists()


def test_a_task_is_measured_by_an_indicator_that_exists(
    draft: ActionPlan, ia_grai: Unit, quan: Officer, now: datetime
) -> None:
    words = replace(TASK, indicator="=cmd")

    with refusal("indicators.unknown"):
        actions.add_task(
            plan_id=draft.pk, words=words, units=[ia_grai], by=quan, at=now
        )


def test_a_draft_is_seen_by_nobody_below(
    draft: ActionPlan,
    ia_grai: Unit,
    quan: Officer,
    lan: Officer,
    now: datetime,
) -> None:
    actions.add_task(plan_id=draft.pk, words=TASK, units=[ia_grai], by=quan, at=now)

    assert list(access.fence_plans(quan, at=now)) == [draft]
    assert not access.fence_plans(lan, at=now).exists()
    assert not Notice.objects.filter(officer=lan).exists()


@pytest.mark.parametrize("last", [date(2027, 1, 1), date(2025, 12, 31)])
def test_a_task_ends_within_its_plan_in_the_action_and_in_the_database(
    draft: ActionPlan, ia_grai: Unit, quan: Officer, now: datetime, last: date
) -> None:
    told = {"plan_id": draft.pk, "units": [ia_grai], "by": quan, "at": now}
    with refusal("plan.task_outside"):
        actions.add_task(**told, words=replace(TASK, last_date=last))

    for day in (draft.first_date, draft.last_date, None):
        actions.add_task(**told, words=replace(TASK, last_date=day))
    with pytest.raises(DatabaseError), transaction.atomic():
        Task.objects.filter(plan=draft).update(last_date=last)
    with pytest.raises(DatabaseError), transaction.atomic():
        Task.objects.create(plan=draft, number=9, title="Việc", last_date=last)


def test_a_plan_is_not_made_shorter_than_its_tasks(
    draft: ActionPlan, ia_grai: Unit, quan: Officer, now: datetime
) -> None:
    actions.add_task(plan_id=draft.pk, words=TASK, units=[ia_grai], by=quan, at=now)
    told = {"plan_id": draft.pk, "by": quan, "at": now}

    with pytest.raises(InvalidError) as refused:
        actions.change_plan(**told, words=replace(WORDS, last_date=date(2026, 10, 30)))
    with pytest.raises(DatabaseError), transaction.atomic():
        ActionPlan.objects.update(last_date=date(2026, 10, 30))

    assert refused.value.code == "plan.tasks_outside"
    assert refused.value.data["numbers"] == "1"
    actions.change_plan(**told, words=replace(WORDS, last_date=date(2026, 10, 31)))


def test_a_draft_made_by_mistake_goes_with_all_that_stands_in_it(
    draft: ActionPlan, ia_grai: Unit, quan: Officer, lan: Officer, now: datetime
) -> None:
    told = {"plan_id": draft.pk, "by": quan, "at": now}
    actions.add_task(**told, words=TASK, units=[ia_grai])
    actions.add_report_date(**told, what="Báo cáo năm", before=date(2026, 12, 5))
    with pytest.raises(AbsentError):
        actions.remove_draft(plan_id=draft.pk, by=lan, at=now)

    actions.remove_draft(**told)

    assert not ActionPlan.objects.exists()
    assert not Task.objects.exists()
    line = Record.objects.get(action="plan.removed")
    assert line.data["title"] == WORDS.title
    assert (line.data["tasks"], line.data["report_dates"]) == (1, 1)


def test_a_draft_with_money_spent_stays_and_so_does_what_was_sent(
    draft: ActionPlan, ia_grai: Unit, quan: Officer, now: datetime
) -> None:
    told = {"plan_id": draft.pk, "by": quan, "at": now}
    line = actions.set_funding(
        **told, unit=ia_grai, year=2026, source="central", purpose="pay", amount=900
    )
    FundingLine.objects.update(spent=1)

    with refusal("plan.draft_spent"):
        actions.remove_draft(**told)
    with pytest.raises(DatabaseError), transaction.atomic():
        line.delete()
    FundingLine.objects.update(spent=0)
    actions.add_task(**told, words=TASK, units=[ia_grai])
    actions.send_plan(**told)
    with refusal("plan.sent"):
        actions.remove_draft(**told)
    with pytest.raises(DatabaseError), transaction.atomic():
        ActionPlan.objects.filter(pk=draft.pk)._raw_delete("default")


# --- down and back -------------------------------------------------------------------


def test_a_sent_plan_reaches_whoever_has_a_part_of_it(
    lan: Officer, minh: Officer, hoa: Officer, plan: ActionPlan, now: datetime
) -> None:
    for officer in (lan, minh, hoa):
        assert list(access.fence_plans(officer, at=now)) == [plan]
        assert Notice.objects.filter(officer=officer).count() == 1


def test_a_unit_sees_only_its_own_part(
    plan: ActionPlan,
    given: Assignment,
    lan: Officer,
    hoa: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    assert access.access_assignment(lan, given.uid, at=now) == given
    with pytest.raises(AbsentError):
        access.access_assignment(hoa, given.uid, at=now)
    with pytest.raises(AbsentError):
        actions.mark_read(assignment_id=given.pk, by=hoa, at=now)
    assert access.fence_assignments(quan, at=now).count() == 2


def test_an_assignment_goes_step_by_step(
    given: Assignment, lan: Officer, now: datetime
) -> None:
    told = {"assignment_id": given.pk, "by": lan, "at": now}
    with refusal("plan.not_now"):
        actions.report_done(**told, words="Xong", link=LINK)
    with refusal("plan.not_now"):
        actions.assign(**told, to=lan, inner_date=None)

    go_through(given, lan, now)

    assert given.state == rules.DONE
    with refusal("plan.not_now"):
        actions.report_done(**told, words="Xong nữa", link=LINK)


def test_done_needs_evidence_in_the_action_and_in_the_database(
    given: Assignment, lan: Officer, now: datetime
) -> None:
    told = {"assignment_id": given.pk, "by": lan, "at": now}
    actions.mark_read(**told)
    actions.assign(**told, to=lan, inner_date=None)

    with refusal("plan.evidence_missing"):
        actions.report_done(**told, words="Xong")
    with pytest.raises(DatabaseError), transaction.atomic():
        Assignment.objects.filter(pk=given.pk).update(done_by=lan, done_at=now)


@pytest.mark.parametrize("link", ["javascript:alert(1)", "bien-ban.pdf", "https://a b"])
def test_a_link_that_is_no_address_is_refused(link: str) -> None:
    with refusal("plan.link"):
        rules.clean_link(link)


def test_only_people_of_the_unit_are_named(
    given: Assignment, lan: Officer, minh: Officer, hoa: Officer, now: datetime
) -> None:
    told = {"assignment_id": given.pk, "by": lan, "at": now}
    actions.mark_read(**told)

    with refusal("plan.not_of_unit"):
        actions.assign(**told, to=hoa, inner_date=None)
    with refusal("plan.inner_date_after"):
        actions.assign(**told, to=minh, inner_date=date(2026, 11, 1))
    actions.assign(**told, to=minh, inner_date=date(2026, 10, 1))

    assert Notice.objects.filter(officer=minh, subject__contains="được giao").exists()


def test_what_was_reported_done_is_returned_by_another_with_the_reason(
    given: Assignment,
    lan: Officer,
    quan: Officer,
    tri: Officer,
    now: datetime,
) -> None:
    go_through(given, lan, now)
    with pytest.raises(AbsentError):
        actions.send_back(assignment_id=given.pk, reason="Thiếu", by=lan, at=now)

    actions.send_back(
        assignment_id=given.pk, reason="Thiếu biên bản của làng Jút", by=quan, at=now
    )

    given.refresh_from_db()
    assert given.state == rules.RETURNED
    assert Notice.objects.filter(officer=lan, body__contains="làng Jút").exists()
    actions.report_done(
        assignment_id=given.pk, words="Đã bổ sung", link=LINK, by=quan, at=now + DAY
    )
    with refusal("plan.own_report"):
        actions.send_back(assignment_id=given.pk, reason="?", by=quan, at=now + DAY)
    actions.send_back(assignment_id=given.pk, reason="Mờ", by=tri, at=now + DAY)
    kinds = [told.kind for told in queries.list_told(given)]
    assert kinds == ["returned", "done", "returned", "done"]


def test_what_was_told_is_never_changed(
    given: Assignment, lan: Officer, now: datetime
) -> None:
    actions.mark_read(assignment_id=given.pk, by=lan, at=now)
    told = actions.tell(
        assignment_id=given.pk, words="Đang khảo sát", percent=20, by=lan, at=now
    )

    with pytest.raises(DatabaseError), transaction.atomic():
        type(told).objects.filter(pk=told.pk).update(percent=90)
    with pytest.raises(DatabaseError), transaction.atomic():
        told.delete()


def test_more_than_all_of_it_cannot_be_done(
    given: Assignment, lan: Officer, now: datetime
) -> None:
    told = {"assignment_id": given.pk, "by": lan, "at": now}
    actions.mark_read(**told)

    for percent in (-1, 101):
        with refusal("plan.percent"):
            actions.tell(**told, words="Gần xong", percent=percent)


def test_a_task_stays_as_it_was_sent(
    plan: ActionPlan, quan: Officer, now: datetime
) -> None:
    task = plan.tasks.get()

    with refusal("plan.sent"):
        actions.remove_task(plan_id=plan.pk, task_id=task.pk, by=quan, at=now)
    with refusal("plan.sent"):
        actions.change_plan(plan_id=plan.pk, words=WORDS, by=quan, at=now)
    with pytest.raises(DatabaseError), transaction.atomic():
        Task.objects.filter(pk=task.pk).update(title="Việc khác")


def test_guidance_goes_down_to_everybody_who_has_a_task(
    plan: ActionPlan, lan: Officer, quan: Officer, now: datetime
) -> None:
    words = rules.DocumentWords(
        kind=rules.GUIDANCE,
        number="88/SVHTTDL",
        issuer="Sở Văn hóa, Thể thao và Du lịch",
        abstract="Hướng dẫn nghiệm thu đài truyền thanh",
    )

    actions.add_document(plan_id=plan.pk, words=words, by=quan, at=now)

    mine = access.fence_assignments(lan, at=now).get(document__isnull=False)
    assert mine.state == rules.GIVEN
    with refusal("plan.document_twice"):
        actions.add_document(plan_id=plan.pk, words=words, by=quan, at=now)


def test_in_a_closed_plan_nothing_moves(
    plan: ActionPlan, given: Assignment, lan: Officer, quan: Officer, now: datetime
) -> None:
    actions.close_plan(plan_id=plan.pk, by=quan, at=now)

    with refusal("plan.not_sent"):
        actions.mark_read(assignment_id=given.pk, by=lan, at=now)
    with refusal("plan.closed"):
        actions.add_report_date(
            plan_id=plan.pk, what="Báo cáo", before=date(2026, 12, 5), by=quan, at=now
        )


def test_the_database_holds_that_done_was_read(given: Assignment, lan: Officer) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.filter(pk=given.pk).update(
            assigned_to=lan, assigned_by=lan, assigned_at=given.plan.sent_at
        )


# --- late ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "done", "late"),
    [
        (date(2026, 11, 23), False, True),
        (date(2026, 11, 24), False, False),
        (date(2026, 11, 23), True, False),
        (None, False, False),
    ],
)
def test_the_last_day_itself_is_in_time(
    last: date | None, done: bool, late: bool
) -> None:
    assert rules.is_late(last, done=done, today=date(2026, 11, 24)) is late


def test_late_ones_stand_first(
    plan: ActionPlan,
    given: Assignment,
    ia_grai: Unit,
    lan: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    words = replace(TASK, title="Bảng tin", last_date=date(2026, 12, 31))
    actions.add_task(plan_id=plan.pk, words=words, units=[ia_grai], by=quan, at=now)
    go_through(given, lan, now)
    today = now.date()

    rows = list(queries.list_assignments(quan, {}, today=today, at=now))

    assert [row.is_late for row in rows] == [True, False, False]
    assert rows[-1] == given
    (first, second) = queries.list_standings(plan, quan, today=today, at=now)
    assert (first.given, first.done, first.late) == (2, 1, 1)
    assert (second.given, second.late) == (1, 0)
    assert queries.count_late(lan, today=today, at=now) == {}


def test_who_has_what_is_late_is_told_once_a_week(
    given: Assignment, lan: Officer, hoa: Officer, now: datetime
) -> None:
    assert actions.tell_late(at=now) == 2
    assert actions.tell_late(at=now + DAY) == 0
    assert actions.tell_late(at=now + 8 * DAY) == 2

    late = Notice.objects.filter(subject__startswith="Quá hạn")
    assert late.filter(officer=lan).count() == 2
    assert late.filter(officer=hoa, subject__contains="Đak Đoa").count() == 2


def test_who_has_many_late_ones_is_told_once_of_all(
    draft: ActionPlan, ia_grai: Unit, quan: Officer, lan: Officer, now: datetime
) -> None:
    for number in range(4):
        words = replace(TASK, title=f"Nhiệm vụ {number}")
        actions.add_task(
            plan_id=draft.pk, words=words, units=[ia_grai], by=quan, at=now
        )
    actions.send_plan(plan_id=draft.pk, by=quan, at=now)

    assert actions.tell_late(at=now) == 4

    notice = Notice.objects.get(officer=lan, subject__startswith="Quá hạn")
    assert notice.subject == "Quá hạn: 4 việc"
    assert notice.url.endswith("?tinh_trang=late")


# --- the plan of 2023 ----------------------------------------------------------------


def test_the_plan_of_2023_is_entered_as_it_was_signed(
    province: Unit, old_map: Sequence[Unit], quan: Officer, now: datetime
) -> None:
    plan = shipped.enter_first(keeper=province, by=quan, at=now)
    again = shipped.enter_first(keeper=province, by=quan, at=now)

    assert again == plan
    assert plan.unit == old_map[0]
    assert plan.documents.filter(number="490/QĐ-BTTTT").exists()
    assert plan.tasks.count() == 6
    assert plan.tasks.get(number=2).last_date is None
    assert plan.assignments.filter(unit__kind="district").count() == 5 * 2
    assert plan.report_dates.get().before == date(2023, 12, 5)


def test_the_keeper_moves_for_units_that_are_no_more(
    province: Unit,
    old_map: Sequence[Unit],
    quan: Officer,
    lan: Officer,
    now: datetime,
) -> None:
    plan = shipped.enter_first(keeper=province, by=quan, at=now)
    district = plan.assignments.filter(unit=old_map[1]).order_by("pk")[0]

    with pytest.raises(AbsentError):
        actions.mark_read(assignment_id=district.pk, by=lan, at=now)
    row = actions.mark_read(assignment_id=district.pk, by=quan, at=now)

    assert row.state == rules.READ
    assert not access.fence_plans(lan, at=now).exists()


def test_reading_hostile_words_is_refused() -> None:
    with pytest.raises(InvalidError):
        rules.clean("a" * 401, most=400, what="tên")
    with pytest.raises(InvalidError):
        rules.clean("  \n ", most=400, what="tên")


def test_acts_that_do_not_follow_are_refused() -> None:
    for act, states in rules.ALLOWED.items():
        for state in rules.STATES:
            if state in states:
                rules.check_act(act, state=state)
            else:
                with pytest.raises(ConflictError):
                    rules.check_act(act, state=state)

"""Example plan of this year and a reporting period with communes in different states.

Every number is made up and says so. What is there already is left alone.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.utils import timezone

from nguon.indicators.rules import months
from nguon.people.models import Officer
from nguon.plan import actions as plans
from nguon.plan import rules as plan_rules
from nguon.plan.models import ActionPlan
from nguon.reports import actions as reports
from nguon.reports import rules as report_rules
from nguon.reports.models import Form, Submission
from nguon.territory.models import Unit

EXAMPLE = "(ví dụ)"
TARGETS = {"devices_audible": 95, "villages_covered": 90, "staff_trained": 80}
# Đồng a year, of a station and of one of its clusters.
PER_STATION, PER_CLUSTER = 18_000_000, 2_400_000
COUNTED = ("minutes_played", "bulletins", "devices_audible", "staff")
DUE_DAYS = 3
RETURNED = "Số bảng cỡ lớn là của cả huyện cũ. Xã ghi riêng bảng đặt trên địa bàn xã."


def load(
    province: Unit,
    communes: Sequence[Unit],
    officers: Mapping[str, Officer],
    *,
    at: datetime,
) -> None:
    """Make what is missing. `communes`: Lan's, Hoa's, and one without officers."""
    _load_plan(province, communes, by=officers["quan"], at=at)
    if not Form.objects.exists():
        _load_reports(province, communes, officers, at=at)


def _load_plan(
    province: Unit, communes: Sequence[Unit], *, by: Officer, at: datetime
) -> None:
    """Give communes a task, example targets and what their stations cost this year."""
    year = timezone.localdate(at).year
    title = f"Kế hoạch thông tin cơ sở năm {year} {EXAMPLE}"
    if ActionPlan.objects.filter(title=title).exists():
        return
    words = plan_rules.PlanWords(
        title=title, first_date=date(year, 1, 1), last_date=date(year, 12, 31)
    )
    plan = plans.draft_plan(unit=province, keeper=province, words=words, by=by, at=at)
    task = plan_rules.TaskWords(
        title="Giữ cho mọi cụm loa nghe được",
        lead="Ủy ban nhân dân các xã, phường",
        product="Cụm loa hỏng được sửa trong tuần",
        last_date=date(year, 12, 31),
        indicator="devices_audible",
    )
    plans.add_task(plan_id=plan.pk, words=task, units=communes, by=by, at=at)
    for unit in [province, *communes]:
        for indicator, value in TARGETS.items():
            plans.set_target(
                plan_id=plan.pk,
                unit=unit,
                year=year,
                indicator=indicator,
                value=Decimal(value),
                is_example=True,
                by=by,
                at=at,
            )
    for unit in communes:
        plans.set_running_cost(
            plan_id=plan.pk,
            unit=unit,
            year=year,
            per_station=PER_STATION,
            per_cluster=PER_CLUSTER,
            by=by,
            at=at,
        )
    plans.send_plan(plan_id=plan.pk, by=by, at=at)


def _load_reports(
    province: Unit,
    communes: Sequence[Unit],
    officers: Mapping[str, Officer],
    *,
    at: datetime,
) -> None:
    """Ask every commune about last month: one is returned, one accepted, one begun."""
    returned, accepted, begun = communes
    quan = officers["quan"]
    form = reports.create_form(
        unit=province,
        level="commune",
        title=f"Báo cáo thông tin cơ sở {EXAMPLE}",
        by=quan,
        at=at,
    )
    fields = [report_rules.FieldWords(indicator=code) for code in COUNTED]
    boards = report_rules.FieldWords(indicator="large_boards", most=Decimal(50))
    wishes = report_rules.FieldWords(
        name="Khó khăn, kiến nghị", ratio=report_rules.TEXT, is_needed=False
    )
    for words in (boards, *fields, wishes):
        reports.add_field(form_id=form.pk, words=words, by=quan, at=at)
    today = timezone.localdate(at)
    year, month = divmod(today.year * 12 + today.month - 2, 12)
    period = reports.open_period(
        form_id=form.pk,
        kind=report_rules.MONTH,
        days=months(year, month + 1, 1),
        due_days=DUE_DAYS,
        # Some are late: that is part of what there is to see.
        is_sure=True,
        by=quan,
        at=at,
    )
    asked = {row.unit_id: row for row in period.submissions.all()}
    _fill(asked[begun.pk], 1, by=quan, at=at)
    row = _fill(asked[accepted.pk], 2, by=officers["hoa"], at=at)
    row = _send(row, by=officers["hoa"], at=at)
    reports.accept(submission_id=row.pk, revision=row.revision, by=quan, at=at)
    row = _fill(asked[returned.pk], 17, by=officers["lan"], at=at)
    row = _send(row, by=officers["minh"], at=at)
    reports.send_back(submission_id=row.pk, reason=RETURNED, by=quan, at=at)


def _fill(row: Submission, boards: int, *, by: Officer, at: datetime) -> Submission:
    (field,) = row.period.form.fields.filter(indicator="large_boards")
    pair = report_rules.Pair(Decimal(boards))
    return reports.save_answers(
        submission_id=row.pk,
        revision=row.revision,
        typed={field.pk: report_rules.Typed(pair)},
        by=by,
        at=at,
    )


def _send(row: Submission, *, by: Officer, at: datetime) -> Submission:
    return reports.send(submission_id=row.pk, revision=row.revision, by=by, at=at)

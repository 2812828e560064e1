"""Example plan of this year and a reporting period with communes in different states.

Every number is made up and says so. What is there already is left alone.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.utils import timezone

from nguon.audit.months import LOCAL
from nguon.indicators.rules import Period as Days
from nguon.indicators.rules import months
from nguon.people.models import Officer
from nguon.plan import actions as plans
from nguon.plan import rules as plan_rules
from nguon.plan.models import ActionPlan
from nguon.reports import actions as reports
from nguon.reports import rules as report_rules
from nguon.reports.models import Form, Period, Submission
from nguon.territory.models import Unit

EXAMPLE = "(ví dụ)"
KEEP_SOUNDING = "Giữ cho mọi cụm loa nghe được"
TRAIN = "Cử cán bộ đài xã dự tập huấn"
TARGETS = {"devices_audible": 95, "villages_covered": 90, "staff_trained": 80}
# Đồng a year, of a station and of one of its clusters.
PER_STATION, PER_CLUSTER = 18_000_000, 2_400_000
COUNTED = ("minutes_played", "bulletins", "devices_audible", "staff")
DUE_DAYS, FRIDAY = 3, 4
# So long ago everybody should have been trained: who was not is late.
TRAINED_BEFORE = timedelta(days=20)
RETURNED = "Số bảng cỡ lớn là của cả huyện cũ. Xã ghi riêng bảng đặt trên địa bàn xã."


def load(
    province: Unit,
    communes: Sequence[Unit],
    officers: Mapping[str, Officer],
    *,
    since: datetime,
    asks: bool = True,
    at: datetime,
) -> None:
    """Make what is missing. `communes`: Lan's, Hoa's, and one without officers.

    The plan was sent down `since`. Whoever makes the days behind `asks` for reports
    there, when the figures are counted.
    """
    _load_plan(province, communes, by=officers["quan"], since=since, at=at)
    if asks and not Form.objects.exists():
        today = timezone.localdate(at)
        year, month = divmod(today.year * 12 + today.month - 2, 12)
        days = months(year, month + 1, 1)
        ask(province, communes, officers, days=days, kind=report_rules.MONTH, at=at)


def _load_plan(
    province: Unit,
    communes: Sequence[Unit],
    *,
    by: Officer,
    since: datetime,
    at: datetime,
) -> None:
    """Give communes two tasks, example targets and what their stations cost."""
    today = timezone.localdate(at)
    year = today.year
    title = f"Kế hoạch thông tin cơ sở năm {year} {EXAMPLE}"
    if ActionPlan.objects.filter(title=title).exists():
        return
    words = plan_rules.PlanWords(
        title=title, first_date=date(year, 1, 1), last_date=date(year, 12, 31)
    )
    plan = plans.draft_plan(
        unit=province, keeper=province, words=words, by=by, at=since
    )
    tasks = (
        plan_rules.TaskWords(
            title=KEEP_SOUNDING,
            lead="Ủy ban nhân dân các xã, phường",
            product="Cụm loa hỏng được sửa trong tuần",
            last_date=date(year, 12, 31),
            indicator="devices_audible",
        ),
        plan_rules.TaskWords(
            title=TRAIN,
            lead="Ủy ban nhân dân các xã, phường",
            product="Người phụ trách đài học đủ ba bài trong năm",
            last_date=max(date(year, 1, 1), today - TRAINED_BEFORE),
        ),
    )
    for task in tasks:
        plans.add_task(plan_id=plan.pk, words=task, units=communes, by=by, at=since)
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
                at=since,
            )
    for unit in communes:
        plans.set_running_cost(
            plan_id=plan.pk,
            unit=unit,
            year=year,
            per_station=PER_STATION,
            per_cluster=PER_CLUSTER,
            by=by,
            at=since,
        )
    plans.send_plan(plan_id=plan.pk, by=by, at=since)


def make_form(
    unit: Unit,
    level: str,
    title: str,
    fields: Sequence[report_rules.FieldWords],
    by: Officer,
    *,
    at: datetime,
) -> Form:
    """Make a form that units of a level fill: some fields, and wishes in words."""
    form = reports.create_form(
        unit=unit, level=level, title=f"{title} {EXAMPLE}", by=by, at=at
    )
    wishes = report_rules.FieldWords(
        name="Khó khăn, kiến nghị", ratio=report_rules.TEXT, is_needed=False
    )
    for words in (*fields, wishes):
        reports.add_field(form_id=form.pk, words=words, by=by, at=at)
    return form


def ask(
    province: Unit,
    communes: Sequence[Unit],
    officers: Mapping[str, Officer],
    *,
    days: Days,
    kind: str,
    at: datetime,
    until: datetime | None = None,
) -> Period:
    """Ask every commune about some days: one is returned, one accepted, one begun.

    What is returned was sent two hours later, and came back on the next working day,
    as far as there is time `until` then.
    """
    returned, accepted, begun = communes
    quan = officers["quan"]
    boards = report_rules.FieldWords(
        indicator="large_boards", most=Decimal(50), is_needed=False
    )
    counted = [report_rules.FieldWords(indicator=code) for code in COUNTED]
    title = "Báo cáo thông tin cơ sở"
    form = make_form(province, "commune", title, [boards, *counted], quan, at=at)
    period = reports.open_period(
        form_id=form.pk,
        kind=kind,
        days=days,
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
    end = until or at
    sent = min(at + timedelta(hours=2), end)
    back = min(morning(workday(timezone.localdate(sent) + timedelta(days=1))), end)
    row = _send(row, by=officers["minh"], at=sent)
    reports.send_back(submission_id=row.pk, reason=RETURNED, by=quan, at=back)
    return period


def workday(day: date) -> date:
    """Return a day, or the Monday after it when it is of a weekend."""
    return day + timedelta(days=7 - day.weekday()) if day.weekday() > FRIDAY else day


def morning(day: date) -> datetime:
    """Return eight o'clock of a local day."""
    return datetime.combine(day, time(8), LOCAL)


def _fill(row: Submission, boards: int, *, by: Officer, at: datetime) -> Submission:
    """Type the one figure that the system does not count."""
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

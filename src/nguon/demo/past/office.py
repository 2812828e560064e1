"""What officers did at their desks in the days behind: told, reported, asked, scored.

By the rooms' own actions at the moments of then. What is made up says that it is an
example; a figure is never typed where the system counts it.
"""

import random
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from nguon.demo import evaluation
from nguon.demo.evaluation import EXAMPLE
from nguon.demo.places import HOME, OTHER, WARD
from nguon.fleet import actions as fleet
from nguon.indicators import actions as indicators
from nguon.indicators import listening
from nguon.indicators.listening import Told
from nguon.indicators.models import ListeningPlace
from nguon.indicators.rules import Period as Days
from nguon.indicators.rules import months
from nguon.newsroom import actions as newsroom
from nguon.newsroom import rules as newsroom_rules
from nguon.people import actions as people
from nguon.people.models import AUTHOR, Officer
from nguon.plan import actions as plans
from nguon.plan.models import ActionPlan, Assignment
from nguon.registers import actions as registers
from nguon.registers.books import STAFF, STATIONS
from nguon.reorganization import actions as merges
from nguon.reports import actions as reports
from nguon.reports import rules as report_rules
from nguon.reports.models import Submission
from nguon.reports.scoring import LineWords
from nguon.territory.models import Succession, Unit

DAY = timedelta(days=1)
Officers = Mapping[str, Officer]
Say = Callable[[str], None]
# Đồng for a piece; set before the first of the days.
RATES = {newsroom_rules.WRITTEN: 60_000, newsroom_rules.CHECKED: 25_000,
         newsroom_rules.READ: 30_000}  # fmt: skip
WEIGHTS = (
    LineWords("devices_audible", 30, Decimal(95)),
    LineWords("villages_covered", 25, Decimal(90)),
    LineWords("minutes_played", 20, Decimal(600)),
    LineWords("bulletins", 15, Decimal(8)),
    LineWords("repair_hours", 10, Decimal(24)),
)
OPENED = ("devices_audible", "villages_covered", "communes_sounding", "minutes_played",
          "bulletins", "staff")  # fmt: skip
# The day on which the communes of today began, and one of the old times.
MERGER, BEFORE_MERGER = date(2025, 7, 1), datetime(2025, 5, 20, 2, tzinfo=UTC)


def load(
    province: Unit,
    communes: Mapping[str, Unit],
    officers: Officers,
    *,
    at: datetime,
    say: Say,
) -> None:
    """Make all of it; the days are counted already."""
    today = timezone.localdate(at)
    month = last_month(today)
    _set_rates(province, officers["admin"], at=at - 70 * DAY)
    say("Tiến độ kế hoạch, kỳ báo cáo …")
    _follow_plan(communes, officers, at=at)
    _report_month(province, communes, month, officers, at=at)
    _report_villages(communes[HOME], month, officers, at=at)
    say("Hỏi mẫu người nghe …")
    _ask_listeners(province, officers["quan"], at=at)
    _score(province, month, officers, at=at)
    _draw_merge(province, communes[HOME], officers, at=at)


def last_month(today: date) -> Days:
    """Return the whole month before the one of a day."""
    year, month = divmod(today.year * 12 + today.month - 2, 12)
    return months(year, month + 1, 1)


def _set_rates(province: Unit, admin: Officer, *, at: datetime) -> None:
    for task, amount in RATES.items():
        newsroom.set_rate(
            unit=province,
            task=task,
            amount=amount,
            from_day=timezone.localdate(at),
            by=admin,
            at=at,
        )


# --- the plan ----------------------------------------------------------------------


def _follow_plan(
    communes: Mapping[str, Unit], officers: Officers, *, at: datetime
) -> None:
    """Let communes read, assign and tell; one is done, one is late."""
    plan = ActionPlan.objects.get(title__endswith=EXAMPLE)
    lan, minh, hoa = (officers[name] for name in ("lan", "minh", "hoa"))

    def of(unit: Unit, task: str) -> Assignment:
        return plan.assignments.get(unit=unit, task__title=task)

    keep = of(communes[HOME], evaluation.KEEP_SOUNDING)
    key = keep.pk
    plans.mark_read(assignment_id=key, by=minh, at=at - 55 * DAY)
    plans.assign(assignment_id=key, to=lan, inner_date=None, by=minh, at=at - 54 * DAY)
    for ago, percent, words in (
        (40, 40, "Đã rà từng cụm loa, lập danh sách 3 cụm hay mất kết nối."),
        (12, 75, "Đã thay nguồn cho 2 cụm; còn 1 cụm chờ linh kiện."),
    ):
        plans.tell(
            assignment_id=key, words=words, percent=percent, by=lan, at=at - ago * DAY
        )
    for code, reader, doer in ((HOME, minh, lan), (OTHER, hoa, hoa)):
        key = of(communes[code], evaluation.TRAIN).pk
        plans.mark_read(assignment_id=key, by=reader, at=at - 56 * DAY)
        plans.assign(
            assignment_id=key, to=doer, inner_date=None, by=reader, at=at - 56 * DAY
        )
    plans.report_done(
        assignment_id=key,
        words="Người phụ trách đài đã học đủ ba bài và làm bài thực hành.",
        link="https://gialai.example/tap-huan-dai-xa",
        by=hoa,
        at=at - 30 * DAY,
    )
    plans.record_visit(
        plan_id=plan.pk,
        unit=communes[HOME],
        on_date=timezone.localdate(at - 18 * DAY),
        team="Tổ kiểm tra thông tin cơ sở (ví dụ)",
        words="Đài phát đúng giờ; bảng tin sáng; sổ nhật ký đầy đủ.",
        found=[
            (
                "Chưa có người thay khi cán bộ đài nghỉ phép.",
                timezone.localdate(at + 12 * DAY),
            )
        ],
        by=officers["quan"],
        at=at - 17 * DAY,
    )


# --- reports -----------------------------------------------------------------------


def _opened(month: Days, at: datetime) -> datetime:
    """Return when a month was asked about: the next working morning, if it is over."""
    day = evaluation.workday(month.after)
    return min(evaluation.morning(day), at - timedelta(hours=2))


def _report_month(
    province: Unit,
    communes: Mapping[str, Unit],
    month: Days,
    officers: Officers,
    *,
    at: datetime,
) -> None:
    """Let every commune have reported last month, but one; one was returned."""
    opened = _opened(month, at)
    asked = [communes[code] for code in (HOME, OTHER, WARD)]
    period = evaluation.ask(
        province,
        asked,
        officers,
        days=month,
        kind=report_rules.MONTH,
        at=opened,
        until=at,
    )
    others = period.submissions.exclude(above=None).exclude(unit__in=asked)
    with transaction.atomic():
        for row in others.select_related("period__form").order_by("pk"):
            _finish(row, officers["quan"], officers["mai"], at=opened)


def _report_villages(
    home: Unit, month: Days, officers: Officers, *, at: datetime
) -> None:
    """Let the home commune's villages have told of last month, all accepted."""
    lan, minh, quan = (officers[name] for name in ("lan", "minh", "quan"))
    opened = _opened(month, at)
    heard = report_rules.FieldWords(name="Hộ nghe rõ loa", most=Decimal(2_000))
    title = "Rà soát loa ở thôn, làng"
    form = evaluation.make_form(home, "village", title, [heard], lan, at=opened)
    period = reports.open_period(
        form_id=form.pk,
        kind=report_rules.MONTH,
        days=month,
        due_days=evaluation.DUE_DAYS,
        is_sure=True,
        by=minh,
        at=opened,
    )
    field = form.fields.get(name=heard.name)
    with transaction.atomic():
        rows = period.submissions.exclude(above=None).select_related("period__form")
        for number, row in enumerate(rows.order_by("pk")):
            told = {
                field.pk: report_rules.Typed(report_rules.Pair(Decimal(70 + number)))
            }
            row = reports.save_answers(
                submission_id=row.pk,
                revision=row.revision,
                typed=told,
                by=lan,
                at=opened,
            )
            _finish(row, minh, quan, at=opened)
        _finish(period.submissions.get(above=None), minh, quan, at=opened)


def _finish(
    row: Submission, sender: Officer, decider: Officer, *, at: datetime
) -> None:
    """Send a report, and have it accepted the same morning."""
    row = reports.send(submission_id=row.pk, revision=row.revision, by=sender, at=at)
    accepted = at + timedelta(hours=1)
    reports.accept(submission_id=row.pk, revision=row.revision, by=decider, at=accepted)


# --- listeners, score, open data -----------------------------------------------------


def _ask_listeners(province: Unit, quan: Officer, *, at: datetime) -> None:
    """Draw the sample of a quarter, let every household answer, and end it."""
    first = timezone.localdate(at - 34 * DAY)
    year, quarter = listening.quarter_of(first)
    dice = random.Random(2026)  # noqa: S311  (made up, and the same each time)
    one = indicators.draw_round(
        unit=province,
        year=year,
        quarter=quarter,
        bulletin=None,
        first_date=first,
        last_date=first + 27 * DAY,
        margin=10,
        confidence=95,
        seed=20_261_126,
        by=quan,
        at=at - 36 * DAY,
    )
    with transaction.atomic():
        for number, place in enumerate(one.places.order_by("pk")):
            begun = at - 33 * DAY + timedelta(hours=number)
            _visit(place, number, dice, at=begun)
    indicators.end_round(uid=one.uid, by=quan, at=at - 5 * DAY)


def _visit(
    place: ListeningPlace, number: int, dice: random.Random, *, at: datetime
) -> None:
    """Let a propagandist go from house to house until enough people were met."""
    met, turn = 0, 0
    while met < place.ask:
        told = _answer(dice, number)
        met, turn = met + told.is_met, turn + 1
        indicators.tell(
            code=place.code,
            key=UUID(int=dice.getrandbits(128), version=4),
            told=told,
            at=at + timedelta(minutes=9 * turn),
        )


def _answer(dice: random.Random, number: int) -> Told:
    """Return what one household tells; farther villages hear a little less."""
    if dice.random() < 0.08:
        return Told(is_met=False)
    if dice.random() > 0.88 - 0.03 * (number % 6):
        return Told(is_met=True, is_heard=False)
    return Told(
        is_met=True,
        is_heard=True,
        is_understood=dice.random() < 0.9,
        is_acted=dice.random() < 0.65,
        language="vi",
    )


def _score(province: Unit, month: Days, officers: Officers, *, at: datetime) -> None:
    """Publish the weights of the year, and last month's figures as open data."""
    quan, mai = officers["quan"], officers["mai"]
    year = timezone.localdate(at).year
    sheet = reports.draft_sheet(unit=province, year=year, by=quan, at=at - 50 * DAY)
    reports.write_sheet(
        sheet_id=sheet.pk, lines=WEIGHTS, least_covered=60, by=quan, at=at - 50 * DAY
    )
    reports.publish_sheet(sheet_id=sheet.pk, by=mai, at=at - 49 * DAY)
    reports.publish_figures(unit=province, days=month, codes=OPENED, by=mai, at=at)


# --- a merge that waits for its second person ---------------------------------------


def _draw_merge(
    province: Unit, home: Unit, officers: Officers, *, at: datetime
) -> None:
    """Leave things on the old communes of home's ground, and draw the merge up."""
    admin = officers["admin"]
    rows = Succession.objects.filter(new=home).select_related("old")
    olds = [row.old for row in rows.order_by("old__code")]
    siu = people.create_officer(
        username="siu",
        full_name="Siu H'Lan",
        password=secrets.token_urlsafe(16),
        email="",
        by=None,
        at=BEFORE_MERGER,
    )
    for number, old in enumerate(olds):
        write = partial(registers.add_line, unit=old, by=admin, at=BEFORE_MERGER)
        values = {"name": f"Đài {old.name} {EXAMPLE}", "kind": "fm",
                  "year": 2011 + number, "source": "commune"}  # fmt: skip
        write(book=STATIONS, values=values)
        person = {
            "full_name": f"Người Cũ {number + 1} {EXAMPLE}",
            "post": "Cán bộ truyền thanh",
            "from_date": date(2019 + number, 3, 1),
        }
        write(book=STAFF, values=person)
        people.grant_role(officer=siu, unit=old, kind=AUTHOR, by=None, at=BEFORE_MERGER)
        fleet.save_group(unit=old, name="Trường học", by=admin, at=BEFORE_MERGER)
    merges.draft_merge(
        unit=province,
        day=MERGER,
        heirs=[home],
        title=f"Đưa sổ sách, vai trò của các xã cũ về {home.full_name} {EXAMPLE}",
        by=officers["quan"],
        at=at - 2 * DAY,
    )

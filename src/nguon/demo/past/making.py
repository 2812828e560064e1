"""The days behind in order: news, what devices told of them, figures, desks.

A folder has them once; a mark in it says whether they were made to the end.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from nguon.demo.past import lives, news, office
from nguon.demo.places import HOME, MORE, OTHER, PROVINCE_CODE, WARD
from nguon.fleet.models import ACTIVE, Device
from nguon.indicators import actions as indicators
from nguon.indicators.measures import PLAYED_MS
from nguon.indicators.models import DayFact
from nguon.people import actions as people
from nguon.people.models import Officer
from nguon.schedule import actions as schedule
from nguon.schedule.models import Broadcast
from nguon.territory.models import COMMUNE, PROVINCE
from nguon.territory.queries import get_unit

DAYS = 60
# Officers held their roles, and the plan was sent down, before the first of the days.
BEFORE = timedelta(days=DAYS + 10)
DAY = timedelta(days=1)
BEGUN, DONE = "begun", "done"

Say = Callable[[str], None]


class PastBrokenError(Exception):
    """The days behind were begun here and not made to the end."""


def load_past(*, at: datetime, say: Say) -> int:
    """Make the days before `at`, once; return how many minutes speakers sounded.

    Raises PastBrokenError in a folder where the making was cut off.
    """
    mark = Path(settings.DATA_DIR) / "demo-past"
    held = mark.read_text(encoding="ascii") if mark.exists() else ""
    if held == BEGUN:
        raise PastBrokenError
    # A folder of an older demo goes on without.
    if held != DONE and not Broadcast.objects.exists():
        mark.write_text(BEGUN, encoding="ascii")
        make(at=at, say=say)
        mark.write_text(DONE, encoding="ascii")
    played = DayFact.objects.filter(measure=PLAYED_MS)
    return int(played.aggregate(ms=Sum("number", default=0))["ms"]) // 60_000


def make(*, at: datetime, say: Say, days: int = DAYS) -> None:
    """Make the days before `at`; nothing of them may be there.

    1. News is written, approved and placed, for the devices that there are now.
    2. Each device tells its plays; its beats and absences are written.
    3. Days, months and figures are counted by the rooms that count them.
    4. Officers reported, asked listeners, scored, published, drew a merge up.
    5. The notices of these days were read; the plans in force are those of today.
    """
    today = timezone.localdate(at)
    first = today - days * DAY
    units = {
        code: get_unit(code, kind=COMMUNE, day=today)
        for code in (HOME, OTHER, WARD, *MORE)
    }
    province = get_unit(PROVINCE_CODE, kind=PROVINCE, day=today)
    officers = {one.username: one for one in Officer.objects.all()}
    found = news.desks(units, officers)
    top = news.Desk(province, officers["quan"], officers["mai"])
    say("Đọc các bản tin những ngày trước thành tiếng …")
    news.make_sounds(at=at)
    texts = news.read_texts(province, by=officers["admin"], at=at - BEFORE)
    news.load_news(found, top, texts, first=first, after=today, say=say)
    _live(first, today, at=at, say=say)
    say("Đếm số liệu từng ngày …")
    count_days(at=at)
    office.load(province, units, officers, at=at, say=say)
    say("Tính số liệu tháng, quý, năm …")
    while indicators.roll_figures(at=at):
        pass
    schedule.build_all(at=at)
    with transaction.atomic():
        for officer in officers.values():
            people.mark_read(officer=officer, at=at - DAY)
        while people.deliver_notices(at=at):
            pass


def _live(first: date, today: date, *, at: datetime, say: Say) -> None:
    """Let the devices have lived through the days."""
    devices = list(Device.objects.filter(state=ACTIVE).order_by("pk"))
    known = {
        device.pk: lives.draw_life(number, first=first, after=today)
        for number, device in enumerate(devices)
    }
    say(f"Nhật ký phát của {len(devices)} thiết bị …")
    sounded = lives.tell_plays(devices, known, until=at)
    lives.write_beats(devices, known, days_between(first, today), sounded)
    lives.write_faults(devices, known)


def days_between(first: date, after: date) -> Sequence[date]:
    """Return the days of `[first, after)`, in order."""
    return [first + n * DAY for n in range((after - first).days)]


def count_days(*, at: datetime) -> None:
    """Count every day that is over, as the worker's chores do."""
    # The first turn takes the days in, the second counts them.
    schedule.roll_plays(at=at)
    schedule.roll_plays(at=at)
    while indicators.roll_facts(at=at):
        pass

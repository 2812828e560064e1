"""Bulletins of the days behind: written, approved by a second person, on the air.

Each station has a bulletin a week at each of its hours, the province some that
communes take or leave, and there were two warnings. All by the rooms' own actions at
the moments of then; the speakers of today are the ones that were meant.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from django.db import transaction

from nguon.audit.months import LOCAL
from nguon.demo.places import DATA, HOME, OTHER
from nguon.newsroom import actions as newsroom
from nguon.newsroom import rules as newsroom_rules
from nguon.newsroom.models import Supplier
from nguon.people.models import Officer
from nguon.schedule import actions as schedule
from nguon.schedule import rules
from nguon.schedule.models import Broadcast, InboxEntry
from nguon.territory.models import Unit
from nguon.web.worker import Worker

DAY, WEEK = timedelta(days=1), timedelta(days=7)
WRITTEN_AT, APPROVED_AFTER = time(14, 0), timedelta(minutes=40)
HOME_HOURS = (time(5, 45), time(17, 15))
HOUR = time(17, 0)
ALERTS = 2
ALERT_LIFE = timedelta(hours=1)
# On which day behind the demo, and when, the two warnings were given.
FLOOD, STORM = (19, time(15, 20)), (40, time(13, 5))
# What the province offered its communes: days behind the demo.
OFFERED = (45, 26, 9)
NOT_OURS = "Xã đã phát tin cùng nội dung trong tuần."

Say = Callable[[str], None]


@dataclass(frozen=True)
class Text:
    """A text of the list, with the key of who supplied it."""

    title: str
    body: str
    klass: str
    field: int
    supplier: int | None


@dataclass(frozen=True)
class Desk:
    """Who writes for a unit, and who approves."""

    unit: Unit
    writer: Officer
    approver: Officer


def desks(
    communes: Mapping[str, Unit], officers: Mapping[str, Officer]
) -> dict[str, Desk]:
    """Return the desk of each commune; whoever has no officers is helped from above."""
    found = {
        code: Desk(unit, officers["quan"], officers["mai"])
        for code, unit in communes.items()
    }
    found[HOME] = Desk(communes[HOME], officers["lan"], officers["minh"])
    found[OTHER] = Desk(communes[OTHER], officers["hoa"], officers["quan"])
    return found


def _rows() -> list[dict[str, Any]]:
    text = (DATA / "past-bulletins-vi.json").read_text(encoding="utf-8")
    return list(json.loads(text))


def read_texts(province: Unit, *, by: Officer, at: datetime) -> list[Text]:
    """Return the texts of the list; who supplied them is put on the province's list."""
    rows = _rows()
    names = sorted({row["supplier"] for row in rows} - {""})
    newsroom.add_suppliers(unit=province, names=names, by=by, at=at)
    known = dict(
        Supplier.objects.filter(unit=province, ended_at=None).values_list("name", "pk")
    )
    return [
        Text(
            row["title"],
            row["body"],
            row["class"],
            row["field"],
            known.get(row["supplier"]),
        )
        for row in rows
    ]


def ask_sounds(*, at: datetime) -> None:
    """Ask for the sounds of all texts: made while devices enrol, and heard often."""
    for row in _rows():
        newsroom.ask_rendition(
            text=newsroom_rules.written_text(title=row["title"], body=row["body"]),
            language="vi",
            drill=False,
            klass=row["class"],
            at=at,
        )


def make_sounds(*, at: datetime) -> None:
    """Make the sounds that no worker has made yet."""
    ask_sounds(at=at)
    Worker(clock=partial(_same, at), chores=[]).run_once()


def _same(at: datetime) -> datetime:
    return at


def moment(day: date, hour: time) -> datetime:
    """Return a local hour of a day."""
    return datetime.combine(day, hour, LOCAL)


def release(
    desk: Desk, text: Text, timing: rules.Timing, *, at: datetime, approved_at: datetime
) -> Broadcast:
    """Write, send and approve one bulletin, each at its moment."""
    bulletin = newsroom.create_bulletin(
        unit=desk.unit,
        draft=newsroom_rules.Draft(
            text.title,
            text.body,
            text.klass,
            text.field,
            ("vi",),
            supplier=text.supplier,
        ),
        by=desk.writer,
        at=at,
    )
    sent = schedule.submit(
        bulletin_id=bulletin.pk,
        timing=timing,
        units=[desk.unit],
        devices=[],
        by=desk.writer,
        at=at,
    )
    schedule.prepare_ready(at=at)
    sent.refresh_from_db()
    return schedule.release(
        broadcast_uid=sent.uid, sha256=sent.sha256, by=desk.approver, at=approved_at
    )


def load_news(
    found: Mapping[str, Desk],
    province: Desk,
    texts: Sequence[Text],
    *,
    first: date,
    after: date,
    say: Say,
) -> int:
    """Put the bulletins of `[first, after)` on the air; return how many."""
    plain, alerts = texts[:-ALERTS], texts[-ALERTS:]
    count = 0
    for number, (code, desk) in enumerate(found.items()):
        say(f"Bản tin những ngày trước: {desk.unit.full_name} …")
        # The home commune has a programme of its own from today on.
        is_home = code == HOME
        hours = HOME_HOURS if is_home else (HOUR,)
        last = after - DAY if is_home else after + WEEK
        with transaction.atomic():
            for week, begin in enumerate(_weeks(first, after, number)):
                for turn, hour in enumerate(hours):
                    place = week * len(hours) + turn + 3 * number
                    at = moment(begin - DAY, WRITTEN_AT)
                    at += timedelta(minutes=7 * turn + 3 * number)
                    days = (begin, min(begin + WEEK - DAY, last))
                    _daily(desk, plain[place % len(plain)], hour, days, at=at)
                    count += 1
    say("Bản tin và tin khẩn cấp của tỉnh …")
    with transaction.atomic():
        for number, ago in enumerate(OFFERED):
            _offer(found, province, plain[5 * number % len(plain)], ago, after, number)
        _warn(found[HOME], alerts[0], after, FLOOD)
        _warn(province, alerts[1], after, STORM)
    return count + len(OFFERED) + ALERTS


def _daily(
    desk: Desk, text: Text, hour: time, days: tuple[date, date], *, at: datetime
) -> None:
    first, last = days
    timing = rules.Timing(
        rules.DAILY, time_of_day=hour, first_date=first, last_date=last
    )
    release(desk, text, timing, at=at, approved_at=at + APPROVED_AFTER)


def _weeks(first: date, after: date, number: int) -> list[date]:
    """Return the days on which a station's weeks begin; not all on one weekday."""
    begin = first + timedelta(days=number % 7)
    found = [begin + n * WEEK for n in range((after - begin) // WEEK + 1)]
    return [day for day in found if day < after]


def _warn(desk: Desk, text: Text, after: date, when: tuple[int, time]) -> None:
    ago, hour = when
    at = moment(after - timedelta(days=ago), hour)
    approved = at + timedelta(minutes=4)
    timing = rules.Timing(rules.NOW, expires_at=approved + ALERT_LIFE)
    release(desk, text, timing, at=at, approved_at=approved)


def _offer(
    found: Mapping[str, Desk],
    province: Desk,
    text: Text,
    ago: int,
    after: date,
    number: int,
) -> None:
    """Send a bulletin down; all but one commune take it the day after."""
    day = after - timedelta(days=ago)
    at = moment(day, time(9, 10))
    start = moment(day + timedelta(days=3), HOUR)
    timing = rules.Timing(rules.ONCE, starts_at=start)
    plain = Text(text.title, text.body, "normal", text.field, text.supplier)
    one = release(province, plain, timing, at=at, approved_at=at + APPROVED_AFTER)
    units = {desk.unit.pk: desk for desk in found.values()}
    entries = InboxEntry.objects.filter(broadcast=one, unit__in=units)
    for turn, entry in enumerate(entries.order_by("pk")):
        desk = units[entry.unit_id]
        decided = at + timedelta(days=1, minutes=11 * turn)
        if turn == number:
            schedule.leave_entry(
                entry_id=entry.pk, reason=NOT_OURS, by=desk.writer, at=decided
            )
        else:
            schedule.take_entry(entry_id=entry.pk, by=desk.writer, at=decided)

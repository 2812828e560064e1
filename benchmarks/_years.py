"""Years of facts behind the figures of a province, on top of `_crowd`.

Needs Django set up. Raw facts (plays, days of beats) are written for every day by SQL.
One span is counted by the rooms' own actions, which is what is measured; the other days
take the numbers of a counted day: they only have to be there.
"""

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import TypeVar

from django.db import connection

from benchmarks import _crowd
from benchmarks._bench import say
from nguon.audit.months import LOCAL
from nguon.fleet.models import BeatDay
from nguon.indicators import actions as indicators
from nguon.indicators.models import DayFact, FactDay
from nguon.indicators.rules import Period
from nguon.schedule.actions.days import count_day as count_plays
from nguon.schedule.models import CountedDay, PlayDay

Item = TypeVar("Item")
# A device on one day: heard all day, with evidence of one grade or of none.
BEATS = f"""
INSERT INTO {BeatDay._meta.db_table} (
    device_id, unit_id, day, made_at, expected, missing, heard, mains, battery,
    sounding, claimed, decoded, amplified, measured, line_bad, doubtful, hot, weak)
SELECT d.id, d.unit_id, %s, %s, 1440, 4, 1436, 1436, 0, 9, 0,
    CASE WHEN (d.id + %s) %% 13 = 0 THEN 0 ELSE 9 END, 0,
    CASE WHEN d.id %% 4 = 0 THEN 1 ELSE 0 END, 0, 0, 0, 0
FROM fleet_device d WHERE d.state = 'active'
"""
COPIES = {
    PlayDay: (
        "device_id", "unit_id", "klass", "outcome", "cause", "grade", "late_joiner",
        "plays", "sounded_ms",
    ),
    DayFact: ("unit_id", "place_id", "measure", "part", "number"),
}  # fmt: skip


def days_before(day: date, count: int) -> list[date]:
    """Return so many days before a day, in order."""
    return [day - timedelta(days=n) for n in range(count, 0, -1)]


def make_beats(days: Sequence[date], at: datetime) -> None:
    """Write a day of beats for each device on each day."""
    moment = connection.ops.adapt_datetimefield_value(at)

    def write(day: date) -> None:
        with connection.cursor() as cursor:
            cursor.execute(BEATS, [day, moment, day.toordinal()])

    _side_by_side(days, write, "days of beats")


def count_month(period: Period, at: datetime) -> None:
    """Count a month from its raw facts: what `roll_plays` and `roll_facts` do."""
    for day in days_before(period.after, period.days):
        count_plays(day=day, at=at)
        indicators.count_day(day=day, at=at)
    indicators.add_up_month(month=period.first, at=at)


def count_week_before(period: Period, at: datetime) -> None:
    """Count the plays of the week before: audible goes by the last seven days."""
    for day in days_before(period.first, 7):
        count_plays(day=day, at=at)


def fill_others(days: Sequence[date], counted: Sequence[date], at: datetime) -> None:
    """Give each other day the numbers of a counted one, and add their months up."""
    known = set(PlayDay.objects.order_by().values_list("day", flat=True).distinct())
    CountedDay.objects.bulk_create(
        [CountedDay(day=day, counted_at=at, due=False) for day in days],
        ignore_conflicts=True,
    )
    told = set(FactDay.objects.values_list("day", flat=True))
    sources = itertools.cycle(counted)
    pairs = [(day, next(sources)) for day in days]

    def write(pair: tuple[date, date]) -> None:
        day, source = pair
        if day not in told:
            _copy(DayFact, source, day)
        if day not in known:
            _copy(PlayDay, source, day)

    _side_by_side(pairs, write, "counted days")
    FactDay.objects.bulk_create(
        [FactDay(day=day, counted_at=at) for day in days if day not in told]
    )
    made = {day.replace(day=1) for day in days}
    for month in sorted(made):
        indicators.add_up_month(month=month, at=at)


def _copy(model: type[DayFact | PlayDay], source: date, day: date) -> None:
    names = ", ".join(COPIES[model])
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} (day, {names})"
            f" SELECT %s, {names} FROM {model._meta.db_table} WHERE day = %s",
            [day, source],
        )


def _side_by_side(
    several: Sequence[Item], write: Callable[[Item], None], what: str
) -> None:
    """Write items on two connections where the database lets two write."""
    writers = 2 if connection.vendor == "postgresql" else 1

    def write_share(share: Sequence[Item]) -> None:
        try:
            with _crowd.haste():
                for item in share:
                    write(item)
        finally:
            connection.close()

    with ThreadPoolExecutor(writers) as pool:
        shares = [several[n::writers] for n in range(writers)]
        list(pool.map(write_share, shares))
    say(f"{what}: {len(several)}")


def local_day(at: datetime) -> date:
    """Return the day here."""
    return at.astimezone(LOCAL).date()

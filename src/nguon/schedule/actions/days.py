"""The days of the plays: counted when they are over, and again when one changes.

Reports read `PlayDay`, so that a year takes no longer than its days, and what is
archived is still counted; so are its airings.
"""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta

from django.db import connection, transaction
from django.db.models import Count, Max, Min, Sum

from nguon.audit import months
from nguon.core.errors import RefusedError
from nguon.newsroom.models import Version
from nguon.schedule import rules, tallies
from nguon.schedule.models import (
    AiringCount,
    Broadcast,
    CountedDay,
    PlayDay,
    PlayRecord,
)

_KEYS = "device_id, unit_id, outcome, cause, grade, late_joiner"
# The day is over, and what was told in its last seconds is stored.
SETTLED = timedelta(minutes=5)


class DayNotCountedError(RefusedError):
    """The days of a month do not say what its plays say; nothing was put away."""


def note_changed(starts: Collection[datetime], *, at: datetime) -> None:
    """Note that plays planned at these moments changed, where their day is counted.

    Today's are counted tomorrow anyhow: in nearly every call nothing is written.
    """
    today = at.astimezone(rules.LOCAL).date()
    days = {start.astimezone(rules.LOCAL).date() for start in starts}
    past = {day for day in days if day < today}
    if past:
        CountedDay.objects.filter(day__in=past, stale=False).update(stale=True)


def roll_plays(*, at: datetime) -> int:
    """Count the days that are due; return how many. Meant to be called every minutes.

    1. count what became due in an earlier turn: whoever wrote plays then without
       marking the day has committed long since
    2. what was marked since becomes due; days that are over are taken in
    """
    due = CountedDay.objects.filter(due=True).order_by("day")
    days = list(due.values_list("day", flat=True))
    for day in days:
        count_day(day=day, at=at)
    CountedDay.objects.filter(stale=True).update(stale=False, due=True)
    _take_in((at - SETTLED).astimezone(rules.LOCAL).date() - timedelta(days=1))
    return len(days)


def _take_in(last: date) -> None:
    """Take in the days up to `last` that are over since."""
    newest = CountedDay.objects.aggregate(day=Max("day"))["day"]
    if newest is None:
        oldest = PlayRecord.objects.aggregate(at=Min("planned_at"))["at"]
        if oldest is None:
            return
        newest = oldest.astimezone(rules.LOCAL).date() - timedelta(days=1)
    CountedDay.objects.bulk_create(
        [
            CountedDay(day=newest + timedelta(days=n + 1))
            for n in range((last - newest).days)
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def count_day(*, day: date, at: datetime) -> None:
    """Count the plays of one local day anew."""
    CountedDay.objects.filter(day=day).update(due=False, counted_at=at)
    begin, end = _bounds(day)
    value = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {PlayDay._meta.db_table} WHERE day = %s",  # noqa: S608
            [day],
        )
        cursor.execute(
            f"INSERT INTO {PlayDay._meta.db_table}"  # noqa: S608  (our own names)
            f" ({_KEYS}, klass, day, plays, sounded_ms)"
            f" SELECT p.{_KEYS.replace(', ', ', p.')}, COALESCE(v.klass, ''), %s,"
            "  COUNT(*), COALESCE(SUM(p.sounded_ms), 0)"
            f" FROM {PlayRecord._meta.db_table} p"
            f" LEFT JOIN {Broadcast._meta.db_table} b ON b.id = p.broadcast_id"
            f" LEFT JOIN {Version._meta.db_table} v ON v.id = b.version_id"
            " WHERE p.planned_at >= %s AND p.planned_at < %s"
            f" GROUP BY p.{_KEYS.replace(', ', ', p.')}, COALESCE(v.klass, '')",
            [day, value(begin), value(end)],
        )


def settle_month(*, month: date) -> None:
    """Count a month's days and airings for good, before its plays are put away.

    Called inside the archive's transaction. Raises DayNotCountedError when the days,
    the airings and the plays do not agree afterwards.
    """
    begin, end = months.bounds(month)
    days = [
        month + timedelta(days=n)
        for n in range((months.next_month(month) - month).days)
    ]
    CountedDay.objects.bulk_create(
        [CountedDay(day=day) for day in days], ignore_conflicts=True
    )
    airings = AiringCount.objects.filter(planned_at__gte=begin, planned_at__lt=end)
    airings.delete()
    for day in days:
        count_day(day=day, at=end)
        AiringCount.objects.bulk_create(
            tallies.count_airings(*_bounds(day)), batch_size=500
        )
    plays = PlayRecord.objects.filter(planned_at__gte=begin, planned_at__lt=end)
    counted = PlayDay.objects.filter(day__in=days)
    told = plays.aggregate(n=Count("pk"), ms=Sum("sounded_ms"))
    kept = counted.aggregate(n=Sum("plays"), ms=Sum("sounded_ms"))
    of_airings = airings.aggregate(n=Sum("plays", default=0))["n"]
    days_agree = (told["n"], told["ms"] or 0) == (kept["n"] or 0, kept["ms"] or 0)
    if not days_agree or told["n"] != of_airings:
        raise DayNotCountedError("schedule.days_differ", month=f"{month:%m/%Y}")


def _bounds(day: date) -> tuple[datetime, datetime]:
    begin = datetime.combine(day, time.min, rules.LOCAL)
    return begin, begin + timedelta(days=1)

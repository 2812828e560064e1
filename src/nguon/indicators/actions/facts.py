"""Writing the day's numbers anew from facts; nothing else is ever changed here."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Max, Min, Sum

from nguon.audit.models import Archive
from nguon.audit.months import LOCAL
from nguon.core.errors import RefusedError
from nguon.fleet.bulk import insert_rows
from nguon.fleet.models import BeatDay
from nguon.indicators import facts, ground
from nguon.indicators.measures import OF_ONE_DAY
from nguon.indicators.models import DayFact, FactDay, FactMonth, MonthFact
from nguon.indicators.rules import months
from nguon.schedule.models import Broadcast, CountedDay

# The day is over, and the rooms below have had the time to count theirs.
SETTLED = timedelta(minutes=30)
# What devices tell late still counts: these days are counted once more each day.
LATE_DAYS = 7
# Days of one turn: a year that was never counted holds up no other chore.
MOST_DAYS = 31
MOST_MONTHS = 6


def roll_facts(*, at: datetime) -> int:
    """Count the days that are due; return how many. Meant to be called every minutes.

    Due is a day that was never counted, one whose plays were counted again since, and
    each of the last `LATE_DAYS` once a day. The latest come first. Months with a day
    that was counted since are added up anew.
    """
    today = (at - SETTLED).astimezone(LOCAL).date()
    counted = dict(FactDay.objects.values_list("day", "counted_at"))
    told = CountedDay.objects.values_list("day", "counted_at")
    played = {day: moment for day, moment in told if moment is not None}

    def is_due(day: date) -> bool:
        if day not in counted:
            return True
        if day in played and played[day] > counted[day]:
            return True
        is_recent = day >= today - timedelta(days=LATE_DAYS)
        return is_recent and (counted[day] - SETTLED).astimezone(LOCAL).date() < today

    due = [day for day in _open_days(until=today) if is_due(day)][-MOST_DAYS:]
    for day in reversed(due):
        count_day(day=day, at=at)
    for month in _open_months()[-MOST_MONTHS:]:
        add_up_month(month=month, at=at)
    return len(due)


def _open_months() -> list[date]:
    """Return the months that have a counted day and are not added up, in order."""
    days = FactDay.objects.values_list("day", flat=True)
    made = FactMonth.objects.filter(made_at__isnull=False)
    return sorted(
        {day.replace(day=1) for day in days} - set(made.values_list("month", flat=True))
    )


def _open_days(*, until: date) -> list[date]:
    """Return the days before `until` whose facts are all in the database, in order."""
    beat = BeatDay.objects.aggregate(day=Min("day"))["day"]
    played = CountedDay.objects.aggregate(day=Min("day"))["day"]
    released = Broadcast.objects.aggregate(at=Min("approved_at"))["at"]
    begun = [day for day in (beat, played) if day is not None]
    if released is not None:
        begun.append(released.astimezone(LOCAL).date())
    away = _put_away_until()
    if away is not None:
        begun = [max(day, away.astimezone(LOCAL).date()) for day in begun]
    if not begun:
        return []
    first = min(begun)
    return [first + timedelta(days=n) for n in range((until - first).days)]


def _put_away_until() -> datetime | None:
    """Return until when plays lie in archives: what was counted of them is final."""
    away = Archive.objects.filter(model="schedule.PlayRecord")
    found: datetime | None = away.aggregate(at=Max("ends_at"))["at"]
    return found


@transaction.atomic
def count_day(*, day: date, at: datetime) -> int:
    """Count one local day anew; return how many numbers it has.

    Raises RefusedError: `indicators.day_open` for a day that is not over,
    `indicators.day_put_away` when its plays were archived.
    """
    begin, end = facts.bounds(day)
    if end > at:
        raise RefusedError("indicators.day_open", day=f"{day:%d/%m/%Y}")
    away = _put_away_until()
    if away is not None and begin < away:
        raise RefusedError("indicators.day_put_away", day=f"{day:%d/%m/%Y}")
    # Two who count one day at once wait for each other where locks exist.
    FactDay.objects.get_or_create(day=day, defaults={"counted_at": at})
    row = FactDay.objects.select_for_update().get(day=day)
    numbers = facts.count_day(day)
    DayFact.objects.filter(day=day).delete()
    _insert(DayFact, "day", day, _rows(numbers))
    row.counted_at = at
    row.save(update_fields=["counted_at"])
    month = _lock_month(day.replace(day=1))
    month.made_at = None
    month.save(update_fields=["made_at"])
    return len(numbers)


Row = tuple[int, int, str, str, int]


def _rows(numbers: facts.Numbers) -> Iterable[Row]:
    places = ground.places_of({unit for unit, _measure, _part in numbers})
    for (unit, measure, part), number in sorted(numbers.items()):
        yield unit, places[unit], measure, part, number


def _insert(
    model: type[DayFact | MonthFact], when: str, day: date, rows: Iterable[Row]
) -> None:
    columns = (when, "unit_id", "place_id", "measure", "part", "number")
    told = [(day.isoformat(), *row) for row in rows]
    insert_rows(model._meta.db_table, columns, told)


def _lock_month(month: date) -> FactMonth:
    """Let whoever adds a month up and whoever counts one of its days wait in line."""
    FactMonth.objects.get_or_create(month=month)
    return FactMonth.objects.select_for_update().get(month=month)


@transaction.atomic
def add_up_month(*, month: date, at: datetime) -> int:
    """Add the counted days of a month up anew; return how many sums it has."""
    row = _lock_month(month)
    period = months(month.year, month.month, 1)
    days = DayFact.objects.filter(day__gte=period.first, day__lt=period.after)
    summed = days.exclude(measure__in=OF_ONE_DAY).order_by()
    keys = summed.values_list("unit", "place", "measure", "part")
    sums = list(keys.annotate(n=Sum("number")))
    MonthFact.objects.filter(month=month).delete()
    _insert(MonthFact, "month", month, sums)
    row.made_at = at
    row.save(update_fields=["made_at"])
    return len(sums)

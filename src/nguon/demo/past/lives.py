"""What a device of the demo lived through: when it was away, and what it told.

A life is drawn from the device's place in the list. Beats, faults and plays follow
from it, so that a speaker that was away is silent in all of them. What devices tell
goes in by the actions that the gateway uses.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import transaction

from nguon.audit import months
from nguon.audit.months import LOCAL
from nguon.core import beats
from nguon.core.messages import Event, EventBatch
from nguon.fleet import actions as fleet
from nguon.fleet import bulk, health, rollups
from nguon.fleet.models import BOARD, BeatDay, Device, Fault
from nguon.schedule import actions as schedule
from nguon.schedule.models import Airing, AudienceMember

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
DAY_MINUTES = 24 * 60
# The name of the log in which the devices' own numbers of these days stand.
LOG = "demo"
# Of so many devices one is often away, and one was away for long.
ONE_IN, OFTEN, LONG = 25, 7, 18
BACK_BEFORE = timedelta(hours=4)
# Nothing is told for longer at once: a day of all devices.
AT_ONCE = 4_000

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Life:
    """One device's days: when it was away, in order, and how well it proves sound."""

    away: tuple[Span, ...]
    grade: int

    def end_of_absence(self, moment: datetime) -> datetime | None:
        """Return when it came back, if it was away at a moment."""
        ends = [end for begin, end in self.away if begin <= moment < end]
        return ends[0] if ends else None

    def minutes_away(self, day: date) -> int:
        """Return how many minutes of a local day it was away."""
        begin = midnight(day)
        return sum(
            max(timedelta(0), min(end, begin + DAY) - max(start, begin)) // MINUTE
            for start, end in self.away
        )


def midnight(day: date) -> datetime:
    """Return when a local day begins."""
    return datetime.combine(day, time.min, LOCAL).astimezone(UTC)


def draw_life(number: int, *, first: date, after: date) -> Life:
    """Draw the life of the device in this place of the list for `[first, after)`.

    Whoever was away for long was so when the last month ended; everybody is back
    before the last day is over: then the demo begins, and all are there.
    """
    dice = random.Random(number)  # noqa: S311  (made up, and the same each time)
    days = (after - first).days
    spans: list[Span] = []

    def be_away(begin: datetime, hours: float) -> None:
        end = min(begin + timedelta(hours=hours), midnight(after) - BACK_BEFORE)
        if begin < end:
            spans.append((begin, end))

    if number % ONE_IN == OFTEN:
        for start in range(3, days, 9):
            be_away(midnight(first) + DAY * (start + 3 * dice.random()), 46)
        be_away(midnight(after) - 3 * DAY, 72)
    elif number % ONE_IN == LONG:
        ended = midnight(after.replace(day=1))
        be_away(ended - DAY * (3 + 3 * dice.random()), 24 * 7)
    elif dice.random() < 0.5:
        be_away(midnight(first) + DAY * (days - 1) * dice.random(), 5)
    grade = beats.MEASURED if number % 4 == 0 else beats.DECODED
    return Life(_apart(spans), grade)


def _apart(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Return spans in order, those that meet as one."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return tuple(found)


# --- what they told of plays ---------------------------------------------------------


def tell_plays(
    devices: Sequence[Device], lives: Mapping[int, Life], *, until: datetime
) -> Counter[tuple[int, date]]:
    """Tell the plays of every start before `until`, as devices tell them.

    Returns how often each device sounded on each local day.
    """
    meant: dict[int, list[int]] = defaultdict(list)
    rows = AudienceMember.objects.order_by("pk").values_list("broadcast", "device")
    for broadcast, device in rows:
        meant[broadcast].append(device)
    named = {device.pk: device for device in devices}
    numbers: Counter[int] = Counter()
    sounded: Counter[tuple[int, date]] = Counter()
    told: list[EventBatch] = []
    day = None
    for airing in _starts(until):
        today = airing.starts_at.astimezone(LOCAL).date()
        if today != day or len(told) > AT_ONCE:
            _store(told, day)
            told, day = [], today
        for key in meant[airing.broadcast_id or 0]:
            if key not in named:
                continue
            events = _tell(airing, named[key], lives[key], numbers)
            told.append(EventBatch(named[key].uid, LOG, tuple(events)))
            sounded[key, today] += events[-1].type == "finished"
    _store(told, day)
    return sounded


def _starts(until: datetime) -> Sequence[Airing]:
    rows = Airing.objects.filter(
        broadcast__isnull=False, withdrawn_at=None, starts_at__lt=until
    )
    return list(
        rows.select_related("broadcast__version")
        .prefetch_related("broadcast__version__sounds__rendition")
        .order_by("starts_at", "pk")
    )


def _tell(
    airing: Airing, device: Device, life: Life, numbers: Counter[int]
) -> list[Event]:
    """Return what one device tells of one start."""
    broadcast = airing.broadcast
    if broadcast is None or broadcast.approved_at is None:
        return []
    # Each has its own short delay, the same every time.
    late = timedelta(milliseconds=180 + (device.pk * 37 + airing.pk * 11) % 900)
    back = life.end_of_absence(airing.starts_at)
    steps: list[tuple[str, datetime, dict[str, Any]]]
    if back is not None:
        steps = [("missed", back, {"cause": "offline"})]
    elif device.kind == BOARD:
        steps = [("shown", airing.starts_at + late, {"output": "page"})]
    else:
        started = airing.starts_at + late
        ms = max(
            (
                sound.rendition.duration_ms or 0
                for sound in broadcast.version.sounds.all()
            ),
            default=0,
        )
        ended = started + timedelta(milliseconds=ms)
        data = {
            "started_at": _ms(started),
            "ended_at": _ms(ended),
            "sounded_ms": ms,
            "level_dbfs": -18.0 - device.pk % 4,
            "evidence": beats.NAMES[life.grade],
        }
        steps = [("finished", ended, data)]
    if back is None:
        fetched = min(broadcast.approved_at + 2 * late, airing.starts_at)
        steps.insert(0, ("prepared", fetched, {}))
    events = []
    for kind, moment, data in steps:
        numbers[device.pk] += 1
        n = numbers[device.pk]
        events.append(Event(n, kind, _ms(moment), airing.item, data))
    return events


def _store(batches: Sequence[EventBatch], day: date | None) -> None:
    """Take in what was told of a day, in one transaction as the gateway does."""
    if day is None or not batches:
        return
    at = midnight(day) + DAY
    with transaction.atomic():
        _make_room(at)
        prepared = fleet.prepare_events(batches=batches, at=at)
        fleet.insert_events(prepared)
        schedule.record_events(events=prepared.facts, at=at)


def _make_room(at: datetime) -> None:
    """Make the months of a moment where tables are kept by month."""
    for kept in months.tables():
        if months.is_partitioned(kept.table):
            for moment in (at - 2 * DAY, at):
                months.ensure(kept, months.month_of(moment))


# --- beats and faults ----------------------------------------------------------------


def write_beats(
    devices: Sequence[Device],
    lives: Mapping[int, Life],
    days: Sequence[date],
    sounded: Mapping[tuple[int, date], int],
) -> None:
    """Write the day of beats of each device on each day, as `fleet.roll_days` would."""
    rows = [
        _beats(device, lives[device.pk], day, sounded)
        for day in days
        for device in devices
    ]
    if rows:
        columns = tuple(rows[0])
        values = [tuple(row.values()) for row in rows]
        bulk.insert_rows(BeatDay._meta.db_table, columns, values)


def _beats(
    device: Device, life: Life, day: date, sounded: Mapping[tuple[int, date], int]
) -> dict[str, Any]:
    """Return one row, by column."""
    away = life.minutes_away(day)
    heard = DAY_MINUTES - away
    reach = health.AGE_LIMITS[life.grade].days
    is_proven = any(sounded.get((device.pk, day - n * DAY)) for n in range(reach))
    warm = 24 + (device.pk + day.toordinal()) % 6
    return {
        "device_id": device.pk,
        "unit_id": device.unit_id,
        "day": day.isoformat(),
        "made_at": bulk.moment_form()(midnight(day) + DAY),
        "expected": DAY_MINUTES,
        "missing": away,
        **dict.fromkeys(rollups.MINUTES, 0),
        "heard": heard,
        "mains": heard,
        "sounding": min(heard, sounded.get((device.pk, day), 0)),
        beats.NAMES[life.grade]: heard if is_proven else 0,
        "temperature_min": warm - 6,
        "temperature_max": warm + 7,
        "signal_min": -88 - device.pk % 9,
        "signal_max": -67,
    }


def write_faults(devices: Collection[Device], lives: Mapping[int, Life]) -> None:
    """Write each absence as the lost connection that it was, over by now."""
    Fault.objects.bulk_create(
        Fault(
            device=device,
            unit_id=device.unit_id,
            cause="lost",
            began_at=begin,
            opened_at=begin,
            closed_at=end,
            told_at=begin,
        )
        for device in devices
        for begin, end in lives[device.pk].away
    )


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)

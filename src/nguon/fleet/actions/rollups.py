"""Writing beats as hours, and hours as days (rules: `fleet.rollups`).

Hours come from the gateway in batches and are merged into what is stored, so that
writing one twice changes nothing. Days are counted from the hours after they ended,
and again when an hour of theirs has changed since.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection, transaction
from django.db.models import Max, Min

from nguon.audit import months
from nguon.fleet import bulk, health, rollups
from nguon.fleet.actions.facts import find_keys
from nguon.fleet.models import (
    ACTIVE,
    REVOKED,
    ArchivedRun,
    BeatDay,
    BeatHour,
    Device,
    DeviceEvent,
    Registration,
)

# How long hours are kept, and how far back a late beat still changes a day.
KEEP_HOURS = timedelta(days=62)
LATE_DAYS = 2
# A day is counted when every gateway has written what it had; what changed within
# this time before it was counted may have been missed.
GRACE = timedelta(minutes=5)
CHUNK, FORGET = 500, 20_000

_HOURS = BeatHour._meta.db_table
_NAMES = ("device_id", "hour_at", "changed_at", *rollups.HOUR_FIELDS)
_TYPES = dict.fromkeys(_NAMES, "bigint") | dict.fromkeys(
    ("hour_at", "changed_at"), "timestamptz"
)


def _upsert() -> str:
    """Return the statement that merges accounts of hours into those stored.

    PostgreSQL's LEAST ignores what is not known, SQLite's MIN does not.
    """
    if bulk.is_postgresql():
        least, greatest = "LEAST(p.{0}, excluded.{0})", "GREATEST(p.{0}, excluded.{0})"
        types = ", ".join(f"{name} {kind}" for name, kind in _TYPES.items())
        source = (
            f"SELECT {', '.join(_NAMES)}"  # noqa: S608  (our own names)
            f" FROM json_to_recordset(%s::json) AS v({types}) WHERE TRUE"
        )
    else:
        both = "(COALESCE(p.{0}, excluded.{0}), COALESCE(excluded.{0}, p.{0}))"
        least, greatest = f"MIN{both}", f"MAX{both}"
        source = f"VALUES ({', '.join(['%s'] * len(_NAMES))})"
    sets = [f"{name} = p.{name} | excluded.{name}" for name in rollups.MINUTES]
    sets += [f"{name} = {least.format(name)}" for name in rollups.LEAST]
    sets += [f"{name} = {greatest.format(name)}" for name in rollups.GREATEST]
    sets.append(f"changed_at = {greatest.format('changed_at')}")
    return (
        f"INSERT INTO {_HOURS} AS p ({', '.join(_NAMES)}) {source}"
        f" ON CONFLICT (device_id, hour_at) DO UPDATE SET {', '.join(sets)}"
    )


@transaction.atomic
def record_hours(*, hours: Mapping[tuple[str, int], rollups.Hour], at: datetime) -> int:
    """Merge hours, by (device uid, begin in ms); return how many were written.

    Those of unknown devices are left out. Doing it again changes nothing.
    """
    keys = find_keys({uid for uid, _begin in hours})
    form = bulk.moment_form()
    stamp = form(at)
    rows = [
        (
            keys[uid],
            form(datetime.fromtimestamp(begin / 1000, tz=UTC)),
            stamp,
            *(getattr(hour, name) for name in rollups.HOUR_FIELDS),
        )
        for (uid, begin), hour in hours.items()
        if uid in keys
    ]
    # In one order, so that two gateways never hold each other up.
    rows.sort(key=lambda row: (row[0], row[1]))
    if not rows:
        return 0
    with connection.cursor() as cursor:
        if bulk.is_postgresql():
            told = [dict(zip(_NAMES, row, strict=True)) for row in rows]
            cursor.execute(_upsert(), [json.dumps(told)])
        else:
            cursor.executemany(_upsert(), rows)
    return len(rows)


def roll_days(*, at: datetime) -> int:
    """Count the days that are over, where they are not counted or changed since.

    Returns how many device-days were counted. Hours past their time are forgotten,
    but never those of a day that is not counted yet.
    """
    last = (at - GRACE).astimezone(health.LOCAL).date() - timedelta(days=1)
    latest = BeatDay.objects.aggregate(day=Max("day"))["day"]
    oldest = BeatHour.objects.aggregate(at=Min("hour_at"))["at"]
    if latest is None and oldest is None:
        return 0
    first = (
        oldest.astimezone(health.LOCAL).date()
        if latest is None
        else latest + timedelta(days=1)
    )
    first = min(first, last - timedelta(days=LATE_DAYS))
    first = max(first, last - KEEP_HOURS)
    counted = 0
    while first <= last:
        counted += _roll_day(first, at)
        first += timedelta(days=1)
    _forget_hours(at)
    return counted


def _forget_hours(at: datetime) -> None:
    old = BeatHour.objects.filter(hour_at__lt=at - KEEP_HOURS - timedelta(days=2))
    keys = list(old.order_by("hour_at").values_list("pk", flat=True)[:FORGET])
    for start in range(0, len(keys), CHUNK):
        BeatHour.objects.filter(pk__in=keys[start : start + CHUNK]).delete()


def _roll_day(day: date, at: datetime) -> int:
    """Count one local day of every device that needs it."""
    begin = datetime.combine(day, time.min, health.LOCAL)
    ends, hour = begin + timedelta(days=1), timedelta(hours=1)
    told = BeatHour.objects.filter(hour_at__gte=begin - hour, hour_at__lt=ends + hour)
    changed = dict(
        told.values_list("device").annotate(last=Max("changed_at")).order_by()
    )
    made = dict(BeatDay.objects.filter(day=day).values_list("device", "made_at"))
    ours = Device.objects.filter(state__in=[ACTIVE, REVOKED], decided_at__lt=ends)

    def is_stale(device: Device) -> bool:
        if device.pk not in made:
            return device.state == ACTIVE or device.pk in changed
        return bool(changed.get(device.pk, begin) >= made[device.pk] - GRACE)

    stale = [device for device in ours.order_by("pk") if is_stale(device)]
    for start in range(0, len(stale), CHUNK):
        _count(stale[start : start + CHUNK], day, begin, at)
    return len(stale)


@transaction.atomic
def _count(devices: list[Device], day: date, begin: datetime, at: datetime) -> None:
    """Count one day of some devices from their hours."""
    keys = [device.pk for device in devices]
    span = (begin - timedelta(hours=1), begin + timedelta(hours=25))
    rows = BeatHour.objects.filter(device__in=keys, hour_at__gte=span[0])
    hours: dict[int, dict[int, rollups.Hour]] = defaultdict(dict)
    for device, hour_at, *values in rows.filter(hour_at__lt=span[1]).values_list(
        "device", "hour_at", *rollups.HOUR_FIELDS
    ):
        hours[device][_ms(hour_at)] = rollups.Hour(*values)
    opening: dict[int, health.Hours] = {
        key: (opens, closes)
        for key, opens, closes in Registration.objects.filter(
            pk__in=keys, hours_from__isnull=False
        ).values_list("pk", "hours_from", "hours_to")
        if opens is not None and closes is not None
    }
    fresh = []
    for device in devices:
        since, until = _ours(device)
        expected = rollups.expected_bits(
            opening.get(device.pk), begin=_ms(begin), since=since, until=until
        )
        found = rollups.day_of(hours[device.pk], begin=_ms(begin), expected=expected)
        fresh.append(
            BeatDay(
                device=device, unit_id=device.unit_id, day=day, made_at=at,
                expected=found.expected, missing=found.missing,
                **found.minutes, **found.extremes,
            )
        )  # fmt: skip
    BeatDay.objects.bulk_create(
        fresh,
        update_conflicts=True,
        unique_fields=["device", "day"],
        # The unit stays the one of that day.
        update_fields=[
            "made_at", "expected", "missing", *rollups.MINUTES, *rollups.LEAST,
            *rollups.GREATEST,
        ],
        batch_size=CHUNK,
    )  # fmt: skip


def _ours(device: Device) -> tuple[int, int | None]:
    """Return from when to when (ms) a device is ours: it was let in, or shut out."""
    decided = _ms(device.decided_at) if device.decided_at else 0
    if device.state == REVOKED:
        return _ms(device.enrolled_at), decided
    return decided, None


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def keep_runs(*, month: date) -> None:
    """Note which numbers of which logs a month of events holds, before it is archived.

    Called inside the archive's transaction; sent again, they are known (`facts`).
    """
    begin, end = months.bounds(month)
    value = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {ArchivedRun._meta.db_table}"  # noqa: S608  (our own names)
            " (device_id, log, month, first, last)"
            " SELECT device_id, log, %s, MIN(n), MAX(n) FROM ("
            "  SELECT device_id, log, n, n - ROW_NUMBER() OVER"
            "   (PARTITION BY device_id, log ORDER BY n) AS run"
            f"  FROM {DeviceEvent._meta.db_table}"
            "  WHERE stored_at >= %s AND stored_at < %s) AS e"
            " GROUP BY device_id, log, run"
            " ON CONFLICT DO NOTHING",
            [month, value(begin), value(end)],
        )

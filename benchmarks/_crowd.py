"""A province of devices with years of facts, written straight into the database.

Needs Django set up. Devices stand in villages of every commune, with coordinates
inside the commune's box; their states, faults and proofs are spread as a bad day
would. Plays are of daily bulletins of the province and of communes, far back in time.
"""

import itertools
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from benchmarks._bench import say
from nguon.audit import months
from nguon.fleet import actions as fleet
from nguon.fleet import health
from nguon.fleet.models import (
    ACTIVE,
    SPEAKER,
    Device,
    DeviceEvent,
    Fault,
    Health,
    Incident,
    Registration,
    SignalChange,
)
from nguon.newsroom import actions as newsroom
from nguon.newsroom.rules import Draft
from nguon.people.models import Officer
from nguon.schedule import actions as schedule
from nguon.schedule import rules
from nguon.schedule.models import Airing, Broadcast
from nguon.territory import boundaries, names
from nguon.territory.models import COMMUNE, PROVINCE, VILLAGE, Unit
from nguon.territory.queries import get_unit

VILLAGES = 20
SLOTS = (time(6, 0), time(11, 0), time(17, 0), time(19, 0), time(20, 30))
COMMUNES_ON_AIR = 40
MAKES = ("Loa Việt", "Tiếng Nói", "Cao Nguyên", "An Khê")
CHANGES, EVENTS, OLD_FAULTS = 40, 20, 5
BATCH = 2_000
# One in so many: silent, faulty, in repair, without any proof.
SILENT, FAULTY, REPAIR, UNPROVEN = 37, 29, 211, 13


def make_villages(at: datetime) -> list[Unit]:
    """Give every commune of the province its villages; return all of them."""
    province = get_unit(boundaries.PROVINCE_CODE, kind=PROVINCE, day=at.date())
    communes = Unit.objects.as_of(at.date()).filter(parent=province, kind=COMMUNE)
    fresh = [
        Unit(
            kind=VILLAGE,
            code=f"X{commune.code}{n}",
            subkind="Làng",
            name=f"Mẫu {n}",
            folded=names.fold(f"Làng Mẫu {n}"),
            parent=commune,
            valid_from=commune.valid_from,
            population=200 + n * 17,
        )
        for n in range(VILLAGES)
        for commune in communes.order_by("code")
    ]
    Unit.objects.bulk_create(fresh, batch_size=BATCH)
    for unit in fresh:
        parent = unit.parent
        unit.path = f"{parent.path if parent else '/'}{unit.pk}/"
    Unit.objects.bulk_update(fresh, ["path"], batch_size=500)
    return fresh


def make_devices(count: int, at: datetime) -> None:
    """Put up devices, judge them as a bad day would, write what is known of them."""
    villages = make_villages(at)
    tung = Officer.objects.get(username="tung")
    # The same province every time.
    dice = random.Random(4)
    rows = []
    for number in range(count):
        unit = villages[number % len(villages)]
        left, top, right, bottom = _box(unit)
        rows.append(
            Device(
                kind=SPEAKER,
                name=f"Cụm loa {unit.folded} {number}",
                unit=unit,
                lat=bottom + (top - bottom) * dice.random(),
                lon=left + (right - left) * dice.random(),
                state=ACTIVE,
                public_key=f"key-{number}",
                enrolled_at=at,
                decided_by=tung,
                decided_at=at,
                connected=number % SILENT != 0,
                last_heard_at=at,
                version="0.1.0",
            )
        )
    Device.objects.bulk_create(rows, batch_size=BATCH)
    fleet.ensure_health(at=at)
    _write_health(at)
    _write_register()


def _box(unit: Unit) -> tuple[float, float, float, float]:
    """Return west, north, east, south of the middle of a village's commune."""
    parent = unit.parent
    lat = (parent.lat if parent else None) or 13.98
    lon = (parent.lon if parent else None) or 108.0
    return lon - 0.03, lat + 0.03, lon + 0.03, lat - 0.03


def _write_health(at: datetime) -> None:
    """Make one state of the day for each device, with its fault."""
    faults = []
    rows = list(Health.objects.select_related("device").order_by("pk"))
    for n, row in enumerate(rows):
        row.state, cause = _fate(n)
        row.heard_at = at
        row.mains, row.line, row.network = cause != "mains", "ok", "4g"
        row.battery_percent, row.temperature_c = 60 + n % 40, 30 + n % 20
        row.storage_free_mb, row.signal_dbm = 4_000, -60 - n % 40
        row.decoded_at = None if n % UNPROVEN == 0 else at - timedelta(hours=n % 40)
        row.measured_at = at - timedelta(hours=n % 160) if n % 4 == 0 else None
        row.audible_until = health.audible_until(row.evidence)
        row.look_at = None
        if cause:
            faults.append(_fault(row, cause, at - timedelta(minutes=n % 600)))
    Health.objects.bulk_update(
        rows,
        [
            "state", "heard_at", "mains", "line", "network", "battery_percent",
            "temperature_c", "storage_free_mb", "signal_dbm", "decoded_at",
            "measured_at", "audible_until", "look_at",
        ],
        batch_size=500,
    )  # fmt: skip
    Fault.objects.bulk_create(faults, batch_size=BATCH)


def _fate(n: int) -> tuple[str, str]:
    if n % SILENT == 0:
        return health.SILENT, "lost"
    if n % FAULTY == 0:
        return health.FAULTY, "mains"
    return (health.IN_REPAIR, "") if n % REPAIR == 0 else (health.ACTIVE, "")


def _fault(row: Health, cause: str, at: datetime, *, over: bool = False) -> Fault:
    return Fault(
        device_id=row.pk,
        unit_id=row.device.unit_id,
        cause=cause,
        began_at=at,
        opened_at=at,
        closed_at=at + timedelta(minutes=20) if over else None,
        told_at=at,
    )


def _write_register() -> None:
    rows = list(Registration.objects.order_by("pk"))
    for n, row in enumerate(rows):
        row.make, row.serial, row.mast = MAKES[n % 4], f"S{n}", f"GLI{n // 40:04d}"
    Registration.objects.bulk_update(rows, ["make", "serial", "mast"], batch_size=500)


def make_past(at: datetime) -> None:
    """Give devices a past: changes of signals, events, faults, incidents."""
    rows = list(Health.objects.select_related("device").order_by("pk"))
    for made in (_changes(rows, at), _events(rows, at), _old_faults(rows, at)):
        first = next(made)
        model = type(first)
        model._default_manager.bulk_create(
            itertools.chain([first], made), batch_size=BATCH
        )
    communes = list(Unit.objects.filter(kind=COMMUNE, valid_to=None)[:100])
    Incident.objects.bulk_create(
        Incident(
            kind="outage", unit=unit, opened_at=at - timedelta(days=n),
            closed_at=at - timedelta(days=n - 1), told_at=at, size=12,
        )
        for n, unit in enumerate(communes, 1)
    )  # fmt: skip


def _changes(rows: Sequence[Health], at: datetime) -> Iterator[SignalChange]:
    for row in rows:
        for n in range(CHANGES):
            old, new = ("yes", "no") if n % 2 else ("no", "yes")
            yield SignalChange(
                device_id=row.pk,
                signal=("connected", "mains")[n % 3 == 0],
                old=old,
                new=new,
                at=at - timedelta(hours=3 * n),
            )


def _events(rows: Sequence[Health], at: datetime) -> Iterator[DeviceEvent]:
    for row in rows:
        for n in range(EVENTS):
            moment = at - timedelta(hours=4 * n)
            yield DeviceEvent(
                device_id=row.pk,
                log="bench",
                n=n + 1,
                type="finished",
                at=moment,
                stored_at=moment,
                recorded_at=moment,
                data={"level_dbfs": -18, "sounded_ms": 4000},
            )


def _old_faults(rows: Sequence[Health], at: datetime) -> Iterator[Fault]:
    for row in rows:
        for n in range(OLD_FAULTS):
            yield _fault(row, "lost", at - timedelta(days=n + 1), over=True)


# --- bulletins and plays -----------------------------------------------------------


def make_programme(at: datetime) -> list[Broadcast]:
    """Release daily bulletins of the province and of communes; return the former."""
    province = get_unit(boundaries.PROVINCE_CODE, kind=PROVINCE, day=at.date())
    communes = Unit.objects.filter(parent=province, kind=COMMUNE, valid_to=None)
    whole = [_release(province, hour, at) for hour in SLOTS]
    for n, commune in enumerate(communes.order_by("code")[:COMMUNES_ON_AIR]):
        _release(commune, SLOTS[n % len(SLOTS)], at)
    return whole


def _release(unit: Unit, hour: time, at: datetime) -> Broadcast:
    """Write, voice with a stand-in, and release a daily bulletin of a week."""
    admin = Officer.objects.get(username="admin")
    quan = Officer.objects.get(username="quan")
    draft = Draft(f"Tin {hour:%H:%M} của {unit.full_name}", "Mời bà con nghe tin.")
    bulletin = newsroom.create_bulletin(unit=unit, draft=draft, by=admin, at=at)
    today = timezone.localdate(at)
    sent = schedule.submit(
        bulletin_id=bulletin.pk,
        timing=rules.Timing(
            kind=rules.DAILY,
            time_of_day=hour,
            first_date=today,
            last_date=today + timedelta(days=6),
        ),
        units=[unit],
        devices=[],
        by=admin,
        at=at,
    )
    while (claimed := newsroom.claim_rendition(at=at)) is not None:
        media = fleet.store_media(
            data=claimed.key.encode(), mime="audio/mpeg", duration_ms=4000, at=at
        )
        newsroom.finish_rendition(
            rendition_id=claimed.pk,
            lease=claimed.lease,
            media=media,
            sound=newsroom.Sound(4000, -16, -2, [0]),
            at=at,
        )
    schedule.prepare_ready(at=at)
    sent.refresh_from_db()
    return schedule.release(broadcast_uid=sent.uid, sha256=sent.sha256, by=quan, at=at)


PLAYS = """
INSERT INTO schedule_playrecord (
    device_id, unit_id, broadcast_id, title, item, planned_at, received_at,
    prepared_at, started_at, ended_at, shown_at, sounded_ms, level_dbfs, outcome,
    cause, late_joiner, grade)
SELECT id, unit_id, %s, '', %s, %s, %s, NULL,
    CASE WHEN (id + %s) %% 41 = 0 THEN NULL ELSE %s END,
    CASE WHEN (id + %s) %% 41 = 0 THEN NULL ELSE %s END,
    NULL, 4000, -18.0,
    CASE WHEN (id + %s) %% 41 = 0 THEN 'missed' ELSE 'finished' END,
    CASE WHEN (id + %s) %% 41 = 0 THEN 'offline' ELSE '' END, %s,
    CASE WHEN (id + %s) %% 41 = 0 THEN 0 ELSE 2 END
FROM fleet_device WHERE state = 'active' ORDER BY id LIMIT %s
"""


def make_plays(wanted: int, broadcasts: Sequence[Broadcast], at: datetime) -> int:
    """Write so many play records, the youngest days first; return how many.

    Indexes are dropped and made again: twenty million rows would else take hours.
    """
    airings = _past_airings(wanted, broadcasts, at)
    _make_months(airings)
    indexes = _lift_indexes()
    left = wanted
    for number, airing in enumerate(airings):
        if left <= 0:
            break
        left -= _play(airing, number, left)
        if number % 200 == 0:
            say(f"plays: {wanted - left:,} / {wanted:,}")
    say("indexes of the plays …")
    with connection.cursor() as cursor:
        for definition in indexes:
            cursor.execute(definition)
    return wanted - left


def _make_months(airings: Sequence[Airing]) -> None:
    """Make the months that the plays lie in, as they would have been in time."""
    for kept in months.tables():
        if kept.model == "schedule.PlayRecord" and months.is_partitioned(kept.table):
            for month in sorted({months.month_of(one.starts_at) for one in airings}):
                months.ensure(kept, month)


def _lift_indexes() -> list[str]:
    """Drop every index of the plays but those of keys; return how to make them."""
    if connection.vendor == "sqlite":
        query = (
            "SELECT name, sql, 0 FROM sqlite_master WHERE type = 'index'"
            " AND sql IS NOT NULL AND tbl_name = 'schedule_playrecord'"
        )
    else:
        query = (
            "SELECT i.relname, pg_get_indexdef(i.oid), c.oid IS NOT NULL"
            " FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid"
            " LEFT JOIN pg_constraint c ON c.conindid = i.oid"
            " WHERE x.indrelid = 'schedule_playrecord'::regclass"
            " AND NOT x.indisprimary"
        )
    found = []
    with connection.cursor() as cursor:
        cursor.execute(query)
        for name, definition, is_constraint in cursor.fetchall():
            if is_constraint:
                cursor.execute(
                    f"ALTER TABLE schedule_playrecord DROP CONSTRAINT {name}"
                )
                unique = definition[definition.rindex("(") :]
                definition = (
                    f"ALTER TABLE schedule_playrecord ADD CONSTRAINT {name}"
                    f" UNIQUE {unique}"
                )
            else:
                cursor.execute(f'DROP INDEX "{name}"')
            # Of a table of months, the index is wanted on each of them too.
            found.append(definition.replace(" ON ONLY ", " ON "))
    return found


def _past_airings(
    wanted: int, broadcasts: Sequence[Broadcast], at: datetime
) -> list[Airing]:
    """Return airings back in time, as many as the plays need."""
    devices = max(1, Device.objects.filter(state=ACTIVE).count())
    fresh = []
    for number in range(wanted // devices + 1):
        day, slot = divmod(number, len(broadcasts))
        moment = at - timedelta(days=day + 1, hours=slot)
        fresh.append(
            Airing(
                item=f"bench.{number}",
                broadcast=broadcasts[slot],
                title="",
                starts_at=moment,
                ends_at=moment + timedelta(minutes=5),
            )
        )
    return Airing.objects.bulk_create(fresh, batch_size=BATCH)


def _play(airing: Airing, number: int, limit: int) -> int:
    """Write the plays of one airing on every device; return how many."""

    def moment(value: datetime) -> Any:
        return connection.ops.adapt_datetimefield_value(value)

    begin, end = airing.starts_at, airing.starts_at + timedelta(seconds=4)
    with connection.cursor() as cursor:
        cursor.execute(
            PLAYS,
            [
                airing.broadcast_id, airing.item, moment(begin), moment(begin), number,
                moment(begin), number, moment(end), number, number, False, number,
                limit,
            ],
        )  # fmt: skip
        return int(cursor.rowcount)


def tidy() -> None:
    """Let the database learn what it holds, as it does by itself over time."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")

"""A province of devices with years of facts, written straight into the database.

Needs Django set up. Devices stand in villages of every commune, with coordinates
inside the commune's box; their states, faults and proofs are spread as a bad day
would. Plays are of daily bulletins of the province and of communes, far back in time.
"""

import contextlib
import itertools
import json
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.db.models import Model
from django.utils import timezone

from benchmarks._bench import say
from nguon.audit import months
from nguon.fleet import actions as fleet
from nguon.fleet import bulk, health
from nguon.fleet.actions.bulk import update_rows
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
    update_rows(fresh, ["path"])
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
    update_rows(
        rows,
        [
            "state", "heard_at", "mains", "line", "network", "battery_percent",
            "temperature_c", "storage_free_mb", "signal_dbm", "decoded_at",
            "measured_at", "audible_until", "look_at",
        ],
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
    update_rows(rows, ["make", "serial", "mast"])


def make_past(at: datetime) -> None:
    """Give devices a past: changes of signals, events, faults, incidents."""
    rows = list(Health.objects.select_related("device").order_by("pk"))
    _insert(
        SignalChange, ("device_id", "signal", "old", "new", "at"), _changes(rows, at)
    )
    _insert(
        DeviceEvent,
        (
            "device_id", "log", "n", "type", "item", "document", "at", "stored_at",
            "recorded_at", "data", "fault",
        ),
        _events(rows, at),
    )  # fmt: skip
    Fault.objects.bulk_create(_old_faults(rows, at), batch_size=BATCH)
    communes = list(Unit.objects.filter(kind=COMMUNE, valid_to=None)[:100])
    Incident.objects.bulk_create(
        Incident(
            kind="outage", unit=unit, opened_at=at - timedelta(days=n),
            closed_at=at - timedelta(days=n - 1), told_at=at, size=12,
        )
        for n, unit in enumerate(communes, 1)
    )  # fmt: skip


def _insert(
    model: type[Model], columns: Sequence[str], rows: Iterator[Sequence[Any]]
) -> None:
    while some := list(itertools.islice(rows, 10 * BATCH)):
        bulk.insert_rows(model._meta.db_table, columns, some)


def _changes(rows: Sequence[Health], at: datetime) -> Iterator[Sequence[Any]]:
    form = bulk.moment_form()
    moments = [form(at - timedelta(hours=3 * n)) for n in range(CHANGES)]
    for row in rows:
        for n, moment in enumerate(moments):
            old, new = ("yes", "no") if n % 2 else ("no", "yes")
            yield row.pk, ("connected", "mains")[n % 3 == 0], old, new, moment


def _events(rows: Sequence[Health], at: datetime) -> Iterator[Sequence[Any]]:
    form = bulk.moment_form()
    moments = [form(at - timedelta(hours=4 * n)) for n in range(EVENTS)]
    data = json.dumps({"level_dbfs": -18, "sounded_ms": 4000})
    for row in rows:
        for n, at_ in enumerate(moments, 1):
            yield row.pk, "bench", n, "finished", "", "", at_, at_, at_, data, ""


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


# One month of plays: every device that is on the air, at every start of the bulletins.
PLAYS = """
INSERT INTO {table} (
    device_id, unit_id, broadcast_id, title, item, planned_at, received_at,
    prepared_at, started_at, ended_at, shown_at, sounded_ms, level_dbfs, outcome,
    cause, late_joiner, grade)
SELECT d.id, d.unit_id, a.broadcast_id, '', a.item, a.starts_at, a.starts_at, NULL,
    CASE WHEN {missed} THEN NULL ELSE a.starts_at END,
    CASE WHEN {missed} THEN NULL ELSE a.ends_at END,
    NULL,
    CASE WHEN {missed} THEN 0 ELSE 4000 END,
    CASE WHEN {missed} THEN NULL ELSE -18.0 END,
    CASE WHEN {missed} THEN 'missed' ELSE 'finished' END,
    CASE WHEN {missed} THEN 'offline' ELSE '' END,
    FALSE,
    CASE WHEN {missed} THEN 0 ELSE 2 END
FROM schedule_airing a CROSS JOIN fleet_device d
WHERE a.item LIKE 'bench.%%' AND a.starts_at >= %s AND a.starts_at < %s
    AND d.state = 'active'
ORDER BY a.starts_at, d.id
"""
MISSED = "(d.id + CAST(SUBSTR(a.item, 7) AS INTEGER)) %% 41 = 0"
PLAY_SECONDS = timedelta(seconds=4)
# What makes twenty million rows a matter of minutes: rows are not compared with the
# tables they are taken from, sorts find room, and nobody waits for the disk.
HASTE = {
    "postgresql": (
        "SET session_replication_role = replica",
        "SET synchronous_commit = off",
        "SET work_mem = '512MB'",
        "SET maintenance_work_mem = '1GB'",
    ),
    "sqlite": ("PRAGMA foreign_keys = OFF", "PRAGMA cache_size = -500000"),
}
CALM = {
    "postgresql": tuple(
        f"RESET {statement.split()[1]}" for statement in HASTE["postgresql"]
    ),
    "sqlite": ("PRAGMA foreign_keys = ON", "PRAGMA cache_size = -2000"),
}


def make_plays(
    wanted: int, broadcasts: Sequence[Broadcast], at: datetime, *, days: int = 0
) -> int:
    """Write about so many play records, whole airings, back in time; return how many.

    They are spread over so many `days`, or each broadcast is on the air every day.
    Indexes are dropped and made again when all rows are there; on PostgreSQL two
    months are written side by side.
    """
    airings = _past_airings(wanted, broadcasts, at, days)
    parts = _make_months(airings)
    indexes = _lift_indexes()
    writers = 2 if connection.vendor == "postgresql" else 1
    with ThreadPoolExecutor(writers) as pool:
        written = 0
        for count in pool.map(_write_month, parts, parts.values()):
            written += count
            say(f"plays: {written:,} / {wanted:,}")
    say("indexes of the plays …")
    with haste() as cursor:
        for definition in indexes:
            cursor.execute(definition)
    return written


def _make_months(airings: Sequence[Airing]) -> dict[date, str]:
    """Make the months that the plays lie in; return the table of each."""
    found = sorted({months.month_of(one.starts_at) for one in airings})
    (kept,) = [one for one in months.tables() if one.model == "schedule.PlayRecord"]
    if not months.is_partitioned(kept.table):
        return dict.fromkeys(found, kept.table)
    for month in found:
        months.ensure(kept, month)
    return {month: months.part_name(kept.table, month) for month in found}


@contextlib.contextmanager
def haste() -> Iterator[Any]:
    """Give a cursor of this thread's connection that does not look twice."""
    with connection.cursor() as cursor:
        for statement in HASTE[connection.vendor]:
            cursor.execute(statement)
        yield cursor
        for statement in CALM[connection.vendor]:
            cursor.execute(statement)


def _write_month(month: date, table: str) -> int:
    """Write the plays of a month into its table; return how many. For a thread."""
    form = connection.ops.adapt_datetimefield_value
    try:
        with haste() as cursor:
            cursor.execute(
                PLAYS.format(table=table, missed=MISSED),
                [form(bound) for bound in months.bounds(month)],
            )
            return int(cursor.rowcount)
    finally:
        connection.close()


def _lift_indexes() -> list[str]:
    """Drop every index and key of the plays; return how to make them again.

    SQLite keeps rows by their key, which therefore stays.
    """
    if connection.vendor == "sqlite":
        query = (
            "SELECT name, sql, NULL FROM sqlite_master WHERE type = 'index'"
            " AND sql IS NOT NULL AND tbl_name = 'schedule_playrecord'"
        )
    else:
        query = (
            "SELECT i.relname, pg_get_indexdef(i.oid), pg_get_constraintdef(c.oid)"
            " FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid"
            " LEFT JOIN pg_constraint c ON c.conindid = i.oid"
            "  AND c.contype IN ('p', 'u')"
            " WHERE x.indrelid = 'schedule_playrecord'::regclass"
        )
    found = []
    with connection.cursor() as cursor:
        cursor.execute(query)
        for name, definition, constraint in cursor.fetchall():
            if constraint:
                table = "ALTER TABLE schedule_playrecord"
                cursor.execute(f"{table} DROP CONSTRAINT {name}")
                found.append(f"{table} ADD CONSTRAINT {name} {constraint}")
                continue
            cursor.execute(f'DROP INDEX "{name}"')
            # Of a table of months, the index is wanted on each of them too.
            found.append(definition.replace(" ON ONLY ", " ON "))
    return found


def _past_airings(
    wanted: int, broadcasts: Sequence[Broadcast], at: datetime, days: int
) -> list[Airing]:
    """Return airings back in time, as many as the plays need."""
    devices = max(1, Device.objects.filter(state=ACTIVE).count())
    fresh = []
    count = -(-wanted // devices)
    for number in range(count):
        day, slot = divmod(number, len(broadcasts))
        day = number * days // count if days else day
        moment = at - timedelta(days=day + 1, hours=slot)
        fresh.append(
            Airing(
                item=f"bench.{number}",
                broadcast=broadcasts[slot],
                title="",
                starts_at=moment,
                ends_at=moment + PLAY_SECONDS,
            )
        )
    return Airing.objects.bulk_create(fresh, batch_size=BATCH)


def tidy() -> None:
    """Let the database learn what it holds, as it does by itself over time."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")


def size_mb() -> int:
    """Return how much disk the database takes, MB."""
    if connection.vendor == "sqlite":
        query = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    else:
        query = "SELECT pg_database_size(current_database())"
    with connection.cursor() as cursor:
        cursor.execute(query)
        return round(cursor.fetchone()[0] / 1024**2)

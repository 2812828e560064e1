"""What devices report, as play records. Runs inside the gateway's transaction.

One statement makes the records that are missing and fills in the others. What a
group of events says of a play is summed up first (`Told`); how that meets what is
stored already stands in `_MERGE`, and is the same rule as inside a group: a moment is
set once, by the first that names it, and a record that is over stays as it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from nguon.audit.models import Archive
from nguon.core.beats import DECODED
from nguon.core.messages import OUTCOMES
from nguon.fleet import bulk
from nguon.fleet.actions import Fact
from nguon.fleet.health import grade_of
from nguon.fleet.models import Device, DeviceEvent
from nguon.schedule.actions.days import note_changed
from nguon.schedule.models import Airing, AudienceMember, PlayRecord

# Event type → the moment it sets on the play record.
MOMENTS = {
    "received": "received_at",
    "prepared": "prepared_at",
    "started": "started_at",
    "shown": "shown_at",
}
ENDS = ("finished", "failed", "missed")
# What is told of a play: name and PostgreSQL's type.
_COLUMNS = {
    "device_id": "bigint",
    "item": "text",
    "broadcast_id": "bigint",
    "title": "text",
    "planned_at": "timestamptz",
    "has_list": "boolean",
    "received_at": "timestamptz",
    "prepared_at": "timestamptz",
    "started_at": "timestamptz",
    "shown_at": "timestamptz",
    "ended_at": "timestamptz",
    "sounded_ms": "bigint",
    "level_dbfs": "double precision",
    "outcome": "text",
    "cause": "text",
    "grade": "smallint",
}
# PostgreSQL takes what is told by COPY, into a table that each connection has once.
_TOLD = "nguon_told"
_MAKE_TOLD = (
    f"CREATE TEMPORARY TABLE IF NOT EXISTS {_TOLD} ("
    + ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
    + ") ON COMMIT DELETE ROWS"
)
_DEVICE, _MEMBER = Device._meta.db_table, AudienceMember._meta.db_table
_COPIED = [
    name for name in _COLUMNS if name not in {"device_id", "broadcast_id", "has_list"}
]
# Each row is looked up by index. A join, or NOT EXISTS, would read every device and
# every member of every audience for each group of events (PostgreSQL hashes them).
_INSERT = f"""
INSERT INTO {PlayRecord._meta.db_table} AS p
    (device_id, unit_id, broadcast_id, late_joiner, {", ".join(_COPIED)})
SELECT v.device_id,
    (SELECT d.unit_id FROM {_DEVICE} d WHERE d.id = v.device_id LIMIT 1),
    v.broadcast_id,
    v.has_list AND (
        SELECT m.id FROM {_MEMBER} m
        WHERE m.broadcast_id = v.broadcast_id AND m.device_id = v.device_id LIMIT 1
    ) IS NULL,
    {", ".join("v." + name for name in _COPIED)}
FROM {{source}}
WHERE true
"""  # noqa: S608  (names of our own tables; every value is a parameter)
# Each assignment sees the record as it was.
_STARTED = "COALESCE(p.started_at, excluded.started_at)"
_ENDS = "p.outcome = '' AND excluded.outcome <> ''"
_MERGE = f"""
ON CONFLICT (device_id, item, planned_at) DO UPDATE SET
    received_at = COALESCE(p.received_at, excluded.received_at),
    prepared_at = COALESCE(p.prepared_at, excluded.prepared_at),
    shown_at = COALESCE(p.shown_at, excluded.shown_at),
    started_at = CASE WHEN p.outcome = '' THEN {_STARTED} ELSE p.started_at END,
    ended_at = CASE
        WHEN NOT ({_ENDS}) THEN p.ended_at
        WHEN {_STARTED} > excluded.ended_at THEN {_STARTED}
        ELSE excluded.ended_at END,
    sounded_ms = CASE WHEN {_ENDS} THEN excluded.sounded_ms ELSE p.sounded_ms END,
    level_dbfs = CASE WHEN {_ENDS} THEN excluded.level_dbfs ELSE p.level_dbfs END,
    cause = CASE WHEN {_ENDS} THEN excluded.cause ELSE p.cause END,
    grade = CASE
        WHEN {_ENDS} AND excluded.grade > p.grade THEN excluded.grade
        WHEN p.grade = 0 AND p.shown_at IS NULL AND excluded.shown_at IS NOT NULL
        THEN {DECODED} ELSE p.grade END,
    outcome = CASE WHEN {_ENDS} THEN excluded.outcome ELSE p.outcome END
WHERE {_ENDS}
    OR p.received_at IS NULL AND excluded.received_at IS NOT NULL
    OR p.prepared_at IS NULL AND excluded.prepared_at IS NOT NULL
    OR p.shown_at IS NULL AND excluded.shown_at IS NOT NULL
    OR p.outcome = '' AND p.started_at IS NULL AND excluded.started_at IS NOT NULL
"""


@dataclass(slots=True)
class Told:
    """What a group of events says of one play."""

    received_at: datetime | None = None
    prepared_at: datetime | None = None
    started_at: datetime | None = None
    shown_at: datetime | None = None
    ended_at: datetime | None = None
    sounded_ms: int = 0
    level_dbfs: float | None = None
    outcome: str = ""
    cause: str = ""
    grade: int = 0


@transaction.atomic
def record_events(*, events: Iterable[DeviceEvent | Fact], at: datetime) -> int:
    """Write events about items into play records; return how many records changed.

    A moment is set once, by the first event that names it; a record that is over
    stays as it is. Events about items that this server never planned are left alone,
    and those whose month was put away: its figures are final.
    `at` is not used for moments: those are the device's own.
    """
    about = [event for event in events if event.item and not event.fault]
    planned = {
        row[0]: row[1:]
        for row in Airing.objects.filter(
            item__in={event.item for event in about}, **_not_archived()
        ).values_list("item", "broadcast_id", "title", "starts_at", "paper_id")
    }
    told: dict[tuple[int, str], Told] = {}
    for event in sorted(about, key=lambda event: (event.device_id, event.log, event.n)):
        if event.item in planned:
            key = (event.device_id, event.item)
            _apply(told.setdefault(key, Told()), event)
    if not told:
        return 0
    note_changed({planned[item][2] for _device, item in told}, at=at)
    return _write(told, planned)


def _not_archived() -> dict[str, datetime]:
    """Return the filter of airings whose plays are still in the database."""
    ends = Archive.objects.filter(model="schedule.PlayRecord").aggregate(
        at=Max("ends_at")
    )["at"]
    return {"starts_at__gte": ends} if ends else {}


def _write(
    told: Mapping[tuple[int, str], Told], planned: Mapping[str, Sequence[Any]]
) -> int:
    """Make or fill in the records; return how many changed."""
    form = bulk.moment_form()
    starts = {item: form(row[2]) for item, row in planned.items()}
    rows = []
    # In one order, so that two writers never hold each other up.
    for (device, item), one in sorted(told.items(), key=lambda pair: pair[0]):
        broadcast, title, _starts_at, paper = planned[item]
        rows.append(
            (
                # What a paper plans is for whoever is there; it has no stored list.
                device, item, broadcast, title, starts[item], paper is None,
                one.received_at and form(one.received_at),
                one.prepared_at and form(one.prepared_at),
                one.started_at and form(one.started_at),
                one.shown_at and form(one.shown_at),
                one.ended_at and form(one.ended_at),
                one.sounded_ms, one.level_dbfs, one.outcome, one.cause, one.grade,
            )
        )  # fmt: skip
    with connection.cursor() as cursor:
        if bulk.is_postgresql():
            cursor.execute(_MAKE_TOLD)
            bulk.insert_rows(_TOLD, tuple(_COLUMNS), rows)
            cursor.execute(_INSERT.format(source=f"{_TOLD} AS v") + _MERGE)
            changed = int(cursor.rowcount)
            # A caller's transaction may go on with other events.
            cursor.execute(f"DELETE FROM {_TOLD}")  # noqa: S608
            return changed
        names = ", ".join(bulk.unpacked(tuple(_COLUMNS)))
        source = f"(SELECT {names} FROM json_each(%s)) AS v"  # noqa: S608
        cursor.execute(
            _INSERT.format(source=source) + _MERGE,
            [bulk.as_text(rows)],
        )
        return int(cursor.rowcount)


def _apply(record: Told, event: DeviceEvent | Fact) -> None:
    """Put one event into what is told of its play."""
    moment = MOMENTS.get(event.type)
    if moment:
        if getattr(record, moment) is None and not (
            record.outcome and moment == "started_at"
        ):
            setattr(record, moment, event.at)
            if event.type == "shown":
                record.grade = max(record.grade, DECODED)
    elif event.type in ENDS and not record.outcome:
        _close(record, event)


def _close(record: Told, event: DeviceEvent | Fact) -> None:
    """Write the end of a play as the device tells it."""
    data: Mapping[str, Any] = event.data
    told = data.get("outcome", "finished")
    outcome = told if event.type == "finished" else event.type
    record.outcome = outcome if outcome in OUTCOMES else "failed"
    record.cause = str(data.get("cause") or "")[:20]
    record.grade = max(record.grade, grade_of(event.type, data))
    if event.type != "missed":
        started = _moment(data.get("started_at"))
        record.started_at = record.started_at or started
        ended = _moment(data.get("ended_at")) or event.at
        record.ended_at = max(ended, record.started_at or ended)
    sounded = data.get("sounded_ms")
    if isinstance(sounded, int) and 0 <= sounded < 2**31:
        record.sounded_ms = int(sounded)
    level = data.get("level_dbfs")
    if isinstance(level, (int, float)) and -200 <= level <= 0:
        record.level_dbfs = float(level)


def _moment(value: object) -> datetime | None:
    """Return milliseconds from the wire as a moment, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**45:
        return None
    return datetime.fromtimestamp(value / 1000, tz=UTC)

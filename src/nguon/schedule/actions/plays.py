"""What devices report, as play records. Runs inside the gateway's transaction."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from nguon.core.messages import OUTCOMES
from nguon.fleet.models import DeviceEvent
from nguon.schedule.models import Airing, AudienceMember, PlayRecord

# Event type → the moment it sets on the play record.
MOMENTS = {
    "received": "received_at",
    "prepared": "prepared_at",
    "started": "started_at",
    "shown": "shown_at",
}
ENDS = ("finished", "failed", "missed")
FIELDS = [
    *MOMENTS.values(),
    "ended_at",
    "sounded_ms",
    "level_dbfs",
    "outcome",
    "cause",
]


@transaction.atomic
def record_events(*, events: Iterable[DeviceEvent], at: datetime) -> int:
    """Write events about items into play records; return how many records changed.

    A moment is set once, by the first event that names it; a record that is over
    stays as it is. Events about items that this server never planned are left alone.
    `at` is not used for moments: those are the device's own.
    """
    about = [event for event in events if event.item and not event.fault]
    airings = {
        airing.item: airing
        for airing in Airing.objects.filter(item__in={event.item for event in about})
    }
    about = [event for event in about if event.item in airings]
    records = _find_or_make(about, airings)
    changed = {}
    for event in sorted(about, key=lambda event: (event.device_id, event.log, event.n)):
        record = records[event.device_id, event.item]
        if _apply(record, event):
            changed[record.pk] = record
    _save(changed.values())
    return len(changed)


def _save(records: Iterable[PlayRecord]) -> None:
    """Write changed records in one go: 2,000 of them cost milliseconds.

    Django's bulk_update compares every row with every other and takes a second.
    """
    table = PlayRecord._meta
    fields = [field for field in table.concrete_fields if field.name in FIELDS]
    sets = ", ".join(f"{field.column} = %s" for field in fields)
    rows = [
        [
            *(f.get_db_prep_save(getattr(row, f.attname), connection) for f in fields),
            row.pk,
        ]
        for row in records
    ]
    if rows:
        with connection.cursor() as cursor:
            # Names of our own columns only; every value is a parameter.
            update = f"UPDATE {table.db_table} SET {sets} WHERE id = %s"  # noqa: S608
            cursor.executemany(update, rows)


def _find_or_make(
    events: list[DeviceEvent], airings: Mapping[str, Airing]
) -> dict[tuple[int, str], PlayRecord]:
    """Return the record of each (device, item), made where there is none."""
    wanted = {(event.device_id, event.item): event for event in events}
    devices = {device for device, _item in wanted}

    def read() -> dict[tuple[int, str], PlayRecord]:
        # Locked in one order where locks exist: two writers never hold each other up.
        found = PlayRecord.objects.select_for_update().filter(
            device__in=devices, item__in={item for _device, item in wanted}
        )
        return {(row.device_id, row.item): row for row in found.order_by("pk")}

    records = read()
    missing = [key for key in wanted if key not in records]
    if not missing:
        return records
    broadcasts = {airings[item].broadcast_id for _device, item in missing} - {None}
    meant = set(
        AudienceMember.objects.filter(
            broadcast__in=broadcasts, device__in=devices
        ).values_list("broadcast_id", "device_id")
    )
    PlayRecord.objects.bulk_create(
        [
            PlayRecord(
                device_id=device,
                unit_id=wanted[device, item].device.unit_id,
                broadcast_id=airings[item].broadcast_id,
                title=airings[item].title,
                item=item,
                planned_at=airings[item].starts_at,
                # What a paper plans is for whoever is there; it has no stored list.
                late_joiner=airings[item].paper_id is None
                and (airings[item].broadcast_id, device) not in meant,
            )
            for device, item in missing
        ],
        batch_size=200,
        ignore_conflicts=True,
    )
    return read()


def _apply(record: PlayRecord, event: DeviceEvent) -> bool:
    """Put one event into its record; say whether that changed anything."""
    moment = MOMENTS.get(event.type)
    if moment and getattr(record, moment) is None:
        if record.outcome and moment == "started_at":
            return False
        setattr(record, moment, event.at)
        return True
    if event.type in ENDS and not record.outcome:
        _close(record, event)
        return True
    return False


def _close(record: PlayRecord, event: DeviceEvent) -> None:
    """Write the end of a play as the device tells it."""
    data: Mapping[str, Any] = event.data
    told = data.get("outcome", "finished")
    outcome = told if event.type == "finished" else event.type
    record.outcome = outcome if outcome in OUTCOMES else "failed"
    record.cause = str(data.get("cause") or "")[:20]
    if event.type != "missed":
        started = _moment(data.get("started_at"))
        record.started_at = record.started_at or started
        ended = _moment(data.get("ended_at")) or event.at
        record.ended_at = max(ended, record.started_at or ended)
    sounded = data.get("sounded_ms")
    if isinstance(sounded, int) and 0 <= sounded < 2**31:
        record.sounded_ms = int(sounded)
    level = data.get("level_dbfs")
    if isinstance(level, int | float) and -200 <= level <= 0:
        record.level_dbfs = float(level)


def _moment(value: object) -> datetime | None:
    """Return milliseconds from the wire as a moment, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**45:
        return None
    return datetime.fromtimestamp(value / 1000, tz=UTC)

"""The floor under `ingest`: a bare JetStream read and a bulk insert of the same rows.

No checks, no acknowledgement to devices, no second look at a row: messages are read,
their JSON is parsed, and event rows and finished play records go by COPY (SQLite: as
one JSON text) into two tables with the same columns and indexes, as many
messages a transaction as the gateway takes.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nats
from django.db import connection, transaction
from nats.js.api import AckPolicy, ConsumerConfig

from nguon.fleet import bulk

EVENTS, PLAYS = "raw_event", "raw_play"
EVENT_COLUMNS = [
    "device_id",
    "log",
    "n",
    "type",
    "at",
    "item",
    "document",
    "data",
    "stored_at",
    "recorded_at",
    "fault",
]
PLAY_COLUMNS = [
    "device_id",
    "unit_id",
    "broadcast_id",
    "title",
    "item",
    "planned_at",
    "received_at",
    "prepared_at",
    "started_at",
    "ended_at",
    "sounded_ms",
    "level_dbfs",
    "outcome",
    "cause",
    "late_joiner",
    "grade",
]
MESSAGES = 1_000


def make_tables() -> None:
    """Make copies of the two tables with their indexes."""
    from nguon.fleet.models import DeviceEvent
    from nguon.schedule.models import PlayRecord

    for name, model in ((EVENTS, DeviceEvent), (PLAYS, PlayRecord)):
        table = model._meta.db_table
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)")
                if model is DeviceEvent:  # unique in each of its months
                    cursor.execute(f"CREATE UNIQUE INDEX ON {name} (device_id, log, n)")
                continue
            cursor.execute("SELECT sql FROM sqlite_master WHERE tbl_name = %s", [table])
            for (sql,) in cursor.fetchall():
                if sql and "TRIGGER" not in sql.upper().split("(")[0]:
                    copied = sql.replace(f'"{table}"', f'"{name}"', 1)
                    if sql.startswith("CREATE TABLE"):
                        cursor.execute(copied)
                        continue
                    before, _on, after = sql.partition(" ON ")
                    index = before.split('"')[1]
                    before = before.replace(index, f"raw_{index}")
                    cursor.execute(
                        f"{before} ON " + after.replace(f'"{table}"', f'"{name}"', 1)
                    )


def insert(batches: Sequence[dict[str, Any]], keys: dict[str, Any]) -> None:
    """Put the rows of some messages into the copies."""
    at = _value(datetime.now(tz=UTC))
    events, plays = [], []
    for batch in batches:
        device = keys["devices"][batch["device"]]
        for row in batch["events"]:
            data = row["data"]
            moment = _value(datetime.fromtimestamp(row["at"] / 1000, tz=UTC))
            events.append(
                (device, batch["log"], row["n"], row["type"], moment, row["item"], "",
                 json.dumps(data), at, at, "")
            )  # fmt: skip
            if row["type"] == "finished":
                ended = _value(datetime.fromtimestamp(data["ended_at"] / 1000, tz=UTC))
                airing = keys["airings"][row["item"]]
                plays.append(
                    (device, keys["unit"], airing, "Bản tin", row["item"], moment,
                     moment, moment, moment, ended, data["sounded_ms"],
                     data["level_dbfs"], data["outcome"], data["cause"], False, 2)
                )  # fmt: skip
    with transaction.atomic():
        bulk.insert_rows(EVENTS, EVENT_COLUMNS, events)
        if plays:
            bulk.insert_rows(PLAYS, PLAY_COLUMNS, plays)


def _value(moment: datetime) -> Any:
    return bulk.moment_form()(moment)


async def drain(work: dict[str, Any], keys: dict[str, Any]) -> float:
    """Read and insert until nothing is left; return the seconds that took."""
    bus = await nats.connect(work["url"], nkeys_seed_str=work["seed"])
    stream = bus.jetstream()
    arrived: asyncio.Queue[Any] = asyncio.Queue()
    began, left = time.monotonic(), int(work["messages"])

    async def take(message: Any) -> None:
        arrived.put_nowait(message)

    await stream.subscribe(
        work["subject"].format(device="*"),
        durable="raw",
        stream=work["stream"],
        cb=take,
        manual_ack=True,
        config=ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, max_ack_pending=20_000),
    )
    while left:
        taken = [await arrived.get()]
        while len(taken) < MESSAGES and not arrived.empty():
            taken.append(arrived.get_nowait())
        await asyncio.to_thread(insert, [json.loads(m.data) for m in taken], keys)
        for message in taken:
            await message.ack()
        left -= len(taken)
    await bus.flush()
    took = time.monotonic() - began
    await bus.close()
    return took


def main() -> int:
    """Drain as a process of its own; print the seconds."""
    import django

    django.setup()
    work = json.loads(Path(sys.argv[1]).read_text())
    make_tables()
    sys.stdout.write(f"{asyncio.run(drain(work, work['keys']))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

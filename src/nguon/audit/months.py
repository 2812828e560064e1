"""Tables that are kept by month: on PostgreSQL one partition a month.

A month is one of the local calendar. A default partition catches what no month was
made for; that is shown as something to look at, never lost. SQLite keeps one table
with the same behaviour. Each room registers its tables in its `apps.py`.

What must be there once is unique in the whole table where the month follows from it
(a play); where it does not (an event is stored in the month it came), it is unique
in each month, and the room looks into the other months itself.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from django.apps import apps
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
AHEAD = 3
STRAYS = "strays"
MANY_STRAYS = 10_000
# A month is made while others write: rather try again later than hold them up.
LOCK_WAIT = "SET LOCAL lock_timeout = '3s'"
# Months that a conversion makes partitions for; anything else is a broken clock.
OLDEST, NEWEST = timedelta(days=3660), timedelta(days=366)


def _nothing(_month: date) -> None:
    """Do nothing before a month is put away."""


@dataclass(frozen=True)
class Kept:
    """A table kept by the month of `column`; `once` is unique inside each month.

    `fill` percent of a page are filled by new rows, the rest is room for changes.
    `before_archive` runs in the transaction that puts a month away.
    """

    model: str
    column: str
    once: tuple[str, ...] = ()
    fill: int = 100
    before_archive: Callable[[date], None] = _nothing

    @property
    def rows(self) -> type[Model]:
        """The model."""
        return apps.get_model(self.model)

    @property
    def table(self) -> str:
        """The name of the table."""
        return self.rows._meta.db_table


@dataclass(frozen=True)
class Part:
    """One partition; `month` None is the default one. Rows are an estimate."""

    table: str
    name: str
    month: date | None
    rows: int
    size: int


_kept: dict[str, Kept] = {}


def register(kept: Kept) -> None:
    """Keep a table by month."""
    _kept[kept.model] = kept


def tables() -> list[Kept]:
    """Return the tables that are kept by month."""
    return [_kept[name] for name in sorted(_kept)]


# --- months ------------------------------------------------------------------------


def month_of(moment: datetime) -> date:
    """Return the first day of the local month of a moment."""
    return moment.astimezone(LOCAL).date().replace(day=1)


def next_month(month: date, steps: int = 1) -> date:
    """Return the first day of a later (or earlier) month."""
    number = month.year * 12 + month.month - 1 + steps
    return date(number // 12, number % 12 + 1, 1)


def bounds(month: date) -> tuple[datetime, datetime]:
    """Return a month as [begin, end) in moments."""
    begin, end = (
        datetime.combine(day, time.min, LOCAL).astimezone(UTC)
        for day in (month, next_month(month))
    )
    return begin, end


def part_name(table: str, month: date) -> str:
    """Return the name of the partition of a month."""
    return f"{table}_{month:%Y_%m}"


# --- partitions (PostgreSQL) -------------------------------------------------------


def is_partitioned(table: str) -> bool:
    """Say whether a table has partitions: on PostgreSQL, after its migration."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(%s)", [table]
        )
        found = cursor.fetchone()
    return bool(found and found[0])


def list_parts(kept: Kept) -> list[Part]:
    """Return the partitions of a table, the oldest month first, the default last."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, greatest(c.reltuples, 0)::bigint,"
            " pg_total_relation_size(c.oid)"
            " FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = to_regclass(%s) ORDER BY c.relname",
            [kept.table],
        )
        found = cursor.fetchall()
    return [
        Part(kept.table, name, _month_in(name, kept.table), rows, size)
        for name, rows, size in found
    ]


def _month_in(name: str, table: str) -> date | None:
    told = name.removeprefix(f"{table}_")
    return None if told == STRAYS else datetime.strptime(told, "%Y_%m").date()  # noqa: DTZ007


def count_strays(kept: Kept) -> int:
    """Return how many rows lie in no month's partition; at most `MANY_STRAYS`."""
    if not is_partitioned(kept.table):
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM (SELECT FROM {kept.table}_{STRAYS} LIMIT %s) AS s",  # noqa: S608
            [MANY_STRAYS],
        )
        return int(cursor.fetchone()[0])


def make_ahead(*, at: datetime) -> list[str]:
    """Make the partitions of this month and of those to come; return the new ones.

    Strays of a month go into it when it is made.
    """
    made = []
    for kept in tables():
        if is_partitioned(kept.table):
            first = month_of(at)
            for steps in range(AHEAD + 1):
                made += ensure(kept, next_month(first, steps))
    return made


@transaction.atomic
def ensure(kept: Kept, month: date) -> list[str]:
    """Make the partition of a month unless it is there; return its name if new."""
    name = part_name(kept.table, month)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        if cursor.fetchone()[0]:
            return []
        cursor.execute(LOCK_WAIT)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        strays = f"{kept.table}_{STRAYS}"
        # What is detached has no guards, and nobody else sees it until the end.
        cursor.execute(f"ALTER TABLE {kept.table} DETACH PARTITION {strays}")
        cursor.execute(f"ALTER TABLE {strays} RENAME TO {strays}_old")
        _make(cursor, kept, month)
        fields = kept.rows._meta.concrete_fields
        columns = ", ".join(str(field.column) for field in fields)
        cursor.execute(
            f"SELECT EXISTS (SELECT 1 FROM {strays}_old WHERE {kept.column} >= %s"  # noqa: S608
            f" AND {kept.column} < %s)",
            bounds(month),
        )
        if not cursor.fetchone()[0]:
            cursor.execute(f"ALTER TABLE {strays}_old RENAME TO {strays}")
            cursor.execute(
                f"ALTER TABLE {kept.table} ATTACH PARTITION {strays} DEFAULT"
            )
            return [name]
        cursor.execute(
            f"CREATE TABLE {strays}_new PARTITION OF {kept.table} DEFAULT"
            f" WITH (fillfactor = {kept.fill})"
        )
        _make_once(cursor, kept, f"{strays}_new")
        cursor.execute(
            f"INSERT INTO {kept.table} ({columns})"  # noqa: S608
            f" SELECT {columns} FROM {strays}_old"
        )
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"DROP TABLE {strays}_old")
        cursor.execute(f"ALTER TABLE {strays}_new RENAME TO {strays}")
    return [name]


def _make(cursor: Any, kept: Kept, month: date) -> None:
    """Make the partition of a month (or the default one), with what is there once."""
    name = part_name(kept.table, month)
    begin, end = bounds(month)
    cursor.execute(
        f"CREATE TABLE {name} PARTITION OF {kept.table}"
        f" FOR VALUES FROM ('{begin.isoformat()}') TO ('{end.isoformat()}')"
        f" WITH (fillfactor = {kept.fill})"
    )
    _make_once(cursor, kept, name)


def _make_once(cursor: Any, kept: Kept, name: str) -> None:
    if kept.once:
        columns = ", ".join(kept.once)
        cursor.execute(f"CREATE UNIQUE INDEX ON {name} ({columns})")


@transaction.atomic
def drop_month(kept: Kept, month: date) -> None:
    """Take the rows of a month out of the database: only after they were put away."""
    begin, end = bounds(month)
    with connection.cursor() as cursor:
        if is_partitioned(kept.table):
            name = part_name(kept.table, month)
            cursor.execute(LOCK_WAIT)
            # Rows that this very transaction wrote still wait to be checked.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"ALTER TABLE {kept.table} DETACH PARTITION {name}")
            cursor.execute(f"DROP TABLE {name}")
            return
        value = connection.ops.adapt_datetimefield_value
        cursor.execute(
            f"DELETE FROM {kept.table} WHERE {kept.column} >= %s"  # noqa: S608
            f" AND {kept.column} < %s",
            [value(begin), value(end)],
        )


def hold_still(kept: Kept, month: date) -> None:
    """Let nobody write in a month until the transaction ends; others may read."""
    if is_partitioned(kept.table):
        ensure(kept, month)
        name = part_name(kept.table, month)
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE")


# --- from one table to months ------------------------------------------------------


def convert(
    using: BaseDatabaseWrapper,
    kept: Kept,
    table: str,
    fresh: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Make a plain table one of months, with all its rows: for a migration.

    PostgreSQL only. One transaction; nobody else can use the table meanwhile. `fresh`
    says what becomes of columns on the way (SQL): to change them first would write
    every row, and every index of it, once more.

    1. note its indexes and constraints
    2. make the partitioned table, a partition for each month there is, and copy
    3. drop the old one and make indexes and constraints with their old names
    """
    if using.vendor != "postgresql":
        return
    with using.cursor() as cursor:
        indexes, constraints = _noted(cursor, table, kept.column)
        whole = f"{table}_whole"
        cursor.execute(f"ALTER TABLE {table} RENAME TO {whole}")
        cursor.execute(
            f"CREATE TABLE {table} (LIKE {whole} INCLUDING STORAGE)"
            f" PARTITION BY RANGE ({kept.column})"
        )
        cursor.execute(
            f"CREATE TABLE {table}_{STRAYS} PARTITION OF {table} DEFAULT"
            f" WITH (fillfactor = {kept.fill})"
        )
        for month in _months_in(cursor, whole, kept.column):
            begin, end = bounds(month)
            cursor.execute(
                f"CREATE TABLE {part_name(table, month)} PARTITION OF {table}"
                f" FOR VALUES FROM ('{begin.isoformat()}') TO ('{end.isoformat()}')"
                f" WITH (fillfactor = {kept.fill})"
            )
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s)"
            " AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            [whole],
        )
        names = [row[0] for row in cursor.fetchall()]
        values = ", ".join(fresh.get(name, name) for name in names)
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(names)})"  # noqa: S608  (our own names)
            f" SELECT {values} FROM {whole}"
        )
        cursor.execute(f"DROP TABLE {whole}")
        cursor.execute(f"CREATE SEQUENCE {table}_id_seq OWNED BY {table}.id")
        cursor.execute(
            f"SELECT setval('{table}_id_seq', COALESCE(max(id), 0) + 1, false)"  # noqa: S608
            f" FROM {table}"
        )
        cursor.execute(
            f"ALTER TABLE {table} ALTER id SET DEFAULT nextval('{table}_id_seq'),"
            f" ADD PRIMARY KEY (id, {kept.column})"
        )
        for statement in (*constraints, *indexes):
            cursor.execute(statement)
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = to_regclass(%s)",
            [table],
        )
        for (name,) in cursor.fetchall():
            _make_once(cursor, kept, name)


def _noted(cursor: Any, table: str, column: str) -> tuple[list[str], list[str]]:
    """Return how to make the indexes and constraints of a table again.

    What is unique without the month's column stays out: it is made in each month.
    """
    cursor.execute(
        "SELECT conname, contype::text, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = to_regclass(%s) AND contype IN ('c', 'f', 'u')"
        " ORDER BY contype, conname",
        [table],
    )
    constraints = [
        f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {words}'
        for name, kind, words in cursor.fetchall()
        if kind != "u" or column in words
    ]
    cursor.execute(
        "SELECT pg_get_indexdef(x.indexrelid) FROM pg_index x"
        " WHERE x.indrelid = to_regclass(%s) AND NOT x.indisprimary"
        " AND NOT x.indisunique ORDER BY 1",
        [table],
    )
    return [row[0] for row in cursor.fetchall()], constraints


def _months_in(cursor: Any, table: str, column: str) -> Sequence[date]:
    """Return the months that a table has rows of, and those it needs next."""
    cursor.execute("SELECT now()")
    at = cursor.fetchone()[0]
    cursor.execute(
        f"SELECT DISTINCT date_trunc('month', {column} AT TIME ZONE %s)::date"  # noqa: S608
        f" FROM {table} WHERE {column} BETWEEN %s AND %s",
        [str(LOCAL), at - OLDEST, at + NEWEST],
    )
    found = {row[0] for row in cursor.fetchall()}
    return sorted(found | set(_coming(month_of(at))))


def _coming(month: date) -> Iterator[date]:
    for steps in range(AHEAD + 1):
        yield next_month(month, steps)

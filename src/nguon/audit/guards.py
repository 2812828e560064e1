"""Rules that the database itself keeps, as triggers on SQLite and PostgreSQL.

Triggers, because these rules look at other rows or at the past. A migration that
rebuilds a table loses its triggers on SQLite (and stumbles over them), so they are
lifted before every migrate and set again after it. Each room lists its guards and
registers them in its `apps.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.signals import post_migrate, pre_migrate

from nguon.core.errors import RefusedError


class GuardsMissingError(RefusedError):
    """The database lost its guards: run `migrate`, then try again."""


@dataclass(frozen=True)
class Guard:
    """One refusal: before `event` on `table`, when `condition` holds, say `words`.

    The condition is SQL that both databases read; `NEW` and `OLD` are the row.
    """

    name: str
    table: str
    event: str
    words: str
    condition: str = "1 = 1"


# The condition of a guard against deleting: the row's month lies in no file yet.
NOT_ARCHIVED = (
    "NOT EXISTS (SELECT 1 FROM audit_archive a WHERE a.model = '{model}'"
    " AND OLD.{column} >= a.begins_at AND OLD.{column} < a.ends_at)"
)

_registered: dict[str, tuple[Guard, ...]] = {}


def append_only(table: str, what: str) -> list[Guard]:
    """Return the guards of a table whose rows are never changed nor deleted.

    `what` is `room.noun`, the beginning of the database's own words.
    """
    return [
        Guard(
            f"nguon_{table}_{event.lower()}", table, event, f"{what}_immutable: {words}"
        )
        for event, words in (("UPDATE", "never changed"), ("DELETE", "never deleted"))
    ]


def register(app: AppConfig, guards: Iterable[Guard]) -> None:
    """Keep these guards in place around every migrate of a room."""
    _registered[app.label] = tuple(guards)

    def lift(*, using: str, **_signal: Any) -> None:
        lift_guards(connections[using], app.label)

    def put_back(*, using: str, **_signal: Any) -> None:
        set_guards(connections[using], app.label)

    pre_migrate.connect(lift, sender=app, weak=False, dispatch_uid=f"lift {app.label}")
    post_migrate.connect(
        put_back, sender=app, weak=False, dispatch_uid=f"guard {app.label}"
    )


def rooms() -> list[str]:
    """Return the rooms that keep guards."""
    return sorted(_registered)


def set_guards(connection: BaseDatabaseWrapper, room: str) -> None:
    """Create every guard of a room anew."""
    lift_guards(connection, room)
    present = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for guard in _registered[room]:
            if guard.table in present:
                for statement in _create(guard, connection.vendor):
                    cursor.execute(statement)


def lift_guards(connection: BaseDatabaseWrapper, room: str) -> None:
    """Drop a room's guards; only a migration, or a test that empties tables, may."""
    present = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for guard in _registered[room]:
            if connection.vendor == "sqlite":
                cursor.execute(f"DROP TRIGGER IF EXISTS {guard.name}")
            elif guard.table in present:
                cursor.execute(f"DROP TRIGGER IF EXISTS {guard.name} ON {guard.table}")


def check_set(connection: BaseDatabaseWrapper) -> None:
    """Raise GuardsMissingError unless every room's guards are there, and on."""
    if connection.vendor == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = "SELECT t.tgname FROM pg_trigger t WHERE t.tgenabled IN ('O', 'A')"
    with connection.cursor() as cursor:
        cursor.execute(query)
        found = {row[0] for row in cursor.fetchall()}
    missing = sorted(
        {g.name for guards in _registered.values() for g in guards} - found
    )
    if missing:
        raise GuardsMissingError("audit.guards_missing", missing=missing)


def _create(guard: Guard, vendor: str) -> list[str]:
    words = guard.words.replace("'", "''")
    if vendor == "sqlite":
        return [
            f"CREATE TRIGGER {guard.name} BEFORE {guard.event} ON {guard.table}"
            f" FOR EACH ROW WHEN {guard.condition}"
            f" BEGIN SELECT RAISE(ABORT, '{words}'); END"
        ]
    # PostgreSQL allows no sub-query in WHEN, so the function holds the condition.
    refusal = (
        f"RAISE EXCEPTION '{words}' USING ERRCODE = 'integrity_constraint_violation'"
    )
    row = "OLD" if guard.event == "DELETE" else "NEW"
    return [
        f"CREATE OR REPLACE FUNCTION {guard.name}() RETURNS trigger AS $guard$"
        f" BEGIN IF {guard.condition} THEN {refusal}; END IF; RETURN {row}; END;"
        " $guard$ LANGUAGE plpgsql",
        f"CREATE TRIGGER {guard.name} BEFORE {guard.event} ON {guard.table}"
        f" FOR EACH ROW EXECUTE FUNCTION {guard.name}()",
    ]

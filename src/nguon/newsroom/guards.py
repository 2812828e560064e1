"""What the database itself refuses about bulletins, on SQLite and PostgreSQL.

Triggers, because these rules look at other rows. A migration that rebuilds a table
loses its triggers on SQLite (and stumbles over them), so they are lifted before
every migrate and set again after it. `check_set` is asked before each approval: no
approval is recorded in a database that would not refuse a wrong one.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from nguon.core.errors import RefusedError


class GuardsMissingError(RefusedError):
    """The database lost its guards: run `migrate`, then try again."""


@dataclass(frozen=True)
class Guard:
    """One refusal: before `event` on `table`, when `condition` holds, say `words`.

    The condition is SQL that both databases read; `true` columns of the new row
    are `NEW.x`, of the old one `OLD.x`.
    """

    name: str
    table: str
    event: str
    words: str
    condition: str = "1 = 1"


def _append_only(table: str, what: str) -> list[Guard]:
    return [
        Guard(f"nguon_{what}_keeps_{event.lower()}", table, event, words)
        for event, words in (
            ("UPDATE", f"newsroom.{what}_immutable: never changed"),
            ("DELETE", f"newsroom.{what}_immutable: never deleted"),
        )
    ]


_OTHER_EDITOR = (
    "NOT EXISTS (SELECT 1 FROM newsroom_involvement i"
    " WHERE i.version_id = NEW.version_id AND i.kind = 'edit'"
    " AND i.person_id <> NEW.person_id)"
)
_OWN_HAND = (
    "EXISTS (SELECT 1 FROM newsroom_involvement i"
    " WHERE i.version_id = NEW.version_id AND i.person_id = NEW.person_id)"
    " OR EXISTS (SELECT 1 FROM newsroom_version v"
    " JOIN newsroom_editor e ON e.bulletin_id = v.bulletin_id"
    " WHERE v.id = NEW.version_id AND e.person_id = NEW.person_id)"
    " OR EXISTS (SELECT 1 FROM newsroom_version v"
    " JOIN newsroom_bulletin b ON b.id = v.bulletin_id"
    " WHERE v.id = NEW.version_id AND (v.created_by_id = NEW.person_id"
    " OR b.created_by_id = NEW.person_id OR b.saved_by_id = NEW.person_id))"
)
_OTHER_HASH = (
    "NOT EXISTS (SELECT 1 FROM newsroom_seal s"
    " WHERE s.version_id = NEW.version_id AND s.sha256 = NEW.approved_sha256)"
)
_APPROVED = (
    "EXISTS (SELECT 1 FROM newsroom_involvement i"
    " WHERE i.version_id = NEW.version_id AND i.kind = 'approve')"
)

GUARDS: list[Guard] = [
    *_append_only("newsroom_involvement", "involvement"),
    *_append_only("newsroom_version", "version"),
    *_append_only("newsroom_seal", "seal"),
    *_append_only("newsroom_editor", "editor"),
    *_append_only("newsroom_recording", "recording"),
    *_append_only("newsroom_versionrendition", "sound"),
    Guard(
        "nguon_approval_own",
        "newsroom_involvement",
        "INSERT",
        "newsroom.own_bulletin: who edited a version never approves it",
        f"NEW.kind = 'approve' AND ({_OWN_HAND})",
    ),
    Guard(
        "nguon_approval_second_person",
        "newsroom_involvement",
        "INSERT",
        "newsroom.no_other_editor: an approval needs an editor before it",
        f"NEW.kind = 'approve' AND {_OTHER_EDITOR}",
    ),
    Guard(
        "nguon_approval_hash",
        "newsroom_involvement",
        "INSERT",
        "newsroom.changed: an approval is about the sealed hash",
        f"NEW.kind = 'approve' AND {_OTHER_HASH}",
    ),
    Guard(
        "nguon_edit_after_approval",
        "newsroom_involvement",
        "INSERT",
        "newsroom.already_approved: an approved version has no new editor",
        f"NEW.kind = 'edit' AND {_APPROVED}",
    ),
    Guard(
        "nguon_bulletin_fixed",
        "newsroom_bulletin",
        "UPDATE",
        "newsroom.bulletin_fixed: drill, unit and author stay as created",
        "NEW.drill <> OLD.drill OR NEW.unit_id <> OLD.unit_id"
        " OR NEW.created_by_id <> OLD.created_by_id OR NEW.uid <> OLD.uid",
    ),
    Guard(
        "nguon_version_as_drilled",
        "newsroom_version",
        "INSERT",
        "newsroom.bulletin_fixed: a version is a drill as its bulletin is",
        "NOT EXISTS (SELECT 1 FROM newsroom_bulletin b"
        " WHERE b.id = NEW.bulletin_id AND b.drill = NEW.drill)",
    ),
    Guard(
        "nguon_rendition_ready_kept",
        "newsroom_rendition",
        "UPDATE",
        "newsroom.rendition_immutable: a sound that is ready stays as it is",
        "OLD.state = 'ready' AND (NEW.state <> 'ready'"
        " OR NEW.media_id <> OLD.media_id OR NEW.key <> OLD.key"
        " OR NEW.spoken_text <> OLD.spoken_text)",
    ),
]


def set_guards(connection: BaseDatabaseWrapper) -> None:
    """Create every guard anew."""
    lift_guards(connection)
    present = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for guard in GUARDS:
            if guard.table in present:
                for statement in _create(guard, connection.vendor):
                    cursor.execute(statement)


def lift_guards(connection: BaseDatabaseWrapper) -> None:
    """Drop every guard; only a migration, or a test that empties tables, may."""
    present = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for guard in GUARDS:
            if connection.vendor == "sqlite":
                cursor.execute(f"DROP TRIGGER IF EXISTS {guard.name}")
            elif guard.table in present:
                cursor.execute(f"DROP TRIGGER IF EXISTS {guard.name} ON {guard.table}")


def check_set(connection: BaseDatabaseWrapper) -> None:
    """Raise GuardsMissingError unless every guard is in the database and on."""
    if connection.vendor == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = (
            "SELECT t.tgname FROM pg_trigger t WHERE t.tgenabled IN ('O', 'A')"
            " AND t.tgrelid IN (SELECT oid FROM pg_class"
            " WHERE relname LIKE 'newsroom_%%')"
        )
    with connection.cursor() as cursor:
        cursor.execute(query)
        found = {row[0] for row in cursor.fetchall()}
    missing = sorted({guard.name for guard in GUARDS} - found)
    if missing:
        raise GuardsMissingError("newsroom.guards_missing", missing=missing)


def set_after_migrate(*, using: str, **_signal: Any) -> None:
    """Put the guards back after a migration."""
    set_guards(connections[using])


def lift_before_migrate(*, using: str, **_signal: Any) -> None:
    """Take the guards away so that a migration can rebuild a table."""
    lift_guards(connections[using])


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

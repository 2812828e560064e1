"""Many rows into a table faster than the ORM can: thousands of facts a second.

PostgreSQL takes them by COPY, SQLite as one JSON text, so that other threads run while
it stores. Table and column names are those of our own models; every value is a
parameter.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db import connection


def is_postgresql() -> bool:
    """Say whether the database in use is PostgreSQL."""
    return connection.vendor == "postgresql"


def moment_form() -> Callable[[datetime], str]:
    """Return how a moment is written in a plain statement.

    As text for both: the drivers take several times as long to write a moment.
    """
    return datetime.isoformat if is_postgresql() else _naive_text


def _naive_text(at: datetime) -> str:
    """Return what Django's SQLite keeps: UTC without saying so."""
    text = (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat(" ")
    return text[: -len("+00:00")]


def insert_rows(
    table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Insert rows whose values are ready for the database (see `moment_form`).

    Raises IntegrityError when one of them may not be; then none is.
    """
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        if is_postgresql():
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        values = ", ".join(unpacked(columns))
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {values} FROM json_each(%s)",  # noqa: S608
            [as_text(rows)],
        )


def as_text(rows: Sequence[Sequence[Any]]) -> str:
    """Return rows as the JSON text that SQLite unpacks."""
    return orjson.dumps(rows).decode()


def unpacked(columns: Sequence[str]) -> list[str]:
    """Return how SQLite names the columns of rows in `json_each(a text of rows)`.

    A statement for each row would take the interpreter's lock each time: with other
    threads at work, it waits longer for that than it stores.
    """
    return [
        f"json_extract(value, '$[{n}]') AS {name}" for n, name in enumerate(columns)
    ]

"""The swarm's memory in its home: one SQLite file for all devices, and the sounds.

Written in batches, each one transaction, *before* the events in it are sent: what
the server hears of survives `kill -9`. The file holds private keys and is readable
by its owner alone.
"""

import fcntl
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nguon.core.errors import ConflictError

_TABLES = """
CREATE TABLE IF NOT EXISTS device (
    number INTEGER PRIMARY KEY, claim TEXT UNIQUE NOT NULL, key TEXT NOT NULL,
    log TEXT NOT NULL, uid TEXT NOT NULL DEFAULT '', standing TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS document (id TEXT PRIMARY KEY, token TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS event (
    number INTEGER NOT NULL, n INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (number, n)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Row:
    """One device as it was kept."""

    number: int
    claim: str
    key: str
    log: str
    uid: str
    standing: str
    state: Mapping[str, Any] | None


class Store:
    """Everything that must outlive the process."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.home = home
        self._lock = (home / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise ConflictError("simulator.home_in_use", home=str(home)) from error
        path = home / "swarm.sqlite3"
        path.touch(mode=0o600)
        self._base = sqlite3.connect(path, isolation_level=None)
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=NORMAL")
        self._base.executescript(_TABLES)
        self._documents = {row[0] for row in self._all("SELECT id FROM document")}
        self.media = home / "media"
        self.media.mkdir(exist_ok=True)

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._base.execute(query, values).fetchall()

    def close(self) -> None:
        """Close the file and free the home."""
        self._base.close()
        self._lock.close()

    # --- devices -----------------------------------------------------------------

    def rows(self) -> list[Row]:
        """Return every device kept."""
        found = self._all(
            "SELECT number, claim, key, log, uid, standing, state FROM device"
            " ORDER BY number"
        )
        return [
            Row(number, claim, key, log, uid, standing, json.loads(state or "null"))
            for number, claim, key, log, uid, standing, state in found
        ]

    def add(self, rows: Iterable[Row]) -> None:
        """Keep new devices with their keys."""
        self._base.execute("BEGIN")
        self._base.executemany(
            "INSERT INTO device (number, claim, key, log, standing)"
            " VALUES (?, ?, ?, ?, ?)",
            [(r.number, r.claim, r.key, r.log, r.standing) for r in rows],
        )
        self._base.execute("COMMIT")

    def set_standing(self, number: int, *, uid: str, standing: str) -> None:
        """Keep how a device stands with the server."""
        self._base.execute(
            "UPDATE device SET uid = ?, standing = ? WHERE number = ?",
            (uid, standing, number),
        )

    # --- the batch ---------------------------------------------------------------

    def write(
        self,
        *,
        states: Iterable[tuple[int, Mapping[str, Any]]],
        documents: Mapping[str, str],
        events: Iterable[tuple[int, Mapping[str, Any]]],
        stored: Iterable[tuple[int, int]],
    ) -> None:
        """Write one batch: states, documents (id to token), events in and out."""
        fresh = [(i, t) for i, t in documents.items() if i not in self._documents]
        run = self._base.executemany
        self._base.execute("BEGIN")
        run("INSERT OR IGNORE INTO document VALUES (?, ?)", fresh)
        run(
            "UPDATE device SET state = ? WHERE number = ?",
            [(_dump(state), number) for number, state in states],
        )
        run(
            "INSERT OR REPLACE INTO event VALUES (?, ?, ?)",
            [(number, event["n"], _dump(event)) for number, event in events],
        )
        run("DELETE FROM event WHERE number = ? AND n = ?", stored)
        self._base.execute("COMMIT")
        self._documents.update(document for document, _token in fresh)

    def events(self) -> list[tuple[int, dict[str, Any]]]:
        """Return every event that the gateway has not stored yet."""
        found = self._all("SELECT number, body FROM event ORDER BY number, n")
        return [(number, json.loads(body)) for number, body in found]

    def documents(self) -> dict[str, str]:
        """Return the signed documents kept, by id."""
        return dict(self._all("SELECT id, token FROM document"))

    def keep_documents(self, wanted: Sequence[str]) -> None:
        """Forget the documents that nobody holds any more."""
        gone = self._documents - set(wanted)
        run = self._base.executemany
        run("DELETE FROM document WHERE id = ?", [(name,) for name in gone])
        self._documents -= gone

    # --- facts -------------------------------------------------------------------

    def fact(self, name: str) -> Any:
        """Return a fact of the whole process, or None."""
        found = self._all("SELECT value FROM fact WHERE name = ?", name)
        return json.loads(found[0][0]) if found else None

    def set_fact(self, name: str, value: object) -> None:
        """Keep a fact of the whole process."""
        self._base.execute(
            "INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, _dump(value))
        )

    # --- sounds ------------------------------------------------------------------

    def sounds(self) -> set[str]:
        """Return the hashes of the sounds kept; a spoilt file is thrown away."""
        found = set()
        for path in self.media.iterdir():
            if hashlib.sha256(path.read_bytes()).hexdigest() == path.name:
                found.add(path.name)
            else:
                path.unlink()
        return found

    def put_sound(self, sha256: str, data: bytes) -> None:
        """Keep a sound under its hash, whole or not at all."""
        fresh = self.media / f"{sha256}.part"
        fresh.write_bytes(data)
        fresh.replace(self.media / sha256)


def write_whole(path: Path, text: str) -> None:
    """Write a small file so that a reader sees all of the old or all of the new."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

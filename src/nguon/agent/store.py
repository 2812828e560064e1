"""What the device must not forget, in one SQLite file that survives `kill -9`.

Each method is one transaction, on disk (WAL, synchronous=FULL) when it returns. A
change and the event that tells of it are written together or not at all; an event
is kept until the gateway's own acknowledgement. Used from one thread only.
"""

import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nguon.core.messages import Event, SequenceWindow

SCHEMA = """
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS document (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, target TEXT NOT NULL,
    seq INTEGER NOT NULL, jws TEXT NOT NULL, arrived_at INTEGER NOT NULL,
    keep_until INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS seen (
    target TEXT NOT NULL, kind TEXT NOT NULL, top INTEGER NOT NULL,
    mask TEXT NOT NULL, PRIMARY KEY (target, kind));
CREATE TABLE IF NOT EXISTS stop (
    id TEXT PRIMARY KEY, issued_at INTEGER NOT NULL, until INTEGER NOT NULL,
    told INTEGER NOT NULL DEFAULT 0, ended TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS lift (stop TEXT PRIMARY KEY, keep_until INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS cancelled (
    item TEXT NOT NULL, lane TEXT NOT NULL, keep_until INTEGER NOT NULL,
    PRIMARY KEY (item, lane));
CREATE TABLE IF NOT EXISTS play (
    item TEXT PRIMARY KEY, planned_at INTEGER NOT NULL, ends_at INTEGER NOT NULL,
    held_since INTEGER NOT NULL, prepared INTEGER NOT NULL DEFAULT 0,
    shown INTEGER NOT NULL DEFAULT 0, started_at INTEGER NOT NULL DEFAULT 0,
    ended_at INTEGER NOT NULL DEFAULT 0, sounded_ms INTEGER NOT NULL DEFAULT 0,
    energy REAL NOT NULL DEFAULT 0, samples INTEGER NOT NULL DEFAULT 0,
    parts TEXT NOT NULL DEFAULT '[]', blocked TEXT NOT NULL DEFAULT '',
    outcome TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS event (
    n INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, at INTEGER NOT NULL,
    item TEXT NOT NULL, data TEXT NOT NULL);
"""
# What is over is forgotten this long after its window: no plan reaches back so far.
KEEP_OVER_MS = 14 * 24 * 3600 * 1000
# A flood of forgeries may not fill the disk: beyond this they are only counted.
MAX_REFUSED_WAITING = 500


@dataclass(frozen=True)
class Held:
    """A document as it is held."""

    id: str
    kind: str
    target: str
    seq: int
    jws: str
    arrived_at: int


@dataclass(frozen=True)
class Play:
    """What has become of one item on this device; `parts` are stretches of sound."""

    item: str
    planned_at: int
    ends_at: int
    held_since: int
    prepared: bool = False
    shown: bool = False
    started_at: int = 0
    ended_at: int = 0
    sounded_ms: int = 0
    energy: float = 0.0
    samples: int = 0
    parts: tuple[tuple[int, int, int], ...] = ()
    blocked: str = ""
    outcome: str = ""


@dataclass(frozen=True)
class StopHeld:
    """A stop as it is held; `ended` is empty, `lift` or `end`."""

    id: str
    issued_at: int
    until: int
    told: bool = False
    ended: str = ""


@dataclass
class Acceptance:
    """All that one accepted document changes, written in one transaction."""

    document: Held
    keep_until: int
    window: SequenceWindow | None = None
    replaces_kind: bool = False
    stop: StopHeld | None = None
    lifts: str = ""
    cancels: Sequence[str] = ()
    lane: str = ""
    plays: Sequence[Play] = ()
    events: Sequence[tuple[str, int, str, Mapping[str, Any]]] = field(
        default_factory=list
    )


class Store:
    """The device's memory."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        with self._transaction():
            for statement in SCHEMA.split(";"):
                self._db.execute(statement)
            self._db.execute(
                "INSERT OR IGNORE INTO fact VALUES ('log', ?)", (secrets.token_hex(8),)
            )
        self.log = self.fact("log")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # --- facts -------------------------------------------------------------------

    def fact(self, name: str, default: str = "") -> str:
        """Return a remembered word."""
        row = self._db.execute(
            "SELECT value FROM fact WHERE name = ?", (name,)
        ).fetchone()
        return str(row[0]) if row else default

    def remember(self, **facts: object) -> None:
        """Remember words under names."""
        with self._transaction():
            self._db.executemany(
                "INSERT OR REPLACE INTO fact VALUES (?, ?)",
                [(name, str(value)) for name, value in facts.items()],
            )

    def count(self, name: str) -> int:
        """Add one to a remembered number and return it."""
        value = int(self.fact(name, "0")) + 1
        self.remember(**{name: value})
        return value

    # --- documents ---------------------------------------------------------------

    def documents(self) -> list[Held]:
        """Return every document held, in the order of arrival."""
        rows = self._db.execute(
            "SELECT id, kind, target, seq, jws, arrived_at FROM document"
            " ORDER BY arrived_at, seq, id"
        )
        return [Held(*row) for row in rows]

    def window(self, target: str, kind: str) -> SequenceWindow:
        """Return which numbers of a kind have been seen for a target."""
        row = self._db.execute(
            "SELECT top, mask FROM seen WHERE target = ? AND kind = ?", (target, kind)
        ).fetchone()
        return SequenceWindow(row[0], int(row[1], 16)) if row else SequenceWindow()

    def accept(self, change: Acceptance) -> None:
        """Write an accepted document with everything that follows from it."""
        held = change.document
        with self._transaction():
            if change.stop:
                stop = change.stop
                self._db.execute(
                    "INSERT OR IGNORE INTO stop (id, issued_at, until, ended)"
                    " VALUES (?, ?, ?, CASE WHEN EXISTS"
                    " (SELECT 1 FROM lift WHERE stop = ?) THEN 'lift' ELSE '' END)",
                    (stop.id, stop.issued_at, stop.until, stop.id),
                )
            if change.replaces_kind:
                self._db.execute(
                    "DELETE FROM document WHERE kind = ? AND target = ?",
                    (held.kind, held.target),
                )
            self._db.execute(
                "INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    held.id,
                    held.kind,
                    held.target,
                    held.seq,
                    held.jws,
                    held.arrived_at,
                    change.keep_until,
                ),
            )
            if change.window:
                self._db.execute(
                    "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?)",
                    (
                        held.target,
                        held.kind,
                        change.window.top,
                        f"{change.window.mask:x}",
                    ),
                )
            self._follow(change)
            for kind, at, item, data in change.events:
                self._event(kind, at=at, item=item, data=data)

    def _follow(self, change: Acceptance) -> None:
        """Write what a document lifts, cancels and brings; the caller commits."""
        if change.lifts:
            self._db.execute(
                "INSERT OR REPLACE INTO lift VALUES (?, ?)",
                (change.lifts, change.keep_until),
            )
            self._db.execute(
                "UPDATE stop SET ended = 'lift' WHERE id = ? AND ended = ''",
                (change.lifts,),
            )
        self._db.executemany(
            "INSERT OR REPLACE INTO cancelled VALUES (?, ?, ?)",
            [(item, change.lane, change.keep_until) for item in change.cancels],
        )
        for play in change.plays:
            cursor = self._db.execute(
                "INSERT OR IGNORE INTO play (item, planned_at, ends_at, held_since)"
                " VALUES (?, ?, ?, ?)",
                (play.item, play.planned_at, play.ends_at, play.held_since),
            )
            if cursor.rowcount == 1:
                data = {"document": change.document.id, "seq": change.document.seq}
                self._event("received", at=play.held_since, item=play.item, data=data)

    def forget_documents(self, ids: Iterable[str]) -> None:
        """Drop documents that are no longer for this device."""
        with self._transaction():
            self._db.executemany(
                "DELETE FROM document WHERE id = ?", [(key,) for key in ids]
            )

    def forget_old(self, *, at: int) -> None:
        """Drop what can no longer matter."""
        with self._transaction():
            for table in ("document", "lift", "cancelled"):
                self._db.execute(
                    f"DELETE FROM {table} WHERE keep_until < ?",  # noqa: S608
                    (at,),
                )
            self._db.execute("DELETE FROM stop WHERE until < ? AND ended <> ''", (at,))
            self._db.execute(
                "DELETE FROM play WHERE outcome <> '' AND ends_at < ?",
                (at - KEEP_OVER_MS,),
            )

    # --- stops and cancels -------------------------------------------------------

    def stops(self) -> list[StopHeld]:
        """Return the stops held, also those that are over but not yet told so."""
        rows = self._db.execute(
            "SELECT id, issued_at, until, told, ended FROM stop ORDER BY issued_at, id"
        )
        return [StopHeld(r[0], r[1], r[2], bool(r[3]), r[4]) for r in rows]

    def stop_told(self, stop: StopHeld, *, at: int, data: Mapping[str, Any]) -> None:
        """Write, once, that this device has been silent since `at`."""
        with self._transaction():
            cursor = self._db.execute(
                "UPDATE stop SET told = 1 WHERE id = ? AND told = 0", (stop.id,)
            )
            if cursor.rowcount:
                self._event("stopped", at=at, item="", data=data)

    def stop_ended(self, stop: StopHeld, *, how: str, at: int) -> None:
        """Write, once, that a stop is over, and forget it."""
        with self._transaction():
            cursor = self._db.execute("DELETE FROM stop WHERE id = ?", (stop.id,))
            if cursor.rowcount:
                data = {"document": stop.id, "how": how}
                self._event("lifted", at=at, item="", data=data)

    def cancelled(self) -> dict[str, frozenset[str]]:
        """Return the items cancelled in each lane."""
        lanes: dict[str, set[str]] = {"plan": set(), "emergency": set()}
        for item, lane in self._db.execute("SELECT item, lane FROM cancelled"):
            lanes[lane].add(item)
        return {lane: frozenset(items) for lane, items in lanes.items()}

    # --- plays -------------------------------------------------------------------

    def plays(self) -> dict[str, Play]:
        """Return what has become of each item known."""
        rows = self._db.execute("SELECT * FROM play")
        return {row[0]: _play(row) for row in rows}

    def write_play(self, play: Play, *, tell: str = "", **data: object) -> None:
        """Write how an item stands, and the event that tells of it, together.

        `tell` is the event's type; its moment is `data["at"]`.
        """
        with self._transaction():
            self._db.execute(
                "UPDATE play SET prepared=?, shown=?, started_at=?, ended_at=?,"
                " sounded_ms=?, energy=?, samples=?, parts=?, blocked=?, outcome=?"
                " WHERE item = ? AND outcome = ''",
                (
                    play.prepared,
                    play.shown,
                    play.started_at,
                    play.ended_at,
                    play.sounded_ms,
                    play.energy,
                    play.samples,
                    json.dumps(play.parts),
                    play.blocked,
                    play.outcome,
                    play.item,
                ),
            )
            if tell:
                at = data.pop("at")
                if not isinstance(at, int):
                    raise TypeError("an event needs its moment")
                self._event(tell, at=at, item=play.item, data=data)

    # --- events ------------------------------------------------------------------

    def _event(self, kind: str, *, at: int, item: str, data: Mapping[str, Any]) -> None:
        self._db.execute(
            "INSERT INTO event (type, at, item, data) VALUES (?, ?, ?, ?)",
            (kind, max(1, at), item, json.dumps(data, ensure_ascii=False)),
        )

    def tell(self, kind: str, /, *, at: int, item: str = "", **data: object) -> None:
        """Write an event that changes nothing else."""
        with self._transaction():
            self._event(kind, at=at, item=item, data=data)

    def refused(self, cause: str, *, at: int, document: str) -> None:
        """Count a refusal for ever, and tell of it unless too many wait already."""
        with self._transaction():
            row = self._db.execute(
                "SELECT value FROM fact WHERE name = ?", (f"refused.{cause}",)
            ).fetchone()
            self._db.execute(
                "INSERT OR REPLACE INTO fact VALUES (?, ?)",
                (f"refused.{cause}", str(int(row[0]) + 1 if row else 1)),
            )
            waiting = self._db.execute(
                "SELECT count(*) FROM event WHERE type = 'refused'"
            ).fetchone()[0]
            if waiting < MAX_REFUSED_WAITING:
                data = {"cause": cause, "document": document[:40]}
                self._event("refused", at=at, item="", data=data)

    def refusals(self) -> dict[str, int]:
        """Return how many documents were refused for each cause, ever."""
        rows = self._db.execute(
            "SELECT name, value FROM fact WHERE name LIKE 'refused.%' ORDER BY name"
        )
        return {name.partition(".")[2]: int(value) for name, value in rows}

    def waiting(self, *, limit: int, above: int = 0) -> list[Event]:
        """Return the oldest events not yet acknowledged, numbered above `above`."""
        rows = self._db.execute(
            "SELECT n, type, at, item, data FROM event WHERE n > ? ORDER BY n LIMIT ?",
            (above, limit),
        )
        return [Event(r[0], r[1], r[2], r[3], json.loads(r[4])) for r in rows]

    def is_unanswered(self, document: str) -> bool:
        """Say whether an event that names the document is not yet acknowledged."""
        row = self._db.execute(
            "SELECT 1 FROM event WHERE type <> 'refused'"
            " AND json_extract(data, '$.document') = ?",
            (document,),
        ).fetchone()
        return row is not None

    def is_waiting(self, kind: str) -> bool:
        """Say whether an event of a kind is not yet in the server's database."""
        row = self._db.execute("SELECT 1 FROM event WHERE type = ?", (kind,)).fetchone()
        return row is not None

    def acknowledged(self, *, log: str, numbers: Iterable[int]) -> None:
        """Forget the events that are now in the server's database."""
        if log != self.log:
            return
        with self._transaction():
            self._db.executemany(
                "DELETE FROM event WHERE n = ?", [(number,) for number in numbers]
            )


def _play(row: tuple[Any, ...]) -> Play:
    return Play(
        item=row[0],
        planned_at=row[1],
        ends_at=row[2],
        held_since=row[3],
        prepared=bool(row[4]),
        shown=bool(row[5]),
        started_at=row[6],
        ended_at=row[7],
        sounded_ms=row[8],
        energy=row[9],
        samples=row[10],
        parts=tuple((part[0], part[1], part[2]) for part in json.loads(row[11])),
        blocked=row[12],
        outcome=row[13],
    )


def sounded(
    play: Play, *, part: tuple[int, int, int], energy: float, samples: int, ms: int
) -> Play:
    """Return the play with one more stretch of sound, `ms` being the new position."""
    return replace(
        play,
        sounded_ms=ms,
        ended_at=part[1],
        energy=play.energy + energy,
        samples=play.samples + samples,
        parts=(*play.parts, part),
    )

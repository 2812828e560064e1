"""The rehearsal (diễn tập) of a device's next day, computed alike on both sides.

A device that comes back from repair says what it would sound in the next 24 hours, by
its own documents, its own `core.playout` and its own clock. The server computes the
same. Only what begins inside the span counts, as if everything were ready and nothing
had been heard: so both sides can know it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nguon.core.messages import Item
from nguon.core.playout import (
    Listener,
    Prepared,
    Segment,
    Situation,
    timeline,
)
from nguon.core.signing import DocumentRefusedError, content_hash

SPAN_MS = 24 * 3600 * 1000
# An event is at most 16 KiB; what does not fit is covered by the digest alone.
MAX_ROWS, MAX_ROWS_CHARS = 400, 11_000
MAX_QUIET, MAX_MISSING = 50, 10
# A unit above the device each; more is no honest report.
MAX_PLANS = 12
OWN_VOLUME = -1


@dataclass(frozen=True)
class Row:
    """A stretch `[starts_at, ends_at)` in which one item sounds, ms.

    `volume` is the percentage that holds, OWN_VOLUME for the device's own.
    """

    item: str
    slot: str
    starts_at: int
    ends_at: int
    rank: str
    volume: int = OWN_VOLUME


@dataclass(frozen=True)
class Day:
    """What a device would sound in `[starts_at, ends_at)`, and when it is quiet."""

    starts_at: int
    ends_at: int
    rows: tuple[Row, ...]
    quiet: tuple[tuple[int, int], ...]

    @property
    def digest(self) -> str:
        """The SHA-256 over the canonical rows and quiet hours."""
        return content_hash(
            {
                "span": [self.starts_at, self.ends_at],
                "rows": [list(row.__dict__.values()) for row in self.rows],
                "quiet": [list(interval) for interval in self.quiet],
            }
        )


def rehearse(
    situation: Situation,
    listener: Listener,
    *,
    items: Iterable[Item],
    start: int,
    span_ms: int = SPAN_MS,
) -> Day:
    """Return the day from `start` on, by the rules that decide when it is played.

    Of the situation count the hours, stops, order and cancellations. What belongs to
    this one moment (progress, readiness, doubt, the rehearsal itself) is left out.
    """
    end = start + span_ms
    near = [item for item in items if start <= item.starts_at < end]
    clean = Situation(
        items=Prepared(near, listener),
        cancelled=situation.cancelled,
        stops=situation.stops,
        quiet=situation.quiet,
        volumes=situation.volumes,
        order=situation.order,
    )
    rows: list[Row] = []
    for step in timeline(clean, listener, start=start, end=end):
        if not isinstance(step, Segment) or step.item is None:
            continue
        row = _row(step, step.item)
        last = rows[-1] if rows else None
        if (
            last
            and replace(last, ends_at=row.ends_at)
            == replace(row, starts_at=last.starts_at)
            and last.ends_at == row.starts_at
        ):
            rows[-1] = replace(last, ends_at=row.ends_at)
            continue
        rows.append(row)
    quiet = sorted(
        (max(a, start), min(b, end))
        for a, b in situation.quiet
        if a < end and b > start
    )
    return Day(start, end, tuple(rows), tuple(quiet))


def _row(step: Segment, item: Item) -> Row:
    volume = OWN_VOLUME if step.volume is None else step.volume
    return Row(item.id, item.slot, step.starts_at, step.ends_at, item.rank, volume)


@dataclass(frozen=True)
class Report:
    """What a device tells: its day, and by what it was computed.

    `plans` maps a unit to the number of its plan; `missing` are items of the day
    whose sound is not here (`missing_count` of them); `count` is how many rows the
    digest covers, of which `day.rows` are the first.
    """

    day: Day
    digest: str
    count: int
    settings: int
    plans: Mapping[str, int]
    missing: tuple[str, ...] = ()
    missing_count: int = 0
    trusted: bool = True
    version: str = ""

    def encode(self) -> dict[str, Any]:
        """Return the report as the data of a `rehearsed` event, bounded in size."""
        start = self.day.starts_at
        rows: list[list[str | int]] = []
        chars = 0
        for row in self.day.rows[:MAX_ROWS]:
            begins, ends = row.starts_at - start, row.ends_at - start
            told: list[str | int] = [row.item, row.slot, begins, ends, row.rank]
            told.append(row.volume)
            chars += len(str(told))
            if chars > MAX_ROWS_CHARS:
                break
            rows.append(told)
        return {
            "from": start,
            "to": self.day.ends_at,
            "rows": rows,
            "count": self.count,
            "digest": self.digest,
            "quiet": [[a - start, b - start] for a, b in self.day.quiet[:MAX_QUIET]],
            "settings": self.settings,
            "plans": dict(self.plans),
            "missing": list(self.missing[:MAX_MISSING]),
            "missing_count": self.missing_count,
            "trusted": self.trusted,
            "version": self.version,
        }

    @classmethod
    def decode(cls, data: Mapping[str, Any]) -> "Report":
        """Return the report of an event's data. Raises DocumentRefusedError."""
        try:
            start, end = int(data["from"]), int(data["to"])
            rows = data["rows"]
            if not 0 < start < end <= start + SPAN_MS or len(rows) > MAX_ROWS:
                raise DocumentRefusedError("malformed")
            if len(data["plans"]) > MAX_PLANS or len(data["quiet"]) > MAX_QUIET:
                raise DocumentRefusedError("malformed")
            day = Day(
                start,
                end,
                tuple(_read_row(row, start) for row in rows),
                tuple((start + int(a), start + int(b)) for a, b in data["quiet"]),
            )
            return cls(
                day=day,
                digest=str(data["digest"])[:64],
                count=int(data["count"]),
                settings=int(data["settings"]),
                plans={str(uid): int(n) for uid, n in data["plans"].items()},
                missing=tuple(str(key) for key in data["missing"][:MAX_MISSING]),
                missing_count=int(data["missing_count"]),
                trusted=data["trusted"] is True,
                version=str(data["version"])[:40],
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DocumentRefusedError("malformed") from error


def _read_row(told: Sequence[Any], start: int) -> Row:
    item, slot, begins, ends, rank, volume = told
    return Row(
        str(item), str(slot), start + int(begins), start + int(ends), str(rank),
        int(volume),
    )  # fmt: skip


def report(
    day: Day,
    *,
    settings: int,
    plans: Mapping[str, int],
    missing: Sequence[str],
    trusted: bool,
    version: str,
) -> Report:
    """Return the report of a day that was computed here."""
    return Report(
        day=day,
        digest=day.digest,
        count=len(day.rows),
        settings=settings,
        plans=plans,
        missing=tuple(missing[:MAX_MISSING]),
        missing_count=len(missing),
        trusted=trusted,
        version=version,
    )


# --- the comparison ----------------------------------------------------------------

SAME, MOVED, DEVICE_ONLY, SERVER_ONLY, ALTERED = (
    "same", "moved", "device", "server", "altered",
)  # fmt: skip


@dataclass(frozen=True)
class Match:
    """One item of both days: as the device has it, as the server has it."""

    verdict: str
    mine: Row | None
    theirs: Row | None

    @property
    def row(self) -> Row:
        """The row as the device told it, else as the server has it."""
        found = self.mine or self.theirs
        if found is None:
            raise ValueError("a match has at least one side")
        return found


def compare(told: Sequence[Row], planned: Sequence[Row]) -> list[Match]:
    """Return both days item by item, in the order of time; `told` is the device's."""
    left: dict[str, list[Row]] = {}
    for row in planned:
        left.setdefault(row.item, []).append(row)
    found = []
    for row in told:
        others = left.get(row.item, [])
        other = next((one for one in others if one == row), None)
        other = other or next(iter(others), None)
        if other is not None:
            others.remove(other)
        found.append(Match(_verdict(row, other), row, other))
    rest = [row for rows in left.values() for row in rows]
    found += [Match(SERVER_ONLY, None, row) for row in rest]
    return sorted(found, key=lambda match: (match.row.starts_at, match.row.item))


def _verdict(mine: Row, theirs: Row | None) -> str:
    if theirs is None:
        return DEVICE_ONLY
    if mine == theirs:
        return SAME
    times = (mine.starts_at, mine.ends_at) != (theirs.starts_at, theirs.ends_at)
    return MOVED if times else ALTERED

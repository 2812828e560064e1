"""How beats become hours and days: what each minute was, kept as bits.

An hour is sixty bits for each thing that was so, and the extremes of what was
measured. Two accounts of one hour are merged by OR, least and greatest: the same
beat heard twice, late, by two gateways or before and after a restart changes
nothing. A day is counted from the hours; nothing is ever added up twice.

A beat comes about once a minute, so it may skip one: an empty minute between two
that were so counts as so. Plain functions; no database, no clock.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import time
from typing import Any

from nguon.core import beats
from nguon.core.beats import Beat
from nguon.fleet import health

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
HOUR_MINUTES, DAY_MINUTES = 60, 1_440
# A device's own moment is believed when it is this near ours: then every gateway
# that hears a beat puts it into the same minute.
NEAR_MS = 120_000
# What a minute may be; each is a column of bits of an hour and of minutes of a day.
MINUTES = (
    "heard", "mains", "battery", "sounding", "claimed", "decoded", "amplified",
    "measured", "line_bad", "doubtful", "hot", "weak",
)  # fmt: skip
LEAST = ("temperature_min", "signal_min", "storage_free_min", "battery_min")
GREATEST = ("temperature_max", "signal_max", "clock_offset_max", "data_used_max")
_GRADES = {
    beats.CLAIMED: "claimed",
    beats.DECODED: "decoded",
    beats.AMPLIFIED: "amplified",
    beats.MEASURED: "measured",
}


@dataclass(slots=True)
class Hour:
    """One hour of one device: bit N of each of `MINUTES` is its minute N."""

    heard: int = 0
    mains: int = 0
    battery: int = 0
    sounding: int = 0
    claimed: int = 0
    decoded: int = 0
    amplified: int = 0
    measured: int = 0
    line_bad: int = 0
    doubtful: int = 0
    hot: int = 0
    weak: int = 0
    temperature_min: int | None = None
    signal_min: int | None = None
    storage_free_min: int | None = None
    battery_min: int | None = None
    temperature_max: int | None = None
    signal_max: int | None = None
    clock_offset_max: int | None = None
    data_used_max: int | None = None

    def merge(self, other: "Hour") -> None:
        """Take in another account of the same hour."""
        for name in MINUTES:
            setattr(self, name, getattr(self, name) | getattr(other, name))
        for name in LEAST:
            setattr(self, name, _pick(min, getattr(self, name), getattr(other, name)))
        for name in GREATEST:
            setattr(self, name, _pick(max, getattr(self, name), getattr(other, name)))


HOUR_FIELDS = tuple(field.name for field in fields(Hour))


def _pick(choose: Any, one: int | None, other: int | None) -> int | None:
    known = [value for value in (one, other) if value is not None]
    return choose(known) if known else None


def hour_of(beat: Beat, *, arrived: int) -> tuple[int, Hour]:
    """Return the hour (ms of its begin) of a beat that arrived then, and its account.

    A moment far from ours is a wrong clock; then our own counts.
    """
    moment = beat.at if abs(beat.at - arrived) <= NEAR_MS else arrived
    bit = 1 << (moment % HOUR_MS // MINUTE_MS)
    offset = beat.clock_offset_ms
    hour = Hour(
        heard=bit,
        temperature_min=beat.temperature_c,
        temperature_max=beat.temperature_c,
        signal_min=beat.signal_dbm,
        signal_max=beat.signal_dbm,
        storage_free_min=beat.storage_free_mb,
        battery_min=beat.battery_percent,
        clock_offset_max=None if offset is None else abs(offset),
        data_used_max=beat.data_used_mb,
    )
    for name in _true_of(beat):
        setattr(hour, name, bit)
    return moment - moment % HOUR_MS, hour


def _true_of(beat: Beat) -> list[str]:
    """Return what a beat says of its minute; what it does not say is not so."""
    found = [] if beat.mains is None else ["mains" if beat.mains else "battery"]
    good = [
        grade
        for grade, age in beat.evidence.items()
        if age <= health.AGE_LIMITS[grade].total_seconds()
    ]
    if good:
        found.append(_GRADES[max(good)])
    signs = {
        "sounding": beat.sounding,
        "line_bad": beat.line in {beats.OPEN, beats.SHORT},
        "doubtful": beat.clock_trusted is False,
        "hot": beat.temperature_c is not None and beat.temperature_c > health.HOT_C,
        "weak": beat.signal_dbm is not None and beat.signal_dbm < health.WEAK_DBM,
    }
    return [*found, *(name for name, holds in signs.items() if holds)]


@dataclass(frozen=True)
class Day:
    """One local day of one device, in minutes, and its extremes.

    `expected` are the minutes it should have been on, `missing` those of them in
    which nothing was heard. An audible minute counts once, by its best grade.
    """

    expected: int
    missing: int
    minutes: Mapping[str, int]
    extremes: Mapping[str, int | None]


def day_of(hours: Mapping[int, Hour], *, begin: int, expected: int) -> Day:
    """Count a day that begins at `begin` (ms) from its hours and their neighbours.

    `expected` are the bits of the minutes in which it should be on.
    """
    bits = {name: _minutes(hours, name, begin) for name in MINUTES}
    bits["mains"] &= ~bits["battery"]
    better = bits["measured"]
    for name in ("amplified", "decoded", "claimed"):
        bits[name] &= ~better
        better |= bits[name]
    ends = begin + DAY_MINUTES * MINUTE_MS
    whole = Hour()
    for at, hour in hours.items():
        if begin <= at < ends:
            whole.merge(hour)
    told = asdict(whole)
    return Day(
        expected=expected.bit_count(),
        missing=(expected & ~bits["heard"]).bit_count(),
        minutes={name: value.bit_count() for name, value in bits.items()},
        extremes={name: told[name] for name in (*LEAST, *GREATEST)},
    )


def _minutes(hours: Mapping[int, Hour], name: str, begin: int) -> int:
    """Return one row of bits for the day, single gaps filled (also at its ends)."""
    row, first = 0, begin - HOUR_MS
    for number in range(DAY_MINUTES // HOUR_MINUTES + 2):
        hour = hours.get(first + number * HOUR_MS)
        if hour is not None:
            row |= getattr(hour, name) << (number * HOUR_MINUTES)
    row |= (row << 1) & (row >> 1)
    return (row >> HOUR_MINUTES) & ((1 << DAY_MINUTES) - 1)


def expected_bits(
    hours: health.Hours | None, *, begin: int, since: int, until: int | None = None
) -> int:
    """Return the bits of the minutes of a day in which a device should be on.

    `hours` are its local operating hours; it is ours from `since` (ms) to `until`.
    """
    row = (1 << DAY_MINUTES) - 1 if hours is None else _between(*hours)
    row &= ~((1 << _minute_at(since, begin)) - 1)
    if until is not None:
        row &= (1 << _minute_at(until, begin)) - 1
    return row


def _minute_at(moment: int, begin: int) -> int:
    return min(DAY_MINUTES, max(0, (moment - begin) // MINUTE_MS))


def _between(opens: time, closes: time) -> int:
    """Return the bits of [opens, closes), which may go over midnight."""
    first, last = (at.hour * 60 + at.minute for at in (opens, closes))
    whole = (1 << DAY_MINUTES) - 1
    if first == last:
        return whole
    early, late = sorted((first, last))
    inside = ((1 << late) - 1) & ~((1 << early) - 1)
    return inside if first < last else whole & ~inside

"""What a station's papers may say. Pure: the database and the network are handed in.

Everything here is refused when a paper is sent and again when it is approved, so that
it is a clear sentence before it airs and never a surprise on air.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import combinations
from math import ceil

from nguon.core import addresses
from nguon.core.addresses import Address
from nguon.core.errors import DomainError, InvalidError
from nguon.core.messages import Audience
from nguon.schedule import places, recurrence
from nguon.schedule.places import Places
from nguon.schedule.rules import LOCAL, QuietHours, next_allowed
from nguon.schedule.station import (
    Authority,
    Entry,
    Programme,
    Quiet,
    Slot,
    Source,
    StationRules,
    Volume,
)

DAY = timedelta(days=1)
MINUTES_A_DAY = 24 * 60
LONGEST_AUTHORITY = timedelta(days=366)
# How far ahead overlapping slots are looked for: both 29 February and a leap year's
# shifted weekdays come by in five years.
LOOKED_AHEAD = timedelta(days=5 * 366)
Resolve = Callable[[str, int], Iterable[str]]


# --- the station's rules -----------------------------------------------------------


def check_rules(
    rules: StationRules, *, day: date, last: date | None = None, where: Places
) -> None:
    """Refuse station rules that contradict themselves, for the days from `day` on.

    Raises InvalidError: `schedule.slot_twice`, `slot_empty`, `slot_without_begin`,
    `part_unknown`, `slot_without_source`, `repeat_unreadable`, `repeat_never`,
    `quiet_all_day`, `slot_in_quiet`, `slots_overlap`, `volume_range`.
    """
    _check_volumes(rules.volumes)
    _check_quiet_ends(rules.quiet, where)
    seen: set[str] = set()
    for slot in rules.slots:
        if slot.id in seen:
            raise InvalidError("schedule.slot_twice", slot=slot.name)
        seen.add(slot.id)
        _check_slot(rules, slot, day=day, last=last)
        _check_slot_quiet(rules, slot, where)
    for one, other in combinations(rules.slots, 2):
        _check_apart(rules, one, other, day=day, last=last, where=where)


def begin_of(rules: StationRules, slot: Slot) -> time:
    """Return when a slot begins: its own clock, or its day-part's.

    Raises InvalidError `schedule.part_unknown`, `schedule.slot_without_begin`.
    """
    parts = {part.name: part for part in rules.parts}
    if slot.part and slot.part not in parts:
        raise InvalidError("schedule.part_unknown", slot=slot.name, part=slot.part)
    if slot.begin is not None:
        return slot.begin
    if not slot.part:
        raise InvalidError("schedule.slot_without_begin", slot=slot.name)
    return parts[slot.part].begin


def _check_volumes(volumes: Sequence[Volume]) -> None:
    for volume in volumes:
        if not 0 <= volume.percent <= 100:
            raise InvalidError("schedule.volume_range", percent=volume.percent)
        if volume.percent == 0 and volume.begin == volume.end:
            raise InvalidError("schedule.volume_mute")


def _check_slot(
    rules: StationRules, slot: Slot, *, day: date, last: date | None
) -> None:
    if not slot.id or not slot.name.strip() or not 0 < slot.minutes <= MINUTES_A_DAY:
        raise InvalidError("schedule.slot_empty", slot=slot.name or slot.id)
    begin_of(rules, slot)
    if slot.kind == "relay" and not slot.source:
        raise InvalidError("schedule.slot_without_source", slot=slot.name)
    found = recurrence.next_day(slot.repeat, day=day)
    if found is None or (last is not None and found > last):
        raise InvalidError(
            "schedule.repeat_never",
            slot=slot.name,
            rule=recurrence.rrule_words(slot.repeat),
        )


def _check_quiet_ends(quiet: Sequence[Quiet], where: Places) -> None:
    """Refuse quiet hours under which nothing could ever sound at some place."""
    for one in quiet:
        together = [q for q in quiet if places.meet(q.places, one.places, where)]
        if not _free_minutes(together):
            raise InvalidError("schedule.quiet_all_day")


def _free_minutes(quiet: Iterable[Quiet]) -> set[int]:
    taken: set[int] = set()
    for one in quiet:
        taken |= {m % MINUTES_A_DAY for m in _minutes(one.begin, one.end)}
    return set(range(MINUTES_A_DAY)) - taken


def _minutes(begin: time, end: time) -> range:
    """Return the minutes of the day that hours touch; they may go beyond midnight."""
    first = begin.hour * 60 + begin.minute
    last = end.hour * 60 + end.minute + bool(end.second or end.microsecond)
    return range(first, last if end > begin else last + MINUTES_A_DAY)


def _check_slot_quiet(rules: StationRules, slot: Slot, where: Places) -> None:
    """Refuse a slot that touches quiet hours of its places; name the next free time."""
    hours = [
        QuietHours(quiet.begin, quiet.end)
        for quiet in rules.quiet
        if places.meet(quiet.places, slot.places, where)
    ]
    # Every day has the same quiet hours, so any day will do.
    start = datetime.combine(date(2025, 1, 6), begin_of(rules, slot), LOCAL)
    allowed = next_allowed(hours, start, length=timedelta(minutes=slot.minutes))
    if allowed is None:
        raise InvalidError(
            "schedule.slot_too_long", slot=slot.name, minutes=slot.minutes
        )
    if allowed != start:
        raise InvalidError(
            "schedule.slot_in_quiet",
            slot=slot.name,
            begin=f"{start:%H:%M}",
            end=f"{start + timedelta(minutes=slot.minutes):%H:%M}",
            allowed=f"{allowed.astimezone(LOCAL):%H:%M}",
        )


def _check_apart(
    rules: StationRules,
    one: Slot,
    other: Slot,
    *,
    day: date,
    last: date | None,
    where: Places,
) -> None:
    """Refuse two slots that would sound at once somewhere; name both and the day."""
    shifts = list(_shifts(rules, one, other))
    if not shifts or not places.meet(one.places, other.places, where):
        return
    end = day + LOOKED_AHEAD if last is None else min(last + DAY, day + LOOKED_AHEAD)
    days = recurrence.days_between(one.repeat, begin=day, end=end)
    others = set(recurrence.days_between(other.repeat, begin=day - DAY, end=end + DAY))
    clashes = [d for d in days if any(d + shift * DAY in others for shift in shifts)]
    if clashes:
        raise InvalidError(
            "schedule.slots_overlap",
            one=one.name,
            other=other.name,
            day=f"{clashes[0]:%d/%m/%Y}",
        )


def _shifts(rules: StationRules, one: Slot, other: Slot) -> Iterator[int]:
    """Yield by how many days the other must come later so that both sound at once."""
    begin = _minute_of(begin_of(rules, one))
    for shift in (-1, 0, 1):
        start = _minute_of(begin_of(rules, other)) + shift * MINUTES_A_DAY
        if start < begin + one.minutes and begin < start + other.minutes:
            yield shift


def _minute_of(clock: time) -> float:
    return clock.hour * 60 + clock.minute + clock.second / 60


# --- programmes --------------------------------------------------------------------


@dataclass(frozen=True)
class Booking:
    """How long a slot is, and how much of it a programme fills, in seconds."""

    planned_s: int
    booked_s: int


def lay_out(
    programme: Programme, durations: Mapping[str, int], *, slot: Slot, where: Places
) -> list[tuple[Entry, Audience, int, int]]:
    """Return each entry with its places, start and length, in ms from the slot's start.

    Entries follow each other where their places meet; those for different villages
    sound side by side. Raises InvalidError `schedule.entry_empty`,
    `schedule.material_absent`, `schedule.entry_outside_slot`.
    """
    laid: list[tuple[Entry, Audience, int, int]] = []
    for number, entry in enumerate(programme.entries, start=1):
        heard = places.narrow(slot.places, entry.places, where)
        if heard is None:
            raise InvalidError("schedule.entry_outside_slot", number=number)
        start = max(
            (
                begin + length
                for _other, theirs, begin, length in laid
                if places.meet(theirs, heard, where)
            ),
            default=0,
        )
        laid.append((entry, heard, start, _length_of(entry, durations, number)))
    return laid


def _length_of(entry: Entry, durations: Mapping[str, int], number: int) -> int:
    if entry.kind == "relay":
        if not entry.source or not entry.minutes:
            raise InvalidError("schedule.entry_empty", number=number)
        return entry.minutes * 60_000
    if not entry.material:
        raise InvalidError("schedule.entry_empty", number=number)
    if not durations.get(entry.material):
        raise InvalidError("schedule.material_absent", number=number)
    return durations[entry.material]


def booking(
    programme: Programme, durations: Mapping[str, int], slot: Slot, where: Places
) -> Booking:
    """Return how full a slot is at its fullest place. Raises as `lay_out` does."""
    laid = lay_out(programme, durations, slot=slot, where=where)
    ends = [start + length for _entry, _places, start, length in laid]
    return Booking(slot.minutes * 60, ceil(max(ends, default=0) / 1000))


def check_programme(
    programme: Programme,
    durations: Mapping[str, int],
    *,
    slot: Slot | None,
    where: Places,
) -> None:
    """Refuse a programme that has no slot, nothing in it, or more than fits.

    `durations` is ms by material. Raises InvalidError `schedule.slot_unknown`,
    `schedule.slot_is_relay`, `schedule.programme_empty`, `schedule.overbooked`, and
    what `lay_out` raises.
    """
    if slot is None:
        raise InvalidError("schedule.slot_unknown", slot=programme.slot)
    if slot.kind != "programme":
        raise InvalidError("schedule.slot_is_relay", slot=slot.name)
    if not programme.entries:
        raise InvalidError("schedule.programme_empty", slot=slot.name)
    found = booking(programme, durations, slot, where)
    if found.booked_s > found.planned_s:
        raise InvalidError(
            "schedule.overbooked",
            slot=slot.name,
            minutes=ceil((found.booked_s - found.planned_s) / 60),
            planned=slot.minutes,
        )


# --- sources, orders, authorities --------------------------------------------------


def check_written(source: Source, *, allowed: Collection[str]) -> Address | None:
    """Refuse what the letters of an address alone say; nobody is asked.

    Hosts in `allowed` may lie inside the network; for one of them nothing is left to
    look up. Raises InvalidError `schedule.source_unnamed`, `address_unusable`,
    `address_inside`.
    """
    if not source.name.strip():
        raise InvalidError("schedule.source_unnamed")
    try:
        address = addresses.parse(source.url)
    except DomainError as error:
        raise InvalidError("schedule.address_unusable", url=source.url) from error
    if address.host in allowed:
        return None
    is_known = addresses.is_number(address.host) and addresses.is_inside(address.host)
    if is_known or _is_bare(address.host):
        raise InvalidError("schedule.address_inside", host=address.host)
    return address


def check_source(source: Source, *, resolve: Resolve, allowed: Collection[str]) -> None:
    """Refuse an address that stations must not relay.

    `resolve` returns the IP addresses of (host, port) and may raise OSError. Raises
    InvalidError `schedule.address_unresolved`, and what `check_written` raises.
    """
    address = check_written(source, allowed=allowed)
    if address is None:
        return
    host = address.host
    try:
        numbers = list(resolve(host, address.port))
    except (OSError, UnicodeError) as error:
        raise InvalidError("schedule.address_unresolved", host=host) from error
    if not numbers:
        raise InvalidError("schedule.address_unresolved", host=host)
    if any(addresses.is_inside(number) for number in numbers):
        raise InvalidError("schedule.address_inside", host=host)


def _is_bare(host: str) -> bool:
    """Say whether a name means something only inside a network."""
    name = host.rstrip(".").lower()
    if ":" in name:
        return False  # an IPv6 number; `resolve` gives it back as it is
    inner = ("localhost", "local", "internal", "lan", "home", "intranet", "arpa")
    return "." not in name or name.rsplit(".", 1)[-1] in inner


def check_order(broadcasts: Sequence[str], known: Collection[str]) -> None:
    """Refuse an order of nothing, with one twice, or with an unknown bulletin.

    Raises InvalidError `schedule.order_empty`, `schedule.order_unknown`.
    """
    if not broadcasts or len(set(broadcasts)) != len(broadcasts):
        raise InvalidError("schedule.order_empty")
    for uid in broadcasts:
        if uid not in known:
            raise InvalidError("schedule.order_unknown", broadcast=uid)


def check_authority(
    authority: Authority,
    *,
    known: Collection[int],
    quiet: Sequence[Quiet],
    first: date,
    last: date | None,
    where: Places,
) -> None:
    """Refuse an authority that is too wide, too long, or for nobody.

    `known` are the officers that may be named. Raises InvalidError
    `schedule.authority_empty`, `officer_unknown`, `authority_too_long`,
    `authority_in_quiet`.
    """
    if not authority.officers or not authority.acts or not authority.reason.strip():
        raise InvalidError("schedule.authority_empty")
    if not set(authority.officers) <= set(known):
        raise InvalidError("schedule.officer_unknown")
    if last is None or last - first >= LONGEST_AUTHORITY:
        raise InvalidError("schedule.authority_too_long", days=LONGEST_AUTHORITY.days)
    hours = set(_minutes(authority.begin, authority.end))
    asked = {minute % MINUTES_A_DAY for minute in hours}
    for one in quiet:
        silent = {m % MINUTES_A_DAY for m in _minutes(one.begin, one.end)}
        if asked & silent and places.meet(one.places, authority.places, where):
            raise InvalidError(
                "schedule.authority_in_quiet",
                begin=f"{one.begin:%H:%M}",
                end=f"{one.end:%H:%M}",
            )

"""What the forms of papers send, read into the values of `schedule.station`.

What may be said stands in `schedule.checks`; here a wish only becomes a value, or a
sentence about the field that could not be read.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import Any, Literal

from django.http import QueryDict

from nguon.core import typed
from nguon.core.errors import ConflictError, InvalidError
from nguon.core.messages import Audience
from nguon.core.topics import new_uid
from nguon.schedule import recurrence, station
from nguon.schedule.rules import YEARS
from nguon.schedule.station import (
    Authority,
    Chain,
    DayPart,
    Entry,
    Programme,
    Quiet,
    Repeat,
    Slot,
    Source,
    StationRules,
    Volume,
)

WEEKDAYS = (
    ("MO", "Thứ hai"),
    ("TU", "Thứ ba"),
    ("WE", "Thứ tư"),
    ("TH", "Thứ năm"),
    ("FR", "Thứ sáu"),
    ("SA", "Thứ bảy"),
    ("SU", "Chủ nhật"),
)
DAILY, WEEKLY, MONTHLY, ONCE, OTHER = "daily", "weekly", "monthly", "once", "other"
SlotKind = Literal["programme", "relay"]
STARTS: Mapping[str, Literal["cut", "next", "wait"]] = {"cut": "cut", "wait": "wait"}
MATERIAL_KINDS: Mapping[str, Literal["jingle", "recording"]] = {
    "jingle": "jingle",
    "recording": "recording",
}
NAME_LIMIT = 80
MINUTES_A_DAY = 24 * 60
MOST_DATES = 200


# --- small readings -------------------------------------------------------------------


def read_clock(text: str | None) -> time:
    """Read a clock on the wall, without a zone of its own. Raises InvalidError."""
    try:
        return typed.read_clock(text or "")
    except ValueError as error:
        raise InvalidError("schedule.clock_unreadable", text=text or "") from error


def read_date(text: str | None, *, today: date | None = None) -> date:
    """Read a day as it was typed; without `today` its year must be written.

    Raises InvalidError, also for a year in which no station plans.
    """
    written = (text or "").strip()
    try:
        day = typed.read_day(written, today=today)
    except ValueError as error:
        raise InvalidError("schedule.day_unreadable", text=written) from error
    if day.year not in YEARS:
        raise InvalidError("schedule.day_unreadable", text=written)
    return day


def read_dates(text: str | None, *, today: date) -> tuple[date, ...]:
    """Read several days, parted by commas, semicolons, blanks or lines.

    Raises InvalidError, also for more days than are kept: none is left out unsaid.
    """
    words = {word for word in re.split(r"[\s,;]+", text or "") if word}
    if len(words) > MOST_DATES:
        raise InvalidError("schedule.too_many_dates", limit=MOST_DATES)
    return tuple(sorted({read_date(word, today=today) for word in words}))


def read_number(text: str | None, *, least: int, most: int, what: str) -> int:
    """Read a whole number. Raises InvalidError naming its field."""
    written = (text or "").strip()
    if written.isascii() and written.isdigit() and least <= int(written) <= most:
        return int(written)
    raise InvalidError("schedule.number_wrong", what=what, least=least, most=most)


def read_name(text: str | None, *, what: str) -> str:
    """Read a short name. Raises InvalidError naming its field."""
    name = " ".join((text or "").replace("\0", "").split())
    if not 0 < len(name) <= NAME_LIMIT:
        raise InvalidError("schedule.name_wrong", what=what, limit=NAME_LIMIT)
    return name


def read_places(sent: QueryDict) -> Audience:
    """Read the whole station, or the chosen villages and devices.

    That they lie on the station's ground is checked when the paper is sent. Raises
    InvalidError when both or neither is chosen: more would hear it than was meant.
    """
    chosen = show_places(sent)
    if bool(sent.get("whole")) == (chosen != station.WHOLE):
        raise InvalidError("schedule.places_unclear")
    return chosen


def show_places(sent: QueryDict) -> Audience:
    """Return the villages and devices that were ticked, to be shown once more."""
    return Audience(
        units=tuple(sorted(set(sent.getlist("units")))),
        devices=tuple(sorted(set(sent.getlist("devices")))),
        groups=tuple(sorted(set(sent.getlist("groups")))),
    )


def read_days(sent: QueryDict, *, today: date) -> tuple[date, date | None]:
    """Read a paper's first and last day; no last day means until further notice."""
    first, last = sent.get("first_date"), sent.get("last_date")
    return (
        read_date(first, today=today),
        read_date(last, today=today) if last else None,
    )


# --- on which days --------------------------------------------------------------------


@dataclass(frozen=True)
class RepeatFields:
    """A repetition as its form shows it."""

    kind: str = DAILY
    weekdays: tuple[str, ...] = ("MO", "TU", "WE", "TH", "FR")
    month_days: str = "1"
    until: date | None = None
    rule: str = ""


def show_repeat(repeat: Repeat) -> RepeatFields:
    """Return what the form shows; a rule that it cannot show stays as it is written."""
    if not repeat.rule:
        return RepeatFields(ONCE)
    parts = recurrence.read_rule(repeat.rule)
    until = None
    if "UNTIL" in parts:
        until = date.fromisoformat(parts.pop("UNTIL"))
    if parts == {"FREQ": "DAILY"}:
        return RepeatFields(DAILY, until=until)
    if parts.keys() == {"FREQ", "BYDAY"} and parts["FREQ"] == "WEEKLY":
        return RepeatFields(WEEKLY, tuple(parts["BYDAY"].split(",")), until=until)
    if parts.keys() == {"FREQ", "BYMONTHDAY"} and parts["FREQ"] == "MONTHLY":
        days = parts["BYMONTHDAY"].replace(",", ", ")
        return RepeatFields(MONTHLY, month_days=days, until=until)
    return RepeatFields(OTHER, rule=repeat.rule)


def read_repeat(sent: QueryDict, *, today: date) -> Repeat:
    """Read on which days a slot returns. Raises InvalidError."""
    rule = _read_rule(sent)
    until = sent.get("until")
    if until and rule and sent.get("repeat") != OTHER:
        rule += f";UNTIL={read_date(until, today=today):%Y%m%d}"
    if rule:
        recurrence.read_rule(rule)
    return Repeat(
        first=read_date(sent.get("first"), today=today),
        rule=rule,
        without=read_dates(sent.get("without"), today=today),
        extra=read_dates(sent.get("extra"), today=today),
        holidays="skip" if sent.get("holidays") == "skip" else "keep",
    )


def _read_rule(sent: QueryDict) -> str:
    kind = sent.get("repeat", DAILY)
    if kind == ONCE:
        return ""
    if kind == WEEKLY:
        chosen = [key for key, _name in WEEKDAYS if key in sent.getlist("weekdays")]
        if not chosen:
            raise InvalidError("schedule.weekdays_missing")
        return f"FREQ=WEEKLY;BYDAY={','.join(chosen)}"
    if kind == MONTHLY:
        words = [w for w in re.split(r"[\s,;]+", sent.get("month_days", "")) if w]
        days = [
            read_number(word, least=1, most=31, what="ngày trong tháng")
            for word in words[:31]
        ]
        if not days:
            raise InvalidError("schedule.weekdays_missing")
        return f"FREQ=MONTHLY;BYMONTHDAY={','.join(map(str, sorted(set(days))))}"
    return sent.get("rule", "").strip()[:500] if kind == OTHER else "FREQ=DAILY"


# --- station rules --------------------------------------------------------------------


def read_slot(sent: QueryDict, *, today: date, key: str = "") -> Slot:
    """Read a slot; without a key it is a new one. Raises InvalidError."""
    kind: SlotKind = "relay" if sent.get("kind") == "relay" else "programme"
    part = sent.get("part", "").strip()[:NAME_LIMIT]
    start = STARTS.get(sent.get("start", ""), "next")
    wait = sent.get("wait_seconds") or "30"
    return Slot(
        id=key or new_uid(),
        name=read_name(sent.get("name"), what="tên khung giờ"),
        kind=kind,
        minutes=read_number(
            sent.get("minutes"), least=1, most=MINUTES_A_DAY, what="số phút"
        ),
        repeat=read_repeat(sent, today=today),
        begin=None if part else read_clock(sent.get("begin")),
        part=part,
        places=read_places(sent),
        source=sent.get("source", "")[:12] if kind == "relay" else "",
        fallback=sent.get("fallback", "")[:12] if kind == "relay" else "",
        start=start,
        wait_seconds=(
            read_number(wait, least=0, most=3600, what="số giây chờ")
            if start == "wait"
            else 0
        ),
        after="rejoin" if kind == "relay" else "resume",
    )


def read_part(sent: QueryDict) -> DayPart:
    """Read a day-part. Raises InvalidError."""
    return DayPart(
        name=read_name(sent.get("name"), what="tên buổi"),
        begin=read_clock(sent.get("begin")),
        end=read_clock(sent.get("end")),
    )


def read_quiet(sent: QueryDict) -> Quiet:
    """Read quiet hours. Raises InvalidError."""
    return Quiet(
        begin=read_clock(sent.get("begin")),
        end=read_clock(sent.get("end")),
        places=read_places(sent),
    )


def read_volume(sent: QueryDict) -> Volume:
    """Read a volume of some hours. Raises InvalidError."""
    return Volume(
        begin=read_clock(sent.get("begin")),
        end=read_clock(sent.get("end")),
        percent=read_number(
            sent.get("percent"), least=0, most=100, what="âm lượng (phần trăm)"
        ),
        places=read_places(sent),
    )


READERS: Mapping[str, Callable[[QueryDict], Any]] = {
    "parts": read_part,
    "quiet": read_quiet,
    "volumes": read_volume,
}


def put_slot(rules: StationRules, slot: Slot) -> StationRules:
    """Return the rules with a slot in the place of its older self, or at the end."""
    held = [one.id for one in rules.slots]
    if slot.id not in held:
        return replace(rules, slots=(*rules.slots, slot))
    slots = tuple(slot if one.id == slot.id else one for one in rules.slots)
    return replace(rules, slots=slots)


def drop_slot(rules: StationRules, key: str) -> StationRules:
    """Return the rules without a slot."""
    return replace(rules, slots=tuple(one for one in rules.slots if one.id != key))


def add_row(rules: StationRules, group: str, row: Any) -> StationRules:
    """Return the rules with one more day-part, quiet hour or volume.

    A day-part of the same name is replaced: slots name it.
    """
    rows = getattr(rules, group)
    if isinstance(row, DayPart):
        rows = tuple(one for one in rows if one.name != row.name)
    return replace(rules, **{group: (*rows, row)})


def drop_row(rules: StationRules, group: str, number: int) -> StationRules:
    """Return the rules without one row of a group; ConflictError if it is gone."""
    rows = getattr(rules, group)
    if number >= len(rows):
        raise ConflictError("schedule.draft_moved")
    return replace(rules, **{group: (*rows[:number], *rows[number + 1 :])})


# --- programmes -----------------------------------------------------------------------


def read_entry(sent: QueryDict) -> Entry:
    """Read what is added to a programme. Raises InvalidError."""
    place = sent.get("place", "")
    places = Audience(units=(place,)) if place else station.WHOLE
    if sent.get("kind") == "relay":
        return Entry(
            kind="relay",
            source=sent.get("source", "")[:12],
            minutes=read_number(
                sent.get("minutes"), least=1, most=MINUTES_A_DAY, what="số phút"
            ),
            places=places,
        )
    return Entry(
        kind=MATERIAL_KINDS.get(sent.get("kind", ""), "bulletin"),
        material=sent.get("material", "")[:12],
        places=places,
    )


def change_entries(programme: Programme, sent: QueryDict) -> Programme:
    """Return the programme after one press of a button of its list.

    Raises InvalidError for what cannot be read, ConflictError for a row that is gone.
    """
    entries = list(programme.entries)
    act = sent.get("act", "")
    if act == "add":
        return replace(programme, entries=(*entries, read_entry(sent)))
    number = read_number(sent.get("n"), least=0, most=10_000, what="thứ tự")
    if number >= len(entries):
        raise ConflictError("schedule.draft_moved")
    if act == "remove":
        del entries[number]
    elif act == "up" and number > 0:
        entries[number - 1 : number + 1] = entries[number], entries[number - 1]
    elif act == "down" and number + 1 < len(entries):
        entries[number : number + 2] = entries[number + 1], entries[number]
    return replace(programme, entries=tuple(entries))


# --- sources and authorities ----------------------------------------------------------


def read_source(sent: QueryDict) -> Source:
    """Read a source of relays. Raises InvalidError."""
    return Source(
        name=read_name(sent.get("name"), what="tên nguồn"),
        kind="hls" if sent.get("kind") == "hls" else "http",
        url=sent.get("url", "").strip()[:500],
    )


def read_authority(sent: QueryDict) -> Authority:
    """Read a standing authority. Raises InvalidError."""
    return Authority(
        officers=tuple(
            sorted(
                read_number(key, least=1, most=2**31, what="cán bộ")
                for key in set(sent.getlist("officers"))
            )
        ),
        acts=tuple(act for act in station.ACTS if act in sent.getlist("acts")),  # type: ignore[misc]
        begin=read_clock(sent.get("begin")),
        end=read_clock(sent.get("end")),
        places=read_places(sent),
        reason=sent.get("reason", "").replace("\0", "").strip()[:500],
    )


def read_chain(sent: QueryDict) -> Chain:
    """Read how bulletins are approved. Raises InvalidError."""
    fields = {
        read_number(one, least=1, most=6, what="lĩnh vực")
        for one in sent.getlist("two_steps")
    }
    due = read_number(sent.get("due_minutes"), least=15, most=4320, what="số phút")
    return Chain(two_steps=tuple(sorted(fields)), due_minutes=due)


def week_from(day: date) -> tuple[date, date]:
    """Return the week that a new programme is for: from `day` to its Sunday."""
    return day, day + timedelta(days=6 - day.weekday())


def show_dates(days: Sequence[date]) -> str:
    """Write days as a person types them."""
    return ", ".join(f"{day:%d/%m/%Y}" for day in days)

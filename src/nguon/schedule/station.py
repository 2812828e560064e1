"""The bodies of a station's papers, as values: what two persons put into force.

A body travels as canonical JSON (`encode`, `decode`) and is hashed as such. Times of
day are clocks on the wall of `Asia/Ho_Chi_Minh`; days are inclusive. An audience
that names nobody means the whole station. What is allowed stands in `checks`.
"""

from datetime import date, time
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from nguon.core.errors import InvalidError
from nguon.core.messages import Audience
from nguon.core.signing import content_hash

RULES, PROGRAMME, SOURCE = "rules", "programme", "source"
ORDER, AUTHORITY, CHAIN = "order", "authority", "chain"
KINDS = {
    RULES: "Quy chế đài",
    PROGRAMME: "Chương trình",
    SOURCE: "Nguồn tiếp âm",
    ORDER: "Thứ tự tin ưu tiên",
    AUTHORITY: "Ủy quyền thường trực",
    CHAIN: "Cách duyệt bản tin",
}

ANNOUNCE: Literal["announce"] = "announce"
LIVE: Literal["live"] = "live"
ACTS = {ANNOUNCE: "Phát ngay bản tin", LIVE: "Nói trực tiếp"}

WHOLE = Audience()
Name = Annotated[str, Field(max_length=80)]
Key = Annotated[str, Field(max_length=12)]
Percent = Annotated[int, Field(ge=0, le=100)]
Minutes = Annotated[int, Field(ge=0, le=24 * 60)]
Seconds = Annotated[int, Field(ge=0, le=3600)]
Text = Annotated[str, Field(max_length=500)]
_FROZEN = ConfigDict(extra="forbid")


@dataclass(frozen=True, config=_FROZEN)
class Repeat:
    """On which days something returns; RFC 5545 without its times.

    `rule` is an RRULE (`FREQ=WEEKLY;BYDAY=MO,TH`, with UNTIL or COUNT if wanted),
    empty for once on `first`. `without` are exception dates, `extra` added ones.
    `holidays` says whether public holidays (Tết among them) are kept or left out.
    """

    first: date
    rule: Text = "FREQ=DAILY"
    without: tuple[date, ...] = ()
    extra: tuple[date, ...] = ()
    holidays: Literal["keep", "skip"] = "keep"


@dataclass(frozen=True, config=_FROZEN)
class DayPart:
    """A named stretch of the day that slots refer to: “sáng”, “chiều”."""

    name: Name
    begin: time = time(0)
    end: time = time(0)


@dataclass(frozen=True, config=_FROZEN)
class Quiet:
    """Hours in which nothing below an emergency sounds; may cross midnight."""

    begin: time
    end: time
    places: Audience = WHOLE


@dataclass(frozen=True, config=_FROZEN)
class Volume:
    """The volume, in percent, that holds in some hours; may cross midnight."""

    begin: time
    end: time
    percent: Percent
    places: Audience = WHOLE


@dataclass(frozen=True, config=_FROZEN)
class Slot:
    """A recurring piece of the station's day (khung giờ).

    It begins at `begin`, or with the day-part named `part`. A `relay` slot relays
    the source paper `source` (uid) and sounds `fallback` (uid of a released
    broadcast) when the source is dead or silent; a `programme` slot is filled by
    programme papers. `start`, `wait_seconds`, `after` as in “How a slot wins”.
    """

    id: Key
    name: Name
    kind: Literal["programme", "relay"]
    minutes: Minutes
    repeat: Repeat
    begin: time | None = None
    part: str = ""
    places: Audience = WHOLE
    source: str = ""
    fallback: str = ""
    start: Literal["cut", "next", "wait"] = "next"
    wait_seconds: Seconds = 0
    after: Literal["resume", "rejoin", "drop"] = "resume"


@dataclass(frozen=True, config=_FROZEN)
class StationRules:
    """The station's operating rules (quy chế), issued by the commune.

    Source: decree 49/2024/NĐ-CP; the commune suits them to people's habits.
    """

    slots: tuple[Slot, ...] = ()
    parts: tuple[DayPart, ...] = ()
    quiet: tuple[Quiet, ...] = ()
    volumes: tuple[Volume, ...] = ()


@dataclass(frozen=True, config=_FROZEN)
class Entry:
    """One piece of a programme, in its order.

    `material` is the uid of a released broadcast; a `relay` names a source paper in
    `source` and its length in `minutes` instead.
    """

    kind: Literal["bulletin", "jingle", "recording", "relay"]
    material: str = ""
    source: str = ""
    minutes: Minutes = 0
    places: Audience = WHOLE


@dataclass(frozen=True, config=_FROZEN)
class Programme:
    """What fills the slot `slot` (id) of the rules on the days the paper is valid."""

    slot: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, config=_FROZEN)
class Source:
    """An address that stations may relay, once approved."""

    name: Name
    kind: Literal["http", "hls"]
    url: Text


@dataclass(frozen=True, config=_FROZEN)
class Order:
    """Broadcasts of priority (uids) in the order in which the commune wants them."""

    broadcasts: tuple[str, ...]


@dataclass(frozen=True, config=_FROZEN)
class Authority:
    """A standing authority: these officers may do these acts alone, here, then.

    Its days are the paper's; `begin` and `end` bound the hours of each day.
    """

    officers: tuple[int, ...]
    acts: tuple[Literal["announce", "live"], ...]
    begin: time
    end: time
    places: Audience = WHOLE
    reason: Text = ""


@dataclass(frozen=True, config=_FROZEN)
class Chain:
    """How a unit's bulletins are approved: in which fields two must agree, by when.

    In `two_steps` fields somebody checks before somebody else approves; an emergency
    never waits for that. `due_minutes`: after so long whoever decides is reminded.
    """

    two_steps: tuple[Annotated[int, Field(ge=1, le=6)], ...]
    due_minutes: Annotated[int, Field(ge=15, le=3 * 24 * 60)]


Body = StationRules | Programme | Source | Order | Authority | Chain
_ADAPTERS: dict[str, TypeAdapter[Any]] = {
    RULES: TypeAdapter(StationRules),
    PROGRAMME: TypeAdapter(Programme),
    SOURCE: TypeAdapter(Source),
    ORDER: TypeAdapter(Order),
    AUTHORITY: TypeAdapter(Authority),
    CHAIN: TypeAdapter(Chain),
}


def decode(kind: str, body: Any) -> Any:
    """Return the body of a kind from JSON values.

    Raises InvalidError `schedule.paper_malformed` naming the first field at fault.
    """
    try:
        return _ADAPTERS[kind].validate_python(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidError(
            "schedule.paper_malformed", field=where, why=first["msg"]
        ) from error


def encode(kind: str, body: Body) -> dict[str, Any]:
    """Return a body as JSON values, every field named."""
    found: dict[str, Any] = _ADAPTERS[kind].dump_python(body, mode="json")
    return found


def hash_of(
    *,
    kind: str,
    unit: str,
    body: dict[str, Any],
    first_date: date,
    last_date: date | None,
) -> str:
    """Return the one hash that an approval is about (`unit` is the unit's uid)."""
    days = [str(first_date), str(last_date) if last_date else None]
    return content_hash({"kind": kind, "unit": unit, "body": body, "days": days})


def subject_of(kind: str, body: Body) -> str:
    """Return what a paper is about within its unit and kind: newer ones replace it.

    A programme is about its slot and a source about its address; there is one set of
    rules and one order; authorities stand beside each other.
    """
    if isinstance(body, Programme):
        return body.slot
    if isinstance(body, Source):
        return body.url
    return kind

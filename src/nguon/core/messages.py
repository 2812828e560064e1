"""The messages on the wire: dataclasses, encode, decode. Times are ms since 1970, UTC.

A signed document is an envelope (type, version, id, target, seq, issued_at,
not_after) and a body. `docs/reference/messages.md` shows each with an example from
`tests/vectors/`. Decoding is strict about what it needs and silent about extras,
so that an older device survives a newer server.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from nguon.core.signing import VERSION, DocumentRefusedError

RANKS = ("filler", "programme", "relay", "priority", "live", "emergency")
STARTS = ("cut", "next", "wait")
AFTERS = ("resume", "rejoin", "drop")
STREAMS = ("http", "hls", "live")
OUTCOMES = ("finished", "cut", "stopped", "failed", "missed", "cancelled")
# Why an item was not heard; `source` is a relay whose source was dead or silent,
# `unneeded` a filler in whose place something better sounded, `rehearsal` a device
# back from repair that has not yet agreed with the server about its day.
MISSED_CAUSES = (
    "offline",
    "no_media",
    "source",
    "stopped",
    "quiet",
    "clock",
    "outranked",
    "unneeded",
    "rehearsal",
)
EVENT_TYPES = (
    "birth",
    "received",
    "prepared",
    "started",
    "finished",
    "failed",
    "missed",
    "shown",
    "refused",
    "stopped",
    "lifted",
    "rehearsed",
    # A command was carried out, or not, with its cause.
    "obeyed",
    "declined",
    # Another program: downloading, installed, proven or failed.
    "update",
    "contact",
)
VERBS = ("volume", "test", "restart", "logs", "rehearse")
# Limits from the first day (design 13.12).
MAX_EVENTS_PER_BATCH = 500
MAX_ITEMS_PER_PLAN = 5_000


@dataclass(frozen=True)
class Rendition:
    """One language's sound: fetched by `sha256`, `size` bytes, `duration_ms` long."""

    language: str
    sha256: str
    size: int
    duration_ms: int
    mime: str = "audio/mpeg"


@dataclass(frozen=True)
class Stream:
    """Sound that is made while it is heard: a relay by its address, or live speech.

    `kind` http is one endless MP3, hls a playlist (RFC 8216), live comes as signed
    segments over the bus. An hls `url` that is only a path (`/…`) stands at the
    device's own server, which makes it from a source that devices cannot play. It is
    as long as its item's window.
    """

    id: str
    kind: str
    url: str = ""


@dataclass(frozen=True)
class Audience:
    """Who is meant: devices under `units`, by name in `devices`, or in `groups`."""

    units: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def includes(
        self,
        *,
        device: str,
        units: frozenset[str],
        groups: frozenset[str] = frozenset(),
    ) -> bool:
        """Say whether a device with these units (own, and all above) is meant."""
        return (
            device in self.devices
            or not units.isdisjoint(self.units)
            or not groups.isdisjoint(self.groups)
        )

    @classmethod
    def decode(cls, row: Mapping[str, Any]) -> "Audience":
        """Return the audience of JSON values. Raises KeyError or TypeError."""
        return cls(
            tuple(row["units"]), tuple(row["devices"]), tuple(row.get("groups", ()))
        )


@dataclass(frozen=True)
class Hours:
    """What some devices of a unit keep beside the whole: more quiet, other volume.

    `quiet` is intervals `[from, to)`, `volumes` intervals with a percentage; a
    later volume of the list wins over an earlier one.
    """

    audience: Audience
    quiet: tuple[tuple[int, int], ...] = ()
    volumes: tuple[tuple[int, int, int], ...] = ()

    @classmethod
    def decode(cls, row: Mapping[str, Any]) -> "Hours":
        """Return the hours of JSON values. Raises KeyError, TypeError, ValueError."""
        return cls(
            audience=Audience.decode(row["audience"]),
            quiet=_pairs(row["quiet"]),
            volumes=_triples(row["volumes"]),
        )


@dataclass(frozen=True)
class Picture:
    """A picture beside an item's text, by its hash; boards show it."""

    sha256: str
    size: int
    caption: str = ""


@dataclass(frozen=True)
class Item:
    """One thing to sound or show, once. `[starts_at, ends_at)` is when it may.

    `level` is the issuing unit's: 0 country, 1 province, 2 commune, 3 village;
    `urgency` and `severity` follow CAP 1.2, 0 is the most. A `stream` sounds instead
    of renditions; `loop` repeats a sound to the end of its window; `talk_over` is the
    volume, in percent, at which what was on goes on beneath. `slot` and `paper` name
    what put the item here: the slot of the station, the approved paper. `pictures`
    are for boards; a device that does not know them shows the text alone.
    """

    id: str
    broadcast: str
    bulletin: str
    title: str
    text: str
    rank: str
    starts_at: int
    ends_at: int
    shown_until: int
    approved_at: int
    content_sha256: str
    audience: Audience
    renditions: tuple[Rendition, ...] = ()
    drill: bool = False
    start: str = "next"
    wait_ms: int = 0
    after: str = "resume"
    level: int = 2
    urgency: int = 0
    severity: int = 0
    stream: Stream | None = None
    loop: bool = False
    talk_over: int = 0
    slot: str = ""
    paper: str = ""
    pictures: tuple[Picture, ...] = ()

    @property
    def is_new(self) -> bool:
        """Say whether a device of version 1 would misunderstand this item."""
        return bool(self.stream or self.loop or self.talk_over or self.audience.groups)

    def rendition(self, languages: Sequence[str]) -> Rendition | None:
        """Return the sound in the first language asked for, else Vietnamese."""
        by_language = {sound.language: sound for sound in self.renditions}
        for language in (*languages, "vi"):
            if language in by_language:
                return by_language[language]
        return None

    def encode(self) -> dict[str, Any]:
        """Return the item as JSON values."""
        # By hand: a province's plans have tens of thousands, `asdict` is ten times
        # slower.
        row = {
            **self.__dict__,
            "audience": {**self.audience.__dict__},
            "renditions": [{**sound.__dict__} for sound in self.renditions],
            "stream": {**self.stream.__dict__} if self.stream else None,
            "pictures": [{**picture.__dict__} for picture in self.pictures],
        }
        if not self.pictures:
            del row["pictures"]
        return row

    @classmethod
    def decode(cls, row: Mapping[str, Any]) -> "Item":
        """Return the item of JSON values. Raises DocumentRefusedError: malformed."""
        try:
            known = {
                name: row[name] for name in cls.__dataclass_fields__ if name in row
            }
            known["audience"] = Audience.decode(row["audience"])
            if row.get("stream"):
                stream = row["stream"]
                known["stream"] = Stream(
                    stream["id"], stream["kind"], str(stream.get("url", ""))
                )
            known["renditions"] = tuple(
                Rendition(
                    language=sound["language"],
                    sha256=sound["sha256"],
                    size=sound["size"],
                    duration_ms=sound["duration_ms"],
                    mime=sound.get("mime", "audio/mpeg"),
                )
                for sound in row.get("renditions", ())
            )
            known["pictures"] = tuple(
                Picture(one["sha256"], one["size"], str(one.get("caption", "")))
                for one in row.get("pictures", ())
            )
            item = cls(**known)
            fits = (
                item.rank in RANKS
                and item.start in STARTS
                and item.after in AFTERS
                and 0 < item.starts_at < item.ends_at
                and all(sound.duration_ms > 0 for sound in item.renditions)
                and (item.stream is None or item.stream.kind in STREAMS)
                and 0 <= item.talk_over <= 100
            )
        except (KeyError, TypeError) as error:
            raise DocumentRefusedError("malformed") from error
        if not fits:
            raise DocumentRefusedError("malformed", item=item.id)
        return item


def envelope(
    kind: str,
    *,
    document: str,
    target: Mapping[str, str],
    seq: int,
    issued_at: int,
    not_after: int,
    body: Mapping[str, Any],
    version: int = VERSION,
) -> dict[str, Any]:
    """Return the payload of a signed document, ready for `SigningKey.sign`.

    Version 2 is for what an older device would misunderstand: it refuses and is
    silent, where it would else sound wrongly.
    """
    return {
        **body,
        "type": kind,
        "version": version,
        "id": document,
        "target": dict(target),
        "seq": seq,
        "issued_at": issued_at,
        "not_after": not_after,
    }


def check_target(
    payload: Mapping[str, Any], *, device: str, units: frozenset[str]
) -> None:
    """Refuse a document for another device or area: wrong_target, or malformed."""
    target = payload.get("target")
    if not isinstance(target, Mapping):
        raise DocumentRefusedError("malformed", document=payload["id"])
    if target.get("device") != device and target.get("unit") not in units:
        raise DocumentRefusedError("wrong_target", document=payload["id"])


@dataclass(frozen=True)
class Plan:
    """The whole plan of one unit: items, hours and volumes inside a window.

    `quiet` and `volumes` hold for all its devices, `local` adds for some of them;
    `order` names broadcasts of priority in the order that the commune chose.
    """

    unit: str
    number: int
    starts_at: int
    ends_at: int
    items: tuple[Item, ...]
    quiet: tuple[tuple[int, int], ...] = ()
    volumes: tuple[tuple[int, int, int], ...] = ()
    local: tuple[Hours, ...] = ()
    order: tuple[str, ...] = ()

    @property
    def version(self) -> int:
        """The lowest message version whose devices understand the whole plan."""
        is_new = bool(self.volumes or self.local or self.order)
        return 2 if is_new or any(item.is_new for item in self.items) else 1

    def body(self) -> dict[str, Any]:
        """Return the body of the `plan` document."""
        return {
            "window": {"from": self.starts_at, "to": self.ends_at},
            "quiet": [list(interval) for interval in self.quiet],
            "items": [item.encode() for item in self.items],
            "volumes": [list(row) for row in self.volumes],
            "local": [asdict(hours) for hours in self.local],
            "order": list(self.order),
        }

    @classmethod
    def decode(cls, payload: Mapping[str, Any]) -> "Plan":
        """Return the plan of a verified payload. Raises DocumentRefusedError."""
        try:
            rows = payload["items"]
            if len(rows) > MAX_ITEMS_PER_PLAN:
                raise DocumentRefusedError("malformed", document=payload["id"])
            return cls(
                unit=payload["target"]["unit"],
                number=payload["seq"],
                starts_at=payload["window"]["from"],
                ends_at=payload["window"]["to"],
                items=tuple(Item.decode(row) for row in rows),
                quiet=_pairs(payload["quiet"]),
                volumes=_triples(payload.get("volumes", ())),
                local=tuple(Hours.decode(row) for row in payload.get("local", ())),
                order=tuple(str(uid) for uid in payload.get("order", ())),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DocumentRefusedError("malformed") from error


def quiet_of(payload: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
    """Return the quiet hours that a `go` or an `alert` brings, before any plan does.

    Raises DocumentRefusedError: malformed.
    """
    try:
        return _pairs(payload.get("quiet", ()))
    except (TypeError, ValueError) as error:
        raise DocumentRefusedError("malformed", document=payload["id"]) from error


def _pairs(rows: Any) -> tuple[tuple[int, int], ...]:
    return tuple((int(start), int(end)) for start, end in rows)


def _triples(rows: Any) -> tuple[tuple[int, int, int], ...]:
    return tuple((int(a), int(b), int(percent)) for a, b, percent in rows)


@dataclass(frozen=True)
class Stop:
    """An order of silence for an area or a device, from `issued_at` until `until`."""

    id: str
    issued_at: int
    until: int

    @classmethod
    def decode(cls, payload: Mapping[str, Any]) -> "Stop":
        """Return the stop of a verified payload. Raises DocumentRefusedError."""
        until = payload.get("until")
        if not isinstance(until, int) or isinstance(until, bool):
            raise DocumentRefusedError("malformed", document=payload["id"])
        return cls(payload["id"], payload["issued_at"], until)


@dataclass(frozen=True)
class Settings:
    """What a device is told about itself; `units` is its own unit and all above.

    `rehearsal` names the rehearsal that it has to pass: until newer settings say
    otherwise nothing below a real emergency sounds.
    """

    device: str
    kind: str
    units: tuple[str, ...]
    languages: tuple[str, ...] = ("vi",)
    groups: tuple[str, ...] = ()
    volume: int = 80
    name: str = ""
    rehearsal: str = ""

    def body(self) -> dict[str, Any]:
        """Return the body of the `settings` document."""
        return {
            "kind": self.kind,
            "units": list(self.units),
            "languages": list(self.languages),
            "groups": list(self.groups),
            "volume": self.volume,
            "name": self.name,
            "rehearsal": self.rehearsal,
        }

    @classmethod
    def decode(cls, payload: Mapping[str, Any]) -> "Settings":
        """Return the settings of a verified payload. Raises DocumentRefusedError."""
        try:
            return cls(
                device=payload["target"]["device"],
                kind=payload["kind"],
                units=tuple(payload["units"]),
                languages=tuple(payload["languages"]),
                groups=tuple(payload["groups"]),
                volume=int(payload["volume"]),
                name=str(payload.get("name", "")),
                rehearsal=str(payload.get("rehearsal", "")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DocumentRefusedError("malformed") from error


@dataclass(frozen=True)
class Event:
    """One thing that happened on a device; `n` counts up within one event store."""

    n: int
    type: str
    at: int
    item: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    def encode(self) -> dict[str, Any]:
        """Return the event as JSON values."""
        # By hand: `asdict` costs ten times as much, and a device tells a lot.
        return {
            "n": self.n,
            "type": self.type,
            "at": self.at,
            "item": self.item,
            "data": self.data,
        }


@dataclass(frozen=True)
class EventBatch:
    """Events of one device's store `log`, as they travel up."""

    device: str
    log: str
    events: tuple[Event, ...]

    def encode(self) -> dict[str, Any]:
        """Return the batch as JSON values."""
        return {
            "v": VERSION,
            "device": self.device,
            "log": self.log,
            "events": [event.encode() for event in self.events],
        }

    @classmethod
    def decode(cls, payload: Mapping[str, Any], *, device: str) -> "EventBatch":
        """Return the batch a device sent. Raises DocumentRefusedError.

        `device` is who really signed in; a batch in another's name is refused.
        """
        if payload.get("v") != VERSION:
            raise DocumentRefusedError("unknown_version", version=payload.get("v"))
        if payload.get("device") != device:
            raise DocumentRefusedError("wrong_target", device=device)
        log, rows = payload.get("log"), payload.get("events")
        fits = isinstance(log, str) and 0 < len(log) <= 32 and isinstance(rows, list)
        if not fits or len(rows or ()) > MAX_EVENTS_PER_BATCH:
            raise DocumentRefusedError("malformed", device=device)
        events = tuple(_decode_event(row) for row in rows or ())
        return cls(device=device, log=str(log), events=events)


def _decode_event(row: object) -> Event:
    # Plain `type(x) is`: thousands a second, and JSON knows no subclasses.
    if not isinstance(row, dict):
        raise DocumentRefusedError("malformed")
    n, at, kind = row.get("n"), row.get("at"), row.get("type")
    item, data = row.get("item") or "", row.get("data") or {}
    if not (type(n) is int and type(at) is int and 0 < n < 2**62 and 0 < at < 2**62):
        raise DocumentRefusedError("malformed")
    if not (type(item) is str and len(item) <= 80 and type(data) is dict):
        raise DocumentRefusedError("malformed")
    if type(kind) is not str or kind not in EVENT_TYPES:
        raise DocumentRefusedError("malformed", type=kind)
    return Event(n=n, type=kind, at=at, item=item, data=data)


def encode_ack(*, log: str, stored: Sequence[int]) -> dict[str, Any]:
    """Return the gateway's word that these events are now in the database."""
    return {"v": VERSION, "log": log, "stored": list(stored)}


def segment_body(*, item: str, n: int, mp3: bytes, last: bool) -> dict[str, Any]:
    """Return the body of a `segment`: piece `n` (from 1) of an item's live speech.

    `mp3` holds whole frames; `last` says that nothing follows.
    """
    text = base64.b64encode(mp3).decode("ascii")
    return {"item": item, "n": n, "mp3": text, "last": last}


def encode_nudge(
    *, unit: str, plan: int = 0, prepare: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Return a nudge: look at your plan, or fetch these media.

    Unsigned on purpose: it can only make a device pull what is then verified.
    """
    return {"v": VERSION, "unit": unit, "plan": plan, "prepare": list(prepare)}


class SequenceWindow:
    """Which numbers of one sender have been seen (RFC 4303 §3.4.3, anti-replay).

    Numbers may arrive out of order inside the window; each is accepted once.
    """

    SIZE = 64

    def __init__(self, top: int = 0, mask: int = 0) -> None:
        self.top = top
        self.mask = mask

    def check(self, seq: int, *, document: str = "") -> None:
        """Refuse a number seen before (replayed) or below the window (old_sequence)."""
        if seq <= self.top - self.SIZE:
            raise DocumentRefusedError("old_sequence", document=document)
        if seq <= self.top and self.mask >> (self.top - seq) & 1:
            raise DocumentRefusedError("replayed", document=document)

    def accept(self, seq: int) -> None:
        """Remember a number that `check` let through."""
        if seq > self.top:
            shift = seq - self.top
            kept = self.mask << shift if shift < self.SIZE else 0
            self.mask = (kept | 1) & ((1 << self.SIZE) - 1)
            self.top = seq
        else:
            self.mask |= 1 << (self.top - seq)

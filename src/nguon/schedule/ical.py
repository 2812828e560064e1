"""A calendar file (RFC 5545) of what a station plans; only what we need of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

LINE_OCTETS = 75
_ESCAPES = (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n"))


@dataclass(frozen=True)
class Event:
    """One planned stretch `[starts_at, ends_at)`; `uid` never changes for it."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    title: str
    place: str = ""
    note: str = ""


def calendar_file(events: Iterable[Event], *, name: str, made_at: datetime) -> bytes:
    """Return a calendar of these events in UTC, with lines that end in CRLF."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Nguon//Lich phat//VI",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{escape(name)}",
    ]
    for event in events:
        lines += _event_lines(event, made_at=made_at)
    lines.append("END:VCALENDAR")
    return "".join(f"{fold(line)}\r\n" for line in lines).encode()


def _event_lines(event: Event, *, made_at: datetime) -> list[str]:
    return [
        "BEGIN:VEVENT",
        f"UID:{escape(event.uid)}@nguon",
        f"DTSTAMP:{_moment(made_at)}",
        f"DTSTART:{_moment(event.starts_at)}",
        f"DTEND:{_moment(event.ends_at)}",
        f"SUMMARY:{escape(event.title)}",
        *([f"LOCATION:{escape(event.place)}"] if event.place else []),
        *([f"DESCRIPTION:{escape(event.note)}"] if event.note else []),
        "END:VEVENT",
    ]


def escape(text: str) -> str:
    """Return a TEXT value (section 3.3.11); control characters are left out."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(sign for sign in text if sign == "\n" or sign.isprintable())
    for plain, written in _ESCAPES:
        text = text.replace(plain, written)
    return text


def fold(line: str) -> str:
    """Return a content line in pieces of at most 75 octets (section 3.1).

    No letter is cut in two, so that each piece stays readable UTF-8.
    """
    pieces, piece, octets = [], "", 0
    for sign in line:
        width = len(sign.encode())
        if octets + width > LINE_OCTETS:
            pieces.append(piece)
            piece, octets = " ", 1
        piece += sign
        octets += width
    return "\r\n".join([*pieces, piece])


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"

"""`pole.toml`: which wire of this pole is what. Read once, checked whole, told clearly.

A pole without the file has no wires: the agent runs all the same. What the file may
say is described for people in `docs/how-to/lap-cot-loa.md`.
"""

import difflib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nguon.core.errors import InvalidError

MAX_LEAD_MS, MAX_TAIL_MS = 5_000, 60_000
PULLS = ("", "up", "down")


class WiringError(InvalidError):
    """The file says something that cannot be."""


@dataclass(frozen=True)
class Pin:
    """One line of the chip. With `low`, 0 volt means yes."""

    line: int
    low: bool = False
    pull: str = ""


@dataclass(frozen=True)
class Analog:
    """A converter's count in a file, and what one count and zero are worth (V)."""

    file: Path
    per_count: float
    zero: float = 0.0

    def read(self) -> float:
        """Return volts. Raises OSError, ValueError."""
        return int(self.file.read_text(encoding="ascii")) * self.per_count + self.zero


@dataclass(frozen=True)
class AmplifierWires:
    """The relay that feeds the amplifier; `sense` is closed while it has power."""

    relay: Pin | None = None
    sense: Pin | None = None
    lead_ms: int = 800
    tail_ms: int = 5_000


@dataclass(frozen=True)
class PowerWires:
    """Mains by a contact or a supply of the kernel; the battery by volts or supply."""

    mains: Pin | None = None
    mains_supply: str = ""
    battery: Analog | None = None
    battery_supply: str = ""
    empty_v: float = 11.0
    full_v: float = 12.7


@dataclass(frozen=True)
class LineWires:
    """The speaker line: two contacts of a watcher, or volts over its end resistor.

    A whole line lies between `short_below_v` and `open_above_v`; `margin_v` is how far
    a reading must come back before the word changes again.
    """

    open: Pin | None = None
    short: Pin | None = None
    volts: Analog | None = None
    short_below_v: float = 0.8
    open_above_v: float = 2.6
    margin_v: float = 0.1


@dataclass(frozen=True)
class MicrophoneWires:
    """A program that writes 16-bit little-endian mono samples while it runs.

    Of a microphone or of the line's current: both say what really came out.
    """

    command: tuple[str, ...] = ()
    rate: int = 8_000


@dataclass(frozen=True)
class Wiring:
    """All of one pole."""

    chip: Path = Path("/dev/gpiochip0")
    amplifier: AmplifierWires = AmplifierWires()
    power: PowerWires = PowerWires()
    line: LineWires = LineWires()
    microphone: MicrophoneWires = MicrophoneWires()
    contacts: Mapping[str, Pin] = field(default_factory=dict)
    modem: tuple[str, ...] = ()
    watchdog: Path | None = None

    @property
    def inputs(self) -> dict[str, Pin]:
        """The lines that are read, by what they say."""
        named = {
            "amplifier": self.amplifier.sense,
            "mains": self.power.mains,
            "line_open": self.line.open,
            "line_short": self.line.short,
        }
        found = {name: pin for name, pin in named.items() if pin is not None}
        return found | {f"contact {name}": pin for name, pin in self.contacts.items()}


def load(path: Path) -> Wiring:
    """Return what `path` says; a pole without wires when there is no such file.

    Raises WiringError: `agent.pole_unreadable`, `agent.pole_unknown`,
    `agent.pole_value`, `agent.pole_line_twice`, `agent.pole_limits`.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Wiring()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WiringError(
            "agent.pole_unreadable", path=str(path), why=str(error)
        ) from error
    wiring = Wiring(**_read(told, "", _FIELDS))
    _check(wiring)
    return wiring


def _check(wiring: Wiring) -> None:
    """Refuse what each line for itself cannot show."""
    pins = list(wiring.inputs.values())
    if wiring.amplifier.relay:
        pins.append(wiring.amplifier.relay)
    lines = [pin.line for pin in pins]
    for number in lines:
        if lines.count(number) > 1:
            raise WiringError("agent.pole_line_twice", line=number)
    line, power = wiring.line, wiring.power
    if line.short_below_v + 2 * line.margin_v >= line.open_above_v:
        raise WiringError("agent.pole_limits", low="short_below_v", high="open_above_v")
    if power.empty_v >= power.full_v:
        raise WiringError("agent.pole_limits", low="empty_v", high="full_v")


# --- reading a table ---------------------------------------------------------------

Reader = Callable[[Any, str], Any]


def _read(told: Any, where: str, fields: Mapping[str, Reader]) -> dict[str, Any]:
    if not isinstance(told, dict):
        raise WiringError("agent.pole_value", key=where, wanted="[…]")
    found = {}
    for name, value in told.items():
        key = f"{where}.{name}" if where else name
        if name not in fields:
            near = difflib.get_close_matches(name, fields, 1) or sorted(fields)
            raise WiringError("agent.pole_unknown", key=key, near=", ".join(near))
        found[name] = fields[name](value, key)
    return found


def _whole(low: int, high: int) -> Reader:
    def read(value: Any, key: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise WiringError("agent.pole_value", key=key, wanted=f"{low}…{high}")
        if not low <= value <= high:
            raise WiringError("agent.pole_value", key=key, wanted=f"{low}…{high}")
        return value

    return read


def _number(low: float, high: float) -> Reader:
    def read(value: Any, key: str) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise WiringError("agent.pole_value", key=key, wanted=f"{low}…{high}")
        if not low <= value <= high:
            raise WiringError("agent.pole_value", key=key, wanted=f"{low}…{high}")
        return float(value)

    return read


def _choice(*words: str) -> Reader:
    def read(value: Any, key: str) -> str:
        if value not in words:
            wanted = ", ".join(f'"{word}"' for word in words)
            raise WiringError("agent.pole_value", key=key, wanted=wanted)
        return str(value)

    return read


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 60 or "/" in value:
        raise WiringError("agent.pole_value", key=key, wanted='"…"')
    return value


def _path(value: Any, key: str) -> Path:
    if not isinstance(value, str) or not value.startswith("/"):
        raise WiringError("agent.pole_value", key=key, wanted='"/…"')
    return Path(value)


def _words(value: Any, key: str) -> tuple[str, ...]:
    good = isinstance(value, list) and value and all(isinstance(w, str) for w in value)
    if not good:
        raise WiringError("agent.pole_value", key=key, wanted='["…", "…"]')
    return tuple(value)


def _pin(value: Any, key: str) -> Pin:
    if isinstance(value, dict):
        told = _read(value, key, _PIN)
        if "line" not in told:
            raise WiringError("agent.pole_value", key=f"{key}.line", wanted="0…1023")
        low = told.get("active", "high") == "low"
        return Pin(told["line"], low=low, pull=told.get("pull", ""))
    return Pin(_whole(0, 1_023)(value, key))


def _analog(value: Any, key: str) -> Analog:
    told = _read(value, key, _ANALOG)
    for name in ("file", "per_count"):
        if name not in told:
            raise WiringError("agent.pole_value", key=f"{key}.{name}", wanted="…")
    return Analog(**told)


def _contacts(value: Any, key: str) -> dict[str, Pin]:
    if not isinstance(value, dict) or not all(0 < len(name) <= 40 for name in value):
        raise WiringError("agent.pole_value", key=key, wanted="[contacts]")
    return {name: _pin(told, f"{key}.{name}") for name, told in value.items()}


def _section(kind: Callable[..., Any], fields: Mapping[str, Reader]) -> Reader:
    return lambda value, key: kind(**_read(value, key, fields))


_PIN = {
    "line": _whole(0, 1_023),
    "active": _choice("high", "low"),
    "pull": _choice(*PULLS),
}
_ANALOG = {
    "file": _path,
    "per_count": _number(-1e3, 1e3),
    "zero": _number(-1e3, 1e3),
}
_FIELDS: dict[str, Reader] = {
    "chip": _path,
    "amplifier": _section(
        AmplifierWires,
        {
            "relay": _pin,
            "sense": _pin,
            "lead_ms": _whole(0, MAX_LEAD_MS),
            "tail_ms": _whole(0, MAX_TAIL_MS),
        },
    ),
    "power": _section(
        PowerWires,
        {
            "mains": _pin,
            "mains_supply": _text,
            "battery": _analog,
            "battery_supply": _text,
            "empty_v": _number(0, 100),
            "full_v": _number(0, 100),
        },
    ),
    "line": _section(
        LineWires,
        {
            "open": _pin,
            "short": _pin,
            "volts": _analog,
            "short_below_v": _number(0, 100),
            "open_above_v": _number(0, 100),
            "margin_v": _number(0, 10),
        },
    ),
    "microphone": _section(
        MicrophoneWires, {"command": _words, "rate": _whole(4_000, 48_000)}
    ),
    "contacts": _contacts,
    "modem": _words,
    "watchdog": _path,
}

"""The beat: how a device is, told every minute. Each field is believed by itself.

Only `v`, `device` and `at` are needed; a field with a wrong value is dropped and
named, the rest is kept, so that one broken sensor silences no other. A field that is
absent is not known, never "all right". Ages are seconds, since clocks may be wrong.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nguon.core.signing import VERSION, DocumentRefusedError

OK, OPEN, SHORT = "ok", "open", "short"
LINES = (OK, OPEN, SHORT)
SIM_MISSING, SIM_LOCKED, SIM_REFUSED = "missing", "locked", "refused"
SIMS = (OK, SIM_MISSING, SIM_LOCKED, SIM_REFUSED)
ETHERNET, WIFI, MOBILE = "ethernet", "wifi", "4g"
NETWORKS = (ETHERNET, WIFI, MOBILE)
# Grades of evidence that a device sounded, the weakest first.
CLAIMED, DECODED, AMPLIFIED, MEASURED = 1, 2, 3, 4
GRADES = {
    "claimed": CLAIMED,
    "decoded": DECODED,
    "amplified": AMPLIFIED,
    "measured": MEASURED,
}
NAMES = {grade: name for name, grade in GRADES.items()}
MAX_AGE_S = 366 * 24 * 3600
MAX_BEAT_BYTES = 4 * 1024


@dataclass(frozen=True)
class Beat:
    """What a device said about itself at `at` (ms, its own clock); None: not said.

    `evidence` is the age in seconds of the latest proof of sound of each grade;
    `heard` says whether the device's own senses found its last sound. `wrong` names the
    fields that were dropped. `gone` is a last will: no sign of life.
    """

    device: str
    at: int
    gone: bool = False
    sounding: bool | None = None
    mains: bool | None = None
    battery_percent: int | None = None
    amplifier: bool | None = None
    line: str | None = None
    heard: bool | None = None
    sim: str | None = None
    operator: str | None = None
    evidence: Mapping[int, int] = field(default_factory=dict)
    clock_offset_ms: int | None = None
    clock_doubt_ms: int | None = None
    clock_trusted: bool | None = None
    storage_free_mb: int | None = None
    temperature_c: int | None = None
    signal_dbm: int | None = None
    network: str | None = None
    version: str | None = None
    data_used_mb: int | None = None
    volume: int | None = None
    wrong: tuple[str, ...] = ()

    def encode(self) -> dict[str, Any]:
        """Return the beat as JSON values; what is not known is left out."""
        told = {
            name: value
            for name, value in ((f, getattr(self, f)) for f in _FIELDS)
            if value is not None
        }
        if self.evidence:
            told["evidence"] = {NAMES[g]: age for g, age in self.evidence.items()}
        if self.gone:
            told["gone"] = True
        return {"v": VERSION, "device": self.device, "at": self.at, **told}

    @classmethod
    def decode(cls, payload: object, *, device: str) -> "Beat":
        """Return the beat that a device sent. Raises DocumentRefusedError.

        `device` is who really signed in; a beat in another's name is refused.
        """
        if not isinstance(payload, Mapping):
            raise DocumentRefusedError("malformed", device=device)
        if payload.get("v") != VERSION:
            raise DocumentRefusedError("unknown_version", version=payload.get("v"))
        if payload.get("device") != device:
            raise DocumentRefusedError("wrong_target", device=device)
        at = payload.get("at")
        if not isinstance(at, int) or isinstance(at, bool) or not 0 < at < 2**45:
            raise DocumentRefusedError("malformed", device=device)
        known: dict[str, Any] = {}
        wrong: list[str] = []
        for name, fits in _FIELDS.items():
            value = payload.get(name)
            if value is None:
                continue
            if fits(value):
                known[name] = value
            else:
                wrong.append(name)
        evidence, odd = _read_evidence(payload.get("evidence"))
        return cls(
            device=device,
            at=at,
            gone=payload.get("gone") is True,
            evidence=evidence,
            wrong=tuple(wrong + odd),
            **known,
        )


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _between(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: _is_whole(value) and low <= value <= high


def _one_of(words: tuple[str, ...]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in words


def _short_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 40 and value.isprintable()


# What each field may be; everything else is dropped and named.
_FIELDS: dict[str, Callable[[Any], bool]] = {
    "sounding": _flag,
    "mains": _flag,
    "battery_percent": _between(0, 100),
    "amplifier": _flag,
    "line": _one_of(LINES),
    "heard": _flag,
    "sim": _one_of(SIMS),
    "operator": _short_text,
    "clock_offset_ms": _between(-(2**45), 2**45),
    "clock_doubt_ms": _between(0, 2**31 - 1),
    "clock_trusted": _flag,
    "storage_free_mb": _between(0, 2**31 - 1),
    "temperature_c": _between(-60, 150),
    "signal_dbm": _between(-150, 0),
    "network": _one_of(NETWORKS),
    "version": _short_text,
    "data_used_mb": _between(0, 2**31 - 1),
    "volume": _between(0, 100),
}


def _read_evidence(value: Any) -> tuple[dict[int, int], list[str]]:
    """Return age by grade, and the names of what could not be read."""
    if value is None:
        return {}, []
    if not isinstance(value, Mapping):
        return {}, ["evidence"]
    fits = _between(0, MAX_AGE_S)
    good = {GRADES[n]: age for n, age in value.items() if n in GRADES and fits(age)}
    odd = [f"evidence.{n}" for n, age in value.items() if n in GRADES and not fits(age)]
    return good, odd

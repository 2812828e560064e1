"""Putting up a device (lắp đặt): what is looked at, and when it is done. Plain rules.

Done means two things: the installer says "I heard it", and the device itself proves
that sound of the test tone came out. A device that can measure must have measured it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from nguon.core import beats
from nguon.core.errors import InvalidError
from nguon.fleet.health import CLOCK_OFF_MS, LOW_BATTERY, WEAK_DBM, Evidence, Vitals

# What the installer looks at, in the order of the work.
STEPS = {
    "power": "Nguồn điện, pin",
    "network": "Đường mạng",
    "line": "Dây loa",
    "amplifier": "Tăng âm",
    "microphone": "Micrô",
    "clock": "Đồng hồ",
}
GOOD, BAD, NONE = "good", "bad", "none"
ANSWERS = {GOOD: "Tốt", BAD: "Hỏng", NONE: "Không lắp"}
MAX_NOTE, MAX_PHOTOS = 500, 4
# A phone without signal keeps its work; after a month somebody has to look anew.
LONGEST = timedelta(days=31)
# The mainland and the islands of Viet Nam, as in the register.
LATITUDES, LONGITUDES = (6.0, 24.0), (101.0, 118.0)


@dataclass(frozen=True)
class Sign:
    """What a device itself says of one step; `look` is good, bad or wait."""

    step: str
    name: str
    words: str
    look: str


def signs_of(v: Vitals, *, network: str, operator: str) -> list[Sign]:
    """Return what a device says of each step; what it does not say is not guessed."""
    said = {
        "power": _power(v),
        "network": _network(v, network, operator),
        "line": _LINES[v.line],
        "amplifier": _UNKNOWN
        if v.amplifier is None
        else ("có cảm biến, đang báo về", GOOD),
        "microphone": {
            None: _UNKNOWN,
            True: ("nghe thấy tiếng của máy", GOOD),
            False: ("không nghe thấy tiếng của máy", BAD),
        }[v.heard],
        "clock": _clock(v),
    }
    return [Sign(step, STEPS[step], *said[step]) for step in STEPS]


_UNKNOWN = ("máy chưa báo", "wait")
_LINES = {
    "": _UNKNOWN,
    beats.OK: ("dây tốt", GOOD),
    beats.OPEN: ("đứt dây", BAD),
    beats.SHORT: ("chập dây", BAD),
}


def _power(v: Vitals) -> tuple[str, str]:
    if v.mains is None and v.battery_percent is None:
        return _UNKNOWN
    words = [] if v.mains is None else ["có điện lưới" if v.mains else "mất điện lưới"]
    low = v.battery_percent is not None and v.battery_percent < LOW_BATTERY
    if v.battery_percent is not None:
        words.append(f"pin {v.battery_percent} %")
    return ", ".join(words), BAD if low or v.mains is False else GOOD


def _network(v: Vitals, network: str, operator: str) -> tuple[str, str]:
    if not v.connected:
        return "chưa nối máy chủ", BAD
    ways = {beats.ETHERNET: "cáp mạng", beats.WIFI: "wifi", beats.MOBILE: "4G"}
    words = [ways.get(network, "đã nối"), operator]
    if v.signal_dbm is not None:
        words.append(f"{v.signal_dbm} dBm")
    if v.sim not in {"", beats.OK}:
        return "SIM không dùng được", BAD
    weak = v.signal_dbm is not None and v.signal_dbm < WEAK_DBM
    return ", ".join(word for word in words if word), BAD if weak else GOOD


def _clock(v: Vitals) -> tuple[str, str]:
    if v.clock_trusted is None:
        return _UNKNOWN
    if not v.clock_trusted or (v.clock_doubt_ms or 0) > CLOCK_OFF_MS:
        return "chưa đúng giờ", BAD
    return "đúng giờ", GOOD


def check_steps(steps: Mapping[str, str]) -> None:
    """Refuse answers that are none. Raises InvalidError `fleet.installation_steps`."""
    if not set(steps) <= set(STEPS) or not set(steps.values()) <= set(ANSWERS):
        raise InvalidError("fleet.installation_steps")


def check_place(lat: float | None, lon: float | None) -> None:
    """Refuse a place outside the country, or half of one."""
    if lat is None and lon is None:
        return
    inside = (
        lat is not None
        and lon is not None
        and LATITUDES[0] <= lat <= LATITUDES[1]
        and LONGITUDES[0] <= lon <= LONGITUDES[1]
    )
    if not inside:
        raise InvalidError("fleet.installation_place")


def proof_of(
    evidence: Evidence, *, tone_at: datetime | None, measures: bool
) -> tuple[int, datetime] | None:
    """Return the best proof since the tone, or None when there is not enough.

    `measures`: the device has a microphone; then nothing less than measured counts.
    """
    if tone_at is None:
        return None
    lowest = beats.MEASURED if measures else beats.DECODED
    found = [(g, at) for g, at in evidence.items() if at > tone_at and g >= lowest]
    return max(found, default=None)

"""Does this board keep the time without power? Asked once, at the start.

A board without a battery clock starts with the time it was switched off, or an older
one, and nothing shows it. One with an empty battery starts its own clock anew, long
ago. So the system's time is believed only when a battery clock exists and both still
say the same; `clock` itself refuses a time before a moment that was lived through.
"""

from pathlib import Path

CLOCKS = "sys/class/rtc"
APART_S = 60


def keeps_time(*, now: float, root: Path = Path("/")) -> bool:
    """Say whether a battery clock kept the system's time `now` (s since 1970)."""
    for clock in sorted((root / CLOCKS).glob("rtc*")):
        try:
            since = int((clock / "since_epoch").read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
        if abs(since - now) <= APART_S:
            return True
    return False

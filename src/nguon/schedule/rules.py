"""What may be scheduled, as tables and plain functions. No clock, no database.

Local wall-clock rules become UTC here: a daily slot means the same hour on every
day of `Asia/Ho_Chi_Minh`, which has kept +07:00 since 1975 and has no summer time.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from nguon.core.errors import ConflictError, InvalidError

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")

PREPARING, WAITING, APPROVED = "preparing", "waiting", "approved"
RETURNED, CANCELLED, FAILED = "returned", "cancelled", "failed"
STATES = {
    PREPARING: "Đang tạo tiếng",
    WAITING: "Chờ duyệt",
    APPROVED: "Đã duyệt",
    RETURNED: "Bị trả lại",
    CANCELLED: "Đã hủy",
    FAILED: "Không tạo được tiếng",
}
MOVES = {
    PREPARING: {WAITING, FAILED, CANCELLED},
    WAITING: {APPROVED, RETURNED, CANCELLED},
    APPROVED: {CANCELLED},
    RETURNED: set(),
    CANCELLED: set(),
    FAILED: set(),
}

NOW, ONCE, DAILY = "now", "once", "daily"
# `announce` sounds with its release, above every programme; `shelf` sounds only where
# a programme takes it.
ANNOUNCE, SHELF = "announce", "shelf"
TIMINGS = {
    NOW: "Phát ngay khi duyệt",
    ONCE: "Một lần",
    DAILY: "Hằng ngày",
    ANNOUNCE: "Thông báo, phát ngay",
    SHELF: "Để dành cho chương trình",
}
AT_RELEASE = (NOW, ANNOUNCE)

# The life of a paper; what is approved is only ever ended.
DRAFT, ENDED = "draft", "ended"
PAPER_STATES = {
    DRAFT: "Đang soạn",
    WAITING: "Chờ duyệt",
    APPROVED: "Đã duyệt",
    RETURNED: "Bị trả lại",
    ENDED: "Hết hiệu lực",
}
PAPER_MOVES = {
    DRAFT: {WAITING, ENDED},
    WAITING: {APPROVED, RETURNED, ENDED},
    APPROVED: {ENDED},
    RETURNED: set(),
    ENDED: set(),
}

# What a commune makes of a normal bulletin from above.
# Source: circular 39/2020/TT-BTTTT: the commune chooses whether and when.
NEW, TAKEN, LEFT = "new", "taken", "left"
INBOX_STATES = {NEW: "Chưa quyết định", TAKEN: "Đã nhận", LEFT: "Không dùng"}

# How a relay source is, as the server hears it.
DEAD = "dead"
SOURCE_STATES = {
    "live": "Đang có tiếng",
    "silent": "Có kết nối nhưng im tiếng",
    DEAD: "Mất tín hiệu",
    "unplayable": "Loa không phát được loại này",
}

# How a relay comes to the devices: they fetch it themselves, or this server makes an
# MP3 of it first; a device fetches that at a path of its own server.
DIRECT, SERVER = "direct", "server"
ROUTES = {DIRECT: "phát thẳng", SERVER: "qua máy chủ chuyển mã"}
RELAY_PATH = "/tiep-am/{uid}/index.m3u8"

# Live speech: no longer than this at a time, and over when no sound comes for so long.
LONGEST_LIVE = timedelta(minutes=15)
LIVE_LOST = timedelta(seconds=3)
# Until the first sound, the browser may still be opening its microphone.
LIVE_BEGINS = timedelta(seconds=10)
# Devices that missed the end are told of it when the last words have been heard, and
# no segment is in time any more.
LIVE_SETTLES = timedelta(seconds=11)
BUTTON, LINE_LOST, TIME_UP = "button", "line_lost", "time_up"
AUTHORITY_ENDED, LIVE_STOPPED = "authority_ended", "stopped"
LIVE_CAUSES = {
    BUTTON: "Người nói bấm dừng",
    LINE_LOST: "Mất kết nối với người nói",
    TIME_UP: "Hết giờ đã hẹn",
    AUTHORITY_ENDED: "Ủy quyền hết hiệu lực",
    LIVE_STOPPED: "Có lệnh dừng phát",
}

# class of a bulletin → (rank in playout, start policy).
# Source: circular 39/2020/TT-BTTTT: emergencies at once, priority first.
RANK_AND_START = {
    "normal": ("programme", "next"),
    "priority": ("priority", "wait"),
    "emergency": ("emergency", "cut"),
}
# A bulletin that is on ends first; a long relay may not make a priority one miss.
PRIORITY_WAIT_MS = 5 * 60_000

# An announcement sounds above every programme and cuts what is on; that comes back.
ANNOUNCE_RANK = ("live", "cut")

# Units whose normal bulletins a commune takes or leaves.
ABOVE_COMMUNE = ("province", "district")

# How long after its planned start an item may still sound when the device was away.
GRACE = timedelta(minutes=10)
EMERGENCY_LIFE = timedelta(hours=2)
LONGEST_EMERGENCY = timedelta(hours=24)
LONGEST_SERIES = timedelta(days=366)
FARTHEST = timedelta(days=366)
SHOWN_FOR = timedelta(hours=24)
WINDOW = timedelta(days=8)
# In which years a day may lie that a person writes; beyond, calendars end.
YEARS = range(2000, 2101)
# What has just passed stays in the plan, so that a device that was away can say
# that it missed it.
PAST = timedelta(days=1)


@dataclass(frozen=True)
class Timing:
    """When a bulletin should sound; only the fields of its `kind` are set."""

    kind: str
    starts_at: datetime | None = None
    time_of_day: time | None = None
    first_date: date | None = None
    last_date: date | None = None
    expires_at: datetime | None = None


def check_move(*, old: str, new: str) -> None:
    """Refuse a step that the life of a broadcast does not have: ConflictError."""
    if new not in MOVES[old]:
        raise ConflictError(
            "schedule.move_not_allowed", old=STATES[old], new=STATES[new]
        )


def check_timing(timing: Timing, *, klass: str, at: datetime) -> None:
    """Refuse a time that cannot be kept. Raises InvalidError."""
    if timing.kind not in TIMINGS:
        raise InvalidError("schedule.timing_unknown")
    if klass == "emergency":
        _check_emergency(timing, at=at)
    elif timing.kind == ONCE:
        _check_once(timing, at=at)
    elif timing.kind == DAILY:
        _check_daily(timing, at=at)


def _check_emergency(timing: Timing, *, at: datetime) -> None:
    if timing.kind != NOW:
        raise InvalidError("schedule.emergency_is_now")
    ends = timing.expires_at
    if ends is None or not at < ends <= at + LONGEST_EMERGENCY:
        raise InvalidError("schedule.expiry_wrong", hours=24)


def _check_once(timing: Timing, *, at: datetime) -> None:
    if timing.starts_at is None or timing.starts_at <= at:
        raise InvalidError("schedule.time_passed")
    if timing.starts_at > at + FARTHEST:
        raise InvalidError("schedule.too_far_ahead", days=FARTHEST.days)


def _check_daily(timing: Timing, *, at: datetime) -> None:
    first, last = timing.first_date, timing.last_date
    if timing.time_of_day is None or first is None or last is None:
        raise InvalidError("schedule.daily_incomplete")
    if last < first:
        raise InvalidError("schedule.dates_reversed")
    if last - first > LONGEST_SERIES:
        raise InvalidError("schedule.series_too_long", days=LONGEST_SERIES.days)
    if datetime.combine(first, timing.time_of_day, LOCAL) > at + FARTHEST:
        raise InvalidError("schedule.too_far_ahead", days=FARTHEST.days)
    if datetime.combine(last, timing.time_of_day, LOCAL) <= at:
        raise InvalidError("schedule.time_passed")


def rank_and_start(*, klass: str, timing: str) -> tuple[str, str]:
    """Return the rank of a bulletin in playout, and how it begins."""
    return ANNOUNCE_RANK if timing == ANNOUNCE else RANK_AND_START[klass]


def is_offered(*, klass: str, timing: str, issuer: str) -> bool:
    """Say whether communes choose for themselves whether and when it sounds.

    `issuer` is the kind of the issuing unit. Source: circular 39/2020/TT-BTTTT.
    """
    return klass == "normal" and timing != ANNOUNCE and issuer in ABOVE_COMMUNE


def check_inbox_move(*, new: str, broadcast: str, used: bool) -> None:
    """Refuse a decision that comes too late. Raises ConflictError.

    `broadcast` is the bulletin's state; what a programme uses is taken out of there
    first, so that no programme loses a piece behind its approver's back.
    """
    if new == TAKEN and broadcast != APPROVED:
        raise ConflictError("schedule.material_withdrawn")
    if new == LEFT and used:
        raise ConflictError("schedule.material_used")


def first_start(timing: Timing, *, at: datetime) -> datetime | None:
    """Return when a checked timing sounds first, from `at` on.

    None for what is laid up for programmes: it has no time of its own.
    """
    if timing.kind in AT_RELEASE:
        return at
    return next(starts_between(timing, begin=at, end=at + FARTHEST + WINDOW), None)


def starts_between(
    timing: Timing, *, begin: datetime, end: datetime
) -> Iterator[datetime]:
    """Yield the planned starts of a timing in `[begin, end)`, in UTC.

    What sounds at release has none of its own, and `shelf` none at all.
    """
    if timing.kind == ONCE and timing.starts_at is not None:
        if begin <= timing.starts_at < end:
            yield timing.starts_at.astimezone(UTC)
        return
    if timing.kind != DAILY or timing.time_of_day is None:
        return
    if timing.first_date is None or timing.last_date is None:
        return
    day = max(timing.first_date, begin.astimezone(LOCAL).date())
    while day <= timing.last_date:
        start = datetime.combine(day, timing.time_of_day, LOCAL).astimezone(UTC)
        if start >= end:
            return
        if start >= begin:
            yield start
        day += timedelta(days=1)


@dataclass(frozen=True)
class QuietHours:
    """Local hours in which nothing below an emergency sounds; may cross midnight."""

    begin: time
    end: time

    @classmethod
    def parse(cls, text: str) -> "QuietHours | None":
        """Read `22:00-05:00`; an empty text means none. Raises ValueError."""
        if not text:
            return None
        begin, end = (time.fromisoformat(part) for part in text.split("-"))
        return cls(begin, end)

    def intervals(
        self, *, begin: datetime, end: datetime
    ) -> list[tuple[datetime, datetime]]:
        """Return the quiet intervals that touch `[begin, end)`, in UTC."""
        found: list[tuple[datetime, datetime]] = []
        day = begin.astimezone(LOCAL).date() - timedelta(days=1)
        while True:
            start = datetime.combine(day, self.begin, LOCAL).astimezone(UTC)
            if start >= end:
                return found
            over = day if self.end > self.begin else day + timedelta(days=1)
            stop = datetime.combine(over, self.end, LOCAL).astimezone(UTC)
            if stop > begin:
                found.append((start, stop))
            day += timedelta(days=1)

    def next_allowed(self, moment: datetime, *, length: timedelta) -> datetime:
        """Return the first moment from `moment` on at which `length` is allowed."""
        for start, stop in self.intervals(begin=moment, end=moment + timedelta(days=2)):
            if start < moment + length and moment < stop:
                moment = stop
        return moment


def next_allowed(
    hours: Sequence[QuietHours], moment: datetime, *, length: timedelta
) -> datetime | None:
    """Return the first moment from here on at which `length` is allowed by all.

    None when no gap between the quiet hours of two days is that long.
    """
    start = moment
    while moment < start + timedelta(days=2):
        later = moment
        for quiet in hours:
            later = quiet.next_allowed(later, length=length)
        if later == moment:
            return moment
        moment = later
    return None


def quiet_begins(quiet: Iterable[QuietHours], *, after: datetime) -> datetime | None:
    """Return when the next quiet hours begin after a moment, in UTC; None without."""
    soon = after + timedelta(days=2)
    starts = [
        start
        for hours in quiet
        for start, _stop in hours.intervals(begin=after, end=soon)
        if start > after
    ]
    return min(starts, default=None)


def check_quiet(
    hours: Sequence[QuietHours],
    *,
    klass: str,
    drill: bool,
    start: datetime | None,
    length: timedelta,
) -> None:
    """Refuse what would sound in quiet hours, naming the next time: InvalidError.

    Without a `start` nothing sounds by itself, so nothing is refused.
    """
    if start is None or (klass == "emergency" and not drill):
        return
    touched = next(
        (q for q in hours if q.next_allowed(start, length=length) != start), None
    )
    if touched is None:
        return
    allowed = next_allowed(hours, start, length=length)
    if allowed is None:
        raise InvalidError("schedule.never_allowed")
    raise InvalidError(
        "schedule.quiet_hours",
        begin=f"{touched.begin:%H:%M}",
        end=f"{touched.end:%H:%M}",
        allowed=f"{allowed.astimezone(LOCAL):%H:%M %d/%m/%Y}",
    )


def length_of(duration_ms: int) -> timedelta:
    """Return ms as a length of time."""
    return timedelta(milliseconds=duration_ms)

"""Work orders and reports as tables: states, moves, causes. No clock, no database."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from nguon.core.errors import ConflictError, InvalidError

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")

OPEN, DOING, DONE, VERIFIED, DROPPED = "open", "doing", "done", "verified", "dropped"
STATES = {
    OPEN: "Chưa làm",
    DOING: "Đang sửa",
    DONE: "Sửa xong, chờ máy kêu thử",
    VERIFIED: "Máy đã kêu lại",
    DROPPED: "Bỏ phiếu",
}
MOVES: Mapping[str, frozenset[str]] = {
    OPEN: frozenset({DOING, DROPPED}),
    DOING: frozenset({DONE, DROPPED}),
    # A test that is not heard sends the work back; only a proof ends it.
    DONE: frozenset({VERIFIED, DOING, DROPPED}),
    VERIFIED: frozenset(),
    DROPPED: frozenset(),
}
UNFINISHED = (OPEN, DOING, DONE)

# A repaired speaker rehearses its next day before it is in service again.
AWAITED, DIFFERS, AGREED, LIFTED = "awaited", "differs", "agreed", "lifted"
REHEARSALS = {
    AWAITED: "Đang chờ máy diễn tập",
    DIFFERS: "Diễn tập khác kế hoạch",
    AGREED: "Diễn tập khớp kế hoạch",
    LIFTED: "Người kết thúc diễn tập",
}
REHEARSING = (AWAITED, DIFFERS)
# A device that has not agreed for so long is a fault; it is asked again so often.
REHEARSAL_DUE = timedelta(minutes=3)
REHEARSE_EVERY, MAX_REHEARSALS = timedelta(minutes=10), 12

# What was found to be the cause, as the person at the pole says.
CAUSES = {
    "power": "Mất điện, hỏng nguồn",
    "battery": "Hỏng pin, ắc quy",
    "sim": "SIM hết hạn, hết tiền",
    "signal": "Sóng yếu, hỏng ăng-ten",
    "cable": "Đứt cáp mạng",
    "line": "Đứt, chập dây loa",
    "horn": "Hỏng củ loa",
    "amplifier": "Hỏng tăng âm",
    "board": "Hỏng bo mạch",
    "screen": "Hỏng màn hình",
    "lightning": "Sét đánh",
    "water": "Vào nước",
    "stolen": "Mất trộm, phá hoại",
    "settings": "Cài đặt sai",
    "none": "Không thấy hỏng",
    "other": "Khác",
}

# What a citizen or a propagandist may say of a device.
SILENT, WRONG, LOUD, BROKEN = "silent", "wrong", "loud", "broken"
REPORTS = {
    SILENT: "Không kêu",
    WRONG: "Kêu sai giờ, sai nội dung",
    LOUD: "Quá to",
    BROKEN: "Hư hỏng, rơi, đứt dây",
}

MAX_NOTE, MAX_PARTS, MAX_PHOTOS = 1_000, 500, 8
MAX_COST = 10**10
# The quiet test is tried again until the device proves itself, then a person must look.
TEST_EVERY, MAX_TESTS = timedelta(minutes=10), 12


def check_move(*, old: str, new: str) -> None:
    """Refuse a move that the table does not know: `fleet.order_move`."""
    if new not in MOVES[old]:
        raise ConflictError("fleet.order_move", old=STATES[old], new=STATES[new])


def check_done(*, causes: list[str], parts: str, cost: int, notes: str) -> None:
    """Refuse the end of a repair that says nothing.

    Raises InvalidError: `fleet.order_cause`, `fleet.order_cost`, `fleet.text_too_long`.
    """
    if not causes or not set(causes) <= set(CAUSES):
        raise InvalidError("fleet.order_cause")
    if not 0 <= cost <= MAX_COST:
        raise InvalidError("fleet.order_cost")
    if len(parts) > MAX_PARTS or len(notes) > MAX_NOTE:
        raise InvalidError("fleet.text_too_long", limit=MAX_PARTS)


def is_quiet(hours: str, *, at: datetime) -> bool:
    """Say whether `22:00-05:00` (local, may cross midnight, empty: never) covers now.

    Raises ValueError for hours that cannot be read.
    """
    if not hours:
        return False
    begin, end = (time.fromisoformat(part) for part in hours.split("-"))
    now = at.astimezone(LOCAL).time()
    return begin <= now < end if begin < end else now >= begin or now < end

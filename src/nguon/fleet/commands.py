"""Commands to devices as rules: what may be sent, and what becomes of one.

A command lives for a minute after it was signed. What a device does with it, it tells
by events that name the document; from these alone its state follows.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from nguon.core.errors import InvalidError
from nguon.core.messages import VERBS

VOLUME, TEST, RESTART, LOGS, REHEARSE = VERBS
NAMES = {
    VOLUME: "Đặt âm lượng",
    TEST: "Cho kêu thử",
    RESTART: "Khởi động lại",
    LOGS: "Lấy nhật ký máy",
}
# What the server sends by itself; nobody may choose it.
OWN_NAMES = {REHEARSE: "Diễn tập sau sửa"}

QUEUED, SENT, RECEIVED = "queued", "sent", "received"
DONE, REFUSED, EXPIRED = "done", "refused", "expired"
STATES = {
    QUEUED: "Chờ gửi",
    SENT: "Đã gửi",
    RECEIVED: "Máy đã nhận",
    DONE: "Đã làm",
    REFUSED: "Máy từ chối",
    EXPIRED: "Hết hạn",
}
OPEN = (QUEUED, SENT, RECEIVED)
# Which state may follow which: an answer that was late still counts.
MOVES = {
    QUEUED: {SENT, REFUSED, EXPIRED},
    SENT: {RECEIVED, DONE, REFUSED, EXPIRED},
    RECEIVED: {DONE, REFUSED, EXPIRED},
    EXPIRED: {DONE, REFUSED},
    DONE: set(),
    REFUSED: set(),
}

LIFE = timedelta(seconds=60)
# After its end a device may still be telling what it did.
ANSWER = timedelta(seconds=60)
LOGS_ANSWER = timedelta(minutes=10)
# So long a batch waits for devices that are away.
BATCH_LIFE = timedelta(minutes=15)
LATE = timedelta(days=1)
MAX_BATCH = 10_000
MAX_LOGS = 200
MAX_LOG_BYTES = 128 * 1024
KEEP_LOGS = timedelta(days=14)

# Why a command was not carried out, in words for technicians.
CAUSES = {
    "quiet": "đang giờ yên lặng",
    "stopped": "đang có lệnh dừng phát",
    "outranked": "máy đang phát",
    "no_plan": "máy chưa có lịch nên chưa biết giờ yên lặng",
    "clock": "đồng hồ của máy chưa tin được",
    "emergency": "máy đang phát tin khẩn cấp",
    "sounding": "máy đang phát; muốn khởi động lại ngay thì phải xác nhận",
    "due": "máy sắp phát; muốn khởi động lại ngay thì phải xác nhận",
    "malformed": "máy không hiểu lệnh này, có thể do bản chương trình cũ",
    "unusable": "máy không dùng được nội dung của lệnh",
    "board": "bảng tin không có loa",
    "unsent": "máy không gửi được nhật ký lên máy chủ",
    "offline": "máy không nối mạng trong thời gian của lệnh",
    "silent": "máy không trả lời",
    "cancelled": "người gửi đã dừng đợt lệnh",
    "not_active": "thiết bị không còn được dùng",
    "expired": "lệnh tới máy khi đã hết hạn",
    "unknown_key": "máy chưa biết khóa ký lệnh",
    "bad_signature": "chữ ký sai",
}


def cause_words(cause: str) -> str:
    """Return a cause in Vietnamese; one nobody knows stays as it is."""
    return CAUSES.get(cause, cause)


def check_args(verb: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a command, and nothing else of what came with it.

    Raises InvalidError `fleet.command_unknown` or `fleet.volume_range`.
    """
    if verb not in NAMES:
        raise InvalidError("fleet.command_unknown", verb=verb)
    if verb == RESTART:
        return {"force": True} if args.get("force") is True else {}
    if verb == VOLUME or (verb == TEST and "volume" in args):
        volume = args.get("volume")
        if isinstance(volume, bool) or not isinstance(volume, int):
            raise InvalidError("fleet.volume_range")
        if not 0 <= volume <= 100:
            raise InvalidError("fleet.volume_range")
        return {"volume": volume}
    return {}


def check_size(verb: str, count: int) -> None:
    """Refuse a batch for nobody or for too many.

    Raises InvalidError `fleet.batch_empty` or `fleet.batch_too_big`.
    """
    limit = MAX_LOGS if verb == LOGS else MAX_BATCH
    if not count:
        raise InvalidError("fleet.batch_empty")
    if count > limit:
        raise InvalidError("fleet.batch_too_big", limit=limit, count=count)


def answer_time(verb: str) -> timedelta:
    """Return how long after it was sent a command may be answered."""
    return LIFE + (LOGS_ANSWER if verb == LOGS else ANSWER)


def state_after(state: str, event: str) -> str:
    """Return the state of a command after its device told an event about it."""
    told = {"received": RECEIVED, "obeyed": DONE, "declined": REFUSED}
    after = told.get(event, REFUSED if event == "refused" else state)
    return after if after in MOVES[state] else state

"""Which steps a practice has, in which order, and when it counts as left off.

Tables and plain functions; no database, no clock.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta

from nguon.core.errors import ConflictError

LEARN_WRITE, LEARN_APPROVE = "learn_write", "learn_approve"
LEARN_TIME, LEARN_STOP = "learn_time", "learn_stop"
WRITTEN, SENT, CAUGHT, APPROVED = "written", "sent", "caught", "approved"
PLAYED, STOPPED = "played", "stopped"
# Every step with its name, in the only order in which they are gone through.
STEPS = {
    LEARN_WRITE: "Bài 1: viết để nghe",
    LEARN_APPROVE: "Bài 2: người thứ hai duyệt",
    LEARN_TIME: "Bài 3: giờ phát và dữ kiện",
    LEARN_STOP: "Bài 4: dừng phát khẩn cấp",
    WRITTEN: "Viết bản tin",
    SENT: "Chọn giờ phát, gửi duyệt",
    CAUGHT: "Xem tin của đồng nghiệp",
    APPROVED: "Duyệt bản tin",
    PLAYED: "Nghe loa phát đúng giờ",
    STOPPED: "Dừng phát",
}
ORDER = tuple(STEPS)
LESSONS = (LEARN_WRITE, LEARN_APPROVE, LEARN_TIME, LEARN_STOP)
# In whose place the newcomer acts; the practice says so plainly.
AS_APPROVER = (CAUGHT, APPROVED)

OPEN, LEFT_OFF, GIVEN_UP, DONE = "open", "left_off", "given_up", "done"
STATES = {
    OPEN: "Đang làm",
    LEFT_OFF: "Bỏ dở",
    GIVEN_UP: "Đã thôi",
    DONE: "Đã xong",
}
# Nothing done for so long: whoever looks after newcomers sees it; it can be gone on.
LEFT_OFF_AFTER = timedelta(days=14)
# A bulletin to learn with is short: whole sentences, not a speech.
BODY_LIMIT = 2_000
REASON_LIMIT = 300

# What a proof says of the newcomer, and of itself.
PROVEN = (
    "đã học bốn bài, thấy lỗi trong một bản tin của đồng nghiệp, và tự tay viết, gửi"
    " duyệt, duyệt, nghe phát, dừng một bản tin trên hệ thống thông tin nguồn, ở loa"
    " luyện tập."
)
PROOF_NOTE = (
    "Giấy do hệ thống lập từ những bước đã làm, không phải văn bằng. Người duyệt trong"
    " lượt này do người học đóng vai."
)


def number_of(step: str) -> int:
    """Return the place of a step, counted from 1."""
    return ORDER.index(step) + 1


def next_step(done: Collection[str]) -> str:
    """Return the first step that is not done yet; nothing when all are."""
    return next((step for step in ORDER if step not in done), "")


def check_step(step: str, done: Collection[str]) -> None:
    """Refuse a step whose turn it is not. ConflictError `registers.practice_step`."""
    if step != next_step(done):
        raise ConflictError("registers.practice_step")


def state_of(
    *,
    done_at: datetime | None,
    given_up_at: datetime | None,
    touched_at: datetime,
    at: datetime,
) -> str:
    """Return how a practice stands at a moment, one of `STATES`."""
    if done_at is not None:
        return DONE
    if given_up_at is not None:
        return GIVEN_UP
    return LEFT_OFF if at - touched_at > LEFT_OFF_AFTER else OPEN


def seal(*, title: str, body: str, starts_at: datetime) -> str:
    """Return the SHA-256 (hex) that an approval is about: text and time together."""
    told = "\0".join((title, body, starts_at.isoformat()))
    return hashlib.sha256(told.encode()).hexdigest()

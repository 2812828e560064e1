"""Rollouts as rules: who comes when, when a stage has passed, when all must wait.

A rollout brings one release to many devices in stages. Only a stage that has passed
lets the next begin; too many failures let nothing go on until a person has looked.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nguon.core import updates
from nguon.core.errors import ConflictError, InvalidError

RUNNING, PAUSED, DONE, STOPPED, BACK = "running", "paused", "done", "stopped", "back"
STATES = {
    RUNNING: "Đang chạy",
    PAUSED: "Tạm dừng",
    DONE: "Đã xong",
    STOPPED: "Đã thôi",
    BACK: "Đang đưa về bản cũ",
}
LIVE = (RUNNING, PAUSED)
MOVES = {
    RUNNING: {PAUSED, DONE, STOPPED, BACK},
    PAUSED: {RUNNING, STOPPED, BACK},
    DONE: {BACK},
    STOPPED: {BACK},
    BACK: set(),
}

WAITING, DOWNLOADING, INSTALLED = "waiting", updates.DOWNLOADING, updates.INSTALLED
PROVEN, FAILED = updates.PROVEN, updates.FAILED
RETURNING, RETURNED = "returning", "returned"
TARGETS = {
    WAITING: "Chờ",
    DOWNLOADING: "Đang tải",
    INSTALLED: "Đang thử",
    PROVEN: "Chạy tốt",
    FAILED: "Hỏng",
    RETURNING: "Đang về bản cũ",
    RETURNED: "Đã về bản cũ",
}
# What a device tells leads only forwards; `failed` is left when it is told anew.
_ORDER = (WAITING, DOWNLOADING, INSTALLED)

MAX_STAGES = 6
DEVICES, GROUP, COMMUNE = "devices", "group", "commune"
PERCENT, REST = "percent", "rest"
WISHES = (DEVICES, GROUP, COMMUNE, PERCENT, REST)
PASSED, ERRORS, SHORT = "passed", "errors", "short"
PAUSES = {
    ERRORS: "quá nhiều máy cập nhật hỏng",
    SHORT: "không đủ máy chạy tốt để sang chặng sau",
    "person": "người phụ trách tạm dừng",
}
CAUSES = {
    "older": "bản mới cũ hơn bản đang chạy",
    "too_large": "tệp lớn quá mức máy nhận",
    "wrong_hash": "tệp tải về sai mã băm",
    "wrong_version": "tệp ghi số phiên bản khác",
    "unusable": "tệp không phải là chương trình dùng được",
    "no_file": "máy chủ không còn tệp này",
    "disk_full": "đĩa của máy đã đầy",
    "self_check": "bản mới không qua được tự kiểm tra",
    "crashed": "bản mới chạy rồi dừng; máy đã tự về bản cũ",
    "not_proven": "bản mới không nối được máy chủ; máy đã tự về bản cũ",
    "former_gone": "máy không còn giữ bản cũ",
    "no_keeper": "máy chạy không có bộ trông chương trình nên không tự cập nhật được",
    "not_supported": "hãng của máy này chưa cập nhật qua hệ thống được",
    "bad_signature": "chữ ký sai",
    "unknown_key": "máy không biết khóa đã ký; có thể chữ ký sai",
    "wrong_key_use": "khóa đã ký không được dùng cho cập nhật",
    "malformed": "máy không đọc được lệnh cập nhật",
    "old_sequence": "máy đã có lệnh cập nhật mới hơn",
    "expired": "lệnh cập nhật đã hết hạn",
}


@dataclass(frozen=True)
class Wish:
    """Whom a stage takes of those not taken yet, and when it has passed or failed.

    `success` is the percentage that must be proven before the next stage; more than
    `error` percent failed pauses everything.
    """

    by: str
    values: tuple[str, ...] = ()
    percent: int = 0
    success: int = 90
    error: int = 5


@dataclass(frozen=True)
class Candidate:
    """A device as stages choose it."""

    key: int
    uid: str
    commune: str
    groups: frozenset[str] = frozenset()


def check_wishes(wishes: Sequence[Wish]) -> None:
    """Refuse stages that make no sense. Raises InvalidError."""
    if not 1 <= len(wishes) <= MAX_STAGES:
        raise InvalidError("fleet.stages_many", limit=MAX_STAGES)
    for wish in wishes:
        if wish.by not in WISHES:
            raise InvalidError("fleet.stage_unknown")
        if not (1 <= wish.success <= 100 and 0 <= wish.error <= 100):
            raise InvalidError("fleet.stage_thresholds")
        if wish.by == PERCENT and not 1 <= wish.percent <= 100:
            raise InvalidError("fleet.stage_percent")


def check_hours(hours: Sequence[int] | None) -> None:
    """Refuse hours that are none. Raises InvalidError `fleet.hours_wrong`."""
    if hours is None:
        return
    fits = all(0 <= minute < updates.DAY_MINUTES for minute in hours)
    if len(hours) != 2 or not fits or hours[0] == hours[1]:
        raise InvalidError("fleet.hours_wrong")


def share_out(
    candidates: Sequence[Candidate], wishes: Sequence[Wish], *, seed: str
) -> list[list[int]]:
    """Return the keys of each stage's devices: every device at most once.

    A percentage is of all candidates, and takes them in an order that nobody chose
    and that is the same every time for one `seed`.
    """
    order = sorted(
        candidates,
        key=lambda one: hashlib.sha256(f"{seed} {one.uid}".encode()).digest(),
    )
    left = {one.key: one for one in order}
    stages = []
    for wish in wishes:
        if wish.by == PERCENT:
            count = -(-len(candidates) * wish.percent // 100)
            taken = list(left)[:count]
        else:
            taken = [key for key, one in left.items() if _is_meant(one, wish)]
        for key in taken:
            del left[key]
        stages.append(taken)
    return stages


def _is_meant(one: Candidate, wish: Wish) -> bool:
    if wish.by == DEVICES:
        return one.uid in wish.values
    if wish.by == GROUP:
        return not one.groups.isdisjoint(wish.values)
    return wish.by == REST or one.commune in wish.values


def judge(counts: Mapping[str, int], *, success: int, error: int) -> str:
    """Return what a stage has come to: passed, errors, short, or nothing yet."""
    total = sum(counts.values())
    proven, failed = counts.get(PROVEN, 0), counts.get(FAILED, 0)
    if failed * 100 > error * total:
        return ERRORS
    if proven * 100 >= success * total:
        return PASSED
    if proven + failed == total:
        return SHORT
    return ""


def target_after(state: str, told: str) -> str:
    """Return the state of a target after its device told how far it is."""
    if state == RETURNING:
        return {PROVEN: RETURNED, FAILED: FAILED}.get(told, state)
    if state not in _ORDER:
        return state
    if told in _ORDER and _ORDER.index(told) <= _ORDER.index(state):
        return state
    return told if told in TARGETS else state


def check_move(*, old: str, new: str) -> None:
    """Refuse a move that a rollout cannot make. Raises ConflictError."""
    if new not in MOVES[old]:
        raise ConflictError(
            "fleet.rollout_move", old=STATES[old].lower(), new=STATES[new].lower()
        )


def cause_words(cause: str) -> str:
    """Return why a device has not the new program, in words for technicians."""
    return CAUSES.get(cause, cause)

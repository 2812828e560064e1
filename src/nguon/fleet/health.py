"""How a device is judged: evidence of sound, fault rules, states. Pure functions.

*Connected* is not *audible*. Signals stand apart and none is guessed from another;
audible comes from evidence and its age alone. A rule says which condition is a fault,
how long it must last and what it makes of the device. The tables are read aloud in
`docs/explanation/how-a-fault-is-known.md`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from nguon.core import beats
from nguon.core.errors import ConflictError

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")

# --- states ------------------------------------------------------------------------

NEW, ACTIVE, SILENT, FAULTY = "new", "active", "silent", "faulty"
IN_REPAIR, RETIRED = "in_repair", "retired"
STATES = {
    SILENT: "Đang im lặng",
    FAULTY: "Có hỏng hóc",
    IN_REPAIR: "Đang sửa",
    NEW: "Mới lắp, chưa kêu",
    ACTIVE: "Đang tốt",
    RETIRED: "Đã bỏ",
}
_JUDGED = frozenset({ACTIVE, SILENT, FAULTY})
MOVES: Mapping[str, frozenset[str]] = {
    NEW: frozenset({ACTIVE, SILENT, FAULTY, RETIRED}),
    ACTIVE: frozenset({SILENT, FAULTY, IN_REPAIR, RETIRED}),
    SILENT: frozenset({ACTIVE, FAULTY, IN_REPAIR, RETIRED}),
    FAULTY: frozenset({ACTIVE, SILENT, IN_REPAIR, RETIRED}),
    # Only a proof of sound leads out of a repair.
    IN_REPAIR: frozenset({ACTIVE, SILENT, FAULTY, RETIRED}),
    RETIRED: frozenset(),
}


def check_move(*, old: str, new: str) -> None:
    """Refuse a move that the table does not know: `fleet.health_move`."""
    if new not in MOVES[old]:
        raise ConflictError("fleet.health_move", old=STATES[old], new=STATES[new])


# --- evidence of sound -------------------------------------------------------------

GRADE_WORDS = {
    beats.MEASURED: "đo được tiếng",
    beats.AMPLIFIED: "tăng âm có chạy",
    beats.DECODED: "đã giải mã",
    beats.CLAIMED: "hãng báo",
}
# How long each grade of evidence counts.
AGE_LIMITS = {
    beats.MEASURED: timedelta(days=7),
    beats.AMPLIFIED: timedelta(days=7),
    beats.DECODED: timedelta(days=2),
    beats.CLAIMED: timedelta(days=1),
}
# A digital output below this is silence, whatever was played.
SILENCE_DBFS = -60.0
SHORTEST_PROOF_MS = 500

Evidence = Mapping[int, datetime]


def audible_until(
    evidence: Evidence, *, lowest: int = beats.CLAIMED
) -> datetime | None:
    """Return until when evidence of at least a grade counts, or None without any."""
    ends = [at + AGE_LIMITS[g] for g, at in evidence.items() if g >= lowest]
    return max(ends, default=None)


def audible(evidence: Evidence, *, at: datetime, lowest: int = beats.CLAIMED) -> bool:
    """Say whether a device is known to sound: evidence that is not too old."""
    until = audible_until(evidence, lowest=lowest)
    return until is not None and at < until


def grade_of(kind: str, data: Mapping[str, object]) -> int:
    """Return the grade of evidence in a device's event; 0 for none.

    A finished play with a level at the digital output was decoded; the device's own
    microphone or amplifier sense, told with it, is more. A board proves itself by a
    screen that was fetched.
    """
    if kind == "shown":
        return beats.DECODED
    if kind != "finished":
        return 0
    sounded, level = data.get("sounded_ms"), data.get("level_dbfs")
    if not isinstance(sounded, int) or sounded < SHORTEST_PROOF_MS:
        return 0
    if not isinstance(level, (int, float)) or level <= SILENCE_DBFS:
        return 0
    if data.get("output") == "null":
        return 0  # a device without a sound card
    told = data.get("evidence")
    best = beats.GRADES.get(told, 0) if isinstance(told, str) else 0
    return max(beats.DECODED, best)


# --- operating hours ---------------------------------------------------------------

WAKING = timedelta(minutes=10)
Hours = tuple[time, time]


def is_operating(hours: Hours | None, *, at: datetime) -> bool:
    """Say whether a device should be switched on; it is given time to wake up."""
    if hours is None:
        return True
    opens, closes = hours
    local = at.astimezone(LOCAL)
    day = local.date() if opens <= local.time() else local.date() - timedelta(days=1)
    begin = datetime.combine(day, opens, LOCAL)
    end = datetime.combine(day, closes, LOCAL)
    if end <= begin:
        end += timedelta(days=1)
    return begin + WAKING <= local < end


def next_hours_change(hours: Hours | None, *, at: datetime) -> datetime | None:
    """Return the next moment at which `is_operating` may change."""
    if hours is None:
        return None
    local = at.astimezone(LOCAL)
    opens, closes = hours
    moments = []
    for days in (-1, 0, 1):
        day = local.date() + timedelta(days=days)
        moments.append(datetime.combine(day, opens, LOCAL) + WAKING)
        moments.append(datetime.combine(day, closes, LOCAL))
    return min(moment for moment in moments if moment > local)


# --- rules -------------------------------------------------------------------------

# A beat comes every 60 s at the latest: later than this, the program hangs.
LATE = timedelta(seconds=90)
FLAPS, FLAP_SPAN = 4, timedelta(minutes=30)
CLONE_SPAN = timedelta(hours=1)
LOW_BATTERY, HOT_C, LOW_STORAGE_MB, WEAK_DBM = 30, 75, 200, -110
SIM_NOTICE, DATA_SHARE = timedelta(days=7), 0.9
CLOCK_OFF_MS, UNMEASURED = 2_000, timedelta(minutes=10)


@dataclass(frozen=True)
class Vitals:
    """What is known of one device when it is looked at; None is not known."""

    connected: bool
    state: str = ACTIVE
    lost_at: datetime | None = None
    heard_at: datetime | None = None
    losses: Sequence[datetime] = ()
    cloned_at: datetime | None = None
    sounding: bool | None = None
    mains: bool | None = None
    battery_percent: int | None = None
    amplifier: bool | None = None
    line: str = ""
    heard: bool | None = None
    sim: str = ""
    clock_trusted: bool | None = None
    clock_doubt_ms: int | None = None
    storage_free_mb: int | None = None
    temperature_c: int | None = None
    signal_dbm: int | None = None
    wrong: str = ""
    evidence: Evidence = field(default_factory=dict)
    data_used_mb: int | None = None
    hours: Hours | None = None
    sim_expires_date: date | None = None
    data_plan_mb: int | None = None
    proof_after: datetime | None = None
    rehearsal_due: datetime | None = None


Holds = Callable[[Vitals, datetime], bool]


@dataclass(frozen=True)
class Rule:
    """One cause: when it holds, how long it must last, what it makes of a device.

    `makes` is silent, faulty, or empty for a word of warning. What holds because the
    device is switched off (`by_power`) begins only inside its operating hours.
    """

    cause: str
    words: str
    holds: Holds
    lasting: timedelta
    makes: str = ""
    by_power: bool = False


def _is_lost(v: Vitals, at: datetime) -> bool:
    if v.connected or v.heard_at is None:
        return False
    # Who speaks over HTTPS while the bus is blocked is not lost.
    spoke_since = v.lost_at is not None and v.heard_at > v.lost_at
    return not (spoke_since and at - v.heard_at < LATE)


def _is_late(v: Vitals, at: datetime) -> bool:
    return v.connected and v.heard_at is not None and at - v.heard_at >= LATE


def is_flapping(losses: Sequence[datetime], *, at: datetime) -> bool:
    """Say whether a device was lost again and again."""
    return sum(at - moment < FLAP_SPAN for moment in losses) >= FLAPS


def _is_unmeasured(v: Vitals, _at: datetime) -> bool:
    """Say whether a device that can measure itself has played and measured nothing.

    Its own word about its last sound, or a proof that stays behind what was decoded.
    """
    if v.heard is False:
        return True
    measured, decoded = v.evidence.get(beats.MEASURED), v.evidence.get(beats.DECODED)
    return bool(measured and decoded and decoded - measured >= UNMEASURED)


def _is_dead_amplifier(v: Vitals, _at: datetime) -> bool:
    return v.sounding is True and v.amplifier is False


def _is_cloned(v: Vitals, at: datetime) -> bool:
    return v.cloned_at is not None and at - v.cloned_at < CLONE_SPAN


def _is_doubtful(v: Vitals, _at: datetime) -> bool:
    return v.clock_trusted is False or _over(v.clock_doubt_ms, CLOCK_OFF_MS)


def _is_sim_ending(v: Vitals, at: datetime) -> bool:
    warned = _sim_warning(v)
    return warned is not None and at >= warned


def _sim_warning(v: Vitals) -> datetime | None:
    """Return from when on the end of a SIM is a fault."""
    if v.sim_expires_date is None:
        return None
    return datetime.combine(v.sim_expires_date, time.min, LOCAL) - SIM_NOTICE


def _is_data_used_up(v: Vitals, _at: datetime) -> bool:
    if v.data_used_mb is None or not v.data_plan_mb:
        return False
    return v.data_used_mb >= DATA_SHARE * v.data_plan_mb


def _is_unrehearsed(v: Vitals, at: datetime) -> bool:
    return v.rehearsal_due is not None and at >= v.rehearsal_due


def _is_without_sim(v: Vitals, _at: datetime) -> bool:
    return v.sim in {beats.SIM_MISSING, beats.SIM_LOCKED, beats.SIM_REFUSED}


def _is_line(word: str) -> Holds:
    return lambda v, _at: v.line == word


def _is_low(name: str, limit: int) -> Holds:
    return lambda v, _at: _below(getattr(v, name), limit)


def _below(value: int | None, limit: int) -> bool:
    return value is not None and value < limit


def _over(value: int | None, limit: int) -> bool:
    return value is not None and value > limit


# fmt: off
_NOW, _SOON, _MINUTES = timedelta(0), timedelta(seconds=15), timedelta(minutes=10)
RULES: tuple[Rule, ...] = (
    Rule("lost", "Mất kết nối", _is_lost, _NOW, SILENT, by_power=True),
    Rule("late", "Máy treo, không báo về", _is_late, _NOW, SILENT, by_power=True),
    Rule("amplifier", "Tăng âm không chạy khi phát", _is_dead_amplifier, _SOON, SILENT),
    Rule("line_open", "Đứt dây loa", _is_line(beats.OPEN), _SOON, SILENT),
    Rule("line_short", "Chập dây loa", _is_line(beats.SHORT), _SOON, SILENT),
    Rule("unmeasured", "Có phát mà không đo thấy tiếng", _is_unmeasured, _NOW, SILENT),
    Rule("rehearsal", "Chưa qua diễn tập sau sửa, chỉ phát tin khẩn cấp",
         _is_unrehearsed, _NOW, SILENT),
    Rule("mains", "Mất điện lưới", lambda v, _at: v.mains is False, _SOON, FAULTY,
         by_power=True),
    Rule("battery", "Pin yếu", _is_low("battery_percent", LOW_BATTERY), _SOON, FAULTY),
    Rule("flapping", "Chập chờn, nối rồi mất",
         lambda v, at: is_flapping(v.losses, at=at), _NOW, FAULTY),
    Rule("clone", "Hai máy dùng cùng một khóa", _is_cloned, _NOW, FAULTY),
    Rule("clock", "Đồng hồ chưa tin được", _is_doubtful, _MINUTES, FAULTY),
    Rule("hot", "Máy quá nóng", lambda v, _at: _over(v.temperature_c, HOT_C), _MINUTES),
    Rule("storage", "Sắp hết chỗ chứa",
         _is_low("storage_free_mb", LOW_STORAGE_MB), _MINUTES),
    Rule("signal", "Sóng di động yếu", _is_low("signal_dbm", WEAK_DBM), _MINUTES),
    Rule("no_sim", "SIM không dùng được", _is_without_sim, _MINUTES),
    Rule("sim", "SIM sắp hết hạn", _is_sim_ending, _NOW),
    Rule("data", "Sắp hết gói dữ liệu", _is_data_used_up, _NOW),
    Rule("sensor", "Cảm biến báo sai", lambda v, _at: bool(v.wrong), _MINUTES),
)
# fmt: on
CAUSES = {rule.cause: rule.words for rule in RULES}
MAKES = {rule.cause: rule.makes for rule in RULES}
# Causes that come to many devices at once when a mast or a power line fails.
SHARED = ("lost", "late", "mains")
# Who flaps is given this long before another loss counts.
FLAP_PATIENCE = timedelta(minutes=5)


@dataclass(frozen=True)
class Verdict:
    """What a look at one device found.

    `since` says when each condition began, `open` which are faults by now; `look_at`
    is when it must be looked at again though nothing else happens.
    """

    state: str
    since: Mapping[str, datetime]
    open: frozenset[str]
    look_at: datetime | None
    is_late: bool


def examine(v: Vitals, since: Mapping[str, datetime], *, at: datetime) -> Verdict:
    """Apply every rule to one device.

    1. A condition begins when it holds; one by power begins only in operating hours.
    2. What has lasted long enough is a fault.
    3. The faults, and the proof of sound, make the state.
    """
    operating = is_operating(v.hours, at=at)
    held: dict[str, datetime] = {}
    opened: set[str] = set()
    waits = [next_hours_change(v.hours, at=at), _sim_warning(v), v.rehearsal_due]
    for rule in RULES:
        if not rule.holds(v, at):
            continue
        begun = since.get(rule.cause)
        if begun is None and rule.by_power and not operating:
            continue
        held[rule.cause] = begun or at
        due = held[rule.cause] + _lasting(rule, v, at)
        if due <= at:
            opened.add(rule.cause)
        else:
            waits.append(due)
    waits += _expiries(v, held)
    later = [moment for moment in waits if moment is not None and moment > at]
    return Verdict(
        state=next_state(v, opened, at=at),
        since=held,
        open=frozenset(opened),
        look_at=min(later, default=None),
        is_late=v.heard_at is not None and at - v.heard_at >= LATE,
    )


def _lasting(rule: Rule, v: Vitals, at: datetime) -> timedelta:
    if rule.cause == "lost" and is_flapping(v.losses, at=at):
        return FLAP_PATIENCE
    return rule.lasting


def _expiries(v: Vitals, held: Collection[str]) -> list[datetime | None]:
    """Return when conditions that end by themselves must be looked at."""
    found: list[datetime | None] = []
    if "flapping" in held:
        found += [moment + FLAP_SPAN for moment in v.losses]
    if "clone" in held and v.cloned_at:
        found.append(v.cloned_at + CLONE_SPAN)
    return found


def next_state(v: Vitals, opened: Collection[str], *, at: datetime) -> str:
    """Return the state that open faults and proof of sound make."""
    if v.state == RETIRED:
        return RETIRED
    proofs = [moment for grade, moment in v.evidence.items() if grade >= beats.DECODED]
    if v.state == NEW and not proofs:
        return NEW
    if v.state == IN_REPAIR:
        proven = v.proof_after and any(moment > v.proof_after for moment in proofs)
        if not proven:
            return IN_REPAIR
    makes = {MAKES[cause] for cause in opened}
    if SILENT in makes:
        return SILENT
    return FAULTY if FAULTY in makes else ACTIVE


# --- signals as words, for the timeline --------------------------------------------

SIGNALS = {
    "connected": "Kết nối",
    "mains": "Điện lưới",
    "battery": "Pin",
    "amplifier": "Tăng âm",
    "line": "Dây loa",
    "sound": "Bằng chứng kêu",
    "clock": "Đồng hồ",
    "storage": "Chỗ chứa",
    "temperature": "Nhiệt độ",
    "signal": "Sóng",
    "sim": "SIM",
    "heard": "Tự nghe thấy",
    "network": "Đường mạng",
    "version": "Phần mềm",
    "state": "Trạng thái",
}
SIGNAL_WORDS = {
    "": "không rõ",
    "yes": "có",
    "no": "mất",
    "off": "không chạy",
    "ok": "tốt",
    "open": "đứt",
    "short": "chập",
    "low": "thấp",
    "hot": "nóng",
    "weak": "yếu",
    "heard": "nghe thấy",
    "mute": "không nghe thấy",
    "missing": "không có SIM",
    "locked": "SIM đòi mã PIN",
    "refused": "nhà mạng từ chối",
    "doubtful": "đáng ngờ",
    "ethernet": "cáp mạng",
    "wifi": "wifi",
    "4g": "4G",
    **{str(grade): words for grade, words in GRADE_WORDS.items()},
    **STATES,
}


def signals_of(v: Vitals, *, network: str, version: str) -> dict[str, str]:
    """Return each signal as a short code; a change of one is a row of the timeline.

    Numbers become bands, so that a temperature does not fill the timeline.
    """
    trusted = None if v.clock_trusted is None else not _is_doubtful(v, _EVER)
    cool = None if v.temperature_c is None else v.temperature_c <= HOT_C
    # The relay opens and closes with every play: only a dead one is a change.
    runs = None if v.amplifier is None else not _is_dead_amplifier(v, _EVER)
    return {
        "mains": _code(v.mains, "yes", "no"),
        "battery": _code(_known(v.battery_percent, LOW_BATTERY), "ok", "low"),
        "amplifier": _code(runs, "ok", "off"),
        "line": v.line,
        "heard": _code(v.heard, "heard", "mute"),
        "sim": v.sim,
        "clock": _code(trusted, "ok", "doubtful"),
        "storage": _code(_known(v.storage_free_mb, LOW_STORAGE_MB), "ok", "low"),
        "temperature": _code(cool, "ok", "hot"),
        "signal": _code(_known(v.signal_dbm, WEAK_DBM), "ok", "weak"),
        "network": network,
        "version": version,
    }


# For conditions that do not ask when.
_EVER = datetime.max.replace(tzinfo=LOCAL)


def _known(value: int | None, limit: int) -> bool | None:
    return None if value is None else value >= limit


def _code(value: bool | None, yes: str, no: str) -> str:  # noqa: FBT001  (three-valued)
    if value is None:
        return ""
    return yes if value else no

"""The rules by themselves: evidence ages, hours, causes, states. No database."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nguon.core import beats
from nguon.core.errors import ConflictError
from nguon.fleet import health
from nguon.fleet.health import Vitals, examine

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # ten in the morning
MINUTE = timedelta(minutes=1)


def vitals(**more: Any) -> Vitals:
    known: dict[str, Any] = {
        "connected": True,
        "heard_at": AT - 20 * timedelta(seconds=1),
        "evidence": {beats.DECODED: AT - timedelta(hours=3)},
    }
    return Vitals(**(known | more))


def judge(v: Vitals, *, lasted: timedelta = timedelta(hours=1)) -> health.Verdict:
    """Judge a device whose conditions have held for a while."""
    before = examine(v, {}, at=AT)
    return examine(v, dict.fromkeys(before.since, AT - lasted), at=AT)


@pytest.mark.parametrize(
    ("grade", "age", "heard"),
    [
        (beats.MEASURED, timedelta(days=6), True),
        (beats.MEASURED, timedelta(days=7), False),
        (beats.AMPLIFIED, timedelta(days=6), True),
        (beats.DECODED, timedelta(days=1), True),
        (beats.DECODED, timedelta(days=2), False),
        (beats.CLAIMED, timedelta(hours=23), True),
        (beats.CLAIMED, timedelta(hours=24), False),
    ],
)
def test_evidence_counts_by_its_grade_and_age(
    grade: int, age: timedelta, heard: bool
) -> None:
    evidence = {grade: AT - age}

    assert health.audible(evidence, at=AT) is heard
    assert health.audible(evidence, at=AT, lowest=grade) is heard
    assert not health.audible(evidence, at=AT, lowest=grade + 1)


@given(st.dictionaries(st.integers(1, 4), st.integers(0, 400)), st.integers(1, 4))
def test_a_lower_grade_never_hears_less(ages: dict[int, int], lowest: int) -> None:
    evidence = {g: AT - timedelta(hours=h) for g, h in ages.items()}

    if health.audible(evidence, at=AT, lowest=lowest):
        assert health.audible(evidence, at=AT, lowest=1)
        until = health.audible_until(evidence, lowest=lowest)
        assert until is not None
        assert until > AT


@pytest.mark.parametrize(
    ("kind", "data", "grade"),
    [
        ("finished", {"sounded_ms": 4000, "level_dbfs": -18.0}, beats.DECODED),
        ("finished", {"sounded_ms": 4000, "level_dbfs": -90.0}, 0),
        ("finished", {"sounded_ms": 0, "level_dbfs": -18.0}, 0),
        ("finished", {"sounded_ms": 4000}, 0),
        ("finished", {"sounded_ms": "4000", "level_dbfs": "loud"}, 0),
        (
            "finished",
            {"sounded_ms": 4000, "level_dbfs": -18, "evidence": "measured"},
            beats.MEASURED,
        ),
        ("finished", {"sounded_ms": 4000, "level_dbfs": -18, "evidence": [4]}, 2),
        ("finished", {"sounded_ms": 4000, "level_dbfs": -18, "output": "null"}, 0),
        ("shown", {}, beats.DECODED),
        ("started", {"sounded_ms": 4000, "level_dbfs": -18}, 0),
    ],
)
def test_only_what_left_the_device_is_evidence(
    kind: str, data: dict[str, Any], grade: int
) -> None:
    assert health.grade_of(kind, data) == grade


@pytest.mark.parametrize(
    ("more", "cause", "state"),
    [
        ({"connected": False, "lost_at": AT}, "lost", health.SILENT),
        ({"heard_at": AT - timedelta(seconds=90)}, "late", health.SILENT),
        ({"sounding": True, "amplifier": False}, "amplifier", health.SILENT),
        ({"line": "open"}, "line_open", health.SILENT),
        ({"line": "short"}, "line_short", health.SILENT),
        ({"mains": False}, "mains", health.FAULTY),
        ({"battery_percent": 12}, "battery", health.FAULTY),
        ({"clock_trusted": False}, "clock", health.FAULTY),
        ({"temperature_c": 80}, "hot", health.ACTIVE),
        ({"storage_free_mb": 10}, "storage", health.ACTIVE),
        ({"signal_dbm": -115}, "signal", health.ACTIVE),
        ({"wrong": "temperature_c"}, "sensor", health.ACTIVE),
        ({"heard": False}, "unmeasured", health.SILENT),
        ({"rehearsal_due": AT}, "rehearsal", health.SILENT),
        ({"sim": "locked"}, "no_sim", health.ACTIVE),
        ({"sim_expires_date": date(2026, 12, 1)}, "sim", health.ACTIVE),
        ({"data_used_mb": 900, "data_plan_mb": 1000}, "data", health.ACTIVE),
        ({"cloned_at": AT - MINUTE}, "clone", health.FAULTY),
        ({"losses": [AT - n * MINUTE for n in range(4)]}, "flapping", health.FAULTY),
        (
            {"evidence": {4: AT - timedelta(days=1), 2: AT}},
            "unmeasured",
            health.SILENT,
        ),
    ],
)
def test_every_cause_is_found_and_makes_its_state(
    more: dict[str, Any], cause: str, state: str
) -> None:
    verdict = judge(vitals(**more))

    assert verdict.open == {cause}
    assert verdict.state == state


def test_every_rule_is_tested_above() -> None:
    marks = test_every_cause_is_found_and_makes_its_state.pytestmark  # type: ignore[attr-defined]

    assert {case[1] for case in marks[0].args[1]} == set(health.CAUSES)


def test_a_healthy_device_has_no_fault() -> None:
    verdict = examine(vitals(mains=True, line="ok", amplifier=False), {}, at=AT)

    assert verdict.open == frozenset()
    assert verdict.state == health.ACTIVE
    assert verdict.look_at is None


def test_a_sim_is_looked_at_a_week_before_its_end() -> None:
    verdict = examine(vitals(sim_expires_date=date(2026, 12, 2)), {}, at=AT)

    assert verdict.open == frozenset()
    assert verdict.look_at == datetime(2026, 11, 25, tzinfo=health.LOCAL)


def test_a_condition_must_last_before_it_is_a_fault() -> None:
    v = vitals(line="open")

    first = examine(v, {}, at=AT)
    second = examine(v, first.since, at=AT + timedelta(seconds=14))
    third = examine(v, first.since, at=AT + timedelta(seconds=15))

    assert first.open == second.open == frozenset()
    assert first.look_at == AT + timedelta(seconds=15)
    assert third.open == {"line_open"}


def test_who_speaks_over_https_while_the_bus_is_blocked_is_not_lost() -> None:
    v = vitals(connected=False, lost_at=AT - 10 * MINUTE, heard_at=AT - MINUTE)

    assert examine(v, {}, at=AT).open == frozenset()
    assert examine(v, {}, at=AT + MINUTE).open == {"lost"}


def test_who_flaps_is_not_lost_at_once() -> None:
    losses = [AT - n * MINUTE for n in range(4)]
    v = vitals(connected=False, lost_at=AT, losses=losses)

    assert examine(v, {}, at=AT).open == {"flapping"}
    later = examine(v, {"lost": AT}, at=AT + 5 * MINUTE)
    assert later.open == {"flapping", "lost"}


@pytest.mark.parametrize(
    ("hours", "clock", "works"),
    [
        ((time(5), time(22)), time(10), True),
        ((time(5), time(22)), time(5, 5), False),  # waking up
        ((time(5), time(22)), time(5, 10), True),
        ((time(5), time(22)), time(22), False),
        ((time(5), time(22)), time(3), False),
        ((time(18), time(6)), time(3), True),  # over midnight
        ((time(18), time(6)), time(12), False),
    ],
)
def test_operating_hours_know_the_night(
    hours: health.Hours, clock: time, works: bool
) -> None:
    at = datetime.combine(AT.date(), clock, health.LOCAL)

    assert health.is_operating(hours, at=at) is works


def test_a_board_switched_off_at_night_is_no_fault_and_one_missed_at_dawn_is() -> None:
    hours = (time(5), time(22))
    night = datetime(2026, 11, 24, 22, 1, tzinfo=health.LOCAL)
    dawn = datetime(2026, 11, 25, 5, 10, tzinfo=health.LOCAL)
    v = vitals(connected=False, lost_at=night, heard_at=night, hours=hours)

    asleep = examine(v, {}, at=night)
    awake = examine(v, asleep.since, at=dawn)

    assert asleep.open == frozenset()
    assert asleep.look_at == dawn
    assert awake.open == {"lost"}


def test_a_fault_of_the_day_stays_open_over_night() -> None:
    lost = datetime(2026, 11, 24, 21, 0, tzinfo=health.LOCAL)
    night = datetime(2026, 11, 24, 23, 0, tzinfo=health.LOCAL)
    v = vitals(connected=False, lost_at=lost, heard_at=lost, hours=(time(5), time(22)))

    assert examine(v, {"lost": lost}, at=night).open == {"lost"}


def test_a_new_device_counts_only_when_it_has_sounded() -> None:
    silent = vitals(state=health.NEW, evidence={})
    claimed = vitals(state=health.NEW, evidence={beats.CLAIMED: AT})
    sounded = vitals(state=health.NEW, evidence={beats.DECODED: AT})

    assert examine(silent, {}, at=AT).state == health.NEW
    assert examine(claimed, {}, at=AT).state == health.NEW
    assert examine(sounded, {}, at=AT).state == health.ACTIVE


def test_a_repaired_device_proves_itself_before_it_counts() -> None:
    old = {beats.DECODED: AT - timedelta(hours=1)}
    fresh = {beats.DECODED: AT}
    done_at = AT - 5 * MINUTE

    def state(**more: Any) -> str:
        return examine(vitals(state=health.IN_REPAIR, **more), {}, at=AT).state

    assert state(evidence=fresh) == health.IN_REPAIR  # the work is not done yet
    assert state(evidence=old, proof_after=done_at) == health.IN_REPAIR
    assert state(evidence=fresh, proof_after=done_at) == health.ACTIVE


def test_what_is_retired_stays_so() -> None:
    v = vitals(state=health.RETIRED, connected=False, lost_at=AT)

    assert judge(v).state == health.RETIRED
    with pytest.raises(ConflictError):
        health.check_move(old=health.RETIRED, new=health.ACTIVE)


@given(
    st.builds(
        vitals,
        connected=st.booleans(),
        state=st.sampled_from(sorted(health.STATES)),
        lost_at=st.none() | st.just(AT - MINUTE),
        heard_at=st.none() | st.integers(0, 10).map(lambda n: AT - n * MINUTE),
        line=st.sampled_from(["", *beats.LINES]),
        mains=st.none() | st.booleans(),
        battery_percent=st.none() | st.integers(0, 100),
        proof_after=st.none() | st.just(AT - MINUTE),
        hours=st.none() | st.just((time(5), time(22))),
    ),
    st.sets(st.sampled_from(sorted(health.CAUSES))),
)
def test_every_verdict_is_a_move_of_the_table_and_looks_ahead(
    v: Vitals, causes: set[str]
) -> None:
    verdict = examine(v, {cause: AT - timedelta(hours=1) for cause in causes}, at=AT)

    if verdict.state != v.state:
        health.check_move(old=v.state, new=verdict.state)
    assert verdict.open <= set(verdict.since)
    assert verdict.look_at is None or verdict.look_at > AT

"""Beats become hours and days exactly: counted again from the raw beats."""

import random
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from nguon.core.beats import Beat
from nguon.fleet import actions, health, rollups
from nguon.fleet.models import BeatDay, BeatHour, Device, Registration
from nguon.people.models import Officer
from nguon.territory.models import Unit
from tests.conftest import PASSWORD
from tests.fleet.conftest import Speaker

DAY = date(2026, 11, 23)
BEGIN = datetime.combine(DAY, time.min, health.LOCAL)
MINUTE = 60_000


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def draw_beats(draw: random.Random, uid: str) -> list[tuple[Beat, int]]:
    """Return a day and its edges as (beat, ms of arrival): holes, a wrong clock."""
    found, at = [], ms(BEGIN) - 90 * MINUTE
    wrong_from, wrong_to = sorted(draw.randrange(1_600) for _ in range(2))
    while at < ms(BEGIN) + 1_500 * MINUTE:
        at += draw.choice((57, 60, 63, 60, 58, 61, 120, 400, 4_000)) * 1_000
        at += draw.randrange(1_000)
        late = draw.randrange(3_000)
        minute = (at - ms(BEGIN)) // MINUTE
        shift = 10_000_000 if wrong_from < minute < wrong_to else 0
        beat = Beat(
            device=uid,
            at=at + shift,
            mains=draw.choice((True, True, True, False, None)),
            sounding=draw.choice((True, False)),
            evidence=draw.choice(({}, {2: 50}, {2: 90, 4: 800_000}, {1: 100_000})),
            temperature_c=draw.choice((None, 30, 80)),
            signal_dbm=draw.choice((None, -80, -115)),
            clock_offset_ms=draw.choice((None, -900, 40)),
            clock_trusted=draw.choice((True, False, None)),
            battery_percent=draw.choice((None, 20, 90)),
            storage_free_mb=draw.choice((None, 5_000)),
            data_used_mb=draw.choice((None, 12, 900)),
            line=draw.choice((None, "ok", "open")),
        )
        found.append((beat, at + late))
    return found


def recount(heard: list[tuple[Beat, int]], expected: set[int]) -> dict[str, object]:
    """Count the day from the raw beats with sets of minutes: slow and plain."""
    so: dict[str, set[int]] = {name: set() for name in rollups.MINUTES}
    inside = []
    for beat, arrived in heard:
        moment = beat.at if abs(beat.at - arrived) <= 120_000 else arrived
        minute = (moment - ms(BEGIN)) // MINUTE
        if 0 <= minute < 1_440:
            inside.append(beat)
        so["heard"].add(minute)
        if beat.mains is not None:
            so["mains" if beat.mains else "battery"].add(minute)
        limits = {1: 86_400, 2: 172_800, 3: 604_800, 4: 604_800}
        good = [g for g, age in beat.evidence.items() if age <= limits[g]]
        if good:
            names = {1: "claimed", 2: "decoded", 3: "amplified", 4: "measured"}
            so[names[max(good)]].add(minute)
        for name, holds in (
            ("sounding", beat.sounding),
            ("line_bad", beat.line == "open"),
            ("doubtful", beat.clock_trusted is False),
            ("hot", (beat.temperature_c or 0) > 75),
            ("weak", (beat.signal_dbm or 0) < -110),
        ):
            if holds:
                so[name].add(minute)
    for name, minutes in so.items():
        holes = {m for m in range(1_440) if m - 1 in minutes and m + 1 in minutes}
        so[name] = {m for m in minutes | holes if 0 <= m < 1_440}
    so["mains"] -= so["battery"]
    so["amplified"] -= so["measured"]
    so["decoded"] -= so["amplified"] | so["measured"]
    so["claimed"] -= so["decoded"] | so["amplified"] | so["measured"]

    def known(name: str) -> list[int]:
        return [v for b in inside if (v := getattr(b, name)) is not None]

    def offsets() -> list[int]:
        return [abs(value) for value in known("clock_offset_ms")]

    return {
        **{name: len(minutes) for name, minutes in so.items()},
        "expected": len(expected),
        "missing": len(expected - so["heard"]),
        "temperature_min": min(known("temperature_c"), default=None),
        "temperature_max": max(known("temperature_c"), default=None),
        "signal_min": min(known("signal_dbm"), default=None),
        "signal_max": max(known("signal_dbm"), default=None),
        "storage_free_min": min(known("storage_free_mb"), default=None),
        "battery_min": min(known("battery_percent"), default=None),
        "clock_offset_max": max(offsets(), default=None),
        "data_used_max": max(known("data_used_mb"), default=None),
    }


def deliver(draw: random.Random, heard: list[tuple[Beat, int]], at: datetime) -> None:
    """Write beats as gateways may: twice, out of order, in odd batches."""
    told = heard + draw.sample(heard, len(heard) // 3)
    draw.shuffle(told)
    while told:
        size = draw.randrange(1, 400)
        batch, told = told[:size], told[size:]
        hours: dict[tuple[str, int], rollups.Hour] = {}
        for beat, arrived in batch:
            begin, hour = rollups.hour_of(beat, arrived=arrived)
            hours.setdefault((beat.device, begin), rollups.Hour()).merge(hour)
        for _again in range(draw.choice((1, 1, 2))):
            actions.record_hours(hours=hours, at=at)


@pytest.fixture
def speaker(enrol: Callable[..., Speaker], ia_grai: Unit) -> Device:
    device = enrol(ia_grai).row
    Device.objects.filter(pk=device.pk).update(decided_at=BEGIN - timedelta(days=9))
    Registration.objects.update_or_create(device=device)
    return device


@pytest.mark.parametrize("seed", range(6))
def test_a_day_counted_from_hours_is_the_day_counted_from_beats(
    speaker: Device, seed: int
) -> None:
    draw = random.Random(seed)
    heard = draw_beats(draw, speaker.uid)
    expected = set(range(1_440))
    if seed % 3:
        opens, closes = ((time(5), time(21)), (time(18, 30), time(6)))[seed % 2]
        Registration.objects.filter(pk=speaker.pk).update(
            hours_from=opens, hours_to=closes
        )
        at = {minute: time(minute // 60, minute % 60) for minute in expected}
        if opens < closes:
            expected = {minute for minute in at if opens <= at[minute] < closes}
        else:
            expected = {minute for minute in at if not closes <= at[minute] < opens}
    deliver(draw, heard, BEGIN + timedelta(days=1))

    actions.roll_days(at=BEGIN + timedelta(days=1, minutes=6))

    row = BeatDay.objects.filter(day=DAY).values().get()
    told = recount(heard, expected)
    assert {name: row[name] for name in told} == told
    assert row["unit_id"] == speaker.unit_id


def test_a_beat_that_comes_after_the_day_was_counted_changes_it(
    speaker: Device,
) -> None:
    draw = random.Random(9)
    heard = draw_beats(draw, speaker.uid)
    first, rest = heard[: len(heard) // 2], heard[len(heard) // 2 :]
    deliver(draw, first, BEGIN + timedelta(days=1))
    actions.roll_days(at=BEGIN + timedelta(days=1, minutes=6))
    deliver(draw, rest, BEGIN + timedelta(days=1, minutes=30))

    again = actions.roll_days(at=BEGIN + timedelta(days=1, minutes=40))
    idle = actions.roll_days(at=BEGIN + timedelta(days=1, hours=2))

    row = BeatDay.objects.filter(day=DAY).values().get()
    told = recount(heard, set(range(1_440)))
    assert {name: row[name] for name in told} == told
    assert again > 0
    assert idle == 0


def test_a_silent_day_is_counted_as_silent_and_not_left_out(speaker: Device) -> None:
    begin = ms(BEGIN - timedelta(days=1))
    actions.record_hours(hours={(speaker.uid, begin): rollups.Hour(heard=1)}, at=BEGIN)

    actions.roll_days(at=BEGIN + timedelta(days=1, minutes=6))

    row = BeatDay.objects.get(day=DAY)
    assert (row.expected, row.missing, row.heard) == (1_440, 1_440, 0)


def test_days_that_passed_while_no_worker_ran_are_counted_later(
    speaker: Device,
) -> None:
    for back in range(8):
        begin = ms(BEGIN - timedelta(days=back))
        hour = rollups.Hour(heard=0b1011)
        actions.record_hours(hours={(speaker.uid, begin): hour}, at=BEGIN)

    actions.roll_days(at=BEGIN + timedelta(days=1, minutes=6))

    assert BeatDay.objects.filter(heard=4).count() == 8


def test_hours_are_forgotten_after_two_months_and_days_are_kept(
    speaker: Device,
) -> None:
    hour = rollups.Hour(heard=1)
    actions.record_hours(hours={(speaker.uid, ms(BEGIN)): hour}, at=BEGIN)
    actions.roll_days(at=BEGIN + timedelta(days=1, minutes=6))
    actions.roll_days(at=BEGIN + timedelta(days=70))

    assert not BeatHour.objects.exists()
    assert BeatDay.objects.filter(day=DAY, heard=1).exists()


def test_hours_of_a_device_that_nobody_knows_are_left_out(speaker: Device) -> None:
    hours = {("aaaaaaaaaaaa", ms(BEGIN)): rollups.Hour(heard=1)}

    assert actions.record_hours(hours=hours, at=BEGIN) == 0


hours_drawn = st.builds(
    rollups.Hour,
    **{name: st.integers(0, 2**60 - 1) for name in rollups.MINUTES},
    **{
        name: st.none() | st.integers(-100, 100)
        for name in (*rollups.LEAST, *rollups.GREATEST)
    },
)


@given(st.lists(hours_drawn, min_size=1, max_size=5), st.randoms())
def test_accounts_of_an_hour_merge_alike_in_any_order_and_number(
    accounts: list[rollups.Hour], draw: random.Random
) -> None:
    once, often = rollups.Hour(), rollups.Hour()
    for one in accounts:
        once.merge(one)
    again = accounts * 2
    draw.shuffle(again)
    for one in again:
        often.merge(one)

    assert once == often


def test_the_database_merges_as_the_rules_do(speaker: Device) -> None:
    draw = random.Random(3)
    whole = rollups.Hour()
    for _ in range(40):
        one = rollups.Hour(
            **{name: draw.getrandbits(60) & draw.getrandbits(60) & draw.getrandbits(60)
               for name in rollups.MINUTES},
            **{name: draw.choice((None, draw.randrange(-90, 90)))
               for name in (*rollups.LEAST, *rollups.GREATEST)},
        )  # fmt: skip
        whole.merge(one)
        actions.record_hours(hours={(speaker.uid, ms(BEGIN)): one}, at=BEGIN)

    row = BeatHour.objects.values_list(*rollups.HOUR_FIELDS).get()
    assert rollups.Hour(*row) == whole


def test_the_page_of_a_device_shows_its_last_ninety_days(
    speaker: Device, tung: Officer, client: Client, now: datetime, tmp_path: Path
) -> None:
    actions.ensure_health(at=now)
    hours = {
        (speaker.uid, ms(BEGIN) + hour * rollups.HOUR_MS): rollups.Hour(
            heard=2**60 - 1, measured=2**30 - 1
        )
        for hour in range(12)
    }
    actions.record_hours(hours=hours, at=BEGIN)
    actions.roll_days(at=BEGIN + timedelta(days=1, minutes=6))
    client.login(username="tung", password=PASSWORD)

    page = client.get(f"/thiet-bi/{speaker.uid}/").content.decode()

    assert "90 ngày qua" in page
    assert "23/11/2026: 12 giờ 0 phút" in page
    assert "23/11/2026: 6 giờ 0 phút" in page

"""A week of made-up facts: bulletins, alerts, plays, beats and faults."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pytest

from nguon.audit.months import LOCAL
from nguon.core.signing import SigningKey
from nguon.fleet import health
from nguon.fleet.models import BeatDay, Device, Fault, Registration
from nguon.indicators import actions
from nguon.newsroom import actions as newsroom
from nguon.newsroom.rules import Draft
from nguon.people.models import Officer
from nguon.plan import actions as plans
from nguon.plan.rules import PlanWords, TaskWords
from nguon.registers.models import (
    Lesson,
    PracticeProof,
    Propagandist,
    StaffMember,
    Station,
    Training,
)
from nguon.schedule import actions as schedule
from nguon.schedule import rules
from nguon.schedule.actions.days import count_day as count_plays
from nguon.schedule.models import (
    Airing,
    Broadcast,
    CountedDay,
    InboxEntry,
    PlayRecord,
)
from nguon.schedule.station import StationRules
from nguon.territory.models import Unit
from tests.conftest import make_unit
from tests.schedule import stations
from tests.schedule.conftest import server_keys, signing_keys, voice_all

__all__ = ["server_keys", "signing_keys"]
FIRST, DAYS = date(2026, 11, 24), 7
Generate = Callable[[int], "Week"]


@dataclass(frozen=True)
class Week:
    """What was made up: the days, and when they are all over."""

    days: Sequence[date]
    over: datetime


def local(day: date, hour: float) -> datetime:
    """Return a moment of a local day."""
    begin = datetime.combine(day, time.min, LOCAL).astimezone(UTC)
    return begin + timedelta(hours=hour)


@pytest.fixture
def third(province: Unit) -> Unit:
    """Return a commune with villages and not a single device."""
    commune = make_unit("commune", "23999", "Xã Kông Chro", province)
    make_unit("village", "K1", "Làng Kon", commune)
    return commune


@pytest.fixture
def generate(
    province: Unit,
    ia_grai: Unit,
    dak_doa: Unit,
    third: Unit,
    lan: Officer,
    minh: Officer,
    hoa: Officer,
    quan: Officer,
    tung: Officer,
    admin: Officer,
    now: datetime,
) -> Generate:
    """Return a function that makes up a week from a seed."""

    def do(seed: int) -> Week:
        draw = random.Random(seed)
        villages = [
            make_unit("village", f"L{n}{commune.code}", f"Làng {n}", commune)
            for commune in (ia_grai, dak_doa)
            for n in range(3)
        ]
        devices = _devices(draw, [ia_grai, *villages], tung, now)
        days = [FIRST + timedelta(days=n) for n in range(DAYS)]
        _program(ia_grai, lan, minh, now)
        (supplier,) = newsroom.add_suppliers(
            unit=ia_grai, names=["Công an xã"], by=admin, at=now
        )
        for number in range(7):
            unit, by, second = draw.choice(
                [
                    (ia_grai, lan, minh),
                    (dak_doa, hoa, quan),
                    (province, quan, admin),
                ]
            )
            source = draw.choice([None, supplier.pk]) if unit == ia_grai else None
            at = local(draw.choice(days), 11 + number / 2)
            _bulletin(draw, unit, by, second, source, at)
        _inbox(draw, {ia_grai: lan, dak_doa: hoa}, days)
        _plays(draw, devices, days)
        _beats(draw, devices, days)
        _faults(draw, devices, days)
        _registers(draw, [province, ia_grai, dak_doa], villages, quan, now)
        _costs(draw, province, [ia_grai, dak_doa], quan, now)
        over = local(days[-1] + timedelta(days=1), 3)
        CountedDay.objects.bulk_create([CountedDay(day=day) for day in days])
        for day in days:
            count_plays(day=day, at=over)
        return Week(days, over)

    return do


def _devices(
    draw: random.Random, places: Sequence[Unit], tung: Officer, at: datetime
) -> list[Device]:
    found = []
    for number in range(9):
        unit = draw.choice(places)
        found.append(
            Device.objects.create(
                kind="board" if number % 4 == 3 else "speaker",
                name=f"Máy {number}", unit=unit, state="active",
                public_key=SigningKey.generate().public.x,
                enrolled_at=at, decided_by=tung, decided_at=at,
            )
        )  # fmt: skip
        paper = Registration.objects.create(device=found[-1])
        if draw.random() < 0.4:
            paper.villages.set(draw.sample(places[1:], 2))
    return found


def _program(unit: Unit, lan: Officer, minh: Officer, at: datetime) -> None:
    """Let a station sound a bulletin every day, for whoever is in use there."""
    shelved = stations.shelve(unit, lan, minh, at)
    body = StationRules(slots=(stations.slot(),))
    stations.put_in_force(unit, body, lan, minh, at)
    stations.put_in_force(unit, stations.programme(shelved), lan, minh, at)


def _bulletin(
    draw: random.Random,
    unit: Unit,
    by: Officer,
    second: Officer,
    supplier: int | None,
    at: datetime,
) -> Broadcast | None:
    klass = draw.choice(["normal", "priority", "emergency", "emergency"])
    bulletin = newsroom.create_bulletin(
        unit=unit,
        draft=Draft(
            "Họp dân", "Mời bà con họp lúc 19h00.", klass, draw.randint(1, 6),
            supplier=supplier,
        ),
        drill=klass == "emergency" and draw.random() < 0.3,
        by=by,
        at=at,
    )  # fmt: skip
    timing = rules.Timing(rules.NOW)
    if klass == "emergency":
        timing = rules.Timing(rules.NOW, expires_at=at + timedelta(hours=1))
    one = schedule.submit(
        bulletin_id=bulletin.pk, timing=timing, units=[unit], devices=[], by=by, at=at
    )
    voice_all(at)
    one.refresh_from_db()
    if draw.random() < 0.15:
        return None  # nobody released it
    return schedule.release(broadcast_uid=one.uid, sha256=one.sha256, by=second, at=at)


def _inbox(
    draw: random.Random, officers: Mapping[Unit, Officer], days: Sequence[date]
) -> None:
    """Let communes take, leave or not look at what came from above."""
    rows = InboxEntry.objects.filter(unit__in=officers).select_related("unit")
    for entry in rows.order_by("pk"):
        late = [day for day in days if local(day, 20) > entry.arrived_at]
        how = {"entry_id": entry.pk, "by": officers[entry.unit],
               "at": local(draw.choice(late), 20)}  # fmt: skip
        fate = draw.choice(["take", "take", "leave", "wait"])
        if fate == "take":
            schedule.take_entry(**how)
        elif fate == "leave":
            schedule.leave_entry(reason="Không hợp xã", **how)


def _plays(
    draw: random.Random, devices: Sequence[Device], days: Sequence[date]
) -> None:
    until = local(days[-1], 24)
    rows = []
    for airing in Airing.objects.filter(starts_at__lt=until).order_by("pk"):
        for device in devices:
            if draw.random() < 0.3 or not device.unit.path.startswith(
                (airing.unit or device.unit).path
            ):
                continue
            outcome = draw.choice(["finished", "finished", "cut", "missed", ""])
            started = airing.starts_at + timedelta(
                milliseconds=draw.randint(-300, 90_000)
            )
            has_begun = outcome != "missed" and draw.random() < 0.9
            rows.append(
                PlayRecord(
                    device=device, unit=device.unit, broadcast=airing.broadcast,
                    item=airing.item, planned_at=airing.starts_at,
                    started_at=started if has_begun else None,
                    ended_at=started + timedelta(seconds=5) if outcome else None,
                    sounded_ms=draw.choice([0, 1_999, 4_000]) if has_begun else 0,
                    outcome=outcome, grade=draw.choice([0, 1, 2, 3, 4]),
                )
            )  # fmt: skip
    PlayRecord.objects.bulk_create(rows)


def _beats(
    draw: random.Random, devices: Sequence[Device], days: Sequence[date]
) -> None:
    names = ("mains", "battery", "sounding", "line_bad", "doubtful", "hot", "weak")
    rows = [
        BeatDay(
            device=device, unit=device.unit, day=day, made_at=local(day, 25),
            expected=1440, missing=10, heard=1400,
            **dict.fromkeys(names, 0),
            **{
                grade: draw.choice([0, 0, 0, 0, 3])
                for grade in ("claimed", "decoded", "amplified", "measured")
            },
        )
        for device in devices
        for day in days
        if draw.random() < 0.8
    ]  # fmt: skip
    BeatDay.objects.bulk_create(rows)


def _faults(
    draw: random.Random, devices: Sequence[Device], days: Sequence[date]
) -> None:
    rows = []
    for device in devices:
        for cause in draw.sample(sorted(health.CAUSES), 4):
            began = local(draw.choice(days), draw.random() * 24)
            ended = began + timedelta(seconds=draw.randint(0, 200_000))
            rows.append(
                Fault(
                    device=device, unit=device.unit, cause=cause, began_at=began,
                    opened_at=began, closed_at=draw.choice([None, ended, ended]),
                )
            )  # fmt: skip
    Fault.objects.bulk_create(rows)


def _registers(
    draw: random.Random,
    offices: Sequence[Unit],
    villages: Sequence[Unit],
    by: Officer,
    at: datetime,
) -> None:
    """Write lines that began, ended and learnt before, within and after the week."""
    common = {"added_by": by, "added_at": at}
    training = Training.objects.create(
        unit=offices[0], title="Đợt 1", folded="dot 1", **common
    )
    lessons = [
        Lesson.objects.create(training=training, number=n, title=f"Bài {n}")
        for n in (1, 2)
    ]

    def some_day() -> date:
        return FIRST + timedelta(days=draw.randint(-9, DAYS + 1))

    for number in range(24):
        begun = some_day()
        ended = draw.choice([None, begun + timedelta(days=draw.randint(1, 9))])
        period = {
            "full_name": f"Người {number}", "folded": f"nguoi {number}",
            "from_date": begun, "to_date": ended, **common,
        }  # fmt: skip
        Propagandist.objects.create(
            unit=draw.choice(villages), decision_number=f"{number}/QĐ", **period
        )
        person = StaffMember.objects.create(
            unit=draw.choice(offices), post="Cán bộ", **period
        )
        for lesson in lessons[: draw.randint(0, 2)]:
            PracticeProof.objects.create(
                lesson=lesson, staff_member=person, proven_on=some_day(),
                recorded_by=by, recorded_at=at,
            )  # fmt: skip
        Station.objects.create(
            unit=draw.choice(offices[1:]), name=f"Đài {number}",
            folded=f"dai {number}", kind=draw.choice(["it", "wired", "fm"]),
            year=draw.choice([2014, 2026, 2027]), source="commune",
            ended_on=draw.choice([None, None, some_day()]), **common,
        )  # fmt: skip
    # Everybody of the first days told something: an empty register has no figure.
    early = {"from_date": FIRST - timedelta(days=99), **common}
    for unit in offices:
        StaffMember.objects.create(
            unit=unit, full_name="Siu Sớm", folded="siu som", post="Cán bộ", **early
        )
    for unit in villages:
        Propagandist.objects.create(
            unit=unit, full_name="Siu Sớm", folded="siu som", decision_number="1",
            **early,
        )  # fmt: skip


def _costs(
    draw: random.Random,
    province: Unit,
    communes: Sequence[Unit],
    quan: Officer,
    at: datetime,
) -> None:
    """Write what stations and clusters cost: in three plans, one never sent down."""
    for number in range(3):
        words = PlanWords(
            title=f"Kế hoạch {number}",
            first_date=date(2026, 1, 1),
            last_date=date(2026, 12, 31),
        )
        plan = plans.draft_plan(
            unit=province, keeper=province, words=words, by=quan, at=at
        )
        task = TaskWords("Giữ loa kêu", "Các xã", "Loa kêu")
        plans.add_task(plan_id=plan.pk, words=task, units=communes, by=quan, at=at)
        for unit in [*communes, province]:
            for year in (2025, 2026):
                plans.set_running_cost(
                    plan_id=plan.pk, unit=unit, year=year,
                    per_station=draw.randint(0, 9) * 10**6,
                    per_cluster=draw.randint(1, 9) * 10**5,
                    by=quan, at=at + timedelta(hours=number),
                )  # fmt: skip
        if number < 2:
            plans.send_plan(plan_id=plan.pk, by=quan, at=at)


@pytest.fixture
def week(generate: Generate) -> Week:
    """Return a week whose facts are counted."""
    made = generate(20261124)
    for day in made.days:
        actions.count_day(day=day, at=made.over)
    return made

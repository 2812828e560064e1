"""Beats, losses and proofs become faults, incidents and notices; few queries do it."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from nguon.core import beats
from nguon.core.beats import Beat
from nguon.fleet import actions, health, queries
from nguon.fleet.models import (
    Device,
    DeviceEvent,
    Fault,
    Health,
    Incident,
    Registration,
    SignalChange,
)
from nguon.people.models import Notice, Officer
from nguon.territory.models import Unit
from tests.conftest import make_unit

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
Install = Callable[..., list[Device]]


def beat(device: Device, at: datetime, **more: Any) -> dict[str, Beat]:
    return {device.uid: Beat(device=device.uid, at=1, **more)}


def lose(devices: list[Device], at: datetime) -> None:
    actions.record_connections(here=(), away={one.uid for one in devices}, at=at)


def come_back(devices: list[Device], at: datetime) -> None:
    actions.record_connections(here={one.uid for one in devices}, away=(), at=at)


def open_causes(device: Device) -> list[str]:
    found = Fault.objects.filter(device=device, closed_at__isnull=True)
    return sorted(found.values_list("cause", flat=True))


def test_a_beat_is_kept_and_its_changes_make_a_timeline(
    install: Install, village: Unit, now: datetime
) -> None:
    (device,) = install(village)

    for seconds, line in ((60, "ok"), (120, "ok"), (180, "open")):
        at = now + seconds * SECOND
        told = beat(device, at, line=line, mains=True, temperature_c=30 + seconds // 60)
        assert actions.record_beats(heard=told, at=at) == 1

    row = Health.objects.get(pk=device.pk)
    assert (row.line, row.mains, row.temperature_c) == ("open", True, 33)
    assert row.heard_at == now + 180 * SECOND
    changes = SignalChange.objects.filter(device=device).exclude(signal="state")
    found = list(changes.order_by("pk").values_list("signal", "old", "new"))
    assert ("line", "", "ok") in found
    assert ("line", "ok", "open") in found
    assert len([row for row in found if row[0] == "temperature"]) == 1


def test_a_condition_becomes_a_fault_and_its_end_closes_it(
    install: Install, village: Unit, now: datetime
) -> None:
    (device,) = install(village)

    actions.record_beats(heard=beat(device, now, line="open"), at=now)
    actions.examine_fleet(at=now)
    assert open_causes(device) == []
    actions.examine_fleet(at=now + 15 * SECOND)

    fault = Fault.objects.get(device=device)
    assert (fault.cause, fault.began_at, fault.unit) == ("line_open", now, village)
    assert Health.objects.get(pk=device.pk).state == health.SILENT
    later = now + MINUTE
    actions.record_beats(heard=beat(device, later, line="ok"), at=later)
    actions.examine_fleet(at=later)
    assert open_causes(device) == []
    assert Health.objects.get(pk=device.pk).state == health.ACTIVE
    states = SignalChange.objects.filter(device=device, signal="state")
    assert list(states.order_by("pk").values_list("new", flat=True)) == [
        health.SILENT,
        health.ACTIVE,
    ]


def test_a_hung_device_is_found_after_ninety_seconds_and_found_back(
    install: Install, village: Unit, now: datetime
) -> None:
    (device,) = install(village)

    actions.examine_fleet(at=now + 89 * SECOND)
    assert open_causes(device) == []
    actions.examine_fleet(at=now + 91 * SECOND)
    assert open_causes(device) == ["late"]
    actions.record_beats(heard=beat(device, now), at=now + 100 * SECOND)
    actions.examine_fleet(at=now + 101 * SECOND)

    assert open_causes(device) == []


def test_a_board_that_sleeps_at_night_is_no_fault(
    install: Install, village: Unit, now: datetime
) -> None:
    (device,) = install(village)
    paper = Registration.objects.filter(pk=device.pk)
    paper.update(hours_from=time(5), hours_to=time(22))
    night = datetime(2026, 11, 24, 22, 30, tzinfo=health.LOCAL)

    Health.objects.filter(pk=device.pk).update(heard_at=night)
    lose([device], night)
    for minutes in (0, 60, 6 * 60):
        actions.examine_fleet(at=night + minutes * MINUTE)
    assert open_causes(device) == []
    actions.examine_fleet(at=datetime(2026, 11, 25, 5, 10, tzinfo=health.LOCAL))

    assert open_causes(device) == ["lost"]


def test_forty_devices_of_one_mast_are_one_incident_and_one_notice(
    install: Install,
    village: Unit,
    ia_grai: Unit,
    dak_doa: Unit,
    tung: Officer,
    now: datetime,
) -> None:
    mast = install(village, 20, mast="GLI0123") + install(dak_doa, 20, mast="GLI0123")
    others = install(ia_grai, 30) + install(dak_doa, 110)

    for part in range(4):
        at = now + part * 5 * SECOND
        lose(mast[part::4], at)
        actions.examine_fleet(at=at)
    actions.examine_fleet(at=now + 30 * SECOND)

    incident = Incident.objects.get()
    assert (incident.mast, incident.size, incident.kind) == ("GLI0123", 40, "outage")
    assert Fault.objects.filter(incident=incident).count() == 40
    assert Notice.objects.filter(officer=tung).count() == 1
    assert "40 thiết bị" in Notice.objects.get(officer=tung).subject
    come_back(mast, now + MINUTE)
    actions.examine_fleet(at=now + MINUTE)
    incident.refresh_from_db()
    assert incident.closed_at == now + MINUTE
    assert Notice.objects.count() == 1
    assert not Fault.objects.filter(device__in=others).exists()


def test_a_third_of_a_commune_is_an_incident_and_two_devices_are_none(
    install: Install, village: Unit, ia_grai: Unit, dak_doa: Unit, now: datetime
) -> None:
    small = install(village, 9)
    pair = install(dak_doa, 9)

    lose(small[:3] + pair[:2], now)
    actions.examine_fleet(at=now)

    incident = Incident.objects.get()
    assert (incident.unit, incident.size) == (ia_grai, 3)
    assert Fault.objects.filter(incident__isnull=True).count() == 2


def test_what_is_lost_later_joins_the_open_incident(
    install: Install, village: Unit, now: datetime
) -> None:
    devices = install(village, 30)

    lose(devices[:6], now)
    actions.examine_fleet(at=now)
    Health.objects.update(heard_at=now + 10 * MINUTE)
    lose(devices[6:7], now + 10 * MINUTE)
    actions.examine_fleet(at=now + 10 * MINUTE)

    assert Incident.objects.get().size == 7


def test_a_third_of_the_province_is_one_incident(
    install: Install, province: Unit, now: datetime
) -> None:
    communes = [
        make_unit("commune", f"9000{n}", f"Xã Mẫu {n}", province) for n in range(4)
    ]
    devices = [install(unit, 10) for unit in communes]

    lose([one for group in devices for one in group[:6]], now)
    actions.examine_fleet(at=now)

    assert (Incident.objects.get().unit, Incident.objects.get().size) == (province, 24)


def test_who_flaps_has_one_fault_not_ten(
    install: Install, village: Unit, now: datetime
) -> None:
    (device,) = install(village)

    for n in range(10):
        at = now + n * MINUTE
        lose([device], at)
        actions.examine_fleet(at=at)
        come_back([device], at + 5 * SECOND)
        actions.examine_fleet(at=at + 5 * SECOND)

    assert open_causes(device) == ["flapping"]
    assert Fault.objects.filter(device=device, cause="lost").count() == 3
    quiet = now + 41 * MINUTE
    Health.objects.filter(pk=device.pk).update(heard_at=quiet)
    actions.examine_fleet(at=quiet)
    assert open_causes(device) == []


def test_a_lone_fault_is_told_once_after_two_minutes(
    install: Install, village: Unit, tung: Officer, lan: Officer, now: datetime
) -> None:
    (device, _other) = install(village, 2)

    lose([device], now)
    for seconds in (0, 60, 121, 300):
        at = now + seconds * SECOND
        Health.objects.exclude(pk=device.pk).update(heard_at=at)
        actions.examine_fleet(at=at)

    notice = Notice.objects.get()
    assert notice.officer == tung
    assert notice.subject == f"{device.name}: Mất kết nối"
    assert notice.url == f"/thiet-bi/{device.uid}/"


def test_proofs_come_from_finished_plays_and_make_a_new_device_active(
    install: Install, village: Unit, now: datetime
) -> None:
    (device,) = install(village)
    Health.objects.update(state=health.NEW, decoded_at=None, look_at=now)
    assert queries.count_audible([village], now, beats.DECODED) == 0

    def play(n: int, level: float, ahead: timedelta = MINUTE * 0) -> None:
        DeviceEvent.objects.create(
            device=device, log="l", n=n, type="finished", at=now + ahead, stored_at=now,
            data={"sounded_ms": 4000, "level_dbfs": level},
        )  # fmt: skip

    play(1, -90.0)
    actions.record_proofs(at=now)
    assert queries.count_audible([village], now, beats.DECODED) == 0
    play(2, -18.0, ahead=timedelta(days=30))
    actions.record_proofs(at=now)
    actions.examine_fleet(at=now)

    row = Health.objects.get(pk=device.pk)
    assert (row.state, row.decoded_at) == (health.ACTIVE, now)
    assert row.audible_until == now + timedelta(days=2)
    assert queries.count_audible([village], now, beats.DECODED) == 1
    assert queries.count_audible([village], now, beats.AMPLIFIED) == 0
    assert queries.count_audible([village], now + timedelta(days=2), 1) == 0


def test_what_sounded_is_asked_by_grade_and_ground(
    install: Install, village: Unit, dak_doa: Unit, province: Unit, now: datetime
) -> None:
    measured, amplified, decoded, claimed = install(village, 4)
    (foreign,) = install(dak_doa)
    Health.objects.update(decoded_at=None)
    for device, name in (
        (measured, "measured_at"), (amplified, "amplified_at"),
        (decoded, "decoded_at"), (claimed, "claimed_at"), (foreign, "decoded_at"),
    ):  # fmt: skip
        Health.objects.filter(pk=device.pk).update(**{name: now - MINUTE})

    counts = [queries.count_audible([village], now, grade) for grade in (1, 2, 3, 4)]

    assert counts == [4, 3, 2, 1]
    assert queries.count_audible([province], now, 2) == 4
    assert queries.count_audible([dak_doa], now, 2) == 1


def test_a_revoked_device_has_no_faults_any_more(
    install: Install, village: Unit, tung: Officer, now: datetime
) -> None:
    (device,) = install(village)
    lose([device], now)
    actions.examine_fleet(at=now)
    assert open_causes(device) == ["lost"]

    actions.revoke_device(device_id=device.pk, by=tung, at=now + MINUTE)
    actions.examine_fleet(at=now + 10 * MINUTE)

    assert open_causes(device) == []
    assert Health.objects.get(pk=device.pk).state == health.RETIRED


def test_the_rules_ask_few_questions_however_many_devices_there_are(
    install: Install, village: Unit, now: datetime
) -> None:
    def count(devices: list[Device], at: datetime) -> int:
        lose(devices, at)
        with CaptureQueriesContext(connection) as asked:
            assert actions.examine_fleet(at=at) >= len(devices)
        return len(asked)

    few, many = install(village, 4), install(village, 200)

    first = count(few, now)
    second = count(many, now + 5 * MINUTE)

    assert first <= 25
    assert second <= 40
    with CaptureQueriesContext(connection) as idle:
        actions.examine_fleet(at=now + 5 * MINUTE + SECOND)
    assert len(idle) <= 14


def test_the_database_itself_refuses_a_second_open_fault(
    install: Install, village: Unit, now: datetime
) -> None:
    (device,) = install(village)
    row = {
        "device": device, "unit": village, "cause": "lost", "began_at": now,
        "opened_at": now,
    }  # fmt: skip
    Fault.objects.create(**row)

    with pytest.raises(IntegrityError), transaction.atomic():
        Fault.objects.create(**row)
    with pytest.raises(IntegrityError), transaction.atomic():
        Health.objects.filter(pk=device.pk).update(state="dancing")


def test_incident_pages_are_for_whom_they_concern(
    install: Install,
    client: Any,
    village: Unit,
    tung: Officer,
    hoa: Officer,
    now: datetime,
) -> None:
    devices = install(village, 6)
    lose(devices, now)
    actions.examine_fleet(at=now)
    uid = Incident.objects.get().uid
    client.defaults["HTTP_HOST"] = "127.0.0.1"

    client.force_login(tung)
    page = client.get(f"/thiet-bi/su-co/{uid}/")
    table = client.get("/thiet-bi/su-co/xuat.csv").content.decode()
    assert devices[0].name in page.content.decode()
    assert uid in table
    assert uid in client.get("/thiet-bi/su-co/?dang_mo=1&tim=ia+grai").content.decode()
    assert uid not in client.get("/thiet-bi/su-co/?tim=ayun").content.decode()
    client.force_login(hoa)
    assert client.get(f"/thiet-bi/su-co/{uid}/").status_code == 404
    assert uid not in client.get("/thiet-bi/su-co/").content.decode()

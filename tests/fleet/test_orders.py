"""A repair is begun and ended by a person, and closed by the device's own sound."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client

from nguon.audit.models import Record
from nguon.core import beats
from nguon.core.beats import Beat
from nguon.core.errors import ConflictError, InvalidError
from nguon.fleet import actions, health, queries, repairs
from nguon.fleet.models import (
    Device,
    DeviceEvent,
    DeviceReport,
    Fault,
    Health,
    Registration,
    Rehearsal,
    SignedDocument,
    WorkOrder,
)
from nguon.fleet.views import trouble
from nguon.people.models import Notice, Officer
from nguon.territory.models import Unit
from tests.fleet.conftest import Speaker, payload
from tests.fleet.test_photos import picture

Enrol = Callable[..., Speaker]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def speaker(enrol: Enrol, village: Unit, now: datetime) -> Device:
    """Return a connected device that has sounded, and then fell silent."""
    row = enrol(village).row
    actions.record_connections(here={row.uid}, away=(), at=now)
    told = {row.uid: Beat(device=row.uid, at=1, evidence={beats.DECODED: 60})}
    actions.record_beats(heard=told, at=now)
    actions.examine_fleet(at=now)
    told = {row.uid: Beat(device=row.uid, at=1, line="open")}
    actions.record_beats(heard=told, at=now + MINUTE)
    for seconds in (0, 15):
        actions.examine_fleet(at=now + MINUTE + timedelta(seconds=seconds))
    return row


def state(device: Device) -> str:
    return Health.objects.get(pk=device.pk).state


def sound(device: Device, at: datetime) -> None:
    """Have the device tell that it sounded just now."""
    told = Beat(device=device.uid, at=1, line="ok", evidence={beats.DECODED: 0})
    actions.record_beats(heard={device.uid: told}, at=at)
    actions.examine_fleet(at=at)
    actions.verify_orders(at=at)


def agree(device: Device, at: datetime, *, agreed: bool = True) -> bool:
    """Have the device rehearse, and the comparison come out so."""
    row = Rehearsal.objects.get(device=device, ended_at=None)
    event = DeviceEvent.objects.create(
        device=device, log="1", n=DeviceEvent.objects.count() + 1, type="rehearsed",
        at=at, item=row.uid, stored_at=at,
    )  # fmt: skip
    found = {"codes": [] if agreed else ["plan"]}
    return actions.settle_rehearsal(
        rehearsal_id=row.pk, event=event, agreed=agreed, found=found, at=at
    )


def told_rehearsal(device: Device) -> str:
    """Return the rehearsal that the device's settings in force name."""
    held = SignedDocument.objects.get(
        kind="settings", device=device, superseded_at=None
    )
    return str(payload(held.jws)["rehearsal"])


def test_a_repair_ends_only_when_the_device_is_heard_again(
    speaker: Device, tung: Officer, now: datetime
) -> None:
    at = now + 2 * MINUTE
    assert state(speaker) == health.SILENT
    asked: dict[str, Any] = {"by": tung, "at": at}

    order = actions.open_order(device_id=speaker.pk, task="Nối lại dây loa", **asked)
    assert order.fault is not None
    assert order.fault.cause == "line_open"
    actions.start_order(order_id=order.pk, **asked)
    assert state(speaker) == health.IN_REPAIR
    sound(speaker, at + MINUTE)  # tried out while working: no proof yet
    assert state(speaker) == health.IN_REPAIR
    done_at = at + 5 * MINUTE
    order = actions.finish_order(
        order_id=order.pk,
        causes=["line"],
        parts="5 m dây",
        cost=120_000,
        notes="",
        by=tung,
        at=done_at,
    )
    assert (order.state, order.tests) == (repairs.DONE, 1)
    commands = SignedDocument.objects.filter(kind="command", device=speaker)
    verbs = {str(payload(command.jws)["verb"]) for command in commands}
    assert verbs == {"test", "rehearse"}
    actions.examine_fleet(at=done_at)
    assert state(speaker) == health.IN_REPAIR
    assert agree(speaker, done_at + MINUTE)
    sound(speaker, done_at + MINUTE)

    order.refresh_from_db()
    assert (order.state, order.ended_at) == (repairs.VERIFIED, done_at + MINUTE)
    assert state(speaker) == health.ACTIVE
    mean = queries.mean_time_to_repair(WorkOrder.objects.all(), since=now)
    assert mean == order.ended_at - order.fault.began_at


def test_the_quiet_test_waits_for_the_morning_and_for_the_connection(
    speaker: Device, tung: Officer, now: datetime
) -> None:
    night = datetime(2026, 11, 24, 23, 0, tzinfo=health.LOCAL)
    order = actions.open_order(device_id=speaker.pk, task="Sửa", by=tung, at=night)
    actions.start_order(order_id=order.pk, by=tung, at=night)
    actions.finish_order(
        order_id=order.pk, causes=["line"], parts="", cost=0, notes="", by=tung,
        at=night,
    )  # fmt: skip
    order.refresh_from_db()
    assert order.tests == 0

    morning = datetime(2026, 11, 25, 5, 0, tzinfo=health.LOCAL)
    assert actions.send_quiet_tests(at=morning - MINUTE) == 0
    actions.record_connections(here=(), away={speaker.uid}, at=morning)
    assert actions.send_quiet_tests(at=morning) == 0
    actions.record_connections(here={speaker.uid}, away=(), at=morning)
    assert actions.send_quiet_tests(at=morning) == 1
    assert actions.send_quiet_tests(at=morning + MINUTE) == 0
    assert actions.send_quiet_tests(at=morning + 10 * MINUTE) == 1


def test_what_a_repair_must_say(speaker: Device, tung: Officer, now: datetime) -> None:
    with pytest.raises(InvalidError):
        actions.open_order(device_id=speaker.pk, task="  ", by=tung, at=now)
    order = actions.open_order(device_id=speaker.pk, task="Sửa", by=tung, at=now)
    end: dict[str, Any] = {
        "order_id": order.pk, "causes": ["line"], "parts": "", "cost": 0, "notes": "",
        "by": tung, "at": now,
    }  # fmt: skip

    with pytest.raises(ConflictError):
        actions.finish_order(**end)  # not begun
    actions.start_order(order_id=order.pk, by=tung, at=now)
    for wrong in ({"causes": []}, {"causes": ["magic"]}, {"cost": -1}):
        with pytest.raises(InvalidError):
            actions.finish_order(**(end | wrong))
    with pytest.raises(ConflictError):
        actions.open_order(device_id=speaker.pk, task="Lần nữa", by=tung, at=now)


def test_a_foreign_technician_touches_nothing(
    speaker: Device, lan: Officer, hoa: Officer, now: datetime
) -> None:
    for officer in (lan, hoa):
        with pytest.raises(Exception, match="people"):
            actions.open_order(device_id=speaker.pk, task="Sửa", by=officer, at=now)


def test_the_database_itself_refuses_two_repairs_at_once(
    speaker: Device, tung: Officer, now: datetime
) -> None:
    order = actions.open_order(device_id=speaker.pk, task="Sửa", by=tung, at=now)

    with pytest.raises(IntegrityError), transaction.atomic():
        WorkOrder.objects.create(
            device=speaker, unit=order.unit, task="x", opened_by=tung, opened_at=now
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        WorkOrder.objects.filter(pk=order.pk).update(state=repairs.VERIFIED)


def test_a_dropped_repair_gives_the_device_back_to_the_rules(
    speaker: Device, tung: Officer, now: datetime
) -> None:
    at = now + 2 * MINUTE
    order = actions.open_order(device_id=speaker.pk, task="Sửa", by=tung, at=at)
    actions.start_order(order_id=order.pk, by=tung, at=at)

    actions.drop_order(order_id=order.pk, reason="Nhầm máy", by=tung, at=at)
    sound(speaker, at + MINUTE)

    assert state(speaker) == health.ACTIVE
    assert WorkOrder.objects.get().state == repairs.DROPPED


def test_a_contract_is_kept_or_not(
    speaker: Device, tung: Officer, now: datetime
) -> None:
    Registration.objects.filter(pk=speaker.pk).update(repair_hours=48)

    actions.open_order(device_id=speaker.pk, task="Sửa", by=tung, at=now)

    later = now + timedelta(hours=49)
    counts = queries.count_orders(WorkOrder.objects.all(), at=later)
    assert (counts["open"], counts["late"], counts["due"]) == (1, 1, 1)
    assert queries.count_orders(WorkOrder.objects.all(), at=now)["late"] == 0


# --- the rehearsal after a repair ---------------------------------------------------


def repaired(device: Device, tung: Officer, at: datetime) -> WorkOrder:
    order = actions.open_order(device_id=device.pk, task="Sửa", by=tung, at=at)
    actions.start_order(order_id=order.pk, by=tung, at=at)
    return actions.finish_order(
        order_id=order.pk, causes=["line"], parts="", cost=0, notes="", by=tung, at=at
    )


def faults(device: Device) -> set[str]:
    found = Fault.objects.filter(device=device, closed_at=None)
    return set(found.values_list("cause", flat=True))


def test_a_speaker_is_out_of_service_from_the_repair_until_it_has_agreed(
    speaker: Device, tung: Officer, now: datetime
) -> None:
    at = now + 2 * MINUTE
    assert told_rehearsal(speaker) == ""
    order = actions.open_order(device_id=speaker.pk, task="Sửa", by=tung, at=at)
    actions.start_order(order_id=order.pk, by=tung, at=at)
    row = Rehearsal.objects.get()
    assert told_rehearsal(speaker) == row.uid
    assert not agree(speaker, at)  # nobody has asked yet

    actions.finish_order(
        order_id=order.pk, causes=["line"], parts="", cost=0, notes="", by=tung, at=at
    )
    sound(speaker, at + MINUTE)
    order.refresh_from_db()
    assert order.state == repairs.DONE  # heard, but not in service
    actions.examine_fleet(at=at + repairs.REHEARSAL_DUE)
    assert "rehearsal" in faults(speaker)
    assert state(speaker) == health.SILENT

    assert agree(speaker, at + 4 * MINUTE, agreed=False)
    assert told_rehearsal(speaker) == row.uid
    assert agree(speaker, at + 5 * MINUTE)
    sound(speaker, at + 5 * MINUTE)

    assert told_rehearsal(speaker) == ""
    assert "rehearsal" not in faults(speaker)
    order.refresh_from_db()
    assert order.state == repairs.VERIFIED
    with pytest.raises(ConflictError):
        actions.repeat_rehearsal(device_id=speaker.pk, by=tung, at=at)


def test_who_does_not_answer_is_asked_again_and_never_without_an_end(
    speaker: Device, tung: Officer, now: datetime
) -> None:
    repaired(speaker, tung, now)

    assert actions.send_rehearsals(at=now + MINUTE) == 0
    for n in range(1, repairs.MAX_REHEARSALS):
        assert actions.send_rehearsals(at=now + n * repairs.REHEARSE_EVERY) == 1
    later = now + repairs.MAX_REHEARSALS * repairs.REHEARSE_EVERY
    assert actions.send_rehearsals(at=later) == 0
    actions.repeat_rehearsal(device_id=speaker.pk, by=tung, at=later)
    assert Rehearsal.objects.get().asks == 1


def test_a_technician_ends_a_rehearsal_with_a_reason_and_nobody_else_does(
    speaker: Device, tung: Officer, lan: Officer, hoa: Officer, now: datetime
) -> None:
    repaired(speaker, tung, now)
    asked: dict[str, Any] = {"device_id": speaker.pk, "at": now}

    for officer in (lan, hoa):
        with pytest.raises(Exception, match="people"):
            actions.lift_rehearsal(**asked, reason="Phần mềm cũ", by=officer)
    with pytest.raises(InvalidError):
        actions.lift_rehearsal(**asked, reason="  ", by=tung)
    with pytest.raises(IntegrityError), transaction.atomic():
        Rehearsal.objects.update(state=repairs.LIFTED, ended_at=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        Rehearsal.objects.update(state=repairs.AGREED, ended_at=now)
    row = actions.lift_rehearsal(**asked, reason="Phần mềm cũ", by=tung)

    assert (row.state, row.ended_by) == (repairs.LIFTED, tung)
    assert told_rehearsal(speaker) == ""
    record = Record.objects.get(action="fleet.rehearsal.lifted")
    assert record.data == {"reason": "Phần mềm cũ"}


# --- reports -----------------------------------------------------------------------


@pytest.fixture
def web(client: Client) -> Client:
    client.defaults["HTTP_HOST"] = "127.0.0.1"
    trouble._tries._held.clear()
    trouble._looks._held.clear()
    return client


def test_a_citizen_at_the_pole_reports_without_an_account(
    web: Client, speaker: Device, tung: Officer, lan: Officer
) -> None:
    label = Registration.objects.get(pk=speaker.pk).label
    form = {"kind": "loud", "words": "Kêu to quá trời", "contact": "0901234567"}

    page = web.get(f"/bao-hong/{label.lower()}/")
    wrong = web.post(f"/bao-hong/{label}/", {"kind": "singing"})
    sent = web.post(f"/bao-hong/{label}/", form, follow=True)
    web.post(f"/bao-hong/{label}/", form | {"kind": "silent"})

    assert speaker.name in page.content.decode()
    assert wrong.status_code == 422
    assert sent.status_code == 200
    assert DeviceReport.objects.count() == 2
    assert Notice.objects.filter(officer=tung, subject__contains="Quá to").count() == 1
    assert web.get("/bao-hong/AAAAAAA/").status_code == 404
    web.force_login(tung)
    assert "0901234567" in web.get("/thiet-bi/bao-hong/").content.decode()
    found = web.get("/thiet-bi/bao-hong/xuat.csv?tim=to+quá").content.decode()
    assert "Kêu to quá" in found
    assert "0901234567" not in found
    web.force_login(lan)
    assert "0901234567" not in web.get("/thiet-bi/bao-hong/").content.decode()


def test_one_phone_may_not_flood_the_reports(web: Client, speaker: Device) -> None:
    label = Registration.objects.get(pk=speaker.pk).label

    codes = [
        web.post(f"/bao-hong/{label}/", {"kind": "silent"}).status_code
        for _ in range(12)
    ]

    assert codes[:10] == [302] * 10
    assert codes[10:] == [429, 429]
    assert DeviceReport.objects.count() == 10


def test_a_report_is_taken_up_by_the_repair_and_closed_with_it(
    speaker: Device, tung: Officer, now: datetime
) -> None:
    label = Registration.objects.get(pk=speaker.pk).label
    at = now + 2 * MINUTE
    report = actions.report_device(
        label=label, kind="silent", words="", contact="", at=at
    )

    order = actions.open_order(device_id=speaker.pk, task="Sửa", by=tung, at=at)
    actions.start_order(order_id=order.pk, by=tung, at=at)
    actions.finish_order(
        order_id=order.pk, causes=["line"], parts="", cost=0, notes="", by=tung, at=at
    )
    agree(speaker, at + MINUTE)
    sound(speaker, at + MINUTE)

    report.refresh_from_db()
    assert (report.order, report.closed_by) == (order, tung)
    DeviceReport.objects.update(contact="0901", at=now - timedelta(days=366))
    assert actions.forget_contacts(at=now) == 1


# --- screens -----------------------------------------------------------------------


def test_a_repair_is_done_on_a_phone(
    web: Client, speaker: Device, tung: Officer, lan: Officer, hoa: Officer
) -> None:
    web.force_login(tung)
    made = web.post(f"/thiet-bi/{speaker.uid}/phieu-sua/", {"task": "Xem dây loa"})
    assert made.status_code == 302
    order = WorkOrder.objects.get()
    own = f"/thiet-bi/sua-chua/{order.uid}/"

    assert made.headers["Location"] == own
    assert web.post(own + "bat-dau/").status_code == 302
    photo = SimpleUploadedFile("a.jpg", picture(800, 600), "image/jpeg")
    assert web.post(own + "anh/", {"photo": photo}).status_code == 302
    assert web.post(own + "anh/", {}).status_code == 422
    bad = SimpleUploadedFile("a.jpg", b"<script>", "image/jpeg")
    assert web.post(own + "anh/", {"photo": bad}).status_code == 422
    form = {"cause": ["line", "horn"], "parts": "Củ loa", "cost": "1.350.000"}
    assert web.post(own + "xong/", {**form, "cost": "nhiều"}).status_code == 422
    assert web.post(own + "xong/", form).status_code == 302
    page = web.get(own).content.decode()
    assert "1.350.000 đồng" in page
    shown = web.get(f"{own}anh/{order.photos.get().pk}.jpg")
    assert shown.headers["Content-Type"] == "image/jpeg"
    assert "1350000" in web.get("/thiet-bi/sua-chua/xuat.csv").content.decode()
    assert order.uid in web.get("/thiet-bi/sua-chua/?tim=dây").content.decode()
    assert order.uid not in web.get("/thiet-bi/sua-chua/?tim=xyz").content.decode()
    web.force_login(lan)
    assert web.get(own).status_code == 200
    assert web.post(own + "bat-dau/").status_code == 403
    web.force_login(hoa)
    assert web.get(own).status_code == 404
    assert Fault.objects.filter(cause="line_open").exists()

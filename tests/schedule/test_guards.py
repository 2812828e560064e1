"""What the database itself refuses about broadcasts, on SQLite and PostgreSQL."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import DatabaseError, connection, transaction

from nguon.fleet.models import Device, DeviceEvent
from nguon.people.models import Officer
from nguon.schedule import actions
from nguon.schedule.models import Airing, Broadcast, PlayRecord
from nguon.territory.models import Unit

Send = Callable[..., Broadcast]


def refusal(statement: str) -> str:
    """Return the database's own words; the statement must be refused."""
    with (
        pytest.raises(DatabaseError) as error,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    return str(error.value)


def approve_sql(broadcast: Broadcast, by: Officer) -> str:
    return (
        f"UPDATE schedule_broadcast SET state = 'approved', approved_by_id = {by.pk},"
        f" approved_at = submitted_at WHERE id = {broadcast.pk}"
    )


def involve_sql(broadcast: Broadcast, by: Officer, sha256: str) -> str:
    return (
        "INSERT INTO newsroom_involvement (version_id, person_id, kind, at,"
        f" approved_sha256) SELECT {broadcast.version_id}, {by.pk}, 'approve',"
        f" submitted_at, '{sha256}' FROM schedule_broadcast WHERE id = {broadcast.pk}"
    )


def test_raw_sql_approves_nothing_without_a_second_persons_approval(
    send: Send, lan: Officer, minh: Officer, admin: Officer
) -> None:
    broadcast = send()

    assert "schedule.not_approved" in refusal(approve_sql(broadcast, minh))
    assert "schedule.not_approved" in refusal(approve_sql(broadcast, admin))
    assert refusal(approve_sql(broadcast, lan))
    assert "newsroom." in refusal(involve_sql(broadcast, lan, broadcast.sha256))
    assert "newsroom.changed" in refusal(involve_sql(broadcast, minh, "0" * 64))


def test_raw_sql_with_a_true_approval_of_one_does_not_serve_another(
    send: Send, minh: Officer, quan: Officer
) -> None:
    broadcast = send()
    with connection.cursor() as cursor:
        cursor.execute(involve_sql(broadcast, minh, broadcast.sha256))

    assert "schedule.not_approved" in refusal(approve_sql(broadcast, quan))
    with connection.cursor() as cursor:
        cursor.execute(approve_sql(broadcast, minh))


def test_what_waits_or_is_released_cannot_be_widened(
    send: Send,
    minh: Officer,
    province: Unit,
    speakers: list[Device],
    now: datetime,
) -> None:
    broadcast = send()

    def check_fixed() -> None:
        key, device = broadcast.pk, speakers[0].pk
        tries = [
            f"UPDATE schedule_broadcast SET sha256 = '{'0' * 64}' WHERE id = {key}",
            f"UPDATE schedule_broadcast SET timing = 'daily' WHERE id = {key}",
            f"UPDATE schedule_broadcast SET starts_at = submitted_at WHERE id = {key}",
            f"UPDATE schedule_broadcast SET expires_at = submitted_at WHERE id = {key}",
            f"UPDATE schedule_broadcast SET targeted = 9 WHERE id = {key}",
            f"UPDATE schedule_broadcast SET unit_id = {province.pk} WHERE id = {key}",
            f"DELETE FROM schedule_broadcast WHERE id = {key}",
            "INSERT INTO schedule_broadcast_units (broadcast_id, unit_id)"
            f" VALUES ({key}, {province.pk})",
            f"UPDATE schedule_broadcast_units SET unit_id = {province.pk}",
            "DELETE FROM schedule_broadcast_units",
            "INSERT INTO schedule_broadcast_devices (broadcast_id, device_id)"
            f" VALUES ({key}, {device})",
            "INSERT INTO schedule_broadcast_carriers (broadcast_id, unit_id)"
            f" VALUES ({key}, {province.pk})",
            "INSERT INTO schedule_audiencemember (broadcast_id, device_id, unit_id)"
            f" VALUES ({key}, {device}, {province.pk})",
            f"UPDATE schedule_audiencemember SET unit_id = {province.pk}",
            "DELETE FROM schedule_audiencemember",
        ]
        for statement in tries:
            assert refusal(statement), statement

    check_fixed()
    actions.release(
        broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=minh, at=now
    )
    check_fixed()


def test_a_broadcast_has_no_way_back(send: Send, minh: Officer, now: datetime) -> None:
    waiting, cancelled = send(), send()
    actions.cancel_broadcast(
        broadcast_uid=cancelled.uid, reason="Thôi", by=minh, at=now
    )

    def move(broadcast: Broadcast, state: str) -> str:
        return (
            f"UPDATE schedule_broadcast SET state = '{state}' WHERE id = {broadcast.pk}"
        )

    assert "move_not_allowed" in refusal(move(waiting, "preparing"))
    assert "move_not_allowed" in refusal(move(cancelled, "waiting"))
    assert refusal(move(cancelled, "approved"))


def test_nothing_unapproved_gets_a_time_on_air(send: Send) -> None:
    broadcast = send()

    words = refusal(
        "INSERT INTO schedule_airing (item, broadcast_id, starts_at, ends_at)"
        f" SELECT 'x', id, submitted_at, submitted_at FROM schedule_broadcast"
        f" WHERE id = {broadcast.pk}"
    )

    assert "schedule.not_approved" in words


def test_a_play_is_written_once_and_kept(
    send: Send, minh: Officer, speakers: list[Device], now: datetime
) -> None:
    broadcast = send()
    actions.release(
        broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=minh, at=now
    )
    item = Airing.objects.get().item
    event = DeviceEvent(
        device=speakers[0], log="l", n=1, type="started", at=now, item=item
    )
    actions.record_events(events=[event], at=now)
    assert "written once" in refusal("UPDATE schedule_playrecord SET started_at = NULL")
    event.n, event.type, event.data = 2, "finished", {"sounded_ms": 4000}
    actions.record_events(events=[event], at=now)

    for change in ("outcome = 'failed'", "cause = 'x'", "sounded_ms = 1"):
        words = refusal(f"UPDATE schedule_playrecord SET {change}")
        assert "schedule.play_immutable" in words
    assert "never deleted" in refusal("DELETE FROM schedule_playrecord")
    assert PlayRecord.objects.get().outcome == "finished"

"""From sent to released: a second person, one hash, the right place and hour."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from nguon.core import signing
from nguon.core.errors import (
    AbsentError,
    ConflictError,
    InvalidError,
    RefusedError,
)
from nguon.fleet.models import Device, DeviceEvent, OutboxMessage, SignedDocument
from nguon.people.models import Notice, Officer
from nguon.schedule import actions, queries, rules
from nguon.schedule.models import Airing, Broadcast, PlayRecord, UnitPlan
from nguon.territory.models import Unit

HOUR = timedelta(hours=1)
Send = Callable[..., Broadcast]


def payload_of(document: SignedDocument) -> dict[str, object]:
    return signing.read(document.jws)[1]


def release(broadcast: Broadcast, by: Officer, at: datetime) -> Broadcast:
    return actions.release(
        broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=by, at=at
    )


def test_release_signs_and_pushes_what_was_heard(
    send: Send, minh: Officer, speakers: list[Device], now: datetime
) -> None:
    broadcast = send()

    assert broadcast.state == "waiting"
    assert broadcast.targeted == len(speakers)
    assert Notice.objects.filter(officer=minh).exists()
    release(broadcast, minh, now)

    item = payload_of(SignedDocument.objects.get(kind="go"))["item"]
    assert item["content_sha256"] == broadcast.sha256  # type: ignore[index]
    plan = payload_of(SignedDocument.objects.get(kind="plan"))
    assert [row["id"] for row in plan["items"]] == [item["id"]]  # type: ignore
    assert OutboxMessage.objects.filter(topic__endswith="/alert").count() == 1


def test_nobody_releases_what_they_wrote_and_a_second_person_does(
    send: Send, lan: Officer, minh: Officer, admin: Officer, now: datetime
) -> None:
    broadcast = send()
    lan.is_superuser = True
    lan.save()

    with pytest.raises(RefusedError):
        release(broadcast, lan, now)

    broadcast.refresh_from_db()
    assert broadcast.state == "waiting"
    assert release(broadcast, minh, now).state == "approved"


def test_the_database_itself_refuses_an_unapproved_release(
    send: Send, lan: Officer, minh: Officer
) -> None:
    broadcast = send()
    tries = [
        f"UPDATE schedule_broadcast SET state = 'approved', approved_by_id = {minh.pk},"
        f" approved_at = submitted_at WHERE id = {broadcast.pk}",
        f"UPDATE schedule_broadcast SET state = 'approved', approved_by_id = {lan.pk},"
        f" approved_at = submitted_at WHERE id = {broadcast.pk}",
        f"UPDATE schedule_broadcast SET sha256 = '' WHERE id = {broadcast.pk}",
        "DELETE FROM schedule_audiencemember",
    ]

    for statement in tries:
        with (
            pytest.raises(DatabaseError),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_release_refuses_another_hash_and_another_commune(
    send: Send, minh: Officer, hoa: Officer, now: datetime
) -> None:
    broadcast = send()

    with pytest.raises(ConflictError):
        actions.release(broadcast_uid=broadcast.uid, sha256="0" * 64, by=minh, at=now)
    with pytest.raises(AbsentError):
        release(broadcast, hoa, now)

    assert not SignedDocument.objects.filter(kind="go").exists()


def test_an_empty_audience_is_refused_loudly(
    send: Send, minh: Officer, ia_grai: Unit, now: datetime
) -> None:
    empty = Unit.objects.create(
        kind="village", code="L9", name="Trống", folded="trong", parent=ia_grai,
        valid_from=ia_grai.valid_from,
    )  # fmt: skip
    empty.path = f"{ia_grai.path}{empty.pk}/"
    empty.save()

    with pytest.raises(InvalidError) as refusal:
        send(units=[empty])

    assert refusal.value.code == "schedule.empty_audience"


def test_quiet_hours_refuse_a_bulletin_and_a_drill_but_no_emergency(
    send: Send, now: datetime
) -> None:
    night = now.replace(hour=16)  # 23:00 in Gia Lai
    timing = rules.Timing(rules.NOW, expires_at=night + HOUR)

    with pytest.raises(InvalidError) as refusal:
        send(at=night)
    with pytest.raises(InvalidError):
        send("emergency", timing, night, drill=True)

    assert refusal.value.data["allowed"] == "05:00 25/11/2026"
    assert send("emergency", timing, night).state == "waiting"


def test_an_emergency_goes_by_its_lane_and_a_cancel_follows(
    send: Send, minh: Officer, now: datetime
) -> None:
    timing = rules.Timing(rules.NOW, expires_at=now + HOUR)
    broadcast = release(send("emergency", timing), minh, now)

    actions.cancel_broadcast(
        broadcast_uid=broadcast.uid, reason="Nhầm xã", by=minh, at=now
    )

    alert = SignedDocument.objects.get(kind="alert")
    cancel = SignedDocument.objects.get(kind="cancel")
    assert cancel.seq > alert.seq
    assert payload_of(cancel)["items"] == [payload_of(alert)["item"]["id"]]  # type: ignore
    assert not SignedDocument.objects.filter(kind="plan").exists()


def test_a_daily_slot_is_planned_at_the_same_local_hour(
    send: Send, minh: Officer, now: datetime
) -> None:
    timing = rules.Timing(
        rules.DAILY,
        time_of_day=time(17),
        first_date=date(2026, 11, 24),
        last_date=date(2026, 12, 31),
    )

    release(send(timing=timing), minh, now)

    starts = [row.starts_at for row in Airing.objects.order_by("starts_at")]
    assert len(starts) == 8
    assert {start.astimezone(rules.LOCAL).hour for start in starts} == {17}


def test_roll_plans_renews_only_what_ages(
    send: Send, minh: Officer, now: datetime
) -> None:
    timing = rules.Timing(
        rules.DAILY,
        time_of_day=time(17),
        first_date=date(2026, 11, 24),
        last_date=date(2026, 12, 31),
    )
    release(send(timing=timing), minh, now)

    assert actions.roll_plans(at=now + HOUR) == 0
    assert actions.roll_plans(at=now + 26 * HOUR) == 1
    assert Airing.objects.count() == 9


def test_roll_plans_leaves_a_unit_that_has_ended_and_lost_its_devices(
    send: Send, minh: Officer, ia_grai: Unit, dak_doa: Unit, now: datetime
) -> None:
    timing = rules.Timing(
        rules.DAILY,
        time_of_day=time(17),
        first_date=date(2026, 11, 24),
        last_date=date(2026, 12, 31),
    )
    release(send(timing=timing), minh, now)
    Unit.objects.filter(pk=ia_grai.pk).update(valid_to=date(2026, 11, 24))
    assert actions.roll_plans(at=now + 26 * HOUR) == 1

    Device.objects.update(unit=dak_doa)

    # The commune where they stand now gets its first plan; nobody hears the old one.
    assert actions.roll_plans(at=now + 50 * HOUR) == 1
    assert UnitPlan.objects.filter(unit=dak_doa).exists()
    assert Airing.objects.count() == 9


@pytest.mark.parametrize("klass", ["normal", "emergency"])
def test_a_commune_that_has_ended_speaks_as_long_as_its_speakers_stand_there(
    send: Send,
    minh: Officer,
    ia_grai: Unit,
    dak_doa: Unit,
    now: datetime,
    klass: str,
) -> None:
    Unit.objects.filter(pk=ia_grai.pk).update(valid_to=date(2026, 11, 24))
    ia_grai.refresh_from_db()

    expires_at = now + HOUR if klass == "emergency" else None
    timing = rules.Timing(rules.NOW, expires_at=expires_at)

    # Its merge has not been run, or was undone: nobody else could warn these people.
    release(send(klass=klass, timing=timing), minh, now)
    assert OutboxMessage.objects.filter(topic=f"nguon/v1/area/{ia_grai.uid}/alert")

    Device.objects.update(unit=dak_doa)
    with pytest.raises(InvalidError, match="unit_ended"):
        send(klass=klass, timing=timing)


def test_play_records_come_once_from_events_sent_twice(
    send: Send, minh: Officer, speakers: list[Device], now: datetime
) -> None:
    broadcast = release(send(), minh, now)
    item = Airing.objects.get().item
    ended = round(now.timestamp() * 1000) + 4000

    def event(device: Device, n: int, kind: str, **data: object) -> DeviceEvent:
        return DeviceEvent(
            device=device, log="l", n=n, type=kind, at=now, item=item, data=data
        )

    events = [
        event(speakers[0], 1, "received"),
        event(speakers[0], 2, "started"),
        event(
            speakers[0], 3, "finished", ended_at=ended, sounded_ms=4000
        ),
        event(speakers[1], 1, "missed", cause="offline"),
    ]  # fmt: skip
    for _twice in range(2):
        actions.record_events(events=events, at=now)

    assert PlayRecord.objects.count() == 2
    live = queries.get_live(broadcast, officer=minh, at=now)
    assert (live.tally.sounded, live.tally.silent, live.tally.waiting) == (1, 1, 0)
    assert live.silent[0].cause == "offline"
    assert [ground.sounded for ground in live.grounds] == [1]
    with pytest.raises(DatabaseError), transaction.atomic():
        PlayRecord.objects.update(sounded_ms=1)


def test_lists_show_own_ground_only(
    send: Send, lan: Officer, minh: Officer, hoa: Officer, now: datetime
) -> None:
    broadcast = send()

    assert queries.list_waiting(minh, at=now) == [broadcast]
    assert queries.list_waiting(lan, at=now) == []
    assert queries.list_waiting(hoa, at=now) == []
    release(broadcast, minh, now)
    assert len(queries.list_today(lan, at=now)) == 1
    assert queries.list_today(hoa, at=now) == []

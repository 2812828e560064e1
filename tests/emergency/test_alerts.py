"""An emergency is cancelled by one approver, and corrected by a ready-made draft."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from nguon.core import signing
from nguon.core.errors import AbsentError, ConflictError, RefusedError
from nguon.emergency import actions, queries
from nguon.emergency.models import Stop
from nguon.fleet.models import Device, SignedDocument
from nguon.newsroom import actions as newsroom
from nguon.newsroom.rules import Draft, DraftError
from nguon.people.models import Notice, Officer
from nguon.schedule import actions as schedule
from nguon.schedule import queries as live
from nguon.schedule import rules
from nguon.schedule.models import Broadcast, PlayRecord
from nguon.territory.models import Unit
from tests.schedule.conftest import (
    send,
    server_keys,
    signing_keys,
    speakers,
    voice_all,
)

__all__ = ["send", "server_keys", "signing_keys", "speakers"]
HOUR = timedelta(hours=1)
Send = Callable[..., Broadcast]


@pytest.fixture
def alarm(send: Send, minh: Officer, now: datetime) -> Broadcast:
    timing = rules.Timing(rules.NOW, expires_at=now + HOUR)
    return release(send("emergency", timing), minh, now)


def release(broadcast: Broadcast, by: Officer, at: datetime) -> Broadcast:
    return schedule.release(
        broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=by, at=at
    )


def payload(kind: str) -> dict[str, object]:
    document = SignedDocument.objects.filter(kind=kind).latest("pk")
    return dict(signing.read(document.jws)[1])


def test_one_approver_ends_an_emergency_and_an_author_does_not(
    alarm: Broadcast, lan: Officer, minh: Officer, now: datetime
) -> None:
    with pytest.raises(RefusedError):
        actions.cancel_alert(broadcast_uid=alarm.uid, reason="Nhầm", by=lan, at=now)

    ended = actions.cancel_alert(
        broadcast_uid=alarm.uid, reason="Nhầm", by=minh, at=now
    )

    assert ended.state == "cancelled"
    assert payload("cancel")["lane"] == "emergency"


def test_a_second_emergency_says_behind_which_one_it_waits(
    alarm: Broadcast,
    send: Send,
    client: Client,
    lan: Officer,
    minh: Officer,
    speakers: list[Device],
    now: datetime,
) -> None:
    timing = rules.Timing(rules.NOW, expires_at=now + HOUR)
    second = release(send("emergency", timing), minh, now)
    assert alarm.version.title in second.version.title
    assert live.find_ahead(second, at=now) is None
    first = alarm.airings.get()
    PlayRecord.objects.create(
        device=speakers[0], unit=speakers[0].unit, broadcast=alarm, item=first.item,
        title="x", planned_at=first.starts_at, started_at=now,
    )  # fmt: skip

    assert live.find_ahead(second, at=now) == alarm
    assert live.find_ahead(alarm, at=now) is None
    PlayRecord.objects.update(outcome="finished", ended_at=now)
    assert live.find_ahead(second, at=now) is None
    client.defaults["HTTP_HOST"] = "127.0.0.1"
    client.force_login(lan)
    assert client.get(f"/phat/{second.uid}/").status_code == 200


def test_only_an_emergency_is_cancelled_or_corrected_here(
    send: Send, lan: Officer, minh: Officer, now: datetime
) -> None:
    news = release(send(), minh, now)

    with pytest.raises(ConflictError):
        actions.cancel_alert(broadcast_uid=news.uid, reason="x", by=minh, at=now)
    with pytest.raises(ConflictError):
        actions.correct_alert(broadcast_uid=news.uid, by=lan, at=now)


def test_a_correction_takes_the_place_of_what_was_wrong(
    alarm: Broadcast, lan: Officer, minh: Officer, ia_grai: Unit, now: datetime
) -> None:
    wrong = payload("alert")["item"]["id"]  # type: ignore[index]

    draft = actions.correct_alert(broadcast_uid=alarm.uid, by=lan, at=now)
    mended = schedule.submit(
        bulletin_id=draft.pk,
        timing=rules.Timing(rules.NOW, expires_at=now + HOUR),
        units=[ia_grai],
        devices=[],
        by=lan,
        at=now,
    )
    voice_all(now)
    mended.refresh_from_db()
    release(mended, minh, now)

    assert draft.title == "Đính chính: Họp dân"
    assert payload("alert")["replaces"] == [wrong]
    assert payload("cancel")["items"] == [wrong]
    alarm.refresh_from_db()
    assert alarm.state == "cancelled"


@pytest.mark.parametrize("klass", ["normal", "priority"])
def test_a_correction_of_an_emergency_stays_an_emergency(
    alarm: Broadcast, lan: Officer, now: datetime, klass: str
) -> None:
    """A lesser one would leave the false alarm sounding."""
    draft = actions.correct_alert(broadcast_uid=alarm.uid, by=lan, at=now)

    with pytest.raises(DraftError, match="correction_not_emergency"):
        newsroom.save_draft(
            bulletin_id=draft.pk,
            revision=draft.revision,
            draft=Draft(draft.title, "Không có lũ.", klass=klass),
            by=lan,
            at=now,
        )


def test_hoa_corrects_and_stops_nothing_of_another_commune(
    alarm: Broadcast, hoa: Officer, speakers: list[Device], now: datetime
) -> None:
    with pytest.raises(AbsentError):
        actions.correct_alert(broadcast_uid=alarm.uid, by=hoa, at=now)
    with pytest.raises(AbsentError):
        actions.stop(
            unit=None,
            device=speakers[0],
            until=now + HOUR,
            reason="",
            by=hoa,
            at=now,
        )


def test_a_technician_stops_one_device_by_its_own_topic(
    speakers: list[Device], tung: Officer, minh: Officer, now: datetime
) -> None:
    stop = actions.stop(
        unit=None,
        device=speakers[0],
        until=now + HOUR,
        reason="Hú",
        by=tung,
        at=now,
    )

    document = SignedDocument.objects.get(kind="stop")
    assert document.device == speakers[0]
    assert document.uid == stop.document
    assert queries.list_active(minh, at=now) == [stop]
    assert queries.list_active(minh, at=now + HOUR) == []


def test_a_stop_of_the_province_alarms_every_commune_and_shows_there(
    province: Unit, quan: Officer, minh: Officer, hoa: Officer, now: datetime
) -> None:
    stop = actions.stop(
        unit=province,
        device=None,
        until=now + HOUR,
        reason="Loa bị chiếm",
        by=quan,
        at=now,
    )

    for officer in (minh, hoa, quan):
        assert Notice.objects.filter(officer=officer).count() == 1
        assert queries.list_active(officer, at=now) == [stop]


def test_a_stop_that_is_over_is_not_lifted(
    ia_grai: Unit, lan: Officer, minh: Officer, now: datetime
) -> None:
    stop = actions.stop(
        unit=ia_grai, device=None, until=now + HOUR, reason="", by=lan, at=now
    )

    with pytest.raises(ConflictError):
        actions.ask_lift(stop_uid=stop.uid, by=minh, at=now + HOUR)
    with pytest.raises(ConflictError):
        actions.confirm_lift(stop_uid=stop.uid, by=minh, at=now)


def test_raw_sql_lifts_nothing_alone(
    ia_grai: Unit, lan: Officer, minh: Officer, quan: Officer, now: datetime
) -> None:
    stop = actions.stop(
        unit=ia_grai, device=None, until=now + HOUR, reason="", by=lan, at=now
    )
    both = (
        f"UPDATE emergency_stop SET lift_asked_by_id = {minh.pk},"
        f" lift_asked_at = ordered_at, lifted_by_id = {quan.pk},"
        f" lifted_at = ordered_at WHERE id = {stop.pk}"
    )
    alone = (
        f"UPDATE emergency_stop SET lifted_by_id = {quan.pk},"
        f" lifted_at = ordered_at WHERE id = {stop.pk}"
    )

    for statement in (both, alone, "DELETE FROM emergency_stop"):
        with (
            pytest.raises(DatabaseError),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    actions.ask_lift(stop_uid=stop.uid, by=minh, at=now)
    with connection.cursor() as cursor:
        cursor.execute(alone)
    assert Stop.objects.get().lifted_by == quan

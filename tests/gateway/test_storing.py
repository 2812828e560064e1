"""Storing events: together when all is well, and never stuck on a broken one."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from django.db import OperationalError

from nguon.core import signing
from nguon.core.signing import SigningKey
from nguon.fleet import actions
from nguon.fleet.models import DeviceEvent, StrayMessage
from nguon.gateway import storing
from nguon.gateway.carrier import follow, list_silent
from nguon.gateway.nats_config import load_seeds
from nguon.gateway.signin import Door, Request
from nguon.people.models import Officer
from nguon.territory.models import Unit
from tests.fleet.conftest import Speaker, enrol, key_ring
from tests.fleet.test_actions import ms

__all__ = ["enrol", "key_ring"]

Enrol = Callable[..., Speaker]


def message(speaker: Speaker, *numbers: int, at: datetime) -> tuple[str, bytes]:
    rows = [
        {"n": n, "type": "birth", "at": ms(at), "item": f"item-{n}"} for n in numbers
    ]
    uid = speaker.row.uid
    body = {"v": 1, "device": uid, "log": "log", "events": rows}
    return f"nguon.v1.device.{uid}.event", json.dumps(body).encode()


def test_a_poisoned_event_is_marked_and_the_others_are_recorded(
    enrol: Enrol, village: Unit, now: datetime
) -> None:
    speaker = enrol(village)
    seen: list[int] = []

    def record(*, events: list[DeviceEvent], at: datetime) -> None:
        if any(event.n == 13 for event in events):
            raise ValueError("poison\0")
        seen.extend(event.n for event in events)

    messages = [message(speaker, n, at=now) for n in range(1, 21)]
    outcome = storing.store_messages(messages, at=now, record=record)
    again = storing.record_pending(at=now, record=record)

    assert sorted(outcome.acks[speaker.row.uid, "log"]) == list(range(1, 21))
    assert sorted(seen) == [n for n in range(1, 21) if n != 13]
    assert DeviceEvent.objects.get(n=13).fault.startswith("ValueError")
    assert again == 0


def test_a_database_that_is_away_acknowledges_nothing(
    enrol: Enrol, village: Unit, now: datetime
) -> None:
    speaker = enrol(village)

    def record(*, events: list[DeviceEvent], at: datetime) -> None:
        raise OperationalError("away")

    with pytest.raises(OperationalError):
        storing.store_messages([message(speaker, 1, at=now)], at=now, record=record)

    assert not DeviceEvent.objects.exists()


def test_events_over_https_are_handed_on_later(
    enrol: Enrol, village: Unit, now: datetime
) -> None:
    speaker = enrol(village)
    subject, payload = message(speaker, 1, 2, at=now)
    reading = storing.intake.read_events(payload, device=subject.split(".")[3])
    actions.store_events(batches=[reading.batch], at=now)
    seen: list[int] = []

    def record(*, events: list[DeviceEvent], at: datetime) -> None:
        seen.extend(event.n for event in events)

    assert storing.record_pending(at=now, record=record) == 2
    assert storing.record_pending(at=now, record=record) == 0
    assert seen == [1, 2]


def test_messages_of_no_device_are_set_aside(db: None, now: datetime) -> None:
    messages = [
        ("nguon.v1.device.short.event", b"{}"),
        ("nguon.v1.device.aaaaaaaaaaaa.event", b"\x00\xff"),
    ]

    outcome = storing.store_messages(messages, at=now)

    assert outcome.acks == {}
    assert StrayMessage.objects.count() == 2


def test_who_has_answered_is_not_sent_the_document_again(
    enrol: Enrol, village: Unit, ia_grai: Unit, quan: Officer, now: datetime
) -> None:
    first, second, outside = enrol(village), enrol(village), enrol(ia_grai)
    uids = {first.row.uid, second.row.uid, outside.row.uid}
    actions.record_connections(here=uids, away=(), at=now)
    document = actions.publish_urgent(
        kind="go",
        unit=ia_grai,
        body={"item": {"id": "item-1", "audience": {"units": [village.uid]}}},
        use="plan",
        not_after=now.replace(year=2099),
        by=quan,
        at=now,
    )
    followed = follow(document.jws, since=0.0)
    assert followed is not None

    before = list_silent(followed)
    storing.store_messages([message(first, 1, at=now)], at=now)

    assert sorted(before) == sorted([first.row.uid, second.row.uid])
    assert list_silent(followed) == [second.row.uid]


@pytest.mark.parametrize(
    ("change", "comes_in"),
    [
        ({}, True),
        ({"client_id": "another"}, False),
        ({"kind": "nats"}, False),
        ({"password": ""}, False),
        ({"password": "a.b.c"}, False),
        ({"user": "\0"}, False),
    ],
)
def test_the_door_lets_in_only_a_device_with_its_own_name_and_token(
    enrol: Enrol,
    village: Unit,
    now: datetime,
    tmp_path: Path,
    change: dict[str, str],
    comes_in: bool,
) -> None:
    speaker = enrol(village)
    uid = speaker.row.uid
    token = signing.device_token(speaker.key, device=uid, at=ms(now))
    asked = {
        "server": "N", "user_nkey": "U", "user": uid, "password": token,
        "client_id": uid, "kind": "mqtt",
    }  # fmt: skip

    (decision,) = Door(load_seeds(tmp_path).issuer).decide(
        [Request(**{**asked, **change})], at=ms(now)
    )

    _header, claims = signing.read(decision.answer.decode())
    assert ("jwt" in claims["nats"]) is comes_in
    assert ("error" in claims["nats"]) is not comes_in
    if comes_in:
        _header, told = signing.read(claims["nats"]["jwt"])
        own = f"nguon.v1.device.{uid}"
        assert told["nats"]["pub"]["allow"] == [f"{own}.event", f"{own}.beat"]
        assert told["nats"]["sub"]["allow"][:2] == [f"{own}.command", f"{own}.ack"]
        assert len(told["nats"]["sub"]["allow"]) == 8


def test_a_stolen_name_with_another_key_stays_out(
    enrol: Enrol, village: Unit, now: datetime, tmp_path: Path
) -> None:
    uid = enrol(village).row.uid
    token = signing.device_token(SigningKey.generate(), device=uid, at=ms(now))
    asked = Request(
        server="N", user_nkey="U", user=uid, password=token, client_id=uid, kind="mqtt"
    )

    (decision,) = Door(load_seeds(tmp_path).issuer).decide([asked], at=ms(now))

    _header, claims = signing.read(decision.answer.decode())
    assert claims["nats"]["error"] == "bad_signature"


def test_what_comes_again_beside_what_is_new_is_stored_once(
    enrol: Enrol, village: Unit, now: datetime
) -> None:
    speaker, other = enrol(village), enrol(village)
    seen: list[int] = []

    def record(*, events: list[DeviceEvent], at: datetime) -> None:
        seen.extend(event.n for event in events)

    first = [message(speaker, 1, 2, at=now), message(speaker, 2, at=now)]
    storing.store_messages(first, at=now, record=record)
    again = [message(speaker, 2, 3, at=now), message(other, 7, at=now)]
    outcome = storing.store_messages(again, at=now, record=record)

    assert sorted(outcome.acks[speaker.row.uid, "log"]) == [2, 3]
    assert sorted(outcome.acks[other.row.uid, "log"]) == [7]
    assert DeviceEvent.objects.count() == 4
    assert sorted(seen) == [1, 2, 3, 7]


def test_an_event_that_no_database_can_hold_is_kept_as_a_fault(
    enrol: Enrol, village: Unit, now: datetime
) -> None:
    speaker = enrol(village)
    subject, payload = message(speaker, 1, 2, at=now)
    body = json.loads(payload)
    body["events"][0]["item"] = "nul\0"

    outcome = storing.store_messages([(subject, json.dumps(body).encode())], at=now)

    assert outcome.acks[speaker.row.uid, "log"] == [1, 2]
    assert DeviceEvent.objects.get(n=1).fault.startswith("unusable")
    assert DeviceEvent.objects.get(n=2).fault == ""

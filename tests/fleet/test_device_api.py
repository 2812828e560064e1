"""The device API: who signs in gets its own documents, and nobody else anything."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from nguon.core import signing
from nguon.core.signing import KeySet, SigningKey
from nguon.fleet import actions, device_api, keys
from nguon.fleet.models import Device, DeviceEvent, StrayMessage
from nguon.people.models import Officer
from nguon.territory.models import Unit
from tests.fleet.conftest import Speaker
from tests.fleet.test_actions import ms, plan_body

Enrol = Callable[..., Speaker]
HOST = {"host": "127.0.0.1"}


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    device_api._guesses._held.clear()


@pytest.fixture
def now() -> datetime:
    """Return the real clock, as the API reads it at its edge."""
    return datetime.now(tz=UTC)


@pytest.fixture
def web(client: Client) -> Client:
    client.defaults["HTTP_HOST"] = "127.0.0.1"
    return client


def headers(speaker: Speaker) -> dict[str, str]:
    return speaker.bearer(datetime.now(tz=UTC))


def test_a_device_goes_from_claim_to_state(
    web: Client, key_ring: keys.Ring, village: Unit, tung: Officer, now: datetime
) -> None:
    key = SigningKey.generate()
    (claim,) = actions.create_claims(
        unit=village, kind="speaker", names=["Loa"], by=tung, at=now
    )
    asked = {
        "claim_code": claim.code,
        "public_key": key.public.x,
        "kind": "speaker",
        "make": "Nguồn",
    }

    enrolled = web.post("/device/v1/enrol", asked, content_type="application/json")

    assert enrolled.status_code == 200, enrolled.content
    assert enrolled.json()["state"] == "waiting"
    device = Device.objects.get(uid=enrolled.json()["device"])
    speaker = Speaker(device, key)
    refused = web.get("/device/v1/state", headers=headers(speaker))
    assert (refused.status_code, refused.json()["code"]) == (
        403,
        "fleet.device_not_active",
    )
    actions.approve_device(device_id=device.pk, by=tung, at=now)
    told = web.get("/device/v1/enrolment", headers=headers(speaker)).json()
    assert told["state"] == "active"
    assert told["root_key"] == key_ring.root.x
    assert set(told["bus"]) == {"host", "port", "tls"}
    state = web.get("/device/v1/state", headers=headers(speaker)).json()
    trusted = KeySet.empty(key_ring.root).renewed(state["keyset"], at=ms(now))
    settings = trusted.verify(state["settings"], at=ms(now))
    assert settings["target"] == {"device": device.uid}


def test_state_holds_own_ground_only_and_answers_304_until_it_changes(
    web: Client,
    enrol: Enrol,
    village: Unit,
    ia_grai: Unit,
    dak_doa: Unit,
    province: Unit,
    quan: Officer,
    now: datetime,
) -> None:
    speaker = enrol(village)
    for unit in (ia_grai, dak_doa, province):
        actions.publish_plan(unit=unit, body=plan_body(now), by=quan, at=now)

    def urgent(unit: Unit, life: timedelta) -> str:
        document = actions.publish_urgent(
            kind="stop", unit=unit, body={"until": ms(now + life)}, use="emergency",
            not_after=now + life, by=quan, at=now,
        )  # fmt: skip
        return document.jws

    first = web.get("/device/v1/state", headers=headers(speaker))
    etag = {"if-none-match": first["ETag"]}
    same = web.get("/device/v1/state", headers={**headers(speaker), **etag})
    stop = urgent(province, timedelta(minutes=5))
    urgent(dak_doa, timedelta(minutes=5))
    changed = web.get("/device/v1/state", headers={**headers(speaker), **etag})

    assert len(first.json()["plans"]) == 2
    assert (same.status_code, same.content) == (304, b"")
    assert changed.status_code == 200
    assert changed.json()["urgent"] == [stop]


def test_state_costs_three_queries_at_most(
    web: Client,
    enrol: Enrol,
    village: Unit,
    ia_grai: Unit,
    quan: Officer,
    now: datetime,
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    speaker = enrol(village)
    actions.publish_plan(unit=ia_grai, body=plan_body(now), by=quan, at=now)

    with django_assert_max_num_queries(3):  # type: ignore[attr-defined]
        web.get("/device/v1/state", headers=headers(speaker))
    with django_assert_max_num_queries(2):  # type: ignore[attr-defined]
        web.get("/device/v1/state", headers=headers(speaker))


def test_a_sign_in_that_proves_nothing_is_refused_with_the_time(
    web: Client, enrol: Enrol, village: Unit, now: datetime
) -> None:
    speaker, thief = enrol(village), SigningKey.generate()
    stolen = Speaker(speaker.row, thief)
    old = speaker.bearer(now - timedelta(minutes=10))
    cases = [headers(stolen), old, {"authorization": "Bearer x.y.z"}, {}]
    cases.append({"authorization": "Bearer \0"})

    answers = [web.get("/device/v1/state", headers=case) for case in cases]

    assert [answer.status_code for answer in answers] == [401] * 5
    assert all(abs(a.json()["server_at"] - ms(now)) < 60_000 for a in answers)
    assert web.get("/device/v1/state", headers=headers(speaker)).status_code == 200


def test_a_revoked_device_gets_nothing(
    web: Client, enrol: Enrol, village: Unit, tung: Officer, now: datetime
) -> None:
    speaker = enrol(village)
    actions.revoke_device(device_id=speaker.row.pk, by=tung, at=now)

    for path in ("state", "media/" + "a" * 64):
        answer = web.get(f"/device/v1/{path}", headers=headers(speaker))
        assert answer.status_code == 403


def test_the_time_is_signed_over_the_nonce(
    web: Client, enrol: Enrol, key_ring: keys.Ring, village: Unit, now: datetime
) -> None:
    speaker = enrol(village)

    answer = web.get("/device/v1/time?nonce=abc", headers=headers(speaker)).json()

    trusted = KeySet.empty(key_ring.root).renewed(key_ring.keyset, at=ms(now))
    told = trusted.verify(answer["time"], at=ms(now))
    assert told["nonce"] == "abc"
    assert abs(told["server_at"] - ms(now)) < 60_000


def test_media_resume_by_range(
    web: Client, enrol: Enrol, village: Unit, now: datetime
) -> None:
    speaker = enrol(village)
    data = bytes(range(256)) * 1000
    media = actions.store_media(data=data, mime="audio/mpeg", duration_ms=9, at=now)
    path = f"/device/v1/media/{media.sha256}"

    def ask(wanted: str) -> tuple[int, bytes, str]:
        answer = web.get(path, headers={**headers(speaker), "range": wanted})
        content = b"".join(answer) if answer.streaming else answer.content
        return answer.status_code, content, answer.get("Content-Range", "")

    whole = web.get(path, headers=headers(speaker))
    assert whole.status_code == 200
    assert b"".join(whole) == data
    assert ask("bytes=100000-") == (206, data[100000:], "bytes 100000-255999/256000")
    assert ask("bytes=0-9") == (206, data[:10], "bytes 0-9/256000")
    assert ask("bytes=-5")[:2] == (206, data[-5:])
    assert ask("bytes=256000-")[0] == 416
    assert ask("lines=1-2")[0] == 200
    absent = web.get("/device/v1/media/" + "0" * 64, headers=headers(speaker))
    assert absent.status_code == 404


def test_events_are_acknowledged_and_odd_ones_kept_aside(
    web: Client, enrol: Enrol, village: Unit, now: datetime
) -> None:
    speaker = enrol(village)
    rows = [
        {"n": 1, "type": "birth", "at": ms(now), "data": {"version": "1.2"}},
        {"n": 2, "type": "teleported", "at": ms(now)},
        {"n": "three", "type": "birth", "at": ms(now)},
    ]
    body = {"v": 1, "device": speaker.row.uid, "log": "l1", "events": rows}

    def post(content: object) -> tuple[int, dict[str, object]]:
        answer = web.post(
            "/device/v1/events", content, content_type="application/json",
            headers=headers(speaker),
        )  # fmt: skip
        return answer.status_code, answer.json()

    assert post(body) == (200, {"v": 1, "log": "l1", "stored": [1, 2]})
    assert post(body)[0] == 200
    assert DeviceEvent.objects.get().type == "birth"
    assert StrayMessage.objects.exists()
    speaker.row.refresh_from_db()
    assert speaker.row.version == "1.2"
    assert post({**body, "device": "aaaaaaaaaaaa"})[0] == 422
    assert post("[1, 2")[0] == 422
    assert post("[" * 100_000)[0] == 422


def test_a_guesser_of_claim_codes_is_slowed_down(
    web: Client, key_ring: keys.Ring, db: None
) -> None:
    asked = {
        "claim_code": "AAAA-AAAA-AAAA-AAAA",
        "public_key": SigningKey.generate().public.x,
        "kind": "speaker",
    }

    codes = [
        web.post("/device/v1/enrol", asked, content_type="application/json").status_code
        for _ in range(25)
    ]

    assert codes[:20] == [422] * 20
    assert set(codes[21:]) == {429}


def test_an_unusable_enrolment_body_has_a_code(web: Client, db: None) -> None:
    for body in ("{", "[]", '{"claim_code": 5}'):
        answer = web.post("/device/v1/enrol", body, content_type="application/json")
        assert answer.status_code in {400, 422}
    large = web.post(
        "/device/v1/enrol",
        {"claim_code": "A", "public_key": "B", "kind": "C", "pad": "x" * 9000},
        content_type="application/json",
    )
    assert large.status_code == 413


def test_the_fingerprint_in_a_claim_is_the_root_keys(
    key_ring: keys.Ring, village: Unit, tung: Officer, now: datetime
) -> None:
    (claim,) = actions.create_claims(
        unit=village, kind="board", names=["Bảng"], by=tung, at=now
    )

    assert claim.code.replace("-", "").endswith(signing.fingerprint(key_ring.root))

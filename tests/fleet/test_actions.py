"""The fleet's actions: a person lets a device in, every word is signed and numbered."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from nguon.audit.models import Record
from nguon.core.errors import AbsentError, ConflictError, InvalidError, RefusedError
from nguon.core.messages import Event, EventBatch
from nguon.core.signing import KeySet, SigningKey, fingerprint
from nguon.fleet import actions, keys
from nguon.fleet.models import DeviceEvent, OutboxMessage, SignedDocument
from nguon.people.models import Officer
from nguon.territory.models import Unit
from tests.fleet.conftest import Speaker, payload

Enrol = Callable[..., Speaker]


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def plan_body(now: datetime, **more: object) -> dict[str, object]:
    end = now + timedelta(days=8)
    return {
        "window": {"from": ms(now), "to": ms(end)},
        "quiet": [],
        "items": [],
        **more,
    }


def test_a_claim_code_pins_the_root_key(
    key_ring: keys.Ring, ia_grai: Unit, tung: Officer, hoa: Officer, now: datetime
) -> None:
    claims = actions.create_claims(
        unit=ia_grai, kind="speaker", names=["Loa 1", "Loa 2"], by=tung, at=now
    )

    codes = [claim.code for claim in claims]
    assert len(set(codes)) == 2
    assert all(len(code) == 19 and code.count("-") == 3 for code in codes)
    assert codes[0].replace("-", "")[8:] == fingerprint(key_ring.root)
    with pytest.raises(AbsentError):
        actions.create_claims(
            unit=ia_grai, kind="speaker", names=["Loa 3"], by=hoa, at=now
        )


def test_only_who_keeps_devices_makes_claims(
    key_ring: keys.Ring, ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    with pytest.raises(RefusedError, match=r"people\.no_right"):
        actions.create_claims(
            unit=ia_grai, kind="speaker", names=["Loa"], by=lan, at=now
        )


def test_enrolment_is_repeatable_for_the_same_device_and_refused_for_another(
    key_ring: keys.Ring, ia_grai: Unit, tung: Officer, now: datetime
) -> None:
    (claim,) = actions.create_claims(
        unit=ia_grai, kind="speaker", names=["Loa"], by=tung, at=now
    )
    mine, other = SigningKey.generate(), SigningKey.generate()
    asked = {"claim_code": claim.code.lower(), "kind": "speaker", "at": now}

    first = actions.enrol_device(**asked, public_key=mine.public.x)
    again = actions.enrol_device(**asked, public_key=mine.public.x)

    assert first == again
    assert first.state == "waiting"
    with pytest.raises(ConflictError, match=r"fleet\.claim_used"):
        actions.enrol_device(**asked, public_key=other.public.x)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"claim_code": "AAAA-BBBB-CCCC-DDDD"}, "fleet.claim_unknown"),
        ({"claim_code": "\0"}, "fleet.claim_unknown"),
        ({"public_key": "khóa"}, "fleet.key_unusable"),
        ({"public_key": "AAAA"}, "fleet.key_unusable"),
        ({"kind": "board"}, "fleet.claim_other_kind"),
        ({"late": timedelta(days=15)}, "fleet.claim_expired"),
    ],
)
def test_a_wrong_enrolment_is_refused(
    key_ring: keys.Ring,
    ia_grai: Unit,
    tung: Officer,
    now: datetime,
    change: dict[str, object],
    code: str,
) -> None:
    (claim,) = actions.create_claims(
        unit=ia_grai, kind="speaker", names=["Loa"], by=tung, at=now
    )
    asked = {
        "claim_code": claim.code,
        "public_key": SigningKey.generate().public.x,
        "kind": "speaker",
        **change,
    }
    late = asked.pop("late", timedelta())

    with pytest.raises(InvalidError) as refused:
        actions.enrol_device(**asked, at=now + late)

    assert refused.value.code == code


def test_approval_signs_settings_and_is_done_once(
    enrol: Enrol, key_ring: keys.Ring, village: Unit, tung: Officer, now: datetime
) -> None:
    speaker = enrol(village)

    document = SignedDocument.objects.get(kind="settings", device=speaker.row)
    trusted = KeySet.empty(key_ring.root).renewed(key_ring.keyset, at=ms(now))
    told = trusted.verify(document.jws, at=ms(now))
    above = [village, village.parent, village.parent.parent]
    assert told["units"] == [unit.uid for unit in above]
    assert Record.objects.filter(action="fleet.device.approved").count() == 1
    with pytest.raises(ConflictError):
        actions.approve_device(device_id=speaker.row.pk, by=tung, at=now)


def test_a_foreign_technician_cannot_decide(
    enrol: Enrol, village: Unit, hoa: Officer, lan: Officer, now: datetime
) -> None:
    speaker = enrol(village, approve=False)

    with pytest.raises(AbsentError):
        actions.approve_device(device_id=speaker.row.pk, by=hoa, at=now)
    with pytest.raises(RefusedError):
        actions.reject_device(device_id=speaker.row.pk, by=lan, at=now)

    speaker.row.refresh_from_db()
    assert speaker.row.state == "waiting"


def test_revoking_asks_the_gateway_to_cut_the_device_off(
    enrol: Enrol, village: Unit, tung: Officer, now: datetime
) -> None:
    speaker = enrol(village)

    actions.revoke_device(device_id=speaker.row.pk, by=tung, at=now)

    assert OutboxMessage.objects.get().topic == f"kick/{speaker.row.uid}"
    with pytest.raises(ConflictError):
        actions.revoke_device(device_id=speaker.row.pk, by=tung, at=now)


def test_plans_are_numbered_and_replace_each_other(
    key_ring: keys.Ring, ia_grai: Unit, quan: Officer, now: datetime
) -> None:
    first = actions.publish_plan(unit=ia_grai, body=plan_body(now), by=quan, at=now)
    same = actions.publish_plan(unit=ia_grai, body=plan_body(now), by=quan, at=now)
    changed = plan_body(now, quiet=[[ms(now), ms(now) + 1]])
    second = actions.publish_plan(unit=ia_grai, body=changed, by=quan, at=now)

    assert (first.seq, same.pk, second.seq) == (1, first.pk, 2)
    in_force = SignedDocument.objects.filter(superseded_at__isnull=True)
    assert [document.pk for document in in_force] == [second.pk]
    topics = OutboxMessage.objects.values_list("topic", flat=True)
    assert list(topics) == [f"nguon/v1/area/{ia_grai.uid}/nudge"] * 2


def test_urgent_documents_share_one_row_of_numbers(
    key_ring: keys.Ring, ia_grai: Unit, quan: Officer, now: datetime
) -> None:
    soon = now + timedelta(minutes=5)
    stop = actions.publish_urgent(
        kind="stop", unit=ia_grai, body={"until": ms(soon)}, use="emergency",
        not_after=soon, by=quan, at=now,
    )  # fmt: skip
    lift = actions.publish_urgent(
        kind="lift", unit=ia_grai, body={"stop": stop.uid}, use="emergency",
        not_after=soon, by=quan, at=now,
    )  # fmt: skip

    assert (stop.seq, lift.seq) == (1, 2)
    rows = OutboxMessage.objects.order_by("pk")
    assert [row.payload for row in rows] == [stop.jws, lift.jws]
    assert payload(lift.jws)["stop"] == stop.uid
    with pytest.raises(InvalidError, match="document_kind"):
        actions.publish_urgent(
            kind="stop", unit=ia_grai, body={"until": ms(soon)}, use="plan",
            not_after=soon, by=quan, at=now,
        )  # fmt: skip


def test_without_keys_nothing_is_sent(
    settings: object, tmp_path: object, ia_grai: Unit, quan: Officer, now: datetime
) -> None:
    settings.KEYS_DIR = tmp_path / "none"  # type: ignore[attr-defined,operator]

    with pytest.raises(keys.CannotSignError):
        actions.publish_plan(unit=ia_grai, body=plan_body(now), by=quan, at=now)

    assert not SignedDocument.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_a_key_past_its_end_signs_nothing(
    key_ring: keys.Ring, ia_grai: Unit, quan: Officer, now: datetime
) -> None:
    late = now + timedelta(days=401)

    with pytest.raises(keys.CannotSignError):
        actions.publish_plan(unit=ia_grai, body=plan_body(late), by=quan, at=late)


def test_renewed_keys_are_trusted_and_old_documents_stay_good(
    key_ring: keys.Ring, ia_grai: Unit, quan: Officer, now: datetime
) -> None:
    old = actions.publish_plan(unit=ia_grai, body=plan_body(now), by=quan, at=now)

    keys.renew(at=now)

    fresh = keys.ring()
    held = KeySet.empty(key_ring.root).renewed(key_ring.keyset, at=ms(now))
    trusted = held.renewed(fresh.keyset, at=ms(now))
    assert trusted.seq == 2
    assert trusted.verify(old.jws, at=ms(now))["id"] == old.uid
    assert fresh.signers["plan"].kid != key_ring.signers["plan"].kid


def test_changing_the_volume_signs_settings_anew_and_tells_the_device(
    enrol: Enrol, village: Unit, tung: Officer, now: datetime
) -> None:
    speaker = enrol(village)

    actions.change_device(
        device_id=speaker.row.pk, name="Loa mới", volume=55,
        languages=["jra", "vi"], by=tung, at=now,
    )  # fmt: skip

    told = SignedDocument.objects.get(kind="settings", superseded_at__isnull=True)
    assert payload(told.jws)["volume"] == 55
    assert payload(told.jws)["seq"] == 2
    command = SignedDocument.objects.get(kind="command")
    assert payload(command.jws)["args"] == {"volume": 55}


def test_an_event_is_stored_once_and_acknowledged_each_time(
    enrol: Enrol, village: Unit, now: datetime
) -> None:
    speaker = enrol(village)
    batch = EventBatch(
        device=speaker.row.uid,
        log="abc",
        events=(Event(1, "birth", ms(now)), Event(2, "received", ms(now), "item-1")),
    )
    stranger = EventBatch("aaaaaaaaaaaa", "abc", (Event(1, "birth", ms(now)),))

    first = actions.store_events(batches=[batch, stranger], at=now)
    second = actions.store_events(batches=[batch, batch], at=now)

    assert [event.n for event in first.fresh] == [1, 2]
    assert second.fresh == []
    assert first.acks == second.acks == {(speaker.row.uid, "abc"): [1, 2]}
    assert DeviceEvent.objects.count() == 2
    speaker.row.refresh_from_db()
    assert speaker.row.last_heard_at == now


@pytest.mark.parametrize(
    "event",
    [
        Event(1, "finished", 2**61),
        Event(1, "finished", 5, data={"x": "\0"}),
        Event(1, "finished", 5, data={"x": float("nan")}),
        Event(1, "finished", 5, data={"x": "\ud800"}),
        Event(1, "finished", 5, data={"x": "a" * 20_000}),
        Event(1, "finished", 5, item="\0"),
    ],
)
def test_an_unusable_event_is_kept_aside_and_acknowledged(
    enrol: Enrol, village: Unit, now: datetime, event: Event
) -> None:
    speaker = enrol(village)

    stored = actions.store_events(
        batches=[EventBatch(speaker.row.uid, "abc", (event,))], at=now
    )

    assert stored.acks == {(speaker.row.uid, "abc"): [1]}
    assert DeviceEvent.objects.get().fault.startswith("unusable")


def test_media_are_kept_once_by_their_hash(
    key_ring: keys.Ring, db: None, now: datetime
) -> None:
    first = actions.store_media(data=b"tieng", mime="audio/mpeg", duration_ms=5, at=now)
    second = actions.store_media(
        data=b"tieng", mime="audio/mpeg", duration_ms=5, at=now
    )

    assert first == second
    with pytest.raises(InvalidError):
        actions.store_media(data=b"", mime="audio/mpeg", duration_ms=5, at=now)
    with pytest.raises(InvalidError):
        actions.store_media(data=b"x", mime="text/html", duration_ms=5, at=now)

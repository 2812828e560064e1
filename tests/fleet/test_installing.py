"""A job at a pole: kept once however often it is sent, done when heard and proven."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client

from nguon.audit.models import Record
from nguon.core import beats
from nguon.core.beats import Beat
from nguon.core.errors import ConflictError, InvalidError
from nguon.fleet import actions, installing, queries
from nguon.fleet.models import Device, Health, Installation, Registration
from nguon.people.models import Officer
from nguon.territory.models import Unit
from tests.conftest import make_officer
from tests.fleet.conftest import Speaker
from tests.fleet.test_photos import picture

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


@pytest.fixture
def speaker(enrol: Callable[..., Speaker], village: Unit, now: datetime) -> Device:
    """Return a new device that is connected and has a microphone."""
    row = enrol(village).row
    actions.record_connections(here={row.uid}, away=(), at=now)
    told = {row.uid: Beat(device=row.uid, at=1, heard=False, mains=True, line="ok")}
    actions.record_beats(heard=told, at=now)
    return row


def job(client: UUID, at: datetime, **more: Any) -> actions.Job:
    return actions.Job(**{
        "client": client, "revision": 1, "started_at": at, "steps": {"power": "good"},
        **more,
    })  # fmt: skip


def prove(device: Device, grade: int, at: datetime) -> None:
    told = Beat(device=device.uid, at=1, heard=True, evidence={grade: 0})
    actions.record_beats(heard={device.uid: told}, at=at)


def test_a_job_ends_when_the_tone_was_heard_and_measured(
    speaker: Device, tung: Officer, now: datetime
) -> None:
    client = uuid4()
    begun = {"device_id": speaker.pk, "by": tung}
    actions.save_installation(**begun, job=job(client, now), at=now + MINUTE)
    actions.sound_tone(**begun, client=client, at=now + 2 * MINUTE)
    prove(speaker, beats.MEASURED, now + 2 * MINUTE + 4 * SECOND)
    heard = now + 2 * MINUTE + 3 * SECOND

    row = actions.save_installation(
        **begun,
        job=job(client, now, revision=2, heard_at=heard, ended_at=heard),
        at=now + 3 * MINUTE,
    )

    assert row.finished_at == now + 3 * MINUTE
    assert row.grade == beats.MEASURED
    assert row.ended_at == heard
    kinds = Record.objects.filter(action__startswith="fleet.installation")
    assert kinds.count() == 3


@pytest.mark.parametrize(
    ("grade", "proven_s", "heard_s"),
    [
        (beats.DECODED, 4, 3),  # it has a microphone, and that heard nothing
        (beats.MEASURED, -30, 3),  # the proof is older than the tone
        (beats.MEASURED, 4, -20),  # the installer heard something else
        (beats.MEASURED, 4, None),  # nobody says that it was heard
    ],
)
def test_half_a_proof_ends_nothing(
    speaker: Device, tung: Officer, now: datetime,
    grade: int, proven_s: int, heard_s: int | None,
) -> None:  # fmt: skip
    client, tone = uuid4(), now + 2 * MINUTE
    begun = {"device_id": speaker.pk, "by": tung}
    if proven_s < 0:
        prove(speaker, grade, tone + proven_s * SECOND)
    actions.sound_tone(**begun, client=client, at=tone)
    if proven_s > 0:
        prove(speaker, grade, tone + proven_s * SECOND)
    heard = None if heard_s is None else tone + heard_s * SECOND

    row = actions.save_installation(
        **begun, job=job(client, now, heard_at=heard), at=now + 3 * MINUTE
    )

    assert row.finished_at is None


def test_the_database_itself_refuses_an_end_without_proof(
    speaker: Device, tung: Officer, now: datetime
) -> None:
    row = actions.save_installation(
        device_id=speaker.pk, job=job(uuid4(), now), by=tung, at=now
    )

    with pytest.raises(IntegrityError), transaction.atomic():
        Installation.objects.filter(pk=row.pk).update(finished_at=now, heard_at=now)


def test_the_same_job_sent_again_or_late_changes_nothing(
    speaker: Device, tung: Officer, now: datetime
) -> None:
    client = uuid4()
    begun = {"device_id": speaker.pk, "by": tung, "at": now}
    sent = [job(client, now, revision=n, notes=f"lần {n}") for n in (1, 2)]
    for one in (sent[1], sent[0], sent[1]):
        actions.save_installation(**begun, job=one)

    row = Installation.objects.get()
    assert (row.revision, row.notes) == (2, "lần 2")
    saved = Record.objects.filter(action="fleet.installation.saved")
    assert saved.count() == 1


def test_place_and_villages_reach_device_and_register(
    speaker: Device, village: Unit, tung: Officer, now: datetime
) -> None:
    told = job(uuid4(), now, lat=13.97, lon=108.0, accuracy_m=6, villages=[village.pk])

    actions.save_installation(device_id=speaker.pk, job=told, by=tung, at=now)

    speaker.refresh_from_db()
    assert (speaker.lat, speaker.lon) == (13.97, 108.0)
    paper = Registration.objects.get(device=speaker)
    assert list(paper.villages.all()) == [village]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"steps": {"roof": "good"}}, "fleet.installation_steps"),
        ({"steps": {"power": "maybe"}}, "fleet.installation_steps"),
        ({"lat": 48.8, "lon": 2.3}, "fleet.installation_place"),
        ({"lat": 13.9, "lon": None}, "fleet.installation_place"),
        ({"notes": "x" * 501}, "fleet.text_too_long"),
        ({"photos": [b"no photo"]}, "fleet.photo_unreadable"),
        ({"photos": [b""] * 5}, "fleet.photos_many"),
        ({"revision": 0}, "fleet.installation_time"),
        ({"villages": [999_999]}, "fleet.village_elsewhere"),
    ],
)
def test_a_wrong_job_is_refused_whole(
    speaker: Device, tung: Officer, now: datetime, more: dict[str, Any], code: str
) -> None:
    told = job(uuid4(), now, **more)

    with pytest.raises(InvalidError) as caught:
        actions.save_installation(device_id=speaker.pk, job=told, by=tung, at=now)

    assert caught.value.code == code
    assert not Installation.objects.exists()


def test_another_persons_job_is_not_taken_over(
    speaker: Device, tung: Officer, now: datetime,
    ia_grai: Unit,
) -> None:  # fmt: skip
    client = uuid4()
    actions.sound_tone(device_id=speaker.pk, client=client, by=tung, at=now)
    other = make_officer("nam", "Trần Văn Nam", (ia_grai, "technician"))

    with pytest.raises(ConflictError, match="installation_other"):
        actions.save_installation(
            device_id=speaker.pk, job=job(client, now), by=other, at=now
        )


# --- over HTTP -----------------------------------------------------------------------


def form(client: UUID, **more: Any) -> dict[str, Any]:
    return {
        "client": str(client), "revision": "1", "villages_shown": "1",
        "started_at": "2020-01-01T07:00:00+07:00",
        "sent_at": "2020-01-01T07:05:00+07:00", "power": "good", **more,
    }  # fmt: skip


def test_a_phone_with_a_wrong_clock_keeps_its_durations(
    client: Client, speaker: Device, tung: Officer
) -> None:
    client.force_login(tung)
    photo = SimpleUploadedFile("a.jpg", picture(64, 48), "image/jpeg")

    for _again in range(2):
        photo.seek(0)
        answer = client.post(
            f"/thiet-bi/{speaker.uid}/lap-dat/",
            form(UUID(int=5), photo=photo),
            headers={"accept": "application/json"},
        )
        assert answer.status_code == 200, answer.content

    row = Installation.objects.get()
    assert row.saved_at - row.started_at == 5 * MINUTE
    assert row.photos.count() == 1
    page = client.get(f"/thiet-bi/lap-dat/{row.uid}/").content.decode()
    assert "Chưa xong" in page
    shown = client.get(f"/thiet-bi/lap-dat/{row.uid}/anh/{row.photos.get().pk}.jpg")
    assert shown["content-type"] == "image/jpeg"


def test_without_javascript_the_form_goes_from_check_to_done(
    client: Client, speaker: Device, tung: Officer
) -> None:
    client.force_login(tung)
    own = f"/thiet-bi/{speaker.uid}/lap-dat/"
    page = client.get(own)
    key = page.context["client"]
    told = {"client": str(key), "revision": "1", "started_at": page.context["now"]}
    client.post(own + "thu/", told)
    row = Installation.objects.get()
    assert row.tone_at
    Health.objects.filter(pk=speaker.pk).update(
        measured_at=row.tone_at + timedelta(milliseconds=1)
    )

    answer = client.post(own, {**told, "heard_now": "1"})

    row.refresh_from_db()
    assert row.finished_at
    assert answer["location"] == f"/thiet-bi/lap-dat/{row.uid}/"
    assert "Cột này đã xong" in client.get(answer["location"]).content.decode()


def test_hoa_sees_and_changes_nothing_here(
    client: Client, speaker: Device, tung: Officer, hoa: Officer, now: datetime
) -> None:
    row = actions.save_installation(
        device_id=speaker.pk, job=job(uuid4(), now), by=tung, at=now
    )
    client.force_login(hoa)
    own = f"/thiet-bi/{speaker.uid}/lap-dat/"

    for answer in (
        client.get(own),
        client.get(own + "tinh-hinh/"),
        client.post(own, form(uuid4())),
        client.post(own + "thu/", form(uuid4())),
        client.get(f"/thiet-bi/lap-dat/{row.uid}/"),
    ):
        assert answer.status_code == 404
    assert row.uid not in client.get("/thiet-bi/lap-dat/").content.decode()
    assert Installation.objects.count() == 1


def test_a_label_leads_to_its_device_and_the_list_is_a_table(
    client: Client, speaker: Device, tung: Officer, now: datetime
) -> None:
    client.force_login(tung)
    label = Registration.objects.get(device=speaker).label

    answer = client.get("/thiet-bi/lap-dat/", {"nhan": label.lower()})
    assert answer["location"] == f"/thiet-bi/{speaker.uid}/lap-dat/"
    assert client.get("/thiet-bi/lap-dat/", {"nhan": "XXXXXXX"}).status_code == 404

    actions.save_installation(
        device_id=speaker.pk, job=job(uuid4(), now), by=tung, at=now
    )
    table = client.get("/thiet-bi/lap-dat/xuat.csv").content.decode()
    assert speaker.name in table
    assert "Tốt" in table


def test_signs_are_the_devices_own_words(speaker: Device) -> None:
    row = Health.objects.select_related("device").get(pk=speaker.pk)
    row.device.connected = True
    signs = installing.signs_of(
        queries.vitals_of(row), network="4g", operator="Viettel"
    )

    found = {sign.step: (sign.words, sign.look) for sign in signs}
    assert found["power"] == ("có điện lưới", "good")
    assert found["network"] == ("4G, Viettel", "good")
    assert found["line"] == ("dây tốt", "good")
    assert found["microphone"] == ("không nghe thấy tiếng của máy", "bad")
    assert found["amplifier"] == ("máy chưa báo", "wait")

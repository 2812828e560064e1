"""Recordings in minority languages: asked, recorded, late; and the gap before that."""

from datetime import datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client

from nguon.core.errors import AbsentError, ConflictError
from nguon.fleet.models import Device
from nguon.newsroom import actions
from nguon.newsroom.models import Bulletin, Editor, TrackTask
from nguon.newsroom.rules import Draft, DraftError
from nguon.people.models import Notice, Officer
from nguon.schedule import gaps
from nguon.territory.models import Unit
from tests.conftest import make_officer, make_unit
from tests.newsroom.files import tone

HOUR = timedelta(hours=1)


@pytest.fixture
def rcham(ia_grai: Unit) -> Officer:
    """Return a speaker of Jrai who writes for the commune."""
    return make_officer("rcham", "Rơ Châm H'Ly", (ia_grai, "author"))


@pytest.fixture
def bulletin(ia_grai: Unit, lan: Officer, now: datetime) -> Bulletin:
    draft = Draft("Họp dân", "Mời bà con họp lúc 19h00.")
    return actions.create_bulletin(unit=ia_grai, draft=draft, by=lan, at=now)


@pytest.fixture
def task(bulletin: Bulletin, lan: Officer, rcham: Officer, now: datetime) -> TrackTask:
    return actions.ask_track(
        bulletin_id=bulletin.pk,
        language="jra",
        assigned=rcham,
        due_at=now + HOUR,
        by=lan,
        at=now,
    )


def test_a_speaker_is_told_and_records_on_the_phone(
    client: Client, task: TrackTask, rcham: Officer, lan: Officer, now: datetime
) -> None:
    told = Notice.objects.get(officer=rcham)
    assert told.subject.startswith("Cần bản ghi Tiếng Jrai")
    client.force_login(rcham)
    listed = client.get("/ban-tin/ban-ghi/", {"cua": "toi"}).content.decode()
    assert "Họp dân" in listed
    address = f"/ban-tin/ban-ghi/{task.pk}/"
    client.post(f"{address}loi/", {"text": "Iâu bôn sang."})
    sent = SimpleUploadedFile("a.wav", tone(), content_type="audio/wav")
    page = client.post(f"{address}ghi-am/", {"recording": sent}, follow=True)

    assert "Đã có bản ghi" in page.content.decode()
    task.refresh_from_db()
    bulletin = task.bulletin
    assert (task.state, task.text) == ("recorded", "Iâu bôn sang.")
    assert bulletin.languages == ["vi", "jra"]
    assert Editor.objects.filter(bulletin=bulletin, person=rcham).exists()
    assert Notice.objects.filter(officer=lan, subject__startswith="Đã có bản").exists()
    version = actions.freeze_version(bulletin_id=bulletin.pk, by=lan, at=now)
    assert version.sounds.get(language="jra").rendition == task.recording.rendition
    assert "Iâu bôn sang." in client.get("/ban-tin/ban-ghi/xuat.csv").content.decode()


def test_nobody_of_another_commune_sees_or_records(
    client: Client, task: TrackTask, hoa: Officer, now: datetime
) -> None:
    client.force_login(hoa)
    assert client.get(f"/ban-tin/ban-ghi/{task.pk}/").status_code == 404
    assert client.post(f"/ban-tin/ban-ghi/{task.pk}/thoi/").status_code == 404
    assert client.get(f"/ban-tin/{task.bulletin.uid}/nho-ghi-am/").status_code == 404
    with pytest.raises(AbsentError):
        actions.save_track_text(key=task.pk, text="x", by=hoa, at=now)
    task.refresh_from_db()
    assert task.state == "asked"


def test_a_task_needs_a_speaker_a_language_and_time(
    bulletin: Bulletin, hoa: Officer, lan: Officer, now: datetime
) -> None:
    def refuse(**more: object) -> str:
        asked = {
            "bulletin_id": bulletin.pk,
            "language": "jra",
            "assigned": None,
            "speaker": "Bà H'Bia",
            "phone": "0905 000 001",
            "due_at": now + HOUR,
        } | more
        with pytest.raises((DraftError, ConflictError)) as refusal:
            actions.ask_track(**asked, by=lan, at=now)  # type: ignore[arg-type]
        return refusal.value.code

    assert refuse(phone="") == "newsroom.track_speaker_missing"
    assert refuse(language="vi") == "newsroom.track_language"
    assert refuse(assigned=hoa) == "newsroom.track_officer_cannot"
    assert refuse(due_at=now) == "newsroom.track_due_past"
    actions.ask_track(
        bulletin_id=bulletin.pk,
        language="jra",
        assigned=None,
        speaker="Bà H'Bia",
        phone="0905 000 001",
        due_at=now + HOUR,
        by=lan,
        at=now,
    )
    assert refuse() == "newsroom.track_asked_already"
    with pytest.raises(DatabaseError), transaction.atomic():
        TrackTask.objects.update(state="recorded")


def test_late_is_told_once_to_both(
    task: TrackTask, lan: Officer, rcham: Officer, now: datetime
) -> None:
    assert actions.tell_late_tracks(at=now) == 0
    assert actions.tell_late_tracks(at=now + 2 * HOUR) == 1
    assert actions.tell_late_tracks(at=now + 3 * HOUR) == 0
    late = Notice.objects.filter(subject__startswith="Trễ bản ghi")
    assert {one.officer for one in late} == {lan, rcham}


@pytest.mark.parametrize(
    ("asked", "has", "missing"),
    [
        (["jra", "vi"], ["vi"], "jra"),
        (["jra", "bdq", "vi"], ["vi", "bdq"], None),
        (["jra"], ["vi", "jra"], None),
        (["vi", "jra"], ["vi"], None),
        ([], ["vi"], None),
    ],
)
def test_a_device_misses_its_first_language_when_it_hears_vietnamese(
    asked: list[str], has: list[str], missing: str | None
) -> None:
    assert gaps.missing_language(asked, has) == missing


def test_the_gap_counts_villages_not_devices(
    ia_grai: Unit, village: Unit, tung: Officer, now: datetime
) -> None:
    other = make_unit("village", "L2", "Làng Nú", ia_grai, population=100)
    for number, (unit, language) in enumerate(
        [(village, "jra"), (village, "jra"), (other, "bdq"), (ia_grai, "jra")]
    ):
        Device.objects.create(
            kind="speaker",
            name=f"Loa {number}",
            unit=unit,
            state="active",
            public_key=f"{number}" * 43,
            languages=[language, "vi"],
            enrolled_at=now,
            decided_by=tung,
            decided_at=now,
        )

    found = gaps.find_gap(Device.objects.all(), ["vi"])

    assert found == gaps.Gap(2, [("bdq", 1), ("jra", 1)])
    assert gaps.find_gap(Device.objects.all(), ["vi", "jra", "bdq"]) is None

"""Anybody reads and hears what was released, and nothing before or after that."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from nguon.core.errors import AbsentError
from nguon.fleet import files
from nguon.fleet.models import Device
from nguon.newsroom import actions as newsroom
from nguon.newsroom.rules import Draft
from nguon.people.models import Officer
from nguon.portal import queries
from nguon.schedule import actions, rules
from nguon.schedule.models import Broadcast
from nguon.territory.models import Unit
from tests.conftest import make_officer
from tests.fleet.test_photos import picture
from tests.newsroom import files as newsroom_files
from tests.plan.conftest import old_map
from tests.schedule.conftest import (
    send,
    server_keys,
    signing_keys,
    speakers,
    voice_all,
)

__all__ = ["old_map", "send", "server_keys", "signing_keys", "speakers"]
HOUR = timedelta(hours=1)
Send = Callable[..., Broadcast]


@pytest.fixture(autouse=True)
def _day(settings: object) -> None:
    # Pages read the real clock, which may stand in the quiet hours.
    settings.QUIET_HOURS = ""  # type: ignore[attr-defined]


@pytest.fixture
def today() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def now(today: datetime) -> datetime:
    """Let everything of these tests happen just before the page is asked for."""
    return today - timedelta(minutes=1)


def release(broadcast: Broadcast, by: Officer, at: datetime) -> Broadcast:
    return actions.release(
        broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=by, at=at
    )


def test_a_page_shows_a_bulletin_from_its_release_until_it_is_called_off(
    send: Send, minh: Officer, ia_grai: Unit, client: Client, now: datetime
) -> None:
    broadcast = send()
    page, sound = f"/xa/{ia_grai.uid}/", f"/xa/{ia_grai.uid}/{broadcast.uid}.mp3"
    assert "Mời bà con" not in client.get(page).content.decode()
    assert client.get(sound).status_code == 404

    release(broadcast, minh, now)
    text = client.get(page).content.decode()
    assert "Mời bà con họp lúc 19h00." in text
    assert f"{sound}?tieng=vi" in text
    assert len(text.encode()) < 60_000

    actions.cancel_broadcast(
        broadcast_uid=broadcast.uid, reason="Hoãn họp", by=minh, at=now
    )
    assert "Mời bà con" not in client.get(page).content.decode()
    assert client.get(sound).status_code == 404


def test_the_sound_is_what_was_approved_and_comes_in_ranges(
    send: Send, minh: Officer, ia_grai: Unit, client: Client, now: datetime
) -> None:
    broadcast = release(send(), minh, now)
    sound = f"/xa/{ia_grai.uid}/{broadcast.uid}.mp3"
    media = queries.get_sound(ia_grai, broadcast.uid, "vi", at=now)

    whole = client.get(sound)
    part = client.get(sound, headers={"range": "bytes=4-9"})

    data = files.path_of(media.sha256).read_bytes()
    assert b"".join(whole.streaming_content) == data  # type: ignore[attr-defined]
    assert part.status_code == 206
    assert b"".join(part.streaming_content) == data[4:10]  # type: ignore[attr-defined]
    assert whole["Cache-Control"] == "no-cache"


def test_pictures_and_documents_are_public_from_release_until_called_off(
    send: Send, minh: Officer, ia_grai: Unit, client: Client, now: datetime
) -> None:
    broadcast = send(
        attached={"a.jpg": picture(64, 48), "b.pdf": newsroom_files.pdf("Lich hop")}
    )
    shown, paper = broadcast.version.attachments.all()
    start = f"/xa/{ia_grai.uid}/{broadcast.uid}/kem"
    address = f"{start}/{shown.media.sha256}/"
    assert client.get(address).status_code == 404
    assert "Kèm a.jpg" not in client.get(f"/xa/{ia_grai.uid}/").content.decode()

    release(broadcast, minh, now)
    text = client.get(f"/xa/{ia_grai.uid}/").content.decode()
    assert f'src="{address}"' in text
    assert "Kèm b.pdf" in text
    assert client.get(address)["Content-Type"] == "image/jpeg"
    saved = client.get(f"{start}/{paper.media.sha256}/")
    assert saved["Content-Disposition"].startswith("attachment;")
    sound = broadcast.version.sounds.get().rendition.media
    assert client.get(f"{start}/{sound.sha256}/").status_code == 404

    actions.cancel_broadcast(broadcast_uid=broadcast.uid, reason="Sai", by=minh, at=now)
    assert client.get(address).status_code == 404


def test_another_communes_page_has_neither_text_nor_sound(
    send: Send,
    minh: Officer,
    dak_doa: Unit,
    client: Client,
    now: datetime,
) -> None:
    broadcast = release(send(), minh, now)

    assert "Mời bà con" not in client.get(f"/xa/{dak_doa.uid}/").content.decode()
    assert client.get(f"/xa/{dak_doa.uid}/{broadcast.uid}.mp3").status_code == 404
    with pytest.raises(AbsentError):
        queries.get_sound(dak_doa, broadcast.uid, "vi", at=now)


def test_a_running_emergency_stands_first_until_it_expires(
    send: Send, minh: Officer, ia_grai: Unit, now: datetime
) -> None:
    timing = rules.Timing(rules.NOW, expires_at=now + HOUR)
    alarm = release(send("emergency", timing), minh, now)
    drill = release(
        send("emergency", timing, drill=True), minh, now + timedelta(seconds=1)
    )
    news = release(send(), minh, now + timedelta(seconds=2))
    soon, later = now + timedelta(minutes=2), now + 2 * HOUR

    first = queries.list_notices(ia_grai, at=soon)
    after = queries.list_notices(ia_grai, at=later)

    assert [one.broadcast for one in first] == [alarm, drill, news]
    assert [one.broadcast for one in after] == [news, drill, alarm]
    assert [one.is_alarm for one in after] == [False, False, False]


def test_a_drill_says_so_before_anything_else(
    send: Send, minh: Officer, ia_grai: Unit, client: Client, now: datetime
) -> None:
    timing = rules.Timing(rules.NOW, expires_at=now + HOUR)
    release(send("emergency", timing, drill=True), minh, now)

    text = client.get(f"/xa/{ia_grai.uid}/").content.decode()

    assert "DIỄN TẬP" in text
    assert "<p>Đây là diễn tập. Mời bà con" in text


def test_a_page_carries_what_the_province_sends_to_all(
    minh: Officer, quan: Officer, ia_grai: Unit, speakers: list[Device], now: datetime
) -> None:

    province = ia_grai.parent
    assert province is not None
    draft = Draft("Tin tỉnh", "Toàn tỉnh nghe.", klass="priority")
    bulletin = newsroom.create_bulletin(unit=province, draft=draft, by=quan, at=now)
    broadcast = actions.submit(
        bulletin_id=bulletin.pk,
        timing=rules.Timing(rules.NOW),
        units=[province],
        devices=[],
        by=quan,
        at=now,
    )
    voice_all(now)
    broadcast.refresh_from_db()
    chief = make_officer("an", "Đỗ An", (province, "approver"))
    release(broadcast, chief, now)

    shown = queries.list_notices(ia_grai, at=now)

    assert [one.title for one in shown] == ["Tin tỉnh"]


def test_communes_are_found_without_accents_by_id_and_by_code(
    ia_grai: Unit, dak_doa: Unit, client: Client
) -> None:
    found = client.get("/xa/", {"q": "dak doa"}).content.decode()

    assert "Xã Đak Đoa" in found
    assert "Xã Ia Grai" not in found
    assert client.get(f"/xa/{ia_grai.code}/").status_code == 200
    assert client.get("/xa/khong-co/").status_code == 404


def test_public_pages_name_the_province_that_is_served_and_no_other(
    client: Client, province: Unit, lan: Officer
) -> None:
    province.name = "Tỉnh Đăk Nam"
    province.save()
    other = Unit.objects.create(
        kind="province", code="01", name="Hà Nội", valid_from=province.valid_from
    )
    other.path = f"/{other.pk}/"
    other.save()

    page = client.get("/xa/").content.decode()

    assert page.count("Tỉnh Đăk Nam") == 2
    assert "Gia Lai" not in page
    assert "Hà Nội" not in page


def test_the_page_of_a_past_commune_leads_to_who_speaks_there_now(
    client: Client, old_map: Sequence[Unit], ia_grai: Unit
) -> None:
    whole, divided = old_map[3], old_map[5]

    answer = client.get(f"/xa/{whole.uid}/")
    assert answer["Location"] == f"/xa/{ia_grai.uid}/"

    page = client.get(f"/xa/{divided.uid}/").content.decode()
    assert "Xã Đak Đoa" in page
    assert "Xã Ia Grai" in page

"""Pictures go with the signed item, and the approver sees what will be shown."""

from collections.abc import Callable
from datetime import datetime

from django.test import Client

from nguon.people.models import Officer
from nguon.schedule.items import ItemMaker
from nguon.schedule.models import Broadcast, InboxEntry
from nguon.territory.models import Unit
from tests.fleet.test_photos import picture
from tests.newsroom import files

Send = Callable[..., Broadcast]


def test_boards_are_told_of_pictures_and_the_seal_covers_everything_shown(
    send: Send, now: datetime
) -> None:
    bare = send()
    shown = send(attached={"a.jpg": picture(64, 48), "b.pdf": files.pdf("Lich")})

    maker = ItemMaker(shown)
    item = maker.item(maker.airing(now))
    first = shown.version.attachments.get(place=1)
    assert [one.sha256 for one in item.pictures] == [first.media.sha256]
    assert item.pictures[0].caption == "Kèm a.jpg"
    assert ItemMaker(bare).pictures == ()
    assert shown.version.content_sha256 != bare.version.content_sha256


def test_the_approver_sees_every_picture_and_document(
    send: Send, minh: Officer, client: Client
) -> None:
    broadcast = send(attached={"a.jpg": picture(64, 48), "b.pdf": files.pdf("Lich")})
    client.force_login(minh)

    text = client.get(f"/duyet/{broadcast.uid}/").content.decode()
    facts = client.get(
        f"/duyet/{broadcast.uid}/", headers={"accept": "application/json"}
    ).json()

    assert "Ảnh, video, tài liệu sẽ hiện" in text
    for one in broadcast.version.attachments.all():
        address = f"/ban-tin/{broadcast.version.bulletin.uid}/kem/{one.media.sha256}/"
        assert address in text
        assert client.get(address).status_code == 200
    assert [one["kind"] for one in facts["attachments"]] == ["picture", "document"]


def test_a_commune_sees_the_pictures_of_what_comes_from_above(
    from_above: Send, ia_grai: Unit, lan: Officer, client: Client
) -> None:
    broadcast = from_above(attached={"a.jpg": picture(64, 48)})
    entry = InboxEntry.objects.get(broadcast=broadcast, unit=ia_grai)
    shown = broadcast.version.attachments.get()
    client.force_login(lan)

    page = client.get(f"/hop-tin/{entry.pk}/").content.decode()
    address = f"/phat/{broadcast.uid}/kem/{shown.media.sha256}/"

    assert address in page
    assert client.get(address)["Content-Type"] == "image/jpeg"
    assert client.get(f"/phat/{broadcast.uid}/kem/{'b' * 64}/").status_code == 404

"""A dictionary says words as its place wants, and changes nothing that is frozen."""

from datetime import datetime
from http import HTTPStatus
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError
from django.test import Client

from nguon.audit.models import Record
from nguon.core.errors import AbsentError, RefusedError
from nguon.newsroom import actions, lexicon, queries
from nguon.newsroom.dictionary import dictionary_of
from nguon.newsroom.models import Bulletin, DictionaryWord
from nguon.newsroom.rules import Draft
from nguon.people.models import Officer
from nguon.territory.models import Unit

HALL = Draft(title="Họp", body="Mời bà con họp tại NVHCĐ lúc 7h30.")


@pytest.fixture
def hall(ia_grai: Unit, lan: Officer, now: datetime) -> Bulletin:
    return actions.create_bulletin(unit=ia_grai, draft=HALL, by=lan, at=now)


def say(unit: Unit, by: Officer, at: datetime, spoken: str) -> DictionaryWord:
    return actions.set_word(unit=unit, written="NVHCĐ", spoken=spoken, by=by, at=at)


def test_a_word_changes_the_draft_and_never_what_was_frozen(
    hall: Bulletin, ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    say(ia_grai, lan, now, "nhà văn hóa cộng đồng")
    first = actions.freeze_version(bulletin_id=hall.pk, by=lan, at=now)
    say(ia_grai, lan, now, "nhà rông")

    second = actions.freeze_version(bulletin_id=hall.pk, by=lan, at=now)

    (before,), (after,) = queries.list_sounds(first), queries.list_sounds(second)
    assert "họp tại nhà văn hóa cộng đồng lúc bảy giờ" in before.spoken_text
    assert "họp tại nhà rông lúc bảy giờ" in after.spoken_text
    assert (first.dictionary_number, second.dictionary_number) == (1, 2)
    assert first.content_sha256 != second.content_sha256


def test_the_number_is_part_of_the_hash_even_when_the_words_sound_alike(
    hall: Bulletin, ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    first = actions.freeze_version(bulletin_id=hall.pk, by=lan, at=now)
    actions.set_word(unit=ia_grai, written="XYZW", spoken="ích", by=lan, at=now)

    second = actions.freeze_version(bulletin_id=hall.pk, by=lan, at=now)

    assert queries.list_sounds(first) == queries.list_sounds(second)
    assert first.content_sha256 != second.content_sha256


def test_the_communes_word_stands_before_the_provinces(
    ia_grai: Unit, lan: Officer, quan: Officer, now: datetime
) -> None:
    province = ia_grai.parent
    assert province is not None
    say(province, quan, now, "nhà của tỉnh")
    above = dictionary_of(ia_grai)
    say(ia_grai, lan, now, "nhà của xã")

    own = dictionary_of(ia_grai)

    assert [word.spoken for word in above.words] == ["nhà của tỉnh"]
    assert [word.spoken for word in own.words] == ["nhà của xã"]
    assert (above.number, own.number) == (1, 2)


def test_removing_a_word_makes_the_number_higher_and_is_written_down(
    ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    word = say(ia_grai, lan, now, "nhà rông")

    actions.remove_word(word_id=word.pk, by=lan, at=now)

    assert dictionary_of(ia_grai).words == ()
    assert dictionary_of(ia_grai).number == 2
    names = Record.objects.order_by("pk").values_list("action", flat=True)
    assert list(names)[-2:] == ["newsroom.word.set", "newsroom.word.removed"]


def test_another_commune_neither_reads_nor_changes_nor_hears_it(
    client: Client, ia_grai: Unit, lan: Officer, hoa: Officer, now: datetime
) -> None:
    word = say(ia_grai, lan, now, "nhà rông")
    address = f"/ban-tin/tu-dien/?noi={ia_grai.uid}"
    sent = {"unit": ia_grai.uid, "written": "NVHCĐ", "spoken": "nhà máy"}
    client.force_login(lan)
    seen = client.get(address)
    client.force_login(hoa)

    answers = [
        client.get(address),
        client.post("/ban-tin/tu-dien/luu/", sent),
        client.post(f"/ban-tin/tu-dien/{word.pk}/bo/"),
        client.get(f"/ban-tin/tu-dien/xuat.csv?noi={ia_grai.uid}"),
        client.get(f"/ban-tin/tu-dien/nghe.mp3?noi={ia_grai.uid}&doc=a"),
    ]

    assert "nhà rông" in seen.content.decode()
    assert {answer.status_code for answer in answers} == {HTTPStatus.NOT_FOUND}
    with pytest.raises((AbsentError, RefusedError)):
        say(ia_grai, hoa, now, "nhà máy")
    word.refresh_from_db()
    assert (word.spoken, word.removed) == ("nhà rông", False)


def test_a_commune_cannot_change_the_provinces_word(
    ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    assert ia_grai.parent is not None

    with pytest.raises((AbsentError, RefusedError)):
        say(ia_grai.parent, lan, now, "nhà máy")


@pytest.mark.parametrize(
    ("written", "spoken", "code"),
    [
        ("", "a", "newsroom.word_written"),
        ("a", "bê", "newsroom.word_written"),
        ("10h", "mười một giờ", "newsroom.word_written"),
        ("x" * 61, "a", "newsroom.word_written"),
        ("NVH", "", "newsroom.word_spoken"),
        ("NVH", "12", "newsroom.word_spoken"),
        ("NVH", "a" * 201, "newsroom.word_spoken"),
        ("nhà", "nhà", "newsroom.word_same"),
        ("NVH", "KTQDX", "newsroom.word_doubtful"),
    ],
)
def test_a_word_that_may_not_be_is_refused(
    written: str, spoken: str, code: str
) -> None:
    with pytest.raises(lexicon.WordError) as caught:
        lexicon.check_word(written, spoken)

    assert caught.value.code == code


def test_the_database_itself_refuses_a_word_that_says_itself(
    ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    word = say(ia_grai, lan, now, "nhà rông")

    with pytest.raises(IntegrityError):
        DictionaryWord.objects.filter(pk=word.pk).update(spoken="NVHCĐ")


def test_a_file_is_taken_whole_or_not_at_all_and_comes_out_again(
    client: Client, ia_grai: Unit, lan: Officer
) -> None:
    client.force_login(lan)
    good = "viết,đọc\nNVHCĐ,nhà văn hóa cộng đồng\nTTXH,trật tự xã hội\n"

    wrong = upload(client, ia_grai, good + "10h,mười một giờ\n")
    none = DictionaryWord.objects.count()
    right = upload(client, ia_grai, good)
    out = client.get(f"/ban-tin/tu-dien/xuat.csv?noi={ia_grai.uid}")
    found = client.get(f"/ban-tin/tu-dien/?noi={ia_grai.uid}&tim=cong dong")

    assert "sửa các dòng: 4" in wrong
    assert none == 0
    assert "Đã nhập 2 từ" in right
    assert "NVHCĐ,nhà văn hóa cộng đồng" in out.content.decode()
    page = found.content.decode()
    assert "cộng đồng" in page
    assert "trật tự" not in page


def upload(client: Client, unit: Unit, content: str) -> str:
    """Send a CSV file; return the page that follows."""
    file = SimpleUploadedFile("tu.csv", content.encode())
    sent = {"unit": unit.uid, "file": file}
    return client.post("/ban-tin/tu-dien/nhap/", sent, follow=True).content.decode()


def test_the_preview_marks_a_doubt_and_one_tap_teaches_it(
    client: Client, hall: Bulletin, ia_grai: Unit, lan: Officer
) -> None:
    client.force_login(lan)
    address = f"/ban-tin/{hall.uid}/loi-doc/"
    doubtful = client.get(address).content.decode()
    link = f"ban-tin={hall.uid}&amp;chu={quote('NVHCĐ')}#them"

    sent = {"written": "NVHCĐ", "spoken": "nhà rông", "bulletin": hall.uid}
    after = client.post(
        "/ban-tin/tu-dien/luu/", {**sent, "unit": ia_grai.uid}, follow=True
    )

    assert f"{link}" in doubtful
    assert "<mark>NVHCĐ</mark>" in doubtful
    page = after.content.decode()
    assert "<mark>" not in page
    assert "họp tại nhà rông lúc bảy giờ ba mươi phút" in page


def test_a_word_is_heard(client: Client, ia_grai: Unit, lan: Officer) -> None:
    client.force_login(lan)

    answer = client.get(
        "/ban-tin/tu-dien/nghe.mp3", {"noi": ia_grai.uid, "doc": "nhà rông"}
    )

    assert answer["Content-Type"] == "audio/mpeg"
    assert len(answer.content) > 2_000


def test_the_chosen_voice_and_speed_name_the_sound_and_are_bounded(
    client: Client, hall: Bulletin, lan: Officer, hoa: Officer, now: datetime
) -> None:
    usual = actions.freeze_version(bulletin_id=hall.pk, by=lan, at=now)
    client.force_login(lan)
    address = f"/ban-tin/{hall.uid}/giong/"

    client.post(address, {"voice": "vi-VN-x-south", "speed": "85"})
    chosen = actions.freeze_version(bulletin_id=hall.pk, by=lan, at=now)
    wild = client.post(address, {"voice": "vi", "speed": "500"})
    nobody = client.post(address, {"voice": "nobody"})
    client.force_login(hoa)
    foreign = client.post(address, {"voice": "vi"})

    (before,), (after,) = queries.list_sounds(usual), queries.list_sounds(chosen)
    assert before.key != after.key
    assert (after.voice, after.manner["speed"]) == ("vi-VN-x-south", 85)
    assert wild.status_code == nobody.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert foreign.status_code == HTTPStatus.NOT_FOUND

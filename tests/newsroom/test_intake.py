"""What officers really get becomes a proposal; what is bad is refused in a sentence."""

from datetime import date, datetime, timedelta
from http import HTTPStatus
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from nguon.core.errors import AbsentError, InvalidError
from nguon.fleet import files as media_files
from nguon.newsroom import actions, queries
from nguon.newsroom.intake import documents, kinds, limits, proposal, reader
from nguon.newsroom.models import Bulletin, Recording
from nguon.people.access import NoRightError
from nguon.people.models import Officer
from nguon.territory.models import Unit
from nguon.web.sentences import SENTENCES
from tests.fleet.test_photos import PLACE, picture, with_exif
from tests.newsroom import files

TODAY = date(2026, 11, 24)
JSON = {"accept": "application/json"}


def test_a_letter_becomes_what_a_station_says() -> None:
    made = proposal.propose(files.LETTER, day=TODAY, issuer="Ủy ban nhân dân xã")

    assert made.title == "Thông báo tiêm phòng lở mồm long móng cho trâu, bò"
    assert made.body.startswith("Kính thưa bà con. Mời bà con chú ý lắng nghe")
    assert made.body.endswith("Xin cảm ơn bà con đã lắng nghe.")
    assert "7 giờ 30 ngày 25/11/2026 tại nhà rông" in made.body
    for dropped in ("CỘNG HÒA", "45/TB-UBND", "Căn cứ", "Nơi nhận", "CHỦ TỊCH"):
        assert dropped not in made.body
    assert (made.field, made.expires_on) == (5, date(2026, 11, 25))


@pytest.mark.parametrize(
    "grounds",
    [
        "Căn cứ kế hoạch 5/KH-UBND ngày 1/11/2026; UBND xã thông báo: 7h30 ngày"
        " 28/11/2026 tiêm phòng tại nhà rông làng Jút. Bà con đưa trâu bò đến.",
        "Căn cứ Luật Thú y, Nghị định 35 của Chính phủ, UBND xã thông báo: 7h30 ngày"
        " 28/11/2026 tiêm phòng tại nhà rông làng Jút. Bà con đưa trâu bò đến.",
        "Căn cứ tình hình dịch bệnh. UBND xã thông báo: 7h30 ngày 28/11/2026 tiêm phòng"
        " tại nhà rông làng Jút. Bà con đưa trâu bò đến.",
    ],
)
def test_what_is_told_in_the_paragraph_of_the_grounds_stays(grounds: str) -> None:
    letter = f"Số: 12/TB-UBND\n{grounds}\nNơi nhận:\n- Như trên;\nKT. CHỦ TỊCH"

    made = proposal.propose(letter, day=TODAY, issuer="Ủy ban nhân dân xã")

    assert made.body.split("\n")[1:-1] == [
        "UBND xã thông báo: 7h30 ngày 28/11/2026 tiêm phòng tại nhà rông làng Jút.",
        "Bà con đưa trâu bò đến.",
    ]


def test_grounds_alone_are_left_out() -> None:
    grounds = "Căn cứ Luật Tổ chức chính quyền địa phương; Luật Thú y;\nCăn cứ kế hoạch"
    made = proposal.propose(
        f"{grounds} của tỉnh;\nXã họp lúc 8 giờ ngày 2/12.", day=TODAY, issuer="Xã"
    )

    assert made.body.split("\n")[1:-1] == ["Xã họp lúc 8 giờ ngày 2/12."]


def test_a_long_letter_is_shortened_and_keeps_its_days_in_order() -> None:
    filler = "Đây là một câu nói chung chung không có gì phải làm ngay cả. " * 60
    text = f"Mở đầu.\n{filler}\nBà con có mặt lúc 8 giờ ngày 02/12/2026 tại nhà rông."

    made = proposal.propose(text, day=TODAY, issuer="Ủy ban nhân dân xã Ia Grai")

    assert "02/12/2026" in made.body
    assert len(made.body) < proposal.SPOKEN_LIMIT + 250
    assert any("Rút ngắn từ" in note for note in made.notes)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("ngày 25/11/2026", [date(2026, 11, 25)]),
        ("từ ngày 30 tháng 11 năm 2026", [date(2026, 11, 30)]),
        ("sáng 5/1", [date(2027, 1, 5)]),
        ("ngày 31/2/2026 và tỉ lệ 3/4%", []),
        ("công văn 49/2024/NĐ-CP", []),
    ],
)
def test_days_are_found(text: str, days: list[date]) -> None:
    assert proposal.find_days(text, day=TODAY) == days


@given(st.text(max_size=400))
def test_whatever_comes_a_proposal_can_be_kept(text: str) -> None:
    made = proposal.propose(text, day=TODAY, issuer="Ủy ban nhân dân xã Ia Grai")

    assert "\0" not in made.body + made.title
    assert len(made.title) <= proposal.TITLE_LIMIT
    assert 1 <= made.field <= 6
    assert proposal.clean(proposal.clean(text)) == proposal.clean(text)


def test_control_characters_go_and_words_stay() -> None:
    assert proposal.clean("một \ud800nửa chữ\0") == "một nửa chữ"
    assert (
        proposal.clean("Họp\x07 dân\u200b\r\nsáng\tmai\x1b[0m")
        == "Họp dân\nsáng mai[0m"
    )


@pytest.mark.parametrize("make", [files.docx, files.odt])
def test_a_document_is_read_in_its_own_process(
    make: object, ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    data = make(files.LETTER)  # type: ignore[operator]

    bulletin = actions.take_file(
        unit=ia_grai, name="tb.docx", data=data, by=lan, at=now
    )

    assert bulletin.title.startswith("Thông báo tiêm phòng")
    intake = queries.find_intake(bulletin)
    assert intake is not None
    assert "Căn cứ Kế hoạch" in intake.text
    assert "AutoOpen" not in intake.text


def test_a_pdf_is_read(ia_grai: Unit, lan: Officer, now: datetime) -> None:
    data = files.pdf("Hop dan luc 8h ngay 25/11/2026 tai nha rong.")

    bulletin = actions.take_file(unit=ia_grai, name="a", data=data, by=lan, at=now)

    assert "Hop dan luc 8h" in bulletin.body
    assert bulletin.expires_on == date(2026, 11, 25)


def test_a_photo_is_kept_without_its_place(
    ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    photo = with_exif(picture(640, 480), orientation=1)
    assert PLACE in photo

    bulletin = actions.take_file(
        unit=ia_grai, name="cong-van.jpg", data=photo, by=lan, at=now
    )

    intake = queries.find_intake(bulletin)
    assert intake is not None
    assert intake.picture is not None
    kept = media_files.path_of(intake.picture.sha256).read_bytes()
    assert PLACE not in kept
    assert b"Exif" not in kept
    # Without an engine a person types, and the page says so.
    if reader.find_engine() is None:
        assert bulletin.body == ""
        assert "chưa cài phần đọc chữ" in intake.notes[0]


def test_a_photo_of_a_letter_is_read_where_an_engine_is_installed(
    ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    photo = files.letter_photo(files.LETTER)

    bulletin = actions.take_file(
        unit=ia_grai, name="anh.jpg", data=photo, by=lan, at=now
    )

    intake = queries.find_intake(bulletin)
    assert intake is not None
    assert intake.picture is not None
    if reader.find_engine() is None:
        assert (bulletin.title, bulletin.body) == ("", "")
        assert "nhìn ảnh mà gõ" in intake.notes[0]
    else:
        assert "tiêm phòng lở mồm long móng" in bulletin.title
        assert "7 giờ 30 ngày 25/11/2026" in bulletin.body
        assert "CHỦ TỊCH" not in bulletin.body
        assert "Hãy so từng dòng với ảnh" in intake.notes[0]


def test_a_voice_becomes_a_recording(
    ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    bulletin = actions.take_file(
        unit=ia_grai, name="ghi.wav", data=files.tone(), by=lan, at=now
    )

    recording = Recording.objects.get(bulletin=bulletin)
    assert recording.rendition.duration_ms > 1_900
    assert len(recording.rendition.peaks) > 100


BOMB = files.docx("a" * 60_000_000)
ENTITY = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
SCRIPT = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("tin.mp3", files.video(), "newsroom.file_is_video"),
        ("bom.docx", BOMB, "newsroom.file_bomb"),
        ("thuc-the.docx", files.docx("a", before=ENTITY), "newsroom.file_bomb"),
        ("anh.svg", SCRIPT, "newsroom.file_scripted"),
        ("anh.jpg", SCRIPT, "newsroom.file_scripted"),
        (
            "cu.docx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"0" * 600,
            "newsroom.file_old_office",
        ),
        ("hong.docx", b"PK\x03\x04" + b"0" * 99, "newsroom.file_broken"),
        ("hong.pdf", b"%PDF-1.7 nothing", "newsroom.file_broken"),
        ("hong.jpg", b"\xff\xd8\xff" + b"0" * 99, "fleet.photo_unreadable"),
        ("hong.mp3", b"ID3" + b"0" * 99, "speech.audio_unsupported"),
        ("la.bin", bytes(range(256)) * 9, "newsroom.file_unknown"),
        ("khac.zip", files.packed({"a.txt": b"a"}), "newsroom.file_unknown"),
        ("rong", b"", "newsroom.file_empty"),
    ],
)
def test_bad_files_are_refused_with_a_sentence_and_others_go_on(
    name: str, data: bytes, code: str, ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    with pytest.raises(InvalidError) as refused:
        actions.take_file(unit=ia_grai, name=name, data=data, by=lan, at=now)

    assert refused.value.code == code
    assert code in SENTENCES
    assert not Bulletin.objects.exists()
    good = files.docx("Họp dân ngày 25/11/2026.")
    assert actions.take_file(unit=ia_grai, name="", data=good, by=lan, at=now).body


def test_a_bomb_that_lies_about_its_size_is_counted() -> None:
    with pytest.raises(kinds.FileRefusedError, match="bomb"):
        documents.read_packed(BOMB, kinds.DOCX)


def test_a_reader_that_dies_is_a_sentence() -> None:
    """Tags nested half a million deep end the reader, never us."""
    deep = "<w:p>" * 500_000 + "</w:p>" * 500_000
    xml = f'<w:document xmlns:w="{files.WORD}">{deep}</w:document>'
    data = files.packed({"word/document.xml": xml.encode()})

    with pytest.raises(InvalidError, match=r"file_(too_hard|bomb|broken)"):
        limits.read_file(data, purpose=reader.DOCUMENT, options=reader.Options(10))


def test_only_a_writer_takes_in_and_only_for_their_ground(
    ia_grai: Unit, lan: Officer, minh: Officer, hoa: Officer, now: datetime
) -> None:
    text = "Họp dân ngày 25/11/2026."

    assert actions.take_text(unit=ia_grai, text=text, by=lan, at=now)
    with pytest.raises(NoRightError):
        actions.take_text(unit=ia_grai, text=text, by=minh, at=now)
    with pytest.raises(AbsentError):
        actions.take_text(unit=ia_grai, text=text, by=hoa, at=now)


def test_a_plain_form_works_without_scripts(client: Client, lan: Officer) -> None:
    client.force_login(lan)
    sent = SimpleUploadedFile("tb.docx", files.docx(files.LETTER))

    answer = client.post("/ban-tin/nhan/", {"file": sent, "text": ""}, follow=True)
    refused = client.post("/ban-tin/nhan/", {"text": " \x07 "})
    svg = client.post("/ban-tin/nhan/", {"file": BytesIO(SCRIPT)})

    page = answer.content.decode()
    assert "Máy đề xuất từ “tb.docx”" in page
    assert "Tiêu đề lấy từ dòng nói về việc gì" in page
    assert refused.status_code == svg.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Hãy dán chữ hoặc chọn tệp" in refused.content.decode()
    assert "mã chạy được" in svg.content.decode()


def patch(client: Client, url: str, data: bytes, offset: int) -> object:
    return client.patch(
        url,
        data,
        content_type="application/offset+octet-stream",
        headers={**JSON, "Upload-Offset": str(offset)},
    )


def test_an_upload_goes_on_where_it_broke(
    client: Client, lan: Officer, hoa: Officer
) -> None:
    data = files.docx(files.LETTER)
    client.force_login(lan)
    made = client.post("/ban-tin/tep/", {"name": "a.docx", "size": len(data)})
    url = made.json()["url"]

    first = patch(client, url, data[:300], 0)
    again = patch(client, url, data[:300], 0)
    told = client.head(url)
    client.force_login(hoa)
    foreign = client.head(url)
    client.force_login(lan)
    half = client.post("/ban-tin/nhan/", {"upload": made.json()["uid"]}, headers=JSON)
    patch(client, url, data[300:], 300)
    whole = client.post("/ban-tin/nhan/", {"upload": made.json()["uid"]}, headers=JSON)

    assert first.headers["Upload-Offset"] == told.headers["Upload-Offset"] == "300"  # type: ignore[attr-defined]
    assert again.status_code == HTTPStatus.CONFLICT  # type: ignore[attr-defined]
    assert foreign.status_code == HTTPStatus.NOT_FOUND
    assert half.json()["code"] == "newsroom.upload_unfinished"
    bulletin = Bulletin.objects.get(uid=whole.json()["bulletin_uid"])
    assert bulletin.title.startswith("Thông báo tiêm phòng")
    assert client.head(url).status_code == HTTPStatus.NOT_FOUND


def test_two_gigabytes_are_refused_before_a_byte(client: Client, lan: Officer) -> None:
    client.force_login(lan)

    answer = client.post("/ban-tin/tep/", {"size": 2 * 1024**3}, headers=JSON)

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "2048 MB, nhiều nhất 200 MB" in answer.json()["message"]


def test_a_file_nobody_finished_is_forgotten(lan: Officer, now: datetime) -> None:
    upload = actions.begin_upload(name="a", size=10, by=lan, at=now)
    actions.append_upload(uid=upload.uid, offset=0, data=b"abc", by=lan, at=now)

    assert actions.forget_uploads(at=now) == 0
    assert actions.forget_uploads(at=now + timedelta(days=2)) == 1
    with pytest.raises(AbsentError):
        actions.access_upload(uid=upload.uid, officer=lan, at=now)

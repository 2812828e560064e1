"""What a channel says: proposals, limits, and that it is part of what is approved."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from nguon.channels import rules
from nguon.channels.printed import Sheet, print_sheet
from nguon.core.errors import InvalidError
from nguon.newsroom import actions as newsroom
from nguon.newsroom import channels
from nguon.newsroom.models import VersionChannel
from nguon.people.models import Officer
from nguon.providers import accounts
from nguon.schedule.models import Broadcast
from nguon.territory.models import Unit

Out = Callable[..., Broadcast]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 307, 3),
        ("ă" * 70, 1),
        ("ă" * 71, 2),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("", 1),
    ],
)
def test_a_message_has_as_many_parts_as_are_paid(text: str, parts: int) -> None:
    assert channels.count_segments(text) == parts


@given(st.text(max_size=600), st.text(max_size=2000))
def test_a_proposed_message_fits_one_part_unless_its_title_does_not(
    title: str, body: str
) -> None:
    found = channels.propose(channels.SMS, title=title, body=body)
    alone = channels.without_accents(title.strip().rstrip("."))
    assert found.startswith(alone)
    assert channels.count_segments(found) <= max(1, channels.count_segments(alone))


def test_accents_go_and_letters_stay() -> None:
    assert channels.without_accents("Đak Đoa, Chư Păh: lũ “lớn”…") == (
        'Dak Doa, Chu Pah: lu "lon"...'
    )


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ({"fax": "x"}, "channel_unknown"),
        ({"sms": " "}, "channel_empty"),
        ({"sms": "ă" * 202}, "sms_too_long"),
        ({"talk": "\n".join("abcdefghij")}, "talk_too_long"),
        ({"document": "x" * 501}, "channel_too_long"),
    ],
)
def test_a_text_that_does_not_fit_is_refused(texts: dict[str, str], code: str) -> None:
    with pytest.raises(InvalidError, match=code):
        channels.check_texts(texts)


@pytest.mark.django_db
def test_the_hash_is_also_about_what_other_channels_say(
    send_out: Out, now: datetime
) -> None:
    one = send_out({"sms": "Hop dan."}, approve=False)
    other = send_out({"sms": "Hop dan!"}, approve=False)
    assert one.version.content_sha256 != other.version.content_sha256
    row = VersionChannel.objects.filter(version=one.version)
    with pytest.raises(DatabaseError, match="channel_immutable"), transaction.atomic():
        row.update(text="Khac")
    with pytest.raises(DatabaseError, match="channel_immutable"), transaction.atomic():
        VersionChannel.objects.create(
            version=one.version, channel="talk", text="thêm sau"
        )


@pytest.mark.django_db
def test_who_chose_a_channel_counts_as_a_writer(
    lan: Officer, minh: Officer, ia_grai: Unit, send_out: Out, now: datetime
) -> None:
    broadcast = send_out({"sms": "Hop dan."}, approve=False)
    bulletin = broadcast.version.bulletin
    assert set(bulletin.editors.values_list("person", flat=True)) == {lan.pk}


@pytest.mark.parametrize(
    ("kind", "text", "kept"),
    [
        ("phone", "0905.123.456", "+84905123456"),
        ("phone", "84 905 123 456", "+84905123456"),
        ("email", " Lan@Example.VN ", "lan@example.vn"),
    ],
)
def test_an_address_is_kept_in_one_form(kind: str, text: str, kept: str) -> None:
    assert rules.read_address(kind, text) == kept


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("phone", "0269 3824 404"),
        ("phone", "123"),
        ("phone", "0905123456; DROP"),
        ("email", "a@b"),
        ("email", "a@b.vn\nBcc: c@d.vn"),
        ("fax", "1"),
    ],
)
def test_a_wrong_address_is_refused(kind: str, text: str) -> None:
    with pytest.raises(InvalidError):
        rules.read_address(kind, text)


@pytest.mark.parametrize(
    "text",
    [
        '[[account]]\nname="a"\nkind="fax"',
        '[[account]]\nname="a"\nkind="sms-http"\nurl="http://x.vn"\ntoken="t"',
        '[[account]]\nname="a"\nkind="sms-http"\nurl="https://x.vn"',
        '[[account]]\nname="a"\nkind="smtp"\n[[account]]\nname="a"\nkind="smtp"',
        "account = [",
    ],
)
def test_a_file_of_accounts_that_cannot_be_used_is_refused(
    text: str, tmp_path: Path, settings: object
) -> None:
    file = tmp_path / "kenh.toml"
    file.write_text(text)
    settings.CHANNELS_FILE = str(file)  # type: ignore[attr-defined]
    with pytest.raises(accounts.AccountError):
        accounts.read()


def sheet(body: str = "Mời bà con.") -> Sheet:
    return Sheet(
        issuer="Xã Ia Grai",
        title="Họp <b>dân</b> & bàn",
        body=body,
        field="Kinh tế",
        approved_by="Lê Thị Minh",
        approved_at=datetime(2026, 11, 24, 3, tzinfo=UTC),
        code="0123456789ab",
        link="http://127.0.0.1:8000/xa/abc/",
    )


def test_a_printed_page_is_always_the_same_and_takes_any_text() -> None:
    assert print_sheet(sheet()) == print_sheet(sheet())
    assert print_sheet(sheet("<font size=90>&nbsp;\n" * 200)).startswith(b"%PDF-")


@pytest.mark.django_db
def test_screens_show_where_it_went_and_to_whom_it_belongs(
    send_out: Out,
    book: Path,
    client: Client,
    lan: Officer,
    hoa: Officer,
    ia_grai: Unit,
    now: datetime,
) -> None:
    broadcast = send_out()
    client.force_login(lan)
    told = client.get(f"/kenh/tin/{broadcast.uid}/").content.decode()
    assert "Bản tin in" in told
    paper = client.get(f"/kenh/tin/{broadcast.uid}/ban-tin.pdf")
    assert paper["Content-Type"] == "application/pdf"
    assert b"".join(paper) if paper.streaming else paper.content.startswith(b"%PDF")
    sent = {
        "unit": ia_grai.uid,
        "address": "0905123456",
        "name": "Siu H'Blơi",
        "agreed": "ký phiếu",
    }
    assert client.post("/kenh/danh-ba/", sent).status_code == 302
    assert "0905" not in client.get("/kenh/").content.decode()
    file = client.get("/kenh/danh-ba/bang.csv").content.decode("utf-8-sig")
    assert "'+84905123456" in file
    # What was given out is taken in again.
    again = {"unit": ia_grai.uid, "file": BytesIO(file.replace("'", "").encode())}
    again["file"].name = "danh-ba.csv"
    assert client.post("/kenh/danh-ba/nhap/", again).status_code == 302
    for page in ("", "danh-ba/", "so-tai-lieu/", "bang.csv", "so-tai-lieu/bang.csv"):
        assert client.get(f"/kenh/{page}").status_code == 200

    client.force_login(hoa)
    assert client.get(f"/kenh/tin/{broadcast.uid}/").status_code == 404
    assert client.get(f"/kenh/tin/{broadcast.uid}/ban-tin.pdf").status_code == 404
    assert client.post("/kenh/danh-ba/", sent).status_code == 404
    assert "Siu" not in client.get("/kenh/danh-ba/").content.decode()
    uid = broadcast.version.bulletin.uid
    assert client.get(f"/kenh/chon/{uid}/").status_code == 404


@pytest.mark.django_db
def test_a_talk_is_public_once_released_and_not_before(
    send_out: Out, client: Client, now: datetime
) -> None:
    waiting = send_out(approve=False)
    assert client.get(f"/kenh/noi-chuyen/{waiting.uid}/").status_code == 404
    released = send_out()
    text = client.get(f"/kenh/noi-chuyen/{released.uid}/").content.decode()
    assert "Mang theo sổ hộ khẩu" in text


@pytest.mark.django_db
def test_a_form_gives_back_what_was_typed_with_the_reason(
    client: Client, lan: Officer, send_out: Out, now: datetime
) -> None:
    bulletin = send_out(approve=False).version.bulletin
    client.force_login(lan)
    sent = {"channels": ["sms"], "text_sms": "ă" * 300}
    answer = client.post(f"/kenh/chon/{bulletin.uid}/", sent)
    assert answer.status_code == 422
    assert "ă" * 300 in answer.content.decode()
    sent["text_sms"] = "Hop dan."
    assert client.post(f"/kenh/chon/{bulletin.uid}/", sent).status_code == 302
    assert newsroom.chosen_texts(bulletin) == {"sms": "Hop dan."}

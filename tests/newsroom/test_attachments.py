"""What stands beside a text: made anew, within the hash, seen before it is approved."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import av
import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from nguon.core.errors import AbsentError, DomainError, InvalidError
from nguon.fleet import files as media_files
from nguon.newsroom import actions, history, queries, rules, uploads
from nguon.newsroom.intake import films, limits
from nguon.newsroom.models import Attachment, Bulletin, Version, VersionAttachment
from nguon.people.models import Officer
from nguon.speech import audio, chain, loudness
from tests.fleet.test_photos import PLACE, picture, with_exif
from tests.newsroom import files

JSON = {"accept": "application/json"}


@pytest.fixture
def attach(
    bulletin: Bulletin, lan: Officer, now: datetime
) -> Callable[..., Attachment]:
    def do(data: bytes, name: str = "tep", caption: str = "", **more: object) -> object:
        told = {"bulletin_id": bulletin.pk, "by": lan, "at": now, **more}
        return actions.add_attachment(
            name=name,
            data=data,
            caption=caption,
            **told,  # type: ignore[arg-type]
        )

    return do  # type: ignore[return-value]


def scripted_pdf() -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(files.pdf("Thong bao"))))
    script = {NameObject("/S"): NameObject("/JavaScript")}
    script[NameObject("/JS")] = TextStringObject("app.alert('x')")
    writer.root_object[NameObject("/OpenAction")] = DictionaryObject(script)
    writer.pages[0][NameObject("/AA")] = DictionaryObject(
        {NameObject("/O"): DictionaryObject(script)}
    )
    writer.add_attachment("virus.exe", b"MZ")
    writer.add_metadata({"/Author": "Nguyen Van A"})
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def test_a_picture_is_made_anew_without_its_place(
    attach: Callable[..., Attachment],
) -> None:
    photo = with_exif(picture(2400, 1200), orientation=1)
    assert PLACE in photo

    kept = attach(photo, name="IMG_1.jpg", caption="Đường vào thôn 2\nbị ngập")

    assert (kept.kind, kept.state) == ("picture", Attachment.READY)
    assert kept.caption == "Đường vào thôn 2 bị ngập"
    assert kept.media is not None
    data = media_files.path_of(kept.media.sha256).read_bytes()
    assert PLACE not in data
    with av.open(io.BytesIO(data)) as opened:
        assert opened.streams.video[0].codec_context.width == 1600


def test_a_document_loses_what_runs_in_it(attach: Callable[..., Attachment]) -> None:
    dirty = scripted_pdf()
    bad = (b"/JavaScript", b"/OpenAction", b"/AA", b"/EmbeddedFile", b"Nguyen Van A")
    assert all(one in dirty for one in bad)

    kept = attach(dirty, name="Thông báo 45.pdf")

    assert (kept.kind, kept.caption) == ("document", "Thông báo 45")
    assert kept.media is not None
    clean = media_files.path_of(kept.media.sha256).read_bytes()
    assert not any(one in clean for one in bad)
    assert "Thong bao" in PdfReader(io.BytesIO(clean)).pages[0].extract_text()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<svg xmlns='x'><script>alert(1)</script></svg>", "newsroom.file_scripted"),
        (b"\x89PNG\r\n\x1a\n" + b"rubbish" * 9, "fleet.photo_unreadable"),
        (b"%PDF-1.4 rubbish", "newsroom.file_broken"),
        (files.docx("Họp"), "newsroom.attachment_kind"),
        (files.tone(), "newsroom.video_is_sound"),
        (b"\x00\x00\x00\x20ftypmp42" + b"\x00" * 400, "newsroom.video_unreadable"),
        (b"", "newsroom.file_empty"),
    ],
)
def test_what_is_bad_is_refused_and_nothing_is_kept(
    attach: Callable[..., Attachment], data: bytes, code: str
) -> None:
    with pytest.raises(DomainError) as refused:
        attach(data)

    assert refused.value.code == code
    assert not Attachment.objects.exists()


def test_a_long_video_is_refused_before_it_waits(
    attach: Callable[..., Attachment], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    long = files.video(rules.VIDEO_SECONDS + 1, side=16)

    with pytest.raises(InvalidError) as refused:
        attach(long)

    assert refused.value.code == "newsroom.video_too_long"


def test_a_video_is_made_small_by_the_worker(
    attach: Callable[..., Attachment], bulletin: Bulletin, now: datetime
) -> None:
    kept = attach(files.video(2, side=1000), caption="Nước lên")
    assert (kept.state, kept.media) == (Attachment.ASKED, None)
    source = kept.source
    assert source is not None
    assert uploads.path_of(source).exists()

    actions.make_next_video(at=now)

    kept.refresh_from_db()
    assert kept.state == Attachment.READY
    assert kept.media is not None
    assert kept.poster is not None
    assert kept.media.mime == "video/mp4"
    assert 1_900 <= kept.media.duration_ms <= 2_200
    with av.open(str(media_files.path_of(kept.media.sha256))) as film:
        shown = film.streams.video[0].codec_context
        assert (shown.name, shown.width, shown.height) == ("h264", 720, 720)
    assert media_files.path_of(kept.poster.sha256).read_bytes()[:2] == b"\xff\xd8"
    assert actions.make_next_video(at=now) is None


def test_a_broken_video_fails_alone_and_the_next_is_made(
    attach: Callable[..., Attachment], bulletin: Bulletin, now: datetime
) -> None:
    whole = files.video(3, side=64)
    first, second = attach(whole), attach(whole)
    assert first.source is not None
    path = uploads.path_of(first.source)
    path.write_bytes(b"\x00\x00\x00\x20ftypmp42" + b"\xff" * 4_000)

    actions.make_next_video(at=now)
    actions.make_next_video(at=now)

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.failure) == ("failed", "newsroom.video_unreadable")
    assert second.state == Attachment.READY


def test_a_video_that_hangs_is_ended(
    attach: Callable[..., Attachment], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = attach(files.video(20, side=700))
    monkeypatch.setattr(limits, "VIDEO_WALL_SECONDS", 0.2)

    actions.make_next_video(at=now)

    kept.refresh_from_db()
    assert (kept.state, kept.failure) == ("failed", "newsroom.file_too_hard")


def test_a_killed_workers_video_is_taken_up_and_given_up_in_the_end(
    attach: Callable[..., Attachment], now: datetime
) -> None:
    kept = attach(files.video())
    until = now + timedelta(minutes=11)
    Attachment.objects.update(
        state="working", lease="gone", lease_until=until, attempts=1
    )
    assert actions.make_next_video(at=now) is None

    actions.make_next_video(at=until)
    kept.refresh_from_db()
    assert kept.state == Attachment.READY

    Attachment.objects.update(
        state="working", media=None, lease="x", lease_until=until, attempts=3
    )
    actions.make_next_video(at=until)
    kept.refresh_from_db()
    assert (kept.state, kept.failure) == ("failed", "newsroom.worker_lost")


def test_what_is_shown_is_part_of_the_versions_hash(
    attach: Callable[..., Attachment],
    bulletin: Bulletin,
    lan: Officer,
    now: datetime,
    freeze: Callable[[Bulletin], Version],
) -> None:
    bare = freeze(bulletin)
    kept = attach(picture(64, 48), caption="Ngập")
    one = freeze(bulletin)
    again = freeze(bulletin)
    actions.describe_attachment(
        bulletin_id=bulletin.pk, uid=kept.uid, caption="Cạn", by=lan, at=now
    )
    other = freeze(bulletin)
    actions.remove_attachment(bulletin_id=bulletin.pk, uid=kept.uid, by=lan, at=now)
    gone = freeze(bulletin)

    hashes = [v.content_sha256 for v in (bare, one, again, other, gone)]
    assert hashes[1] == hashes[2]
    assert hashes[0] == hashes[4]
    assert len(set(hashes)) == 3
    assert [x.caption for x in queries.list_attached(one)] == ["Ngập"]


def test_a_bulletin_waits_for_its_video(
    attach: Callable[..., Attachment], bulletin: Bulletin, lan: Officer, now: datetime
) -> None:
    attach(files.video())

    with pytest.raises(rules.DraftError) as refused:
        actions.freeze_version(bulletin_id=bulletin.pk, by=lan, at=now)

    assert refused.value.code == "newsroom.attachment_not_ready"


def test_a_sealed_version_shows_nothing_more_and_nothing_less(
    attach: Callable[..., Attachment],
    bulletin: Bulletin,
    freeze: Callable[[Bulletin], Version],
) -> None:
    attach(picture(64, 48))
    frozen = freeze(bulletin).attachments.get()

    with pytest.raises(DatabaseError), transaction.atomic():
        VersionAttachment.objects.create(
            version=frozen.version, place=9, kind="picture", media=frozen.media
        )
    with pytest.raises(DatabaseError), transaction.atomic():
        VersionAttachment.objects.update(caption="Khác")
    with pytest.raises(DatabaseError), transaction.atomic():
        frozen.delete()


def test_no_more_than_eight_and_whoever_adds_is_an_editor(
    attach: Callable[..., Attachment], bulletin: Bulletin, minh: Officer
) -> None:
    photo = picture(64, 48)
    for _one in range(rules.MOST_ATTACHED):
        attach(photo)

    with pytest.raises(InvalidError) as refused:
        attach(photo)

    assert refused.value.code == "newsroom.attachments_too_many"
    acts = [act.what for act in history.list_acts(bulletin)]
    assert acts.count("kèm ảnh") == rules.MOST_ATTACHED
    assert not queries.has_edited(bulletin, minh.pk)


def test_another_commune_neither_sees_nor_adds(
    attach: Callable[..., Attachment],
    bulletin: Bulletin,
    lan: Officer,
    hoa: Officer,
    client: Client,
) -> None:
    kept = attach(picture(64, 48))
    assert kept.media is not None
    address = f"/ban-tin/{bulletin.uid}/kem/{kept.media.sha256}/"
    with pytest.raises(AbsentError):
        attach(picture(64, 48), by=hoa)

    client.force_login(hoa)
    assert client.get(address).status_code == HTTPStatus.NOT_FOUND
    assert (
        client.get(f"/ban-tin/{bulletin.uid}/kem/").status_code == HTTPStatus.NOT_FOUND
    )
    removed = client.post(f"/ban-tin/{bulletin.uid}/kem/{kept.uid}/bo/")
    assert removed.status_code == HTTPStatus.NOT_FOUND
    client.force_login(lan)
    assert client.get(address)["Content-Type"] == "image/jpeg"


def test_a_document_is_saved_and_never_opened_in_the_page(
    attach: Callable[..., Attachment], bulletin: Bulletin, lan: Officer, client: Client
) -> None:
    kept = attach(files.pdf("Thong bao"))
    assert kept.media is not None
    client.force_login(lan)

    answer = client.get(f"/ban-tin/{bulletin.uid}/kem/{kept.media.sha256}/")

    assert answer["Content-Disposition"].startswith("attachment;")


def test_the_form_takes_a_file_and_says_what_is_wrong(
    bulletin: Bulletin, lan: Officer, client: Client
) -> None:
    client.force_login(lan)
    address = f"/ban-tin/{bulletin.uid}/kem/"

    bad = client.post(address, {"file": SimpleUploadedFile("a.svg", b"<svg/>")})
    assert bad.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "mã chạy được" in bad.content.decode()
    good = client.post(
        address,
        {"file": SimpleUploadedFile("a.jpg", picture(64, 48)), "caption": "Ngập"},
    )

    assert good.status_code == HTTPStatus.FOUND
    assert "Ngập" in client.get(address).content.decode()


def test_nothing_but_pictures_and_sound_of_a_video_is_kept(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    with av.open(str(source), mode="w", format="mp4") as made:
        made.metadata["location"] = "+14.0228+108.0000/"
        stream = made.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(30):
            frame = av.VideoFrame(64, 48, "yuv420p")
            frame.pts = number
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    with av.open(str(source)) as opened:
        assert "108.0000" in opened.metadata["location"]

    film = films.make(source, to=target)

    assert film.duration_ms == 3_000
    assert b"loci" not in target.read_bytes()
    with av.open(str(target)) as opened:
        assert "location" not in opened.metadata
        assert [one.type for one in opened.streams] == ["video"]


def speech_of(seconds: int, *, level: float) -> audio.Samples:
    """Return words of noise with pauses, as quiet or loud as a phone hears them."""
    t = np.arange(seconds * 48_000) / 48_000
    words = np.random.default_rng(7).normal(size=t.size) * (np.sin(4 * t) > -0.3)
    return (np.clip(words * level, -1, 1) * 32_000).astype("<i2").tobytes()


@pytest.mark.parametrize("level", [0.004, 0.5], ids=["far away", "too near"])
def test_the_sound_of_a_video_is_as_loud_as_our_speech(
    tmp_path: Path, level: float
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(files.video(6, sound=speech_of(6, level=level)))

    film = films.make(source, to=target)

    heard = audio.decode(target.read_bytes(), limit_seconds=20)
    after = loudness.measure(heard)
    assert after.lufs == pytest.approx(chain.TARGET_LUFS, abs=chain.TOLERANCE_LU)
    assert after.true_peak_dbtp <= chain.PEAK_LIMIT_DBTP
    assert audio.seconds(heard) == pytest.approx(6, abs=0.1)
    assert film.duration_ms == 6_000
    # A phone that plays while it loads finds both beside each other.
    with av.open(str(target)) as opened:
        order = [packet.stream.type for packet in opened.demux() if packet.size]
    assert "audio" in order[:10]
    assert "video" in order[-40:]


def test_a_silent_track_of_a_video_is_left_out(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(files.video(2, sound=audio.silence(2_000)))

    films.make(source, to=target)

    with av.open(str(target)) as opened:
        assert [one.type for one in opened.streams] == ["video"]

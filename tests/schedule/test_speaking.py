"""Live speech: alone only under an authority, signed, bounded, and ended for sure."""

import base64
import json
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from nguon.core import signing
from nguon.core.errors import AbsentError, ConflictError, InvalidError
from nguon.core.messages import Audience
from nguon.emergency import actions as emergency
from nguon.fleet.models import Device, OutboxMessage, SignedDocument
from nguon.people import actions as people
from nguon.people.models import Notice, Officer
from nguon.schedule import actions, live, rules, timetable, week
from nguon.schedule.actions.speaking import LiveOverError
from nguon.schedule.authority import NoAuthorityError
from nguon.schedule.models import Airing, LiveLine, LiveSegment, LiveSession, Paper
from nguon.speech import audio
from nguon.speech.chime import tone
from nguon.speech.live import LiveEncoder
from nguon.territory.models import Unit
from tests.schedule.test_authority import make_authority

QUARTER = timedelta(milliseconds=250)


def chunk(value: int = 4_000) -> bytes:
    """Return a quarter of a second of a square wave."""
    high, low = value.to_bytes(2, "little"), (-value).to_bytes(2, "little", signed=True)
    return (high * 20 + low * 20) * 100


@pytest.fixture
def paper(lan: Officer, minh: Officer, ia_grai: Unit, now: datetime) -> Paper:
    return make_authority(ia_grai, lan, by=minh, at=now, acts=("live",))


@pytest.fixture
def session(
    paper: Paper, lan: Officer, village: Unit, speakers: list[Device], now: datetime
) -> LiveSession:
    return actions.start_live(units=[village], talk_over=20, by=lan, at=now)


def told(kind: str) -> list[dict[str, Any]]:
    """Return the payloads of one kind that were left for the bus."""
    rows = OutboxMessage.objects.order_by("pk").values_list("payload", flat=True)
    found = [signing.read(row)[1] for row in rows if row.count(".") == 2]
    return [payload for payload in found if payload["type"] == kind]


def test_an_officer_speaks_alone_under_an_authority_and_is_named(
    session: LiveSession, paper: Paper, lan: Officer, minh: Officer, ia_grai: Unit
) -> None:
    [go] = told("go")
    item = go["item"]

    assert go["version"] == 2
    assert go["target"] == {"unit": ia_grai.uid}
    assert item["stream"] == {"id": session.uid, "kind": "live", "url": ""}
    assert (item["rank"], item["start"], item["talk_over"]) == ("live", "cut", 20)
    assert item["paper"] == paper.uid
    assert session.targeted == 2
    airing = Airing.objects.get(item=session.item)
    assert (airing.paper, airing.unit) == (paper, ia_grai)
    assert lan.full_name in airing.title
    assert Notice.objects.filter(officer=minh, body__contains=paper.title).exists()
    assert session.ends_at - session.started_at == rules.LONGEST_LIVE


def test_without_authority_devices_or_allowed_hour_nothing_begins(
    paper: Paper,
    lan: Officer,
    hoa: Officer,
    village: Unit,
    speakers: list[Device],
    dak_doa: Unit,
    minh: Officer,
    now: datetime,
) -> None:
    with pytest.raises(NoAuthorityError):
        actions.start_live(units=[village], by=hoa, at=now)
    with pytest.raises(NoAuthorityError):
        actions.start_live(units=[village, dak_doa], by=lan, at=now)
    make_authority(dak_doa, lan, by=minh, at=now)
    with pytest.raises(InvalidError, match="empty_audience"):
        actions.start_live(units=[dak_doa], by=lan, at=now)
    always = {"begin": time(0), "end": time(0)}
    make_authority(village.parent, lan, by=minh, at=now, **always)  # type: ignore[arg-type]
    with pytest.raises(InvalidError, match="quiet_hours"):
        actions.start_live(units=[village], by=lan, at=now + timedelta(hours=13))

    assert not LiveSession.objects.exists()
    assert not told("go")


def test_speech_ends_with_the_authoritys_hours_or_before_quiet_hours(
    lan: Officer,
    minh: Officer,
    ia_grai: Unit,
    village: Unit,
    speakers: list[Device],
    now: datetime,
) -> None:
    make_authority(ia_grai, lan, by=minh, at=now, end=time(10, 5))
    short = actions.start_live(units=[village], by=lan, at=now)
    actions.end_live(session_uid=short.uid, cause=rules.BUTTON, by=lan, at=now)
    make_authority(ia_grai, lan, by=minh, at=now, begin=time(0), end=time(0))
    late = now.replace(hour=14, minute=55)  # 21:55 on the wall
    evening = actions.start_live(units=[village], by=lan, at=late)

    assert short.ends_at == now + timedelta(minutes=5)
    assert evening.ends_at == late + timedelta(minutes=5)


def test_who_speaks_again_within_the_hour_is_told_once_until_it_was_read(
    session: LiveSession, lan: Officer, minh: Officer, village: Unit, now: datetime
) -> None:
    mine = Notice.objects.filter(officer=minh, subject__startswith="Đang nói")

    def again(minutes: int) -> int:
        at = now + timedelta(minutes=minutes)
        for held in LiveSession.objects.filter(ended_at=None):
            actions.end_live(
                session_uid=held.uid, cause=rules.BUTTON, by=lan,
                at=at - timedelta(seconds=5),
            )  # fmt: skip
        actions.start_live(units=[village], by=lan, at=at)
        return mine.count()

    counts = [mine.count(), again(5), again(10)]
    people.mark_read(officer=minh, at=now + timedelta(minutes=11))
    counts += [again(15), again(20), again(80)]

    assert counts == [1, 1, 1, 2, 2, 3]


def test_an_authority_for_one_speaker_reaches_just_that(
    lan: Officer,
    minh: Officer,
    ia_grai: Unit,
    village: Unit,
    speakers: list[Device],
    now: datetime,
) -> None:
    places = Audience(devices=(speakers[0].uid,))
    make_authority(ia_grai, lan, by=minh, at=now, places=places)

    one = actions.start_live(units=[], devices=speakers[:1], by=lan, at=now)

    assert one.targeted == 1
    assert told("go")[0]["item"]["audience"]["devices"] == [speakers[0].uid]
    actions.end_live(session_uid=one.uid, cause=rules.BUTTON, by=lan, at=now)
    with pytest.raises(NoAuthorityError):
        actions.start_live(units=[], devices=speakers, by=lan, at=now)
    with pytest.raises(NoAuthorityError):
        actions.start_live(units=[village], by=lan, at=now)


def test_speech_travels_as_signed_segments_after_an_attention_tone(
    session: LiveSession, lan: Officer, now: datetime
) -> None:
    for n in range(1, 13):
        at = now + n * QUARTER
        actions.feed_live(session_uid=session.uid, n=n, pcm=chunk(), by=lan, at=at)
    again = actions.feed_live(
        session_uid=session.uid, n=12, pcm=chunk(), by=lan, at=now
    )
    actions.end_live(session_uid=session.uid, cause=rules.BUTTON, by=lan, at=now)

    segments = told("segment")
    numbers = [segment["n"] for segment in segments]
    mp3 = b"".join(base64.b64decode(segment["mp3"]) for segment in segments)
    sound = audio.decode(mp3, limit_seconds=10)
    assert again.ended_at is None
    assert numbers == list(range(1, 14))
    assert [segment["last"] for segment in segments] == [False] * 12 + [True]
    assert {segment["item"] for segment in segments} == {session.item}
    assert all(
        segment["not_after"] - segment["issued_at"] == 10_000 for segment in segments
    )
    assert abs(audio.seconds(sound) - 3) < 0.1
    assert not SignedDocument.objects.filter(kind="segment").exists()
    session.refresh_from_db()
    assert (session.cause, session.chunks) == (rules.BUTTON, 12)


def test_what_is_over_takes_no_more_and_says_why(
    session: LiveSession, lan: Officer, hoa: Officer, now: datetime
) -> None:
    uid = session.uid
    actions.feed_live(session_uid=uid, n=1, pcm=chunk(), by=lan, at=now)
    with pytest.raises(AbsentError):
        actions.feed_live(session_uid=uid, n=2, pcm=chunk(), by=hoa, at=now)
    with pytest.raises(AbsentError):
        actions.end_live(session_uid=uid, cause=rules.BUTTON, by=hoa, at=now)
    for broken in (b"", b"odd", bytes(live.MAX_CHUNK_BYTES + 2)):
        with pytest.raises(InvalidError):
            actions.feed_live(session_uid=uid, n=2, pcm=broken, by=lan, at=now)

    actions.end_live(session_uid=uid, cause=rules.BUTTON, by=lan, at=now)
    actions.end_live(session_uid=uid, cause=rules.LINE_LOST, by=None, at=now)
    with pytest.raises(LiveOverError) as caught:
        actions.feed_live(session_uid=uid, n=2, pcm=chunk(), by=lan, at=now)

    assert caught.value.data["cause"] == rules.BUTTON
    assert not LiveLine.objects.exists()
    assert len([segment for segment in told("segment") if segment["last"]]) == 1


def test_the_server_ends_what_lost_its_line_its_time_or_its_authority(
    paper: Paper,
    lan: Officer,
    minh: Officer,
    village: Unit,
    speakers: list[Device],
    now: datetime,
) -> None:
    def begin(at: datetime) -> LiveSession:
        session = actions.start_live(units=[village], by=lan, at=at)
        actions.feed_live(session_uid=session.uid, n=1, pcm=chunk(), by=lan, at=at)
        return session

    def cause(session: LiveSession) -> str:
        session.refresh_from_db()
        return session.cause

    quick, slow = timedelta(seconds=2.9), timedelta(seconds=3.1)
    lost = begin(now)
    assert actions.watch_live(at=now + quick) == 0
    assert actions.watch_live(at=now + slow) == 1
    late = begin(now)
    with pytest.raises(LiveOverError):
        actions.feed_live(
            session_uid=late.uid, n=2, pcm=chunk(), by=lan, at=late.ends_at
        )
    silent = actions.start_live(units=[village], by=lan, at=now)
    assert actions.watch_live(at=now + timedelta(seconds=9)) == 0
    assert actions.watch_live(at=now + timedelta(seconds=11)) == 1
    withdrawn = begin(now)
    paper.state, paper.ended_by, paper.ended_at = rules.ENDED, minh, now
    paper.save()
    assert actions.watch_live(at=now) == 1

    assert cause(lost) == rules.LINE_LOST
    assert cause(late) == rules.TIME_UP
    assert cause(silent) == rules.LINE_LOST
    assert cause(withdrawn) == rules.AUTHORITY_ENDED


def test_pieces_taken_by_any_process_make_the_sound_of_one_encoder(
    session: LiveSession, lan: Officer, now: datetime
) -> None:
    encoder = LiveEncoder(rate=live.RATE)
    expected, spoken = b"", tone(live.RATE)
    for n in range(1, 21):
        pcm = chunk(200 * n)
        at = len(pcm) * (n - 1)
        expected += encoder.feed(spoken[at : at + len(pcm)] + pcm[len(spoken[at:]) :])
        # Each in a transaction of its own, with nothing left in this process; the
        # browser sends one twice, since its answer was lost.
        for _again in range(1 + (n == 9)):
            actions.feed_live(session_uid=session.uid, n=n, pcm=pcm, by=lan, at=now)
    expected += encoder.finish()

    actions.end_live(session_uid=session.uid, cause=rules.BUTTON, by=lan, at=now)

    rows = sorted(told("segment"), key=lambda row: row["n"])
    assert [row["n"] for row in rows] == list(range(1, 22))
    mp3 = b"".join(base64.b64decode(row["mp3"]) for row in rows)
    frames = range(0, len(expected), 144)
    assert len(mp3) == len(expected)
    same = sum(mp3[at : at + 144] == expected[at : at + 144] for at in frames)
    assert same >= 0.97 * len(frames)


def test_devices_that_missed_the_end_are_told_and_speech_is_not_kept(
    session: LiveSession, lan: Officer, now: datetime
) -> None:
    uid = session.uid
    actions.feed_live(session_uid=uid, n=1, pcm=chunk(), by=lan, at=now)
    actions.end_live(session_uid=uid, cause=rules.BUTTON, by=lan, at=now)

    actions.watch_live(at=now + timedelta(seconds=5))
    early = told("cancel")
    actions.watch_live(at=now + timedelta(seconds=12))
    actions.watch_live(at=now + timedelta(seconds=13))

    assert early == []
    [cancel] = told("cancel")
    assert (cancel["items"], cancel["lane"]) == ([session.item], "plan")
    assert told("segment") == []
    assert told("go")


def test_a_stop_ends_the_speech_that_it_silences_and_no_other(
    session: LiveSession,
    minh: Officer,
    lan: Officer,
    ia_grai: Unit,
    village: Unit,
    now: datetime,
) -> None:
    until = now + timedelta(hours=1)
    other = Unit.objects.create(
        kind="village", code="L2", name="Làng Mới", parent=ia_grai,
        valid_from=village.valid_from,
    )  # fmt: skip
    other.path = f"{ia_grai.path}{other.pk}/"
    other.save()

    emergency.stop(unit=other, device=None, until=until, reason="", by=minh, at=now)
    session.refresh_from_db()
    assert session.ended_at is None
    emergency.stop(unit=ia_grai, device=None, until=until, reason="", by=minh, at=now)
    session.refresh_from_db()

    assert session.cause == rules.LIVE_STOPPED


def test_one_officer_speaks_in_one_place_at_a_time(
    session: LiveSession, lan: Officer, village: Unit, now: datetime
) -> None:
    with pytest.raises(ConflictError):
        actions.start_live(units=[village], by=lan, at=now)


def test_the_database_refuses_speech_without_authority_and_a_second_life(
    session: LiveSession, paper: Paper, lan: Officer, minh: Officer, now: datetime
) -> None:
    def refuses(**changes: object) -> bool:
        values = {
            "item": "x", "unit": session.unit, "paper": paper, "officer": minh,
            "targeted": 1, "started_at": now, "ends_at": now + QUARTER, "heard_at": now,
        }  # fmt: skip
        try:
            with transaction.atomic():
                LiveSession.objects.create(**values | changes)
        except DatabaseError:
            return True
        return False

    draft = Paper.objects.create(
        kind="authority", unit=session.unit, number=9, subject="authority", title="x",
        body={}, sha256="0" * 64, created_at=now, first_date=now.date(),
    )  # fmt: skip
    assert refuses(paper=draft)
    assert refuses(ends_at=now)
    assert refuses(talk_over=101)
    assert refuses(officer=lan)
    assert refuses(cause="button")
    actions.end_live(session_uid=session.uid, cause=rules.BUTTON, by=lan, at=now)
    for change in (
        {"ended_at": None, "cause": ""},
        {"segments": 99},
        {"paper": draft},
        {"cause": rules.TIME_UP},
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            LiveSession.objects.filter(pk=session.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        session.delete()
    assert not refuses()


def test_a_playlist_for_other_makes_has_whole_segments_and_ends(
    session: LiveSession, lan: Officer, now: datetime, client: Any
) -> None:
    for n in range(1, 73):
        pcm = chunk()
        actions.feed_live(session_uid=session.uid, n=n, pcm=pcm, by=lan, at=now)
    base = f"/truc-tiep/{session.token}/"

    running = client.get(f"{base}index.m3u8")
    first = running.content.decode().splitlines()[5]
    segment = client.get(base + first)
    actions.end_live(session_uid=session.uid, cause=rules.BUTTON, by=lan, at=now)
    ended = client.get(f"{base}index.m3u8").content.decode()

    lines = running.content.decode().splitlines()
    assert running.headers["Content-Type"] == "application/vnd.apple.mpegurl"
    assert "#EXT-X-TARGETDURATION:3" in lines
    assert len([line for line in lines if line.endswith(".mp3")]) == live.HLS_KEPT
    assert segment.content.startswith(b"ID3\x04")
    assert (
        abs(audio.seconds(audio.decode(segment.content, limit_seconds=9)) - 2.1) < 0.2
    )
    assert ended.endswith("#EXT-X-ENDLIST\n")
    assert client.get("/truc-tiep/khong-co/index.m3u8").status_code == 404
    actions.watch_live(at=now + timedelta(seconds=59))
    assert client.get(f"{base}index.m3u8").status_code == 200
    actions.watch_live(at=now + timedelta(seconds=60))
    assert client.get(f"{base}index.m3u8").status_code == 404
    assert not LiveSegment.objects.exists()
    assert json.dumps(lines)


def test_the_page_offers_what_the_authority_covers_and_speech_goes_over_http(
    paper: Paper,
    lan: Officer,
    minh: Officer,
    ia_grai: Unit,
    village: Unit,
    speakers: list[Device],
    client: Any,
    settings: Any,
) -> None:
    settings.QUIET_HOURS = ""
    always = make_authority(
        ia_grai, lan, by=minh, at=paper.created_at, begin=time(0), end=time(0)
    )
    json_kind = {"accept": "application/json"}
    client.force_login(minh)
    refused = client.get("/noi-truc-tiep/")
    client.force_login(lan)

    page = client.get("/noi-truc-tiep/")
    nobody = client.post("/noi-truc-tiep/bat-dau/", headers=json_kind)
    begun = client.post(
        "/noi-truc-tiep/bat-dau/",
        {"units": village.uid, "talk_over": "15"},
        headers=json_kind,
    ).json()
    base = f"/noi-truc-tiep/{begun['uid']}/"

    def send(n: str, data: bytes = b"") -> Any:
        kind = "application/octet-stream"
        return client.post(f"{base}am-thanh/?n={n}", data or chunk(), kind)

    sent = send("1")
    broken = send("2", b"odd"), send("x"), send("")
    state = client.get(base).json()
    client.force_login(minh)
    foreign = client.get(base, headers=json_kind), send("2")
    client.force_login(lan)
    ended = client.post(f"{base}dung/", headers=json_kind).json()
    late = send("2")

    assert "chưa được ủy quyền" in refused.content.decode()
    assert village.full_name in page.content.decode()
    assert speakers[0].name in page.content.decode()
    assert page.headers["Permissions-Policy"].endswith("microphone=(self)")
    assert nobody.status_code == 422
    assert begun["targeted"] == 2
    assert sent.status_code == 200
    assert {answer.status_code for answer in broken} == {422}
    assert state["cause"] == ""
    assert {answer.status_code for answer in foreign} == {404}
    assert ended["cause"] == rules.BUTTON
    assert late.status_code == 409
    assert always.pk


def test_speech_stands_in_the_week_as_long_as_it_was(
    session: LiveSession, lan: Officer, ia_grai: Unit, now: datetime
) -> None:
    over = now + timedelta(seconds=20)
    actions.end_live(session_uid=session.uid, cause=rules.BUTTON, by=lan, at=over)

    found = week.read_week(
        ia_grai, monday=timetable.monday_of(now.astimezone(rules.LOCAL).date()), at=over
    )

    [spoken] = [piece for piece in found.pieces if piece.key == session.item]
    assert (spoken.starts_at, spoken.ends_at) == (now, over)

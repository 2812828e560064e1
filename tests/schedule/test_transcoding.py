"""A source that devices cannot play goes by way of this server during its slots."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from pathlib import Path

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from nguon.core.messages import Stream
from nguon.people.models import Officer
from nguon.schedule import relays, rules, transcoding
from nguon.schedule.compile import Span, compile_station
from nguon.schedule.models import Airing, Paper, SourceWatch, UnitPlan
from nguon.schedule.papers import read_shelf
from nguon.schedule.relays import Heard
from nguon.schedule.station import Repeat, Slot, Source, StationRules
from nguon.schedule.transcoding import Desk
from nguon.territory.models import Unit
from tests.fakes import radio as fake
from tests.fakes.radio import FakeRadio
from tests.schedule.stations import put_in_force, shelve
from tests.schedule.test_relays import make_source

AAC = Heard("live", -18.0, route=rules.SERVER, codec="aac", kbps=64)
MP3 = Heard("live", -18.0, route=rules.DIRECT, codec="mp3", kbps=128)


def relay_all_day(
    unit: Unit, source: Paper, lan: Officer, minh: Officer, at: datetime
) -> Paper:
    """Have Lan and Minh put rules with a relay slot from 5:30 on into force."""
    waiting = shelve(unit, lan, minh, at)
    slot = Slot(
        "r1", "Tiếp âm", "relay", 240, Repeat(date(2026, 11, 1)), clock(5, 30),
        source=source.uid, fallback=waiting.uid,
    )  # fmt: skip
    return put_in_force(unit, StationRules(slots=(slot,)), lan, minh, at)


def streams_of(unit: Unit, at: datetime) -> set[Stream]:
    """Return the streams of a station's plan as it would be built now."""
    span = Span.around(at)
    shelf = read_shelf([unit], first=span.days[0], last=span.days[-1])
    planned = compile_station(unit, shelf, span, known=())
    return {row.item.stream for row in planned if row.item.stream}


@pytest.mark.usefixtures("speakers")
def test_a_plan_names_the_source_until_its_codec_is_known_then_this_server(
    lan: Officer, minh: Officer, ia_grai: Unit, now: datetime
) -> None:
    source = make_source(ia_grai, "https://radio.vn/live", by=minh, at=now)
    relay_all_day(ia_grai, source, lan, minh, now)
    direct = Stream(source.uid, "http", "https://radio.vn/live")
    path = reverse("schedule:relay_playlist", args=[source.uid])
    made = Stream(source.uid, "hls", path)

    def plan() -> str:
        return UnitPlan.objects.get(unit=ia_grai).content_sha256

    first = plan(), streams_of(ia_grai, now)
    relays.note(paper=source, heard=AAC, at=now)
    second = plan(), streams_of(ia_grai, now)
    # Dead, or unplayable for a moment: what is known of its codec stays.
    relays.note(paper=source, heard=Heard("dead", detail="timeout"), at=now)
    third = plan(), streams_of(ia_grai, now)
    relays.note(paper=source, heard=MP3, at=now)
    fourth = plan(), streams_of(ia_grai, now)

    assert first[1] == {direct}
    assert second[1] == {made}
    assert second[0] != first[0]
    assert third == second
    assert fourth == first


@pytest.mark.usefixtures("speakers")
def test_a_plan_that_cannot_be_signed_leaves_the_route_as_it_was(
    lan: Officer,
    minh: Officer,
    ia_grai: Unit,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = make_source(ia_grai, "https://radio.vn/live", by=minh, at=now)
    relay_all_day(ia_grai, source, lan, minh, now)

    def refuse(**_arguments: object) -> None:
        raise OperationalError("full")

    with monkeypatch.context() as patch:
        patch.setattr(relays, "build_plans", refuse)
        relays.note(paper=source, heard=AAC, at=now)
    kept = SourceWatch.objects.get(paper=source)
    relays.note(paper=source, heard=AAC, at=now)
    taken = SourceWatch.objects.get(paper=source)

    assert (kept.state, kept.route, kept.codec) == ("live", rules.DIRECT, "aac")
    assert taken.route == rules.SERVER


@pytest.mark.usefixtures("speakers")
def test_a_source_is_made_from_a_minute_before_its_slot_to_its_end(
    lan: Officer, minh: Officer, ia_grai: Unit, now: datetime
) -> None:
    source = make_source(ia_grai, "https://radio.vn/live", by=minh, at=now)
    relay_all_day(ia_grai, source, lan, minh, now)
    airing = Airing.objects.filter(starts_at__gt=now).earliest("starts_at")
    begin, end = airing.starts_at, airing.ends_at

    def wanted(at: datetime) -> list[str]:
        return list(transcoding.list_wanted(at=at))

    direct = wanted(begin)
    relays.note(paper=source, heard=AAC, at=now)
    minute = timedelta(seconds=60)
    told = [
        wanted(begin - minute - timedelta(seconds=1)),
        wanted(begin - minute),
        wanted(end - timedelta(seconds=1)),
        wanted(end),
    ]
    Paper.objects.filter(pk=source.pk).update(
        state=rules.ENDED, ended_by=minh, ended_at=now
    )

    assert direct == []
    assert told == [[], [source.uid], [source.uid], []]
    assert wanted(begin) == []


def test_officers_see_codec_rate_and_route(
    client: Client, lan: Officer, minh: Officer, ia_grai: Unit, now: datetime
) -> None:
    foreign = make_source(ia_grai, "https://radio.vn/aac", by=minh, at=now)
    plain = make_source(ia_grai, "https://radio.vn/mp3", by=minh, at=now)
    relays.note(paper=foreign, heard=AAC, at=now)
    relays.note(paper=plain, heard=MP3, at=now)
    client.force_login(lan)

    page = client.get("/nguon-tiep-am/").content.decode()

    assert "AAC 64 kbit/s · qua máy chủ chuyển mã" in page
    assert "MP3 128 kbit/s · phát thẳng" in page


# --- what is served -------------------------------------------------------------------


def test_only_what_is_being_made_now_is_served_and_to_nobody_by_guessing(
    client: Client, settings: object, tmp_path: Path
) -> None:
    settings.RELAYS_DIR = tmp_path  # type: ignore[attr-defined]
    folder = tmp_path / "abcdefghjkmn"
    folder.mkdir()
    (folder / "index.m3u8").write_text("#EXTM3U\n")
    (folder / "7.mp3").write_bytes(b"mp3")
    (tmp_path / "secret.mp3").write_bytes(b"no")
    base = "/tiep-am/abcdefghjkmn"

    playlist = client.get(f"{base}/index.m3u8")
    segment = client.get(f"{base}/7.mp3")
    absent = client.get(f"{base}/8.mp3"), client.get("/tiep-am/nobody/index.m3u8")
    around = client.get("/tiep-am/../secret.mp3"), client.get(f"{base}/..%2f7.mp3")
    old = time.time() - transcoding.FRESH_S - 1
    os.utime(folder / "index.m3u8", (old, old))
    stale = client.get(f"{base}/index.m3u8"), client.get(f"{base}/7.mp3")

    assert playlist.status_code == segment.status_code == 200
    assert playlist["Cache-Control"] == "public, max-age=1"
    assert (segment.content, segment["Content-Type"]) == (b"mp3", "audio/mpeg")
    assert [one.status_code for one in (*absent, *around, *stale)] == [404] * 6


# --- the desk -------------------------------------------------------------------------


@pytest.fixture
def open_desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    desks: list[Desk] = []

    def do(wanted: Callable[[datetime], dict[str, Source]]) -> Desk:
        desks.append(
            Desk(tmp_path / "relays", clock=lambda: datetime.now(UTC), wanted=wanted)
        )
        return desks[-1]

    yield do
    for desk in desks:
        for making in desk.makings.values():
            making.end()


def turn_until(desk: Desk, check: Callable[[], bool], *, seconds: float = 15) -> None:
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until, "it did not happen"
        desk.turn()
        time.sleep(0.05)


@pytest.mark.server
def test_one_source_that_hangs_or_crashes_stops_no_other(
    open_desk: Callable[..., Desk], settings: object, tmp_path: Path
) -> None:
    settings.RELAY_ALLOWED = ["127.0.0.1"]  # type: ignore[attr-defined]
    radio, hung = FakeRadio(form=fake.TS).start(), FakeRadio(form=fake.ADTS).start()
    hung.mode = fake.HUNG
    wanted = {
        "good": Source("Tốt", "hls", radio.hls_url),
        "hung": Source("Treo", "http", hung.url),
        "inside": Source("Trong mạng", "http", "http://localhost/"),
    }
    desk = open_desk(lambda _at: wanted)
    folder = tmp_path / "relays"
    try:
        turn_until(desk, lambda: (folder / "good" / "index.m3u8").exists())
        first = {uid: making.process for uid, making in desk.makings.items()}
        crashed = first["good"]
        assert crashed is not None
        crashed.kill()
        turn_until(desk, lambda: desk.restarts == 1)
        turn_until(desk, lambda: (folder / "good" / "index.m3u8").exists())
        turn_until(desk, lambda: desk.makings["good"].is_on)
        told = desk.condition()
        refused = desk.makings["inside"].told
        others = {uid: desk.makings[uid].process for uid in ("hung", "inside")}
        wanted.clear()
        desk.turn()
    finally:
        radio.stop()
        hung.stop()

    assert told.data == {"made": 3, "away": ["Treo", "Trong mạng"]}
    assert refused["cause"] == "core.address_inside"
    assert others == {uid: first[uid] for uid in others}
    assert desk.makings == {}
    assert list(folder.iterdir()) == []


def test_without_the_database_what_is_on_goes_on(
    open_desk: Callable[..., Desk],
) -> None:
    answers: list[dict[str, Source] | Exception] = [
        {"x": Source("X", "http", "http://localhost/")},
        OperationalError("gone"),
        {},
    ]

    def wanted(_at: datetime) -> dict[str, Source]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    desk = open_desk(wanted)

    desk.turn()
    begun = desk.makings["x"].process
    good = desk.condition().good
    desk.turn()
    blind = desk.condition().good
    kept = desk.makings["x"].process
    desk.turn()

    assert (good, blind, desk.condition().good) == (True, False, True)
    assert kept is begun is not None
    assert begun.wait(5) == -9


@pytest.mark.server
def test_a_second_one_waits_and_both_end_when_told(tmp_path: Path) -> None:
    left = tmp_path / "relays" / "left"
    left.mkdir(parents=True)
    (left / "index.m3u8").write_text("#EXTM3U\n")
    environment = {**os.environ, "NGUON_DATA_DIR": str(tmp_path)}
    environment["NGUON_DATABASE_URL"] = f"sqlite://{tmp_path}/none.sqlite3"
    command = [sys.executable, "-m", "nguon.web", "run_relays"]
    first = subprocess.Popen(command, env=environment)
    until = time.monotonic() + 20
    while left.exists():
        assert time.monotonic() < until
        time.sleep(0.1)

    again = tmp_path / "relays" / "again"
    again.mkdir()
    second = subprocess.Popen(command, env=environment)
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(4)
    waited = again.exists()
    first.terminate()
    ended = first.wait(10)
    until = time.monotonic() + 10
    while again.exists():
        assert time.monotonic() < until
        time.sleep(0.1)
    second.terminate()

    assert waited
    assert (ended, second.wait(10)) == (0, 0)

"""The server listens to every approved source, and says how it is since when."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.test import Client

from nguon.people.models import Officer
from nguon.schedule import relays, rules, station
from nguon.schedule.models import Paper, PaperInvolvement, SourceWatch
from nguon.schedule.relays import Heard
from nguon.schedule.station import Source
from nguon.territory.models import Unit
from tests.fakes import radio as fake
from tests.fakes.radio import FakeRadio


def make_source(
    unit: Unit, url: str, *, kind: str = "http", by: Officer, at: datetime
) -> Paper:
    """Put a source into force as two persons do."""
    source = Source(name=f"Đài {url[-8:]}", kind=kind, url=url)  # type: ignore[arg-type]
    body = station.encode(station.SOURCE, source)
    days = {"first_date": at.date(), "last_date": None}
    sha256 = station.hash_of(kind=station.SOURCE, unit=unit.uid, body=body, **days)
    paper = Paper.objects.create(
        kind=station.SOURCE, unit=unit, number=Paper.objects.count() + 1,
        subject=url, title=source.name, body=body, sha256=sha256,
        created_at=at, **days,
    )  # fmt: skip
    paper.state, paper.submitted_at = rules.WAITING, at
    paper.submitted_by = Officer.objects.exclude(pk=by.pk).earliest("pk")
    paper.save()
    PaperInvolvement.objects.create(
        paper=paper, person=by, kind="approve", at=at, approved_sha256=sha256
    )
    paper.state, paper.approved_by, paper.approved_at = rules.APPROVED, by, at
    paper.save()
    return paper


@pytest.fixture
def radio() -> Iterator[FakeRadio]:
    found = FakeRadio().start()
    yield found
    found.stop()


@pytest.mark.server
def test_a_source_is_live_silent_dead_or_unplayable_as_it_really_is(
    radio: FakeRadio, settings: object
) -> None:
    settings.RELAY_ALLOWED = ["127.0.0.1"]  # type: ignore[attr-defined]
    mp3, hls = Source("MP3", "http", radio.url), Source("HLS", "hls", radio.hls_url)
    time.sleep(3 * fake.SEGMENT_S)

    living = relays.listen(mp3), relays.listen(hls)
    radio.mode = fake.SILENT
    time.sleep(1)
    silent = relays.listen(mp3)
    radio.mode = fake.HUNG
    begun = time.monotonic()
    hung = relays.listen(mp3)
    took = time.monotonic() - begun
    radio.mode = fake.DEAD
    dead = relays.listen(mp3)
    radio.mode = fake.ON
    radio.content_type = "text/html"
    page = relays.listen(mp3)
    settings.RELAY_ALLOWED = []  # type: ignore[attr-defined]
    asked = len(radio.requests)
    inside = relays.listen(mp3)

    assert [heard.state for heard in living] == ["live", "live"]
    assert living[0].level_dbfs is not None
    assert living[0].level_dbfs > -30
    assert silent.state == "silent"
    assert hung.state == "dead"
    assert took < relays.HARD_LIMIT_S + 2
    assert (dead.state, dead.detail) == ("dead", "http_503")
    assert (page.state, page.detail) == ("unplayable", "text/html")
    assert (inside.state, inside.detail) == ("dead", "core.address_inside")
    assert len(radio.requests) == asked


def test_since_is_kept_while_the_state_is_and_moves_when_it_changes(
    lan: Officer, minh: Officer, ia_grai: Unit, now: datetime
) -> None:
    paper = make_source(ia_grai, "https://radio.vn/live", by=minh, at=now)
    later, latest = now + timedelta(seconds=30), now + timedelta(seconds=60)

    news = relays.note(paper=paper, heard=Heard("live", -18.0), at=now)
    same = relays.note(paper=paper, heard=Heard("live", -20.0), at=later)
    dead = relays.note(paper=paper, heard=Heard("dead", detail="timeout"), at=latest)

    watch = SourceWatch.objects.get(paper=paper)
    assert (news, same, dead) == (True, False, True)
    assert (watch.state, watch.since, watch.detail) == ("dead", latest, "timeout")


@pytest.mark.django_db(transaction=True)
def test_a_round_hears_every_source_in_force_once_and_no_other(
    lan: Officer, minh: Officer, ia_grai: Unit, dak_doa: Unit, now: datetime
) -> None:
    first = make_source(ia_grai, "https://radio.vn/1", by=minh, at=now)
    newer = make_source(ia_grai, "https://radio.vn/1", by=minh, at=now)
    other = make_source(dak_doa, "https://radio.vn/2", by=minh, at=now)
    ended = make_source(dak_doa, "https://radio.vn/3", by=minh, at=now)
    ended.state, ended.ended_by, ended.ended_at = rules.ENDED, minh, now
    ended.save()
    asked: list[str] = []

    def hear(source: Source) -> Heard:
        asked.append(source.url)
        return Heard("live", -18.0)

    changed = relays.watch_sources(at=now, hear=hear)

    assert changed == 2
    assert sorted(asked) == ["https://radio.vn/1", "https://radio.vn/2"]
    watched = set(SourceWatch.objects.values_list("paper_id", flat=True))
    assert watched == {newer.pk, other.pk}
    assert first.pk not in watched


def test_officers_see_the_sources_of_their_ground_and_from_above(
    client: Client,
    lan: Officer,
    hoa: Officer,
    minh: Officer,
    province: Unit,
    ia_grai: Unit,
    now: datetime,
) -> None:
    ours = make_source(ia_grai, "https://radio.vn/xa", by=minh, at=now)
    above = make_source(province, "https://radio.vn/tinh", by=minh, at=now)
    relays.note(paper=above, heard=Heard("silent", -80.0), at=now)

    mine = relays.list_sources(officer=lan, at=now)
    theirs = relays.list_sources(officer=hoa, at=now)
    client.force_login(lan)
    page = client.get("/nguon-tiep-am/")

    assert [row.paper for row in mine] == [above, ours]
    assert [row.paper for row in theirs] == [above]
    assert mine[0].watch is not None
    assert mine[1].watch is None
    text = page.content.decode()
    assert "im tiếng" in text
    assert "Chưa nghe thử" in text
    table = client.get("/nguon-tiep-am/?dang=csv").content.decode()
    assert [line.split(",")[2:4] for line in table.splitlines()[1:]] == [
        ["https://radio.vn/tinh", "Có kết nối nhưng im tiếng"],
        ["https://radio.vn/xa", "Chưa nghe thử"],
    ]

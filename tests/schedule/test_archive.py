"""Plays and events put away by month: nothing needed is lost, nothing comes twice."""

import gzip
import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client

from nguon.audit import archives, months
from nguon.audit.models import Archive
from nguon.channels.queries import list_ways
from nguon.core.messages import Event, EventBatch
from nguon.fleet.models import ArchivedRun, Device, DeviceEvent
from nguon.gateway import storing
from nguon.people.models import Officer
from nguon.schedule import actions, queries, rules
from nguon.schedule.models import (
    Airing,
    AiringCount,
    Broadcast,
    CountedDay,
    PlayDay,
    PlayRecord,
)
from nguon.schedule.week import read_week
from nguon.territory.models import Unit
from nguon.web import condition
from tests.schedule.conftest import make_device

Send = Callable[..., Broadcast]
EVENTS, PLAYS = months.tables()
MARCH = date(2026, 3, 1)
THEN = datetime(2026, 3, 9, 2, 0, tzinfo=UTC)


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


@pytest.fixture(autouse=True)
def _folder(settings: object, tmp_path: Path) -> None:
    settings.ARCHIVE_DIR = tmp_path / "archive"  # type: ignore[attr-defined]


@pytest.fixture
def broadcast(send: Send, minh: Officer, now: datetime) -> Broadcast:
    one = send()
    return actions.release(broadcast_uid=one.uid, sha256=one.sha256, by=minh, at=now)


@pytest.fixture
def past(broadcast: Broadcast) -> list[Airing]:
    """Plan starts from January to May, some at the very edges of days and months."""
    edges = [
        datetime(2026, 2, 28, 16, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 2, 28, 17, 0, tzinfo=UTC),
        datetime(2026, 3, 31, 16, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 3, 31, 17, 0, tzinfo=UTC),
    ]
    moments = [*edges, *(THEN + timedelta(hours=31 * n) for n in range(-50, 40))]
    rows = [
        Airing(
            item=f"past.{number}", broadcast=broadcast, starts_at=at,
            ends_at=at + timedelta(minutes=1),
        )
        for number, at in enumerate(moments)
    ]  # fmt: skip
    Airing.objects.bulk_create(rows)
    for kept in months.tables():
        if months.is_partitioned(kept.table):
            for step in range(6):
                months.ensure(kept, months.next_month(date(2025, 12, 1), step))
    return rows


def told(device: Device, airing: Airing, n: int, draw: random.Random) -> EventBatch:
    """Return what a device says of one play, whole or not."""
    at = ms(airing.starts_at)
    ends = {
        "planned_at": at, "started_at": at, "ended_at": at + 4000,
        "sounded_ms": draw.choice((0, 3_000, 4_000)), "level_dbfs": -18.0,
        "outcome": "finished", "cause": "",
        "evidence": draw.choice(("decoded", "measured", "claimed")),
    }  # fmt: skip
    kinds = [("received", {}), ("started", {})]
    kinds.append(
        draw.choice(
            (("finished", ends), ("missed", {"cause": "offline"}), ("received", {}))
        )
    )
    return EventBatch(
        device.uid,
        "log",
        tuple(
            Event(n=n + step, type=kind, at=at + step, item=airing.item, data=data)
            for step, (kind, data) in enumerate(kinds)
        ),
    )


def store(batches: list[EventBatch], at: datetime) -> storing.Outcome:
    messages = [
        (f"nguon.v1.device.{b.device}.event", json.dumps(b.encode()).encode())
        for b in batches
    ]
    return storing.store_messages(messages, at=at)


@pytest.fixture
def stories(
    past: list[Airing], speakers: list[Device]
) -> list[tuple[EventBatch, datetime]]:
    """Return what both speakers said of every start, and when it was stored."""
    draw, found = random.Random(5), []
    for device in speakers:
        for number, airing in enumerate(past):
            at = max(airing.starts_at, THEN - timedelta(days=90)) + timedelta(minutes=2)
            found.append((told(device, airing, 1 + number * 3, draw), at))
    for batch, at in found:
        store([batch], at)
    return found


def by_hand() -> Counter[tuple[object, ...]]:
    """Count plays and milliseconds by day, device and what became of them: slowly."""
    found: Counter[tuple[object, ...]] = Counter()
    for play in PlayRecord.objects.select_related("broadcast__version"):
        day = play.planned_at.astimezone(rules.LOCAL).date()
        key = (
            day, play.device_id, play.unit_id, play.outcome, play.cause, play.grade,
            play.broadcast.version.klass if play.broadcast else "", play.late_joiner,
        )  # fmt: skip
        found["plays", *key] += 1
        found["ms", *key] += play.sounded_ms
    return +found


def by_days() -> Counter[tuple[object, ...]]:
    found: Counter[tuple[object, ...]] = Counter()
    for row in PlayDay.objects.all():
        key = (
            row.day, row.device_id, row.unit_id, row.outcome, row.cause, row.grade,
            row.klass, row.late_joiner,
        )  # fmt: skip
        found["plays", *key] += row.plays
        found["ms", *key] += row.sounded_ms
    return +found


def roll(at: datetime) -> None:
    for _turn in range(3):
        actions.roll_plays(at=at)


def test_days_counted_are_what_a_recount_of_the_plays_says(
    stories: list[tuple[EventBatch, datetime]], now: datetime
) -> None:
    roll(now)

    assert len(by_days()) > 100
    assert by_days() == by_hand()
    assert {row.grade for row in PlayDay.objects.all()} >= {0, 2, 4}


def test_a_play_told_late_makes_its_day_counted_again(
    past: list[Airing], speakers: list[Device], now: datetime
) -> None:
    draw = random.Random(1)
    early, late = past[:40], past[40:]
    device = speakers[0]
    for number, airing in enumerate(early):
        store([told(device, airing, 1 + 3 * number, draw)], now)
    roll(now)
    assert by_days() == by_hand()
    for number, airing in enumerate(late):
        store([told(device, airing, 901 + 3 * number, draw)], now)
    assert by_days() != by_hand()

    roll(now)

    assert by_days() == by_hand()
    assert not CountedDay.objects.filter(stale=True).exists()
    assert actions.roll_plays(at=now) == 0


def test_a_month_put_away_leaves_its_figures_and_comes_back_whole(
    stories: list[tuple[EventBatch, datetime]], now: datetime
) -> None:
    roll(now)
    figures = by_days()
    plays = list(PlayRecord.objects.order_by("pk").values())
    events = list(DeviceEvent.objects.order_by("pk").values())
    begin, end = months.bounds(MARCH)
    inside = {row["id"] for row in plays if begin <= row["planned_at"] < end}

    archive = archives.put_away(PLAYS, MARCH, at=now)
    archives.put_away(EVENTS, MARCH, at=now)

    assert archive.rows == len(inside) > 20
    kept = list(PlayRecord.objects.order_by("pk").values())
    assert kept == [row for row in plays if row["id"] not in inside]
    assert by_days() == figures
    roll(now)
    assert by_days() == figures
    path = archives.folder() / archive.file
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        assert {json.loads(line)["id"] for line in lines} == inside
    manifest = json.loads(path.with_name(path.name[:-9] + ".manifest.json").read_text())
    assert manifest["rows"] == len(inside)
    assert [c["name"] for c in manifest["columns"]] == list(plays[0])

    assert archives.restore(PLAYS, MARCH, at=now) == len(inside)
    archives.restore(EVENTS, MARCH, at=now)

    assert list(PlayRecord.objects.order_by("pk").values()) == plays
    assert list(DeviceEvent.objects.order_by("pk").values()) == events
    assert archives.restore(PLAYS, MARCH, at=now) == 0
    again = archives.put_away(PLAYS, MARCH, at=now)
    assert again.sha256 == archive.sha256


def test_an_old_airing_still_tells_its_figures_and_where_its_plays_lie(
    stories: list[tuple[EventBatch, datetime]], past: list[Airing],
    broadcast: Broadcast, village: Unit, tung: Officer, minh: Officer, hoa: Officer,
    ia_grai: Unit, now: datetime,
) -> None:  # fmt: skip
    joined = make_device(village, tung, now, "Loa vào sau")
    for n, airing in enumerate(past):
        store([told(joined, airing, 1 + n * 3, random.Random(n))], now)
    begin, end = months.bounds(MARCH)
    march = [one for one in past if begin <= one.starts_at < end]

    def look(officer: Officer = minh) -> list[queries.Live]:
        return [
            queries.get_live(broadcast, officer=officer, at=now, airing=airing)
            for airing in march
        ]

    def played() -> list[object]:
        found = read_week(ia_grai, monday=date(2026, 3, 9), at=now)
        return [(piece.key, piece.played) for piece in found.pieces]

    before, week, ways = look(), played(), list_ways(broadcast)
    assert {live.tally.silent for live in before} >= {0, 1, 2}
    assert all(live.tally.late_joiners == 1 for live in before)

    archive = archives.put_away(PLAYS, MARCH, at=now)

    after = look()
    assert [live.tally for live in after] == [live.tally for live in before]
    assert [live.grounds for live in after] == [live.grounds for live in before]
    assert {(live.archive, live.is_counted) for live in after} == {(archive, True)}
    assert not any(live.unheard or live.silent for live in after)
    assert played() == week
    assert list_ways(broadcast) == ways
    assert {live.tally.targeted for live in look(hoa)} == {0}
    assert not any(live.is_counted for live in look(hoa))

    archives.restore(PLAYS, MARCH, at=now)

    assert look() == before
    archives.put_away(PLAYS, MARCH, at=now)
    assert [live.tally for live in look()] == [live.tally for live in before]


def test_the_live_view_says_that_plays_are_archived_never_that_they_are_unheard(
    stories: list[tuple[EventBatch, datetime]], broadcast: Broadcast, client: Client,
    speakers: list[Device], minh: Officer, now: datetime,
) -> None:  # fmt: skip
    airing = broadcast.airings.get(starts_at__gte=now)
    for device in speakers:
        store([told(device, airing, 901, random.Random(3))], now)
    month = months.month_of(airing.starts_at)
    archive = archives.put_away(PLAYS, month, at=now + timedelta(days=62))
    client.force_login(minh)
    address = f"/phat/{broadcast.uid}/"

    def ask() -> tuple[dict[str, object], str]:
        accept = {"accept": "application/json"}
        return client.get(address, headers=accept).json(), client.get(
            address
        ).content.decode()

    facts, page = ask()
    assert facts["archived"] == {
        "month": f"{month:%Y-%m}",
        "file": archive.file,
        "made_at": archive.made_at.isoformat(),
    }
    assert (facts["reached"], facts["waiting"]) == (2, 0)
    assert "đã cất vào kho lưu trữ" in page
    assert archive.file in page
    assert "Chưa có tin từ" not in page

    # Put away by a version that did not count airings: unknown, and said so.
    AiringCount.objects.all().delete()
    facts, page = ask()
    assert (facts["targeted"], facts["reached"], facts["waiting"]) == (2, None, None)
    assert "chưa đếm riêng" in page
    assert "chưa có tin" not in page


def test_events_sent_again_are_known_in_whatever_month_or_file_they_lie(
    stories: list[tuple[EventBatch, datetime]], now: datetime
) -> None:
    count = DeviceEvent.objects.count()
    plays = list(PlayRecord.objects.order_by("pk").values())

    first = store([batch for batch, _at in stories], now)

    assert first.stored == 0
    assert sum(len(n) for n in first.acks.values()) == count
    assert DeviceEvent.objects.count() == count
    archived = archives.put_away(EVENTS, MARCH, at=now).rows
    archives.put_away(PLAYS, MARCH, at=now)
    assert archived > 20

    second = store([batch for batch, _at in stories], now)

    assert second.stored == 0
    assert sum(len(n) for n in second.acks.values()) == count
    assert DeviceEvent.objects.count() == count - archived
    begin, end = months.bounds(MARCH)
    left = [row for row in plays if not begin <= row["planned_at"] < end]
    assert list(PlayRecord.objects.order_by("pk").values()) == left
    assert ArchivedRun.objects.count() < 20


def test_what_is_new_about_an_archived_play_is_kept_as_an_event(
    stories: list[tuple[EventBatch, datetime]], past: list[Airing], now: datetime,
    village: Unit, tung: Officer,
) -> None:  # fmt: skip
    late = make_device(village, tung, now, "Cụm trở về")
    archives.put_away(PLAYS, MARCH, at=now)
    figures = by_days()
    airing = next(one for one in past if one.starts_at == THEN)

    stored = store([told(late, airing, 1, random.Random(2))], now)
    roll(now)

    assert stored.stored == 3
    assert DeviceEvent.objects.filter(device=late).count() == 3
    assert not PlayRecord.objects.filter(device=late).exists()
    march = {key for key in figures if str(key[1]).startswith("2026-03")}
    assert march
    assert {key for key in by_days() if str(key[1]).startswith("2026-03")} == march


def test_nothing_is_deleted_before_it_lies_in_a_file(
    stories: list[tuple[EventBatch, datetime]],
) -> None:
    for table in ("schedule_playrecord", "fleet_deviceevent"):
        with (
            pytest.raises(DatabaseError, match="immutable"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"DELETE FROM {table}")


def test_a_file_that_is_hurt_is_found_and_never_restored(
    stories: list[tuple[EventBatch, datetime]], now: datetime
) -> None:
    archive = archives.put_away(PLAYS, MARCH, at=now)
    path = archives.folder() / archive.file
    whole = path.read_bytes()
    archives.check_file(path, sha256=archive.sha256)
    left = PlayRecord.objects.count()
    for broken in (whole[:-9], b"", whole[:40] + b"\0" + whole[41:]):
        path.write_bytes(broken)
        with pytest.raises(archives.ArchiveBrokenError):
            archives.restore(PLAYS, MARCH, at=now)
    assert PlayRecord.objects.count() == left


def test_a_month_that_is_not_over_or_not_old_enough_stays(
    stories: list[tuple[EventBatch, datetime]], now: datetime
) -> None:
    with pytest.raises(archives.MonthOpenError):
        archives.put_away(PLAYS, now.date().replace(day=1), at=now)

    assert archives.list_closed(at=now, keep=24) == []
    due = archives.list_closed(at=now, keep=7)
    assert [month for kept, month in due if kept == PLAYS] == [
        date(2026, 1, 1), date(2026, 2, 1), MARCH,
    ]  # fmt: skip
    archives.put_away(PLAYS, date(2026, 1, 1), at=now)
    left = [
        month for kept, month in archives.list_closed(at=now, keep=7) if kept == PLAYS
    ]
    assert left == [date(2026, 2, 1), MARCH]


def test_a_person_puts_away_checks_and_takes_back_by_one_command(
    stories: list[tuple[EventBatch, datetime]], settings: object
) -> None:
    settings.KEEP_MONTHS = 1  # type: ignore[attr-defined]
    before = PlayRecord.objects.count()

    def run(*words: str) -> str:
        out = StringIO()
        call_command("archive_months", *words, stdout=out)
        return out.getvalue()

    run("--due")
    assert Archive.objects.count() == 8
    assert "đúng" in run("--check")
    assert "2026-03.jsonl.gz" in run()
    run("--restore", "2026-03")
    assert 0 < PlayRecord.objects.count() < before
    with pytest.raises(CommandError, match="chưa được lưu trữ"):
        run("--restore", "2020-01")
    with pytest.raises(CommandError, match="2026-01"):
        run("--put-away", "tháng ba")
    with pytest.raises(CommandError, match="month_open"):
        run("--put-away", f"{datetime.now(UTC):%Y-%m}")


def test_the_page_of_operations_shows_months_strays_and_the_last_archive(
    stories: list[tuple[EventBatch, datetime]], now: datetime
) -> None:
    before = {row.key: row for row in condition.look(at=now)}
    archives.put_away(PLAYS, MARCH, at=now)

    after = {row.key: row for row in condition.look(at=now)}

    assert before["archive"].value == "chưa tháng nào ra tệp"
    assert "schedule_playrecord-2026-03.jsonl.gz" in after["archive"].value
    assert after["schedule_playrecord"].state == condition.GOOD
    if connection.vendor == "postgresql":
        assert "tháng (" in after["schedule_playrecord"].value
    file = archives.folder() / Archive.objects.get().file
    file.rename(file.with_suffix(".away"))
    assert {row.key: row for row in condition.look(at=now)}["archive"].state == (
        condition.BAD
    )


def test_the_play_log_says_which_months_asked_for_lie_in_the_archive(
    stories: list[tuple[EventBatch, datetime]], client: Client, minh: Officer,
    broadcast: Broadcast, now: datetime,
) -> None:  # fmt: skip
    archives.put_away(PLAYS, MARCH, at=now)
    client.force_login(minh)

    def months_away(**asked: str) -> list[str]:
        accept = {"accept": "application/json"}
        answer = client.get("/nhat-ky/", asked, headers=accept).json()
        return list(answer["archived_months"])

    assert months_away() == ["2026-03"]
    assert months_away(tu="2026-03-31", den="2026-04-02") == ["2026-03"]
    assert months_away(tu="2026-04-01") == []
    assert months_away(den="2026-02-28") == []
    assert months_away(tin=broadcast.uid) == ["2026-03"]
    assert months_away(tin=broadcast.uid, den="2026-02-28") == []
    assert months_away(tin="nobody-knows") == []
    page = client.get("/nhat-ky/", {"tu": "2026-03-02", "den": "2026-03-30"})
    assert "tháng 03/2026 đã cất vào kho lưu trữ" in page.content.decode()
    assert "Chưa có lượt phát nào" not in page.content.decode()

    archives.restore(PLAYS, MARCH, at=now)

    assert months_away(tu="2026-03-31", den="2026-04-02") == []
    page = client.get("/nhat-ky/", {"tu": "2026-03-02", "den": "2026-03-30"})
    assert "kho lưu trữ" not in page.content.decode()

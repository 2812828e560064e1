"""A station's month on paper agrees with the plays, its money with the work."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from http import HTTPStatus
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from nguon.audit import archives, months
from nguon.core.errors import AbsentError
from nguon.fleet.models import Device, Fault
from nguon.newsroom import pay
from nguon.newsroom.pay import Line as Pay
from nguon.newsroom.rules import TASKS
from nguon.people.models import Officer
from nguon.reports import log_papers, log_words, logs, stations
from nguon.reports.logs import Line, Log
from nguon.reports.stations import Station
from nguon.schedule import actions as schedule
from nguon.schedule.models import Airing, AudienceMember, PlayRecord
from nguon.territory.models import Succession, Unit
from nguon.territory.names import fold
from tests.conftest import MERGER, make_officer
from tests.indicators.conftest import (
    Week,
    generate,
    server_keys,
    signing_keys,
    third,
    week,
)

__all__ = ["generate", "server_keys", "signing_keys", "third", "week"]
pytestmark = pytest.mark.django_db
NOVEMBER = date(2026, 11, 1)
DECEMBER = months.bounds(NOVEMBER)[1]
ASKED = {"thang": "2026-11"}
JSON = {"accept": "application/json"}
PAGES = ("log", "log_file", "log_pdf", "paid", "paid_pdf", "paid_xlsx")
ATTACK = "=cmd|' /C calc'!A0"


def station(unit: Unit) -> Station:
    return Station(unit, [unit], [])


def text_of(content: bytes) -> str:
    pages = PdfReader(BytesIO(content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def by_hand(unit: Unit) -> dict[str, Counter[str]]:
    """Count what became of every item at the speakers of a commune: slowly."""
    found: dict[str, Counter[str]] = {}
    for airing in Airing.objects.select_related("unit"):
        members = AudienceMember.objects.filter(broadcast=airing.broadcast_id)
        is_listed = any(
            one.device.kind == "speaker" and one.unit.path.startswith(unit.path)
            for one in members.select_related("device", "unit")
        )
        own = airing.unit is not None and airing.unit.path.startswith(unit.path)
        meant = own if airing.paper_id else is_listed
        if meant and airing.withdrawn_at is None and _is_november(airing.starts_at):
            found[airing.item] = Counter()
    for play in PlayRecord.objects.select_related("device", "unit"):
        here = play.unit.path.startswith(unit.path) and play.device.kind == "speaker"
        if here and _is_november(play.planned_at):
            found.setdefault(play.item, Counter())[_became(play)] += 1
    return found


def _is_november(at: datetime) -> bool:
    return timezone.localdate(at).replace(day=1) == NOVEMBER


def _became(play: PlayRecord) -> str:
    began = play.started_at is not None
    if play.cause != "unneeded":
        if began and play.sounded_ms and play.outcome not in {"", "finished"}:
            return "broken_off"
        if play.outcome in {"failed", "missed"}:
            return "silent"
        if play.outcome and not (began and play.outcome == "finished"):
            return "silent"
    return "sounded" if began else "untold"


def test_the_log_agrees_with_a_count_by_hand(
    week: Week, ia_grai: Unit, dak_doa: Unit
) -> None:
    for unit in (ia_grai, dak_doa):
        log = logs.read_log(station(unit), NOVEMBER, at=DECEMBER)
        expected = by_hand(unit)

        told = {
            one.item: Counter(
                sounded=one.sounded, broken_off=one.broken_off, silent=one.silent
            )
            for one in log.lines
        }
        assert len(log.lines) == len(told)
        assert told.keys() == expected.keys()
        for item, counts in expected.items():
            del counts["untold"]
            assert +told[item] == +counts, item
        assert [one.starts_at for one in log.lines] == sorted(
            one.starts_at for one in log.lines
        )
        assert not log.is_archived
        assert sum(log.totals.states.values()) == log.totals.lines == len(log.lines)
    assert any(
        one.writer and one.approver and one.languages == ["vi"] for one in log.lines
    )


def test_what_is_not_due_yet_is_no_line_of_the_log(week: Week, ia_grai: Unit) -> None:
    whole = logs.read_log(station(ia_grai), NOVEMBER, at=DECEMBER)
    at = whole.lines[len(whole.lines) // 2].starts_at

    log = logs.read_log(station(ia_grai), NOVEMBER, at=at)

    assert log.ahead
    assert {one.item for one in (*log.lines, *log.ahead)} == {
        one.item for one in whole.lines
    }
    assert max(one.starts_at for one in log.lines) <= at
    assert min(one.starts_at for one in log.ahead) > at
    assert log.totals.lines == len(log.lines)
    assert log.totals.planned_ms == sum(one.planned_ms for one in log.lines)
    assert (log.until, whole.until, whole.ahead) == (at, None, [])
    paper = text_of(log_papers.write_log(log))
    assert f"(tính đến {timezone.localtime(at):%H:%M ngày %d/%m/%Y})" in paper
    assert f"Cộng {len(log.lines)} lượt" in paper
    assert "tính đến" not in text_of(log_papers.write_log(whole))


def test_what_was_archived_says_so_and_is_not_0(
    week: Week, ia_grai: Unit, settings: object, tmp_path: Path
) -> None:
    settings.ARCHIVE_DIR = tmp_path  # type: ignore[attr-defined]
    before = logs.read_log(station(ia_grai), NOVEMBER, at=DECEMBER)
    later = week.over + timedelta(days=62)
    for _turn in range(3):
        schedule.roll_plays(at=later)
    plays = next(k for k in months.tables() if k.model == "schedule.PlayRecord")
    archives.put_away(plays, NOVEMBER, at=later)

    log = logs.read_log(station(ia_grai), NOVEMBER, at=DECEMBER)

    assert log.is_archived
    sounded = sum(one.sounded + one.broken_off for one in before.lines)
    assert sum(one.sounded + one.broken_off for one in log.lines) >= sounded > 0
    assert all(one.longest_ms is None for one in log.lines)
    assert log.totals.sounded_ms is None
    assert log.totals.device_ms
    assert before.totals.grades
    assert not log.totals.grades
    causes = dict(before.totals.causes)
    causes.pop("finished", None)
    assert dict(log.totals.causes) == causes
    paper = text_of(log_papers.write_log(log))
    assert "kho lưu trữ" in paper
    assert log_words.IN_ARCHIVE in paper


# --- either map --------------------------------------------------------------------


def old_commune(code: str, name: str, parent: Unit, heirs: dict[Unit, str]) -> Unit:
    """Write a commune that ended with the merger, and who has its ground."""
    unit = Unit.objects.create(
        kind="commune", code=code, subkind="Xã", name=name, folded=fold(f"Xã {name}"),
        parent=parent, valid_from=date(2004, 1, 1), valid_to=MERGER,
    )  # fmt: skip
    unit.path = f"{parent.path}{unit.pk}/"
    unit.save(update_fields=["path"])
    for heir, kind in heirs.items():
        Succession.objects.create(old=unit, new=heir, kind=kind)
    return unit


def test_a_month_of_then_is_read_on_either_map(
    province: Unit,
    ia_grai: Unit,
    dak_doa: Unit,
    lan: Officer,
    hoa: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    whole = old_commune("10001", "Ia Tô", province, {ia_grai: "whole"})
    divided = old_commune(
        "10002", "Ia Dêr", province, {ia_grai: "part-main", dak_doa: "part"}
    )
    may, june = date(2025, 5, 1), date(2025, 6, 1)

    def find(officer: Officer, unit: Unit) -> Station:
        return stations.find_station(officer, unit.uid, may, june, at=now)

    today = find(lan, ia_grai)
    assert today.grounds == [whole]
    assert today.divided == [divided]
    assert "Ia Dêr" in " ".join(log_words.notes(logs.read_log(today, may, at=now)))
    assert find(lan, whole).grounds == [whole]
    assert set(stations.list_stations(lan, may, at=now)) == {ia_grai, whole}
    assert set(stations.list_stations(quan, may, at=now)) == {
        ia_grai, dak_doa, whole, divided,
    }  # fmt: skip
    # Of what was divided only who stands above all its heirs reads the whole.
    assert find(quan, divided).grounds == [divided]
    for officer, unit in ((hoa, whole), (lan, divided), (hoa, divided)):
        with pytest.raises(AbsentError):
            find(officer, unit)
    later = stations.find_station(lan, ia_grai.uid, NOVEMBER, date(2026, 12, 1), at=now)
    assert (later.grounds, later.divided) == ([ia_grai], [])


# --- papers ------------------------------------------------------------------------


def made_log(unit: Unit, count: int) -> Log:
    begin = months.bounds(NOVEMBER)[0]
    lines = [
        Line(
            item=str(n), starts_at=begin + timedelta(hours=n), planned_ms=90_000,
            title=f"{ATTACK} {n}", kind="normal", languages=["vi", "jra"],
            writer="Nguyễn Thị Lan", approver="Trần Văn Minh", meant=4, sounded=3,
            silent=1, first_at=begin + timedelta(hours=n, seconds=2),
            longest_ms=88_000, grades={4: 2, 2: 1}, causes=[("offline", 1)],
        )
        for n in range(count)
    ]  # fmt: skip
    totals = logs.add_up(lines, None)
    after = date(2026, 12, 1)
    return Log(station(unit), NOVEMBER, after, lines, totals, [], is_archived=False)


def test_the_log_prints_across_a4_with_its_head_on_every_page(ia_grai: Unit) -> None:
    log = made_log(ia_grai, 120)

    content = log_papers.write_log(log)

    pages = PdfReader(BytesIO(content)).pages
    assert len(pages) > 3
    mm = 72 / 25.4
    for page in pages:
        assert round(page.mediabox.width / mm) == 297
        assert round(page.mediabox.height / mm) == 210
    text = text_of(content)
    for part in (
        "SỔ NHẬT KÝ PHÁT THANH", "XÃ IA GRAI", "Tháng 11 năm 2026", "Người ghi sổ",
        "Trưởng đài truyền thanh", "Việt, Jrai", "3/4, 1 im lặng", "2 đo được tiếng",
        "thiết bị mất mạng (1)", "tính một lần: 176,0 phút",
        "Cộng 120 lượt", "Phải phát 180,0 phút",
    ):  # fmt: skip
        assert part in text, part
    assert "Bằng chứng" in pages[2].extract_text()
    assert log_papers.write_log(log) == content


@pytest.mark.parametrize("count", range(8, 24))
def test_nobody_signs_a_page_without_the_last_rows(ia_grai: Unit, count: int) -> None:
    last = PdfReader(BytesIO(log_papers.write_log(made_log(ia_grai, count)))).pages[-1]

    text = " ".join(last.extract_text().split())

    for part in ("Người ghi sổ", "Nội dung", f"A0 {count - 1} ", f"A0 {count - 2} "):
        assert part in text, part


@pytest.mark.parametrize("count", [0, 1, 11])
@pytest.mark.parametrize("troubles", [0, 25, 60])
def test_many_faults_stand_between_the_rows_and_the_signatures(
    ia_grai: Unit, count: int, troubles: int
) -> None:
    device = Device(name="Cụm loa 1")
    began = months.bounds(NOVEMBER)[0]
    faults = [Fault(device=device, cause="offline", began_at=began)] * troubles
    log = replace(made_log(ia_grai, count), faults=faults)

    pages = PdfReader(BytesIO(log_papers.write_log(log))).pages

    last = pages[-1].extract_text()
    assert "Người ghi sổ" in last
    assert "Cụm loa 1" in last or not troubles


def test_remuneration_adds_up_on_paper_and_in_the_workbook(ia_grai: Unit) -> None:
    lines = [
        Pay(name, dict.fromkeys(TASKS, n), dict.fromkeys(TASKS, 10_000 * n), n - 1)
        for n, name in ((1, "Nguyễn Thị Lan"), (2, ATTACK))
    ]

    sheet = openpyxl.load_workbook(
        BytesIO(log_papers.write_pay_book(ia_grai, NOVEMBER, lines))
    ).active
    text = text_of(log_papers.write_pay(ia_grai, NOVEMBER, lines))

    assert sheet.cell(6, 2).value == ATTACK
    assert sheet.cell(6, 2).data_type == "s"
    assert sheet.cell(5, 9).value == "=D5+F5+H5"
    assert sheet.cell(7, 9).value == "=SUM(I5:I6)"
    assert sheet.cell(7, 3).value == "=SUM(C5:C6)"
    assert "90.000" in text
    assert "Còn 1 lượt chưa có mức" in text
    for signer in (*log_papers.PAY_SIGNERS, "Ký nhận"):
        assert signer in text


def test_a_stations_money_is_of_its_own_bulletins(
    week: Week, ia_grai: Unit, dak_doa: Unit, province: Unit, quan: Officer
) -> None:
    every = pay.list_lines(quan, month=NOVEMBER, at=week.over)

    def pieces(lines: list[Pay]) -> Counter[str]:
        return sum((Counter(one.pieces) for one in lines), Counter())

    own = [
        pieces(pay.list_lines_of([unit], month=NOVEMBER)) for unit in (ia_grai, dak_doa)
    ]
    assert pieces(pay.list_lines_of([province], month=NOVEMBER)) == pieces(every)
    assert all(own)
    assert own[0] + own[1] <= pieces(every)


# --- screens -----------------------------------------------------------------------


def test_the_pages_are_searched_filtered_and_given_as_files(
    client: Client, week: Week, lan: Officer, ia_grai: Unit, third: Unit
) -> None:
    client.force_login(lan)
    wanted = ASKED | {"don_vi": ia_grai.uid}
    every = client.get(reverse("reports:log"), wanted, headers=JSON).json()["lines"]
    muted = client.get(
        reverse("reports:log"), wanted | {"ket_qua": "mute"}, headers=JSON
    ).json()["lines"]
    page = client.get(reverse("reports:log"), wanted)
    table = client.get(reverse("reports:log_file"), wanted).content.decode()
    none = client.get(reverse("reports:log"), wanted | {"tim": "không có đâu"})

    assert len(every) > len(muted)
    assert "Cộng tháng" in page.text
    assert "style=" not in page.text
    assert table.count("\n") >= len(every) + 1
    assert "Không có lượt nào như vậy" in none.text
    for name in PAGES:
        assert client.get(reverse(f"reports:{name}"), wanted).status_code == 200, name
    empty = client.get(reverse("reports:log"), {"thang": "2026-10"})
    assert "Tháng này chưa có lượt phát nào" in empty.text
    assert client.get(reverse("reports:log"), {"thang": "=cmd"}).status_code == 200


def test_what_is_to_come_stands_apart_on_the_screen_alone(
    client: Client,
    week: Week,
    lan: Officer,
    ia_grai: Unit,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = logs.read_log(station(ia_grai), NOVEMBER, at=DECEMBER)
    at = whole.lines[0].starts_at
    monkeypatch.setattr("nguon.reports.asked.timezone.now", lambda: at)
    client.force_login(lan)
    wanted = ASKED | {"don_vi": ia_grai.uid}

    page = client.get(reverse("reports:log"), wanted).text
    table = client.get(reverse("reports:log_file"), wanted)
    paper = client.get(reverse("reports:log_pdf"), wanted)

    assert "Sắp phát" in page
    assert "tính đến" in page
    due = sum(one.starts_at <= at for one in whole.lines)
    assert len(table.content.decode().splitlines()) == due + 1
    assert "-den-" in paper["Content-Disposition"]
    assert f"Cộng {due} lượt" in text_of(paper.content)


def test_another_commune_reads_nothing_of_ours(
    client: Client, hoa: Officer, lan: Officer, tung: Officer, ia_grai: Unit
) -> None:
    for officer, status in ((lan, HTTPStatus.OK), (hoa, HTTPStatus.NOT_FOUND)):
        client.force_login(officer)
        for name in PAGES:
            answer = client.get(
                reverse(f"reports:{name}"), ASKED | {"don_vi": ia_grai.uid}
            )
            assert answer.status_code == status, (officer, name)


def test_who_has_no_commune_is_told_so(client: Client, db: None) -> None:
    client.force_login(make_officer("nobody", "Không Xã"))

    assert client.get(reverse("reports:log")).status_code == HTTPStatus.NOT_FOUND

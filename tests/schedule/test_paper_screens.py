"""Lan plans a week by forms, Minh approves, Hoa sees nothing of it."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.test import Client

from nguon.core.errors import InvalidError
from nguon.fleet.models import Device
from nguon.newsroom import actions as newsroom
from nguon.newsroom.rules import Draft
from nguon.people.models import Officer
from nguon.schedule import (
    actions,
    comparison,
    paper_forms,
    papers,
    queries,
    rules,
    station,
)
from nguon.schedule.models import Airing, Broadcast, Paper
from nguon.territory.models import Unit
from tests.schedule.conftest import make_device, voice_all

DAY = timedelta(days=1)
SLOT = {
    "name": "Chương trình sáng",
    "begin": "05:30",
    "minutes": "15",
    "repeat": "weekly",
    "weekdays": ["MO", "TU", "WE", "TH", "FR", "SA", "SU"],
    "kind": "programme",
    "whole": "1",
    "start": "next",
}


@pytest.fixture
def now() -> datetime:
    """Return the real clock, as the views read it at their edge."""
    return datetime.now(tz=UTC)


@pytest.fixture
def today(now: datetime) -> date:
    return now.astimezone(rules.LOCAL).date()


@pytest.fixture
def web(client: Client) -> Callable[[Officer], Client]:
    def do(officer: Officer) -> Client:
        client.defaults["HTTP_HOST"] = "127.0.0.1"
        client.force_login(officer)
        return client

    return do


@pytest.fixture
def shelf(
    lan: Officer,
    minh: Officer,
    ia_grai: Unit,
    speakers: list[Device],
    now: datetime,
) -> Broadcast:
    """Return a bulletin that programmes may use."""
    bulletin = newsroom.create_bulletin(
        unit=ia_grai, draft=Draft("Lịch tiêm", "Bà con đi tiêm."), by=lan, at=now
    )
    broadcast = actions.submit(
        bulletin_id=bulletin.pk,
        timing=rules.Timing(rules.SHELF),
        units=[ia_grai],
        devices=[],
        by=lan,
        at=now,
    )
    voice_all(now)
    broadcast.refresh_from_db()
    return actions.release(
        broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=minh, at=now
    )


def draft_rules(browser: Client, day: date, **slot: object) -> Paper:
    """Begin rules with one slot by the forms; return the draft."""
    browser.post("/dai/sua/")
    paper = Paper.objects.get(kind=station.RULES, state=rules.DRAFT)
    sent = SLOT | {"first": day.isoformat()} | slot
    answer = browser.post(f"/giay-to/{paper.uid}/khung/moi/", sent)
    assert answer.status_code == 302, answer.content.decode()
    paper.refresh_from_db()
    return paper


def approve(browser: Client, paper: Paper) -> None:
    paper.refresh_from_db()
    answer = browser.post(f"/giay-to/{paper.uid}/duyet/", {"sha256": paper.sha256})
    assert answer.status_code == 302, answer.content.decode()
    paper.refresh_from_db()
    assert paper.state == rules.APPROVED


def begin_programme(browser: Client, paper: Paper, day: date) -> Paper:
    key = papers.body_of(paper).slots[0].id
    days = {"first_date": day.isoformat(), "last_date": (day + 6 * DAY).isoformat()}
    answer = browser.post(f"/chuong-trinh/{key}/", days)
    assert answer.status_code == 302, answer.content.decode()
    return Paper.objects.filter(kind=station.PROGRAMME).latest("pk")


def change(browser: Client, paper: Paper, **sent: object) -> None:
    paper.refresh_from_db()
    answer = browser.post(
        f"/giay-to/{paper.uid}/sua/", {"sha256": paper.sha256, **sent}
    )
    assert answer.status_code == 302, answer.content.decode()
    paper.refresh_from_db()


def check_files(browser: Client, day: date, item: str) -> None:
    """See the week as a calendar and as a table, whole and searched."""
    calendar = browser.get(f"/lich-phat/tuan.ics?tuan={day}")
    assert calendar.headers["Content-Type"].startswith("text/calendar")
    assert f"UID:{item}@nguon" in calendar.content.decode()
    table = browser.get(f"/lich-phat/tuan.csv?tuan={day}&tim=tiem")
    assert "Chương trình sáng" in table.content.decode()
    none = browser.get(f"/lich-phat/tuan.csv?tuan={day}&tim=zzz")
    assert "Chương trình sáng" not in none.content.decode()


def test_a_week_is_planned_by_one_and_approved_by_another(
    web: Callable[[Officer], Client],
    lan: Officer,
    minh: Officer,
    hoa: Officer,
    ia_grai: Unit,
    shelf: Broadcast,
    today: date,
) -> None:
    laid_down = draft_rules(web(lan), today)
    browser = web(lan)
    assert (
        "Thêm khung “Chương trình sáng”"
        in browser.get(f"/giay-to/{laid_down.uid}/sua/").content.decode()
    )
    assert browser.post(f"/giay-to/{laid_down.uid}/gui/").status_code == 302
    own = browser.get(f"/giay-to/{laid_down.uid}/").content.decode()
    assert "người khác phải duyệt" in own
    assert "Trần Văn Minh" in own
    assert (
        browser.post(
            f"/giay-to/{laid_down.uid}/duyet/", {"sha256": laid_down.sha256}
        ).status_code
        == 403
    )

    browser = web(minh)
    waiting = browser.get("/cho-duyet/").content.decode()
    assert laid_down.title in waiting
    assert "1 việc đang chờ" in waiting
    assert laid_down.title in browser.get("/").content.decode()
    shown = browser.get(f"/giay-to/{laid_down.uid}/").content.decode()
    assert "Trước và sau" in shown
    assert "toàn đài" in shown
    approve(browser, laid_down)

    programme = begin_programme(web(lan), laid_down, today + DAY)
    browser = web(lan)
    change(browser, programme, act="add", material=shelf.uid, kind="bulletin")
    change(browser, programme, act="add", material=shelf.uid, kind="jingle")
    editor = browser.get(f"/giay-to/{programme.uid}/sua/").content.decode()
    assert "Còn trống 14 phút 52 giây." in editor
    change(browser, programme, act="up", n=1)
    change(browser, programme, act="remove", n=1)
    assert [one.kind for one in papers.body_of(programme).entries] == ["jingle"]
    browser.post(f"/giay-to/{programme.uid}/gui/")
    browser = web(minh)
    sound = re.search(
        r'src="(/phat/\w+/tieng/\w+\.mp3)"',
        browser.get(f"/giay-to/{programme.uid}/").content.decode(),
    )
    assert sound
    assert browser.get(sound[1]).status_code == 200
    approve(browser, programme)

    start = datetime.combine(today + 2 * DAY, time(5, 30), rules.LOCAL)
    assert Airing.objects.filter(paper=programme, starts_at=start).exists()
    week = browser.get(f"/lich-phat/?tuan={today + 2 * DAY}").content.decode()
    assert "Lịch tiêm" in week
    assert "Còn trống 14 phút" in week
    facts = browser.get(
        f"/lich-phat/?tuan={today + 2 * DAY}", headers={"accept": "application/json"}
    ).json()
    row = next(
        one
        for one in facts["pieces"]
        if datetime.fromisoformat(one["starts_at"]) == start
    )
    assert (row["source"], row["slot"]) == ("programme", "Chương trình sáng")
    check_files(browser, today + 2 * DAY, row["item"])

    day = start + timedelta(hours=1)
    assert [row.paper for row in queries.list_today(lan, at=day)] == [programme]
    assert queries.list_today(hoa, at=day) == []
    browser = web(hoa)
    for address in (
        f"/giay-to/{laid_down.uid}/",
        f"/giay-to/{programme.uid}/sua/",
        f"/lich-phat/?don_vi={ia_grai.uid}",
        f"/lich-phat/tuan.ics?don_vi={ia_grai.uid}",
        f"/lich-phat/tuan.csv?don_vi={ia_grai.uid}",
        f"/dai/?don_vi={ia_grai.uid}",
        sound[1],
    ):
        assert browser.get(address).status_code == 404, address
    assert laid_down.title not in browser.get("/cho-duyet/").content.decode()


def test_a_far_week_is_worked_out_from_the_papers(
    web: Callable[[Officer], Client],
    lan: Officer,
    minh: Officer,
    shelf: Broadcast,
    today: date,
) -> None:
    laid_down = draft_rules(web(lan), today)
    web(lan).post(f"/giay-to/{laid_down.uid}/gui/")
    approve(web(minh), laid_down)
    far = today + 28 * DAY

    browser = web(lan)
    programme = begin_programme(browser, laid_down, far)
    change(browser, programme, act="add", material=shelf.uid, kind="bulletin")
    browser.post(f"/giay-to/{programme.uid}/gui/")
    approve(web(minh), programme)

    facts = (
        web(lan)
        .get(f"/lich-phat/?tuan={far}", headers={"accept": "application/json"})
        .json()
    )
    assert {one["title"] for one in facts["pieces"]} == {"Lịch tiêm"}
    assert not Airing.objects.filter(paper=programme).exists()


def test_what_is_wrong_is_said_in_its_place(
    web: Callable[[Officer], Client], lan: Officer, ia_grai: Unit, today: date
) -> None:
    browser = web(lan)
    paper = draft_rules(browser, today)
    form = f"/giay-to/{paper.uid}/khung/moi/"
    good = SLOT | {"first": today.isoformat()}

    def said(**wrong: object) -> str:
        answer = browser.post(form, good | wrong)
        assert answer.status_code == 422
        return answer.content.decode()

    assert "Không đọc được giờ “25h”" in said(begin="25h")
    assert "phải là số từ 1 đến 1440" in said(minutes="0")
    assert "Hãy viết tên khung giờ" in said(name=" ")
    assert "Hãy chọn ít nhất một ngày" in said(weekdays=[])
    assert "Không đọc được ngày “mai”" in said(without="mai")
    assert 'value="Chương trình sáng"' in said(minutes="x")
    again = browser.post(form, good | {"name": "Trùng"})
    assert again.status_code == 302
    answer = browser.post(f"/giay-to/{paper.uid}/gui/")
    assert answer.status_code == 422
    assert "“Chương trình sáng”" in answer.content.decode()
    assert "Trùng" in answer.content.decode()


def test_two_who_change_one_draft_do_not_overwrite_each_other(
    web: Callable[[Officer], Client], lan: Officer, today: date
) -> None:
    browser = web(lan)
    paper = draft_rules(browser, today)
    old = paper.sha256
    sent = {"act": "add", "group": "quiet", "begin": "21:00", "end": "05:00"}
    change(browser, paper, **sent, whole="1")

    answer = browser.post(
        f"/giay-to/{paper.uid}/sua/", {**sent, "whole": "1", "sha256": old}
    )

    assert answer.status_code == 409
    assert len(papers.body_of(paper).quiet) == len(
        papers.body_of(Paper.objects.get(pk=paper.pk)).quiet
    )


def test_every_part_of_the_rules_is_added_and_taken_away(
    web: Callable[[Officer], Client],
    lan: Officer,
    village: Unit,
    today: date,
) -> None:
    browser = web(lan)
    paper = draft_rules(browser, today)
    quiet = len(papers.body_of(paper).quiet)
    change(
        browser, paper, act="add", group="quiet", begin="12:00", end="13:00",
        units=village.uid,
    )  # fmt: skip
    change(
        browser, paper, act="add", group="volumes", begin="05:00", end="06:00",
        percent="60", whole="1",
    )  # fmt: skip
    change(
        browser, paper, act="add", group="parts", name="sáng", begin="05:00",
        end="07:00",
    )  # fmt: skip
    body: station.StationRules = papers.body_of(paper)
    assert body.quiet[-1].places.units == (village.uid,)
    assert body.volumes[0].percent == 60
    assert body.parts[0].name == "sáng"
    page = browser.get(f"/giay-to/{paper.uid}/sua/").content.decode()
    assert "Làng Jút" in page

    change(browser, paper, act="remove", group="quiet", n=quiet)
    change(browser, paper, act="remove", group="volumes", n=0)
    change(browser, paper, act="remove", group="parts", n=0)
    change(browser, paper, act="drop", slot=body.slots[0].id)

    assert papers.body_of(paper) == station.StationRules(quiet=body.quiet[:quiet])


def test_last_week_is_copied(
    web: Callable[[Officer], Client],
    lan: Officer,
    minh: Officer,
    shelf: Broadcast,
    today: date,
) -> None:
    laid_down = draft_rules(web(lan), today)
    web(lan).post(f"/giay-to/{laid_down.uid}/gui/")
    approve(web(minh), laid_down)
    browser = web(lan)
    first = begin_programme(browser, laid_down, today)
    change(browser, first, act="add", material=shelf.uid, kind="recording")
    browser.post(f"/giay-to/{first.uid}/gui/")
    approve(web(minh), first)

    browser = web(lan)
    second = begin_programme(browser, laid_down, today + 7 * DAY)
    change(browser, second, act="copy")

    assert papers.body_of(second).entries == papers.body_of(first).entries


def test_an_authority_is_written_and_sent(
    web: Callable[[Officer], Client],
    lan: Officer,
    minh: Officer,
    today: date,
) -> None:
    browser = web(lan)
    assert browser.get("/giay-to/moi/?loai=authority").status_code == 200
    assert browser.get("/giay-to/moi/?loai=source").status_code == 200
    assert browser.get("/giay-to/moi/?loai=order").status_code == 422
    sent = {
        "kind_of_paper": "authority",
        "title": "Trực mùa bão",
        "officers": [minh.pk],
        "acts": ["announce"],
        "begin": "06:00",
        "end": "20:00",
        "reason": "Mùa mưa bão",
        "whole": "1",
        "first_date": today.isoformat(),
        "last_date": (today + 30 * DAY).isoformat(),
    }

    wrong = browser.post("/giay-to/moi/", sent | {"begin": ""})
    good = browser.post("/giay-to/moi/", sent, follow=True)

    assert wrong.status_code == 422
    page = good.content.decode()
    assert "Trần Văn Minh" in page
    paper = Paper.objects.get(kind=station.AUTHORITY)
    assert browser.post(f"/giay-to/{paper.uid}/gui/").status_code == 302
    returned = web(minh).post(f"/giay-to/{paper.uid}/tra-lai/", {"reason": "Dài quá"})
    assert returned.status_code == 302
    again = web(lan).post(f"/giay-to/{paper.uid}/soan-lai/", follow=True)
    assert "Trực mùa bão" in again.content.decode()
    newest = Paper.objects.latest("pk")
    assert newest.state == rules.DRAFT
    change(web(lan), newest, **(sent | {"title": "Ngắn hơn"}))
    assert newest.title == "Ngắn hơn"
    ended = web(lan).post(f"/giay-to/{newest.uid}/thoi/", {"reason": "Thôi"})
    assert ended.status_code == 302
    history = web(lan).get("/dai/").content.decode()
    assert "Nguyễn Thị Lan cho thôi" in history


def test_a_viewer_reads_and_writes_nothing(
    web: Callable[[Officer], Client],
    tung: Officer,
    lan: Officer,
    village: Unit,
    today: date,
    now: datetime,
) -> None:
    make_device(village, tung, now)
    paper = draft_rules(web(lan), today)

    browser = web(tung)

    assert browser.get("/lich-phat/").status_code == 200
    assert browser.get("/dai/").status_code == 200
    assert browser.get(f"/giay-to/{paper.uid}/").status_code == 200
    assert browser.get(f"/giay-to/{paper.uid}/sua/").status_code == 403
    assert browser.post("/dai/sua/").status_code == 403
    assert browser.post(f"/giay-to/{paper.uid}/gui/").status_code == 403


def test_what_a_programme_adds_is_drawn_before_it_is_approved(
    web: Callable[[Officer], Client],
    lan: Officer,
    minh: Officer,
    shelf: Broadcast,
    today: date,
    now: datetime,
) -> None:
    laid_down = draft_rules(web(lan), today)
    web(lan).post(f"/giay-to/{laid_down.uid}/gui/")
    approve(web(minh), laid_down)
    browser = web(lan)
    # A material that no paper in force has named yet.
    paper = begin_programme(browser, laid_down, today + DAY)
    change(browser, paper, act="add", material=shelf.uid, kind="bulletin")

    drawn = comparison.compare(paper, day=None, at=now)

    assert drawn is not None
    assert not drawn.is_same
    assert [bar.piece.title for bar in drawn.after.bars] == [shelf.version.shown_title]
    assert not drawn.before.bars
    assert (
        "không có gì khác"
        not in browser.get(f"/giay-to/{paper.uid}/sua/").content.decode()
    )
    browser.post(f"/giay-to/{paper.uid}/gui/")
    approve(web(minh), paper)
    page = web(minh).get(f"/giay-to/{paper.uid}/").content.decode()
    assert "khung giờ này im lặng cho đến khi" in page
    # What is in force is compared with nothing any more.
    assert "Trước và sau" not in web(lan).get(f"/giay-to/{paper.uid}/").content.decode()


@pytest.mark.parametrize("chosen", [{"whole": ""}, {"whole": "1", "units": "x"}])
def test_where_it_sounds_is_never_guessed(
    chosen: dict[str, str], web: Callable[[Officer], Client], lan: Officer, today: date
) -> None:
    browser = web(lan)
    browser.post("/dai/sua/")
    paper = Paper.objects.get(state=rules.DRAFT)
    sent = SLOT | {"first": today.isoformat()} | chosen
    answer = browser.post(f"/giay-to/{paper.uid}/khung/moi/", sent)
    assert answer.status_code == 422
    assert "Chưa rõ phát ở đâu" in answer.content.decode()
    paper.refresh_from_db()
    assert not papers.body_of(paper).slots


def test_no_day_off_is_left_out_unsaid(
    web: Callable[[Officer], Client], lan: Officer, today: date
) -> None:
    browser = web(lan)
    browser.post("/dai/sua/")
    paper = Paper.objects.get(state=rules.DRAFT)
    days = " ".join(f"{today + n * DAY:%d/%m/%Y}" for n in range(201))
    sent = SLOT | {"first": today.isoformat(), "without": days}
    answer = browser.post(f"/giay-to/{paper.uid}/khung/moi/", sent)
    assert answer.status_code == 422
    assert "Chỉ ghi được 200 ngày" in answer.content.decode()


@pytest.mark.parametrize(
    "address",
    [
        "/lich-phat/?tuan=9999-12-31",
        "/lich-phat/?tuan=0001-01-01",
        "/giay-to/{uid}/sua/?xem=9999-12-31",
        "/giay-to/{uid}/?xem=0001-01-01",
        "/chuong-trinh/{slot}/?tu=9999-12-31",
    ],
)
def test_a_day_beyond_all_calendars_is_a_sentence(
    address: str, web: Callable[[Officer], Client], lan: Officer, today: date
) -> None:
    paper = draft_rules(web(lan), today)
    [slot] = papers.body_of(paper).slots
    answer = web(lan).get(address.format(uid=paper.uid, slot=slot.id))
    assert answer.status_code == 422
    assert "không đọc được" in answer.content.decode().lower()


def test_a_slot_without_its_day_part_is_said_on_the_papers_own_page(
    web: Callable[[Officer], Client], lan: Officer, today: date
) -> None:
    paper = draft_rules(web(lan), today, begin="", part="khuya")
    browser = web(lan)
    assert browser.get(f"/giay-to/{paper.uid}/").status_code == 200
    answer = browser.post(f"/giay-to/{paper.uid}/gui/")
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "ghi buổi “khuya”" in text
    assert f"/giay-to/{paper.uid}/sua/" in text


def test_who_is_too_late_reads_why_on_the_paper_and_loses_no_words_unsaid(
    web: Callable[[Officer], Client], lan: Officer, minh: Officer, today: date
) -> None:
    paper = draft_rules(web(lan), today)
    browser = web(lan)
    browser.post(f"/giay-to/{paper.uid}/gui/")
    late = browser.post(f"/giay-to/{paper.uid}/sua/", {"act": "drop", "slot": "x"})
    later = browser.post(f"/giay-to/{paper.uid}/khung/moi/", SLOT)
    assert {late.status_code, later.status_code} == {409}
    assert "không sửa được nữa" in later.content.decode()
    wrong = web(minh).post(f"/giay-to/{paper.uid}/duyet/", {"sha256": "0" * 64})
    assert wrong.status_code == 409
    assert "Giấy tờ đã khác" in wrong.content.decode()
    assert paper.title in wrong.content.decode()


@pytest.mark.parametrize("clock", ["08:00+05:00", "24:00", "", "8 giờ tối"])
def test_a_clock_on_the_wall_has_no_zone(clock: str) -> None:
    with pytest.raises(InvalidError):
        paper_forms.read_clock(clock)


def test_hours_and_days_are_taken_as_people_write_them(
    web: Callable[[Officer], Client], lan: Officer, today: date
) -> None:
    paper = draft_rules(
        web(lan),
        today,
        begin="5 giờ 30",
        first=f"{today:%d%m%Y}",
        until=f"{today + 30 * DAY:%d/%m}",
    )
    [slot] = papers.body_of(paper).slots
    assert slot.begin == time(5, 30)
    assert slot.repeat.first == today
    assert f"UNTIL={today + 30 * DAY:%Y%m%d}" in slot.repeat.rule
    page = web(lan).get(f"/giay-to/{paper.uid}/khung/{slot.id}/").content.decode()
    assert 'value="05:30"' in page
    assert f'value="{today:%d/%m/%Y}"' in page


def test_what_could_not_be_read_stays_in_its_field_with_how_to_write_it(
    web: Callable[[Officer], Client], lan: Officer, today: date
) -> None:
    paper = draft_rules(web(lan), today)
    sent = SLOT | {"first": today.isoformat(), "begin": "5:30 PM"}
    answer = web(lan).post(f"/giay-to/{paper.uid}/khung/moi/", sent)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "17:30" in page
    assert 'value="5:30 PM"' in page

"""The pages of plans, as officers of both sides open them."""

from datetime import datetime, timedelta
from decimal import Decimal
from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nguon.indicators import actions as figures
from nguon.indicators import measures
from nguon.indicators.models import DayFact, FactDay
from nguon.people.models import Officer
from nguon.plan import actions, queries
from nguon.plan.models import ActionPlan, Assignment
from nguon.territory.models import Unit
from tests.plan.conftest import LINK

pytestmark = pytest.mark.django_db


def page(client: Client, officer: Officer, name: str, *args: object) -> str:
    client.force_login(officer)
    answer = client.get(reverse(f"plan:{name}", args=args))
    assert answer.status_code == HTTPStatus.OK, answer.content.decode()
    return answer.content.decode()


def test_an_empty_page_says_what_to_do_first(
    client: Client, quan: Officer, lan: Officer
) -> None:
    assert "Lập kế hoạch như văn bản đã ký" in page(client, quan, "plans")
    assert "Chưa có kế hoạch nào" in page(client, lan, "plans")


def test_a_plan_is_written_filled_and_sent_in_the_browser(
    client: Client, quan: Officer, province: Unit, ia_grai: Unit, dak_doa: Unit
) -> None:
    client.force_login(quan)
    words = {
        "title": "Kế hoạch năm 2026",
        "unit": province.uid,
        "first_date": "01/01/2026",
        "last_date": "31/12/2026",
        "aims": "Nhanh\nĐúng",
    }
    assert client.post(reverse("plan:create"), {**words, "last_date": ""}).status_code

    client.post(reverse("plan:create"), words)
    plan = ActionPlan.objects.get()
    task = {
        "title": "Thiết lập truyền thanh",
        "lead": "UBND xã",
        "product": "Hệ thống",
        "last_date": "31/12/2026",
        "given": "some",
        "units": [dak_doa.uid],
    }
    client.post(reverse("plan:add", args=[plan.uid, "nhiem-vu"]), task)
    client.post(
        reverse("plan:add", args=[plan.uid, "ngay-bao-cao"]),
        {"what": "Báo cáo năm", "before": "05/12/2026"},
    )
    client.post(reverse("plan:move_plan", args=[plan.uid, "gui"]))

    plan.refresh_from_db()
    assert plan.state == "sent"
    assert [row.unit for row in plan.assignments.all()] == [dak_doa]
    shown = page(client, quan, "plan", plan.uid)
    assert "05/12/2026" in shown
    assert "Đang thực hiện" in shown


def test_a_mistake_is_told_beside_what_was_typed(
    client: Client, quan: Officer, draft: ActionPlan, ia_grai: Unit
) -> None:
    client.force_login(quan)
    sent = {"title": "Việc", "lead": "", "product": "Có", "given": "every"}

    answer = client.post(reverse("plan:add", args=[draft.uid, "nhiem-vu"]), sent)

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "đơn vị chủ trì" in answer.content.decode()
    assert "Việc" in answer.content.decode()


def test_a_commune_reads_assigns_and_proves_on_a_phone(
    client: Client, given: Assignment, lan: Officer, quan: Officer
) -> None:
    assert "Việc của tôi và đơn vị tôi" in page(client, lan, "plans")

    client.post(reverse("plan:move", args=[given.uid, "nhan"]))
    client.post(reverse("plan:move", args=[given.uid, "giao"]), {"assigned_to": lan.pk})
    bare = client.post(
        reverse("plan:move", args=[given.uid, "xong"]), {"words": "Đã xong"}
    )
    client.post(
        reverse("plan:move", args=[given.uid, "xong"]),
        {"words": "Đã nghiệm thu 12 cụm", "link": LINK},
    )

    assert bare.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    shown = page(client, quan, "assignment", given.uid)
    assert "Đã nghiệm thu 12 cụm" in shown
    assert "Trả lại" in shown


def test_hoa_finds_nothing_of_lans_commune(
    client: Client, given: Assignment, hoa: Officer, lan: Officer
) -> None:
    assert page(client, lan, "assignment", given.uid)
    client.force_login(hoa)

    for address in (
        reverse("plan:assignment", args=[given.uid]),
        reverse("plan:photo", args=[given.uid, 1]),
    ):
        assert client.get(address).status_code == HTTPStatus.NOT_FOUND
    move = reverse("plan:move", args=[given.uid, "nhan"])
    assert client.post(move).status_code == HTTPStatus.NOT_FOUND
    listed = page(client, hoa, "assignments")
    assert "Ia Grai" not in listed.split("<main", 1)[1]


def test_lists_are_searched_filtered_and_given_as_files(
    client: Client, given: Assignment, quan: Officer, lan: Officer, now: datetime
) -> None:
    actions.mark_read(assignment_id=given.pk, by=lan, at=now)
    actions.tell(assignment_id=given.pk, words="=cmd|' /C calc'!A0", by=lan, at=now)
    client.force_login(quan)

    found = client.get(reverse("plan:assignments"), {"tim": "ia grai"}).content.decode()
    late = client.get(reverse("plan:assignments"), {"tinh_trang": "read"})
    file = client.get(reverse("plan:plan_file", args=[given.plan.uid])).content.decode()

    assert "Ia Grai" in found
    assert "Đak Đoa" not in found.split("<main", 1)[1]
    assert "Đak Đoa" not in late.content.decode().split("<main", 1)[1]
    assert "'=cmd" in file
    assert "23764" in file


def test_a_task_shows_what_was_counted_and_never_a_0_that_nobody_counted(
    client: Client, given: Assignment, lan: Officer, ia_grai: Unit
) -> None:
    day = given.plan.first_date
    assert "chưa đếm được" in page(client, lan, "assignment", given.uid)

    FactDay.objects.create(day=day, counted_at=given.plan.sent_at)
    DayFact.objects.create(
        place=ia_grai, unit=ia_grai, day=day, measure=measures.SOUNDED, number=1
    )

    assert "100,0 %" in page(client, lan, "assignment", given.uid)


def test_a_target_stands_beside_what_was_counted(
    client: Client,
    plan: ActionPlan,
    province: Unit,
    ia_grai: Unit,
    dak_doa: Unit,
    quan: Officer,
    now: datetime,
) -> None:
    day = timezone.localdate() - timedelta(days=1)
    year, to_come = day.year, day.year + 2
    told = {"at": now, "by": quan, "plan_id": plan.pk, "is_example": False}
    for unit, indicator, of, value in (
        (province, "bulletins", year, "8"),
        (ia_grai, "bulletins", year, "5"),
        (dak_doa, "bulletins", year, "4"),
        (dak_doa, "large_boards", year, "1"),
        (dak_doa, "bulletins", to_come, "9"),
    ):
        actions.set_target(
            unit=unit, indicator=indicator, year=of, value=Decimal(value), **told
        )
    address = reverse("plan:targets", args=[plan.uid])
    assert page(client, quan, "targets", plan.uid).count("chưa đếm<") == 3

    FactDay.objects.create(day=day, counted_at=now)
    for unit, number in ((ia_grai, 5), (dak_doa, 3)):
        DayFact.objects.create(
            day=day, unit=unit, place=unit, measure=measures.BULLETINS, number=number
        )
    figures.roll_figures(at=timezone.now())

    rows = client.get(address, headers={"accept": "application/json"}).json()
    assert [
        (row["unit"], row["indicator"], row["year"], row["counted"], row["reaches"])
        for row in rows["targets"]
    ] == [
        (province.code, "bulletins", year, 8.0, True),
        (ia_grai.code, "bulletins", year, 5.0, True),
        (dak_doa.code, "bulletins", year, 3.0, False),
        (dak_doa.code, "bulletins", to_come, None, None),
        (dak_doa.code, "large_boards", year, None, None),
    ]
    shown = page(client, quan, "targets", plan.uid)
    assert ": 3 tin<" in shown
    assert "chưa báo cáo" in shown
    assert "chưa tới năm này" in shown
    file = client.get(reverse("plan:targets_file", args=[plan.uid])).content.decode()
    assert "Đã có" in file
    assert ",3\r\n" in file


def test_a_draft_is_taken_away_at_the_second_look_and_what_was_sent_is_not(
    client: Client, draft: ActionPlan, quan: Officer, lan: Officer
) -> None:
    away = reverse("plan:remove_draft", args=[draft.uid])
    client.force_login(lan)
    assert client.post(away).status_code == HTTPStatus.NOT_FOUND
    assert "Bỏ bản thảo này" in page(client, quan, "plan", draft.uid)

    late = {"title": "Việc", "lead": "Xã", "product": "Có", "last_date": "01/01/2027"}
    answer = client.post(reverse("plan:add", args=[draft.uid, "nhiem-vu"]), late)
    client.post(away)

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "31/12/2026" in answer.content.decode()
    assert not ActionPlan.objects.exists()
    assert "Đã bỏ bản thảo" in page(client, quan, "plans")


def test_a_plan_that_was_sent_offers_no_removal(
    client: Client, plan: ActionPlan, quan: Officer
) -> None:
    assert "Bỏ bản thảo" not in page(client, quan, "plan", plan.uid)
    client.post(reverse("plan:remove_draft", args=[plan.uid]))
    assert ActionPlan.objects.filter(pk=plan.pk).exists()


def test_an_overdue_task_stands_on_the_first_page_of_its_own_commune(
    client: Client, given: Assignment, lan: Officer, quan: Officer, now: datetime
) -> None:
    address = reverse("plan:assignment", args=[given.uid])

    client.force_login(lan)
    shown = client.get(reverse("web:today")).content.decode()

    assert "Việc kế hoạch quá hạn" in shown
    assert address in shown
    client.force_login(quan)
    assert address not in client.get(reverse("web:today")).content.decode()
    assert given.task is not None
    assert given.task.last_date is not None
    for days, found in ((0, []), (1, [given])):
        day = given.task.last_date + timedelta(days=days)
        assert list(queries.list_overdue(lan, today=day, at=now)) == found

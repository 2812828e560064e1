"""What a visit found is answered by the unit and closed by who visited."""

from datetime import date, datetime, timedelta
from http import HTTPStatus

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from nguon.core.errors import AbsentError
from nguon.people.models import Notice, Officer
from nguon.plan import actions, rules, visit_queries
from nguon.plan.models import ActionPlan, Finding, FindingStep, Visit
from nguon.territory.models import Unit
from tests.plan.test_plans import refusal

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def visit(plan: ActionPlan, ia_grai: Unit, quan: Officer, now: datetime) -> Visit:
    return actions.record_visit(
        plan_id=plan.pk,
        unit=ia_grai,
        on_date=date(2026, 11, 20),
        team="Sở Văn hóa, Thể thao và Du lịch",
        words="Đài hoạt động, hai cụm im lặng",
        found=[
            ("Sửa cụm loa làng Jút", date(2026, 11, 23)),
            ("Ghi sổ nhật ký phát thanh", date(2026, 12, 10)),
        ],
        by=quan,
        at=now,
    )


def test_findings_come_late_first_and_the_unit_is_told(
    lan: Officer, visit: Visit, plan: ActionPlan, quan: Officer, now: datetime
) -> None:
    found = visit_queries.list_findings(plan, quan, {}, today=now.date(), at=now)

    assert [row.is_late for row in found] == [True, False]
    assert Notice.objects.filter(officer=lan, subject__startswith="Kiểm tra").exists()


def test_a_finding_is_answered_by_the_unit_and_closed_by_another(
    visit: Visit, lan: Officer, quan: Officer, now: datetime
) -> None:
    uid = visit.findings.order_by("last_date")[0].uid
    with refusal("plan.not_now"):
        actions.close_finding(uid=uid, words="Đạt", by=quan, at=now)

    actions.answer_finding(uid=uid, words="Đã thay củ loa", by=lan, at=now)
    with pytest.raises(AbsentError):
        actions.close_finding(uid=uid, words="Đạt", by=lan, at=now)
    actions.reopen_finding(uid=uid, reason="Cần ảnh", by=quan, at=now)
    actions.answer_finding(uid=uid, words="Đã gửi ảnh", by=quan, at=now)
    with refusal("plan.own_answer"):
        actions.close_finding(uid=uid, words="Đạt", by=quan, at=now)

    assert Finding.objects.get(uid=uid).state == rules.ANSWERED
    assert FindingStep.objects.count() == 3
    with pytest.raises(DatabaseError), transaction.atomic():
        FindingStep.objects.update(words="khác")


def test_a_visit_cannot_be_of_tomorrow_nor_of_who_has_no_part(
    plan: ActionPlan,
    province: Unit,
    ia_grai: Unit,
    quan: Officer,
    now: datetime,
) -> None:
    told = {"plan_id": plan.pk, "team": "Sở", "words": "Tốt", "by": quan, "at": now}
    today = now.date()

    with refusal("plan.visit_future"):
        actions.record_visit(**told, unit=ia_grai, on_date=today + DAY, found=[])
    with refusal("plan.visit_unit"):
        actions.record_visit(**told, unit=province, on_date=today, found=[])
    with refusal("plan.finding_date"):
        actions.record_visit(
            **told, unit=ia_grai, on_date=today, found=[("Sửa", today - DAY)]
        )
    assert not Visit.objects.exists()


def test_another_commune_neither_sees_nor_answers(
    client: Client, visit: Visit, hoa: Officer, lan: Officer, now: datetime
) -> None:
    address = reverse("plan:visit", args=[visit.uid])
    client.force_login(lan)
    assert client.get(address).status_code == HTTPStatus.OK
    client.force_login(hoa)

    assert client.get(address).status_code == HTTPStatus.NOT_FOUND
    with pytest.raises(AbsentError):
        actions.answer_finding(
            uid=visit.findings.all()[0].uid, words="Xong", by=hoa, at=now
        )


def test_a_visit_is_written_and_answered_in_the_browser(
    client: Client, plan: ActionPlan, ia_grai: Unit, quan: Officer, lan: Officer
) -> None:
    client.force_login(quan)
    sent = {
        "unit": ia_grai.uid,
        "on_date": "20/11/2026",
        "team": "Sở",
        "words": "Hai cụm im lặng",
        "found_2": "Sửa cụm loa làng Jút",
        "until_2": "",
    }
    post = reverse("plan:record_visit", args=[plan.uid])
    wrong = client.post(post, sent)
    client.post(post, {**sent, "until_2": "30/11/2026"})
    visit = Visit.objects.get()
    client.force_login(lan)
    move = reverse("plan:move_finding", args=[visit.uid, "tra-loi"])
    finding = visit.findings.get()
    client.post(move, {"finding": finding.uid, "words": "Đã sửa"})

    client.force_login(quan)
    shown = client.get(reverse("plan:visit", args=[visit.uid])).content.decode()
    listed = client.get(reverse("plan:visits", args=[plan.uid])).content.decode()
    file = client.get(reverse("plan:visits_file", args=[plan.uid])).content.decode()

    assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Sửa cụm loa làng Jút" in wrong.content.decode()
    assert "Đã sửa" in shown
    assert "Đơn vị đã trả lời" in listed
    assert "30/11/2026" in file

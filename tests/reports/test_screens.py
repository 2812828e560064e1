"""The pages of reports, as officers of both sides open them."""

import re
from datetime import datetime, timedelta
from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import reverse

from nguon.people.models import Officer
from nguon.reports import actions, queries, rules
from nguon.reports.models import Form, Period, Submission
from nguon.territory.models import Unit
from tests.reports.conftest import fill, send

pytestmark = pytest.mark.django_db


def page(client: Client, officer: Officer, name: str, *args: object) -> str:
    client.force_login(officer)
    answer = client.get(reverse(f"reports:{name}", args=args))
    assert answer.status_code == HTTPStatus.OK, answer.content.decode()
    return answer.content.decode()


def boxes(row: Submission, **told: str) -> dict[str, str]:
    """Return what a browser posts: every box of the page; `a1`, `b2`, `e1`, `w4`."""
    names = {"a": "above", "b": "below", "e": "explanation", "w": "words"}
    row.refresh_from_db()
    sent = {"revision": str(row.revision)}
    for field in row.period.form.fields.all():
        for short, name in names.items():
            sent[f"{name}_{field.pk}"] = told.get(f"{short}{field.number}", "")
    return sent


def test_an_empty_page_says_what_to_do_first(
    client: Client, quan: Officer, minh: Officer
) -> None:
    assert "Lập biểu mẫu trước" in page(client, quan, "periods")
    assert "Khi cấp trên mở kỳ báo cáo" in page(client, minh, "periods")
    assert "Bấm “Lập biểu mẫu”" in page(client, quan, "forms")


def test_a_form_is_written_and_a_period_opened_in_the_browser(
    client: Client, quan: Officer, province: Unit, ia_grai: Unit
) -> None:
    client.force_login(quan)
    client.post(
        reverse("reports:create_form"),
        {"title": "Báo cáo quý", "unit": province.uid, "level": "commune"},
    )
    form = Form.objects.get()
    add = reverse("reports:add_field", args=[form.uid])
    wrong = client.post(add, {"name": "Đài", "ratio": "count", "most": "12.5"})
    client.post(add, {"name": "Đài", "ratio": "count", "most": "12,5"})
    client.post(add, {"indicator": "villages_reached", "ratio": "text"})
    asked = {"kind": "quarter", "year": "2026", "number": "5", "due_days": "3"}
    over = client.post(reverse("reports:open", args=[form.uid]), asked)
    third = {**asked, "number": "3"}
    late = client.post(reverse("reports:open", args=[form.uid]), third)
    client.post(reverse("reports:open", args=[form.uid]), {**third, "sure": "1"})

    assert "mọi đơn vị muộn ngay" in late.content.decode()
    assert 'name="sure"' in late.content.decode()
    assert wrong.status_code == over.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "từ 1 đến 4" in over.content.decode()
    assert [field.ratio for field in form.fields.order_by("number")] == [
        "count", "share",
    ]  # fmt: skip
    period = Period.objects.get()
    assert "Quý III năm 2026" in page(client, quan, "period", period.uid)
    assert "Ia Grai" in page(client, quan, "period", period.uid)


def test_a_commune_fills_sends_is_returned_and_accepted_in_the_browser(
    client: Client, row: Submission, lan: Officer, minh: Officer, quan: Officer
) -> None:
    assert "Phải gửi" in page(client, lan, "periods")
    save = reverse("reports:save", args=[row.uid])
    wrong = client.post(save, boxes(row, a1="80", a2="6", b2="8"))
    client.post(save, boxes(row, a1="8", a2="6", b2="8", w4="=cmd|' /C calc'!A0"))

    client.force_login(minh)
    client.post(save, {**boxes(row, a1="8", a2="6", b2="8", w4="=cmd"), "send": "1"})
    assert "Chờ tôi duyệt" in page(client, quan, "periods")
    back = reverse("reports:move", args=[row.uid, "tra-lai"])
    bare = client.post(back, {"reason": ""})
    client.post(back, {"reason": "Ghi thêm bảng của xã cũ"})
    returned = page(client, lan, "submission", row.uid)
    client.force_login(minh)
    client.post(save, {**boxes(row, a1="9", a2="6", b2="9", w4="=cmd"), "send": "1"})
    client.force_login(quan)
    client.post(reverse("reports:move", args=[row.uid, "duyet"]), boxes(row))

    assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert (
        "Bảng tin điện tử cỡ lớn kết nối hệ thống tỉnh”: số phải từ 0 đến 50"
        in wrong.content.decode()
    )
    assert bare.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Ghi thêm bảng của xã cũ" in returned
    row.refresh_from_db()
    assert row.state == rules.ACCEPTED
    shown = page(client, lan, "submission", row.uid)
    assert "Báo cáo được khóa" in shown
    assert 'name="revision"' not in shown
    table = client.get(reverse("reports:table_file", args=[row.period.uid]))
    assert "66,67" in table.content.decode()
    assert "'=cmd" in table.content.decode()


def test_two_at_once_see_both_figures(
    client: Client, row: Submission, lan: Officer, minh: Officer, now: datetime
) -> None:
    stale = boxes(row, a1="9", a2="6", b2="9")
    fill(row, lan, now, f1=8, f2=(6, 8))
    client.force_login(minh)
    save = reverse("reports:save", args=[row.uid])

    answer = client.post(save, stale)

    shown = answer.content.decode()
    assert answer.status_code == HTTPStatus.CONFLICT
    assert "Nguyễn Thị Lan vừa lưu" in shown
    assert 'Đang lưu trên hệ thống: <b class="num">8 bảng</b>' in shown
    assert 'value="9"' in shown
    assert 'name="revision" value="1"' in shown
    row.refresh_from_db()
    assert row.answers.get(field__number=1).above == 8


def test_who_may_not_send_saves_nothing_by_sending(
    client: Client, row: Submission, lan: Officer
) -> None:
    client.force_login(lan)
    told = {**boxes(row, a1="8", a2="6", b2="8"), "send": "1"}

    answer = client.post(reverse("reports:save", args=[row.uid]), told)

    assert answer.status_code == HTTPStatus.FORBIDDEN
    row.refresh_from_db()
    assert row.revision == 0
    assert not row.answers.exists()


def test_what_cannot_be_sent_is_not_saved_by_sending(
    client: Client, row: Submission, minh: Officer
) -> None:
    client.force_login(minh)
    told = {**boxes(row, a1="8"), "send": "1"}

    answer = client.post(reverse("reports:save", args=[row.uid]), told)

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert 'value="8"' in answer.content.decode()
    row.refresh_from_db()
    assert row.revision == 0


def test_a_report_nobody_began_says_so_until_the_first_save(
    client: Client, row: Submission, lan: Officer, now: datetime
) -> None:
    before = page(client, lan, "submission", row.uid)
    fill(row, lan, now, f1=8)
    after = page(client, lan, "submission", row.uid)
    address = reverse("reports:period", args=[row.period.uid])
    begun = client.get(address, {"tinh_trang": "draft"}).content.decode()
    untouched = client.get(address, {"tinh_trang": "untouched"}).content.decode()

    assert "Chưa điền" in before
    assert "Đang điền" in after
    assert "Ia Grai" in begun.split("<main", 1)[1]
    assert "Ia Grai" not in untouched.split("<main", 1)[1]


def test_what_is_typed_wrong_stays_in_its_box(
    client: Client, row: Submission, lan: Officer
) -> None:
    client.force_login(lan)

    answer = client.post(
        reverse("reports:save", args=[row.uid]), boxes(row, a1="tám", e1="Ghi chú")
    )

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert 'value="tám"' in answer.content.decode()
    assert 'value="Ghi chú"' in answer.content.decode()


@pytest.mark.parametrize(
    ("box", "text", "said"),
    [
        ("a1", "abc", "“abc” không phải số"),
        ("a1", "-3", "số không được dưới 0 (đã ghi -3)"),
        ("a1", "51", "số phải từ 0 đến 50"),
        ("a1", "1,5", "nên phải là số nguyên"),
        ("b2", "x", "“x” không phải số"),
    ],
)
def test_a_wrong_box_is_named_marked_and_the_reason_of_the_return_stays(
    client: Client,
    row: Submission,
    lan: Officer,
    minh: Officer,
    quan: Officer,
    now: datetime,
    box: str,
    text: str,
    said: str,
) -> None:
    fill(row, lan, now, f1=8, f2=(6, 8))
    send(row, minh, now)
    actions.send_back(submission_id=row.pk, reason="Đếm lại", by=quan, at=now)
    client.force_login(lan)
    told = {"a1": "8", "a2": "6", "b2": "8", box: text}

    answer = client.post(reverse("reports:save", args=[row.uid]), boxes(row, **told))

    shown = answer.content.decode()
    field = row.period.form.fields.get(number=int(box[1]))
    part = {"a": "above", "b": "below"}[box[0]]
    (marked,) = re.findall(r'id="(\w+)"[^>]*aria-invalid="true"', shown)
    assert marked == f"{part}_{field.pk}"
    assert f'id="wrong_{field.pk}"' in shown
    assert shown.count(said) == 2
    assert f"“{field.name}”" in shown
    assert "Đếm lại" in shown


def test_what_is_not_counted_says_so_and_not_0(
    client: Client, row: Submission, lan: Officer
) -> None:
    assert "chưa đếm được" in page(client, lan, "submission", row.uid)
    assert "tu=01/10/2026&amp;den=31/10/2026" in page(
        client, lan, "submission", row.uid
    )


def test_hoa_finds_nothing_of_lans_commune(
    client: Client, row: Submission, hoa: Officer, lan: Officer
) -> None:
    assert page(client, lan, "submission", row.uid)
    client.force_login(hoa)

    assert (
        client.get(reverse("reports:submission", args=[row.uid])).status_code
        == HTTPStatus.NOT_FOUND
    )
    for address in (
        reverse("reports:save", args=[row.uid]),
        reverse("reports:move", args=[row.uid, "duyet"]),
        reverse("reports:move", args=[row.uid, "mo-khoa"]),
    ):
        posted = client.post(address, boxes(row, a1="1"))
        assert posted.status_code == HTTPStatus.NOT_FOUND
    for name in ("period", "period_file", "table", "table_file"):
        shown = page(client, hoa, name, row.period.uid).split("<main", 1)[-1]
        assert "Ia Grai" not in shown


def test_lists_are_searched_filtered_and_given_as_files(
    client: Client,
    row: Submission,
    other: Submission,
    lan: Officer,
    minh: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    fill(row, lan, now, f1=8, f2=(6, 8))
    send(row, minh, now)
    client.force_login(quan)
    address = reverse("reports:period", args=[row.period.uid])

    found = client.get(address, {"tim": "ia grai"}).content.decode()
    waiting = client.get(address, {"tinh_trang": "waiting"}).content.decode()
    none = client.get(reverse("reports:periods"), {"tim": "không có"})
    file = client.get(reverse("reports:period_file", args=[row.period.uid]))
    periods = client.get(reverse("reports:periods_file")).content.decode()
    forms = client.get(reverse("reports:forms_file")).content.decode()

    assert "Đak Đoa" not in found.split("<main", 1)[1]
    assert "Ia Grai" not in waiting.split("<main", 1)[1]
    assert "Không có kỳ nào như vậy" in none.content.decode()
    assert '23764,Xã Ia Grai,"Đã gửi, chờ duyệt",gửi muộn' in file.content.decode()
    assert "Tháng 10 năm 2026" in periods
    assert "Báo cáo thông tin cơ sở" in forms


def test_a_program_reads_and_writes_the_same_facts(
    client: Client, row: Submission, lan: Officer
) -> None:
    client.force_login(lan)
    asks = {"accept": "application/json"}
    save = reverse("reports:save", args=[row.uid])

    saved = client.post(save, boxes(row, a1="8"), headers=asks)
    again = client.post(save, {**boxes(row), "revision": "0"}, headers=asks)
    told = client.get(reverse("reports:submission", args=[row.uid]), headers=asks)

    assert saved.json()["revision"] == 1
    assert again.status_code == HTTPStatus.CONFLICT
    assert told.json()["answers"][0]["value"] == "8.00"


def test_a_day_that_is_too_far_is_told_not_broken(
    client: Client, quan: Officer, form: Form
) -> None:
    client.force_login(quan)
    day = "31/12/9999"
    asked = {"kind": "range", "first_date": day, "last_date": day, "due_days": "3"}
    answer = client.post(reverse("reports:open", args=[form.uid]), asked)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "năm quá xa" in answer.content.decode()


# --- the first page -----------------------------------------------------------------

OWED = "Báo cáo bị trả lại, quá hạn"


def test_a_returned_report_stands_on_the_first_page_of_its_own_commune(
    client: Client,
    row: Submission,
    lan: Officer,
    minh: Officer,
    hoa: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    def first_page(officer: Officer) -> str:
        client.force_login(officer)
        return client.get(reverse("web:today")).content.decode()

    fill(row, lan, now, f1=8, f2=(6, 8), f3=1000)
    send(row, minh, now)
    address = reverse("reports:submission", args=[row.uid])
    assert address not in first_page(lan), "sent, nothing is owed"
    row.refresh_from_db()
    actions.send_back(submission_id=row.pk, reason="Sai số bảng", by=quan, at=now)

    shown = first_page(lan)

    assert OWED in shown
    assert address in shown
    for other in (hoa, quan):
        assert address not in first_page(other)


def test_a_report_is_owed_from_the_day_after_its_due_day(
    row: Submission, lan: Officer, quan: Officer, now: datetime
) -> None:
    due = row.period.due_date

    for day, found in ((due, []), (due + timedelta(days=1), [row])):
        assert list(queries.list_pressing(lan, today=day, at=now)) == found
    later = due + timedelta(days=1)
    assert row not in queries.list_pressing(quan, today=later, at=now)

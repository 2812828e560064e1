"""An officer's own pages, and the pages with which administrators manage others."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from nguon.audit.models import Record
from nguon.core.errors import ConflictError, InvalidError
from nguon.people import access, actions, queries
from nguon.people.models import Absence, Deputy, Officer, Role
from nguon.territory.models import Unit
from tests.conftest import make_officer

HTMX = {"HTTP_HX_REQUEST": "true"}


def local(moment: datetime) -> str:
    """Write a moment as a `datetime-local` field sends it."""
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M")


@pytest.fixture
def chief(ia_grai: Unit) -> Officer:
    """Administers Lan's commune and nothing else."""
    return make_officer("binh", "Siu Bình", (ia_grai, "administrator"))


def test_notices_are_marked_read_by_a_button_not_by_looking(
    client: Client, minh: Officer, now: datetime
) -> None:
    actions.notify(officers=[minh], subject="Chờ duyệt", body="x", url="/", at=now)
    client.force_login(minh)

    page = client.get("/thong-bao/").content.decode()
    looked = queries.count_unread(minh)
    client.post("/thong-bao/da-doc/")

    assert "Chờ duyệt" in page
    assert looked == 1
    assert queries.count_unread(minh) == 0


def test_the_oldest_notice_is_found_and_what_is_unread_stands_first(
    client: Client, minh: Officer, now: datetime
) -> None:
    for number in range(60):
        at = now + timedelta(minutes=number)
        subject = f"Việc số {number}."
        actions.notify(officers=[minh], subject=subject, body="x", url="/", at=at)
    actions.mark_read(officer=minh, at=at)
    actions.notify(officers=[minh], subject="Việc mới.", body="x", url="/", at=now)
    client.force_login(minh)

    first = client.get("/thong-bao/").content.decode()
    second = client.get("/thong-bao/?trang=2").content.decode()

    assert first.index("Việc mới.") < first.index("Việc số 59.")
    assert "Việc số 0." not in first
    assert "Việc số 0." in second


def test_the_same_notice_many_times_a_day_is_one_line_and_an_urgent_one_its_own(
    client: Client, minh: Officer, now: datetime
) -> None:
    def tell(subject: str, body: str, at: datetime, *, urgent: bool = False) -> None:
        actions.notify(
            officers=[minh], subject=subject, body=body, url="/", urgent=urgent, at=at
        )

    for number in range(3):
        tell("Báo cáo đã duyệt", f"Xã {number}", now + timedelta(minutes=number))
    tell("Báo cáo đã duyệt", "Hôm sau", now + timedelta(days=1))
    for number in range(2):
        tell("Loa im", f"Cụm {number}", now, urgent=True)

    lines = queries.open_lines(minh, queries.list_notices(minh))
    client.force_login(minh)
    shown = client.get("/thong-bao/").content.decode()

    told = [[one.body for one in line] for line in lines]
    many = ["Xã 2", "Xã 1", "Xã 0"]
    assert told == [["Hôm sau"], many, ["Cụm 1"], ["Cụm 0"]]
    assert shown.count("<details><summary") == 1
    assert "3 thông báo trong ngày" in shown
    for body in ("Hôm sau", *many, "Cụm 0", "Cụm 1"):
        assert body in shown


def test_minh_says_that_he_is_away_and_that_he_is_back(
    client: Client, minh: Officer, quan: Officer, ia_grai: Unit
) -> None:
    client.force_login(minh)
    start = timezone.now()
    period = {
        "from_at": local(start - timedelta(minutes=1)),
        "to_at": local(start + timedelta(days=2)),
    }

    client.post("/tai-khoan/vang-mat/", period)
    page = client.get("/tai-khoan/").content.decode()
    away = queries.list_approvers(ia_grai, at=timezone.now())
    absence = Absence.objects.get(officer=minh)
    client.post(f"/vang-mat/{absence.pk}/ket-thuc/")

    assert "Đang vắng" in page
    assert away == [quan]
    assert queries.list_approvers(ia_grai, at=timezone.now()) == [minh]


def test_minh_names_a_deputy_who_learns_it_and_may_step_back(
    client: Client, minh: Officer, tung: Officer, ia_grai: Unit
) -> None:
    role = Role.objects.get(officer=minh)
    client.force_login(minh)
    start = timezone.now()
    form = {
        "username": "tung",
        "from_at": local(start - timedelta(minutes=1)),
        "to_at": local(start + timedelta(days=2)),
    }

    client.post(f"/vai-tro/{role.pk}/nguoi-thay/", form)
    stands_in = access.can(tung, "approver", unit=ia_grai, at=timezone.now())
    client.force_login(tung)
    page = client.get("/tai-khoan/").content.decode()
    client.post(f"/nguoi-thay/{Deputy.objects.get().pk}/ket-thuc/")

    assert stands_in
    assert "Thay Trần Văn Minh" in page
    assert queries.count_unread(tung) == 1
    assert not access.can(tung, "approver", unit=ia_grai, at=timezone.now())


def test_a_period_is_typed_as_days_and_clocks(client: Client, minh: Officer) -> None:
    client.force_login(minh)
    start, end = timezone.localtime(), timezone.localtime() + timedelta(days=2)
    period = {
        "from_day": f"{start:%d/%m/%Y}",
        "from_clock": f"{start:%Hh%M}",
        "to_day": f"{end:%d%m%Y}",
        "to_clock": "0530",
    }

    client.post("/tai-khoan/vang-mat/", period)

    absence = Absence.objects.get(officer=minh)
    assert absence.from_at == start.replace(second=0, microsecond=0)
    assert absence.to_at == end.replace(hour=5, minute=30, second=0, microsecond=0)


def test_an_unreadable_moment_is_a_sentence_and_changes_nothing(
    client: Client, minh: Officer
) -> None:
    client.force_login(minh)

    answer = client.post("/tai-khoan/vang-mat/", {"from_at": "mai", "to_at": ""})

    assert answer.status_code == 422
    assert "Hãy ghi ngày như 22/11/2026" in answer.content.decode()
    assert not Absence.objects.exists()


def test_an_administrator_adds_an_officer_with_a_role(
    client: Client, chief: Officer, ia_grai: Unit, dak_doa: Unit
) -> None:
    client.force_login(chief)
    form = {
        "full_name": "Ksor H'Blâm",
        "username": "hblam",
        "password": "suoi-mo-ban-lang",
        "phone": "0905 123 456",
        "unit": ia_grai.uid,
        "kind": "author",
    }

    assert client.get("/can-bo/moi/").status_code == 200
    foreign = client.post("/can-bo/them/", {**form, "unit": dak_doa.uid}, **HTMX)
    weak = client.post("/can-bo/them/", {**form, "password": "1234567890"}, **HTMX)
    nobody = Officer.objects.filter(username="hblam").exists()
    added = client.post("/can-bo/them/", form)

    assert (foreign.status_code, weak.status_code) == (404, 422)
    assert "Mật khẩu dễ đoán" in weak.content.decode()
    assert not nobody
    assert added.status_code == 302
    page = client.get(added["Location"]).content.decode()
    assert "Ksor H&#x27;Blâm" in page
    assert "Người soạn" in page
    assert client.get("/can-bo/", {"q": "blam"}).content.decode().count("a class") > 0


def test_lan_may_look_up_colleagues_but_change_nothing(
    client: Client, lan: Officer, minh: Officer, hoa: Officer
) -> None:
    client.force_login(lan)

    page = client.get("/can-bo/").content.decode()

    assert "Trần Văn Minh" in page
    assert "Lê Thị Hoa" not in page
    assert client.get("/can-bo/moi/").status_code == 403
    assert client.get(f"/can-bo/{minh.pk}/").status_code == 404
    lock = client.post(f"/can-bo/{minh.pk}/khoa/", {"state": "locked"})
    assert lock.status_code == 404
    role = Role.objects.get(officer=minh)
    assert client.post(f"/vai-tro/{role.pk}/ket-thuc/").status_code == 403
    role.refresh_from_db()
    assert role.valid_to is None


def test_a_commune_cannot_take_over_an_account_of_the_province(
    client: Client, chief: Officer, quan: Officer, lan: Officer, now: datetime
) -> None:
    client.force_login(chief)
    ia_grai = Role.objects.get(officer=lan).unit
    actions.grant_role(officer=quan, unit=ia_grai, kind="viewer", by=chief, at=now)
    new = {"password": "cao-nguyen-xanh"}

    theirs = client.post(f"/can-bo/{quan.pk}/mat-khau/", new)
    own = client.post(f"/can-bo/{lan.pk}/mat-khau/", new)
    himself = client.post(f"/can-bo/{chief.pk}/mat-khau/", new)

    assert theirs.status_code == 403
    assert own.status_code == 302
    assert himself.status_code == 422
    lan.refresh_from_db()
    assert lan.check_password("cao-nguyen-xanh")
    assert "chỉ quản trị cấp trên" in client.get(f"/can-bo/{quan.pk}/").content.decode()


def test_a_locked_account_is_out_at_once_and_may_be_opened_again(
    client: Client, chief: Officer, lan: Officer
) -> None:
    lans_phone = Client()
    lans_phone.force_login(lan)
    client.force_login(chief)
    before = lans_phone.get("/tai-khoan/").status_code

    client.post(f"/can-bo/{lan.pk}/khoa/", {"state": "locked"})
    locked = lans_phone.get("/tai-khoan/").status_code
    twice = client.post(f"/can-bo/{lan.pk}/khoa/", {"state": "locked"}).status_code
    client.post(f"/can-bo/{lan.pk}/khoa/", {"state": "open"})

    assert (before, locked, twice) == (200, 302, 409)
    lan.refresh_from_db()
    assert lan.is_active
    said = Record.objects.filter(action__startswith="people.officer.").order_by("pk")
    assert [row.action for row in said][-2:] == [
        "people.officer.locked",
        "people.officer.unlocked",
    ]


def test_nobody_gives_themselves_a_role(chief: Officer, now: datetime) -> None:
    unit = Role.objects.get(officer=chief).unit

    with pytest.raises(InvalidError, match="own_role"):
        actions.grant_role(officer=chief, unit=unit, kind="approver", by=chief, at=now)


def test_the_same_role_is_not_given_twice_and_may_be_ended_at_once(
    chief: Officer, lan: Officer, ia_grai: Unit, now: datetime
) -> None:
    with pytest.raises(ConflictError, match="role_held"):
        actions.grant_role(officer=lan, unit=ia_grai, kind="author", by=chief, at=now)

    actions.end_role(role_id=Role.objects.get(officer=lan).pk, by=chief, at=now)

    assert not access.can(
        lan, "author", unit=ia_grai, at=now + timedelta(microseconds=1)
    )


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("/can-bo/them/", "full_name"),
        ("/can-bo/giao-vai-tro/", "unit"),
        ("/tai-khoan/lien-lac/", "phone"),
        ("/tai-khoan/vang-mat/", "from_at"),
    ],
)
def test_a_control_character_is_a_sentence_on_both_databases(
    client: Client, chief: Officer, address: str, field: str
) -> None:
    client.force_login(chief)

    answer = client.post(address, {field: "a\0b"})

    assert answer.status_code == 422
    assert "không đọc được" in answer.content.decode()


def test_searching_for_anything_is_safe(client: Client, chief: Officer) -> None:
    client.force_login(chief)

    for text in ("\0", "%", "'", "\\", "💧", "a" * 500):
        assert client.get("/can-bo/", {"q": text}).status_code == 200
        assert client.get("/dia-ban/", {"q": text}).status_code == 200

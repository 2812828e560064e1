"""Officers sign in with a name and a password, and if they want with a code."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from django.test import Client
from pytest_django import Settings

from nguon.audit.models import Record
from nguon.people.models import Officer
from tests.conftest import PASSWORD

SIGN_IN = "/dang-nhap/"


def sign_in(client: Client, username: str, password: str = PASSWORD) -> int:
    """Send the sign-in form; return the status."""
    form = {"login": username, "password": password}
    return client.post(SIGN_IN, form).status_code


def test_lan_signs_in_and_a_wrong_password_does_not(
    client: Client, lan: Officer
) -> None:
    assert sign_in(client, "lan", "sai-mat-khau") == 200
    assert client.get("/tai-khoan/").status_code == 302

    assert sign_in(client, "LAN") == 302
    page = client.get("/tai-khoan/")

    assert page.status_code == 200
    assert lan.full_name in page.content.decode()
    actions = list(Record.objects.values_list("action", flat=True).order_by("pk"))
    assert actions[-2:] == ["people.sign_in_failed", "people.signed_in"]


def test_a_locked_officer_does_not_get_in(client: Client, lan: Officer) -> None:
    Officer.objects.filter(pk=lan.pk).update(is_active=False)

    sign_in(client, "lan")

    assert client.get("/tai-khoan/").status_code == 302


def test_guessing_is_stopped_for_one_name_and_not_for_another(
    client: Client, lan: Officer, minh: Officer
) -> None:
    for _ in range(8):
        sign_in(client, "lan", "doan-bua")

    assert sign_in(client, "lan") == 200
    assert (
        "Gõ sai quá nhiều lần"
        in client.post(SIGN_IN, {"login": "lan", "password": PASSWORD}).content.decode()
    )
    assert sign_in(client, "minh") == 302


def test_button_pressed_after_the_session_ended_is_told_not_done(
    client: Client, db: None
) -> None:
    """Nobody may believe that a stop was ordered when it was not."""
    page = client.post("/dung-phat/", {"minutes": 30}, follow=True)

    assert "CHƯA được làm" in page.content.decode()
    assert "CHƯA được làm" not in client.get("/", follow=True).content.decode()


@pytest.mark.parametrize(
    "address",
    [
        "/accounts/signup/",
        "/dang-ky/",
        "/accounts/password/reset/",
        "/accounts/email/",
        "/accounts/login/code/",
    ],
)
def test_no_other_page_of_allauth_is_open(
    client: Client, db: None, address: str
) -> None:
    assert client.get(address).status_code == 404


def test_signing_out_asks_first_and_then_closes(client: Client, lan: Officer) -> None:
    client.force_login(lan)

    assert "Đăng xuất?" in client.get("/dang-xuat/").content.decode()
    client.post("/dang-xuat/")

    assert client.get("/tai-khoan/").status_code == 302


def test_changing_ones_password_needs_the_old_one(client: Client, lan: Officer) -> None:
    sign_in(client, "lan")
    new = {"password1": "bo-cong-anh-87", "password2": "bo-cong-anh-87"}

    wrong = client.post("/tai-khoan/mat-khau/", {**new, "oldpassword": "khong"})
    right = client.post("/tai-khoan/mat-khau/", {**new, "oldpassword": PASSWORD})

    assert "chưa đúng" in wrong.content.decode()
    assert right.status_code == 302
    lan.refresh_from_db()
    assert lan.check_password("bo-cong-anh-87")


def test_a_second_factor_is_offered_and_then_asked_for(
    client: Client, lan: Officer, settings: Settings
) -> None:
    settings.MFA_TOTP_TOLERANCE = 1
    sign_in(client, "lan")
    assert "Đang tắt" in client.get("/tai-khoan/hai-lop/").content.decode()
    asked = client.get("/tai-khoan/hai-lop/bat/")
    again = client.post(asked["Location"], {"password": PASSWORD})
    page = client.get(again["Location"]).content.decode()
    secret = re.search(r'class="mono">([A-Z2-7]+)<', page)
    assert secret, page

    turned_on = client.post("/tai-khoan/hai-lop/bat/", {"code": code_of(secret[1])})
    codes = client.get(turned_on["Location"])
    client.post("/dang-xuat/")
    client.post(SIGN_IN, {"login": "lan", "password": PASSWORD})
    half_way = client.get("/tai-khoan/").status_code
    wrong = client.post("/dang-nhap/ma/", {"code": "000000"})
    recovery = re.findall(r'class="row">(\d+)<', codes.content.decode())
    client.post("/dang-nhap/ma/", {"code": recovery[0]})

    assert half_way == 302
    assert "Mã không đúng" in wrong.content.decode()
    assert client.get("/tai-khoan/").status_code == 200
    assert len(recovery) == 10
    assert Authenticator.objects.filter(user=lan, type="totp").exists()
    assert client.get("/tai-khoan/hai-lop/tat/").status_code in {200, 302}


def code_of(secret: str) -> str:
    """Return what the phone shows now."""
    counter = next(iter(auth.yield_hotp_counters_from_time()))
    return auth.format_hotp_value(auth.hotp_value(secret, counter))

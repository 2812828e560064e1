"""Addresses of people, and the few pages of allauth that are open here."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from django.urls import include, path

from nguon.people import ground_views, receiver_views, views

screens = [
    path("thong-bao/", views.show_notices, name="notices"),
    path("thong-bao/da-doc/", views.read_notices, name="read_notices"),
    path("tai-khoan/", views.show_account, name="account"),
    path("tai-khoan/lien-lac/", views.change_my_contact, name="my_contact"),
    path("tai-khoan/vang-mat/", views.announce_my_absence, name="my_absence"),
    path("tai-khoan/bao/", receiver_views.show_receivers, name="receivers"),
    path("tai-khoan/bao/them/", receiver_views.add_receiver, name="add_receiver"),
    path(
        "tai-khoan/bao/<int:receiver_id>/thu/",
        receiver_views.try_receiver,
        name="try_receiver",
    ),
    path(
        "tai-khoan/bao/<int:receiver_id>/bo/",
        receiver_views.remove_receiver,
        name="remove_receiver",
    ),
    path("bao.js", receiver_views.service_worker, name="service_worker"),
    path("nguon.webmanifest", receiver_views.manifest, name="manifest"),
    path("vang-mat/<int:absence_id>/ket-thuc/", views.end_absence, name="end_absence"),
    path("can-bo/", views.list_officers, name="officers"),
    path("can-bo/moi/", views.new_officer, name="new_officer"),
    path("can-bo/them/", views.register_officer, name="register_officer"),
    path("can-bo/giao-vai-tro/", views.grant_role, name="grant_role"),
    path("can-bo/<int:officer_id>/", views.show_officer, name="officer"),
    path("can-bo/<int:officer_id>/mat-khau/", views.reset_password, name="password"),
    path("can-bo/<int:officer_id>/khoa/", views.switch_officer, name="switch"),
    path("can-bo/<int:officer_id>/lien-lac/", views.change_contact, name="contact"),
    path("can-bo/<int:officer_id>/vang-mat/", views.announce_absence, name="absence"),
    path("vai-tro/<int:role_id>/ket-thuc/", views.end_role, name="end_role"),
    path("vai-tro/<int:role_id>/nguoi-thay/", views.name_deputy, name="name_deputy"),
    path("nguoi-thay/<int:deputy_id>/ket-thuc/", views.end_deputy, name="end_deputy"),
]

ground = [
    path("dia-ban/", ground_views.list_units, name="units"),
    path("dia-ban/nhap-thon/", ground_views.ask_villages, name="ask_villages"),
    path("dia-ban/nhap-thon/mau.csv", ground_views.sample_villages, name="sample"),
    path("dia-ban/nhap-thon/xem/", ground_views.preview_villages, name="preview"),
    path("dia-ban/nhap-thon/nhap/", ground_views.import_villages, name="import"),
    path("dia-ban/<slug:uid>/", ground_views.show_unit, name="unit"),
]

# Names are allauth's own: it asks for them. No sign-up, no reset by letter.
sign_in = [
    path("dang-nhap/", account.login, name="account_login"),
    path("dang-nhap/ma/", mfa.authenticate, name="mfa_authenticate"),
    path("dang-nhap/da-khoa/", account.account_inactive, name="account_inactive"),
    path("dang-xuat/", account.logout, name="account_logout"),
    path("xac-nhan/", account.reauthenticate, name="account_reauthenticate"),
    path("xac-nhan/ma/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path(
        "tai-khoan/mat-khau/", account.password_change, name="account_change_password"
    ),
    path("tai-khoan/hai-lop/", mfa.index, name="mfa_index"),
    path("tai-khoan/hai-lop/bat/", totp.activate_totp, name="mfa_activate_totp"),
    path("tai-khoan/hai-lop/tat/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path(
        "tai-khoan/hai-lop/ma-du-phong/",
        recovery.view_recovery_codes,
        name="mfa_view_recovery_codes",
    ),
    path(
        "tai-khoan/hai-lop/ma-du-phong/moi/",
        recovery.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
    path(
        "tai-khoan/hai-lop/ma-du-phong/tai-ve/",
        recovery.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
]

urlpatterns = [
    path("", include((screens, "people"))),
    path("", include((ground, "territory"))),
    *sign_in,
]

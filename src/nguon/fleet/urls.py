"""Addresses of the fleet's screens, under /thiet-bi/."""

from django.urls import path, re_path

from nguon.fleet.views import (
    commands,
    devices,
    incidents,
    installing,
    maps,
    orders,
    register,
)

app_name = "fleet"
urlpatterns = [
    path("", devices.index, name="devices"),
    path("xuat.csv", devices.export, name="devices_file"),
    path("cho-duyet/", devices.waiting, name="waiting"),
    path("ma-ghi-danh/", devices.claims, name="claims"),
    path("ma-ghi-danh/in/", devices.print_claims, name="print_claims"),
    path("bo-loc/", devices.keep_view, name="keep_view"),
    path("ban-do/", maps.show, name="map"),
    path("su-co/", incidents.index, name="incidents"),
    path("su-co/xuat.csv", incidents.export, name="incidents_file"),
    path("su-co/<slug:uid>/", incidents.show, name="incident"),
    path("sua-chua/", orders.index, name="orders"),
    path("sua-chua/xuat.csv", orders.export, name="orders_file"),
    path("sua-chua/<slug:uid>/", orders.show, name="order"),
    re_path(
        r"^sua-chua/(?P<uid>[a-z2-7]{12})/(?P<verb>bat-dau|xong|giao|bo)/$",
        orders.move,
        name="move_order",
    ),
    path("sua-chua/<slug:uid>/anh/", orders.add_photo, name="add_photo"),
    path("sua-chua/<slug:uid>/anh/<int:photo_id>.jpg", orders.photo, name="photo"),
    path("lenh/", commands.index, name="batches"),
    path("lenh/moi/", commands.create, name="command"),
    path("lenh/<slug:uid>/", commands.show, name="batch"),
    path("lenh/<slug:uid>/xuat.csv", commands.export, name="batch_file"),
    path("lenh/<slug:uid>/dung/", commands.cancel, name="cancel_batch"),
    path("<slug:uid>/nhat-ky/<int:command_id>/", commands.log, name="log"),
    path("bao-hong/", orders.reports, name="reports"),
    path("bao-hong/xuat.csv", orders.export_reports, name="reports_file"),
    path("lap-dat/", installing.index, name="installs"),
    path("lap-dat/xuat.csv", installing.export, name="installs_file"),
    path("lap-dat/<slug:uid>/", installing.protocol, name="protocol"),
    path(
        "lap-dat/<slug:uid>/anh/<int:photo_id>.jpg",
        installing.photo,
        name="installation_photo",
    ),
    path("ngoai-tuyen.js", installing.worker, name="offline_worker"),
    path("<slug:uid>/lap-dat/", installing.install, name="install"),
    path("<slug:uid>/lap-dat/thu/", installing.tone, name="install_tone"),
    path("<slug:uid>/lap-dat/tinh-hinh/", installing.look, name="install_look"),
    path("ho-so/", register.index, name="register"),
    path("ho-so/tai-ve/", register.export, name="register_file"),
    path("nhan/", register.labels, name="labels"),
    path("<slug:uid>/ho-so/", register.edit, name="paper"),
    path("<slug:uid>/phieu-sua/", orders.create, name="create_order"),
    path("<slug:uid>/", devices.show, name="device"),
    re_path(
        r"^(?P<uid>[a-z2-7]{12})/(?P<verb>duyet|tu-choi|thu-hoi|thu)/$",
        devices.decide,
        name="decide",
    ),
]

"""Addresses of the fleet's screens, under /thiet-bi/."""

from django.urls import path, re_path

from nguon.fleet.views import (
    commands,
    devices,
    incidents,
    maps,
    orders,
    register,
    updates,
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
    path("cap-nhat/", updates.index, name="updates"),
    path("cap-nhat/moi/", updates.upload, name="upload_release"),
    path("cap-nhat/ban/<slug:uid>/", updates.release, name="release"),
    path("cap-nhat/ban/<slug:uid>/duyet/", updates.approve, name="approve_release"),
    path("cap-nhat/ban/<slug:uid>/dua-ra/", updates.start, name="start_rollout"),
    path("cap-nhat/dot/<slug:uid>/", updates.show, name="rollout"),
    path("cap-nhat/dot/<slug:uid>/xuat.csv", updates.export, name="rollout_file"),
    re_path(
        r"^cap-nhat/dot/(?P<uid>[a-z2-7]{12})/(?P<verb>tam-dung|chay-tiep|thoi|ve-ban-cu)/$",
        updates.move,
        name="move_rollout",
    ),
    path("<slug:uid>/nhat-ky/<int:command_id>/", commands.log, name="log"),
    path("bao-hong/", orders.reports, name="reports"),
    path("bao-hong/xuat.csv", orders.export_reports, name="reports_file"),
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

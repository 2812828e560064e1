"""Addresses of the schedule, at the root: bulletins, approvals, live, play log."""

from django.urls import path

from nguon.schedule.views import approvals, bulletins, device_day, live, place, plays

app_name = "schedule"
urlpatterns = [
    path("ban-tin/", bulletins.index, name="bulletins"),
    path("ban-tin/xuat.csv", bulletins.export, name="bulletins_file"),
    path("ban-tin/<slug:uid>/", bulletins.show, name="bulletin"),
    path("ban-tin/<slug:uid>/phat/", place.place, name="place"),
    path("ban-tin/<slug:uid>/tam-phat/", place.reach, name="reach"),
    path("ban-tin/<slug:uid>/tim-noi/", place.search, name="search_places"),
    path("cho-duyet/", approvals.index, name="approvals"),
    path("duyet/<slug:uid>/", approvals.show, name="approval"),
    path("duyet/<slug:uid>/phat/", approvals.release, name="release"),
    path("duyet/<slug:uid>/tra-lai/", approvals.send_back, name="return"),
    path("phat/ban-do.svg", live.map_drawing, name="map"),
    path("phat/<slug:uid>/", live.show, name="live"),
    path("phat/<slug:uid>/so-lieu/", live.figures, name="figures"),
    path("phat/<slug:uid>/huy/", live.cancel, name="cancel"),
    path("thiet-bi/<slug:uid>/ngay/", device_day.tomorrow, name="device_tomorrow"),
    path("thiet-bi/<slug:uid>/ngay/<str:day>/", device_day.show, name="device_day"),
    path("nhat-ky/", plays.index, name="plays"),
    path("nhat-ky/xuat.csv", plays.export, name="plays_file"),
]

"""Addresses of the schedule, at the root: bulletins, approvals, live, play log."""

from django.urls import path

from nguon.schedule.views import (
    approvals,
    bulletins,
    live,
    place,
    plays,
    sources,
    speaking,
)

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
    path("noi-truc-tiep/", speaking.index, name="speaking"),
    path("noi-truc-tiep/bat-dau/", speaking.start, name="speaking_start"),
    path("noi-truc-tiep/<slug:uid>/", speaking.state, name="speaking_state"),
    path("noi-truc-tiep/<slug:uid>/am-thanh/", speaking.take, name="speaking_take"),
    path("noi-truc-tiep/<slug:uid>/dung/", speaking.end, name="speaking_end"),
    path("truc-tiep/<str:token>/index.m3u8", speaking.playlist, name="live_playlist"),
    path(
        "truc-tiep/<str:token>/<int:number>.mp3", speaking.segment, name="live_segment"
    ),
    path("nguon-tiep-am/", sources.index, name="sources"),
    path("nhat-ky/", plays.index, name="plays"),
    path("nhat-ky/xuat.csv", plays.export, name="plays_file"),
]

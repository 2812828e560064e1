"""Addresses of merges, under /sap-xep/."""

from django.urls import path, re_path

from nguon.reorganization import views

app_name = "reorganization"
urlpatterns = [
    path("", views.index, name="merges"),
    path("bang.csv", views.index_file, name="merges_file"),
    path("moi/", views.create, name="create"),
    path("quy-tac/", views.table, name="table"),
    path("<slug:uid>/", views.show, name="merge"),
    path("<slug:uid>/bang.csv", views.things_file, name="things_file"),
    path("<slug:uid>/noi-nhan/<int:old_id>/", views.choose, name="choose"),
    re_path(
        r"^(?P<uid>[a-z2-7]{12})/(?P<verb>chay|hoan-tac|chot|bo)/$",
        views.move,
        name="move",
    ),
]

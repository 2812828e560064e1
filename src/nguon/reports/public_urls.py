"""Addresses of open data, under /so-lieu-mo/; they stand as long as the data."""

from django.urls import path

from nguon.reports.views import public

app_name = "open_data"
urlpatterns = [
    path("", public.index, name="index"),
    path("danh-muc.json", public.catalogue, name="catalogue"),
    path("diem/<slug:uid>/", public.score, name="score"),
    path("diem/<slug:uid>.csv", public.score_table, name="score_table"),
    path("diem/<slug:uid>.json", public.score_data, name="score_data"),
    path("<slug:uid>/", public.show, name="figures"),
    path("<slug:uid>.csv", public.table, name="table"),
    path("<slug:uid>.json", public.data, name="data"),
]

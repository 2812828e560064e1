"""Addresses of dashboards, under /tong-quan/."""

from django.urls import path

from nguon.reports.views import dashboards, publications, scores

app_name = "dashboards"
urlpatterns = [
    path("", dashboards.show, name="board"),
    path("bang.csv", dashboards.show_file, name="board_file"),
    path("cac-xa/", dashboards.compare, name="communes"),
    path("cac-xa/bang.csv", dashboards.compare_file, name="communes_file"),
    path("cong-bo/", publications.index, name="published"),
    path("cong-bo/moi/", publications.prepare, name="prepare"),
    path("cong-bo/gui/", publications.publish, name="publish"),
    path("cong-bo/<slug:uid>/rut-lai/", publications.withdraw, name="withdraw"),
    path("diem/", scores.index, name="sheets"),
    path("diem/moi/", scores.create, name="create_sheet"),
    path("diem/<slug:uid>/", scores.show, name="sheet"),
    path("diem/<slug:uid>/bang.csv", scores.show_file, name="sheet_file"),
    path("diem/<slug:uid>/luu/", scores.write, name="write_sheet"),
    path("diem/<slug:uid>/ban-hanh/", scores.publish, name="publish_sheet"),
    path("diem/<slug:uid>/cong-khai/", scores.open_results, name="show_results"),
    path("diem/<slug:uid>/xa/<slug:unit>/", scores.commune, name="score"),
]

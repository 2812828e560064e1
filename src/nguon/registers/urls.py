"""Addresses of the registers, under /so/."""

from django.urls import path, re_path

from nguon.registers.views import lines, trainings

BOOK = r"(?P<book>dai|nhan-luc|tuyen-truyen-vien)"
LINE = rf"^{BOOK}/(?P<uid>[a-z2-7]{{12}})"

app_name = "registers"
urlpatterns = [
    path("", lines.start, name="registers"),
    path("tap-huan/", trainings.index, name="trainings"),
    path("tap-huan/<slug:uid>/", trainings.show, name="training"),
    path("tap-huan/<slug:uid>/bang.csv", trainings.show_file, name="training_file"),
    path("tap-huan/<slug:uid>/ghi/", trainings.record, name="record"),
    path("tap-huan/bo/<int:proof_id>/", trainings.take_back, name="take_back"),
    re_path(rf"^{BOOK}/$", lines.index, name="lines"),
    re_path(rf"^{BOOK}/bang\.csv$", lines.index_file, name="lines_file"),
    re_path(rf"^{BOOK}/them/$", lines.add, name="add"),
    re_path(rf"^{BOOK}/nhap/$", lines.take_table, name="import"),
    re_path(rf"{LINE}/$", lines.show, name="line"),
    re_path(rf"{LINE}/xoa/$", lines.forget, name="forget"),
]

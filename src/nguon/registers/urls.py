"""Addresses of the registers, under /so/."""

from django.urls import path

from nguon.registers.views import lines, practice, trainings

app_name = "registers"
urlpatterns = [
    path("", lines.start, name="registers"),
    path("tap-huan/", trainings.index, name="trainings"),
    path("tap-huan/<slug:uid>/", trainings.show, name="training"),
    path("tap-huan/<slug:uid>/bang.csv", trainings.show_file, name="training_file"),
    path("tap-huan/<slug:uid>/ghi/", trainings.record, name="record"),
    path("tap-huan/bo/<int:proof_id>/", trainings.take_back, name="take_back"),
    path("thuc-hanh/", practice.index, name="practices"),
    path("thuc-hanh/bang.csv", practice.index_file, name="practices_file"),
    path("thuc-hanh/bat-dau/", practice.begin, name="begin_practice"),
    path("thuc-hanh/<slug:uid>/", practice.show, name="practice"),
    path("thuc-hanh/<slug:uid>/tieng/", practice.sound, name="practice_sound"),
    path("thuc-hanh/<slug:uid>/giay/", practice.proof, name="practice_proof"),
    path("thuc-hanh/<slug:uid>/<slug:deed>/", practice.do, name="do_practice"),
    path("<slug:book>/", lines.index, name="lines"),
    path("<slug:book>/bang.csv", lines.index_file, name="lines_file"),
    path("<slug:book>/them/", lines.add, name="add"),
    path("<slug:book>/nhap/", lines.take_table, name="import"),
    path("<slug:book>/<slug:uid>/", lines.show, name="line"),
    path("<slug:book>/<slug:uid>/xoa/", lines.forget, name="forget"),
]

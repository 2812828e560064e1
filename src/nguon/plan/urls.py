"""Addresses of plans, under /ke-hoach/."""

from django.urls import path, re_path

from nguon.plan.views import assignments, carry, money, plans, visits

app_name = "plan"
urlpatterns = [
    path("", plans.index, name="plans"),
    path("bang.csv", plans.index_file, name="plans_file"),
    path("moi/", plans.create, name="create"),
    path("viec/", assignments.index, name="assignments"),
    path("viec/bang.csv", assignments.index_file, name="assignments_file"),
    path("viec/<slug:uid>/", assignments.show, name="assignment"),
    re_path(
        r"^viec/(?P<uid>[a-z2-7]{12})/(?P<verb>nhan|giao|bao|xong|tra-lai)/$",
        assignments.move,
        name="move",
    ),
    path("viec/<slug:uid>/anh/<int:photo_id>/", assignments.photo, name="photo"),
    path("<slug:uid>/", plans.show, name="plan"),
    path("<slug:uid>/viec/", assignments.of_plan, name="plan_assignments"),
    path("<slug:uid>/bang.csv", assignments.plan_file, name="plan_file"),
    path("kiem-tra/<slug:uid>/", visits.show, name="visit"),
    re_path(
        r"^kiem-tra/(?P<uid>[a-z2-7]{12})/(?P<verb>tra-loi|xong|tra-lai)/$",
        visits.move,
        name="move_finding",
    ),
    path("kiem-tra/<slug:uid>/anh/<int:step_id>/", visits.photo, name="visit_photo"),
    path("<slug:uid>/kiem-tra/", visits.index, name="visits"),
    path("<slug:uid>/kiem-tra/bang.csv", visits.index_file, name="visits_file"),
    path("<slug:uid>/kiem-tra/ghi/", visits.record, name="record_visit"),
    path("<slug:uid>/chuyen/", carry.carry, name="carry"),
    path("<slug:uid>/chi-tieu/", money.targets, name="targets"),
    path("<slug:uid>/chi-tieu/bang.csv", money.targets_file, name="targets_file"),
    path("<slug:uid>/chi-tieu/ghi/", money.set_target, name="set_target"),
    path("<slug:uid>/kinh-phi/", money.funding, name="funding"),
    path("<slug:uid>/kinh-phi/bang.csv", money.funding_file, name="funding_file"),
    re_path(
        r"^(?P<uid>[a-z2-7]{12})/kinh-phi/(?P<what>dong|da-chi|thuong-xuyen)/$",
        money.set_money,
        name="set_money",
    ),
    path("<slug:uid>/sua/", plans.change, name="change"),
    re_path(
        r"^(?P<uid>[a-z2-7]{12})/(?P<verb>gui|ket-thuc)/$", plans.move, name="move_plan"
    ),
    re_path(
        r"^(?P<uid>[a-z2-7]{12})/them/(?P<what>nhiem-vu|van-ban|ngay-bao-cao)/$",
        plans.add,
        name="add",
    ),
    path("<slug:uid>/bo/", plans.remove_draft, name="remove_draft"),
    path("<slug:uid>/bo/<slug:what>/<int:key>/", plans.remove, name="remove"),
]

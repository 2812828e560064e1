"""Addresses of the fleet's screens, under /thiet-bi/."""

from django.urls import path, re_path

from nguon.fleet import views

app_name = "fleet"
urlpatterns = [
    path("", views.index, name="devices"),
    path("xuat.csv", views.export, name="devices_file"),
    path("cho-duyet/", views.waiting, name="waiting"),
    path("ma-ghi-danh/", views.claims, name="claims"),
    path("ma-ghi-danh/in/", views.print_claims, name="print_claims"),
    path("<slug:uid>/", views.show, name="device"),
    re_path(
        r"^(?P<uid>[a-z2-7]{12})/(?P<verb>duyet|tu-choi|thu-hoi|thu)/$",
        views.decide,
        name="decide",
    ),
]

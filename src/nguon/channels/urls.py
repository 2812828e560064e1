"""Addresses of the channels, under /kenh/; the talk is for everybody."""

from django.urls import path

from nguon.channels import views

app_name = "channels"
urlpatterns = [
    path("", views.deliveries, name="deliveries"),
    path("bang.csv", views.deliveries_file, name="deliveries_file"),
    path("danh-ba/", views.contacts, name="contacts"),
    path("danh-ba/bang.csv", views.contacts_file, name="contacts_file"),
    path("danh-ba/nhap/", views.import_contacts, name="import_contacts"),
    path("danh-ba/<int:key>/xoa/", views.remove_contact, name="remove_contact"),
    path("so-tai-lieu/", views.documents, name="documents"),
    path("so-tai-lieu/bang.csv", views.documents_file, name="documents_file"),
    path("chon/<slug:uid>/", views.choose, name="choose"),
    path("gui-lai/<slug:uid>/", views.retry, name="retry"),
    path("tin/<slug:uid>/", views.ways, name="ways"),
    path("tin/<slug:uid>/ban-tin.pdf", views.sheet, name="sheet"),
    path("noi-chuyen/<slug:uid>/", views.talk, name="talk"),
]

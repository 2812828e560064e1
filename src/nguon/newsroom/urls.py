"""Addresses of the newsroom, under /ban-tin/."""

from django.urls import path

from nguon.newsroom import views

app_name = "newsroom"
urlpatterns = [
    path("moi/", views.create, name="create"),
    path("<slug:uid>/viet/", views.edit, name="edit"),
    path("<slug:uid>/dung-lai/", views.reuse, name="reuse"),
    path("<slug:uid>/luu/", views.save, name="save"),
    path("<slug:uid>/nghe/", views.hear, name="hear"),
    path("<slug:uid>/ghi-am/", views.record, name="record"),
    path("<slug:uid>/tieng/<slug:sha256>.mp3", views.sound_file, name="sound"),
]

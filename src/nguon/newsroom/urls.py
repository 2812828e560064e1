"""Addresses of the newsroom, under /ban-tin/."""

from django.urls import path

from nguon.newsroom import dictionary_views, views

app_name = "newsroom"
urlpatterns = [
    path("moi/", views.create, name="create"),
    path("tu-dien/", dictionary_views.index, name="dictionary"),
    path("tu-dien/luu/", dictionary_views.save, name="save_word"),
    path("tu-dien/<int:word_id>/bo/", dictionary_views.remove, name="remove_word"),
    path("tu-dien/nhap/", dictionary_views.take_in, name="import_words"),
    path("tu-dien/xuat.csv", dictionary_views.export, name="dictionary_file"),
    path("tu-dien/nghe.mp3", dictionary_views.hear, name="hear_word"),
    path("<slug:uid>/loi-doc/", dictionary_views.preview, name="preview"),
    path("<slug:uid>/giong/", dictionary_views.choose, name="manner"),
    path("<slug:uid>/viet/", views.edit, name="edit"),
    path("<slug:uid>/luu/", views.save, name="save"),
    path("<slug:uid>/nghe/", views.hear, name="hear"),
    path("<slug:uid>/ghi-am/", views.record, name="record"),
    path("<slug:uid>/tieng/<slug:sha256>.mp3", views.sound_file, name="sound"),
]

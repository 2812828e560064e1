"""Addresses of the newsroom, under /ban-tin/."""

from django.urls import path

from nguon.newsroom.views import (
    attachments,
    bulletins,
    desk,
    dictionary,
    history,
    intake,
    supply,
)

app_name = "newsroom"
urlpatterns = [
    path("nhan/", intake.take, name="take_in"),
    path("tep/", intake.begin, name="begin_upload"),
    path("tep/<slug:uid>/", intake.piece, name="upload"),
    path("mau/", desk.templates, name="templates"),
    path("mau/<int:key>/bo/", desk.end_template, name="end_template"),
    path("mau/<slug:key>/viet/", desk.use_template, name="use_template"),
    path("nguon-cung-cap/", supply.suppliers, name="suppliers"),
    path("nguon-cung-cap/<int:key>/bo/", supply.end, name="end_supplier"),
    path("thu-lao/", desk.remuneration, name="remuneration"),
    path("thu-lao/xuat.csv", desk.remuneration_file, name="remuneration_file"),
    path("tu-dien/", dictionary.index, name="dictionary"),
    path("tu-dien/luu/", dictionary.save, name="save_word"),
    path("tu-dien/<int:word_id>/bo/", dictionary.remove, name="remove_word"),
    path("tu-dien/nhap/", dictionary.take_in, name="import_words"),
    path("tu-dien/xuat.csv", dictionary.export, name="dictionary_file"),
    path("tu-dien/nghe.mp3", dictionary.hear, name="hear_word"),
    path("<slug:uid>/loi-doc/", dictionary.preview, name="preview"),
    path("<slug:uid>/giong/", dictionary.choose, name="manner"),
    path("moi/", bulletins.create, name="create"),
    path("<slug:uid>/viet/", bulletins.edit, name="edit"),
    path("<slug:uid>/lich-su/", history.show, name="history"),
    path("<slug:uid>/gop-y/", history.comment, name="comment"),
    path("<slug:uid>/dung-lai/", bulletins.reuse, name="reuse"),
    path("<slug:uid>/luu/", bulletins.save, name="save"),
    path("<slug:uid>/nghe/", bulletins.hear, name="hear"),
    path("<slug:uid>/ghi-am/", bulletins.record, name="record"),
    path("<slug:uid>/kem/", attachments.add, name="attach"),
    path("<slug:uid>/kem/<slug:item>/sua/", attachments.describe, name="describe"),
    path("<slug:uid>/kem/<slug:item>/bo/", attachments.remove, name="detach"),
    path("<slug:uid>/kem/<slug:sha256>/", attachments.show, name="attached"),
    path("<slug:uid>/anh/<slug:sha256>.jpg", intake.picture, name="picture"),
    path("<slug:uid>/tieng/<slug:sha256>.mp3", bulletins.sound_file, name="sound"),
    path(
        "<slug:uid>/tieng/<slug:sha256>.ogg",
        bulletins.sound_file,
        name="compact_sound",
    ),
]

"""Public addresses; `tests/repository` keeps the list of what needs no sign-in."""

from django.urls import path

from nguon.portal import views

app_name = "portal"
urlpatterns = [
    path("xa/", views.index, name="index"),
    path("xa/<str:uid>/", views.commune, name="commune"),
    path("xa/<str:uid>/<str:broadcast>.mp3", views.sound, name="sound"),
    path(
        "xa/<str:uid>/<str:broadcast>.ogg",
        views.sound,
        {"compact": True},
        name="compact_sound",
    ),
    path(
        "xa/<str:uid>/<str:broadcast>/kem/<str:sha256>/",
        views.attached,
        name="attached",
    ),
]

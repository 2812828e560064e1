"""Where organisations and systems propose texts, under /gui-tin/; no sign-in."""

from django.urls import path

from nguon.newsroom.views import offers

app_name = "newsroom_public"
urlpatterns = [
    path("tra-cuu/", offers.receipt, name="receipt"),
    path("may/", offers.receive, name="receive"),
    path("<slug:uid>/", offers.offer, name="offer"),
]

"""Addresses of stop and correction, under /dung-phat/."""

from django.urls import path

from nguon.emergency import views

app_name = "emergency"
urlpatterns = [
    path("", views.index, name="stop"),
    path("tim/", views.search, name="search"),
    path("dinh-chinh/<slug:uid>/", views.correct, name="correct"),
    path("<slug:uid>/xin-phat-lai/", views.ask_lift, name="ask_lift"),
    path("<slug:uid>/cho-phat-lai/", views.confirm_lift, name="confirm_lift"),
]

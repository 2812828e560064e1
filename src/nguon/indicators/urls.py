"""Addresses of figures, under /chi-tieu/."""

from django.urls import path

from nguon.indicators import views

app_name = "indicators"
urlpatterns = [
    path("", views.index, name="figures"),
    path("bang.csv", views.index_file, name="figures_file"),
    path("<slug:figure>/", views.show, name="figure"),
    path("<slug:figure>/bang.csv", views.show_file, name="figure_file"),
]

"""Addresses of figures and of the listening sample, under /chi-tieu/."""

from django.urls import path

from nguon.indicators.views import figures, listening

app_name = "indicators"
urlpatterns = [
    path("", figures.index, name="figures"),
    path("bang.csv", figures.index_file, name="figures_file"),
    path("hoi-nghe/", listening.index, name="rounds"),
    path("hoi-nghe/bang.csv", listening.index_file, name="rounds_file"),
    path("hoi-nghe/moi/", listening.create, name="create_round"),
    path("hoi-nghe/<slug:uid>/", listening.show, name="round"),
    path("hoi-nghe/<slug:uid>/phieu/", listening.sheets, name="sheets"),
    path("hoi-nghe/<slug:uid>/ket-thuc/", listening.end, name="end_round"),
    path("hoi-nghe/<slug:uid>/bo/", listening.drop, name="drop_round"),
    path("hoi-nghe/<slug:uid>/ket-qua.csv", listening.results_file, name="results"),
    path("hoi-nghe/<slug:uid>/tra-loi.csv", listening.answers_file, name="answers"),
    path("<slug:figure>/", figures.show, name="figure"),
    path("<slug:figure>/bang.csv", figures.show_file, name="figure_file"),
]

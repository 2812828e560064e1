"""Where propagandists write down what people answered, under /nghe/; no sign-in."""

from django.urls import path

from nguon.indicators.views import asking

app_name = "listening"
urlpatterns = [
    path("<slug:code>/", asking.ask, name="ask"),
]

"""The public addresses of the fleet, under /bao-hong/; short, for a QR label."""

from django.urls import path

from nguon.fleet.views import trouble

app_name = "fleet_public"
urlpatterns = [
    path("<slug:code>/", trouble.report, name="report"),
    path("<slug:code>/cam-on/", trouble.thanks, name="thanks"),
]

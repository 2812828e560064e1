"""Root URLs: which room answers which address."""

from django.urls import URLPattern, URLResolver, include, path

from nguon.web import views

frame = (
    [
        path("", views.today, name="today"),
        path("health", views.health, name="health"),
        path("metrics", views.figures, name="metrics"),
        path("van-hanh/", views.show_condition, name="condition"),
    ],
    "web",
)

# One line per room; addresses are Vietnamese words without accents.
urlpatterns: list[URLPattern | URLResolver] = [
    path("", include(frame)),
    path("gui-tin/", include("nguon.newsroom.public_urls")),
    path("ban-tin/", include("nguon.newsroom.urls")),
    path("chi-tieu/", include("nguon.indicators.urls")),
    path("nghe/", include("nguon.indicators.public_urls")),
    path("bao-cao/", include("nguon.reports.urls")),
    path("tong-quan/", include("nguon.reports.dashboard_urls")),
    path("so-lieu-mo/", include("nguon.reports.public_urls")),
    path("sap-xep/", include("nguon.reorganization.urls")),
    path("ke-hoach/", include("nguon.plan.urls")),
    path("so/", include("nguon.registers.urls")),
    path("kenh/", include("nguon.channels.urls")),
    path("dung-phat/", include("nguon.emergency.urls")),
    path("", include("nguon.schedule.urls")),
    path("thiet-bi/", include("nguon.fleet.urls")),
    path("bao-hong/", include("nguon.fleet.public_urls")),
    path("device/v1/", include("nguon.fleet.device_urls", namespace="device-v1")),
    path("", include("nguon.people.urls")),
    path("", include("nguon.portal.urls")),
]

handler400 = "nguon.web.errors.bad_request"
handler403 = "nguon.web.errors.permission_denied"
handler404 = "nguon.web.errors.page_not_found"
handler429 = "nguon.web.errors.too_many_requests"
handler500 = "nguon.web.errors.server_error"

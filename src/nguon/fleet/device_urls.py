"""The addresses of the device API. No officer signs in here: devices prove themselves.

`LoginRequiredMiddleware` asks each view whether it wants an officer.
"""

from django.urls import URLPattern

from nguon.fleet.device_api import api

urlpatterns, app_name, _namespace = api.urls

for _pattern in urlpatterns:
    if isinstance(_pattern, URLPattern):
        _pattern.callback.login_required = False  # type: ignore[attr-defined]

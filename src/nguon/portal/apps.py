"""Django's registration of the portal."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """The public pages."""

    name = "nguon.portal"

"""Django's registration of the gateway room: it has commands and no tables."""

from django.apps import AppConfig


class GatewayConfig(AppConfig):
    """The gateway room."""

    name = "nguon.gateway"

"""Django's registration of the territory room."""

from django.apps import AppConfig


class TerritoryConfig(AppConfig):
    """The territory room."""

    name = "nguon.territory"

"""Django's registration of the territory room."""

from django.apps import AppConfig

from nguon.audit import guards as kept
from nguon.territory import guards


class TerritoryConfig(AppConfig):
    """The territory room."""

    name = "nguon.territory"

    def ready(self) -> None:
        """Hand the guards over."""
        kept.register(self, guards.GUARDS)

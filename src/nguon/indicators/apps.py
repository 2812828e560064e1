"""Django's registration of indicators, and what their database refuses."""

from django.apps import AppConfig

from nguon.audit import guards
from nguon.indicators.guards import GUARDS


class IndicatorsConfig(AppConfig):
    """Figures that are counted from the facts of the rooms below."""

    name = "nguon.indicators"

    def ready(self) -> None:
        """Register the guards."""
        guards.register(self, GUARDS)

"""Django's registration of indicators."""

from django.apps import AppConfig


class IndicatorsConfig(AppConfig):
    """Figures that are counted from the facts of the rooms below."""

    name = "nguon.indicators"

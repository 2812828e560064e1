"""Django's registration of the frame."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The frame every screen hangs in."""

    name = "nguon.web"

    def ready(self) -> None:
        """Register the checks of our settings."""
        from nguon.web import checks  # noqa: F401  (registers itself on import)

"""Django's name for the room."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """The demo world and its commands."""

    name = "nguon.demo"
    label = "demo"
